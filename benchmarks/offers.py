"""How fast offers are found in a county of realistic size, and how many of those there are.

python benchmarks/offers.py [--json FILE]: 8 sites, 40 specialists, 20 days, from quiet to crowded weeks. A
query asks every day for every site. The solver (CP-SAT, all people decided anew) tells of every start that is
refused whether it could have been offered. Seeds are fixed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from random import Random
from statistics import median
from typing import TYPE_CHECKING

from ortools.sat.python import cp_model

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from routing import Rooms, Shift, Specialist  # noqa: E402 - found by the line above
from routing.offers import DayWitness  # noqa: E402
from routing.timeline import earliest_arrival, ticks_of  # noqa: E402
from routing.workday import Ask, Held, Workday  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

    from routing.timeline import Stop

SITES = tuple(f"S{number}" for number in range(8))
SKILLS = tuple(f"K{number}" for number in range(12))
TICK = 5
WEEKLY = (8, 12, 16)
DAYS = 20
KNOWN = 20
"""Queries after which nearly everybody's day has been looked at."""
DEMAND = (6, 3, 3, 2, 2, 1, 1, 1)
"""How many citizens come to each site, in proportion; the first is the central office's."""
MINUTES = (20, 30, 30, 45, 60)


# --- The county -------------------------------------------------------------------------------------


def travel_times(rng: Random) -> dict[str, dict[str, int]]:
    """Minutes by car between places on a map of some 80 by 80 minutes, a little longer one way."""
    spots = {site: (rng.uniform(0, 80), rng.uniform(0, 80)) for site in SITES}
    spots[SITES[0]] = (40, 40)
    return {
        a: {
            b: 0
            if a == b
            else round(15 + 0.8 * abs(complex(*spots[a]) - complex(*spots[b])) + rng.uniform(0, 4))
            for b in SITES
        }
        for a in SITES
    }


def specialists(rng: Random) -> list[Specialist]:
    """Most work at the central office, each with two to four skills; a language is scarce."""
    people = []
    for number in range(40):
        shifts = [
            Shift(day, 480, rng.choice([780, 960, 960, 1080]), ((720, 750),) if rng.random() < 0.8 else ())
            for day in range(DAYS)
            if rng.random() < 0.85
        ]
        people.append(
            Specialist(
                id=f"p{number:02}",
                base=SITES[0] if rng.random() < 0.7 else rng.choice(SITES),
                skills=frozenset(rng.sample(SKILLS, rng.randint(2, 4))),
                languages=frozenset(code for code in ("uk", "ar") if rng.random() < 0.15),
                shifts=tuple(shifts),
                max_travel=rng.choice([None, None, 180, 240]),
            )
        )
    return people


def random_ask(rng: Random) -> Ask:
    """What a citizen asks for: half of them in person at a site."""
    mode = rng.choice(["on_site", "on_site", "video", "phone"])
    language = rng.choice(["uk", "ar"]) if rng.random() < 0.06 else None
    return Ask(
        rng.choice(SKILLS),
        language,
        mode,
        None if mode == "phone" else rng.choices(SITES, DEMAND)[0],
        rng.choice(MINUTES),
    )


def filled(workday: Workday, rng: Random, weekly: int) -> DayWitness:
    """A day with as many promises as so many a week and specialist make; she works 4.25 days of it."""
    wanted = round(weekly / 4.25 * len(workday.staff))
    witness = DayWitness(workday)
    for number in range(3 * wanted // 2):
        ask = random_ask(rng)
        starts = ticks_of(witness.starts((ask,), within_hours(rng)))
        placement = witness.place((ask,), rng.choice(starts) * TICK) if starts else None
        if placement:
            witness = witness.after(placement, (f"v{number}",))
        if len(witness.held) == wanted:
            break
    return witness


def within_hours(rng: Random) -> int:
    """A citizen's wish: some two hours of the day."""
    first = rng.randrange(480, 960, 60) // TICK
    return ((1 << 24) - 1) << first


# --- The exact truth --------------------------------------------------------------------------------


def keepable(witness: DayWitness, ask: Ask, ticks: list[int]) -> int:
    """At how many of these ticks somebody can serve this beside all that is held.

    A flow through each shift, in which the visit may begin at any of the ticks; what is found is taken out.
    """
    workday, model = witness.workday, cp_model.CpModel()
    new = [Held(f"\0{tick}", "", tick * TICK, ask) for tick in ticks]
    visits = [*witness.held, *new]
    takers: dict[str, list[cp_model.IntVar]] = {one.visit: [] for one in visits}
    for number, duty in enumerate(workday.duties):
        mine = [one for one in visits if number in workday.able(one.ask)]
        stops = [workday.stop(number, one.start, one.ask, one.visit) for one in mine]
        travelled: list[cp_model.LinearExprT] = []
        for shift in range(len(duty.shifts)):
            inside = sorted(stop for stop in stops if duty.shift_of(stop) == shift)
            travelled += add_tour(model, workday, number, shift, inside, takers)
        if duty.limit is not None:
            model.add(sum(travelled) <= duty.limit)
    for one in witness.held:
        model.add_exactly_one(takers[one.visit])
    begins = [takers[one.visit] for one in new]
    model.add_exactly_one(choice for choices in begins for choice in choices)
    return count_solutions(model, begins)


def count_solutions(model: cp_model.CpModel, begins: list[list[cp_model.IntVar]]) -> int:
    """How many of the begins occur in a solution."""
    for count in range(len(begins) + 1):
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = 1
        status = solver.solve(model)
        if status == cp_model.INFEASIBLE:
            return count
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            raise RuntimeError(f"the solver ended with {solver.status_name(status)}")
        found = next(choices for choices in begins if any(solver.value(choice) for choice in choices))
        for choice in found:
            model.add(choice == 0)
    raise RuntimeError("the solver found a begin twice")


def add_tour(
    model: cp_model.CpModel,
    workday: Workday,
    number: int,
    shift: int,
    stops: list[Stop],
    takers: dict[str, list[cp_model.IntVar]],
) -> list[cp_model.LinearExprT]:
    """A path from base to base over some of the stops; the minutes of its ways."""
    duty = workday.duties[number]
    first, last = duty.ends(shift)
    into: dict[Stop, list[cp_model.IntVar]] = {stop: [] for stop in (*stops, last)}
    out: dict[Stop, list[cp_model.IntVar]] = {stop: [] for stop in (first, *stops)}
    travelled: list[cp_model.LinearExprT] = []
    for one, leaving in out.items():
        for other, arriving in into.items():
            minutes = workday.travel[one.place][other.place]
            if other.begin >= one.end and one != other:
                if earliest_arrival(duty.shifts[shift], one.end, minutes) > other.begin:
                    continue
                arc = model.new_bool_var("")
                leaving.append(arc)
                arriving.append(arc)
                travelled.append(arc * minutes)
    for stop in stops:
        served = model.new_bool_var("")
        takers[stop.visit].append(served)
        model.add(sum(into[stop]) == served)
        model.add(sum(out[stop]) == served)
    model.add(sum(out[first]) == 1)
    model.add(sum(into[last]) == 1)
    return travelled


# --- The measurements -------------------------------------------------------------------------------


def asked_everywhere(rng: Random) -> list[tuple[Ask]]:
    """One need, in person at every site."""
    ask = random_ask(rng)
    return [(Ask(ask.skill, ask.language, "on_site", site, ask.minutes),) for site in SITES]


def milliseconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    began = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - began)


