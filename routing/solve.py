"""The one entry point of the planner: greedy first, then proofs and searches in child processes.

At every moment the best plan that `check` has accepted is at hand; it is what is returned, whatever the
children did. Time is shared out in rounds: while one child proves, others search; then CP-SAT recombines the
days they met, and a cooler search polishes the result. Independent parts (`parts`) share the time by their
size, small ones next to each other. Of a part that is too large for one search, pieces are searched while
the rest stays as it is, at the same time such on different days. This room only conducts: it knows no rule
and no method.
"""

from __future__ import annotations

import math
import os
import time
import warnings
from functools import partial
from random import Random
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

from routing.board import Board, bound_of_single_visits
from routing.budget import Budget
from routing.greedy import greedy
from routing.incumbent import Incumbent, PieceOf
from routing.orders import Anneal, Bound, Recombine, SolveExactly
from routing.parts import independent_parts, pieces, teams
from routing.problem import Plan
from routing.stop import Progress, Stop
from routing.workshop import Worker, wait_for_any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from routing.parts import Piece
    from routing.problem import Instance

_Order: TypeAlias = Anneal | Bound | Recombine | SolveExactly
_Lane: TypeAlias = "Sequence[Callable[[], _Job]]"

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
_FIRST_SWEEP_FROM, _SWEEP_FROM = 0.2, 0.4
"""Where on the schedule the search of pieces begins, at first and later."""
_MOST_LANES = 8
_LANES_OF_COUNTED_WORK = 2
_SMALLEST_PART = 1_000
_LARGEST_PART = 6_000
"""Visits: smaller parts are planned together, larger ones in pieces."""
_PIECE = 10_000
"""Visits that a piece has at most; those of 2,000 are searched faster, but leave too little room to move."""
_WAVE = 25.0
"""Seconds, or units of work, for which a piece is searched where there is enough."""
_MOST_SWEEPS = 8
_DIVIDED_BY = 0.2
"""Part of the time after which an instance that is not divided into parts yet stays whole."""


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


class _Subject(Protocol):
    """What an order is about."""

    def take(self, answer: object) -> bool:
        """Make use of what a child has said; whether a plan or a bound is better now."""


class _Job(NamedTuple):
    subject: _Subject
    order: _Order


