"""What of an instance can be planned by itself: parts for good, pieces for a while.

Parts share no visit, no chain, no specialist on a day and no room of a day: the best plan is that of all
parts together, and bounds add up. Where a part is too large for one search it is cut into pieces, each
searched while everything else stays as it is. Both are instances again, smaller ones, so that whoever
plans one holds nothing of the others.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from routing.problem import Rooms

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from random import Random

    from routing.problem import Assignment, Instance, Mode, Specialist, Visit

_Name = TypeVar("_Name")


@dataclass(frozen=True, slots=True)
class Piece:
    """Some specialists on some days with what they serve in a plan, and what they might serve besides."""

    instance: Instance
    lines: tuple[Assignment, ...]


class _Need(NamedTuple):
    """What it takes to serve a visit in one mode on one day."""

    skill: str
    language: str | None
    mode: Mode
    day: int


class _Duty(NamedTuple):
    """A specialist on a day."""

    specialist: str
    day: int


class _RoomDay(NamedTuple):
    """The rooms of a site on a day; never equal to a duty, whatever sites and specialists are called."""

    site: str
    day: int
    kind: str = "room"


# --- Parts ------------------------------------------------------------------------------------------


def independent_parts(instance: Instance, least: int = 1, until: float = math.inf) -> list[Instance]:
    """The instance in parts, the ones with the fewest visits first; itself if there is only one.

    Parts with fewer than `least` visits are joined until they have so many, as far as possible. Visits that
    nobody could ever serve are in the first part. Where it is not done by `until`, a value of
    `time.monotonic`, the instance stays whole.
    """
    groups, need_of = _groups_of(instance, until)
    if time.monotonic() > until:
        return [instance]
    found: dict[object, _Members] = defaultdict(_Members)
    for visit, need in need_of.items():
        found[groups.top(need)].visits.add(visit)
    for one in groups.members():
        if isinstance(one, _Duty):
            found[groups.top(one)].duties.add(one)
        elif isinstance(one, _RoomDay):
            found[groups.top(one)].rooms.add(one)
    parts = _joined(sorted(found.values(), key=lambda part: len(part.visits)), least)
    if len(parts) <= 1:
        return [instance]
    parts[0].visits.update(instance.visits.keys() - need_of.keys())
    return [_part(instance, part) for part in parts]


@dataclass(slots=True)
class _Members:
    """What belongs to one part."""

    visits: set[str] = field(default_factory=set)
    duties: set[_Duty] = field(default_factory=set)
    rooms: set[_RoomDay] = field(default_factory=set)


def _groups_of(instance: Instance, until: float) -> tuple[_Groups, dict[str, _Need]]:
    """Needs joined with the duties and rooms that can meet them, and one need of every visit that has any."""
    staff, groups = _Staff(instance), _Groups()
    need_of: dict[str, _Need] = {}
    for visit in instance.visits.values():
        if time.monotonic() > until:
            break
        for need, site in _needs(visit):
            if staff.able(need):
                groups.join(need_of.setdefault(visit.id, need), need)
                if site is not None:
                    groups.join(need, _RoomDay(site, need.day))
    for need, duties in staff.asked():
        for duty in duties:
            groups.join(need, duty)
    for chain in instance.chains:
        able = [need_of[visit] for visit in chain if visit in need_of]
        for one, other in pairwise(able):
            groups.join(one, other)
    return groups, need_of


class _Groups:
    """Things that belong together, joined two by two."""

    def __init__(self) -> None:
        self._above: dict[object, object] = {}
        self._joined: set[tuple[object, object]] = set()

    def join(self, one: object, other: object) -> None:
        """Both, and all that belongs to either, belong together."""
        if (one, other) not in self._joined:
            self._joined.add((one, other))
            self._above[self.top(one)] = self.top(other)

    def members(self) -> list[object]:
        """All that was joined with anything."""
        return list(self._above)

    def top(self, one: object) -> object:
        """The same for all that belong together."""
        above = self._above.setdefault(one, one)
        while above != one:
            self._above[one] = self._above[above]
            one, above = above, self._above[above]
        return one


def _joined(parts: list[_Members], least: int) -> list[_Members]:
    """The parts, those that are too small joined with the ones after them."""
    joined: list[_Members] = []
    for part in parts:
        if joined and len(joined[-1].visits) < least:
            joined[-1].visits |= part.visits
            joined[-1].duties |= part.duties
            joined[-1].rooms |= part.rooms
        else:
            joined.append(part)
    return joined


def _part(instance: Instance, part: _Members) -> Instance:
    rooms = {
        site: tuple(span for span in spans if _RoomDay(site, span.day) in part.rooms)
        for site, spans in instance.rooms.items()
    }
    chains = tuple(chain for chain in instance.chains if chain[0] in part.visits)
    return _instance_of(instance, part.visits, part.duties, rooms, chains)


# --- Pieces -----------------------------------------------------------------------------------------


def teams(instance: Instance, count: int, random: Random) -> list[frozenset[str]]:
    """Everybody in so many teams of about the same size, who can do the same together as far as possible."""
    people = sorted(instance.specialists.values(), key=lambda one: (sorted(one.skills), random.random()))
    names = [one.id for one in people]
    offset = random.randrange(max(1, len(names)))
    return [frozenset(team) for team in _chunks(names[offset:] + names[:offset], count)]


def pieces(
    instance: Instance, lines: Sequence[Assignment], team: frozenset[str], count: int, random: Random
) -> list[Piece]:
    """What a team does, in pieces of some days in a row each; they share nothing, rooms neither.

    A visit that nobody serves goes to one of those who could. Chains must be in the lines with all their
    members to be in a piece, and are not chains there.
    """
    days = list(range(len(instance.days)))
    offset = random.randrange(max(1, len(days)))
    chunks = [frozenset(chunk) for chunk in _chunks(days[offset:] + days[:offset], count)]
    asking = _asking(instance, lines, team, chunks, random)
    return [
        _piece(instance, lines, team, own, asked) for own, asked in zip(chunks, asking, strict=True) if own
    ]


def _chunks(names: Sequence[_Name], count: int) -> list[Sequence[_Name]]:
    bounds = [len(names) * number // count for number in range(count + 1)]
    return [names[begin:end] for begin, end in pairwise(bounds)]


def _asking(
    instance: Instance,
    lines: Sequence[Assignment],
    team: frozenset[str],
    chunks: Sequence[frozenset[int]],
    random: Random,
) -> list[set[str]]:
    """For each piece the visits that nobody serves, each where the team could serve it."""
    settled = {line.visit for line in lines}.union(*instance.chains)
    staff = _Staff(instance, team)
    asking: list[set[str]] = [set() for _ in chunks]
    for visit in instance.visits.values():
        if visit.id in settled:
            continue
        days = {need.day for need, _ in _needs(visit) if staff.able(need)}
        able = [number for number, own in enumerate(chunks) if not days.isdisjoint(own)]
        if able:
            asking[random.choice(able)].add(visit.id)
    return asking


def _piece(
    instance: Instance,
    lines: Sequence[Assignment],
    team: frozenset[str],
    days: frozenset[int],
    asking: set[str],
) -> Piece:
    own = tuple(line for line in lines if line.day in days and line.specialist in team)
    duties = {_Duty(name, day) for name in team for day in days}
    others: dict[_RoomDay, list[tuple[int, int]]] = defaultdict(list)
    for line in lines:
        if line.day in days and line.specialist not in team and line.site is not None:
            end = line.start + _minutes(instance.visits[line.visit], line)
            others[_RoomDay(line.site, line.day)].append((line.start, end))
    rooms = {
        site: tuple(
            left
            for span in spans
            if span.day in days
            for left in _left(span, others.get(_RoomDay(site, span.day), []))
        )
        for site, spans in instance.rooms.items()
    }
    visits = asking | {line.visit for line in own}
    return Piece(_instance_of(instance, visits, duties, rooms, ()), own)


def _left(rooms: Rooms, used: Sequence[tuple[int, int]]) -> Iterator[Rooms]:
    """The rooms that are left where some are used from minute to minute."""
    changes = {rooms.begin: 0, rooms.end: 0}
    for since, until in used:
        begin, end = max(since, rooms.begin), min(until, rooms.end)
        if begin < end:
            changes[begin] = changes.get(begin, 0) + 1
            changes[end] = changes.get(end, 0) - 1
    count = rooms.count
    for begin, end in pairwise(sorted(changes)):
        count -= changes[begin]
        if count:
            yield Rooms(rooms.day, begin, end, count)


def _minutes(visit: Visit, line: Assignment) -> int:
    """How long the visit takes the way it is planned."""
    if visit.promise is None:
        for option in visit.options:
            if (option.mode, option.site) == (line.mode, line.site):
                return visit.minutes_of(option)
    return visit.minutes


# --- Who and what -------------------------------------------------------------------------------------


class _Staff:
    """Who could serve what on which day; only `team` if it is given."""

    def __init__(self, instance: Instance, team: frozenset[str] | None = None) -> None:
        self._on_day: dict[int, list[Specialist]] = defaultdict(list)
        self._able: dict[_Need, list[_Duty]] = {}
        for specialist in instance.specialists.values():
            if team is None or specialist.id in team:
                for day in {shift.day for shift in specialist.shifts}:
                    self._on_day[day].append(specialist)

    def able(self, need: _Need) -> list[_Duty]:
        """The specialists who could meet the need."""
        if need not in self._able:
            self._able[need] = [
                _Duty(one.id, need.day)
                for one in self._on_day.get(need.day, ())
                if need.skill in one.skills
                and need.mode in one.modes
                and (need.language is None or need.language in one.languages)
            ]
        return self._able[need]

    def asked(self) -> Iterable[tuple[_Need, list[_Duty]]]:
        """All that was asked so far, with the answers."""
        return self._able.items()


def _needs(visit: Visit) -> Iterator[tuple[_Need, str | None]]:
    """Each mode and day in which the visit could take place, with the site whose room it takes."""
    told = visit.promise
    if told is not None:
        yield _Need(visit.skill, visit.language, told.mode, told.day), told.site
        return
    for option in visit.options:
        for day in {window.day for window in visit.windows_of(option)}:
            yield _Need(visit.skill, visit.language, option.mode, day), option.site


def _instance_of(
    instance: Instance,
    visits: set[str],
    duties: set[_Duty],
    rooms: Mapping[str, tuple[Rooms, ...]],
    chains: tuple[tuple[str, ...], ...],
) -> Instance:
    """The instance with nothing else; of the sites those that somebody could be at."""
    specialists = {}
    for one in instance.specialists.values():
        shifts = tuple(shift for shift in one.shifts if (one.id, shift.day) in duties)
        if shifts:
            specialists[one.id] = replace(one, shifts=shifts)
    kept = {name: visit for name, visit in instance.visits.items() if name in visits}
    sites = {one.base for one in specialists.values()}
    for visit in kept.values():
        sites.update(option.site for option in visit.options if option.site is not None)
        if visit.promise is not None and visit.promise.site is not None:
            sites.add(visit.promise.site)
    known = [site for site in instance.travel if site in sites]
    return replace(
        instance,
        rooms={site: rooms[site] for site in instance.rooms if site in sites},
        travel={a: {b: instance.travel[a][b] for b in known} for a in known},
        specialists=specialists,
        visits=kept,
        chains=chains,
    )
