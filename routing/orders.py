"""What a child of the workshop can be told to do, and what it answers: values, no more.

An order travels to the child, which carries it out by `labour`; the answers travel back. Deadlines are values
of `time.monotonic`, which on Linux is the same clock in all processes. Nothing here needs OR-Tools, so that
a server that plans does not load it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    until: float
    begin_at: float = 0.0


@dataclass(frozen=True, slots=True)
class Recombine:
    """Choose the best set of the days met so far."""

    task: Task
    columns: frozenset[Column]
    until: float
    workers: int


@dataclass(frozen=True, slots=True)
class SolveExactly:
    """Solve the independent parts of an instance that are small enough, each as one model."""

    task: Task
    until: float


@dataclass(frozen=True, slots=True)
class Bound:
    """Prove how much every plan costs at least."""

    task: Task
    until: float
