"""The witness: proof that every promise can be kept, for `flask verify` and for checkers outside."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import selectinload

import routing
from booking_service.domain import zones
from booking_service.domain.bookings import AppointmentStatus, Notify, RequestStatus
from booking_service.services.calendar import calendar_of
from booking_service.services.instances import Draft, days_of, plan_as_held, witness
from booking_service.store.booking_tables import AppointmentRow, ContactRow, OutboxRow, RequestRow
from booking_service.store.county import read_county, rooms_by_site
from booking_service.store.db import reading
from booking_service.store.plan import Promised, promised_visits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from sqlalchemy.orm import Session

    from booking_service.domain.county import County

FARTHEST = date(9999, 12, 31)
KEPT = (AppointmentStatus.HELD, AppointmentStatus.CONFIRMED, AppointmentStatus.CHECKED_IN)


@reading
def verify(session: Session, *, now: datetime) -> tuple[int, list[str]]:
    """How many visits are promised from today on, and every violation of what must always hold.

    Skills, languages, hours, breaks, absences, travel and rooms are judged by the planner's independent
    checker; what the database adds (rooms by number, requests, mails) is judged here.
    """
    county = read_county(session)
    today = zones.local_day(now, county.settings.zone)
    promised = promised_visits(session, today, FARTHEST)
    violations = [
        *_plan_violations(county, promised),
        *_room_violations(promised, rooms_by_site(session)),
        *_appointment_violations(session, zones.instant(today, 0, county.settings.zone)),
        *_request_violations(session),
        *_mail_violations(session, now),
    ]
    return len(promised), violations


@reading
def export_plan(session: Session, *, first: date, last: date, folder: Path) -> int:
    """Write the witness of some days as `instance.json` and `plan.json`; how many visits it has.

    The files name no citizen and no member of staff: visits and specialists are numbered.
    """
    county = read_county(session)
    promised = promised_visits(session, first, last)
    calendar = calendar_of(county, first, last)
    draft = witness(county, calendar, promised, days_of(county, calendar, promised, first, last))
    instance, plan = _without_names(draft)
    folder.mkdir(parents=True, exist_ok=True)
    routing.write_instance(instance, folder / "instance.json")
    routing.write_plan(plan, folder / "plan.json")
    return len(promised)


def _without_names(draft: Draft) -> tuple[routing.Instance, routing.Plan]:
    """The same with visits and specialists numbered."""
    old = draft.instance
    people = {code: f"p{number}" for number, code in enumerate(old.specialists, 1)}
    names = {name: f"v{number}" for number, name in enumerate(old.visits, 1)}
    visits = [
        replace(
            visit,
            id=names[name],
            wish=people.get(visit.wish or ""),
            holder=people.get(visit.holder or ""),
        )
        for name, visit in old.visits.items()
    ]
    # what somebody can do by which means is beyond the format, and her promises fit it
    specialists = [
        replace(specialist, id=people[code], modes=frozenset(routing.MODES))
        for code, specialist in old.specialists.items()
    ]
    instance = replace(
        old, specialists={s.id: s for s in specialists}, visits={visit.id: visit for visit in visits}
    )
    held = plan_as_held(draft)
    lines = tuple(
        replace(line, visit=names[line.visit], specialist=people[line.specialist])
        for line in held.assignments
    )
    return instance, routing.Plan(instance.name, lines)


# --- What must always hold ----------------------------------------------------


def _plan_violations(county: County, promised: Sequence[Promised]) -> Iterator[str]:
    if not promised:
        return
    first, last = promised[0].day, promised[-1].day
    calendar = calendar_of(county, first, last)
    draft = witness(county, calendar, promised, days_of(county, calendar, promised, first, last))
    yield from routing.check(draft.instance, plan_as_held(draft)).violations


def _room_violations(promised: Sequence[Promised], rooms: Mapping[str, Sequence[int]]) -> Iterator[str]:
    taken: dict[int, Promised] = {}
    for visit in sorted(promised, key=lambda v: v.busy_from):
        name = f"visit v{visit.visit_id}"
        if visit.room_id is None:
            if visit.site is not None:
                yield f"{name}: no room"
            continue
        if visit.room_id not in rooms.get(visit.site or "", ()):
            yield f"{name}: room {visit.room_id} is not at {visit.site}"
        before = taken.get(visit.room_id)
        if before is not None and before.busy_until > visit.busy_from:
            yield f"{name}: room {visit.room_id} is still taken by v{before.visit_id}"
        taken[visit.room_id] = visit


def _appointment_violations(session: Session, since: datetime) -> Iterator[str]:
    """Each appointment is kept whole by its visits: same day, mode and site, one after the other."""
    rows = session.scalars(
        select(AppointmentRow)
        .where(AppointmentRow.start_at >= since, AppointmentRow.status.in_(KEPT))
        .order_by(AppointmentRow.id)
        .options(selectinload(AppointmentRow.visits))
    )
    for row in rows:
        name = f"appointment {row.id}"
        visits = [visit for visit in row.visits if visit.live]
        if not visits:
            yield f"{name}: nobody keeps it"
            continue
        if (visits[0].start_at, visits[-1].end_at) != (row.start_at, row.end_at):
            yield f"{name}: its visits begin or end at other times than it was promised"
        if {(visit.mode, visit.site) for visit in visits} != {(row.mode, row.site)}:
            yield f"{name}: its visits take place otherwise than it was promised"
        if any(one.busy_until != other.busy_from for one, other in pairwise(visits)):
            yield f"{name}: its visits are not back to back"


def _request_violations(session: Session) -> Iterator[str]:
    promised = RequestRow.status == RequestStatus.PROMISED
    kept = AppointmentRow.id.is_not(None)
    query = (
        select(RequestRow.id, promised, kept)
        .outerjoin(AppointmentRow, AppointmentRow.request_id == RequestRow.id)
        .where(promised != kept)
    )
    for number, said, _ in session.execute(query):
        yield f"request {number}: {'promised, but without' if said else 'not promised, but with'} appointment"


def _mail_violations(session: Session, now: datetime) -> Iterator[str]:
    """Whoever is to hear by mail has a message of the promise as it stands."""
    written = (
        select(OutboxRow.id)
        .where(OutboxRow.appointment_id == AppointmentRow.id, OutboxRow.sequence == AppointmentRow.sequence)
        .exists()
    )
    query = (
        select(AppointmentRow.id)
        .join(AppointmentRow.contact)
        .where(ContactRow.notify == Notify.EMAIL, AppointmentRow.start_at > now, ~written)
    )
    for number in session.scalars(query):
        yield f"appointment {number}: no mail was written"
