"""Notices for tests of the mail room, and a look into what it makes of them."""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from booking_service.domain.county import Mode
from booking_service.mail.message import message_id
from booking_service.mail.notice import Kind, Notice, Sender, Venue

if TYPE_CHECKING:
    from email.message import EmailMessage

    from booking_service.mail.message import Rendered

DEMMIN = Venue(
    public_name="Bürgerservicecenter Demmin",
    street="Adolf-Pompe-Straße 12, Hof; Eingang B",
    zip="17109",
    place="Demmin",
    lat=53.9055,
    lon=13.03461234,
)
SENDER = Sender("Landkreis Seenplatte Terminservice", "termin@lk-seenplatte.example")


def a_notice(**changes: object) -> Notice:
    """Make a notice of an appointment at Demmin on 24 November 2026, 9:00 to 9:45, but for the changes.

    It confirms; the other kinds tell of the first revision after that.
    """
    start = changes.get("start", datetime(2026, 11, 24, 8, 0, tzinfo=UTC))
    fields = {
        "kind": Kind.CONFIRMATION,
        "recipient": "anna@citizen.example",
        "recipient_name": "Anna Schönfeld",
        "language": "de",
        "reference": "K7F2-MQ9A",
        "start": start,
        "end": start + timedelta(minutes=45),
        "mode": Mode.ON_SITE,
        "venue": None if changes.get("mode") is Mode.PHONE else DEMMIN,
        "manage_url": "https://termin.lk-seenplatte.example/t/q1w2e3r4t5z6",
        "office_group": "Landkreis Seenplatte",
        "uid": "5f0c7d9e21b84a63a4d2c8e7f6b91035@termin.lk-seenplatte.example",
        "sequence": 0 if changes.get("kind", Kind.CONFIRMATION) is Kind.CONFIRMATION else 1,
        "created_at": datetime(2026, 11, 20, 8, 1, 2, 345_000, tzinfo=UTC),
        "revised_at": datetime(2026, 11, 21, 9, 3, 4, 567_000, tzinfo=UTC),
        "first_message_id": None,
        "sender": SENDER,
    }
    return Notice(**(fields | changes))


def a_life(**changes: object) -> list[Notice]:
    """Make all notices of one appointment: booked, moved twice, the second time to winter time, cancelled."""
    booked = a_notice(start=datetime(2026, 10, 22, 7, 0, tzinfo=UTC), **changes)
    life = [booked]
    for kind, start in (
        (Kind.CHANGE, datetime(2026, 10, 23, 7, 0, tzinfo=UTC)),
        (Kind.CHANGE, datetime(2026, 10, 26, 8, 0, tzinfo=UTC)),
        (Kind.CANCELLATION, datetime(2026, 10, 26, 8, 0, tzinfo=UTC)),
    ):
        revision = {
            "kind": kind,
            "start": start,
            "end": start + timedelta(minutes=45),
            "sequence": life[-1].sequence + 1,
            "revised_at": life[-1].revised_at + timedelta(hours=3),
            "first_message_id": message_id(booked),
        }
        life.append(replace(booked, **revision))
    return life


def opened(rendered: Rendered) -> EmailMessage:
    """Read the message as a mail program does."""
    return email.message_from_bytes(rendered.content, policy=email.policy.default)


def event_of(entry: bytes) -> dict[str, str]:
    """Return the lines of the event by name, each with its parameters and unfolded."""
    lines = entry.replace(b"\r\n ", b"").decode().split("\r\n")
    event = lines[lines.index("BEGIN:VEVENT") + 1 : lines.index("END:VEVENT")]
    names = [re.split("[:;]", line, maxsplit=1)[0] for line in event]
    assert len(set(names)) == len(names)
    return dict(zip(names, event, strict=True))


def parts_of(message: EmailMessage, content_type: str) -> list[EmailMessage]:
    """Return all parts of one type, in order."""
    return [part for part in message.walk() if part.get_content_type() == content_type]


def body_of(message: EmailMessage, content_type: str) -> str:
    """Return the text of the only part of that type."""
    (part,) = parts_of(message, content_type)
    return part.get_content()


def entry_of(message: EmailMessage) -> bytes:
    """Return the octets of the invitation."""
    (part,) = parts_of(message, "text/calendar")
    return part.get_payload(decode=True)
