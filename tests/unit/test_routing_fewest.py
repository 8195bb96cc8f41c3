"""The fewest specialists for promises that are given, and the reader of the public test bed for that."""

import time
from itertools import product
from random import Random

import pytest

from benchmarks.testbeds import fewest, patients_with_two, read_tasks
from routing import Promise
from routing.fewest import fewest_specialists
from routing.orders import FewestSpecialists, Found, Proven
from tests.routing_cases import instance, specialist, visit

TASKS = """# made up
Type = 1
Jobs = 3
  0  10
 10  20
  5  15
Qualifications = 3
 2:   0  1
3: 0 1 2
 1: 2
"""


def answers(problem):
    found = list(fewest_specialists(FewestSpecialists(problem, time.monotonic() + 60, 1)))
    lines = [one.lines for one in found if isinstance(one, Found)]
    return lines, [one.bound for one in found if isinstance(one, Proven)]


def test_jobs_are_promised_visits_and_only_who_may_do_them_has_the_skill():
    problem = read_tasks("made up", TASKS)
    assert [(one.promise.start, one.minutes) for one in problem.visits.values()] == [
        (0, 10),
        (10, 10),
        (5, 10),
    ]
    assert [one.skills for one in problem.specialists.values()] == [{"j0", "j1"}, {"j0", "j1", "j2"}, {"j2"}]


def test_a_child_finds_the_fewest_workers_and_proves_it():
    row = fewest(read_tasks("made up", TASKS), 60)
    assert (row.jobs, row.workers, row.at_once, row.needed, row.bound) == (3, 3, 2, 2, 2)


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (("Type = 1", "Type = 2"), "type 1"),
        (("Jobs = 3", "Jobs = 30"), "Jobs"),
        (("Qualifications = 3", "Qualified = 3"), "Qualifications"),
        (("Qualifications = 3", "Qualifications = 4"), "Qualifications"),
        ((" 1: 2", " 1: 3"), "known jobs"),
        ((" 1: 2", " 2: 2"), "known jobs"),
        ((" 1: 2", " 1: x"), "invalid literal"),
    ],
)
def test_what_is_not_of_the_format_is_refused(spoil, says):
    with pytest.raises(ValueError, match=says):
        read_tasks("made up", TASKS.replace(*spoil))


@pytest.mark.parametrize("seed", range(12))
def test_no_choice_of_specialists_needs_fewer(seed):
    rng = Random(seed)
    spans = [(begin := 5 * rng.randrange(12), begin + 5 * rng.randint(2, 8)) for _ in range(6)]
    able = [sorted({rng.randrange(4), rng.randrange(4)}) for _ in spans]
    names = [f"s{n}" for n in range(4)]
    people = [
        specialist(name, skills=[f"k{job}" for job in range(6) if n in able[job]], shifts=((0, 0, 240),))
        for n, name in enumerate(names)
    ]
    visits = [
        visit(f"v{n}", skill=f"k{n}", minutes=end - begin, promise=Promise(0, begin, "phone", None))
        for n, (begin, end) in enumerate(spans)
    ]
    sizes = [
        len(set(choice))
        for choice in product(*able)
        if not any(
            choice[a] == choice[b] and spans[a][0] < spans[b][1] and spans[b][0] < spans[a][1]
            for a in range(6)
            for b in range(a)
        )
    ]
    lines, bounds = answers(instance(people, visits))
    assert bool(lines) == bool(sizes)
    if sizes:
        assert bounds == [min(sizes)]
        assert len({line.specialist for line in lines[0]}) == min(sizes)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({}, "not promised"),
        ({"promise": Promise(0, 480, "on_site", "NB")}, "not by phone"),
        ({"promise": Promise(0, 240, "phone", None)}, "nobody"),
    ],
)
def test_what_the_model_does_not_know_is_refused(fields, says):
    with pytest.raises(ValueError, match=says):
        answers(instance([specialist()], [visit(**fields)]))


def test_patients_who_need_two_caregivers_are_counted():
    one, two = '{"required_caregivers": [{}]}', '{"required_caregivers": [{}, {}]}'
    assert patients_with_two("made up", f'{{"patients": [{one}, {two}, {one}]}}') == (3, 1)
    for text in ("", "[]", '{"patients": [{}]}'):
        with pytest.raises(ValueError, match="no list of patients"):
            patients_with_two("made up", text)
