"""What stands in the way of a visit, in codes that the service puts into words for the clerk.

An unserved visit is tried by itself on an otherwise empty plan, then against the plan as it is. For every
option the obstacle that it meets last is named, since that is the one worth removing. Nothing is planned
here; `explain` has more to say on single visits, also on served ones, with the same codes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from routing.board import Board, can_serve
from routing.roster import Roster, place_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from routing.board import Ask
    from routing.problem import Instance, Mode, Plan, Specialist, Visit


class Obstacle(StrEnum):
    """What stands in the way: of an option, from the first to the last that it can meet, then of one person.

    The codes of skill, language and mode serve for both.
    """

    NO_SKILL = "no_skill"  # nobody has the skill
    NO_LANGUAGE = "no_language"  # nobody with the skill speaks the language
    PROMISE_IMPOSSIBLE = "promise_impossible"  # what was promised is not possible even on an empty day
    NO_WINDOWS = "no_windows"  # no option, or no window that is long enough
    NO_MODE = "no_mode"  # nobody able serves in this mode
    NO_ROOM = "no_room"  # the site has no room in those windows
    NOBODY_ON_DUTY = "nobody_on_duty"  # no shift of anybody able meets a window
    TOO_FAR = "too_far"  # the ways do not fit into the shift or the limit of travel
    ROOMS_TAKEN = "rooms_taken"  # the rooms there are, others use
    ALL_TAKEN = "all_taken"  # those who could serve it serve others
    LEFT_OUT = "left_out"  # it would fit, but was dearer than leaving it or not found in time
    CHAIN = "chain"  # a linked visit is the obstacle
    OFF_DUTY = "off_duty"  # the time lies in no shift of hers
    IN_BREAK = "in_break"  # it meets a break of hers
    BUSY = "busy"  # she serves another visit then
    WAY_TOO_LONG = "way_too_long"  # a way does not fit between this visit and the one before or after it
    MAX_TRAVEL = "max_travel"  # she would travel more than she may on one day
    NEEDED_ON_THE_WAY = (
        "needed_on_the_way"  # without the visit the day of the one who serves it would not hold
    )


_ORDER = list(Obstacle)
_IMPOSSIBLE = frozenset(_ORDER[: _ORDER.index(Obstacle.ROOMS_TAKEN)])


@dataclass(frozen=True, slots=True)
class Reason:
    """One obstacle: for one option and the days on which it is met, or for the visit as a whole (mode None).

    `specialists` counts those who could serve the visit as far as this obstacle lets one see: the skilled for
    `no_language`, the able for `no_mode`, those on duty on one of the days for the later ones.
    """

    code: Obstacle
    mode: Mode | None = None
    site: str | None = None
    days: tuple[int, ...] = ()
    specialists: int = 0


def reasons(instance: Instance, plan: Plan) -> dict[str, tuple[Reason, ...]]:
    """Why each visit that a valid plan leaves out is not served, the obstacle nearest to success first."""
    roster = Roster.of(instance, plan)
    left = [visit for visit in instance.visits.values() if roster.served(visit.id) is None]
    found = {visit.id: _reasons_of(roster, visit) for visit in left}
    for chain in instance.chains:
        _blame_chain([visit for visit in chain if visit in found], found)
    return found


def _blame_chain(members: list[str], found: dict[str, tuple[Reason, ...]]) -> None:
    """Add the chain to members that could be served but for the others."""
    impossible = {visit for visit in members if all(one.code in _IMPOSSIBLE for one in found[visit])}
    for visit in members:
        others_fail = bool(impossible - {visit})
        fits = any(one.code == Obstacle.LEFT_OUT for one in found[visit])
        if fits or (others_fail and visit not in impossible):
            kept = tuple(one for one in found[visit] if one.code != Obstacle.LEFT_OUT)
            found[visit] = (Reason(Obstacle.CHAIN), *kept)


def _reasons_of(roster: Roster, visit: Visit) -> tuple[Reason, ...]:
    specialists = roster.calendar.instance.specialists.values()
    skilled = sum(visit.skill in one.skills for one in specialists)
    able = [one for one in specialists if can_serve(one, visit)]
    if not skilled:
        obstacles = [Reason(Obstacle.NO_SKILL)]
    elif not able:
        obstacles = [Reason(Obstacle.NO_LANGUAGE, specialists=skilled)]
    else:
        obstacles = obstacles_of_asks(roster, visit, roster.calendar.board.asks_of(visit), able)
        obstacles = obstacles or [Reason(Obstacle.NO_WINDOWS, specialists=len(able))]
    if visit.promise is not None and all(one.code in _IMPOSSIBLE for one in obstacles):
        promise = visit.promise
        broken = Reason(Obstacle.PROMISE_IMPOSSIBLE, promise.mode, promise.site, (promise.day,), len(able))
        obstacles = [broken, *obstacles]
    return tuple(obstacles)


def obstacles_of_asks(
    roster: Roster, visit: Visit, asks: Iterable[Ask], able: list[Specialist]
) -> list[Reason]:
    """For each option that is asked for the last obstacle and its days; the visit is not on the roster."""
    by_option: dict[tuple[Mode, str | None], list[Reason]] = {}
    for ask in asks:
        if ask.starts:
            obstacle = _obstacle(roster, visit, ask, able)
            by_option.setdefault((ask.option.mode, ask.option.site), []).append(obstacle)
    last = [_last(found) for found in by_option.values()]
    last.sort(key=lambda one: -_ORDER.index(one.code))
    return last


def _last(found: list[Reason]) -> Reason:
    """Of one option's days those that come nearest to success, in one reason."""
    nearest = max(found, key=lambda one: _ORDER.index(one.code))
    same = [one for one in found if one.code == nearest.code]
    days = sorted({day for one in same for day in one.days})
    return replace(nearest, days=tuple(days), specialists=max(one.specialists for one in same))


