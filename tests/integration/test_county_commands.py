"""The county's way into the database and out again, by command."""

from __future__ import annotations

import shutil

import pytest
from sqlalchemy import select

from booking_service.services.county import current_county
from booking_service.store.county_folder import read_folder
from booking_service.store.county_tables import room_table, specialist_table
from booking_service.store.db import db
from tests.citizens import ask
from tests.conftest import EXAMPLES
from tests.promises import everything, plan

COUNTIES = ["mecklenburgische-seenplatte", "helmstedt"]


@pytest.fixture(autouse=True)
def _english(monkeypatch):
    """A terminal without any language of its own."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def folder(tmp_path):
    """A copy of the example that a test may spoil."""
    return shutil.copytree(EXAMPLES / "mecklenburgische-seenplatte", tmp_path / "county")


def run(app, *words):
    return app.test_cli_runner().invoke(args=["county", *map(str, words)])


def numbers():
    """The numbers of specialists and rooms by code."""
    found = [
        dict(db.session.execute(select(table.c.code, table.c.id)).all())
        for table in (specialist_table, room_table)
    ]
    db.session.remove()
    return found


def spoil(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def drop_lines(folder, *words):
    """Take all rows out of the county that name one of the words."""
    for path in folder.glob("*.csv"):
        first, *lines = path.read_text().splitlines(keepends=True)
        path.write_text(first + "".join(line for line in lines if not any(word in line for word in words)))


@pytest.mark.parametrize("name", COUNTIES)
def test_what_was_loaded_is_what_is_exported(app, tmp_path, name):
    assert run(app, "load", EXAMPLES / name).exit_code == 0
    told = run(app, "export", tmp_path / "out")
    assert told.exit_code == 0
    assert "written" in told.stdout
    assert read_folder(tmp_path / "out") == read_folder(EXAMPLES / name) == current_county()
    assert run(app, "load", tmp_path / "out").exit_code == 0
    assert current_county() == read_folder(EXAMPLES / name)


def test_loading_again_keeps_the_numbers_of_specialists_and_rooms(app, folder):
    assert run(app, "load", folder).exit_code == 0
    before = numbers()
    first, *lines = (folder / "specialists.csv").read_text().splitlines(keepends=True)
    (folder / "specialists.csv").write_text(first + "".join(reversed(lines)))
    assert run(app, "load", folder).exit_code == 0
    assert numbers() == before
    assert [s.code for s in current_county().specialists][-1] == "GSI-01"


def test_another_county_replaces_the_one_before(app):
    for name in COUNTIES:
        assert run(app, "load", EXAMPLES / name).exit_code == 0
        assert current_county() == read_folder(EXAMPLES / name)


def test_checking_keeps_nothing(app):
    told = run(app, "check", EXAMPLES / "helmstedt")
    assert told.exit_code == 0
    assert told.stdout.startswith("Landkreis Helmstedt is in order: 2 sites, ")
    assert run(app, "export", "somewhere").exit_code == 1


@pytest.mark.parametrize("command", ["load", "check"])
def test_a_folder_with_mistakes_is_refused_with_all_of_them_at_their_places(loaded, folder, command):
    spoil(folder / "rooms.csv", "DM-BSC-1,DM-BSC,", "DM-BSC-1,MARS,")
    spoil(folder / "working_hours.csv", "GSI-01,1,07:30", "GSI-01,1,7.30")
    spoil(folder / "county.toml", "horizon_days = ", "horizon_days = -")
    before = everything()
    told = run(loaded, command, folder)
    assert told.exit_code == 1
    row = 1 + (folder / "rooms.csv").read_text().partition("MARS")[0].count("\n")
    places = [":".join(line.split(":")[:3]) for line in told.stderr.splitlines()]
    line = 1 + (folder / "county.toml").read_text().partition("horizon_days")[0].count("\n")
    expected = {
        f"rooms.csv:{row}:site",
        "working_hours.csv:2:from",
        f"county.toml:{line}:planning.horizon_days",
    }
    assert set(places) == expected
    assert everything() == before


def test_mistakes_are_told_in_the_language_of_the_terminal(app, folder, monkeypatch):
    spoil(folder / "rooms.csv", "DM-BSC-1,DM-BSC,", "DM-BSC-1,MARS,")
    locales = [
        ({}, "There is no “MARS”"),
        ({"LANG": "en_GB.UTF-8"}, "There is no “MARS”"),
        ({"LANG": "de_DE.UTF-8"}, "„MARS“ gibt es in"),
        ({"LC_ALL": "de_DE.UTF-8", "LANG": "en_GB.UTF-8"}, "„MARS“ gibt es in"),
        ({"LC_ALL": "", "LANG": "de_DE.UTF-8"}, "„MARS“ gibt es in"),
    ]
    for variables, words in locales:
        with monkeypatch.context() as terminal:
            for name, value in variables.items():
                terminal.setenv(name, value)
            assert words in run(app, "check", folder).stderr


def test_a_folder_that_is_not_there_is_told(app, tmp_path):
    told = run(app, "load", tmp_path / "nothing")
    assert told.exit_code == 1
    assert "there is none of this name" in told.stderr


def test_a_site_that_is_gone_but_still_used_by_a_promise_is_refused(loaded, folder):
    ask("GSI-FOLGE", sites=["ROE-SP"])
    assert plan(loaded).promised == 1
    drop_lines(folder, "ROE-SP")
    assert run(loaded, "check", folder).exit_code == 0
    before = everything()
    told = run(loaded, "load", folder)
    assert told.exit_code == 1
    assert told.stderr.splitlines() == [
        "rooms.csv: “ROE-SP-1” is gone now, but requests or appointments still need it.",
        "sites.csv: “ROE-SP” is gone now, but requests or appointments still need it.",
    ]
    assert everything() == before


def test_a_site_that_is_gone_and_used_by_nobody_goes(loaded, folder):
    drop_lines(folder, "ROE-SP")
    told = run(loaded, "load", folder)
    assert (told.exit_code, told.stderr) == (0, "")
    assert "ROE-SP" not in [site.code for site in current_county().sites]


def test_nothing_is_exported_into_a_folder_with_other_files(loaded, tmp_path):
    (tmp_path / "taxes.txt").write_text("2026")
    told = run(loaded, "export", tmp_path)
    assert told.exit_code == 1
    assert "taxes.txt" in told.stderr


@pytest.mark.parametrize(
    "command", [["county", "export", "out"], ["plan"], ["verify"], ["deliver"], ["demo"]]
)
def test_without_a_county_every_command_says_what_to_do(app, command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    told = app.test_cli_runner().invoke(args=command)
    assert told.exit_code == 1
    assert told.stderr == "no county has been loaded: flask county load FOLDER\n"
