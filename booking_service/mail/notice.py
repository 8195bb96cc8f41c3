"""What the mail room is told: one appointment and the one person who hears of it.

It refuses what no true message could be made of: naive times, an end before the start, a visit without
an address, links that are not https. Words are cleaned later, where they are used.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from booking_service.domain.county import Mode

if TYPE_CHECKING:
    from datetime import datetime

_LONGEST_LINK = 1000
_MESSAGE_ID = re.compile(r"<[!-;=?-~]+@[!-;=?-~]+>")
_OWN_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})


class Kind(StrEnum):
    """What a message is about; the value names its folder of texts and stands in its Message-ID."""

    CONFIRMATION = "confirmation"
    CHANGE = "change"
    CANCELLATION = "cancellation"


@dataclass(frozen=True, slots=True)
class Sender:
    """The mailbox that all messages come from; also the organiser of the calendar entries."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Venue:
    """Where the citizen comes: the neutral name and the address of a site, in degrees WGS 84."""

    public_name: str
    street: str
    zip: str
    place: str
    lat: float
    lon: float

    @property
    def town(self) -> str:
        """Postcode and place as on an envelope."""
        return f"{self.zip} {self.place}".strip()


@dataclass(frozen=True, slots=True)
class Notice:
    """One appointment as one person is told of it.

    `start`, `end`, `created_at` (of the appointment) and `revised_at` (of this revision) are aware.
    `venue` is None exactly for phone. `uid` stays for life, `sequence` counts revisions from 0.
    A cancellation tells `start`, `end` and `venue` as they were last. `first_message_id` is the Message-ID
    of the first message about this appointment, None in that message. `request_url` is the page where a
    new appointment is asked for, None where there is none. Raises ValueError naming the field.
    """

    kind: Kind
    recipient: str
    recipient_name: str
    language: str
    reference: str
    start: datetime
    end: datetime
    mode: Mode
    venue: Venue | None
    manage_url: str
    office_group: str
    uid: str
    sequence: int
    created_at: datetime
    revised_at: datetime
    first_message_id: str | None
    sender: Sender
    request_url: str | None = None

    def __post_init__(self) -> None:
        for name in ("start", "end", "created_at", "revised_at"):
            if getattr(self, name).utcoffset() is None:
                raise ValueError(f"{name}: a time without a zone")
        if self.end.timestamp() <= self.start.timestamp():
            raise ValueError("end: not after the start")
        if (self.venue is None) != (self.mode is Mode.PHONE):
            raise ValueError(f"venue: must be given for a visit and only then, the mode is {self.mode.value}")
        if self.sequence < (0 if self.kind is Kind.CONFIRMATION else 1):
            raise ValueError(f"sequence: too low for a {self.kind.value}")
        if self.first_message_id is not None and not _MESSAGE_ID.fullmatch(self.first_message_id):
            raise ValueError("first_message_id: not of the form <left@right>")
        check_link(self.manage_url)
        if self.request_url is not None:
            check_link(self.request_url, "request_url")


def check_link(url: str, name: str = "manage_url") -> None:
    """Only https reaches citizens; plain http is for a developer's own machine. `name` is for the error."""
    if not url.isascii() or not url.isprintable() or " " in url or len(url) > _LONGEST_LINK:
        raise ValueError(f"{name}: too long, or has characters that a link must percent-encode")
    parts = urlsplit(url)
    local = parts.scheme == "http" and parts.hostname in _OWN_MACHINE
    if not parts.hostname or not (parts.scheme == "https" or local):
        raise ValueError(f"{name}: not an https link")
