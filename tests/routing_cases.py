"""Small planning problems for the tests of `routing`: drawn at random, or written down in a few words."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from routing import (
    Assignment,
    Instance,
    Option,
    Plan,
    Promise,
    Rooms,
    Shift,
    Specialist,
    Visit,
    Weights,
    Window,
    check,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from random import Random

WEIGHTS = Weights(
    unserved={1: 1000, 2: 3000, 3: 9000},
    lost_promise=100_000,
    wait_day=10,
    wish=60,
    change=40,
    travel_minute=1,
)


def specialist(name="ada", *, base="NB", skills=("basic",), shifts=((0, 480, 720),), **more):
    """Somebody with the skill "basic" who works on the morning of day 0 unless told otherwise."""
    return Specialist(
        id=name,
        base=base,
        skills=frozenset(skills),
        languages=frozenset(more.pop("languages", ())),
        shifts=tuple(shift if isinstance(shift, Shift) else Shift(*shift) for shift in shifts),
        **more,
    )


def visit(name="v1", *, minutes=30, options=(("on_site", "NB"),), windows=((0, 480, 720),), **more):
    """Half an hour of "basic" at the base on the morning of day 0 unless told otherwise."""
    fields = {"skill": "basic", "language": None, "priority": 1, "release": 0} | more
    return Visit(
        id=name,
        minutes=minutes,
        options=tuple(option if isinstance(option, Option) else Option(*option) for option in options),
        windows=tuple(Window(*window) for window in windows),
        **fields,
    )


def instance(specialists: Iterable[Specialist], visits: Iterable[Visit], **more) -> Instance:
    """Two sites, NB and DM, 48 minutes there and 50 back, with two rooms each all day, on two days."""
    rooms = tuple(Rooms(day, 480, 960, 2) for day in (0, 1))
    fields = {
        "name": "case",
        "tick": 5,
        "days": ("2027-03-02", "2027-03-04"),
        "rooms": {"NB": rooms, "DM": rooms},
        "travel": {"NB": {"NB": 0, "DM": 48}, "DM": {"NB": 50, "DM": 0}},
        "weights": WEIGHTS,
    }
    return Instance(
        specialists={one.id: one for one in specialists},
        visits={one.id: one for one in visits},
        **fields | more,
    )


def random_instance(rng: Random, *, visits=3, specialists=2, sites=2, tick=60) -> Instance:
    """A small problem of any shape: scarce rooms, breaks, odd travel, promises, wishes and holders."""
    places = [f"S{n}" for n in range(sites)]
    names = [f"p{n}" for n in range(specialists)]
    longest = rng.choice([tick, 2 * tick, 3 * tick])
    return Instance(
        name="random",
        tick=tick,
        days=("2027-03-02", "2027-03-04"),
        rooms={place: _random_rooms(rng, tick) for place in places},
        travel={a: {b: 0 if a == b else rng.randint(0, longest) for b in places} for a in places},
        specialists={name: _random_specialist(rng, name, places, tick) for name in names},
        visits={f"v{n}": _random_visit(rng, f"v{n}", places, names, tick) for n in range(visits)},
        weights=Weights({1: 100, 2: 300, 3: 900}, rng.choice([50, 2000]), 10, 60, 40, rng.choice([0, 1, 3])),
    )


def _random_rooms(rng: Random, tick: int) -> tuple[Rooms, ...]:
    days = [day for day in (0, 1) if rng.random() < 0.8]
    return tuple(Rooms(day, 480, 480 + tick * rng.randint(2, 6), rng.randint(0, 2)) for day in days)


def _random_specialist(rng: Random, name: str, places: list[str], tick: int) -> Specialist:
    shifts = []
    for day in (0, 1):
        begin = 480 + tick * rng.randint(0, 1)
        end = begin + tick * rng.randint(3, 6)
        pause = begin + tick * rng.randint(1, 2)
        breaks = ((pause, pause + tick),) if rng.random() < 0.3 else ()
        if rng.random() < 0.7:
            shifts.append(Shift(day, begin, end, breaks))
    return Specialist(
        id=name,
        base=rng.choice(places),
        skills=frozenset(skill for skill in ("basic", "care") if rng.random() < 0.8),
        languages=frozenset(["uk"] if rng.random() < 0.5 else []),
        shifts=tuple(shifts),
        max_travel=rng.choice([None, None, 0, tick, 3 * tick]),
    )


def _random_visit(rng: Random, name: str, places: list[str], names: list[str], tick: int) -> Visit:
    ways = [(mode, place) for mode in ("on_site", "video") for place in places] + [("phone", None)]
    promise = None
    if rng.random() < 0.3:
        promise = Promise(rng.randint(0, 1), 480 + tick * rng.randint(0, 4), *rng.choice(ways))
    windows = []
    for _ in range(rng.randint(0, 3)):
        begin = 480 + tick * rng.randint(0, 3)
        windows.append(
            Window(rng.randint(0, 1), begin, begin + tick * rng.randint(1, 4), rng.choice([0, 0, 10]))
        )
    return Visit(
        id=name,
        skill=rng.choice(["basic", "care"]),
        language=rng.choice([None, None, None, "uk"]),
        minutes=tick * rng.randint(1, 2),
        priority=rng.randint(1, 3),
        release=0,
        options=tuple(Option(*way, rng.choice([0, 0, 15])) for way in rng.sample(ways, rng.randint(0, 3))),
        windows=tuple(windows),
        wish=rng.choice([None, None, *names]),
        promise=promise,
        holder=rng.choice([None, *names]) if promise else None,
    )


def cheapest_cost(problem: Instance) -> int:
    """The cost of the best plan, by trying every combination of assignments."""
    lines = [[None, *thinkable_lines(problem, one)] for one in problem.visits.values()]
    costs = []
    for combination in product(*lines):
        report = check(problem, Plan(problem.name, tuple(line for line in combination if line)))
        if report.valid:
            costs.append(report.cost)
    return min(costs)


def thinkable_lines(problem: Instance, one: Visit) -> list[Assignment]:
    """Every assignment of one visit that breaks no rule about it alone; travel and rooms are left aside."""
    told = one.promise
    ways = {(told.mode, told.site)} if told else {(option.mode, option.site) for option in one.options}
    thinkable = [
        Assignment(one.id, name, day, start, *way)
        for name in problem.specialists
        for day in range(len(problem.days))
        for start in range(480, 1080, problem.tick)
        for way in ways
    ]
    return [line for line in thinkable if not _wrong_by_itself(problem, line)]


def _wrong_by_itself(problem: Instance, line: Assignment) -> bool:
    violations = check(problem, Plan(problem.name, (line,))).violations
    return any(text.startswith("visits[") or "lies in no shift" in text for text in violations)
