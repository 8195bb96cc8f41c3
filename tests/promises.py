"""What has been promised, as tests look at it: appointments with their visits, in local times."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import select

from booking_service.services import planning
from booking_service.store.booking_tables import AppointmentRow, RequestRow
from booking_service.store.county_tables import room_table, specialist_table
from booking_service.store.db import db
from tests.citizens import BERLIN, NOW

if TYPE_CHECKING:
    from datetime import datetime

    from flask import Flask

    from booking_service.domain.county import County, Mode


@dataclass(frozen=True)
class Kept:
    """What one specialist does for a promise; `room` is a code."""

    services: tuple[str, ...]
    specialist: str
    busy_from: datetime
    start: datetime
    end: datetime
    busy_until: datetime
    room: str | None


@dataclass(frozen=True)
class Promised:
    mode: Mode
    site: str | None
    start: datetime
    end: datetime
    visits: tuple[Kept, ...]

    @property
    def told(self) -> tuple[object, ...]:
        """What the citizen knows."""
        return self.mode, self.site, self.start, self.end

    @property
    def specialists(self) -> list[str]:
        return [visit.specialist for visit in self.visits]


def plan(app: Flask, *, now: datetime = NOW, seconds: float = 0.1, **other) -> planning.Outcome:
    """One run; a tenth of a second is enough for the first plan and for nothing else."""
    return planning.plan(
        links=app.extensions["links"], now=now, clock=time.monotonic, seconds=seconds, **other
    )


def promise_of(reference: str) -> Promised | None:
    return promises().get(reference)


def promises() -> dict[str, Promised]:
    """All promises by reference."""
    specialists = dict(db.session.execute(select(specialist_table.c.id, specialist_table.c.code)).all())
    rooms = dict(db.session.execute(select(room_table.c.id, room_table.c.code)).all())
    found = {
        row.reference: _promised(row, specialists, rooms)
        for row in db.session.scalars(select(AppointmentRow))
    }
    db.session.remove()
    return found


def statuses() -> dict[str, str]:
    """How each request stands, by reference."""
    found = {row.reference: row.status.value for row in db.session.scalars(select(RequestRow))}
    db.session.remove()
    return found


def everything() -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables."""
    tables = db.metadata.sorted_tables
    found = {table.name: sorted(map(tuple, db.session.execute(select(table))), key=str) for table in tables}
    db.session.remove()
    return found


def with_specialists(county: County, *codes: str) -> County:
    """The county with these specialists alone."""
    return replace(
        county,
        specialists=tuple(s for s in county.specialists if s.code in codes),
        working_hours=tuple(w for w in county.working_hours if w.specialist in codes),
        absences=tuple(a for a in county.absences if a.specialist in codes),
    )


def with_rules(county: County, **rules: object) -> County:
    """The county with other planning rules."""
    planning_rules = replace(county.settings.planning, **rules)
    return replace(county, settings=replace(county.settings, planning=planning_rules))


def _promised(row: AppointmentRow, specialists: dict[int, str], rooms: dict[int, str]) -> Promised:
    visits = tuple(
        Kept(
            services=tuple(served.service for served in visit.services),
            specialist=specialists[visit.specialist_id],
            busy_from=visit.busy_from.astimezone(BERLIN),
            start=visit.start_at.astimezone(BERLIN),
            end=visit.end_at.astimezone(BERLIN),
            busy_until=visit.busy_until.astimezone(BERLIN),
            room=rooms.get(visit.room_id),
        )
        for visit in row.visits
        if visit.live
    )
    return Promised(
        row.mode, row.site, row.start_at.astimezone(BERLIN), row.end_at.astimezone(BERLIN), visits
    )
