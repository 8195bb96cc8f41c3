"""The commands of the planner that show a plan, and what they answer to nonsense."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from routing.__main__ import main

FILES = Path(__file__).parents[1] / "data" / "planning"
TINY, PLAN = str(FILES / "tiny.json"), str(FILES / "tiny.plan.json")


@pytest.fixture
def broken_plan(tmp_path):
    plan = json.loads(Path(PLAN).read_text())
    plan["visits"][0]["start"] += 1
    path = tmp_path / "broken.json"
    path.write_text(json.dumps(plan))
    return str(path)


def test_explain_says_what_a_visit_costs_and_who_else_could_do_it(capsys):
    assert main(["explain", TINY, PLAN, "v6", "v8"]) == 0
    first, *lines = capsys.readouterr().out.splitlines()
    assert first.startswith("v6 (basic, 30 min, priority 1): ada, day 1 (2027-03-04) 08:00, on_site NB, ")
    assert first.endswith(", costs 70 (wait 10, wish 60)")
    assert lines == [
        "  not ben: is not on duty",
        "  not cem: lacks the skill",
        "  or ada, day 1 (2027-03-04) 08:05, on_site NB: costs the same",
        "v8 (care in uk, 60 min, priority 1): not served, costs 1,000",
        "  none of the 1 with the skill speaks the language",
    ]


def test_a_reader_who_has_seen_enough_is_no_mistake():
    command = [sys.executable, "-m", "routing", "explain", TINY, PLAN]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=FILES.parents[2]
    ) as told:
        told.stdout.close()
        assert told.stderr.read() == b""
    assert told.returncode == 0


def test_explain_without_visits_explains_all_and_json_is_one_object_a_line(capsys):
    assert main(["explain", TINY, PLAN, "--json"]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["visit"] for one in told] == [f"v{number}" for number in range(1, 9)]
    assert told[5]["parts"]["wish"] == 60
    assert told[5]["cost"] == 70
    assert told[5]["refusals"][0]["code"] == "off_duty"
    assert told[7]["reasons"][0]["code"] == "no_language"


def test_explain_names_every_unknown_visit(capsys):
    assert main(["explain", TINY, PLAN, "v1", "x", "y"]) == 2
    assert capsys.readouterr().err == f"{TINY}: no visit x, y\n"


@pytest.mark.parametrize("command", [["explain"], ["picture", "-o", "never.svg"]])
def test_a_plan_that_breaks_rules_is_judged_not_shown(command, broken_plan, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main([command[0], TINY, broken_plan, *command[1:]]) == 1
    assert "not on the 5-minute tick" in capsys.readouterr().out
    assert not Path("never.svg").exists()


def test_picture_draws_one_day_or_all(tmp_path):
    target = tmp_path / "plan.svg"
    assert main(["picture", TINY, PLAN, "-o", str(target), "--day", "1"]) == 0
    one_day = target.read_text(encoding="utf-8")
    assert main(["picture", TINY, PLAN, "-o", str(target)]) == 0
    assert len(one_day) < len(target.read_text(encoding="utf-8"))


def test_picture_says_what_it_cannot_do(tmp_path, capsys):
    assert main(["picture", TINY, PLAN, "-o", str(tmp_path / "plan.svg"), "--day", "2"]) == 2
    assert main(["picture", TINY, PLAN, "-o", str(tmp_path / "no" / "plan.svg")]) == 2
    assert capsys.readouterr().err.splitlines() == [
        f"{TINY}: no day 2",
        f"{tmp_path}/no/plan.svg: No such file or directory",
    ]


def test_solve_with_events_keeps_standard_output_for_them(tmp_path):
    command = [
        sys.executable,
        "-m",
        "routing",
        "solve",
        TINY,
        "-o",
        str(tmp_path / "plan.json"),
        "--seconds",
        "0",
    ]
    command += ["--events", "-", "--gantt", str(tmp_path / "plan.svg")]
    told = subprocess.run(command, capture_output=True, text=True, check=True, cwd=FILES.parents[2])
    events = [json.loads(line) for line in told.stdout.splitlines()]
    assert [one["event"] for one in events] == ["progress"] * (len(events) - 1) + ["end"]
    assert f"valid cost={events[-1]['cost']} unserved=" in told.stderr
    assert (tmp_path / "plan.svg").read_text(encoding="utf-8").startswith("<svg")


def test_solve_writes_events_to_a_file_and_says_when_it_cannot(tmp_path, capsys):
    solve = ["solve", TINY, "-o", str(tmp_path / "plan.json"), "--seconds", "0"]
    assert main([*solve, "--events", str(tmp_path / "events")]) == 0
    assert capsys.readouterr().out.startswith("valid cost=")
    assert json.loads((tmp_path / "events").read_text().splitlines()[-1])["event"] == "end"
    assert main([*solve, "--events", str(tmp_path / "no" / "events")]) == 2
    assert capsys.readouterr().err == f"{tmp_path}/no/events: No such file or directory\n"
