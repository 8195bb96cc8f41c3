"""Spoilt files: every mistake is named, or what is legal is planned with the losses that cannot be helped."""

from __future__ import annotations

import json
import time
from pathlib import Path
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from routing import FileMistakes, Plan, Seconds, check, parse_instance, parse_plan, repair, solve
from routing.board import Board
from routing.budget import Budget
from routing.greedy import greedy
from routing.keeping import PromisedDay
from routing.labour import carry_out
from routing.orders import Anneal, Bound, BoundDays, KeptDay, Mend, SolveExactly, Task

DATA = Path(__file__).parent.parent / "data" / "planning"
TINY = json.loads((DATA / "tiny.json").read_text())
PLAN = json.loads((DATA / "tiny.plan.json").read_text())
VALUES = [
    *(None, True, 0, 1, -1, 5, 480, 487, 1440, 1441, 10**9, 10**30, 10**100, 10**101, 10**400, -(10**30)),
    *(
        0.5,
        float("nan"),
        float("inf"),
        1e300,
        "",
        "v1",
        "ada",
        "NB",
        "DM",
        "phone",
        "on_site",
        "\ud800",
        "\0",
    ),
    *([], {}, [[]], [None], {"id": "v1"}, [480, 490], [[480, 490]], "x" * 10_000, [[[[[[[[1]]]]]]]]),
]
seeds = st.integers(0, 10**9)


def spoil(rng: Random, raw):
    """A copy with one to three places changed: another value, one from elsewhere, nothing, or twice."""
    raw = json.loads(json.dumps(raw))
    for _ in range(rng.randint(1, 3)):
        places = list(parents(raw))
        node, key = rng.choice(places)
        if rng.random() < 0.5:  # numbers are where what is odd may be legal
            node, key = rng.choice([at for at in places if type(at[0][at[1]]) is int])
        kind = rng.random()
        if kind < 0.5:
            node[key] = rng.choice(VALUES)
        elif kind < 0.8:
            other, name = rng.choice(places)
            node[key] = json.loads(json.dumps(other[name]))
        elif kind < 0.9:
            del node[key]
        elif isinstance(node, list):
            node.append(json.loads(json.dumps(node[key])))
        elif isinstance(node[key], list):
            rng.shuffle(node[key])
    return raw


def parents(node):
    """Every list and object with each of its keys."""
    if isinstance(node, (dict, list)):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            yield node, key
            yield from parents(value)


def read(parse, data):
    """What is read, None where its mistakes are told."""
    told = None
    try:
        return parse(data)
    except FileMistakes as error:
        told = error.mistakes
    assert told
    assert all(len(line) < 300 and line.isprintable() for line in told)
    return None


def read_instance(raw):
    return read(parse_instance, json.dumps(raw).encode())


def answers(problem):
    """What the children would answer, in this process."""
    budget = Budget(time.monotonic() + 10, 0.02)
    draft = greedy(Board(problem))
    task = Task(problem, draft.board.pins, draft.lines())
    for order in (Anneal(task, 1, budget), SolveExactly(task, budget), Bound(task, budget)):
        yield from carry_out(order)
    for day in range(len(problem.days)):
        promised = PromisedDay(problem, day)
        kept = KeptDay(problem, day, promised.keep())
        yield from carry_out(Mend(kept, budget, 1, at_prices=False))
        yield from carry_out(Mend(kept, budget, 1, at_prices=True))
        yield from carry_out(BoundDays((kept,), budget, 1))


@settings(max_examples=150, deadline=None)
@given(seeds)
def test_a_spoilt_instance_is_refused_or_planned(seed):
    problem = read_instance(spoil(Random(seed), TINY))
    if problem is None:
        return
    for plan in (solve(problem, stop=Seconds(0)), repair(problem, stop=Seconds(0)).plan):
        assert check(problem, plan).violations == ()


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_what_is_planned_of_a_spoilt_instance_is_valid_and_no_bound_is_too_high(seed):
    rng = Random(seed)
    problem = None
    while problem is None:
        problem = read_instance(spoil(rng, TINY))
    cheapest, bounds = check(problem, Plan(problem.name)).cost, [0]
    for answer in answers(problem):
        if hasattr(answer, "lines"):
            lines = answer.lines
            report = check(problem, Plan(problem.name, lines))
            assert report.violations == ()
            cheapest = min(cheapest, report.cost)
        elif type(answer).__name__ == "Proven":
            bounds.append(answer.bound)
    assert max(bounds) <= cheapest


@settings(max_examples=100, deadline=None)
@given(seeds)
def test_a_spoilt_plan_is_refused_or_judged(seed):
    problem = read_instance(TINY)
    data = json.dumps(spoil(Random(seed), PLAN)).encode()
    plan = read(lambda told: parse_plan(told, problem), data)
    if plan is None:
        return
    report = check(problem, plan)
    assert report.valid == (report.cost is not None)


@settings(max_examples=200, deadline=None)
@given(seeds)
def test_bytes_changed_at_random_are_refused_or_read(seed):
    rng = Random(seed)
    data = bytearray((DATA / rng.choice(["tiny.json", "small.json.gz"])).read_bytes())
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(len(data))
        data[place : place + rng.randint(0, 2)] = bytes(rng.randrange(256) for _ in range(rng.randint(0, 2)))
    read(parse_instance, bytes(data))
