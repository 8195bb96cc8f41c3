"""The planning run: what waits becomes promises, and promises may change hands behind the scenes.

A run holds no transaction while it searches: it reads a snapshot, solves, has the result checked, and
applies it day by day. A day that somebody has changed in the meantime is planned again. Promises are
never given up: a day whose promises cannot all be kept is left as it is, and reported.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

import structlog
from sqlalchemy import select

import routing
from booking_service.domain import zones
from booking_service.domain.bookings import AppointmentStatus, RequestStatus
from booking_service.domain.county import Mode
from booking_service.mail.calendar_entry import new_uid
from booking_service.mail.notice import Kind
from booking_service.services.calendar import calendar_of
from booking_service.services.causes import Cause, causes_of
from booking_service.services.instances import Draft, open_problem, plan_as_held
from booking_service.services.outbox import write_notice
from booking_service.services.placing import place_visits
from booking_service.services.witnesses import kept_free
from booking_service.store.booking_tables import AppointmentRow, RequestRow, VisitRow, VisitService
from booking_service.store.county import read_county, specialist_numbers
from booking_service.store.db import reading, transactional
from booking_service.store.plan import (
    Promised,
    Waiting,
    day_versions,
    lock_day,
    promised_visits,
    waiting_requests,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from booking_service.domain.county import County
    from booking_service.domain.opening import Calendar
    from booking_service.services.links import Links

log = structlog.get_logger()
Progress: TypeAlias = routing.Progress

MOST_ROUNDS = 3


class PlanRefused(RuntimeError):
    """The checker refused what the planner made: a fault of the planner; nothing was applied."""


class DayChanged(RuntimeError):
    """Somebody has changed a day, or loaded another county, since the snapshot."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that a run plans with, of one moment."""

    county: County
    calendar: Calendar
    promised: Sequence[Promised]
    waiting: Sequence[Waiting]
    versions: Mapping[date, int]


@dataclass(frozen=True, slots=True)
class Unserved:
    """A request that still waits, and why."""

    reference: str
    causes: tuple[Cause, ...]


@dataclass(slots=True)
class Outcome:
    """What a run has done. `cost` and `bound` are those of its last search, None where nothing waited.

    `stuck` are days whose promises cannot all be kept; `busy` are days that others kept changing.
    """

    waiting: int = 0
    promised: int = 0
    reassigned: int = 0
    mails: int = 0
    waiting_days: list[int] = field(default_factory=list)
    unserved: list[Unserved] = field(default_factory=list)
    stuck: list[date] = field(default_factory=list)
    busy: list[date] = field(default_factory=list)
    cost: int | None = None
    bound: float | None = None
    travel_minutes: int = 0
    seconds: float = 0.0

    @property
    def gap(self) -> float | None:
        """How far the plan may lie above the optimum, as a share of its cost."""
        if self.cost is None or self.bound is None:
            return None
        return (self.cost - self.bound) / self.cost if self.cost else 0.0


@dataclass(frozen=True, slots=True)
class DayPlan:
    """What a plan says about one day: who takes over which visit, and who serves which request."""

    day: date
    moves: Mapping[int, str]
    parts: Mapping[int, Sequence[routing.Assignment]]


def plan(
    *,
    links: Links,
    now: datetime,
    clock: Callable[[], float],
    seconds: float | None = None,
    seed: int = 0,
    progress: Callable[[Progress], None] | None = None,
) -> Outcome:
    """Promise what can be promised, and tell the citizens.

    `seconds` bounds the search (the county's own setting where None), `clock` counts seconds.
    """
    began = clock()
    outcome = Outcome()
    for _ in range(MOST_ROUNDS):
        snapshot = take_snapshot(now=now)
        outcome.waiting = max(outcome.waiting, len(snapshot.waiting))
        if not snapshot.waiting:
            # perhaps another run has done it all since the round before
            outcome.busy, outcome.unserved = [], []
            break
        draft, solved = _solve(snapshot, now, seconds, seed, progress, outcome)
        outcome.busy = _apply(draft, solved, snapshot, links, now, outcome)
        outcome.unserved = _explain(draft, solved, snapshot, now)
        if not outcome.busy:
            break
    outcome.seconds = clock() - began
    log.info(
        "planned",
        waiting=outcome.waiting,
        promised=outcome.promised,
        unserved=len(outcome.unserved),
        gap=outcome.gap,
        seconds=round(outcome.seconds, 1),
    )
    return outcome


