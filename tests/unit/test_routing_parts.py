"""Parts of an instance that can be planned by themselves, and pieces that are searched for a while."""

import sys
from dataclasses import replace
from random import Random

import pytest

from routing import Instance, Plan, Rooms, Seconds, Work, check, solve
from routing.board import Board
from routing.bound import lower_bounds
from routing.greedy import greedy
from routing.minutes import Minutes
from routing.parts import independent_parts, pieces, teams
from tests.routing_cases import cheapest_cost, instance, random_instance, specialist, visit

ALL_DAY = ((0, 480, 720), (1, 480, 720))
BY_PHONE = (("phone", None),)


def counties(count, **shape):
    """Some instances in one, with names of their own; they share nothing."""
    several = [_renamed(random_instance(Random(n), **shape), f"k{n}-") for n in range(count)]
    places = [place for one in several for place in one.travel]
    travel = {a: {b: 0 if a == b else 30 for b in places} for a in places}
    for one in several:
        for place, row in one.travel.items():
            travel[place].update(row)
    return several, Instance(
        name="state",
        tick=several[0].tick,
        days=several[0].days,
        rooms={site: spans for one in several for site, spans in one.rooms.items()},
        travel=travel,
        specialists={name: person for one in several for name, person in one.specialists.items()},
        visits={name: asked for one in several for name, asked in one.visits.items()},
        weights=several[0].weights,
    )


def _renamed(county, prefix):
    def named(name):
        return None if name is None else prefix + name

    return replace(
        county,
        rooms={named(site): spans for site, spans in county.rooms.items()},
        travel={named(a): {named(b): way for b, way in row.items()} for a, row in county.travel.items()},
        specialists={
            named(name): replace(
                one, id=named(name), base=named(one.base), skills=frozenset(map(named, one.skills))
            )
            for name, one in county.specialists.items()
        },
        visits={
            named(name): replace(
                one,
                id=named(name),
                skill=named(one.skill),
                wish=named(one.wish),
                holder=named(one.holder),
                promise=one.promise and replace(one.promise, site=named(one.promise.site)),
                options=tuple(replace(option, site=named(option.site)) for option in one.options),
            )
            for name, one in county.visits.items()
        },
    )


def names(parts):
    return [sorted(part.visits) for part in parts]


def test_counties_that_share_nothing_are_planned_apart_and_together_at_the_least_cost():
    several, state = counties(5)
    parts = independent_parts(state)
    assert len(parts) >= len(several)
    report = check(state, solve(state, stop=Seconds(20)))
    optimum = sum(cheapest_cost(one) for one in several)
    assert (report.violations, report.cost, report.bound) == ((), optimum, optimum)


def test_parts_share_no_visit_no_specialist_on_a_day_and_no_room_of_a_day():
    _, state = counties(6, visits=12, specialists=4)
    parts = independent_parts(state)
    assert sorted(name for part in parts for name in part.visits) == sorted(state.visits)
    duties = [duty for part in parts for duty in duties_of(part)]
    assert len(duties) == len(set(duties))
    rooms = [(site, span) for part in parts for site, spans in part.rooms.items() for span in spans]
    assert len(rooms) == len(set(rooms))


def duties_of(part):
    return {(shift.day, one.id) for one in part.specialists.values() for shift in one.shifts}


@pytest.mark.parametrize("seed", range(12))
def test_the_best_plans_of_the_parts_are_the_best_plan(seed):
    problem = random_instance(Random(seed))
    assert sum(cheapest_cost(part) for part in independent_parts(problem)) == cheapest_cost(problem)


def test_days_are_joined_by_a_visit_that_may_be_on_either():
    people = [specialist(shifts=ALL_DAY)]
    first, second = visit("v1"), visit("v2", windows=((1, 480, 720),))
    either = visit("v3", windows=((0, 480, 720), (1, 480, 720)))
    assert names(independent_parts(instance(people, [first, second]))) == [["v1"], ["v2"]]
    assert len(independent_parts(instance(people, [first, second, either]))) == 1


