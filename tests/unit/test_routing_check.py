"""Each rule of a plan, broken by hand; and the cost of the worked example."""

from dataclasses import replace
from pathlib import Path

import pytest

from routing import Assignment, Option, Plan, Promise, Rooms, Shift, Window, check, read_instance, read_plan
from tests.routing_cases import instance, specialist, visit

DATA = Path(__file__).parent.parent / "data" / "planning"


def at_base(name="v1", start=480, *, who="ada", day=0):
    return Assignment(name, who, day, start, "on_site", "NB")


def in_demmin(name="v1", start=530, *, who="ada", day=0):
    return Assignment(name, who, day, start, "on_site", "DM")


def violations(problem, *lines, bound=None):
    return check(problem, Plan(problem.name, lines, bound)).violations


def only_violation(problem, *lines):
    found = violations(problem, *lines)
    assert len(found) == 1, found
    return found[0]


def test_the_worked_example_costs_1208():
    tiny = read_instance(DATA / "tiny.json")
    report = check(tiny, read_plan(DATA / "tiny.plan.json", tiny))
    assert report.valid
    assert (report.cost, report.unserved) == (1208, {1: 1, 2: 0, 3: 0})
    assert (report.lost, report.travel, report.changed, report.bound, report.gap) == (0, 98, 1, 1208, 0)


def test_an_empty_plan_loses_everything_and_is_valid():
    tiny = read_instance(DATA / "tiny.json")
    report = check(tiny, Plan("tiny"))
    assert (report.cost, report.lost) == (5 * 1000 + 3000 + 2 * 100_000, 2)


def test_a_visit_that_keeps_the_rules_is_accepted():
    assert violations(instance([specialist()], [visit()]), at_base()) == ()


def test_what_the_instance_does_not_know_is_named_with_its_position():
    problem = instance([specialist()], [visit()])
    found = violations(
        problem,
        at_base("v9"),
        at_base(who="nobody"),
        at_base(day=2),
        Assignment("v1", "ada", 0, 480, "on_site", "XX"),
        Assignment("v1", "ada", 0, 480, "phone", "NB"),
    )
    assert found == (
        "visits[0] v9: the visit is unknown",
        "visits[1] v1: specialist nobody is unknown",
        "visits[2] v1: day 2 is unknown",
        "visits[3] v1: site XX is unknown",
        "visits[4] v1: phone at NB is no way to meet",
    )


def test_a_plan_for_another_instance_is_refused():
    problem = instance([specialist()], [visit()])
    assert "for instance 'other'" in check(problem, Plan("other")).violations[0]


def test_a_visit_is_listed_once():
    problem = instance([specialist(), specialist("ben")], [visit()])
    assert "listed more than once" in only_violation(problem, at_base(), at_base(who="ben"))


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"skill": "care"}, "lacks the skill care"),
        ({"language": "uk"}, "does not speak uk"),
        ({"options": (("video", "NB"),)}, "not among its options"),
        ({"windows": ((0, 485, 720),)}, "in none of its windows"),
        ({"windows": ((1, 480, 720),)}, "in none of its windows"),
        ({"windows": ((0, 480, 495), (0, 495, 720))}, "in none of its windows"),
        ({"promise": Promise(0, 485, "on_site", "NB")}, "not what was promised"),
    ],
)
def test_the_visit_itself_must_be_met(fields, complaint):
    assert complaint in only_violation(instance([specialist()], [visit(**fields)]), at_base())


def test_a_start_lies_on_the_tick():
    assert "5-minute tick" in only_violation(instance([specialist()], [visit()]), at_base(start=483))


def test_a_specialist_serves_only_in_her_modes():
    phone_only = specialist(modes=frozenset(["phone"]))
    assert "does not serve by on_site" in only_violation(instance([phone_only], [visit()]), at_base())


def test_an_option_may_have_its_own_length_and_windows():
    short = Option("on_site", "NB", minutes=10, windows=(Window(0, 480, 490, 7),))
    problem = instance([specialist()], [visit(options=[short])])
    report = check(problem, Plan("case", (at_base(),)))
    assert (report.violations, report.cost) == ((), 7)
    assert "none of its windows" in only_violation(problem, at_base(start=485))


def test_a_promise_needs_neither_option_nor_window_and_costs_nothing_but_the_change():
    promised = visit(options=(), windows=(), promise=Promise(0, 480, "on_site", "NB"), holder="ben")
    report = check(instance([specialist(), specialist("ben")], [promised]), Plan("case", (at_base(),)))
    assert (report.cost, report.changed) == (40, 1)


