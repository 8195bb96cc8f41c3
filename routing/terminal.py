"""How a search shows what it has reached: to a person at a terminal, or as events to another program."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, TextIO

from routing.board import loss_of

if TYPE_CHECKING:
    from io import FileIO

    from routing.check import Report
    from routing.problem import Instance
    from routing.stop import Progress

_BAR = 16
_ERASE = "\r\x1b[K"


def worth_of(instance: Instance) -> int:
    """What it would cost to serve nobody: what all visits are worth together."""
    return sum(loss_of(instance, visit) for visit in instance.visits.values())


def gap_of_worth(cost: float | None, bound: float | None, worth: int) -> float | None:
    """How far the cost may lie above the cheapest plan's, as a share of what all visits are worth."""
    if cost is None or bound is None:
        return None
    return (cost - bound) / worth if worth else 0.0


class Display:
    """Progress for a person: one changing line on a terminal, a line each time otherwise.

    `limit` is the search's limit in seconds, None if it has none.
    """

    def __init__(self, stream: TextIO, limit: float | None, worth: int) -> None:
        self._stream = stream
        self._limit = limit
        self._worth = worth
        self._changing = stream.isatty() and os.environ.get("TERM") != "dumb"
        self._shown = False

    def show(self, progress: Progress) -> None:
        """Say how far the search has come."""
        pieces = self._pieces(progress)
        if self._changing:
            width = shutil.get_terminal_size().columns - 1  # in the last column some terminals wrap
            self._stream.write(_ERASE + _fitting([*self._bar(progress), *pieces], width))
        else:
            self._stream.write("  ".join(pieces) + "\n")
        self._shown = True
        self._stream.flush()

    def close(self) -> None:
        """Leave the changing line."""
        if self._changing and self._shown:
            self._stream.write("\n")
            self._stream.flush()

    def _bar(self, progress: Progress) -> list[str]:
        if not self._limit:
            return []
        done = min(_BAR, int(_BAR * progress.seconds / self._limit))
        return [f"[{'#' * done}{'.' * (_BAR - done)}]"]

    def _pieces(self, progress: Progress) -> list[str]:
        """What there is to say, the most important first."""
        seconds = f"{progress.seconds:.1f}" + (f"/{self._limit:.0f}" if self._limit else "")
        bound = "-" if progress.bound is None else f"{progress.bound:,.0f}"
        gap = "-"
        of_worth = gap_of_worth(progress.cost, progress.bound, self._worth)
        if progress.gap is not None and of_worth is not None:
            gap = f"{progress.gap:.2%} ({of_worth:.2%} of worth)"
        return [
            f"{seconds} s",
            f"{progress.phase:<9}",
            f"cost {progress.cost:,}",
            f"gap {gap}",
            f"unserved {progress.unserved}",
            f"bound {bound}",
        ]


def _fitting(pieces: list[str], width: int) -> str:
    """As many whole pieces as a line of that width holds; the first is cut if it must be."""
    line = pieces[0]
    for piece in pieces[1:]:
        if len(line) + 2 + len(piece) > width:
            break
        line += "  " + piece
    return line[: max(0, width)]


class Events:
    """Progress for another program: one JSON object a line, `event` is "progress" or, at last, "end".

    Shares are plain numbers, 0.05 for 5 %; what is not known is null. If they cannot be written any more the
    search goes on, and `lost` says why. The stream is without a buffer, so that each comes through at once.
    """

    def __init__(self, stream: FileIO, worth: int) -> None:
        self._stream = stream
        self._worth = worth
        self.lost: OSError | None = None

    def show(self, progress: Progress) -> None:
        """Tell how far the search has come."""
        self._tell(
            event="progress",
            seconds=round(progress.seconds, 3),
            unchanged=round(progress.unchanged, 3),
            phase=progress.phase,
            cost=progress.cost,
            bound=progress.bound,
            gap=progress.gap,
            gap_of_worth=gap_of_worth(progress.cost, progress.bound, self._worth),
            unserved=progress.unserved,
        )

    def end(self, report: Report) -> None:
        """Tell the verdict on the plan."""
        self._tell(
            event="end",
            valid=report.valid,
            violations=report.violations,
            cost=report.cost,
            bound=report.bound,
            gap=report.gap,
            gap_of_worth=gap_of_worth(report.cost, report.bound, self._worth),
            unserved=sum((report.unserved or {}).values()),
            lost=report.lost,
            travel=report.travel,
            changed=report.changed,
        )

    def _tell(self, **event: object) -> None:
        if self.lost is not None:
            return
        try:
            self._stream.write(f"{json.dumps(event)}\n".encode())
        except OSError as error:
            self.lost = error
