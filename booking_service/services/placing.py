"""Writing a day: who keeps which visit, in which room.

Whoever calls this holds the lock of the day. First what changes hands or rooms is released, then all is
assigned, so that the guard of the database sees no overlap on the way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from booking_service.services.rooms import RoomNeed, assign_rooms
from booking_service.store.booking_tables import VisitRow
from booking_service.store.county import rooms_by_site

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from booking_service.store.booking_tables import AppointmentRow


def place_visits(
    session: Session,
    day: date,
    moves: Mapping[int, str],
    appointments: Sequence[AppointmentRow],
    numbers: Mapping[str, int],
) -> None:
    """Give live visits to other specialists (`moves`, by number), and add new appointments with their visits.

    `numbers` are those of the specialists by code. Rooms are kept where that works out.
    """
    new = [visit for appointment in appointments for visit in appointment.visits]
    kept = _concerned(session, day, moves, {visit.site for visit in new} - {None})
    rooms = _rooms(session, kept, new)
    changed = [v for v in kept if v.id in moves or rooms.get(f"v{v.id}") != v.room_id]
    for visit in changed:
        visit.live = False
    session.flush()
    for visit in changed:
        if visit.id in moves:
            visit.specialist_id = numbers[moves[visit.id]]
        visit.room_id = rooms.get(f"v{visit.id}")
        visit.live = True
    for position, visit in enumerate(new):
        visit.room_id = rooms.get(f"n{position}")
    session.add_all(appointments)
    session.flush()


def _concerned(
    session: Session, day: date, moves: Iterable[int], sites: Iterable[str | None]
) -> list[VisitRow]:
    """The live visits that change hands or share a site, and so the rooms, with a new one."""
    query = select(VisitRow).where(
        VisitRow.live, VisitRow.day == day, VisitRow.id.in_(list(moves)) | VisitRow.site.in_(list(sites))
    )
    return list(session.scalars(query))


def _rooms(session: Session, kept: Sequence[VisitRow], new: Sequence[VisitRow]) -> dict[str, int]:
    named = [(f"v{visit.id}", visit) for visit in kept] + [(f"n{i}", visit) for i, visit in enumerate(new)]
    needs = [
        RoomNeed(key, visit.site, visit.busy_from, visit.busy_until, visit.room_id)
        for key, visit in named
        if visit.site is not None
    ]
    return assign_rooms(needs, rooms_by_site(session))
