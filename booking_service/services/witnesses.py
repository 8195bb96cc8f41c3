"""The witnesses of days in memory: built from what is promised, kept per version of the day.

A day that somebody changes has another version and is built anew. Citizens see less than the desk: for them
the contingents for emergencies are taken, until they are released.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING

import routing
from booking_service.domain import zones
from booking_service.domain.county import Mode
from booking_service.services.calendar import calendar_of
from booking_service.services.instances import joint_skill, witness

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from booking_service.domain.county import Contingent, County
    from booking_service.store.plan import Promised

MOST_REMEMBERED = 600
CONTINGENT = "contingent"


class Audience(StrEnum):
    """Who looks: citizens see less than the desk."""

    PUBLIC = "public"
    DESK = "desk"


@dataclass(frozen=True, slots=True)
class DayKey:
    """What a witness depends on.

    `kept_free` are the contingents that are not released yet, by number; on a day that is `settled` nobody is
    given another's visit any more.
    """

    day: date
    version: int
    kept_free: tuple[int, ...]
    settled: bool


def key_of(county: County, day: date, version: int, audience: Audience, now: datetime) -> DayKey:
    """The key of the witness that this audience sees of a day."""
    kept = [
        number
        for number, contingent in enumerate(county.contingents)
        if audience is Audience.PUBLIC
        and contingent.weekday == day.isoweekday()
        and now < _begin(county, contingent, day) - timedelta(hours=contingent.release_hours)
    ]
    return DayKey(day, version, tuple(kept), day <= zones.local_day(now, county.settings.zone))


@dataclass(frozen=True, slots=True)
class DayView:
    """A witness, and who holds each visit in the database: contingents may have moved some in the witness."""

    witness: routing.DayWitness
    holders: Mapping[str, str]

    def after(self, placement: routing.Placement, visits: Sequence[str]) -> tuple[DayView, dict[str, str]]:
        """The view once this is promised, and who takes over which visit for it."""
        witness = self.witness.after(placement, visits)
        holders = {one.visit: one.specialist for one in witness.held if not one.visit.startswith(CONTINGENT)}
        moves = {v: who for v, who in holders.items() if v in self.holders and self.holders[v] != who}
        return DayView(witness, holders), moves


class WitnessMemory:
    """What a process remembers of the days of one county."""

    def __init__(self, county: County) -> None:
        self._county = county
        self._known: OrderedDict[DayKey, DayView | None] = OrderedDict()
        self._lock = Lock()

    def known(self, keys: Iterable[DayKey]) -> dict[DayKey, DayView | None]:
        """Those that are remembered."""
        with self._lock:
            return {key: self._known[key] for key in keys if key in self._known}

    def build(self, key: DayKey, promised: Sequence[Promised]) -> DayView | None:
        """Make the view of a day, as `build_view` does, and remember it."""
        built = build_view(self._county, key, promised)
        self.remember(key, built)
        return built

    def remember(self, key: DayKey, built: DayView | None) -> None:
        """Keep what somebody has built; the oldest is forgotten."""
        with self._lock:
            self._known[key] = built
            while len(self._known) > MOST_REMEMBERED:
                self._known.popitem(last=False)


@lru_cache(maxsize=4)
def memory_of(county: County) -> WitnessMemory:
    """The memory for this state of the county."""
    return WitnessMemory(county)


def build_view(county: County, key: DayKey, promised: Sequence[Promised]) -> DayView | None:
    """Make a witness of all promises of a day.

    None for a day whose promises cannot be kept: nothing is offered there until it is repaired.
    """
    draft = witness(county, calendar_of(county, key.day, key.day), promised, [key.day])
    instance = draft.instance
    workday = routing.Workday(
        0,
        instance.specialists.values(),
        instance.travel,
        instance.rooms,
        instance.tick,
        county.settings.booking.least_per_trip,
    )
    try:
        built = routing.DayWitness(
            workday, [_held(visit, pinned=key.settled) for visit in instance.visits.values()]
        )
    except routing.CannotKeep:
        return None
    holders = {one.visit: one.specialist for one in built.held}
    for number in key.kept_free:
        built = _with_contingent(county, built, number)
    return DayView(built, holders)


def _held(visit: routing.Visit, *, pinned: bool) -> routing.Held:
    promise = visit.promise
    assert promise is not None  # noqa: S101 - a witness holds promises only
    assert visit.holder is not None  # noqa: S101
    ask = routing.Ask(visit.skill, visit.language, promise.mode, promise.site, visit.minutes)
    return routing.Held(visit.id, visit.holder, promise.start, ask, pinned)


def _with_contingent(county: County, built: routing.DayWitness, number: int) -> routing.DayWitness:
    """Keep somebody free for emergencies; where nobody is left, the day is too full for that already."""
    contingent = county.contingents[number]
    minutes = contingent.end - contingent.begin
    ask = routing.Ask(joint_skill([contingent.service]), None, Mode.PHONE.value, None, minutes)
    placement = built.place((ask,), contingent.begin)
    return built if placement is None else built.after(placement, [f"{CONTINGENT} {number}"])


def _begin(county: County, contingent: Contingent, day: date) -> datetime:
    return zones.instant(day, contingent.begin, county.settings.zone)
