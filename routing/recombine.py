"""Choosing the best set of specialist-days met during a search, by CP-SAT.

Every day of a plan that was once met is a column; each visit and each specialist-day is in one chosen column
at most, and the rooms suffice at every tick. Search finds, CP-SAT decides.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from ortools.sat.python import cp_model

from routing.board import NO_ROOM
from routing.draft import columns_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from routing.board import Board
    from routing.budget import Budget
    from routing.draft import Column, Draft, Place
    from routing.problem import Assignment

_MOST_COLUMNS = 12_000
_LARGEST_TOTAL = 2**50


def recombine(
    draft: Draft, columns: Iterable[Column], budget: Budget, workers: int
) -> tuple[Assignment, ...] | None:
    """The cheapest plan made of the columns and the draft's own days; None if there was no time."""
    own = columns_of(draft.lines())
    others = sorted(set(columns) - own, key=str)[: _MOST_COLUMNS - len(own)]
    chosen = [*sorted(own, key=str), *others]
    model = _model(draft, chosen, len(own))
    solver = cp_model.CpSolver()
    budget.limit(solver.parameters, workers)
    solver.parameters.random_seed = 1
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None
    taken = [solver.boolean_value(model.get_bool_var_from_proto_index(n)) for n in range(len(chosen))]
    return tuple(line for column, is_in in zip(chosen, taken, strict=True) if is_in for line in column)


def _model(draft: Draft, columns: list[Column], own: int) -> cp_model.CpModel:
    board = draft.board
    model = cp_model.CpModel()
    by_visit: dict[int, list[cp_model.IntVar]] = defaultdict(list)
    by_duty: dict[int, list[cp_model.IntVar]] = defaultdict(list)
    users: dict[int, list[tuple[int, int, cp_model.IntVar]]] = defaultdict(list)
    savings = []
    for number, column in enumerate(columns):
        taken = model.new_bool_var("")
        model.add_hint(taken, number < own)
        places = _places(draft, column)
        by_duty[next(iter(places.values())).duty].append(taken)
        for visit, place in places.items():
            by_visit[visit].append(taken)
            if place.way.room != NO_ROOM:
                users[place.way.room].append((place.start, place.start + place.way.ticks, taken))
        savings.append(_saving(board, places))
    for literals in (*by_visit.values(), *by_duty.values()):
        model.add_at_most_one(literals)
    for room, spans in users.items():
        _limit_rooms(model, draft.board, room, spans)
    scale = 1 + sum(abs(saving) for saving in savings) // _LARGEST_TOTAL
    model.maximize(
        sum(
            (saving // scale) * model.get_bool_var_from_proto_index(number)
            for number, saving in enumerate(savings)
        )
    )
    return model


def _places(draft: Draft, column: Column) -> dict[int, Place]:
    places = {}
    for line in column:
        visit = draft.board.number[line.visit]
        place = draft.find(visit, line)
        if place is None:
            raise ValueError(f"{line} is not possible on this board")
        places[visit] = place
    return places


def _saving(board: Board, places: dict[int, Place]) -> int:
    """What the column is worth: the losses it prevents less what it costs."""
    duty = next(iter(places.values())).duty
    tick = board.instance.tick
    stops = [
        place.stop(board.visits[visit].id, board.duties[duty].base, tick) for visit, place in places.items()
    ]
    day = board.duties[duty].day(stops)
    if day is None:
        raise ValueError(f"{board.owners[duty]} has a column that breaks a rule")
    gain = sum(board.loss[visit] - place.way.price for visit, place in places.items())
    return gain - day.travelled * board.instance.weights.travel_minute


def _limit_rooms(
    model: cp_model.CpModel, board: Board, room: int, spans: list[tuple[int, int, cp_model.IntVar]]
) -> None:
    """No more rooms than there are, wherever a visit begins or the number of rooms changes."""
    book = board.rooms[room]
    seen: set[tuple[int, ...]] = set()
    for tick in sorted({start for start, _, _ in spans} | set(book.changes())):
        using = [literal for start, end, literal in spans if start <= tick < end]
        key = (book.free(tick), *(literal.index for literal in using))
        if len(using) > book.free(tick) and key not in seen:
            seen.add(key)
            model.add(sum(using) <= book.free(tick))
