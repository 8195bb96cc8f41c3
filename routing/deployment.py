"""One day's deployment as an exact CP-SAT model: who keeps which promise, times and places fixed.

The model is that of `paths`. Whoever is deployed, the same rooms are in use, so rooms do not matter here.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import groupby, pairwise
from typing import TYPE_CHECKING

from routing.budget import Budget
from routing.orders import Deployed, Worth
from routing.paths import HOME, Aim, Paths
from routing.problem import Assignment
from routing.workday import Ask, Workday

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ortools.sat.python import cp_model

    from routing.orders import Deploy
    from routing.paths import Found, Name
    from routing.problem import Instance
    from routing.timeline import Stop


def best_deployment(order: Deploy) -> Deployed | None:
    """What the order asks for; None where the holders cannot keep their promises or the time is over."""
    workday = Workday(
        0,
        order.instance.specialists.values(),
        order.instance.travel,
        order.instance.rooms,
        order.instance.tick,
        order.least_per_trip,
    )
    as_held = _Model(order, workday, keep=True).best(order.until, None)
    if as_held is None:
        return None
    found = _Model(order, workday, keep=False).best(order.until, as_held) or as_held
    lines = tuple(_lines(order.instance, workday, found.takers))
    return Deployed(Worth(*as_held.values[:3]), Worth(*found.values[:3]), lines)


def _lines(instance: Instance, workday: Workday, takers: Mapping[str, int]) -> Iterator[Assignment]:
    for name, taker in takers.items():
        told = instance.visits[name].promise
        if told is not None:
            yield Assignment(name, workday.staff[taker].id, 0, told.start, told.mode, told.site)


class _Model:
    """The model; with `keep` every visit that has a holder stays with her."""

    def __init__(self, order: Deploy, workday: Workday, *, keep: bool) -> None:
        self._visits, self._weights = order.instance.visits, order.instance.weights
        self._workday = workday
        self._stops = [self._stops_of(number, keep=keep) for number in range(len(workday.staff))]
        held = [name for name, visit in self._visits.items() if visit.holder is not None]
        self._paths = Paths(workday, self._stops, held)
        if workday.least_per_trip > 1:
            for number, shift in self._paths.arcs:
                self._bound_trips(number, shift)
        for visits in order.together:
            self._keep_together(visits)

    def best(self, until: float, found: Found | None) -> Found | None:
        """The best found by then, None for none; `found` is one to begin from, of a stricter model too."""
        return self._paths.best(self._aims(), Budget(until), found).found

    # --- What is better

    def _aims(self) -> tuple[Aim, ...]:
        """What is to be little, the most important first; the first three are those of `Worth`."""
        staff, scarcity = self._workday.staff, self._workday.scarcity
        cost = [(self._weights.travel_minute * minutes, arc) for minutes, arc in self._paths.travel]
        talent: list[tuple[int, Name]] = []
        changes: list[tuple[int, Name]] = []
        kept: list[tuple[int, Name]] = []
        for name, numbers in self._paths.takers.items():
            visit = self._visits[name]
            for number in numbers:
                serve = ("serve", number, name)
                talent.append((scarcity[number] * visit.minutes, serve))
                if visit.wish not in (None, staff[number].id):
                    cost.append((self._weights.wish, serve))
                if visit.holder is None:
                    kept.append((-1, serve))
                elif visit.holder != staff[number].id:
                    changes.append((1, serve))
        unheld = sum(visit.holder is None for visit in self._visits.values())
        return Aim(unheld, kept), Aim(0, cost), Aim(0, talent), Aim(0, changes)

    # --- Who serves what

    def _stops_of(self, number: int, *, keep: bool) -> list[list[Stop]]:
        """The stops that she could have in each of her shifts, in the order of time."""
        duty, me = self._workday.duties[number], self._workday.staff[number].id
        stops: list[list[Stop]] = [[] for _ in duty.shifts]
        for name, visit in self._visits.items():
            ask, start = self._ask(name)
            stop = self._workday.stop(number, start, ask, name)
            shift = duty.shift_of(stop)
            bound = keep and visit.holder not in (None, me)
            if shift is not None and not bound and number in self._workday.able(ask):
                stops[shift].append(stop)
        return [sorted(mine) for mine in stops]

    def _ask(self, name: str) -> tuple[Ask, int]:
        visit = self._visits[name]
        if visit.promise is None:
            raise ValueError(f"{name} is not promised")
        told = visit.promise
        return Ask(visit.skill, visit.language, told.mode, told.site, visit.minutes), told.start

    def _keep_together(self, visits: Iterable[str]) -> None:
        """Whoever serves one of the visits of a holder serves the others."""
        paths = self._paths
        mine: dict[str | None, list[str]] = defaultdict(list)
        for name in visits:
            mine[self._visits[name].holder].append(name)
        for names in mine.values():
            for one, other in pairwise(names):
                for number in range(len(self._workday.staff)):
                    paths.model.add(paths.serves(one, number) == paths.serves(other, number))

    # --- The rule about trips

    def _bound_trips(self, number: int, shift: int) -> None:
        """Every stay away from her base has enough visits, or is one that she has already."""
        base, least, model = (
            self._workday.duties[number].base,
            self._workday.least_per_trip,
            self._paths.model,
        )
        place = {HOME: base} | {stop.visit: stop.place for stop in self._stops[number][shift]}
        known = {stay[-1]: self._known_stay(number, shift, stay) for stay in self._stays(number, shift)}
        nth = {name: model.new_int_var(1, least, "") for name, at in place.items() if at != base}
        for one, other in self._paths.arcs[number, shift]:
            arc = self._paths.named("arc", number, shift, one, other)
            if place[one] == place[other] != base:
                model.add(nth[other] <= nth[one] + 1).only_enforce_if(arc)
                continue
            if other in nth:
                model.add(nth[other] == 1).only_enforce_if(arc)
            if one in nth:
                unknown = [known[one].negated()] if one in known else []
                model.add(nth[one] >= least).only_enforce_if([arc, *unknown])

    def _stays(self, number: int, shift: int) -> Iterator[tuple[str, ...]]:
        """The visits of each stay away from her base as they are held."""
        me, base = self._workday.staff[number].id, self._workday.duties[number].base
        mine = [stop for stop in self._stops[number][shift] if self._visits[stop.visit].holder == me]
        for at, stay in groupby(mine, key=lambda stop: stop.place):
            if at != base:
                yield tuple(stop.visit for stop in stay)

    def _known_stay(self, number: int, shift: int, stay: Sequence[str]) -> cp_model.IntVar:
        """Whether she keeps exactly this stay."""
        keeps = self._paths.named("stay", number, shift, *stay)
        place = {stop.visit: stop.place for stop in self._stops[number][shift]}
        inner, model = set(pairwise(stay)), self._paths.model
        for one, other in self._paths.arcs[number, shift]:
            arc = self._paths.named("arc", number, shift, one, other)
            if (one, other) in inner:
                model.add_implication(keeps, arc)
            elif place.get(one) == place.get(other) and (other == stay[0] or one == stay[-1]):
                model.add_implication(keeps, arc.negated())
        return keeps
