"""`python -m routing simulate SCENARIO`: reads scenarios, lives through them, shows what came of it."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from routing.files import FileMistakes
from routing.simulation.chart import chart
from routing.simulation.files import read_scenarios
from routing.simulation.report import simulate_all

if TYPE_CHECKING:
    from collections.abc import Mapping

    from routing.simulation.report import Report
    from routing.simulation.scenario import Scenario


def add_simulate(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the sub-command and its options."""
    simulating = commands.add_parser("simulate", help="what if: live through scenarios day by day")
    simulating.set_defaults(command=simulate_command)
    simulating.add_argument("scenario", type=Path)
    simulating.add_argument("--compare", type=Path, nargs="+", default=[], metavar="SCENARIO")
    simulating.add_argument("--days", type=_at_least_one, help="calendar days, else as the file says")
    simulating.add_argument("--seed", type=int, default=0)
    simulating.add_argument("--runs", type=_at_least_one, default=1, help="repetitions with other people")
    simulating.add_argument("--processes", type=_at_least_one, default=1, help="runs at the same time")
    simulating.add_argument("--csv", type=Path, metavar="FILE", help="every figure of every run")
    simulating.add_argument("--chart", type=Path, metavar="FILE.svg", help="waiting and backlog by week")


def simulate_command(options: argparse.Namespace) -> int:
    """Carry out the command: 0 done, 2 not a proper file."""
    scenarios = _read([options.scenario, *options.compare])
    if scenarios is None:
        return 2
    for path in (options.csv, options.chart):
        if path is not None and not path.parent.is_dir():
            sys.stderr.write(f"{path}: no such folder\n")
            return 2
    if options.days is not None:
        scenarios = {name: shortened(one, options.days) for name, one in scenarios.items()}
    report = simulate_all(
        scenarios,
        runs=options.runs,
        seed=options.seed,
        processes=options.processes,
        progress=lambda text: print(text, file=sys.stderr, flush=True),  # noqa: T201 - a command's own words
    )
    sys.stdout.write(f"{report.table()}\n\n{report.answer()}\n")
    return _write(report, options.csv, options.chart)


def shortened(scenario: Scenario, days: int) -> Scenario:
    """The scenario for so many days; of a short one the first third is the warm-up at most."""
    return replace(scenario, days=days, warm_up=min(scenario.warm_up, days // 3))


def _read(paths: list[Path]) -> Mapping[str, Scenario] | None:
    """The scenarios of all files; where there are several, each name begins with that of its file."""
    found: dict[str, Scenario] = {}
    right = True
    for path in paths:
        try:
            scenarios = read_scenarios(path)
        except FileMistakes as error:
            sys.stderr.writelines(f"{path}: {mistake}\n" for mistake in error.mistakes)
            right = False
        else:
            one = len(paths) == 1
            found |= {name if one else f"{path.stem}: {name}": s for name, s in scenarios.items()}
    return found if right else None


def _write(report: Report, table: Path | None, picture: Path | None) -> int:
    for path, text in ((table, report.csv), (picture, lambda: chart(report))):
        if path is not None:
            try:
                path.write_text(text(), encoding="utf-8")
            except OSError as error:
                sys.stderr.write(f"{path}: {error.strerror}\n")
                return 2
    return 0


def _at_least_one(text: str) -> int:
    number = int(text) if text.isdecimal() and len(text) < 7 else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of at least 1")
    return number
