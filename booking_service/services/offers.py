"""Offers: every start that can be promised, for services, sites, modes, a language and a range of days.

What is offered is backed by a feasible plan of the whole day (`witnesses`). Respected are the hours of the
units at the sites, the raster, lead time and horizon of the services, closures and holidays; citizens see
less than the desk, which needs no lead time and sees the contingents.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

import routing
from booking_service.domain import zones
from booking_service.domain.county import Access, Mode
from booking_service.domain.mistakes import Mistake, Rejected
from booking_service.domain.opening import ObstacleKind
from booking_service.services.calendar import bookable_spans, calendar_of
from booking_service.services.county import current_county
from booking_service.services.instances import Length
from booking_service.services.references import language_mistakes, service_mistakes, site_mistakes
from booking_service.services.regions import nearness
from booking_service.services.witnesses import Audience, CountyChanged, DayView, Slot, memory_of, slots_of
from booking_service.store.county import known_county
from booking_service.store.plan import Standing, standing

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from booking_service.domain.county import Closure, County, Service

LONGEST_RANGE = 62
FARTHEST = timedelta(days=3_660)
"""Nothing can be booked so far ahead."""
MOST_LOOKS = 3
MINUTES = tuple(range(zones.MINUTES_A_DAY + 1))
"""Each minute once in memory: thousands of starts are remembered."""


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


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """One way of having the services: where, how, and how long each takes a specialist.

    There is one object for each way, so that days remember by it what they offer.
    """

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
    """What is offered, day by day (days without are left out); `minutes` is the longest talk.

    `by_road` are the estimated minutes to each site, where it was said from where.
    """

    minutes: int
    zone: str
    days: tuple[tuple[date, tuple[WayOffers, ...]], ...]
    closures: tuple[Closure, ...]
    by_road: Mapping[str, int]

    def earliest(self) -> tuple[date, WayOffers] | None:
        """The first start of all."""
        for day, ways in self.days:
            return day, min(ways, key=lambda one: one.starts[0])
        return None


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A question at a moment, `near` a place, with all that its answer depends on.

    `seen` are the versions of the days, and starts must lie after `cut`, in local time.
    """

    question: Question
    near: str | None
    now: datetime
    county: County
    revision: str
    seen: Mapping[Slot, int]
    cut: datetime

    @property
    def tag(self) -> Hashable:
        """The same for two inquiries only if they have the same answer."""
        asked = replace(self.question, first=None, last=None)
        raster = _raster(_services(self.county, self.question.services))
        cut = self.cut.date(), _minute(self.cut) // raster
        return self.revision, asked, self.near, tuple(self.seen.items()), cut


def inquire(*, question: Question, now: datetime, near: str | None = None) -> Inquiry:
    """See how things stand, at the price of one small query.

    Raises Rejected for a question that means nothing and for a place that is unknown or ambiguous.
    """
    today = now.date() - timedelta(days=1)  # it may still be yesterday there
    first = min(max(question.first or today, today), today + FARTHEST)
    county, stands = county_and_days(first, first + timedelta(days=LONGEST_RANGE + 2))
    if near is not None:
        nearness(county, near)
    _refuse(county, question)
    slots = slots_of(county, _days(county, question, now), question.audience, now)
    seen = {slot: stands.versions.get(slot.day, 0) for slot in slots}
    return Inquiry(question, near, now, county, stands.revision, seen, _cut(county, question, now))


def county_and_days(first: date, last: date) -> tuple[County, Standing]:
    """The county and the versions of the days, as they are at one moment. Raises NoCounty."""
    for _ in range(MOST_LOOKS):
        stands = standing(first=first, last=last)
        county = known_county(stands.revision)
        if county is not None:
            return county, stands
        current_county()
    raise CountyChanged


def offers(*, question: Question, now: datetime) -> Offers:
    """Every start that can be promised. Raises Rejected for a question that means nothing."""
    return answer(inquire(question=question, now=now))


def answer(inquiry: Inquiry) -> Offers:
    """Every start that can be promised, as things stand now if they have changed since the inquiry.

    Raises Rejected where the county has changed so that the question means nothing any more.
    """
    for _ in range(MOST_LOOKS):
        try:
            return _answer(inquiry)
        except CountyChanged:
            inquiry = inquire(question=inquiry.question, now=inquiry.now, near=inquiry.near)
    return _answer(inquiry)


def _answer(inquiry: Inquiry) -> Offers:
    county, question = inquiry.county, inquiry.question
    views = memory_of(county).views(inquiry.seen, inquiry.revision)
    ways = ways_of(county, question)
    found = []
    for slot in inquiry.seen:
        view = views[slot].view
        if view is not None:
            here = tuple(_on_day(inquiry, ways, slot.day, view))
            if here:
                found.append((slot.day, here))
    return Offers(
        minutes=max((way.minutes for way in ways), default=0),
        zone=county.settings.zone,
        days=tuple(found),
        closures=_closures(county, question.services, ways, tuple(slot.day for slot in inquiry.seen)),
        by_road={} if inquiry.near is None else nearness(county, inquiry.near).minutes,
    )


def ways_of(county: County, question: Question) -> tuple[Way, ...]:
    """All ways of having the services together, in the order of the question, else of the county."""
    ways = _all_ways(county, question.services, question.language)
    sites = question.sites or tuple(site.code for site in county.sites)
    wanted = (
        (mode, site)
        for mode in question.modes or tuple(Mode)
        for site in ((None,) if mode is Mode.PHONE else sites)
    )
    return tuple(ways[place] for place in wanted if place in ways)


