"""The county in the database: read whole, replaced whole, with its numbers kept stable.

Absences come from the county's folder, or are recorded one by one; these stay when a county is replaced.
"""

from __future__ import annotations

import dataclasses
import secrets
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import Table, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from booking_service.domain import zones
from booking_service.domain.county import (
    Absence,
    BookingRules,
    Closure,
    Contingent,
    County,
    Hours,
    Leg,
    Place,
    PlanningRules,
    Room,
    Service,
    Settings,
    Site,
    Specialist,
    Unit,
    Variant,
    WorkingHours,
)
from booking_service.domain.mistakes import Mistake, Rejected
from booking_service.store import county_tables as tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Session

V = TypeVar("V")

# Rows that others refer to by their code are kept and changed; in the order of reference.
KEPT: tuple[tuple[str, Table, type[Any]], ...] = (
    ("sites", tables.site_table, Site),
    ("rooms", tables.room_table, Room),
    ("units", tables.unit_table, Unit),
    ("services", tables.service_table, Service),
    ("specialists", tables.specialist_table, Specialist),
    ("closures", tables.closure_table, Closure),
)
# Rows that nobody refers to are written anew.
REPLACED: tuple[tuple[str, Table, type[Any]], ...] = (
    ("variants", tables.variant_table, Variant),
    ("hours", tables.hours_table, Hours),
    ("travel", tables.leg_table, Leg),
    ("places", tables.place_table, Place),
    ("working_hours", tables.working_hours_table, WorkingHours),
    ("absences", tables.absence_table, Absence),
    ("contingents", tables.contingent_table, Contingent),
)

# The position of an absence that stands in no file: after all that do.
RECORDED = 2**31 - 1

MOST_SEEN = 4
_seen: dict[str, County] = {}
_numbers_seen: dict[str, tuple[dict[str, int], dict[str, list[int]]]] = {}


class NoCounty(LookupError):
    """The database holds no county yet."""


def read_county(session: Session) -> County:
    """The whole county; raises NoCounty before the first load.

    Every use case needs it and it seldom changes, so a process keeps the last revisions that it has seen.
    """
    revision = read_revision(session)
    county = _seen.get(revision)
    if county is None:
        while len(_seen) >= MOST_SEEN:
            _seen.pop(next(iter(_seen)), None)
        county = _seen[revision] = _read_all(session)
    return county


def known_county(revision: str) -> County | None:
    """The county of that revision, if this process has seen it."""
    return _seen.get(revision)


def read_revision(session: Session) -> str:
    """A text that is another one after each load; raises NoCounty before the first."""
    revision: str | None = session.execute(select(tables.settings_table.c.revision)).scalar()
    if revision is None:
        raise NoCounty("no county has been loaded: flask county load FOLDER")
    return revision


def _read_all(session: Session) -> County:
    settings = _settings_from(session.execute(select(tables.settings_table.c.settings)).scalar_one())
    parts = {name: _read(session, table, value) for name, table, value in (*KEPT, *REPLACED)}
    parts["absences"] = tuple(
        dataclasses.replace(
            absence,
            begin=zones.to_local(absence.begin, settings.zone),
            end=zones.to_local(absence.end, settings.zone),
        )
        for absence in parts["absences"]
    )
    return County(settings=settings, **parts)


def write_county(session: Session, county: County) -> None:
    """Make the database hold exactly this county.

    Raises Rejected, naming the code, where something that is gone from the county is still in use.
    """
    session.execute(delete(tables.settings_table))
    session.execute(
        insert(tables.settings_table).values(
            id=1, revision=_new_revision(), settings=dataclasses.asdict(county.settings)
        )
    )
    for _name, table, _value in REPLACED:
        if table is tables.absence_table:
            _forget_absences(session, county)
        else:
            session.execute(delete(table))
    for name, table, _value in KEPT:
        _upsert(session, table, _rows(getattr(county, name)))
    used = [
        Mistake(f"{name}.csv", "county_still_used", {"code": code})
        for name, table, _value in reversed(KEPT)
        for code in _remove_missing(session, table, {row.code for row in getattr(county, name)})
    ]
    if used:
        raise Rejected(used)
    for name, table, _value in REPLACED:
        rows = _rows(getattr(county, name))
        if name == "absences":
            rows = _not_recorded(session, [_absence_in_utc(row, county.settings.zone) for row in rows])
        if rows:
            session.execute(insert(table), rows)


def add_absence(session: Session, *, specialist: str, begin: datetime, end: datetime) -> int:
    """Record an absence beside those of the folder; its number."""
    table = tables.absence_table
    values = {"position": RECORDED, "specialist": specialist, "begin": begin, "end": end}
    number: int = session.execute(insert(table).values(values).returning(table.c.id)).scalar_one()
    _raise_revision(session)
    return number


