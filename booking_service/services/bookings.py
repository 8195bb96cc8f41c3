"""The life of an appointment: confirmed, moved, cancelled, come, done; what may follow what is `EVENTS`.

An appointment is moved by a new hold, and the old place is given up only when the new one stands.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Select, bindparam, func, select
from sqlalchemy.orm import selectinload

from booking_service.domain.bookings import AppointmentStatus, Entry, Event, Notify
from booking_service.domain.county import Mode
from booking_service.domain.mistakes import Mistake, Rejected
from booking_service.mail.notice import Kind
from booking_service.services.contacts import addressee, call_mistakes, clean_contact
from booking_service.services.outbox import Told, write_notice
from booking_service.services.places import (
    HoldOver,
    NotFound,
    NotPossible,
    Place,
    TooMany,
    days_of,
    end_hold,
    free_what_is_due,
    held_row,
    lock_days,
    next_status,
    place_of,
    refuse_hold,
)
from booking_service.store.booking_statements import confirm_held
from booking_service.store.booking_tables import APPOINTMENTS, CONTACTS, AppointmentRow
from booking_service.store.county import known_county, read_county
from booking_service.store.county_tables import settings_table
from booking_service.store.db import reading, transactional

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from booking_service.domain.bookings import Contact, Need
    from booking_service.domain.county import County
    from booking_service.services.answers import Once
    from booking_service.services.links import Links
    from booking_service.services.tokens import Caller
    from booking_service.store.booking_tables import PlanDayRow


NOTED = frozenset({Event.CHECK_IN, Event.MISS, Event.FINISH})


@dataclass(frozen=True, slots=True)
class Booking:
    """An appointment as its citizen may see it."""

    reference: str
    status: AppointmentStatus
    place: Place


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What turns a hold into an appointment: who comes, and what they need."""

    contact: Contact
    notify: Notify | None
    language: str | None
    needs: tuple[Need, ...]


@transactional
def confirm(
    session: Session,
    *,
    key: str,
    given: Confirmation,
    caller: Caller,
    links: Links,
    now: datetime,
    once: Once | None = None,
) -> Booking:
    """Make the hold an appointment, in one conditional step, and write the mail.

    Raises NotFound (also for somebody else's hold), HoldOver, TooMany, Rejected with all mistakes of the
    contact; then the hold stands. The same call `once` more gives the same appointment.
    """
    entry = Entry.DESK if caller.is_staff else Entry.API
    contact, mistakes = clean_contact(given.contact, given.notify, (), entry)
    # statements instead of objects: this and the hold before it are what portals do most
    asked = {"key": key, "of_email": contact.email, "of_phone": contact.phone, "now": now}
    row = session.connection().execute(_HELD, asked).one_or_none()
    if row is None:
        raise NotFound("no such hold")
    try:
        refuse_hold(row, now, caller.name)
    except HoldOver:
        made = once.recall(session) if once else None
        if made is None:
            raise
        return _booking_of(made)
    mistakes += call_mistakes(given.contact, [row.mode])
    if mistakes:
        raise Rejected(mistakes)
    county = known_county(row.revision) or read_county(session)
    if not caller.is_staff and row.open >= county.settings.booking.open_per_contact:
        raise TooMany("too_many_appointments")
    told = Told._make((*row[: len(_TOLD)], addressee(county, contact, given.notify, given.language)))
    confirm_held(session.connection(), told.id, told.contact._asdict(), given.needs)
    write_notice(session, told, Kind.CONFIRMATION, county, links, now)
    if once:
        once.keep(session, told.id)
    return Booking(told.reference, AppointmentStatus.CONFIRMED, place_of(told))


_TOLD = tuple(APPOINTMENTS.c[name] for name in Told._fields if name != "contact")
_COUNTED = APPOINTMENTS.alias()
_OPEN = (
    select(func.count())
    .select_from(_COUNTED.join(CONTACTS))
    .where(
        _COUNTED.c.status == AppointmentStatus.CONFIRMED,
        _COUNTED.c.start_at > bindparam("now"),
        (CONTACTS.c.email == bindparam("of_email")) | (CONTACTS.c.phone == bindparam("of_phone")),
    )
)
"""How many appointments still to come have that e-mail address or phone number; none is like no other."""
_HELD: Select[Any] = (
    select(
        *_TOLD,
        APPOINTMENTS.c.status,
        APPOINTMENTS.c.client,
        APPOINTMENTS.c.expires_at,
        select(settings_table.c.revision).scalar_subquery().label("revision"),
        _OPEN.scalar_subquery().label("open"),
    )
    .where(APPOINTMENTS.c.hold_key == bindparam("key"))
    .with_for_update(of=APPOINTMENTS)
)
"""What somebody holds, its row locked, with all else that decides whether it can be confirmed."""


@transactional
def cancel(session: Session, *, reference: str, by_staff: bool, links: Links, now: datetime) -> Booking:
    """Cancel an appointment and tell the citizen.

    The place is offered again at once where staff cancels, else after a random delay, so that nobody can
    hand it on. Raises NotFound, NotPossible.
    """
    county = read_county(session)
    row, days = _locked_row(session, reference)
    _refuse_begun(row, Event.CANCEL, by_staff=by_staff, now=now)
    row.status = next_status(row.status, Event.CANCEL)
    row.sequence += 1
    row.revised_at = now
    row.place_free_at = now if by_staff else now + _delay(county)
    session.flush()
    free_what_is_due(session, days, now)
    write_notice(session, row, Kind.CANCELLATION, county, links, now)
    return _booking_of(row)


