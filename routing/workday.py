"""A day before anything is promised: who is on duty, who may serve what, which rooms there are.

The values that a witness is made of are here too, and the county's rule about trips. This room knows what a
visit needs and refuses what no day could mean; what fits beside other visits is for `offers` to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, TypeAlias

from routing.timeline import Duty, RoomBook, Stop, run_starts, shortest_ways, span_mask

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from routing.problem import Mode, Rooms, Specialist

Tour: TypeAlias = "Sequence[Stop]"
SCARCE = 1_000_000
"""What it is worth to be the only one on duty with a skill or a language."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What somebody wants to be promised: one visit of so many busy minutes; `site` is None by phone only."""

    skill: str
    language: str | None
    mode: Mode
    site: str | None
    minutes: int

    @property
    def place(self) -> str | None:
        """Where the specialist is, None for her base."""
        return self.site if self.mode == "on_site" else None


@dataclass(frozen=True, slots=True)
class Held:
    """A promised visit and who keeps it: `start` in minutes, `minutes` busy; pinned, it stays with her."""

    visit: str
    specialist: str
    start: int
    ask: Ask
    pinned: bool = False

    @property
    def end(self) -> int:
        """The minute at which she is free again."""
        return self.start + self.ask.minutes


class CannotKeep(ValueError):
    """A visit of the witness that its specialist cannot keep, or that has no room."""

    def __init__(self, visit: str, why: str) -> None:
        super().__init__(f"visit {visit}: {why}")
        self.visit = visit


