"""`flask simulate`: the loaded county as a scenario, and what a closure week would do to it."""

import json
from datetime import date

import pytest

from booking_service.domain.mistakes import Rejected
from booking_service.services.scenarios import Assumptions, scenario_of
from booking_service.store.county_folder import read_folder
from routing.simulation.files import parse_scenarios
from routing.simulation.office import Office
from tests.conftest import EXAMPLES

MONDAY = date(2027, 1, 4)


def scenarios(county, **more):
    given = {"first_day": MONDAY, "days": 70, "warm_up": 7, "assumptions": Assumptions()} | more
    return parse_scenarios(json.dumps(scenario_of(county, **given)).encode())


def test_a_county_becomes_a_scenario_with_its_staff_hours_rooms_and_holidays(county):
    (only,) = scenarios(county).values()
    assert set(only.specialists) == {specialist.code for specialist in county.specialists}
    assert only.sites["NB-SOZ"] == 8
    assert date(2027, 3, 8) in only.holidays
    assert only.seat == "NB-VERW"
    assert only.road("WRN-BSC", "NB-VERW") == next(
        leg.km for leg in county.travel if (leg.origin, leg.destination) == ("WRN-BSC", "NB-VERW")
    )
    office = Office(only)
    assert office.spans("GSI-NEU", "on_site", "DM-BSC", 0, urgent=False)
    assert office.spans("GSI-NEU", "phone", None, 0, urgent=False)
    assert office.staff_of(5) == ()


def test_assumed_visits_take_their_share_of_the_hours(county):
    (few,) = scenarios(county, assumptions=Assumptions(visits=0.2)).values()
    (many,) = scenarios(county, assumptions=Assumptions(visits=0.4)).values()
    pairs = list(zip(few.demand.flows, many.demand.flows, strict=True))
    assert pairs
    for flow, larger in pairs:
        assert larger.per_week == pytest.approx(2 * flow.per_week, abs=0.002)
    assert all(many.services[code].casework < few.services[code].casework for code in few.services)


def test_a_specialist_who_comes_later_is_not_there_before():
    helmstedt = read_folder(EXAMPLES / "helmstedt")
    (only,) = scenarios(helmstedt, first_day=date(2025, 9, 1)).values()
    office = Office(only)
    first_of_october = 30
    assert "SAE-05" not in office.staff_of(first_of_october - 1)
    assert "SAE-05" in office.staff_of(first_of_october)


def test_the_variants_close_the_unit_in_one_week_of_the_month_each(county):
    found = scenarios(county, closed_unit="GSI")
    assert [len(scenario.closures) for scenario in found.values()] == [0, 1, 1, 1, 1]
    assert [closure.week for scenario in found.values() for closure in scenario.closures] == [1, 2, 3, 4]


def test_a_unit_without_services_to_simulate_is_refused(county):
    with pytest.raises(Rejected):
        scenarios(county, closed_unit="BSC")


def test_the_example_scenarios_are_read():
    for path in sorted((EXAMPLES / "simulation").glob("*.json")):
        assert len(parse_scenarios(path.read_bytes())) == 5


def test_the_command_answers_and_writes_what_is_asked_for(loaded, tmp_path):
    names = {"-o": "scenario.json", "--csv": "figures.csv", "--chart": "weeks.svg"}
    files = [word for option, name in names.items() for word in (option, str(tmp_path / name))]
    call = [
        "simulate",
        "--from",
        "2027-01-04",
        "--days",
        "7",
        "--warm-up",
        "0",
        "--visits",
        "0.05",
        "--runs",
        "1",
    ]
    told = loaded.test_cli_runner().invoke(args=[*call, *files])
    assert told.exit_code == 0, told.output
    assert "waiting, median, days" in told.output
    assert {path.name for path in tmp_path.iterdir()} >= set(names.values())
    parse_scenarios((tmp_path / "scenario.json").read_bytes())


def test_the_command_refuses_an_unknown_unit(loaded):
    told = loaded.test_cli_runner().invoke(args=["simulate", "--closure-week", "XX"])
    assert told.exit_code == 1
    assert "XX" in told.output
