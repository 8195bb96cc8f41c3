"""Scenarios as files: `simulation/1`, JSON in UTF-8, gzip-compressed or not; see docs/simulation.md.

A file holds one scenario and any number of variants of it, each a JSON merge patch (RFC 7396). Every
mistake is named with its place, all at once; a key that the format does not name is one, since a misspelt
variant would else be a scenario without it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, cast

from routing.files import FileMistakes, parse_json, read_bytes
from routing.problem import MINUTES_A_DAY, MODES, Mode
from routing.simulation.scenario import (
    Casework,
    Clerk,
    ClosureWeek,
    Contingent,
    Demand,
    Flow,
    Hours,
    Length,
    Method,
    Planning,
    Scenario,
    Service,
    Staff,
    WorkSpan,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SIMULATION_FORMAT = "simulation/1"
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")
_NAMES: dict[type, str] = {dict: "an object", list: "a list", str: "a text"}
_LONGEST = 3660
_MOST = 100_000
_SHOWN = 40
_NOTHING: Any = object()


def read_scenarios(path: Path) -> dict[str, Scenario]:
    """The scenario of a file and its variants by name, the scenario itself first; raises FileMistakes."""
    return parse_scenarios(read_bytes(path))


def parse_scenarios(data: bytes) -> dict[str, Scenario]:
    """Likewise from the bytes of the file."""
    value, _, mistakes = parse_json(data)
    root = _Spot(value, "", mistakes)
    patches = {name: spot.value for name, spot in root.key("variants", {}).entries().items()}
    name = root.key("base", "base").text()
    if name in patches:
        root.key("base", "base").mistake(f"{_show(name)} is the name of a variant too")
    found = {name: _scenario(root)}
    known = set(mistakes)
    for variant, patch in patches.items():
        if not isinstance(patch, dict):
            mistakes.append(f"variants.{variant}: must be an object, not {_show(patch)}")
            continue
        changed = _Spot(merged(root.value, patch), "", [])
        found[variant] = _scenario(changed)
        mistakes += [f"variants.{variant}: {text}" for text in changed.mistakes if text not in known]
    if mistakes:
        raise FileMistakes(mistakes)
    return found


def merged(value: Any, patch: Any) -> Any:
    """A JSON value after a merge patch: objects are merged, null takes away, all else replaces."""
    if not isinstance(patch, dict):
        return patch
    result = dict(value) if isinstance(value, dict) else {}
    for name, change in patch.items():
        if change is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), change)
    return result


# --- A place in the file ----------------------------------------------------------------------------


@dataclass(slots=True)
class _Spot:
    """A value and its place; what is wrong with it goes on a list that all spots share.

    A read after a mistake answers something harmless, so that the rest of the file is still examined.
    """

    value: Any
    place: str
    mistakes: list[str]

    def mistake(self, text: str) -> None:
        """Note what is wrong here, once; nothing more is said of a value that is missing."""
        if self.value is not _NOTHING:
            self.mistakes.append(f"{self.place}: {text}" if self.place else text)
        self.value = _NOTHING

    def key(self, name: str, default: Any = _NOTHING) -> _Spot:
        """The value of an object's key; without a default it must be there."""
        inside = self.value if isinstance(self.value, dict) else {}
        child = _Spot(inside.get(name, default), self._below(name), self.mistakes)
        if child.value is _NOTHING and self._is(dict):
            self.mistakes.append(f"{child.place}: is missing")
        return child

    def only(self, *names: str) -> None:
        """Refuse all other keys."""
        if self._is(dict):
            for name in sorted(set(self.value) - set(names)):
                self.mistakes.append(f"{self._below(name)}: is no key of this format")

    def entries(self) -> dict[str, _Spot]:
        """What an object holds by name."""
        if not self._is(dict):
            return {}
        return {name: _Spot(value, self._below(name), self.mistakes) for name, value in self.value.items()}

    def items(self) -> list[_Spot]:
        """What a list holds."""
        if not self._is(list):
            return []
        return [_Spot(item, f"{self.place}[{n}]", self.mistakes) for n, item in enumerate(self.value)]

    def text(self) -> str:
        """The text that stands here."""
        return str(self.value) if self._is(str) else ""

    def one_of(self, known: Any, what: str) -> str:
        """A text that must be known."""
        text = self.text()
        if self.value is not _NOTHING and text not in known:
            self.mistake(f"{_show(text)} is no {what}")
        return text

    def integer(self, least: int = 0, most: int = _MOST) -> int:
        """The integer that stands here, in its range."""
        return int(self._number(int, least, most))

    def number(self, least: float = 0.0, most: float = _MOST) -> float:
        """The number that stands here, in its range."""
        return float(self._number(float, least, most))

    def _number(self, kind: type, least: float, most: float) -> float:
        right = type(self.value) in {int, kind}  # a bool is no number here
        if self.value is not _NOTHING and not (right and least <= self.value <= most):
            word = "an integer" if kind is int else "a number"
            self.mistake(f"must be {word} from {least:g} to {most:g}, not {_show(self.value)}")
        return least if self.value is _NOTHING else cast("float", self.value)

    def flag(self) -> bool:
        """True or false."""
        if self.value is not _NOTHING and not isinstance(self.value, bool):
            self.mistake(f"must be true or false, not {_show(self.value)}")
        return self.value is True

    def day(self) -> date:
        """A date such as 2027-01-04."""
        try:
            return date.fromisoformat(self.text() or "-")
        except ValueError:
            self.mistake(f"{_show(self.value)} is not a date such as 2027-01-04")
            return date(2000, 1, 1)

    def clock(self, tick: int) -> int:
        """A time of day such as 08:30, on the tick, in minutes."""
        text = self.text()
        if not _CLOCK.fullmatch(text):
            self.mistake(f"{_show(text)} is not a time such as 08:30")
            return 0
        minutes = 60 * int(text[:2]) + int(text[3:])
        if minutes % tick:
            self.mistake(f"{text} is not a multiple of {tick} minutes")
        return minutes

    def _below(self, name: str) -> str:
        return f"{self.place}.{name}" if self.place else name

    def _is(self, kind: type) -> bool:
        if not isinstance(self.value, kind):
            self.mistake(f"must be {_NAMES[kind]}, not {_show(self.value)}")
        return isinstance(self.value, kind)


