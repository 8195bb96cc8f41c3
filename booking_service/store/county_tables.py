"""The tables of a county; columns are named as the fields of the values in `domain.county`.

`position` keeps the order of the county's files. Codes are the keys, since they are what everybody
outside knows; specialists and rooms also have a number, which the guard against double booking needs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import JSON, Column, Date, Float, ForeignKey, Integer, String, Table, Text
from sqlalchemy.types import TypeDecorator

from booking_service.domain import county
from booking_service.store.db import UtcDateTime, db

if TYPE_CHECKING:
    from enum import StrEnum

    from sqlalchemy.engine import Dialect

CODE = String(32)
WORD = String(40)
LINE = String(300)


class Words(TypeDecorator[tuple[str, ...]]):
    """A short list, given back as a tuple; inner lists (breaks) too."""

    impl = JSON
    cache_ok = True

    def process_bind_param(self, value: tuple[Any, ...] | None, dialect: Dialect) -> list[Any] | None:  # noqa: ARG002, D102 - as its base says
        return None if value is None else list(value)

    def process_result_value(self, value: list[Any] | None, dialect: Dialect) -> tuple[Any, ...] | None:  # noqa: ARG002, D102 - as its base says
        if value is None:
            return None
        return tuple(tuple(item) if isinstance(item, list) else item for item in value)


class Choice(TypeDecorator[Any]):
    """A value of one of the county's vocabularies, stored as its word; `many` for a list of them."""

    impl = String(40)
    cache_ok = True

    def __init__(self, vocabulary: type[StrEnum]) -> None:
        self.vocabulary = vocabulary
        super().__init__()

    def process_bind_param(self, value: StrEnum | None, dialect: Dialect) -> str | None:  # noqa: ARG002, D102 - as its base says
        return None if value is None else str(self.vocabulary(value))

    def process_result_value(self, value: str | None, dialect: Dialect) -> StrEnum | None:  # noqa: ARG002, D102 - as its base says
        return None if value is None else self.vocabulary(value)


class Choices(Words):
    """A list of values of one vocabulary."""

    cache_ok = True

    def __init__(self, vocabulary: type[StrEnum]) -> None:
        self.vocabulary = vocabulary
        super().__init__()

    def process_result_value(self, value: list[Any] | None, dialect: Dialect) -> tuple[Any, ...] | None:  # noqa: ARG002, D102 - as its base says
        return None if value is None else tuple(self.vocabulary(word) for word in value)


def _position() -> Column[int]:
    return Column("position", Integer, nullable=False)


def _text(name: str, kind: Any = LINE) -> Column[str]:
    return Column(name, kind, nullable=False)


def _code(name: str, target: str) -> Column[str]:
    return Column(name, CODE, ForeignKey(f"{target}.code"), nullable=False, index=True)


def _key() -> Column[str]:
    return Column("code", CODE, primary_key=True)


def _choice(name: str, vocabulary: type[StrEnum]) -> Column[Any]:
    return Column(name, Choice(vocabulary), nullable=False)


def _row_number() -> Column[int]:
    return Column("id", Integer, primary_key=True)


def _validity() -> tuple[Column[Any], Column[Any]]:
    return Column("valid_from", Date), Column("valid_to", Date)


def _span() -> tuple[Column[int], Column[int]]:
    return Column("begin", Integer, nullable=False), Column("end", Integer, nullable=False)


