"""CSV text of a county folder: bytes to numbered lines of cells, and back.

This room knows encodings, separators and quotation marks and always tells the line that an editor
shows. It does not know what a cell means: see `county_cells` and `county_tables`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from booking_service.domain.mistakes import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MOST_BYTES = 5_000_000
MOST_LINES = 50_000
_UNQUOTED = re.compile(r'[^,\n"]*')
_SEPARATORS = {";": "Semikolon / semicolon", "\t": "Tabulator / tab"}


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a table; `number` counts from 1 and is that of its first line in the file."""

    number: int
    cells: tuple[str, ...]


class _Torn(Exception):
    """A quotation mark is where it must not be; `at` is the position where the cell begins."""

    def __init__(self, code: str, at: int) -> None:
        self.code = code
        self.at = at
        super().__init__(code)


def decoded(file: str, raw: bytes, mistakes: list[Mistake]) -> str | None:
    """Give a file's text with LF line ends and without byte order mark, or None with the mistake noted."""
    if len(raw) > MOST_BYTES:
        mistakes.append(Mistake(file, "file_too_large", {"bytes": MOST_BYTES, "lines": MOST_LINES}))
        return None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        mistakes.append(_wrong_byte(file, raw, error))
        return None
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if _is_proper(file, text, mistakes) else None


def _wrong_byte(file: str, raw: bytes, error: UnicodeDecodeError) -> Mistake:
    # `error.start` counts in what the decoder saw, which is without the byte order mark.
    seen: bytes = error.object
    before = seen[: error.start].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    line = before.count(b"\n") + 1
    position = len(before[before.rfind(b"\n") + 1 :].decode("utf-8")) + 1
    byte = f"0x{seen[error.start]:02X}"
    code = "file_utf16" if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else "file_encoding"
    return Mistake(f"{file}:{line}", code, {"line": line, "position": position, "byte": byte})


def _is_proper(file: str, text: str, mistakes: list[Mistake]) -> bool:
    if text.count("\n") > MOST_LINES:
        mistakes.append(Mistake(file, "file_too_large", {"bytes": MOST_BYTES, "lines": MOST_LINES}))
        return False
    if (at := text.find("\0")) >= 0:
        mistakes.append(Mistake(f"{file}:{_line_of(text, at)}", "file_nul"))
        return False
    if not text.strip():
        mistakes.append(Mistake(file, "file_empty"))
        return False
    return True


def _line_of(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


def lines(file: str, text: str, mistakes: list[Mistake]) -> tuple[list[Line], bool]:
    """Cut a CSV text into rows, and tell whether all could be cut into cells.

    Rows without any content (blank lines, or only separators as spreadsheets leave them) are left out.
    """
    start = len(text) - len(text.lstrip("\n"))
    header = text[start:].partition("\n")[0]
    for separator, name in _SEPARATORS.items():
        if separator in header and "," not in header:
            mistakes.append(Mistake(f"{file}:{start + 1}", "file_separator", {"separator": name}))
            return [], False
    before = len(mistakes)
    rows = [line for line in _cut(file, text, mistakes) if any(cell.strip() for cell in line.cells)]
    whole = len(mistakes) == before
    if whole and not rows:
        mistakes.append(Mistake(file, "file_empty"))
    return rows, whole


def _cut(file: str, text: str, mistakes: list[Mistake]) -> Iterator[Line]:
    at, number = 0, 1
    while at < len(text):
        begin = at
        try:
            cells, at = _row(text, at)
            yield Line(number, cells)
        except _Torn as torn:
            line = number + text.count("\n", begin, torn.at)
            mistakes.append(Mistake(f"{file}:{line}", torn.code))
            # An open quotation mark would swallow the rest of the file: go on with the next line.
            at = (text.find("\n", torn.at) + 1) or len(text)
        number += text.count("\n", begin, at)


def _row(text: str, at: int) -> tuple[tuple[str, ...], int]:
    cells = []
    while True:
        cell, at = _cell(text, at)
        cells.append(cell)
        if not text.startswith(",", at):
            return tuple(cells), at + 1
        at += 1


def _cell(text: str, at: int) -> tuple[str, int]:
    if text.startswith('"', at):
        return _quoted(text, at)
    match = _UNQUOTED.match(text, at)
    end = match.end() if match else at
    if text.startswith('"', end):
        raise _Torn("cell_quote_inside", at)
    return text[at:end], end


def _quoted(text: str, at: int) -> tuple[str, int]:
    end = text.find('"', at + 1)
    while end >= 0 and text.startswith('""', end):
        end = text.find('"', end + 2)
    after = end + 1
    if end < 0 or (after < len(text) and text[after] not in ",\n"):
        raise _Torn("cell_quote", at)
    return text[at + 1 : end].replace('""', '"'), after


def rendered(rows: Iterable[Sequence[str]]) -> str:
    """Write rows of cells as CSV text; only cells that need it are quoted."""
    return "".join(",".join(_escaped(cell) for cell in row) + "\n" for row in rows)


def _escaped(cell: str) -> str:
    if any(character in cell for character in ',"\n'):
        return '"' + cell.replace('"', '""') + '"'
    return cell
