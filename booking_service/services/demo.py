"""Plausible requests for a demonstration, from the county's own places and services.

They go through the same use case as real ones. All persons are invented; every one has an e-mail address
under a reserved domain, so that each confirmation can be read.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from booking_service.domain import zones
from booking_service.domain.bookings import Contact, Need, TimeWindow, Urgency, Wanted
from booking_service.domain.county import Access, Bookable, Competence, HandledBy, Mode
from booking_service.services.calendar import bookable_spans, calendar_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date, datetime

    from booking_service.domain.county import County, Place, Service
    from booking_service.domain.opening import Calendar

FIRST_NAMES = (
    "Anna",
    "Bernd",
    "Christa",
    "Dmytro",
    "Erika",
    "Fatima",
    "Günter",
    "Hanna",
    "Ivan",
    "Jürgen",
    "Karin",
)
LAST_NAMES = (
    "Ahrens",
    "Brandt",
    "Cordes",
    "Dahl",
    "Ehlers",
    "Frahm",
    "Groß",
    "Haase",
    "Jahnke",
    "Köhn",
    "Lüders",
)
FARTHEST_SITE = 45  # minutes; farther sites are not accepted by the invented citizens
SHARE_TWO_SERVICES = 0.08
SHARE_OTHER_LANGUAGE = 0.12
SHARE_WITH_NEED = 0.15
SHARE_ANY_TIME = 0.35
SHARE_WISH = 0.1


@dataclass(frozen=True, slots=True)
class DemoRequest:
    """What an invented citizen asks for."""

    wanted: Wanted
    contact: Contact


def demo_requests(county: County, *, number: int, seed: int, now: datetime) -> Iterator[DemoRequest]:
    """So many requests; the same seed and day give the same ones."""
    source = _Citizens(county, random.Random(seed), now)
    for position in range(number):
        yield source.draw(position + 1)


class _Citizens:
    """Draws citizens who ask for what the county really offers, when it is really open."""

    def __init__(self, county: County, chance: random.Random, now: datetime) -> None:
        self.county = county
        self.chance = chance
        self.now = now
        zone = county.settings.zone
        today = zones.local_day(now, zone)
        self.days = [today + timedelta(days=n + 1) for n in range(county.settings.planning.horizon_days)]
        self.calendar: Calendar = calendar_of(county, self.days[0], self.days[-1])
        skills = {skill for specialist in county.specialists for skill in specialist.skills}
        self.services = [s for s in county.services if _is_bookable(s) and s.code in skills]
        self.modes = {
            service.code: [v.mode for v in county.variants if v.service == service.code]
            for service in self.services
        }
        self.minutes = {(leg.origin, leg.destination): leg.minutes for leg in county.travel}

    def draw(self, number: int) -> DemoRequest:
        while True:
            place = self.chance.choice(self.county.places)
            services = self._services()
            modes = self._modes(services)
            sites = self._sites(services, modes, place) if modes else ()
            if not sites:
                modes = tuple(mode for mode in modes if mode is Mode.PHONE)
            windows = self._windows(services, modes, sites) if modes else None
            if windows is not None:
                return DemoRequest(self._wanted(services, modes, sites, windows), self._contact(number))

    def _services(self) -> tuple[str, ...]:
        first = self.chance.choice(self.services)
        if self.chance.random() > SHARE_TWO_SERVICES:
            return (first.code,)
        second = self.chance.choice(self.services)
        return (first.code,) if second is first else (first.code, second.code)

    def _modes(self, services: Sequence[str]) -> tuple[Mode, ...]:
        """Meeting in person first; video and phone as far as everything can be had that way."""
        common = set.intersection(*(set(self.modes[code]) for code in services))
        liked = [mode for mode in (Mode.VIDEO, Mode.PHONE) if mode in common and self.chance.random() < 0.5]
        return (*([Mode.ON_SITE] if Mode.ON_SITE in common else []), *liked)

    def _sites(self, services: Sequence[str], modes: Sequence[Mode], place: Place) -> tuple[str, ...]:
        """The nearest site and those near it, as far as the service is there at all."""
        home = place.nearest_site
        near = sorted(
            (site.code for site in self.county.sites),
            key=lambda code: 0 if code == home else self.minutes[home, code],
        )
        units = {s.unit for s in self.services if s.code in services}
        offered = {
            (h.unit, h.site) for h in self.county.hours if h.mode in modes and h.access is Access.APPOINTMENT
        }
        return tuple(
            code
            for code in near
            if (code == home or self.minutes[home, code] <= FARTHEST_SITE)
            and all((unit, code) in offered for unit in units)
        )[:3]

    def _windows(
        self, services: Sequence[str], modes: Sequence[Mode], sites: Sequence[str]
    ) -> tuple[TimeWindow, ...] | None:
        """Any time, or two half-days on which somebody could be met; None if there are none."""
        if self.chance.random() < SHARE_ANY_TIME:
            return ()
        spans = [
            (day, span)
            for day in self.chance.sample(self.days, min(10, len(self.days)))
            for span in self._open(services, modes, sites, day)
        ]
        if not spans:
            return None
        chosen = sorted(self.chance.sample(spans, min(len(spans), 2)))
        zone = self.county.settings.zone
        return tuple(
            TimeWindow(zones.instant(day, begin, zone), zones.instant(day, end, zone))
            for day, (begin, end) in chosen
        )

    def _open(
        self, services: Sequence[str], modes: Sequence[Mode], sites: Sequence[str], day: date
    ) -> list[tuple[int, int]]:
        site = None if modes[0] is Mode.PHONE else sites[0]
        return bookable_spans(self.county, self.calendar, services, modes[0], site, day, ())

    def _wanted(
        self,
        services: tuple[str, ...],
        modes: tuple[Mode, ...],
        sites: tuple[str, ...],
        windows: tuple[TimeWindow, ...],
    ) -> Wanted:
        able = [s for s in self.county.specialists if set(services) <= set(s.skills)]
        foreign = sorted({language for s in able for language in s.languages} - {"de"})
        others = bool(foreign) and self.chance.random() < SHARE_OTHER_LANGUAGE
        wish = bool(able) and self.chance.random() < SHARE_WISH
        return Wanted(
            services=services,
            sites=sites if set(modes) - {Mode.PHONE} else (),
            modes=modes,
            windows=windows,
            language=self.chance.choice(foreign) if others else None,
            needs=(self.chance.choice(list(Need)),) if self.chance.random() < SHARE_WITH_NEED else (),
            urgency=self._urgency(services),
            wish=self.chance.choice(able).code if wish else None,
        )

    def _urgency(self, services: Sequence[str]) -> Urgency:
        if any(s.bookable is Bookable.SAME_DAY for s in self.services if s.code in services):
            return Urgency.URGENT
        return self.chance.choices(list(Urgency), weights=(80, 15, 5))[0]

    def _contact(self, number: int) -> Contact:
        name = f"{self.chance.choice(FIRST_NAMES)} {self.chance.choice(LAST_NAMES)}"
        return Contact(name, f"demo-{number}@buergerin.example", f"0395 5555{number:04d}")


def _is_bookable(service: Service) -> bool:
    return (
        service.handled_by is HandledBy.SPECIALIST
        and service.competence is Competence.OWN
        and service.bookable in (Bookable.YES, Bookable.SAME_DAY)
    )
