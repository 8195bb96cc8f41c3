"""The rooms of the house: what each may know, and that the guards against mixing them up do bark."""

from __future__ import annotations

import ast
import re
import shutil
import string
import subprocess
import sys
from pathlib import Path

import pytest

from booking_service.domain.mistakes import ALL_WORDS

ROOT = Path(__file__).parent.parent.parent
SERVICE = ROOT / "booking_service"
TEMPLATES = SERVICE / "web" / "templates"
OUR_FOLDERS = ["booking_service", "routing", "migrations", "tests", "benchmarks", "examples", "docs"]
NOT_OURS = {"node_modules", "__pycache__"}


def modules(*rooms):
    """All modules of some rooms, by path from the root."""
    files = [path for room in rooms for path in sorted((ROOT / room).rglob("*.py"))]
    assert files
    return {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text()) for path in files}


def imported(tree):
    """The full names of the modules that a module imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide which room is entered"
            yield node.module or ""


def strangers(rooms, allowed):
    return {
        (path, name)
        for path, tree in modules(*rooms).items()
        for name in imported(tree)
        if name.split(".")[0] not in sys.stdlib_module_names
        and not any(name == known or name.startswith(f"{known}.") for known in allowed)
    }


def test_the_domain_needs_nothing_but_the_standard_library():
    assert strangers(["booking_service/domain"], ["booking_service.domain"]) == set()


def test_the_planner_needs_nothing_but_ortools_numpy_and_numba():
    assert strangers(["routing"], ["routing", "ortools", "numpy", "numba"]) == set()


def test_a_server_that_plans_loads_neither_ortools_nor_numba():
    code = "import sys, routing; print(sorted({'ortools', 'numba', 'llvmlite'} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"


def test_what_belongs_to_one_http_request_is_touched_in_web_and_app_only():
    bound = {"current_app", "g", "request", "session"}
    found = {
        path
        for path, tree in modules("booking_service").items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and node.module == "flask"
        and bound & {alias.name for alias in node.names}
    }
    assert {
        path for path in found if not path.startswith(("booking_service/web/", "booking_service/app.py"))
    } == set()


def test_only_the_store_begins_and_commits():
    found = {
        path
        for path, tree in modules("booking_service").items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in {"commit", "rollback"}
    }
    assert found == set()


def test_the_domain_and_the_use_cases_never_read_the_clock():
    rooms = ("booking_service/domain", "booking_service/services", "booking_service/store")
    read = re.compile(r"\b(?:datetime|date|time)\.(?:now|today|utcnow|time|monotonic|perf_counter)\(")
    found = {path for path, tree in modules(*rooms).items() if read.search(ast.unparse(tree))}
    assert found == set()


# --- import-linter

PLANTED = {
    "rooms": ("booking_service/store/db.py", "from booking_service.services import links"),
    "domain": ("booking_service/domain/zones.py", "import sqlalchemy"),
    "routing": ("routing/problem.py", "from booking_service.domain import county"),
    "planner": ("booking_service/web/limits.py", "import routing"),
    "flask": ("booking_service/services/links.py", "import flask"),
    "checker": ("routing/check.py", "from routing import timeline"),
}


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """The code alone, to be spoiled."""
    copy = tmp_path_factory.mktemp("house")
    for room in ("booking_service", "routing"):
        shutil.copytree(ROOT / room, copy / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / ".importlinter", copy)
    return copy


def lint(folder):
    command = [Path(sys.executable).parent / "lint-imports", "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_contracts_are_kept(copied):
    told = lint(copied)
    assert told.returncode == 0, told.stdout


def test_every_contract_is_put_to_the_test():
    assert set(re.findall(r"\[importlinter:contract:(\w+)\]", (ROOT / ".importlinter").read_text())) == set(
        PLANTED
    )


@pytest.mark.parametrize("contract", PLANTED)
def test_a_planted_import_breaks_its_contract(copied, contract):
    path, line = PLANTED[contract]
    name = re.search(rf"contract:{contract}\]\nname = (.*)", (copied / ".importlinter").read_text())[1]
    spoiled = copied / path
    before = spoiled.read_text()
    spoiled.write_text(before + f"\n{line}\n")
    try:
        told = lint(copied)
    finally:
        spoiled.write_text(before)
    assert told.returncode == 1
    assert re.search(rf"{re.escape(name)}\s+BROKEN", told.stdout), told.stdout


# --- The files of the project


def our_files():
    for folder in OUR_FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and not NOT_OURS & set(path.parts):
                yield path
    yield from (path for path in sorted(ROOT.iterdir()) if path.is_file())


def test_no_file_names_a_folder_of_somebodys_machine():
    machine = re.compile(rb"(?<![\w.:/}$%])/(?:home|root|work|Users)/[\w.-]+")
    found = {
        (path.relative_to(ROOT).as_posix(), hit.decode())
        for path in our_files()
        if path != Path(__file__)
        for hit in machine.findall(path.read_bytes())
    }
    assert found == set()


def test_every_template_is_used_and_every_used_one_is_there():
    code = "".join(path.read_text() for path in (SERVICE / "web").rglob("*.py"))
    pages = "".join(path.read_text() for path in TEMPLATES.glob("*.html"))
    used = set(re.findall(r'render_template\(\s*"([^"]+)"', code))
    used |= set(re.findall(r'{%-? (?:extends|include|import|from) "([^"]+)"', pages))
    assert used == {path.name for path in TEMPLATES.glob("*.html")}


# --- The words for mistakes


def literals(tree):
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_every_mistake_has_words_and_all_words_are_for_a_mistake():
    words = {"booking_service/domain/mistakes.py", "booking_service/domain/request_words.py"}
    code = {path: tree for path, tree in modules("booking_service").items() if path not in words}
    used = set().union(*map(literals, code.values()))
    assert set(ALL_WORDS) - used == set()
    position = {"Mistake": 1, "BadCell": 0, "BadAddress": 0, "note": 1}
    named = {
        node.args[position[called]].value
        for tree in code.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and (called := getattr(node.func, "id", getattr(node.func, "attr", ""))) in position
        and len(node.args) > position[called]
        and isinstance(node.args[position[called]], ast.Constant)
    }
    assert named
    assert named - set(ALL_WORDS) == set()


@pytest.mark.parametrize("code", ALL_WORDS)
def test_a_mistake_says_the_same_in_both_languages(code):
    filled = {
        language: {field for _, field, _, _ in string.Formatter().parse(words) if field}
        for language, words in ALL_WORDS[code].items()
    }
    assert filled["de"] == filled["en"]
