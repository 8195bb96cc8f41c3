"""What the cells of a county folder may contain: each kind reads a cell and writes it back.

A kind raises `BadCell` with a code of `domain.mistakes`; it never guesses what was meant. Values
that belong together (references, orders, overlaps) are the matter of `county_rules`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from enum import StrEnum

T = TypeVar("T")
E = TypeVar("E", bound="StrEnum")

SHORT_TEXT = 300
LONG_TEXT = 2_000
EARLIEST = date(2000, 1, 1)
LATEST = date(2199, 12, 31)
_DAY_END = 24 * 60
_CONTROL = {"Cc", "Cs", "Zl", "Zp"}
# Characters that turn the direction of what follows can make a text read as something else.
_TURNING = set(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))
_REPLACEMENT = "\ufffd"


class BadCell(Exception):
    """A cell cannot be read: the code of the mistake and the values of its words."""

    def __init__(self, code: str, **values: object) -> None:
        self.code = code
        self.values = values
        super().__init__(code)


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """How one kind of cell is read and written; `empty` tells whether an empty cell has a meaning."""

    read: Callable[[str], T]
    write: Callable[[T], str]
    empty: bool = False
    line_breaks: bool = False

    def value(self, cell: str) -> T:
        """Read a cell as it stands in the file; raises BadCell."""
        refuse_control_characters(cell, line_breaks=self.line_breaks)
        stripped = cell.strip()
        if not stripped and not self.empty:
            raise BadCell("cell_empty")
        return self.read(stripped)


def shown(value: object) -> str:
    """Give a value the form in which it may stand in a message: short and printable."""
    text = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in str(value))
    return text if len(text) <= 60 else f"{text[:57]}..."


def refuse_control_characters(text: str, *, line_breaks: bool = False) -> None:
    """Raise BadCell for a character that nobody typed on purpose, naming its code point."""
    for position, character in enumerate(text, start=1):
        if character == "\n" and line_breaks:
            continue
        strange = unicodedata.category(character) in _CONTROL or character in _TURNING
        if strange or character == _REPLACEMENT:
            raise BadCell("cell_control", codepoint=f"U+{ord(character):04X}", position=position)


def text(limit: int = SHORT_TEXT, *, optional: bool = False, line_breaks: bool = False) -> Kind[str]:
    """Allow free text of at most `limit` characters."""

    def read(cell: str) -> str:
        _refuse_long(cell, limit)
        return cell

    return Kind(read, str, empty=optional, line_breaks=line_breaks)


def _refuse_long(cell: str, limit: int) -> None:
    if len(cell) > limit:
        raise BadCell("cell_long", limit=limit, length=len(cell))


def pattern(expression: str, code: str) -> Kind[str]:
    """Allow text that matches a regular expression as a whole."""
    compiled = re.compile(expression)

    def read(cell: str) -> str:
        if not compiled.fullmatch(cell):
            raise BadCell(code, value=shown(cell))
        return cell

    return Kind(read, str)


def choice(enum: type[E], *only: E) -> Kind[E]:
    """Allow one of the values of an enumeration, or one of those named."""
    allowed = only or tuple(enum)

    def read(cell: str) -> E:
        if cell not in allowed:
            raise BadCell("cell_choice", value=shown(cell), allowed=", ".join(allowed))
        return enum(cell)

    return Kind(read, str)


def optional(kind: Kind[T]) -> Kind[T | None]:
    """Allow the kind, or None for an empty cell."""

    def write(value: T | None) -> str:
        return "" if value is None else kind.write(value)

    return Kind(lambda cell: kind.read(cell) if cell else None, write, empty=True)


def blank(kind: Kind[str]) -> Kind[str]:
    """Allow the kind, or an empty text for an empty cell."""
    return Kind(lambda cell: kind.read(cell) if cell else "", kind.write, empty=True)


def many(kind: Kind[T], *, optional: bool = True) -> Kind[tuple[T, ...]]:
    """Allow a list with `;` between its items, none twice."""

    def read(cell: str) -> tuple[T, ...]:
        _refuse_long(cell, LONG_TEXT)
        if not cell:
            return ()
        items = [item.strip() for item in cell.split(";")]
        for index, item in enumerate(items):
            if not item:
                raise BadCell("cell_item_empty")
            if item in items[:index]:
                raise BadCell("cell_item_repeated", item=shown(item))
        return tuple(map(kind.read, items))

    return Kind(read, lambda values: ";".join(map(kind.write, values)), empty=optional)


def all_or(kind: Kind[tuple[T, ...]]) -> Kind[tuple[T, ...]]:
    """Allow a list, or `*` for all (the empty tuple). An empty cell could mean either and is refused."""

    def read(cell: str) -> tuple[T, ...]:
        return () if cell == "*" else kind.read(cell)

    return Kind(read, lambda values: kind.write(values) if values else "*")


def number(low: int, high: int) -> Kind[int]:
    """Allow a whole number from `low` to `high`."""

    def read(cell: str) -> int:
        if not re.fullmatch(r"-?[0-9]{1,9}", cell):
            raise BadCell("cell_number", value=shown(cell))
        return within(int(cell), low, high)

    return Kind(read, str)


def within(value: int, low: int, high: int) -> int:
    """Give the value back; raise BadCell if it is out of range."""
    if not low <= value <= high:
        raise BadCell("cell_range", value=value, low=low, high=high)
    return value


def decimal(low: float, high: float) -> Kind[float]:
    """Allow a number with a decimal point and at most six places, which is 10 cm for a coordinate."""

    def read(cell: str) -> float:
        if re.fullmatch(r"-?[0-9]+,[0-9]+", cell):
            raise BadCell("cell_decimal_comma", value=shown(cell), expected=shown(cell.replace(",", ".")))
        if not re.fullmatch(r"-?[0-9]{1,6}(\.[0-9]{1,6})?", cell):
            raise BadCell("cell_decimal", value=shown(cell))
        if not low <= float(cell) <= high:
            raise BadCell("cell_range", value=shown(cell), low=low, high=high)
        return float(cell) + 0.0  # so that "-0" becomes 0

    def write(value: float) -> str:
        digits = f"{value:.6f}".rstrip("0")
        return f"{digits}0" if digits.endswith(".") else digits

    return Kind(read, write)


def _minutes(cell: str) -> int:
    match = re.fullmatch(r"([0-9]{2}):([0-9]{2})", cell)
    if not match or int(match[2]) > 59 or int(match[1]) * 60 + int(match[2]) > _DAY_END:
        raise BadCell("cell_time", value=shown(cell))
    return int(match[1]) * 60 + int(match[2])


def clock(minutes: int) -> str:
    """Write minutes from midnight as HH:MM; 1440 is 24:00."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _span(cell: str) -> tuple[int, int]:
    begin, dash, end = cell.partition("-")
    if not dash:
        raise BadCell("cell_spans", value=shown(cell))
    span = _minutes(begin.strip()), _minutes(end.strip())
    if span[0] >= span[1]:
        raise BadCell("cell_span_order", value=shown(cell))
    return span


