"""Absences over HTTP and by command: who may record them, and what is told."""

from __future__ import annotations

import pytest
import time_machine

from booking_service.domain.bookings import Role
from booking_service.services.county import current_county, replace_county
from booking_service.services.tokens import create_token
from tests.bookers import book
from tests.citizens import NOW, WEDNESDAY, local
from tests.promises import promise_of, with_specialists

API = "/api/v1/absences"
TEN = local(WEDNESDAY, "10:00")
SPAN = {"from": f"{WEDNESDAY}T08:00:00+01:00", "to": f"{WEDNESDAY}T16:00:00+01:00"}
BOTH = ("GSI-02", "GSI-07")


@pytest.fixture
def two(app, county):
    """Basic income support has two specialists; it is Monday."""
    replace_county(county=with_specialists(county, *BOTH))
    with time_machine.travel(NOW, tick=False):
        yield app


def call(app, method, path, body=None, *, role=Role.ADMIN, unit=None):
    token = create_token(role=role, site=None, unit=unit, now=NOW)
    headers = {"Authorization": f"Bearer {token}"}
    return app.test_client().open(path, method=method, json=body, headers=headers)


def post(app, specialist, *, role=Role.ADMIN, unit=None, **more):
    return call(app, "POST", API, {"specialist": specialist} | SPAN | more, role=role, unit=unit)


def holder(reference):
    (specialist,) = promise_of(reference).specialists
    return specialist


def test_an_absence_is_answered_with_who_took_over_what(two):
    reference = book(two, TEN, sites=["NB-SOZ"])
    ill = holder(reference)
    answer = post(two, ill)
    assert answer.status_code == 201
    (colleague,) = set(BOTH) - {ill}
    assert answer.json == {
        "absence": answer.json["absence"],
        "specialist": ill,
        "from": "2027-01-06T07:00:00+00:00",
        "to": "2027-01-06T15:00:00+00:00",
        "taken_over": [
            {
                "reference": reference,
                "specialist": colleague,
                "start": "2027-01-06T09:00:00+00:00",
                "end": "2027-01-06T09:20:00+00:00",
                "site": "NB-SOZ",
                "mode": "on_site",
            }
        ],
    }


def test_promises_at_risk_are_named_without_a_word_about_the_citizen(two):
    references = [book(two, TEN, sites=["NB-SOZ"]) for _ in BOTH]
    answer = post(two, "GSI-02")
    assert answer.status_code == 409
    assert answer.content_type == "application/problem+json"
    assert answer.json["code"] == "promises_at_risk"
    (visit,) = answer.json["visits"]
    assert visit.pop("reference") in references
    assert visit == {
        "start": "2027-01-06T09:00:00+00:00",
        "end": "2027-01-06T09:20:00+00:00",
        "site": "NB-SOZ",
        "mode": "on_site",
    }
    assert current_county().absences == ()


def test_a_reason_is_not_taken(two):
    answer = post(two, "GSI-02", reason="ill")
    assert answer.status_code == 422
    assert [(e["pointer"], e["code"]) for e in answer.json["errors"]] == [("/reason", "field_unknown")]
    assert current_county().absences == ()


@pytest.mark.parametrize("role", [Role.PORTAL, Role.DESK, Role.SPECIALIST])
def test_only_heads_and_admins_may(two, role):
    assert post(two, "GSI-02", role=role).status_code == 403
    assert call(two, "DELETE", f"{API}/1", role=role).status_code == 403
    assert two.test_client().post(API, json={}).status_code == 401


def test_a_head_may_for_her_own_unit_only(two):
    assert post(two, "GSI-02", role=Role.HEAD).status_code == 403
    other = post(two, "GSI-02", role=Role.HEAD, unit="ASD")
    assert (other.status_code, other.json["errors"][0]["code"]) == (422, "specialist_unknown")
    own = post(two, "GSI-02", role=Role.HEAD, unit="GSI")
    assert own.status_code == 201
    path = f"{API}/{own.json['absence']}"
    assert call(two, "DELETE", path, role=Role.HEAD, unit="ASD").status_code == 404
    assert call(two, "DELETE", path, role=Role.HEAD, unit="GSI").status_code == 204
    assert call(two, "DELETE", path).status_code == 404
    assert call(two, "DELETE", f"{API}/{2**63}").status_code == 404
    assert current_county().absences == ()


def run(app, *words):
    return app.test_cli_runner().invoke(args=["absence", *words])


def test_by_command_the_county_clock_counts(two):
    reference = book(two, TEN, sites=["NB-SOZ"])
    ill = holder(reference)
    told = run(two, "add", ill, "--from", f"{WEDNESDAY}T08:00", "--to", f"{WEDNESDAY}T16:00")
    assert told.exit_code == 0, told.output
    (colleague,) = set(BOTH) - {ill}
    first, last = told.stdout.splitlines()
    assert first == f"{reference} on 2027-01-06 at 10:00, on_site at NB-SOZ: {colleague}"
    assert last.endswith(f"recorded: {ill} from 2027-01-06 08:00:00 to 2027-01-06 16:00:00")
    number = last.split()[1]
    assert run(two, "remove", number).stdout == f"absence {number} removed\n"
    assert run(two, "remove", number).exit_code == 1
    assert current_county().absences == ()


def test_by_command_promises_at_risk_are_told_one_a_line(two):
    references = [book(two, TEN, sites=["NB-SOZ"]) for _ in BOTH]
    told = run(two, "add", "GSI-02", "--from", f"{WEDNESDAY}T08:00", "--to", f"{WEDNESDAY}T16:00")
    assert told.exit_code == 1
    (line,) = told.stderr.splitlines()
    assert any(
        line == f"nobody else can keep {r} on 2027-01-06 at 10:00, on_site at NB-SOZ" for r in references
    )


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize("begin", ["tomorrow", "2027-03-28T02:30"])
def test_by_command_a_time_that_is_none_is_refused(two, begin):
    told = run(two, "add", "GSI-02", "--from", begin, "--to", "2027-03-29T16:00")
    assert told.exit_code == 2
    assert current_county().absences == ()
