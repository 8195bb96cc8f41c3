"""The planner beside others on the same instances, with the same seconds and the same checker.

    python benchmarks/peers/compare.py INSTANCE... --seconds N [--checker CHECK_PLAN] [--json FILE]

Each method runs alone, in processes of its own; nothing else should run. Seconds are those of the whole
command, reading and writing included; memory is the peak of the sum over its processes. Where there is no
environment of the peers, setup.sh makes it first.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(ROOT), str(HERE.parent)]

from planning import first_come  # noqa: E402 - the paths must be set first

from routing import read_instance, write_plan  # noqa: E402
from routing.board import Board  # noqa: E402
from routing.greedy import greedy  # noqa: E402

PEERS = ROOT / "build" / "peers" / "env" / "bin" / "python"
MODEL = ROOT / "build" / "peers" / "classes" / "TimefoldModel.class"
FIRST_COME, GREEDY, OURS = "first come, first served", "greedy", "Terminlotse"
TIMEFOLD = "Timefold", "Timefold from greedy"
METHODS = [FIRST_COME, GREEDY, "VROOM", *TIMEFOLD, OURS]
SEED = "1"
GRACE = 60
"""Seconds after the limit at which a method is ended."""
VERDICT = re.compile(r"valid cost=(\d+) unserved=(\d+) .* lost=(\d+)")


@dataclass(frozen=True)
class Row:
    """What one method did; without a valid plan there are no figures of it, and `verdict` says why."""

    instance: str
    method: str
    limit: float
    cost: int | None
    unserved: int | None
    lost: int | None
    seconds: float
    peak_mb: int
    verdict: str


def measure(method: str, path: Path, options: argparse.Namespace, folder: Path) -> Row:
    """Let one method plan, and judge what it left."""
    command = _command(method, path, options.seconds, folder)
    log, plan = folder / "log", _plan(folder, method)
    begun, peak = time.monotonic(), 0
    with log.open("w") as stream:
        process = subprocess.Popen(command, cwd=ROOT, stdout=stream, stderr=stream, start_new_session=True)
        while process.poll() is None:
            peak = max(peak, _resident(process.pid))
            if time.monotonic() > begun + options.seconds + GRACE:
                os.killpg(process.pid, signal.SIGKILL)
            time.sleep(0.05)
    seconds = round(time.monotonic() - begun, 1)
    ours: list[str | Path] = [sys.executable, "-m", "routing", "check", path, plan]
    judges: list[list[str | Path]] = [ours, *([sys.executable, one, path, plan] for one in options.checker)]
    verdicts = [_verdict(judge) for judge in judges] if plan.exists() else [log.read_text()[-400:]]
    found = VERDICT.match(verdicts[0])
    agreed = found if all(one[: len(found[0])] == found[0] for one in verdicts if found) else None
    cost, unserved, lost = map(int, agreed.groups()) if agreed else (None, None, None)
    name = path.name.split(".")[0]
    told = " / ".join(dict.fromkeys(verdicts))
    return Row(name, method, options.seconds, cost, unserved, lost, seconds, peak // 1024, told)


def _plan(folder: Path, method: str) -> Path:
    return folder / f"{method}.plan.json"


def _command(method: str, path: Path, seconds: float, folder: Path) -> list[str | Path]:
    asked: list[str | Path] = [path, "-o", _plan(folder, method)]
    if method in (FIRST_COME, GREEDY):
        return [sys.executable, __file__, *asked, "--simple", method]
    asked += ["--seconds", str(seconds)]
    if method == "VROOM":
        return [PEERS, HERE / "vroom_plan.py", *asked]
    if method in TIMEFOLD:
        start: list[str | Path] = ["--start", _plan(folder, GREEDY)] if method != TIMEFOLD[0] else []
        return [PEERS, HERE / "timefold_plan.py", *asked, "--seed", SEED, *start]
    return [sys.executable, "-m", "routing", "solve", *asked, "--seed", SEED]


def _verdict(command: list[str | Path]) -> str:
    """The checker's line on a valid plan, or what it says first."""
    judged = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return (judged.stdout + judged.stderr).partition("\n")[0]


def _resident(pid: int) -> int:
    """What the process and all below it have in memory, in KB."""
    try:
        children = "".join(task.read_text() for task in Path(f"/proc/{pid}/task").glob("*/children"))
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:  # it has ended
        return 0
    own = sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))
    return own + sum(_resident(int(child)) for child in children.split())


def simple(method: str, path: Path, output: Path) -> None:
    """A plan by a method that needs no search."""
    board = Board(read_instance(path))
    write_plan(first_come(board) if method == FIRST_COME else greedy(board).plan(), output)


def main() -> None:
    """Measure all, print the table and write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("instances", type=Path, nargs="+", metavar="INSTANCE")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument(
        "--checker", type=Path, action="append", default=[], help="check_plan.py, to judge too"
    )
    parser.add_argument("--only", nargs="+", choices=METHODS, default=METHODS, metavar="METHOD")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--simple", help=argparse.SUPPRESS)
    parser.add_argument("-o", "--output", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.simple:
        simple(options.simple, options.instances[0], options.output)
        return
    if not (PEERS.exists() and MODEL.exists()):
        subprocess.run([HERE / "setup.sh"], check=True)
    rows = []
    print("| instance | method | cost | unserved | lost | seconds | MB |\n|---|---|---|---|---|---|---|")
    for path in map(Path.resolve, options.instances):
        with tempfile.TemporaryDirectory() as folder:
            for method in (one for one in METHODS if one in options.only):
                rows.append(measure(method, path, options, Path(folder)))
                print(_line(rows[-1]), flush=True)
    if options.json:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")


def _line(row: Row) -> str:
    figures = f"{row.cost:,} | {row.unserved} | {row.lost}" if row.cost is not None else "no valid plan | |"
    return f"| `{row.instance}` | {row.method} | {figures} | {row.seconds:g} | {row.peak_mb:,} |"


if __name__ == "__main__":
    main()
