"""What a simulation is about, as values; meaning, units and defaults are those of `simulation/1`.

Days are calendar days counted from the scenario's first one, times of day integer minutes from local
midnight, spans half-open, weekdays ISO (1 is Monday), shares between 0 and 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from routing.problem import Mode

Staff: TypeAlias = Literal["casework", "away"]
Method: TypeAlias = Literal["greedy", "solve"]


@dataclass(frozen=True, slots=True)
class Length:
    """Minutes of one visit: the specialist's own before and after, and those with the citizen."""

    preparation: int
    minutes: int
    follow_up: int

    @property
    def busy(self) -> int:
        """All of them."""
        return self.preparation + self.minutes + self.follow_up


@dataclass(frozen=True, slots=True)
class Service:
    """A concern: each visit leaves `casework` minutes behind for the unit, and so does each letter.

    All who come with it are urgent where it is `urgent`.
    """

    unit: str
    skill: str
    lengths: Mapping[Mode, Length]
    casework: int
    lead_hours: int
    horizon_days: int
    raster: int
    urgent: bool


@dataclass(frozen=True, slots=True)
class WorkSpan:
    """A weekly stretch of work."""

    weekday: int
    begin: int
    end: int
    breaks: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Clerk:
    """A specialist with her week; absences are pairs of first and last day."""

    unit: str
    base: str
    skills: frozenset[str]
    languages: frozenset[str]
    modes: frozenset[Mode]
    max_travel: int | None
    week: tuple[WorkSpan, ...]
    absences: tuple[tuple[date, date], ...]

    def is_away(self, day: date) -> bool:
        """Whether one of her absences holds that day."""
        return any(first <= day <= last for first, last in self.absences)


@dataclass(frozen=True, slots=True)
class Hours:
    """When a unit may be met at a site in one mode; `week_of_month` n is the n-th such weekday of a month."""

    unit: str
    mode: Mode
    site: str | None
    weekday: int
    begin: int
    end: int
    week_of_month: int | None


@dataclass(frozen=True, slots=True)
class Flow:
    """People of one site with one concern, and letters about it, a week on average."""

    service: str
    site: str
    per_week: float
    letters_per_week: float


@dataclass(frozen=True, slots=True)
class Demand:
    """Who comes and how they choose.

    `weekdays` and `month` weigh the days of a week and the weeks of a month (their mean is 1). `flexible`
    leave the hour to the nightly plan, `urgent` take the earliest start of all, the others choose from
    offers. `languages` are shares of people who need one, `modes` what they like best, `any_mode` the share
    who take every mode. `drive` are shares of people who go so many minutes farther than to their own site;
    `minutes_a_day` of driving are worth a day of waiting to them. `half_days` is the share of half-days on
    which somebody can come. Who is offered nothing looks again each week until `patience_days` are over.
    """

    flows: tuple[Flow, ...]
    weekdays: tuple[float, ...]
    month: tuple[float, ...]
    flexible: float
    urgent: float
    languages: Mapping[str, float]
    modes: Mapping[Mode, float]
    any_mode: float
    drive: Mapping[int, float]
    minutes_a_day: int
    half_days: float
    patience_days: int


@dataclass(frozen=True, slots=True)
class ClosureWeek:
    """A unit is closed in the week of the n-th Monday of every `every`-th month, beginning with the first.

    Its staff do casework or are away. Urgent people are served all the same where `urgent` is set.
    """

    unit: str
    week: int
    every: int
    staff: Staff
    urgent: bool

    def holds(self, day: date, first_day: date) -> bool:
        """Whether the unit is closed that day; months are counted from that of the first day."""
        monday = day - timedelta(days=day.weekday())
        months = 12 * (monday.year - first_day.year) + monday.month - first_day.month
        return (monday.day - 1) // 7 + 1 == self.week and months % self.every == 0


@dataclass(frozen=True, slots=True)
class Contingent:
    """A weekly span by phone for which somebody with the skill is kept free for urgent people.

    What is left of it is offered to everybody `release_hours` before it begins.
    """

    skill: str
    weekday: int
    begin: int
    end: int
    release_hours: int


@dataclass(frozen=True, slots=True)
class Planning:
    """How the nightly plan is made, for how many days ahead, with what price of a day's wait in minutes.

    Of what one night plans, `working_days` are planned at a time, the nearest first.
    """

    method: Method
    seconds: float
    horizon_days: int
    working_days: int
    wait_day: int
    least_per_trip: int


@dataclass(frozen=True, slots=True)
class Casework:
    """How the work that visits and letters leave behind is worked off.

    Stretches of less than `shortest_gap` minutes are worthless. A minute of a day without any visit counts
    as `factors[0]` minutes, the further factors show how much depends on that. `at_start` is the backlog of
    each unit in minutes.
    """

    shortest_gap: int
    factors: tuple[float, ...]
    at_start: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One world to be simulated: `days` calendar days; people who come in the first `warm_up` do not count.

    `seat` is the site that everybody would have to go to if there were only one, `kilometres` what is known
    by road between sites; else a minute is `km_per_minute`.
    """

    name: str
    tick: int
    first_day: date
    days: int
    warm_up: int
    holidays: frozenset[date]
    seat: str
    km_per_minute: float
    served_within: int
    sites: Mapping[str, int]
    travel: Mapping[str, Mapping[str, int]]
    kilometres: Mapping[str, Mapping[str, float]]
    services: Mapping[str, Service]
    specialists: Mapping[str, Clerk]
    hours: tuple[Hours, ...]
    demand: Demand
    closures: tuple[ClosureWeek, ...]
    contingents: tuple[Contingent, ...]
    planning: Planning
    casework: Casework

    @property
    def units(self) -> tuple[str, ...]:
        """All units that serve or have staff, in order."""
        return tuple(sorted({s.unit for s in self.services.values()} | {c.unit for c in self.staff}))

    @property
    def staff(self) -> tuple[Clerk, ...]:
        """All specialists."""
        return tuple(self.specialists.values())

    def date_of(self, day: int) -> date:
        """The date of a day of the simulation."""
        return self.first_day + timedelta(days=day)

    def road(self, origin: str, target: str) -> float:
        """Kilometres by road from one site to another."""
        known = self.kilometres.get(origin, {}).get(target)
        return self.travel[origin][target] * self.km_per_minute if known is None else known
