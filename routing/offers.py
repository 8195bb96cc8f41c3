"""Which starts of a day can be promised, and who would serve them: the witness of one day.

A witness is the proof that every promise of a day can be kept: each has a specialist, and all rules hold. An
offer is a start at which the witness takes one more promise (or several visits back to back), if need be
after promises have gone to colleagues, never to another time, place or mode. Looked for in this order: gaps,
short chains of colleagues who take over and exchange visits, and an exact search bounded by steps, so that
what is offered can always be kept, and only on a crowded day may a start be missed.

Witnesses never change: what is booked or released makes a new one, which shares with the old what is the
same. This room knows one day, no prices and no wishes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from routing.diary import Diary
from routing.problem import MINUTES_A_DAY
from routing.relief import Relief
from routing.reshuffle import Reshuffle, Solution, Table
from routing.timeline import span_mask, ticks_of
from routing.workday import Ask, CannotKeep, Held, Workday

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from routing.timeline import Day, RoomBook, Stop

Asks: TypeAlias = tuple[Ask, ...]
EFFORT = 20
"""Steps of the exact search for one question, some 20 microseconds each."""
LEAST_SHARE = 20
"""Steps for one start; fewer would find nothing."""
PLACING = 5
"""How many times that may go into placing one promise: it is done once, and well."""


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
        self._answers: dict[Asks, tuple[int, int]] = {}
        self._proofs: dict[Asks, list[_Proof]] = {}
        self._relief = Relief(workday, self._diaries, self._held)
        self._table: Table | None = None

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
        if it cannot, or if it takes more than a chain and the search was cut short. Raises ValueError for
        asks that mean nothing on this day.
        """
        self.workday.refuse(asks)
        within &= (1 << MINUTES_A_DAY // self.workday.tick) - 1
        asked, found = self._answers.get(asks, (0, 0))
        if within & ~asked:
            found |= self._look_for(asks, within & ~asked)
            self._answers[asks] = asked | within, found
        return found & within

    def thinkable_starts(self, asks: Asks) -> int:
        """The starts at which there is a room, and somebody who could come if she had no other visits."""
        thinkable, site = self.workday.possible_starts(asks), asks[0].site
        if site is not None:
            ticks = sum(ask.minutes for ask in asks) // self.workday.tick
            thinkable &= self._rooms[site].starts(ticks)
        return thinkable

    def _look_for(self, asks: Asks, wanted: int) -> int:
        left = wanted & self.thinkable_starts(asks)
        found = 0
        for search in (self._direct, self._shared, self._chained, self._exchanged, self._exact):
            if not left:
                break
            more = search(asks, left)
            found |= more
            left &= ~more
        return found

    def _direct(self, asks: Asks, wanted: int) -> int:
        """One specialist serves all in one of her gaps."""
        found, place, minutes = 0, asks[0].place, sum(ask.minutes for ask in asks)
        for number in self.workday.able_to_all(asks):
            found |= self._diaries[number].starts(place, minutes, len(asks))
        return found & wanted

    def _shared(self, asks: Asks, wanted: int) -> int:
        """Several specialists serve them, each in a gap of hers."""
        if len(asks) == 1:
            return 0
        shift = 0
        for ask in asks:
            fits = 0
            for number in self.workday.able(ask):
                fits |= self._diaries[number].starts(ask.place, ask.minutes, len(asks))
            wanted &= fits >> shift
            shift += ask.minutes // self.workday.tick
        found = 0
        for tick in ticks_of(wanted):
            search = self._search(asks, tick * self.workday.tick, self._effort)
            found |= self._proved(asks, tick, next(search.solutions(0), None))
        return found

    def _chained(self, asks: Asks, wanted: int) -> int:
        """One specialist serves all after some visits of hers have gone to colleagues, perhaps by chains."""
        found, place, minutes = 0, asks[0].place, sum(ask.minutes for ask in asks)
        for number in self.workday.able_to_all(asks):
            for visits, starts in self._diaries[number].instead(place, minutes, wanted, len(asks)):
                moves = self._relief.ways_out(visits) if starts & ~found else None
                if moves:
                    found |= starts
                    self._prove(asks, _Proof(starts, (number,) * len(asks), moves))
        return found

    def _exchanged(self, asks: Asks, wanted: int) -> int:
        """One specialist serves all after she has exchanged visits with a colleague."""
        found, place, minutes = 0, asks[0].place, sum(ask.minutes for ask in asks)
        for number in self.workday.able_to_all(asks):
            for exchange in self._relief.exchanges(number):
                starts = exchange.diary.starts(place, minutes, len(asks)) & wanted & ~found
                if starts:
                    found |= starts
                    self._prove(asks, _Proof(starts, (number,) * len(asks), exchange.moves))
        return found

    def _exact(self, asks: Asks, wanted: int) -> int:
        """Whoever serves what, as far as the effort lasts; it is shared out evenly."""
        # a start by itself, as it is placed later, gets at least as many steps, so that it is found again
        found, left, steps = 0, ticks_of(wanted), self._effort
        while left and steps > 0:
            tick = left.pop(len(left) // 2)
            share = min(steps, max(LEAST_SHARE, steps // (len(left) + 1)))
            search = self._search(asks, tick * self.workday.tick, share)
            found |= self._proved(asks, tick, next(search.solutions(len(self._held)), None))
            steps -= share - search.steps
        return found

    # --- Proofs -------------------------------------------------------------------------------------

    def _search(self, asks: Asks, start: int, steps: int) -> Reshuffle:
        if self._table is None:
            self._table = Table(self.workday, [diary.day for diary in self._diaries], self._held)
        return Reshuffle(self._table, asks, start, steps)

    def _prove(self, asks: Asks, proof: _Proof) -> None:
        self._proofs.setdefault(asks, []).append(proof)

    def _proved(self, asks: Asks, tick: int, solution: Solution | None) -> int:
        """Remember a solution; the start that it proves."""
        if solution is None:
            return 0
        self._prove(asks, _Proof(1 << tick, solution.takers, solution.moves))
        return 1 << tick

    def _proof(self, asks: Asks, start: int) -> Solution:
        """What `starts` relied on."""
        bit, place, minutes = 1 << start // self.workday.tick, asks[0].place, sum(ask.minutes for ask in asks)
        for proof in self._proofs.get(asks, ()):
            if proof.starts & bit:
                return self._solution(asks, start, proof.takers, proof.moves)
        taker = next(
            number
            for number in self.workday.able_to_all(asks)
            if self._diaries[number].starts(place, minutes, len(asks)) & bit
        )
        return self._solution(asks, start, (taker,) * len(asks), {})

    def _solution(
        self, asks: Asks, start: int, takers: tuple[int, ...], moves: Mapping[str, int]
    ) -> Solution:
        """With the days as they would be."""
        workday = self.workday
        old = {visit: workday.number[self._held[visit].specialist] for visit in moves}
        stops: dict[int, list[Stop]] = {
            number: [stop for stop in self._diaries[number].day.stops if stop.visit not in moves]
            for number in {*takers, *moves.values(), *old.values()}
        }
        for visit, number in moves.items():
            one = self._held[visit]
            stops[number].append(workday.stop(number, one.start, one.ask, visit))
        for position, (number, ask) in enumerate(zip(takers, asks, strict=True)):
            stops[number].append(workday.stop(number, start, ask, f"\0{position}"))
            start += ask.minutes
        return Solution(takers, moves, {n: _kept_day(workday, n, mine) for n, mine in stops.items()})

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
        if start % self.workday.tick or not self.starts(asks, 1 << start // self.workday.tick):
            return
        proof, missing = self._proof(asks, start), True
        search = self._search(asks, start, PLACING * self._effort)
        for most in range(len(self._held) + 1):
            found = [solution for solution in search.solutions(most) if len(solution.moves) == most]
            yield from self._ranked(asks, start, found)
            missing = missing and not any(proof[:2] == solution[:2] for solution in found)
            if search.cut or not search.more:
                break
        if missing:
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
