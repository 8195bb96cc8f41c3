"""The one entry point of the planner: greedy first, then proofs and searches in child processes.

At every moment the best plan that `check` has accepted is at hand; it is what is returned, whatever the
children did. Time is shared out in rounds: while one child proves, others search; then CP-SAT recombines the
days they met, and a cooler search polishes the result. This room only conducts: it knows no rule and no
method.
"""

from __future__ import annotations

import math
import os
import time
import warnings
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from routing.board import Board, bound_of_single_visits
from routing.budget import Budget
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
"""Seconds of a round where the stop criterion does not say when the search is over."""
_SHORTEST_ROUND = 0.4
_GRACE = 0.5
"""Seconds that a child may be late with its last word, and the first plan with its parts."""
_MEMORY_MB = 3_000
_SEARCH, _RECOMBINATION = 0.8, 0.85
"""Parts of a round at which the search and the recombination end."""
_PROOF = 0.75
"""Part of the search for which one lane proves, where there is another one."""
_BOARD = 0.6
"""Part of the time in which the board must be ready; only the largest instances need so much."""
_POLISH_FROM = 0.6
_MOST_LANES = 8
_LANES_OF_COUNTED_WORK = 2


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
    plan so far. Where the stop criterion counts work, the same seed gives the same plan.
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
        self._checked_in = 0.0
        self._bound = 0
        self._pins: dict[int, Assignment] = {}
        self._columns: set[Column] = set()
        self._workers: list[Worker] = []
        self._rounds = 0
        self._answers = 0
        self._worked = 0.0
        self._unheard: dict[int, list[object]] = {}
        counted = stop.work() is not None
        cores = min(len(os.sched_getaffinity(0)), _MOST_LANES)
        self._lanes = _LANES_OF_COUNTED_WORK if counted else cores

    def plan(self) -> Plan:
        """The best plan so far."""
        return replace(self._best, bound=self._bound)

    def begin(self, start: Plan | None) -> None:
        """The first plan: the better one of greedy's and the given one; parts of them where time is short."""
        horizon = self._horizon()
        board = Board(self._instance, self._began + _BOARD * horizon + _GRACE / 2)
        if board.is_complete:
            self._bound = bound_of_single_visits(board)
        until = self._began + horizon + _GRACE
        drafts = [greedy(board, until=until)]
        if start is not None:
            drafts.append(greedy(board, start.assignments, until=until))
        best = min(drafts, key=lambda draft: draft.cost)
        self._pins = best.board.pins
        self._consider(best.lines())
        self._look()

    def go_on(self) -> None:
        """Rounds until the stop criterion is met or nothing is left to improve."""
        while self._report.cost != self._bound:
            begin, whole = time.monotonic(), self._rest()
            if whole.is_over or whole.seconds < _SHORTEST_ROUND:
                return
            self._rounds += 1
            self._answers = 0
            self._phase = "search"
            self._work(self._search_lanes(begin, whole))
            self._phase = "recombine"
            self._work([[partial(self._recombination, begin, whole)]])
            self._phase = "polish"
            polish = _part(begin, whole, _RECOMBINATION, 1)
            self._work([[partial(self._anneal, lane, polish, _POLISH_FROM)] for lane in range(self._lanes)])
            self._worked += whole.work or 0
            if not self._answers:
                if whole.seconds > _GRACE:
                    warnings.warn("the search had no answer from its children", RuntimeWarning, stacklevel=3)
                return

    def end(self) -> None:
        """End all children."""
        for worker in self._workers:
            worker.end()
        self._hear_all()

    # --- What is done in a round ------------------------------------------------------------------

    def _horizon(self) -> float:
        """Seconds after which the search is over in any case."""
        horizon = self._stop.horizon()
        return math.inf if horizon is None else horizon

    def _rest(self) -> Budget:
        """What is left to spend, or enough for a round where nobody knows."""
        horizon, work = self._horizon(), self._stop.work()
        end = self._began + horizon - min(_GRACE + 2 * self._checked_in, 0.1 * horizon)
        if work is not None:
            return Budget(end, work - self._worked)
        return Budget(end if horizon < math.inf else time.monotonic() + _ROUND)

    def _search_lanes(self, begin: float, whole: Budget) -> list[_Lane]:
        """In the first round one lane proves for a while; all others search, from the plan so far."""
        budget = _part(begin, whole, 0, _SEARCH)
        from_part = 0.0 if self._rounds == 1 else _POLISH_FROM / 2
        lanes: list[_Lane] = [[partial(self._anneal, lane, budget, from_part)] for lane in range(self._lanes)]
        if self._rounds == 1:
            proof_ends = _SEARCH * (_PROOF if self._lanes > 1 else _PROOF / 2)
            proof = _part(begin, whole, 0, proof_ends)
            rest = _part(begin, whole, proof_ends, _SEARCH)
            lanes[-1] = [
                lambda: SolveExactly(self._task(), proof),
                lambda: Bound(self._task(), proof),
                partial(self._anneal, self._lanes - 1, rest, from_part),
            ]
        return lanes

    def _recombination(self, begin: float, whole: Budget) -> Recombine:
        budget = _part(begin, whole, _SEARCH, _RECOMBINATION)
        return Recombine(self._task(), frozenset(self._columns), budget, self._lanes)

    def _anneal(self, lane: int, budget: Budget, begin_at: float) -> Anneal:
        kind = 1 if self._phase == "search" else 2
        seed = ((self._seed * 1000 + self._rounds) * 10 + kind) * 100 + lane
        return Anneal(self._task(), seed % 2**63, budget, begin_at)

    def _task(self) -> Task:
        return Task(self._instance, self._pins, self._best.assignments)

    # --- Children and their answers ---------------------------------------------------------------

    def _work(self, lanes: Sequence[_Lane]) -> None:
        """Carry out the orders of every lane one after the other, the lanes at the same time.

        Where work is counted, nothing is heard before all are done, and then lane by lane, so that it does
        not matter which is faster.
        """
        queues = [iter(lane) for lane in lanes]
        at_work: dict[int, tuple[Worker, float]] = {}
        for number, queue in enumerate(queues):
            self._next_order(number, queue, at_work)
        while at_work:
            wait_for_any([worker for worker, _ in at_work.values()], _LOOK_EVERY)
            for number, (worker, until) in list(at_work.items()):
                for answer in worker.messages():
                    self._answers += 1
                    self._unheard.setdefault(number, []).append(answer)
                if time.monotonic() > until + _GRACE:
                    worker.end()
                if worker.done:
                    self._next_order(number, queues[number], at_work)
            if self._stop.work() is None:
                self._hear_all()
            self._look()
        self._hear_all()
        self._look()

    def _next_order(
        self, number: int, queue: Iterator[Callable[[], _Order]], at_work: dict[int, tuple[Worker, float]]
    ) -> None:
        at_work.pop(number, None)
        for make in queue:
            order = make()
            if not order.budget.is_over:
                worker = Worker(order, _MEMORY_MB)
                self._workers = [other for other in self._workers if not other.done] + [worker]
                at_work[number] = worker, order.budget.until
                return

    def _hear_all(self) -> None:
        """What the children have said, lane by lane."""
        unheard, self._unheard = self._unheard, {}
        for _, answers in sorted(unheard.items()):
            for answer in answers:
                self._hear(answer)

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
        begun = time.monotonic()
        report = check(self._instance, plan)
        self._checked_in = time.monotonic() - begun
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
            work=self._worked,
        )
        if self._tell is not None and (self._changed > self._told or now - self._told >= 1):
            self._told = now
            self._tell(state)
        if self._stop.is_met(state) or state.cost == self._bound:
            raise _Over


def _part(begin: float, whole: Budget, since: float, until: float) -> Budget:
    """A part of a round: of its work what lies between two shares, of its time all until the second."""
    if whole.work is not None:
        return Budget(whole.until, (until - since) * whole.work)
    return Budget(begin + until * (whole.until - begin))


def _cost(report: Report) -> int:
    if report.cost is None:
        raise ValueError("a plan with violations has no cost")
    return report.cost
