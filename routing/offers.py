"""Which starts of a day can be promised, and who would serve them: the witness of one day.

A witness is the proof that every promise of a day can be kept: each has a specialist, and all rules hold. An
offer is a start at which the witness takes one more promise (or several visits back to back), if need be
after promises have gone to colleagues, never to another time, place or mode. Looked for in this order: gaps,
the other days that each specialist could have (`relief`, found once for all questions), and an exact search
bounded by steps. What is offered can always be kept, and only on a crowded day may a start be missed.

Witnesses never change: what is booked or released makes a new one, which shares with the old what is the
same. This room knows one day, no prices and no wishes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from routing.diary import Diary
from routing.relief import Relief
from routing.reshuffle import Reshuffle, Solution, Table
from routing.timeline import run_starts, span_mask, ticks_of
from routing.workday import Ask, CannotKeep, Held, Workday

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from routing.relief import Alternative
    from routing.timeline import Day, RoomBook, Stop

Asks: TypeAlias = tuple[Ask, ...]
Masks: TypeAlias = "Callable[[int, str | None, int], Iterable[int]]"
EFFORT = 0
"""Steps of the exact search for one question: beside relief it adds one start in some thousand."""
SEVERAL = 60
"""Its steps at least where several visits are asked for: relief knows only what one specialist can do."""
PLACING = 100
"""Steps for placing one promise: it is done once, and well."""


@dataclass(frozen=True, slots=True)
class Placement:
    """A way to keep a new promise that begins at minute `start`.

    `specialists` serve the asks one after the other, `moves` says who takes over which held visit,
    `extra_travel` is what all of them together travel more, in minutes.
    """

    asks: Asks
    start: int
    specialists: tuple[str, ...]
    moves: Mapping[str, str]
    extra_travel: int


class _Proof(NamedTuple):
    """That some starts can be kept: who would serve the asks, and who would take over which held visit."""

    starts: int
    takers: tuple[int, ...]
    moves: Mapping[str, int]


class _Rank(NamedTuple):
    """What decides which way is better, in this order, and at last the way itself."""

    changes: int
    extra_travel: int
    people: int
    talent: int
    takers: tuple[int, ...]
    moves: tuple[tuple[str, int], ...]


class DayWitness:
    """Every live promise of a day with who keeps it; immutable.

    Raises CannotKeep, naming a visit, where what is held breaks a rule: such a day needs repair, not offers.
    `effort` bounds the exact search per question, in steps; what is the same in `like` is shared with it.
    """

    def __init__(
        self,
        workday: Workday,
        held: Iterable[Held] = (),
        effort: int = EFFORT,
        *,
        like: DayWitness | None = None,
    ) -> None:
        self.workday, self._effort = workday, effort
        self._held: dict[str, Held] = {}
        for one in sorted(held, key=lambda one: (one.start, one.visit)):
            if one.visit in self._held:
                raise CannotKeep(one.visit, "held twice")
            self._held[one.visit] = one
        known = like._diaries if like else ()  # noqa: SLF001 - another witness
        self._diaries: tuple[Diary, ...] = tuple(_diaries(workday, self._held.values(), known))
        self._rooms = _rooms_left(workday, self._held.values())
        self._table = Table(workday, self._diaries, self._held)
        self._relief = Relief(workday, self._diaries, self._table)
        self._answers: dict[Asks, int] = {}
        self._proofs: dict[Asks, list[_Proof]] = {}
        self._pools: dict[tuple[str, tuple[int, ...], str | None, int], tuple[int, ...]] = {}

    @property
    def held(self) -> tuple[Held, ...]:
        """All promises in the order of time."""
        return tuple(self._held.values())

    def after(self, placement: Placement, visits: Sequence[str]) -> DayWitness:
        """The witness with the new promise, whose visits are called so."""
        if len(visits) != len(placement.asks):
            raise ValueError(f"{len(placement.asks)} visits need as many names, not {len(visits)}")
        held = dict(self._held)
        for visit, name in placement.moves.items():
            held[visit] = replace(held[visit], specialist=name)
        begin = placement.start
        for visit, name, ask in zip(visits, placement.specialists, placement.asks, strict=True):
            if visit in held:
                raise ValueError(f"visit {visit} is held already")
            held[visit] = Held(visit, name, begin, ask)
            begin += ask.minutes
        return DayWitness(self.workday, held.values(), self._effort, like=self)

    def without(self, visit: str) -> DayWitness:
        """The witness once a visit is released. Raises KeyError if it is not held.

        Raises CannotKeep where her other visits do not go together without it, since it divided a way.
        """
        rest = [one for one in self._held.values() if one is not self._held[visit]]
        return DayWitness(self.workday, rest, self._effort, like=self)

    # --- Which starts -------------------------------------------------------------------------------

    def starts(self, asks: Asks, within: int = -1) -> int:
        """The starts of the first ask at which all can be promised back to back, as a mask over ticks.

        `within` masks the starts that matter. Each start in the mask can be kept; one is missing from it only
        if it cannot, or if a search was cut short. Raises ValueError for asks that mean nothing on this day.
        """
        found = self._answers.get(asks)
        if found is None:
            self.workday.refuse(asks)
            found = self._answers[asks] = self._look_for(asks)
        return found & within

    def thinkable_starts(self, asks: Asks) -> int:
        """The starts at which there is a room, and somebody who could come if she had no other visits."""
        return self.workday.possible_starts(asks) & self._with_room(asks)

    def _with_room(self, asks: Asks) -> int:
        site = asks[0].site
        ticks = sum(ask.minutes for ask in asks) // self.workday.tick
        return -1 if site is None else self._rooms[site].starts(ticks)

    def _look_for(self, asks: Asks) -> int:
        left = self.thinkable_starts(asks)
        found = 0
        for search in (self._direct, self._relieved, self._shared):
            if left:
                more = search(asks) & left
                found |= more
                left &= ~more
        return found | self._exact(asks, left)

    def _direct(self, asks: Asks) -> int:
        """One specialist serves all in one of her gaps."""
        masks = self._pooled(self._direct_masks, self.workday.able_to_all(asks), asks[0].place, len(asks))
        return self._any_run(masks, sum(ask.minutes for ask in asks))

    def _relieved(self, asks: Asks) -> int:
        """One specialist serves all after some visits of hers have gone to colleagues."""
        masks = self._pooled(self._relieved_masks, self.workday.able_to_all(asks), asks[0].place, len(asks))
        return self._any_run(masks, sum(ask.minutes for ask in asks))

    def _reachable(self, asks: Asks) -> int:
        """Wherever each ask has somebody whom no visit keeps away that cannot leave her."""
        mask, shift = -1, 0
        for ask in asks:
            masks = self._pooled(self._reach_masks, self.workday.able(ask), ask.place, 1)
            mask &= self._any_run(masks, ask.minutes) >> shift
            shift += ask.minutes // self.workday.tick
        return mask

    def _shared(self, asks: Asks) -> int:
        """Several specialists serve them, each in a gap of hers."""
        if len(asks) == 1:
            return 0
        wanted, shift = self._with_room(asks), 0
        for ask in asks:
            masks = self._pooled(self._direct_masks, self.workday.able(ask), ask.place, len(asks))
            wanted &= self._any_run(masks, ask.minutes) >> shift
            shift += ask.minutes // self.workday.tick
        found = 0
        for tick in ticks_of(wanted):
            search = Reshuffle(self._table, _one_by_one(asks, tick * self.workday.tick), PLACING)
            found |= self._remember(asks, 1 << tick, next(search.solutions(0), None))
        return found

    def _exact(self, asks: Asks, wanted: int) -> int:
        """Whoever serves what, as far as the effort lasts.

        Several starts are settled at once: what all of them have in common is asked for, and if that cannot
        be kept, none of them can; a way to keep it often does for some of them.
        """
        steps = max(self._effort, SEVERAL) if len(asks) > 1 else self._effort
        if not wanted or not steps:
            return 0
        found, groups = 0, self._groups(asks, ticks_of(wanted & self._reachable(asks)))
        while groups and steps:
            ticks = groups.pop()
            search = Reshuffle(self._table, self._in_common(asks, ticks), steps)
            solution, steps = next(search.solutions(len(self._held)), None), search.steps
            if solution is None and not search.cut:
                continue
            kept = self._kept_starts(asks, ticks, solution)
            found |= self._remember(asks, kept, solution)
            rest = [tick for tick in ticks if not kept >> tick & 1]
            if len(rest) < len(ticks) or len(ticks) > 1:
                half = len(rest) // 2 if len(rest) == len(ticks) else 0
                groups += [part for part in (rest[:half], rest[half:]) if part]
        return found

    def _groups(self, asks: Asks, ticks: Sequence[int]) -> list[list[int]]:
        """Starts so near to each other that every ask has a tick in common."""
        most = min(ask.minutes for ask in asks) // self.workday.tick
        groups: list[list[int]] = []
        for tick in ticks:
            if groups and tick - groups[-1][0] < most:
                groups[-1].append(tick)
            else:
                groups.append([tick])
        return groups

    def _in_common(self, asks: Asks, ticks: Sequence[int]) -> list[tuple[int, Ask]]:
        """What the asks need whichever of these ticks, ascending, they begin at."""
        later = (ticks[-1] - ticks[0]) * self.workday.tick
        return [
            (start + later, replace(ask, minutes=ask.minutes - later))
            for start, ask in _one_by_one(asks, ticks[0] * self.workday.tick)
        ]

    def _kept_starts(self, asks: Asks, ticks: Iterable[int], solution: Solution | None) -> int:
        """At which of these ticks the asks could begin with the takers and moves of a solution."""
        if solution is None:
            return 0
        tick = self.workday.tick
        return sum(1 << t for t in ticks if self._solution(asks, t * tick, solution.takers, solution.moves))

    # --- What lies behind the starts ----------------------------------------------------------------

    def _pooled(self, masks: Masks, able: tuple[int, ...], place: str | None, visits: int) -> tuple[int, ...]:
        """The masks of all these specialists, without those that lie in others; remembered."""
        key = masks.__name__, able, place, visits if self.workday.least_per_trip > 1 else 1
        found = self._pools.get(key)
        if found is None:
            every = {mask for number in able for mask in masks(number, place, visits)}
            found = self._pools[key] = _widest(every)
        return found

    def _direct_masks(self, number: int, place: str | None, visits: int) -> Iterable[int]:
        return self._diaries[number].presence(place, visits)

    def _relieved_masks(self, number: int, place: str | None, visits: int) -> Iterable[int]:
        for alternative in self._relief.alternatives(number):
            yield from self._diary_instead(number, alternative).presence(place, visits)

    def _diary_instead(self, number: int, alternative: Alternative) -> Diary:
        return Diary(self.workday, number, alternative.day, self._diaries[number].pinned)

    def _reach_masks(self, number: int, place: str | None, _visits: int) -> Iterable[int]:
        return self._relief.reach(number, place)

    def _any_run(self, masks: Iterable[int], minutes: int) -> int:
        found, ticks = 0, minutes // self.workday.tick
        for mask in masks:
            found |= run_starts(mask, ticks)
        return found

    def _remember(self, asks: Asks, starts: int, solution: Solution | None) -> int:
        """Keep what proves some starts; those starts."""
        if solution is None or not starts:
            return 0
        self._proofs.setdefault(asks, []).append(_Proof(starts, solution.takers, solution.moves))
        return starts

    def _proof(self, asks: Asks, start: int) -> Solution:
        """What `starts` relied on."""
        return next(solution for solution in self._proven(asks, start) if solution is not None)

    def _proven(self, asks: Asks, start: int) -> Iterator[Solution | None]:
        bit, place, minutes = 1 << start // self.workday.tick, asks[0].place, sum(ask.minutes for ask in asks)
        able = self.workday.able_to_all(asks)
        for number in able:
            if self._diaries[number].starts(place, minutes, len(asks)) & bit:
                yield self._solution(asks, start, (number,) * len(asks), {})
        for number in able:
            for alternative in self._relief.alternatives(number):
                if self._diary_instead(number, alternative).starts(place, minutes, len(asks)) & bit:
                    yield self._solution(asks, start, (number,) * len(asks), alternative.moves)
        for proof in self._proofs.get(asks, ()):
            if proof.starts & bit:
                yield self._solution(asks, start, proof.takers, proof.moves)

    def _solution(
        self, asks: Asks, start: int, takers: tuple[int, ...], moves: Mapping[str, int]
    ) -> Solution | None:
        """With the days as they would be, None if one of them breaks a rule."""
        workday = self.workday
        old = {visit: workday.number[self._held[visit].specialist] for visit in moves}
        stops: dict[int, list[Stop]] = {
            number: [stop for stop in self._diaries[number].day.stops if stop.visit not in moves]
            for number in {*takers, *moves.values(), *old.values()}
        }
        for visit, number in moves.items():
            one = self._held[visit]
            stops[number].append(workday.stop(number, one.start, one.ask, visit))
        for number, (begin, ask) in zip(takers, _one_by_one(asks, start), strict=True):
            stops[number].append(workday.stop(number, begin, ask, f"\0{begin}"))
        days = {}
        for number, mine in stops.items():
            day = workday.duties[number].day(mine)
            if day is None or not workday.keeps_trips(number, self._diaries[number].day.tours, day.tours):
                return None
            days[number] = day
        return Solution(takers, moves, days)

    # --- Placing ------------------------------------------------------------------------------------

    def place(self, asks: Asks, start: int) -> Placement | None:
        """The best way to keep a promise that begins at minute `start`, None if none is found."""
        return next(self.places(asks, start), None)

    def places(self, asks: Asks, start: int) -> Iterator[Placement]:
        """The ways to keep it, fewest moves first, then least extra travel, fewest people, least talent used.

        There is one for every start in `starts`, and the first has the fewest moves of all unless the search
        is cut short. Ways in which a moved visit shortens a travel or joins a trip are sought only where
        there is no other way with so few moves.
        """
        self.workday.refuse(asks)
        bit = 0 if start % self.workday.tick else 1 << start // self.workday.tick
        if not self.thinkable_starts(asks) & bit:
            return
        search = Reshuffle(self._table, _one_by_one(asks, start), max(PLACING, self._effort))
        proof, missing = None, True
        for most in range(len(self._held) + 1):
            found = [solution for solution in search.solutions(most) if len(solution.moves) == most]
            yield from self._ranked(asks, start, found)
            if proof is None:
                # only now: for a way without moves, which most can have, nobody needs to search the whole day
                if not self.starts(asks, bit):
                    return
                proof = self._proof(asks, start)
            missing = missing and not any(proof[:2] == solution[:2] for solution in found)
            if search.cut or not search.more:
                break
        if missing and proof:
            yield from self._ranked(asks, start, [proof])

    def _ranked(self, asks: Asks, start: int, solutions: Iterable[Solution]) -> list[Placement]:
        """The best first; the order does not depend on that of the solutions."""
        ranked = sorted(self._rank(asks, solution) for solution in solutions)
        return [self._placement(asks, start, rank) for rank in ranked]

    def _rank(self, asks: Asks, solution: Solution) -> _Rank:
        takers, moves, days = solution
        extra = sum(day.travelled - self._diaries[number].day.travelled for number, day in days.items())
        scarcity = self.workday.scarcity
        talent = sum(scarcity[n] * ask.minutes for n, ask in zip(takers, asks, strict=True))
        for visit, number in moves.items():
            one = self._held[visit]
            talent += (scarcity[number] - scarcity[self.workday.number[one.specialist]]) * one.ask.minutes
        return _Rank(len(moves), extra, len(set(takers)), talent, takers, tuple(sorted(moves.items())))

    def _placement(self, asks: Asks, start: int, rank: _Rank) -> Placement:
        staff = self.workday.staff
        return Placement(
            asks,
            start,
            tuple(staff[number].id for number in rank.takers),
            {visit: staff[number].id for visit, number in rank.moves},
            rank.extra_travel,
        )


def _one_by_one(asks: Asks, start: int) -> list[tuple[int, Ask]]:
    """When each of them begins if the first does so at minute `start`."""
    begins = accumulate((ask.minutes for ask in asks[:-1]), initial=start)
    return list(zip(begins, asks, strict=True))


def _widest(masks: Iterable[int]) -> tuple[int, ...]:
    """Without the masks that lie in another."""
    widest: list[int] = []
    for mask in sorted(masks, key=lambda mask: (-mask.bit_count(), mask)):
        if all(mask & ~wider for wider in widest):
            widest.append(mask)
    return tuple(widest)


def _diaries(workday: Workday, held: Iterable[Held], known: Sequence[Diary]) -> Iterator[Diary]:
    """Everybody's diary, the known one where nothing changes."""
    stops: list[list[Stop]] = [[] for _ in workday.staff]
    pinned: list[set[str]] = [set() for _ in workday.staff]
    for one in held:
        number = _holder(workday, one)
        stops[number].append(workday.stop(number, one.start, one.ask, one.visit))
        if one.pinned:
            pinned[number].add(one.visit)
    for number, mine in enumerate(stops):
        old = known[number] if known else None
        if old and old.day.stops == tuple(mine) and old.pinned == pinned[number]:
            yield old
        else:
            yield Diary(workday, number, _kept_day(workday, number, mine), frozenset(pinned[number]))


