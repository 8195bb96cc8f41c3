"""Ruin and recreate with simulated annealing: the search that brings most of the improvement.

A step takes some related visits out, puts them and some unserved ones back in a random order, each where it
is cheapest, and keeps the result if it is cheaper or, while the temperature is high, not much dearer
(Schrimpf et al. 2000; Christiaens and Vanden Berghe 2020). It proves nothing: bounds come from `bound`.

Here the board becomes arrays and the schedule is kept; the steps themselves are compiled (`kernel`).
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from routing import kernel
from routing.board import NO_ROOM
from routing.draft import Place, lines_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from routing.board import Board
    from routing.draft import Draft
    from routing.problem import Assignment

_HOT, _COLD = 250.0, 8.0
"""Temperatures at the begin and at the end, in the unit of the cost; scaled by the weights."""
_STEPS_A_LOOK = 200
_LARGEST_TOTAL = 2**50
_LARGEST_VERSION = 2**30
_NEVER = 10**6
"""More minutes than a day has."""


class Annealer:
    """Improves the plan of a draft, which stays as it is.

    `best_cost` is the cost of the best plan met, `cost` that of the present one; they are those of the
    objective but for weights so huge that the machine has no numbers for them.
    """

    def __init__(self, draft: Draft, seed: int) -> None:
        self.board: Board = draft.board
        self.steps = 0
        self._unit = _unit_of_cost(self.board)
        self._scale = _scale_of(self.board)
        self._model = _model_of(self.board, self._scale)
        self._state = _state_of(self.board, self._model, seed, draft.places)

    @property
    def cost(self) -> int:
        """The cost of the present plan."""
        return int(self._state.counts[kernel.COST]) * self._scale

    @property
    def best_cost(self) -> int:
        """The cost of the best plan met."""
        return int(self._state.counts[kernel.BEST]) * self._scale

    def run(self, part_done: Callable[[int], float], until: float = 1.0) -> None:
        """Search until `part_done`, the part of the schedule that is over after so many steps, is `until`."""
        part = part_done(self.steps)
        while len(self._model.searchable) and part < until:
            temperature = self._unit / self._scale * _HOT * (_COLD / _HOT) ** part
            kernel.run(self._model, self._state, _STEPS_A_LOOK, temperature)
            self.steps += _STEPS_A_LOOK
            if self._state.counts[kernel.CLOCK] > _LARGEST_VERSION:
                self._begin_versions_anew()
            part = part_done(self.steps)

    def lines(self) -> tuple[Assignment, ...]:
        """The present plan."""
        return self._lines(self._state.places)

    def best_lines(self) -> tuple[Assignment, ...]:
        """The best plan met."""
        return self._lines(self._state.best)

    def _begin_versions_anew(self) -> None:
        """Forget what is known of the pairs, before the versions are too large to be noted there."""
        state = self._state
        state.known.fill(-1)
        state.days[:, kernel.VERSION] = 0
        state.books[:, kernel.VERSION] = 0
        state.counts[kernel.CLOCK] = 0

    def _lines(self, rows: kernel.Array) -> tuple[Assignment, ...]:
        first = self._model.visits[:, kernel.WAY].tolist()
        ways = self.board.ways
        places = [
            Place(ways[visit][way - first[visit]], duty, start) if way >= 0 else None
            for visit, (way, duty, start) in enumerate(rows.tolist())
        ]
        return lines_of(self.board, places)


def _unit_of_cost(board: Board) -> float:
    """1 for weights of the usual size: a thousandth of the loss of the least urgent visit."""
    losses = [loss for loss in board.instance.weights.unserved.values() if loss > 0]
    return min(min(losses, default=1), 10**15) / 1000


def _scale_of(board: Board) -> int:
    """By what all costs are divided, so that no sum is too large for the machine."""
    dearest = max((way.price for ways in board.ways for way in ways), default=0)
    travel = board.instance.weights.travel_minute * 1440 * max(1, len(board.duties))
    return 1 + (sum(board.loss) + dearest * len(board.loss) + travel) // _LARGEST_TOTAL


# --- The board as arrays ------------------------------------------------------------------------------


def _model_of(board: Board, scale: int) -> kernel.Model:
    places = {place: number for number, place in enumerate(board.instance.travel)}
    every = [way for ways in board.ways for way in ways]
    spans_of = {starts: _spans(starts) for starts in {way.starts for way in every}}
    spans = [spans_of[way.starts] for way in every]
    pairs = np.fromiter(chain.from_iterable(way.duties for way in every), np.int64)
    columns = [
        [way.price // scale for way in every] + [0],
        [way.minutes for way in every] + [0],
        [way.ticks for way in every] + [0],
        [way.room for way in every] + [NO_ROOM],
        [-1 if way.place is None else places[way.place] for way in every] + [-1],
        _firsts(len(way.duties) for way in every),
        _firsts(map(len, spans)),
    ]
    ways = np.array(columns, dtype=np.int64).T.copy()
    loss = [one // scale for one in board.loss] + [0]
    visits = np.array([_firsts(map(len, board.ways)), loss], dtype=np.int64).T.copy()
    duties, shifts, breaks, pieces = _duties(board, places)
    travel = [[min(row[place], _NEVER) for place in places] for row in board.instance.travel.values()]
    askers = [sorted(one) for one in _askers(board)]
    return kernel.Model(
        tick=board.instance.tick,
        detour=board.detour // scale,
        minute_price=board.instance.weights.travel_minute // scale,
        visits=visits,
        ways=ways,
        spans=_table(chain.from_iterable(spans), 2),
        pairs=pairs,
        duties=duties,
        shifts=shifts,
        breaks=breaks,
        pieces=pieces,
        travel=np.array(travel, dtype=np.int64).reshape(len(places), len(places)),
        askers=np.fromiter(chain.from_iterable(askers), np.int64),
        first_asker=np.array(_firsts(map(len, askers)), dtype=np.int64),
        fans=_fans(visits, ways, pairs, len(board.duties)),
        searchable=np.array([v for v, one in enumerate(board.ways) if one], dtype=np.int64),
    )


def _spans(starts: int) -> list[tuple[int, int]]:
    """The ticks of a mask as spans, first and last tick."""
    spans = []
    tick = 0
    while starts:
        skip = (starts & -starts).bit_length() - 1
        starts >>= skip
        run = (~starts & (starts + 1)).bit_length() - 1
        spans.append((tick + skip, tick + skip + run - 1))
        starts >>= run
        tick += skip + run
    return spans


def _firsts(lengths: Iterable[int]) -> list[int]:
    """Where each of successive lists begins, and where the last one ends."""
    firsts = [0]
    for length in lengths:
        firsts.append(firsts[-1] + length)
    return firsts


def _table(rows: Iterable[Sequence[int]], columns: int) -> kernel.Array:
    return np.array(list(rows), dtype=np.int64).reshape(-1, columns)


def _duties(board: Board, places: dict[str, int]) -> tuple[kernel.Array, ...]:
    """Duties, shifts, breaks and, in ticks, the pieces of shifts between the breaks."""
    tick = board.instance.tick
    duties: list[tuple[int, ...]] = []
    shifts: list[tuple[int, ...]] = []
    breaks: list[tuple[int, int]] = []
    pieces: list[tuple[int, int]] = []
    for duty, (_, day) in zip(board.duties, board.owners, strict=True):
        limit = _NEVER if duty.limit is None else min(duty.limit, _NEVER)
        duties.append((places[duty.base], limit, len(shifts), day))
        for number, shift in enumerate(duty.shifts):
            shifts.append((shift.begin, shift.end, len(breaks), len(pieces)))
            breaks += shift.breaks
            pieces += [(first, last + 1) for first, last in _spans(duty.open_starts(number, tick))]
    duties.append((0, 0, len(shifts), -1))
    shifts.append((0, 0, len(breaks), len(pieces)))
    return _table(duties, 4), _table(shifts, 4), _table(breaks, 2), _table(pieces, 2)


def _askers(board: Board) -> list[set[int]]:
    """Who may use each room book."""
    askers: list[set[int]] = [set() for _ in board.rooms]
    for visit, ways in enumerate(board.ways):
        for way in ways:
            if way.room != NO_ROOM:
                askers[way.room].add(visit)
    return askers


def _fans(visits: kernel.Array, ways: kernel.Array, pairs: kernel.Array, duties: int) -> kernel.Array:
    """A bit for every visit and duty that could serve it."""
    fans = np.zeros((len(visits), duties // 8 + 1), dtype=np.uint8)
    first = ways[visits[:, kernel.WAY], kernel.PAIR]
    visit_of = np.repeat(np.arange(len(visits) - 1), np.diff(first))
    np.bitwise_or.at(fans, (visit_of, pairs >> 3), np.left_shift(1, pairs & 7).astype(np.uint8))
    return fans


# --- The plan as arrays -------------------------------------------------------------------------------


def _state_of(board: Board, model: kernel.Model, seed: int, places: Sequence[Place | None]) -> kernel.State:
    duties, visits = len(board.duties), len(board.visits)
    ticks = 1440 // board.instance.tick + 1
    most = _most_stops(board)
    kept = kernel.MOST_OUT + kernel.MOST_QUEUE
    free = np.array([[book.free(tick) for tick in range(ticks)] for book in board.rooms], dtype=np.int32)
    state = kernel.State(
        counts=np.zeros(16, dtype=np.int64),
        places=np.full((visits, 3), kernel.NOWHERE, dtype=np.int64),
        best=np.full((visits, 3), kernel.NOWHERE, dtype=np.int64),
        days=np.zeros((duties, 6), dtype=np.int64),
        stops=np.zeros((duties, most, 4), dtype=np.int64),
        books=np.zeros((len(board.rooms), 5), dtype=np.int64),
        free=free.reshape(len(board.rooms), ticks),
        known=np.full((len(model.pairs), 3), -1, dtype=np.int32),
        kept_days=np.zeros((kept, 6), dtype=np.int64),
        kept_stops=np.zeros((kept, most, 4), dtype=np.int64),
        kept_books=np.zeros((kept, 5), dtype=np.int64),
        kept_free=np.zeros((kept, ticks), dtype=np.int32),
        queue=np.zeros((kernel.MOST_QUEUE, 4), dtype=np.int64),
        ranks=np.zeros(kernel.MOST_QUEUE),
        unserved=np.zeros(visits, dtype=np.int64),
        where=np.full(visits, kernel.NOWHERE, dtype=np.int64),
        random=np.array([seed], dtype=np.uint64),
    )
    state.days[:, kernel.LONGEST] = _NEVER
    state.counts[kernel.COST] = model.visits[:, kernel.LOSS].sum()
    if not kernel.load(model, state, _rows(board, model, places)):
        raise ValueError("the draft breaks a rule of travel")
    state.counts[kernel.BEST] = state.counts[kernel.COST]
    state.best[:] = state.places
    left = [v for v in model.searchable.tolist() if places[v] is None]
    state.unserved[: len(left)] = left
    state.where[left] = np.arange(len(left))
    state.counts[kernel.UNSERVED] = len(left)
    return state


def _most_stops(board: Board) -> int:
    """How many visits a duty could have at most, and one more."""
    shortest = min((way.minutes for ways in board.ways for way in ways), default=1)
    longest = max((sum(s.end - s.begin for s in duty.shifts) for duty in board.duties), default=0)
    return min(len(board.visits), longest // max(shortest, 1)) + 1


def _rows(board: Board, model: kernel.Model, places: Sequence[Place | None]) -> kernel.Array:
    """Visit, way, duty and start of what is served, sorted by duty."""
    first: list[Any] = model.visits[:, kernel.WAY].tolist()
    rows = [
        (visit, first[visit] + board.ways[visit].index(place.way), place.duty, place.start)
        for visit, place in enumerate(places)
        if place is not None
    ]
    return _table(sorted(rows, key=lambda row: row[2]), 4)