@lru_cache(maxsize=1_000)
def _all_ways(
    county: County, services: tuple[str, ...], language: str | None
) -> Mapping[tuple[Mode, str | None], Way]:
    lengths = {(v.service, v.mode): Length(v.preparation, v.minutes, v.follow_up) for v in county.variants}
    ways = {}
    for mode in Mode:
        found = [lengths.get((code, mode)) for code in services]
        known = tuple(length for length in found if length is not None)
        if len(known) == len(found):
            for site in (None,) if mode is Mode.PHONE else [site.code for site in county.sites]:
                asks = (
                    routing.Ask(code, language, mode.value, site, length.busy)
                    for code, length in zip(services, known, strict=True)
                )
                ways[mode, site] = Way(mode, site, known, tuple(asks))
    return ways


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
    raster = _raster(_services(county, question.services))
    return [Mistake("/start", code, {"minutes": raster})] if code else []


def _why_never(county: County, question: Question, way: Way, start: datetime, now: datetime) -> str | None:
    if start <= now:
        return "start_past"
    if start - now > timedelta(days=_horizon(county, question) + 1):
        return "start_too_far"  # before it is turned into local time, which has no year 10000
    day = zones.local_day(start, county.settings.zone)
    minute = zones.minute_of(start, day, county.settings.zone)
    if day not in _days(county, replace(question, first=day, last=day), now):
        return "start_too_far"
    if start.second or start.microsecond or minute % _raster(_services(county, question.services)):
        return "start_off_raster"
    late = zones.to_local(start, county.settings.zone) > _cut(county, question, now)
    return None if late and minute in _rastered(county, way, day) else "start_not_offered"


def _cut(county: County, question: Question, now: datetime) -> datetime:
    """What starts must lie after, in local time: citizens come no sooner than the services can prepare."""
    services = _services(county, question.services)
    lead = max(service.lead_hours for service in services) if question.audience is Audience.PUBLIC else 0
    return zones.to_local(now + timedelta(hours=lead), county.settings.zone)


@lru_cache(maxsize=2_000)
def _services(county: County, codes: tuple[str, ...]) -> tuple[Service, ...]:
    return tuple(service for service in county.services if service.code in codes)


def _raster(services: Iterable[Service]) -> int:
    return math.lcm(*(service.raster for service in services))


@lru_cache(maxsize=100_000)
def _rastered(county: County, way: Way, day: date) -> tuple[int, ...]:
    """The starts on the raster of the services and within the hours, whatever is promised."""
    calendar = calendar_of(county, day, day)
    codes = tuple(ask.skill for ask in way.asks)
    raster = _raster(_services(county, codes))
    return tuple(
        minute
        for begin, end in bookable_spans(county, calendar, codes, way.mode, way.site, day, ())
        for minute in range(-(-begin // raster) * raster, end - way.minutes + 1, raster)
    )


@lru_cache(maxsize=100_000)
def _wanted(county: County, way: Way, day: date, tick: int) -> int:
    """The same as the planner asks for it: when the specialist begins to prepare, as a mask over ticks."""
    begins = (minute - way.preparation for minute in _rastered(county, way, day))
    return sum(1 << begin // tick for begin in begins if begin >= 0 and begin % tick == 0)


@lru_cache(maxsize=20_000)
def _minutes(mask: int, tick: int, preparation: int) -> tuple[int, ...]:
    """When the talks begin; the same few lists on most days, so that they are kept once."""
    return tuple(MINUTES[tick * bit + preparation] for bit in range(mask.bit_length()) if mask >> bit & 1)


def _on_day(inquiry: Inquiry, ways: Sequence[Way], day: date, view: DayView) -> Iterator[WayOffers]:
    cut = inquiry.cut.date()
    for way in ways:
        offered = view.remembered.get(way)
        if offered is None:
            offered = view.remembered[way] = _of_way(inquiry.county, way, day, view.witness)
        if day <= cut:
            last = _minute(inquiry.cut) if day == cut else zones.MINUTES_A_DAY
            offered = replace(offered, starts=tuple(start for start in offered.starts if start > last))
        if offered.starts:
            yield offered


def _minute(local: datetime) -> int:
    return 60 * local.hour + local.minute


def _of_way(county: County, way: Way, day: date, witness: routing.DayWitness) -> WayOffers:
    tick = witness.workday.tick
    wanted = _wanted(county, way, day, tick)
    starts = _minutes(witness.starts(way.asks, wanted), tick, way.preparation) if wanted else ()
    return WayOffers(way.site, way.mode, way.minutes, starts)


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
    return min(service.horizon_days for service in _services(county, question.services))


def _closures(
    county: County, services: tuple[str, ...], ways: tuple[Way, ...], days: tuple[date, ...]
) -> tuple[Closure, ...]:
    """The closures that take away days that were asked for."""
    if not days or not any(c.begin <= days[-1] and days[0] <= c.end for c in county.closures):
        return ()
    return _closures_among(county, services, ways, days)


@lru_cache(maxsize=2_000)
def _closures_among(
    county: County, services: tuple[str, ...], ways: tuple[Way, ...], days: tuple[date, ...]
) -> tuple[Closure, ...]:
    calendar = calendar_of(county, days[0], days[-1])
    units = {service.unit for service in _services(county, services)}
    closed = {
        obstacle.detail
        for day in days
        for way in ways
        for unit in units
        for site in (calendar.phone_sites(unit) if way.site is None else (way.site,))
        if (obstacle := calendar.hours(unit, site, way.mode, Access.APPOINTMENT, day).obstacle)
        and obstacle.kind is ObstacleKind.CLOSED
    }
    return tuple(closure for closure in county.closures if closure.code in closed)
