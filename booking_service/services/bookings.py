"""The life of an appointment: confirmed, moved, cancelled, come, done; what may follow what is `EVENTS`.

An appointment is moved by a new hold, and the old place is given up only when the new one stands.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import selectinload

from booking_service.domain.bookings import AppointmentStatus, Entry, Event, Notify
from booking_service.domain.county import Mode
from booking_service.domain.mistakes import Mistake, Rejected
from booking_service.mail.notice import Kind
from booking_service.services.contacts import clean_contact, contact_row
from booking_service.services.outbox import write_notice
from booking_service.services.places import (
    HoldOver,
    NotFound,
    NotPossible,
    Place,
    TooMany,
    days_of,
    free_what_is_due,
    held_row,
    lock_days,
    next_status,
    place_of,
)
from booking_service.store.booking_tables import AppointmentRow, ContactRow
from booking_service.store.county import read_county
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
    county = read_county(session)
    try:
        row = held_row(session, key, now, caller.name)
    except HoldOver:
        made = once.recall(session) if once else None
        if made is None:
            raise
        return _booking_of(made)
    entry = Entry.DESK if caller.is_staff else Entry.API
    contact, mistakes = clean_contact(given.contact, given.notify, [row.mode], entry)
    if mistakes:
        raise Rejected(mistakes)
    if not caller.is_staff:
        _refuse_too_many_appointments(session, county, contact, now)
    row.status, row.expires_at = next_status(row.status, Event.CONFIRM), None
    row.contact = contact_row(county, contact, given.notify, given.language)
    row.needs = given.needs
    session.flush()
    write_notice(session, row, Kind.CONFIRMATION, county, links, now)
    if once:
        once.keep(session, row)
    return _booking_of(row)


def _refuse_too_many_appointments(session: Session, county: County, contact: Contact, now: datetime) -> None:
    same = [ContactRow.email == contact.email] if contact.email else []
    same += [ContactRow.phone == contact.phone] if contact.phone else []
    number = session.scalar(
        select(func.count())
        .select_from(AppointmentRow)
        .join(AppointmentRow.contact)
        .where(
            AppointmentRow.status == AppointmentStatus.CONFIRMED, AppointmentRow.start_at > now, or_(*same)
        )
    )
    if number is not None and number >= county.settings.booking.open_per_contact:
        raise TooMany("too_many_appointments")


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
    held.status, held.expires_at = next_status(held.status, Event.EXPIRE), None
    held.place_free_at = now if by_staff else now + _delay(county)
    session.flush()
    free_what_is_due(session, days, now)
    write_notice(session, row, Kind.CHANGE, county, links, now)
    if once:
        once.keep(session, row)
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
