"""What a run counts while it goes, and the figures that come of it.

Waits are calendar days from the request to the appointment, of people who came after the warm-up. A person
is `kept` once the appointment is over, `ahead` while it is to come, `open` without one, `gone` for good.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from routing.simulation.arrivals import Citizen
    from routing.simulation.office import CaseworkTime
    from routing.simulation.scenario import Scenario
    from routing.workday import Ask

ALL = ("all", "")
DAYS_A_WEEK = 7


class Key(NamedTuple):
    """What a figure is about: `kind` is all, unit, service or site, `group` which of them.

    `week` counts the weeks of the simulation, None for the whole time.
    """

    measure: str
    kind: str
    group: str
    week: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The figures of one run; `people` counts all, also of the warm-up, by what became of them.

    Minutes, days, kilometres and shares as `report.MEASURES` says.
    """

    people: Mapping[str, int]
    figures: Mapping[Key, float]


@dataclass(slots=True)
class _Group:
    arrived: int = 0
    gone: int = 0
    waits: list[int] = field(default_factory=list)


class Tally:
    """Counts one run."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._people: Counter[str] = Counter()
        self._groups: defaultdict[tuple[str, str], _Group] = defaultdict(_Group)
        self._weeks: defaultdict[tuple[str, str, int], list[int]] = defaultdict(list)
        self._sums: Counter[str] = Counter()
        self._saved = 0.0
        self._backlog = {
            factor: {unit: float(scenario.casework.at_start.get(unit, 0)) for unit in scenario.units}
            for factor in scenario.casework.factors
        }
        self._highest = {factor: dict.fromkeys((*scenario.units, ""), 0.0) for factor in self._backlog}
        self._summed = {factor: dict.fromkeys(highest, 0.0) for factor, highest in self._highest.items()}
        self._weekly_backlog: dict[tuple[str, int], float] = {}

    # --- People -------------------------------------------------------------------------------------

    def arrived(self, citizen: Citizen) -> None:
        """Somebody came."""
        self._people["arrived"] += 1
        for group in self._groups_of(citizen):
            group.arrived += 1

    def gone(self, citizen: Citizen) -> None:
        """Somebody gave up."""
        self._people["gone"] += 1
        for group in self._groups_of(citizen):
            group.gone += 1

    def promised(self, citizen: Citizen, day: int) -> None:
        """Somebody has an appointment on that day."""
        self._people["promised"] += 1
        for group in self._groups_of(citizen):
            group.waits.append(day - citizen.day)
        for kind, name in self._names_of(citizen) if self._counts(citizen.day) else ():
            if kind in {"all", "unit"}:
                self._weeks[kind, name, citizen.day // DAYS_A_WEEK].append(day - citizen.day)

    def _groups_of(self, citizen: Citizen) -> Iterator[_Group]:
        if self._counts(citizen.day):
            yield from (self._groups[name] for name in self._names_of(citizen))

    def _names_of(self, citizen: Citizen) -> Iterator[tuple[str, str]]:
        yield ALL
        yield "unit", self._scenario.services[citizen.service].unit
        yield "service", citizen.service
        yield "site", citizen.site

    def _counts(self, day: int) -> bool:
        return day >= self._scenario.warm_up

    # --- A day that is over -------------------------------------------------------------------------

    def kept(self, citizen: Citizen, ask: Ask, day: int) -> None:
        """An appointment has taken place."""
        self._people["kept"] += 1
        self._work(citizen.service)
        if self._counts(day):
            scenario = self._scenario
            self._sums["kept"] += 1
            self._sums["visit"] += ask.minutes
            self._sums["room"] += ask.minutes if ask.site is not None else 0
            driven = scenario.road(citizen.site, ask.site) if ask.site is not None else 0.0
            self._saved += 2 * (scenario.road(citizen.site, scenario.seat) - driven)

    def letters(self, letters: Iterable[tuple[str, int]]) -> None:
        """Letters have come about services."""
        for service, number in letters:
            self._work(service, number)

    def _work(self, service: str, number: int = 1) -> None:
        known = self._scenario.services[service]
        for backlog in self._backlog.values():
            backlog[known.unit] += number * known.casework

    def day_over(self, day: int, travel: int, rooms: int, staff: int, time: Sequence[CaseworkTime]) -> None:
        """Work off what the time allows; the minutes travelled, and those of rooms and staff there were."""
        done = {factor: self._work_off(factor, time) for factor in self._backlog}
        week = day // DAYS_A_WEEK
        first = next(iter(self._backlog.values()))
        self._weekly_backlog |= {(unit, week): minutes for unit, minutes in first.items()}
        if self._counts(day):
            self._sums["travel"] += travel
            self._sums["rooms"] += rooms
            self._sums["staff"] += staff
            self._sums["casework"] += round(next(iter(done.values())))
            for factor, backlog in self._backlog.items():
                highest, summed = self._highest[factor], self._summed[factor]
                for unit, minutes in (*backlog.items(), ("", sum(backlog.values()))):
                    highest[unit] = max(highest[unit], minutes)
                    summed[unit] += minutes

    def _work_off(self, factor: float, time: Sequence[CaseworkTime]) -> float:
        """The minutes of staff that it took."""
        used, backlog = 0.0, self._backlog[factor]
        for unit, broken, whole in time:
            by_broken = min(backlog[unit], broken)
            backlog[unit] -= by_broken
            by_whole = min(backlog[unit], whole * factor)
            backlog[unit] -= by_whole
            used += by_broken + (by_whole / factor if factor else 0)
        return used

    # --- Figures ------------------------------------------------------------------------------------

    def outcome(self) -> Outcome:
        """The figures of the run."""
        figures = dict(self._waiting())
        figures.update(self._resources())
        figures.update(self._backlogs())
        figures.update(self._by_week())
        promised, kept = self._people["promised"], self._people["kept"]
        people = {name: self._people[name] for name in ("arrived", "kept", "gone")}
        people["ahead"] = promised - kept
        people["open"] = people["arrived"] - promised - people["gone"]
        return Outcome(people, figures)

    def _waiting(self) -> Iterator[tuple[Key, float]]:
        within = self._scenario.served_within
        for (kind, name), group in sorted(self._groups.items()):
            waits = sorted(group.waits)
            yield Key("arrived", kind, name), group.arrived
            if waits:
                yield Key("wait_mean", kind, name), sum(waits) / len(waits)
                yield Key("wait_median", kind, name), quantile(waits, 0.5)
                yield Key("wait_p90", kind, name), quantile(waits, 0.9)
            if group.arrived:
                soon = sum(wait <= within for wait in waits)
                yield Key("served_soon", kind, name), soon / group.arrived
                yield Key("not_served", kind, name), group.gone / group.arrived
                still = group.arrived - group.gone - len(waits)
                yield Key("still_open", kind, name), still / group.arrived

    def _resources(self) -> Iterator[tuple[Key, float]]:
        sums, weeks = self._sums, (self._scenario.days - self._scenario.warm_up) / DAYS_A_WEEK
        yield Key("travel_week", *ALL), sums["travel"] / weeks
        if sums["kept"]:
            yield Key("saved_each", *ALL), self._saved / sums["kept"]
        if sums["staff"]:
            busy = sums["visit"] + sums["travel"] + sums["casework"]
            yield Key("use_staff", *ALL), busy / sums["staff"]
        if sums["rooms"]:
            yield Key("use_rooms", *ALL), sums["room"] / sums["rooms"]

    def _backlogs(self) -> Iterator[tuple[Key, float]]:
        days = self._scenario.days - self._scenario.warm_up
        for number, (factor, backlog) in enumerate(self._backlog.items()):
            name = "" if number == 0 else f"@{factor:g}"
            for unit, minutes in (*backlog.items(), ("", sum(backlog.values()))):
                about = ("unit", unit) if unit else ALL
                yield Key(f"backlog_mean{name}", *about), self._summed[factor][unit] / days
                yield Key(f"backlog_end{name}", *about), minutes
                yield Key(f"backlog_most{name}", *about), self._highest[factor][unit]

    def _by_week(self) -> Iterator[tuple[Key, float]]:
        for (kind, name, week), waits in sorted(self._weeks.items()):
            yield Key("wait_mean", kind, name, week), sum(waits) / len(waits)
        totals: defaultdict[int, float] = defaultdict(float)
        for (unit, week), minutes in sorted(self._weekly_backlog.items()):
            yield Key("backlog_end", "unit", unit, week), minutes
            totals[week] += minutes
        for week, total in totals.items():
            yield Key("backlog_end", *ALL, week), total


def quantile(ordered: Sequence[float], share: float) -> float:
    """The quantile of ascending values, linear between them. Raises IndexError where there are none."""
    at = share * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (at - low) * (ordered[high] - ordered[low])
