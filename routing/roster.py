"""A valid plan as days and room books, to be asked what would be if a visit went elsewhere.

Rosters are values: taking a visit out or putting one in answers another roster that shares all the rest.
Where the ways are odd a day may only hold because of a visit in the middle of it; a roster without that visit
has a gap, and whole again is only what closes it.
"""

from __future__ import annotations

import math
from collections import ChainMap, defaultdict
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from routing.board import Board, can_serve
from routing.timeline import Stop, span_mask, ticks_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, MutableMapping

    from routing.board import Ask
    from routing.problem import Assignment, Instance, Mode, Option, Plan, Visit
    from routing.timeline import Day, Duty, RoomBook


class Served(NamedTuple):
    """An assignment, what it asks for and what it costs without travel."""

    line: Assignment
    ask: Ask
    price: int


class Opening(NamedTuple):
    """Where a visit still fits: all starts of the mask cost `price` and `travel` more minutes."""

    ask: Ask
    specialist: str
    starts: int
    price: int
    travel: int


class Gap(NamedTuple):
    """A day that does not hold as it is: the duty and what is left of its stops."""

    duty: int
    stops: tuple[Stop, ...]


class Calendar:
    """What does not change about an instance, as a roster sees it."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.board = Board(replace(instance, visits={}, chains=()))
        self.weight = instance.weights.travel_minute
        self._able: dict[tuple[str, str | None, Mode, int], tuple[int, ...]] = {}

    def able_duties(self, visit: Visit, ask: Ask) -> tuple[int, ...]:
        """The duties on the day of the ask of those who may serve the visit in that mode."""
        mode, day = ask.option.mode, ask.day
        key = visit.skill, visit.language, mode, day
        if key not in self._able:
            duties = (
                self.board.duty_of.get((specialist.id, day))
                for specialist in self.instance.specialists.values()
                if mode in specialist.modes and can_serve(specialist, visit)
            )
            self._able[key] = tuple(duty for duty in duties if duty is not None)
        return self._able[key]

    def surcharge(self, visit: Visit, specialist: str) -> int:
        """What it costs that it is this specialist."""
        weights = self.instance.weights
        wish = weights.wish if visit.wish not in (None, specialist) else 0
        return wish + (weights.change if visit.holder not in (None, specialist) else 0)

    def served(self, line: Assignment) -> Served:
        """What an assignment answers. ValueError if the visit does not ask for that."""
        visit = self.instance.visits[line.visit]
        start = line.start // self.instance.tick
        for ask in self.board.asks_of(visit):
            way = ask.option.mode, ask.option.site, ask.day
            if way == (line.mode, line.site, line.day) and ask.starts >> start & 1:
                return Served(line, ask, ask.price + self.surcharge(visit, line.specialist))
        raise ValueError(f"visit {line.visit} does not ask for what the plan says")

    def stop(self, one: Served) -> Stop:
        """The stop that a served visit makes in the day of its specialist."""
        line, option = one.line, one.ask.option
        minutes = self.instance.visits[line.visit].minutes_of(option)
        base = self.instance.specialists[line.specialist].base
        return Stop(line.start, line.start + minutes, place_of(option) or base, line.visit)

    def take_room(self, rooms: MutableMapping[int, RoomBook], one: Served, *, back: bool = False) -> None:
        """Note in the books that the visit has its room, or has it no more."""
        line = one.line
        if line.site is not None:
            number, start = self.board.room_of[line.site, line.day], line.start // self.instance.tick
            ticks = self.ticks(self.instance.visits[line.visit], one.ask.option)
            mask = span_mask(start, start + ticks)
            rooms[number] = rooms[number].given_back(mask) if back else rooms[number].taken(mask)

    def ticks(self, visit: Visit, option: Option) -> int:
        """How many ticks the visit takes this way."""
        return -(-visit.minutes_of(option) // self.instance.tick)


class Roster:
    """A valid plan, or one with a gap. `cost` is all of it but the loss of what is not served.

    `calendar` has the duties and rooms of the instance and no visits: those asked about here are few.
    """

    __slots__ = ("_days", "_rooms", "_served", "calendar", "cost", "gap")

    def __init__(
        self,
        calendar: Calendar,
        days: ChainMap[int, Day],
        rooms: ChainMap[int, RoomBook],
        served: ChainMap[str, Served | None],
        cost: int,
        gap: Gap | None = None,
    ) -> None:
        self.calendar = calendar
        self.cost = cost
        self.gap = gap
        self._days = days
        self._rooms = rooms
        self._served = served

    @classmethod
    def of(cls, instance: Instance, plan: Plan) -> Roster:
        """The roster of a valid plan, chains aside. ValueError if the plan breaks another rule."""
        calendar = Calendar(instance)
        board = calendar.board
        served: dict[str, Served | None] = {}
        rooms = dict(enumerate(board.rooms))
        stops: dict[int, list[Stop]] = defaultdict(list)
        for line in plan.assignments:
            one = calendar.served(line)
            served[line.visit] = one
            stops[board.duty_of[line.specialist, line.day]].append(calendar.stop(one))
            calendar.take_room(rooms, one)
        days = dict(enumerate(board.idle))
        for duty, tour in stops.items():
            day = board.duties[duty].day(tour)
            if day is None:
                raise ValueError(f"the day {board.owners[duty]} breaks a rule")
            days[duty] = day
        cost = sum(one.price for one in served.values() if one)
        cost += calendar.weight * sum(day.travelled for day in days.values())
        return cls(calendar, ChainMap(days), ChainMap(rooms), ChainMap(served), cost)

    def served(self, visit: str) -> Served | None:
        """How the visit is served, None if it is not."""
        return self._served.get(visit)

    def day(self, duty: int) -> Day:
        """The day of a duty other than that of the gap."""
        return self._days[duty]

    def without(self, visit: str) -> Roster:
        """The roster without a visit that is served; it may have a gap. This one must have none."""
        one = self._served[visit]
        assert one is not None  # noqa: S101 - callers ask for served visits only
        calendar = self.calendar
        duty = calendar.board.duty_of[one.line.specialist, one.line.day]
        old, new = self._days[duty], self._days[duty].without({visit})
        days, rooms = self._days, self._rooms.new_child()
        gap = None
        if new is None:
            left = tuple(stop for stop in old.stops if stop.visit != visit)
            gap, travelled = Gap(duty, left), travel_minutes(old.duty, left)
        else:
            days, travelled = days.new_child({duty: new}), new.travelled
        calendar.take_room(rooms, one, back=True)
        cost = self.cost - one.price + calendar.weight * (travelled - old.travelled)
        return Roster(calendar, days, rooms, self._served.new_child({visit: None}), cost, gap)

    def with_line(self, line: Assignment) -> Roster | None:
        """The roster with one more visit as the assignment says, None if that does not fit."""
        calendar = self.calendar
        board, visit = calendar.board, calendar.instance.visits[line.visit]
        duty = board.duty_of.get((line.specialist, line.day))
        if duty is None or (self.gap is not None and self.gap.duty != duty):
            return None
        one = calendar.served(line)
        has_room = self.room_starts(visit, one.ask) >> line.start // board.instance.tick & 1
        before = self.gap.stops if self.gap else self._days[duty].stops
        day = board.duties[duty].day([*before, calendar.stop(one)]) if has_room else None
        if day is None:
            return None
        rooms = self._rooms.new_child()
        calendar.take_room(rooms, one)
        cost = self.cost + one.price + calendar.weight * (day.travelled - self._travelled(duty))
        served = self._served.new_child({line.visit: one})
        return Roster(calendar, self._days.new_child({duty: day}), rooms, served, cost)

    def openings(self, visit: Visit, asks: Iterable[Ask]) -> Iterator[Opening]:
        """Everything that fits for a visit that is not served, of what these asks allow."""
        calendar = self.calendar
        for ask in asks:
            room_left = self.room_starts(visit, ask)
            if not room_left:
                continue
            for duty in calendar.able_duties(visit, ask):
                fits = [
                    (travel, starts) for travel, starts in self._fits(duty, visit, ask) if starts & room_left
                ]
                if fits:
                    specialist = calendar.board.owners[duty][0]
                    price = ask.price + calendar.surcharge(visit, specialist)
                    for travel, starts in fits:
                        yield Opening(ask, specialist, starts & room_left, price, travel)

    def cheapest(self, visit: Visit, asks: Iterable[Ask]) -> Opening | None:
        """The opening at which the visit costs least, travel included."""
        weight, detour = self.calendar.weight, self.calendar.board.detour
        best, least = None, math.inf
        for ask in sorted(asks, key=lambda ask: ask.price):
            if ask.price + detour >= least:
                break
            for opening in self.openings(visit, [ask]):
                cost = opening.price + opening.travel * weight
                if cost < least:
                    best, least = opening, cost
        return best

    def room_starts(self, visit: Visit, ask: Ask, *, empty: bool = False) -> int:
        """The starts of the ask at which a room is free, or would be if nobody else had one."""
        board, option = self.calendar.board, ask.option
        if option.site is None:
            return ask.starts
        room = board.room_of.get((option.site, ask.day))
        if room is None:
            return 0
        book = board.rooms[room] if empty else self._rooms[room]
        return ask.starts & book.starts(self.calendar.ticks(visit, option))

    def _fits(self, duty: int, visit: Visit, ask: Ask) -> Iterable[tuple[int, int]]:
        """Minutes of extra travel and the starts that cost them."""
        place, minutes = place_of(ask.option), visit.minutes_of(ask.option)
        if self.gap is None:
            return self._days[duty].fits(place, minutes)
        return self._closing(duty, place, minutes, ask.starts) if duty == self.gap.duty else ()

    def _closing(
        self, number: int, place: str | None, minutes: int, starts: int
    ) -> Iterator[tuple[int, int]]:
        """Starts on the day with the gap at which the visit closes it."""
        duty, tick = self.calendar.board.duties[number], self.calendar.instance.tick
        assert self.gap is not None  # noqa: S101 - the caller has looked
        for start in ticks_of(starts):
            stop = Stop(start * tick, start * tick + minutes, place or duty.base, "")
            day = duty.day([*self.gap.stops, stop])
            if day is not None:
                yield day.travelled - self._travelled(number), 1 << start

    def _travelled(self, duty: int) -> int:
        if self.gap is not None and self.gap.duty == duty:
            return travel_minutes(self.calendar.board.duties[duty], self.gap.stops)
        return self._days[duty].travelled


def travel_minutes(duty: Duty, stops: Iterable[Stop]) -> int:
    """The minutes of the direct ways from stop to stop, from base to base on each shift, fitting or not."""
    tours: dict[int | None, list[Stop]] = defaultdict(list)
    for stop in sorted(stops):
        tours[duty.shift_of(stop)].append(stop)
    places = [[duty.base, *(stop.place for stop in tour), duty.base] for tour in tours.values()]
    return sum(duty.travel[one][other] for tour in places for one, other in pairwise(tour))


def place_of(option: Option) -> str | None:
    """Where the specialist is, None for her base."""
    return option.site if option.mode == "on_site" else None
