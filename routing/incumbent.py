"""The best plan so far of what is planned by itself, and what an answer of a child makes of it."""

from __future__ import annotations

import time
import warnings
from typing import TYPE_CHECKING

from routing.check import check
from routing.draft import columns_of
from routing.orders import Found, Proven, Solved, Task
from routing.problem import Plan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from routing.check import Report
    from routing.draft import Column
    from routing.parts import Piece
    from routing.problem import Assignment, Instance


class Incumbent:
    """An independent part of an instance with its best checked plan, its bound and the days met so far.

    At first the plan serves nobody. `pins` are the places of chains. `checked_in` are the seconds that the
    last check took.
    """

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.pins: Mapping[int, Assignment] = {}
        self.columns: set[Column] = set()
        self.bound = 0
        self.lines: tuple[Assignment, ...] = ()
        self.cost, self.unserved = _measures(check(instance, Plan(instance.name)))
        self.checked_in = 0.0

    @property
    def size(self) -> int:
        """How much time it needs compared with others: its visits."""
        return len(self.instance.visits)

    @property
    def is_proven(self) -> bool:
        """Whether no plan is cheaper."""
        return self.cost == self.bound

    def task(self) -> Task:
        """To search on from here."""
        return Task(self.instance, self.pins, self.lines)

    def take(self, answer: object) -> bool:
        """Make use of what a child has said; whether the plan or the bound is better now."""
        if isinstance(answer, Proven) and answer.bound > self.bound:
            self.bound = answer.bound
            return True
        if isinstance(answer, Solved):
            return self.consider((*self._others(answer.visits), *answer.lines))
        if isinstance(answer, Found):
            self.columns |= answer.columns
            return self.consider(answer.lines)
        return False

    def consider(self, lines: tuple[Assignment, ...]) -> bool:
        """Keep a plan if it is valid and better than the best; whether it is."""
        begun = time.monotonic()
        measures = _checked(self.instance, lines)
        self.checked_in = time.monotonic() - begun
        if measures is None or measures[0] >= self.cost:
            return False
        self.lines, (self.cost, self.unserved) = lines, measures
        self.columns |= columns_of(lines)
        return True

    def swap(self, visits: Mapping[str, object], lines: tuple[Assignment, ...]) -> None:
        """Serve some visits in another checked way."""
        self.lines = (*self._others(visits), *lines)

    def _others(self, visits: Mapping[str, object] | frozenset[str]) -> tuple[Assignment, ...]:
        return tuple(line for line in self.lines if line.visit not in visits)


class PieceOf:
    """A piece of a part whose other visits stay as they are; what becomes better here does so there."""

    def __init__(self, part: Incumbent, piece: Piece) -> None:
        self._part = part
        self._instance = piece.instance
        self._lines = piece.lines
        self._cost, self._unserved = _measures(check(piece.instance, Plan(piece.instance.name, piece.lines)))
        chained = {visit for chain in part.instance.chains for visit in chain}
        placed = {line.visit: line for line in piece.lines if line.visit in chained}
        self._pins = {
            number: placed[visit] for number, visit in enumerate(piece.instance.visits) if visit in placed
        }

    def task(self) -> Task:
        """To search on from here."""
        return Task(self._instance, self._pins, self._lines)

    def take(self, answer: object) -> bool:
        """Make use of what a child has said; whether the plan is better now."""
        if not isinstance(answer, Found):
            return False
        measures = _checked(self._instance, answer.lines)
        if measures is None or measures[0] >= self._cost or not self._keeps_chains(answer.lines):
            return False
        cost, unserved = measures
        self._part.cost += cost - self._cost
        self._part.unserved += unserved - self._unserved
        self._part.swap(self._instance.visits, answer.lines)
        self._lines, self._cost, self._unserved = answer.lines, cost, unserved
        return True

    def _keeps_chains(self, lines: tuple[Assignment, ...]) -> bool:
        """Whether what belongs to a chain stays where it is, whoever serves it."""
        where = {line.visit: (line.day, line.start, line.mode, line.site) for line in lines}
        return all(
            where.get(pin.visit) == (pin.day, pin.start, pin.mode, pin.site) for pin in self._pins.values()
        )


def _checked(instance: Instance, lines: tuple[Assignment, ...]) -> tuple[int, int] | None:
    """Cost and number of the unserved, None and a warning if the plan is not valid."""
    report = check(instance, Plan(instance.name, lines))
    if not report.valid:
        warnings.warn(f"a plan was refused: {report.violations[0]}", RuntimeWarning, stacklevel=3)
        return None
    return _measures(report)


def _measures(report: Report) -> tuple[int, int]:
    """Cost and number of the unserved."""
    if report.cost is None:
        raise ValueError("a plan with violations has no cost")
    return report.cost, sum((report.unserved or {}).values())
