"""Exact search for who could keep every promise of a day and some new ones as well; times and places stay.

Everybody keeps what she has until that is in the way: a new visit goes to somebody, what it collides with
must go elsewhere, and so on. Each branch decides about one visit, so that a search that ends has seen every
possibility. It is bounded by a number of steps, and says whether it was cut short. It weighs nothing:
`offers` chooses among what it finds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from routing.timeline import ticks_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from routing.diary import Diary
    from routing.timeline import Day, Stop
    from routing.workday import Ask, Held, Workday

Numbers: TypeAlias = tuple[int, ...]
NOBODY = -1
IMPOSSIBLE = -1
MUCH = 20
"""The trouble with a visit that cannot go at all as far as chains tell."""


class Solution(NamedTuple):
    """Who serves each new visit, who takes over which held one, and the days that change."""

    takers: Numbers
    moves: Mapping[str, int]
    days: Mapping[int, Day]


class _Item(NamedTuple):
    """A visit to be served, by whom so far, and whether she may pass it on."""

    start: int
    ask: Ask
    name: str
    holder: int
    movable: bool


class _Taker(NamedTuple):
    """Somebody else who could serve an item, and those of her own that cannot be beside it, as a mask."""

    number: int
    leaving: int


class _Choice(NamedTuple):
    """The same, and how much trouble it is that all those leave."""

    number: int
    leaving: int
    trouble: int


class _State(NamedTuple):
    """Decisions so far; sets of visits are masks. `pending` visits are with nobody.

    `fixed` ones stay where they are, `loose` ones are still with their holder, `barred` are visits and whom
    they do not go to.
    """

    pending: int
    fixed: dict[int, Numbers]
    loose: dict[int, int]
    barred: frozenset[tuple[int, int]]
    moves: int


class Table:
    """The held visits of a witness as the search sees them; remembers what searches have found out."""

    def __init__(self, workday: Workday, diaries: Sequence[Diary], held: Mapping[str, Held]) -> None:
        self.workday, self.diaries = workday, diaries
        self.items: list[_Item] = []
        self.numbers: dict[str, int] = {}
        self.with_holder = [0] * len(diaries)
        self.immovable = 0
        for position, (name, one) in enumerate(held.items()):
            holder = workday.number[one.specialist]
            movable = not one.pinned and len(workday.able(one.ask)) > 1
            self.items.append(_Item(one.start, one.ask, name, holder, movable))
            self.numbers[name] = position
            self.with_holder[holder] |= 1 << position
            self.immovable |= 0 if movable else 1 << position
        self.days: dict[tuple[int, int], Day | None] = {}
        self.stops: dict[tuple[int, int], Stop] = {}
        self.clashes: dict[tuple[int, int, int], bool] = {}
        self._takers: dict[int, tuple[_Taker, ...]] = {}
        self._choices: dict[int, tuple[_Choice, ...]] = {}
        self._trouble: list[int] | None = None

    @property
    def trouble(self) -> list[int]:
        """The fewest moves that house each visit elsewhere if no two of them got in each other's way."""
        if self._trouble is None:
            self._trouble = [MUCH] * len(self.items)
            while self._ease(self._trouble):
                pass
        return self._trouble

    def _ease(self, trouble: list[int]) -> bool:
        """Correct what is too much; whether something was."""
        eased = False
        for item, known in enumerate(trouble):
            if known > 1:
                for taker in self.takers(item):
                    moves = 1 + sum(trouble[other] for other in ticks_of(taker.leaving))
                    if moves < trouble[item]:
                        trouble[item], eased = moves, True
        return eased

    def takers(self, item: int) -> tuple[_Taker, ...]:
        """Who could have the held visit instead."""
        if item not in self._takers:
            self._takers[item] = self.takers_of(self.items[item]) if self.items[item].movable else ()
        return self._takers[item]

    def choices(self, item: int) -> tuple[_Choice, ...]:
        """The same with the trouble that each has."""
        if item not in self._choices:
            self._choices[item] = self.weighed(self.takers(item))
        return self._choices[item]

    def weighed(self, takers: Iterable[_Taker]) -> tuple[_Choice, ...]:
        """How much trouble it is to each that all leave who are in the way."""
        return tuple(_Choice(*taker, self.trouble_with(taker.leaving)) for taker in takers)

    def trouble_with(self, leaving: int) -> int:
        """The fewest moves that house these elsewhere if no two of them got in each other's way."""
        trouble = self.trouble
        return sum(trouble[item] for item in ticks_of(leaving)) if leaving else 0

    def takers_of(self, item: _Item) -> tuple[_Taker, ...]:
        """Who else could serve this beside those of her visits that cannot leave her."""
        others = (number for number in self.workday.able(item.ask) if number != item.holder)
        takers = (_Taker(number, self._in_the_way(number, item)) for number in others)
        return tuple(taker for taker in takers if taker.leaving != IMPOSSIBLE)

    def _in_the_way(self, number: int, item: _Item) -> int:
        """Her own visits that cannot be beside it, IMPOSSIBLE if she cannot serve it anyway."""
        visits = self.diaries[number].in_the_way(item.ask.place, item.start, item.ask.minutes)
        if visits is None:
            return IMPOSSIBLE
        leaving = 0
        for visit in visits:
            leaving |= 1 << self.numbers[visit]
        return IMPOSSIBLE if leaving & self.immovable else leaving


