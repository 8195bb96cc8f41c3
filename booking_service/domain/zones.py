"""The one place that turns local time into instants and back; everything else is UTC or local minutes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

MINUTES_A_DAY = 24 * 60


class NoSuchTime(ValueError):
    """A local time that the clock skips when it is put forward."""


def instant(day: date, minute: int, zone: str) -> datetime:
    """The instant in UTC at which the local clock shows `minute` (0 to 1440) of `day`.

    A time that occurs twice means the first. Raises NoSuchTime for one that does not occur.
    """
    local = datetime.combine(day, datetime.min.time()) + timedelta(minutes=minute)
    return from_local(local, zone)


def from_local(local: datetime, zone: str) -> datetime:
    """The instant in UTC of a naive local time; see `instant`."""
    utc = local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    if to_local(utc, zone) != local:
        raise NoSuchTime(f"{local} does not occur in {zone}")
    return utc


def to_local(moment: datetime, zone: str) -> datetime:
    """The naive local time that clocks in `zone` show at `moment`."""
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def local_day(moment: datetime, zone: str) -> date:
    """The local date at `moment`."""
    return to_local(moment, zone).date()


def minute_of(moment: datetime, day: date, zone: str) -> int:
    """Minutes that local clocks show at `moment`, counted from the midnight that begins `day`."""
    return int((to_local(moment, zone) - datetime.combine(day, datetime.min.time())).total_seconds() // 60)
