"""Holding a place for some minutes: it is a promise already, so what was clicked can be confirmed."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

from sqlalchemy import BindParameter, ColumnElement, bindparam, exists, func, select
from sqlalchemy.exc import IntegrityError

from booking_service.domain import zones
from booking_service.domain.bookings import AppointmentStatus
from booking_service.domain.mistakes import Rejected
from booking_service.mail.calendar_entry import new_uid
from booking_service.services.links import new_reference
from booking_service.services.offers import (
    FARTHEST,
    Question,
    Way,
    county_and_days,
    offers,
    start_mistakes,
    way_of,
)
from booking_service.services.places import (
    Place,
    PlaceTaken,
    TooMany,
    days_of,
    free_places,
    free_what_is_due,
    held_row,
    is_due,
    lock_days,
    locked_rows,
    place_of,
)
from booking_service.services.placing import make_way
from booking_service.services.rooms import RoomNeed
from booking_service.services.witnesses import CountyChanged, DayView, Seen, Slot, memory_of, slot_of
from booking_service.store.booking_statements import add_appointment
from booking_service.store.booking_tables import APPOINTMENTS, VISITS, AppointmentRow
from booking_service.store.county import rooms_by_site, specialist_numbers
from booking_service.store.county_tables import settings_table
from booking_service.store.db import UtcDateTime, transactional
from booking_service.store.plan import counting_up, promised_visits

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    import routing
    from booking_service.domain.county import County
    from booking_service.services.answers import Once

ALTERNATIVES = 3
ALTERNATIVE_DAYS = (1, 4, 14)
"""How far around a start others are looked for, one after the other: near ones are found soon."""
MOST_TRIES = 10
ONLY_HOLD = "only_hold_of"
"""Stands in what both databases say when a browser would hold two places."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A place that is kept for a short while; whoever has the key may confirm it."""

    key: str
    expires_at: datetime
    place: Place


@dataclass(frozen=True, slots=True)
class Choice:
    """A start that somebody has clicked: `question` has one site (none by phone) and one mode."""

    question: Question
    start: datetime


class HeldAtOnce(Exception):
    """The same browser has got another hold at this very moment: look again, and give that up."""


class Refused(Exception):
    """The database, the last judge, does not accept the way that the witness knows: try the next."""


class Repeated(Exception):
    """The same call has made this hold before; what this one has done meanwhile is undone."""

    def __init__(self, hold: Hold) -> None:
        super().__init__("the same call was answered before")
        self.hold = hold


def hold(*, choice: Choice, client: str, only_one: bool, now: datetime, once: Once | None = None) -> Hold:
    """Keep a place for some minutes.

    `client` is who holds it; with `only_one` (a browser) an earlier hold of the same client is given up.
    The same call `once` more gives the same hold.
    Raises PlaceTaken with the nearest alternatives, TooMany, Rejected for a start that is never offered.
    """
    claim, refused = _Claim(client, only_one, now, once), 0
    for _ in range(MOST_TRIES):
        try:
            sight = _look(choice, now)
            made = take_hold(sight=sight, claim=claim, refused=refused)
        except (CountyChanged, HeldAtOnce):
            continue
        except Refused:
            refused += 1
            continue
        except Repeated as before:
            return before.hold
        except PlaceTaken:
            break
        memory_of(sight.county).remember(sight.slot, made.seen())
        return made.hold
    # looked for outside the lock: those who lose a race must not make the others wait
    raise PlaceTaken(alternatives(choice=choice, now=now))


@dataclass(frozen=True, slots=True)
class _Claim:
    """Who holds; see `hold`."""

    client: str
    only_one: bool
    now: datetime
    once: Once | None


@dataclass(frozen=True, slots=True)
class Sight:
    """What was clicked, its day as it was before it is locked, and the best way of keeping it then."""

    choice: Choice
    county: County
    revision: str
    way: Way
    slot: Slot
    seen: Seen
    best: routing.Placement | None

    def placements(self, view: DayView) -> Iterator[routing.Placement]:
        """The ways of keeping it on the day as it is by now, the best first."""
        minute = zones.minute_of(self.choice.start, self.slot.day, self.county.settings.zone)
        return view.witness.places(self.way.asks, minute - self.way.preparation)


@dataclass(frozen=True, slots=True)
class Made:
    """A hold, and what has changed its day: `visits` are the numbers of those that keep the placement."""

    hold: Hold
    version: int
    view: DayView
    placement: routing.Placement
    visits: tuple[int, ...]

    def seen(self) -> Seen:
        """The day as it is afterwards."""
        return Seen(self.version, self.view.after(self.placement, [f"v{visit}" for visit in self.visits]))