def _holder(workday: Workday, one: Held) -> int:
    """The number of the visit's specialist. Raises CannotKeep if she is not on duty or may not serve it."""
    workday.refuse_one(one.ask, f"visit {one.visit}")
    number = workday.number.get(one.specialist)
    if number is None:
        raise CannotKeep(one.visit, f"{one.specialist} is not on duty")
    lack = workday.lack(workday.staff[number], one.ask)
    if lack:
        raise CannotKeep(one.visit, lack)
    return number


def _kept_day(workday: Workday, number: int, stops: Sequence[Stop]) -> Day:
    """The day with these stops. Raises CannotKeep for the first that breaks a rule."""
    duty = workday.duties[number]
    day = duty.day(stops)
    if day is not None:
        return day
    name, stops = workday.staff[number].id, sorted(stops)
    for stop in stops:
        if duty.shift_of(stop) is None:
            raise CannotKeep(stop.visit, f"lies in no shift of {name}, in a break or off the tick")
    first = next(n for n in range(len(stops)) if duty.day(stops[: n + 1]) is None)
    raise CannotKeep(stops[first].visit, f"{name} cannot keep it beside her other visits")


def _rooms_left(workday: Workday, held: Iterable[Held]) -> dict[str, RoomBook]:
    """The rooms that nobody uses. Raises CannotKeep where one too many is in use."""
    books = dict(workday.rooms)
    for one in held:
        site, tick = one.ask.site, workday.tick
        if site is not None:
            if not books[site].starts(one.ask.minutes // tick) >> one.start // tick & 1:
                raise CannotKeep(one.visit, f"no room is left at {site}")
            books[site] = books[site].taken(span_mask(one.start // tick, one.end // tick))
    return books
