"""Instances and plans as files: `plan-instance/1` and `plan/1`, JSON in UTF-8, gzip-compressed or not.

Reading accepts what the format allows and nothing else; every mistake is named with its place, all at once.
Keys that the format does not name are ignored. Writing gives the same bytes for the same value and refuses
what the format cannot say. This room does not judge a plan: that is `check`.
"""

from __future__ import annotations

import gzip
import io
import json
import math
import os
import tempfile
import zlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from routing.problem import (
    MINUTES_A_DAY,
    MODES,
    Assignment,
    Instance,
    Mode,
    Option,
    Plan,
    Promise,
    Rooms,
    Shift,
    Specialist,
    Visit,
    Weights,
    Window,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

INSTANCE_FORMAT = "plan-instance/1"
PLAN_FORMAT = "plan/1"
_GZIP_MAGIC = b"\x1f\x8b"
MOST_BYTES = 256 * 2**20
"""Of a file, uncompressed: ten times a city's month, read in a minute."""
MOST_VISITS = 100_000
_LARGEST = 10**100
"""No number is larger: sums and shares of larger ones could not be told any more."""
_NAMES = {dict: "an object", list: "a list", str: "a string", int: "an integer"}
_SHOWN = 40
_LONGEST_PLACE = 120


class FileMistakes(Exception):
    """A file that is not what the format demands; `mistakes` says where and why, one line each."""

    def __init__(self, mistakes: Iterable[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(self.mistakes))


def read_instance(path: str | Path) -> Instance:
    """Read a `plan-instance/1` file; raises `FileMistakes`."""
    return parse_instance(read_bytes(path))


def read_plan(path: str | Path, instance: Instance) -> Plan:
    """Read a `plan/1` file made for the instance; raises `FileMistakes`."""
    return parse_plan(read_bytes(path), instance)


def parse_instance(data: bytes) -> Instance:
    """Read an instance from the bytes of its file; raises `FileMistakes`."""
    root = _root(data)
    instance = _InstanceReader(root).read()
    root.raise_mistakes()
    return instance


def parse_plan(data: bytes, instance: Instance) -> Plan:
    """Read a plan for the instance from the bytes of its file; raises `FileMistakes`."""
    root = _root(data)
    _expect_format(root, PLAN_FORMAT)
    name = root.key("instance")
    if name.text() != instance.name and name.alive:
        name.mistake(f"the plan is for {_show(name.value)}, not for {_show(instance.name)}")
    plan = Plan(instance.name, tuple(_assignment(line) for line in root.key("visits").items()), _bound(root))
    root.raise_mistakes()
    return plan


def write_instance(instance: Instance, path: str | Path) -> None:
    """Write the instance; ValueError names what the format cannot say."""
    _refuse_unspeakable(instance)
    _write(_instance_as_json(instance), Path(path))


def write_plan(plan: Plan, path: str | Path) -> None:
    """Write the plan; readers see the old file or the new one, never half of it."""
    _write(_plan_as_json(plan), Path(path))


# --- A place in the file --------------------------------------------------------------------------


@dataclass(slots=True)
class _Node:
    """A value of the file and its place; what is wrong with it goes on the list that all nodes share.

    A read after a mistake answers something harmless, so that the rest of the file is still examined.
    """

    value: Any
    place: str
    mistakes: list[str]
    alive: bool = True

    def mistake(self, text: str) -> None:
        """Note what is wrong here."""
        if self.alive:
            self.mistakes.append(_at(self.place, text))
        self.alive = False

    def raise_mistakes(self) -> None:
        """Give up if anything was wrong anywhere."""
        if self.mistakes:
            raise FileMistakes(self.mistakes)

    def key(self, name: str) -> _Node:
        """The value of an object's key."""
        child = _Node(None, f"{self.place}.{name}" if self.place else name, self.mistakes, self.alive)
        if self._is(dict):
            if name in self.value:
                child.value = self.value[name]
            else:
                child.mistake("is missing")
        else:
            child.alive = False
        return child

    def items(self) -> list[_Node]:
        """The values of a list."""
        if not self._is(list):
            return []
        return [_Node(item, f"{self.place}[{i}]", self.mistakes) for i, item in enumerate(self.value)]

    def is_null(self) -> bool:
        """Whether null stands here."""
        return self.alive and self.value is None

    def text(self) -> str:
        """The string that stands here."""
        return self.value if self._is(str) else ""

    def number(self, least: int = 0, most: int | None = None) -> int:
        """The integer that stands here, if it lies in its range."""
        if not self._is(int):
            return least
        if not least <= self.value <= (_LARGEST if most is None else most):
            span = f"in {least} to {most}"
            if most is None:
                span = f"at least {least}" if self.value < least else "at most 10^100"
            self.mistake(f"{_show(self.value)} is not {span}")
            return least
        return cast("int", self.value)

    def _is(self, kind: type) -> bool:
        if self.alive and type(self.value) is not kind:  # a bool is no integer here
            self.mistake(f"must be {_NAMES[kind]}, not {_show(self.value)}")
        return self.alive


def _at(place: str, mistake: str) -> str:
    """A mistake after its place, which must not break the line either."""
    if not place.isprintable():
        place = json.dumps(place)[1:-1]
    if len(place) > _LONGEST_PLACE:
        place = f"{place[:_LONGEST_PLACE]}..."
    return f"{place}: {mistake}" if place else mistake


def _show(value: object) -> str:
    """A value as JSON, shortened: a mistake must stay one short line, whatever the file holds."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10**_SHOWN:
        return "a number of more than 40 digits"
    text = ""
    for piece in json.JSONEncoder().iterencode(value[: _SHOWN + 1] if isinstance(value, str) else value):
        text += piece
        if len(text) > _SHOWN:
            return f"{text[:_SHOWN]}..."
    return text


# --- From bytes to JSON ---------------------------------------------------------------------------


def read_bytes(path: str | Path) -> bytes:
    """What the file holds; raises `FileMistakes` where it cannot be read or is too large."""
    path = Path(path)
    try:
        if not path.is_file():
            raise FileMistakes([f"{path}: cannot be read" if path.exists() else f"{path}: no such file"])
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except (OSError, ValueError):  # a name may hold what no name of a file can
        raise FileMistakes([f"{path}: cannot be read"]) from None
    _refuse_large(data)
    return data


def _refuse_large(data: bytes) -> None:
    if len(data) > MOST_BYTES:
        raise FileMistakes([f"more than {MOST_BYTES // 2**20} MB, the most that is read"])


def _uncompressed(data: bytes) -> bytes:
    """The bytes of a gzip file, as far as they may be read."""
    with gzip.GzipFile(fileobj=io.BytesIO(data)) as file:
        return file.read(MOST_BYTES + 1)


def _root(data: bytes) -> _Node:
    return _Node(*parse_json(data))


def parse_json(data: bytes) -> tuple[Any, str, list[str]]:
    """The value of a JSON file, gzip-compressed or not, its place (the top) and keys that are given twice.

    Raises FileMistakes where it is no JSON in UTF-8, or too much of it.
    """
    repeated: list[tuple[dict[str, Any], str]] = []

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            counts = Counter(key for key, _ in pairs).items()
            repeated.extend(
                (found, f"key {_show(key)} is given {count} times in one object")
                for key, count in counts
                if count > 1
            )
        return found

    try:
        if data.startswith(_GZIP_MAGIC):
            data = _uncompressed(data)
        _refuse_large(data)
        value = json.loads(data.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=members)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FileMistakes([f"broken gzip file ({error})"]) from None
    except UnicodeDecodeError as error:
        raise FileMistakes([f"not UTF-8 (byte {error.start})"]) from None
    except RecursionError:
        raise FileMistakes(["not JSON of this format (nested too deeply)"]) from None
    except ValueError as error:
        raise FileMistakes([f"not JSON ({str(error).splitlines()[0]})"]) from None
    return value, "", list(_with_places(value, repeated)) if repeated else []


def _with_places(value: Any, repeated: list[tuple[dict[str, Any], str]]) -> Iterator[str]:
    """Each mistake after the place of the object that it was found in."""
    told: dict[int, list[str]] = defaultdict(list)
    for found, mistake in repeated:
        told[id(found)].append(mistake)
    left: list[tuple[str, Any]] = [("", value)]
    while left:
        place, node = left.pop()
        yield from (_at(place, mistake) for mistake in told.get(id(node), ()))
        if isinstance(node, dict):
            left += [(f"{place}.{key}" if place else key, node[key]) for key in reversed(node)]
        elif isinstance(node, list):
            left += [(f"{place}[{i}]", node[i]) for i in reversed(range(len(node)))]


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")


def _expect_format(root: _Node, expected: str) -> None:
    found = root.key("format")
    if found.text() != expected:
        found.mistake(f"is {_show(found.value)}, expected {_show(expected)}")


# --- Plans ----------------------------------------------------------------------------------------


def _bound(root: _Node) -> float | None:
    """The optional bound; a whole number stays one."""
    if not root.alive or root.value.get("bound") is None:
        return None
    node = root.key("bound")
    if type(node.value) not in (int, float):
        node.mistake(f"must be a number or null, not {_show(node.value)}")
        return None
    try:
        finite = math.isfinite(node.value)
    except OverflowError:
        finite = False
    if not finite:
        node.mistake("is too large")
    return cast("float", node.value)


def _assignment(line: _Node) -> Assignment:
    """One line; whether its day, start, mode and site make sense is for `check` to say."""
    day, start = line.key("day"), line.key("start")
    site = line.key("site")
    return Assignment(
        visit=line.key("id").text(),
        specialist=line.key("specialist").text(),
        day=day.value if day._is(int) else 0,  # noqa: SLF001 - any integer is allowed, unlike number()
        start=start.value if start._is(int) else 0,  # noqa: SLF001 - likewise
        mode=cast("Mode", line.key("mode").text()),
        site=None if site.is_null() else site.text(),
    )


# --- Instances ------------------------------------------------------------------------------------


@dataclass(slots=True)
class _InstanceReader:
    root: _Node
    tick: int = 1
    last_day: int = -1
    sites: set[str] = field(default_factory=set)
    specialists: set[str] = field(default_factory=set)

    def read(self) -> Instance:
        root = self.root
        _expect_format(root, INSTANCE_FORMAT)
        self.tick = root.key("tick_minutes").number(1, MINUTES_A_DAY)
        days = self._days(root.key("days"))
        rooms = self._by_id(root.key("sites"), self._rooms_of)
        self.sites = set(rooms)
        travel = self._travel(root.key("travel"))
        specialists = self._by_id(root.key("specialists"), self._specialist)
        self.specialists = set(specialists)
        visits = self._visits(root.key("visits"))
        weights = self._weights(root.key("weights"))
        name = root.key("name").text()
        return Instance(name, self.tick, days, rooms, travel, specialists, visits, weights)

    def _days(self, node: _Node) -> tuple[str, ...]:
        items = node.items()
        days = tuple(item.text() for item in items)
        for item, before, day in zip(items[1:], days, days[1:], strict=False):
            if before >= day:
                item.mistake(f"{_show(day)} does not come after {_show(before)}")
        self.last_day = len(days) - 1
        return days

    def _by_id(self, node: _Node, read: Any) -> dict[str, Any]:
        """The items of a list by their ids, which must differ."""
        result: dict[str, Any] = {}
        for item in node.items():
            identity = item.key("id")
            if identity.text() in result and identity.alive:
                identity.mistake(f"{_show(identity.value)} is given more than once")
            value = read(item)
            if identity.alive:
                result[identity.text()] = value
        return result

    def _visits(self, node: _Node) -> dict[str, Visit]:
        if isinstance(node.value, list) and len(node.value) > MOST_VISITS:
            node.mistake(f"{len(node.value)} are given, at most {MOST_VISITS} can be planned at once")
            return {}
        return self._by_id(node, self._visit)

    def _rooms_of(self, site: _Node) -> tuple[Rooms, ...]:
        node = site.key("rooms")
        rooms = tuple(Rooms(*self._span(span), span.key("count").number()) for span in node.items())
        _refuse_overlap(node, rooms)
        return rooms

    def _travel(self, node: _Node) -> dict[str, dict[str, int]]:
        return {a: {b: self._leg(node, a, b) for b in self.sites} for a in sorted(self.sites)}

    def _leg(self, node: _Node, origin: str, target: str) -> int:
        row = node.key(origin)
        leg = row.key(target)
        minutes = leg.number()
        if origin == target and minutes:
            leg.mistake(f"{_show(minutes)} from a site to itself, must be 0")
        return minutes

    def _specialist(self, node: _Node) -> Specialist:
        shifts = tuple(self._shift(shift) for shift in node.key("shifts").items())
        _refuse_overlap(node.key("shifts"), shifts)
        limit = node.key("max_travel")
        return Specialist(
            id=node.key("id").value if node.alive else "",
            base=self._site(node.key("base")),
            skills=frozenset(skill.text() for skill in node.key("skills").items()),
            languages=frozenset(language.text() for language in node.key("languages").items()),
            shifts=shifts,
            max_travel=None if limit.is_null() else limit.number(),
        )

    def _shift(self, node: _Node) -> Shift:
        day, begin, end = self._span(node)
        breaks = tuple(self._break(pause) for pause in node.key("breaks").items())
        edges = [begin, *(edge for pause in breaks for edge in pause), end]
        if edges != sorted(edges):
            node.key("breaks").mistake("must ascend, be disjoint and lie in the shift")
        return Shift(day, begin, end, breaks)

    def _break(self, node: _Node) -> tuple[int, int]:
        edges = node.items()
        if len(edges) != 2:
            node.mistake("must be [from, to]")
            return 0, 0
        return self._from_to(node, *edges)

    def _visit(self, node: _Node) -> Visit:
        release = node.key("release").number(0, self.last_day)
        language, promise = node.key("language"), node.key("promise")
        return Visit(
            id=node.key("id").value if node.alive else "",
            skill=node.key("skill").text(),
            language=None if language.is_null() else language.text(),
            minutes=self._on_tick(node.key("minutes"), self.tick),
            priority=node.key("priority").number(1, 3),
            release=release,
            options=self._options(node.key("options")),
            windows=tuple(self._window(window, release) for window in node.key("windows").items()),
            wish=self._known_specialist(node.key("wish")),
            promise=None if promise.is_null() else self._promise(promise),
            holder=self._known_specialist(node.key("holder")),
        )

    def _options(self, node: _Node) -> tuple[Option, ...]:
        options: dict[tuple[str, str | None], Option] = {}
        for item in node.items():
            mode, site = self._way(item)
            if (mode, site) in options and item.alive:
                item.mistake(f"{mode} at {_show(site)} is given more than once")
            options[mode, site] = Option(mode, site, item.key("penalty").number())
        return tuple(options.values())

    def _promise(self, node: _Node) -> Promise:
        day = node.key("day").number(0, self.last_day)
        return Promise(day, self._on_tick(node.key("start")), *self._way(node))

    def _window(self, node: _Node, release: int) -> Window:
        window = Window(*self._span(node), node.key("penalty").number())
        if node.alive and window.day < release:
            node.key("day").mistake(f"{window.day} lies before the release day {release}")
        return window

    def _way(self, node: _Node) -> tuple[Mode, str | None]:
        """The mode and the site, which only a call by phone does without."""
        mode, site = node.key("mode"), node.key("site")
        if mode.text() not in MODES:
            mode.mistake(f"{_show(mode.value)} is none of {', '.join(MODES)}")
        elif site.is_null() != (mode.value == "phone"):
            site.mistake(f"{mode.value} with site {_show(site.value)}")
        return cast("Mode", mode.text()), None if site.is_null() else self._site(site)

    def _span(self, node: _Node) -> tuple[int, int, int]:
        day = node.key("day").number(0, self.last_day)
        return day, *self._from_to(node, node.key("from"), node.key("to"))

    def _from_to(self, node: _Node, begin: _Node, end: _Node) -> tuple[int, int]:
        first, last = self._on_tick(begin), self._on_tick(end)
        if begin.alive and end.alive and first >= last:
            node.mistake(f"from {first} is not before to {last}")
        return first, last

    def _on_tick(self, node: _Node, least: int = 0) -> int:
        minute = node.number(least, MINUTES_A_DAY)
        if node.alive and minute % self.tick:
            node.mistake(f"{minute} is not a multiple of the tick")
        return minute

    def _site(self, node: _Node) -> str:
        if node.text() not in self.sites:
            node.mistake(f"site {_show(node.value)} is unknown")
        return node.text()

    def _known_specialist(self, node: _Node) -> str | None:
        if node.is_null():
            return None
        if node.text() not in self.specialists:
            node.mistake(f"specialist {_show(node.value)} is unknown")
        return node.text()

    def _weights(self, node: _Node) -> Weights:
        unserved = node.key("unserved")
        return Weights(
            unserved={priority: unserved.key(str(priority)).number() for priority in (1, 2, 3)},
            lost_promise=node.key("lost_promise").number(),
            wait_day=node.key("wait_day").number(),
            wish=node.key("wish").number(),
            change=node.key("change").number(),
            travel_minute=node.key("travel_minute").number(),
        )


def _refuse_overlap(node: _Node, spans: Sequence[Rooms | Shift]) -> None:
    ordered: list[Rooms | Shift] = sorted(spans, key=lambda span: (span.day, span.begin))
    for before, after in pairwise(ordered):
        if before.day == after.day and before.end > after.begin:
            node.mistake(f"overlap on day {after.day} at minute {after.begin}")
            return


# --- From values to bytes -------------------------------------------------------------------------


def _refuse_unspeakable(instance: Instance) -> None:
    """The format knows no chains, no lengths or hours of an option, no modes of a specialist."""
    unspeakable = ["chains of visits"] if instance.chains else []
    unspeakable += [
        f"visit {visit.id}: minutes or windows of its own for {option.mode} at {option.site}"
        for visit in instance.visits.values()
        for option in visit.options
        if visit.minutes_of(option) != visit.minutes or visit.windows_of(option) != visit.windows
    ]
    unspeakable += [
        f"specialist {specialist.id}: only some modes"
        for specialist in instance.specialists.values()
        if specialist.modes != frozenset(MODES)
    ]
    if unspeakable:
        raise ValueError(f"{INSTANCE_FORMAT} cannot say: {'; '.join(unspeakable)}")


def _instance_as_json(instance: Instance) -> dict[str, Any]:
    weights = instance.weights
    return {
        "format": INSTANCE_FORMAT,
        "name": instance.name,
        "tick_minutes": instance.tick,
        "days": list(instance.days),
        "sites": [
            {"id": site, "rooms": [{**_span_as_json(span), "count": span.count} for span in rooms]}
            for site, rooms in instance.rooms.items()
        ],
        "travel": {a: {b: instance.travel[a][b] for b in instance.rooms} for a in instance.rooms},
        "specialists": [_specialist_as_json(specialist) for specialist in instance.specialists.values()],
        "visits": [_visit_as_json(visit) for visit in instance.visits.values()],
        "weights": {
            "unserved": {str(priority): weights.unserved[priority] for priority in (1, 2, 3)},
            "lost_promise": weights.lost_promise,
            "wait_day": weights.wait_day,
            "wish": weights.wish,
            "change": weights.change,
            "travel_minute": weights.travel_minute,
        },
    }


def _span_as_json(span: Rooms | Shift | Window) -> dict[str, Any]:
    return {"day": span.day, "from": span.begin, "to": span.end}


def _specialist_as_json(specialist: Specialist) -> dict[str, Any]:
    return {
        "id": specialist.id,
        "base": specialist.base,
        "skills": sorted(specialist.skills),
        "languages": sorted(specialist.languages),
        "shifts": [
            {**_span_as_json(shift), "breaks": [list(pause) for pause in shift.breaks]}
            for shift in specialist.shifts
        ],
        "max_travel": specialist.max_travel,
    }


def _visit_as_json(visit: Visit) -> dict[str, Any]:
    promise = visit.promise
    return {
        "id": visit.id,
        "skill": visit.skill,
        "language": visit.language,
        "minutes": visit.minutes,
        "priority": visit.priority,
        "release": visit.release,
        "options": [{"mode": o.mode, "site": o.site, "penalty": o.penalty} for o in visit.options],
        "windows": [{**_span_as_json(window), "penalty": window.penalty} for window in visit.windows],
        "wish": visit.wish,
        "promise": promise
        and {"day": promise.day, "start": promise.start, "mode": promise.mode, "site": promise.site},
        "holder": visit.holder,
    }


def _plan_as_json(plan: Plan) -> dict[str, Any]:
    visits = [
        {
            "id": line.visit,
            "specialist": line.specialist,
            "day": line.day,
            "start": line.start,
            "mode": line.mode,
            "site": line.site,
        }
        for line in plan.assignments
    ]
    return {"format": PLAN_FORMAT, "instance": plan.instance, "bound": plan.bound, "visits": visits}


def _write(value: dict[str, Any], path: Path) -> None:
    """One line for each site, specialist and visit, so that two files can be compared by eye."""
    parts = [f"{json.dumps(key)}: {_body(item)}" for key, item in value.items()]
    data = ("{\n" + ",\n".join(parts) + "\n}\n").encode("ascii")
    if path.name.endswith(".gz"):
        data = gzip.compress(data, mtime=0)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _body(item: Any) -> str:
    if isinstance(item, list) and item and isinstance(item[0], dict):
        return "[\n" + ",\n".join(f"  {_compact(entry)}" for entry in item) + "\n]"
    return _compact(item)


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
