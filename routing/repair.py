"""Repair: promises are kept as well as can be after a disturbance, times and places as they were told.

Some specialists may be gone, some hours closed, some rooms fewer. Promises fix the day, so every day is a
problem of its own: first the fewest promises are lost, the most urgent ones first, then the fewest visits
leave their holder, then travel and unmet wishes cost the least. Where everybody can stay, nobody moves. This
room conducts: `keeping` finds a first way, children of the workshop (`mending`) the best one and its proof.
Visits without a promise are left aside.
"""

from __future__ import annotations

import math
import os
import time
import warnings
from collections import Counter, defaultdict
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from routing.board import Board, bound_of_single_visits, loss_of
from routing.budget import Budget
from routing.check import Report, check
from routing.keeping import PromisedDay
from routing.orders import BoundDays, KeptDay, Mend, Mended, ProvenDay
from routing.problem import Assignment, Plan
from routing.proposals import Proposal, proposals
from routing.reasons import Reason, reasons
from routing.stop import Progress, Stop
from routing.workshop import Worker, wait_for_any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from routing.problem import Instance

_LOOK_EVERY = 0.1
_GRACE = 0.5
"""Seconds that a child may be late."""
_MEMORY_MB = 3_000
_MOST_LANES = 8
_PROPOSALS = 0.15
"""Part of the time that is kept for what could be promised instead, at most `_PROPOSAL_SECONDS`."""
_PROPOSAL_SECONDS = 5.0
_AIMS = ("lost_3", "lost_2", "lost_1", "changed", "cost")


class Proof(StrEnum):
    """What is known of a stage: that it cannot be better, a bound, or nothing since the time was over."""

    OPTIMAL = "optimal"
    BOUND = "bound"
    CUT = "cut"


@dataclass(frozen=True, slots=True)
class Stage:
    """How well an aim is met on a day. `bound` holds for whatever is as good in all stages before.

    Aims are `lost_3`, `lost_2` and `lost_1`, promises lost by priority, `changed`, visits that leave their
    holder, and `cost`, travel and unmet wishes at their prices: with the others at theirs, if it is alone.
    """

    aim: str
    value: int
    bound: int | None
    proof: Proof


@dataclass(frozen=True, slots=True)
class DayRepair:
    """What was achieved on a day, stage by stage, the most important first."""

    day: int
    stages: tuple[Stage, ...]

    @property
    def is_optimal(self) -> bool:
        """Whether every stage is proven."""
        return all(stage.proof == Proof.OPTIMAL for stage in self.stages)


@dataclass(frozen=True, slots=True)
class Lost:
    """A promise that is lost, why, and what could be promised instead, the nearest first.

    The proposals fit one at a time: to take one may leave no room for others, of this visit or of another.
    """

    visit: str
    reasons: tuple[Reason, ...]
    proposals: tuple[Proposal, ...] = ()


@dataclass(frozen=True, slots=True)
class Repair:
    """The repaired plan with a bound on every plan, the proofs by day, what is lost, and who takes over what.

    `citizens` counts those who lose their promise or meet another specialist, linked visits once;
    `specialists` those whose visits are not what they held.
    """

    plan: Plan
    days: tuple[DayRepair, ...]
    lost: tuple[Lost, ...]
    moves: Mapping[str, str]
    citizens: int
    specialists: int


def repair(
    instance: Instance,
    *,
    stop: Stop,
    seed: int = 0,
    progress: Callable[[Progress], None] | None = None,
    at_prices: bool = False,
) -> Repair:
    """The best repair found until the stop criterion is met; always a valid plan.

    With `at_prices`, losses, changes and travel are weighed by their prices as in the cost of a plan, not
    one before the other, on days on which not all can stay. A holder need not be in the instance.
    KeyboardInterrupt ends the search and is answered with the best so far. Where the stop criterion counts
    work, the same seed gives the same repair.
    """
    work = _Repairing(instance, stop, seed, progress, at_prices=at_prices)
    try:
        work.search()
    except (_Over, KeyboardInterrupt):
        pass
    finally:
        work.end()
    return work.answer()


class _Over(Exception):
    """The search is over."""


