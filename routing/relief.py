"""What other days each specialist could have on the day of a witness, and what she can never give up.

A run of successive visits of hers may go to colleagues, if need be after visits of theirs have gone to
others. Which runs can go and which cannot does not depend on what is asked for, so it is found out once, by
bounded searches, and only for those of whom somebody wants to know. What is found can be done; what counts
as impossible is so whatever else comes to the day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from routing.reshuffle import Reshuffle

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from routing.diary import Diary
    from routing.reshuffle import Table
    from routing.timeline import Day
    from routing.workday import Workday

Moves: TypeAlias = "Mapping[str, int]"
LONGEST_RUN = 4
"""Visits that may leave together; longer runs are not tried, and nothing is claimed of them."""
STEPS = 20
"""Steps of one search, some 20 microseconds each."""


class Alternative(NamedTuple):
    """Another day that a specialist could have, and the moves of held visits that make it so."""

    day: Day
    moves: Moves


class _Run(NamedTuple):
    """Successive visits of a tour: those from `first` up to but without `last`."""

    shift: int
    first: int
    last: int


class _Prospects(NamedTuple):
    """Her other days, and the runs that may be able to leave her, an empty one for each shift included."""

    alternatives: tuple[Alternative, ...]
    movable: tuple[_Run, ...]


class Relief:
    """Who could have which day. Specialists are numbers."""

    def __init__(self, workday: Workday, diaries: Sequence[Diary], table: Table) -> None:
        self._workday, self._diaries, self._table = workday, diaries, table
        self._known: dict[int, _Prospects] = {}
        self._with_room: dict[str, tuple[int, ...]] = {}

    def alternatives(self, number: int) -> tuple[Alternative, ...]:
        """Her other days that were found, fewest visits leaving first."""
        return self._prospects(number).alternatives

    def reach(self, number: int, place: str | None) -> tuple[int, ...]:
        """Masks of ticks: wherever a visit of hers can be at that place, it lies in one of them.

        Her visits stay that cannot leave her, everything else may go or come.
        """
        diary, masks = self._diaries[number], []
        present = self._workday.presence(number, place)
        for run in self._prospects(number).movable:
            mask = present[run.shift] if present else 0
            tour = diary.day.tours[run.shift]
            for stop in (*tour[: run.first], *tour[run.last :]):
                mask &= ~diary.hindrance(run.shift, stop, place)
            if mask:
                masks.append(mask)
        return tuple(masks)

    # --- What can leave -----------------------------------------------------------------------------

    def _prospects(self, number: int) -> _Prospects:
        found = self._known.get(number)
        if found is None:
            found = self._known[number] = self._explore(number)
        return found

    def _explore(self, number: int) -> _Prospects:
        alternatives: list[Alternative] = []
        movable: list[_Run] = []
        for shift, tour in enumerate(self._diaries[number].day.tours):
            movable.append(_Run(shift, 0, 0))
            stuck: set[_Run] = set()
            for run in _runs(shift, len(tour)):
                if not stuck.isdisjoint(_shorter(run)):
                    stuck.add(run)
                elif run.last - run.first > LONGEST_RUN:
                    movable.append(run)
                else:
                    visits = tuple(stop.visit for stop in tour[run.first : run.last])
                    found, possible = self._without(number, visits)
                    alternatives += found
                    if possible:
                        movable.append(run)
                    else:
                        stuck.add(run)
        return _Prospects(tuple(alternatives), tuple(movable))

    def _without(self, number: int, visits: tuple[str, ...]) -> tuple[list[Alternative], bool]:
        """Her day without these visits, if one is found, and whether there may be one at all."""
        if not self._diaries[number].pinned.isdisjoint(visits):
            return [], False
        simple = self._handed_on(number, visits)
        if simple is not None:
            return [simple], True
        search = Reshuffle(self._table, (), STEPS)
        found = search.relieved(number, visits)
        if found is not None:
            return [Alternative(found.days[number], found.moves)], True
        return [], search.cut or search.judged

    def _handed_on(self, number: int, visits: tuple[str, ...]) -> Alternative | None:
        """Each visit goes to another colleague who has room for it."""
        moves: dict[str, int] = {}
        for visit in visits:
            taker = next((n for n in self._who_has_room(visit) if n not in moves.values()), None)
            if taker is None:
                return None
            moves[visit] = taker
        diary = self._diaries[number]
        day = diary.day.without(set(moves))
        if day is None or not self._workday.keeps_trips(number, diary.day.tours, day.tours):
            return None
        return Alternative(day, moves)

    def _who_has_room(self, visit: str) -> tuple[int, ...]:
        """The colleagues who can take the visit as things are."""
        if visit not in self._with_room:
            one = self._table.items[self._table.numbers[visit]]
            start = 1 << one.start // self._workday.tick
            self._with_room[visit] = tuple(
                number
                for number in self._workday.able(one.ask)
                if number != one.holder
                and self._diaries[number].starts(one.ask.place, one.ask.minutes) & start
            )
        return self._with_room[visit]


def _runs(shift: int, visits: int) -> Iterator[_Run]:
    """All runs of a tour of so many visits, shorter ones first."""
    for length in range(1, visits + 1):
        for first in range(visits - length + 1):
            yield _Run(shift, first, first + length)


def _shorter(run: _Run) -> tuple[_Run, _Run]:
    """The longest runs within it."""
    return run._replace(last=run.last - 1), run._replace(first=run.first + 1)
