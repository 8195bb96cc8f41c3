"""One day with fixed times as an exact CP-SAT model: each shift is a path through visits as time goes.

An arc leads from one visit to the next wherever the way fits between them. Who may serve what, what must be
served and what is better is for others to say: `deployment` and `mending`. Aims are sought one after the
other, each kept while the next is sought.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from ortools.sat.python import cp_model

from routing.problem import MINUTES_A_DAY
from routing.timeline import earliest_arrival

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from routing.budget import Budget
    from routing.timeline import Stop
    from routing.workday import Workday

HOME = ""
"""Where a path begins and ends, in the place of a visit."""
Name: TypeAlias = "tuple[object, ...]"
"""Of a variable: it means the same in another model of the same day."""
_LARGEST_TOTAL = 2**50


class Aim(NamedTuple):
    """What is to be little: `base` and what each variable that is true adds; it is never below `least`."""

    base: int
    terms: Sequence[tuple[int, Name]]
    least: int = 0

    def value(self, true: frozenset[Name]) -> int:
        """What it comes to when these variables are true."""
        return self.base + sum(weight for weight, name in self.terms if name in true)

    def scaled(self, true: frozenset[Name]) -> int:
        """The same as the solver sees it."""
        scale = self.scale
        return self.base // scale + sum(weight // scale for weight, name in self.terms if name in true)

    @property
    def scale(self) -> int:
        """By what it must be divided for the solver to reckon with it, 1 for any sensible prices."""
        return 1 + sum(abs(weight) for weight, _ in self.terms) // _LARGEST_TOTAL


class Found(NamedTuple):
    """A solution: the value of each aim, who serves each visit, and the variables that are true."""

    values: tuple[int, ...]
    takers: Mapping[str, int]
    true: frozenset[Name]


class Best(NamedTuple):
    """The best solution found, None for none, and a bound on each aim, None where it was not sought.

    A bound holds for whatever is as good in all aims before. `work` are the units of counted work done.
    """

    found: Found | None
    bounds: tuple[int | None, ...]
    work: float


class Paths:
    """The paths of all specialists of a workday.

    `stops` are those that each could have in each of her shifts, in the order of time; what is `required` is
    served by exactly one of them, everything else by one at most. `arcs` are the minutes of the ways by the
    number of the specialist, the shift and the visits at both ends.
    """

    def __init__(
        self, workday: Workday, stops: Sequence[Sequence[Sequence[Stop]]], required: Iterable[str]
    ) -> None:
        self.model = cp_model.CpModel()
        self.workday, self.stops = workday, stops
        self.arcs: dict[tuple[int, int], dict[tuple[str, str], int]] = {}
        self.takers: dict[str, list[int]] = defaultdict(list)
        self.travel: list[tuple[int, Name]] = []
        self._named: dict[Name, cp_model.IntVar] = {}
        self._required = tuple(required)
        count = Counter(stop.visit for shifts in stops for shift in shifts for stop in shift)
        self._fixed = {visit for visit in self._required if count[visit] == 1}
        for number in range(len(workday.staff)):
            self._add_specialist(number)
        self._serve_once()

    # --- Building

    def named(self, *name: object) -> cp_model.IntVar:
        """The variable of that name, a new one if there is none."""
        if name not in self._named:
            self._named[name] = self.model.new_bool_var("")
        return self._named[name]

    def serves(self, visit: str, number: int) -> cp_model.LinearExpr:
        """Whether she serves the visit."""
        return total([(1, self.named("serve", number, visit))] if number in self.takers[visit] else [])

    def served(self, visit: str) -> cp_model.LinearExpr:
        """Whether anybody serves the visit."""
        return total((1, self.named("serve", number, visit)) for number in self.takers[visit])

    def _serve_once(self) -> None:
        required = set(self._required)
        for visit in dict.fromkeys([*self.takers, *self._required]):
            literals = [self.named("serve", number, visit) for number in self.takers[visit]]
            if visit in required:
                self.model.add_exactly_one(literals)
            else:
                self.model.add_at_most_one(literals)

    def _add_specialist(self, number: int) -> None:
        travel: list[tuple[int, Name]] = []
        for shift in range(len(self.stops[number])):
            travel += self._add_shift(number, shift)
        limit = self.workday.duties[number].limit
        if limit is not None and travel:
            limit = min(limit, MINUTES_A_DAY)  # a number of the solver, whatever the file says
            bounded = [(min(minutes, limit + 1), self.named(*arc)) for minutes, arc in travel]
            self.model.add(total(bounded) <= limit)
        self.travel += travel

    def _add_shift(self, number: int, shift: int) -> list[tuple[int, Name]]:
        """The path through a shift; answers its ways with their minutes."""
        into: dict[str, list[cp_model.IntVar]] = defaultdict(list)
        out: dict[str, list[cp_model.IntVar]] = defaultdict(list)
        travel: list[tuple[int, Name]] = []
        self.arcs[number, shift] = dict(self._arcs_of(number, shift))
        for (one, other), minutes in self.arcs[number, shift].items():
            arc = self.named("arc", number, shift, one, other)
            out[one].append(arc)
            into[other].append(arc)
            if minutes:
                travel.append((minutes, ("arc", number, shift, one, other)))
        for stop in self.stops[number][shift]:
            self.takers[stop.visit].append(number)
            serve = self.named("serve", number, stop.visit)
            self.model.add(sum(into[stop.visit]) == serve)
            self.model.add(sum(out[stop.visit]) == serve)
        self.model.add_at_most_one(out[HOME])
        return travel

    def _arcs_of(self, number: int, shift: int) -> Iterator[tuple[tuple[str, str], int]]:
        """What may follow on what, with the minutes of the way; none passes over what she must serve."""
        duty, stops = self.workday.duties[number], self.stops[number][shift]
        first, last = (stop._replace(visit=HOME) for stop in duty.ends(shift))
        whole = [first, *stops, last]
        for position, one in enumerate(whole[:-1]):
            for other in whole[position + 1 :]:
                if one is first and other is last:
                    continue
                minutes = duty.travel[one.place][other.place] if one.place != other.place else 0
                if earliest_arrival(duty.shifts[shift], one.end, minutes) <= other.begin:
                    yield (one.visit, other.visit), minutes
                if other.visit in self._fixed:
                    break

    # --- Solving

    def best(self, aims: Sequence[Aim], budget: Budget, found: Found | None = None, seed: int = 1) -> Best:
        """The best that is found in time; `found` is a solution to begin with."""
        bounds: list[int | None] = []
        left = budget
        for position, aim in enumerate(aims):
            if found is not None and found.values[position] == aim.least:
                bounds.append(aim.least)
            elif found is not None and left.is_over:
                bounds.append(None)
            else:
                answer, bound, work = self._minimise(aims, position, left, found, seed)
                left = left.less(work)
                found = answer or found
                bounds.append(bound)
            if found is None:
                break
            self.model.add(self._expression(aim) <= aim.scaled(found.true))
        work = 0.0 if budget.work is None or left.work is None else budget.work - left.work
        return Best(found, tuple(bounds), work)

    def _minimise(
        self, aims: Sequence[Aim], position: int, budget: Budget, found: Found | None, seed: int
    ) -> tuple[Found | None, int, float]:
        """What was found, a bound on the aim, and the units of work done."""
        self.model.minimize(self._expression(aims[position]))
        if found is not None:
            self._hint(found.true)
        solver = cp_model.CpSolver()
        budget.share(len(aims) - position).limit(solver.parameters)
        solver.parameters.random_seed = seed
        solver.parameters.linearization_level = 2  # its relaxation proves nearly all
        status = solver.solve(self.model)
        work = solver.response_proto.deterministic_time
        bound = max(aims[position].least, round(solver.best_objective_bound) * aims[position].scale)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return None, bound if status == cp_model.UNKNOWN else aims[position].least, work
        answer = self._found(solver, aims)
        if found is not None and answer.values >= found.values:
            return (
                None,
                bound,
                work,
            )  # no better in this aim it may be worse in others, or by what a scale drops
        return answer, bound, work

    def _expression(self, aim: Aim) -> cp_model.LinearExpr:
        """The aim for the solver, by its scale and rounded down; what is no variable here counts as false.

        It is never below zero, so that even a bound that the solver did not come to is a bound.
        """
        scale = aim.scale
        known = [(weight // scale, self._named[name]) for weight, name in aim.terms if name in self._named]
        return total(known) + aim.base // scale

    def _hint(self, true: frozenset[Name]) -> None:
        self.model.clear_hints()  # type: ignore[no-untyped-call]  # theirs has no types
        for name, variable in self._named.items():
            self.model.add_hint(variable, name in true)

    def _found(self, solver: cp_model.CpSolver, aims: Sequence[Aim]) -> Found:
        true = frozenset(name for name, literal in self._named.items() if solver.boolean_value(literal))
        return self._valued(true, aims)

    def _valued(self, true: frozenset[Name], aims: Sequence[Aim]) -> Found:
        takers = {
            visit: number
            for visit, numbers in self.takers.items()
            for number in numbers
            if ("serve", number, visit) in true
        }
        return Found(tuple(aim.value(true) for aim in aims), takers, true)

    def known(self, takers: Mapping[str, int], aims: Sequence[Aim]) -> Found:
        """The solution in which these specialists serve these visits, which must be valid."""
        true: set[Name] = set()
        for number, shifts in enumerate(self.stops):
            for shift, stops in enumerate(shifts):
                mine = [stop.visit for stop in stops if takers.get(stop.visit) == number]
                ends = zip([HOME, *mine], [*mine, HOME], strict=True) if mine else ()
                true.update(("arc", number, shift, one, other) for one, other in ends)
                true.update(("serve", number, visit) for visit in mine)
        return self._valued(frozenset(true), aims)


def total(terms: Iterable[tuple[int, cp_model.IntVar]]) -> cp_model.LinearExpr:
    """The weighted sum of the variables."""
    weights, literals = [], []
    for weight, literal in terms:
        weights.append(weight)
        literals.append(literal)
    return cp_model.LinearExpr.weighted_sum(literals, weights)
