"""When a unit can be met and when a specialist works: the one answer for web, print, mail and plan.

The order is that of an office: regular hours, then holidays and the county's own closed days, then
closures with what stays open. Everything is local time in minutes of a given day; this room reads
no clock and does not know which hours are already taken.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from booking_service.domain.county import Access, Channel, Mode

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping

    from booking_service.domain.county import Absence, Closure, County, Hours, Specialist, WorkingHours

R = TypeVar("R")
K = TypeVar("K", bound="Hashable")
Span: TypeAlias = tuple[int, int]


class ObstacleKind(StrEnum):
    """Why a unit cannot be met on a day."""

    NO_HOURS = "no_hours"
    HOLIDAY = "holiday"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What stands against a day.

    `detail` is the name of the holiday, the code of the closure, or empty: without regular hours and
    on a closed day of the county, which has no name.
    """

    kind: ObstacleKind
    detail: str = ""


@dataclass(frozen=True, slots=True)
class DayHours:
    """The hours of a day, ascending and disjoint; there is an obstacle if and only if there are none."""

    spans: tuple[Span, ...]
    obstacle: Obstacle | None = None


@dataclass(frozen=True, slots=True)
class WorkSpan:
    """A stretch of work of one day. It neither begins nor ends with a break."""

    begin: int
    end: int
    breaks: tuple[Span, ...] = ()


_NO_HOURS = DayHours((), Obstacle(ObstacleKind.NO_HOURS))


class Calendar:
    """Answers for one county; build it once and ask it often.

    `holidays` are the public holidays of the Land with their names, for every year that is asked for.
    """

    def __init__(self, county: County, holidays: Mapping[date, str]) -> None:
        self._holidays = dict(holidays)
        self._closed_days = frozenset(county.settings.closed_days)
        self._tick = county.settings.planning.tick_minutes
        self._hours = _grouped(county.hours, lambda h: (h.unit, h.site, h.mode, h.access, h.weekday))
        self._closures = {
            (h.unit, h.site, h.mode, h.access): _closures_of(h, county.closures) for h in county.hours
        }
        self._phone_sites = _sites_by_phone(county.hours)
        self._specialists = {specialist.code: specialist for specialist in county.specialists}
        self._work = _grouped(county.working_hours, lambda w: (w.specialist, w.weekday))
        self._absences = _grouped(county.absences, lambda a: a.specialist)

    def phone_sites(self, unit: str) -> tuple[str, ...]:
        """Sites at which a unit answers the phone, in the order of the county's hours."""
        return self._phone_sites.get(unit, ())

    def day_off(self, day: date) -> Obstacle | None:
        """Tell the holiday or the county's closed day that a date is."""
        if day in self._holidays:
            return Obstacle(ObstacleKind.HOLIDAY, self._holidays[day])
        return Obstacle(ObstacleKind.HOLIDAY) if f"{day:%m-%d}" in self._closed_days else None

    def hours(self, unit: str, site: str, mode: Mode, access: Access, day: date) -> DayHours:
        """Tell when a unit can be met at a site in this way on a day; unknown codes have no hours."""
        rows = self._hours.get((unit, site, mode, access, day.isoweekday()), ())
        spans = _joined((row.begin, row.end) for row in rows if _holds(row, day))
        if not spans:
            return _NO_HOURS
        obstacle = self.day_off(day) or self._closure((unit, site, mode, access), day)
        return DayHours((), obstacle) if obstacle else DayHours(spans)

    def _closure(self, key: tuple[str, str, Mode, Access], day: date) -> Obstacle | None:
        for closure in self._closures[key]:
            if closure.begin <= day <= closure.end:
                return Obstacle(ObstacleKind.CLOSED, closure.code)
        return None

    def working_day(self, specialist: str, day: date) -> tuple[WorkSpan, ...]:
        """Tell when a specialist works on a day, absences taken out. Raises KeyError for an unknown code."""
        if not _is_valid(self._specialists[specialist], day) or self.day_off(day):
            return ()
        rows = [row for row in self._work.get((specialist, day.isoweekday()), ()) if _is_valid(row, day)]
        breaks = [pause for row in rows for pause in row.breaks]
        spans: tuple[Span, ...] = _joined((row.begin, row.end) for row in rows)
        for absence in self._absences.get(specialist, ()):
            spans = _without(spans, self._away(absence, day))
        worked = (_trimmed(begin, end, breaks) for begin, end in spans)
        return tuple(span for span in worked if span.begin < span.end)

    def _away(self, absence: Absence, day: date) -> Span:
        """Minutes of a day that an absence takes, widened to the tick so that work stays on it."""
        begin, end = _minute_of(absence.begin, day), _minute_of(absence.end, day)
        return begin - begin % self._tick, end + -end % self._tick