def test_work_lies_in_one_shift_and_outside_the_breaks():
    two = specialist(shifts=((0, 480, 495), (0, 495, 720)))
    assert "lies in no shift" in only_violation(instance([two], [visit()]), at_base())
    pausing = specialist(shifts=(Shift(0, 480, 720, ((500, 510),)),))
    assert "overlaps a break" in only_violation(instance([pausing], [visit()]), at_base())


def test_nobody_serves_two_visits_at_once():
    problem = instance([specialist()], [visit(), visit("v2")])
    assert "overlap" in only_violation(problem, at_base(), at_base("v2", 505))
    assert violations(problem, at_base(), at_base("v2", 510)) == ()


def test_the_way_there_and_back_must_fit_into_the_shift():
    problem = instance([specialist()], [visit(options=(("on_site", "DM"),))])
    assert violations(problem, in_demmin(start=530)) == ()
    assert "48 minutes from NB to DM" in only_violation(problem, in_demmin(start=525))
    assert "50 minutes from DM to NB" in only_violation(problem, in_demmin(start=645))


def test_a_break_may_not_cut_a_way_in_two():
    pausing = specialist(shifts=(Shift(0, 480, 720, ((500, 510),)),))
    problem = instance([pausing], [visit(options=(("on_site", "DM"),))])
    assert "longest free stretch 45" in only_violation(problem, in_demmin(start=555))
    assert violations(problem, in_demmin(start=560)) == ()


def test_the_limit_of_travel_holds_for_the_whole_day():
    visits = [visit(options=(("on_site", "DM"),), windows=((0, 480, 960),)) for _ in range(2)]
    visits = [replace(one, id=f"v{n}") for n, one in enumerate(visits)]
    twice = specialist(shifts=((0, 480, 720), (0, 720, 960)), max_travel=195)
    lines = in_demmin("v0", 530), in_demmin("v1", 770)
    assert "travels 196 minutes, 195 allowed" in only_violation(instance([twice], visits), *lines)
    assert violations(instance([replace(twice, max_travel=196)], visits), *lines) == ()


def test_video_takes_a_room_at_the_site_and_the_specialist_stays_at_her_base():
    rooms = {"NB": (), "DM": (Rooms(0, 480, 720, 1),)}
    visits = [visit(options=(("video", "DM"),)), visit("v2", options=(("video", "DM"),))]
    problem = instance([specialist(), specialist("ben")], visits, rooms=rooms)
    first = Assignment("v1", "ada", 0, 480, "video", "DM")
    assert violations(problem, first) == ()
    second = Assignment("v2", "ben", 0, 505, "video", "DM")
    assert only_violation(problem, first, second) == "site DM, day 0, 08:25: too few rooms"
    assert violations(problem, first, replace(second, start=510)) == ()


def test_a_room_is_needed_for_the_whole_visit():
    rooms = {"NB": (Rooms(0, 480, 500, 1), Rooms(0, 505, 720, 1)), "DM": ()}
    problem = instance([specialist()], [visit()], rooms=rooms)
    assert only_violation(problem, at_base()) == "site NB, day 0, 08:20: too few rooms"


def test_waiting_wish_and_penalties_are_paid_for():
    fussy = visit(
        options=(Option("on_site", "NB", 15),),
        windows=((1, 480, 720, 9), (1, 480, 600, 4)),
        priority=2,
        wish="ben",
    )
    problem = instance([specialist(shifts=((1, 480, 720),)), specialist("ben")], [fussy])
    report = check(problem, Plan("case", (at_base(day=1),)))
    assert report.cost == 15 + 4 + 10 * 2 + 60


def test_a_bound_above_the_cost_is_a_violation():
    problem = instance([specialist()], [visit()])
    assert violations(problem, at_base(), bound=0) == ()
    assert "exceeds the plan's own cost 0" in violations(problem, at_base(), bound=0.5)[0]


def test_a_chain_is_served_as_a_whole_back_to_back_in_one_place():
    people = [specialist(), specialist("ben")]
    visits = [visit(), visit("v2", options=(("on_site", "NB"), ("video", "NB")))]
    problem = instance(people, visits, chains=(("v1", "v2"),))
    assert violations(problem) == ()
    assert violations(problem, at_base(), at_base("v2", 510, who="ben")) == ()
    assert "v2 not served" in only_violation(problem, at_base())
    assert "does not follow" in only_violation(problem, at_base(), at_base("v2", 515))
    by_video = Assignment("v2", "ada", 0, 510, "video", "NB")
    assert "does not follow" in only_violation(problem, at_base(), by_video)