@transactional
def move(
    session: Session,
    *,
    reference: str,
    key: str,
    by_staff: bool,
    links: Links,
    now: datetime,
    once: Once | None = None,
) -> Booking:
    """Move an appointment to what is held under the key.

    It keeps its reference and calendar entry; its old place goes to the hold, and back to everybody like that
    of a cancelled one. Raises NotFound, NotPossible, HoldOver.
    """
    county = read_county(session)
    row, days = _locked_row(session, reference, days_of(session, AppointmentRow.hold_key == key))
    try:
        held = held_row(session, key, now)
    except HoldOver:
        made = once.recall(session) if once else None
        if made is None:
            raise
        return _booking_of(made)
    _refuse_begun(row, Event.MOVE, by_staff=by_staff, now=now)
    row.status = next_status(row.status, Event.MOVE)
    _refuse_other_place(row, held)
    _swap_places(session, row, held)
    row.sequence += 1
    row.revised_at = now
    end_hold(held, Event.EXPIRE)
    held.place_free_at = now if by_staff else now + _delay(county)
    session.flush()
    free_what_is_due(session, days, now)
    write_notice(session, row, Kind.CHANGE, county, links, now)
    if once:
        once.keep(session, row.id)
    return _booking_of(row)


def _refuse_begun(row: AppointmentRow, event: Event, *, by_staff: bool, now: datetime) -> None:
    """What has begun only staff may change: a citizen who did not come has not cancelled."""
    if not by_staff and row.start_at <= now:
        raise NotPossible(row.status, event)


def _refuse_other_place(row: AppointmentRow, held: AppointmentRow) -> None:
    """Only a place for the same services will do, and by phone a number is needed."""
    mistakes = []
    if _services(row) != _services(held):
        mistakes.append(Mistake("/hold", "hold_of_other_services"))
    if held.mode is Mode.PHONE and (row.contact is None or row.contact.phone is None):
        mistakes.append(Mistake("/hold", "phone_needed"))
    if mistakes:
        raise Rejected(mistakes)


def _services(row: AppointmentRow) -> list[str]:
    return sorted(served.service for visit in row.visits for served in visit.services)


def _swap_places(session: Session, one: AppointmentRow, other: AppointmentRow) -> None:
    """Each gets the other's visits, with time, site and mode."""
    mine, theirs = list(one.visits), list(other.visits)
    beside = 1 + max(visit.position for visit in [*mine, *theirs])
    for visits, target in ((mine, other), (theirs, one)):
        for visit in visits:
            visit.appointment_id, visit.position = target.id, visit.position + beside
        session.flush()
    for visit in [*mine, *theirs]:
        visit.position -= beside
    for name in ("mode", "site", "start_at", "end_at", "language"):
        kept = getattr(one, name)
        setattr(one, name, getattr(other, name))
        setattr(other, name, kept)
    session.flush()
    session.expire(one, ["visits"])
    session.expire(other, ["visits"])


def _delay(county: County) -> timedelta:
    rules = county.settings.booking
    seconds = 60 * (rules.release_delay_most - rules.release_delay_least)
    return timedelta(minutes=rules.release_delay_least, seconds=secrets.randbelow(seconds + 1))


@transactional
def record(session: Session, *, reference: str, event: Event) -> Booking:
    """Note that the citizen came, did not come, or is done.

    Raises NotFound, NotPossible (also for events that are more than a note).
    """
    row, _ = _locked_row(session, reference)
    if event not in NOTED:
        raise NotPossible(row.status, event)
    row.status = next_status(row.status, event)
    return _booking_of(row)


@reading
def booking(session: Session, *, reference: str) -> Booking:
    """An appointment as it stands; raises NotFound."""
    row = session.scalar(select(AppointmentRow).where(_is_booking(reference)))
    if row is None:
        raise NotFound("no such appointment")
    return _booking_of(row)


def _is_booking(reference: str) -> ColumnElement[bool]:
    unconfirmed = [AppointmentStatus.HELD, AppointmentStatus.EXPIRED]
    return (AppointmentRow.reference == reference) & AppointmentRow.status.not_in(unconfirmed)


def _locked_row(
    session: Session, reference: str, more: Iterable[date] = ()
) -> tuple[AppointmentRow, dict[date, PlanDayRow]]:
    """The appointment with its days (and more) locked; raises NotFound.

    Its days are read before the lock and again under it: somebody may have moved it in between.
    """
    query = select(AppointmentRow).where(_is_booking(reference)).options(selectinload(AppointmentRow.visits))
    row = session.scalar(query)
    if row is None:
        raise NotFound("no such appointment")
    days = lock_days(session, {*more, *(visit.day for visit in row.visits)})
    session.scalar(query.with_for_update().execution_options(populate_existing=True))
    if not {visit.day for visit in row.visits} <= set(days):
        days |= lock_days(session, {visit.day for visit in row.visits})
    return row, days


def _booking_of(row: AppointmentRow) -> Booking:
    return Booking(row.reference, row.status, place_of(row))
