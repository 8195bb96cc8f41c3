"""The one entry point of the planner: greedy first, then proofs and searches in child processes.

At every moment the best plan that `check` has accepted is at hand; it is what is returned, whatever the
children did. Time is shared out in rounds: while one child proves, others search; then CP-SAT recombines the
days they met, and a cooler search polishes the result. This room only conducts: it knows no rule and no
method.
"""

from __future__ import annotations

import os
import time
import warnings
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from routing.board import Board, bound_of_single_visits
from routing.check import Report, check
from routing.draft import Column, columns_of
from routing.greedy import greedy
from routing.orders import Anneal, Bound, Found, Proven, Recombine, Solved, SolveExactly, Task
from routing.problem import Plan
from routing.stop import Progress, Stop
from routing.workshop import Worker, wait_for_any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from routing.problem import Assignment, Instance

_Order: TypeAlias = Anneal | Bound | Recombine | SolveExactly
_Lane: TypeAlias = "Sequence[Callable[[], _Order]]"

_LOOK_EVERY = 0.1
_ROUND = 120.0
_GRACE = 0.5
"""Seconds that a child may be late with its last word."""
_MEMORY_MB = 3_000
_SEARCH, _RECOMBINATION = 0.78, 0.85
"""Parts of a round at which the search and the recombination end."""
_POLISH_FROM = 0.6
_MOST_LANES = 8


