"""The witness: the code alone leads to no violation, and each kind of violation is found when planted."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import time_machine
from sqlalchemy import select, text

import routing
from booking_service.domain.bookings import Contact, Notify
from booking_service.domain.county import Mode
from booking_service.services.witness import export_plan, verify
from booking_service.store.booking_tables import AppointmentRow
from booking_service.store.db import db
from tests.citizens import NOW, TUESDAY, WEDNESDAY, ask, local, window
from tests.promises import plan, promise_of


def run_sql(statement, **values):
    """Plain SQL, past all of the application's code."""
    with db.engine.begin() as connection:
        connection.execute(text(statement), values)


@pytest.fixture
def promised(loaded):
    """A talk about basic income support at Demmin on Wednesday at nine, kept by GSI-03; its application."""
    ask("GSI-NEU", windows=[window(WEDNESDAY, "09:00", "09:45")], wish="GSI-03")
    plan(loaded)
    assert verify(now=NOW) == (1, [])
    return loaded


def test_after_a_day_of_all_kinds_of_requests_nothing_is_violated(loaded):
    caller = Contact("Bernd", None, "0395 123456")
    ask("GSI-NEU", "GSI-FOLGE", sites=["WRN-BSC", "NZ-BSC"])
    ask("HZP", "EGH", sites=["NB-SOZ"])
    ask("BEURK", sites=["NB-VERW"], notify=Notify.EMAIL)
    ask("PSP", sites=["WRN-BSC"], modes=[Mode.VIDEO, Mode.ON_SITE])
    ask("GSI-FOLGE", modes=[Mode.PHONE], sites=[], contact=caller)
    ask("ASD", sites=["NB-VERW"], language="ru", contact=caller, notify=Notify.PRINT)
    assert plan(loaded).promised == 6
    visits, violations = verify(now=NOW)
    assert visits == 7
    assert violations == []


PLANTED = {
    "a specialist without the skill": (
        "UPDATE visit SET specialist_id = (SELECT id FROM specialist WHERE code = 'ASD-01')",
        "skill",
    ),
    "a specialist who does not work on that day": (
        "UPDATE visit SET specialist_id = (SELECT id FROM specialist WHERE code = 'GSI-08')",
        "shift",
    ),
    "a room of another site": (
        "UPDATE visit SET room_id = (SELECT id FROM room WHERE code = 'WRN-BSC-1')",
        "is not at DM-BSC",
    ),
    "an appointment that nobody keeps": ("UPDATE visit SET live = false", "nobody keeps it"),
    "an appointment whose visits are gone": ("DELETE FROM visit", "nobody keeps it"),
    "an appointment at another time than its visit": (
        "UPDATE appointment SET end_at = :later",
        "other times",
    ),
    "an appointment at another site than its visit": ("UPDATE appointment SET site = 'NB-SOZ'", "otherwise"),
    "a promised request without an appointment": (
        "UPDATE appointment SET request_id = NULL",
        "promised, but without appointment",
    ),
    "a waiting request with an appointment": (
        "UPDATE request SET status = 'waiting'",
        "not promised, but with appointment",
    ),
    "a citizen whom nobody has written to": ("DELETE FROM outbox", "no mail was written"),
    "a citizen who was told an older state": ("UPDATE appointment SET sequence = 1", "no mail was written"),
}


@pytest.mark.parametrize("case", PLANTED)
def test_a_violation_is_found(promised, case):
    statement, words = PLANTED[case]
    if "DELETE FROM visit" in statement:
        run_sql("DELETE FROM visit_service")
    later = stored(local(WEDNESDAY, "10:00"))
    run_sql(statement, **({"later": later} if ":later" in statement else {}))
    visits, violations = verify(now=NOW)
    assert any(words in violation for violation in violations), violations
    with time_machine.travel(NOW, tick=False):
        told = promised.test_cli_runner().invoke(args=["verify"])
    assert told.exit_code == 1
    assert told.stderr.splitlines() == violations
    assert f"{visits} visits promised, {len(violations)} violations" in told.stdout


def stored(moment):
    """An instant as the engine at hand stores it."""
    utc = moment.astimezone(NOW.tzinfo)
    return f"{utc:%Y-%m-%d %H:%M:%S.%f}" if db.engine.dialect.name == "sqlite" else utc


