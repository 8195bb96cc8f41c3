"""Queries about the days that wait to be improved, and the leases of those who improve them.

The rows of the days themselves are only read here, so that no booking waits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import CursorResult, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from booking_service.store.booking_tables import ImprovementRow, PlanDayRow

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class ChangedDay:
    """A day with so many changes since it was improved; `noted_at` is None where nobody has seen them yet."""

    day: date
    changes: int
    noted_at: datetime | None


def changed_days(session: Session, first: date, last: date) -> list[ChangedDay]:
    """The days from `first` to `last` that have changed since they were improved."""
    improved = func.coalesce(ImprovementRow.improved, 0)
    rows = session.execute(
        select(PlanDayRow.day, PlanDayRow.version - improved, ImprovementRow.noted_at)
        .outerjoin(ImprovementRow, ImprovementRow.day == PlanDayRow.day)
        .where(PlanDayRow.day.between(first, last), PlanDayRow.version != improved)
        .order_by(PlanDayRow.day)
    )
    return [ChangedDay(row[0], row[1], row[2]) for row in rows]


def note_days(session: Session, days: Iterable[date], now: datetime) -> None:
    """Note when these days were seen changed. Two hosts may do so at once."""
    upsert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    for day in days:
        values = {"day": day, "improved": 0, "noted_at": now}
        session.execute(
            upsert(ImprovementRow)
            .values(values)
            .on_conflict_do_update(
                index_elements=["day"], set_={"noted_at": now}, where=ImprovementRow.noted_at.is_(None)
            )
        )


def lease_day(session: Session, day: date, now: datetime, until: datetime) -> bool:
    """Whether the day could be leased: of several hosts one succeeds, unless an older lease still runs."""
    free = or_(ImprovementRow.leased_until.is_(None), ImprovementRow.leased_until <= now)
    return _update(session, [ImprovementRow.day == day, free], {"leased_until": until})


def end_lease(session: Session, day: date, until: datetime, improved: int | None) -> None:
    """Give the lease back; `improved` is the version that was improved, None for none.

    A lease that has ended by itself, and is perhaps somebody else's by now, is left alone.
    """
    values: dict[str, Any] = {"leased_until": None, "noted_at": None}
    if improved is not None:
        values["improved"] = improved
    _update(session, [ImprovementRow.day == day, ImprovementRow.leased_until == until], values)


def _update(session: Session, where: Iterable[Any], values: dict[str, Any]) -> bool:
    done = session.execute(
        update(ImprovementRow).where(*where).values(values), execution_options={"synchronize_session": False}
    )
    return isinstance(done, CursorResult) and done.rowcount == 1
