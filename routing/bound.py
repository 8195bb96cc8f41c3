"""Proven lower bounds by Lagrangian relaxation: every shift is planned by itself, against prices.

That a visit is served once and that rooms suffice is not demanded but priced: whoever serves a visit gets
its loss less a fee, whoever uses a room at a tick pays rent. For any fees and rents the cheapest tours of
all shifts together are a bound on every valid plan (Held and Karp 1970; for vehicle routing e.g. Kohl and
Madsen 1997); raising fees where a visit is served twice and rents where rooms lack makes it better. The
cheapest tour of a shift is a shortest path over places and ticks, for all shifts at once in NumPy.

Relaxed besides: `max_travel` over the whole day, and a tour may serve a visit twice. Fees and rents are
multiples of 1/64, so that all sums are exact in double precision: the bound is proven, not nearly proven.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from routing.ascent import Steps, grained
from routing.board import NO_ROOM, bound_of_single_visits, possible_starts
from routing.minutes import Minutes
from routing.timeline import earliest_arrival, ticks_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from routing.board import Board, Way

_Array: TypeAlias = np.ndarray[Any, Any]

_LARGEST_COST = 2**40
_MOST_STARTS = 12_000_000
_LONGEST_STEP = 0.2


def lower_bounds(board: Board, served: frozenset[int], part_done: Callable[[], float]) -> Iterator[int]:
    """Better and better lower bounds on the cost of every valid plan, chains apart.

    `served` are the visits that a good plan serves: it only tells where to begin. `part_done` tells which
    part of the time is over; at 1 the sequence ends. Too large an instance gets the bound of `minutes`.
    """
    floor = bound_of_single_visits(board)
    yield floor
    starts = possible_starts(board)
    if starts:
        relaxation = _Relaxation(board, served) if starts <= _MOST_STARTS else Minutes(board)
        for bound in relaxation.ascend(part_done):
            if bound > floor:
                floor = bound
                yield floor


class _Relaxation:
    """Fees and rents, and how they are raised: subgradient steps, each price with a length of its own.

    The lengths follow the rule of Adam (Kingma and Ba 2015), which here comes much further in the same time
    than Polyak's.
    """

    def __init__(self, board: Board, served: frozenset[int]) -> None:
        loss = [*board.loss, 1]
        prices = (way.price for ways in board.ways for way in ways)
        most = max(*loss, *prices, board.instance.weights.travel_minute * 1440)
        self._scale = 1 + most * (len(loss) + len(board.duties)) // _LARGEST_COST
        self._tours = _Tours(board, self._scale)
        self._loss = np.array([one // self._scale for one in board.loss], dtype=float)
        ticks = range(1440 // board.instance.tick + 1)
        free = [[book.free(tick) for tick in ticks] for book in board.rooms]
        self._free = np.array(free, dtype=float).reshape(len(board.rooms), len(ticks))
        gains = [
            (ways[0].price // self._scale if ways else 0) if visit in served or not ways else 0.3 * one
            for visit, (ways, one) in enumerate(zip(board.ways, self._loss, strict=True))
        ]
        self._fee = grained(self._loss - np.minimum(gains, self._loss))
        self._unit = float(np.median(self._loss))

    def ascend(self, part_done: Callable[[], float]) -> Iterator[int]:
        """The bound of every step, better or not."""
        fee, rent = self._fee, np.zeros_like(self._free)
        fee_step, rent_step = Steps(fee.shape), Steps(rent.shape)
        while self._tours.any and (part := part_done()) < 1:
            value, served, used = self._tours.cheapest(self._loss - fee, rent)
            bound = float(self._loss.sum() - fee.sum() - (rent * self._free).sum()) + value
            yield math.ceil(bound) * self._scale
            length = self._unit * _LONGEST_STEP * max(1 - part, 0.02)
            lack = np.where((fee > 0) | (served > 1), served - 1, 0.0)
            fee = grained(np.clip(fee + length * fee_step.towards(lack), 0, self._loss))
            lack = np.where((rent > 0) | (used > self._free), used - self._free, 0.0)
            rent = grained(np.maximum(rent + 0.3 * length * rent_step.towards(lack), 0))


class _Tours:
    """The cheapest tour of every shift.

    A spot is a place of one shift, a slot a start there with a length and a room. `any` is False if nothing
    can be served at all.
    """

    def __init__(self, board: Board, scale: int) -> None:
        self._board, self._scale = board, scale
        self._tick = board.instance.tick
        self._ticks = 1440 // self._tick + 1
        self._fee_minute = board.instance.weights.travel_minute
        self._spots: list[tuple[int, int, str]] = []
        self._number: dict[tuple[int, int, str], int] = {}
        self._find_slots()
        if self.any:
            self._find_trips()

    # --- What there is ----------------------------------------------------------------------------

    def _spot(self, duty: int, shift: int, place: str) -> int:
        key = duty, shift, place
        if key not in self._number:
            self._number[key] = len(self._spots)
            self._spots.append(key)
        return self._number[key]

    def _find_slots(self) -> None:
        """All possible starts, sorted by slot, the slots by start and spot."""
        ticks_by_mask: dict[int, _Array] = {}
        ticks, kinds, counts, visits, prices = [], [], [], [], []
        for visit, ways in enumerate(self._board.ways):
            for way in ways:
                for spot, starts in self._possible(way):
                    found = ticks_by_mask.get(starts)
                    if found is None:
                        found = ticks_by_mask[starts] = np.array(ticks_of(starts), dtype=np.int64)
                    ticks.append(found)
                    counts.append(len(found))
                    kinds.append((spot * 512 + way.ticks) * 2**20 + way.room + 1)
                    visits.append(visit)
                    prices.append(way.price // self._scale)
        self.any = bool(ticks)
        if not ticks:
            return
        key = np.concatenate(ticks) * 2**49 + np.repeat(np.array(kinds, dtype=np.int64), counts)
        order = np.argsort(key, kind="stable")
        key = key[order]
        self._first = np.flatnonzero(np.diff(key, prepend=-1))
        slots = key[self._first]
        self._visit = np.repeat(np.array(visits, dtype=np.int32), counts)[order]
        self._price = np.repeat(np.array(prices, dtype=float), counts)[order]
        self._rest = np.zeros_like(self._price)
        self._room = slots % 2**20 - 1
        self._length = slots // 2**20 % 512
        self._at = slots // 2**29 % 2**20
        self._start = slots // 2**49
        self._end_of_slot = np.append(self._first[1:], len(self._visit))
        self._from_tick = np.searchsorted(self._start, np.arange(self._ticks + 1))

    def _possible(self, way: Way) -> Iterator[tuple[int, int]]:
        """The spots at which the way is possible, with the starts (of an empty day where that is safe)."""
        board = self._board
        for duty in way.duties:
            place = way.place or board.duties[duty].base
            starts = way.starts
            if board.detour >= 0:
                starts &= board.idle[duty].starts(way.place, way.minutes)
            for shift in range(len(board.duties[duty].shifts)):
                in_shift = starts & board.duties[duty].open_starts(shift, way.minutes)
                if in_shift:
                    self._spot(duty, shift, board.duties[duty].base)
                    yield self._spot(duty, shift, place), in_shift

    def _find_trips(self) -> None:
        """Every way between two spots of a shift, its price and, by tick of departure, when it arrives."""
        by_shift: dict[tuple[int, int], list[int]] = defaultdict(list)
        for number, (duty, shift, _) in enumerate(self._spots):
            by_shift[duty, shift].append(number)
        self._bases = [self._number[d, s, self._board.duties[d].base] for d, s in by_shift]
        trips = [(a, b) for spots in by_shift.values() for a in spots for b in spots if a != b]
        trips.sort()
        self._origin = np.array([a for a, _ in trips], dtype=np.int64)
        self._target = np.array([b for _, b in trips], dtype=np.int64)
        self._fare = np.zeros(len(trips))
        self._arrival = np.full((self._ticks, len(trips)), self._ticks, dtype=np.int16)
        self._home_arrival = np.zeros((self._ticks, len(trips)), dtype=bool)
        for number, (a, b) in enumerate(trips):
            self._add_trip(number, a, b)
        self._trip_spots, self._first_trip = np.unique(self._origin, return_index=True)
        self._base_set = frozenset(self._bases)
        self._begin = np.array([self._span(spot)[0] for spot in self._bases], dtype=np.int64)

    def _span(self, spot: int) -> tuple[int, int]:
        duty, number, _ = self._spots[spot]
        shift = self._board.duties[duty].shifts[number]
        return -(-shift.begin // self._tick), shift.end // self._tick

    def _add_trip(self, number: int, origin: int, target: int) -> None:
        duty_number, shift_number, place = self._spots[origin]
        duty = self._board.duties[duty_number]
        shift = duty.shifts[shift_number]
        minutes = duty.travel[place][self._spots[target][2]]
        self._fare[number] = min(minutes, 1440) * self._fee_minute // self._scale
        first, last = self._span(origin)
        homeward = self._spots[target][2] == duty.base
        for tick in range(first, last + 1):
            leave = shift.begin if tick == first else tick * self._tick
            arrival = earliest_arrival(shift, leave, minutes)
            if arrival <= shift.end:
                self._arrival[tick, number] = -(-arrival // self._tick)
                self._home_arrival[tick, number] = homeward

    # --- The shortest paths ------------------------------------------------------------------------

    def cheapest(self, gain: _Array, rent: _Array) -> tuple[float, _Array, _Array]:
        """The price of all tours together, how often each visit is served, rooms used by book and tick.

        `gain` is what serving a visit brings, by visit; `rent` the price of a room, by book and tick.
        """
        rest = self._rest
        np.take(gain, self._visit, out=rest)
        np.subtract(self._price, rest, out=rest)
        slot = np.minimum.reduceat(rest, self._first)
        total_rent = np.zeros((rent.shape[0] + 1, self._ticks + 1))
        np.cumsum(rent, axis=1, out=total_rent[1:, 1:])
        room = self._room + 1
        slot = slot + total_rent[room, self._start + self._length] - total_rent[room, self._start]
        serve, fresh, worked = self._backwards(slot)
        value = float(worked[self._begin, self._bases].sum()) if self._bases else 0.0
        served, used = np.zeros(len(gain)), np.zeros_like(rent)
        for base, begin in zip(self._bases, self._begin, strict=True):
            for number in self._tour(base, int(begin), slot, serve, fresh, worked):
                entries = slice(self._first[number], self._end_of_slot[number])
                served[self._visit[entries][int(np.argmin(rest[entries]))]] += 1
                if self._room[number] != NO_ROOM:
                    start = self._start[number]
                    used[self._room[number], start : start + self._length[number]] += 1
        return value, served, used

    def _backwards(self, slot: _Array) -> tuple[_Array, _Array, _Array]:
        """What it costs from a tick on, by spot: serving at once, having just arrived, having worked."""
        spots = len(self._spots)
        serve = np.full((self._ticks + 1, spots), np.inf)
        fresh, worked = serve.copy(), serve.copy()
        last_tick = int((self._start + self._length).max())
        worked[last_tick + 1 :, self._bases] = 0
        for tick in range(last_tick, int(self._begin.min()) - 1, -1):
            first, last = self._from_tick[tick], self._from_tick[tick + 1]
            if first < last:
                at = self._at[first:last]
                begins = np.flatnonzero(np.diff(at, prepend=-1))
                after = slot[first:last] + worked[tick + self._length[first:last], at]
                serve[tick, at[begins]] = np.minimum.reduceat(after, begins)
            np.minimum(serve[tick], fresh[tick + 1], out=fresh[tick])
            np.minimum(serve[tick], worked[tick + 1], out=worked[tick])
            if len(self._fare):
                cost = self._trip_costs(tick, slice(None), fresh)
                trips = np.minimum.reduceat(cost, self._first_trip)
                worked[tick, self._trip_spots] = np.minimum(worked[tick, self._trip_spots], trips)
        return serve, fresh, worked

    def _trip_costs(self, tick: int, trips: slice, fresh: _Array) -> _Array:
        """What it costs to travel on: to serve at the other place, or home for good."""
        arrival = self._arrival[tick, trips]
        then = fresh[arrival, self._target[trips]]
        return self._fare[trips] + np.where(self._home_arrival[tick, trips], np.minimum(then, 0), then)

    def _tour(
        self, spot: int, tick: int, slot: _Array, serve: _Array, fresh: _Array, worked: _Array
    ) -> Iterator[int]:
        """The slots of a cheapest tour, in the order of time."""
        state = worked
        while state is fresh or state[tick, spot] != 0 or spot not in self._base_set:
            value = state[tick, spot]
            column = state[tick:, spot]
            tick += int(np.searchsorted(column, value, side="right")) - 1
            if serve[tick, spot] == value:
                number = self._slot_of(tick, spot, slot, worked, value)
                yield number
                tick, state = tick + int(self._length[number]), worked
            else:
                first = int(np.searchsorted(self._origin, spot))
                last = int(np.searchsorted(self._origin, spot, side="right"))
                costs = self._trip_costs(tick, slice(first, last), fresh)
                trip = first + int(np.argmin(costs))
                arrival = int(self._arrival[tick, trip])
                if self._home_arrival[tick, trip] and fresh[arrival, self._target[trip]] >= 0:
                    return
                spot, tick, state = int(self._target[trip]), arrival, fresh

    def _slot_of(self, tick: int, spot: int, slot: _Array, worked: _Array, value: float) -> int:
        first = int(self._from_tick[tick])
        last = int(self._from_tick[tick + 1])
        first, last = (first + int(n) for n in np.searchsorted(self._at[first:last], [spot, spot + 1]))
        after = slot[first:last] + worked[tick + self._length[first:last], spot]
        return first + int(np.flatnonzero(after == value)[0])
