"""The entry point: stop criteria, start plans, chains, odd instances, and the command line."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from routing import (
    AnyOf,
    Gap,
    Instance,
    NoImprovement,
    Plan,
    Progress,
    Promise,
    Rooms,
    Seconds,
    Shift,
    Work,
    check,
    read_instance,
    read_plan,
    solve,
    write_instance,
    write_plan,
)
from routing.__main__ import main
from routing.board import Board
from routing.greedy import greedy
from tests.routing_cases import WEIGHTS, instance, specialist, visit

DATA = Path(__file__).parent.parent / "data" / "planning"
NO_TIME = Seconds(0)


def progress(**fields):
    return Progress(**{"seconds": 5, "phase": "search", "cost": 100, "bound": 90, "unserved": 0} | fields)


def test_the_worked_example_is_solved_and_proven():
    tiny = read_instance(DATA / "tiny.json")
    seen = []
    plan = solve(tiny, stop=Seconds(60), progress=seen.append)
    report = check(tiny, plan)
    assert (report.violations, report.cost, report.bound) == ((), 1208, 1208)
    assert (seen[0].phase, seen[-1].cost, seen[-1].bound) == ("greedy", 1208, 1208)


def test_without_time_the_first_plan_is_returned():
    small = read_instance(DATA / "small.json.gz")
    report = check(small, solve(small, stop=NO_TIME))
    assert report.valid
    assert report.cost == greedy(Board(small)).cost


def test_a_week_becomes_much_better_than_greedy_and_gets_a_bound():
    small = read_instance(DATA / "small.json.gz")
    report = check(small, solve(small, stop=AnyOf((Gap(0.17), Seconds(60)))))
    assert report.valid
    assert report.cost < greedy(Board(small)).cost
    assert report.gap <= 0.17


def test_a_given_plan_is_never_made_worse():
    tiny = read_instance(DATA / "tiny.json")
    best = read_plan(DATA / "tiny.plan.json", tiny)
    again = solve(tiny, stop=NO_TIME, start=best)
    assert check(tiny, again).cost == 1208


def test_an_interruption_returns_the_best_plan():
    def interrupt(_):
        raise KeyboardInterrupt

    small = read_instance(DATA / "small.json.gz")
    report = check(small, solve(small, stop=Seconds(60), progress=interrupt))
    assert report.cost == greedy(Board(small)).cost


def test_stop_criteria_are_values_that_combine():
    assert Seconds(5).is_met(progress())
    assert not Seconds(6).is_met(progress())
    assert Gap(0.1).is_met(progress())
    assert not Gap(0.1).is_met(progress(bound=None))
    assert NoImprovement(3).is_met(progress(unchanged=3))
    assert AnyOf((Seconds(9), Gap(0.1))).is_met(progress())
    assert AnyOf((Gap(0), Seconds(9), Seconds(4))).horizon() == 4
    assert Gap(0).horizon() is None
    assert Work(7).is_met(progress(work=7))
    assert not Work(7).is_met(progress(work=6.9))
    assert AnyOf((Work(9), Seconds(4), Work(8))).work() == 8
    assert AnyOf((Gap(0), Seconds(4))).work() is None
    with pytest.raises(ValueError, match="seconds must be a finite number"):
        Seconds(-1)


def test_a_chain_is_served_back_to_back_or_not_at_all():
    people = [specialist(shifts=((0, 480, 540),)), specialist("ben", shifts=((0, 480, 540),))]
    visits = [visit("v1"), visit("v2", minutes=20), visit("v3", minutes=90)]
    linked = instance(people, visits, chains=(("v1", "v2"),))
    report = check(linked, solve(linked, stop=Seconds(2)))
    assert (report.violations, report.unserved) == ((), {1: 1, 2: 0, 3: 0})
    hopeless = instance(people, visits, chains=(("v1", "v3"),))
    plan = solve(hopeless, stop=Seconds(2))
    assert check(hopeless, plan).valid
    assert [line.visit for line in plan.assignments] == ["v2"]
    assert check(hopeless, plan).bound <= 2000


def test_the_same_seed_and_work_give_the_same_plan():
    small = read_instance(DATA / "small.json.gz")
    twice = [solve(small, stop=Work(0.5), seed=3) for _ in range(2)]
    assert twice[0] == twice[1]
    report = check(small, twice[0])
    assert report.cost < greedy(Board(small)).cost
    assert report.bound > 0


def test_time_ends_what_work_would_not():
    small = read_instance(DATA / "small.json.gz")
    assert check(small, solve(small, stop=AnyOf((Work(10**6), Seconds(1))))).valid


def test_where_nothing_can_be_kept_the_search_is_compiled_all_the_same():
    nowhere = {
        "NUMBA_CACHE_LOCATOR_CLASSES": "_UserProvidedCacheLocator",
        "NUMBA_CACHE_DIR": os.devnull + "/x",
    }
    command = [sys.executable, "-c", "from routing import kernel; print(kernel.run._cache.cache_path)"]
    told = subprocess.run(
        command, env=os.environ | nowhere, cwd=DATA.parents[2], capture_output=True, text=True, check=True
    )
    assert told.stdout == "None\n"


def children():
    """The processes that this one has started and that still run."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent, _ = stat.read_text().rpartition(")")[2].split(None, 2)
            if int(parent) == os.getpid() and state not in "ZX":
                found.append(int(stat.parent.name))
    return found


