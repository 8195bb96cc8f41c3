"""The weeks of a simulation as a picture (SVG): waiting above, backlog below, one line for each scenario.

Lines differ by dashes and marks, not by colour alone, and each is named in the legend.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, NamedTuple

from routing.simulation.report import measure_of
from routing.simulation.tally import ALL, Key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from routing.simulation.report import Report

_COLOURS = ("#000000", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
_DASHES = ("", "8 4", "2 3", "12 3 2 3", "5 2 5 8", "1 5", "16 4")
_MARKS = (
    "M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0",
    "M-4,-4h8v8h-8z",
    "M0,-5L5,4H-5z",
    "M0,-6L5,0L0,6L-5,0z",
    "M0,5L5,-4H-5z",
    "M-4,-4L4,4M4,-4L-4,4",
    "M-5,0H5M0,-5V5",
)
_WIDTH, _PANEL, _LEFT, _TOP, _ROW = 900, 240, 70, 60, 20
_MARK_EVERY = 8
"""Weeks from one mark to the next on a line."""


class _Line(NamedTuple):
    """The points of one scenario as weeks and values."""

    name: str
    points: tuple[tuple[int, float], ...]


def chart(report: Report) -> str:
    """The picture as text."""
    about = report.focus
    whom = "" if about == ALL else f" ({about[0]} {about[1]})"
    height = _TOP + 2 * (_PANEL + 70) + _ROW * len(report.scenarios)
    title = f"{report.scenarios[report.base].name}{whom}: waiting and backlog by week"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img">',
        '<g font-family="sans-serif" font-size="13">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="{_LEFT}" y="26" font-size="17">{escape(title)}</text>',
    ]
    for number, measure in enumerate(("wait_mean", "backlog_end")):
        shown = measure_of(measure)
        label = f"{shown.label.partition(',')[0].removesuffix(' at the end')}, {shown.unit}"
        parts += _panel(_TOP + number * (_PANEL + 70), label, _lines(report, measure))
    parts += _legend(_TOP + 2 * (_PANEL + 70) - 10, list(report.scenarios))
    return "\n".join([*parts, "</g>", "</svg>", ""])


def _lines(report: Report, measure: str) -> list[_Line]:
    weeks = sorted(
        {
            key.week
            for found in report.outcomes.values()
            for outcome in found
            for key in outcome.figures
            if key.week is not None and key.measure == measure
        }
    )
    found = []
    for name in report.scenarios:
        values = ((week, report.value(name, Key(measure, *report.focus, week))) for week in weeks)
        found.append(_Line(name, tuple((week, value.mean) for week, value in values if value is not None)))
    return found


def _panel(top: int, label: str, lines: Sequence[_Line]) -> Iterator[str]:
    points = [point for line in lines for point in line.points]
    most = max((value for _, value in points), default=0) or 1
    last = max((week for week, _ in points), default=0) or 1
    bottom, right = top + _PANEL, _WIDTH - 30
    yield f'<text x="{_LEFT}" y="{top - 8}">{escape(label)}</text>'
    for step in range(5):
        y = bottom - step * _PANEL / 4
        yield f'<path d="M{_LEFT},{y:.1f}H{right}" stroke="#dddddd"/>'
        yield f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{most * step / 4:.4g}</text>'
    for step in range(5):
        week = round(last * step / 4)
        x = _LEFT + (right - _LEFT) * week / last
        yield f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">week {week + 1}</text>'
    for number, line in enumerate(lines):
        at = [
            (_LEFT + (right - _LEFT) * week / last, bottom - _PANEL * value / most)
            for week, value in line.points
        ]
        yield from _drawn(number, at)


def _drawn(number: int, at: Sequence[tuple[float, float]]) -> Iterator[str]:
    colour, dash = _COLOURS[number % len(_COLOURS)], _DASHES[number % len(_DASHES)]
    path = "L".join(f"{x:.1f},{y:.1f}" for x, y in at)
    if path:
        yield f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>'
    mark = _MARKS[number % len(_MARKS)]
    for x, y in at[number % _MARK_EVERY :: _MARK_EVERY]:
        yield f'<path transform="translate({x:.1f},{y:.1f})" d="{mark}" fill="{colour}" stroke="{colour}"/>'


def _legend(top: int, names: Sequence[str]) -> Iterator[str]:
    for number, name in enumerate(names):
        y = top + _ROW * number
        yield from _drawn(number, [(_LEFT, y), (_LEFT + 60, y)])
        middle, mark = f"translate({_LEFT + 30},{y})", _MARKS[number % len(_MARKS)]
        colour = _COLOURS[number % len(_COLOURS)]
        yield f'<path transform="{middle}" d="{mark}" fill="{colour}" stroke="{colour}"/>'
        yield f'<text x="{_LEFT + 72}" y="{y + 4}">{escape(name)}</text>'