def _show(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."


# --- The scenario -----------------------------------------------------------------------------------


def _scenario(root: _Spot) -> Scenario:
    root.only(
        *("format", "name", "base", "variants", "tick_minutes", "first_day", "days", "warm_up", "holidays"),
        *("seat", "km_per_minute", "served_within", "sites", "travel", "kilometres", "services"),
        *("specialists", "hours", "demand", "closures", "contingents", "planning", "casework"),
    )
    root.key("format").one_of({SIMULATION_FORMAT}, f"format known here, only {SIMULATION_FORMAT!r}")
    return _Reader(root).read()


class _Reader:
    def __init__(self, root: _Spot) -> None:
        self.root = root
        self.tick = root.key("tick_minutes", 5).integer(1, 60)
        if MINUTES_A_DAY % self.tick:
            root.key("tick_minutes").mistake(f"{self.tick} does not divide a day")
        self.sites = {name: self._rooms(spot) for name, spot in root.key("sites").entries().items()}
        self.units: set[str] = set()

    def read(self) -> Scenario:
        root, days = self.root, self.root.key("days").integer(1, _LONGEST)
        services = {name: self._service(name, s) for name, s in root.key("services").entries().items()}
        clerks = {name: self._clerk(s) for name, s in self._specialists().items()}
        self.units = {s.unit for s in services.values()} | {c.unit for c in clerks.values()}
        return Scenario(
            name=root.key("name").text(),
            tick=self.tick,
            first_day=root.key("first_day").day(),
            days=days,
            warm_up=root.key("warm_up", 0).integer(0, max(0, days - 1)),
            holidays=frozenset(day.day() for day in root.key("holidays", []).items()),
            seat=root.key("seat").one_of(self.sites, "site"),
            km_per_minute=root.key("km_per_minute", 1.0).number(0, 10),
            served_within=root.key("served_within", 14).integer(0, 366),
            sites=self.sites,
            travel=self._travel(root.key("travel")),
            kilometres=self._kilometres(root.key("kilometres", {})),
            services=services,
            specialists=clerks,
            hours=tuple(self._hours(row) for row in root.key("hours").items()),
            demand=self._demand(root.key("demand"), services),
            closures=tuple(self._closure(row) for row in root.key("closures", []).items()),
            contingents=tuple(self._contingent(row) for row in root.key("contingents", []).items()),
            planning=self._planning(root.key("planning", {})),
            casework=self._casework(root.key("casework", {})),
        )

    def _rooms(self, spot: _Spot) -> int:
        spot.only("rooms")
        return spot.key("rooms").integer(0, 1_000)

    def _travel(self, spot: _Spot) -> dict[str, dict[str, int]]:
        spot.only(*self.sites)
        rows = {a: spot.key(a) for a in self.sites}
        found = {a: {b: row.key(b).integer(0, MINUTES_A_DAY) for b in self.sites} for a, row in rows.items()}
        for site, row in rows.items():
            row.only(*self.sites)
            if found[site][site]:
                row.key(site).mistake("must be 0 from a site to itself")
        return found

    def _kilometres(self, spot: _Spot) -> dict[str, dict[str, float]]:
        spot.only(*self.sites)
        for row in spot.entries().values():
            row.only(*self.sites)
        return {
            origin: {target: km.number() for target, km in row.entries().items()}
            for origin, row in spot.entries().items()
        }

    # --- Services and staff

    def _service(self, name: str, spot: _Spot) -> Service:
        spot.only("unit", "skill", "modes", "casework", "lead_hours", "horizon_days", "raster", "urgent")
        lengths = spot.key("modes").entries()
        for mode, length in lengths.items():
            if mode not in MODES:
                length.mistake(f"{_show(mode)} is no mode")
        return Service(
            unit=spot.key("unit").text(),
            skill=spot.key("skill", name).text(),
            lengths={cast("Mode", mode): self._length(length) for mode, length in lengths.items()},
            casework=spot.key("casework", 0).integer(),
            lead_hours=spot.key("lead_hours", 24).integer(0, 2_000),
            horizon_days=spot.key("horizon_days", 60).integer(0, 366),
            raster=spot.key("raster", self.tick).integer(1, MINUTES_A_DAY),
            urgent=spot.key("urgent", False).flag(),
        )

    def _length(self, spot: _Spot) -> Length:
        spot.only("preparation", "minutes", "follow_up")
        length = Length(
            spot.key("preparation", 0).integer(0, MINUTES_A_DAY),
            spot.key("minutes").integer(1, MINUTES_A_DAY),
            spot.key("follow_up", 0).integer(0, MINUTES_A_DAY),
        )
        if length.busy % self.tick or length.preparation % self.tick:
            spot.mistake(f"preparation and the whole must be multiples of {self.tick} minutes")
        return length

    def _specialists(self) -> dict[str, _Spot]:
        """Each by name, with what she has from the one whom she is like."""
        spots = self.root.key("specialists").entries()
        plain = {name: spot.value for name, spot in spots.items()}
        for spot in spots.values():
            if isinstance(spot.value, dict) and "like" in spot.value:
                model = plain.get(spot.key("like").one_of(plain, "specialist"))
                if isinstance(model, dict) and "like" in model:
                    spot.key("like").mistake("that specialist is like another one herself")
                own = {key: value for key, value in spot.value.items() if key != "like"}
                spot.value = merged(model or {}, own)
        return spots

    def _clerk(self, spot: _Spot) -> Clerk:
        spot.only("unit", "base", "skills", "languages", "modes", "max_travel", "week", "absences")
        limit, modes = spot.key("max_travel", None), spot.key("modes", list(MODES)).items()
        return Clerk(
            unit=spot.key("unit").text(),
            base=spot.key("base").one_of(self.sites, "site"),
            skills=frozenset(skill.text() for skill in spot.key("skills").items()),
            languages=frozenset(language.text() for language in spot.key("languages", []).items()),
            modes=frozenset(cast("Mode", mode.one_of(MODES, "mode")) for mode in modes),
            max_travel=None if limit.value is None else limit.integer(0, MINUTES_A_DAY),
            week=self._week(spot.key("week")),
            absences=tuple(self._absence(row) for row in spot.key("absences", []).items()),
        )

    def _week(self, spot: _Spot) -> tuple[WorkSpan, ...]:
        rows = spot.items()
        week = [self._work(row) for row in rows]
        for n, row in enumerate(rows):
            if any(_overlap(week[n], week[k]) for k in range(n)):
                row.mistake("overlaps another stretch of that weekday")
        return tuple(sorted(week, key=lambda work: (work.weekday, work.begin)))

    def _work(self, row: _Spot) -> WorkSpan:
        row.only("weekday", "from", "to", "breaks")
        weekday, (begin, end) = row.key("weekday").integer(1, 7), self._span(row)
        pauses, breaks, last = row.key("breaks", []).items(), [], begin
        for pause in pauses:
            pause.only("from", "to")
            one = self._span(pause)
            if not last <= one[0] or one[1] > end:
                pause.mistake("must lie inside, after the one before")
            last = one[1]
            breaks.append(one)
        return WorkSpan(weekday, begin, end, tuple(breaks))

    def _span(self, row: _Spot) -> tuple[int, int]:
        known = len(self.root.mistakes)
        begin, end = row.key("from").clock(self.tick), row.key("to").clock(self.tick)
        if begin >= end and len(self.root.mistakes) == known:
            row.mistake("must end after it begins")
        return begin, end

    def _absence(self, row: _Spot) -> tuple[date, date]:
        row.only("from", "to")
        first, last = row.key("from").day(), row.key("to").day()
        if last < first:
            row.mistake("must not end before it begins")
        return first, last

    def _hours(self, row: _Spot) -> Hours:
        row.only("unit", "mode", "site", "weekday", "from", "to", "week_of_month")
        mode, week = row.key("mode").one_of(MODES, "mode"), row.key("week_of_month", None)
        by_phone = mode == "phone"
        if by_phone and row.key("site", None).value is not None:
            row.mistake("by phone there is no site")
        return Hours(
            self._unit(row.key("unit")),
            cast("Mode", mode),
            None if by_phone else row.key("site").one_of(self.sites, "site"),
            row.key("weekday").integer(1, 7),
            *self._span(row),
            None if week.value is None else week.integer(1, 5),
        )

    def _unit(self, spot: _Spot) -> str:
        return spot.one_of(self.units, "unit of a service or a specialist")

    # --- Demand and policies

    def _demand(self, spot: _Spot, services: Mapping[str, Service]) -> Demand:
        spot.only(
            *("flows", "weekdays", "month", "flexible", "urgent", "languages", "modes", "any_mode"),
            *("drive", "minutes_a_day", "half_days", "patience_days"),
        )
        flexible, urgent = (spot.key(name, 0).number(0, 1) for name in ("flexible", "urgent"))
        if flexible + urgent > 1:
            spot.key("flexible", 0).mistake("flexible and urgent are more than everybody together")
        return Demand(
            flows=tuple(self._flow(row, services) for row in spot.key("flows").items()),
            weekdays=_weights(spot.key("weekdays", [1, 1, 1, 1, 1, 0, 0]), 7),
            month=_weights(spot.key("month", [1, 1, 1, 1, 1]), 5),
            flexible=flexible,
            urgent=urgent,
            languages=_shares(spot.key("languages", {}), whole=False),
            modes=cast("Mapping[Mode, float]", _shares(spot.key("modes", {"on_site": 1}), MODES)),
            any_mode=spot.key("any_mode", 0).number(0, 1),
            drive=_drive(spot.key("drive", {"0": 1})),
            minutes_a_day=spot.key("minutes_a_day", 15).integer(1, 1_000),
            half_days=spot.key("half_days", 1).number(0, 1),
            patience_days=spot.key("patience_days", 28).integer(0, 366),
        )

    def _flow(self, row: _Spot, services: Mapping[str, Service]) -> Flow:
        row.only("service", "site", "per_week", "letters_per_week")
        return Flow(
            row.key("service").one_of(services, "service"),
            row.key("site").one_of(self.sites, "site"),
            row.key("per_week").number(0, 10_000),
            row.key("letters_per_week", 0).number(0, 10_000),
        )

    def _closure(self, row: _Spot) -> ClosureWeek:
        row.only("unit", "week", "every", "staff", "urgent")
        return ClosureWeek(
            self._unit(row.key("unit")),
            row.key("week").integer(1, 5),
            row.key("every", 1).integer(1, 12),
            cast("Staff", row.key("staff", "casework").one_of({"casework", "away"}, "way to spend it")),
            row.key("urgent", True).flag(),
        )

    def _contingent(self, row: _Spot) -> Contingent:
        row.only("skill", "weekday", "from", "to", "release_hours")
        return Contingent(
            row.key("skill").text(),
            row.key("weekday").integer(1, 7),
            *self._span(row),
            release_hours=row.key("release_hours", 2).integer(0, 10_000),
        )

    def _planning(self, spot: _Spot) -> Planning:
        spot.only("method", "seconds", "horizon_days", "working_days", "wait_day", "least_per_trip")
        return Planning(
            method=cast("Method", spot.key("method", "greedy").one_of({"greedy", "solve"}, "method")),
            seconds=spot.key("seconds", 2).number(0.1, 3_600),
            horizon_days=spot.key("horizon_days", 28).integer(1, 366),
            working_days=spot.key("working_days", 5).integer(1, 100),
            wait_day=spot.key("wait_day", 10).integer(0, 10_000),
            least_per_trip=spot.key("least_per_trip", 1).integer(1, 100),
        )

    def _casework(self, spot: _Spot) -> Casework:
        spot.only("shortest_gap", "factors", "at_start")
        factors = tuple(factor.number(0, 100) for factor in spot.key("factors", [1.0, 1.1, 1.25]).items())
        if not factors or len(set(factors)) < len(factors):
            spot.key("factors", []).mistake("must be at least one number, none of them twice")
        backlog = spot.key("at_start", {})
        backlog.only(*self.units)
        return Casework(
            spot.key("shortest_gap", 30).integer(0, MINUTES_A_DAY),
            factors or (1.0,),
            {unit: minutes.integer(0, 10_000_000) for unit, minutes in backlog.entries().items()},
        )


def _overlap(one: WorkSpan, other: WorkSpan) -> bool:
    return one.weekday == other.weekday and one.begin < other.end and other.begin < one.end


def _weights(spot: _Spot, number: int) -> tuple[float, ...]:
    weights = tuple(item.number(0, 1_000) for item in spot.items())
    if len(weights) != number or not any(weights[:4]):
        spot.mistake(f"must be {number} weights, not all of the first four 0")
        return (1.0,) * number
    return weights


def _shares(spot: _Spot, known: Any = None, *, whole: bool = True) -> dict[str, float]:
    """Shares by name, of everybody together or of some of them."""
    shares = {name: share.number(0, 1) for name, share in spot.entries().items()}
    if known is not None:
        spot.only(*known)
    total = sum(shares.values())
    if total > 1 + 1e-9 or (whole and total < 1 - 1e-9):
        spot.mistake(f"the shares make {total:g}, not {'1' if whole else 'at most 1'}")
    return shares


def _drive(spot: _Spot) -> dict[int, float]:
    """Shares by minutes."""
    for name in spot.entries():
        if not name.isdecimal() or len(name) > 4:
            spot.mistake(f"{_show(name)} is not a number of minutes")
            return {0: 1.0}
    return {int(name): share for name, share in _shares(spot).items()}
