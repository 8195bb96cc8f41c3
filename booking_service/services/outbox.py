"""The outbox: messages are written with the booking and sent by whoever calls `deliver`.

Sending holds no transaction. A message is leased, sent, and marked; who dies in between leaves a lease
that runs out, and the same bytes go out again under the same Message-ID: at least once, and a repeat does
no harm. Messages of one appointment leave in the order of their revisions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, insert, or_, select
from sqlalchemy.orm import aliased

from booking_service.domain.bookings import AppointmentStatus, MailState, Notify
from booking_service.domain.county import Mode
from booking_service.mail.calendar_entry import calendar_file
from booking_service.mail.message import render
from booking_service.mail.notice import Kind, Notice, Sender, Venue
from booking_service.mail.transport import Deferred, Refused, Transport
from booking_service.store.booking_tables import OUTBOX, AppointmentRow, ContactRow, OutboxRow
from booking_service.store.county import read_county
from booking_service.store.db import reading, transactional

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy.orm import Session

    from booking_service.domain.county import County, Site
    from booking_service.services.contacts import Addressee
    from booking_service.services.links import Links

LEASE = timedelta(minutes=5)
FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=2)
GIVE_UP_AFTER = timedelta(hours=48)
BATCH = 20


@dataclass(frozen=True, slots=True)
class Delivery:
    """How many messages were sent, put off until later, and refused for good."""

    sent: int = 0
    deferred: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Letter:
    """A leased message."""

    outbox_id: int
    recipient: str
    message_id: str
    content: bytes


@dataclass(frozen=True, slots=True)
class OutboxCount:
    """How many messages are in each state, and since when the oldest one waits."""

    waiting: int
    sent: int
    failed: int
    oldest: datetime | None


class Told(NamedTuple):
    """An appointment as a message tells of it: columns of its row, and who hears of it."""

    id: int
    reference: str
    mode: Mode
    site: str | None
    start_at: datetime
    end_at: datetime
    uid: str
    sequence: int
    created_at: datetime
    revised_at: datetime
    contact: Addressee


def write_notice(
    session: Session,
    appointment: AppointmentRow | Told,
    kind: Kind,
    county: County,
    links: Links,
    now: datetime,
) -> bool:
    """Put a message into the outbox, in the transaction that makes what it tells true.

    Older messages to the same citizen that nobody has begun to send are dropped: they are no longer true.
    False where the citizen hears of it on paper.
    """
    contact = appointment.contact
    if contact is None or contact.email is None or contact.notify is not Notify.EMAIL:
        return False
    # what is confirmed for the first time has no older messages
    first = None if kind is Kind.CONFIRMATION else _drop_outdated(session, appointment.id)
    if first is None and kind is Kind.CHANGE:
        kind = Kind.CONFIRMATION  # nobody has heard of an earlier time
    notice = _notice(appointment, kind, county, links, contact, first)
    message = render(notice, with_entry=first is not None or kind is not Kind.CANCELLATION)
    row = {
        "appointment_id": appointment.id,
        "recipient": contact.email,
        "sequence": appointment.sequence,
        "kind": kind.value,
        "message_id": message.message_id,
        "subject": message.subject,
        "content": message.content,
        "state": MailState.WAITING,
        "created_at": now,
        "due_at": now,
        "give_up_at": max(now, min(now + GIVE_UP_AFTER, appointment.start_at)),
        "tries": 0,
    }
    session.connection().execute(_ADD, row)
    return True


_ADD = insert(OUTBOX).inline()


def _drop_outdated(session: Session, appointment_id: int) -> str | None:
    """Drop what waits and is not on its way; the Message-ID of the first message that was or may be sent."""
    rows = session.scalars(
        select(OutboxRow)
        .where(OutboxRow.appointment_id == appointment_id)
        .order_by(OutboxRow.id)
        .with_for_update()
    )
    first = None
    for row in rows:
        if row.state is MailState.WAITING and row.leased_until is None and not row.tries:
            row.state = MailState.SUPERSEDED
        elif first is None and row.state is not MailState.SUPERSEDED:
            first = row.message_id
    return first


def _notice(
    appointment: AppointmentRow | Told,
    kind: Kind,
    county: County,
    links: Links,
    contact: ContactRow | Addressee,
    first: str | None,
) -> Notice:
    settings = county.settings
    site = next((site for site in county.sites if site.code == appointment.site), None)
    return Notice(
        kind=kind,
        recipient=contact.email or "",
        recipient_name=contact.name,
        language=contact.language,
        reference=appointment.reference,
        start=appointment.start_at,
        end=appointment.end_at,
        mode=Mode(appointment.mode),
        venue=_venue(site) if site else None,
        manage_url=links.manage_url(appointment.reference),
        office_group=settings.office_group,
        uid=appointment.uid,
        sequence=appointment.sequence,
        created_at=appointment.created_at,
        revised_at=appointment.revised_at,
        first_message_id=first,
        sender=Sender(settings.sender_name, settings.sender_address),
    )


@reading
def calendar_file_of(session: Session, *, reference: str, links: Links) -> bytes | None:
    """The calendar file to download for an appointment that stands, None where there is none."""
    row = session.scalar(
        select(AppointmentRow).where(
            AppointmentRow.reference == reference, AppointmentRow.status == AppointmentStatus.CONFIRMED
        )
    )
    if row is None or row.contact is None:
        return None
    return calendar_file(_notice(row, Kind.CONFIRMATION, read_county(session), links, row.contact, None))


def _venue(site: Site) -> Venue:
    return Venue(site.public_name, site.street, site.zip, site.place, site.lat, site.lon)


def deliver(
    transport: Transport,
    *,
    sender: str,
    now: Callable[[], datetime],
    progress: Callable[[int], None] | None = None,
) -> Delivery:
    """Send all that is due, until nothing is; `sender` is the address of the envelope."""
    sent = deferred = failed = 0
    while letters := lease(now=now(), most=BATCH):
        for letter in letters:
            state = _send(transport, letter, sender, now)
            sent += state is MailState.SENT
            deferred += state is MailState.WAITING
            failed += state is MailState.FAILED
            if progress:
                progress(1)
    return Delivery(sent, deferred, failed)


def _send(transport: Transport, letter: Letter, sender: str, now: Callable[[], datetime]) -> MailState:
    name = letter.message_id.strip("<>")
    try:
        transport.send(letter.content, sender=sender, recipient=letter.recipient, name=name)
    except Deferred as error:
        return put_off(outbox_id=letter.outbox_id, reason=error.reason, now=now())
    except Refused as error:
        return give_up(outbox_id=letter.outbox_id, reason=error.reason)
    return mark_sent(outbox_id=letter.outbox_id, now=now())


@transactional
def lease(session: Session, *, now: datetime, most: int) -> list[Letter]:
    """Take the next messages that are due, for nobody else to send them within the lease."""
    earlier = aliased(OutboxRow)
    blocked = (
        select(earlier.id)
        .where(
            earlier.appointment_id == OutboxRow.appointment_id,
            earlier.id < OutboxRow.id,
            earlier.state == MailState.WAITING,
        )
        .exists()
    )
    rows = session.scalars(
        select(OutboxRow)
        .where(
            OutboxRow.state == MailState.WAITING,
            OutboxRow.due_at <= now,
            or_(OutboxRow.leased_until.is_(None), OutboxRow.leased_until <= now),
            ~blocked,
        )
        .order_by(OutboxRow.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    ).all()
    for row in rows:
        row.leased_until = now + LEASE
    return [Letter(row.id, row.recipient, row.message_id, row.content) for row in rows]


@transactional
def mark_sent(session: Session, *, outbox_id: int, now: datetime) -> MailState:
    """The server has taken the message."""
    row = session.get_one(OutboxRow, outbox_id)
    row.state, row.sent_at, row.leased_until, row.last_error = MailState.SENT, now, None, None
    return row.state


@transactional
def put_off(session: Session, *, outbox_id: int, reason: str, now: datetime) -> MailState:
    """Try again later, ever more seldom, until the appointment begins or two days are over."""
    row = session.get_one(OutboxRow, outbox_id)
    row.tries += 1
    row.leased_until, row.last_error = None, reason
    row.due_at = now + min(FIRST_WAIT * 2 ** (row.tries - 1), LONGEST_WAIT)
    if row.due_at > row.give_up_at:
        row.state = MailState.FAILED
    return row.state


@transactional
def give_up(session: Session, *, outbox_id: int, reason: str) -> MailState:
    """The message cannot be delivered; staff see it."""
    row = session.get_one(OutboxRow, outbox_id)
    row.tries += 1
    row.state, row.leased_until, row.last_error = MailState.FAILED, None, reason
    return row.state


@reading
def count_outbox(session: Session) -> OutboxCount:
    """How the outbox stands."""
    rows = session.execute(
        select(OutboxRow.state, func.count(), func.min(OutboxRow.created_at)).group_by(OutboxRow.state)
    )
    found = {state: (number, oldest) for state, number, oldest in rows}
    number = {state: found.get(state, (0, None))[0] for state in MailState}
    oldest = found.get(MailState.WAITING, (0, None))[1]
    return OutboxCount(number[MailState.WAITING], number[MailState.SENT], number[MailState.FAILED], oldest)