class _Day:
    """A day and the best that is known of it."""

    def __init__(self, instance: Instance, day: int, *, at_prices: bool) -> None:
        self.instance = _only(instance, [day])
        self._aims = _AIMS[-1:] if at_prices else _AIMS
        self.promised = PromisedDay(self.instance, day)
        self.keeps: Mapping[str, int] = self.promised.keep()
        self.report = self._judge(self.keeps)
        staying = {name: self.promised.holder(name) for name in self.promised.visits}
        self.is_settled = self.keeps == staying
        self.bounds: tuple[int | None, ...] = (None,) * len(self._aims)
        if self.is_settled:
            least = self._values()[-1] - (self._price_of_hopeless() if at_prices else 0)
            self.bounds = (*(0 for _ in self._aims[:-1]), least)
        self.least_cost = bound_of_single_visits(Board(replace(self.instance, chains=())))

    def hear(self, answer: object) -> None:
        """Keep what a child has found, if it is valid."""
        if isinstance(answer, ProvenDay):
            self.least_cost = max(self.least_cost, answer.bound + self._price_of_hopeless())
        elif isinstance(answer, Mended):
            report = self._judge(answer.keeps)
            if not report.valid:
                warnings.warn(f"a repair was refused: {report.violations[0]}", RuntimeWarning, stacklevel=2)
                return
            self.keeps, self.report, self.bounds = answer.keeps, report, answer.bounds
            if self._aims != _AIMS and answer.bounds[0] is not None:
                self.least_cost = max(self.least_cost, answer.bounds[0] + self._price_of_hopeless())

    def kept(self) -> KeptDay:
        """The day for a child."""
        return KeptDay(self.instance, self.promised.day, self.keeps)

    def lines(self) -> tuple[Assignment, ...]:
        """The assignments of the day."""
        return self._lines(self.keeps)

    def stages(self) -> tuple[Stage, ...]:
        """What is known of each aim."""
        is_proven, stages = True, []
        for aim, value, bound in zip(self._aims, self._values(), self._all_bounds(), strict=True):
            is_proven = is_proven and bound == value
            proof = Proof.CUT if bound is None else Proof.OPTIMAL if is_proven else Proof.BOUND
            stages.append(Stage(aim, value, bound, proof))
        return tuple(stages)

    def is_optimal(self) -> bool:
        """Whether no plan at all costs less."""
        return self.report.cost is not None and self.report.cost <= self.least_cost

    def _price_of_hopeless(self) -> int:
        return self.instance.weights.lost_promise * len(self.promised.hopeless)

    def _judge(self, keeps: Mapping[str, int]) -> Report:
        return check(self.instance, Plan(self.instance.name, self._lines(keeps)))

    def _lines(self, keeps: Mapping[str, int]) -> tuple[Assignment, ...]:
        lines = []
        for name, visit in self.promised.visits.items():
            if name in keeps and visit.promise is not None:
                told, who = visit.promise, self.promised.workday.staff[keeps[name]].id
                lines.append(Assignment(name, who, told.day, told.start, told.mode, told.site))
        return tuple(lines)

    def _values(self) -> tuple[int, ...]:
        """The value of each aim, as the checker counts."""
        report, weights = self.report, self.instance.weights
        unserved, lost, changed = report.unserved or {}, report.lost or 0, report.changed or 0
        if self._aims != _AIMS:
            return (report.cost or 0,)
        cost = (report.cost or 0) - weights.lost_promise * lost - weights.change * changed
        return *(unserved.get(priority, 0) for priority in (3, 2, 1)), changed, cost

    def _all_bounds(self) -> Iterator[int | None]:
        """The bounds with what nobody could keep."""
        hopeless = Counter(f"lost_{self.instance.visits[name].priority}" for name in self.promised.hopeless)
        for aim, bound in zip(self._aims, self.bounds, strict=True):
            more = hopeless[aim] if self._aims == _AIMS else self._price_of_hopeless()
            yield None if bound is None else bound + more


