"""`python -m routing solve INSTANCE -o PLAN --seconds N` and `python -m routing check INSTANCE PLAN`.

Exit status: 0 a valid plan, 1 violations (one line each), 2 not a proper file or not a proper command (one
line per mistake on standard error).
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from routing.check import Report, check
from routing.files import FileMistakes, read_instance, read_plan, write_plan
from routing.solve import solve
from routing.stop import Progress, Seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from routing.problem import Instance, Plan


_T = TypeVar("_T")


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command and answer its exit status."""
    options = _parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # an id may hold what the terminal cannot show
    command: Callable[[argparse.Namespace], int] = options.command
    return command(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m routing", description="Plan appointments, check plans.")
    commands = parser.add_subparsers(required=True)
    solving = commands.add_parser("solve", help="find a good plan and prove how good it is")
    solving.set_defaults(command=_solve)
    solving.add_argument("instance", type=Path)
    solving.add_argument("-o", "--output", type=Path, required=True, metavar="PLAN")
    solving.add_argument("--seconds", type=_seconds, default=60.0, help="time limit, 60 if not given")
    solving.add_argument("--seed", type=int, default=0)
    solving.add_argument("--start", type=Path, metavar="PLAN", help="a plan to begin with")
    checking = commands.add_parser("check", help="judge a plan")
    checking.set_defaults(command=_check)
    checking.add_argument("instance", type=Path)
    checking.add_argument("plan", type=Path)
    return parser


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds of at least 0")
    return seconds


def _solve(options: argparse.Namespace) -> int:
    begun = time.monotonic()
    instance = _read(options.instance, read_instance)
    if instance is None:
        return 2
    start = _read(options.start, lambda path: read_plan(path, instance)) if options.start else None
    if options.start and start is None:
        return 2
    if not options.output.parent.is_dir():
        _complain(f"{options.output}: no such folder")
        return 2
    display = _Display()
    stop = Seconds(max(0.0, options.seconds - (time.monotonic() - begun)))
    plan = solve(instance, stop=stop, seed=options.seed, start=start, progress=display.show)
    display.close()
    try:
        write_plan(plan, options.output)
    except OSError as error:
        _complain(f"{options.output}: {error.strerror}")
        return 2
    return _judge(instance, plan)


def _check(options: argparse.Namespace) -> int:
    instance = _read(options.instance, read_instance)
    if instance is None:
        return 2
    plan = _read(options.plan, lambda path: read_plan(path, instance))
    return 2 if plan is None else _judge(instance, plan)


def _read(path: Path, read: Callable[[Path], _T]) -> _T | None:
    """What the file holds; its mistakes go to standard error."""
    try:
        return read(path)
    except FileMistakes as error:
        for mistake in error.mistakes:
            _complain(f"{path}: {mistake}")
        return None


def _complain(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _judge(instance: Instance, plan: Plan) -> int:
    report = check(instance, plan)
    for violation in report.violations:
        sys.stdout.write(f"{violation}\n")
    if not report.violations:
        sys.stdout.write(f"{verdict(report)}\n")
    return 1 if report.violations else 0


def verdict(report: Report) -> str:
    """The line on a valid plan that the format documents."""
    unserved = report.unserved or {}
    by_priority = " ".join(f"{priority}:{count}" for priority, count in sorted(unserved.items()))
    bound = "-" if report.bound is None else _number(report.bound)
    gap = "-" if report.gap is None else f"{report.gap:.2%}"
    return (
        f"valid cost={report.cost} unserved={sum(unserved.values())} ({by_priority}) lost={report.lost} "
        f"travel={report.travel} changed={report.changed} bound={bound} gap={gap}"
    )


def _number(value: float) -> str:
    return f"{value:g}" if value % 1 else str(int(value))


class _Display:
    """Progress on standard error: one changing line on a terminal, lines otherwise."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()

    def show(self, progress: Progress) -> None:
        """Say how far the search has come."""
        gap = "-" if progress.gap is None else f"{progress.gap:.2%}"
        line = (
            f"{progress.seconds:7.1f} s  {progress.phase:<9}  cost {progress.cost}  "
            f"unserved {progress.unserved}  bound {progress.bound or '-'}  gap {gap}"
        )
        sys.stderr.write(f"\r\x1b[K{line}" if self._terminal else f"{line}\n")
        sys.stderr.flush()

    def close(self) -> None:
        """Leave the changing line."""
        if self._terminal:
            sys.stderr.write("\n")


if __name__ == "__main__":
    sys.exit(main())
