"""One specialist's day in a witness: what else would fit, as it is or if one of her visits went elsewhere.

A diary never changes, so that witnesses share it and it remembers its answers. It knows nothing of rooms, of
colleagues or of who may serve what.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from routing.timeline import Stop, run_starts, span_mask

if TYPE_CHECKING:
    from collections.abc import Iterator

    from routing.timeline import Day, Opening
    from routing.workday import Workday


MOST_LEAVING = 3


class Gap(NamedTuple):
    """What opens in a tour if some successive visits go; `ticks` at the most."""

    visits: tuple[str, ...]
    shift: int
    position: int
    ticks: int


class Diary:
    """One specialist's day in the witness; remembers what else would fit."""

    __slots__ = ("_gaps", "_presence", "day", "number", "pinned", "workday")

    def __init__(self, workday: Workday, number: int, day: Day, pinned: frozenset[str]) -> None:
        self.workday, self.number, self.day, self.pinned = workday, number, day, pinned
        self._presence: dict[tuple[str | None, int], tuple[int, ...]] = {}
        self._gaps: tuple[Gap, ...] | None = None

    def starts(self, place: str | None, minutes: int, visits: int = 1) -> int:
        """Where so many minutes at that place fit, made up of that many visits."""
        key = place, visits if self.workday.least_per_trip > 1 else 1
        found = self._presence.get(key)
        if found is None:
            found = self._presence[key] = self._present(place or self.day.duty.base, visits)
        mask, ticks = 0, minutes // self.workday.tick
        for present in found:
            mask |= run_starts(present, ticks)
        return mask

    def instead(
        self, place: str | None, minutes: int, wanted: int, visits: int = 1
    ) -> Iterator[tuple[tuple[str, ...], int]]:
        """Hers that could make way together, each time with the wanted starts that would then fit."""
        place = place or self.day.duty.base
        for gap in self.gaps:
            if not gap.ticks & wanted:
                continue
            opening = self.day.opening_instead(gap.shift, gap.position, len(gap.visits), place)
            mask = run_starts(opening.present, minutes // self.workday.tick) & wanted if opening else 0
            if opening and mask and self._keeps_trips(opening, len(gap.visits), place, visits):
                yield gap.visits, mask

    @property
    def gaps(self) -> tuple[Gap, ...]:
        """What would open if up to `MOST_LEAVING` successive visits went, fewest first; pinned ones stay."""
        if self._gaps is None:
            self._gaps = tuple(
                gap
                for leaving in range(1, MOST_LEAVING + 1)
                for gap in self._all_gaps(leaving)
                if self.pinned.isdisjoint(gap.visits)
            )
        return self._gaps

    def _all_gaps(self, leaving: int) -> Iterator[Gap]:
        tick, duty = self.workday.tick, self.day.duty
        for number, tour in enumerate(self.day.tours):
            first, last = duty.ends(number)
            line = (first, *tour, last)
            for position in range(len(tour) - leaving + 1):
                end = line[position + leaving + 1].begin
                ticks = span_mask(line[position].end // tick, -(-end // tick))
                visits = tuple(stop.visit for stop in tour[position : position + leaving])
                yield Gap(visits, number, position, ticks)

    def _present(self, place: str, visits: int) -> tuple[int, ...]:
        masks = [0] * len(self.day.tours)
        for opening in self.day.openings(place):
            if self._keeps_trips(opening, 0, place, visits):
                masks[opening.shift] |= opening.present
        return tuple(mask for mask in masks if mask)

    def _keeps_trips(self, opening: Opening, leaving: int, place: str, visits: int) -> bool:
        if self.workday.least_per_trip <= 1:
            return True
        tours, number, position = self.day.tours, opening.shift, opening.position
        new = (Stop(0, 0, place, f"\0{n}") for n in range(visits))
        tour = (*tours[number][:position], *new, *tours[number][position + leaving :])
        return self.workday.keeps_trips(self.number, tours, (*tours[:number], tour, *tours[number + 1 :]))
