"""One specialist's day in a witness: what else would fit into it, and what each of her visits hinders.

A diary never changes, so that witnesses share it and it remembers its answers. It knows nothing of rooms, of
colleagues or of who may serve what.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from routing.timeline import Stop, run_starts, span_mask

if TYPE_CHECKING:
    from routing.timeline import Day, Opening
    from routing.workday import Workday


class Diary:
    """One specialist's day in the witness; remembers what else would fit."""

    __slots__ = ("_hindrances", "_in_the_way", "_presence", "day", "number", "pinned", "workday")

    def __init__(self, workday: Workday, number: int, day: Day, pinned: frozenset[str]) -> None:
        self.workday, self.number, self.day, self.pinned = workday, number, day, pinned
        self._presence: dict[tuple[str | None, int], tuple[int, ...]] = {}
        self._hindrances: dict[tuple[Stop, str | None], int] = {}
        self._in_the_way: dict[tuple[str | None, int, int], tuple[str, ...] | None] = {}

    def starts(self, place: str | None, minutes: int, visits: int = 1) -> int:
        """Where so many minutes at that place fit, made up of that many visits."""
        mask, ticks = 0, minutes // self.workday.tick
        for present in self.presence(place, visits):
            mask |= run_starts(present, ticks)
        return mask

    def presence(self, place: str | None, visits: int = 1) -> tuple[int, ...]:
        """The ticks at which she could be at that place; so many visits fit where they last long enough."""
        key = place, visits if self.workday.least_per_trip > 1 else 1
        found = self._presence.get(key)
        if found is None:
            found = self._presence[key] = self._present(place or self.day.duty.base, visits)
        return found

    def hindrance(self, shift: int, stop: Stop, place: str | None) -> int:
        """The ticks at which a visit of hers keeps her from being at a place, whatever else is on the day."""
        key = stop, place
        found = self._hindrances.get(key)
        if found is None:
            duty, ways, tick = self.day.duty, self.workday.ways, self.workday.tick
            there = place or duty.base
            latest, earliest = duty.around(shift, stop, ways[there][stop.place], ways[stop.place][there])
            found = self._hindrances[key] = span_mask(latest // tick, -(-earliest // tick))
        return found

    def in_the_way(self, place: str | None, start: int, minutes: int) -> tuple[str, ...] | None:
        """Her visits that cannot be beside such a visit, None if she could not even serve it alone."""
        key = place, start, minutes
        if key not in self._in_the_way:
            self._in_the_way[key] = self._colliding(place, start, minutes)
        return self._in_the_way[key]

    def _colliding(self, place: str | None, start: int, minutes: int) -> tuple[str, ...] | None:
        tick = self.workday.tick
        span = span_mask(start // tick, (start + minutes) // tick)
        for shift, present in enumerate(self.workday.presence(self.number, place)):
            if present & span == span:
                tour = self.day.tours[shift]
                return tuple(stop.visit for stop in tour if self.hindrance(shift, stop, place) & span)
        return None

    def _present(self, place: str, visits: int) -> tuple[int, ...]:
        masks = [0] * len(self.day.tours)
        for opening in self.day.openings(place):
            if self._keeps_trips(opening, place, visits):
                masks[opening.shift] |= opening.present
        return tuple(mask for mask in masks if mask)

    def _keeps_trips(self, opening: Opening, place: str, visits: int) -> bool:
        if self.workday.least_per_trip <= 1:
            return True
        tours, number, position = self.day.tours, opening.shift, opening.position
        new = (Stop(0, 0, place, f"\0{n}") for n in range(visits))
        tour = (*tours[number][:position], *new, *tours[number][position:])
        return self.workday.keeps_trips(self.number, tours, (*tours[:number], tour, *tours[number + 1 :]))
