"""From the county to a scenario of the simulation: what is known is taken over, demand is assumed.

A county knows its staff, hours, sites and services, but not how many people come: demand follows from two
assumptions (`Assumptions.visits` and `work`), which whoever asks can change here or in the file.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from functools import reduce
from typing import TYPE_CHECKING, Any, TypeAlias

from booking_service.domain import zones
from booking_service.domain.county import Access, Bookable, Competence, HandledBy, Mode, SiteKind
from booking_service.domain.mistakes import Mistake, Rejected
from booking_service.services.calendar import calendar_of
from routing.simulation.chart import chart
from routing.simulation.files import SIMULATION_FORMAT, parse_scenarios
from routing.simulation.report import Report, simulate_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import date

    from booking_service.domain.county import County, Hours, Service, Specialist, WorkingHours
    from booking_service.domain.opening import Calendar

Json: TypeAlias = dict[str, Any]
WEEKS = {1: "1st week", 2: "2nd week", 3: "3rd week", 4: "4th week"}
NO_CLOSURE = "no closure"
LINE = 120
LETTERS_PER_VISIT = 0.5


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What the county's folder does not say.

    `visits` is the share of the staff's time within the hours for appointments that visits take, `work` the
    share of all their time that visits and casework take together.
    """

    visits: float = 0.6
    work: float = 0.85


def scenario_of(
    county: County,
    *,
    first_day: date,
    days: int,
    warm_up: int,
    assumptions: Assumptions,
    closed_unit: str | None = None,
) -> Json:
    """The county as a `simulation/1` document, from the hours and staff that hold on the first day.

    With a unit there is a variant for a closure week of it in each week of the month. Raises Rejected for a
    unit that has no services that can be simulated.
    """
    builder = _Builder(county, first_day, days, assumptions)
    if closed_unit is not None and closed_unit not in builder.units:
        raise Rejected([Mistake("--closure-week", "unit_unknown", {"unit": closed_unit})])
    document = builder.document(warm_up)
    if closed_unit is not None:
        document["base"] = NO_CLOSURE
        document["variants"] = {
            name: {"closures": [{"unit": closed_unit, "week": week, "staff": "casework"}]}
            for week, name in WEEKS.items()
        }
    return document


def simulated(
    document: Json,
    *,
    runs: int,
    seed: int,
    processes: int = 1,
    progress: Callable[[str], None] | None = None,
) -> Report:
    """What comes of a document and its variants."""
    scenarios = parse_scenarios(json.dumps(document).encode())
    return simulate_all(scenarios, runs=runs, seed=seed, processes=processes, progress=progress)


def text_of(document: Json) -> str:
    """The document as a file: one line for each row, so that it can be read and edited."""
    return _laid_out(document, "") + "\n"


def picture_of(report: Report) -> str:
    """The weeks of a report as SVG."""
    return chart(report)


