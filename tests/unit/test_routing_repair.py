"""Repair: what is kept, what is lost and why, what could be promised instead, and how well it is proven."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from routing import (
    Obstacle,
    Plan,
    Promise,
    Proof,
    Rooms,
    Seconds,
    Work,
    check,
    read_instance,
    repair,
    write_instance,
)
from routing.__main__ import main
from tests.routing_cases import instance, specialist, visit

TINY = Path(__file__).parent.parent / "data" / "planning" / "tiny.json"
TIME = Seconds(20)


def promised(name, start=540, holder="ada", mode="on_site", site="NB", **more):
    return visit(name, promise=Promise(0, start, mode, site), holder=holder, **more)


def takers(repaired):
    return {line.visit: line.specialist for line in repaired.plan.assignments}


def stages(day):
    return {stage.aim: stage.value for stage in day.stages}


def test_where_everybody_can_stay_nobody_moves_even_for_less_travel():
    staff = [specialist("ada"), specialist("bea", base="DM")]
    problem = instance(staff, [promised("v1", site="DM"), promised("v2", 600, "bea", site="DM")])
    for at_prices in (False, True):
        repaired = repair(problem, stop=TIME, at_prices=at_prices)
        assert takers(repaired) == {"v1": "ada", "v2": "bea"}
        assert (repaired.moves, repaired.lost, repaired.citizens, repaired.specialists) == ({}, (), 0, 0)
        assert repaired.days[0].is_optimal
        assert repaired.plan.bound < check(problem, repaired.plan).cost


def test_the_most_urgent_promise_is_kept_where_not_all_can_be():
    visits = [promised("low", holder="gone"), promised("high", holder="gone", priority=3)]
    problem = instance([specialist("ada")], visits)
    repaired = repair(problem, stop=TIME)
    report = check(problem, repaired.plan)
    assert takers(repaired) == {"high": "ada"}
    assert report.valid
    assert repaired.plan.bound == report.cost
    assert stages(repaired.days[0]) == {"lost_3": 0, "lost_2": 0, "lost_1": 1, "changed": 1, "cost": 0}
    assert {stage.proof for stage in repaired.days[0].stages} == {Proof.OPTIMAL}
    assert (repaired.citizens, repaired.specialists) == (2, 2)


def test_a_lost_promise_is_explained_and_has_the_nearest_other_times_that_still_fit():
    problem = instance([specialist("ada")], [promised("v1"), promised("v2", holder="gone")])
    (lost,) = repair(problem, stop=TIME).lost
    assert lost.visit == "v2"
    assert [reason.code for reason in lost.reasons] == [Obstacle.ALL_TAKEN]
    assert [(one.day, one.start, one.site) for one in lost.proposals] == [(0, 510, "NB"), (0, 570, "NB")]
    with_new = replace(problem.visits["v2"], promise=Promise(0, lost.proposals[0].start, "on_site", "NB"))
    again = repair(replace(problem, visits=problem.visits | {"v2": with_new}), stop=TIME)
    assert again.lost == ()


def test_other_ways_and_later_days_are_proposed_where_the_same_place_has_no_time():
    staff = [specialist("ada", shifts=((1, 480, 540),)), specialist("bea", shifts=((0, 600, 630),))]
    one = promised("v1", options=(("on_site", "NB"), ("phone", None)), holder="gone")
    problem = instance(staff, [one], rooms={"NB": (Rooms(1, 480, 960, 1),)}, travel={"NB": {"NB": 0}})
    (lost,) = repair(problem, stop=TIME).lost
    assert [(p.day, p.start, p.mode) for p in lost.proposals] == [
        (0, 600, "phone"),
        (1, 510, "on_site"),
        (1, 480, "on_site"),
        (1, 510, "phone"),
        (1, 480, "phone"),
    ]
    assert [reason.code for reason in lost.reasons][:1] == [Obstacle.PROMISE_IMPOSSIBLE]


def test_of_more_promises_than_rooms_the_model_chooses_what_is_lost():
    staff = [specialist("ada"), specialist("bea")]
    visits = [
        promised("long", minutes=60),
        promised("first", holder="bea", priority=2),
        promised("second", 570, holder="bea"),
    ]
    rooms = {"NB": (Rooms(0, 480, 960, 1),)}
    problem = instance(staff, visits, rooms=rooms, travel={"NB": {"NB": 0}})
    repaired = repair(problem, stop=TIME)
    assert takers(repaired) == {"first": "bea", "second": "bea"}
    assert [lost.reasons[0].code for lost in repaired.lost] == [Obstacle.ROOMS_TAKEN]


def test_linked_visits_are_kept_together_or_lost_together():
    staff = [specialist("ada"), specialist("bea", skills=("care",), shifts=((0, 480, 560),))]
    visits = [promised("v1", holder="gone"), promised("v2", 570, "bea", skill="care")]
    problem = replace(instance(staff, visits), chains=(("v1", "v2"),))
    repaired = repair(problem, stop=TIME)
    assert takers(repaired) == {}
    assert repaired.citizens == 1
    assert {lost.visit for lost in repaired.lost} == {"v1", "v2"}
    first, second = repaired.lost
    assert first.proposals == second.proposals != ()
    whole = replace(problem, specialists=problem.specialists | {"bea": specialist("bea", skills=("care",))})
    assert takers(repair(whole, stop=TIME)) == {"v1": "ada", "v2": "bea"}


def test_what_is_not_promised_is_left_aside():
    problem = instance([specialist("ada")], [promised("v1", holder="gone"), visit("v2")])
    repaired = repair(problem, stop=TIME)
    report = check(problem, repaired.plan)
    assert takers(repaired) == {"v1": "ada"}
    assert report.valid
    assert repaired.plan.bound <= report.cost


def test_nothing_promised_is_nothing_to_repair():
    repaired = repair(instance([], []), stop=TIME)
    assert (repaired.plan, repaired.days, repaired.lost) == (Plan("case", (), 0), (), ())


@pytest.mark.parametrize("huge", [10**30, 10**400], ids=["30 digits", "400 digits"])
def test_prices_beyond_all_measure_change_nothing_about_what_is_kept(huge):
    visits = [promised("low", holder="gone"), promised("high", holder="gone", priority=3)]
    problem = instance([specialist("ada"), specialist("bea", skills=())], visits)
    weights = replace(problem.weights, lost_promise=huge, change=huge, wish=huge, travel_minute=huge)
    for at_prices in (False, True):
        repaired = repair(replace(problem, weights=weights), stop=TIME, at_prices=at_prices)
        assert len(repaired.lost) == 1
        assert check(replace(problem, weights=weights), repaired.plan).valid


def test_without_time_whoever_can_stay_stays_and_the_plan_is_valid():
    problem = instance([specialist("ada")], [promised("v1"), promised("v2", 600, "gone")])
    repaired = repair(problem, stop=Seconds(0))
    assert takers(repaired) == {"v1": "ada", "v2": "ada"}
    assert check(problem, repaired.plan).valid
    assert Proof.CUT in {stage.proof for stage in repaired.days[0].stages}


def test_the_same_work_gives_the_same_repair():
    visits = [promised(f"v{n}", 480 + 30 * n, "gone", site="DM") for n in range(6)]
    problem = instance([specialist("ada"), specialist("bea"), specialist("cleo", base="DM")], visits)
    one, other = (repair(problem, stop=Work(1)) for _ in range(2))
    assert (one.plan, one.days) == (other.plan, other.days)


def test_the_command_writes_the_plan_and_says_what_is_lost(tmp_path, capsys):
    visits = [promised("low", holder="ada"), promised("high", holder="ada", priority=3)]
    write_instance(instance([specialist("ada")], visits), tmp_path / "day.json")
    paths = [str(tmp_path / name) for name in ("day.json", "plan.json", "told.json")]
    command = ["repair", paths[0], "-o", paths[1], "--json", paths[2], "--seconds", "20"]
    assert main(command) == 0
    verdict, lost = capsys.readouterr().out.splitlines()
    assert verdict.startswith("valid cost=100000 unserved=1 (1:1 2:0 3:0) lost=1 ")
    assert lost == (
        "lost low (day 0 (2027-03-02) 09:00, on_site NB): on_site NB: all 1 who could serve it serve others "
        "(day 0); instead, one at a time: day 0 (2027-03-02) 08:30, on_site NB, with ada or "
        "day 0 (2027-03-02) 09:30, on_site NB, with ada"
    )
    assert main(["check", paths[0], paths[1]]) == 0
    told = json.loads(Path(paths[2]).read_text())
    assert [one["visit"] for one in told["lost"]] == ["low"]
    assert told["days"][0]["stages"][2] == {"aim": "lost_1", "value": 1, "bound": 1, "proof": "optimal"}


def test_the_command_refuses_a_folder_that_is_not_there(tmp_path, capsys):
    assert main(["repair", str(TINY), "-o", str(tmp_path / "none" / "plan.json")]) == 2
    assert "no such folder" in capsys.readouterr().err


def test_a_plan_of_a_repair_is_never_worse_than_what_the_holders_can_still_keep():
    problem = read_instance(TINY)
    repaired = repair(problem, stop=TIME)
    assert {"v5": "ada"}.items() <= takers(repaired).items()
    assert check(problem, repaired.plan).lost == 0
