"""What a citizen can do with the link of a mail: see, move, cancel.

The link alone only shows what the mail said. Whoever acts also names the e-mail address or the phone number
that was given with the appointment: links get forwarded, and programs open them.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from booking_service.domain import zones
from booking_service.domain.bookings import AppointmentStatus
from booking_service.mail.addresses import BadAddress, clean_address
from booking_service.services.bookings import Booking, move
from booking_service.services.contacts import clean_phone
from booking_service.services.holds import Choice, hold
from booking_service.services.offers import Question, offers
from booking_service.services.places import NotFound
from booking_service.services.witnesses import Audience
from booking_service.store.booking_tables import AppointmentRow
from booking_service.store.county import read_county
from booking_service.store.db import reading

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from booking_service.domain.county import Mode, Site
    from booking_service.services.links import Links

MOST_CHOICES = 12
CHOICES_AHEAD = timedelta(days=28)


@dataclass(frozen=True, slots=True)
class Told:
    """An appointment as its mail told it; local times. `stands` until it is cancelled or over."""

    reference: str
    start: datetime
    end: datetime
    mode: Mode
    site: Site | None
    office_group: str
    stands: bool
    can_act: bool
    question: Question


@dataclass(frozen=True, slots=True)
class OtherTime:
    """Another start that can be had: local, and as the instant that is sent back."""

    local: datetime
    start: datetime


@reading
def told(session: Session, *, reference: str, now: datetime) -> Told | None:
    """The appointment with this reference, None where there is none."""
    row = session.scalar(
        select(AppointmentRow).where(
            AppointmentRow.reference == reference,
            AppointmentRow.status.not_in([AppointmentStatus.HELD, AppointmentStatus.EXPIRED]),
        )
    )
    if row is None:
        return None
    county = read_county(session)
    zone = county.settings.zone
    stands = row.status is AppointmentStatus.CONFIRMED and row.start_at > now
    reachable = row.contact is not None and bool(row.contact.email or row.contact.phone)
    return Told(
        reference=reference,
        start=zones.to_local(row.start_at, zone),
        end=zones.to_local(row.end_at, zone),
        mode=row.mode,
        site=next((site for site in county.sites if site.code == row.site), None),
        office_group=county.settings.office_group,
        stands=stands,
        can_act=stands and reachable,
        question=Question(
            services=tuple(served.service for visit in row.visits for served in visit.services),
            sites=(row.site,) if row.site else (),
            modes=(row.mode,),
            language=row.language,
            first=None,
            last=(now + CHOICES_AHEAD).date(),
            audience=Audience.PUBLIC,
        ),
    )


@reading
def knows_contact(session: Session, *, reference: str, said: str) -> bool:
    """Whether somebody named the e-mail address or phone number that was given with the appointment."""
    row = session.scalar(select(AppointmentRow).where(AppointmentRow.reference == reference))
    if row is None or row.contact is None:
        return False
    return any(
        kept is not None and hmac.compare_digest(kept.casefold().encode(), given.casefold().encode())
        for kept, given in ((row.contact.email, _address(said)), (row.contact.phone, clean_phone(said) or ""))
    )


def other_times(*, promise: Told, now: datetime) -> list[OtherTime]:
    """The next starts at the same site in the same way."""
    found = offers(question=promise.question, now=now)
    starts = [
        zones.instant(day, minute, found.zone)
        for day, ways in found.days
        for way in ways
        for minute in way.starts
    ]
    times = [OtherTime(zones.to_local(start, found.zone), start) for start in starts]
    step = max(1, len(times) // MOST_CHOICES)
    return times[: step * MOST_CHOICES : step]


def move_to(*, promise: Told, start: datetime, links: Links, now: datetime) -> Booking:
    """Move the appointment to another start; the old one stands until the new one does.

    Raises PlaceTaken, Rejected, NotFound, NotPossible.
    """
    if not promise.stands:
        raise NotFound("no such appointment")
    held = hold(
        choice=Choice(promise.question, start),
        client=f"citizen/{promise.reference}",
        only_one=True,
        now=now,
    )
    return move(reference=promise.reference, key=held.key, by_staff=False, links=links, now=now)


def _address(said: str) -> str:
    try:
        return clean_address(said)
    except BadAddress:
        return ""
