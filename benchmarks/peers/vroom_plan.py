"""A plan by VROOM: `vroom_plan.py INSTANCE -o PLAN --seconds N`.

Runs in the environment that setup.sh makes. VROOM routes vehicles on one day, knows one place for each job
and neither rooms nor prices of days, times and people. So the days are planned one after the other, again and
again while there is time: each with what it serves so far and all that still waits; a visit that stays out is
asked in its next best way in the next round. What then lacks a room, or travels through a break, moves to the
nearest start with the same specialist or is dropped (a promise first goes to somebody else), and a day stays
as it was unless it has become cheaper.
"""

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import vroom

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from routing import Plan, Shift, read_instance, write_plan
from routing.board import NO_ROOM, Board, Way
from routing.draft import Draft, Place
from routing.timeline import ticks_of

THREADS = 2
EXPLORATION = 5
MOST_PRIORITY = 90
MOST_URGENCY = 9
WRITING_SECONDS = 0.3


class Days:
    """Plans days by VROOM on one draft."""

    def __init__(self, board: Board, until: float) -> None:
        self.board = board
        self.draft = Draft(board)
        self._until = until
        self._round: dict[tuple[int, int], int] = defaultdict(int)
        self._tick = board.instance.tick
        self._sites = list(board.instance.rooms)
        self._most_loss = max(board.instance.weights.unserved.values())
        self._matrices = {base: self._matrix(base) for base in self._sites}
        self._ways: dict[tuple[int, int], list[Way]] = defaultdict(list)
        for visit, ways in enumerate(board.ways):
            for way in ways:
                self._ways[visit, board.owners[way.duties[0]][1]].append(way)
        self._last_day = {}
        for visit, day in sorted(self._ways):
            self._last_day[visit] = day

    def plan(self, day: int) -> bool:
        """Plan the day anew; keep that if it is cheaper. Whether there was time for it."""
        draft, owners = self.draft, self.board.owners
        before, mark = draft.cost, draft.mark()
        served = [v for v, place in enumerate(draft.places) if place and owners[place.duty][1] == day]
        if draft.take_out(served):
            asked = self._asked(day)
            steps = self._solve(day, asked) if asked else []
            for visit, duty, minute in steps:
                if self.board.visits[visit].promise:
                    self._serve(visit, duty, minute, self._ways[visit, day])
            self._keep_promises(asked)
            for visit, duty, minute in sorted(steps, key=lambda step: -self.board.loss[step[0]]):
                if draft.places[visit] is None:
                    self._serve(visit, duty, minute, self._ways[visit, day])
            for visit in asked:
                self._round[visit, day] += draft.places[visit] is None
        if draft.cost >= before:
            draft.rewind(mark, before)
        draft.forget_steps()
        return time.monotonic() < self._until

    def _asked(self, day: int) -> dict[int, list[Way]]:
        """What waits and could be served that day, in the ways of one option."""
        return {
            visit: self._in_one_way(visit, day)
            for visit, place in enumerate(self.draft.places)
            if place is None and self._ways[visit, day]
        }

    def _in_one_way(self, visit: int, day: int) -> list[Way]:
        """First the cheapest option at its lowest price, then at any, then the other options."""
        ways, turn = self._ways[visit, day], self._round[visit, day]
        options = list(dict.fromkeys((way.mode, way.site) for way in ways))
        cheapest = [way for way in ways if (way.mode, way.site) == options[0] and way.price == ways[0].price]
        if turn == 0:
            return cheapest
        return [way for way in ways if (way.mode, way.site) == options[(turn - 1) % len(options)]]

    def _solve(self, day: int, asked: dict[int, list[Way]]) -> list[tuple[int, int, int]]:
        """Visits, duties and minutes by VROOM."""
        problem = vroom.Input()
        for base, (durations, costs) in self._matrices.items():
            problem.set_durations_matrix(base, durations)
            problem.set_costs_matrix(base, costs)
        able = {
            visit: frozenset(duty for way in ways for duty in way.duties) for visit, ways in asked.items()
        }
        skills = {duties: number for number, duties in enumerate(set(able.values()))}
        duty_of = {}
        for duty, shift in self._shifts(day):
            known = {number for duties, number in skills.items() if duty in duties}
            duty_of[len(duty_of)] = duty
            problem.add_vehicle(self._vehicle(len(duty_of) - 1, duty, shift, known))
        if not duty_of:
            return []
        for visit, ways in asked.items():
            problem.add_job(self._job(visit, day, ways, skills[able[visit]]))
        left = timedelta(seconds=max(0.01, self._until - time.monotonic()))
        routes = problem.solve(EXPLORATION, THREADS, left).routes
        jobs = routes[routes["type"] == "job"] if len(routes) else routes
        return [
            (int(row.id), duty_of[int(row.vehicle_id)], int(row.arrival + row.waiting_time))
            for row in jobs.itertuples()
        ]

    def _shifts(self, day: int) -> Iterator[tuple[int, Shift]]:
        for duty, (name, of) in enumerate(self.board.owners):
            if of == day:
                shifts = self.board.instance.specialists[name].shifts
                yield from ((duty, shift) for shift in shifts if shift.day == day)

    def _vehicle(self, number: int, duty: int, shift: Shift, known: set[int]) -> vroom.Vehicle:
        specialist = self.board.instance.specialists[self.board.owners[duty][0]]
        return vroom.Vehicle(
            number,
            start=len(self._sites),
            end=len(self._sites) + 1,
            profile=specialist.base,
            skills=known,
            time_window=(shift.begin, shift.end),
            breaks=[
                vroom.Break(at, time_windows=[(begin, begin)], service=end - begin)
                for at, (begin, end) in enumerate(shift.breaks)
            ],
            max_travel_time=specialist.max_travel,
        )

    def _job(self, visit: int, day: int, ways: list[Way], skill: int) -> vroom.Job:
        starts = 0
        for way in ways:
            starts |= way.starts
        place = ways[0].place
        return vroom.Job(
            visit,
            location=len(self._sites) if place is None else self._sites.index(place),
            default_service=-(-ways[0].minutes // self._tick) * self._tick,
            skills={skill},
            priority=self._priority(visit, day),
            time_windows=[(a * self._tick, b * self._tick) for a, b in _runs(starts)],
        )

    def _priority(self, visit: int, day: int) -> int:
        """By what it costs not to serve it, then by the days that are left for it."""
        weight = min(1, self.board.loss[visit] / self._most_loss)
        return round(MOST_PRIORITY * weight + MOST_URGENCY / (1 + self._last_day[visit] - day))

    def _matrix(self, base: str) -> tuple[np.ndarray, np.ndarray]:
        """Durations and costs between sites, the base for those who work there, and the end of the day.

        Durations are whole ticks, so that visits start on the tick; the last way of the day is exact.
        """
        places = [*self._sites, base, base]
        costs = np.array([[self.board.instance.travel[a][b] for b in places] for a in places])
        durations = -(-costs // self._tick) * self._tick
        durations[:, -1] = costs[:, -1]
        return durations, costs

    def _keep_promises(self, asked: Iterable[int]) -> None:
        """Give the promises that VROOM has left out or placed wrongly to whom it costs least."""
        for visit in asked:
            if self.board.visits[visit].promise and self.draft.places[visit] is None:
                found = self.draft.cheapest(visit, self.board.loss[visit])
                if found is not None:
                    self.draft.put(visit, found[2])

    def _serve(self, visit: int, duty: int, minute: int, ways: list[Way]) -> None:
        """Put the visit as near to that minute as rooms and breaks allow, if they do."""
        draft, wanted = self.draft, minute / self._tick
        best: tuple[float, int, Place] | None = None
        for way in ways:
            if duty in way.duties:
                starts = way.starts & draft.days[duty].starts(way.place, way.minutes)
                starts &= -1 if way.room == NO_ROOM else draft.rooms[way.room].starts(way.ticks)
                for start in ticks_of(starts):
                    found = abs(start - wanted), way.price, Place(way, duty, start)
                    best = found if best is None or found[:2] < best[:2] else best
        if best is not None:
            draft.put(visit, best[2])


def _runs(mask: int) -> Iterator[tuple[int, int]]:
    """First and last tick of each stretch of the mask."""
    begins = ticks_of(mask & ~(mask << 1))
    ends = ticks_of(mask & ~(mask >> 1))
    yield from zip(begins, ends, strict=True)


def main() -> None:
    """Read, solve and write."""
    begun = time.monotonic()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("instance", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="PLAN")
    parser.add_argument("--seconds", type=float, required=True)
    options = parser.parse_args()
    instance = read_instance(options.instance)
    days = Days(Board(instance), begun + options.seconds - WRITING_SECONDS)
    while all(days.plan(day) for day in range(len(instance.days))):
        pass
    write_plan(Plan(instance.name, days.draft.lines()), options.output)


if __name__ == "__main__":
    main()