class Reshuffle:
    """The search on one day's witness for who could serve new visits, or those that one specialist has.

    `steps` is how many decisions it may take in all; `cut` tells whether it ran out of them, `more` whether
    another solution could exist with more moves than were allowed, `judged` whether a whole day was ever
    looked at: if not, it failed since visits cannot be side by side, which no further visit could help.
    """

    def __init__(self, table: Table, new: Sequence[tuple[int, Ask]], steps: int) -> None:
        self.workday, self.steps = table.workday, steps
        self.cut = self.more = self.judged = False
        self._table, self._first_new = table, len(table.items)
        self._new = [
            _Item(start, ask, f"\0{position}", NOBODY, movable=True)
            for position, (start, ask) in enumerate(new)
        ]
        self._new_choices: dict[int, tuple[_Choice, ...]] = {}
        self._stops: dict[tuple[int, int], Stop] = {}
        self._clashes: dict[tuple[int, int, int], bool] = {}
        self._most_moves = 0
        self._relieved = NOBODY
        self._rescue = self._in_need = False

    def solutions(self, most_moves: int) -> Iterator[Solution]:
        """Every way that moves at most so many held visits, each once.

        Ways that need somebody else's visit to come to a day and help it are sought only where there is no
        other way.
        """
        self.more, self._most_moves = False, most_moves
        first = _State(((1 << len(self._new)) - 1) << self._first_new, {}, {}, frozenset(), 0)
        self._rescue = self._in_need = False
        found = False
        for solution in self._search(first):
            found = True
            yield solution
        if not found and most_moves and self._in_need:
            # a stop can also help a day, by shortening a way or joining a trip
            self._rescue = True
            yield from self._search(first)

    def relieved(self, number: int, visits: Iterable[str]) -> Solution | None:
        """A way in which she has none of these visits of hers; she takes others for them only if need be."""
        self._most_moves, self._relieved = len(self._table.items), number
        leaving = sum(1 << self._table.numbers[visit] for visit in visits)
        loose = {number: self._table.with_holder[number] & ~leaving}
        return next(self._search(_State(leaving, {}, loose, frozenset(), leaving.bit_count())), None)

    def _search(self, state: _State) -> Iterator[Solution]:
        if self.steps <= 0:
            self.cut = True
            return
        self.steps -= 1
        if state.pending:
            yield from self._settle(state)
            return
        self.judged = True
        days = {number: self._day(state, number) for number in state.fixed.keys() | state.loose.keys()}
        broken = next((number for number in sorted(days) if days[number] is None), None)
        if broken is None:
            yield self._solution(state, {number: day for number, day in days.items() if day is not None})
        elif self._loose(state, broken):
            yield from self._thin_out(state, broken)
        elif self._rescue:
            yield from self._call_for_help(state, broken)
        else:
            self._in_need = True

    def _settle(self, state: _State) -> Iterator[Solution]:
        """Give the pending visit with the fewest possibilities to each of them, the least trouble first."""
        choices, item = self._tightest(state)
        for _, number, leaving in sorted(choices):
            following = self._give(state, item, number, leaving)
            if following is not None:
                yield from self._search(following)

    def _tightest(self, state: _State) -> tuple[list[tuple[int, int, int]], int]:
        """The pending visit with the fewest possibilities, and these."""
        tightest: tuple[list[tuple[int, int, int]], int] | None = None
        for item in ticks_of(state.pending):
            options = self._options(state, item)
            if tightest is None or len(options) < len(tightest[0]):
                tightest = options, item
            if not options:
                break
        assert tightest is not None  # noqa: S101 - something is pending
        return tightest

    def _options(self, state: _State, item: int) -> list[tuple[int, int, int]]:
        """How much trouble it would be for whom, and which of hers would have to leave her."""
        options = []
        fixed, loose, own = state.fixed, state.loose, self._table.with_holder
        for number, in_the_way, trouble in self._choices(item):
            if state.barred and (item, number) in state.barred:
                continue
            if number in fixed and any(self._clash(number, item, other) for other in fixed[number]):
                continue
            leaving = in_the_way & loose.get(number, own[number])
            moves = trouble if leaving == in_the_way else self._table.trouble_with(leaving)
            options.append((moves + MUCH if number == self._relieved else moves, number, leaving))
        return options

    def _give(self, state: _State, item: int, number: int, leaving: int) -> _State | None:
        """She takes it for good; whatever cannot be beside it leaves her."""
        moves = state.moves + leaving.bit_count()
        if moves > self._most_moves:
            self.more = True
            return None
        return _State(
            state.pending & ~(1 << item) | leaving,
            {**state.fixed, number: (*state.fixed.get(number, ()), item)},
            {**state.loose, number: self._loose(state, number) & ~leaving},
            state.barred,
            moves,
        )

    def _thin_out(self, state: _State, number: int) -> Iterator[Solution]:
        """Her visits do not go together: one of them leaves her, or stays for good."""
        item = self._culprit(state, number)
        rest = {**state.loose, number: self._loose(state, number) & ~(1 << item)}
        if self._table.items[item].movable:
            if state.moves < self._most_moves:
                leaving = state._replace(pending=1 << item, loose=rest, moves=state.moves + 1)
                yield from self._search(leaving)
            else:
                self.more = True
        fixed = {**state.fixed, number: (*state.fixed.get(number, ()), item)}
        yield from self._search(state._replace(fixed=fixed, loose=rest))

    def _culprit(self, state: _State, number: int) -> int:
        """The loose visit to decide about: one without which her day would hold, if there is one."""
        loose = self._loose(state, number)
        items = ticks_of(loose)
        for item in items:
            rest = {**state.loose, number: loose & ~(1 << item)}
            if self._day(state._replace(loose=rest), number) is not None:
                return item
        return items[0]

    def _call_for_help(self, state: _State, number: int) -> Iterator[Solution]:
        """Her visits could still go together with one more: somebody else's moves to her, or never does."""
        helper = next(self._helpers(state, number), None)
        if helper is None:
            return
        if state.moves >= self._most_moves:
            self.more = True
            return
        holder = self._table.items[helper].holder
        loose = {**state.loose, holder: self._loose(state, holder) & ~(1 << helper)}
        fixed = {**state.fixed, number: (*state.fixed.get(number, ()), helper)}
        yield from self._search(state._replace(fixed=fixed, loose=loose, moves=state.moves + 1))
        yield from self._search(state._replace(barred=state.barred | {(helper, number)}))

    def _helpers(self, state: _State, number: int) -> Iterator[int]:
        fixed = state.fixed.get(number, ())
        for other in range(len(self._table.diaries)):
            for item in ticks_of(self._loose(state, other)) if other != number else ():
                if (item, number) in state.barred or all(
                    choice.number != number for choice in self._choices(item)
                ):
                    continue
                if not any(self._clash(number, item, f) for f in fixed):
                    yield item

    # --- What a day is like -------------------------------------------------------------------------

    def _choices(self, item: int) -> tuple[_Choice, ...]:
        if item < self._first_new:
            return self._table.choices(item)
        found = self._new_choices.get(item)
        if found is None:
            takers = self._table.takers_of(self._new[item - self._first_new])
            found = self._new_choices[item] = self._table.weighed(takers)
        return found

    def _loose(self, state: _State, number: int) -> int:
        return state.loose.get(number, self._table.with_holder[number])

    def _day(self, state: _State, number: int) -> Day | None:
        """Her day as decided so far, None if it breaks a rule."""
        items = self._loose(state, number)
        for item in state.fixed.get(number, ()):
            items |= 1 << item
        if items >> self._first_new:
            return self._judge(number, items)
        known = self._table.days
        if (number, items) not in known:
            known[number, items] = self._judge(number, items)
        return known[number, items]

    def _judge(self, number: int, items: int) -> Day | None:
        day = self.workday.duties[number].day(self._stop(number, item) for item in ticks_of(items))
        before = self._table.diaries[number].day.tours
        return day if day and self.workday.keeps_trips(number, before, day.tours) else None

    def _stop(self, number: int, item: int) -> Stop:
        key, known = (number, item), self._stops if item >= self._first_new else self._table.stops
        if key not in known:
            visit = self._item(item)
            known[key] = self.workday.stop(number, visit.start, visit.ask, visit.name)
        return known[key]

    def _item(self, item: int) -> _Item:
        return self._table.items[item] if item < self._first_new else self._new[item - self._first_new]

    def _clash(self, number: int, one: int, other: int) -> bool:
        if one > other:
            one, other = other, one
        key, known = (number, one, other), self._clashes if other >= self._first_new else self._table.clashes
        if key not in known:
            known[key] = self.workday.never_both(number, self._stop(number, one), self._stop(number, other))
        return known[key]

    def _solution(self, state: _State, days: Mapping[int, Day]) -> Solution:
        at = {item: number for number, items in state.fixed.items() for item in items}
        moves = {
            one.name: number
            for item, number in at.items()
            if item < self._first_new and number != (one := self._table.items[item]).holder
        }
        new = range(self._first_new, self._first_new + len(self._new))
        return Solution(tuple(at[item] for item in new), moves, days)
