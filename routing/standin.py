"""Who keeps the promises of a day when somebody drops out, with as few changes as can be.

Whoever can still keep a visit keeps it. The others are given away one by one, each with the fewest visits
of colleagues moved for it: what was given away before may move again, so that one after the other finds what
all at once would, unless the bounded search is cut short. The county's rule about trips does not count here:
a trip for one visit is better than a broken promise.

Unlike `repair` this starts no child process and needs some milliseconds, so that it may be asked while the
day is locked; it proves nothing, and does not weigh which promise to lose.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from routing.offers import DayWitness
from routing.workday import Ask, CannotKeep, Held, Workday

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from routing.problem import Instance, Promise, Visit

EFFORT = 2_000
"""Steps of the exact search for one visit, some 20 microseconds each: crowded days need them, and wait."""


class StandIn(NamedTuple):
    """Who takes over which visit, and the visits that nobody can keep."""

    moves: Mapping[str, str]
    lost: tuple[str, ...]


def stand_in(
    instance: Instance, *, day: int = 0, pinned: Collection[str] = (), effort: int = EFFORT
) -> StandIn:
    """Keep what is promised on a day of the instance with those who are on duty.

    Visits without a promise are passed over. A `pinned` one stays with its holder or is lost; `effort` bounds
    the exact search per visit, in steps. Raises ValueError for a promise without a holder.
    """
    workday = Workday(day, instance.specialists.values(), instance.travel, instance.rooms, instance.tick)
    held = {
        visit.id: _held(visit, visit.promise, pinned)
        for visit in instance.visits.values()
        if visit.promise and visit.promise.day == day
    }
    witness, homeless = _still_kept(workday, held, effort)
    lost = []
    for one in homeless:
        placement = None if one.pinned else witness.place((one.ask,), one.start)
        if placement is None:
            lost.append(one.visit)
        else:
            witness = witness.after(placement, [one.visit])
    changed = (one for one in witness.held if one.specialist != held[one.visit].specialist)
    return StandIn({one.visit: one.specialist for one in changed}, tuple(lost))


def _held(visit: Visit, promise: Promise, pinned: Collection[str]) -> Held:
    if visit.holder is None:
        raise ValueError(f"visit {visit.id} is promised, but nobody holds it")
    ask = Ask(visit.skill, visit.language, promise.mode, promise.site, visit.minutes)
    return Held(visit.id, visit.holder, promise.start, ask, visit.id in pinned)


def _still_kept(workday: Workday, held: Mapping[str, Held], effort: int) -> tuple[DayWitness, list[Held]]:
    """The witness of what its holders can still keep, and the other visits in the order of time."""
    left, homeless = dict(held), []
    while True:
        try:
            witness = DayWitness(workday, left.values(), effort)
        except CannotKeep as broken:
            homeless.append(left.pop(broken.visit))
        else:
            return witness, sorted(homeless, key=lambda one: (one.start, one.visit))
