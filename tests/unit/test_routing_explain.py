"""Explanations of a plan: fixed visits, linked visits and what stands in the way of colleagues."""

from dataclasses import replace

import pytest

from routing import Assignment, Plan, Promise, Refusal, Shift, explain
from tests.routing_cases import instance, specialist, visit

ADA, BEN = specialist(), specialist("ben", max_travel=90)


def explained(problem, *lines, of="v1"):
    return next(explain(problem, Plan(problem.name, lines), [of]))


def at(name, who="ada", start=480, site="NB", day=0):
    return Assignment(name, who, day, start, "on_site", site)


def test_a_visit_costs_its_wait_its_wish_and_its_share_of_the_travel():
    away = visit(options=[("on_site", "DM", 7)], windows=((1, 480, 960, 5),), wish="ben", priority=2)
    problem = instance([specialist(shifts=((1, 480, 960),)), BEN], [away])
    told = explained(problem, at("v1", start=600, site="DM", day=1))
    parts = told.parts
    assert (parts.wait, parts.option, parts.window, parts.wish, parts.change, parts.travel) == (
        20,
        7,
        5,
        60,
        0,
        98,
    )
    assert (parts.total, told.loss) == (190, 3000)


def test_a_promised_visit_may_change_hands_only():
    promised = visit(promise=Promise(0, 480, "on_site", "NB"), holder="ada")
    told = explained(instance([ADA, BEN], [promised]), at("v1"))
    assert told.fixed
    assert (told.others, told.reasons) == ((), ())
    assert [(one.line, one.extra) for one in told.colleagues] == [(at("v1", "ben"), 40)]


def test_a_linked_visit_may_change_hands_only():
    pair = [visit(), visit("v2")]
    problem = instance([ADA, BEN], pair, chains=(("v1", "v2"),))
    told = explained(problem, at("v1"), at("v2", start=510))
    assert told.fixed
    assert told.others == ()
    assert [one.line for one in told.colleagues] == [at("v1", "ben")]


@pytest.mark.parametrize(
    ("ben", "lines", "refusal"),
    [
        ({"skills": ("care",)}, (), Refusal("ben", "no_skill")),
        ({"modes": frozenset(["phone"])}, (), Refusal("ben", "no_mode")),
        ({"shifts": ((1, 480, 720),)}, (), Refusal("ben", "off_duty")),
        ({"shifts": (Shift(0, 480, 720, ((600, 610),)),)}, (), Refusal("ben", "in_break")),
        ({}, (at("v2", "ben", 615, "DM"),), Refusal("ben", "busy", ("v2",))),
        (
            {"base": "NB", "shifts": ((0, 580, 720),)},
            (),
            Refusal("ben", "way_too_long", ("", "v1"), "NB", "DM", 48, 20),
        ),
        (
            {"shifts": (Shift(0, 480, 900, ((640, 650),)),)},
            (at("v2", "ben", 690),),
            Refusal("ben", "way_too_long", ("v1", "v2"), "DM", "NB", 50, 40),
        ),
        ({"max_travel": 97}, (), Refusal("ben", "max_travel", minutes=98, allowed=97)),
    ],
)
def test_a_colleague_is_refused_by_the_first_rule_that_forbids_it(ben, lines, refusal):
    at_demmin = [visit(name, options=(("on_site", "DM"),)) for name in ("v1", "v2")]
    for line in lines:
        at_demmin[1] = replace(at_demmin[1], promise=Promise(0, line.start, "on_site", line.site))
    people = [specialist(), specialist("ben", **ben)]
    told = explained(instance(people, at_demmin), at("v1", start=600, site="DM"), *lines)
    assert told.refusals == (refusal,)


def test_who_could_as_soon_as_another_visit_changes_hands_is_told_with_both_moves():
    people = [ADA, specialist("ben", skills=("basic", "care"))]
    pair = [
        visit(promise=Promise(0, 480, "phone", None), wish="ben"),
        visit("v2", promise=Promise(0, 480, "phone", None)),
    ]
    lines = [Assignment(name, who, 0, 480, "phone", None) for name, who in (("v1", "ada"), ("v2", "ben"))]
    told = explained(instance(people, pair), *lines)
    assert told.refusals == (Refusal("ben", "busy", ("v2",)),)
    (swap,) = told.colleagues
    assert (swap.line, swap.moves) == (
        replace(lines[0], specialist="ben"),
        (replace(lines[1], specialist="ada"),),
    )
    assert swap.extra == -60


def test_for_an_unserved_visit_it_is_told_who_must_move():
    urgent = visit("v1", options=(("phone", None),), windows=((0, 480, 510),), priority=3)
    later = visit("v2", options=(("phone", None),), windows=((0, 480, 510), (1, 480, 510)))
    ada = specialist(shifts=((0, 480, 510), (1, 480, 510)))
    told = explained(instance([ada], [urgent, later]), Assignment("v2", "ada", 0, 480, "phone", None))
    assert [one.code for one in told.reasons] == ["all_taken"]
    (way_in,) = told.others
    assert way_in.line == Assignment("v1", "ada", 0, 480, "phone", None)
    assert way_in.moves == (Assignment("v2", "ada", 1, 480, "phone", None),)
    assert way_in.extra == 10 - 9000


@pytest.fixture
def odd_ways():
    """Nobody gets from A to C in time but over B, and back: who is at B holds her day together."""
    travel = {
        "A": {"A": 0, "B": 10, "C": 200},
        "B": {"A": 10, "B": 0, "C": 10},
        "C": {"A": 10, "B": 10, "C": 0},
    }
    rooms = dict.fromkeys("ABC", instance([], []).rooms["NB"])
    visits = [visit(options=(("on_site", "B"),)), visit("v2", options=(("on_site", "C"),))]
    people = [specialist(base="A"), specialist("ben", base="A")]
    return instance(people, visits, travel=travel, rooms=rooms)


def test_a_visit_that_her_day_hangs_on_can_move_on_that_day_only(odd_ways):
    told = explained(odd_ways, at("v1", start=490, site="B"), at("v2", start=650, site="C"))
    assert told.refusals == (Refusal("ben", "needed_on_the_way"),)
    assert told.colleagues == ()
    assert [(one.line, one.extra) for one in told.others] == [(at("v1", start=495, site="B"), 0)]
    assert told.parts.travel == 30 - 210


def test_a_visit_with_no_other_time_on_the_day_that_hangs_on_it_cannot_move_at_all(odd_ways):
    visits = dict(odd_ways.visits)
    visits["v1"] = visit(options=(("on_site", "B"), ("phone", None)), windows=((0, 490, 520),))
    fixed = replace(odd_ways, visits=visits)
    told = explained(fixed, at("v1", start=490, site="B"), at("v2", start=650, site="C"))
    assert (told.colleagues, told.others) == ((), ())
    assert [(one.code, one.mode, one.days) for one in told.reasons] == [("needed_on_the_way", "phone", (0,))]


def test_only_a_valid_plan_is_explained():
    problem = instance([ADA], [visit()])
    with pytest.raises(ValueError, match="breaks a rule"):
        explain(problem, Plan("case", (at("v1", "ada", 481),)))
