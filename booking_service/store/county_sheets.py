"""The tables of a county folder: which columns each file has, and rows read from and written to them.

A sheet keeps the readable cells of rows that have mistakes too, so that the rules between rows can
tell a missing site from one whose latitude is wrong. What cells mean together is in `county_rules`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from booking_service.domain import county
from booking_service.domain.mistakes import Mistake
from booking_service.store import county_cells as cells
from booking_service.store import county_csv
from booking_service.store.county_cells import BadCell, Kind, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from booking_service.store.county_csv import Line

V = TypeVar("V")

# A coordinate outside Germany is a slip, most often latitude and longitude exchanged.
LATITUDES = (47.0, 55.2)
LONGITUDES = (5.5, 15.5)
MOST_MINUTES = 720
RASTERS = (5, 240)
MOST_LEAD_HOURS = 720
MOST_HORIZON_DAYS = 366
MOST_RELEASE_HOURS = 168
DAY_MINUTES = 1440


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name in the file and, where it differs, in the value.

    `refers` names the table whose codes the cell holds; `on_tick` says that its minutes are bound
    to the planning tick.
    """

    name: str
    kind: Kind[Any]
    field: str = ""
    refers: str = ""
    on_tick: bool = False

    @property
    def attribute(self) -> str:
        """Name of the value's attribute."""
        return self.field or self.name


@dataclass(frozen=True, slots=True)
class Table(Generic[V]):
    """A file: what it makes, and the columns that no two rows may have in common (`key`)."""

    name: str
    make: Callable[..., V]
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def file(self) -> str:
        """Name of the file in the folder."""
        return f"{self.name}.csv"

    @property
    def header(self) -> tuple[str, ...]:
        """Names of the columns in the order in which they are written."""
        return tuple(column.name for column in self.columns)


@dataclass(frozen=True, slots=True)
class Row(Generic[V]):
    """A row: its line, its readable values by column name, and the value unless a cell is wrong."""

    line: int
    values: Mapping[str, Any]
    value: V | None


@dataclass(frozen=True, slots=True)
class Sheet(Generic[V]):
    """What could be read of a file. `whole` is False if rows or their keys may be missing in it."""

    table: Table[V]
    rows: tuple[Row[V], ...] = ()
    whole: bool = False

    def place(self, row: Row[V], column: str) -> str:
        """Place of a cell as it stands in mistakes."""
        return f"{self.table.file}:{row.line}:{column}"


@dataclass(slots=True)
class _Reading:
    """Cells of one line on the way to a row."""

    file: str
    line: Line
    values: dict[str, Any] = field(default_factory=dict)
    mistakes: list[Mistake] = field(default_factory=list)

    def take(self, column: Column, cell: str) -> None:
        """Read one cell, noting the mistake if there is one."""
        try:
            self.values[column.name] = column.kind.value(cell)
        except BadCell as bad:
            place = f"{self.file}:{self.line.number}:{column.name}"
            self.mistakes.append(Mistake(place, bad.code, bad.values))


def read_sheet(table: Table[V], text: str, mistakes: list[Mistake]) -> Sheet[V]:
    """Read the rows of a file's text; mistakes of its form and of single cells are noted."""
    lines, whole = county_csv.lines(table.file, text, mistakes)
    if not lines:
        return Sheet(table)
    columns = _columns_of(table, lines[0], mistakes)
    if columns is None:
        return Sheet(table)
    rows = [_read_row(table, columns, line, mistakes) for line in lines[1:]]
    whole = whole and all(name in row.values for row in rows for name in table.key)
    return Sheet(table, tuple(rows), whole)


def _columns_of(table: Table[V], header: Line, mistakes: list[Mistake]) -> list[Column] | None:
    names = [cell.strip() for cell in header.cells]
    known = {column.name: column for column in table.columns}
    place, before = f"{table.file}:{header.number}", len(mistakes)
    for index, name in enumerate(names):
        if name not in known:
            values = {"column": shown(name), "position": index + 1, "expected": ", ".join(known)}
            mistakes.append(Mistake(place, "file_column_unknown", values))
        elif name in names[:index]:
            mistakes.append(Mistake(f"{place}:{name}", "file_column_repeated", {"column": name}))
    missing = [name for name in known if name not in names]
    mistakes.extend(Mistake(place, "file_column_missing", {"column": name}) for name in missing)
    return [known[name] for name in names] if len(mistakes) == before else None