@reading
def take_snapshot(session: Session, *, now: datetime) -> Snapshot:
    """What there is to plan."""
    county = read_county(session)
    today = zones.local_day(now, county.settings.zone)
    last = today + timedelta(days=county.settings.planning.horizon_days)
    days = [today + timedelta(days=n) for n in range((last - today).days + 1)]
    return Snapshot(
        county=county,
        calendar=calendar_of(county, today, last),
        promised=promised_visits(session, today, last),
        waiting=waiting_requests(session),
        versions=day_versions(session, days),
    )


def _solve(
    snapshot: Snapshot,
    now: datetime,
    seconds: float | None,
    seed: int,
    progress: Callable[[Progress], None] | None,
    outcome: Outcome,
) -> tuple[Draft, routing.Plan]:
    draft = open_problem(
        snapshot.county,
        snapshot.calendar,
        snapshot.promised,
        snapshot.waiting,
        lambda day: kept_free(snapshot.county, day, now),
        now,
    )
    limit = snapshot.county.settings.planning.seconds if seconds is None else seconds
    solved = routing.solve(
        draft.instance, stop=routing.Seconds(limit), seed=seed, start=_as_it_is(draft), progress=progress
    )
    report = routing.check(draft.instance, solved)
    if report.violations:
        raise PlanRefused("; ".join(report.violations))
    outcome.cost, outcome.bound, outcome.travel_minutes = report.cost, solved.bound, report.travel or 0
    return draft, solved


def _as_it_is(draft: Draft) -> routing.Plan | None:
    """The witness as a plan to begin from, None where it cannot be kept as it is."""
    held = plan_as_held(draft)
    return None if routing.check(draft.instance, held).violations else held


def _apply(
    draft: Draft, solved: routing.Plan, snapshot: Snapshot, links: Links, now: datetime, outcome: Outcome
) -> list[date]:
    """Apply the plan day by day; the days that had been changed by others."""
    busy = []
    outcome.stuck = _stuck_days(draft, solved)
    for day_plan in _by_day(draft, solved):
        if day_plan.day in outcome.stuck:
            continue
        try:
            mails, days = apply_day(day_plan=day_plan, draft=draft, snapshot=snapshot, links=links, now=now)
        except DayChanged:
            busy.append(day_plan.day)
            continue
        outcome.reassigned += len(day_plan.moves)
        outcome.promised += len(days)
        outcome.mails += mails
        outcome.waiting_days += days
    return busy


def _stuck_days(draft: Draft, solved: routing.Plan) -> list[date]:
    kept = {assignment.visit for assignment in solved.assignments}
    return sorted({promise.day for name, promise in draft.promised.items() if name not in kept})


def _by_day(draft: Draft, solved: routing.Plan) -> list[DayPlan]:
    moves: dict[int, dict[int, str]] = defaultdict(dict)
    parts: dict[int, dict[int, list[routing.Assignment]]] = defaultdict(lambda: defaultdict(list))
    for assignment in solved.assignments:
        promise = draft.promised.get(assignment.visit)
        if assignment.visit in draft.parts:
            parts[assignment.day][draft.parts[assignment.visit].request_id].append(assignment)
        elif promise is not None and promise.specialist != assignment.specialist:
            moves[assignment.day][promise.visit_id] = assignment.specialist
    return [DayPlan(draft.days[day], moves[day], parts[day]) for day in sorted({*moves, *parts})]


