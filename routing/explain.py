"""Why this specialist and this time: what each visit costs, what else it could be, and what forbids the rest.

Everything is said in figures, ids and the codes of `reasons`; words are for others. What is said is exact: an
alternative, carried out alone, makes the plan dearer by its `extra` (cheaper where negative), and what is
refused breaks a rule. A visit that is promised or linked to others keeps day, start, mode and site, so for it
only the colleagues are told.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from routing.board import can_serve, loss_of
from routing.check import check
from routing.problem import Assignment
from routing.reasons import Obstacle, Reason, obstacles_of_asks, reasons
from routing.roster import Opening, Roster, place_of, travel_minutes
from routing.timeline import Stop, earliest_arrival

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from routing.board import Ask
    from routing.problem import Instance, Plan, Shift, Visit
    from routing.roster import Served
    from routing.timeline import Day, Duty

_MOST_TRIED = 24
"""So many of the moves that could make room for a visit are worked out, the most promising first."""
_MOST_ROOM_MADE = 3


@dataclass(frozen=True, slots=True)
class Parts:
    """What a served visit costs, each in the unit of the plan's cost.

    `travel` is its share: what the day of its specialist would save without it. It is negative where a stop
    shortens the way.
    """

    wait: int
    option: int
    window: int
    wish: int
    change: int
    travel: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.wait + self.option + self.window + self.wish + self.change + self.travel


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another assignment of the visit; the plan would cost `extra` more.

    `parts` is what the visit itself would cost then. `moves` are new assignments of other visits that go with
    it, since they make room.
    """

    line: Assignment
    extra: int
    parts: Parts
    moves: tuple[Assignment, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why one specialist cannot serve a visit at its time and place, all else as it is.

    `visits` are those that she serves then (`busy`) or between which the way is too long, "" for begin or end
    of the shift. The way leads from `origin` to `target` and takes `minutes`, of which `allowed` are free;
    for `max_travel` `minutes` is what she would travel on the day and `allowed` her limit.
    """

    specialist: str
    code: Obstacle
    visits: tuple[str, ...] = ()
    origin: str | None = None
    target: str | None = None
    minutes: int | None = None
    allowed: int | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """One visit of a plan; `line` and `parts` are None if it is not served, `loss` is what that costs.

    `colleagues` could serve it at its time and place, `refusals` say of all others why not (a
    colleague may stand in both, if she could as soon as another visit moves). `others` are the cheapest other
    assignments, one for each option and day on which there is one, and for an unserved visit also those for
    which another visit moves. `reasons` say why there is none for an option. `fixed` says that day, start,
    mode and site are given.
    """

    visit: str
    line: Assignment | None
    parts: Parts | None
    loss: int
    fixed: bool
    colleagues: tuple[Alternative, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    others: tuple[Alternative, ...] = ()
    reasons: tuple[Reason, ...] = ()


def explain(instance: Instance, plan: Plan, visits: Iterable[str] | None = None) -> Iterator[Explanation]:
    """Explain these visits of a valid plan, or all, one after the other.

    ValueError if the plan breaks a rule, KeyError if a visit is unknown.
    """
    violations = check(instance, plan).violations
    if violations:
        raise ValueError(f"the plan breaks a rule: {violations[0]}")
    explainer = _Explainer(instance, plan)
    chosen = [instance.visits[visit] for visit in (instance.visits if visits is None else visits)]
    return (explainer.explain(visit) for visit in chosen)


class _Lean(NamedTuple):
    """A specialist's day that could take a visit if another one left it."""

    estimate: int
    opening: Opening
    leaving: str


class _Explainer:
    def __init__(self, instance: Instance, plan: Plan) -> None:
        self._instance = instance
        self._plan = plan
        self._roster = Roster.of(instance, plan)
        self._calendar = self._roster.calendar
        self._board = self._calendar.board
        self._chained = {visit for chain in instance.chains for visit in chain}
        self._lean_days: dict[tuple[int, str], Day | None] = {}

    @cached_property
    def _reasons(self) -> dict[str, tuple[Reason, ...]]:
        return reasons(self._instance, self._plan)

    def explain(self, visit: Visit) -> Explanation:
        """Explain one visit."""
        served = self._roster.served(visit.id)
        return self._unserved(visit) if served is None else self._served(visit, served)

    def _unserved(self, visit: Visit) -> Explanation:
        """Alternatives to losing the visit: where it would fit, and where it would if another one moved."""
        free: list[Alternative] = []
        if visit.id not in self._chained:
            asks = list(self._board.asks_of(visit))
            free = _best_of_each_day(self._alternatives(visit, self._roster, asks))
            free += self._room_made(visit, self._lean_openings(visit, asks, self._roster))
        return Explanation(
            visit=visit.id,
            line=None,
            parts=None,
            loss=loss_of(self._instance, visit),
            fixed=self._is_fixed(visit),
            others=tuple(sorted(free, key=_by_extra)),
            reasons=self._reasons[visit.id],
        )

    def _served(self, visit: Visit, served: Served) -> Explanation:
        now, bare = served.line, self._roster.without(visit.id)
        start = 1 << now.start // self._instance.tick
        here = served.ask._replace(starts=start)
        elsewhere = [
            ask._replace(starts=ask.starts & ~start) if _same(ask, here) else ask for ask in self._asks(visit)
        ]
        others = _best_of_each_day(self._alternatives(visit, bare, elsewhere, now.start))
        colleagues, refusals = self._colleagues(visit, bare, here, now)
        travel = self._roster.cost - bare.cost - served.price
        return Explanation(
            visit=visit.id,
            line=now,
            parts=self._parts(visit, here, now.specialist, travel),
            loss=loss_of(self._instance, visit),
            fixed=self._is_fixed(visit),
            colleagues=colleagues,
            refusals=refusals,
            others=tuple(others),
            reasons=tuple(self._closed_ways(visit, bare, elsewhere, others)),
        )

    def _is_fixed(self, visit: Visit) -> bool:
        return visit.promise is not None or visit.id in self._chained

    def _asks(self, visit: Visit) -> list[Ask]:
        """What the visit may be asked for while the others stay: nothing else where it is fixed."""
        return [] if self._is_fixed(visit) else list(self._board.asks_of(visit))

    # --- Alternatives without anybody else --------------------------------------------------------

    def _alternatives(
        self, visit: Visit, bare: Roster, asks: Iterable[Ask], near: int = 0
    ) -> list[Alternative]:
        """One alternative for each opening, at the start nearest to the minute `near`, the cheapest first."""
        weight, tick = self._instance.weights.travel_minute, self._instance.tick
        unserved = self._loss_now(visit)
        found = []
        for opening in bare.openings(visit, asks):
            travel = opening.travel * weight
            extra = bare.cost - self._roster.cost + opening.price + travel - unserved
            line = _line(visit, opening, _nearest(opening.starts, near // tick) * tick)
            parts = self._parts(visit, opening.ask, opening.specialist, travel)
            found.append(Alternative(line, extra, parts))
        return sorted(found, key=_by_extra)

    def _loss_now(self, visit: Visit) -> int:
        """What the plan pays for not serving the visit."""
        return loss_of(self._instance, visit) if self._roster.served(visit.id) is None else 0

    def _parts(self, visit: Visit, ask: Ask, specialist: str, travel: int) -> Parts:
        weights = self._instance.weights
        wait = 0
        if visit.promise is None:
            wait = weights.wait_day * visit.priority * (ask.day - visit.release)
        return Parts(
            wait=wait,
            option=ask.option.penalty,
            window=ask.price - ask.option.penalty - wait,
            wish=weights.wish if visit.wish not in (None, specialist) else 0,
            change=weights.change if visit.holder not in (None, specialist) else 0,
            travel=travel,
        )

    def _closed_ways(
        self, visit: Visit, bare: Roster, asks: list[Ask], open_ways: list[Alternative]
    ) -> Iterator[Reason]:
        """Why there is no alternative by an option at all."""
        known = {(one.line.mode, one.line.site) for one in open_ways}
        closed = [ask for ask in asks if ask.starts and (ask.option.mode, ask.option.site) not in known]
        if bare.gap is None:
            able = [one for one in self._instance.specialists.values() if can_serve(one, visit)]
            yield from obstacles_of_asks(bare, visit, closed, able)
            return
        for way in dict.fromkeys((ask.option.mode, ask.option.site) for ask in closed):
            days = {ask.day for ask in closed if (ask.option.mode, ask.option.site) == way}
            yield Reason(Obstacle.NEEDED_ON_THE_WAY, *way, tuple(sorted(days)))

    # --- Colleagues at the same time --------------------------------------------------------------

    def _colleagues(
        self, visit: Visit, bare: Roster, here: Ask, now: Assignment
    ) -> tuple[tuple[Alternative, ...], tuple[Refusal, ...]]:
        """Who else could serve it then and there, and why the rest cannot."""
        able = [
            one for one in self._alternatives(visit, bare, [here]) if one.line.specialist != now.specialist
        ]
        free = {one.line.specialist for one in able}
        refusals = tuple(
            self._refusal(visit, bare, here, replace(now, specialist=name))
            for name in self._instance.specialists
            if name != now.specialist and name not in free
        )
        if bare.gap is None:
            others = {name for name in self._instance.specialists if name != now.specialist} - free
            lean = self._lean_openings(visit, [here], bare)
            able += self._room_made(visit, (one for one in lean if one.opening.specialist in others))
        return tuple(sorted(able, key=_by_extra)), refusals

    def _refusal(self, visit: Visit, bare: Roster, here: Ask, line: Assignment) -> Refusal:
        """The first rule that forbids an assignment that does not fit."""
        specialist = self._instance.specialists[line.specialist]
        duty = self._board.duty_of.get((line.specialist, line.day))
        if visit.skill not in specialist.skills:
            code = Obstacle.NO_SKILL
        elif not can_serve(specialist, visit):
            code = Obstacle.NO_LANGUAGE
        elif line.mode not in specialist.modes:
            code = Obstacle.NO_MODE
        elif duty is None:
            code = Obstacle.OFF_DUTY
        elif bare.gap is not None:
            code = Obstacle.NEEDED_ON_THE_WAY
        else:
            end = line.start + visit.minutes_of(here.option)
            stop = Stop(line.start, end, place_of(here.option) or specialist.base, visit.id)
            return _refused_by_day(line.specialist, self._board.duties[duty], bare.day(duty), stop)
        return Refusal(line.specialist, code)

    # --- Alternatives for which another visit moves -----------------------------------------------

    def _lean_openings(self, visit: Visit, asks: Iterable[Ask], bare: Roster) -> list[_Lean]:
        """Days that could take the visit if one of their visits left them, the most promising first."""
        weight = self._instance.weights.travel_minute
        found = []
        for ask in asks:
            place, minutes = place_of(ask.option), visit.minutes_of(ask.option)
            for duty in self._calendar.able_duties(visit, ask):
                specialist = self._board.owners[duty][0]
                price = ask.price + self._calendar.surcharge(visit, specialist)
                for stop in bare.day(duty).stops:
                    day = self._lean_day(bare, duty, stop.visit)
                    for travel, mask in day.fits(place, minutes) if day else ():
                        if mask & ask.starts:
                            opening = Opening(ask, specialist, mask & ask.starts, price, travel)
                            found.append(_Lean(price + travel * weight, opening, stop.visit))
        return sorted(found, key=lambda one: one.estimate)

    def _lean_day(self, bare: Roster, duty: int, leaving: str) -> Day | None:
        """Her day without that visit; remembered while it is the day of the plan."""
        day = bare.day(duty)
        if day is not self._roster.day(duty):
            return day.without({leaving})
        key = duty, leaving
        if key not in self._lean_days:
            self._lean_days[key] = day.without({leaving})
        return self._lean_days[key]

    def _room_made(self, visit: Visit, lean: Iterable[_Lean]) -> list[Alternative]:
        """The cheapest alternatives for which one visit moves, one for each visit that moves."""
        best: dict[str, Alternative] = {}
        for _, opening, leaving in islice(lean, _MOST_TRIED):
            found = self._with_leaving(visit, opening, leaving)
            if found and (leaving not in best or found.extra < best[leaving].extra):
                best[leaving] = found
        return sorted(best.values(), key=_by_extra)[:_MOST_ROOM_MADE]

    def _with_leaving(self, visit: Visit, opening: Opening, leaving: str) -> Alternative | None:
        """The visit where another one leaves, at the first start, and that one where it is cheapest."""
        before = self._roster if self._loss_now(visit) else self._roster.without(visit.id)
        lean = before.without(leaving)
        starts = lean.room_starts(visit, opening.ask) & opening.starts
        if lean.gap is not None or not starts:
            return None
        line = _line(visit, opening, _nearest(starts, 0) * self._instance.tick)
        placed = lean.with_line(line)
        if placed is None:
            return None
        other, old = self._instance.visits[leaving], self._roster.served(leaving)
        assert old is not None  # noqa: S101 - it stands on a day of the plan
        asks = self._asks(other) or [old.ask._replace(starts=1 << old.line.start // self._instance.tick)]
        weight = self._instance.weights.travel_minute
        found = placed.cheapest(other, asks)
        if found is None:
            return None
        near = old.line.start // self._instance.tick
        move = _line(other, found, _nearest(found.starts, near) * self._instance.tick)
        after = placed.cost + found.price + found.travel * weight
        parts = self._parts(visit, opening.ask, opening.specialist, placed.cost - lean.cost - opening.price)
        extra = after - self._roster.cost - self._loss_now(visit)
        return Alternative(line, extra, parts, (move,))


def _by_extra(one: Alternative) -> int:
    return one.extra


def _same(ask: Ask, other: Ask) -> bool:
    return (ask.day, ask.option.mode, ask.option.site) == (other.day, other.option.mode, other.option.site)


def _best_of_each_day(alternatives: Iterable[Alternative]) -> list[Alternative]:
    """Of alternatives, cheapest first, the first for each option and day."""
    best: dict[tuple[object, ...], Alternative] = {}
    for one in alternatives:
        best.setdefault((one.line.day, one.line.mode, one.line.site), one)
    return list(best.values())


def _line(visit: Visit, opening: Opening, start: int) -> Assignment:
    option = opening.ask.option
    return Assignment(visit.id, opening.specialist, opening.ask.day, start, option.mode, option.site)


def _nearest(starts: int, wanted: int) -> int:
    """The tick of the mask that is nearest to the wanted one."""
    later, earlier = starts >> wanted, starts & ((1 << wanted) - 1)
    after = wanted + (later & -later).bit_length() - 1
    before = earlier.bit_length() - 1
    return before if not later or (earlier and wanted - before < after - wanted) else after


# --- The rule that a day breaks -----------------------------------------------------------------------


def _refused_by_day(specialist: str, duty: Duty, day: Day, stop: Stop) -> Refusal:
    """Why the stop does not fit into her day."""
    number = next((n for n, s in enumerate(duty.shifts) if s.begin <= stop.begin and stop.end <= s.end), None)
    if number is None:
        return Refusal(specialist, Obstacle.OFF_DUTY)
    shift, tour = duty.shifts[number], day.tours[number]
    if any(stop.begin < end and begin < stop.end for begin, end in shift.breaks):
        return Refusal(specialist, Obstacle.IN_BREAK)
    busy = tuple(other.visit for other in tour if stop.begin < other.end and other.begin < stop.end)
    if busy:
        return Refusal(specialist, Obstacle.BUSY, busy)
    begin, end = duty.ends(number)
    before = max((other for other in tour if other.end <= stop.begin), default=begin)
    after = min((other for other in tour if other.begin >= stop.end), default=end)
    for one, other in ((before, stop), (stop, after)):
        refusal = _refused_by_way(specialist, duty, shift, one, other)
        if refusal:
            return refusal
    travelled = travel_minutes(duty, [*day.stops, stop])
    return Refusal(specialist, Obstacle.MAX_TRAVEL, minutes=travelled, allowed=duty.limit)


def _refused_by_way(specialist: str, duty: Duty, shift: Shift, one: Stop, other: Stop) -> Refusal | None:
    """The way between two stops, if it does not fit between them."""
    minutes = duty.travel[one.place][other.place]
    if one.place == other.place or earliest_arrival(shift, one.end, minutes) <= other.begin:
        return None
    met = [(begin, end) for begin, end in shift.breaks if begin < other.begin and one.end < end]
    edges = [one.end, *(edge for span in met for edge in span), other.begin]
    free = max(0, *(close - open_ for open_, close in zip(edges[::2], edges[1::2], strict=True)))
    ends = one.visit, other.visit
    return Refusal(specialist, Obstacle.WAY_TOO_LONG, ends, one.place, other.place, minutes, free)
