"""What could be promised instead of what is lost: the nearest starts that the repaired days still take.

Each proposal fits by itself; to take one may leave no room for the next. Times that the citizen asked for do
not count, since whatever is proposed has to be agreed anyway.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from routing.offers import DayWitness
from routing.timeline import ticks_of
from routing.workday import Ask, Held, Workday

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from routing.problem import Assignment, Instance, Mode, Plan, Promise, Visit

_MOST = 6
_MOST_A_WAY = 2


@dataclass(frozen=True, slots=True)
class Proposal:
    """What could be promised: day, start, mode and site, the start of the first if several are linked.

    `specialists` would serve the linked visits one after the other, `moves` says who would take over which
    other visit.
    """

    day: int
    start: int
    mode: Mode
    site: str | None
    specialists: tuple[str, ...]
    moves: Mapping[str, str]


def proposals(
    instance: Instance, plan: Plan, lost: Sequence[str], until: float
) -> dict[str, tuple[Proposal, ...]]:
    """For every lost promise the nearest proposals: same day first, same way to meet first.

    Linked visits have theirs in common. A visit has none where the time is over, a value of `time.monotonic`.
    """
    search = _Search(instance, plan, until)
    chains = {visit: chain for chain in instance.chains for visit in chain}
    found: dict[str, tuple[Proposal, ...]] = {}
    for visit in lost:
        if visit not in found:
            linked = chains.get(visit, (visit,))
            found |= dict.fromkeys(linked, search.nearest([instance.visits[name] for name in linked]))
    return found


class _Search:
    def __init__(self, instance: Instance, plan: Plan, until: float) -> None:
        self._instance, self._until = instance, until
        self._lines: dict[int, list[Assignment]] = {}
        for line in plan.assignments:
            self._lines.setdefault(line.day, []).append(line)
        self._witnesses: dict[int, DayWitness] = {}

    def nearest(self, visits: Sequence[Visit]) -> tuple[Proposal, ...]:
        """The nearest for linked visits, the first of which is promised."""
        told = visits[0].promise
        if told is None or any(visit.minutes % self._instance.tick for visit in visits):
            return ()
        found: list[Proposal] = []
        for day in range(told.day, len(self._instance.days)):
            for asks in _ways(visits, told):
                if len(found) >= _MOST or time.monotonic() > self._until:
                    return tuple(found)
                found += self._on(day, asks, told.start)
        return tuple(found)

    def _on(self, day: int, asks: tuple[Ask, ...], wanted: int) -> Iterator[Proposal]:
        """The nearest starts on a day that do not overlap each other."""
        witness, tick = self._witness(day), self._instance.tick
        minutes = sum(ask.minutes for ask in asks)
        starts = sorted(
            (start * tick for start in ticks_of(witness.starts(asks))),
            key=lambda start: (abs(start - wanted), start),
        )
        chosen: list[int] = []
        for start in starts:
            if len(chosen) < _MOST_A_WAY and all(abs(start - other) >= minutes for other in chosen):
                placement = witness.place(asks, start)
                if placement is not None:
                    chosen.append(start)
                    yield Proposal(
                        day, start, asks[0].mode, asks[0].site, placement.specialists, placement.moves
                    )

    def _witness(self, day: int) -> DayWitness:
        if day not in self._witnesses:
            instance = self._instance
            workday = Workday(
                day, instance.specialists.values(), instance.travel, instance.rooms, instance.tick
            )
            held = [
                Held(line.visit, line.specialist, line.start, _as_kept(instance.visits[line.visit], line))
                for line in self._lines.get(day, ())
            ]
            self._witnesses[day] = DayWitness(workday, held)
        return self._witnesses[day]


def _as_kept(visit: Visit, line: Assignment) -> Ask:
    return Ask(visit.skill, visit.language, line.mode, line.site, visit.minutes)


def _ways(visits: Sequence[Visit], told: Promise) -> Iterator[tuple[Ask, ...]]:
    """What was promised, then the other ways to meet that all of them accept, at the same site first."""
    yield tuple(Ask(v.skill, v.language, told.mode, told.site, v.minutes) for v in visits)
    others = [one for one in visits[0].options if (one.mode, one.site) != (told.mode, told.site)]
    for one in sorted(others, key=lambda option: option.site != told.site):
        lengths = [
            {(option.mode, option.site): visit.minutes_of(option) for option in visit.options}.get(
                (one.mode, one.site)
            )
            for visit in visits
        ]
        asks = tuple(
            Ask(visit.skill, visit.language, one.mode, one.site, length)
            for visit, length in zip(visits, lengths, strict=True)
            if length is not None
        )
        if len(asks) == len(visits):
            yield asks
