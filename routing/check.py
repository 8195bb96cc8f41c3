"""The independent verifier: whether a plan keeps every rule of its instance, and what it costs.

It shares no code with the planner, only the values of `problem`, so that a mistake there is found here.
Besides the rules of `plan-instance/1` it knows what only the service can say: a length and windows of an
option, the modes of a specialist, and chains. It repairs nothing and proposes nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from routing.problem import MODES, Assignment, Instance, Option, Plan, Promise, Shift, Specialist, Visit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Report:
    """The verdict on a plan. The figures are None where there are violations.

    `unserved` counts the visits that are not served by priority, lost promises included; `lost` the promised
    ones among them; `travel` is in minutes; `changed` counts the visits that leave their holder.
    """

    violations: tuple[str, ...]
    cost: int | None = None
    unserved: Mapping[int, int] | None = None
    lost: int | None = None
    travel: int | None = None
    changed: int | None = None
    bound: float | None = None

    @property
    def valid(self) -> bool:
        """Whether the plan keeps every rule."""
        return not self.violations

    @property
    def gap(self) -> float | None:
        """How far the cost may lie above the cheapest plan's, as a share of the cost; None if unknown."""
        if self.bound is None or self.cost is None:
            return None
        return (self.cost - self.bound) / self.cost if self.cost else 0.0


def check(instance: Instance, plan: Plan) -> Report:
    """Judge the plan by the rules of the instance."""
    violations = list(_violations(instance, plan))
    if violations:
        return Report(tuple(violations))
    report = _report(instance, plan)
    if report.bound is not None and report.cost is not None and report.bound > report.cost:
        return Report((f"bound {report.bound} exceeds the plan's own cost {report.cost}",))
    return report


def _violations(instance: Instance, plan: Plan) -> Iterator[str]:
    if plan.instance != instance.name:
        yield f"the plan is for instance {plan.instance!r}, not for {instance.name!r}"
    counts: Counter[str] = Counter()
    lines = []
    for position, line in enumerate(plan.assignments):
        where = f"visits[{position}] {line.visit}"
        unknown = list(_unknown(instance, line))
        yield from (f"{where}: {what}" for what in unknown)
        if unknown:
            continue
        lines.append(line)
        counts[line.visit] += 1
        if counts[line.visit] == 2:
            yield f"{where}: listed more than once"
        yield from (f"{where}: {wrong}" for wrong in _visit_violations(instance, line))
    yield from _room_violations(instance, lines)
    yield from _travel_violations(instance, lines)
    yield from _chain_violations(instance, lines)


def _unknown(instance: Instance, line: Assignment) -> Iterator[str]:
    """What the line names and the instance does not know."""
    if line.visit not in instance.visits:
        yield "the visit is unknown"
    if line.specialist not in instance.specialists:
        yield f"specialist {line.specialist} is unknown"
    if line.site is not None and line.site not in instance.rooms:
        yield f"site {line.site} is unknown"
    if not 0 <= line.day < len(instance.days):
        yield f"day {line.day} is unknown"
    if line.mode not in MODES or (line.site is None) != (line.mode == "phone"):
        yield f"{line.mode} at {line.site} is no way to meet"


# --- The visit by itself ----------------------------------------------------------------------------


def _visit_violations(instance: Instance, line: Assignment) -> Iterator[str]:
    visit, specialist = instance.visits[line.visit], instance.specialists[line.specialist]
    if visit.skill not in specialist.skills:
        yield f"specialist {specialist.id} lacks the skill {visit.skill}"
    if visit.language is not None and visit.language not in specialist.languages:
        yield f"specialist {specialist.id} does not speak {visit.language}"
    if line.mode not in specialist.modes:
        yield f"specialist {specialist.id} does not serve by {line.mode}"
    if line.start % instance.tick:
        yield f"start {line.start} is not on the {instance.tick}-minute tick"
    if visit.promise is not None:
        if Promise(line.day, line.start, line.mode, line.site) != visit.promise:
            yield f"{_told(line)} is not what was promised"
    elif _option(visit, line) is None:
        yield f"{line.mode} at {line.site} is not among its options"
    elif _ask_price(visit, line) is None:
        yield f"{_told(line)} lies in none of its windows"


