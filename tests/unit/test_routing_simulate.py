"""The simulation in small worlds: nobody is lost, rules are kept, policies do what they say."""

import copy
import csv
import io
import json
from datetime import date
from xml.etree import ElementTree as ET

import pytest

from routing import FileMistakes, check
from routing.__main__ import main
from routing.problem import Shift
from routing.simulation.arrivals import Arrivals, poisson
from routing.simulation.chart import chart
from routing.simulation.days import simulate
from routing.simulation.files import parse_scenarios
from routing.simulation.office import Office, free_stretches
from routing.simulation.report import Report, estimate, simulate_all
from routing.simulation.scenario import ClosureWeek
from routing.simulation.tally import ALL, Key
from routing.workday import Ask, Held

WEEK = [
    {"weekday": n, "from": "08:00", "to": "16:00", "breaks": [{"from": "12:00", "to": "12:30"}]}
    for n in range(1, 6)
]
HOURS = [
    {"unit": "A", "mode": mode, "weekday": n, "from": "09:00", "to": "12:00", **site}
    for n in range(1, 6)
    for mode, site in (
        ("phone", {}),
        ("video", {"site": "DM"}),
        ("on_site", {"site": "NB"}),
        ("on_site", {"site": "DM"}),
    )
]
SMALL = {
    "format": "simulation/1",
    "name": "Small",
    "first_day": "2027-01-04",
    "days": 42,
    "warm_up": 7,
    "holidays": ["2027-01-06"],
    "seat": "NB",
    "sites": {"NB": {"rooms": 1}, "DM": {"rooms": 1}},
    "travel": {"NB": {"NB": 0, "DM": 45}, "DM": {"NB": 45, "DM": 0}},
    "services": {
        "BASIC": {
            "unit": "A",
            "modes": {
                "on_site": {"preparation": 5, "minutes": 30, "follow_up": 10},
                "video": {"minutes": 30},
                "phone": {"minutes": 20},
            },
            "casework": 60,
            "raster": 15,
        }
    },
    "specialists": {
        "ada": {"unit": "A", "base": "NB", "skills": ["BASIC"], "languages": ["uk"], "week": WEEK},
        "ben": {"like": "ada", "languages": []},
    },
    "hours": HOURS,
    "demand": {
        "flows": [
            {"service": "BASIC", "site": "NB", "per_week": 14, "letters_per_week": 3},
            {"service": "BASIC", "site": "DM", "per_week": 10},
        ],
        "flexible": 0.3,
        "urgent": 0.1,
        "languages": {"uk": 0.1},
        "modes": {"on_site": 0.6, "video": 0.2, "phone": 0.2},
        "any_mode": 0.3,
        "drive": {"0": 0.7, "60": 0.3},
        "half_days": 0.7,
        "patience_days": 14,
    },
    "contingents": [{"skill": "BASIC", "weekday": 2, "from": "10:00", "to": "10:30"}],
}


def changed(**more):
    return copy.deepcopy(SMALL) | more


def scenarios(document):
    return parse_scenarios(json.dumps(document).encode())


def scenario(document=SMALL):
    (only,) = scenarios(document).values()
    return only


def mistakes(document):
    with pytest.raises(FileMistakes) as told:
        scenarios(document)
    return told.value.mistakes


def figure(outcome, measure, kind="all", group=""):
    return outcome.figures[Key(measure, kind, group)]


# --- Nobody is lost, and every rule is kept


@pytest.mark.parametrize("per_week", [14, 80])
def test_everybody_who_came_was_served_has_a_promise_still_asks_or_has_given_up(per_week):
    document = changed(days=35)
    document["services"]["BASIC"]["horizon_days"] = 14
    document["demand"]["flows"][0]["per_week"] = per_week
    people = simulate(scenario(document)).people
    assert people["arrived"] == people["kept"] + people["ahead"] + people["open"] + people["gone"]
    assert min(people.values()) >= 0
    assert people["kept"] > 50
    assert (people["gone"] > 0) == (per_week == 80)


