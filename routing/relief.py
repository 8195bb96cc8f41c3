"""How visits of one specialist could go to colleagues: what a witness knows before anybody asks.

Short chains only: a colleague takes a visit, for which some of hers go to others, up to `MOST_MOVES` in all;
or two specialists exchange visits. Whatever is found can be done; what is not found may still be possible,
and is for `reshuffle` to look for. Answers are remembered, since they do not depend on what is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from routing.diary import Diary

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from routing.timeline import Day, Stop
    from routing.workday import Held, Workday

Moves: TypeAlias = "Mapping[str, int]"
Leaving: TypeAlias = tuple[str, ...]
MOST_MOVES = 5
STEPS = 300
"""Visits to be moved that one search looks at, some five microseconds each."""


class Exchange(NamedTuple):
    """Another diary that a specialist could have, and the moves that make it so."""

    diary: Diary
    moves: Moves


class Relief:
    """Who could take over what on the day of a witness. Specialists are numbers."""

    def __init__(self, workday: Workday, diaries: Sequence[Diary], held: Mapping[str, Held]) -> None:
        self._workday, self._diaries, self._held = workday, diaries, held
        self._colleagues: dict[str, tuple[int, ...]] = {}
        self._swaps: dict[str, tuple[tuple[int, Leaving], ...]] = {}
        self._ways_out: dict[Leaving, Moves] = {}
        self._exchanges: dict[int, tuple[Exchange, ...]] = {}
        self._steps = 0

    def ways_out(self, visits: Leaving) -> Moves:
        """The fewest moves by which others serve these visits of one specialist; empty if none are found.

        None of the moves concerns the day of their holder otherwise.
        """
        found = self._ways_out.get(visits)
        if found is None:
            holder, self._steps = self._holder(visits[0]), STEPS
            deeper = range(len(visits), MOST_MOVES + 1)
            tries = (self._relocate(visits, {}, holder, most) for most in deeper)
            found = self._ways_out[visits] = next((moves for moves in tries if moves), {})
        return found

    def exchanges(self, number: int) -> tuple[Exchange, ...]:
        """What her day would be if a colleague took a visit of hers and gave her one or more for it."""
        if number not in self._exchanges:
            self._exchanges[number] = tuple(self._all_exchanges(number))
        return self._exchanges[number]

    def _all_exchanges(self, number: int) -> Iterator[Exchange]:
        diary = self._diaries[number]
        for visit in (stop.visit for stop in diary.day.stops if stop.visit not in diary.pinned):
            for colleague, leaving in self._who_could_swap(visit):
                able = all(number in self._workday.able(self._held[other].ask) for other in leaving)
                day = self._day(number, {visit: colleague} | dict.fromkeys(leaving, number)) if able else None
                if colleague != number and day is not None:
                    moves = {visit: colleague} | dict.fromkeys(leaving, number)
                    yield Exchange(Diary(self._workday, number, day, diary.pinned), moves)

    # --- Search -------------------------------------------------------------------------------------

    def _relocate(self, pending: Leaving, moves: Moves, holder: int, most: int) -> Moves | None:
        """At most so many moves in all, among them those already made, that house what is pending."""
        if not pending:
            return moves
        if self._steps <= 0 or len(moves) + sum(2 - bool(self._with_room_for(v)) for v in pending) > most:
            return None
        self._steps -= 1
        visit, rest = pending[0], pending[1:]
        for number, leaving in self._options(visit, moves):
            if number == holder or any(other in moves for other in leaving):
                continue
            if len(moves) + 1 + len(leaving) + len(rest) <= most:
                found = self._relocate(leaving + rest, {**moves, visit: number}, holder, most)
                if found is not None:
                    return found
        return None

    def _options(self, visit: str, moves: Moves) -> Iterator[tuple[int, Leaving]]:
        """Who could take it, and what would have to leave her; little is tried with those already changed."""
        changed = {*moves.values(), *map(self._holder, moves)}
        for number in self._with_room_for(visit):
            if number not in changed:
                yield number, ()
        for number in sorted(changed.intersection(self._workday.able(self._held[visit].ask))):
            if number != self._holder(visit) and self._day(number, {**moves, visit: number}) is not None:
                yield number, ()
        for number, leaving in self._who_could_swap(visit):
            if number not in changed:
                yield number, leaving

    def _with_room_for(self, visit: str) -> tuple[int, ...]:
        """The colleagues who can take the visit as things are."""
        if visit not in self._colleagues:
            one = self._held[visit]
            start = 1 << one.start // self._workday.tick
            self._colleagues[visit] = tuple(
                number
                for number in self._workday.able(one.ask)
                if self._diaries[number].starts(one.ask.place, one.ask.minutes) & start
            )
        return self._colleagues[visit]

    def _who_could_swap(self, visit: str) -> tuple[tuple[int, Leaving], ...]:
        """The colleagues who can take the visit if some of theirs go, and which; fewest first."""
        if visit not in self._swaps:
            one = self._held[visit]
            start = 1 << one.start // self._workday.tick
            swaps = (
                (number, leaving)
                for number in self._workday.able(one.ask)
                if number != self._holder(visit)
                for leaving, _ in self._diaries[number].instead(one.ask.place, one.ask.minutes, start)
            )
            self._swaps[visit] = tuple(sorted(swaps, key=lambda swap: len(swap[1])))
        return self._swaps[visit]

    def _day(self, number: int, moves: Moves) -> Day | None:
        """Her day after the moves, None if it breaks a rule."""
        workday, day = self._workday, self._diaries[number].day
        stops: list[Stop] = [stop for stop in day.stops if stop.visit not in moves]
        for visit, taker in moves.items():
            if taker == number:
                one = self._held[visit]
                stops.append(workday.stop(number, one.start, one.ask, visit))
        changed = workday.duties[number].day(stops)
        return changed if changed and workday.keeps_trips(number, day.tours, changed.tours) else None

    def _holder(self, visit: str) -> int:
        return self._workday.number[self._held[visit].specialist]