class _Repairing:
    def __init__(
        self,
        instance: Instance,
        stop: Stop,
        seed: int,
        progress: Callable[[Progress], None] | None,
        *,
        at_prices: bool,
    ) -> None:
        self._at_prices = at_prices
        self._began = self._changed = time.monotonic()
        self._stop, self._seed, self._tell = stop, seed, progress
        self._told = self._worked = 0.0
        self._instance = instance
        self._left_aside = [visit for visit in instance.visits.values() if visit.promise is None]
        promised = sorted({visit.promise.day for visit in instance.visits.values() if visit.promise})
        self._days = [_Day(instance, day, at_prices=at_prices) for day in promised]
        self._day_of = {day.promised.day: day for day in self._days}
        self._workers: dict[int, tuple[Worker, float]] = {}
        cores = min(len(os.sched_getaffinity(0)), _MOST_LANES)
        self._lanes = max(1, min(cores, len(self._days)))
        horizon = stop.horizon()
        self._horizon = math.inf if horizon is None else horizon
        kept = min(_PROPOSALS * self._horizon, _PROPOSAL_SECONDS)
        self._until = self._began + self._horizon - kept

    # --- The search -------------------------------------------------------------------------------

    def search(self) -> None:
        """Mend the days on which not all can stay, then prove what every plan costs at least."""
        self._look()
        work, seed = self._stop.work(), self._seed % 2**31
        unsettled = sorted(
            (day for day in self._days if not day.is_settled),
            key=lambda day: (-len(day.promised.visits) + len(day.keeps), day.promised.day),
        )
        a_day = None if work is None else work / 2 / max(1, len(unsettled))
        for left, day in zip(range(len(unsettled), 0, -1), unsettled, strict=True):
            self._wait_for_lane()
            budget = self._budget(min(1.0, self._lanes / left), a_day)
            self._begin(Mend(day.kept(), budget, seed, self._at_prices), budget)
        self._wait_for_all()
        self._worked += (work or 0) / 2
        if not self._left_aside:  # a visit without a promise may shorten the way between others
            unproven = [day.kept() for day in self._days if not day.is_optimal()]
            for lane in range(self._lanes):
                budget = self._budget(1.0, None if work is None else work / 2 / self._lanes)
                self._begin(BoundDays(tuple(unproven[lane :: self._lanes]), budget, seed), budget)
            self._wait_for_all()

    def _budget(self, share: float, work: float | None) -> Budget:
        """A share of the time that is left."""
        return Budget(time.monotonic() + share * max(0.0, self._until - time.monotonic()), work)

    def _begin(self, order: Mend | BoundDays, budget: Budget) -> None:
        if not budget.is_over:
            worker = Worker(order, _MEMORY_MB)
            self._workers[worker.pid] = worker, budget.until + _GRACE

    def _wait_for_lane(self) -> None:
        while len(self._workers) >= self._lanes:
            self._hear(wait=_LOOK_EVERY)
            self._look()

    def _wait_for_all(self) -> None:
        while self._workers:
            self._hear(wait=_LOOK_EVERY)
            self._look()

    def _hear(self, wait: float) -> None:
        wait_for_any([worker for worker, _ in self._workers.values()], wait)
        for pid, (worker, until) in list(self._workers.items()):
            for answer in worker.messages():
                self._day_of[answer.day].hear(answer)
                self._changed = time.monotonic()
            if time.monotonic() > until:
                worker.end()
            if worker.done:
                del self._workers[pid]

    def end(self) -> None:
        """End all children."""
        for worker, _ in self._workers.values():
            worker.end()
        self._hear(wait=0)

    def _look(self) -> None:
        """Tell the progress and leave when the search is over."""
        now = time.monotonic()
        reports = [day.report for day in self._days]
        left = sum(loss_of(self._instance, visit) for visit in self._left_aside)
        state = Progress(
            seconds=now - self._began,
            phase="repair",
            cost=left + sum(report.cost or 0 for report in reports),
            bound=self._bound(),
            unserved=len(self._left_aside) + sum(sum((one.unserved or {}).values()) for one in reports),
            unchanged=now - self._changed,
            work=self._worked,
        )
        if self._tell is not None and (self._changed > self._told or now - self._told >= 1):
            self._told = now
            self._tell(state)
        if self._stop.is_met(state) or now > self._until + _GRACE:
            raise _Over

    def _bound(self) -> int:
        """What every plan costs at least."""
        return 0 if self._left_aside else sum(day.least_cost for day in self._days)

    # --- The answer -------------------------------------------------------------------------------

    def answer(self) -> Repair:
        """The repair as it stands."""
        lines = tuple(line for day in self._days for line in day.lines())
        plan = Plan(self._instance.name, lines, self._bound())
        visits, served = self._instance.visits, {line.visit for line in lines}
        moves = {
            line.visit: line.specialist
            for line in lines
            if visits[line.visit].holder not in (None, line.specialist)
        }
        lost = [visit.id for visit in visits.values() if visit.promise and visit.id not in served]
        touched = {*lost, *moves}
        chain_of = {visit: chain for chain in self._instance.chains for visit in chain}
        return Repair(
            plan=plan,
            days=tuple(DayRepair(day.promised.day, day.stages()) for day in self._days),
            lost=self._explained(plan, lost),
            moves=moves,
            citizens=len({chain_of.get(visit, visit) for visit in touched}),
            specialists=len({*moves.values(), *(h for v in touched if (h := visits[v].holder))}),
        )

    def _explained(self, plan: Plan, lost: Sequence[str]) -> tuple[Lost, ...]:
        """Why each promise is lost, and what could be promised instead as long as there is time."""
        if not lost:
            return ()
        days = {told.day for visit in lost if (told := self._instance.visits[visit].promise)}
        here = tuple(line for line in plan.assignments if line.day in days)
        why = reasons(_only(self._instance, days), Plan(plan.instance, here))
        instead = proposals(self._instance, plan, lost, self._began + self._horizon)
        return tuple(Lost(visit, why[visit], instead.get(visit, ())) for visit in lost)


def _only(instance: Instance, days: Collection[int]) -> Instance:
    """What matters for the promises of some days."""
    visits = {
        name: visit for name, visit in instance.visits.items() if visit.promise and visit.promise.day in days
    }
    rooms = {site: tuple(one for one in spans if one.day in days) for site, spans in instance.rooms.items()}
    shifts = defaultdict(list)
    for one in instance.specialists.values():
        for shift in one.shifts:
            if shift.day in days:
                shifts[one.id].append(shift)
    staff = {name: replace(instance.specialists[name], shifts=tuple(hers)) for name, hers in shifts.items()}
    chains = tuple(chain for chain in instance.chains if visits.keys() & {*chain})
    return replace(instance, visits=visits, rooms=rooms, specialists=staff, chains=chains)