def _read_row(table: Table[V], columns: list[Column], line: Line, mistakes: list[Mistake]) -> Row[V]:
    if len(line.cells) != len(columns):
        counts = {"found": len(line.cells), "expected": len(columns)}
        mistakes.append(Mistake(f"{table.file}:{line.number}", "cell_count", counts))
        return Row(line.number, {}, None)
    reading = _Reading(table.file, line)
    for column, cell in zip(columns, line.cells, strict=True):
        reading.take(column, cell)
    mistakes.extend(reading.mistakes)
    if reading.mistakes:
        return Row(line.number, reading.values, None)
    arguments = {column.attribute: reading.values[column.name] for column in columns}
    return Row(line.number, reading.values, table.make(**arguments))


def write_sheet(table: Table[V], values: Iterable[V]) -> str:
    """Write the file's text for these values."""
    return county_csv.rendered([table.header, *(_written_row(table, value) for value in values)])


def _written_row(table: Table[V], value: V) -> Sequence[str]:
    return [column.kind.write(getattr(value, column.attribute)) for column in table.columns]


_SHORT = cells.text()
_NOTE = cells.text(optional=True)
_LONG = cells.text(cells.LONG_TEXT, optional=True, line_breaks=True)
_LATITUDE, _LONGITUDE = cells.decimal(*LATITUDES), cells.decimal(*LONGITUDES)
_WEEKDAY = cells.number(1, 7)
_VALIDITY = (Column("valid_from", cells.MAYBE_DATE), Column("valid_to", cells.MAYBE_DATE))
_FROM_TO = (Column("from", cells.TIME, "begin", on_tick=True), Column("to", cells.TIME, "end", on_tick=True))

