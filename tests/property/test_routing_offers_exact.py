"""Offers against every possible way to share out small days, and against the independent checker."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise, product
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from routing import Assignment, Instance, Plan, Promise, Rooms, Shift, Specialist, Visit, check
from routing.offers import DayWitness
from routing.timeline import shortest_ways, ticks_of
from routing.workday import Ask, Held, Workday
from tests.routing_cases import WEIGHTS

BEGIN, END, TICK = 480, 780, 15
THOROUGH = 200_000
few = settings(max_examples=30, deadline=None)
seeds = st.integers(0, 10**9)


@dataclass
class Case:
    """A small day that can be kept, written down as the service would."""

    staff: list[Specialist]
    travel: dict[str, dict[str, int]]
    rooms: dict[str, tuple[Rooms, ...]]
    held: list[Held]
    least: int = 1
    known: dict = field(default_factory=dict)
    duties: dict = field(default_factory=dict)

    def witness(self, held=None) -> DayWitness:
        day = Workday(0, self.staff, self.travel, self.rooms, TICK, self.least)
        return DayWitness(day, self.held if held is None else held, THOROUGH)


# --- Days at random -----------------------------------------------------------------------------------


def random_case(seed, *, most_visits=9, least=1, plain=False) -> tuple[Case, Random]:
    rng = Random(seed)
    places = [f"S{n}" for n in range(rng.randint(2, 3))]
    travel = {
        a: {b: 0 if a == b else rng.choice([5, 10, 15, 20, 30, 45, 70]) for b in places} for a in places
    }
    staff = [random_specialist(rng, f"p{n}", places) for n in range(rng.randint(2, 5))]
    if plain:
        travel = shortest_ways(travel)
        staff = [
            replace(one, shifts=tuple(replace(shift, breaks=()) for shift in one.shifts)) for one in staff
        ]
    rooms = {place: random_rooms(rng) for place in places}
    case = Case(staff, travel, rooms, [], least)
    for number in range(rng.randint(3, 40)):
        if len(case.held) < most_visits:
            ask, start = random_ask(rng, places), rng.randrange(BEGIN, END, TICK)
            one = Held(f"v{number}", rng.choice(staff).id, start, ask, rng.random() < 0.15)
            if kept(case, [*case.held, one]):
                case.held.append(one)
    return case, rng


def random_specialist(rng, name, places):
    shifts = [Shift(0, BEGIN, END)]
    shape = rng.random()
    if shape < 0.25:
        middle = rng.randrange(570, 660, TICK)
        shifts = [Shift(0, BEGIN, middle), Shift(0, middle + rng.choice([0, 15]), END)]
    elif shape < 0.6:
        pause = rng.randrange(540, 690, TICK)
        shifts = [Shift(0, BEGIN + rng.choice([0, 7]), END, ((pause, pause + rng.choice([15, 30, 40])),))]
    return Specialist(
        id=name,
        base=rng.choice(places),
        skills=frozenset(["basic", *(["care"] if rng.random() < 0.5 else [])]),
        languages=frozenset(["uk"] if rng.random() < 0.4 else []),
        shifts=(*shifts, Shift(1, 0, 1440)),
        max_travel=rng.choice([None, None, None, 30, 60, 100]),
        modes=frozenset(["on_site", "video", "phone"] if rng.random() < 0.8 else ["on_site", "phone"]),
    )


def random_rooms(rng):
    if rng.random() < 0.5:
        return (Rooms(0, BEGIN, END, rng.choice([0, 1, 2, 2])),)
    return (Rooms(0, BEGIN, 630, 1), Rooms(0, 630, END, 2), Rooms(1, BEGIN, END, 9))


def random_ask(rng, places, way=None):
    mode, place = way or rng.choice(
        [("on_site", p) for p in places] * 3 + [("video", places[0]), ("phone", None)]
    )
    language = "uk" if rng.random() < 0.2 else None
    return Ask(rng.choice(["basic", "basic", "care"]), language, mode, place, TICK * rng.randint(1, 4))


def random_asks(rng, case, most):
    first = random_ask(rng, list(case.travel))
    rest = (random_ask(rng, [], (first.mode, first.site)) for _ in range(rng.randint(1, most) - 1))
    return (first, *rest)


# --- The truth, by trying everything ------------------------------------------------------------------


def kept(case, held):
    """Whether these promises can be kept by those who hold them."""
    return rooms_suffice(case, held) and all(
        able(one.specialist, one, case) and day_works(case, one.specialist, held) for one in held
    )


def able(name, one, case):
    person = next(person for person in case.staff if person.id == name)
    ask = one.ask
    speaks = ask.language is None or ask.language in person.languages
    return speaks and ask.skill in person.skills and ask.mode in person.modes


def rooms_suffice(case, held):
    return all(
        sum(one.ask.site == site and one.start <= minute < one.end for one in held)
        <= sum(span.count for span in spans if span.day == 0 and span.begin <= minute < span.end)
        for site, spans in case.rooms.items()
        for minute in range(0, 1440, TICK)
    )


def day_works(case, name, held):
    """Whether what she holds fits her shifts, breaks and travel."""
    person = next(person for person in case.staff if person.id == name)
    mine = sorted((one for one in held if one.specialist == name), key=lambda one: one.start)
    travelled = 0
    for shift in (shift for shift in person.shifts if shift.day == 0):
        inside = [one for one in mine if shift.begin <= one.start and one.end <= shift.end]
        mine = [one for one in mine if one not in inside]
        minutes = tour_minutes(case.travel, person.base, shift, inside)
        if minutes is None:
            return False
        travelled += minutes
    return not mine and (person.max_travel is None or travelled <= person.max_travel)


def tour_minutes(travel, base, shift, tour):
    if not tour:
        return 0
    spans = [(one.start, one.end, place_of(one, base)) for one in tour]
    if any(begin < e and b < end for begin, end, _ in spans for b, e in shift.breaks):
        return None
    total, line = 0, [(0, shift.begin, base), *spans, (shift.end, 0, base)]
    for (_, leave, here), (arrive, _, there) in pairwise(line):
        edges = [leave, *(min(max(m, leave), arrive) for pause in shift.breaks for m in pause), arrive]
        longest = max(edges[n + 1] - edges[n] for n in range(0, len(edges), 2))
        if arrive < leave or (here != there and longest < travel[here][there]):
            return None
        total += travel[here][there]
    return total


def place_of(one, base):
    return one.ask.site if one.ask.mode == "on_site" else base


def stays(case, name, held):
    """Her stays at sites that are not her base, as sets of visits."""
    base = next(person.base for person in case.staff if person.id == name)
    found, last = [], base
    for one in sorted((one for one in held if one.specialist == name), key=lambda one: one.start):
        place, shift = place_of(one, base), shift_number(case, name, one)
        if place != base:
            if (place, shift) != last:
                found.append(set())
            found[-1].add(one.visit)
        last = place, shift
    return [frozenset(stay) for stay in found]


def shift_number(case, name, one):
    person = next(person for person in case.staff if person.id == name)
    return next(n for n, s in enumerate(s for s in person.shifts if s.day == 0) if one.end <= s.end)


def keeps_trips(case, name, held):
    known = stays(case, name, case.held)
    return all(len(stay) >= case.least or stay in known for stay in stays(case, name, held))


def possible_starts(case, asks):
    """Every start at which somebody can serve each ask and everything held, all people decided anew."""
    return {start for start in range(BEGIN, END, TICK) if possible(case, asks, start)}


def possible(case, asks, start):
    new = as_held(asks, start, [f"new{n}" for n in range(len(asks))])
    return rooms_suffice(case, [*new, *case.held]) and shared_out(
        case, 0, frozenset(new), frozenset(case.held)
    )


def as_held(asks, start, names):
    begins = [start + sum(ask.minutes for ask in asks[:n]) for n in range(len(asks))]
    return [Held(name, "", begin, ask) for name, begin, ask in zip(names, begins, asks, strict=True)]


def shared_out(case, number, new, held):
    """Whether the people from this number on can serve exactly these visits."""
    key = number, new, held
    if number == len(case.staff):
        return not new and not held
    if key not in case.known:
        case.known[key] = any(
            mine <= new and yours <= held and shared_out(case, number + 1, new - mine, held - yours)
            for mine, yours in duties_of(case, number, new)
        )
    return case.known[key]


def duties_of(case, number, new):
    """Every choice of new and held visits that the person could serve on this day."""
    key = number, new
    if key not in case.duties:
        case.duties[key] = list(workable(case, case.staff[number].id, new))
    return case.duties[key]


def workable(case, name, new):
    eligible = [one for one in (*new, *case.held) if able(name, one, case)]
    for choice in apart([one for one in eligible if not one.pinned or one.specialist == name]):
        mine = [replace(one, specialist=name) for one in choice]
        if day_works(case, name, mine) and keeps_trips(case, name, mine):
            yield new & set(choice), frozenset(choice) - new


def apart(visits):
    """Every subset without overlaps."""
    if not visits:
        return [()]
    one, *rest = visits
    without = apart(rest)
    return without + [(one, *chosen) for chosen in without if not any(overlap(one, o) for o in chosen)]


def overlap(one, other):
    return one.start < other.end and other.start < one.end


# --- What the checker is shown ------------------------------------------------------------------------


def violations(case, held):
    """What the independent checker finds wrong with the promises as they are held."""
    visits = {
        one.visit: Visit(
            one.visit, one.ask.skill, one.ask.language, one.ask.minutes, 1, 0, (), (), None, promise_of(one)
        )
        for one in held
    }
    people = {person.id: person for person in case.staff}
    days = ("2027-03-02", "2027-03-03")
    problem = Instance("day", TICK, days, case.rooms, case.travel, people, visits, WEIGHTS)
    lines = (Assignment(o.visit, o.specialist, 0, o.start, o.ask.mode, o.ask.site) for o in held)
    return check(problem, Plan("day", tuple(lines))).violations


def promise_of(one):
    return Promise(0, one.start, one.ask.mode, one.ask.site)


def told(held):
    """What the citizens know."""
    return {(one.visit, one.start, one.ask) for one in held}


# --- The claims ---------------------------------------------------------------------------------------


@few
@given(seeds)
def test_exactly_the_starts_that_can_be_kept_are_offered(seed):
    case, rng = random_case(seed)
    witness = case.witness()
    asks = random_asks(rng, case, 1)
    assert {tick * TICK for tick in ticks_of(witness.starts(asks))} == possible_starts(case, asks)


@few
@given(seeds)
def test_exactly_the_starts_that_can_be_kept_are_offered_for_visits_back_to_back(seed):
    case, rng = random_case(seed, most_visits=6)
    asks = random_asks(rng, case, 3)
    found = case.witness().starts(asks)
    assert {tick * TICK for tick in ticks_of(found)} == possible_starts(case, asks)


@few
@given(seeds, st.integers(2, 3))
def test_exactly_the_starts_that_keep_the_rule_about_trips_are_offered(seed, least):
    case, rng = random_case(seed, most_visits=6, least=least)
    asks = random_asks(rng, case, 3)
    found = case.witness().starts(asks)
    assert {tick * TICK for tick in ticks_of(found)} == possible_starts(case, asks)


@few
@given(seeds)
def test_every_offered_start_can_be_placed_and_the_checker_agrees(seed):
    case, rng = random_case(seed)
    witness = case.witness()
    asks = random_asks(rng, case, 3)
    names = [f"new{n}" for n in range(len(asks))]
    for tick in ticks_of(witness.starts(asks)):
        after = witness.after(witness.place(asks, tick * TICK), names).held
        assert violations(case, after) == ()
        assert told(after) == told(case.held) | told(as_held(asks, tick * TICK, names))
        assert all(one in after for one in case.held if one.pinned)


@few
@given(seeds, st.sampled_from([0, 5, 40]))
def test_what_a_hasty_search_offers_another_witness_can_place(seed, effort):
    case, rng = random_case(seed)
    workday, asks = case.witness().workday, random_asks(rng, case, 3)
    names = [f"new{n}" for n in range(len(asks))]
    for tick in ticks_of(DayWitness(workday, case.held, effort).starts(asks)):
        other = DayWitness(workday, case.held, effort)
        assert violations(case, other.after(other.place(asks, tick * TICK), names).held) == ()


@few
@given(seeds)
def test_the_ways_to_keep_a_promise_come_with_the_fewest_moves_and_the_least_travel_first(seed):
    case, rng = random_case(seed, most_visits=5)
    asks = random_asks(rng, case, 1)
    witness = case.witness()
    for tick in ticks_of(witness.starts(asks))[:3]:
        ways = list(witness.places(asks, tick * TICK))
        order = [(len(way.moves), way.extra_travel) for way in ways]
        assert order == sorted(order)
        assert len({(way.specialists, tuple(sorted(way.moves.items()))) for way in ways}) == len(ways)
        assert ways_with(case, asks, tick * TICK, order[0][0] - 1) == 0


@few
@given(seeds)
def test_no_way_with_the_fewest_moves_is_left_out_where_no_stop_shortens_a_way(seed):
    case, rng = random_case(seed, most_visits=5, plain=True)
    asks = random_asks(rng, case, 1)
    witness = case.witness()
    for tick in ticks_of(witness.starts(asks))[:3]:
        moves = [len(way.moves) for way in witness.places(asks, tick * TICK)]
        assert moves.count(moves[0]) == ways_with(case, asks, tick * TICK, moves[0])


def ways_with(case, asks, start, moves):
    """How many ways there are to share out everything with exactly so many moves."""
    new = as_held(asks, start, ["new0"])
    choices = [[one.specialist] if one.pinned else [p.id for p in case.staff] for one in case.held]
    count = 0
    for names in product([p.id for p in case.staff], *choices):
        if sum(name != one.specialist for name, one in zip(names[1:], case.held, strict=True)) == moves:
            shared = zip(names, [*new, *case.held], strict=True)
            count += kept(case, [replace(one, specialist=name) for name, one in shared])
    return count


@few
@given(seeds)
def test_booking_until_nothing_is_offered_leaves_a_witness_that_the_checker_accepts(seed):
    case, rng = random_case(seed, most_visits=4)
    witness = DayWitness(case.witness().workday, case.held)
    wanted = [random_asks(rng, case, 2) for _ in range(4)]
    for number in range(40):
        asks = rng.choice(wanted)
        starts = ticks_of(witness.starts(asks))
        if starts:
            names = [f"new{number}.{n}" for n in range(len(asks))]
            witness = witness.after(witness.place(asks, rng.choice(starts) * TICK), names)
    assert violations(case, witness.held) == ()
    assert DayWitness(witness.workday, witness.held).held == witness.held


@few
@given(seeds)
def test_a_witness_answers_the_same_however_it_came_about(seed):
    case, rng = random_case(seed, most_visits=6)
    asks, others = random_asks(rng, case, 1), random_asks(rng, case, 1)
    witness = case.witness()
    starts = ticks_of(witness.starts(asks))
    if starts:
        booked = witness.after(witness.place(asks, rng.choice(starts) * TICK), ["new"])
        assert booked.starts(others) == case.witness(booked.held).starts(others)
