"""The planner against every possible plan of small problems, and against its own promises."""

from random import Random

import pytest

from routing import Plan, check
from routing.anneal import Annealer
from routing.board import Board
from routing.bound import lower_bounds
from routing.draft import columns_of
from routing.greedy import greedy
from routing.network import independent_parts, solve_exactly
from routing.recombine import recombine
from tests.routing_cases import cheapest_cost, random_instance

SEEDS = range(24)


def steps(count):
    """The parts of a schedule that is over after so many looks at it."""
    done = iter(range(count + 1))
    return lambda: next(done, count) / count


@pytest.mark.parametrize("seed", SEEDS)
def test_the_exact_model_finds_the_cheapest_of_all_plans_and_proves_it(seed):
    problem = random_instance(Random(seed), sites=2 + seed % 2)
    board = Board(problem)
    answers = [solve_exactly(board, part, 60) for part in independent_parts(board)]
    plan = Plan(problem.name, tuple(line for answer in answers for line in answer.lines))
    optimum = cheapest_cost(problem)
    assert check(problem, plan).cost == optimum
    assert sum(answer.bound for answer in answers) == optimum


@pytest.mark.parametrize("seed", SEEDS)
def test_no_lower_bound_exceeds_the_cheapest_of_all_plans(seed):
    problem = random_instance(Random(seed), sites=2 + seed % 2)
    bounds = list(lower_bounds(Board(problem), frozenset(), steps(40)))
    assert bounds == sorted(bounds)
    assert 0 <= bounds[-1] <= cheapest_cost(problem)


@pytest.mark.parametrize("seed", range(60))
def test_greedy_and_the_search_keep_every_rule_and_know_their_cost(seed):
    rng = Random(seed)
    problem = random_instance(rng, visits=15, specialists=4, sites=4, tick=rng.choice([5, 15, 60]))
    draft = greedy(Board(problem))
    first = check(problem, draft.plan())
    assert (first.violations, first.cost) == ((), draft.cost)
    annealer = Annealer(draft, rng)
    annealer.run(steps(5))
    current = check(problem, draft.plan())
    assert (current.violations, current.cost) == ((), draft.cost)
    best = check(problem, Plan(problem.name, annealer.best_lines()))
    assert (best.violations, best.cost) == ((), annealer.best_cost)
    assert best.cost <= first.cost


@pytest.mark.parametrize("seed", range(8))
def test_recombining_the_days_of_two_plans_is_at_least_as_good_as_either(seed):
    problem = random_instance(Random(seed), visits=15, specialists=4, sites=3, tick=30)
    drafts = [greedy(Board(problem)) for _ in range(2)]
    for number, draft in enumerate(drafts):
        Annealer(draft, Random(number)).run(steps(2))
    lines = recombine(drafts[0], columns_of(drafts[1].lines()), 60, 1)
    report = check(problem, Plan(problem.name, lines))
    assert report.violations == ()
    assert report.cost <= min(draft.cost for draft in drafts)