def _look(choice: Choice, now: datetime) -> Sight:
    """All that can be found out before the day is locked.

    Raises Rejected for a start that is never offered, CountyChanged.
    """
    near = min(max(choice.start.date(), now.date()), now.date() + FARTHEST)
    county, stands = county_and_days(near - timedelta(days=1), near + timedelta(days=1))
    way = way_of(county, choice.question)
    mistakes = start_mistakes(county, choice.question, way, choice.start, now)
    if mistakes or way is None:
        raise Rejected(mistakes)
    day = zones.local_day(choice.start, county.settings.zone)
    slot = slot_of(county, day, choice.question.audience, now)
    seen = memory_of(county).views({slot: stands.versions.get(day, 0)}, stands.revision)[slot]
    sight = Sight(choice, county, stands.revision, way, slot, seen, None)
    return replace(sight, best=next(sight.placements(seen.view), None)) if seen.view else sight


@transactional
def take_hold(session: Session, *, sight: Sight, claim: _Claim, refused: int) -> Made:
    """Do what `hold` says in one transaction, but for the first ways of all, which were `refused`.

    Raises PlaceTaken without alternatives, TooMany, Repeated, CountyChanged, HeldAtOnce, Refused.
    """
    day = sight.slot.day
    before = days_of(session, _held_by(claim.client)) if claim.only_one else set()
    if before:
        lock_days(session, {day, *before})
    connection = session.connection()
    asked = {"day": day, "of_client": claim.client, "now": claim.now}
    checks = connection.execute(_take_day(connection.dialect.name), asked).one()
    version, changed = checks.version, checks.version != sight.seen.version + 1
    if changed:  # perhaps while we waited for the lock: what was seen with it is from before
        checks = connection.execute(_LOOK_AGAIN, asked).one()
    known = claim.once.recall(session) if claim.once else None
    if known is not None:
        raise Repeated(_hold_of(known))
    if checks.revision != sight.revision:
        raise CountyChanged
    if not claim.only_one and checks.holds >= sight.county.settings.booking.holds_per_client:
        raise TooMany("too_many_holds")
    view, placement = sight.seen.view, sight.best
    if before or checks.due:
        version, changed = _free(session, {day, *before}, day, claim), True
    if changed:
        view = memory_of(sight.county).build(sight.slot, promised_visits(session, day, day))
    if view and (changed or refused):
        placement = next(islice(sight.placements(view), refused, None), None)
    if view is None or placement is None:
        raise PlaceTaken
    held, visits = _write(session, sight, claim, view, placement)
    return Made(held, version, view, placement, visits)


def _free(session: Session, days: Collection[date], day: date, claim: _Claim) -> int:
    """Give back what is due on the days, and what a browser holds already; the version of `day`."""
    locked = lock_days(session, days)
    if claim.only_one:
        for row in locked_rows(session, _held_by(claim.client)):
            free_places(row, locked)
    free_what_is_due(session, locked, claim.now)
    session.flush()
    return locked[day].version


def _hold_of(row: AppointmentRow) -> Hold:
    """What was held; a repeated call is told so even when the hold is over by then."""
    return Hold(row.hold_key or "", row.expires_at or row.created_at, place_of(row))


def _write(
    session: Session, sight: Sight, claim: _Claim, view: DayView, placement: routing.Placement
) -> tuple[Hold, tuple[int, ...]]:
    """Write the hold and the numbers of its visits. Raises HeldAtOnce, Refused."""
    numbers = specialist_numbers(session, sight.revision)
    visits = list(_visits(sight, placement, numbers))
    row = _row(sight, visits, claim)
    connection = session.connection()
    try:
        _give_rooms(session, sight, visits, view.moves(placement))
        number, ids = add_appointment(connection, row, visits, sight.choice.question.services)
    except IntegrityError as error:
        raise (HeldAtOnce if ONLY_HOLD in str(error.orig) else Refused) from None
    if claim.once:
        claim.once.keep(session, number)
    place = Place(row["start_at"], row["end_at"], sight.way.mode, sight.way.site)
    return Hold(row["hold_key"], row["expires_at"], place), ids


def _give_rooms(
    session: Session, sight: Sight, visits: Sequence[dict[str, Any]], moves: Mapping[str, str]
) -> None:
    """Let colleagues take over what stands in the way, and give the new visits their rooms."""
    needs = [
        RoomNeed(str(visit["position"]), visit["site"], visit["busy_from"], visit["busy_until"], None)
        for visit in visits
        if visit["site"] is not None
    ]
    given = make_way(
        session,
        sight.slot.day,
        {int(name[1:]): who for name, who in moves.items()},
        needs,
        specialist_numbers(session, sight.revision),
        rooms_by_site(session, sight.revision),
    )
    for visit in visits:
        visit["room_id"] = given.get(str(visit["position"]))