class Workday:
    """Who is on duty on one day, with which rooms; `least_per_trip` is the county's rule about trips.

    Specialists are numbered in the order of their ids. Where travel is asymmetric or a detour is shorter
    than the direct way nothing else is assumed. Raises ValueError where travel lacks a place.
    """

    def __init__(
        self,
        day: int,
        specialists: Iterable[Specialist],
        travel: Mapping[str, Mapping[str, int]],
        rooms: Mapping[str, Sequence[Rooms]],
        tick: int,
        least_per_trip: int = 1,
    ) -> None:
        on_duty = [s for s in specialists if any(shift.day == day for shift in s.shifts)]
        self.staff = tuple(sorted(on_duty, key=lambda specialist: specialist.id))
        self.number = {specialist.id: number for number, specialist in enumerate(self.staff)}
        self.travel, self.tick, self.least_per_trip = travel, tick, least_per_trip
        for place in {s.base for s in self.staff} | set(rooms):
            if place not in travel:
                raise ValueError(f"no travel times from {place}")
        self.duties = tuple(
            Duty(s.base, [shift for shift in s.shifts if shift.day == day], travel, s.max_travel, tick)
            for s in self.staff
        )
        self.ways = shortest_ways(travel)
        self.rooms = {site: self._book(day, spans) for site, spans in rooms.items()}
        self.scarcity = self._scarcity()
        self._able: dict[tuple[str, str | None, Mode], tuple[int, ...]] = {}
        self._reach: dict[tuple[int, str | None], tuple[int, ...]] = {}

    def _book(self, day: int, spans: Iterable[Rooms]) -> RoomBook:
        # nobody is in two rooms at once, so more rooms than people are never in use
        return RoomBook.of((span for span in spans if span.day == day), self.tick, len(self.staff))

    def _scarcity(self) -> tuple[int, ...]:
        """How much each specialist can do that few others can."""
        talents = [
            [*(("s", s) for s in one.skills), *(("l", x) for x in one.languages)] for one in self.staff
        ]
        count: dict[tuple[str, str], int] = {}
        for talent in (talent for mine in talents for talent in mine):
            count[talent] = count.get(talent, 0) + 1
        return tuple(sum(SCARCE // count[talent] for talent in mine) for mine in talents)

    def able(self, ask: Ask) -> tuple[int, ...]:
        """The numbers of those who have the skill, speak the language and serve in that mode."""
        key = ask.skill, ask.language, ask.mode
        if key not in self._able:
            self._able[key] = tuple(n for n, s in enumerate(self.staff) if self.lack(s, ask) is None)
        return self._able[key]

    def able_to_all(self, asks: Sequence[Ask]) -> tuple[int, ...]:
        """The numbers of those who may serve each of them."""
        able = self.able(asks[0])
        for ask in asks[1:]:
            others = self.able(ask)
            able = tuple(number for number in able if number in others)
        return able

    def possible_starts(self, asks: Sequence[Ask]) -> int:
        """The starts at which somebody could serve each ask in turn if nothing else were promised."""
        mask, ticks = -1, 0
        for ask in asks:
            reach = 0
            for number in self.able(ask):
                reach |= self.reach_starts(number, ask.place, ask.minutes)
            mask &= reach >> ticks
            ticks += ask.minutes // self.tick
        return mask

    def lack(self, specialist: Specialist, ask: Ask) -> str | None:
        """What keeps the specialist from serving this at all, None for nothing."""
        if ask.skill not in specialist.skills:
            return f"{specialist.id} lacks the skill {ask.skill}"
        if ask.language is not None and ask.language not in specialist.languages:
            return f"{specialist.id} does not speak {ask.language}"
        if ask.mode not in specialist.modes:
            return f"{specialist.id} does not serve by {ask.mode}"
        return None

    def reach_starts(self, number: int, place: str | None, minutes: int) -> int:
        """The starts at which she could serve there on an otherwise empty day, and perhaps some more."""
        mask = 0
        for presence in self.presence(number, place):
            mask |= run_starts(presence, minutes // self.tick)
        return mask

    def presence(self, number: int, place: str | None) -> tuple[int, ...]:
        """The ticks of each shift at which she could be there on such a day; empty if on none."""
        key = number, place
        if key not in self._reach:
            self._reach[key] = tuple(self._present(self.duties[number], place))
        return self._reach[key]

    def _present(self, duty: Duty, place: str | None) -> Iterable[int]:
        if place is None:
            return [duty.open_starts(number, self.tick) for number in range(len(duty.shifts))]
        there, back = self.ways[duty.base][place], self.ways[place][duty.base]
        if duty.limit is not None and there + back > duty.limit:
            return []
        return [
            duty.open_starts(number, self.tick)
            & span_mask(-(-(shift.begin + there) // self.tick), (shift.end - back) // self.tick)
            for number, shift in enumerate(duty.shifts)
        ]

    def stop(self, number: int, start: int, ask: Ask, name: str) -> Stop:
        """What serving that means for her day."""
        return Stop(start, start + ask.minutes, ask.place or self.duties[number].base, name)

    def never_both(self, number: int, one: Stop, other: Stop) -> bool:
        """Whether her day cannot have both stops, whatever else is on it; each fits an empty day."""
        if other.begin < one.begin:
            one, other = other, one
        duty = self.duties[number]
        if other.begin < one.end:
            return True
        shift = duty.shift_of(one)
        return (
            shift is not None and shift == duty.shift_of(other) and duty.too_far(shift, one, other, self.ways)
        )

    def keeps_trips(self, number: int, before: Iterable[Tour], after: Iterable[Tour]) -> bool:
        """Whether every stay at a site away from her base has enough visits, or is as it was before."""
        if self.least_per_trip <= 1:
            return True
        base = self.duties[number].base
        known = {stay for tour in before for stay in _stays(tour, base)}
        stays = (stay for tour in after for stay in _stays(tour, base))
        return all(len(stay) >= self.least_per_trip or stay in known for stay in stays)

    def refuse(self, asks: Sequence[Ask]) -> None:
        """Raise ValueError where the asks are no visits that could follow one another on this day."""
        if len({(ask.mode, ask.site) for ask in asks}) != 1:
            raise ValueError("visits back to back must have one mode and one site")
        for position, ask in enumerate(asks):
            self.refuse_one(ask, f"asks[{position}]")

    def refuse_one(self, ask: Ask, where: str) -> None:
        """Raise ValueError, naming the place, where the ask means nothing on this day."""
        if ask.minutes <= 0 or ask.minutes % self.tick:
            raise ValueError(f"{where}: {ask.minutes} minutes are not whole ticks of {self.tick}")
        if (ask.site is None) != (ask.mode == "phone"):
            raise ValueError(f"{where}: {ask.mode} at {ask.site} is no way to meet")
        if ask.site is not None and ask.site not in self.rooms:
            raise ValueError(f"{where}: site {ask.site} is unknown")


def _stays(tour: Tour, base: str) -> list[tuple[str, ...]]:
    """The visits of each stay at a site that is not her base."""
    by_place = groupby(tour, key=lambda stop: stop.place)
    return [tuple(stop.visit for stop in stay) for place, stay in by_place if place != base]