@pytest.mark.usefixtures("promised")
def test_an_absence_that_came_later_is_found():
    run_sql(
        'INSERT INTO absence (id, position, specialist, begin, "end")'
        " VALUES (1, 0, 'GSI-03', :begin, :until)",
        begin=stored(local(TUESDAY, "00:00")),
        until=stored(local(WEDNESDAY, "12:00")),
    )
    run_sql("UPDATE county SET revision = 'another'")
    _, violations = verify(now=NOW)
    assert any("v1" in violation for violation in violations), violations


@pytest.mark.usefixtures("promised")
def test_a_language_that_the_specialist_does_not_speak_is_found():
    run_sql("UPDATE appointment SET language = 'pl'")
    _, violations = verify(now=NOW)
    assert any("does not speak pl" in violation for violation in violations), violations


def test_two_visits_that_are_too_near_for_the_way_between_them_are_found(loaded):
    ask("GSI-FOLGE", sites=["DM-BSC"], windows=[window(WEDNESDAY, "09:00", "09:20")], wish="GSI-03")
    second = ask("GSI-FOLGE", sites=["WRN-BSC"], windows=[window(WEDNESDAY, "09:30", "09:50")], wish="GSI-01")
    plan(loaded)
    assert promise_of(second).specialists != ["GSI-03"]
    assert verify(now=NOW) == (2, [])
    run_sql("UPDATE visit SET specialist_id = (SELECT id FROM specialist WHERE code = 'GSI-03')")
    _, violations = verify(now=NOW)
    assert any("from DM-BSC to WRN-BSC do not fit" in violation for violation in violations), violations


@pytest.mark.usefixtures("promised")
def test_what_is_over_is_not_judged_any_more():
    run_sql("UPDATE visit SET live = false")
    assert verify(now=local(WEDNESDAY + timedelta(days=1), "08:00")) == (0, [])


def test_all_is_well_before_anything_was_promised(loaded):
    told = loaded.test_cli_runner().invoke(args=["verify"])
    assert (told.exit_code, told.stdout) == (0, "0 visits promised, 0 violations\n")


def test_an_exported_plan_is_accepted_outside_and_names_nobody(loaded, county, tmp_path):
    noted = Contact("Zacharias Zuckerhut", "zacharias@zuckerhut.example", "0395 987654")
    references = [
        ask("GSI-NEU", contact=noted, wish="GSI-01"),
        ask("HZP", "EGH", sites=["NB-SOZ"], contact=noted),
        ask("GSI-FOLGE", modes=[Mode.PHONE], sites=[], contact=noted, language="ru"),
        ask("BUT", sites=["NZ-BSC"], contact=noted),
    ]
    plan(loaded)
    uids = list(db.session.scalars(select(AppointmentRow.uid)))
    db.session.remove()
    assert export_plan(first=NOW.date(), last=date(2027, 1, 31), folder=tmp_path / "out") == 5
    instance = routing.read_instance(tmp_path / "out" / "instance.json")
    report = routing.check(instance, routing.read_plan(tmp_path / "out" / "plan.json", instance))
    assert report.violations in ([], ())
    assert len(instance.visits) == 5
    written = b"".join(path.read_bytes() for path in (tmp_path / "out").iterdir())
    secrets = [*references, *uids, "Zacharias", "zuckerhut", "987654", *(s.code for s in county.specialists)]
    assert [word for word in secrets if word.encode() in written] == []


def test_a_plan_is_exported_by_command(promised, tmp_path):
    runner = promised.test_cli_runner()
    to = ["-o", str(tmp_path / "out")]
    told = runner.invoke(args=["export-plan", "--from", "2027-01-04", "--to", "2027-01-08", *to])
    assert (told.exit_code, told.stdout) == (0, f"1 visits written to {tmp_path / 'out'}\n")
    reversed_days = runner.invoke(args=["export-plan", "--from", "2027-01-08", "--to", "2027-01-04", *to])
    assert reversed_days.exit_code == 2
    no_day = runner.invoke(args=["export-plan", "--from", "soon", "--to", "2027-01-04", *to])
    assert no_day.exit_code == 2
    assert "'soon' is not a date such as" in no_day.stderr


@pytest.mark.usefixtures("loaded")
def test_days_without_promises_can_be_exported_too(tmp_path):
    assert export_plan(first=date(2027, 1, 9), last=date(2027, 1, 10), folder=tmp_path) == 0
    instance = routing.read_instance(tmp_path / "instance.json")
    assert routing.read_plan(tmp_path / "plan.json", instance).assignments == ()