class _Builder:
    def __init__(self, county: County, first_day: date, days: int, assumptions: Assumptions) -> None:
        self.county, self.first_day, self.days, self.assumptions = county, first_day, days, assumptions
        self.last_day = first_day + timedelta(days=days)
        self.calendar: Calendar = calendar_of(county, first_day, self.last_day)
        self.staff = [s for s in county.specialists if s.valid_to is None or s.valid_to >= first_day]
        self.modes: dict[str, dict[Mode, Json]] = {}
        for one in county.variants:
            length = {"preparation": one.preparation, "minutes": one.minutes, "follow_up": one.follow_up}
            self.modes.setdefault(one.service, {})[one.mode] = length
        skills = {skill for specialist in self.staff for skill in specialist.skills}
        self.services = [
            s for s in county.services if _is_simulated(s) and s.code in skills & set(self.modes)
        ]
        self.units = {service.unit for service in self.services}

    def document(self, warm_up: int) -> Json:
        county = self.county
        days = (self.first_day + timedelta(days=n) for n in range(self.days + 1))
        casework = {unit: self._demand_of(unit) for unit in sorted(self.units)}
        return {
            "format": SIMULATION_FORMAT,
            "name": county.settings.name,
            "tick_minutes": county.settings.planning.tick_minutes,
            "first_day": self.first_day.isoformat(),
            "days": self.days,
            "warm_up": warm_up,
            "holidays": [day.isoformat() for day in days if self.calendar.day_off(day)],
            "seat": self._seat(),
            "sites": {
                site.code: {"rooms": sum(room.site == site.code for room in county.rooms)}
                for site in county.sites
            },
            "travel": self._legs("minutes", 0),
            "kilometres": self._legs("km", 0.0),
            "services": {s.code: self._service(s, casework[s.unit][1]) for s in self.services},
            "specialists": {s.code: self._specialist(s) for s in self.staff},
            "hours": list(self._hours()),
            "demand": self._demand({unit: visits for unit, (visits, _) in casework.items()}),
            "contingents": [
                {
                    "skill": one.service,
                    "weekday": one.weekday,
                    **_from_to(one.begin, one.end),
                    "release_hours": one.release_hours,
                }
                for one in county.contingents
                if one.mode is Mode.PHONE
            ],
            "planning": {
                "method": "greedy",
                "horizon_days": county.settings.planning.horizon_days,
                "wait_day": county.settings.planning.wait_day,
                "least_per_trip": county.settings.booking.least_per_trip,
            },
            "casework": {"shortest_gap": 30, "factors": [1.0, 1.1, 1.25]},
        }

    # --- What is known

    def _seat(self) -> str:
        """The headquarters, else the first site."""
        sites = sorted(self.county.sites, key=lambda site: site.kind is not SiteKind.HEADQUARTERS)
        return sites[0].code

    def _legs(self, what: str, none: float) -> dict[str, dict[str, float]]:
        legs: dict[str, dict[str, float]] = {site.code: {site.code: none} for site in self.county.sites}
        for leg in self.county.travel:
            legs[leg.origin][leg.destination] = getattr(leg, what)
        return legs

    def _service(self, service: Service, casework: int) -> Json:
        same_day = service.bookable is Bookable.SAME_DAY
        return {
            "unit": service.unit,
            "modes": {mode.value: length for mode, length in self.modes[service.code].items()},
            "casework": casework,
            "lead_hours": 0 if same_day else service.lead_hours,
            "horizon_days": service.horizon_days,
            "raster": service.raster,
            "urgent": same_day,
        }

    def _specialist(self, specialist: Specialist) -> Json:
        return {
            "unit": specialist.unit,
            "base": specialist.base_site,
            "skills": list(specialist.skills),
            "languages": list(specialist.languages),
            "modes": [mode.value for mode in specialist.modes],
            **({} if specialist.max_travel is None else {"max_travel": specialist.max_travel}),
            "week": [
                {
                    "weekday": row.weekday,
                    **_from_to(row.begin, row.end),
                    "breaks": [_from_to(*pause) for pause in row.breaks],
                }
                for row in self._week(specialist)
            ],
            "absences": list(self._absences(specialist)),
        }

    def _week(self, specialist: Specialist) -> list[WorkingHours]:
        rows = (row for row in self.county.working_hours if row.specialist == specialist.code)
        return [row for row in rows if self._holds(row)]

    def _holds(self, row: Hours | WorkingHours) -> bool:
        day = self.first_day
        return (row.valid_from or day) <= day <= (row.valid_to or day)

    def _absences(self, specialist: Specialist) -> Iterator[Json]:
        """Whole days of absence, and the time before she comes or after she has left."""
        one_day = timedelta(days=1)
        if specialist.valid_from and specialist.valid_from > self.first_day:
            yield _days(self.first_day, specialist.valid_from - one_day)
        if specialist.valid_to and specialist.valid_to < self.last_day:
            yield _days(specialist.valid_to + one_day, self.last_day)
        for absence in self.county.absences:
            first = (absence.begin + timedelta(hours=23, minutes=59)).date()
            last = absence.end.date() - one_day
            if absence.specialist == specialist.code and first <= last:
                yield _days(first, last)

    def _hours(self) -> Iterator[Json]:
        for row in self.county.hours:
            if row.unit in self.units and row.access is Access.APPOINTMENT and self._holds(row):
                site = {} if row.mode is Mode.PHONE else {"site": row.site}
                week = {} if row.week_of_month is None else {"week_of_month": row.week_of_month}
                yield {
                    "unit": row.unit,
                    "mode": row.mode.value,
                    **site,
                    "weekday": row.weekday,
                    **_from_to(row.begin, row.end),
                    **week,
                }

    # --- What is assumed

    def _demand(self, visits: Mapping[str, float]) -> Json:
        return {
            "flows": list(self._flows(visits)),
            "weekdays": [1, 1, 1, 1, 1, 0, 0],
            "month": [1, 1, 1, 1, 1],
            "flexible": 0.2,
            "urgent": 0.03,
            "languages": dict.fromkeys(self._foreign_languages(), 0.02),
            "modes": {"on_site": 0.75, "video": 0.05, "phone": 0.2},
            "any_mode": 0.3,
            "drive": {"0": 0.6, "30": 0.3, "60": 0.1},
            "minutes_a_day": 15,
            "half_days": 0.8,
            "patience_days": 28,
        }

    def _foreign_languages(self) -> list[str]:
        """Those spoken in every unit: who needs another one would be sent elsewhere, not wait."""
        spoken = [
            {language for s in self.staff if s.unit == unit for language in s.languages}
            for unit in sorted(self.units)
        ]
        return sorted(set.intersection(*spoken) - {"de"}) if spoken else []

    def _flows(self, visits: Mapping[str, float]) -> Iterator[Json]:
        """Each service of a unit as often as the others, by site as there are places near it."""
        homes = Counter(place.nearest_site for place in self.county.places) or Counter([self._seat()])
        for service in self.services:
            number = visits[service.unit] / sum(s.unit == service.unit for s in self.services)
            for site, places in sorted(homes.items()):
                per_week = round(number * places / homes.total(), 3)
                letters = round(per_week * LETTERS_PER_VISIT, 3)
                yield {
                    "service": service.code,
                    "site": site,
                    "per_week": per_week,
                    "letters_per_week": letters,
                }

    def _demand_of(self, unit: str) -> tuple[float, int]:
        """Visits a week, and minutes of casework that each visit and each letter leaves behind."""
        lengths = [
            sum(length.values()) / len(self.modes[service.code])
            for service in self.services
            if service.unit == unit
            for length in self.modes[service.code].values()
        ]
        busy = sum(lengths) / sum(service.unit == unit for service in self.services)
        spans = self._appointment_spans(unit)
        staff = [row for s in self.staff if s.unit == unit for row in self._week(s)]
        for_visits = self.assumptions.visits * sum(_shared(row, spans.get(row.weekday, [])) for row in staff)
        visits = for_visits / busy
        whole = self.assumptions.work * sum(_shared(row, [(0, zones.MINUTES_A_DAY)]) for row in staff)
        left = max(0.0, whole - for_visits)
        return visits, round(left / (visits * (1 + LETTERS_PER_VISIT))) if visits else 0

    def _appointment_spans(self, unit: str) -> dict[int, list[tuple[int, int]]]:
        """When the unit can be met anywhere, by weekday."""
        spans: dict[int, list[tuple[int, int]]] = {}
        for row in self.county.hours:
            if row.unit == unit and row.access is Access.APPOINTMENT and self._holds(row):
                spans.setdefault(row.weekday, []).append((row.begin, row.end))
        return {weekday: reduce(_join, sorted(found), []) for weekday, found in spans.items()}


