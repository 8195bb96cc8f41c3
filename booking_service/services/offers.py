"""Offers: every start that can be promised, for services, sites, modes, a language and a range of days.

What is offered is backed by a feasible plan of the whole day (`witnesses`). Respected are the hours of the
units at the sites, the raster, lead time and horizon of the services, closures and holidays; citizens see
less than the desk, which needs no lead time and sees the contingents.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

import routing
from booking_service.domain import zones
from booking_service.domain.county import Access, Mode
from booking_service.domain.mistakes import Mistake, Rejected
from booking_service.domain.opening import ObstacleKind
from booking_service.services.calendar import bookable_spans, calendar_of
from booking_service.services.instances import Length
from booking_service.services.references import language_mistakes, service_mistakes, site_mistakes
from booking_service.services.witnesses import Audience, DayView, build_view, key_of, memory_of
from booking_service.store.county import read_county, read_revision
from booking_service.store.db import reading
from booking_service.store.plan import day_versions, promised_visits

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy.orm import Session

    from booking_service.domain.county import Closure, County

LONGEST_RANGE = 62


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked for; no sites means all at which it can be had, no modes means all."""

    services: tuple[str, ...]
    sites: tuple[str, ...]
    modes: tuple[Mode, ...]
    language: str | None
    first: date | None
    last: date | None
    audience: Audience


@dataclass(frozen=True, slots=True)
class Way:
    """One way of having the services: where, how, and how long each takes a specialist."""

    mode: Mode
    site: str | None
    lengths: tuple[Length, ...]
    asks: tuple[routing.Ask, ...]

    @property
    def preparation(self) -> int:
        """Minutes from the begin of the first specialist's work to that of the talk."""
        return self.lengths[0].preparation

    @property
    def minutes(self) -> int:
        """Minutes from the begin of the first talk to the end of the last."""
        busy = sum(length.busy for length in self.lengths)
        return busy - self.preparation - self.lengths[-1].follow_up


@dataclass(frozen=True, slots=True)
class WayOffers:
    """The starts of one day at one site in one mode, in local minutes, ascending; a talk takes `minutes`."""

    site: str | None
    mode: Mode
    minutes: int
    starts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Offers:
    """What is offered, day by day (days without are left out); `minutes` is the longest talk."""

    minutes: int
    zone: str
    days: tuple[tuple[date, tuple[WayOffers, ...]], ...]
    closures: tuple[Closure, ...]

    def earliest(self) -> tuple[date, WayOffers] | None:
        """The first start of all."""
        for day, ways in self.days:
            way = min(ways, key=lambda one: one.starts[0])
            return day, way
        return None


@reading
def offers(session: Session, *, question: Question, now: datetime) -> Offers:
    """Every start that can be promised. Raises Rejected for a question that means nothing."""
    county = read_county(session)
    _refuse(county, question)
    days = _days(county, question, now)
    views = day_views(session, county, days, question.audience, now)
    ways = ways_of(county, question)
    found = []
    for day, view in views.items():
        if view is not None:
            here = tuple(_on_day(county, question, ways, day, view.witness, now))
            if here:
                found.append((day, here))
    return Offers(
        minutes=max((way.minutes for way in ways), default=0),
        zone=county.settings.zone,
        days=tuple(found),
        closures=tuple(_closures(county, question, ways, days)),
    )


def day_views(
    session: Session, county: County, days: Sequence[date], audience: Audience, now: datetime
) -> dict[date, DayView | None]:
    """What the audience sees of each day; what is not in memory is read in one query."""
    if not days:
        return {}
    memory = memory_of(county)
    versions = day_versions(session, days)
    keys = {day: key_of(county, day, versions[day], audience, now) for day in days}
    views = memory.known(keys.values())
    missing = [key for key in keys.values() if key not in views]
    promised = promised_visits(session, missing[0].day, missing[-1].day) if missing else []
    for key in missing:
        views[key] = memory.build(key, [visit for visit in promised if visit.day == key.day])
    return {day: views[key] for day, key in keys.items()}


def changed_day_view(
    session: Session, county: County, day: date, audience: Audience, now: datetime
) -> DayView | None:
    """What the audience sees of a day that this very transaction has changed: it is not remembered."""
    key = key_of(county, day, day_versions(session, [day])[day], audience, now)
    return build_view(county, key, promised_visits(session, day, day))


def ways_of(county: County, question: Question) -> list[Way]:
    """All ways of having the services together, in the order of the question, else of the county."""
    lengths = {(v.service, v.mode): Length(v.preparation, v.minutes, v.follow_up) for v in county.variants}
    sites = question.sites or tuple(site.code for site in county.sites)
    ways = []
    for mode in question.modes or tuple(Mode):
        found = [lengths.get((code, mode)) for code in question.services]
        known = tuple(length for length in found if length is not None)
        if len(known) == len(found):
            ways += [_way(question, mode, site, known) for site in ((None,) if mode is Mode.PHONE else sites)]
    return ways


def _way(question: Question, mode: Mode, site: str | None, lengths: tuple[Length, ...]) -> Way:
    asks = tuple(
        routing.Ask(code, question.language, mode.value, site, length.busy)
        for code, length in zip(question.services, lengths, strict=True)
    )
    return Way(mode, site, lengths, asks)


def way_of(county: County, question: Question) -> Way | None:
    """The one way that a question with one mode and one site (none by phone) asks for, if there is one."""
    ways = ways_of(county, question)
    return ways[0] if ways else None


