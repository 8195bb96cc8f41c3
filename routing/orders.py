"""What a child of the workshop can be told to do, and what it answers.

An order travels to the child and carries itself out there; its answers, `Found` and `Proven`, travel back.
Deadlines are values of `time.monotonic`, which on Linux is the same clock in all processes.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING

from routing.anneal import Annealer
from routing.board import Board
from routing.bound import lower_bounds
from routing.draft import Draft
from routing.network import LARGEST, independent_parts, possible_starts, solve_exactly
from routing.recombine import Column, columns_of, recombine

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from routing.problem import Assignment, Instance

_SECONDS_BETWEEN_FINDS = 1.0
_SAMPLES = 40


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

    def draft(self) -> Draft:
        """The plan as a draft."""
        board = Board(self.instance)
        draft = Draft(board.with_pins(self.pins) if self.pins else board)
        draft.load(self.lines)
        draft.forget_steps()
        return draft

    def relaxed(self) -> Board:
        """The board without chains: what is proven there holds with them too."""
        return Board(replace(self.instance, chains=()))


@dataclass(frozen=True, slots=True)
class Anneal:
    """Search from the plan, cooling from one part of the schedule (0 hot, 1 cold) to its end."""

    task: Task
    seed: int
    until: float
    begin_at: float = 0.0

    def carry_out(self) -> Iterator[Found]:
        """Plans as they become better, at the end the best with the days met in the colder half."""
        draft = self.task.draft()
        annealer = Annealer(draft, Random(self.seed))
        begun = told = time.monotonic()
        told_cost = draft.cost
        columns: set[Column] = set()
        part = begin = self.begin_at
        while part < 1:
            annealer.run(lambda: self._part(begun), part + (1 - begin) / _SAMPLES)
            part = self._part(begun)
            if part >= (1 + begin) / 2:
                columns |= columns_of(draft.lines())
            if annealer.best_cost < told_cost and time.monotonic() - told >= _SECONDS_BETWEEN_FINDS:
                told, told_cost = time.monotonic(), annealer.best_cost
                yield Found(annealer.best_lines())
        best = annealer.best_lines()
        yield Found(best, frozenset(columns | columns_of(best)))

    def _part(self, begun: float) -> float:
        """How far the schedule is, by the time that is over."""
        passed = (time.monotonic() - begun) / max(self.until - begun, 0.001)
        return self.begin_at + (1 - self.begin_at) * passed


@dataclass(frozen=True, slots=True)
class Recombine:
    """Choose the best set of the days met so far."""

    task: Task
    columns: frozenset[Column]
    until: float
    workers: int

    def carry_out(self) -> Iterator[Found]:
        """One plan, not dearer than the one given."""
        draft = self.task.draft()
        lines = recombine(draft, self.columns, self.until - time.monotonic(), self.workers)
        if lines is not None:
            yield Found(lines)


@dataclass(frozen=True, slots=True)
class SolveExactly:
    """Solve the independent parts of an instance that are small enough, each as one model."""

    task: Task
    until: float

    def carry_out(self) -> Iterator[Solved | Proven]:
        """One solved part after the other, and the bounds of the parts together."""
        board = self.task.relaxed()
        proven = 0
        for part in independent_parts(board):
            seconds = self.until - time.monotonic()
            if seconds < 0 or possible_starts(board, part) > LARGEST:
                return
            answer = solve_exactly(board, part, seconds)
            proven += answer.bound
            yield Proven(proven)
            if answer.lines is not None and not self.task.instance.chains:
                yield Solved(frozenset(board.visits[visit].id for visit in part), answer.lines)


@dataclass(frozen=True, slots=True)
class Bound:
    """Prove how much every plan costs at least."""

    task: Task
    until: float

    def carry_out(self) -> Iterator[Proven]:
        """Better and better bounds."""
        board = self.task.relaxed()
        begun = time.monotonic()
        served = frozenset(board.number[line.visit] for line in self.task.lines)
        span = max(self.until - begun, 0.001)
        for bound in lower_bounds(board, served, lambda: (time.monotonic() - begun) / span):
            yield Proven(bound)