settings_table = Table(
    "county",
    db.metadata,
    Column("id", Integer, primary_key=True),
    Column("revision", WORD, nullable=False),
    Column("settings", JSON, nullable=False),
)
site_table = Table(
    "site",
    db.metadata,
    _key(),
    _position(),
    _text("name"),
    _text("public_name"),
    _choice("kind", county.SiteKind),
    _text("street"),
    _text("zip"),
    _text("place"),
    Column("lat", Float, nullable=False),
    Column("lon", Float, nullable=False),
    _text("step_free"),
    _text("status"),
    _text("source"),
    _text("note"),
)
room_table = Table(
    "room",
    db.metadata,
    _row_number(),
    Column("code", CODE, nullable=False, unique=True),
    _position(),
    _code("site", "site"),
    _text("name"),
)
unit_table = Table(
    "unit",
    db.metadata,
    _key(),
    _position(),
    _text("name_de"),
    _text("name_en"),
    _text("controller"),
    _code("base_site", "site"),
    _choice("handled_by", county.HandledBy),
    _text("status"),
    _text("source"),
)
service_table = Table(
    "service",
    db.metadata,
    _key(),
    _position(),
    _code("unit", "unit"),
    _text("name_de"),
    _text("name_en"),
    _text("name_plain_de"),
    _choice("handled_by", county.HandledBy),
    _choice("bookable", county.Bookable),
    Column("raster", Integer, nullable=False),
    Column("lead_hours", Integer, nullable=False),
    Column("horizon_days", Integer, nullable=False),
    _choice("competence", county.Competence),
    _text("refer_to"),
    _choice("urgent_class", county.UrgentClass),
    Column("emergency_codes", Choices(county.Emergency), nullable=False),
    _choice("sensitivity", county.Sensitivity),
    Column("documents", Words, nullable=False),
    Column("leika_keys", Words, nullable=False),
    _text("legal_basis"),
    _text("source"),
)
variant_table = Table(
    "variant",
    db.metadata,
    _row_number(),
    _position(),
    _code("service", "service"),
    _choice("mode", county.Mode),
    Column("minutes", Integer, nullable=False),
    Column("preparation", Integer, nullable=False),
    Column("follow_up", Integer, nullable=False),
    _text("basis"),
)
hours_table = Table(
    "hours",
    db.metadata,
    _row_number(),
    _position(),
    _code("unit", "unit"),
    _code("site", "site"),
    _choice("mode", county.Mode),
    _choice("access", county.Access),
    Column("weekday", Integer, nullable=False),
    *_span(),
    Column("week_of_month", Integer),
    *_validity(),
    _text("status"),
    _text("source"),
)
leg_table = Table(
    "leg",
    db.metadata,
    _row_number(),
    _position(),
    _code("origin", "site"),
    _code("destination", "site"),
    Column("minutes", Integer, nullable=False),
    Column("km", Float, nullable=False),
    _text("basis"),
)
place_table = Table(
    "place",
    db.metadata,
    _row_number(),
    _position(),
    _text("zip"),
    _text("name"),
    Column("lat", Float, nullable=False),
    Column("lon", Float, nullable=False),
    _code("nearest_site", "site"),
    Column("shared_with", Words, nullable=False),
    _text("source"),
)
specialist_table = Table(
    "specialist",
    db.metadata,
    _row_number(),
    Column("code", CODE, nullable=False, unique=True),
    _position(),
    _code("unit", "unit"),
    _code("base_site", "site"),
    Column("skills", Words, nullable=False),
    Column("languages", Words, nullable=False),
    Column("modes", Choices(county.Mode), nullable=False),
    Column("max_travel", Integer),
    _text("surname_range", WORD),
    *_validity(),
    _text("status"),
)
working_hours_table = Table(
    "working_hours",
    db.metadata,
    _row_number(),
    _position(),
    _code("specialist", "specialist"),
    Column("weekday", Integer, nullable=False),
    *_span(),
    Column("breaks", Words, nullable=False),
    *_validity(),
)
absence_table = Table(
    "absence",
    db.metadata,
    _row_number(),
    _position(),
    _code("specialist", "specialist"),
    Column("begin", UtcDateTime, nullable=False),
    Column("end", UtcDateTime, nullable=False),
)
closure_table = Table(
    "closure",
    db.metadata,
    _key(),
    _position(),
    Column("begin", Date, nullable=False),
    Column("end", Date, nullable=False),
    Column("units", Words, nullable=False),
    Column("sites", Words, nullable=False),
    Column("channels", Choices(county.Channel), nullable=False),
    Column("stays_open", Words, nullable=False),
    _text("exception_route"),
    _text("reason"),
    _text("public_text_de", Text),
    _text("status"),
    _text("source"),
)
contingent_table = Table(
    "contingent",
    db.metadata,
    _row_number(),
    _position(),
    _code("service", "service"),
    _choice("mode", county.Mode),
    Column("weekday", Integer, nullable=False),
    *_span(),
    Column("release_hours", Integer, nullable=False),
)
