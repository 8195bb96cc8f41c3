"""What the first page shows of each site: its appointments of a day, by time and mode, without persons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from booking_service.domain import zones
from booking_service.domain.bookings import RequestStatus
from booking_service.store.booking_tables import RequestRow, VisitRow
from booking_service.store.county import read_county
from booking_service.store.county_tables import room_table
from booking_service.store.db import reading

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from booking_service.domain.county import Mode, Settings, Site


@dataclass(frozen=True, slots=True)
class Meeting:
    """A visit as the house sees it; local times."""

    start: datetime
    end: datetime
    mode: Mode
    room: str | None


@dataclass(frozen=True, slots=True)
class SiteDay:
    """The visits of one site on one day, by time."""

    site: Site
    meetings: tuple[Meeting, ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """A day of the whole county; `calls` are the visits by phone, `next_day` the next one with visits."""

    settings: Settings
    day: date
    sites: tuple[SiteDay, ...]
    calls: tuple[Meeting, ...]
    waiting: int
    next_day: date | None


@reading
def overview(session: Session, *, day: date | None, now: datetime) -> Overview:
    """The plan of `day`, today if None; raises NoCounty."""
    county = read_county(session)
    zone = county.settings.zone
    day = day or zones.local_day(now, zone)
    rows = session.execute(
        select(VisitRow, room_table.c.name)
        .outerjoin(room_table, room_table.c.id == VisitRow.room_id)
        .where(VisitRow.live, VisitRow.day == day)
        .order_by(VisitRow.start_at, VisitRow.id)
    ).all()
    meetings = [(visit.site, _meeting(visit, room, zone)) for visit, room in rows]
    waiting = session.scalar(
        select(func.count()).select_from(RequestRow).where(RequestRow.status == RequestStatus.WAITING)
    )
    return Overview(
        settings=county.settings,
        day=day,
        sites=tuple(SiteDay(site, _at(meetings, site.code)) for site in county.sites),
        calls=_at(meetings, None),
        waiting=waiting or 0,
        next_day=session.scalar(select(func.min(VisitRow.day)).where(VisitRow.live, VisitRow.day > day)),
    )


def _meeting(visit: VisitRow, room: str | None, zone: str) -> Meeting:
    return Meeting(zones.to_local(visit.start_at, zone), zones.to_local(visit.end_at, zone), visit.mode, room)


def _at(meetings: Iterable[tuple[str | None, Meeting]], site: str | None) -> tuple[Meeting, ...]:
    return tuple(meeting for at, meeting in meetings if at == site)