@transactional
def apply_day(
    session: Session, *, day_plan: DayPlan, draft: Draft, snapshot: Snapshot, links: Links, now: datetime
) -> tuple[int, list[int]]:
    """Make one day what the plan says; how many mails were written, and the days each citizen waits.

    Raises DayChanged where the day or the county is not what it was in the snapshot.
    """
    row = lock_day(session, day_plan.day)
    same_county = read_county(session) is snapshot.county
    if row.version != snapshot.versions.get(day_plan.day, 0) or not same_county:
        raise DayChanged(day_plan.day.isoformat())
    row.version += 1
    numbers = specialist_numbers(session)
    requests = _still_waiting(session, day_plan.parts)
    appointments = [
        _appointment(request, day_plan.parts[request.id], draft, snapshot.county, numbers, now)
        for request in requests
    ]
    place_visits(session, day_plan.day, day_plan.moves, appointments, numbers)
    mails = sum(
        write_notice(session, appointment, Kind.CONFIRMATION, snapshot.county, links, now)
        for appointment in appointments
    )
    zone = snapshot.county.settings.zone
    return mails, [(day_plan.day - zones.local_day(request.created_at, zone)).days for request in requests]


def _still_waiting(session: Session, parts: Iterable[int]) -> list[RequestRow]:
    query = (
        select(RequestRow)
        .where(RequestRow.id.in_(list(parts)), RequestRow.status == RequestStatus.WAITING)
        .order_by(RequestRow.id)
        .with_for_update()
    )
    return list(session.scalars(query))


def _appointment(
    request: RequestRow,
    assignments: Sequence[routing.Assignment],
    draft: Draft,
    county: County,
    numbers: Mapping[str, int],
    now: datetime,
) -> AppointmentRow:
    request.status = RequestStatus.PROMISED
    request.causes = []
    ordered = sorted(assignments, key=lambda a: draft.parts[a.visit].position)
    visits = [_visit(assignment, draft, county.settings.zone, numbers) for assignment in ordered]
    return AppointmentRow(
        reference=request.reference,
        status=AppointmentStatus.CONFIRMED,
        request_id=request.id,
        contact=request.contact,
        mode=visits[0].mode,
        site=visits[0].site,
        start_at=visits[0].start_at,
        end_at=visits[-1].end_at,
        language=request.language,
        needs=request.needs,
        wish=request.wish,
        uid=new_uid(county.settings.sender_address.rpartition("@")[2]),
        sequence=0,
        created_at=now,
        revised_at=now,
        visits=visits,
    )


def _visit(assignment: routing.Assignment, draft: Draft, zone: str, numbers: Mapping[str, int]) -> VisitRow:
    part = draft.parts[assignment.visit]
    mode = Mode(assignment.mode)
    length = part.lengths[mode]
    day = draft.days[assignment.day]
    busy_from = zones.instant(day, assignment.start, zone)
    start_at = busy_from + timedelta(minutes=length.preparation)
    end_at = start_at + timedelta(minutes=length.minutes)
    return VisitRow(
        position=part.position,
        day=day,
        mode=mode,
        site=assignment.site,
        start_at=start_at,
        end_at=end_at,
        busy_from=busy_from,
        busy_until=end_at + timedelta(minutes=length.follow_up),
        specialist_id=numbers[assignment.specialist],
        live=True,
        services=[VisitService(position=i, service=code) for i, code in enumerate(part.services)],
    )


def _explain(draft: Draft, solved: routing.Plan, snapshot: Snapshot, now: datetime) -> list[Unserved]:
    """Say of each request that still waits what stands in its way, and keep it for those who ask later."""
    served = {draft.parts[a.visit].request_id for a in solved.assignments if a.visit in draft.parts}
    waiting = [request for request in snapshot.waiting if request.request_id not in served]
    found = causes_of(waiting, draft, solved, snapshot.county, snapshot.calendar, now)
    keep_causes(found=found)
    return [Unserved(request.reference, found[request.request_id]) for request in waiting]


@transactional
def keep_causes(session: Session, *, found: Mapping[int, Sequence[Cause]]) -> None:
    """Write down why requests still wait; one whose last window is over waits no more."""
    rows = session.scalars(select(RequestRow).where(RequestRow.id.in_(list(found))))
    for row in rows:
        causes = found[row.id]
        row.causes = [cause.as_json() for cause in causes]
        if any(cause.code == "windows_over" for cause in causes):
            row.status = RequestStatus.EXPIRED