def start_mistakes(
    county: County, question: Question, way: Way | None, start: datetime, now: datetime
) -> list[Mistake]:
    """Why a start is never offered, whatever is free; empty where it may be."""
    mistakes = _code_mistakes(county, question)
    mode = question.modes[0]
    if (mode is Mode.PHONE) != (not question.sites):
        mistakes.append(Mistake("/site", "site_not_by_phone" if question.sites else "sites_missing"))
    if mistakes:
        return mistakes
    if way is None:
        return [Mistake("/mode", "mode_not_offered", {"service": ", ".join(question.services), "mode": mode})]
    code = _why_never(county, question, way, start, now)
    return [Mistake("/start", code, {"minutes": _raster(county, question)})] if code else []


def _why_never(county: County, question: Question, way: Way, start: datetime, now: datetime) -> str | None:
    if start <= now:
        return "start_past"
    if start - now > timedelta(days=_horizon(county, question) + 1):
        return "start_too_far"  # before it is turned into local time, which has no year 10000
    day = zones.local_day(start, county.settings.zone)
    minute = zones.minute_of(start, day, county.settings.zone)
    if day not in _days(county, replace(question, first=day, last=day), now):
        return "start_too_far"
    if start.second or start.microsecond or minute % _raster(county, question):
        return "start_off_raster"
    return None if minute in _rastered(county, question, way, day, now) else "start_not_offered"


def starts_on(
    county: County, question: Question, way: Way, day: date, witness: routing.DayWitness, now: datetime
) -> tuple[int, ...]:
    """The local minutes of `day` at which a talk may begin this way and can be promised."""
    tick = witness.workday.tick
    wanted = 0
    for minute in _rastered(county, question, way, day, now):
        busy = minute - way.preparation
        if busy >= 0 and busy % tick == 0:
            wanted |= 1 << busy // tick
    if not wanted:
        return ()
    found = witness.starts(way.asks, wanted)
    return tuple(tick * bit + way.preparation for bit in range(found.bit_length()) if found >> bit & 1)


def _rastered(county: County, question: Question, way: Way, day: date, now: datetime) -> Iterator[int]:
    """Starts on the raster of the services, within the hours, and not too soon."""
    calendar = calendar_of(county, day, day)
    services = [service for service in county.services if service.code in question.services]
    raster = _raster(county, question)
    lead = max(service.lead_hours for service in services) if question.audience is Audience.PUBLIC else 0
    earliest = zones.minute_of(now + timedelta(hours=lead), day, county.settings.zone) + 1
    for begin, end in bookable_spans(county, calendar, question.services, way.mode, way.site, day, ()):
        first = -(-max(begin, earliest) // raster) * raster
        yield from range(first, end - way.minutes + 1, raster)


def _raster(county: County, question: Question) -> int:
    return math.lcm(*(s.raster for s in county.services if s.code in question.services))


def _on_day(
    county: County,
    question: Question,
    ways: Sequence[Way],
    day: date,
    witness: routing.DayWitness,
    now: datetime,
) -> Iterator[WayOffers]:
    for way in ways:
        starts = starts_on(county, question, way, day, witness, now)
        if starts:
            yield WayOffers(way.site, way.mode, way.minutes, starts)


def _refuse(county: County, question: Question) -> None:
    mistakes = _code_mistakes(county, question)
    if question.first and question.last and question.last < question.first:
        mistakes.append(Mistake("/to", "range_reversed"))
    if mistakes:
        raise Rejected(mistakes)


def _code_mistakes(county: County, question: Question) -> list[Mistake]:
    return [
        *service_mistakes(county, question.services),
        *site_mistakes(county, question.sites),
        *language_mistakes(county, question.language),
    ]


def _days(county: County, question: Question, now: datetime) -> list[date]:
    """The days asked for, as far as they can be booked; no more than `LONGEST_RANGE` after the first."""
    today = zones.local_day(now, county.settings.zone)
    first = max(question.first or today, today)
    bookable = today + timedelta(days=_horizon(county, question))
    last = min(question.last or bookable, bookable)
    number = min((last - first).days, LONGEST_RANGE) + 1
    return [first + timedelta(days=n) for n in range(number)]


def _horizon(county: County, question: Question) -> int:
    """How many days ahead all the services can be booked."""
    return min(s.horizon_days for s in county.services if s.code in question.services)


def _closures(
    county: County, question: Question, ways: Iterable[Way], days: Sequence[date]
) -> Iterator[Closure]:
    """The closures that take away days that were asked for."""
    if not days:
        return
    calendar = calendar_of(county, days[0], days[-1])
    units = {service.unit for service in county.services if service.code in question.services}
    closed = {
        obstacle.detail
        for day in days
        for way in ways
        for unit in units
        for site in (calendar.phone_sites(unit) if way.site is None else (way.site,))
        if (obstacle := calendar.hours(unit, site, way.mode, Access.APPOINTMENT, day).obstacle)
        and obstacle.kind is ObstacleKind.CLOSED
    }
    yield from (closure for closure in county.closures if closure.code in closed)


@reading
def offers_tag(session: Session, *, question: Question, now: datetime) -> str:
    """A text that is another one whenever the answer to the question may be: cheap, for caches.

    Raises Rejected like `offers`.
    """
    county = read_county(session)
    _refuse(county, question)
    days = _days(county, question, now)
    versions = day_versions(session, days)
    keys = [key_of(county, day, versions[day], question.audience, now) for day in days]
    minute = now.replace(second=0, microsecond=0)
    return hashlib.sha256(repr((read_revision(session), question, keys, minute)).encode()).hexdigest()
