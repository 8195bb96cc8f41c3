"""The planning problem and its solution as values; meaning and rules are those of `plan-instance/1`.

Times are integer minutes from local midnight (0 to 1440), days are indices into `Instance.days`,
spans are half-open. Two things go beyond the file format, for the service that builds instances:
an option may have a length and windows of its own (a phone call is shorter than a visit, and each
unit has its own hours at each site), and visits may form chains. This room knows no rule that needs
a search: `timeline` knows what fits, `check` what is valid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

Mode: TypeAlias = Literal["on_site", "video", "phone"]
MODES: tuple[Mode, ...] = ("on_site", "video", "phone")
MINUTES_A_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Window:
    """A span of a day in which a visit may lie wholly; `penalty` is its price."""

    day: int
    begin: int
    end: int
    penalty: int = 0


@dataclass(frozen=True, slots=True)
class Option:
    """An acceptable way of meeting; `site` is None for phone only.

    `minutes` and `windows` override those of the visit where this way has its own.
    """

    mode: Mode
    site: str | None
    penalty: int = 0
    minutes: int | None = None
    windows: tuple[Window, ...] | None = None


@dataclass(frozen=True, slots=True)
class Promise:
    """What the citizen has been told: it fixes day, start, mode and site, not the specialist."""

    day: int
    start: int
    mode: Mode
    site: str | None


@dataclass(frozen=True, slots=True)
class Visit:
    """One request to be served by one specialist. `minutes` is the length of a promised visit too."""

    id: str
    skill: str
    language: str | None
    minutes: int
    priority: int
    release: int
    options: tuple[Option, ...]
    windows: tuple[Window, ...]
    wish: str | None = None
    promise: Promise | None = None
    holder: str | None = None

    def minutes_of(self, option: Option) -> int:
        """Length in minutes when it takes place this way."""
        return self.minutes if option.minutes is None else option.minutes

    def windows_of(self, option: Option) -> tuple[Window, ...]:
        """The windows that hold for this way."""
        return self.windows if option.windows is None else option.windows


@dataclass(frozen=True, slots=True)
class Shift:
    """Working time of one day; breaks lie inside, ascending and disjoint."""

    day: int
    begin: int
    end: int
    breaks: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Specialist:
    """Who serves visits. `max_travel` bounds the minutes of travel of one day, None for no bound."""

    id: str
    base: str
    skills: frozenset[str]
    languages: frozenset[str]
    shifts: tuple[Shift, ...]
    max_travel: int | None = None
    modes: frozenset[Mode] = frozenset(MODES)


@dataclass(frozen=True, slots=True)
class Rooms:
    """How many consultation rooms a site has in a span of a day; outside all spans there are none."""

    day: int
    begin: int
    end: int
    count: int


@dataclass(frozen=True, slots=True)
class Weights:
    """Prices of the objective; `unserved` is by priority."""

    unserved: Mapping[int, int]
    lost_promise: int
    wait_day: int
    wish: int
    change: int
    travel_minute: int


@dataclass(frozen=True, slots=True)
class Instance:
    """A whole planning problem.

    `chains` lists visits that belong together: all or none are served, in the given order, each
    beginning when the one before ends, all in the same mode at the same site.
    """

    name: str
    tick: int
    days: tuple[str, ...]
    rooms: Mapping[str, tuple[Rooms, ...]]
    travel: Mapping[str, Mapping[str, int]]
    specialists: Mapping[str, Specialist]
    visits: Mapping[str, Visit]
    weights: Weights
    chains: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Assignment:
    """One served visit of a plan."""

    visit: str
    specialist: str
    day: int
    start: int
    mode: Mode
    site: str | None


@dataclass(frozen=True, slots=True)
class Plan:
    """Who serves what; a visit that is not listed is unserved.

    `bound` is a proven lower bound on the cost of every valid plan of the instance, or None.
    """

    instance: str
    assignments: tuple[Assignment, ...] = ()
    bound: int | float | None = None
