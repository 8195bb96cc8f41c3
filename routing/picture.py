"""A plan as a drawing (SVG): a panel for each day, a row for each specialist, time from left to right.

A bar is a visit: its colour and its short code say at which site the citizen is (filled: the specialist is
there too, outlined: by video, grey: by phone). Lines are ways, drawn as late as they can begin, the way home
as early as it can. The colours can be told apart by the colour-blind; where there are more sites than colours
the codes tell which is which.
"""

from __future__ import annotations

import re
from html import escape
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from routing.check import check
from routing.roster import Roster
from routing.timeline import earliest_arrival, latest_departure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from routing.check import Report
    from routing.problem import Assignment, Instance, Plan, Shift, Visit
    from routing.timeline import Day, Stop

_COLOURS = (
    (230, 159, 0),
    (86, 180, 233),
    (0, 158, 115),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
    (204, 121, 167),
)
"""Seven that the colour-blind can tell apart (Okabe and Ito); then they come lighter, then darker."""
_SHADES = ((255, 1.0), (255, 0.45), (0, 0.6))
"""White or black, and the share of the colour in the mixture."""
_SCALE = 1.5
"""Pixels a minute."""
_LABEL, _ROW, _BAR, _MARGIN, _LINE = 110, 18, 14, 12, 16
_LETTER = 5.2
"""Pixels that a letter of the small type takes, on average."""
_LEAST_WIDTH = 640
_CODE = 4
_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_STYLE = """
text{font:11px sans-serif;fill:#111}
.h{font-size:13px;font-weight:bold}
.m{font-size:9px;text-anchor:middle}
.a{font-size:9px;fill:#555}
.g{stroke:#ddd;stroke-width:1}
.w{fill:#eef1f4}
.b{fill:#b8bec6}
.t{stroke:#222;stroke-width:1.5;fill:none}
.n{font-size:8px;text-anchor:middle;stroke:#fff;stroke-width:2px;paint-order:stroke}
.p{fill:#000;stroke:#fff;stroke-width:.5}
.v rect{fill:#fff;stroke:#333;stroke-width:2.5}
.o rect{stroke:#333;stroke-width:.5}
.x text{fill:#fff}
.c rect{fill:#d9d9d9;stroke:#333;stroke-width:.5}
"""


def draw(instance: Instance, plan: Plan, *, day: int | None = None) -> str:
    """The drawing of a valid plan, of all its days or of one, as the text of an SVG file.

    ValueError if the plan breaks a rule or there is no such day.
    """
    report = check(instance, plan)
    if not report.valid:
        raise ValueError(f"the plan breaks a rule: {report.violations[0]}")
    if day is not None and not 0 <= day < len(instance.days):
        raise ValueError(f"there is no day {day}")
    days = range(len(instance.days)) if day is None else [day]
    return "".join(_Drawing(instance, plan, report, days).pieces())


class _Site(NamedTuple):
    """How a site looks: its short code and the classes of a filled bar."""

    code: str
    look: int


