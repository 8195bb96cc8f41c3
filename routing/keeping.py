"""The promises of one day, who could keep each, and a first way to keep them: nobody moves for another.

Whoever can stay stays, what is left goes where it costs least. What cannot be kept whatever happens is
hopeless from the beginning. Needs no solver; `mending` looks for the best.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from routing.timeline import span_mask
from routing.workday import Ask, Workday

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from routing.problem import Instance, Promise, Visit
    from routing.timeline import Day, Stop


class PromisedDay:
    """The promised visits of one day of an instance; all others are left aside.

    `able` are the numbers of those who could keep a visit if it were for them alone; `hopeless` are the
    visits that nobody could keep, or whose chain nobody could.
    """

    def __init__(self, instance: Instance, day: int) -> None:
        self.instance, self.day = instance, day
        self.workday = Workday(
            day, instance.specialists.values(), instance.travel, instance.rooms, instance.tick
        )
        promised = [visit for visit in instance.visits.values() if visit.promise and visit.promise.day == day]
        self._told: dict[str, Promise] = {visit.id: visit.promise for visit in promised if visit.promise}
        self.asks = {visit.id: _ask(visit, self._told[visit.id]) for visit in promised}
        self.able = {visit.id: self._able(visit.id) for visit in promised}
        self.hopeless = self._hopeless()
        self.visits = {visit.id: visit for visit in promised if visit.id not in self.hopeless}
        self.chains = [chain for chain in instance.chains if chain and chain[0] in self.visits]

    def start(self, visit: str) -> int:
        """The promised minute."""
        return self._told[visit].start

    def stop(self, number: int, visit: str) -> Stop:
        """What it means for the day of a specialist."""
        return self.workday.stop(number, self.start(visit), self.asks[visit], visit)

    def ticks(self, visit: str) -> tuple[int, int]:
        """The first tick and that after the last."""
        tick, begin = self.instance.tick, self.start(visit)
        return begin // tick, -(-(begin + self.asks[visit].minutes) // tick)

    def holder(self, visit: str) -> int | None:
        """The number of who has it so far, None if nobody, or if she could not keep it."""
        number = self.workday.number.get(self.visits[visit].holder or "")
        return number if number in self.able[visit] else None

    def _able(self, visit: str) -> tuple[int, ...]:
        ask, start, workday = self.asks[visit], self.start(visit), self.workday
        first, after = self.ticks(visit)
        if start < 0 or start % self.instance.tick or not self._has_room(ask, first, after):
            return ()
        return tuple(
            number
            for number in workday.able(ask)
            if workday.duties[number].shift_of(self.stop(number, visit)) is not None
            and workday.reach_starts(number, ask.place, ask.minutes) >> first & 1
        )

    def _has_room(self, ask: Ask, first: int, after: int) -> bool:
        if ask.site is None:
            return True
        book = self.workday.rooms.get(ask.site)
        return book is not None and bool(book.starts(after - first) >> first & 1)

    def _hopeless(self) -> frozenset[str]:
        hopeless = {visit for visit, able in self.able.items() if not able}
        left = [chain for chain in self.instance.chains if not self._is_apart(chain)]
        hopeless |= {visit for chain in self.instance.chains if self._is_apart(chain) for visit in chain}
        while True:
            more = {visit for chain in left if hopeless & {*chain} for visit in chain} - hopeless
            if not more:
                return frozenset(hopeless & self.able.keys())
            hopeless |= more

    def _is_apart(self, chain: Sequence[str]) -> bool:
        """Whether what was promised is not back to back in one place."""
        if not all(visit in self.asks for visit in chain):
            return True
        return any(
            (self.start(one) + self.asks[one].minutes, *_way(self.asks[one]))
            != (self.start(other), *_way(self.asks[other]))
            for one, other in pairwise(chain)
        )

    # --- The first way to keep them

    def keep(self) -> dict[str, int]:
        """Who keeps what, valid as a whole; what is not listed is lost."""
        given_up: set[str] = set()
        while True:
            first = _Beginning(self, given_up)
            first.give_away()
            cut = [visit for chain in self.chains if not first.keeps_all(chain) for visit in chain]
            if not first.takers.keys() & set(cut):
                return first.takers
            given_up.update(cut)

    def by_rank(self, visits: Iterable[str]) -> list[str]:
        """The most urgent first, then in the order of time."""
        return sorted(visits, key=lambda name: (-self.visits[name].priority, self.start(name), name))


class _Beginning:
    """Everybody keeps what she can of what she holds; the others are given away."""

    def __init__(self, day: PromisedDay, given_up: set[str]) -> None:
        self._day = day
        self._left = [name for name in day.by_rank(day.visits) if name not in given_up]
        without_room: set[str] = set()
        while True:
            self.takers: dict[str, int] = {}
            self._days = [self._stay(number, without_room) for number in range(len(day.workday.staff))]
            more = self._take_rooms()
            if not more:
                return
            without_room |= more

    def keeps_all(self, chain: Iterable[str]) -> bool:
        return all(visit in self.takers for visit in chain)

    def _stay(self, number: int, without_room: set[str]) -> Day:
        """The day of a specialist with as much as she can of what she holds."""
        day = self._day
        mine = [name for name in self._left if name not in without_room and day.holder(name) == number]
        duty = day.workday.duties[number]
        kept = duty.day(day.stop(number, name) for name in mine)
        if kept is None:
            kept = duty.day()
            for name in mine:
                if kept is not None:
                    kept = duty.day([*kept.stops, day.stop(number, name)]) or kept
        assert kept is not None  # noqa: S101 - nothing to do breaks no rule
        self.takers |= {stop.visit: number for stop in kept.stops}
        return kept

    def _take_rooms(self) -> set[str]:
        """Take the rooms of what stays; what has none."""
        self._rooms = dict(self._day.workday.rooms)
        return {name for name in self._day.by_rank(self.takers) if not self._take_room(name)}

    def _take_room(self, visit: str) -> bool:
        site = self._day.asks[visit].site
        if site is None:
            return True
        first, after = self._day.ticks(visit)
        if not self._rooms[site].starts(after - first) >> first & 1:
            return False
        self._rooms[site] = self._rooms[site].taken(span_mask(first, after))
        return True

    def give_away(self) -> None:
        """Give what nobody keeps to whom it costs least, as long as it fits."""
        day = self._day
        for name in self._left:
            if name in self.takers:
                continue
            costs = [
                (cost, day.workday.scarcity[number], number)
                for number in day.able[name]
                if (cost := self._cost(name, number)) is not None
            ]
            if costs and self._take_room(name):
                number = min(costs)[2]
                self.takers[name] = number
                self._days[number] = self._days[number].with_stop(day.stop(number, name))

    def _cost(self, visit: str, number: int) -> int | None:
        """What it costs if she takes the visit too, None if it does not fit."""
        day, ask = self._day, self._day.asks[visit]
        first, _ = day.ticks(visit)
        for extra, starts in self._days[number].fits(ask.place, ask.minutes):
            if starts >> first & 1:
                weights, wish = day.instance.weights, day.visits[visit].wish
                unmet = wish not in (None, day.workday.staff[number].id)
                return extra * weights.travel_minute + (weights.wish if unmet else 0)
        return None


def _ask(visit: Visit, told: Promise) -> Ask:
    return Ask(visit.skill, visit.language, told.mode, told.site, visit.minutes)


def _way(ask: Ask) -> tuple[str, str | None]:
    return ask.mode, ask.site