SITES = Table(
    "sites",
    county.Site,
    ("site",),
    (
        Column("site", cells.CODE, "code"),
        Column("name", _SHORT),
        Column("public_name", _SHORT),
        Column("kind", cells.choice(county.SiteKind)),
        Column("street", _SHORT),
        Column("zip", cells.ZIP),
        Column("place", _SHORT),
        Column("lat", _LATITUDE),
        Column("lon", _LONGITUDE),
        Column("step_free", _NOTE),
        Column("status", _NOTE),
        Column("source", _NOTE),
        Column("note", _LONG),
    ),
)
ROOMS = Table(
    "rooms",
    county.Room,
    ("room",),
    (Column("room", cells.CODE, "code"), Column("site", cells.CODE, refers="sites"), Column("name", _SHORT)),
)
UNITS = Table(
    "units",
    county.Unit,
    ("unit",),
    (
        Column("unit", cells.CODE, "code"),
        Column("name_de", _SHORT),
        Column("name_en", _SHORT),
        Column("controller", _SHORT),
        Column("base_site", cells.CODE, refers="sites"),
        Column("handled_by", cells.choice(county.HandledBy)),
        Column("status", _NOTE),
        Column("source", _NOTE),
    ),
)
SERVICES = Table(
    "services",
    county.Service,
    ("service",),
    (
        Column("service", cells.CODE, "code"),
        Column("unit", cells.CODE, refers="units"),
        Column("name_de", _SHORT),
        Column("name_en", _SHORT),
        Column("name_plain_de", _SHORT),
        Column("handled_by", cells.choice(county.HandledBy)),
        Column("bookable", cells.choice(county.Bookable)),
        Column("raster", cells.number(*RASTERS), on_tick=True),
        Column("lead_hours", cells.number(0, MOST_LEAD_HOURS)),
        Column("horizon_days", cells.number(1, MOST_HORIZON_DAYS)),
        Column("competence", cells.choice(county.Competence)),
        Column("refer_to", _NOTE),
        Column("urgent_class", cells.choice(county.UrgentClass)),
        Column("emergency_codes", cells.many(cells.choice(county.Emergency))),
        Column("sensitivity", cells.choice(county.Sensitivity)),
        Column("documents", cells.many(_SHORT)),
        Column("leika_keys", cells.LEIKA_KEYS),
        Column("legal_basis", _NOTE),
        Column("source", _NOTE),
    ),
)
VARIANTS = Table(
    "variants",
    county.Variant,
    ("service", "mode"),
    (
        Column("service", cells.CODE, refers="services"),
        Column("mode", cells.choice(county.Mode)),
        Column("minutes", cells.number(1, MOST_MINUTES), on_tick=True),
        Column("preparation", cells.number(0, MOST_MINUTES), on_tick=True),
        Column("follow_up", cells.number(0, MOST_MINUTES), on_tick=True),
        Column("basis", _NOTE),
    ),
)
HOURS = Table(
    "hours",
    county.Hours,
    (),
    (
        Column("unit", cells.CODE, refers="units"),
        Column("site", cells.CODE, refers="sites"),
        Column("mode", cells.choice(county.Mode)),
        Column("access", cells.choice(county.Access)),
        Column("weekday", _WEEKDAY),
        *_FROM_TO,
        Column("week_of_month", cells.optional(cells.number(1, 5))),
        *_VALIDITY,
        Column("status", _NOTE),
        Column("source", _NOTE),
    ),
)
TRAVEL = Table(
    "travel",
    county.Leg,
    ("from", "to"),
    (
        Column("from", cells.CODE, "origin", refers="sites"),
        Column("to", cells.CODE, "destination", refers="sites"),
        Column("minutes", cells.number(0, DAY_MINUTES)),
        Column("km", cells.decimal(0, 2_000)),
        Column("basis", _NOTE),
    ),
)
PLACES = Table(
    "places",
    county.Place,
    ("zip", "name"),
    (
        Column("zip", cells.ZIP),
        Column("name", _SHORT),
        Column("lat", _LATITUDE),
        Column("lon", _LONGITUDE),
        Column("nearest_site", cells.CODE, refers="sites"),
        Column("shared_with", cells.COUNTY_CODES),
        Column("source", _NOTE),
    ),
)
SPECIALISTS = Table(
    "specialists",
    county.Specialist,
    ("specialist",),
    (
        Column("specialist", cells.CODE, "code"),
        Column("unit", cells.CODE, refers="units"),
        Column("base_site", cells.CODE, refers="sites"),
        Column("skills", cells.CODES, refers="services"),
        Column("languages", cells.many(cells.LANGUAGE, optional=False)),
        Column("modes", cells.many(cells.choice(county.Mode), optional=False)),
        Column("max_travel", cells.optional(cells.number(0, DAY_MINUTES))),
        Column("surname_range", cells.SURNAMES),
        *_VALIDITY,
        Column("status", _NOTE),
    ),
)
WORKING_HOURS = Table(
    "working_hours",
    county.WorkingHours,
    (),
    (
        Column("specialist", cells.CODE, refers="specialists"),
        Column("weekday", _WEEKDAY),
        *_FROM_TO,
        Column("breaks", cells.SPANS, on_tick=True),
        *_VALIDITY,
    ),
)
ABSENCES = Table(
    "absences",
    county.Absence,
    (),
    (
        Column("specialist", cells.CODE, refers="specialists"),
        Column("from", cells.AWAY_FROM, "begin", on_tick=True),
        Column("to", cells.AWAY_TO, "end", on_tick=True),
    ),
)
CLOSURES = Table(
    "closures",
    county.Closure,
    ("closure",),
    (
        Column("closure", cells.CODE, "code"),
        Column("from", cells.DATE, "begin"),
        Column("to", cells.DATE, "end"),
        Column("units", cells.all_or(cells.CODES), refers="units"),
        Column("sites", cells.all_or(cells.CODES), refers="sites"),
        Column("channels", cells.all_or(cells.many(cells.choice(county.Channel)))),
        Column("stays_open", cells.STAYS_OPEN),
        Column("exception_route", _LONG),
        Column("reason", _NOTE),
        Column("public_text_de", _LONG),
        Column("status", _NOTE),
        Column("source", _NOTE),
    ),
)
CONTINGENTS = Table(
    "contingents",
    county.Contingent,
    (),
    (
        Column("service", cells.CODE, refers="services"),
        # A visit on site or by video would take a room too, and no site is named here.
        Column("mode", cells.choice(county.Mode, county.Mode.PHONE)),
        Column("weekday", _WEEKDAY),
        *_FROM_TO,
        Column("release_hours", cells.number(0, MOST_RELEASE_HOURS)),
    ),
)

TABLES: tuple[Table[Any], ...] = (
    SITES,
    ROOMS,
    UNITS,
    SERVICES,
    VARIANTS,
    HOURS,
    TRAVEL,
    PLACES,
    SPECIALISTS,
    WORKING_HOURS,
    ABSENCES,
    CLOSURES,
    CONTINGENTS,
)
