"""The planner against every possible plan of small problems, and against its own promises."""

import math
from dataclasses import replace
from random import Random

import pytest

from routing import Plan, check
from routing.anneal import Annealer
from routing.board import Board
from routing.bound import lower_bounds
from routing.budget import Budget
from routing.draft import columns_of
from routing.greedy import greedy
from routing.kernel import CLOCK
from routing.network import solve_exactly
from routing.parts import independent_parts
from routing.recombine import recombine
from tests.routing_cases import cheapest_cost, random_instance

SEEDS = range(24)


AMPLE = Budget(math.inf)


def looks(count):
    """The parts of a schedule that is over after so many looks at it."""
    done = iter(range(count + 1))
    return lambda *_: next(done, count) / count


@pytest.mark.parametrize("seed", SEEDS)
def test_the_exact_model_finds_the_cheapest_of_all_plans_and_proves_it(seed):
    problem = random_instance(Random(seed), sites=2 + seed % 2)
    answers = [solve_exactly(Board(part), AMPLE) for part in independent_parts(problem)]
    plan = Plan(problem.name, tuple(line for answer in answers for line in answer.lines))
    optimum = cheapest_cost(problem)
    assert check(problem, plan).cost == optimum
    assert sum(answer.bound for answer in answers) == optimum


@pytest.mark.parametrize("seed", SEEDS)
def test_no_lower_bound_exceeds_the_cheapest_of_all_plans(seed):
    problem = random_instance(Random(seed), sites=2 + seed % 2)
    bounds = list(lower_bounds(Board(problem), frozenset(), looks(40)))
    assert bounds == sorted(bounds)
    assert 0 <= bounds[-1] <= cheapest_cost(problem)


def odd(rng, **shape):
    """A problem of any shape, now and then with a tick of one minute and several shifts a day."""
    problem = random_instance(rng, tick=rng.choice([1, 5, 15, 60]), **shape)
    if rng.random() < 0.5:
        return problem
    people = {name: replace(one, shifts=_divided(one.shifts)) for name, one in problem.specialists.items()}
    return replace(problem, specialists=people)


def _divided(shifts):
    """Each shift without breaks as two that adjoin."""
    halves = []
    for shift in shifts:
        middle = (shift.begin + shift.end) // 2
        whole = bool(shift.breaks)
        halves += [shift] if whole else [replace(shift, end=middle), replace(shift, begin=middle)]
    return tuple(halves)


@pytest.mark.parametrize("seed", range(60))
def test_greedy_and_the_search_keep_every_rule_and_know_their_cost(seed):
    rng = Random(seed)
    problem = odd(rng, visits=15, specialists=4, sites=4)
    draft = greedy(Board(problem))
    first = check(problem, draft.plan())
    assert (first.violations, first.cost) == ((), draft.cost)
    annealer = Annealer(draft, seed)
    annealer.run(looks(5))
    current = check(problem, Plan(problem.name, annealer.lines()))
    assert (current.violations, current.cost) == ((), annealer.cost)
    best = check(problem, Plan(problem.name, annealer.best_lines()))
    assert (best.violations, best.cost) == ((), annealer.best_cost)
    assert best.cost <= first.cost


@pytest.mark.parametrize("seed", SEEDS)
def test_the_search_finds_the_cheapest_of_all_plans_of_small_problems(seed):
    problem = random_instance(Random(seed), sites=2 + seed % 2)
    annealer = Annealer(greedy(Board(problem)), seed)
    annealer.run(looks(20))
    assert annealer.best_cost == cheapest_cost(problem)


def test_the_search_does_the_same_again_with_the_same_seed():
    problem = random_instance(Random(1), visits=40, specialists=6, sites=4, tick=15)
    found = []
    for _ in range(2):
        annealer = Annealer(greedy(Board(problem)), 7)
        annealer.run(looks(5))
        found.append(annealer.lines())
    assert found[0] == found[1]


def test_a_search_that_outlives_its_version_numbers_still_knows_its_cost():
    problem = random_instance(Random(1), visits=40, specialists=6, sites=4, tick=15)
    annealer = Annealer(greedy(Board(problem)), 7)
    for _ in range(3):
        annealer._state.counts[CLOCK] = 2**30 - 100
        annealer.run(looks(3))
        report = check(problem, Plan(problem.name, annealer.lines()))
        assert (report.violations, report.cost) == ((), annealer.cost)


@pytest.mark.parametrize("seed", range(8))
def test_recombining_the_days_of_two_plans_is_at_least_as_good_as_either(seed):
    problem = random_instance(Random(seed), visits=15, specialists=4, sites=3, tick=30)
    draft = greedy(Board(problem))
    annealer = Annealer(draft, seed)
    annealer.run(looks(2))
    lines = recombine(draft, columns_of(annealer.lines()), AMPLE, 1)
    report = check(problem, Plan(problem.name, lines))
    assert report.violations == ()
    assert report.cost <= min(draft.cost, annealer.cost)
