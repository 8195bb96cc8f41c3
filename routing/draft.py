"""A plan in the making: the days and room books as they stand, and the cost so far.

Every step keeps the rules, and `rewind` takes steps back at no cost, since the values it kept are immutable.
This room decides nothing: where a visit should go is for the methods to say.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from routing.board import NO_ROOM, Board, Way
from routing.problem import Assignment, Plan
from routing.timeline import Stop, span_mask

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Column: TypeAlias = tuple[Assignment, ...]
"""All visits of one specialist on one day, in the order of the instance."""


class Place(NamedTuple):
    """Where a visit goes: one way, one duty of it, one start (in ticks)."""

    way: Way
    duty: int
    start: int

    def stop(self, visit: str, base: str, tick: int) -> Stop:
        """The stop it makes in the day of a specialist with that base."""
        begin = self.start * tick
        return Stop(begin, begin + self.way.minutes, self.way.place or base, visit)


class Draft:
    """A valid plan on a board. `cost` is the whole cost, the loss of unserved visits included."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.days = list(board.idle)
        self.rooms = list(board.rooms)
        self.places: list[Place | None] = [None] * len(board.visits)
        self.cost = sum(board.loss)
        self._steps: list[tuple[list[Any], int, Any]] = []
        self._travel_minute = board.instance.weights.travel_minute

    def cheapest(self, visit: int, ceiling: int) -> tuple[int, int, Place] | None:
        """The cheapest way to serve a visit below the ceiling: its cost, all such starts, the first."""
        days, rooms, minute, detour = self.days, self.rooms, self._travel_minute, self.board.detour
        best = None
        for way in self.board.ways[visit]:
            price, duties, place, minutes, ticks, room, starts, _, _ = way
            if price + detour >= ceiling:
                break
            if room != NO_ROOM:
                starts &= rooms[room].starts(ticks)
                if not starts:
                    continue
            for duty in duties:
                for extra, mask in days[duty].fits(place, minutes):
                    if mask & starts:
                        cost = price + extra * minute
                        if cost < ceiling:
                            ceiling = cost
                            best = way, duty, mask & starts
                        break
        if best is None:
            return None
        way, duty, mask = best
        return ceiling, mask, Place(way, duty, (mask & -mask).bit_length() - 1)

    def put(self, visit: int, place: Place) -> None:
        """Serve a visit at a place that fits."""
        way, duty, start = place
        before = self.days[duty]
        after = before.with_stop(self._stop(visit, place))
        if way.room != NO_ROOM:
            book = self.rooms[way.room].taken(span_mask(start, start + way.ticks))
            self._set(self.rooms, way.room, book)
        self._set(self.days, duty, after)
        self._set(self.places, visit, place)
        self.cost += way.price - self.board.loss[visit]
        self.cost += (after.travelled - before.travelled) * self._travel_minute

    def take_out(self, visits: Iterable[int]) -> bool:
        """Leave visits unserved; where the ways between the others would not fit, do nothing: False."""
        by_duty: dict[int, set[str]] = defaultdict(set)
        numbers = [visit for visit in visits if self.places[visit] is not None]
        for visit in numbers:
            by_duty[self._place(visit).duty].add(self.board.visits[visit].id)
        after = {duty: self.days[duty].without(gone) for duty, gone in by_duty.items()}
        if not all(after.values()):
            return False
        for duty, day in after.items():
            if day is not None:
                self.cost += (day.travelled - self.days[duty].travelled) * self._travel_minute
                self._set(self.days, duty, day)
        for visit in numbers:
            self._leave(visit)
        return True

    def mark(self) -> int:
        """A point to which `rewind` can go back."""
        return len(self._steps)

    def rewind(self, mark: int, cost: int) -> None:
        """Back to where the draft was when `mark` was given and it cost `cost`."""
        while len(self._steps) > mark:
            values, index, old = self._steps.pop()
            values[index] = old
        self.cost = cost

    def forget_steps(self) -> None:
        """Keep what is done; earlier marks are void."""
        self._steps.clear()

    def lines(self) -> tuple[Assignment, ...]:
        """The assignments, in the order of the visits."""
        return lines_of(self.board, self.places)

    def plan(self) -> Plan:
        """The draft as a plan, without a bound."""
        return Plan(self.board.instance.name, self.lines())

    def load(self, lines: Iterable[Assignment]) -> None:
        """Serve what can be served as these lines say; the others stay unserved."""
        by_duty: dict[int, list[tuple[int, Place]]] = defaultdict(list)
        for line in lines:
            visit = self.board.number.get(line.visit)
            place = None if visit is None else self.find(visit, line)
            if visit is not None and place is not None and self.places[visit] is None:
                by_duty[place.duty].append((visit, place))
        for duty, places in by_duty.items():
            self._load_day(duty, places)

    def _load_day(self, duty: int, places: Sequence[tuple[int, Place]]) -> None:
        """The whole day if it is valid, since a part of it may not be where stops shorten ways."""
        whole = self.board.duties[duty].day(self._stop(visit, place) for visit, place in places)
        for visit, place in sorted(places, key=lambda pair: pair[1].start):
            room_is_free = place.way.room == NO_ROOM or (
                self.rooms[place.way.room].starts(place.way.ticks) >> place.start & 1
            )
            if self.places[visit] is None and room_is_free and (whole or self._fits(place)):
                self.put(visit, place)
        loaded = {self.board.visits[visit].id for visit, _ in places if self.places[visit] is not None}
        if whole and self.board.duties[duty].day(s for s in whole.stops if s.visit in loaded) is None:
            self.take_out([visit for visit, _ in places])

    def _fits(self, place: Place) -> bool:
        return bool(self.days[place.duty].starts(place.way.place, place.way.minutes) >> place.start & 1)

    def _stop(self, visit: int, place: Place) -> Stop:
        base, tick = self.board.duties[place.duty].base, self.board.instance.tick
        return place.stop(self.board.visits[visit].id, base, tick)

    def find(self, visit: int, line: Assignment) -> Place | None:
        """The place that an assignment of the visit describes; None if no way allows it."""
        duty = self.board.duty_of.get((line.specialist, line.day))
        start, odd = divmod(line.start, self.board.instance.tick)
        if duty is None or odd or start < 0:
            return None
        for way in self.board.ways[visit]:
            same = (way.mode, way.site) == (line.mode, line.site)
            if same and way.starts >> start & 1 and duty in way.duties:
                return Place(way, duty, start)
        return None

    def _place(self, visit: int) -> Place:
        place = self.places[visit]
        assert place is not None  # noqa: S101 - callers ask for served visits only
        return place

    def _leave(self, visit: int) -> None:
        way, _, start = self._place(visit)
        if way.room != NO_ROOM:
            book = self.rooms[way.room].given_back(span_mask(start, start + way.ticks))
            self._set(self.rooms, way.room, book)
        self._set(self.places, visit, None)
        self.cost += self.board.loss[visit] - way.price

    def _set(self, values: list[Any], index: int, value: object) -> None:
        self._steps.append((values, index, values[index]))
        values[index] = value


def lines_of(board: Board, places: Sequence[Place | None]) -> tuple[Assignment, ...]:
    """What the places, one for each visit of the board, say as assignments."""
    lines = []
    for visit, place in zip(board.visits, places, strict=True):
        if place is not None:
            specialist, day = board.owners[place.duty]
            start = place.start * board.instance.tick
            lines.append(Assignment(visit.id, specialist, day, start, place.way.mode, place.way.site))
    return tuple(lines)


def columns_of(lines: Iterable[Assignment]) -> set[Column]:
    """The specialist-days of a plan."""
    days: dict[tuple[str, int], list[Assignment]] = defaultdict(list)
    for line in lines:
        days[line.specialist, line.day].append(line)
    return {tuple(day) for day in days.values()}
