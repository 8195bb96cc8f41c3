"""How a child of the workshop carries out its order; `orders` says what there is to do."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import singledispatch
from itertools import count

from routing.anneal import Annealer
from routing.board import Board, possible_starts
from routing.bound import lower_bounds
from routing.budget import ASCENTS_A_UNIT, STEPS_A_UNIT, Schedule
from routing.deployment import best_deployment
from routing.draft import Column, Draft, columns_of
from routing.fewest import fewest_specialists
from routing.mending import least_costs, mend
from routing.network import LARGEST, solve_exactly
from routing.orders import (
    Anneal,
    Bound,
    BoundDays,
    Deploy,
    Deployed,
    FewestSpecialists,
    Found,
    Mend,
    Mended,
    Proven,
    ProvenDay,
    Recombine,
    Solved,
    SolveExactly,
    Task,
)
from routing.parts import independent_parts
from routing.recombine import recombine

_SECONDS_BETWEEN_FINDS = 1.0
_FEW_VISITS = 2_000
"""With so many more a find costs the parent a second more to check."""
_SAMPLES = 40
_NICE = 10
"""Nobody waits for a better deployment: whoever books goes first."""


@singledispatch
def carry_out(order: object) -> Iterator[Found | Solved | Proven | Deployed | Mended | ProvenDay]:
    """What comes out of the order, as it comes."""
    raise TypeError(f"no such order: {type(order).__name__}")


@carry_out.register
def _anneal(order: Anneal) -> Iterator[Found]:
    """Plans as they become better, at the end the best with the days met in the colder half."""
    annealer = Annealer(_draft(order.task), order.seed)
    schedule = Schedule(order.budget, STEPS_A_UNIT, order.begin_at)
    pause = _SECONDS_BETWEEN_FINDS * (1 + len(order.task.instance.visits) / _FEW_VISITS)
    told, told_cost = time.monotonic(), annealer.best_cost
    columns: set[Column] = set()
    part = begin = order.begin_at
    while part < 1:
        annealer.run(schedule.part, part + (1 - begin) / _SAMPLES)
        part = schedule.part(annealer.steps)
        if part >= (1 + begin) / 2:
            columns |= columns_of(annealer.lines())
        if annealer.best_cost < told_cost and time.monotonic() - told >= pause:
            told, told_cost = time.monotonic(), annealer.best_cost
            yield Found(annealer.best_lines())
    best = annealer.best_lines()
    yield Found(best, frozenset(columns | columns_of(best)))


@carry_out.register
def _recombine(order: Recombine) -> Iterator[Found]:
    """One plan, not dearer than the one given."""
    lines = recombine(_draft(order.task), order.columns, order.budget, order.workers)
    if lines is not None:
        yield Found(lines)


@carry_out.register
def _solve_exactly(order: SolveExactly) -> Iterator[Solved | Proven]:
    """One solved part after the other, and the bounds of the parts together."""
    proven, budget = 0, order.budget
    for part in independent_parts(replace(order.task.instance, chains=())):
        board = Board(part)
        if budget.is_over:
            return
        if possible_starts(board) > LARGEST:
            continue
        answer = solve_exactly(board, budget)
        budget = budget.less(answer.work)
        proven += answer.bound
        yield Proven(proven)
        if answer.lines is not None and not order.task.instance.chains:
            yield Solved(frozenset(part.visits), answer.lines)


@carry_out.register
def _bound(order: Bound) -> Iterator[Proven]:
    """Better and better bounds."""
    board = _relaxed(order.task)
    served = frozenset(board.number[line.visit] for line in order.task.lines)
    schedule, ascents = Schedule(order.budget, ASCENTS_A_UNIT), count()
    for bound in lower_bounds(board, served, lambda: schedule.part(next(ascents))):
        yield Proven(bound)


@carry_out.register
def _deploy(order: Deploy) -> Iterator[Deployed]:
    """One answer, none where the holders cannot keep their promises or the time is over."""
    os.nice(_NICE)
    deployed = best_deployment(order)
    if deployed is not None:
        yield deployed


@carry_out.register
def _mend(order: Mend) -> Iterator[Mended]:
    """Better and better answers."""
    yield from mend(order)


@carry_out.register
def _bound_days(order: BoundDays) -> Iterator[ProvenDay]:
    """One bound for every day that is not too large."""
    yield from least_costs(order)


@carry_out.register
def _fewest(order: FewestSpecialists) -> Iterator[Found | Proven]:
    """A plan and a bound on the number of specialists; the plan may miss."""
    yield from fewest_specialists(order)


def _draft(task: Task) -> Draft:
    """The plan of the task, to go on with."""
    board = Board(task.instance)
    draft = Draft(board.with_pins(task.pins) if task.pins else board)
    draft.load(task.lines)
    draft.forget_steps()
    return draft


def _relaxed(task: Task) -> Board:
    """The board without chains: what is proven there holds with them too."""
    return Board(replace(task.instance, chains=()))
