"""The instance as the search sees it: numbered duties, room books and, for each visit, the ways to serve it.

A way is a set of equally priced possibilities: one option in the windows of one day, with any of some
specialists. Everything that can be said about a visit by itself is in the ways already, promise, skills,
languages, modes, windows, wish and holder, so that a search only has to look for a gap. This room never
changes while one searches; `draft` is what changes.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from routing.problem import Option
from routing.timeline import Day, Duty, RoomBook, span_mask

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from routing.problem import Assignment, Instance, Mode, Specialist, Visit, Window

NO_ROOM = -1
FEW_VISITS = 500
"""So few are looked at in any case: it takes a fraction of a second, whatever else the machine does."""


class Ask(NamedTuple):
    """What a citizen would accept: an option, a day, the mask of starts, and what it costs by itself."""

    option: Option
    day: int
    starts: int
    price: int


class Way(NamedTuple):
    """How a visit may be served: `price` is all it costs except travel.

    `duties` are numbers of duties, `place` is where the specialist is (None: at her base), `room` the number
    of the room book or `NO_ROOM`, `starts` the mask of the starts allowed by windows and rooms.
    """

    price: int
    duties: tuple[int, ...]
    place: str | None
    minutes: int
    ticks: int
    room: int
    starts: int
    mode: Mode
    site: str | None


class Board:
    """An instance, numbered. `loss[v]` is what it costs to leave visit number v unserved.

    Visits of a chain have no ways at first: `with_pins` gives them one each, once they have a place. Where
    the time is over (`until`, a value of `time.monotonic`) the visits that are left get no ways, the cheapest
    to lose, and the board is not complete.
    """

    def __init__(self, instance: Instance, until: float = math.inf) -> None:
        self.instance = instance
        self.visits = tuple(instance.visits.values())
        self.number = {visit.id: number for number, visit in enumerate(self.visits)}
        self.loss = [loss_of(instance, visit) for visit in self.visits]
        self.chains = [tuple(self.number[visit] for visit in chain) for chain in instance.chains]
        self.pins: dict[int, Assignment] = {}
        self.detour = _cheapest_detour(instance.travel) * instance.weights.travel_minute
        self.duties, self.owners = _duties(instance)
        self.duty_of = {owner: number for number, owner in enumerate(self.owners)}
        self.idle = [_idle(duty) for duty in self.duties]
        self.rooms, self.room_of = _room_books(instance)
        self._staff = _Staff(self)
        chained = {visit for chain in self.chains for visit in chain}
        self.ways: list[tuple[Way, ...]] = [()] * len(self.visits)
        self.is_complete = True
        for visit in sorted(range(len(self.visits)), key=lambda visit: -self.loss[visit]):
            if len(self.visits) > FEW_VISITS and time.monotonic() > until:
                self.is_complete = False
                break
            if visit not in chained:
                self.ways[visit] = self.ways_of(visit)

    def ways_of(self, number: int) -> tuple[Way, ...]:
        """All ways to serve a visit, cheapest first; a chain is not considered."""
        visit = self.visits[number]
        ways = [way for ask in self.asks_of(visit) for way in self._ways_to_answer(visit, *ask)]
        return tuple(sorted(ways, key=lambda way: way.price))

    def asks_of(self, visit: Visit) -> Iterator[Ask]:
        """What the visit asks for, or what was promised, whether anybody can do it or not."""
        return _promised(visit, self.instance.tick) if visit.promise else _asked(self.instance, visit)

    def with_pins(self, pins: Mapping[int, Assignment]) -> Board:
        """The board on which these visits keep day, start, mode and site and must be served."""
        pinned = Board.__new__(Board)
        pinned.__dict__.update(self.__dict__)
        pinned.pins = dict(pins)
        pinned.ways, pinned.loss = list(self.ways), list(self.loss)
        for number, line in pins.items():
            pinned.ways[number] = tuple(self._pinned_ways(number, line))
            pinned.loss[number] = 1 + sum(self.loss)
        return pinned

    def _pinned_ways(self, number: int, line: Assignment) -> Iterator[Way]:
        start = 1 << line.start // self.instance.tick
        for way in self.ways_of(number):
            duties = tuple(duty for duty in way.duties if self.owners[duty][1] == line.day)
            if duties and way.starts & start and (way.mode, way.site) == (line.mode, line.site):
                yield way._replace(duties=duties, starts=start)

    def _ways_to_answer(
        self, visit: Visit, option: Option, day: int, starts: int, price: int
    ) -> Iterator[Way]:
        minutes, tick = visit.minutes_of(option), self.instance.tick
        ticks, room = -(-minutes // tick), NO_ROOM
        if option.site is not None:
            room = self.room_of.get((option.site, day), NO_ROOM)
            starts = starts & self.rooms[room].starts(ticks) if room != NO_ROOM else 0
        if not starts:
            return
        place = option.site if option.mode == "on_site" else None
        for surcharge, duties in self._staff.groups(visit, option.mode, day, place, minutes):
            yield Way(
                price + surcharge, duties, place, minutes, ticks, room, starts, option.mode, option.site
            )


def possible_starts(board: Board) -> int:
    """How many combinations of visit, way, specialist and start there are: the size of exact models."""
    return sum(len(way.duties) * way.starts.bit_count() for ways in board.ways for way in ways)


def bound_of_single_visits(board: Board) -> int:
    """What every visit costs at least, travel and chains apart, as if there were no other."""
    chained = {visit for chain in board.chains for visit in chain}
    bound = 0
    for visit, loss in enumerate(board.loss):
        ways = board.ways_of(visit) if visit in chained else board.ways[visit]
        bound += min(loss, ways[0].price) if ways else loss
    return bound


def loss_of(instance: Instance, visit: Visit) -> int:
    """What it costs to leave the visit unserved."""
    weights = instance.weights
    return weights.unserved[visit.priority] if visit.promise is None else weights.lost_promise


def _cheapest_detour(travel: Mapping[str, Mapping[str, int]]) -> int:
    """The least minutes a stop on the way can add; negative where the triangle inequality does not hold."""
    least = 0
    for row in travel.values():
        for via, there in row.items():
            onward = travel[via]
            least = min(least, there + min(onward[target] - direct for target, direct in row.items()))
    return least


# --- Duties and rooms -------------------------------------------------------------------------------


def _duties(instance: Instance) -> tuple[list[Duty], list[tuple[str, int]]]:
    duties, owners = [], []
    for specialist in instance.specialists.values():
        for day in sorted({shift.day for shift in specialist.shifts}):
            shifts = [shift for shift in specialist.shifts if shift.day == day]
            limit = specialist.max_travel
            duties.append(Duty(specialist.base, shifts, instance.travel, limit, instance.tick))
            owners.append((specialist.id, day))
    return duties, owners


def _idle(duty: Duty) -> Day:
    day = duty.day()
    assert day is not None  # noqa: S101 - nothing to do breaks no rule
    return day


def _room_books(instance: Instance) -> tuple[list[RoomBook], dict[tuple[str, int], int]]:
    books: list[RoomBook] = []
    numbers: dict[tuple[str, int], int] = {}
    for site, spans in instance.rooms.items():
        for day in sorted({span.day for span in spans}):
            numbers[site, day] = len(books)
            spans_of_day = [span for span in spans if span.day == day]
            # one more than could ever be in use, so that where a room lacks it is for want of rooms
            books.append(RoomBook.of(spans_of_day, instance.tick, len(instance.specialists) + 1))
    return books, numbers


# --- What the citizen asks for ------------------------------------------------------------------------


def _promised(visit: Visit, tick: int) -> Iterator[Ask]:
    """The one option, day and start that were promised; they cost nothing."""
    promise = visit.promise
    if promise is not None and promise.start >= 0 and promise.start % tick == 0:
        yield Ask(Option(promise.mode, promise.site), promise.day, 1 << promise.start // tick, 0)


def _asked(instance: Instance, visit: Visit) -> Iterator[Ask]:
    """Each option on each day and level of penalty, with the mask of starts and the price."""
    for option in visit.options:
        by_level: dict[tuple[int, int], int] = defaultdict(int)
        for window in visit.windows_of(option):
            mask = _window_starts(window, visit.minutes_of(option), instance.tick)
            by_level[window.day, window.penalty] |= mask
        cheaper: dict[int, int] = defaultdict(int)
        for day, penalty in sorted(by_level):
            starts = by_level[day, penalty] & ~cheaper[day]
            cheaper[day] |= starts
            wait = instance.weights.wait_day * visit.priority * (day - visit.release)
            yield Ask(option, day, starts, option.penalty + penalty + wait)


def _window_starts(window: Window, minutes: int, tick: int) -> int:
    return span_mask(-(-window.begin // tick), (window.end - minutes) // tick + 1)


# --- Who may answer -----------------------------------------------------------------------------------


class _Staff:
    """Finds the duties that can take a visit; many visits share an answer."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._able: dict[tuple[str, str | None, Mode, int], list[int]] = {}
        self._duties: dict[tuple[object, ...], tuple[int, ...]] = {}

    def groups(
        self, visit: Visit, mode: Mode, day: int, place: str | None, minutes: int
    ) -> Iterator[tuple[int, tuple[int, ...]]]:
        """The able duties of the day by the surcharge for who it is."""
        everybody = self._on_duty(visit, mode, day, place, minutes)
        names = sorted({name for name in (visit.wish, visit.holder) if name is not None})
        named = [(name, self._board.duty_of.get((name, day))) for name in names]
        own = {duty for _, duty in named}
        rest = everybody if own.isdisjoint(everybody) else tuple(d for d in everybody if d not in own)
        if rest:
            yield self._surcharge(visit, None), rest
        for name, duty in named:
            if duty in everybody:
                yield self._surcharge(visit, name), (duty,)

    def _surcharge(self, visit: Visit, specialist: str | None) -> int:
        weights = self._board.instance.weights
        wish = weights.wish if visit.wish not in (None, specialist) else 0
        return wish + (weights.change if visit.holder not in (None, specialist) else 0)

    def _on_duty(
        self, visit: Visit, mode: Mode, day: int, place: str | None, minutes: int
    ) -> tuple[int, ...]:
        key = visit.skill, visit.language, mode, day, place, minutes
        if key not in self._duties:
            self._duties[key] = tuple(self._reaching(self._able_on(visit, mode, day), place, minutes))
        return self._duties[key]

    def _able_on(self, visit: Visit, mode: Mode, day: int) -> list[int]:
        key = visit.skill, visit.language, mode, day
        if key not in self._able:
            self._able[key] = [
                self._board.duty_of[specialist.id, day]
                for specialist in self._board.instance.specialists.values()
                if (specialist.id, day) in self._board.duty_of
                and mode in specialist.modes
                and can_serve(specialist, visit)
            ]
        return self._able[key]

    def _reaching(self, able: Iterable[int], place: str | None, minutes: int) -> Iterator[int]:
        """Leaves out whom even an empty day is too short; not so where a stop may shorten the way."""
        board = self._board
        for duty in able:
            if board.detour < 0 or board.duties[duty].may_reach(place, minutes):
                yield duty


def can_serve(specialist: Specialist, visit: Visit) -> bool:
    """Whether the specialist has the skill and the language."""
    speaks = visit.language is None or visit.language in specialist.languages
    return speaks and visit.skill in specialist.skills
