"""One specialist's day and one site's rooms: what fits where, travel included.

The only place of the planner that knows the travel rule: she begins every shift with visits at her base and
is back there when it ends, each way takes one stretch without visits and breaks, and `max_travel` bounds the
day. Days and room books are immutable values, so that a search takes a step back by keeping the old value,
and what a day has answered once it remembers.

Sets of starts are bit masks: bit t stands for the tick that begins at minute t * tick. Travel may be
asymmetric and need not obey the triangle inequality. This room knows neither prices nor who may do what.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from routing.problem import Rooms, Shift

Fits: TypeAlias = tuple[tuple[int, int], ...]
"""Pairs of minutes of extra travel, ascending, and the mask of the starts that cost them."""


class Stop(NamedTuple):
    """A visit in a tour; times in minutes, `place` is where the specialist is."""

    begin: int
    end: int
    place: str
    visit: str


def span_mask(begin: int, end: int) -> int:
    """The ticks of [begin, end)."""
    return (1 << end) - (1 << begin) if begin < end else 0


def run_starts(mask: int, length: int) -> int:
    """The ticks of the mask at which `length` consecutive ticks of it begin."""
    have = 1
    while have < length and mask:
        step = min(have, length - have)
        mask &= mask >> step
        have += step
    return mask


def ticks_of(mask: int) -> list[int]:
    """The ticks of a mask, ascending."""
    ticks = []
    while mask:
        lowest = mask & -mask
        ticks.append(lowest.bit_length() - 1)
        mask ^= lowest
    return ticks


def earliest_arrival(shift: Shift, leave: int, minutes: int) -> int:
    """When she arrives who leaves at `leave` and travels that long in one stretch between the breaks."""
    if not minutes:
        return leave
    for begin, end in shift.breaks:
        if begin - leave >= minutes:
            break
        leave = max(leave, end)
    return leave + minutes


def latest_departure(shift: Shift, arrive: int, minutes: int) -> int:
    """When she must leave at the latest who is to arrive at `arrive` after one stretch between the breaks."""
    if not minutes:
        return arrive
    for begin, end in reversed(shift.breaks):
        if arrive - end >= minutes:
            break
        arrive = min(arrive, begin)
    return arrive - minutes


class Opening(NamedTuple):
    """A place in a tour at which another stop could go.

    `present` are the ticks at which she could be where that stop is: a visit fits wherever they last long
    enough. `extra` is what the tour gets longer by, in minutes.
    """

    shift: int
    position: int
    present: int
    extra: int


def shortest_ways(travel: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    """The least minutes from place to place over any others: no tour gets there faster."""
    ways = {place: dict(row) for place, row in travel.items()}
    for via, onward in ways.items():
        for row in ways.values():
            there = row[via]
            for target, minutes in onward.items():
                row[target] = min(row[target], there + minutes)
    return ways


def working_minutes(shift: Shift, begin: int, end: int) -> int:
    """Minutes of [begin, end) outside the breaks of the shift."""
    pauses = (min(end, until) - max(begin, since) for since, until in shift.breaks)
    return end - begin - sum(pause for pause in pauses if pause > 0)


class Duty:
    """What does not change about a specialist on one day: her base, shifts and limit of travel."""

    __slots__ = ("_open", "base", "limit", "shifts", "tick", "travel")

    def __init__(
        self,
        base: str,
        shifts: Iterable[Shift],
        travel: Mapping[str, Mapping[str, int]],
        limit: int | None,
        tick: int,
    ) -> None:
        self.base = base
        self.shifts = tuple(sorted(shifts, key=lambda shift: shift.begin))
        self.travel = travel
        self.limit = limit
        self.tick = tick
        self._open: dict[tuple[int, int], int] = {}

    def open_starts(self, number: int, minutes: int) -> int:
        """The starts at which a visit of that length meets no break of the shift."""
        key = number, minutes
        if key not in self._open:
            shift, tick = self.shifts[number], self.tick
            work = span_mask(-(-shift.begin // tick), shift.end // tick)
            for begin, end in shift.breaks:
                work &= ~span_mask(begin // tick, -(-end // tick))
            self._open[key] = run_starts(work, -(-minutes // tick))
        return self._open[key]

    def day(self, stops: Iterable[Stop] = ()) -> Day | None:
        """The day with these stops, or None if they break a rule."""
        tours: list[list[Stop]] = [[] for _ in self.shifts]
        for stop in sorted(stops):
            number = self.shift_of(stop)
            if number is None:
                return None
            tours[number].append(stop)
        travelled = 0
        for number, tour in enumerate(tours):
            minutes = self._tour_travel(self.shifts[number], tour)
            if minutes is None:
                return None
            travelled += minutes
        if self.limit is not None and travelled > self.limit:
            return None
        return Day(self, tuple(tuple(tour) for tour in tours), travelled)

    def present(self, number: int, last: Stop, place: str, following: Stop) -> int:
        """The ticks at which she could be at the place between two successive stops of a shift."""
        shift, tick, travel = self.shifts[number], self.tick, self.travel
        first = earliest_arrival(shift, last.end, travel[last.place][place])
        until = latest_departure(shift, following.begin, travel[place][following.place])
        return self.open_starts(number, tick) & span_mask(-(-first // tick), until // tick)

    def ends(self, number: int) -> tuple[Stop, Stop]:
        """Where a tour of the shift begins and ends, as stops without length."""
        shift = self.shifts[number]
        return Stop(shift.begin, shift.begin, self.base, ""), Stop(shift.end, shift.end, self.base, "")

    def too_far(self, number: int, one: Stop, other: Stop, ways: Mapping[str, Mapping[str, int]]) -> bool:
        """Whether no tour of the shift has both stops in this order, whatever else is on it.

        `ways` are the shortest ways. What lies between may divide a way between the breaks, so only the
        working minutes count.
        """
        return working_minutes(self.shifts[number], one.end, other.begin) < ways[one.place][other.place]

    def around(self, number: int, stop: Stop, there: int, back: int) -> tuple[int, int]:
        """When another stop must end that comes before this one, and when one can begin that comes after.

        `there` are the least minutes to this stop, `back` those from it; as in `too_far` only the working
        minutes count.
        """
        latest, earliest, breaks = stop.begin - there, stop.end + back, self.shifts[number].breaks
        for begin, end in reversed(breaks):
            if begin < stop.begin and end > latest:
                latest -= min(end, stop.begin) - begin
        for begin, end in breaks:
            if end > stop.end and begin < earliest:
                earliest += end - max(begin, stop.end)
        return latest, earliest

    def may_reach(self, place: str | None, minutes: int) -> bool:
        """Whether a visit there can be all she does on a day, breaks apart: False is certain, True is not."""
        if place is None or place == self.base:
            return True
        away = self.travel[self.base][place] + self.travel[place][self.base]
        within = self.limit is None or away <= self.limit
        return within and any(shift.end - shift.begin >= away + minutes for shift in self.shifts)

    def shift_of(self, stop: Stop) -> int | None:
        """The number of the shift that the stop lies in, None if in none, in a break or off the tick."""
        if stop.begin % self.tick:
            return None
        start = 1 << stop.begin // self.tick
        numbers = range(len(self.shifts))
        return next((n for n in numbers if self.open_starts(n, stop.end - stop.begin) & start), None)

    def _tour_travel(self, shift: Shift, tour: Sequence[Stop]) -> int | None:
        """Minutes travelled on the tour, None if a way does not fit."""
        if not tour:
            return 0
        total, place, free = 0, self.base, shift.begin
        for begin, end, target in (*((s.begin, s.end, s.place) for s in tour), (shift.end, 0, self.base)):
            if begin < free:
                return None
            if target != place:
                minutes = self.travel[place][target]
                if earliest_arrival(shift, free, minutes) > begin:
                    return None
                total += minutes
            place, free = target, end
        return total


class Day:
    """A valid day of a specialist: a tour per shift and the minutes travelled."""

    __slots__ = ("_fits", "duty", "tours", "travelled")

    def __init__(self, duty: Duty, tours: tuple[tuple[Stop, ...], ...], travelled: int) -> None:
        self.duty = duty
        self.tours = tours
        self.travelled = travelled
        self._fits: dict[tuple[str | None, int], Fits] = {}

    @property
    def stops(self) -> tuple[Stop, ...]:
        """All stops in the order of time."""
        return tuple(stop for tour in self.tours for stop in tour)

    def fits(self, place: str | None, minutes: int) -> Fits:
        """Every start that still fits for a visit of that length at that place, None for her base."""
        key = place, minutes
        found = self._fits.get(key)
        if found is None:
            found = self._fits[key] = self._search(place or self.duty.base, minutes)
        return found

    def starts(self, place: str | None, minutes: int) -> int:
        """The mask of every start that still fits."""
        mask = 0
        for _, starts in self.fits(place, minutes):
            mask |= starts
        return mask

    def openings(self, place: str) -> tuple[Opening, ...]:
        """Where a further stop at that place could go, in the order of time."""
        every = (
            self._opening(number, position, place)
            for number, tour in enumerate(self.tours)
            for position in range(len(tour) + 1)
        )
        return tuple(opening for opening in every if opening is not None)

    def with_stop(self, stop: Stop) -> Day:
        """The day with one more stop at one of the starts that fit."""
        duty = self.duty
        number, position = self._gap(stop)
        tour, travel = self.tours[number], duty.travel
        before = tour[position - 1].place if position else duty.base
        after = tour[position].place if position < len(tour) else duty.base
        extra = travel[before][stop.place] + travel[stop.place][after] - travel[before][after]
        longer = (*tour[:position], stop, *tour[position:])
        tours = (*self.tours[:number], longer, *self.tours[number + 1 :])
        return Day(duty, tours, self.travelled + extra)

    def without(self, visits: set[str] | frozenset[str]) -> Day | None:
        """The day without these visits; None where the direct way between others would not fit."""
        return self.duty.day(stop for tour in self.tours for stop in tour if stop.visit not in visits)

    def _opening(self, number: int, position: int, place: str) -> Opening | None:
        duty, tour = self.duty, self.tours[number]
        begin, end = duty.ends(number)
        last = tour[position - 1] if position else begin
        after = tour[position] if position < len(tour) else end
        present = duty.present(number, last, place, after)
        if not present:
            return None
        travel = duty.travel
        extra = travel[last.place][place] + travel[place][after.place] - travel[last.place][after.place]
        if duty.limit is not None and self.travelled + extra > duty.limit:
            return None
        return Opening(number, position, present, extra)

    def _gap(self, stop: Stop) -> tuple[int, int]:
        """The shift and the position at which a stop goes."""
        number = next(n for n, shift in enumerate(self.duty.shifts) if stop.end <= shift.end)
        position = 0
        for other in self.tours[number]:
            if other.begin > stop.begin:
                break
            position += 1
        return number, position

    def _search(self, place: str, minutes: int) -> Fits:
        by_extra: dict[int, int] = {}
        for number in range(len(self.tours)):
            opens = self.duty.open_starts(number, minutes)
            if opens:
                self._search_shift(number, place, minutes, opens, by_extra)
        limit = self.duty.limit
        return tuple(
            (extra, by_extra[extra])
            for extra in sorted(by_extra)
            if limit is None or self.travelled + extra <= limit
        )

    def _search_shift(
        self, number: int, place: str, minutes: int, opens: int, by_extra: dict[int, int]
    ) -> None:
        """Look into every gap of a tour."""
        duty, shift = self.duty, self.duty.shifts[number]
        tick, travel = duty.tick, duty.travel
        onward = travel[place]
        before, free = duty.base, shift.begin
        for begin, end, after, _ in (*self.tours[number], (shift.end, 0, duty.base, "")):
            if begin - free >= minutes:
                there, on = travel[before][place], onward[after]
                first = earliest_arrival(shift, free, there)
                last = latest_departure(shift, begin, on) - minutes
                if first <= last:
                    mask = opens & span_mask(-(-first // tick), last // tick + 1)
                    if mask:
                        extra = there + on - travel[before][after]
                        by_extra[extra] = by_extra.get(extra, 0) | mask
            before, free = after, end


class RoomBook:
    """The rooms of a site on one day that are still free: bit t of level n says that n + 1 are free at t."""

    __slots__ = ("_levels", "_starts")

    def __init__(self, levels: tuple[int, ...]) -> None:
        self._levels = levels
        self._starts: dict[int, int] = {}

    @classmethod
    def of(cls, spans: Iterable[Rooms], tick: int, most: int) -> RoomBook:
        """All rooms of the spans, `most` at once at the highest: more could never be in use."""
        levels: list[int] = []
        for span in spans:
            mask = span_mask(-(-span.begin // tick), span.end // tick)
            count = min(span.count, most)
            levels += [0] * (count - len(levels))
            levels = [level | mask if n < count else level for n, level in enumerate(levels)]
        return cls(tuple(levels) or (0,))

    def starts(self, ticks: int) -> int:
        """The starts at which a room is free for so many ticks."""
        found = self._starts.get(ticks)
        if found is None:
            found = self._starts[ticks] = run_starts(self._levels[0], ticks)
        return found

    def free(self, tick: int) -> int:
        """How many rooms are free at that tick."""
        return sum(level >> tick & 1 for level in self._levels)

    def changes(self) -> list[int]:
        """The ticks at which another number of rooms is free than before."""
        changed = 0
        for level in self._levels:
            changed |= level ^ (level << 1)
        return ticks_of(changed)

    def taken(self, mask: int) -> RoomBook:
        """One room less at these ticks."""
        levels = self._levels
        above = (*levels[1:], 0)
        pairs = zip(levels, above, strict=True)
        return RoomBook(tuple((level & ~mask) | (higher & mask) for level, higher in pairs))

    def given_back(self, mask: int) -> RoomBook:
        """One room more at these ticks."""
        levels = self._levels
        below = (mask, *levels[:-1])
        pairs = zip(levels, below, strict=True)
        return RoomBook(tuple((level & ~mask) | (lower & mask) for level, lower in pairs))