def test_the_checker_accepts_every_day_that_is_over():
    kept = []

    def judge(instance, plan):
        report = check(instance, plan)
        assert report.violations == ()
        assert report.lost == 0
        kept.extend(plan.assignments)

    people = simulate(scenario(), day_over=judge).people
    assert len(kept) == people["kept"]
    assert {line.mode for line in kept} == {"on_site", "video", "phone"}
    assert {line.specialist for line in kept} == {"ada", "ben"}


def test_the_nightly_plan_may_be_made_by_the_search():
    flexible = SMALL["demand"] | {
        "flexible": 1,
        "urgent": 0,
        "flows": [SMALL["demand"]["flows"][1] | {"per_week": 4}],
    }
    document = changed(days=4, warm_up=0, demand=flexible, planning={"method": "solve", "seconds": 1})
    days = []
    people = simulate(
        scenario(document), day_over=lambda instance, plan: days.append(check(instance, plan))
    ).people
    assert people["kept"] + people["ahead"] > 0
    assert all(report.valid for report in days)


def test_the_same_seed_gives_the_same_figures_and_another_one_others():
    first, again, other = (simulate(scenario(), seed=seed) for seed in (3, 3, 4))
    assert first == again
    assert first != other


# --- Who comes


def test_more_demand_adds_people_to_the_same_ones():
    few, many = (
        Arrivals(scenario(changed(demand=SMALL["demand"] | {"flows": [flow | {"per_week": n}]})), 1, 0)
        for flow in SMALL["demand"]["flows"][:1]
        for n in (10, 30)
    )
    for day in range(20):
        known = {citizen.name: citizen for citizen in many.of(day)}
        assert all(known[citizen.name] == citizen for citizen in few.of(day))


def test_arrivals_follow_the_rate():
    draws = [(n + 0.5) / 1000 for n in range(1000)]
    for mean in (0.2, 3.7, 900):
        assert sum(poisson(mean, draw) for draw in draws) / 1000 == pytest.approx(mean, rel=0.02)


# --- What policies do


def test_a_closure_week_is_that_of_the_nth_monday_of_its_months():
    closed = ClosureWeek("A", 2, 2, "casework", urgent=True)
    first = date(2027, 1, 4)
    assert [closed.holds(date(2027, 1, day), first) for day in (8, 11, 17, 18)] == [False, True, True, False]
    assert not closed.holds(date(2027, 2, 8), first)
    assert closed.holds(date(2027, 3, 8), first)


@pytest.mark.parametrize("staff", ["casework", "away"])
def test_in_a_closure_week_only_urgent_people_are_served_and_only_if_somebody_is_there(staff):
    served = {}

    def note(instance, plan):
        served[instance.days[0]] = [line.visit for line in plan.assignments]

    world = scenario(changed(closures=[{"unit": "A", "week": 2, "staff": staff}]))
    simulate(world, day_over=note)
    closed = [day for day in served if "2027-01-11" <= day <= "2027-01-15"]
    people = {c.name: c for day in range(42) for c in Arrivals(world, 0, 0).of(day)}
    kinds = {people[visit].kind for day in closed for visit in served[day]}
    assert kinds == ({"urgent"} if staff == "casework" else set())
    assert any(len(served[day]) > 3 for day in served if day not in closed)


def test_a_closure_week_leaves_whole_days_for_casework_and_lengthens_waiting():
    # one specialist, half of whose hours are taken: the week that is lost must be waited for
    base = changed(days=63, contingents=[])
    base["specialists"] = {"ada": SMALL["specialists"]["ada"]}
    base["casework"] = {"shortest_gap": 60, "at_start": {"A": 60_000}}
    base["variants"] = {"closed": {"closures": [{"unit": "A", "week": 2}]}}
    report = simulate_all(scenarios(base), runs=2, seed=1)
    assert report.difference("closed", "base", Key("wait_mean", *ALL)).mean > 1
    assert (
        report.difference("closed", "base", Key("backlog_end@1.25", *ALL)).mean
        < report.difference("closed", "base", Key("backlog_end", *ALL)).mean
    )


