"""What citizens ask for in tests: plain cases in few words, at a fixed moment of a fixed county."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from booking_service.domain.bookings import Contact, TimeWindow, Urgency, Wanted
from booking_service.domain.county import Mode
from booking_service.services import requests

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2027, 1, 4, 6, 0, tzinfo=UTC)
"""A Monday, before any office opens."""
MONDAY = date(2027, 1, 4)
TUESDAY = MONDAY + timedelta(days=1)
WEDNESDAY = MONDAY + timedelta(days=2)
SUNDAY = date(2027, 1, 10)

ANNA = Contact("Anna Beispiel", "anna@buergerin.example", None)


def local(day: date, clock: str) -> datetime:
    """The instant at which the clocks of the county show this time."""
    return datetime.combine(day, time.fromisoformat(clock), tzinfo=BERLIN)


def window(day: date, begin: str, end: str) -> TimeWindow:
    return TimeWindow(local(day, begin), local(day, end))


def wanted(*services: str, sites=("DM-BSC",), modes=(Mode.ON_SITE,), windows=(), **other) -> Wanted:
    """A wish for one service at Demmin, at any time, unless said otherwise."""
    plain = {"language": None, "needs": (), "urgency": Urgency.NORMAL, "wish": None}
    return Wanted(
        services=services or ("GSI-FOLGE",),
        sites=tuple(sites),
        modes=tuple(modes),
        windows=tuple(windows),
        **plain | other,
    )


def ask(*services: str, contact=ANNA, notify=None, now=NOW, **other) -> str:
    """Send a request; its reference."""
    return requests.take_request(wanted=wanted(*services, **other), contact=contact, notify=notify, now=now)
