"""Which consultation room each visit of a day gets: the one it has, where that still works."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class RoomNeed:
    """A visit that needs a room at a site, and the one it has had so far."""

    key: str
    site: str
    busy_from: datetime
    busy_until: datetime
    room: int | None


class NoRoomLeft(RuntimeError):
    """More visits at once than rooms: the plan was not what the checker had accepted."""


def assign_rooms(needs: Iterable[RoomNeed], rooms_by_site: Mapping[str, Sequence[int]]) -> dict[str, int]:
    """A room for each need, by its key. Raises NoRoomLeft."""
    by_site: dict[str, list[RoomNeed]] = {}
    for need in sorted(needs, key=lambda n: (n.busy_from, n.key)):
        by_site.setdefault(need.site, []).append(need)
    assigned: dict[str, int] = {}
    for site, wanted in by_site.items():
        rooms = rooms_by_site.get(site, ())
        assigned |= _keeping(wanted, rooms) or _anew(site, wanted, rooms)
    return assigned


def _keeping(needs: Sequence[RoomNeed], rooms: Sequence[int]) -> dict[str, int] | None:
    """Rooms for those without, around those that have one; None where that does not work out."""
    taken: dict[int, list[RoomNeed]] = {room: [] for room in rooms}
    assigned: dict[str, int] = {}
    for need in sorted(needs, key=lambda n: n.room is None):
        choices = rooms if need.room is None else (need.room,)
        room = next((r for r in choices if r in taken and not any(_meet(need, o) for o in taken[r])), None)
        if room is None:
            return None
        taken[room].append(need)
        assigned[need.key] = room
    return assigned


def _anew(site: str, needs: Sequence[RoomNeed], rooms: Sequence[int]) -> dict[str, int]:
    """By begin, each the first free room: as many rooms as visits at once are always enough."""
    free_from: dict[int, datetime] = {}
    assigned: dict[str, int] = {}
    for need in needs:
        room = next((r for r in rooms if r not in free_from or free_from[r] <= need.busy_from), None)
        if room is None:
            raise NoRoomLeft(f"{site}: more than {len(rooms)} visits at {need.busy_from.isoformat()}")
        free_from[room] = need.busy_until
        assigned[need.key] = room
    return assigned


def _meet(one: RoomNeed, other: RoomNeed) -> bool:
    return one.busy_from < other.busy_until and other.busy_from < one.busy_until