def _obstacle(roster: Roster, visit: Visit, ask: Ask, able: list[Specialist]) -> Reason:
    """The last obstacle to one option on one day."""
    board, option = roster.calendar.board, ask.option
    in_mode = [one for one in able if option.mode in one.modes]
    duties = [board.duty_of[one.id, ask.day] for one in in_mode if (one.id, ask.day) in board.duty_of]
    place, minutes = place_of(option), visit.minutes_of(option)
    with_room = roster.room_starts(visit, ask, empty=True)
    room_left = roster.room_starts(visit, ask)
    on_duty = [duty for duty in duties if with_room & _open_starts(board, duty, minutes)]
    fits_alone = [duty for duty in on_duty if with_room & board.idle[duty].starts(place, minutes)]
    has_room = [duty for duty in fits_alone if room_left & board.idle[duty].starts(place, minutes)]
    fits_now = sum(bool(room_left & roster.day(duty).starts(place, minutes)) for duty in on_duty)
    if fits_now:  # where other stops shorten the way even if it does not fit alone
        return Reason(Obstacle.LEFT_OUT, option.mode, option.site, (ask.day,), fits_now)
    ladder = (
        (in_mode, Obstacle.NO_MODE, len(able)),
        (with_room, Obstacle.NO_ROOM, len(in_mode)),
        (on_duty, Obstacle.NOBODY_ON_DUTY, len(in_mode)),
        (fits_alone, Obstacle.TOO_FAR, len(on_duty)),
        (has_room, Obstacle.ROOMS_TAKEN, len(fits_alone)),
    )
    taken = Obstacle.ALL_TAKEN, len(has_room)
    code, count = next(((code, count) for passed, code, count in ladder if not passed), taken)
    return Reason(code, option.mode, option.site, (ask.day,), count)


def _open_starts(board: Board, duty: int, minutes: int) -> int:
    mask = 0
    for number in range(len(board.duties[duty].shifts)):
        mask |= board.duties[duty].open_starts(number, minutes)
    return mask