def recorded_absence(session: Session, number: int) -> tuple[str, datetime, datetime] | None:
    """Specialist, begin and end (UTC) of an absence that was recorded; None where there is none."""
    table = tables.absence_table
    query = select(table.c.specialist, table.c.begin, table.c.end).where(_is_recorded(number))
    row = session.execute(query).one_or_none()
    return None if row is None else (row.specialist, row.begin, row.end)


def remove_absence(session: Session, number: int) -> bool:
    """Forget an absence that was recorded; False where there is none."""
    table = tables.absence_table
    gone = session.execute(delete(table).where(_is_recorded(number)).returning(table.c.id)).first()
    if gone is not None:
        _raise_revision(session)
    return gone is not None


def _is_recorded(number: int) -> ColumnElement[bool]:
    return (tables.absence_table.c.id == number) & (tables.absence_table.c.position == RECORDED)


def _raise_revision(session: Session) -> None:
    """Tell every process that the county has changed."""
    session.execute(update(tables.settings_table).values(revision=_new_revision()))


def _new_revision() -> str:
    return secrets.token_hex(16)


def _forget_absences(session: Session, county: County) -> None:
    """Forget those of the folder before, and those of specialists who are gone."""
    table = tables.absence_table
    known = [specialist.code for specialist in county.specialists]
    session.execute(delete(table).where((table.c.position != RECORDED) | table.c.specialist.not_in(known)))


def _not_recorded(session: Session, rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The absences of a folder without those that are recorded: an export names both."""
    table = tables.absence_table
    query = select(table.c.specialist, table.c.begin, table.c.end).where(table.c.position == RECORDED)
    recorded = {tuple(row) for row in session.execute(query)}
    return [row for row in rows if (row["specialist"], row["begin"], row["end"]) not in recorded]


def specialist_numbers(session: Session, revision: str | None = None) -> Mapping[str, int]:
    """The number of each specialist by code; from memory where the county's `revision` is known to stand."""
    return _numbers(session, revision)[0]


def rooms_by_site(session: Session, revision: str | None = None) -> Mapping[str, list[int]]:
    """The numbers of the rooms of each site, in the county's order; from memory as above."""
    return _numbers(session, revision)[1]


def _numbers(session: Session, revision: str | None) -> tuple[dict[str, int], dict[str, list[int]]]:
    """They change with the county and at no other time."""
    found = _numbers_seen.get(revision or "")
    if found is not None:
        return found
    table = tables.specialist_table
    numbers = {code: number for code, number in session.execute(select(table.c.code, table.c.id))}  # noqa: C416 - rows are not pairs to the type checker
    table = tables.room_table
    rooms: dict[str, list[int]] = {}
    for site, number in session.execute(select(table.c.site, table.c.id).order_by(table.c.position)):
        rooms.setdefault(site, []).append(number)
    if revision is not None:
        while len(_numbers_seen) >= MOST_SEEN:
            _numbers_seen.pop(next(iter(_numbers_seen)), None)
        _numbers_seen[revision] = numbers, rooms
    return numbers, rooms


def _read(session: Session, table: Table, value: type[V]) -> tuple[V, ...]:
    columns = [table.c[field.name] for field in dataclasses.fields(value)]  # type: ignore[arg-type]
    query = select(*columns).order_by(table.c.position, *table.primary_key)
    return tuple(value(*row) for row in session.execute(query))


def _rows(values: Iterable[Any]) -> list[dict[str, Any]]:
    return [
        {"position": position}
        | {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        for position, value in enumerate(values)
    ]


def _upsert(session: Session, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    known = set(session.execute(select(table.c.code)).scalars())
    for row in rows:
        if row["code"] in known:
            session.execute(update(table).where(table.c.code == row["code"]).values(**row))
    new = [row for row in rows if row["code"] not in known]
    if new:
        session.execute(insert(table), new)


def _remove_missing(session: Session, table: Table, codes: set[str]) -> list[str]:
    """Delete the rows of all other codes; those that something still refers to."""
    used = []
    for code in sorted(set(session.execute(select(table.c.code)).scalars()) - codes):
        try:
            with session.begin_nested():
                session.execute(delete(table).where(table.c.code == code))
        except IntegrityError:
            used.append(code)
    return used


def _absence_in_utc(row: dict[str, Any], zone: str) -> dict[str, Any]:
    return row | {key: zones.from_local(row[key], zone) for key in ("begin", "end")}


def _settings_from(row: dict[str, Any]) -> Settings:
    fields: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in row.items()
    }
    fields["planning"] = PlanningRules(**row["planning"])
    fields["booking"] = BookingRules(**row["booking"])
    return Settings(**fields)
