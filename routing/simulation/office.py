"""The office of a scenario on each of its days: who works, when units may be met, what is left for casework.

Days with the same staff share one `Workday`, since all that it knows is the same. Nothing that is promised
is known here.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from routing.problem import MINUTES_A_DAY, Rooms, Shift, Specialist
from routing.timeline import span_mask
from routing.workday import Workday

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from routing.problem import Mode
    from routing.simulation.scenario import Clerk, Contingent, Scenario
    from routing.workday import Held

Span = tuple[int, int]


class CaseworkTime(NamedTuple):
    """What is left of one specialist's day for casework, in minutes; `whole` on a day without any visit."""

    unit: str
    broken: int
    whole: int


class Office:
    """Answers for one scenario."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.open_week = cache(self._open_week)
        self._hours = cache(self._open_hours)
        self._rastered = cache(self._on_raster)
        self.staff_of = cache(self._staff_of)
        self._shared_workday = cache(self._workday)

    # --- Who works ----------------------------------------------------------------------------------

    def workday(self, day: int) -> Workday:
        """The day with nothing promised; its day index is 0."""
        at = self.scenario.date_of(day)
        return self._shared_workday(at.isoweekday(), self.staff_of(day))

    def _workday(self, weekday: int, names: tuple[str, ...]) -> Workday:
        scenario = self.scenario
        staff = [self.specialist(name, {0: weekday}) for name in names]
        rooms = {site: rooms_of(count, 1) for site, count in scenario.sites.items()}
        return Workday(0, staff, scenario.travel, rooms, scenario.tick, scenario.planning.least_per_trip)

    def _staff_of(self, day: int) -> tuple[str, ...]:
        """Who is at work on a day; empty on a day off."""
        at, scenario = self.scenario.date_of(day), self.scenario
        if at in scenario.holidays:
            return ()
        away = {c.unit for c in scenario.closures if c.staff == "away" and c.holds(at, scenario.first_day)}
        return tuple(
            name
            for name, clerk in sorted(scenario.specialists.items())
            if clerk.unit not in away
            and not clerk.is_away(at)
            and any(work.weekday == at.isoweekday() for work in clerk.week)
        )

    def specialist(self, name: str, weekdays: Mapping[int, int]) -> Specialist:
        """A specialist of the planner who works on some days, given with their ISO weekdays."""
        clerk = self.scenario.specialists[name]
        return Specialist(
            id=name,
            base=clerk.base,
            skills=clerk.skills,
            languages=clerk.languages,
            shifts=tuple(shift for day, weekday in weekdays.items() for shift in shifts(clerk, weekday, day)),
            max_travel=clerk.max_travel,
            modes=clerk.modes,
        )

    def contingents(self, day: int, day_now: int, minute_now: int) -> tuple[int, ...]:
        """The contingents of a day that are not released yet, by number."""
        if not self.scenario.contingents:
            return ()
        weekday = self.scenario.date_of(day).isoweekday()
        minutes = MINUTES_A_DAY * (day - day_now) - minute_now
        return tuple(
            number
            for number, one in enumerate(self.scenario.contingents)
            if one.weekday == weekday and _is_kept(one, minutes)
        )

    # --- When somebody may be met -------------------------------------------------------------------

    def spans(
        self, service: str, mode: Mode, site: str | None, day: int, *, urgent: bool
    ) -> tuple[Span, ...]:
        """When a talk may lie, in minutes of the day."""
        unit = self.scenario.services[service].unit
        week = self.open_week(unit, day, urgent)
        return self._hours(unit, mode, site, *week) if week else ()

    def starts(self, service: str, mode: Mode, site: str | None, day: int, *, urgent: bool) -> int:
        """When a specialist's work may begin so that the talk lies on the raster and in the hours."""
        week = self.open_week(self.scenario.services[service].unit, day, urgent)
        return self._rastered(service, mode, site, *week) if week else 0

    def _open_week(self, unit: str, day: int, urgent: bool) -> tuple[int, int] | None:  # noqa: FBT001 - a key of the cache
        """Weekday and which one of the month it is; None on a day on which the unit is closed."""
        at, scenario = self.scenario.date_of(day), self.scenario
        closed = any(
            c.unit == unit and not (urgent and c.urgent) and c.holds(at, scenario.first_day)
            for c in scenario.closures
        )
        return None if closed or at in scenario.holidays else (at.isoweekday(), (at.day - 1) // 7 + 1)

    def _open_hours(
        self, unit: str, mode: Mode, site: str | None, weekday: int, week: int
    ) -> tuple[Span, ...]:
        return _joined(
            (row.begin, row.end)
            for row in self.scenario.hours
            if (row.unit, row.mode, row.site, row.weekday) == (unit, mode, site, weekday)
            and row.week_of_month in (None, week)
        )

    def _on_raster(self, service: str, mode: Mode, site: str | None, weekday: int, week: int) -> int:
        known, tick, mask = self.scenario.services[service], self.scenario.tick, 0
        length = known.lengths[mode]
        for begin, end in self._hours(known.unit, mode, site, weekday, week):
            first = -(-begin // known.raster) * known.raster
            for talk in range(first, end - length.minutes + 1, known.raster):
                busy = talk - length.preparation
                if busy >= 0 and busy % tick == 0 and busy + length.busy <= MINUTES_A_DAY:
                    mask |= 1 << busy // tick
        return mask

    def room_minutes(self, day: int) -> int:
        """Minutes of all rooms in which units may be met at their sites."""
        total, scenario = 0, self.scenario
        for site, count in scenario.sites.items():
            spans = {
                span
                for service, known in scenario.services.items()
                for mode in known.lengths
                if mode != "phone"
                for span in self.spans(service, mode, site, day, urgent=False)
            }
            total += count * sum(end - begin for begin, end in _joined(spans))
        return total

    def forget(self) -> None:
        """Drop what was remembered of single days, most of which are over."""
        for remembered in (self.open_week, self.staff_of):
            remembered.cache_clear()

    # --- Casework -----------------------------------------------------------------------------------

    def staff_minutes(self, day: int) -> int:
        """Minutes of work of a day, breaks taken out."""
        weekday = self.scenario.date_of(day).isoweekday()
        return sum(
            shift.end - shift.begin - sum(end - begin for begin, end in shift.breaks)
            for name in self.staff_of(day)
            for shift in shifts(self.scenario.specialists[name], weekday, 0)
        )

    def casework_time(self, day: int, held: Iterable[Held]) -> list[CaseworkTime]:
        """What the visits of a day leave of each specialist's shifts; too short stretches are left out."""
        weekday = self.scenario.date_of(day).isoweekday()
        visits = _by_specialist(held)
        return [self._time_of(name, weekday, visits.get(name, ())) for name in self.staff_of(day)]

    def travelled(self, day: int, held: Iterable[Held]) -> int:
        """The minutes that all specialists travel to keep these visits."""
        weekday = self.scenario.date_of(day).isoweekday()
        total = 0
        for name, visits in _by_specialist(held).items():
            clerk = self.scenario.specialists[name]
            for shift in shifts(clerk, weekday, 0):
                places = [place for _, _, place in _tour(shift, clerk.base, visits)]
                total += sum(self.scenario.travel[here][there] for here, there in pairwise(places))
        return total

    def _time_of(self, name: str, weekday: int, visits: Sequence[Held]) -> CaseworkTime:
        clerk, least = self.scenario.specialists[name], self.scenario.casework.shortest_gap
        minutes = sum(
            stretch
            for shift in shifts(clerk, weekday, 0)
            for stretch in free_stretches(shift, clerk.base, visits, self.scenario.travel)
            if stretch >= least
        )
        return CaseworkTime(clerk.unit, minutes if visits else 0, 0 if visits else minutes)


def shifts(clerk: Clerk, weekday: int, day: int) -> tuple[Shift, ...]:
    """The shifts of a weekday, as those of day `day` of an instance."""
    return tuple(Shift(day, w.begin, w.end, w.breaks) for w in clerk.week if w.weekday == weekday)


def rooms_of(count: int, days: int) -> tuple[Rooms, ...]:
    """So many rooms all day on each day: hours say when somebody may be met there."""
    return tuple(Rooms(day, 0, MINUTES_A_DAY, count) for day in range(days)) if count else ()


def half_day_starts(mask: int, tick: int, noon: int, *, late: bool) -> int:
    """Those starts of a mask that lie before or from noon on."""
    first = noon // tick
    return mask & span_mask(first, MINUTES_A_DAY // tick) if late else mask & span_mask(0, first)


def free_stretches(
    shift: Shift, base: str, visits: Iterable[Held], travel: Mapping[str, Mapping[str, int]]
) -> list[int]:
    """Minutes of each stretch of a shift without visit, break or way; a way is taken from the longest one."""
    tour = _tour(shift, base, visits)
    found = []
    for (_, left, here), (begin, _, there) in pairwise(tour):
        stretches = sorted(_between(left, begin, shift.breaks))
        if stretches and here != there:
            stretches[-1] -= travel[here][there]
        found += [stretch for stretch in stretches if stretch > 0]
    return found


def _by_specialist(held: Iterable[Held]) -> dict[str, list[Held]]:
    visits: dict[str, list[Held]] = {}
    for one in held:
        visits.setdefault(one.specialist, []).append(one)
    return visits


def _tour(shift: Shift, base: str, visits: Iterable[Held]) -> list[tuple[int, int, str]]:
    """Begin, end and place of her stops in a shift, from her base and back."""
    inside = sorted(
        (v.start, v.end, v.ask.place or base) for v in visits if shift.begin <= v.start < shift.end
    )
    return [(shift.begin, shift.begin, base), *inside, (shift.end, shift.end, base)]


def _between(begin: int, end: int, breaks: Iterable[Span]) -> list[int]:
    edges = [begin]
    for first, last in breaks:
        if first < end and last > begin:
            edges += [max(begin, first), min(end, last)]
    edges.append(end)
    return [b - a for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _is_kept(contingent: Contingent, minutes: int) -> bool:
    """Whether it is kept free, so many minutes before the midnight that begins its day."""
    return minutes + contingent.begin > 60 * contingent.release_hours


def _joined(spans: Iterable[Span]) -> tuple[Span, ...]:
    joined: list[Span] = []
    for begin, end in sorted(spans):
        if joined and begin <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        else:
            joined.append((begin, end))
    return tuple(joined)