def _laid_out(value: Any, margin: str) -> str:
    """As JSON: what fits on a line stays on one."""
    text = json.dumps(value, ensure_ascii=False)
    if len(text) + len(margin) <= LINE or not isinstance(value, (dict, list)) or not value:
        return text
    inner = f"{margin}  "
    if isinstance(value, dict):
        named = value.items()
        rows = [f"{json.dumps(name, ensure_ascii=False)}: {_laid_out(item, inner)}" for name, item in named]
    else:
        rows = [_laid_out(item, inner) for item in value]
    left, right = "{}" if isinstance(value, dict) else "[]"
    return f"{left}\n{inner}" + f",\n{inner}".join(rows) + f"\n{margin}{right}"


def _is_simulated(service: Service) -> bool:
    return (
        service.handled_by is HandledBy.SPECIALIST
        and service.competence is Competence.OWN
        and service.bookable in (Bookable.YES, Bookable.SAME_DAY)
    )


def _from_to(begin: int, end: int) -> Json:
    return {"from": f"{begin // 60:02}:{begin % 60:02}", "to": f"{end // 60:02}:{end % 60:02}"}


def _days(first: date, last: date) -> Json:
    return {"from": first.isoformat(), "to": last.isoformat()}


def _join(joined: list[tuple[int, int]], span: tuple[int, int]) -> list[tuple[int, int]]:
    if joined and span[0] <= joined[-1][1]:
        return [*joined[:-1], (joined[-1][0], max(joined[-1][1], span[1]))]
    return [*joined, span]


def _shared(row: WorkingHours, spans: Iterable[tuple[int, int]]) -> int:
    """Minutes of work within the spans, breaks taken out."""
    return sum(
        max(0, min(row.end, end) - max(row.begin, begin))
        - sum(max(0, min(last, end) - max(first, begin)) for first, last in row.breaks)
        for begin, end in spans
    )
