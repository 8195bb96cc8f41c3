"""The county's calendar: its hours with the public holidays of its Land, and what is left for talks."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache, reduce
from typing import TYPE_CHECKING, TypeAlias

from holidays import country_holidays

from booking_service.domain import zones
from booking_service.domain.county import Access, Mode
from booking_service.domain.opening import Calendar

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from booking_service.domain.bookings import TimeWindow
    from booking_service.domain.county import County

Span: TypeAlias = tuple[int, int]

ALMOST_A_MINUTE = timedelta(seconds=59, microseconds=999_999)


def calendar_of(county: County, first: date, last: date) -> Calendar:
    """The calendar for the days from `first` to `last`."""
    return _calendar(county, first.year, last.year)


@lru_cache(maxsize=16)
def _calendar(county: County, first_year: int, last_year: int) -> Calendar:
    years = range(first_year, last_year + 1)
    days = country_holidays("DE", subdiv=county.settings.state, years=years, language="de")
    return Calendar(county, dict(days))


def is_working_day(county: County, calendar: Calendar, day: date) -> bool:
    """Whether anybody works on that day."""
    return any(calendar.working_day(specialist.code, day) for specialist in county.specialists)


def bookable_spans(
    county: County,
    calendar: Calendar,
    services: Sequence[str],
    mode: Mode,
    site: str | None,
    day: date,
    windows: Sequence[TimeWindow],
) -> list[Span]:
    """When, in local minutes of `day`, a talk about all these services may lie.

    That is within the hours for appointments of each unit concerned and within one of the windows
    (no windows: any time).
    """
    spans = list(_open_spans(county, calendar, tuple(services), mode, site, day))
    if windows and spans:
        spans = _common(spans, _spans_of(windows, day, county.settings.zone))
    return spans


@lru_cache(maxsize=100_000)
def _open_spans(
    county: County, calendar: Calendar, services: tuple[str, ...], mode: Mode, site: str | None, day: date
) -> tuple[Span, ...]:
    """Within the hours of each unit concerned; asked for again and again by offers."""
    units = {service.unit for service in county.services if service.code in services}
    return tuple(reduce(_common, (unit_spans(calendar, unit, mode, site, day) for unit in sorted(units))))


def unit_spans(calendar: Calendar, unit: str, mode: Mode, site: str | None, day: date) -> list[Span]:
    """The hours for appointments of a unit; by phone it can be reached wherever it has phone hours."""
    sites = calendar.phone_sites(unit) if mode is Mode.PHONE or site is None else (site,)
    found = (calendar.hours(unit, at, mode, Access.APPOINTMENT, day).spans for at in sites)
    return _merged(span for spans in found for span in spans)


def _spans_of(windows: Iterable[TimeWindow], day: date, zone: str) -> list[Span]:
    """The parts of the windows that fall on `day`, inwards to whole minutes."""
    begin_of = [zones.minute_of(window.begin + ALMOST_A_MINUTE, day, zone) for window in windows]
    end_of = [zones.minute_of(window.end, day, zone) for window in windows]
    spans = (
        (max(0, begin), min(zones.MINUTES_A_DAY, end)) for begin, end in zip(begin_of, end_of, strict=True)
    )
    return [span for span in spans if span[0] < span[1]]


def _common(left: Iterable[Span], right: Iterable[Span]) -> list[Span]:
    """The parts that two lists of spans share, one for each pair that overlaps."""
    pairs = ((max(a, c), min(b, d)) for a, b in left for c, d in right)
    return [pair for pair in pairs if pair[0] < pair[1]]


def _merged(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for begin, end in sorted(spans):
        if merged and begin <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged
