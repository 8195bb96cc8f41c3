"""Why a visit is not served: the obstacle nearest to success, option by option."""

import pytest

from routing import Assignment, Option, Plan, Promise, Rooms, Window, reasons
from tests.routing_cases import instance, specialist, visit

ADA, BEN = specialist(), specialist("ben", skills=("care",), languages=("uk",))
AT_DEMMIN = (("on_site", "DM"),)


def reasons_for(problem, *lines, of="v1"):
    return reasons(problem, Plan(problem.name, lines))[of]


def codes(problem, *lines, of="v1"):
    return [one.code for one in reasons_for(problem, *lines, of=of)]


@pytest.mark.parametrize(
    ("people", "fields", "code"),
    [
        ([], {}, "no_skill"),
        ([BEN], {}, "no_skill"),
        ([ADA, BEN], {"language": "uk"}, "no_language"),
        ([ADA], {"options": ()}, "no_windows"),
        ([ADA], {"windows": ((0, 480, 505),)}, "no_windows"),
        ([specialist(modes=frozenset(["phone"]))], {}, "no_mode"),
        ([ADA], {"windows": ((1, 480, 720),)}, "nobody_on_duty"),
        ([ADA], {"windows": ((0, 400, 480),)}, "no_room"),
        ([specialist(shifts=((0, 480, 600),))], {"options": AT_DEMMIN}, "too_far"),
        ([specialist(max_travel=97)], {"options": AT_DEMMIN}, "too_far"),
        ([ADA], {}, "left_out"),
    ],
)
def test_a_visit_alone_in_the_world_meets(people, fields, code):
    assert codes(instance(people, [visit(**fields)])) == [code]


def test_rooms_and_people_taken_by_others_are_told_apart():
    rooms = {"NB": (Rooms(0, 480, 510, 1),), "DM": (Rooms(0, 480, 720, 1),)}
    people = [specialist(), specialist("ben")]
    problem = instance(people, [visit(), visit("v2")], rooms=rooms)
    in_the_room = Assignment("v2", "ben", 0, 480, "on_site", "NB")
    assert codes(problem, in_the_room) == ["rooms_taken"]
    by_phone = visit(options=(("phone", None),), windows=((0, 480, 510),))
    busy = Assignment("v2", "ada", 0, 480, "on_site", "NB")
    assert codes(instance([ADA], [by_phone, visit("v2")]), busy) == ["all_taken"]


def test_each_option_is_judged_and_the_one_nearest_to_success_comes_first():
    options = [Option("on_site", "NB"), Option("phone", None, windows=(Window(1, 480, 720),))]
    problem = instance([ADA], [visit(options=options, windows=((0, 480, 510),)), visit("v2")])
    found = reasons_for(problem, Assignment("v2", "ada", 0, 480, "on_site", "NB"))
    assert [(one.code, one.mode, one.site, one.days, one.specialists) for one in found] == [
        ("all_taken", "on_site", "NB", (0,), 1),
        ("nobody_on_duty", "phone", None, (1,), 1),
    ]


def test_a_promise_that_nobody_could_ever_keep_is_called_impossible():
    promised = visit(options=(), windows=(), promise=Promise(1, 480, "on_site", "NB"))
    assert codes(instance([ADA], [promised])) == ["promise_impossible", "nobody_on_duty"]


def test_a_linked_visit_is_named_as_the_obstacle():
    problem = instance([ADA], [visit(), visit("v2", skill="care")], chains=(("v1", "v2"),))
    assert codes(problem) == ["chain"]
    assert codes(problem, of="v2") == ["no_skill"]


def test_served_visits_need_no_reason():
    problem = instance([ADA], [visit()])
    plan = Plan("case", (Assignment("v1", "ada", 0, 480, "on_site", "NB"),))
    assert reasons(problem, plan) == {}