@pytest.mark.parametrize("blow", [signal.SIGSTOP, signal.SIGKILL])
def test_children_that_hang_or_die_cost_the_search_nothing_but_time(blow):
    before, struck = set(children()), set()  # a database of other tests may run as a child, too

    def strike(state):
        for child in set(children()) - before if state.phase == "search" else ():
            os.kill(child, blow)
            struck.add(child)

    small = read_instance(DATA / "small.json.gz")
    report = check(small, solve(small, stop=Seconds(4), progress=strike))
    assert struck
    assert report.valid
    assert report.cost <= greedy(Board(small)).cost
    assert set(children()) <= before


def test_children_without_memory_leave_the_first_plan(monkeypatch):
    monkeypatch.setattr(sys.modules["routing.solve"], "_MEMORY_MB", 200)
    small = read_instance(DATA / "small.json.gz")
    with pytest.warns(RuntimeWarning, match="no answer from its children"):
        plan = solve(small, stop=Seconds(20))
    assert check(small, plan).cost == greedy(Board(small)).cost


@pytest.mark.parametrize(("visits", "served"), [(500, True), (501, False)])
def test_only_many_visits_stay_unserved_for_want_of_time(visits, served):
    problem = instance([specialist()], [visit(f"v{n}") for n in range(visits)])
    past = time.monotonic() - 1
    hasty = Board(problem, past)
    assert hasty.is_complete is served
    for draft in (greedy(hasty), greedy(Board(problem), until=past)):
        assert check(problem, draft.plan()).valid
        assert bool(draft.lines()) is served


def empty(**fields):
    none = {"specialists": {}, "visits": {}, "rooms": {}, "travel": {}, "days": (), "chains": ()}
    return Instance(**{"name": "case", "tick": 5, "weights": WEIGHTS} | none | fields)


ALWAYS = Rooms(0, 480, 720, 10**9)
PROMISED = Promise(0, 480, "on_site", "NB")
HUGE = 10**30


@pytest.mark.parametrize(
    ("problem", "cost"),
    [
        (empty(), 0),
        (instance([], [visit()]), 1000),
        (instance([specialist()], []), 0),
        (instance([specialist(shifts=())], [visit()]), 1000),
        (instance([specialist()], [visit(options=())]), 1000),
        (instance([specialist()], [visit(windows=())]), 1000),
        (instance([specialist()], [visit()], rooms={"NB": (), "DM": ()}), 1000),
        (instance([specialist()], [visit()], rooms={"NB": (ALWAYS,), "DM": ()}), 0),
        (instance([specialist()], [visit(promise=PROMISED), visit("v2", promise=PROMISED)]), 100_000),
        (instance([specialist()], [visit(promise=replace(PROMISED, day=1))]), 100_000),
        (instance([specialist()], [visit(promise=replace(PROMISED, start=1440))]), 100_000),
        (instance([specialist(max_travel=0)], [visit(options=(("on_site", "DM"),))]), 1000),
        (instance([specialist()], [visit()], tick=1), 0),
        (instance([specialist()], [visit(minutes=60)], tick=60), 0),
        (
            instance(
                [specialist()],
                [visit(options=(("on_site", "DM"),))],
                travel={"NB": {"NB": 0, "DM": HUGE}, "DM": {"NB": HUGE, "DM": 0}},
            ),
            1000,
        ),
        (
            instance(
                [specialist()],
                [visit(options=(("on_site", "DM"),)), visit("v2", language="uk")],
                weights=replace(WEIGHTS, unserved={1: HUGE, 2: HUGE, 3: HUGE}),
            ),
            HUGE + 98,
        ),
        (instance([specialist(shifts=(Shift(0, 480, 600), Shift(0, 600, 720)))], [visit(minutes=120)]), 0),
    ],
)
def test_odd_instances_are_solved(problem, cost):
    report = check(problem, solve(problem, stop=Seconds(4)))
    assert (report.violations, report.cost) == ((), cost)
    assert report.bound >= 0


