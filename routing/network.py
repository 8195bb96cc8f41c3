"""A small instance as one exact CP-SAT model, for the optimum and its proof.

Each shift is a flow through a time-expanded network. A node is a place at a tick in one of two states: she
has been of use there ("worked") or has just arrived ("fresh"); only who has worked may travel on. So no way
leads over a place without a visit, which matters where the triangle inequality does not hold. Chains are
not modelled. For more than `LARGEST` possible starts this is the wrong room.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ortools.sat.python import cp_model

from routing.board import NO_ROOM
from routing.draft import Place, lines_of
from routing.problem import MINUTES_A_DAY
from routing.timeline import earliest_arrival, ticks_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from routing.board import Board, Way
    from routing.budget import Budget
    from routing.problem import Assignment, Shift

LARGEST = 12_000
_LARGEST_TOTAL = 2**50


@dataclass(frozen=True, slots=True)
class Answer:
    """The cheapest assignments, None if they could not be proven so, a bound on their cost, units of work."""

    lines: tuple[Assignment, ...] | None
    bound: int
    work: float


def solve_exactly(board: Board, budget: Budget) -> Answer:
    """The cheapest plan, chains apart, as far as the budget allows.

    Deterministic as long as the time suffices.
    """
    network = _Network(board)
    solver = cp_model.CpSolver()
    budget.limit(solver.parameters)
    solver.parameters.num_workers = 1  # with two, the linear relaxation that proves nearly all is left out
    solver.parameters.linearization_level = 2
    solver.parameters.random_seed = 1
    status = solver.solve(network.model)
    bound = max(0, round(solver.best_objective_bound)) * network.scale
    work = solver.response_proto.deterministic_time
    if status != cp_model.OPTIMAL:
        return Answer(None, bound, work)
    places: list[Place | None] = [None] * len(board.visits)
    for visit, place, literal in network.starts:
        if solver.boolean_value(literal):
            places[visit] = place
    return Answer(lines_of(board, places), bound, work)


class _Network:
    """The model; `starts` lists what may be chosen, the objective is the cost divided by `scale`."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.model = cp_model.CpModel()
        self.starts: list[tuple[int, Place, cp_model.IntVar]] = []
        self._costs: list[tuple[int, cp_model.IntVar]] = []
        self._ways: list[list[tuple[int, Way]]] = [[] for _ in board.duties]
        for visit, ways in enumerate(board.ways):
            for way in ways:
                for duty in way.duties:
                    self._ways[duty].append((visit, way))
        for duty in range(len(board.duties)):
            self._add_duty(duty)
        self._serve_once()
        self._limit_rooms()
        total = sum(cost for cost, _ in self._costs)
        self.scale = 1 + total // _LARGEST_TOTAL
        self.model.minimize(sum(cost // self.scale * literal for cost, literal in self._costs))

    def _serve_once(self) -> None:
        by_visit: dict[int, list[cp_model.IntVar]] = defaultdict(list)
        for visit, _, literal in self.starts:
            by_visit[visit].append(literal)
        for visit, loss in enumerate(self.board.loss):
            unserved = self.model.new_bool_var("")
            self._costs.append((loss, unserved))
            self.model.add_exactly_one([unserved, *by_visit[visit]])

    def _limit_rooms(self) -> None:
        users: dict[tuple[int, int], list[cp_model.IntVar]] = defaultdict(list)
        for _, (way, _, start), literal in self.starts:
            if way.room != NO_ROOM:
                for tick in range(start, start + way.ticks):
                    users[way.room, tick].append(literal)
        for (room, tick), literals in users.items():
            free = self.board.rooms[room].free(tick)
            if len(literals) > free:
                self.model.add(sum(literals) <= free)

    def _add_duty(self, number: int) -> None:
        duty = self.board.duties[number]
        travels: list[tuple[int, cp_model.IntVar]] = []
        for shift_number, shift in enumerate(duty.shifts):
            travels += self._add_shift(number, shift_number, shift)
        if duty.limit is not None and travels:
            limit = min(duty.limit, MINUTES_A_DAY)  # a number of the solver, whatever the file says
            bounded = [(min(minutes, limit + 1), literal) for minutes, literal in travels]
            self.model.add(sum(minutes * literal for minutes, literal in bounded) <= limit)

    def _add_shift(self, number: int, shift_number: int, shift: Shift) -> list[tuple[int, cp_model.IntVar]]:
        """The flow of one shift; answers its ways with their minutes."""
        flow = _Flow(self.model, self.board, number, shift)
        for visit, way in self._ways[number]:
            place = way.place or flow.duty.base
            for start in ticks_of(way.starts & flow.duty.open_starts(shift_number, way.minutes)):
                literal = self.model.new_bool_var("")
                flow.serve(place, start, start + way.ticks, literal)
                self.starts.append((visit, Place(way, number, start), literal))
                self._costs.append((way.price, literal))
        flow.close()
        weight = self.board.instance.weights.travel_minute
        self._costs += [(minutes * weight, literal) for minutes, literal in flow.travels]
        return flow.travels


class _Flow:
    """One specialist's shift as a path from its begin to its end."""

    def __init__(self, model: cp_model.CpModel, board: Board, duty: int, shift: Shift) -> None:
        self.duty = board.duties[duty]
        self.travels: list[tuple[int, cp_model.IntVar]] = []
        self._model = model
        self._shift = shift
        self._tick = board.instance.tick
        self._serving: dict[tuple[str, int], list[cp_model.IntVar]] = defaultdict(list)
        self._served: dict[tuple[str, int], list[cp_model.IntVar]] = defaultdict(list)
        self._arrivals: dict[tuple[str, int], list[cp_model.IntVar]] = defaultdict(list)
        self._departures: dict[tuple[str, int], list[cp_model.IntVar]] = defaultdict(list)

    def serve(self, place: str, begin: int, end: int, literal: cp_model.IntVar) -> None:
        """The visit that may be served from tick to tick."""
        self._serving[place, begin].append(literal)
        self._served[place, end].append(literal)

    def close(self) -> None:
        """Connect everything that may be served."""
        places = sorted({place for place, _ in self._serving})
        ends = sorted(self._served)
        if not places:
            return
        at_base = [self._model.new_bool_var("")]  # she begins where she is and may stay
        leaving = [*at_base, *(self._leave(self.duty.base, self._shift.begin, to) for to in places)]
        self._model.add_exactly_one([literal for literal in leaving if literal is not None])
        for place, end in ends:
            for target in [*places, self.duty.base] if self.duty.base not in places else places:
                literal = self._leave(place, end * self._tick, target)
                if literal is not None:
                    self._departures[place, end].append(literal)
            if place != self.duty.base:
                self._departures[place, end] += self._go_home(place, end)
        for place in places:
            self._keep_place(place, at_base if place == self.duty.base else [])

    def _leave(self, place: str, minute: int, target: str) -> cp_model.IntVar | None:
        """The way from one place to serve at another."""
        minutes = self.duty.travel[place][target]
        arrival = -(-earliest_arrival(self._shift, minute, minutes) // self._tick)
        last = max((start for where, start in self._serving if where == target), default=-1)
        if place == target or arrival > last:
            return None
        return self._travel(minutes, self._arrivals[target, arrival])

    def _go_home(self, place: str, end: int) -> Iterator[cp_model.IntVar]:
        minutes = self.duty.travel[place][self.duty.base]
        if earliest_arrival(self._shift, end * self._tick, minutes) <= self._shift.end:
            yield self._travel(minutes, [])

    def _travel(self, minutes: int, arrivals: list[cp_model.IntVar]) -> cp_model.IntVar:
        literal = self._model.new_bool_var("")
        arrivals.append(literal)
        self.travels.append((minutes, literal))
        return literal

    def _keep_place(self, place: str, worked_at_first: list[cp_model.IntVar]) -> None:
        """Who is at the place, tick by tick: fresh and worked ones wait, serve or leave."""
        model = self._model
        ticks = sorted(
            {
                tick
                for events in (self._serving, self._served, self._arrivals)
                for where, tick in events
                if where == place
            }
        )
        fresh: list[cp_model.IntVar] = []
        worked = worked_at_first
        for tick in ticks:
            key = place, tick
            begins_fresh, begins_worked = model.new_bool_var(""), model.new_bool_var("")
            model.add(begins_fresh + begins_worked == sum(self._serving[key]))
            still_fresh, still_worked = model.new_bool_var(""), model.new_bool_var("")
            model.add(sum(fresh) + sum(self._arrivals[key]) == begins_fresh + still_fresh)
            flow_in = sum(worked) + sum(self._served[key])
            model.add(flow_in == begins_worked + still_worked + sum(self._departures[key]))
            fresh, worked = [still_fresh], [still_worked]
        model.add(sum(fresh) == 0)
        if place != self.duty.base:
            model.add(sum(worked) == 0)
