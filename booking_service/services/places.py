"""Places that are promised, and how they become free again: what holds and appointments share.

Whoever changes visits holds the locks of their days, taken in order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import BindParameter, ColumnElement, Row, select
from sqlalchemy.orm import selectinload

from booking_service.domain.bookings import EVENTS, AppointmentStatus, Event
from booking_service.store.booking_tables import APPOINTMENTS, AppointmentRow, VisitRow
from booking_service.store.db import transactional
from booking_service.store.plan import lock_day

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from booking_service.domain.county import Mode
    from booking_service.services.outbox import Told
    from booking_service.store.booking_tables import PlanDayRow


@dataclass(frozen=True, slots=True)
class Place:
    """When and where: what is offered instead, held, or promised."""

    start: datetime
    end: datetime
    mode: Mode
    site: str | None


class PlaceTaken(Exception):
    """Nobody can keep that promise any more; `alternatives` are the nearest that can be had."""

    def __init__(self, alternatives: Sequence[Place] = ()) -> None:
        super().__init__("the place is taken")
        self.alternatives = tuple(alternatives)


class NotFound(LookupError):
    """There is no such hold or appointment."""


class HoldOver(Exception):
    """The hold has run out or was used already."""


class NotPossible(Exception):
    """The event does not fit the state of the appointment."""

    def __init__(self, status: AppointmentStatus, event: Event) -> None:
        super().__init__(f"{event.value} is not possible when {status.value}")
        self.status = status
        self.event = event


class TooMany(Exception):
    """More holds or open appointments than one may have; `code` says of which."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def place_of(row: AppointmentRow | Told) -> Place:
    """The place that an appointment has."""
    return Place(row.start_at, row.end_at, row.mode, row.site)


def next_status(status: AppointmentStatus, event: Event) -> AppointmentStatus:
    """What the event makes of the status; raises NotPossible."""
    try:
        return EVENTS[status, event]
    except KeyError:
        raise NotPossible(status, event) from None


def held_row(session: Session, key: str, now: datetime, caller: str | None = None) -> AppointmentRow:
    """The appointment that the key holds, its row locked; raises NotFound, HoldOver.

    With `caller` a hold of anybody else is not found.
    """
    query = select(AppointmentRow).where(AppointmentRow.hold_key == key).with_for_update()
    row = session.scalar(query.execution_options(populate_existing=True))
    if row is None:
        raise NotFound("no such hold")
    refuse_hold(row, now, caller)
    return row


def refuse_hold(row: AppointmentRow | Row[Any], now: datetime, caller: str | None = None) -> None:
    """Raise NotFound where it is somebody else's, HoldOver where it can no longer be used."""
    if caller is not None and (row.client or "").partition("/")[0] != caller:
        raise NotFound("no such hold")
    if row.status is not AppointmentStatus.HELD or row.expires_at is None or row.expires_at <= now:
        raise HoldOver("the hold has run out or was used already")


def days_of(session: Session, which: ColumnElement[bool]) -> set[date]:
    """The days of such appointments: what to lock before they are looked at."""
    return set(session.scalars(select(VisitRow.day).join(VisitRow.appointment).where(which)))


def locked_rows(session: Session, which: ColumnElement[bool]) -> list[AppointmentRow]:
    """Such appointments as they stand now, locked: somebody may be confirming one of them."""
    query = select(AppointmentRow).where(which).options(selectinload(AppointmentRow.visits))
    return list(session.scalars(query.with_for_update().execution_options(populate_existing=True)))


def lock_days(session: Session, days: Iterable[date]) -> dict[date, PlanDayRow]:
    """The rows of the days, locked in order, so that no two callers wait for each other."""
    return {day: lock_day(session, day) for day in sorted(days)}


@transactional
def sweep(session: Session, *, now: datetime) -> int:
    """Give back the places of holds that have run out and of cancellations whose delay is over; how many."""
    days = lock_days(session, days_of(session, is_due(now)))
    return free_what_is_due(session, days, now)


def free_what_is_due(session: Session, days: dict[date, PlanDayRow], now: datetime) -> int:
    """The same for days that are locked already."""
    here = AppointmentRow.visits.any(VisitRow.day.in_(list(days)))
    rows = locked_rows(session, is_due(now) & here)
    for row in rows:
        free_places(row, days)
    return len(rows)


def is_due(now: datetime | BindParameter[datetime]) -> ColumnElement[bool]:
    """Whether the place of an appointment has to be given back."""
    held = (APPOINTMENTS.c.status == AppointmentStatus.HELD) & (APPOINTMENTS.c.expires_at <= now)
    given_up = APPOINTMENTS.c.status.in_([AppointmentStatus.CANCELLED, AppointmentStatus.EXPIRED])
    return held | (given_up & (APPOINTMENTS.c.place_free_at <= now))


def end_hold(row: AppointmentRow, event: Event) -> None:
    """A hold is confirmed or over, and its browser may hold something else. Raises NotPossible."""
    row.status = next_status(row.status, event)
    row.expires_at = row.only_hold_of = None


def free_places(row: AppointmentRow, days: dict[date, PlanDayRow]) -> None:
    """Free the place. Visits of days that are not locked wait for the next sweep."""
    if not {visit.day for visit in row.visits} <= set(days):
        return
    if row.status is AppointmentStatus.HELD:
        end_hold(row, Event.EXPIRE)
    row.place_free_at = None
    for visit in row.visits:
        visit.live = False
        days[visit.day].version += 1
