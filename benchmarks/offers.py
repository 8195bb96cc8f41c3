"""How fast offers are found in a county of realistic size, and how many of those there are.

python benchmarks/offers.py [--json FILE]: 8 sites, 40 specialists, 20 days, from quiet to crowded weeks. A
query asks every day for every site and mode. The exact search of the solver (CP-SAT, all people decided anew)
tells on sampled starts whether they could have been offered. Seeds are fixed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
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
    witness = DayWitness(workday, effort=4)
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


def can_be_kept(witness: DayWitness, ask: Ask, start: int) -> bool:
    """Whether anybody can serve this beside all that is held: a flow through each shift, solved exactly."""
    workday, model = witness.workday, cp_model.CpModel()
    visits = [*witness.held, Held("", "", start, ask)]
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
    for choices in takers.values():
        model.add_exactly_one(choices)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = 1
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE, cp_model.INFEASIBLE):
        raise RuntimeError(f"the solver ended with {solver.status_name(status)}")
    return status != cp_model.INFEASIBLE


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


def measure(weekly: int, samples: int) -> dict[str, float]:
    """All figures of one kind of week."""
    rng = Random(weekly)
    travel, people = travel_times(rng), specialists(rng)
    rooms = {site: [Rooms(day, 480, 1080, rng.choice([1, 2, 3])) for day in range(DAYS)] for site in SITES}
    workdays = [Workday(day, people, travel, rooms, TICK) for day in range(DAYS)]
    held = [filled(workday, rng, weekly).held for workday in workdays]
    days = list(zip(workdays, held, strict=True))
    build = [milliseconds(lambda: DayWitness(*day)) for day in days for _ in range(3)]  # noqa: B023 - at once
    queries = [asked_everywhere(rng) for _ in range(20)]
    cold = []
    for query in queries[:4]:
        fresh = [DayWitness(*day) for day in days]
        cold.append(milliseconds(lambda: [day.starts(asks) for day in fresh for asks in query]))  # noqa: B023
    kept = [DayWitness(*day) for day in days]
    warm = [milliseconds(lambda: [day.starts(asks) for day in kept for asks in query]) for query in queries]  # noqa: B023
    placing = [milliseconds(lambda: day.place(*wish)) for day in kept for wish in wishes(day, rng)]  # noqa: B023
    return {
        "weekly": weekly,
        "visits a day": sum(map(len, held)) / DAYS,
        "build p50": median(build),
        "cold p50": median(cold),
        "cold max": max(cold),
        "warm p50": median(warm[4:]),
        "warm p99": percentile(warm[4:], 99),
        "place p50": median(placing),
        "place max": max(placing),
        **quality(days, queries, rng, samples),
    }


def wishes(day: DayWitness, rng: Random) -> list[tuple[tuple[Ask], int]]:
    """A few promises that can be made."""
    asked = [(random_ask(rng),) for _ in range(5)]
    return [(asks, rng.choice(ticks_of(day.starts(asks))) * TICK) for asks in asked if day.starts(asks)]


def percentile(values: list[float], share: int) -> float:
    """The value that so many percent do not exceed."""
    return sorted(values)[min(len(values) - 1, len(values) * share // 100)]


def quality(
    days: list[tuple[Workday, tuple[Held, ...]]], queries: list[list[tuple[Ask]]], rng: Random, samples: int
) -> dict[str, float]:
    """The share of the starts that can be kept which is found, by chains alone and with the exact search."""
    direct = found = 0
    refused: list[tuple[DayWitness, tuple[Ask], int]] = []
    for day in days[::4]:
        chains, witness = DayWitness(*day, effort=0), DayWitness(*day)
        for asks in (asks for query in queries[:4] for asks in query):
            mask = witness.starts(asks)
            direct += chains.starts(asks).bit_count()
            found += mask.bit_count()
            left = witness.thinkable_starts(asks) & ~mask
            refused += [(witness, asks, tick * TICK) for tick in ticks_of(left)]
    sample = rng.sample(refused, min(samples, len(refused)))
    missed = sum(can_be_kept(witness, asks[0], start) for witness, asks, start in sample)
    estimate = missed / max(1, len(sample)) * len(refused)
    return {
        "found": found,
        "by exact search": found - direct,
        "refused": len(refused),
        "sampled": len(sample),
        "missed": missed,
        "share found %": 100 * found / (found + estimate),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument(
        "--samples", type=int, default=60, help="refused starts to try by the solver, per week"
    )
    arguments = parser.parse_args()
    weeks = []
    for weekly in WEEKLY:
        weeks.append(measure(weekly, arguments.samples))
        print(*(f"{name}: {value:.2f}\n" for name, value in weeks[-1].items()), flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(weeks, indent=1))


if __name__ == "__main__":
    main()
