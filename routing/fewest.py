"""The fewest specialists who can keep all promises of an instance at their bases, as one CP-SAT model.

Where nobody travels, who can hold which promises is a question of overlaps alone: of the promises at one time
each specialist holds at most one, and none if she is not needed. As many as there are at one time are needed
at least.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from ortools.sat.python import cp_model

from routing.board import NO_ROOM, Board
from routing.orders import Found, Proven
from routing.problem import Assignment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from routing.orders import FewestSpecialists


_FIRST = 0.3
"""The part of the time for the search without a given number."""


class _Job(NamedTuple):
    """A promise: its span, an assignment for each specialist who could keep it if she had nothing else."""

    day: int
    begin: int
    end: int
    lines: Mapping[str, Assignment]


def fewest_specialists(order: FewestSpecialists) -> Iterator[Found | Proven]:
    """A bound on the number of specialists and, if one was found in time, a plan that keeps all promises.

    A bound above the number of all specialists says that no plan keeps all promises. ValueError if a visit is
    not promised, is on site or in a room, where more than overlaps matters, or if nobody could keep it.
    """
    jobs = _jobs(Board(order.instance))
    groups = list(_at_one_time(jobs))
    bound = max(map(len, groups), default=0)
    model = _Model(order, jobs)
    begun = time.monotonic()
    lines, proven = model.fewest(bound, begun + _FIRST * (order.until - begun))
    bound = max(bound, proven)
    enough = (
        len({line.specialist for line in lines}) if lines is not None else len(order.instance.specialists) + 1
    )
    while bound < enough:
        answer = model.just(bound, groups, order.until)
        if answer is None:
            break
        if answer:
            lines, enough = answer, bound
        else:
            bound += 1
    if lines is not None:
        yield Found(lines)
    yield Proven(bound)


class _Model:
    """Who holds which job and who is used at all."""

    def __init__(self, order: FewestSpecialists, jobs: list[_Job]) -> None:
        self._workers = order.workers
        self._model = model = cp_model.CpModel()
        self._used = {name: model.new_bool_var("") for name in order.instance.specialists}
        self._holds = {line: model.new_bool_var("") for job in jobs for line in job.lines.values()}
        for job in jobs:
            model.add_exactly_one(self._holds[line] for line in job.lines.values())
        for name, used in self._used.items():
            hers = [job for job in jobs if name in job.lines]
            for group in _at_one_time(hers):
                model.add_at_most_one([*(self._holds[job.lines[name]] for job in group), ~used])

    def fewest(self, bound: int, until: float) -> tuple[tuple[Assignment, ...] | None, int]:
        """The best plan until then, if any, and a proven number of specialists."""
        model = self._model.clone()
        model.add(sum(self._used.values()) >= bound)
        model.minimize(sum(self._used.values()))
        status, solver = self._solve(model, until)
        lines = self._lines(solver) if status in (cp_model.OPTIMAL, cp_model.FEASIBLE) else None
        return lines, round(solver.best_objective_bound)

    def just(self, number: int, groups: list[list[_Job]], until: float) -> tuple[Assignment, ...] | None:
        """A plan with just so many specialists, an empty one if there is none, None if time ran out.

        Where so many jobs are under way at once, everybody who is used holds one of them.
        """
        model = self._model.clone()
        model.add(sum(self._used.values()) == number)
        for group in groups:
            if len(group) == number:
                for name, used in self._used.items():
                    model.add(sum(self._holds[job.lines[name]] for job in group if name in job.lines) == used)
        status, solver = self._solve(model, until)
        if status == cp_model.INFEASIBLE:
            return ()
        return self._lines(solver) if status in (cp_model.OPTIMAL, cp_model.FEASIBLE) else None

    def _solve(self, model: cp_model.CpModel, until: float) -> tuple[object, cp_model.CpSolver]:
        solver = cp_model.CpSolver()
        solver.parameters.max_time_in_seconds = max(0.0, until - time.monotonic())
        solver.parameters.num_workers = self._workers
        return solver.solve(model), solver

    def _lines(self, solver: cp_model.CpSolver) -> tuple[Assignment, ...]:
        return tuple(line for line, variable in self._holds.items() if solver.value(variable))


def _jobs(board: Board) -> list[_Job]:
    jobs = []
    for visit in board.visits:
        promise = visit.promise
        if promise is None:
            raise ValueError(f"visit {visit.id} is not promised")
        lines = {}
        for way in board.ways_of(board.number[visit.id]):
            if way.place is not None or way.room != NO_ROOM:
                raise ValueError(f"visit {visit.id} is not by phone")
            for duty in way.duties:
                if board.idle[duty].starts(None, way.minutes) & way.starts:
                    name = board.owners[duty][0]
                    lines[name] = Assignment(visit.id, name, promise.day, promise.start, "phone", None)
        if not lines:
            raise ValueError(f"nobody can keep visit {visit.id}")
        jobs.append(_Job(promise.day, promise.start, promise.start + visit.minutes, lines))
    return jobs


def _at_one_time(jobs: Iterable[_Job]) -> Iterator[list[_Job]]:
    """The largest groups of jobs that are all under way at some time."""
    running: list[_Job] = []
    grown = False
    for job in sorted(jobs, key=lambda job: (job.day, job.begin)):
        still = [other for other in running if other.day == job.day and other.end > job.begin]
        if grown and len(still) < len(running):
            yield running
        running, grown = [*still, job], True
    if running:
        yield running
