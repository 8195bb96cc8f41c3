"""The planner on public test beds, beside what is proven.

    python benchmarks/testbeds.py FOLDER --seconds 60 -o testbeds.json

FOLDER holds instances of shift-minimisation personnel task scheduling (`*.dat`, `*.dat.gz`) and of home
health care routing and scheduling (`*.json`) as they were downloaded; docs/benchmarks.md says where from and
why the latter are only looked at. Nothing of it belongs into this repository.
"""

import argparse
import gzip
import json
import re
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from routing import Assignment, Instance, Plan, Promise, Shift, Specialist, Visit, Weights, check  # noqa: E402
from routing.orders import FewestSpecialists, Found, Proven  # noqa: E402
from routing.workshop import Worker, wait_for_any  # noqa: E402

DAY = ("2027-03-01",)
OFFICE = "office"
MEMORY_MB = 6_000
WORKERS = 2


# --- Shift-minimisation personnel task scheduling --------------------------------------------------------


@dataclass(frozen=True)
class TaskRow:
    """One instance: jobs, workers there are, the most jobs at one time, workers needed and a proven bound."""

    name: str
    jobs: int
    workers: int
    at_once: int
    needed: int | None
    bound: int
    seconds: float


def read_tasks(name: str, text: str) -> Instance:
    """Jobs as promised visits by phone, each with a skill of its own; workers as specialists.

    ValueError if the text is not of the format.
    """
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if len(lines) < 2 or lines[0].replace(" ", "") != "Type=1":
        raise ValueError(f"{name}: not of type 1")
    count, rest = _counted(name, lines[1], "Jobs", lines[2:])
    spans = [tuple(map(int, line.split())) for line in rest[:count]]
    count, rest = _counted(name, rest[count] if rest[count:] else "", "Qualifications", rest[count + 1 :])
    able = []
    for line in rest[:count]:
        number, _, listed = line.partition(":")
        jobs = [int(job) for job in listed.split()]
        if len(jobs) != int(number) or not all(0 <= job < len(spans) for job in jobs):
            raise ValueError(f"{name}: {line[:40]!r} does not list {number.strip()} known jobs")
        able.append(frozenset(f"j{job}" for job in jobs))
    shift = Shift(0, 0, max((end for _, end in spans), default=0))
    workers = [Specialist(f"w{n}", OFFICE, jobs, frozenset(), (shift,)) for n, jobs in enumerate(able)]
    return Instance(
        name=name,
        tick=1,
        days=DAY,
        rooms={OFFICE: ()},
        travel={OFFICE: {OFFICE: 0}},
        specialists={one.id: one for one in workers},
        visits={f"j{job}": _task(f"j{job}", *span) for job, span in enumerate(spans)},
        weights=Weights({1: 1, 2: 1, 3: 1}, 1, 0, 0, 0, 0),
    )


def _counted(name: str, head: str, word: str, lines: list[str]) -> tuple[int, list[str]]:
    """The number in "Word = number" and the lines after it, as many at least."""
    key, _, number = head.partition("=")
    if key.strip() != word or not number.strip().isdigit() or len(lines) < int(number):
        raise ValueError(f"{name}: {word} are missing")
    return int(number), lines


def _task(name: str, begin: int, end: int) -> Visit:
    promise = Promise(0, begin, "phone", None)
    return Visit(name, name, None, end - begin, 1, 0, (), (), promise=promise)


def fewest(instance: Instance, seconds: float) -> TaskRow:
    """Ask a child for the fewest workers; the plan it finds is judged by the checker."""
    begun = time.monotonic()
    worker = Worker(FewestSpecialists(instance, begun + seconds, WORKERS), MEMORY_MB)
    lines: tuple[Assignment, ...] | None = None
    bound = 0
    try:
        while not worker.done and time.monotonic() < begun + seconds + 2:
            wait_for_any([worker], 0.1)
            for answer in worker.messages():
                if isinstance(answer, Found):
                    lines = answer.lines
                elif isinstance(answer, Proven):
                    bound = answer.bound
    finally:
        worker.end()
    needed = None
    if lines is not None:
        report = check(instance, Plan(instance.name, lines))
        if not report.valid or report.lost:
            raise SystemExit(f"{instance.name}: {report.lost} jobs left, {report.violations[:1]}")
        needed = len({line.specialist for line in lines})
    spans = [(v.promise.start, v.promise.start + v.minutes) for v in instance.visits.values() if v.promise]
    at_once = max((sum(b <= begin < e for b, e in spans) for begin, _ in spans), default=0)
    taken = round(time.monotonic() - begun, 1)
    return TaskRow(instance.name, len(spans), len(instance.specialists), at_once, needed, bound, taken)


# --- Home health care routing and scheduling -------------------------------------------------------------


def patients_with_two(name: str, text: str) -> tuple[int, int]:
    """How many patients there are, and how many of them need two caregivers at once or one after the other.

    ValueError if the text is not of the format.
    """
    try:
        needs = [len(patient["required_caregivers"]) for patient in json.loads(text)["patients"]]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{name}: no list of patients and what they need") from error
    return len(needs), sum(need > 1 for need in needs)


# --- The table -------------------------------------------------------------------------------------------


def main() -> None:
    """Measure all and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("-o", "--output", type=Path, help="write the figures as JSON")
    options = parser.parse_args()
    rows = []
    print(f"{'instance':<44}{'jobs':>6}{'workers':>9}{'at once':>9}{'needed':>8}{'proven':>8}{'s':>7}")
    for path in sorted(options.folder.rglob("*.dat*"), key=_by_number):
        text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        row = fewest(read_tasks(path.name.removesuffix(".gz"), text.decode()), options.seconds)
        rows.append(asdict(row))
        needed = "-" if row.needed is None else row.needed
        print(
            f"{row.name:<44}{row.jobs:>6}{row.workers:>9}{row.at_once:>9}{needed:>8}{row.bound:>8}{row.seconds:>7.1f}",
            flush=True,
        )
    care = [patients_with_two(path.name, path.read_text()) for path in sorted(options.folder.rglob("*.json"))]
    if care:
        left_out = sum(two > 0 for _, two in care)
        print(
            f"home health care: {len(care)} instances, {left_out} left out: patients who need two caregivers"
        )
    if options.output:
        options.output.write_text(json.dumps(rows, indent=1) + "\n")


def _by_number(path: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", path.name)]


if __name__ == "__main__":
    main()
