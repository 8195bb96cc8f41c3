"""Writing a day: who keeps which visit, in which room.

Whoever calls this holds the lock of the day. First what changes hands or rooms is released, then all is
assigned, so that the guard of the database sees no overlap on the way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select, update

from booking_service.services.rooms import RoomNeed, assign_rooms
from booking_service.store.booking_tables import VISITS
from booking_service.store.county import rooms_by_site

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from booking_service.store.booking_tables import AppointmentRow

_CONCERNED = select(
    VISITS.c.id,
    VISITS.c.site,
    VISITS.c.busy_from,
    VISITS.c.busy_until,
    VISITS.c.room_id,
    VISITS.c.specialist_id,
).where(
    VISITS.c.live,
    VISITS.c.day == bindparam("of_day"),
    VISITS.c.id.in_(bindparam("moved", expanding=True))
    | VISITS.c.site.in_(bindparam("sites", expanding=True)),
)
"""The live visits that change hands or share a site, and so the rooms, with a new one."""
_RELEASE = update(VISITS).where(VISITS.c.id.in_(bindparam("changed", expanding=True))).values(live=False)
_ASSIGN = (
    update(VISITS)
    .where(VISITS.c.id == bindparam("of_visit"))
    .values(specialist_id=bindparam("to"), room_id=bindparam("room"), live=True)
)


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
    new = {
        f"n{position}": visit
        for position, visit in enumerate(visit for row in appointments for visit in row.visits)
    }
    needs = [
        RoomNeed(key, visit.site, visit.busy_from, visit.busy_until, None)
        for key, visit in new.items()
        if visit.site is not None
    ]
    rooms = make_way(session, day, moves, needs, numbers, rooms_by_site(session))
    for key, visit in new.items():
        visit.room_id = rooms.get(key)
    session.add_all(appointments)
    session.flush()


def make_way(
    session: Session,
    day: date,
    moves: Mapping[int, str],
    needs: Sequence[RoomNeed],
    numbers: Mapping[str, int],
    rooms: Mapping[str, Sequence[int]],
) -> dict[str, int]:
    """Give live visits to other specialists, and find rooms for those that come; these by key.

    Rooms are kept where that works out.
    """
    if not moves and not needs:
        return {}
    sites = {need.site for need in needs}
    asked = {"of_day": day, "moved": list(moves), "sites": list(sites)}
    kept = session.connection().execute(_CONCERNED, asked).all()
    staying = [
        RoomNeed(f"v{visit.id}", visit.site, visit.busy_from, visit.busy_until, visit.room_id)
        for visit in kept
        if visit.site is not None
    ]
    assigned = assign_rooms([*staying, *needs], rooms)
    changed = [
        {
            "of_visit": visit.id,
            "to": numbers[moves[visit.id]] if visit.id in moves else visit.specialist_id,
            "room": assigned.get(f"v{visit.id}"),
        }
        for visit in kept
        if visit.id in moves or assigned.get(f"v{visit.id}") != visit.room_id
    ]
    if changed:
        session.connection().execute(_RELEASE, {"changed": [one["of_visit"] for one in changed]})
        session.connection().execute(_ASSIGN, changed)
    return {need.key: assigned[need.key] for need in needs}