def solve(
    instance: Instance,
    *,
    stop: Stop,
    seed: int = 0,
    start: Plan | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Plan:
    """The best plan found until the stop criterion is met, with the best bound proven.

    `start` is a plan to begin with; what it says is kept as far as it is valid. `progress` is called about
    once a second and at every improvement. KeyboardInterrupt ends the search and is answered with the best
    plan so far. The same seed gives the same plan as far as a limit in wall time allows.
    """
    search = _Search(instance, stop, seed, progress)
    try:
        search.begin(start)
        search.go_on()
    except (_Over, KeyboardInterrupt):
        pass
    finally:
        search.end()
    return search.plan()


class _Over(Exception):
    """The search is over."""


class _Search:
    def __init__(
        self, instance: Instance, stop: Stop, seed: int, progress: Callable[[Progress], None] | None
    ) -> None:
        self._instance = instance
        self._stop = stop
        self._seed = seed
        self._tell = progress
        self._began = self._changed = time.monotonic()
        self._told = 0.0
        self._phase = "greedy"
        self._best = Plan(instance.name)
        self._report = check(instance, self._best)
        self._bound = 0
        self._pins: dict[int, Assignment] = {}
        self._columns: set[Column] = set()
        self._workers: list[Worker] = []
        self._orders = 0

    def plan(self) -> Plan:
        """The best plan so far."""
        return replace(self._best, bound=self._bound)

    def begin(self, start: Plan | None) -> None:
        """The first plan: the better one of greedy's and the given one."""
        board = Board(self._instance)
        self._bound = bound_of_single_visits(board)
        drafts = [greedy(board)]
        if start is not None:
            drafts.append(greedy(board, start.assignments))
        best = min(drafts, key=lambda draft: draft.cost)
        self._pins = best.board.pins
        self._consider(best.lines())
        self._look()

    def go_on(self) -> None:
        """Rounds until the stop criterion is met or nothing is left to improve."""
        lanes = max(1, min(len(os.sched_getaffinity(0)), _MOST_LANES))
        while self._report.cost != self._bound:
            begin, end = time.monotonic(), self._end_of_round()
            if end - begin < _GRACE:
                return
            self._phase = "search"
            self._work(self._search_lanes(lanes, begin, end))
            self._phase = "recombine"
            self._work([[partial(self._recombination, lanes, begin, end)]])
            self._phase = "polish"
            self._work([[partial(self._anneal, end, _POLISH_FROM)]] * lanes)

    def end(self) -> None:
        """End all children."""
        for worker in self._workers:
            worker.end()

    # --- What is done in a round ------------------------------------------------------------------

    def _end_of_round(self) -> float:
        horizon = self._stop.horizon()
        now = time.monotonic()
        if horizon is None:
            return now + _ROUND
        left = self._began + horizon - min(2 * _GRACE, 0.1 * horizon) - now
        return now + (left if left < 1.5 * _ROUND else _ROUND)

    def _search_lanes(self, lanes: int, begin: float, end: float) -> list[_Lane]:
        """In the first round one lane proves, half the time if it is the only one; all others search."""
        until = begin + _SEARCH * (end - begin)
        search: list[_Lane] = [[partial(self._anneal, until)]] * lanes
        if self._orders == 0:
            proof_until = until if lanes > 1 else (begin + until) / 2
            search[-1] = [
                lambda: SolveExactly(self._task(), proof_until),
                lambda: Bound(self._task(), proof_until),
                *search[-1],
            ]
        return search

    def _recombination(self, lanes: int, begin: float, end: float) -> Recombine:
        until = begin + _RECOMBINATION * (end - begin)
        return Recombine(self._task(), frozenset(self._columns), until, lanes)

    def _anneal(self, until: float, begin_at: float = 0.0) -> Anneal:
        self._orders += 1
        return Anneal(self._task(), 1000 * self._seed + self._orders, until, begin_at)

    def _task(self) -> Task:
        return Task(self._instance, self._pins, self._best.assignments)

    # --- Children and their answers ---------------------------------------------------------------

    def _work(self, lanes: Sequence[_Lane]) -> None:
        """Carry out the orders of every lane one after the other, the lanes at the same time."""
        queues = [iter(lane) for lane in lanes]
        at_work: dict[int, tuple[Worker, float]] = {}
        for number, queue in enumerate(queues):
            self._next_order(number, queue, at_work)
        while at_work:
            wait_for_any([worker for worker, _ in at_work.values()], _LOOK_EVERY)
            for number, (worker, until) in list(at_work.items()):
                for answer in worker.messages():
                    self._hear(answer)
                if time.monotonic() > until + _GRACE:
                    worker.end()
                if worker.done:
                    self._next_order(number, queues[number], at_work)
            self._look()

    def _next_order(
        self, number: int, queue: Iterator[Callable[[], _Order]], at_work: dict[int, tuple[Worker, float]]
    ) -> None:
        at_work.pop(number, None)
        for make in queue:
            order = make()
            if order.until > time.monotonic():
                worker = Worker(order, _MEMORY_MB)
                self._workers = [other for other in self._workers if not other.done] + [worker]
                at_work[number] = worker, order.until
                return

    def _hear(self, answer: object) -> None:
        if isinstance(answer, Proven):
            if answer.bound > self._bound:
                self._bound = answer.bound
                self._changed = time.monotonic()
        elif isinstance(answer, Solved):
            others = tuple(line for line in self._best.assignments if line.visit not in answer.visits)
            self._consider(others + answer.lines)
        elif isinstance(answer, Found):
            self._columns |= answer.columns
            self._consider(answer.lines)

    def _consider(self, lines: tuple[Assignment, ...]) -> None:
        """Keep a plan if it is valid and better than the best."""
        plan = Plan(self._instance.name, lines)
        report = check(self._instance, plan)
        if not report.valid:
            warnings.warn(f"a plan was refused: {report.violations[0]}", RuntimeWarning, stacklevel=2)
        elif _cost(report) < self._cost():
            self._best, self._report = plan, report
            self._changed = time.monotonic()
            self._columns |= columns_of(lines)

    def _cost(self) -> int:
        return _cost(self._report)

    # --- Looking at the clock ---------------------------------------------------------------------

    def _look(self) -> None:
        """Tell the progress and leave when the search is over."""
        now = time.monotonic()
        state = Progress(
            seconds=now - self._began,
            phase=self._phase,
            cost=self._cost(),
            bound=self._bound,
            unserved=sum((self._report.unserved or {}).values()),
            unchanged=now - self._changed,
        )
        if self._tell is not None and (self._changed > self._told or now - self._told >= 1):
            self._told = now
            self._tell(state)
        if self._stop.is_met(state) or state.cost == self._bound:
            raise _Over


def _cost(report: Report) -> int:
    if report.cost is None:
        raise ValueError("a plan with violations has no cost")
    return report.cost
