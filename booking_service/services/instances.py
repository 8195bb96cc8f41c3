"""From the county, the promises and the requests to an instance of the planner.

Pure: nothing is read or written here. A visit of the planner is the whole time that a specialist is
busy, preparation and follow-up included; windows are widened by as much, so that the talk itself stays
within the hours. Several services with one specialist are one visit that needs all their skills
(`A+B`); where nobody has them all they are a chain of visits, back to back.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import routing
from booking_service.domain import zones
from booking_service.domain.county import Bookable, Mode
from booking_service.services.calendar import bookable_spans, is_working_day
from booking_service.services.publication import first_unpublished

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import date, datetime

    from booking_service.domain.county import Contingent, County
    from booking_service.domain.opening import Calendar
    from booking_service.store.plan import Promised, Waiting

PINNED = "pinned:"


@dataclass(frozen=True, slots=True)
class Length:
    """Minutes of a visit: before, with and after the citizen."""

    preparation: int
    minutes: int
    follow_up: int

    @property
    def busy(self) -> int:
        """All of them."""
        return self.preparation + self.minutes + self.follow_up


@dataclass(frozen=True, slots=True)
class Part:
    """What a visit of the planner stands for: some services of a request, and their lengths by mode."""

    request_id: int
    position: int
    services: tuple[str, ...]
    lengths: Mapping[Mode, Length]


@dataclass(frozen=True, slots=True)
class Draft:
    """An instance, and what its days and visits stand for."""

    instance: routing.Instance
    days: tuple[date, ...]
    parts: Mapping[str, Part]
    promised: Mapping[str, Promised]


def witness(county: County, calendar: Calendar, promised: Sequence[Promised], days: Sequence[date]) -> Draft:
    """An instance of the promises alone, each with its holder."""
    return _Builder(county, calendar, promised, days).draft()


def day_to_improve(
    county: County,
    calendar: Calendar,
    promised: Sequence[Promised],
    day: date,
    kept_free: Iterable[Contingent],
) -> Draft:
    """An instance of one day: its promises, each with its holder, and what is kept free for emergencies.

    Somebody kept free is a promise by phone that nobody holds yet.
    """
    builder = _Builder(county, calendar, promised, [day])
    builder.keep_free(day, kept_free)
    return builder.draft()


def plan_as_held(draft: Draft) -> routing.Plan:
    """The promises of a draft, each kept by its holder."""
    index = {day: position for position, day in enumerate(draft.days)}
    visits = draft.instance.visits
    lines = [
        routing.Assignment(name, p.specialist, index[p.day], told.start, told.mode, told.site)
        for name, p in draft.promised.items()
        if (told := visits[name].promise)
    ]
    return routing.Plan(draft.instance.name, tuple(lines))


def open_problem(
    county: County,
    calendar: Calendar,
    promised: Sequence[Promised],
    waiting: Sequence[Waiting],
    kept_free: Callable[[date], Iterable[Contingent]],
    now: datetime,
) -> Draft:
    """An instance of the promises and of what waits, from today to the county's horizon.

    Promises of published days keep their specialist. What `kept_free` says of a day is a promise, too.
    """
    rules = county.settings.planning
    today = zones.local_day(now, county.settings.zone)
    horizon = today + timedelta(days=rules.horizon_days)
    days = days_of(county, calendar, promised, today, horizon)
    first = _first_day(days, rules.lead_days, today, horizon)
    builder = _Builder(county, calendar, promised, days)
    builder.pin_before(first_unpublished(county, today))
    for day in days:
        builder.keep_free(day, kept_free(day))
    for request in waiting:
        builder.add(request, first, now)
    return builder.draft()


def days_of(
    county: County, calendar: Calendar, promised: Iterable[Promised], first: date, last: date
) -> list[date]:
    """The days between two dates on which somebody works or something is promised."""
    used = {promise.day for promise in promised}
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [day for day in days if day in used or is_working_day(county, calendar, day)]


def _first_day(days: Sequence[date], lead_days: int, today: date, horizon: date) -> date:
    """The first day that may be planned: `lead_days` working days after today."""
    later = [day for day in days if day > today][lead_days - 1 :] if lead_days else [today]
    return later[0] if later else horizon + timedelta(days=1)


class _Builder:
    def __init__(
        self, county: County, calendar: Calendar, promised: Sequence[Promised], days: Sequence[date]
    ) -> None:
        self.county = county
        self.calendar = calendar
        self.days = tuple(days)
        self.index = {day: position for position, day in enumerate(self.days)}
        self.services = {service.code: service for service in county.services}
        self.lengths = {
            (v.service, v.mode): Length(v.preparation, v.minutes, v.follow_up) for v in county.variants
        }
        self.promised = {f"v{promise.visit_id}": promise for promise in promised}
        self.parts: dict[str, Part] = {}
        self.visits = {name: self._promised_visit(name, p) for name, p in self.promised.items()}
        self.chains: list[tuple[str, ...]] = []
        self.pinned: dict[str, set[str]] = {}

    def draft(self) -> Draft:
        instance = routing.Instance(
            name=f"{self.county.settings.code} {self.days[0] if self.days else '-'}",
            tick=self._tick(),
            days=tuple(day.isoformat() for day in self.days),
            rooms=self._rooms(),
            travel=self._travel(),
            specialists={s.id: s for s in self._specialists()},
            visits=self.visits,
            weights=self._weights(),
            chains=tuple(self.chains),
        )
        return Draft(instance, self.days, self.parts, self.promised)

    def _weights(self) -> routing.Weights:
        """The county's prices; no number of requests may ever outweigh one promise."""
        rules = self.county.settings.planning
        unserved = {1: rules.unserved_normal, 2: rules.unserved_soon, 3: rules.unserved_urgent}
        all_requests = sum(unserved[self.visits[name].priority] for name in self.parts)
        return routing.Weights(
            unserved=unserved,
            lost_promise=max(rules.lost_promise, all_requests + 1),
            wait_day=rules.wait_day,
            wish=rules.wish,
            change=rules.change,
            travel_minute=rules.travel_minute,
        )

    # --- Promises

    def _promised_visit(self, name: str, promise: Promised) -> routing.Visit:
        zone = self.county.settings.zone
        start = zones.minute_of(promise.busy_from, promise.day, zone)
        return routing.Visit(
            id=name,
            skill=joint_skill(promise.services),
            language=promise.language,
            minutes=zones.minute_of(promise.busy_until, promise.day, zone) - start,
            priority=1,
            release=0,
            options=(),
            windows=(),
            wish=promise.wish,
            promise=routing.Promise(self.index[promise.day], start, promise.mode.value, promise.site),
            holder=promise.specialist,
        )

    def pin_before(self, first: date) -> None:
        """Promises before `first` keep their specialist: they need a skill that she alone has."""
        for name, promise in self.promised.items():
            if promise.day < first:
                skill = f"{PINNED}{name}"
                self.pinned.setdefault(promise.specialist, set()).add(skill)
                self.visits[name] = replace(self.visits[name], skill=skill)

    def keep_free(self, day: date, contingents: Iterable[Contingent]) -> None:
        """Somebody is to be kept free for each of them: a promise by phone that nobody holds yet."""
        for number, contingent in enumerate(contingents):
            name = f"c{self.index[day]}.{number}"
            self.visits[name] = routing.Visit(
                id=name,
                skill=joint_skill([contingent.service]),
                language=None,
                minutes=contingent.end - contingent.begin,
                priority=1,
                release=0,
                options=(),
                windows=(),
                promise=routing.Promise(self.index[day], contingent.begin, Mode.PHONE.value, None),
            )

    # --- Requests

    def add(self, request: Waiting, first: date, now: datetime) -> None:
        """One visit for the request, or a chain of visits where nobody can do it all."""
        groups = self._groups(request)
        names = []
        for position, services in enumerate(groups):
            name = f"r{request.request_id}" + (f".{position}" if len(groups) > 1 else "")
            part = Part(request.request_id, position, services, dict(self._part_lengths(request, services)))
            self.parts[name] = part
            self.visits[name] = self._waiting_visit(name, part, request, first, now)
            names.append(name)
        if len(names) > 1:
            self.chains.append(tuple(names))

    def _groups(self, request: Waiting) -> list[tuple[str, ...]]:
        """One group where one specialist can do it all in the language, else each service alone."""
        able = (
            specialist
            for specialist in self.county.specialists
            if set(request.services) <= set(specialist.skills)
            and (request.language is None or request.language in specialist.languages)
            and set(request.modes) & set(specialist.modes)
        )
        if any(self.calendar.working_day(s.code, day) for s in able for day in self.days):
            return [request.services]
        return [(service,) for service in request.services]

    def _part_lengths(self, request: Waiting, services: Sequence[str]) -> Iterator[tuple[Mode, Length]]:
        for mode in request.modes:
            found = [self.lengths[s, mode] for s in services if (s, mode) in self.lengths]
            if len(found) == len(services):
                yield (
                    mode,
                    Length(
                        sum(f.preparation for f in found),
                        sum(f.minutes for f in found),
                        sum(f.follow_up for f in found),
                    ),
                )

    def _waiting_visit(
        self, name: str, part: Part, request: Waiting, first: date, now: datetime
    ) -> routing.Visit:
        if all(self.services[code].bookable is Bookable.SAME_DAY for code in request.services):
            first = min(self.days, default=first)
        return routing.Visit(
            id=name,
            skill=joint_skill(part.services),
            language=request.language,
            minutes=max((length.busy for length in part.lengths.values()), default=self._tick()),
            priority=request.urgency.priority,
            release=0,
            options=tuple(self._options(part, request, first, now)),
            windows=(),
            wish=request.wish,
        )

    def _options(self, part: Part, request: Waiting, first: date, now: datetime) -> Iterator[routing.Option]:
        dearer = self.county.settings.planning.later_choice
        for mode, length in part.lengths.items():
            sites = (None,) if mode is Mode.PHONE else request.sites
            for position, site in enumerate(sites):
                yield routing.Option(
                    mode=mode.value,
                    site=site,
                    penalty=dearer * (request.modes.index(mode) + position),
                    minutes=length.busy,
                    windows=tuple(self._windows(request, mode, site, length, first, now)),
                )

    def _windows(
        self, request: Waiting, mode: Mode, site: str | None, length: Length, first: date, now: datetime
    ) -> Iterator[routing.Window]:
        """The spans for the talk, widened by what the specialist does before and after it."""
        tick = self.county.settings.planning.tick_minutes
        zone = self.county.settings.zone
        for position, day in enumerate(self.days):
            if day < first:
                continue
            earliest = zones.minute_of(now, day, zone) + 1
            for span in bookable_spans(
                self.county, self.calendar, request.services, mode, site, day, request.windows
            ):
                begin = max(_up(span[0], tick) - length.preparation, _up(earliest, tick), 0)
                end = min(span[1] // tick * tick + length.follow_up, zones.MINUTES_A_DAY)
                if end - begin >= length.busy:
                    yield routing.Window(position, begin, end)

    # --- The county

    def _tick(self) -> int:
        """The county's tick, or a finer one where older promises do not lie on it."""
        times = [
            minute
            for visit in self.visits.values()
            if visit.promise
            for minute in (visit.promise.start, visit.minutes)
        ]
        return math.gcd(self.county.settings.planning.tick_minutes, *times)

    def _rooms(self) -> dict[str, tuple[routing.Rooms, ...]]:
        """Rooms are there all day: the hours of the units say when somebody may be met."""
        counts = {site.code: 0 for site in self.county.sites}
        for room in self.county.rooms:
            counts[room.site] += 1
        return {
            site: tuple(
                routing.Rooms(position, 0, zones.MINUTES_A_DAY, count) for position in range(len(self.days))
            )
            if count
            else ()
            for site, count in counts.items()
        }

    def _travel(self) -> dict[str, dict[str, int]]:
        travel = {site.code: {site.code: 0} for site in self.county.sites}
        for leg in self.county.travel:
            travel[leg.origin][leg.destination] = leg.minutes
        return travel

    def _specialists(self) -> Iterator[routing.Specialist]:
        wanted = {visit.skill for visit in self.visits.values()}
        for specialist in self.county.specialists:
            own = set(specialist.skills)
            skills = own | {skill for skill in wanted if set(skill.split("+")) <= own}
            yield routing.Specialist(
                id=specialist.code,
                base=specialist.base_site,
                skills=frozenset(skills | self.pinned.get(specialist.code, set())),
                languages=frozenset(specialist.languages),
                shifts=tuple(self._shifts(specialist.code)),
                max_travel=specialist.max_travel,
                modes=frozenset(mode.value for mode in specialist.modes),
            )

    def _shifts(self, specialist: str) -> Iterator[routing.Shift]:
        for position, day in enumerate(self.days):
            for span in self.calendar.working_day(specialist, day):
                yield routing.Shift(position, span.begin, span.end, span.breaks)


def joint_skill(services: Iterable[str]) -> str:
    """The planner's name for being able to do all of them."""
    return "+".join(sorted(services))


def _up(minute: int, tick: int) -> int:
    return -(-minute // tick) * tick
