"""Several scenarios side by side: mean and uncertainty of their figures, as a table, CSV and an answer.

Runs are compared in pairs, since run n of every scenario has the same people: the uncertainty of a
difference is much smaller than that of the figures themselves. Intervals are of 95 %, by Student's t.
"""

from __future__ import annotations

import csv
import io
import math
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from statistics import fmean, stdev
from typing import TYPE_CHECKING, NamedTuple

from routing.simulation.days import simulate
from routing.simulation.tally import ALL, Key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from routing.simulation.scenario import Scenario
    from routing.simulation.tally import Outcome


class Measure(NamedTuple):
    """How a figure is shown: its value times `scale` in `unit`, with so many decimals."""

    label: str
    unit: str
    scale: float = 1.0
    decimals: int = 1


MEASURES = {
    "arrived": Measure("people who came", "people", decimals=0),
    "wait_mean": Measure("waiting, mean", "days"),
    "wait_median": Measure("waiting, median", "days"),
    "wait_p90": Measure("waiting, nine of ten", "days"),
    "served_soon": Measure("served in time", "%", 100),
    "not_served": Measure("gave up", "%", 100),
    "still_open": Measure("still asking at the end", "%", 100),
    "travel_week": Measure("travel of staff", "h/week", 1 / 60),
    "saved_each": Measure("road saved each visit", "km"),
    "use_staff": Measure("staff in use", "%", 100),
    "use_rooms": Measure("rooms in use", "%", 100),
    "backlog_mean": Measure("backlog, mean", "h", 1 / 60),
    "backlog_end": Measure("backlog at the end", "h", 1 / 60),
    "backlog_most": Measure("highest backlog", "h", 1 / 60),
}
_T_97_5 = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145),
    *(2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048),
)
_NORMAL_97_5 = 1.96


class Estimate(NamedTuple):
    """A mean over runs, and half the width of its interval; None for a single run."""

    mean: float
    half: float | None

    def text(self, decimals: int, *, signed: bool = False) -> str:
        """Both as text."""
        mean = f"{self.mean:{'+' if signed else ''}.{decimals}f}"
        return mean if self.half is None else f"{mean} ±{self.half:.{decimals}f}"

    @property
    def certain(self) -> bool:
        """Whether zero lies outside the interval."""
        return self.half is not None and abs(self.mean) > self.half


def estimate(values: Sequence[float]) -> Estimate:
    """Mean and interval of the values of some runs, at least one."""
    if len(values) == 1:
        return Estimate(values[0], None)
    quantile = _T_97_5[len(values) - 2] if len(values) - 2 < len(_T_97_5) else _NORMAL_97_5
    return Estimate(fmean(values), quantile * stdev(values) / math.sqrt(len(values)))


def measure_of(name: str) -> Measure:
    """How to show it; `backlog_end@1.25` is the backlog where uninterrupted days count for 1.25."""
    plain, _, factor = name.partition("@")
    shown = MEASURES[plain]
    return shown._replace(label=f"{shown.label}, whole days x{factor}") if factor else shown


def simulate_all(
    scenarios: Mapping[str, Scenario],
    *,
    runs: int,
    seed: int,
    processes: int = 1,
    progress: Callable[[str], None] | None = None,
) -> Report:
    """Live through each scenario `runs` times; `progress` is told of each run that is over."""
    tasks = [(name, run) for run in range(runs) for name in scenarios]
    outcomes: dict[str, list[Outcome]] = {name: [] for name in scenarios}
    work = ((scenarios[name], seed, run) for name, run in tasks)
    for (name, run), outcome in zip(tasks, _outcomes(work, processes), strict=True):
        outcomes[name].append(outcome)
        if progress is not None:
            progress(f"{name}, run {run + 1} of {runs}")
    return Report(dict(scenarios), {name: tuple(found) for name, found in outcomes.items()})


def _outcomes(work: Iterable[tuple[Scenario, int, int]], processes: int) -> Iterator[Outcome]:
    if processes == 1:
        yield from map(_one, work)
        return
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_one, work)


def _one(work: tuple[Scenario, int, int]) -> Outcome:
    scenario, seed, run = work
    return simulate(scenario, seed=seed, run=run)