class _Span(NamedTuple):
    """A stretch of time: when it begins, a value of `time.monotonic`, and what may be spent in it."""

    begin: float
    whole: Budget

    def part(self, since: float, until: float) -> _Span:
        """From one share of it to another."""
        return _Span(self.begin + since * (self.whole.until - self.begin), self.budget(since, until))

    def budget(self, since: float, until: float) -> Budget:
        """Of its work what lies between two shares, of its time all until the second."""
        if self.whole.work is not None:
            return Budget(self.whole.until, (until - since) * self.whole.work)
        return Budget(self.begin + until * (self.whole.until - self.begin))


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
        self._parts: list[Incumbent] = []
        self._workers: list[Worker] = []
        self._rounds = 0
        self._answers = 0
        self._worked = 0.0
        self._unheard: dict[int, list[tuple[_Subject, object]]] = {}
        counted = stop.work() is not None
        cores = min(len(os.sched_getaffinity(0)), _MOST_LANES)
        self._lanes = _LANES_OF_COUNTED_WORK if counted else cores

    def plan(self) -> Plan:
        """The best plan so far, in the order of the instance."""
        lines = {line.visit: line for part in self._parts for line in part.lines}
        ordered = tuple(lines[visit] for visit in self._instance.visits if visit in lines)
        return Plan(self._instance.name, ordered, self._bound)

    def begin(self, start: Plan | None) -> None:
        """The first plan: the better one of greedy's and the given one; parts of them where time is short."""
        horizon = self._horizon()
        divided_by = self._began + _DIVIDED_BY * horizon + _GRACE / 2
        parts = independent_parts(self._instance, _SMALLEST_PART, divided_by)
        self._parts = [Incumbent(part) for part in parts]
        done, total = 0, max(1, len(self._instance.visits))
        for part in self._parts:
            since, done = done / total, done + part.size
            ready = since + _BOARD * (done / total - since)
            board_by = self._began + ready * horizon + _GRACE / 2
            self._begin_part(part, board_by, self._began + done / total * horizon + _GRACE, start)
        self._look()

    def go_on(self) -> None:
        """Rounds until the stop criterion is met or nothing is left to improve."""
        while self._cost != self._bound:
            begin, whole = time.monotonic(), self._rest()
            if whole.is_over or whole.seconds < _SHORTEST_ROUND:
                return
            self._rounds += 1
            self._answers = 0
            self._round(_Span(begin, whole))
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

    # --- The first plan and the time ----------------------------------------------------------------

    def _begin_part(self, part: Incumbent, board_by: float, until: float, start: Plan | None) -> None:
        board = Board(part.instance, board_by)
        if board.is_complete:
            part.bound = bound_of_single_visits(board)
        drafts = [greedy(board, until=until)]
        if start is not None:
            drafts.append(greedy(board, start.assignments, until=until))
        best = min(drafts, key=lambda draft: draft.cost)
        part.pins = best.board.pins
        part.consider(best.lines())

    def _horizon(self) -> float:
        """Seconds after which the search is over in any case."""
        horizon = self._stop.horizon()
        return math.inf if horizon is None else horizon

    def _rest(self) -> Budget:
        """What is left to spend, or enough for a round where nobody knows."""
        horizon, work = self._horizon(), self._stop.work()
        checked_in = sum(part.checked_in for part in self._parts)
        end = self._began + horizon - min(_GRACE + 2 * checked_in, 0.1 * horizon)
        if work is not None:
            return Budget(end, work - self._worked)
        return Budget(end if horizon < math.inf else time.monotonic() + _ROUND)

    # --- What is done in a round ------------------------------------------------------------------

    def _round(self, span: _Span) -> None:
        """The parts share the time by their size: those worth all lanes one by one, then the others."""
        unproven = [part for part in self._parts if not part.is_proven]
        total = sum(part.size for part in unproven)
        narrow, since = [], 0.0
        for part in unproven:
            if part.size * self._lanes < total:
                narrow.append(part)
                continue
            until = since + part.size / max(total, 1)
            whole = span.part(since, until) if len(unproven) > 1 else span
            (self._in_pieces if part.size > _LARGEST_PART else self._in_phases)(part, whole)
            since = until
        if narrow:
            self._next_to_each_other(narrow, span.part(since, 1))

    def _in_phases(self, part: Incumbent, span: _Span) -> None:
        """Search and prove, recombine, polish, with all lanes."""
        self._phase = "search"
        self._work(self._search_lanes(part, span))
        self._phase = "recombine"
        self._work([[partial(self._recombination, part, span)]])
        self._phase = "polish"
        polish = span.budget(_RECOMBINATION, 1)
        self._work([[partial(self._anneal, part, lane, polish, _POLISH_FROM)] for lane in range(self._lanes)])

    def _search_lanes(self, part: Incumbent, span: _Span) -> list[_Lane]:
        """In the first round one lane proves for a while; all others search, from the plan so far."""
        budget = span.budget(0, _SEARCH)
        from_part = 0.0 if self._rounds == 1 else _POLISH_FROM / 2
        lanes: list[_Lane] = [
            [partial(self._anneal, part, lane, budget, from_part)] for lane in range(self._lanes)
        ]
        if self._rounds == 1:
            proof_ends = _SEARCH * (_PROOF if self._lanes > 1 else _PROOF / 2)
            rest = span.budget(proof_ends, _SEARCH)
            lanes[-1] = [
                *_proofs(part, span.budget(0, proof_ends)),
                partial(self._anneal, part, self._lanes - 1, rest, from_part),
            ]
        return lanes

    def _recombination(self, part: Incumbent, span: _Span) -> _Job:
        budget = span.budget(_SEARCH, _RECOMBINATION)
        return _Job(part, Recombine(part.task(), frozenset(part.columns), budget, self._lanes))

    def _in_pieces(self, part: Incumbent, span: _Span) -> None:
        """Team by team, the pieces of a team at the same time; each sweep has other teams and pieces."""
        self._phase = "search"
        count = -(-part.size // (_PIECE * self._lanes))
        waves = (span.whole.seconds if span.whole.work is None else span.whole.work) / _WAVE
        sweeps = max(1, min(_MOST_SWEEPS, int(waves / count)))
        for wave in range(sweeps * count):
            sweep, number = divmod(wave, count)
            random = Random(f"{self._seed} {self._rounds} {sweep}")
            team = teams(part.instance, count, random)[number]
            cut = pieces(part.instance, part.lines, team, self._lanes, random)
            begin_at = _FIRST_SWEEP_FROM if sweep == 0 and self._rounds == 1 else _SWEEP_FROM
            own = span.part(wave / (sweeps * count), (wave + 1) / (sweeps * count))
            self._work(self._wave(part, cut, wave, begin_at, own))

    def _wave(
        self, part: Incumbent, cut: Sequence[Piece], number: int, begin_at: float, span: _Span
    ) -> Sequence[_Lane]:
        """A piece for every lane; in the very first wave one lane proves before."""
        lanes: list[list[Callable[[], _Job]]] = [[] for _ in range(self._lanes)]
        proof = 0.0
        if number == 0 and self._rounds == 1:
            proof = _PROOF if self._lanes > 1 else _PROOF / 2
            lanes[-1].append(lambda: _Job(part, Bound(part.task(), span.budget(0, proof))))
        for lane, piece in enumerate(cut):
            budget = span.budget(proof if lane == self._lanes - 1 else 0, 1)
            seed = number * self._lanes + lane
            lanes[lane].append(partial(self._anneal, PieceOf(part, piece), seed, budget, begin_at))
        return lanes

    def _next_to_each_other(self, parts: Sequence[Incumbent], span: _Span) -> None:
        """Each lane with some of the parts one after the other, in the first round with a proof before."""
        self._phase = "search"
        loads: list[list[Incumbent]] = [[] for _ in range(self._lanes)]
        for part in sorted(parts, key=lambda part: -part.size):
            min(loads, key=lambda load: sum(one.size for one in load)).append(part)
        self._work([self._one_by_one(load, span) for load in loads])

    def _one_by_one(self, parts: Sequence[Incumbent], span: _Span) -> _Lane:
        jobs: list[Callable[[], _Job]] = []
        total, done = max(1, sum(part.size for part in parts)), 0
        for part in parts:
            own = span.part(done / total, (done + part.size) / total)
            done += part.size
            proof = _PROOF / 2 if self._rounds == 1 else 0.0
            if proof:
                jobs += _proofs(part, own.budget(0, proof))
            from_part = 0.0 if self._rounds == 1 else _POLISH_FROM / 2
            jobs.append(partial(self._anneal, part, 0, own.budget(proof, 1), from_part))
        return jobs

    def _anneal(self, subject: Incumbent | PieceOf, number: int, budget: Budget, begin_at: float) -> _Job:
        kind = 1 if self._phase == "search" else 2
        seed = ((self._seed * 1000 + self._rounds) * 10 + kind) * 1000 + number
        return _Job(subject, Anneal(subject.task(), seed % 2**63, budget, begin_at))

    # --- Children and their answers ---------------------------------------------------------------

    def _work(self, lanes: Sequence[_Lane]) -> None:
        """Carry out the orders of every lane one after the other, the lanes at the same time.

        Where work is counted, nothing is heard before all are done, and then lane by lane, so that it does
        not matter which is faster.
        """
        queues = [iter(lane) for lane in lanes]
        at_work: dict[int, tuple[Worker, _Job]] = {}
        for number, queue in enumerate(queues):
            self._next_order(number, queue, at_work)
        while at_work:
            wait_for_any([worker for worker, _ in at_work.values()], _LOOK_EVERY)
            for number, (worker, job) in list(at_work.items()):
                for answer in worker.messages():
                    self._answers += 1
                    self._unheard.setdefault(number, []).append((job.subject, answer))
                if time.monotonic() > job.order.budget.until + _GRACE:
                    worker.end()
                if worker.done:
                    self._next_order(number, queues[number], at_work)
            if self._stop.work() is None:
                self._hear_all()
            self._look()
        self._hear_all()
        self._look()

    def _next_order(
        self, number: int, queue: Iterator[Callable[[], _Job]], at_work: dict[int, tuple[Worker, _Job]]
    ) -> None:
        at_work.pop(number, None)
        for make in queue:
            job = make()
            if not job.order.budget.is_over:
                worker = Worker(job.order, _MEMORY_MB)
                self._workers = [other for other in self._workers if not other.done] + [worker]
                at_work[number] = worker, job
                return

    def _hear_all(self) -> None:
        """What the children have said, lane by lane."""
        unheard, self._unheard = self._unheard, {}
        for _, answers in sorted(unheard.items()):
            for subject, answer in answers:
                if subject.take(answer):
                    self._changed = time.monotonic()

    @property
    def _cost(self) -> int:
        return sum(part.cost for part in self._parts)

    @property
    def _bound(self) -> int:
        return sum(part.bound for part in self._parts)

    # --- Looking at the clock ---------------------------------------------------------------------

    def _look(self) -> None:
        """Tell the progress and leave when the search is over."""
        now = time.monotonic()
        state = Progress(
            seconds=now - self._began,
            phase=self._phase,
            cost=self._cost,
            bound=self._bound,
            unserved=sum(part.unserved for part in self._parts),
            unchanged=now - self._changed,
            work=self._worked,
        )
        if self._tell is not None and (self._changed > self._told or now - self._told >= 1):
            self._told = now
            self._tell(state)
        if self._stop.is_met(state) or state.cost == self._bound:
            raise _Over


def _proofs(part: Incumbent, budget: Budget) -> list[Callable[[], _Job]]:
    """Solve exactly what is small enough, and prove how much every plan costs at least."""
    return [
        lambda: _Job(part, SolveExactly(part.task(), budget)),
        lambda: _Job(part, Bound(part.task(), budget)),
    ]
