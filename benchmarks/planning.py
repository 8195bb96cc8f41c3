"""Speed and quality of the planner, comparable from one commit to the next.

    python benchmarks/planning.py FOLDER [--maker make_instance.py] [--only NAME ...] -o planning.json

Solves every instance of the folder (`*.json`, `*.json.gz`, no plans), shapes that the maker of instances
makes, and some that it makes itself, all with fixed seeds. Each runs in a process of its own; with two
processes of the planner on two cores nothing else should run. First come, first served: promises stay with
their holders, then every visit in the order of the file gets the earliest start that is left. The memory is
the peak of the sum over all processes.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from routing import (  # noqa: E402 - the path must be set first
    Assignment,
    Instance,
    Option,
    Plan,
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
from routing.board import NO_ROOM, Board, loss_of  # noqa: E402
from routing.draft import Draft, Place  # noqa: E402
from routing.greedy import greedy  # noqa: E402
from routing.timeline import ticks_of  # noqa: E402

MADE = {"crowd": (1, 300, 6), "spread": (2, 300, 20), "languages": (3, 600, 15)}
SHAPES = {
    "other": "--seed 77",
    "scarce-rooms": "--seed 78 --scarce-rooms",
    "closed-week": "--seed 79 --closure care",
    "scarce-languages": "--seed 80 --languages 0.4",
    "asymmetric": "--seed 81 --asymmetric",
    "absent": "--seed 84 --visits 1200 --specialists 40 --days 10 --repair 4 --absent-days 5",
    "overload": "--seed 82 --visits 5000",
    "city": "--seed 83 --visits 20000 --specialists 350 --days 20 --sites city40",
}
LIMITS = {"small": 20, "repair": 10, "absent": 30, "overload": 120, "city": 600}
DEFAULT_LIMIT = 60


@dataclass(frozen=True)
class Row:
    """One instance: costs, proven bound, its distance as shares of cost and worth, seconds, memory."""

    name: str
    visits: int
    limit: float
    first_come: int | None
    greedy: int
    cost: int | None
    unserved: int
    bound: float | None
    gap: float | None
    gap_of_worth: float
    first_plan: float
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


def first_come(board: Board) -> Plan:
    """The plan that an office makes by serving in order."""
    draft = Draft(board)
    held = [visit for visit in board.visits if visit.promise and visit.holder]
    draft.load(_kept_by_holder(visit) for visit in held)
    promised = [number for number, visit in enumerate(board.visits) if visit.promise]
    for number in [*promised, *range(len(board.visits))]:
        place = _earliest(draft, number) if draft.places[number] is None else None
        if place is not None:
            draft.put(number, place)
    return draft.plan()


def _kept_by_holder(visit: Visit) -> Assignment:
    told = visit.promise
    return Assignment(visit.id, visit.holder, told.day, told.start, told.mode, told.site)


def _earliest(draft: Draft, number: int) -> Place | None:
    """The earliest start, then the shortest way, then the least penalty."""
    best = None
    for way in draft.board.ways[number]:
        starts = way.starts if way.room == NO_ROOM else way.starts & draft.rooms[way.room].starts(way.ticks)
        for duty in way.duties:
            for extra, mask in draft.days[duty].fits(way.place, way.minutes):
                for start in ticks_of(mask & starts)[:1]:
                    key = draft.board.owners[duty][1], start, extra, way.price
                    if best is None or key < best[0]:
                        best = key, Place(way, duty, start)
    return best[1] if best else None


class Memory:
    """Watches what this process and its children have in memory, in MB."""

    def __init__(self) -> None:
        self.peak = 0
        self._over = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    def stop(self) -> int:
        """The peak so far."""
        self._over.set()
        self._watcher.join()
        return self.peak

    def _watch(self) -> None:
        while not self._over.wait(0.2):
            children = Path(f"/proc/self/task/{threading.main_thread().native_id}/children").read_text()
            self.peak = max(self.peak, sum(_resident(pid) for pid in ["self", *children.split()]) // 1024)


def _resident(pid: str) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:  # it has ended
        return 0
    return sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))


def measure(source: str, limit: float) -> Row:
    """Solve one instance here and now."""
    instance = make(source) if source in MADE else read_instance(source)
    board = Board(instance)
    served_in_order, first = check(instance, first_come(board)).cost, greedy(board).cost
    del board
    told: list[float] = []
    memory, begun = Memory(), time.monotonic()
    plan = solve(instance, stop=Seconds(limit), seed=1, progress=lambda state: told.append(state.seconds))
    seconds = time.monotonic() - begun
    report = check(instance, plan)
    if not report.valid:
        raise SystemExit(f"{source}: {report.violations[0]}")
    worth = sum(loss_of(instance, visit) for visit in instance.visits.values())
    return Row(
        name=instance.name,
        visits=len(instance.visits),
        limit=limit,
        first_come=served_in_order,
        greedy=first,
        cost=report.cost,
        unserved=sum(report.unserved.values()),
        bound=report.bound,
        gap=report.gap,
        gap_of_worth=(report.cost - (report.bound or 0)) / max(worth, 1),
        first_plan=round(told[0], 2),
        seconds=round(seconds, 2),
        peak_mb=memory.stop(),
    )


def main() -> None:
    """Measure all and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--maker", type=Path, help="make_instance.py, to measure other shapes too")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these instances only")
    parser.add_argument("--seconds", type=float, help="one limit for all instead of each its own")
    parser.add_argument("-o", "--output", type=Path, help="write the figures as JSON")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(asdict(measure(options.one, options.seconds))))
        return
    print(HEAD)
    with tempfile.TemporaryDirectory() as made:
        rows = [_in_a_process(name, source, options) for name, source in _sources(options, Path(made))]
    if options.output:
        options.output.write_text(json.dumps(rows, indent=1) + "\n")


def _sources(options: argparse.Namespace, made: Path) -> list[tuple[str, str]]:
    """Names and where the instances are to be had."""
    files = sorted(path for path in options.folder.glob("*.json*") if ".plan." not in path.name)
    sources = [(path.name.split(".")[0], str(path)) for path in files]
    if options.maker:
        sources += [(name, str(made / f"{name}.json.gz")) for name in SHAPES]
    sources += [(name, name) for name in MADE]
    wanted = [one for one in sources if not options.only or one[0] in options.only]
    for name, path in wanted:
        if name in SHAPES:
            subprocess.run([sys.executable, options.maker, *SHAPES[name].split(), "-o", path], check=True)
    return wanted


HEAD = (
    f"{'instance':<17}{'visits':>7}{'limit':>6}{'in order':>10}{'greedy':>10}{'cost':>10}{'unserved':>9}"
    f"{'bound':>10}{'gap':>7}{'of worth':>9}{'first':>7}{'s':>7}{'MB':>6}"
)


def _in_a_process(name: str, source: str, options: argparse.Namespace) -> dict[str, object]:
    limit = options.seconds or LIMITS.get(name, DEFAULT_LIMIT)
    command = [sys.executable, __file__, str(options.folder), "--seconds", str(limit), "--one", source]
    row = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    print(
        f"{name:<17}{row['visits']:>7}{row['limit']:>6g}{row['first_come']:>10}{row['greedy']:>10}"
        f"{row['cost']:>10}{row['unserved']:>9}{row['bound']:>10}{row['gap']:>7.1%}"
        f"{row['gap_of_worth']:>9.2%}{row['first_plan']:>7.2f}{row['seconds']:>7.1f}{row['peak_mb']:>6}",
        flush=True,
    )
    return row


if __name__ == "__main__":
    main()