@dataclass(frozen=True, slots=True)
class Report:
    """What came of some scenarios by name; the first one is what the others are compared with."""

    scenarios: Mapping[str, Scenario]
    outcomes: Mapping[str, Sequence[Outcome]]

    @property
    def base(self) -> str:
        """The name of the first scenario."""
        return next(iter(self.scenarios))

    @property
    def focus(self) -> tuple[str, str]:
        """Whom the question is about: the one unit that any scenario closes, else everybody."""
        closed = {closure.unit for scenario in self.scenarios.values() for closure in scenario.closures}
        return ("unit", closed.pop()) if len(closed) == 1 else ALL

    def value(self, name: str, key: Key) -> Estimate | None:
        """A figure of a scenario as it is shown, None where some run has none."""
        values = [outcome.figures.get(key) for outcome in self.outcomes[name]]
        known = [value for value in values if value is not None]
        scale = measure_of(key.measure).scale
        return estimate([value * scale for value in known]) if len(known) == len(values) else None

    def difference(self, name: str, other: str, key: Key) -> Estimate | None:
        """How much more it is in one scenario than in another, run by run."""
        pairs = zip(self.outcomes[name], self.outcomes[other], strict=True)
        values = [(one.figures.get(key), two.figures.get(key)) for one, two in pairs]
        scale = measure_of(key.measure).scale
        known = [(one - two) * scale for one, two in values if one is not None and two is not None]
        return estimate(known) if len(known) == len(values) else None

    # --- Shown --------------------------------------------------------------------------------------

    def table(self) -> str:
        """Everything on a terminal: one column for each scenario, first all, then unit, service and site."""
        parts = [self._overall(ALL)]
        if self.focus != ALL:
            parts.append(self._overall(self.focus))
        parts += [self._groups(kind) for kind in ("service", "site")]
        return "\n\n".join(parts)

    def _overall(self, about: tuple[str, str]) -> str:
        names = dict.fromkeys(
            key.measure
            for outcome in self.outcomes[self.base]
            for key in outcome.figures
            if (key.kind, key.group, key.week) == (*about, None)
        )
        order = [*MEASURES]
        rows = [[" ".join(about).strip(), *self.scenarios]]
        for name in sorted(names, key=lambda name: order.index(name.partition("@")[0])):
            shown = measure_of(name)
            cells = (self.value(scenario, Key(name, *about)) for scenario in self.scenarios)
            label = f"{shown.label}, {shown.unit}"
            if name == "served_soon":
                label = f"served within {self.scenarios[self.base].served_within} days, %"
            rows.append([label, *(cell.text(shown.decimals) if cell else "-" for cell in cells)])
        return aligned(rows)

    def _groups(self, kind: str) -> str:
        groups = {
            key.group
            for found in self.outcomes.values()
            for outcome in found
            for key in outcome.figures
            if key.kind == kind
        }
        rows = [[f"waiting by {kind}: median / nine of ten, days", *self.scenarios]]
        rows += [
            [group, *(self._two_waits(n, kind, group) for n in self.scenarios)] for group in sorted(groups)
        ]
        return aligned(rows)

    def _two_waits(self, name: str, kind: str, group: str) -> str:
        found = [self.value(name, Key(measure, kind, group)) for measure in ("wait_median", "wait_p90")]
        return " / ".join("-" if one is None else f"{one.mean:.1f}" for one in found)

    def csv(self) -> str:
        """Every figure of every run, one a line."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["scenario", "run", "measure", "kind", "group", "week", "value", "unit"])
        for name, found in self.outcomes.items():
            for run, outcome in enumerate(found, 1):
                for key, value in outcome.figures.items():
                    shown, week = measure_of(key.measure), "" if key.week is None else key.week + 1
                    row = (key.measure, key.kind, key.group, week, f"{value * shown.scale:.6g}", shown.unit)
                    writer.writerow([name, run, *row])
        return text.getvalue()

    # --- The answer ---------------------------------------------------------------------------------

    def answer(self) -> str:
        """What the scenarios do to waiting and backlog, and which does least harm, in sentences.

        The backlog is the mean of all days: at the end it depends on how long ago the last closure was.
        """
        wait, backlog = Key("wait_mean", *self.focus), Key("backlog_mean", *self.focus)
        told = [self._told_base(wait, backlog)]
        others = [name for name in self.scenarios if name != self.base]
        told += [self._told_other(name, wait, backlog) for name in others]
        waits = {name: self.difference(name, self.base, wait) for name in others}
        ranked = sorted((found.mean, name) for name, found in waits.items() if found is not None)
        if len(ranked) > 1:
            told.append(self._told_least(ranked[0][1], ranked[1][1], wait))
        return "\n".join(told)

    def _told_base(self, wait: Key, backlog: Key) -> str:
        about = "everybody" if self.focus == ALL else f"{self.focus[0]} {self.focus[1]}"
        median, late = (wait._replace(measure=name) for name in ("wait_median", "wait_p90"))
        return (
            f"{self.base}: people wait {self._told(self.base, wait)} days on average "
            f"(median {self._told(self.base, median)}, nine of ten at most {self._told(self.base, late)}) "
            f"for {about}; the backlog is {self._told(self.base, backlog)} h on average."
        )

    def _told(self, name: str, key: Key) -> str:
        found = self.value(name, key)
        return "?" if found is None else found.text(1)

    def _told_other(self, name: str, wait: Key, backlog: Key) -> str:
        late = wait._replace(measure="wait_p90")
        return (
            f"{name}: waiting {self._told_change(name, wait)} days on average, "
            f"{self._told_change(name, late)} days for nine of ten; "
            f"backlog {self._told_change(name, backlog)} h on average."
        )

    def _told_change(self, name: str, key: Key) -> str:
        found = self.difference(name, self.base, key)
        return "?" if found is None else found.text(1, signed=True)

    def _told_least(self, best: str, second: str, wait: Key) -> str:
        apart = self.difference(second, best, wait)
        if apart is None or apart.half is None:
            return f"Least harm to waiting: {best}; from one run nobody knows how certain that is."
        told = f"Least harm to waiting: {best}, then {second} with {apart.text(2, signed=True)} days more"
        if apart.certain:
            return f"{told}; the difference is certain at 95 %."
        return f"{told}; that is within the uncertainty, so both may be as good."


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Rows as text: the first column to the left, the others to the right."""
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if n == 0 else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
