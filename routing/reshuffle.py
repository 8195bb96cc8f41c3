"""Exact search for who could keep every promise of a day and some new ones as well; times and places stay.

Everybody keeps what she has until that is in the way: a new visit goes to somebody, what it collides with
must go elsewhere, and so on. Each branch decides about one visit, so that a search that ends has seen every
possibility. It is bounded by a number of steps, and says whether it was cut short. It weighs nothing:
`offers` chooses among what it finds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from routing.timeline import Day, Stop
    from routing.workday import Ask, Held, Workday

Numbers: TypeAlias = tuple[int, ...]
NOBODY = -1


class Solution(NamedTuple):
    """Who serves each new visit, who takes over which held one, and the days that change."""

    takers: Numbers
    moves: Mapping[str, int]
    days: Mapping[int, Day]


class _Item(NamedTuple):
    """A visit to be served: by whom so far, and whom else it could go to."""

    start: int
    ask: Ask
    name: str
    holder: int
    able: Numbers


class _State(NamedTuple):
    """Decisions so far. `fixed` visits stay where they are; `loose` ones are still with their holder.

    `barred` are visits and whom they do not go to; `pending` ones are with nobody.
    """

    pending: Numbers
    fixed: dict[int, Numbers]
    loose: dict[int, Numbers]
    barred: frozenset[tuple[int, int]]
    moves: int


class Table:
    """The held visits of a witness as the search sees them; remembers what searches have found out."""

    def __init__(self, workday: Workday, days: Sequence[Day], held: Mapping[str, Held]) -> None:
        self.workday, self.days = workday, days
        self.items: list[_Item] = []
        numbers = {}
        for name, one in held.items():
            holder = workday.number[one.specialist]
            numbers[name] = len(self.items)
            able = (holder,) if one.pinned else workday.able(one.ask)
            self.items.append(_Item(one.start, one.ask, name, holder, able))
        self.with_holder = [tuple(numbers[stop.visit] for stop in day.stops) for day in days]
        self.stops: dict[tuple[int, int], Stop] = {}
        self.alone: dict[tuple[int, int], bool] = {}
        self.clashes: dict[tuple[int, int, int], bool] = {}


class Reshuffle:
    """The search for new visits that begin at `start` one after the other, on one day's witness.

    `steps` is how many decisions it may take in all; `cut` tells whether it ran out of them, `more` whether
    another solution could exist with more moves than were allowed.
    """

    def __init__(self, table: Table, asks: Sequence[Ask], start: int, steps: int) -> None:
        self.workday, self.days, self.steps = table.workday, table.days, steps
        self.cut = self.more = False
        self._table, self._first_new = table, len(table.items)
        self._items = table.items.copy()
        for position, ask in enumerate(asks):
            name = f"\0{position}"
            self._items.append(_Item(start, ask, name, NOBODY, self.workday.able(ask)))
            start += ask.minutes
        self._stops: dict[tuple[int, int], Stop] = {}
        self._alone: dict[tuple[int, int], bool] = {}
        self._clashes: dict[tuple[int, int, int], bool] = {}
        self._most_moves = 0
        self._rescue = False

    def solutions(self, most_moves: int) -> Iterator[Solution]:
        """Every way that moves at most so many held visits, each once.

        Ways that need somebody else's visit to come to a day and help it are sought only where there is no
        other way.
        """
        self.more, self._most_moves = False, most_moves
        first = _State(tuple(range(self._first_new, len(self._items))), {}, {}, frozenset(), 0)
        self._rescue = False
        found = False
        for solution in self._search(first):
            found = True
            yield solution
        if not found and most_moves:
            # a stop can also help a day, by shortening a way or joining a trip
            self._rescue = True
            yield from self._search(first)

    def _search(self, state: _State) -> Iterator[Solution]:
        if self.steps <= 0:
            self.cut = True
            return
        self.steps -= 1
        if state.pending:
            yield from self._settle(state)
            return
        days = {number: self._day(state, number) for number in state.fixed.keys() | state.loose.keys()}
        broken = next((number for number in sorted(days) if days[number] is None), None)
        if broken is None:
            yield self._solution(state, {number: day for number, day in days.items() if day is not None})
        elif self._loose(state, broken):
            yield from self._thin_out(state, broken)
        elif self._rescue:
            yield from self._call_for_help(state, broken)

    def _settle(self, state: _State) -> Iterator[Solution]:
        """Give the pending visit with the fewest possibilities to each of them, the least trouble first."""
        options = [(self._options(state, item), item) for item in state.pending]
        choices, item = min(options, key=lambda option: (len(option[0]), option[1]))
        for _, number in sorted(choices):
            following = self._give(state, item, number)
            if following is not None:
                yield from self._search(following)

    def _options(self, state: _State, item: int) -> list[tuple[int, int]]:
        """Who could take it beside what is fixed, and how many would have to leave her for it."""
        visit, options = self._items[item], []
        for number in visit.able:
            if number == visit.holder or (item, number) in state.barred:
                continue
            if not self._fits_alone(item, number):
                continue
            if any(self._clash(number, item, other) for other in state.fixed.get(number, ())):
                continue
            leaving = sum(self._clash(number, item, other) for other in self._loose(state, number))
            options.append((leaving, number))
        return options

    def _give(self, state: _State, item: int, number: int) -> _State | None:
        """She takes it for good; whatever cannot be beside it leaves her."""
        loose = self._loose(state, number)
        leaving = tuple(other for other in loose if self._clash(number, item, other))
        if any(len(self._items[other].able) == 1 for other in leaving):
            return None
        moves = state.moves + len(leaving)
        if moves > self._most_moves:
            self.more = True
            return None
        pending = tuple(other for other in state.pending if other != item)
        return _State(
            pending + leaving,
            {**state.fixed, number: (*state.fixed.get(number, ()), item)},
            {**state.loose, number: tuple(other for other in loose if other not in leaving)},
            state.barred,
            moves,
        )

    def _thin_out(self, state: _State, number: int) -> Iterator[Solution]:
        """Her visits do not go together: one of them leaves her, or stays for good."""
        item = self._culprit(state, number)
        rest = {**state.loose, number: tuple(o for o in self._loose(state, number) if o != item)}
        if len(self._items[item].able) > 1:
            if state.moves < self._most_moves:
                leaving = state._replace(pending=(item,), loose=rest, moves=state.moves + 1)
                yield from self._search(leaving)
            else:
                self.more = True
        fixed = {**state.fixed, number: (*state.fixed.get(number, ()), item)}
        yield from self._search(state._replace(fixed=fixed, loose=rest))

    def _culprit(self, state: _State, number: int) -> int:
        """The loose visit to decide about: one without which her day would hold, if there is one."""
        loose = self._loose(state, number)
        for item in loose:
            rest = {**state.loose, number: tuple(other for other in loose if other != item)}
            if self._day(state._replace(loose=rest), number) is not None:
                return item
        return loose[0]

    def _call_for_help(self, state: _State, number: int) -> Iterator[Solution]:
        """Her visits could still go together with one more: somebody else's moves to her, or never does."""
        helper = next(self._helpers(state, number), None)
        if helper is None:
            return
        if state.moves >= self._most_moves:
            self.more = True
            return
        holder = self._items[helper].holder
        loose = {**state.loose, holder: tuple(o for o in self._loose(state, holder) if o != helper)}
        fixed = {**state.fixed, number: (*state.fixed.get(number, ()), helper)}
        yield from self._search(state._replace(fixed=fixed, loose=loose, moves=state.moves + 1))
        yield from self._search(state._replace(barred=state.barred | {(helper, number)}))

    def _helpers(self, state: _State, number: int) -> Iterator[int]:
        fixed = state.fixed.get(number, ())
        for other in range(len(self.days)):
            for item in self._loose(state, other) if other != number else ():
                if number not in self._items[item].able or (item, number) in state.barred:
                    continue
                if self._fits_alone(item, number) and not any(self._clash(number, item, f) for f in fixed):
                    yield item

    # --- What a day is like -------------------------------------------------------------------------

    def _loose(self, state: _State, number: int) -> Numbers:
        return state.loose.get(number, self._table.with_holder[number])

    def _day(self, state: _State, number: int) -> Day | None:
        """Her day as decided so far, None if it breaks a rule."""
        items = (*state.fixed.get(number, ()), *self._loose(state, number))
        day = self.workday.duties[number].day(self._stop(number, item) for item in items)
        if day is None or not self.workday.keeps_trips(number, self.days[number].tours, day.tours):
            return None
        return day

    def _stop(self, number: int, item: int) -> Stop:
        key, known = (number, item), self._stops if item >= self._first_new else self._table.stops
        if key not in known:
            visit = self._items[item]
            known[key] = self.workday.stop(number, visit.start, visit.ask, visit.name)
        return known[key]

    def _fits_alone(self, item: int, number: int) -> bool:
        key, known = (number, item), self._alone if item >= self._first_new else self._table.alone
        if key not in known:
            visit, workday = self._items[item], self.workday
            starts = workday.reach_starts(number, visit.ask.place, visit.ask.minutes)
            known[key] = bool(starts >> visit.start // workday.tick & 1)
        return known[key]

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
            self._items[item].name: number
            for item, number in at.items()
            if item < self._first_new and number != self._items[item].holder
        }
        return Solution(tuple(at[item] for item in range(self._first_new, len(self._items))), moves, days)
