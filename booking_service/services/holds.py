"""Holding a place for some minutes: it is a promise already, so what was clicked can be confirmed."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, event, false, func, select
from sqlalchemy.exc import IntegrityError

from booking_service.domain import zones
from booking_service.domain.bookings import AppointmentStatus
from booking_service.domain.mistakes import Rejected
from booking_service.mail.calendar_entry import new_uid
from booking_service.services.links import new_reference
from booking_service.services.offers import (
    Question,
    Way,
    changed_day_view,
    day_views,
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
    lock_days,
    locked_rows,
    place_of,
)
from booking_service.services.placing import place_visits
from booking_service.services.witnesses import DayView, key_of, memory_of
from booking_service.store.booking_tables import AppointmentRow, VisitRow, VisitService
from booking_service.store.county import read_county, specialist_numbers
from booking_service.store.db import transactional
from booking_service.store.plan import lock_day

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    import routing
    from booking_service.domain.county import County
    from booking_service.services.answers import Once
    from booking_service.services.witnesses import Audience

ALTERNATIVES = 3
ALTERNATIVE_DAYS = 14


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


def hold(*, choice: Choice, client: str, only_one: bool, now: datetime, once: Once | None = None) -> Hold:
    """Keep a place for some minutes.

    `client` is who holds it; with `only_one` (a browser) an earlier hold of the same client is given up.
    The same call `once` more gives the same hold.
    Raises PlaceTaken with the nearest alternatives, TooMany, Rejected for a start that is never offered.
    """
    try:
        return take_hold(choice=choice, client=client, only_one=only_one, now=now, once=once)
    except PlaceTaken:
        # looked for outside the lock: those who lose a race must not make the others wait
        raise PlaceTaken(alternatives(choice=choice, now=now)) from None


@transactional
def take_hold(
    session: Session, *, choice: Choice, client: str, only_one: bool, now: datetime, once: Once | None
) -> Hold:
    """Do what `hold` says in one transaction; raises PlaceTaken without alternatives."""
    county = read_county(session)
    way = _way(county, choice, now)
    day = zones.local_day(choice.start, county.settings.zone)
    earlier = _held_by(client) if only_one else false()
    days = lock_days(session, {day, *days_of(session, earlier)})
    made = once.recall(session) if once else None
    if made is not None:
        return _hold_of(made)
    given_up = locked_rows(session, earlier)
    for row in given_up:
        free_places(row, days)
    freed = len(given_up) + free_what_is_due(session, days, now)
    session.flush()
    if not only_one:
        _refuse_too_many_holds(session, county, client)
    view = _view(session, county, day, choice.question.audience, now, changed=bool(freed))
    if view is None:
        raise PlaceTaken
    attempt = _Attempt(county, choice.question, way, day, view, specialist_numbers(session), now)
    held = attempt.promise(session, choice.start)
    if held is None:
        raise PlaceTaken
    held.client, held.hold_key = client, secrets.token_urlsafe(24)
    held.expires_at = now + timedelta(minutes=county.settings.booking.hold_minutes)
    if once:
        once.keep(session, held)
    return _hold_of(held)


def _view(
    session: Session, county: County, day: date, audience: Audience, now: datetime, *, changed: bool
) -> DayView | None:
    """What the audience sees of a locked day; nobody may remember what this transaction may undo."""
    if changed:
        return changed_day_view(session, county, day, audience, now)
    return day_views(session, county, [day], audience, now)[day]


def _hold_of(row: AppointmentRow) -> Hold:
    """What was held; a repeated call is told so even when the hold is over by then."""
    return Hold(row.hold_key or "", row.expires_at or row.created_at, place_of(row))


def _way(county: County, choice: Choice, now: datetime) -> Way:
    """How the services are had; raises Rejected where they never are."""
    way = way_of(county, choice.question)
    mistakes = start_mistakes(county, choice.question, way, choice.start, now)
    if mistakes or way is None:
        raise Rejected(mistakes)
    return way


@dataclass(frozen=True, slots=True)
class _Attempt:
    """Writing a promise for a start that was clicked, on a day that is locked."""

    county: County
    question: Question
    way: Way
    day: date
    view: DayView
    numbers: Mapping[str, int]
    now: datetime

    def promise(self, session: Session, start: datetime) -> AppointmentRow | None:
        """The promise in the first way that the witness knows and the database accepts."""
        begin = zones.minute_of(start, self.day, self.county.settings.zone) - self.way.preparation
        for placement in self.view.witness.places(self.way.asks, begin):
            row = self._row(placement)
            try:
                with session.begin_nested():
                    self._write(session, placement, row)
            except IntegrityError:
                continue
            self._remember(session, placement, row)
            return row
        return None

    def _row(self, placement: routing.Placement) -> AppointmentRow:
        visits = list(self._visits(placement))
        return AppointmentRow(
            reference=new_reference(),
            status=AppointmentStatus.HELD,
            mode=self.way.mode,
            site=self.way.site,
            start_at=visits[0].start_at,
            end_at=visits[-1].end_at,
            language=self.question.language,
            needs=(),
            uid=new_uid(self.county.settings.sender_address.rpartition("@")[2]),
            sequence=0,
            created_at=self.now,
            revised_at=self.now,
            visits=visits,
        )

    def _visits(self, placement: routing.Placement) -> Iterator[VisitRow]:
        begin, zone = placement.start, self.county.settings.zone
        parts = zip(self.question.services, self.way.lengths, placement.specialists, strict=True)
        for position, (service, length, specialist) in enumerate(parts):
            start = begin + length.preparation
            yield VisitRow(
                position=position,
                day=self.day,
                mode=self.way.mode,
                site=self.way.site,
                busy_from=zones.instant(self.day, begin, zone),
                start_at=zones.instant(self.day, start, zone),
                end_at=zones.instant(self.day, start + length.minutes, zone),
                busy_until=zones.instant(self.day, begin + length.busy, zone),
                specialist_id=self.numbers[specialist],
                live=True,
                services=[VisitService(position=0, service=service)],
            )
            begin += length.busy

    def _write(self, session: Session, placement: routing.Placement, row: AppointmentRow) -> None:
        """Write the day and count its version up."""
        _, moves = self.view.after(placement, [f"new {position}" for position in range(len(row.visits))])
        moved = {int(name[1:]): who for name, who in moves.items()}
        place_visits(session, self.day, moved, [row], self.numbers)
        lock_day(session, self.day).version += 1

    def _remember(self, session: Session, placement: routing.Placement, row: AppointmentRow) -> None:
        """Remember the new witness once all is committed; not within a savepoint, whose end counts too."""
        after, _ = self.view.after(placement, [f"v{visit.id}" for visit in row.visits])
        version = lock_day(session, self.day).version
        key = key_of(self.county, self.day, version, self.question.audience, self.now)
        memory = memory_of(self.county)
        event.listen(session, "after_commit", lambda _: memory.remember(key, after), once=True)


@transactional
def release_hold(session: Session, *, key: str, caller: str, now: datetime) -> None:
    """Give a hold up; raises NotFound (also for somebody else's), HoldOver."""
    # days before appointments, as everywhere: else two callers might wait for each other
    days = lock_days(session, days_of(session, AppointmentRow.hold_key == key))
    free_places(held_row(session, key, now, caller), days)


def _held_by(client: str) -> ColumnElement[bool]:
    return (AppointmentRow.client == client) & (AppointmentRow.status == AppointmentStatus.HELD)


def _refuse_too_many_holds(session: Session, county: County, client: str) -> None:
    number = session.scalar(select(func.count()).select_from(AppointmentRow).where(_held_by(client)))
    if number is not None and number >= county.settings.booking.holds_per_client:
        raise TooMany("too_many_holds")


def alternatives(*, choice: Choice, now: datetime) -> list[Place]:
    """The nearest starts that can be had instead: in the same way, else at other sites or in other modes."""
    found: list[Place] = []
    question = choice.question
    for wider in (question, replace(question, sites=()), replace(question, sites=(), modes=())):
        if len(found) < ALTERNATIVES:
            found += [place for place in _nearest(wider, choice.start, now) if place not in found]
    return found[:ALTERNATIVES]


def _nearest(question: Question, start: datetime, now: datetime) -> list[Place]:
    around = replace(
        question,
        first=(start - timedelta(days=ALTERNATIVE_DAYS)).date(),
        last=(start + timedelta(days=ALTERNATIVE_DAYS)).date(),
    )
    offered = offers(question=around, now=now)
    places = []
    for day, ways in offered.days:
        for way in ways:
            for minute in way.starts:
                at = zones.instant(day, minute, offered.zone)
                places.append(Place(at, at + timedelta(minutes=way.minutes), way.mode, way.site))
    return sorted(places, key=lambda place: (abs(place.start - start), place.start))[:ALTERNATIVES]