def _spans(cell: str) -> tuple[tuple[int, int], ...]:
    return tuple(_span(part.strip()) for part in cell.split("|")) if cell else ()


def _write_spans(spans: tuple[tuple[int, int], ...]) -> str:
    return "|".join(f"{clock(begin)}-{clock(end)}" for begin, end in spans)


def _date(cell: str) -> date:
    try:
        day = date.fromisoformat(cell) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", cell) else None
    except ValueError:
        day = None
    if day is None or not EARLIEST <= day <= LATEST:
        raise BadCell("cell_date", value=shown(cell), earliest=EARLIEST.year, latest=LATEST.year)
    return day


def _moment(cell: str, whole_days: int) -> datetime:
    """Read a local time; a date alone is the midnight `whole_days` days after its beginning."""
    day, letter, time = cell.partition("T")
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9]{2}:[0-9]{2})?", cell):
        raise BadCell("cell_moment", value=shown(cell))
    minutes = _minutes(time) if letter else whole_days * _DAY_END
    midnight = datetime.combine(_date(day), datetime.min.time())
    return midnight + timedelta(minutes=minutes)


def _write_moment(moment: datetime, whole_days: int) -> str:
    if moment.time() == datetime.min.time():
        return (moment - timedelta(days=whole_days)).date().isoformat()
    return moment.isoformat(timespec="minutes")


def _surnames(cell: str) -> str:
    if not re.fullmatch(r"[A-Z]-[A-Z]", cell) or cell[0] > cell[2]:
        raise BadCell("cell_surnames", value=shown(cell))
    return cell


CODE = pattern(r"[A-Z0-9][A-Z0-9-]{0,31}", "cell_code")
CODES = many(CODE)
ZIP = pattern(r"[0-9]{5}", "cell_zip")
COUNTY_CODES = many(pattern(r"[0-9]{5}", "cell_county_code"))
LEIKA_KEYS = many(pattern(r"[0-9]{14}", "cell_leika"))
LANGUAGE = pattern(r"[a-z]{2,3}", "cell_language")
STAYS_OPEN = many(pattern(r"[a-z_]{1,32}|[A-Z0-9][A-Z0-9-]*(@[A-Z0-9][A-Z0-9-]*)?", "cell_stays_open"))
SURNAMES = blank(Kind(_surnames, str))
TIME: Kind[int] = Kind(_minutes, clock)
SPANS = Kind(_spans, _write_spans, empty=True)
DATE: Kind[date] = Kind(_date, date.isoformat)
MAYBE_DATE = optional(DATE)
AWAY_FROM = Kind(lambda cell: _moment(cell, 0), lambda moment: _write_moment(moment, 0))
AWAY_TO = Kind(lambda cell: _moment(cell, 1), lambda moment: _write_moment(moment, 1))