class _Drawing:
    """Draws from top to bottom; `_y` is where the next piece goes."""

    def __init__(self, instance: Instance, plan: Plan, report: Report, days: Sequence[int]) -> None:
        self._instance = instance
        self._report = report
        self._days = days
        self._roster = Roster.of(instance, plan)
        self._sites = _sites(instance)
        shifts = [
            shift for one in instance.specialists.values() for shift in one.shifts if shift.day in set(days)
        ]
        self._from = min((shift.begin for shift in shifts), default=480) // 60 * 60
        self._until = -(-max((shift.end for shift in shifts), default=960) // 60) * 60
        self._width = max(_LEAST_WIDTH, round(self._x(self._until)) + _MARGIN)
        self._y = _MARGIN

    def pieces(self) -> Iterator[str]:
        """The whole file."""
        body = [
            *self._head(),
            *(piece for day in self._days for piece in self._panel(day)),
            *self._unserved(),
        ]
        height = self._y + _MARGIN
        yield (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self._width}" height="{height}" '
            f'viewBox="0 0 {self._width} {height}" role="img" aria-labelledby="title desc">\n'
            f'<title id="title">{_clean(self._title())}</title>\n'
            f'<desc id="desc">{_clean(self._description())}</desc>\n'
            f"<style>{_STYLE}{self._site_styles()}</style>\n"
            f'<rect width="{self._width}" height="{height}" fill="#fff"/>\n'
        )
        yield from body
        yield "</svg>\n"

    def _title(self) -> str:
        return f"Plan of {self._instance.name}"

    def _description(self) -> str:
        report, instance = self._report, self._instance
        left = sum((report.unserved or {}).values())
        return (
            f"{len(instance.visits) - left} of {len(instance.visits)} visits served by "
            f"{len(instance.specialists)} specialists on {len(instance.days)} days, {left} not served; "
            f"{report.travel} minutes of travel, cost {report.cost}. "
            f"Shown: {', '.join(instance.days[day] for day in self._days)}. "
            "One row for each specialist on duty, time from left to right; bars are visits, lines are ways."
        )

    def _site_styles(self) -> str:
        looks = sorted({site.look for site in self._sites.values()})
        return "".join(
            f".s{look} rect{{fill:{_colour(look)}}}.v.s{look} rect{{fill:#fff;stroke:{_colour(look)}}}"
            for look in looks
        )

    def _x(self, minute: int) -> float:
        return _LABEL + (minute - self._from) * _SCALE

    def _text(self, x: float, text: str, style: str = "") -> str:
        return _text(x, self._y, text, style)

    # --- Head and legend --------------------------------------------------------------------------

    def _head(self) -> Iterator[str]:
        self._y += _LINE
        yield self._text(_MARGIN, self._title(), "h")
        self._y += _LINE
        yield self._text(_MARGIN, self._description().split(" Shown:")[0])
        self._y += _LINE // 2
        yield from self._legend()

    def _legend(self) -> Iterator[str]:
        """A sample of everything, as many in a line as fit."""
        x = float(_MARGIN)
        for sample, words in self._samples():
            width = 58 + _LETTER * 1.2 * len(words)
            if x > _MARGIN and x + width > self._width:
                x, self._y = float(_MARGIN), self._y + _ROW
            yield f'<g transform="translate({x:.9g} {self._y})">{sample}{_text(38, 11, words)}</g>\n'
            x += width
        self._y += _ROW + _LINE // 2

    def _samples(self) -> Iterator[tuple[str, str]]:
        for name, site in self._sites.items():
            yield _bar(0, 0, 32, _filled(site.look), site.code), name
        yield _bar(0, 0, 32, "v", "video"), "by video"
        yield _bar(0, 0, 32, "c", "tel"), "by phone"
        yield _bar(0, 0, 32, "c", "") + _promise_mark(0, 0), "promised"
        yield '<path class="t" d="M0 7H32"/>', "way, from place to place, with minutes"
        yield f'<rect class="b" width="32" height="{_BAR}"/>', "break"

    # --- A day ------------------------------------------------------------------------------------

    def _panel(self, day: int) -> Iterator[str]:
        board = self._roster.calendar.board
        duties = [number for number, (_, of_day) in enumerate(board.owners) if of_day == day]
        served = sum(len(self._roster.day(duty).stops) for duty in duties)
        title = f"Day {day}, {self._instance.days[day]}: {served} visits, {len(duties)} specialists on duty"
        self._y += _LINE
        yield f'<g aria-label="{_clean(title)}">\n'
        yield self._text(_MARGIN, title, "h")
        self._y += _LINE
        yield from self._hours(len(duties))
        self._y += 4
        for duty in duties:
            yield from self._row(board.owners[duty][0], self._roster.day(duty))
            self._y += _ROW
        yield "</g>\n"
        self._y += _LINE // 2

    def _hours(self, rows: int) -> Iterator[str]:
        bottom = self._y + 4 + rows * _ROW
        for minute in range(self._from, self._until + 1, 60):
            x = self._x(minute)
            yield _text(x, self._y, f"{minute // 60:02}:00", "a m")
            yield f'<path class="g" d="M{x:.9g} {self._y + 4}V{bottom}"/>\n'

    def _row(self, specialist: str, day: Day) -> Iterator[str]:
        yield _text(_MARGIN, self._y + 11, _shortened(specialist, _LABEL - _MARGIN))
        for shift, tour in zip(day.duty.shifts, day.tours, strict=True):
            yield self._span(shift.begin, shift.end, "w")
            for begin, end in shift.breaks:
                yield self._span(begin, end, "b")
            yield from self._ways(shift, tour, day)
            for stop in tour:
                yield self._visit(stop)

    def _span(self, begin: int, end: int, style: str) -> str:
        x, width = self._x(begin), (end - begin) * _SCALE
        return f'<rect class="{style}" x="{x:.9g}" y="{self._y}" width="{width:.9g}" height="{_BAR}"/>\n'

    def _ways(self, shift: Shift, tour: tuple[Stop, ...], day: Day) -> Iterator[str]:
        """The ways of a tour from base to base."""
        if not tour:
            return
        begin, end = day.duty.ends(day.duty.shifts.index(shift))
        for one, other in pairwise((begin, *tour, end)):
            minutes = 0 if one.place == other.place else day.duty.travel[one.place][other.place]
            if not minutes:
                continue
            if other is end:
                leave = earliest_arrival(shift, one.end, minutes) - minutes
            else:
                leave = latest_departure(shift, other.begin, minutes)
            yield self._way(one.place, other.place, leave, minutes)

    def _way(self, origin: str, target: str, leave: int, minutes: int) -> str:
        x, y, width = self._x(leave), self._y + _BAR - 3, minutes * _SCALE
        words = f"{self._sites[origin].code}›{self._sites[target].code} {minutes}"
        label = next((text for text in (words, str(minutes)) if len(text) * _LETTER <= width), "")
        told = f"{origin} to {target}, {minutes} minutes, {_clock(leave)} to {_clock(leave + minutes)}"
        return (
            f"<g><title>{_clean(told)}</title>"
            f'<path class="t" d="M{x:.9g} {y}h{width:.9g}m0 -3v6"/>'
            f"{_text(x + width / 2, y - 3, label, 'n') if label else ''}</g>\n"
        )

    def _visit(self, stop: Stop) -> str:
        served = self._roster.served(stop.visit)
        assert served is not None  # noqa: S101 - it is a stop of the plan
        line, visit = served.line, self._instance.visits[stop.visit]
        x, width = self._x(stop.begin), (stop.end - stop.begin) * _SCALE
        style, code = self._look(line)
        mark = _promise_mark(x, self._y) if visit.promise else ""
        told = _clean(_told(visit, line, stop.end))
        return f"<g><title>{told}</title>{_bar(x, self._y, width, style, code)}{mark}</g>\n"

    def _look(self, line: Assignment) -> tuple[str, str]:
        """Style and code of a bar."""
        if line.site is None:
            return "c", "tel"
        site = self._sites[line.site]
        return (_filled(site.look) if line.mode == "on_site" else f"v s{site.look}"), site.code

    # --- What is left -----------------------------------------------------------------------------

    def _unserved(self) -> Iterator[str]:
        left = [visit for visit in self._instance.visits.values() if self._concerns(visit)]
        left.sort(key=lambda visit: (visit.promise is None, -visit.priority))
        self._y += _LINE
        title = f"Not served: {len(left)}"
        yield f'<g aria-label="{title}">\n' + self._text(_MARGIN, title, "h")
        columns = max(1, self._width // 240)
        width = (self._width - _MARGIN) / columns
        for number, visit in enumerate(left):
            if number % columns == 0:
                self._y += _LINE
            words = (
                f"{visit.id}, {visit.skill}, priority {visit.priority}{', promised' if visit.promise else ''}"
            )
            yield self._text(_MARGIN + number % columns * width, _shortened(words, width))
        yield "</g>\n"
        self._y += _LINE

    def _concerns(self, visit: Visit) -> bool:
        """Whether the visit is left out and could have been served on the days shown."""
        if self._roster.served(visit.id) is not None:
            return False
        if len(self._days) == len(self._instance.days):
            return True
        return any(ask.day in self._days and ask.starts for ask in self._roster.calendar.board.asks_of(visit))


# --- Pieces -------------------------------------------------------------------------------------------


def _sites(instance: Instance) -> dict[str, _Site]:
    """Short code, style and colour of each site."""
    names = list(instance.travel)
    length = next((n for n in range(1, _CODE + 1) if len({name[:n] for name in names}) == len(names)), None)
    if all(len(name) <= _CODE for name in names):
        length = _CODE
    sites = {}
    for number, name in enumerate(names):
        code = str(number + 1) if length is None else name[: max(2, length)]
        sites[name] = _Site(code, number % (len(_COLOURS) * len(_SHADES)))
    return sites


def _mixed(look: int) -> tuple[int, ...]:
    """Red, green and blue of a look."""
    shade, number = divmod(look, len(_COLOURS))
    ground, share = _SHADES[shade]
    return tuple(round(share * part + (1 - share) * ground) for part in _COLOURS[number])


def _colour(look: int) -> str:
    return "#" + "".join(f"{part:02x}" for part in _mixed(look))


def _filled(look: int) -> str:
    """The classes of a filled bar: white text where black would be hard to read."""
    red, green, blue = _mixed(look)
    dark = 0.299 * red + 0.587 * green + 0.114 * blue < 100
    return f"o s{look}{' x' if dark else ''}"


def _bar(x: float, y: float, width: float, style: str, code: str) -> str:
    inset = 1.25 if style.startswith("v") else 0
    box = (
        f'<rect x="{x + inset:.9g}" y="{y + inset:.9g}" width="{max(1, width - 2 * inset):.9g}" '
        f'height="{_BAR - 2 * inset:.9g}"/>'
    )
    text = _text(x + width / 2, y + 10, code, "m") if code and len(code) * _LETTER <= width else ""
    return f'<g class="{style}">{box}{text}</g>'


def _promise_mark(x: float, y: float) -> str:
    return f'<path class="p" d="M{x:.9g} {y:.9g}h6l-6 6z"/>'


def _text(x: float, y: float, text: str, style: str = "") -> str:
    named = f' class="{style}"' if style else ""
    return f'<text x="{x:.9g}" y="{y:.9g}"{named}>{_clean(text)}</text>'


def _told(visit: Visit, line: Assignment, end: int) -> str:
    where = line.mode if line.site is None else f"{line.mode} at {line.site}"
    promised = ", promised" if visit.promise else ""
    return (
        f"{visit.id}: {visit.skill}, {_clock(line.start)} to {_clock(end)}, {where}, {line.specialist}, "
        f"priority {visit.priority}{promised}"
    )


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _shortened(text: str, width: float) -> str:
    most = max(2, int(width / (_LETTER * 1.15)))
    return text if len(text) <= most else text[: most - 1] + "…"


def _clean(text: str) -> str:
    """The text as it may stand in XML."""
    return escape(_NOT_IN_XML.sub("\ufffd", text))
