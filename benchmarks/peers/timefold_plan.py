"""A plan by Timefold: `timefold_plan.py INSTANCE -o PLAN --seconds N [--start PLAN]`.

Runs in the environment that setup.sh makes. The model is TimefoldModel.java on the solver that the package
`timefold` brings, since its makers call the Python binding the slower one.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

from routing import (  # noqa: E402 - the path must be set first
    Assignment,
    Instance,
    Plan,
    Visit,
    read_instance,
    read_plan,
    write_plan,
)
from routing.board import can_serve, loss_of  # noqa: E402

MODEL = HERE.parent.parent / "build" / "peers" / "classes"
NO_LIMIT = 10**6
MINUTE_PRICE = 1
"""What a minute of a specialist counts when a visit chooses among its ways."""
WRITING_SECONDS = 1.5
"""Kept back for starting Java and for what comes after the search."""


@dataclass(frozen=True)
class Ask:
    """One option in one window and one time in which its site has a room; the first is its number."""

    day: int
    option: int
    place: str | None
    site: str | None
    minutes: int
    begin: int
    end: int
    price: int


class Problem:
    """The instance as numbers, in the order in which TimefoldModel.java reads them."""

    def __init__(self, instance: Instance) -> None:
        self.instance = instance
        self.sites = list(instance.rooms)
        self.duties = [
            (one.id, day)
            for one in instance.specialists.values()
            for day in sorted({shift.day for shift in one.shifts})
        ]
        self._duties_of_day = defaultdict(list)
        for number, (name, day) in enumerate(self.duties):
            self._duties_of_day[day].append((number, instance.specialists[name]))
        self._open = {
            site: [(span.day, span.begin, span.end, span.count) for span in spans if span.count]
            for site, spans in instance.rooms.items()
        }
        self._books = {key: number for number, key in enumerate(self._books_needed())}
        surcharges = {visit.id: dict(self._surcharges(visit)) for visit in instance.visits.values()}
        self.surcharges = surcharges
        self.visits = sorted(
            instance.visits.values(), key=lambda visit: (-loss_of(instance, visit), len(surcharges[visit.id]))
        )

    def text(self, start: Plan | None) -> str:
        """Everything in lines of whole numbers."""
        lines = [*self._facts(), *self._duty_lines(), *self._visit_lines(), *self._start_lines(start)]
        return "\n".join(" ".join(map(str, line)) for line in lines) + "\n"

    def plan(self, text: str) -> Plan:
        """What TimefoldModel.java wrote."""
        lines = [self._assignment(*map(int, line.split())) for line in text.splitlines()]
        return Plan(self.instance.name, tuple(lines))

    def _assignment(self, number: int, duty: int, start: int, option: int) -> Assignment:
        visit, (specialist, day) = self.visits[number], self.duties[duty]
        way = visit.promise or visit.options[option]
        return Assignment(visit.id, specialist, day, start, way.mode, way.site)

    def _facts(self) -> Iterator[Iterable[int]]:
        instance = self.instance
        yield instance.tick, instance.weights.travel_minute, MINUTE_PRICE, len(self.sites)
        yield from ([instance.travel[a][b] for b in self.sites] for a in self.sites)
        yield (len(self._books),)
        ticks = 24 * 60 // instance.tick
        for site, day in self._books:
            counts = [0] * ticks
            for at, begin, end, count in self._open[site]:
                for tick in range(ticks) if at == day else ():
                    if begin <= tick * instance.tick and (tick + 1) * instance.tick <= end:
                        counts[tick] += count
            yield ticks, *counts

    def _duty_lines(self) -> Iterator[Iterable[int]]:
        yield (len(self.duties),)
        for name, day in self.duties:
            one = self.instance.specialists[name]
            shifts = sorted((s for s in one.shifts if s.day == day), key=lambda shift: shift.begin)
            yield (
                day,
                self.sites.index(one.base),
                NO_LIMIT if one.max_travel is None else one.max_travel,
                len(shifts),
            )
            for shift in shifts:
                pauses = [minute for pause in shift.breaks for minute in pause]
                yield shift.begin, shift.end, len(shift.breaks), *pauses

    def _visit_lines(self) -> Iterator[Iterable[int]]:
        yield (len(self.visits),)
        for visit in self.visits:
            asks = list(self._asks(visit))
            yield loss_of(self.instance, visit), len(asks)
            for ask in asks:
                place = -1 if ask.place is None else self.sites.index(ask.place)
                room = -1 if ask.site is None else self._books[ask.site, ask.day]
                yield ask.day, ask.option, place, room, ask.minutes, ask.begin, ask.end, ask.price
            surcharges = self.surcharges[visit.id]
            yield len(surcharges), *(number for pair in surcharges.items() for number in pair)

    def _start_lines(self, start: Plan | None) -> Iterator[Iterable[int]]:
        lists: dict[tuple[str, int], list[int]] = defaultdict(list)
        numbers = {visit.id: number for number, visit in enumerate(self.visits)}
        for line in sorted(start.assignments if start else (), key=lambda line: line.start):
            visit = self.instance.visits[line.visit]
            ways = [(option.mode, option.site) for option in visit.options]
            choice = 0 if visit.promise else 1 + ways.index((line.mode, line.site))
            lists[line.specialist, line.day] += numbers[line.visit], line.start, choice
        for duty in self.duties:
            yield len(lists[duty]) // 3, *lists[duty]

    def _books_needed(self) -> list[tuple[str, int]]:
        return sorted({(site, day) for site, spans in self._open.items() for day, *_ in spans})

    def _surcharges(self, visit: Visit) -> Iterator[tuple[int, int]]:
        """The duties that could take the visit, with the price of who serves it."""
        weights = self.instance.weights
        for day in {ask.day for ask in self._asks(visit)}:
            for number, one in self._duties_of_day[day]:
                if can_serve(one, visit):
                    wish = weights.wish if visit.wish not in (None, one.id) else 0
                    yield number, wish + (weights.change if visit.holder not in (None, one.id) else 0)

    def _asks(self, visit: Visit) -> Iterator[Ask]:
        told = visit.promise
        if told is not None:
            end = told.start + visit.minutes
            yield from self._in_rooms(told.day, 0, told.mode, told.site, (visit.minutes, told.start, end, 0))
            return
        for number, option in enumerate(visit.options):
            minutes = visit.minutes_of(option)
            for window in visit.windows_of(option):
                wait = self.instance.weights.wait_day * visit.priority * (window.day - visit.release)
                price = option.penalty + window.penalty + wait
                span = minutes, window.begin, window.end, price
                yield from self._in_rooms(window.day, number, option.mode, option.site, span)

    def _in_rooms(
        self, day: int, option: int, mode: str, site: str | None, span: tuple[int, int, int, int]
    ) -> Iterator[Ask]:
        minutes, begin, end, price = span
        place = site if mode == "on_site" else None
        for first, last in [(0, 24 * 60)] if site is None else _joined(self._open[site], day):
            if max(begin, first) + minutes <= min(end, last):
                yield Ask(day, option, place, site, minutes, max(begin, first), min(end, last), price)


def _joined(spans: list[tuple[int, int, int, int]], day: int) -> list[tuple[int, int]]:
    """When the site has any room on that day."""
    joined: list[tuple[int, int]] = []
    for begin, end in sorted((begin, end) for at, begin, end, _ in spans if at == day):
        if joined and joined[-1][1] == begin:
            joined[-1] = joined[-1][0], end
        else:
            joined.append((begin, end))
    return joined


def solve(instance: Instance, start: Plan | None, until: float, seed: int) -> Plan:
    """The plan Timefold has when the time (of `time.monotonic`) is over."""
    problem = Problem(instance)
    with tempfile.TemporaryDirectory() as folder:
        asked, answered = Path(folder) / "problem", Path(folder) / "plan"
        asked.write_text(problem.text(start))
        left = int(1000 * (until - WRITING_SECONDS - time.monotonic()))
        command = ["java", "-Xmx5g", "-cp", class_path(), "TimefoldModel"]
        command += [str(asked), str(answered), str(left), str(seed)]
        subprocess.run(command, check=True, stdout=sys.stderr)
        return problem.plan(answered.read_text())


def class_path() -> str:
    """The compiled model and the solver of the package `timefold`."""
    import timefold.solver  # noqa: PLC0415 - there is such a package only where setup.sh has run

    jars = Path(timefold.solver.__file__).parent.glob("jars/*.jar")
    return ":".join([str(MODEL), *(str(jar) for jar in jars if "logback" not in jar.name)])


def main() -> None:
    """Read, solve and write."""
    begun = time.monotonic()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("instance", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="PLAN")
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=Path, metavar="PLAN", help="a plan to begin with")
    options = parser.parse_args()
    instance = read_instance(options.instance)
    start = read_plan(options.start, instance) if options.start else None
    write_plan(solve(instance, start, begun + options.seconds, options.seed), options.output)


if __name__ == "__main__":
    main()
