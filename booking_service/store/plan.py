"""Queries about what waits and what is promised, and the locks of the plan's days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import String, bindparam, cast, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import selectinload

from booking_service.domain.bookings import RequestStatus, TimeWindow, Urgency
from booking_service.store.booking_tables import (
    APPOINTMENTS,
    PLAN_DAYS,
    VISIT_SERVICES,
    VISITS,
    PlanDayRow,
    RequestRow,
)
from booking_service.store.county import NoCounty
from booking_service.store.county_tables import settings_table, specialist_table
from booking_service.store.db import glancing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime

    from sqlalchemy import ColumnElement, ScalarSelect
    from sqlalchemy.engine import Connection
    from sqlalchemy.orm import Session

    from booking_service.domain.county import Mode


V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request that waits for a promise."""

    request_id: int
    reference: str
    services: tuple[str, ...]
    sites: tuple[str, ...]
    modes: tuple[Mode, ...]
    windows: tuple[TimeWindow, ...]
    language: str | None
    urgency: Urgency
    wish: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Promised:
    """A live visit: what of a promise one specialist keeps."""

    visit_id: int
    appointment_id: int
    position: int
    services: tuple[str, ...]
    day: date
    mode: Mode
    site: str | None
    start_at: datetime
    end_at: datetime
    busy_from: datetime
    busy_until: datetime
    language: str | None
    wish: str | None
    specialist: str
    room_id: int | None


def waiting_requests(session: Session) -> list[Waiting]:
    """All requests that wait, the oldest first."""
    rows = session.scalars(
        select(RequestRow)
        .where(RequestRow.status == RequestStatus.WAITING)
        .order_by(RequestRow.created_at, RequestRow.id)
        .options(
            selectinload(RequestRow.services),
            selectinload(RequestRow.sites),
            selectinload(RequestRow.windows),
        )
    )
    return [_waiting(row) for row in rows]


def _waiting(row: RequestRow) -> Waiting:
    return Waiting(
        request_id=row.id,
        reference=row.reference,
        services=tuple(wanted.service for wanted in row.services),
        sites=tuple(accepted.site for accepted in row.sites),
        modes=row.modes,
        windows=tuple(TimeWindow(window.begin_at, window.end_at) for window in row.windows),
        language=row.language,
        urgency=row.urgency,
        wish=row.wish,
        created_at=row.created_at,
    )


def promised_visits(session: Session, first: date, last: date) -> list[Promised]:
    """The live visits of the days from `first` to `last`, by day and time."""
    rows = session.connection().execute(_PROMISED, {"first": first, "last": last})
    return [_promised(row) for row in rows]


def _promised(row: Any) -> Promised:
    return Promised(row[0], row[1], row[2], _in_order(row.services), *row[4:])


def _in_order(numbered: str) -> tuple[str, ...]:
    """The services of a visit, from the lines with their positions that are read."""
    if "\n" not in numbered:
        return (numbered.partition(" ")[2],)
    lines = (line.partition(" ") for line in numbered.split("\n"))
    return tuple(code for _, _, code in sorted(lines, key=lambda line: int(line[0])))


def _of_appointment(column: ColumnElement[V]) -> ScalarSelect[V]:
    return select(column).where(APPOINTMENTS.c.id == VISITS.c.appointment_id).scalar_subquery()


_SERVICES = (
    select(
        func.aggregate_strings(cast(VISIT_SERVICES.c.position, String) + " " + VISIT_SERVICES.c.service, "\n")
    )
    .where(VISIT_SERVICES.c.visit_id == VISITS.c.id)
    .scalar_subquery()
)
_PROMISED = (
    select(
        VISITS.c.id,
        VISITS.c.appointment_id,
        VISITS.c.position,
        _SERVICES.label("services"),
        VISITS.c.day,
        VISITS.c.mode,
        VISITS.c.site,
        VISITS.c.start_at,
        VISITS.c.end_at,
        VISITS.c.busy_from,
        VISITS.c.busy_until,
        _of_appointment(APPOINTMENTS.c.language),
        _of_appointment(APPOINTMENTS.c.wish),
        specialist_table.c.code,
        VISITS.c.room_id,
    )
    .join(specialist_table, specialist_table.c.id == VISITS.c.specialist_id)
    .where(VISITS.c.live, VISITS.c.day.between(bindparam("first"), bindparam("last")))
    .order_by(VISITS.c.day, VISITS.c.busy_from, VISITS.c.id)
)
"""The fields of `Promised` in their order.

With joins PostgreSQL would read whole tables of years gone by: it takes a few weeks for a fair part of them.
"""


def day_versions(session: Session, days: Iterable[date]) -> dict[date, int]:
    """The version of each day, 0 for one that has never been changed."""
    query = select(PlanDayRow.day, PlanDayRow.version).where(PlanDayRow.day.in_(list(days)))
    known = {row.day: row.version for row in session.execute(query)}
    return {day: known.get(day, 0) for day in days}


@dataclass(frozen=True, slots=True)
class Standing:
    """How things stand: the revision of the county, and the versions of days that were ever changed."""

    revision: str
    versions: Mapping[date, int]


_STANDING = select(settings_table.c.revision, PlanDayRow.day, PlanDayRow.version).outerjoin(
    PlanDayRow, PlanDayRow.day.between(bindparam("first"), bindparam("last"))
)


@glancing
def standing(connection: Connection, *, first: date, last: date) -> Standing:
    """How the days from `first` to `last` stand; raises NoCounty before the first load."""
    return standing_in(connection, first, last)


def standing_in(connection: Connection, first: date, last: date) -> Standing:
    """The same within a transaction."""
    rows = connection.execute(_STANDING, {"first": first, "last": last}).all()
    if not rows:
        raise NoCounty
    return Standing(rows[0].revision, {row.day: row.version for row in rows if row.day is not None})


def lock_day(session: Session, day: date) -> PlanDayRow:
    """The row of a day, locked until the transaction ends."""
    query = select(PlanDayRow).where(PlanDayRow.day == day).with_for_update()
    query = query.execution_options(populate_existing=True)
    row = session.scalars(query).one_or_none()
    if row is None:
        _add_day(session, day)
        row = session.scalars(query).one()
    return row


def _add_day(session: Session, day: date) -> None:
    """Two transactions may do so at once; the second waits and then adds nothing."""
    statement = _insert_day(session.get_bind().dialect.name).values(day=day, version=0)
    session.execute(statement.on_conflict_do_nothing())


def counting_up(dialect: str, *also: ColumnElement[Any]) -> Any:
    """The statement that locks a `day` until the transaction ends and counts its version up; gives that back.

    What it tells `also` is seen before it waits for the lock.
    """
    changed = {"version": PLAN_DAYS.c.version + 1}
    insert = _insert_day(dialect).values(day=bindparam("day"), version=1)
    insert = insert.on_conflict_do_update(index_elements=["day"], set_=changed)
    return insert.returning(PLAN_DAYS.c.version, *also)


def _insert_day(dialect: str) -> Any:
    """The statement that both databases have under two names."""
    return (postgresql if dialect == "postgresql" else sqlite).insert(PLAN_DAYS)