def _grouped(rows: Iterable[R], key: Callable[[R], K]) -> dict[K, tuple[R, ...]]:
    groups: dict[K, list[R]] = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return {name: tuple(members) for name, members in groups.items()}


def _sites_by_phone(hours: Iterable[Hours]) -> dict[str, tuple[str, ...]]:
    rows = _grouped((row for row in hours if row.mode is Mode.PHONE), lambda row: row.unit)
    return {unit: tuple(dict.fromkeys(row.site for row in members)) for unit, members in rows.items()}


def _channel(mode: Mode, access: Access) -> Channel:
    if mode is Mode.ON_SITE:
        return Channel.IN_PERSON_OPEN if access is Access.OPEN else Channel.IN_PERSON_APPOINTMENT
    return Channel.VIDEO if mode is Mode.VIDEO else Channel.PHONE


def _closures_of(hours: Hours, closures: Iterable[Closure]) -> tuple[Closure, ...]:
    channel = _channel(hours.mode, hours.access)
    return tuple(closure for closure in closures if _closes(closure, hours.unit, hours.site, channel))


def _closes(closure: Closure, unit: str, site: str, channel: Channel) -> bool:
    return (
        (not closure.units or unit in closure.units)
        and (not closure.sites or site in closure.sites)
        and (not closure.channels or channel in closure.channels)
        and not {unit, f"{unit}@{site}", channel.value}.intersection(closure.stays_open)
    )


def _is_valid(row: Hours | WorkingHours | Specialist, day: date) -> bool:
    return (row.valid_from or day) <= day <= (row.valid_to or day)


def _holds(row: Hours, day: date) -> bool:
    week = (day.day - 1) // 7 + 1
    return row.week_of_month in {None, week} and _is_valid(row, day)


def _joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    """Sort spans and make one of those that overlap or adjoin."""
    joined: list[Span] = []
    for begin, end in sorted(spans):
        if joined and begin <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        else:
            joined.append((begin, end))
    return tuple(joined)


def _without(spans: Iterable[Span], away: Span) -> tuple[Span, ...]:
    pieces = [
        piece for begin, end in spans for piece in ((begin, min(end, away[0])), (max(begin, away[1]), end))
    ]
    return tuple((begin, end) for begin, end in pieces if begin < end)


def _trimmed(begin: int, end: int, breaks: Iterable[Span]) -> WorkSpan:
    """Cut breaks to a stretch of work, and the stretch to where no break is at its edges."""
    clipped = ((max(begin, pause[0]), min(end, pause[1])) for pause in breaks)
    inside = _joined(pause for pause in clipped if pause[0] < pause[1])
    if inside and inside[0][0] == begin:
        begin, inside = inside[0][1], inside[1:]
    if inside and inside[-1][1] == end:
        end, inside = inside[-1][0], inside[:-1]
    return WorkSpan(begin, end, inside)


def _minute_of(moment: datetime, day: date) -> int:
    """Minutes from the midnight that begins a day; negative before it."""
    return int((moment - datetime.combine(day, datetime.min.time())).total_seconds() // 60)