def _row(sight: Sight, visits: Sequence[dict[str, Any]], claim: _Claim) -> dict[str, Any]:
    settings = sight.county.settings
    return {
        "reference": new_reference(),
        "status": AppointmentStatus.HELD,
        "mode": sight.way.mode,
        "site": sight.way.site,
        "start_at": visits[0]["start_at"],
        "end_at": visits[-1]["end_at"],
        "language": sight.choice.question.language,
        "needs": (),
        "uid": new_uid(settings.sender_address.rpartition("@")[2]),
        "sequence": 0,
        "created_at": claim.now,
        "revised_at": claim.now,
        "client": claim.client,
        "only_hold_of": claim.client if claim.only_one else None,
        "hold_key": secrets.token_urlsafe(24),
        "expires_at": claim.now + timedelta(minutes=settings.booking.hold_minutes),
    }


def _visits(
    sight: Sight, placement: routing.Placement, numbers: Mapping[str, int]
) -> Iterator[dict[str, Any]]:
    begin = zones.instant(sight.slot.day, placement.start, sight.county.settings.zone)
    for position, (length, specialist) in enumerate(
        zip(sight.way.lengths, placement.specialists, strict=True)
    ):
        start = begin + timedelta(minutes=length.preparation)
        end = start + timedelta(minutes=length.minutes)
        until = end + timedelta(minutes=length.follow_up)
        yield {
            "position": position,
            "day": sight.slot.day,
            "mode": sight.way.mode,
            "site": sight.way.site,
            "busy_from": begin,
            "start_at": start,
            "end_at": end,
            "busy_until": until,
            "specialist_id": numbers[specialist],
            "live": True,
        }
        begin = until


@transactional
def release_hold(session: Session, *, key: str, caller: str, now: datetime) -> None:
    """Give a hold up; raises NotFound (also for somebody else's), HoldOver."""
    # days before appointments, as everywhere: else two callers might wait for each other
    days = lock_days(session, days_of(session, AppointmentRow.hold_key == key))
    free_places(held_row(session, key, now, caller), days)


def _held_by(client: str | BindParameter[str]) -> ColumnElement[bool]:
    return (APPOINTMENTS.c.client == client) & (APPOINTMENTS.c.status == AppointmentStatus.HELD)


_NOW: BindParameter[datetime] = bindparam("now", type_=UtcDateTime)
_CHECKS = (
    select(settings_table.c.revision).scalar_subquery().label("revision"),
    exists()
    .where(
        is_due(_NOW),
        APPOINTMENTS.c.id.in_(select(VISITS.c.appointment_id).where(VISITS.c.day == bindparam("day"))),
    )
    .label("due"),
    select(func.count())
    .select_from(APPOINTMENTS)
    .where(_held_by(bindparam("of_client")), APPOINTMENTS.c.expires_at > _NOW)
    .scalar_subquery()
    .label("holds"),
)
"""What must be looked at under the lock of a day. One table a query: SQLite names none when it gives back."""
_LOOK_AGAIN = select(*_CHECKS)


@lru_cache
def _take_day(dialect: str) -> Any:
    return counting_up(dialect, *_CHECKS)


def alternatives(*, choice: Choice, now: datetime) -> list[Place]:
    """The nearest starts that can be had instead: in the same way, else at other sites or in other modes."""
    found: list[Place] = []
    question = choice.question
    for wider in (question, replace(question, sites=()), replace(question, sites=(), modes=())):
        if len(found) < ALTERNATIVES:
            found += [place for place in _nearest(wider, choice.start, now) if place not in found]
    return found[:ALTERNATIVES]


def _nearest(question: Question, start: datetime, now: datetime) -> list[Place]:
    found: list[Place] = []
    for days in map(timedelta, ALTERNATIVE_DAYS):
        found = _nearest_within(question, start, days, now)
        if len(found) == ALTERNATIVES and abs(found[-1].start - start) <= days:
            break
    return found


def _nearest_within(question: Question, start: datetime, days: timedelta, now: datetime) -> list[Place]:
    around = replace(question, first=(start - days).date(), last=(start + days).date())
    offered = offers(question=around, now=now)
    places = []
    for day, ways in offered.days:
        for way in ways:
            for minute in way.starts:
                at = zones.instant(day, minute, offered.zone)
                places.append(Place(at, at + timedelta(minutes=way.minutes), way.mode, way.site))
    return sorted(places, key=lambda place: (abs(place.start - start), place.start))[:ALTERNATIVES]
