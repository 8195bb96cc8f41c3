"""What a child of the workshop can be told to do, and what it answers: values, no more.

An order travels to the child, which carries it out by `labour`; the answers travel back. Deadlines are values
of `time.monotonic`, which on Linux is the same clock in all processes. Nothing here needs OR-Tools, so that
a server that plans does not load it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from routing.budget import Budget
    from routing.draft import Column
    from routing.problem import Assignment, Instance


@dataclass(frozen=True, slots=True)
class Found:
    """A plan and the days met on the way to it."""

    lines: tuple[Assignment, ...]
    columns: frozenset[Column] = frozenset()


@dataclass(frozen=True, slots=True)
class Solved:
    """The best way to serve some visits, whatever becomes of the others; who is not listed is unserved."""

    visits: frozenset[str]
    lines: tuple[Assignment, ...]


@dataclass(frozen=True, slots=True)
class Proven:
    """No valid plan costs less than this."""

    bound: int


@dataclass(frozen=True, slots=True)
class Task:
    """What every order is about: an instance, the places of its chains and a plan to begin with."""

    instance: Instance
    pins: Mapping[int, Assignment]
    lines: tuple[Assignment, ...]


@dataclass(frozen=True, slots=True)
class Anneal:
    """Search from the plan, cooling from one part of the schedule (0 hot, 1 cold) to its end."""

    task: Task
    seed: int
    budget: Budget
    begin_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Recombine:
    """Choose the best set of the days met so far."""

    task: Task
    columns: frozenset[Column]
    budget: Budget
    workers: int


@dataclass(frozen=True, slots=True)
class SolveExactly:
    """Solve the independent parts of an instance that are small enough, each as one model."""

    task: Task
    budget: Budget


@dataclass(frozen=True, slots=True)
class Bound:
    """Prove how much every plan costs at least."""

    task: Task
    budget: Budget


@dataclass(frozen=True, slots=True)
class Deploy:
    """Find who should keep the promises of an instance of one day; see `deploy`."""

    instance: Instance
    together: tuple[tuple[str, ...], ...]
    least_per_trip: int
    until: float


@dataclass(frozen=True, slots=True)
class FewestSpecialists:
    """Find the fewest specialists who can keep all promises of an instance; see `fewest`."""

    instance: Instance
    until: float
    workers: int


@dataclass(frozen=True, slots=True)
class KeptDay:
    """A day of an instance and a valid way to keep its promises: who keeps what, by her number on the day."""

    instance: Instance
    day: int
    keeps: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Mend:
    """Find who should keep the promises of a day on which not all can stay; see `repair`."""

    kept: KeptDay
    budget: Budget
    seed: int
    at_prices: bool


@dataclass(frozen=True, slots=True)
class BoundDays:
    """Prove how much the promises of some days cost at least, those apart that nobody could keep."""

    days: tuple[KeptDay, ...]
    budget: Budget
    seed: int


@dataclass(frozen=True, slots=True)
class ProvenDay:
    """No valid way to keep the promises of the day costs less than this."""

    day: int
    bound: int


@dataclass(frozen=True, slots=True)
class Mended:
    """Who keeps what on a day, and for each aim of `repair` a bound on what every way can reach.

    A bound holds for whatever is as good in the aims before; None where it was not sought.
    """

    day: int
    keeps: Mapping[str, int]
    bounds: tuple[int | None, ...]


class Worth(NamedTuple):
    """How good a deployment is, the less the better, the first counts most.

    `missing` are promises without a holder that nobody keeps, `cost` are travel and unmet wishes at their
    prices, `talent` are the minutes of all visits, each times the scarcity of what its specialist can do.
    """

    missing: int
    cost: int
    talent: int


@dataclass(frozen=True, slots=True)
class Deployed:
    """What the deployment as it is held is worth, and the best that was found, as a plan."""

    held: Worth
    found: Worth
    lines: tuple[Assignment, ...]
