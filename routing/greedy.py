"""A first valid plan, fast: promises first, then chains, then the other visits one after the other.

What is scarce and dear goes first, each visit where it costs least at the time. Nothing is ever taken back:
improving is for `anneal`.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from routing.board import FEW_VISITS, NO_ROOM
from routing.draft import Draft, Place
from routing.timeline import ticks_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from routing.board import Board, Way
    from routing.problem import Assignment

_STARTS_TRIED = 60


def greedy(board: Board, lines: Iterable[Assignment] = (), *, until: float = math.inf) -> Draft:
    """Build a draft, beginning with given lines as far as they can be kept.

    At `until`, a value of `time.monotonic`, the draft is left as it is, unless there are few visits. It is on
    a board on which the chains that found a place are pinned to it.
    """
    if len(board.visits) <= FEW_VISITS:
        until = math.inf
    lines = tuple(lines)
    given = {line.visit: line for line in lines}
    draft = Draft(board)
    draft.load(lines)
    promised = [v for v, visit in enumerate(board.visits) if visit.promise]
    chains = sorted(board.chains, key=lambda chain: set(chain).isdisjoint(promised))
    for chain in chains:
        if not set(chain).isdisjoint(promised) and time.monotonic() < until:
            _place_chain(draft, chain, given)
    _fill(draft, promised, until)
    for chain in chains:
        if set(chain).isdisjoint(promised) and time.monotonic() < until:
            _place_chain(draft, chain, given)
    _fill(draft, range(len(board.visits)), until)
    return _pinned(draft)


def _fill(draft: Draft, visits: Iterable[int], until: float) -> None:
    """Serve what is not served yet, the dearest and scarcest first, as far as the time allows."""
    board = draft.board
    left = [visit for visit in visits if draft.places[visit] is None]
    for visit in sorted(left, key=lambda visit: (-board.loss[visit], scarcity(board, visit))):
        if time.monotonic() > until:
            return
        found = draft.cheapest(visit, board.loss[visit])
        if found is not None:
            draft.put(visit, found[2])


def scarcity(board: Board, visit: int) -> int:
    """How many duties and starts could serve it: the fewer, the scarcer."""
    return sum(len(way.duties) * way.starts.bit_count() for way in board.ways[visit])


# --- Chains -----------------------------------------------------------------------------------------


class _Meeting(NamedTuple):
    """Where a whole chain may meet, and the ways of each member to be there."""

    mode: str
    site: str | None
    day: int
    members: tuple[tuple[int, tuple[Way, ...]], ...]


def _place_chain(draft: Draft, chain: tuple[int, ...], given: dict[str, Assignment]) -> None:
    """Serve all of a chain, where the given lines say if that is possible, or nothing of it."""
    first = given.get(draft.board.visits[chain[0]].id)
    for meeting, start in _meeting_starts(draft, chain, first):
        mark, cost = draft.mark(), draft.cost
        if _put_all(draft, meeting, start):
            return
        draft.rewind(mark, cost)


def _meeting_starts(
    draft: Draft, chain: tuple[int, ...], first: Assignment | None
) -> Iterator[tuple[_Meeting, int]]:
    """Starts of the chain at which every member by itself would fit, the given one first."""
    meetings = _meetings(draft.board, chain)
    if first is not None:
        for meeting in meetings:
            if (meeting.mode, meeting.site, meeting.day) == (first.mode, first.site, first.day):
                yield meeting, first.start // draft.board.instance.tick
    for meeting in meetings:
        for start in ticks_of(_common_starts(draft, meeting))[:_STARTS_TRIED]:
            yield meeting, start


def _meetings(board: Board, chain: tuple[int, ...]) -> list[_Meeting]:
    """Modes, sites and days that every member asks for, the cheapest first."""
    by_member = []
    for visit in chain:
        ways: dict[tuple[str, str | None, int], list[Way]] = defaultdict(list)
        for way in board.ways_of(visit):
            ways[way.mode, way.site, board.owners[way.duties[0]][1]].append(way)
        by_member.append(ways)
    shared = set(by_member[0]).intersection(*by_member[1:])
    meetings = [
        _Meeting(*key, tuple((v, tuple(ways[key])) for v, ways in zip(chain, by_member, strict=True)))
        for key in sorted(shared, key=str)
    ]
    return sorted(meetings, key=lambda meeting: sum(ways[0].price for _, ways in meeting.members))


def _common_starts(draft: Draft, meeting: _Meeting) -> int:
    common, offset = -1, 0
    for _, ways in meeting.members:
        common &= _possible_starts(draft, ways) >> offset
        offset += ways[0].ticks
    return common


def _possible_starts(draft: Draft, ways: Iterable[Way]) -> int:
    """The starts at which one visit fits into the draft in any of these ways."""
    mask = 0
    for way in ways:
        starts = way.starts if way.room == NO_ROOM else way.starts & draft.rooms[way.room].starts(way.ticks)
        for duty in way.duties:
            mask |= starts & draft.days[duty].starts(way.place, way.minutes)
    return mask


def _put_all(draft: Draft, meeting: _Meeting, start: int) -> bool:
    for visit, ways in meeting.members:
        place = _cheapest_at(draft, ways, start)
        if place is None:
            return False
        draft.put(visit, place)
        start += place.way.ticks
    return True


def _cheapest_at(draft: Draft, ways: Iterable[Way], start: int) -> Place | None:
    """Who serves a visit at that start for the least price and travel."""
    minute = draft.board.instance.weights.travel_minute
    found = []
    for way in ways:
        starts = way.starts if way.room == NO_ROOM else way.starts & draft.rooms[way.room].starts(way.ticks)
        for duty in way.duties if starts >> start & 1 else ():
            for extra, mask in draft.days[duty].fits(way.place, way.minutes):
                if mask >> start & 1:
                    found.append((way.price + extra * minute, duty, Place(way, duty, start)))
    return min(found, key=lambda one: one[:2])[2] if found else None


def _pinned(draft: Draft) -> Draft:
    """The same draft on a board that holds on to what the chains have got."""
    chained = {visit for chain in draft.board.chains for visit in chain}
    if not chained:
        draft.forget_steps()
        return draft
    lines = draft.lines()
    pins = {draft.board.number[line.visit]: line for line in lines}
    pinned = Draft(draft.board.with_pins({v: line for v, line in pins.items() if v in chained}))
    pinned.load(lines)
    pinned.forget_steps()
    return pinned
