"""Absences: a specialist is away, and colleagues keep what was promised, or nothing is changed.

Times, places and modes of promises stay; only who keeps them changes. Days are locked in order and counted
up, so that nothing which was found out before can be written after. Why she is away is not asked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

import routing
from booking_service.domain import zones
from booking_service.domain.county import Absence, Mode
from booking_service.domain.mistakes import Mistake, Rejected
from booking_service.services.calendar import calendar_of
from booking_service.services.instances import witness
from booking_service.services.places import NotFound, Place, free_what_is_due, lock_days
from booking_service.services.placing import place_visits
from booking_service.store.booking_tables import AppointmentRow
from booking_service.store.county import (
    add_absence,
    read_county,
    recorded_absence,
    remove_absence,
    specialist_numbers,
)
from booking_service.store.db import transactional
from booking_service.store.plan import promised_visits

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from booking_service.domain.county import County
    from booking_service.store.plan import Promised

LONGEST_DAYS = 366
ORIGIN = datetime(1970, 1, 1, tzinfo=UTC)
"""Ticks are counted from here; every zone is whole ticks away."""


@dataclass(frozen=True, slots=True)
class Away:
    """Who is to be away from when to when. `unit` narrows it to specialists of that unit, None to nobody."""

    specialist: str
    begin: datetime
    end: datetime
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """A visit of an appointment; `specialist` is who keeps it now, None if nobody can."""

    reference: str
    place: Place
    specialist: str | None


@dataclass(frozen=True, slots=True)
class Recorded:
    """An absence that stands, under its number; it may begin later than was asked for."""

    number: int
    specialist: str
    begin: datetime
    end: datetime
    taken_over: tuple[Visit, ...]


class PromisesAtRisk(Exception):
    """Nobody else can keep these visits; nothing was changed."""

    def __init__(self, visits: Sequence[Visit]) -> None:
        super().__init__(f"{len(visits)} visits could not be kept")
        self.visits = tuple(visits)


@transactional
def record_absence(session: Session, *, away: Away, now: datetime) -> Recorded:
    """Record that a specialist is away, and give what she has promised to colleagues.

    What has begun she still finishes: the absence begins when she is back from it, and never before `now`.
    Both ends are widened to the county's tick. Raises Rejected, and PromisesAtRisk where not all can be kept.
    """
    _refuse_span(away, now)
    zone = read_county(session).settings.zone
    locked = lock_days(session, _days(max(away.begin, now), away.end, zone))
    free_what_is_due(session, locked, now)
    session.flush()
    # only now: another absence may have been recorded while we waited for the lock
    county = read_county(session)
    _refuse_specialist(county, away)
    promised = promised_visits(session, min(locked), max(locked))
    absence = _absence(county, away, promised, now)
    moves = _stand_ins(session, county, absence, promised, now)
    numbers = specialist_numbers(session)
    for day, row in locked.items():
        here = {v.visit_id: moves[v.visit_id] for v in promised if v.day == day and v.visit_id in moves}
        if here:
            place_visits(session, day, here, [], numbers)
        row.version += 1
    session.flush()
    begin, end = (zones.from_local(local, zone) for local in (absence.begin, absence.end))
    number = add_absence(session, specialist=away.specialist, begin=begin, end=end)
    taken_over = _visits(session, [v for v in promised if v.visit_id in moves], moves)
    return Recorded(number, away.specialist, begin, end, taken_over)


@transactional
def delete_absence(session: Session, *, number: int, unit: str | None, now: datetime) -> None:
    """The specialist is there after all. What colleagues took over stays with them.

    With `unit`, one of another unit's specialist is not found. Raises NotFound, also for those of the folder.
    """
    county = read_county(session)
    known = recorded_absence(session, number)
    units = {specialist.code: specialist.unit for specialist in county.specialists}
    if known is None or unit not in {None, units.get(known[0])}:
        raise NotFound("no such absence")
    days = _days(max(known[1], now), known[2], county.settings.zone)
    for row in lock_days(session, days).values():
        row.version += 1
    if not remove_absence(session, number):
        raise NotFound("no such absence")


def _refuse_span(away: Away, now: datetime) -> None:
    if away.end <= away.begin:
        raise Rejected([Mistake("/to", "window_reversed")])
    if away.end <= now:
        raise Rejected([Mistake("/to", "window_past")])
    if away.end - max(away.begin, now) > timedelta(days=LONGEST_DAYS):
        raise Rejected([Mistake("/to", "absence_too_long", {"days": LONGEST_DAYS})])


def _refuse_specialist(county: County, away: Away) -> None:
    units = {specialist.code: specialist.unit for specialist in county.specialists}
    if away.specialist not in units or away.unit not in {None, units[away.specialist]}:
        raise Rejected([Mistake("/specialist", "specialist_unknown", {"specialist": away.specialist})])


def _days(begin: datetime, end: datetime, zone: str) -> list[date]:
    """The days that an absence touches; none where it is over."""
    first, last = zones.local_day(begin, zone), zones.local_day(end - timedelta(microseconds=1), zone)
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _absence(county: County, away: Away, promised: Sequence[Promised], now: datetime) -> Absence:
    """The absence as it will stand. Raises Rejected where she is busy until its end."""
    tick, zone = timedelta(minutes=county.settings.planning.tick_minutes), county.settings.zone
    begun = [visit for visit in promised if visit.specialist == away.specialist and visit.busy_from <= now]
    begin = max([max(away.begin, now), *(_back_from(county, visit) for visit in begun)])
    begin -= (begin - ORIGIN) % tick
    end = away.end + (ORIGIN - away.end) % tick
    if end <= begin:
        raise Rejected([Mistake("/to", "absence_during_visit")])
    return Absence(away.specialist, zones.to_local(begin, zone), zones.to_local(end, zone))


def _back_from(county: County, visit: Promised) -> datetime:
    """When she is back at her base from a visit; a way and a break do not go together."""
    zone, tick = county.settings.zone, county.settings.planning.tick_minutes
    base = {specialist.code: specialist.base_site for specialist in county.specialists}[visit.specialist]
    away = visit.site if visit.mode is Mode.ON_SITE and visit.site != base else None
    way = next((leg.minutes for leg in county.travel if (leg.origin, leg.destination) == (away, base)), 0)
    leave = zones.minute_of(visit.busy_until, visit.day, zone)
    for span in calendar_of(county, visit.day, visit.day).working_day(visit.specialist, visit.day):
        for begin, end in span.breaks:
            if leave < end and begin < leave + way:
                leave = end
    return zones.instant(visit.day, -(-(leave + way) // tick) * tick, zone)


def _stand_ins(
    session: Session, county: County, absence: Absence, promised: Sequence[Promised], now: datetime
) -> dict[int, str]:
    """Who takes over which visit. Raises PromisesAtRisk for those whom nobody could."""
    without = replace(county, absences=(*county.absences, absence))
    moves: dict[int, str] = {}
    lost: list[Promised] = []
    for day in sorted({visit.day for visit in promised if visit.specialist == absence.specialist}):
        here = {f"v{visit.visit_id}": visit for visit in promised if visit.day == day}
        found = _stand_in_on(without, day, list(here.values()), now)
        moves |= {here[name].visit_id: specialist for name, specialist in found.moves.items()}
        lost += [here[name] for name in found.lost]
    if lost:
        raise PromisesAtRisk(_visits(session, lost, {}))
    return moves


def _stand_in_on(county: County, day: date, promised: Sequence[Promised], now: datetime) -> routing.StandIn:
    """Who keeps what on a day; what has begun stays where it is."""
    instance = witness(county, calendar_of(county, day, day), promised, [day]).instance
    begun = {f"v{visit.visit_id}" for visit in promised if visit.busy_from <= now}
    return routing.stand_in(instance, pinned=begun)


def _visits(session: Session, promised: Iterable[Promised], moves: Mapping[int, str]) -> tuple[Visit, ...]:
    """What is said about visits, in the order of time."""
    ordered = sorted(promised, key=lambda visit: (visit.start_at, visit.visit_id))
    ids = {visit.appointment_id for visit in ordered}
    query = select(AppointmentRow.id, AppointmentRow.reference).where(AppointmentRow.id.in_(ids))
    references = {number: reference for number, reference in session.execute(query)}  # noqa: C416 - rows are not pairs to the type checker
    return tuple(
        Visit(
            references[visit.appointment_id],
            Place(visit.start_at, visit.end_at, visit.mode, visit.site),
            moves.get(visit.visit_id),
        )
        for visit in ordered
    )
