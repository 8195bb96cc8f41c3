"""When somebody drops out: all promises are kept whenever they can be, and nobody changes without need."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from routing import Assignment, Plan, Promise, Rooms, Shift, check, stand_in
from routing.timeline import shortest_ways
from tests.routing_cases import instance, specialist, visit

BEGIN, END, TICK = 480, 720, 15
PLACES = ["S0", "S1", "S2"]
THOROUGH = 200_000
few = settings(max_examples=60, deadline=None)


def random_day(rng):
    """A small day that is kept as it is, and the same without some hours of one specialist."""
    legs = {a: {b: 0 if a == b else rng.choice([15, 30, 45]) for b in PLACES} for a in PLACES}
    staff = [
        specialist(
            f"p{n}",
            base=rng.choice(PLACES),
            skills=("basic", "care") if rng.random() < 0.7 else ("basic",),
            shifts=((0, BEGIN, END),),
            max_travel=rng.choice([None, None, 60]),
        )
        for n in range(3)
    ]
    rooms = dict.fromkeys(PLACES, (Rooms(0, BEGIN, END, 2),))
    plain = {"tick": TICK, "travel": shortest_ways(legs), "rooms": rooms}
    held = []
    for number in range(12):
        one = random_visit(rng, f"v{number}", staff)
        if len(held) < 6 and kept(instance(staff, [*held, one], **plain)):
            held.append(one)
    away = rng.choice(staff)
    begin = rng.choice([BEGIN, BEGIN, rng.randrange(BEGIN + TICK, END, TICK)])
    left = replace(away, shifts=(Shift(0, BEGIN, begin),) if begin > BEGIN else ())
    return instance([left if one is away else one for one in staff], held, **plain)


def random_visit(rng, name, staff):
    mode, site = rng.choice([*(("on_site", place) for place in PLACES), ("phone", None)])
    promise = Promise(0, rng.randrange(BEGIN, END, TICK), mode, site)
    skill = rng.choice(["basic", "basic", "care"])
    minutes = rng.choice([15, 30, 45])
    return visit(name, minutes=minutes, skill=skill, promise=promise, holder=rng.choice(staff).id)


def plan_of(problem, keeps):
    lines = [
        Assignment(name, keeps[name], 0, one.promise.start, one.promise.mode, one.promise.site)
        for name, one in problem.visits.items()
        if name in keeps
    ]
    return Plan(problem.name, tuple(lines))


def kept(problem):
    return check(problem, plan_of(problem, holders(problem))).valid


def holders(problem):
    return {name: one.holder for name, one in problem.visits.items()}


def fewest_changes(problem, keeps, left):
    """The fewest visits that change hands in any way of keeping all, None if there is no way."""
    if not check(problem, plan_of(problem, keeps)).valid:
        return None
    if not left:
        before = holders(problem)
        return sum(keeps[name] != before[name] for name in keeps)
    ways = (fewest_changes(problem, {**keeps, left[0]: name}, left[1:]) for name in problem.specialists)
    return min((way for way in ways if way is not None), default=None)


@few
@given(st.integers(0, 10**9))
def test_all_promises_are_kept_whenever_they_can_be(seed):
    problem = random_day(Random(seed))
    found = stand_in(problem, effort=THOROUGH)
    fewest = fewest_changes(problem, {}, list(problem.visits))
    assert (not found.lost) == (fewest is not None)
    keeps = {name: who for name, who in (holders(problem) | found.moves).items() if name not in found.lost}
    assert check(problem, plan_of(problem, keeps)).violations == ()


@few
@given(st.integers(0, 10**9))
def test_whoever_can_keep_a_visit_keeps_it_unless_it_is_in_the_way(seed):
    problem = random_day(Random(seed))
    found = stand_in(problem, effort=THOROUGH)
    fewest = fewest_changes(problem, {}, list(problem.visits))
    if fewest is not None and len(found.moves) != fewest:
        # one after the other may take a move more than all at once, never for nothing
        assert len(found.moves) > fewest > 0


def test_a_pinned_visit_stays_or_is_lost():
    ill = specialist("ada", shifts=())
    colleague = specialist("bea")
    promise = Promise(0, 600, "on_site", "NB")
    problem = instance([ill, colleague], [visit("v1", promise=promise, holder="ada")])
    assert stand_in(problem).moves == {"v1": "bea"}
    assert stand_in(problem, pinned=["v1"]) == ({}, ("v1",))


def test_a_colleague_makes_way_for_what_only_she_can_do():
    ill = specialist("ada", skills=("basic", "care"), shifts=())
    skilled, other = specialist("bea", skills=("basic", "care")), specialist("cleo")
    promise = Promise(0, 600, "phone", None)
    visits = [
        visit("v1", skill="care", promise=promise, holder="ada"),
        visit("v2", promise=promise, holder="bea"),
    ]
    assert stand_in(instance([ill, skilled, other], visits)).moves == {"v1": "bea", "v2": "cleo"}
