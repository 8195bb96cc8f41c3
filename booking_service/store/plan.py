"""Queries about what waits and what is promised, and the locks of the plan's days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import selectinload

from booking_service.domain.bookings import RequestStatus, TimeWindow, Urgency
from booking_service.store.booking_tables import AppointmentRow, PlanDayRow, RequestRow, VisitRow
from booking_service.store.county_tables import specialist_table

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from booking_service.domain.county import Mode


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
    rows = session.execute(
        select(VisitRow, AppointmentRow.language, AppointmentRow.wish, specialist_table.c.code)
        .join(VisitRow.appointment)
        .join(specialist_table, specialist_table.c.id == VisitRow.specialist_id)
        .where(VisitRow.live, VisitRow.day.between(first, last))
        .order_by(VisitRow.day, VisitRow.busy_from, VisitRow.id)
        .options(selectinload(VisitRow.services))
    )
    return [
        Promised(
            visit_id=visit.id,
            appointment_id=visit.appointment_id,
            position=visit.position,
            services=tuple(served.service for served in visit.services),
            day=visit.day,
            mode=visit.mode,
            site=visit.site,
            start_at=visit.start_at,
            end_at=visit.end_at,
            busy_from=visit.busy_from,
            busy_until=visit.busy_until,
            language=language,
            wish=wish,
            specialist=specialist,
            room_id=visit.room_id,
        )
        for visit, language, wish, specialist in rows
    ]


def day_versions(session: Session, days: Iterable[date]) -> dict[date, int]:
    """The version of each day, 0 for one that has never been changed."""
    known = {
        row.day: row.version
        for row in session.scalars(select(PlanDayRow).where(PlanDayRow.day.in_(list(days))))
    }
    return {day: known.get(day, 0) for day in days}


def lock_day(session: Session, day: date) -> PlanDayRow:
    """The row of a day, locked until the transaction ends."""
    query = select(PlanDayRow).where(PlanDayRow.day == day).with_for_update()
    row = session.scalars(query).one_or_none()
    if row is None:
        _add_day(session, day)
        row = session.scalars(query).one()
    return row


def _add_day(session: Session, day: date) -> None:
    """Two transactions may do so at once; the second waits and then adds nothing."""
    upsert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(upsert(PlanDayRow).values(day=day, version=0).on_conflict_do_nothing())
