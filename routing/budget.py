"""How much an order may take: wall time, and where plans are to be repeatable, work that is counted.

A unit of work is about what one core of an ordinary machine does in a second for a county month. Counted are
steps of the search, ascents of the bound, and the deterministic time of CP-SAT.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any

STEPS_A_UNIT = 40_000
ASCENTS_A_UNIT = 8
_FOREVER = 10.0**6
"""Seconds; CP-SAT wants a finite limit."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Over at `until`, a value of `time.monotonic`, and where `work` is given also after so many units."""

    until: float
    work: float | None = None

    @property
    def seconds(self) -> float:
        """Wall time that is left."""
        return min(max(0.0, self.until - time.monotonic()), _FOREVER)

    @property
    def is_over(self) -> bool:
        """Whether nothing is left."""
        return self.seconds <= 0 or (self.work is not None and self.work <= 0)

    def less(self, work: float) -> Budget:
        """What is left once so much work is done."""
        return self if self.work is None else Budget(self.until, self.work - work)

    def share(self, parts: float) -> Budget:
        """One of so many equal parts of what is left."""
        work = None if self.work is None else self.work / parts
        return Budget(time.monotonic() + self.seconds / parts, work)

    def limit(self, parameters: Any, workers: int = 1) -> None:
        """Set the limits and the number of workers of CP-SAT, one where the work is counted."""
        parameters.max_time_in_seconds = max(self.seconds, 0.1)
        parameters.num_workers = workers if self.work is None else 1
        if self.work is not None:
            parameters.max_deterministic_time = max(self.work, 0.01)


class Schedule:
    """Which part of a budget is over, from `begin_at` to 1; `a_unit` is what is counted in a unit of work."""

    def __init__(self, budget: Budget, a_unit: int, begin_at: float = 0.0) -> None:
        self._budget = budget
        self._begun = time.monotonic()
        self._total = math.inf if budget.work is None else max(budget.work * a_unit, 1)
        self._begin_at = begin_at

    def part(self, done: int) -> float:
        """The part that is over when so much is done."""
        budget, now = self._budget, time.monotonic()
        if now >= budget.until:
            return 1.0
        by_time = (now - self._begun) / max(budget.until - self._begun, 0.001)
        over = by_time if budget.work is None else done / self._total
        return self._begin_at + (1 - self._begin_at) * over