def test_more_staff_does_not_lengthen_the_median_wait_where_one_has_too_little_time():
    one = changed(contingents=[])
    one["specialists"] = {"ada": SMALL["specialists"]["ada"]}
    one["demand"]["flexible"] = 0
    one["variants"] = {"two": {"specialists": {"ben": {"like": "ada"}}}}
    report = simulate_all(scenarios(one), runs=2, seed=2)
    waits = {name: [figure(o, "wait_median") for o in found] for name, found in report.outcomes.items()}
    assert all(two <= alone for two, alone in zip(waits["two"], waits["base"], strict=True))
    assert sum(waits["two"]) < sum(waits["base"])


def test_contingents_are_kept_for_urgent_people_until_they_are_released():
    office = Office(scenario())
    tuesday = 1
    assert office.contingents(tuesday, 0, 600) == (0,)
    assert office.contingents(tuesday, 1, 7 * 60 + 59) == (0,)
    assert office.contingents(tuesday, 1, 8 * 60) == ()
    assert office.contingents(tuesday + 1, 0, 600) == ()


def test_kilometres_are_saved_by_who_need_not_go_to_the_seat():
    document = changed(kilometres={"DM": {"NB": 48.0}})
    document["demand"] |= {"flows": [SMALL["demand"]["flows"][1]], "drive": {"0": 1}, "any_mode": 0}
    assert figure(simulate(scenario(document)), "saved_each") == pytest.approx(96)


# --- Casework


def test_gaps_are_what_visits_breaks_and_ways_leave():
    shift = Shift(0, 480, 960, ((720, 750),))
    visits = [Held("v", "ada", 600, Ask("BASIC", None, "on_site", "DM", 60))]
    travel = {"NB": {"NB": 0, "DM": 45}, "DM": {"NB": 45, "DM": 0}}
    assert sorted(free_stretches(shift, "NB", visits, travel)) == [60, 120 - 45, 210 - 45]
    assert sorted(free_stretches(shift, "NB", [], travel)) == [210, 240]


def test_casework_that_nobody_has_time_for_piles_up():
    document = changed(holidays=[], casework={"at_start": {"A": 600}, "factors": [1]})
    document["demand"]["flows"] = [{"service": "BASIC", "site": "NB", "per_week": 0, "letters_per_week": 70}]
    document["specialists"] = {"ada": SMALL["specialists"]["ada"] | {"week": []}}
    outcome = simulate(scenario(document))
    letters = (figure(outcome, "backlog_end") - 600) / 60
    assert letters == pytest.approx(6 * 70, rel=0.15)
    assert figure(outcome, "backlog_most") == figure(outcome, "backlog_end")
    assert 600 < figure(outcome, "backlog_mean") < figure(outcome, "backlog_end")


# --- Files


def test_a_file_with_many_mistakes_is_told_all_of_them():
    bad = changed(seat="XX", days=0, colour="red")
    bad["services"]["BASIC"]["modes"]["fax"] = {"minutes": 7}
    bad["specialists"]["cem"] = {
        "like": "nobody",
        "unit": "A",
        "base": "NB",
        "skills": [],
        "week": [{"weekday": 8}],
    }
    bad["demand"]["flows"].append({"service": "NONE", "site": "NB", "per_week": -1})
    bad["demand"]["modes"] = {"on_site": 0.5}
    bad["hours"] = [*HOURS, {"unit": "B", "mode": "phone", "weekday": 1, "from": "12:00", "to": "9:00"}]
    bad["variants"] = {"typo": {"closure": []}, "text": "no"}
    told = mistakes(bad)
    for place in (
        "seat: 'XX' is no site",
        "days: must be an integer from 1",
        "colour: is no key of this format",
        "services.BASIC.modes.fax: 'fax' is no mode",
        "specialists.cem.like: 'nobody' is no specialist",
        "specialists.cem.week[0].from: is missing",
        "specialists.cem.week[0].weekday: must be an integer from 1 to 7, not 8",
        "demand.flows[2].service: 'NONE' is no service",
        "demand.flows[2].per_week: must be a number from 0",
        "demand.modes: the shares make 0.5, not 1",
        f"hours[{len(HOURS)}].unit: 'B' is no unit",
        f"hours[{len(HOURS)}].to: '9:00' is not a time",
        "variants.typo: closure: is no key of this format",
        "variants.text: must be an object",
    ):
        assert any(line.startswith(place) for line in told), place
    assert len(told) == len(set(told))


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b'{"days": NaN}', b"\xff", b"\x1f\x8b1", b"7"])
def test_what_is_no_scenario_is_refused_with_mistakes(data):
    with pytest.raises(FileMistakes):
        parse_scenarios(data)