def measure(weekly: int) -> dict[str, float]:
    """All figures of one kind of week."""
    rng = Random(weekly)
    travel, people = travel_times(rng), specialists(rng)
    rooms = {site: [Rooms(day, 480, 1080, rng.choice([1, 2, 3])) for day in range(DAYS)] for site in SITES}
    workdays = [Workday(day, people, travel, rooms, TICK) for day in range(DAYS)]
    held = [filled(workday, rng, weekly).held for workday in workdays]
    days = list(zip(workdays, held, strict=True))
    build = [milliseconds(lambda: DayWitness(*day)) for day in days for _ in range(3)]  # noqa: B023 - at once
    queries = [asked_everywhere(rng) for _ in range(60)]
    cold = []
    for query in queries[:4]:
        fresh = [DayWitness(*day) for day in days]
        cold.append(milliseconds(lambda: [day.starts(asks) for day in fresh for asks in query]))  # noqa: B023
    kept = [DayWitness(*day) for day in days]
    warm = [milliseconds(lambda: [day.starts(asks) for day in kept for asks in query]) for query in queries]  # noqa: B023
    placing = [milliseconds(lambda: day.place(*wish)) for day in kept for wish in wishes(day, rng)]  # noqa: B023
    booked = [booked_again(day, queries, rng) for day in kept]
    return {
        "weekly": weekly,
        "visits a day": sum(map(len, held)) / DAYS,
        "build p50": median(build),
        "cold p50": median(cold),
        "cold max": max(cold),
        "warm p50": median(warm[KNOWN:]),
        "warm p95": percentile(warm[KNOWN:], 95),
        "place p50": median(placing),
        "place max": max(placing),
        "booked again p50": median(booked),
        "booked again max": max(booked),
        **quality(days, queries),
    }


def booked_again(day: DayWitness, queries: list[list[tuple[Ask]]], rng: Random) -> float:
    """How long the first query of all sites takes on a day that has just got one more visit."""
    asks, start = rng.choice(wishes(day, rng))
    placement = day.place(asks, start)
    if placement is None:
        raise RuntimeError(f"start {start} was offered and cannot be kept")
    query = rng.choice(queries)
    return milliseconds(
        lambda: [after.starts(q) for after in [day.after(placement, ["more"])] for q in query]
    )


def wishes(day: DayWitness, rng: Random) -> list[tuple[tuple[Ask], int]]:
    """A few promises that can be made."""
    asked = [(random_ask(rng),) for _ in range(5)]
    return [(asks, rng.choice(ticks_of(day.starts(asks))) * TICK) for asks in asked if day.starts(asks)]


def percentile(values: list[float], share: int) -> float:
    """The value that so many percent do not exceed."""
    return sorted(values)[min(len(values) - 1, len(values) * share // 100)]


def quality(
    days: list[tuple[Workday, tuple[Held, ...]]], queries: list[list[tuple[Ask]]]
) -> dict[str, float]:
    """The share of the starts that can be kept which is found, on some days for some queries."""
    gaps = found = refused = missed = 0
    for day in days[::4]:
        witness, unmoved = DayWitness(*day), DayWitness(day[0], [replace(o, pinned=True) for o in day[1]])
        for asks in (asks for query in queries[:4] for asks in query):
            mask = witness.starts(asks)
            left = ticks_of(witness.thinkable_starts(asks) & ~mask)
            gaps += unmoved.starts(asks).bit_count()
            found += mask.bit_count()
            refused += len(left)
            missed += keepable(witness, asks[0], left) if left else 0
    return {
        "found": found,
        "in gaps": gaps,
        "refused": refused,
        "missed": missed,
        "share found %": 100 * found / (found + missed),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    weeks = []
    for weekly in WEEKLY:
        weeks.append(measure(weekly))
        print(*(f"{name}: {value:.2f}\n" for name, value in weeks[-1].items()), flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(weeks, indent=1))


if __name__ == "__main__":
    main()