def _option(visit: Visit, line: Assignment) -> Option | None:
    return next((o for o in visit.options if (o.mode, o.site) == (line.mode, line.site)), None)


def _minutes(visit: Visit, line: Assignment) -> int:
    option = _option(visit, line)
    return visit.minutes if visit.promise is not None or option is None else visit.minutes_of(option)


def _ask_price(visit: Visit, line: Assignment) -> int | None:
    """Penalty of the option and of the best window that contains the visit; None if none does."""
    option = _option(visit, line)
    if option is None:
        return None
    end = line.start + visit.minutes_of(option)
    containing = [
        window.penalty
        for window in visit.windows_of(option)
        if window.day == line.day and window.begin <= line.start and end <= window.end
    ]
    return option.penalty + min(containing) if containing else None


def _told(line: Assignment) -> str:
    return f"day {line.day} {_clock(line.start)} {line.mode} at {line.site}"


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


# --- Rooms ------------------------------------------------------------------------------------------


def _room_violations(instance: Instance, lines: Sequence[Assignment]) -> Iterator[str]:
    used: dict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
    for line in lines:
        if line.site is not None:
            end = line.start + _minutes(instance.visits[line.visit], line)
            used[line.site, line.day].append((line.start, end))
    for (site, day), spans in sorted(used.items()):
        lack = _first_lack(instance, site, day, spans)
        if lack is not None:
            yield f"site {site}, day {day}, {_clock(lack)}: too few rooms"


def _first_lack(instance: Instance, site: str, day: int, spans: list[tuple[int, int]]) -> int | None:
    """The first minute at which more rooms are in use than there are."""
    rooms = [span for span in instance.rooms[site] if span.day == day]
    edges = {minute for span in spans for minute in span} | {m for r in rooms for m in (r.begin, r.end)}
    for minute in sorted(edges):
        in_use = sum(begin <= minute < end for begin, end in spans)
        if in_use > sum(span.count for span in rooms if span.begin <= minute < span.end):
            return minute
    return None


# --- The specialist's day ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Stop:
    begin: int
    end: int
    place: str
    name: str


def _travel_violations(instance: Instance, lines: Sequence[Assignment]) -> Iterator[str]:
    for (specialist_id, day), stops in sorted(_stops(instance, lines).items()):
        specialist = instance.specialists[specialist_id]
        where = f"specialist {specialist_id}, day {day}"
        for shift, inside in _by_shift(specialist, day, stops):
            yield from (
                f"{where}: {wrong}" for wrong in _tour_violations(instance, specialist, shift, inside)
            )
        minutes = _travel_minutes(instance, specialist, day, stops)
        if specialist.max_travel is not None and minutes > specialist.max_travel:
            yield f"{where}: travels {minutes} minutes, {specialist.max_travel} allowed"


def _stops(instance: Instance, lines: Sequence[Assignment]) -> dict[tuple[str, int], list[_Stop]]:
    """Her stops by specialist and day, in the order of time."""
    stops: dict[tuple[str, int], list[_Stop]] = defaultdict(list)
    for line in lines:
        place = line.site if line.mode == "on_site" else None
        end = line.start + _minutes(instance.visits[line.visit], line)
        stop = _Stop(line.start, end, place or instance.specialists[line.specialist].base, line.visit)
        stops[line.specialist, line.day].append(stop)
    return {key: sorted(day, key=lambda stop: (stop.begin, stop.end)) for key, day in stops.items()}


def _by_shift(
    specialist: Specialist, day: int, stops: list[_Stop]
) -> Iterator[tuple[Shift | None, list[_Stop]]]:
    """The stops in each shift, and those in none."""
    left = stops
    for shift in specialist.shifts:
        inside = [s for s in left if shift.day == day and shift.begin <= s.begin and s.end <= shift.end]
        left = [stop for stop in left if stop not in inside]
        if inside:
            yield shift, inside
    if left:
        yield None, left