def run(*arguments):
    return main([str(argument) for argument in arguments])


def test_the_commands_solve_and_check(tmp_path, capsys):
    target = tmp_path / "plan.json.gz"
    assert run("solve", DATA / "tiny.json", "-o", target, "--seconds", 60) == 0
    assert run("check", DATA / "tiny.json", target) == 0
    solved, checked = capsys.readouterr().out.splitlines()
    assert solved == checked
    assert solved == (
        "valid cost=1208 unserved=1 (1:1 2:0 3:0) lost=0 travel=98 changed=1 bound=1208 gap=0.00%"
    )
    assert gzip.decompress(target.read_bytes()).startswith(b"{")


def test_violations_are_printed_line_by_line(tmp_path, capsys):
    tiny = read_instance(DATA / "tiny.json")
    plan = read_plan(DATA / "tiny.plan.json", tiny)
    broken = replace(plan, bound=None, assignments=plan.assignments[:2] + plan.assignments[:1])
    write_plan(broken, tmp_path / "plan.json")
    assert run("check", DATA / "tiny.json", tmp_path / "plan.json") == 1
    lines = capsys.readouterr().out.splitlines()
    assert "visits[2] v1: listed more than once" in lines


def test_an_unusable_file_is_told_on_standard_error(tmp_path, capsys):
    bad = tmp_path / "bad.json"
    bad.write_text(json.dumps({"format": "plan-instance/1"}))
    assert run("check", bad, DATA / "tiny.plan.json") == 2
    assert run("solve", bad, "-o", tmp_path / "x.json") == 2
    assert run("solve", DATA / "tiny.json", "-o", tmp_path / "none" / "x.json") == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert f"{bad}: visits: is missing" in streams.err.splitlines()


@pytest.mark.parametrize("amount", ["-1", "nan", "inf", "soon"])
@pytest.mark.parametrize("limit", ["--seconds", "--work", "--gap", "--no-improvement"])
def test_a_limit_must_make_sense(limit, amount, tmp_path, capsys):
    with pytest.raises(SystemExit) as caught:
        run("solve", DATA / "tiny.json", "-o", tmp_path / "x.json", limit, amount)
    assert caught.value.code == 2
    assert "is not a number" in capsys.readouterr().err


def test_the_command_ends_at_the_first_criterion_that_is_met(tmp_path, capsys):
    target = tmp_path / "plan.json"
    small = DATA / "small.json.gz"
    assert run("solve", small, "-o", target, "--seconds", 600, "--gap", 0.9) == 0
    assert run("solve", small, "-o", target, "--seconds", 600, "--no-improvement", 0) == 0
    assert run("solve", small, "-o", target, "--work", 0) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert all(line.startswith("valid cost=51263 ") for line in lines)


def test_control_c_writes_the_best_plan_so_far(tmp_path):
    target = tmp_path / "plan.json"
    with subprocess.Popen(
        [sys.executable, "-m", "routing", "solve", DATA / "small.json.gz", "-o", target, "--seconds", "60"],
        cwd=Path(__file__).parent.parent.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert b"greedy" in process.stderr.readline()
        os.kill(process.pid, signal.SIGINT)
        out, _ = process.communicate()
    assert process.returncode == 0
    assert out.startswith(b"valid cost=")
    assert check(
        read_instance(DATA / "small.json.gz"), read_plan(target, read_instance(DATA / "small.json.gz"))
    ).valid


def test_a_written_instance_is_solved_as_the_value_is(tmp_path):
    problem = instance([specialist()], [visit()])
    write_instance(problem, tmp_path / "case.json")
    again = read_instance(tmp_path / "case.json")
    assert solve(again, stop=NO_TIME) == solve(problem, stop=NO_TIME)
    assert isinstance(solve(problem, stop=NO_TIME), Plan)