def test_a_variant_changes_what_it_names_and_nothing_else():
    document = changed(
        variants={"fewer": {"specialists": {"ben": None}}, "video": {"demand": {"any_mode": 1}}}
    )
    base, fewer, video = scenarios(document).values()
    assert set(fewer.specialists) == {"ada"}
    assert fewer.demand == base.demand
    assert video.specialists == base.specialists
    assert (base.demand.any_mode, video.demand.any_mode) == (0.3, 1)


# --- Reports


@pytest.fixture(scope="module")
def report() -> Report:
    document = changed(
        days=28, base="open", variants={"closed <2>": {"closures": [{"unit": "A", "week": 2}]}}
    )
    return simulate_all(scenarios(document), runs=2, seed=1)


def test_every_line_of_the_csv_is_a_figure_of_a_run(report):
    rows = list(csv.DictReader(io.StringIO(report.csv())))
    assert {row["scenario"] for row in rows} == {"open", "closed <2>"}
    assert {row["run"] for row in rows} == {"1", "2"}
    assert all(float(row["value"]) >= 0 and row["unit"] for row in rows)
    assert len({tuple(row.values())[:6] for row in rows}) == len(rows)


def test_the_picture_has_a_line_of_its_own_dash_for_each_scenario(report):
    picture = ET.fromstring(chart(report))  # noqa: S314 - our own
    lines = [
        path for path in picture.iter("{http://www.w3.org/2000/svg}path") if path.get("stroke-width") == "2"
    ]
    assert len({path.get("stroke-dasharray") for path in lines}) == 2
    assert "closed <2>" in [text.text for text in picture.iter("{http://www.w3.org/2000/svg}text")]


def test_the_answer_names_the_unit_its_figures_and_how_sure_they_are(report):
    told = report.answer()
    assert "for unit A" in told
    assert "closed <2>: waiting +" in told
    assert "±" in told


def test_runs_in_several_processes_give_the_same_figures(report):
    assert simulate_all(report.scenarios, runs=2, seed=1, processes=2).outcomes == report.outcomes


def test_an_interval_is_that_of_students_t():
    assert estimate([1.0, 3.0]) == pytest.approx((2.0, 12.706))
    assert estimate([5.0]) == (5.0, None)


def test_the_command_writes_table_and_picture_and_refuses_a_bad_file(tmp_path, capsys):
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps(SMALL))
    bad.write_text(json.dumps(changed(seat="XX")))
    table, picture = tmp_path / "t.csv", tmp_path / "p.svg"
    call = ["simulate", str(good), "--days", "14", "--csv", str(table), "--chart", str(picture)]
    assert main(call) == 0
    assert "waiting, median, days" in capsys.readouterr().out
    assert table.read_text().startswith("scenario,run,")
    ET.fromstring(picture.read_text())  # noqa: S314 - our own
    assert main(["simulate", str(good), "--compare", str(bad)]) == 2
    assert f"{bad}: seat: 'XX' is no site" in capsys.readouterr().err
