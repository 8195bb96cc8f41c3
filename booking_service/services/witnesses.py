"""The witnesses of days in memory: built from what is promised, the newest version of each day.

A day that somebody changes has another version and is built anew, sharing with the old one what is the same.
Citizens see less than the desk: for them the contingents for emergencies are taken, until they are released.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, TypeAlias

import routing
from booking_service.domain import zones
from booking_service.domain.county import Mode
from booking_service.services.calendar import calendar_of
from booking_service.services.instances import joint_skill, witness
from booking_service.services.publication import first_unpublished
from booking_service.store.db import reading
from booking_service.store.plan import promised_visits, standing_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from booking_service.domain.county import Contingent, County
    from booking_service.services.offers import Way, WayOffers
    from booking_service.store.plan import Promised

MOST_REMEMBERED = 300
MOST_WAYS = 2_000
"""Of so many ways a day remembers what it offers; then it is built anew, or questions could fill memory."""
CONTINGENT = "contingent"


class Audience(StrEnum):
    """Who looks: citizens see less than the desk."""

    PUBLIC = "public"
    DESK = "desk"


class CountyChanged(Exception):
    """The county is another one than it was a moment ago: look again."""


@dataclass(frozen=True, slots=True)
class Slot:
    """What is seen of a day beside its version.

    `kept_free` are the contingents that are not released yet, by number; on a day that is `settled` nobody is
    given another's visit any more.
    """

    day: date
    kept_free: tuple[int, ...]
    settled: bool


def slot_of(county: County, day: date, audience: Audience, now: datetime) -> Slot:
    """What this audience sees of a day."""
    return slots_of(county, [day], audience, now)[0]


def slots_of(county: County, days: Iterable[date], audience: Audience, now: datetime) -> list[Slot]:
    """What this audience sees of each day."""
    settled_before = first_unpublished(county, zones.local_day(now, county.settings.zone))
    slots = []
    for day in days:
        releases = _releases(county, day) if audience is Audience.PUBLIC else ()
        kept = tuple(number for number, release in releases if now < release)
        slots.append(Slot(day, kept, day < settled_before))
    return slots


def kept_free(county: County, day: date, now: datetime) -> list[Contingent]:
    """The contingents for emergencies that are not released yet: what is planned must leave them room."""
    return [county.contingents[number] for number in slot_of(county, day, Audience.PUBLIC, now).kept_free]


@lru_cache(maxsize=1_000)
def _releases(county: County, day: date) -> tuple[tuple[int, datetime], ...]:
    """When each contingent of a day is released, by its number."""
    return tuple(
        (number, _begin(county, contingent, day) - timedelta(hours=contingent.release_hours))
        for number, contingent in enumerate(county.contingents)
        if contingent.weekday == day.isoweekday()
    )


@dataclass(frozen=True, slots=True)
class DayView:
    """A witness, and who holds each visit in the database: contingents may have moved some in the witness.

    `remembered` is for `services.offers`: what the day offers, by way.
    """

    witness: routing.DayWitness
    holders: Mapping[str, str]
    remembered: dict[Way, WayOffers] = field(default_factory=dict, compare=False)

    def moves(self, placement: routing.Placement) -> dict[str, str]:
        """Who takes over which visit in the database for this to be promised."""
        after = {one.visit: one.specialist for one in self.witness.held} | dict(placement.moves)
        return {visit: after[visit] for visit, holder in self.holders.items() if after[visit] != holder}

    def after(self, placement: routing.Placement, visits: Sequence[str]) -> DayView:
        """The view once this is promised."""
        after = self.witness.after(placement, visits)
        holders = {one.visit: one.specialist for one in after.held if not one.visit.startswith(CONTINGENT)}
        return DayView(after, holders)


@dataclass(frozen=True, slots=True)
class Seen:
    """A version of a day as somebody sees it; no view where its promises cannot be kept."""

    version: int
    view: DayView | None

    @property
    def is_worn(self) -> bool:
        """Whether it has been asked so much that it should be built anew."""
        return self.view is not None and len(self.view.remembered) >= MOST_WAYS


class WitnessMemory:
    """What a process remembers of the days of one county."""

    def __init__(self, county: County) -> None:
        self._county = county
        self._seen: OrderedDict[Slot, Seen] = OrderedDict()
        self._workdays: OrderedDict[tuple[date, int, frozenset[str]], routing.Workday] = OrderedDict()
        self._changing, self._building = Lock(), Lock()

    def known(self, slot: Slot, version: int) -> Seen | None:
        """What is remembered of a day, if it is not older than this version."""
        seen = self._seen.get(slot)
        return seen if seen is not None and seen.version >= version and not seen.is_worn else None

    def remember(self, slot: Slot, seen: Seen) -> None:
        """Keep what is true for all; what was remembered longest is forgotten."""
        with self._changing:
            known = self._seen.get(slot)
            if known is None or known.version < seen.version or known.is_worn:
                self._seen[slot] = seen
                self._seen.move_to_end(slot)
            while len(self._seen) > MOST_REMEMBERED:
                self._seen.popitem(last=False)

    def views(self, wanted: Mapping[Slot, int], revision: str) -> dict[Slot, Seen]:
        """Each day in this version or a newer one; what is not remembered is read and built once.

        Raises CountyChanged where the county has another revision by now.
        """
        found = self._all_known(wanted)
        if len(found) < len(wanted):
            with self._building:
                found = self._all_known(wanted)
                missing = [slot for slot in wanted if slot not in found]
                if missing:
                    found |= self._read(missing, revision)
        return found

    def _all_known(self, wanted: Mapping[Slot, int]) -> dict[Slot, Seen]:
        found = ((slot, self.known(slot, version)) for slot, version in wanted.items())
        return {slot: seen for slot, seen in found if seen is not None}

    def _read(self, slots: Sequence[Slot], revision: str) -> dict[Slot, Seen]:
        days = sorted({slot.day for slot in slots})
        versions, promised = _read_days(days=days, revision=revision)
        found = {}
        for slot in slots:
            here = [visit for visit in promised if visit.day == slot.day]
            found[slot] = Seen(versions[slot.day], self.build(slot, here))
            self.remember(slot, found[slot])
        return found

    def build(self, slot: Slot, promised: Sequence[Promised]) -> DayView | None:
        """Make a witness of all promises of a day, and remember nothing but what days have in common.

        None for a day whose promises cannot be kept: nothing is offered there until it is repaired.
        """
        held = [_held(self._county, visit, pinned=slot.settled) for visit in promised]
        workday = self._workday(slot.day, promised, held)
        try:
            built = routing.DayWitness(workday, held, like=self._like(slot, workday))
        except routing.CannotKeep:
            return None
        holders = {one.visit: one.specialist for one in built.held}
        for number in slot.kept_free:
            built = _with_contingent(self._county, built, number)
        return DayView(built, holders)

    def _like(self, slot: Slot, workday: routing.Workday) -> routing.DayWitness | None:
        """An older version of the day, or what others see of it."""
        with self._changing:
            seen = [
                self._seen.get(slot),
                *(seen for other, seen in self._seen.items() if other.day == slot.day),
            ]
        views = (one.view for one in seen if one)
        return next((view.witness for view in views if view and view.witness.workday is workday), None)

    def _workday(
        self, day: date, promised: Sequence[Promised], held: Sequence[routing.Held]
    ) -> routing.Workday:
        """The day without promises: the same one for all who look at it."""
        tick = math.gcd(
            self._county.settings.planning.tick_minutes,
            *(minute for one in held for minute in (one.start, one.ask.minutes)),
        )
        key = day, tick, frozenset(one.ask.skill for one in held if "+" in one.ask.skill)
        with self._changing:
            found = self._workdays.get(key)
            if found is None:
                found = self._workdays[key] = self._new_workday(day, promised)
            while len(self._workdays) > MOST_REMEMBERED:
                self._workdays.popitem(last=False)
        return found

    def _new_workday(self, day: date, promised: Sequence[Promised]) -> routing.Workday:
        county = self._county
        instance = witness(county, calendar_of(county, day, day), promised, [day]).instance
        return routing.Workday(
            0,
            instance.specialists.values(),
            instance.travel,
            instance.rooms,
            instance.tick,
            county.settings.booking.least_per_trip,
        )


@lru_cache(maxsize=2)
def memory_of(county: County) -> WitnessMemory:
    """The memory for this state of the county."""
    return WitnessMemory(county)


Days: TypeAlias = "tuple[dict[date, int], list[Promised]]"


@reading
def _read_days(session: Session, *, days: Sequence[date], revision: str) -> Days:
    """Versions and promises of the days, and of those between them."""
    stands = standing_in(session.connection(), days[0], days[-1])
    if stands.revision != revision:
        raise CountyChanged
    return {day: stands.versions.get(day, 0) for day in days}, promised_visits(session, days[0], days[-1])


def _held(county: County, visit: Promised, *, pinned: bool) -> routing.Held:
    zone = county.settings.zone
    start = zones.minute_of(visit.busy_from, visit.day, zone)
    minutes = zones.minute_of(visit.busy_until, visit.day, zone) - start
    skill = visit.services[0] if len(visit.services) == 1 else joint_skill(visit.services)
    ask = routing.Ask(skill, visit.language, visit.mode.value, visit.site, minutes)
    return routing.Held(f"v{visit.visit_id}", visit.specialist, start, ask, pinned)


def _with_contingent(county: County, built: routing.DayWitness, number: int) -> routing.DayWitness:
    """Keep somebody free for emergencies; where nobody is left, the day is too full for that already."""
    contingent = county.contingents[number]
    minutes = contingent.end - contingent.begin
    ask = routing.Ask(joint_skill([contingent.service]), None, Mode.PHONE.value, None, minutes)
    placement = built.place((ask,), contingent.begin)
    return built if placement is None else built.after(placement, [f"{CONTINGENT} {number}"])


def _begin(county: County, contingent: Contingent, day: date) -> datetime:
    return zones.instant(day, contingent.begin, county.settings.zone)
