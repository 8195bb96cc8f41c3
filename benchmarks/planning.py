"""Speed and quality of the planner, comparable from one commit to the next.

    python benchmarks/planning.py FOLDER --seconds 60 -o planning.json

Solves every instance of the folder (`*.json`, `*.json.gz`, no plans) and some that it makes itself with fixed
seeds. Each runs in a process of its own, so that the peak of memory is its own; with two processes of the
planner on two cores nothing else should run.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from routing import (  # noqa: E402 - the path must be set first
    Instance,
    Option,
    Rooms,
    Seconds,
    Shift,
    Specialist,
    Visit,
    Weights,
    Window,
    check,
    read_instance,
    solve,
)
from routing.board import Board  # noqa: E402
from routing.greedy import greedy  # noqa: E402

MADE = {"crowd": (1, 300, 6), "spread": (2, 300, 20), "languages": (3, 600, 15)}


@dataclass(frozen=True)
class Row:
    """One instance: costs, proven bound, wall time and the peak of memory of parent and children."""

    name: str
    visits: int
    cost: int | None
    greedy: int
    bound: float | None
    gap: float | None
    greedy_seconds: float
    seconds: float
    peak_mb: int


def make(name: str) -> Instance:
    """An instance of invented people, the same each time."""
    seed, visits, specialists = MADE[name]
    rng = Random(seed)
    sites = [f"S{number}" for number in range(6)]
    names = [f"P{number:02}" for number in range(specialists)]
    days = tuple(f"2027-03-{day:02}" for day in range(1, 11))
    rooms = tuple(Rooms(day, 480, 960, 1) for day in range(len(days)))
    return Instance(
        name=name,
        tick=5,
        days=days,
        rooms=dict.fromkeys(sites, rooms),
        travel={a: {b: 0 if a == b else rng.randint(15, 70) for b in sites} for a in sites},
        specialists={one: _specialist(rng, one, sites, len(days)) for one in names},
        visits={f"V{n:04}": _visit(rng, f"V{n:04}", sites, len(days)) for n in range(visits)},
        weights=Weights({1: 1000, 2: 3000, 3: 9000}, 100_000, 10, 60, 40, 1),
    )


def _specialist(rng: Random, name: str, sites: list[str], days: int) -> Specialist:
    shifts = tuple(Shift(day, 480, 960, ((720, 750),)) for day in range(days) if rng.random() < 0.7)
    skills = frozenset(rng.sample(["income", "care", "youth", "school"], 2))
    languages = frozenset(one for one in ("uk", "ar") if rng.random() < 0.4)
    return Specialist(name, rng.choice(sites), skills, languages, shifts, rng.choice([None, 120, 240]))


def _visit(rng: Random, name: str, sites: list[str], days: int) -> Visit:
    release = rng.randrange(days)
    site = rng.choice(sites)
    options = [Option("on_site", site), Option("video", site, 20), Option("phone", None, 30)]
    return Visit(
        id=name,
        skill=rng.choice(["income", "care", "youth", "school"]),
        language=rng.choice([None, None, None, None, "uk", "ar"]),
        minutes=rng.choice([20, 30, 45, 60]),
        priority=rng.choices([1, 2, 3], [6, 3, 1])[0],
        release=release,
        options=tuple(options[: rng.randint(1, 3)]),
        windows=tuple(
            Window(day, *rng.choice([(480, 720), (780, 960)]))
            for day in range(release, min(days, release + 5))
        ),
    )


def measure(source: str, seconds: float) -> Row:
    """Solve one instance here and now."""
    instance = make(source) if source in MADE else read_instance(source)
    begun = time.monotonic()
    first = greedy(Board(instance)).cost
    after_greedy = time.monotonic()
    plan = solve(instance, stop=Seconds(seconds))
    ended = time.monotonic()
    report = check(instance, plan)
    if not report.valid:
        raise SystemExit(f"{source}: {report.violations[0]}")
    peak = sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return Row(
        name=instance.name,
        visits=len(instance.visits),
        cost=report.cost,
        greedy=first,
        bound=report.bound,
        gap=report.gap,
        greedy_seconds=round(after_greedy - begun, 2),
        seconds=round(ended - after_greedy, 2),
        peak_mb=peak // 1024,
    )


def main() -> None:
    """Measure all and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("-o", "--output", type=Path, help="write the figures as JSON")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(asdict(measure(options.one, options.seconds))))
        return
    files = sorted(path for path in options.folder.glob("*.json*") if ".plan." not in path.name)
    print(f"{'instance':<14}{'visits':>7}{'cost':>10}{'greedy':>10}{'bound':>10}{'gap':>8}{'s':>7}{'MB':>7}")
    rows = [_in_a_process(str(source), options) for source in [*files, *MADE]]
    if options.output:
        options.output.write_text(json.dumps(rows, indent=1) + "\n")


def _in_a_process(source: str, options: argparse.Namespace) -> dict[str, object]:
    command = [
        sys.executable,
        __file__,
        str(options.folder),
        "--seconds",
        str(options.seconds),
        "--one",
        source,
    ]
    row = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    print(
        f"{row['name']:<14}{row['visits']:>7}{row['cost']:>10}{row['greedy']:>10}{row['bound']:>10}"
        f"{row['gap']:>8.1%}{row['seconds']:>7.1f}{row['peak_mb']:>7}",
        flush=True,
    )
    return row


if __name__ == "__main__":
    main()