def _tour_violations(
    instance: Instance, specialist: Specialist, shift: Shift | None, stops: list[_Stop]
) -> Iterator[str]:
    if shift is None:
        yield from (f"visit {stop.name} lies in no shift" for stop in stops)
        return
    for stop in stops:
        if any(stop.begin < end and begin < stop.end for begin, end in shift.breaks):
            yield f"visit {stop.name} overlaps a break"
    tour = _tour(specialist, shift, stops)
    for before, after in pairwise(tour):
        if after.begin < before.end:
            yield f"{before.name} and {after.name} overlap"
        elif before.place != after.place:
            needed = instance.travel[before.place][after.place]
            free = _longest_stretch(before.end, after.begin, shift.breaks)
            if free < needed:
                yield (
                    f"{needed} minutes from {before.place} to {after.place} do not fit between "
                    f"{before.name} and {after.name}: longest free stretch {free}"
                )


def _tour(specialist: Specialist, shift: Shift, stops: list[_Stop]) -> list[_Stop]:
    """From her base at the shift's begin over all stops and back to the base at its end."""
    begin = _Stop(shift.begin, shift.begin, specialist.base, "the shift's begin")
    return [begin, *stops, _Stop(shift.end, shift.end, specialist.base, "the shift's end")]


def _longest_stretch(begin: int, end: int, breaks: tuple[tuple[int, int], ...]) -> int:
    """Minutes of the longest part of [begin, end] that no break interrupts."""
    met = [(b, e) for b, e in breaks if b < end and e > begin]
    opens = [begin, *(e for _, e in met)]
    closes = [*(b for b, _ in met), end]
    return max(0, *(close - open_ for open_, close in zip(opens, closes, strict=True)))


def _travel_minutes(instance: Instance, specialist: Specialist, day: int, stops: list[_Stop]) -> int:
    total = 0
    for shift, inside in _by_shift(specialist, day, stops):
        tour = _tour(specialist, shift, inside) if shift else []
        total += sum(instance.travel[a.place][b.place] for a, b in pairwise(tour))
    return total


# --- Chains -----------------------------------------------------------------------------------------


def _chain_violations(instance: Instance, lines: Sequence[Assignment]) -> Iterator[str]:
    served = {line.visit: line for line in lines}
    for chain in instance.chains:
        members = [served[visit] for visit in chain if visit in served]
        if members and len(members) < len(chain):
            missing = ", ".join(visit for visit in chain if visit not in served)
            yield f"chain {', '.join(chain)}: {missing} not served"
        for before, after in pairwise(members):
            end = before.start + _minutes(instance.visits[before.visit], before)
            if (before.day, end, before.mode, before.site) != (
                after.day,
                after.start,
                after.mode,
                after.site,
            ):
                yield f"chain {', '.join(chain)}: {after.visit} does not follow on {before.visit}"


# --- The figures ------------------------------------------------------------------------------------


def _report(instance: Instance, plan: Plan) -> Report:
    weights = instance.weights
    served = {line.visit: line for line in plan.assignments}
    left = [visit for visit in instance.visits.values() if visit.id not in served]
    travel = sum(
        _travel_minutes(instance, instance.specialists[specialist], day, stops)
        for (specialist, day), stops in _stops(instance, plan.assignments).items()
    )
    cost = travel * weights.travel_minute
    cost += sum(_loss(instance, visit) for visit in left)
    cost += sum(_served_cost(instance, line) for line in plan.assignments)
    return Report(
        violations=(),
        cost=cost,
        unserved={
            priority: sum(v.priority == priority for v in left) for priority in sorted(weights.unserved)
        },
        lost=sum(visit.promise is not None for visit in left),
        travel=travel,
        changed=sum(_leaves_holder(instance, line) for line in plan.assignments),
        bound=plan.bound,
    )


def _loss(instance: Instance, visit: Visit) -> int:
    weights = instance.weights
    return weights.unserved[visit.priority] if visit.promise is None else weights.lost_promise


def _leaves_holder(instance: Instance, line: Assignment) -> bool:
    return instance.visits[line.visit].holder not in (None, line.specialist)


def _served_cost(instance: Instance, line: Assignment) -> int:
    visit, weights = instance.visits[line.visit], instance.weights
    cost = weights.change if _leaves_holder(instance, line) else 0
    if visit.wish not in (None, line.specialist):
        cost += weights.wish
    if visit.promise is None:
        cost += _ask_price(visit, line) or 0
        cost += weights.wait_day * visit.priority * (line.day - visit.release)
    return cost
