"""Ruin and recreate with simulated annealing: the search that brings most of the improvement.

A step takes some related visits out, puts them and some unserved ones back in a random order, each where it
is cheapest, and keeps the result if it is cheaper or, while the temperature is high, not much dearer
(Schrimpf et al. 2000; Christiaens and Vanden Berghe 2020). It proves nothing: bounds come from `bound`.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING

from routing.board import NO_ROOM
from routing.draft import lines_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from routing.board import Board
    from routing.draft import Draft, Place
    from routing.problem import Assignment

_HOT, _COLD = 120.0, 8.0
"""Temperatures at the begin and at the end, in the unit of the cost; scaled by the weights."""
_MOST_DUTIES = 4
_MOST_VISITS = 24
_MOST_NEWCOMERS = 24
_MOST_ROOM_USERS = 12
_ROOM_SHARE = 0.5
_STEPS_A_LOOK = 20
_EDGE_START = 0.8


class Annealer:
    """Improves a draft in place. `best` holds the places of the cheapest draft met, `best_cost` its cost."""

    def __init__(self, draft: Draft, rng: Random) -> None:
        self.draft = draft
        self.board: Board = draft.board
        self.rng = rng
        self.best = list(draft.places)
        self.best_cost = draft.cost
        self.steps = 0
        self._candidates = [_duties_of(self.board, visit) for visit in range(len(self.board.visits))]
        self._searchable = [v for v, duties in enumerate(self._candidates) if duties]
        self._unserved = [v for v in self._searchable if draft.places[v] is None]
        self._askers: dict[int, list[int]] = defaultdict(list)
        for visit in self._searchable:
            for room in {way.room for way in self.board.ways[visit]}:
                self._askers[room].append(visit)
        self._asks_for = {room: frozenset(askers) for room, askers in self._askers.items()}
        self._scale = _unit_of_cost(self.board)

    def run(self, part_done: Callable[[], float], until: float = 1.0) -> None:
        """Search until `part_done()`, the part of the schedule that is over, has reached `until`."""
        part = part_done()
        while self._searchable and part < until:
            temperature = self._scale * _HOT * (_COLD / _HOT) ** part
            for _ in range(_STEPS_A_LOOK):
                self._step(temperature)
            part = part_done()

    def best_lines(self) -> tuple[Assignment, ...]:
        """The best plan met."""
        return lines_of(self.board, self.best)

    def _step(self, temperature: float) -> None:
        self.steps += 1
        draft, rng = self.draft, self.rng
        mark, before = draft.mark(), draft.cost
        out, newcomers = self._ruin_rooms() if rng.random() < _ROOM_SHARE else self._ruin_duties()
        if not draft.take_out(out):
            return
        queue = out + rng.sample(newcomers, min(len(newcomers), _MOST_NEWCOMERS))
        self._recreate(queue)
        dearer = draft.cost - before
        if dearer <= 0 or dearer < -temperature * math.log(1 - rng.random()):
            draft.forget_steps()
            self._accepted(queue)
        else:
            draft.rewind(mark, before)

    def _accepted(self, queue: list[int]) -> None:
        places = self.draft.places
        changed = set(queue)
        self._unserved = [v for v in self._unserved if v not in changed]
        self._unserved += [v for v in queue if places[v] is None]
        if self.draft.cost < self.best_cost:
            self.best_cost = self.draft.cost
            self.best = list(places)

    # --- Ruin -----------------------------------------------------------------------------------

    def _seed(self) -> int:
        """A visit to begin with, often one that is not served yet."""
        from_unserved = self._unserved and self.rng.random() < 0.5
        return self.rng.choice(self._unserved if from_unserved else self._searchable)

    def _ruin_duties(self) -> tuple[list[int], list[int]]:
        """Visits of some duties that could take one and the same visit, and unserved ones they could take."""
        rng, places, owners = self.rng, self.draft.places, self.board.owners
        seed = self._seed()
        candidates, place = self._candidates[seed], places[seed]
        first = rng.choice(candidates) if place is None else place.duty
        wanted = rng.randint(0, _MOST_DUTIES - 1)
        if rng.random() < 0.5:
            candidates = [duty for duty in candidates if owners[duty][1] == owners[first][1]]
        duties = {first, *rng.sample(candidates, min(wanted, len(candidates)))}
        newcomers = [v for v in self._some_unserved() if not duties.isdisjoint(self._candidates[v])]
        return self._strings(sorted(duties)), newcomers

    def _strings(self, duties: list[int]) -> list[int]:
        """Of each duty some visits in a row."""
        rng, number = self.rng, self.board.number
        out: list[int] = []
        most = rng.randint(2, _MOST_VISITS)
        for duty in duties:
            stops = self.draft.days[duty].stops
            length = min(len(stops), rng.randint(1, max(1, most - len(out))))
            begin = rng.randint(0, len(stops) - length)
            out += [number[stop.visit] for stop in stops[begin : begin + length]]
        return out

    def _ruin_rooms(self) -> tuple[list[int], list[int]]:
        """Visits in a row in the rooms of one site on one day, and unserved ones that ask for these rooms."""
        rng, places = self.rng, self.draft.places
        seed = self._seed()
        place = places[seed]
        room = (rng.choice(self.board.ways[seed]) if place is None else place.way).room
        if room == NO_ROOM:
            return self._ruin_duties()
        users = [
            (place.start, visit)
            for visit in self._askers[room]
            if (place := places[visit]) is not None and place.way.room == room
        ]
        users.sort()
        length = min(len(users), rng.randint(1, _MOST_ROOM_USERS))
        begin = rng.randint(0, len(users) - length)
        askers = self._asks_for[room]
        newcomers = [visit for visit in self._some_unserved() if visit in askers]
        return [visit for _, visit in users[begin : begin + length]], newcomers

    def _some_unserved(self) -> list[int]:
        """The unserved visits, or a sample where there are too many to look at in every step."""
        few = 8 * _MOST_NEWCOMERS
        return self._unserved if len(self._unserved) <= few else self.rng.sample(self._unserved, few)

    # --- Recreate -------------------------------------------------------------------------------

    def _recreate(self, queue: list[int]) -> None:
        draft, rng, loss = self.draft, self.rng, self.board.loss
        rng.shuffle(queue)
        taste = rng.random()
        if taste < 0.5:
            queue.sort(key=lambda v: -loss[v])
        elif taste < 0.7:
            visits = self.board.visits
            queue.sort(key=lambda v: visits[v].minutes / (1 + loss[v]))
        for visit in queue:
            found = draft.cheapest(visit, loss[visit])
            if found is not None:
                _, mask, place = found
                draft.put(visit, place if rng.random() < _EDGE_START else self._other_start(place, mask))

    def _other_start(self, place: Place, mask: int) -> Place:
        """The last start instead of the first."""
        return place._replace(start=mask.bit_length() - 1)


def _duties_of(board: Board, visit: int) -> list[int]:
    return sorted({duty for way in board.ways[visit] for duty in way.duties})


def _unit_of_cost(board: Board) -> float:
    """1 for weights of the usual size: a thousandth of the loss of an ordinary visit."""
    losses = sorted(board.loss)
    middle = losses[len(losses) // 2] if losses else 0
    return min(max(middle, 1), 10**15) / 1000
