"""What a search shows: a bar on a terminal, lines elsewhere, events for other programs."""

import io
import json
import os

import pytest

from routing import Progress, Report
from routing.terminal import Display, Events, worth_of
from tests.routing_cases import instance, visit

HALF_WAY = Progress(seconds=30.0, phase="search", cost=40_000, bound=30_000, unserved=12)


class Terminal(io.StringIO):
    def isatty(self):
        return True


def shown(stream, *, limit=60, worth=200_000):
    display = Display(stream, limit, worth)
    display.show(HALF_WAY)
    display.close()
    return stream.getvalue()


@pytest.fixture
def width(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    return lambda columns: monkeypatch.setenv("COLUMNS", str(columns))


def test_a_wide_terminal_shows_a_bar_and_all_figures_in_one_line(width):
    width(200)
    assert shown(Terminal()) == (
        "\r\x1b[K[########........]  30.0/60 s  search     cost 40,000  gap 25.00% (5.00% of worth)  "
        "unserved 12  bound 30,000\n"
    )


@pytest.mark.parametrize("columns", [1, 5, 20, 40, 60, 80, 100])
def test_the_line_never_wraps_and_keeps_whole_figures(width, columns):
    width(columns)
    line = shown(Terminal()).removeprefix("\r\x1b[K").rstrip("\n")
    assert len(line) < columns
    assert columns < 60 or line.endswith(("cost 40,000", "of worth)", "unserved 12", "bound 30,000"))


def test_elsewhere_each_report_is_a_line_without_control_characters():
    line = shown(io.StringIO())
    assert line.startswith("30.0/60 s  search")
    assert line.endswith("bound 30,000\n")
    assert "\x1b" not in line


def test_a_terminal_that_cannot_erase_gets_lines(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    assert "\x1b" not in shown(Terminal())


def test_without_a_limit_there_is_no_bar(width):
    width(200)
    assert shown(Terminal(), limit=None).startswith("\r\x1b[K30.0 s  search")


def test_what_is_not_known_is_a_dash():
    stream = io.StringIO()
    Display(stream, 60, 0).show(Progress(1.0, "greedy", 0, None, 0))
    assert stream.getvalue() == "1.0/60 s  greedy     cost 0  gap -  unserved 0  bound -\n"


def test_the_worth_of_an_instance_is_what_serving_nobody_costs():
    assert worth_of(instance([], [visit(), visit("v2", priority=3)])) == 10_000


def test_events_are_json_lines_with_the_shares_as_numbers(tmp_path):
    with io.FileIO(tmp_path / "events", "w") as stream:
        events = Events(stream, 200_000)
        events.show(HALF_WAY)
        events.end(Report((), cost=40_000, unserved={1: 10, 2: 2}, lost=0, travel=7, changed=1, bound=30_000))
    progress, end = map(json.loads, (tmp_path / "events").read_text().splitlines())
    assert progress == {
        "event": "progress",
        "seconds": 30.0,
        "unchanged": 0.0,
        "phase": "search",
        "cost": 40_000,
        "bound": 30_000,
        "gap": 0.25,
        "gap_of_worth": 0.05,
        "unserved": 12,
    }
    assert (end["event"], end["valid"], end["unserved"], end["travel"]) == ("end", True, 12, 7)


def test_a_search_goes_on_when_nobody_reads_its_events():
    reader, writer = os.pipe()
    os.close(reader)
    with io.FileIO(writer, "w") as stream:
        events = Events(stream, 1)
        events.show(HALF_WAY)
        events.show(HALF_WAY)
    assert isinstance(events.lost, BrokenPipeError)
