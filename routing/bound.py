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

from routing.board import NO_ROOM
from routing.timeline import earliest_arrival, ticks_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from routing.board import Board, Way

_Array: TypeAlias = np.ndarray[Any, Any]

_GRAIN = 64
_LARGEST_COST = 2**40
_MOST_STARTS = 12_000_000
_PATIENCE = 6


def lower_bounds(board: Board, cost: int) -> Iterator[int]:
    """Better and better lower bounds on the cost of every valid plan, chains apart; `cost` is that of one.

    The sequence ends only with the caller's patience, or after the first if the instance is too large.
    """
    floor = sum(
        min(loss, ways[0].price) if ways and board.detour >= 0 else loss if not ways else 0
        for loss, ways in zip(board.loss, board.ways, strict=True)
    )
    yield floor
    starts = sum(len(way.duties) * way.starts.bit_count() for ways in board.ways for way in ways)
    if 0 < starts <= _MOST_STARTS:
        for bound in _Relaxation(board).ascend(cost):
            if bound > floor:
                floor = bound
                yield floor


class _Relaxation:
    """Fees and rents, and how they are raised."""

    def __init__(self, board: Board) -> None:
        most = max(max(board.loss, default=0), max((w.price for ways in board.ways for w in ways), default=0))
        total = max(most * len(board.visits), board.instance.weights.travel_minute * 1440 * len(board.duties))
        self.scale = 1 + total // _LARGEST_COST
        self.tours = _Tours(board, self.scale)
        self.loss = np.array([loss // self.scale for loss in board.loss], dtype=float)
        self.ticks = 1440 // board.instance.tick + 1
        self.free = np.array([[book.free(t) for t in range(self.ticks)] for book in board.rooms], dtype=float)
        self.free = self.free.reshape(len(board.rooms), self.ticks)

    def ascend(self, cost: int) -> Iterator[int]:
        """Subgradient steps of Polyak's length towards a target a little above the best bound."""
        fee, rent = self._first_fees(), np.zeros_like(self.free)
        best = best_fee = best_rent = None
        target_cost, stale, boldness = cost / self.scale, 0, 1.0
        push_fee = push_rent = 0.0
        while True:
            value, served, used = self.tours.cheapest(self.loss - fee, rent)
            bound = float(self.loss.sum() - fee.sum() - (rent * self.free).sum()) + value
            if best is None or bound > best:
                best, best_fee, best_rent, stale = bound, fee, rent, 0
                yield math.ceil(bound) * self.scale
            else:
                stale += 1
            if stale >= _PATIENCE:
                boldness, stale = boldness / 2, 0
                fee, rent = best_fee, best_rent
                push_fee = push_rent = 0.0
                continue
            push_fee = 0.7 * push_fee + 0.3 * np.where((fee > 0) | (served > 1), served - 1, 0.0)
            push_rent = 0.7 * push_rent + 0.3 * np.where((rent > 0) | (used > self.free), used - self.free, 0.0)
            norm = float((push_fee**2).sum() + (push_rent**2).sum())
            if not norm or boldness < 1e-4:
                return
            step = boldness * max(target_cost - bound, 1.0) / norm
            fee = _grained(np.clip(fee + step * push_fee, 0, self.loss))
            rent = _grained(np.maximum(rent + step * push_rent, 0))

    def _first_fees(self) -> _Array:
        """Nobody gets more for a visit than a moderate price, whatever its loss."""
        ordinary = np.minimum(self.loss, 0.3 * np.median(self.loss) if len(self.loss) else 0)
        return _grained(self.loss - ordinary)


def _grained(values: _Array) -> _Array:
    return np.round(values * _GRAIN) / _GRAIN


class _Tours:
    """The cheapest tour of every shift. A spot is a place of one shift; a slot a spot, start, length and room."""

    def __init__(self, board: Board, scale: int) -> None:
        self._board, self._scale = board, scale
        self._tick = board.instance.tick
        self._ticks = 1440 // self._tick + 1
        self._fee_minute = board.instance.weights.travel_minute
        self._spots: list[tuple[int, int, str]] = []
        self._number: dict[tuple[int, int, str], int] = {}
        self._find_slots()
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
        """The spots at which the way is possible, with the starts: those of an empty day where that is safe."""
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
        """Every way between two spots of a shift, its price and when it arrives, for each tick of departure."""
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
        """What it costs from a tick on, for each spot: serving at once, having just arrived, having worked."""
        spots = len(self._spots)
        serve = np.full((self._ticks + 1, spots), np.inf)
        fresh, worked = serve.copy(), serve.copy()
        worked[self._ticks, self._bases] = 0
        for tick in range(self._ticks - 1, -1, -1):
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
