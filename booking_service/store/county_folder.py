"""A county as a folder that an office can edit: `county.toml` and thirteen CSV files.

Reading tells every mistake of the whole folder at once, each with file, line and column, and gives a
county only if there is none. Writing gives the same format again, always in the same form, and
refuses what it could not read back. The format is described in `examples/README.md`.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from booking_service.domain.county import County
from booking_service.domain.mistakes import Mistake, Rejected
from booking_service.store import county_csv, county_settings
from booking_service.store.county_rules import broken_rules
from booking_service.store.county_sheets import TABLES, Sheet, read_sheet, write_sheet

if TYPE_CHECKING:
    from collections.abc import Mapping

FILES = (county_settings.FILE, *(table.file for table in TABLES))


def read_folder(path: Path) -> County:
    """Read the county that a folder describes. Raises Rejected with every mistake."""
    if not path.is_dir():
        raise Rejected([Mistake(str(path), "file_no_folder")])
    mistakes: list[Mistake] = []
    raw = {name: _bytes_of(path / name, mistakes) for name in FILES}
    return _understood(raw, mistakes)


def _bytes_of(path: Path, mistakes: list[Mistake]) -> bytes | None:
    if not path.exists():
        mistakes.append(Mistake(path.name, "file_missing"))
        return None
    if not path.is_file():
        mistakes.append(Mistake(path.name, "file_no_file"))
        return None
    try:
        with path.open("rb") as file:
            return file.read(county_csv.MOST_BYTES + 1)
    except OSError as error:
        mistakes.append(Mistake(path.name, "file_unreadable", {"reason": error.strerror}))
        return None


def _understood(raw: Mapping[str, bytes | None], mistakes: list[Mistake]) -> County:
    texts = {
        name: None if content is None else county_csv.decoded(name, content, mistakes)
        for name, content in raw.items()
    }
    text = texts[county_settings.FILE]
    settings = None if text is None else county_settings.read_settings(text, mistakes)
    sheets: dict[str, Sheet[Any]] = {}
    for table in TABLES:
        text = texts[table.file]
        sheets[table.name] = Sheet(table) if text is None else read_sheet(table, text, mistakes)
    mistakes.extend(broken_rules(sheets, settings))
    if mistakes or settings is None:
        raise Rejected(sorted(mistakes, key=_position))
    parts: dict[str, Any] = {name: tuple(row.value for row in sheet.rows) for name, sheet in sheets.items()}
    return County(settings, **parts)


def _position(mistake: Mistake) -> tuple[int, int]:
    file, _colon, rest = mistake.place.partition(":")
    return FILES.index(file), int(rest.partition(":")[0] or 0)


def write_folder(county: County, path: Path) -> None:
    """Write a county into a new or empty folder, or over an earlier one; each file at once or not at all.

    Raises Rejected for a county that breaks the rules or a folder with other files in it, ValueError
    for values that the format cannot hold.
    """
    if path.exists() and not path.is_dir():
        raise Rejected([Mistake(str(path), "file_no_folder")])
    texts = {county_settings.FILE: county_settings.write_settings(county.settings)}
    texts |= {table.file: write_sheet(table, getattr(county, table.name)) for table in TABLES}
    content = {name: text.encode() for name, text in texts.items()}
    if _understood(content, []) != county:
        raise ValueError("the county has values that cannot be read back from its folder")
    path.mkdir(parents=True, exist_ok=True)
    foreign = sorted(entry.name for entry in path.iterdir() if entry.name not in FILES)
    if foreign:
        raise Rejected([Mistake(str(path), "file_foreign", {"names": ", ".join(foreign[:5])})])
    for name, data in content.items():
        _write_at_once(path / name, data)


def _write_at_once(path: Path, data: bytes) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        file.write(data)
    try:
        Path(file.name).chmod(0o644)
        Path(file.name).replace(path)
    except OSError:
        Path(file.name).unlink()
        raise
