"""The county in the database: read whole, replaced whole, with its numbers kept stable."""

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
    from collections.abc import Iterable, Sequence

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

MOST_SEEN = 4
_seen: dict[str, County] = {}


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
            id=1, revision=secrets.token_hex(16), settings=dataclasses.asdict(county.settings)
        )
    )
    for _name, table, _value in REPLACED:
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
            rows = [_absence_in_utc(row, county.settings.zone) for row in rows]
        if rows:
            session.execute(insert(table), rows)


def specialist_numbers(session: Session) -> dict[str, int]:
    """The number of each specialist by code."""
    table = tables.specialist_table
    return {code: number for code, number in session.execute(select(table.c.code, table.c.id))}  # noqa: C416 - rows are not pairs to the type checker


def rooms_by_site(session: Session) -> dict[str, list[int]]:
    """The numbers of the rooms of each site, in the county's order."""
    table = tables.room_table
    rooms: dict[str, list[int]] = {}
    for site, number in session.execute(select(table.c.site, table.c.id).order_by(table.c.position)):
        rooms.setdefault(site, []).append(number)
    return rooms


def _read(session: Session, table: Table, value: type[V]) -> tuple[V, ...]:
    columns = [table.c[field.name] for field in dataclasses.fields(value)]  # type: ignore[arg-type]
    return tuple(value(*row) for row in session.execute(select(*columns).order_by(table.c.position)))


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
