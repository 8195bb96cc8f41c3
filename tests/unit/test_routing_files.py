"""Instance and plan files: what is accepted, how every mistake is named, and that writing loses nothing."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from routing import (
    Assignment,
    FileMistakes,
    Option,
    Plan,
    parse_instance,
    parse_plan,
    read_instance,
    read_plan,
    write_instance,
    write_plan,
)

DATA = Path(__file__).parent.parent / "data" / "planning"


@pytest.fixture
def tiny():
    return json.loads((DATA / "tiny.json").read_text())


def mistakes(raw):
    with pytest.raises(FileMistakes) as caught:
        parse_instance(json.dumps(raw).encode())
    return caught.value.mistakes


def test_what_is_written_is_read_again(tmp_path):
    for name in ("tiny.json", "small.json.gz"):
        problem = read_instance(DATA / name)
        for target in ("a.json", "b.json.gz"):
            write_instance(problem, tmp_path / target)
            assert read_instance(tmp_path / target) == problem
    assert (tmp_path / "b.json.gz").read_bytes().startswith(b"\x1f\x8b")


def test_the_same_value_gives_the_same_bytes(tmp_path):
    problem = read_instance(DATA / "tiny.json")
    plan = read_plan(DATA / "tiny.plan.json", problem)
    for target in ("a.json.gz", "b.json.gz"):
        write_plan(plan, tmp_path / target)
    assert (tmp_path / "a.json.gz").read_bytes() == (tmp_path / "b.json.gz").read_bytes()
    assert read_plan(tmp_path / "a.json.gz", problem) == plan


def test_a_failed_writing_leaves_the_old_file_and_no_rubbish(tmp_path):
    target = tmp_path / "plan.json"
    target.mkdir()
    with pytest.raises(OSError, match=r"plan\.json"):
        write_plan(Plan("tiny"), target)
    assert list(tmp_path.iterdir()) == [target]


def test_unnamed_keys_are_ignored_and_windows_may_overlap(tiny):
    tiny["comment"] = {"anything": None}
    tiny["visits"][0]["windows"] *= 2
    tiny["visits"][1] |= {"options": [], "windows": []}
    problem = parse_instance(json.dumps(tiny).encode())
    assert len(problem.visits["v1"].windows) == 2
    assert problem.visits["v2"].options == ()


def test_all_mistakes_are_named_at_once_with_their_places(tiny):
    tiny["visits"][3]["windows"][0]["from"] = 487
    tiny["visits"][0]["priority"] = 4
    tiny["specialists"][1]["base"] = "XX"
    del tiny["weights"]["wish"]
    assert mistakes(tiny) == (
        'specialists[1].base: site "XX" is unknown',
        "visits[0].priority: 4 is not in 1 to 3",
        "visits[3].windows[0].from: 487 is not a multiple of the tick",
        "weights.wish: is missing",
    )


@pytest.mark.parametrize(
    ("path", "value", "mistake"),
    [
        (("format",), "plan/1", 'format: is "plan/1", expected "plan-instance/1"'),
        (("tick_minutes",), 0, "tick_minutes: 0 is not in 1 to 1440"),
        (("tick_minutes",), True, "tick_minutes: must be an integer, not true"),
        (("name",), None, "name: must be a string, not null"),
        (("days", 1), "2027-03-02", 'days[1]: "2027-03-02" does not come after "2027-03-02"'),
        (("travel", "NB", "DM"), -1, "travel.NB.DM: -1 is not at least 0"),
        (("travel", "NB", "DM"), 1.5, "travel.NB.DM: must be an integer, not 1.5"),
        (("travel", "NB", "NB"), 1, "travel.NB.NB: 1 from a site to itself, must be 0"),
        (("sites", 1, "id"), "NB", 'sites[1].id: "NB" is given more than once'),
        (("sites", 0, "rooms", 1, "day"), 0, "sites[0].rooms: overlap on day 0 at minute 480"),
        (("visits", 1, "id"), "v1", 'visits[1].id: "v1" is given more than once'),
        (("weights", "wish"), 10**101, "weights.wish: a number of more than 40 digits is not at most 10^100"),
        (("sites", 0, "id"), "N\nB", "travel.N\\nB: is missing"),
        (("sites", 0, "id"), "N" * 9999, f"travel.{'N' * 113}...: is missing"),
        (("visits", 0, "minutes"), 10**50, "visits[0].minutes: a number of more than 40 digits"),
        (("visits", 0, "wish"), "eve", 'visits[0].wish: specialist "eve" is unknown'),
        (("visits", 0, "release"), 1, "visits[0].windows[0].day: 0 lies before the release day 1"),
        (("visits", 0, "windows", 0, "to"), 480, "visits[0].windows[0]: from 480 is not before to 480"),
        (("visits", 0, "options", 0, "site"), None, "visits[0].options[0].site: on_site with site null"),
        (("visits", 0, "options", 0, "mode"), "fax", 'visits[0].options[0].mode: "fax" is none of'),
        (("visits", 4, "promise"), {}, "visits[4].promise.day: is missing"),
        (("specialists", 0, "shifts", 0, "breaks"), [[720, 990]], "specialists[0].shifts[0].breaks: must"),
        (("specialists", 0, "shifts", 0, "breaks"), [[720]], "shifts[0].breaks[0]: must be [from, to]"),
        (("specialists", 0, "shifts", 1, "day"), 0, "specialists[0].shifts: overlap on day 0"),
    ],
)
def test_each_mistake_is_named_with_its_place(tiny, path, value, mistake):
    *parents, last = path
    node = tiny
    for key in parents:
        node = node[key]
    node[last] = value
    assert any(mistake in found for found in mistakes(tiny))


@pytest.mark.parametrize(
    ("data", "mistake"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b"\xff", "not UTF-8 (byte 0)"),
        (b"[]", "must be an object, not []"),
        (b'{"a": NaN}', "NaN is not a number"),
        (b'{"name": "a", "name": "b"}', 'key "name" is given 2 times in one object'),
        (b'{"visits": [0, {"id": 1, "id": 2}]}', 'visits[1]: key "id" is given 2 times in one object'),
        (
            b'{"visits": [' + b"0," * 100_000 + b"0]}",
            "visits: 100001 are given, at most 100000 can be planned",
        ),
        (gzip.compress(b" " * 2**20) * 257, "more than 256 MB, the most that is read"),
        (b'{"a": 1' + b"0" * 5000 + b"}", "not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b"\x1f\x8b", "broken gzip file"),
        (gzip.compress(b"{}", mtime=0)[:-3], "broken gzip file"),
    ],
    ids=[
        "empty",
        "cut short",
        "not text",
        "a list",
        "not a number",
        "key twice",
        "key twice further down",
        "too many visits",
        "too large when unpacked",
        "too many digits",
        "too deep",
        "only the magic bytes",
        "cut gzip",
    ],
)
def test_what_is_no_json_object_is_refused_without_a_traceback(data, mistake):
    with pytest.raises(FileMistakes) as caught:
        parse_instance(data)
    assert any(mistake in found for found in caught.value.mistakes)


def test_a_file_that_is_not_there_is_a_mistake(tmp_path):
    with pytest.raises(FileMistakes, match="no such file"):
        read_instance(tmp_path / "none.json")


def test_a_plan_must_be_made_for_the_instance():
    problem = read_instance(DATA / "tiny.json")
    plan = json.loads((DATA / "tiny.plan.json").read_text()) | {"instance": "other", "bound": "low"}
    plan["visits"][1]["day"] = 1.0
    with pytest.raises(FileMistakes) as caught:
        parse_plan(json.dumps(plan).encode(), problem)
    assert caught.value.mistakes == (
        'instance: the plan is for "other", not for "tiny"',
        "visits[1].day: must be an integer, not 1.0",
        'bound: must be a number or null, not "low"',
    )


def test_a_plan_without_a_bound_and_with_odd_lines_is_a_plan():
    problem = read_instance(DATA / "tiny.json")
    line = {"id": "v9", "specialist": "x", "day": -1, "start": 3, "mode": "fax", "site": None}
    raw = {"format": "plan/1", "instance": "tiny", "visits": [line]}
    plan = parse_plan(json.dumps(raw).encode(), problem)
    assert plan == Plan("tiny", (Assignment("v9", "x", -1, 3, "fax", None),))


def test_what_the_format_cannot_say_is_not_written(tmp_path):
    problem = read_instance(DATA / "tiny.json")
    short = replace(problem.visits["v1"], options=(Option("on_site", "DM", minutes=10),))
    limited = replace(problem.specialists["ada"], modes=frozenset(["phone"]))
    unspeakable = replace(
        problem,
        visits=problem.visits | {"v1": short},
        specialists=problem.specialists | {"ada": limited},
        chains=(("v2", "v3"),),
    )
    with pytest.raises(ValueError, match=r"chains of visits; visit v1: .* on_site at DM; specialist ada"):
        write_instance(unspeakable, tmp_path / "x.json")
    assert not (tmp_path / "x.json").exists()
