"""A proven lower bound for instances too large for tours: minutes of work and rooms at a price.

That nobody works longer than her shifts last, and no room book longer than it is open, is not demanded but
priced by the minute: every visit then takes what is cheapest by itself, or is lost, and for any prices these
costs less the worth of all minutes are a bound on every valid plan (Lagrangian relaxation; the prices are
raised where minutes lack). Travel is left out, and when things happen. It takes a pass over the ways and
over each different set of specialists, so that a city takes a fraction of a second.

Prices are multiples of 1/64, so that all sums are exact in double precision: the bound is proven.
"""

from __future__ import annotations

import math
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from routing.ascent import Array, Steps, grained
from routing.board import NO_ROOM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from routing.board import Board
    from routing.timeline import Duty

_LARGEST_COST = 2**46
_LONGEST_STEP = 0.06
"""As a share of what a minute of a visit is worth."""


class Minutes:
    """Prices of a minute of each duty and each room book, on a board where something can be served.

    Ways that the same duties can serve share a crew, so that the cheapest of it is found once.
    """

    def __init__(self, board: Board) -> None:
        every = [(visit, way) for visit, ways in enumerate(board.ways) for way in ways]
        self._visit = np.array([visit for visit, _ in every], dtype=np.int64)
        self._minutes = np.array([way.minutes for _, way in every], dtype=float)
        self._room = np.array([len(board.rooms) if w.room == NO_ROOM else w.room for _, w in every])
        crews: dict[tuple[int, ...], int] = {}
        self._crew = np.array([crews.setdefault(way.duties, len(crews)) for _, way in every])
        self._size = np.array([len(crew) for crew in crews])
        self._first = np.cumsum(self._size) - self._size
        self._duty = np.fromiter(chain.from_iterable(crews), np.int64)
        tick = board.instance.tick
        open_ticks = [sum(book.free(at) for at in range(1440 // tick + 1)) for book in board.rooms]
        worked = [_minutes_of(duty) for duty in board.duties]
        self._duties = len(worked)
        self._capacity = np.array([*worked, *(ticks * tick for ticks in open_ticks), 0], dtype=float)
        dearest = max(*board.loss, 1, *(way.price for _, way in every))
        self._scale = 1 + int(dearest * (len(board.loss) + self._capacity.sum())) // _LARGEST_COST
        self._price = np.array([way.price // self._scale for _, way in every], dtype=float)
        self._loss = np.array([one // self._scale for one in board.loss], dtype=float)
        self._first_way = np.flatnonzero(np.diff(self._visit, prepend=-1))
        self._asking = self._visit[self._first_way]
        self._ways = np.diff(np.append(self._first_way, len(self._visit)))

    def ascend(self, part_done: Callable[[], float]) -> Iterator[int]:
        """The bound of every step, better or not, until the part of the time that is over is 1."""
        prices, steps = np.zeros_like(self._capacity), Steps(self._capacity.shape)
        unit = _LONGEST_STEP * float(np.median(self._loss) / np.median(self._minutes))
        while (part := part_done()) < 1:
            bound, taken = self._relaxed(prices)
            yield math.ceil(bound) * self._scale
            length = unit * max(1 - part, 0.02)
            prices = prices + length * steps.towards(taken - self._capacity)
            prices = grained(np.clip(prices, 0, self._loss.max()))
            prices[-1] = 0  # no room, no price

    def _relaxed(self, prices: Array) -> tuple[float, Array]:
        """The bound at these prices, and the minutes that the cheapest ways take of everything."""
        of_duty, of_room = prices[: self._duties], prices[self._duties :]
        asked = of_duty[self._duty]
        cheapest = np.minimum.reduceat(asked, self._first)
        cost = self._price + self._minutes * (cheapest[self._crew] + of_room[self._room])
        least = np.minimum.reduceat(cost, self._first_way)
        costs = self._loss.copy()
        costs[self._asking] = np.minimum(costs[self._asking], least)
        best = np.flatnonzero(cost == np.repeat(least, self._ways))
        best = best[np.unique(self._visit[best], return_index=True)[1]]
        best = best[least < self._loss[self._asking]]
        return float(costs.sum() - (prices * self._capacity).sum()), self._taken(best, asked, cheapest)

    def _taken(self, ways: Array, asked: Array, cheapest: Array) -> Array:
        """Minutes by duty and room book; those of a crew are shared out among its cheapest."""
        of_crew = np.bincount(self._crew[ways], self._minutes[ways], len(self._size))
        is_cheapest = asked == np.repeat(cheapest, self._size)
        share = of_crew / np.add.reduceat(is_cheapest.astype(float), self._first)
        of_duty = np.bincount(self._duty, is_cheapest * np.repeat(share, self._size), self._duties)
        rooms = len(self._capacity) - self._duties
        return np.concatenate([of_duty, np.bincount(self._room[ways], self._minutes[ways], rooms)])


def _minutes_of(duty: Duty) -> int:
    """How long the shifts last without the breaks."""
    return sum(s.end - s.begin - sum(end - begin for begin, end in s.breaks) for s in duty.shifts)
