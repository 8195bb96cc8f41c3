"""Explanations against the checker: what is said of a plan must come true when it is carried out."""

from dataclasses import replace
from functools import cache
from random import Random

import pytest

from routing import Assignment, Plan, check
from routing.explain import explain
from tests.routing_cases import random_instance, thinkable_lines

SEEDS = range(60)
TICK = 60


def random_plan(rng, problem):
    """Any valid plan: visits in any order, each where it may go, some nowhere."""
    lines = ()
    for visit in rng.sample(list(problem.visits.values()), len(problem.visits)):
        thinkable = sorted(thinkable_lines(problem, visit), key=str)
        rng.shuffle(thinkable)
        ways = [(*lines, line) for line in thinkable] if rng.random() < 0.9 else []
        lines = next((way for way in ways if check(problem, Plan(problem.name, way)).valid), lines)
    return Plan(problem.name, lines)


@cache
def case(seed):
    rng = Random(seed)
    problem = random_instance(rng, visits=5, specialists=3, sites=2 + seed % 2, tick=TICK)
    plan = random_plan(rng, problem)
    return problem, plan, tuple(explain(problem, plan))


def carried_out(problem, plan, *lines):
    """The verdict on the plan with these lines instead of those of the same visits."""
    moved = {line.visit for line in lines}
    kept = tuple(line for line in plan.assignments if line.visit not in moved)
    return check(problem, replace(plan, assignments=kept + lines))


def other_lines(problem, plan, visit):
    """Every assignment of the visit that the plan does not have, good or bad."""
    lines = [
        Assignment(visit, name, day, start, option.mode, option.site)
        for option in problem.visits[visit].options
        for name in problem.specialists
        for day in range(len(problem.days))
        for start in range(420, 1080, TICK)
    ]
    return [line for line in lines if line not in plan.assignments]


def alternatives(explanation):
    return explanation.colleagues + explanation.others


@pytest.mark.parametrize("seed", SEEDS)
def test_an_alternative_costs_just_what_is_said(seed):
    problem, plan, explanations = case(seed)
    cost = check(problem, plan).cost
    for explanation in explanations:
        for one in alternatives(explanation):
            report = carried_out(problem, plan, one.line, *one.moves)
            assert report.violations == ()
            assert report.cost - cost == one.extra
            assert one.line not in plan.assignments
            assert not set(one.moves) & set(plan.assignments)


@pytest.mark.parametrize("seed", SEEDS)
def test_who_is_refused_breaks_a_rule_and_everybody_else_is_an_alternative(seed):
    problem, plan, explanations = case(seed)
    for explanation in explanations:
        if explanation.line is None:
            continue
        able = {one.line.specialist for one in explanation.colleagues if not one.moves}
        refused = {one.specialist for one in explanation.refusals}
        assert able | refused | {explanation.line.specialist} == set(problem.specialists)
        assert len(able) + len(refused) + 1 == len(problem.specialists)
        for name in refused:
            report = carried_out(problem, plan, replace(explanation.line, specialist=name))
            assert report.violations


@pytest.mark.parametrize("seed", SEEDS)
def test_no_single_move_is_cheaper_than_the_alternatives_told(seed):
    problem, plan, explanations = case(seed)
    cost = check(problem, plan).cost
    for explanation in explanations:
        told = [one.extra for one in alternatives(explanation) if not one.moves]
        lines = other_lines(problem, plan, explanation.visit)
        if problem.visits[explanation.visit].promise is not None:
            continue
        reports = [carried_out(problem, plan, line) for line in lines]
        possible = [report.cost - cost for report in reports if report.valid]
        assert min(told, default=None) == min(possible, default=None)


@pytest.mark.parametrize("seed", SEEDS)
def test_an_option_with_a_reason_against_it_is_impossible_at_any_other_time(seed):
    problem, plan, explanations = case(seed)
    for explanation in explanations:
        now = explanation.line
        against = {
            (one.mode, one.site) for one in explanation.reasons if one.code not in ("left_out", "chain")
        }
        for line in other_lines(problem, plan, explanation.visit):
            same_time = now and replace(line, specialist=now.specialist) == now
            if (line.mode, line.site) in against and not same_time:
                assert not carried_out(problem, plan, line).valid


@pytest.mark.parametrize("seed", SEEDS)
def test_the_parts_of_a_visit_are_what_the_plan_would_save_without_it(seed):
    problem, plan, explanations = case(seed)
    cost = check(problem, plan).cost
    for explanation in explanations:
        kept = tuple(line for line in plan.assignments if line.visit != explanation.visit)
        without = check(problem, replace(plan, assignments=kept))
        if explanation.line is not None and without.valid:
            assert cost - without.cost == explanation.parts.total - explanation.loss


def test_the_cases_meet_every_kind_of_answer():
    explanations = [one for seed in SEEDS for one in case(seed)[2]]
    refusals = {refusal.code for one in explanations for refusal in one.refusals}
    assert refusals == {
        "no_skill",
        "no_language",
        "off_duty",
        "in_break",
        "busy",
        "way_too_long",
        "max_travel",
    }
    assert any(one.moves for explanation in explanations for one in explanation.colleagues)
    assert any(one.moves for explanation in explanations for one in explanation.others)
    assert any(one.extra < 0 for explanation in explanations for one in alternatives(explanation))
