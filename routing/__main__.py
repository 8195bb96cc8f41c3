"""`python -m routing COMMAND`: solve, repair, check, explain, picture and simulate; `--help` says how.

Exit status: 0 a valid plan, 1 violations (one line each), 2 not a proper file or not a proper command (one
line per mistake on standard error).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import time
from contextlib import ExitStack, contextmanager
from functools import partial
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, TypeVar

from routing.check import Report, check
from routing.explain import explain
from routing.files import FileMistakes, read_instance, read_plan, write_plan
from routing.picture import draw
from routing.repair import repair
from routing.simulation.command import add_simulate
from routing.solve import solve
from routing.stop import AnyOf, Gap, NoImprovement, Seconds, Work
from routing.telling import as_json, line_on_lost, lines_on, repair_as_json
from routing.terminal import Display, Events, worth_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from routing.problem import Instance, Plan
    from routing.stop import Progress, Stop


_T = TypeVar("_T")
_DEFAULT_SECONDS = 60.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command and answer its exit status."""
    options = _parser().parse_args(arguments)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # an id may hold what the terminal cannot show
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        status = command(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # whoever read has seen enough, as `head` has; what is left must not be tried again at the exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m routing", description="Plan appointments, check plans.")
    commands = parser.add_subparsers(required=True)
    solving = commands.add_parser("solve", help="find a good plan and prove how good it is")
    solving.set_defaults(command=_solve)
    solving.add_argument("instance", type=Path)
    solving.add_argument("-o", "--output", type=Path, required=True, metavar="PLAN")
    solving.add_argument(
        "--seconds", type=_seconds, metavar="N", help="time limit; 60 if neither it nor --work is given"
    )
    work = "units of work, about seconds of one core: the same seed and work give the same plan"
    solving.add_argument("--work", type=_amount, metavar="N", help=work)
    gap = "end once the plan is proven to lie within this share of the optimum, 0.05 for 5 %%"
    solving.add_argument("--gap", type=_amount, metavar="SHARE", help=gap)
    patience = "end when for so many seconds neither plan nor bound has become better"
    solving.add_argument("--no-improvement", type=_seconds, metavar="N", help=patience)
    solving.add_argument("--seed", type=int, default=0)
    solving.add_argument("--start", type=Path, metavar="PLAN", help="a plan to begin with")
    solving.add_argument("--gantt", type=Path, metavar="FILE.svg", help="draw the plan")
    events = "progress as JSON lines; with - they go to standard output and the verdict to standard error"
    solving.add_argument("--events", metavar="FILE|-", help=events)
    checking = commands.add_parser("check", help="judge a plan")
    checking.set_defaults(command=_check)
    checking.add_argument("instance", type=Path)
    checking.add_argument("plan", type=Path)
    repairing = commands.add_parser("repair", help="keep what was promised when somebody drops out")
    repairing.set_defaults(command=_repair)
    repairing.add_argument("instance", type=Path)
    repairing.add_argument("-o", "--output", type=Path, required=True, metavar="PLAN")
    repairing.add_argument("--seconds", type=_seconds, default=_DEFAULT_SECONDS, metavar="N", help="60")
    repairing.add_argument("--seed", type=int, default=0)
    prices = "weigh losses, changes and travel by their prices, not one before the other"
    repairing.add_argument("--at-prices", action="store_true", help=prices)
    repairing.add_argument("--json", type=Path, metavar="FILE", help="proofs, losses, proposals and moves")
    explaining = commands.add_parser("explain", help="say why visits are served as they are, or not at all")
    explaining.set_defaults(command=_explain)
    explaining.add_argument("instance", type=Path)
    explaining.add_argument("plan", type=Path)
    explaining.add_argument("visits", nargs="*", metavar="VISIT", help="ids; all visits if none is given")
    explaining.add_argument("--json", action="store_true", help="one JSON object a line")
    drawing = commands.add_parser("picture", help="draw a plan")
    drawing.set_defaults(command=_picture)
    drawing.add_argument("instance", type=Path)
    drawing.add_argument("plan", type=Path)
    drawing.add_argument("-o", "--output", type=Path, required=True, metavar="FILE.svg")
    drawing.add_argument("--day", type=int, metavar="N", help="one day only, by its index")
    add_simulate(commands)
    return parser


def _seconds(text: str) -> float:
    return _at_least_zero(text, "number of seconds")


def _amount(text: str) -> float:
    return _at_least_zero(text, "number")


def _at_least_zero(text: str, what: str) -> float:
    try:
        amount = float(text)
    except ValueError:
        amount = math.nan
    if not 0 <= amount < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a {what} of at least 0")
    return amount


def _stop(options: argparse.Namespace, begun: float) -> Stop:
    """When the search that began then is over: as soon as anything that was asked for is met."""
    stops: list[Stop] = []
    if options.seconds is not None:
        stops.append(Seconds(max(0.0, options.seconds - (time.monotonic() - begun))))
    if options.work is not None:
        stops.append(Work(options.work))
    if options.gap is not None:
        stops.append(Gap(options.gap))
    if options.no_improvement is not None:
        stops.append(NoImprovement(options.no_improvement))
    return AnyOf(tuple(stops))


def _solve(options: argparse.Namespace) -> int:
    begun = time.monotonic()
    if options.seconds is None and options.work is None:
        options.seconds = _DEFAULT_SECONDS
    instance = _read(options.instance, read_instance)
    if instance is None:
        return 2
    start = _read(options.start, lambda path: read_plan(path, instance)) if options.start else None
    if options.start and start is None:
        return 2
    if not _has_folders(options.output, options.gantt):
        return 2
    with ExitStack() as files:
        try:
            events = files.enter_context(_events(options.events, worth_of(instance)))
        except OSError as error:
            _complain(f"{options.events}: {error.strerror}")
            return 2
        display = Display(sys.stderr, options.seconds, worth_of(instance))
        stop = _stop(options, begun)
        watchers: list[Display | Events] = [display, events] if events else [display]
        plan = solve(
            instance, stop=stop, seed=options.seed, start=start, progress=partial(_show_to_all, watchers)
        )
        display.close()
        return _deliver(instance, plan, options, events)


@contextmanager
def _events(target: str | None, worth: int) -> Iterator[Events | None]:
    """Where the events go, if anywhere."""
    if target is None:
        yield None
        return
    to_output = target == "-"
    with FileIO(sys.stdout.fileno() if to_output else target, "w", closefd=not to_output) as stream:
        yield Events(stream, worth)


def _show_to_all(watchers: Sequence[Display | Events], progress: Progress) -> None:
    for watcher in watchers:
        watcher.show(progress)


def _deliver(instance: Instance, plan: Plan, options: argparse.Namespace, events: Events | None) -> int:
    """Write the plan and what else was asked for, and judge it."""
    if not _wrote_plan(options.output, plan):
        return 2
    if events is not None:
        events.end(check(instance, plan))
        if events.lost is not None:
            _complain(f"{options.events}: {events.lost.strerror}; later events are lost")
    if options.gantt is not None and not _wrote(options.gantt, draw(instance, plan)):
        return 2
    return _judge(instance, plan, sys.stderr if options.events == "-" else sys.stdout)


def _repair(options: argparse.Namespace) -> int:
    begun = time.monotonic()
    instance = _read(options.instance, read_instance)
    if instance is None or not _has_folders(options.output, options.json):
        return 2
    display = Display(sys.stderr, options.seconds, worth_of(instance))
    repaired = repair(
        instance,
        stop=Seconds(max(0.0, options.seconds - (time.monotonic() - begun))),
        seed=options.seed,
        progress=display.show,
        at_prices=options.at_prices,
    )
    display.close()
    if not _wrote_plan(options.output, repaired.plan):
        return 2
    told = json.dumps(repair_as_json(repaired))
    if options.json is not None and not _wrote(options.json, f"{told}\n"):
        return 2
    status = _judge(instance, repaired.plan, sys.stdout)
    sys.stdout.writelines(f"{line_on_lost(instance, one)}\n" for one in repaired.lost)
    return status


def _check(options: argparse.Namespace) -> int:
    read = _read_both(options)
    return _judge(*read, sys.stdout) if read else 2


def _explain(options: argparse.Namespace) -> int:
    read = _read_both(options)
    if read is None:
        return 2
    instance, plan = read
    unknown = [visit for visit in options.visits if visit not in instance.visits]
    if unknown:
        _complain(f"{options.instance}: no visit {', '.join(unknown)}")
        return 2
    if not check(instance, plan).valid:
        return _judge(instance, plan, sys.stdout)
    for explanation in explain(instance, plan, options.visits or None):
        lines = [json.dumps(as_json(explanation))] if options.json else lines_on(instance, explanation)
        sys.stdout.writelines(f"{line}\n" for line in lines)
    return 0


def _picture(options: argparse.Namespace) -> int:
    read = _read_both(options)
    if read is None:
        return 2
    instance, plan = read
    if options.day is not None and not 0 <= options.day < len(instance.days):
        _complain(f"{options.instance}: no day {options.day}")
        return 2
    if not check(instance, plan).valid:
        return _judge(instance, plan, sys.stdout)
    return 0 if _wrote(options.output, draw(instance, plan, day=options.day)) else 2


def _has_folders(*paths: Path | None) -> bool:
    """Whether there is a folder for each; which is missing goes to standard error."""
    missing = next((path for path in paths if path is not None and not path.parent.is_dir()), None)
    if missing is not None:
        _complain(f"{missing}: no such folder")
    return missing is None


def _wrote_plan(path: Path, plan: Plan) -> bool:
    """Whether the plan could be written; why not goes to standard error."""
    try:
        write_plan(plan, path)
    except OSError as error:
        _complain(f"{path}: {error.strerror}")
        return False
    return True


def _wrote(path: Path, text: str) -> bool:
    """Whether the file could be written; why not goes to standard error."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        _complain(f"{path}: {error.strerror}")
        return False
    return True


def _read_both(options: argparse.Namespace) -> tuple[Instance, Plan] | None:
    """The instance and the plan for it; their mistakes go to standard error."""
    instance = _read(options.instance, read_instance)
    if instance is None:
        return None
    plan = _read(options.plan, lambda path: read_plan(path, instance))
    return None if plan is None else (instance, plan)


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


def _judge(instance: Instance, plan: Plan, stream: TextIO) -> int:
    report = check(instance, plan)
    stream.writelines(f"{violation}\n" for violation in report.violations)
    if not report.violations:
        stream.write(f"{verdict(report)}\n")
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


if __name__ == "__main__":
    sys.exit(main())