def test_units_are_joined_by_a_room_or_a_chain_but_not_by_a_day():
    people = [specialist(), specialist("ben", skills=("care",))]
    visits = [visit("v1", options=BY_PHONE), visit("v2", skill="care", options=BY_PHONE)]
    at_a_site = [visit("v1"), visit("v2", skill="care")]
    assert names(independent_parts(instance(people, visits))) == [["v1"], ["v2"]]
    assert len(independent_parts(instance(people, at_a_site))) == 1
    assert len(independent_parts(instance(people, visits, chains=(("v1", "v2"),)))) == 1


def test_small_parts_are_joined_and_visits_without_hope_are_in_the_first():
    people = [specialist(f"p{n}", skills=(f"s{n}",)) for n in range(4)]
    visits = [visit(f"v{n}", skill=f"s{n}", options=BY_PHONE) for n in range(5)]
    problem = instance(people, visits)
    assert names(independent_parts(problem)) == [["v0", "v4"], ["v1"], ["v2"], ["v3"]]
    assert names(independent_parts(problem, least=2)) == [["v0", "v1", "v4"], ["v2", "v3"]]
    assert independent_parts(problem, least=5) == [problem]
    assert independent_parts(problem, until=0) == [problem]


@pytest.mark.parametrize("seed", range(12))
def test_what_is_improved_in_pieces_is_valid_in_the_whole_and_costs_as_much_less(seed):
    random = Random(seed)
    problem = random_instance(random, visits=40, specialists=8, sites=3, tick=15)
    lines = greedy(Board(problem)).lines()[::2]
    for team in teams(problem, 3, random):
        cut = pieces(problem, lines, team, 2, random)
        before = check(problem, Plan(problem.name, lines)).cost
        saved = 0
        for piece in cut:
            old = check(piece.instance, Plan(piece.instance.name, piece.lines))
            new = greedy(Board(piece.instance), piece.lines)
            assert old.violations == ()
            saved += old.cost - new.cost
            others = tuple(line for line in lines if line.visit not in piece.instance.visits)
            lines = others + new.lines()
        after = check(problem, Plan(problem.name, lines))
        assert (after.violations, after.cost) == ((), before - saved)


def test_a_part_that_is_too_large_is_searched_in_pieces(monkeypatch):
    module = sys.modules["routing.solve"]
    monkeypatch.setattr(module, "_LARGEST_PART", 100)
    monkeypatch.setattr(module, "_PIECE", 20)
    rooms = tuple(Rooms(day, 480, 720, 3) for day in (0, 1))
    people = [specialist(f"p{n}", shifts=ALL_DAY, skills=("basic", f"s{n}")) for n in range(8)]
    visits = [
        visit(f"v{n}", skill=f"s{n % 8}", minutes=40, windows=((0, 480, 720), (1, 480, 720)), release=0)
        for n in range(118)
    ]
    linked = [visit("c1", minutes=30), visit("c2", minutes=30)]
    problem = instance(people, [*visits, *linked], rooms={"NB": rooms, "DM": rooms}, chains=(("c1", "c2"),))
    twice = [solve(problem, stop=Work(0.5), seed=4) for _ in range(2)]
    assert twice[0] == twice[1]
    report = check(problem, twice[0])
    assert report.violations == ()
    assert report.cost <= greedy(Board(problem)).cost
    assert {"c1", "c2"} <= {line.visit for line in twice[0].assignments}


@pytest.mark.parametrize("seed", range(24))
def test_no_price_of_minutes_exceeds_the_cheapest_of_all_plans(seed):
    problem = random_instance(Random(seed), sites=2 + seed % 2)
    board = Board(problem)
    if any(board.ways):
        done = iter(range(41))
        bounds = list(Minutes(board).ascend(lambda: next(done) / 40))
        assert max(bounds) <= cheapest_cost(problem)


def test_a_large_instance_gets_a_bound_by_the_minutes_that_lack(monkeypatch):
    monkeypatch.setattr(sys.modules["routing.bound"], "_MOST_STARTS", 0)
    problem = instance([specialist()], [visit(f"v{n}") for n in range(20)])
    done = iter(range(201))
    *_, bound = lower_bounds(Board(problem), frozenset(), lambda: next(done) / 200)
    assert 11_000 < bound <= 12_000
