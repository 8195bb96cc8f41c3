"""Improving the witness: who keeps the promises of a day is looked for anew once the day has changed.

Promises stay as they were told, published days stay as they are, and no booking waits: the search holds
neither lock nor transaction, and what it found is dropped where somebody has changed the day meanwhile. Hosts
share out the days by leases in the database, which end by themselves.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

import routing
from booking_service.domain import zones
from booking_service.services.calendar import calendar_of
from booking_service.services.instances import day_to_improve, plan_as_held
from booking_service.services.placing import place_visits
from booking_service.services.publication import first_unpublished
from booking_service.services.witnesses import kept_free
from booking_service.store.county import read_county, specialist_numbers
from booking_service.store.db import reading, transactional
from booking_service.store.improvements import ChangedDay, changed_days, end_lease, lease_day, note_days
from booking_service.store.plan import day_versions, lock_day, promised_visits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from booking_service.domain.county import County
    from booking_service.services.instances import Draft
    from booking_service.store.plan import Promised

log = structlog.get_logger()

SETTLED = timedelta(seconds=30)
"""How long after it was seen changed a day is improved: bookings often come in company."""
LEASE = timedelta(minutes=5)
"""Far longer than a day can take, so that only after a crash a lease ends by itself."""
SECONDS_A_DAY = 10.0


class ImprovementRefused(RuntimeError):
    """The checker refused what the search made: a fault of the search; nothing was applied."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A day that is the caller's to improve until the lease is over."""

    day: date
    leased_until: datetime


@dataclass(frozen=True, slots=True)
class DayState:
    """What a search depends on: a day as it was at one version."""

    day: date
    version: int
    county: County
    promised: Sequence[Promised]


@dataclass(slots=True)
class Improved:
    """What a run has done: days changed, minutes of travel saved, visits that changed hands."""

    days: int = 0
    travel_saved: int = 0
    visits: int = 0


@dataclass(frozen=True, slots=True)
class Better:
    """A better deployment: who takes over which visit, and the minutes of travel that it saves."""

    moves: Mapping[int, str]
    travel_saved: int


def improve(*, now: datetime, clock: Callable[[], float], seconds: float) -> Improved:
    """Improve the days that have changed, one by one, until none is left or so many seconds are over.

    `clock` counts seconds; the last day may take `SECONDS_A_DAY` more.
    """
    until, done = clock() + seconds, Improved()
    while clock() < until:
        claim = claim_day(now=now)
        if claim is None:
            break
        state = read_day(day=claim.day)
        better = find_better(state, now)
        if finish_day(claim=claim, state=state, better=better) and better:
            done.days += 1
            done.travel_saved += better.travel_saved
            done.visits += len(better.moves)
    if done.days:
        log.info("improved", days=done.days, travel_saved=done.travel_saved, visits=done.visits)
    return done


@transactional
def claim_day(session: Session, *, now: datetime) -> Claim | None:
    """Lease the day that is to be improved next; None where there is none.

    Soonest and most changed first: by the changes for each day that is left before the day is published. A
    day that would be published before the lease ends is left as it is.
    """
    county = read_county(session)
    zone = county.settings.zone
    first = first_unpublished(county, zones.local_day(now + LEASE, zone))
    last = zones.local_day(now, zone) + timedelta(days=county.settings.planning.horizon_days)
    changed = changed_days(session, first, last)
    note_days(session, [one.day for one in changed if one.noted_at is None], now)
    settled = [one for one in changed if one.noted_at and one.noted_at <= now - SETTLED]
    until = now + LEASE
    for one in sorted(settled, key=lambda one: _haste(one, first), reverse=True):
        if lease_day(session, one.day, now, until):
            return Claim(one.day, until)
    return None


def _haste(one: ChangedDay, first: date) -> float:
    return one.changes / ((one.day - first).days + 1)


@reading
def read_day(session: Session, *, day: date) -> DayState:
    """The day as it is promised and held."""
    version = day_versions(session, [day])[day]
    return DayState(day, version, read_county(session), promised_visits(session, day, day))


def find_better(state: DayState, now: datetime) -> Better | None:
    """Search for a better deployment of the day, without any transaction; None where none is found.

    A day whose promises cannot be kept as they are held needs repair, not improvement, and is left as it is.
    """
    draft = _draft(state, now)
    if not draft.promised or not (before := routing.check(draft.instance, plan_as_held(draft))).valid:
        return None
    found = routing.deploy(
        draft.instance,
        together=_together(draft),
        least_per_trip=state.county.settings.booking.least_per_trip,
        seconds=SECONDS_A_DAY,
    )
    if found is None:
        log.warning("not improved in time", day=state.day.isoformat(), visits=len(draft.promised))
        return None
    if found.found >= found.held:
        return None
    whole = routing.check(draft.instance, routing.Plan(draft.instance.name, found.lines))
    if not whole.valid or whole.lost != found.found.missing:
        raise ImprovementRefused("; ".join(whole.violations) or f"{whole.lost} promises are lost")
    kept = tuple(line for line in found.lines if line.visit in draft.promised)
    after = routing.check(draft.instance, routing.Plan(draft.instance.name, kept))
    if not after.valid:
        # who is kept free may divide a way that is too long in one stretch; it must hold without that too
        return None
    moves = {
        draft.promised[line.visit].visit_id: line.specialist
        for line in kept
        if draft.promised[line.visit].specialist != line.specialist
    }
    return Better(moves, (before.travel or 0) - (after.travel or 0))


def _draft(state: DayState, now: datetime) -> Draft:
    """The day with what the public may not have of it yet: it must not be given away."""
    county, day = state.county, state.day
    calendar = calendar_of(county, day, day)
    return day_to_improve(county, calendar, state.promised, day, kept_free(county, day, now))


def _together(draft: Draft) -> list[list[str]]:
    """The visits of each appointment: a citizen who has one specialist for all of it keeps one."""
    visits: dict[int, list[str]] = defaultdict(list)
    for name, promise in draft.promised.items():
        visits[promise.appointment_id].append(name)
    return [names for names in visits.values() if len(names) > 1]


@transactional
def finish_day(session: Session, *, claim: Claim, state: DayState, better: Better | None) -> bool:
    """Make the day what was found and give the lease back; False where the day is not what it was.

    A day for which nothing better was found waits until it changes again.
    """
    improved: int | None = state.version
    if better:
        improved = _apply(session, state, better)
    end_lease(session, claim.day, claim.leased_until, improved)
    return improved is not None


def _apply(session: Session, state: DayState, better: Better) -> int | None:
    """The new version of the day, None where somebody has changed it or loaded another county."""
    row = lock_day(session, state.day)
    if row.version != state.version or read_county(session) is not state.county:
        return None
    row.version += 1
    place_visits(session, state.day, better.moves, [], specialist_numbers(session))
    return row.version
