"""How a child of the workshop carries out its order; `orders` says what there is to do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from functools import singledispatch
from random import Random

from routing.anneal import Annealer
from routing.board import Board
from routing.bound import lower_bounds
from routing.draft import Column, Draft, columns_of
from routing.network import LARGEST, independent_parts, possible_starts, solve_exactly
from routing.orders import Anneal, Bound, Found, Proven, Recombine, Solved, SolveExactly, Task
from routing.recombine import recombine

_SECONDS_BETWEEN_FINDS = 1.0
_SAMPLES = 40


@singledispatch
def carry_out(order: object) -> Iterator[Found | Solved | Proven]:
    """What comes out of the order, as it comes."""
    raise TypeError(f"no such order: {type(order).__name__}")


@carry_out.register
def _anneal(order: Anneal) -> Iterator[Found]:
    """Plans as they become better, at the end the best with the days met in the colder half."""
    draft = _draft(order.task)
    annealer = Annealer(draft, Random(order.seed))
    begun = told = time.monotonic()
    told_cost = draft.cost
    columns: set[Column] = set()
    part = begin = order.begin_at
    while part < 1:
        annealer.run(lambda: _part_done(order, begun), part + (1 - begin) / _SAMPLES)
        part = _part_done(order, begun)
        if part >= (1 + begin) / 2:
            columns |= columns_of(draft.lines())
        if annealer.best_cost < told_cost and time.monotonic() - told >= _SECONDS_BETWEEN_FINDS:
            told, told_cost = time.monotonic(), annealer.best_cost
            yield Found(annealer.best_lines())
    best = annealer.best_lines()
    yield Found(best, frozenset(columns | columns_of(best)))


def _part_done(order: Anneal, begun: float) -> float:
    """How far the schedule is, by the time that is over."""
    passed = (time.monotonic() - begun) / max(order.until - begun, 0.001)
    return order.begin_at + (1 - order.begin_at) * passed


@carry_out.register
def _recombine(order: Recombine) -> Iterator[Found]:
    """One plan, not dearer than the one given."""
    lines = recombine(_draft(order.task), order.columns, order.until - time.monotonic(), order.workers)
    if lines is not None:
        yield Found(lines)


@carry_out.register
def _solve_exactly(order: SolveExactly) -> Iterator[Solved | Proven]:
    """One solved part after the other, and the bounds of the parts together."""
    board = _relaxed(order.task)
    proven = 0
    for part in independent_parts(board):
        seconds = order.until - time.monotonic()
        if seconds < 0 or possible_starts(board, part) > LARGEST:
            return
        answer = solve_exactly(board, part, seconds)
        proven += answer.bound
        yield Proven(proven)
        if answer.lines is not None and not order.task.instance.chains:
            yield Solved(frozenset(board.visits[visit].id for visit in part), answer.lines)


@carry_out.register
def _bound(order: Bound) -> Iterator[Proven]:
    """Better and better bounds."""
    board = _relaxed(order.task)
    begun = time.monotonic()
    served = frozenset(board.number[line.visit] for line in order.task.lines)
    span = max(order.until - begun, 0.001)
    for bound in lower_bounds(board, served, lambda: (time.monotonic() - begun) / span):
        yield Proven(bound)


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
