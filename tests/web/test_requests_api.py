"""Requests over HTTP: what is right is kept, what is wrong is told at its place, and then nothing is kept."""

from __future__ import annotations

import json

import pytest
import time_machine
from sqlalchemy import func, select

from booking_service.store.booking_tables import ContactRow, RequestRow
from booking_service.store.db import db
from booking_service.web.limits import limiter
from tests.citizens import NOW

URL = "/api/v1/requests"
PROBLEM = "application/problem+json"

GOOD = {
    "services": ["GSI-NEU"],
    "sites": ["DM-BSC", "NB-BSC"],
    "modes": ["on_site", "phone"],
    "windows": [{"from": "2027-01-12T08:00:00+01:00", "to": "2027-01-12T12:00:00+01:00"}],
    "language": "en",
    "needs": ["interpreter"],
    "urgency": "soon",
    "wish": "GSI-01",
    "contact": {"name": "Anna Beispiel", "email": "anna@buergerin.example", "phone": "0395 123456"},
    "notify": "email",
}


@pytest.fixture
def client(loaded):
    """Somebody who calls the API on the fourth of January 2027."""
    with time_machine.travel(NOW, tick=False):
        yield loaded.test_client()


@pytest.fixture
def clumsy(standing):
    """The same for somebody who makes nothing but mistakes, so that one database does for all."""
    limiter.reset()
    with time_machine.travel(NOW, tick=False), standing.app_context():
        yield standing.test_client()


def changed(**changes):
    return GOOD | changes


def with_contact(**changes):
    return changed(contact=GOOD["contact"] | changes)


def with_window(begin, end):
    return changed(windows=[{"from": begin, "to": end}])


def kept():
    """How many requests and contacts the database holds."""
    try:
        return tuple(
            db.session.scalar(select(func.count()).select_from(row)) for row in (RequestRow, ContactRow)
        )
    finally:
        db.session.remove()


def errors_of(answer):
    assert answer.mimetype == PROBLEM
    assert answer.json["status"] == answer.status_code
    assert all(error["detail"] for error in answer.json["errors"])
    return [(error["pointer"], error["code"]) for error in answer.json["errors"]]


def test_a_request_is_kept_and_answered_with_reference_and_token(client):
    answer = client.post(URL, json=GOOD)
    assert answer.status_code == 201
    receipt = answer.json
    assert receipt["status"] == "waiting"
    assert receipt["manage_url"].endswith(f"/termin/{receipt['reference']}/{receipt['token']}")
    assert kept() == (1, 1)


def test_a_request_needs_no_more_than_service_site_and_contact(client):
    least = {"services": ["GSI-NEU"], "sites": ["DM-BSC"], "contact": {"name": "A", "email": "a@b.example"}}
    assert client.post(URL, json=least).status_code == 201


def test_a_call_needs_no_site(client):
    answer = client.post(URL, json=changed(modes=["phone"], sites=[], needs=[], wish=None, language=None))
    assert answer.status_code == 201


NOWHERE = {"services": ["GSI-NEU"], "sites": ["DM-BSC"]}

MISTAKES = {
    "an unknown service": (changed(services=["NIX"]), "/services/0", "service_unknown"),
    "a service twice": (changed(services=["GSI-NEU", "GSI-NEU"]), "/services/1", "service_twice"),
    "no service": (changed(services=[]), "/services", "field_invalid"),
    "too many services": (changed(services=["GSI-NEU"] * 6), "/services", "field_invalid"),
    "a service of another authority": (changed(services=["WOGG"]), "/services/0", "service_referred"),
    "a service of the desk": (changed(services=["ABGABE"]), "/services/0", "service_not_bookable"),
    "an unknown site": (changed(sites=["DM-BSC", "MARS"]), "/sites/1", "site_unknown"),
    "a site twice": (changed(sites=["DM-BSC", "DM-BSC"]), "/sites/1", "site_twice"),
    "no site for a visit": (changed(sites=[]), "/sites", "sites_missing"),
    "no mode": (changed(modes=[]), "/modes", "field_invalid"),
    "an unknown mode": (changed(modes=["on_site", "fax"]), "/modes/1", "field_invalid"),
    "a mode twice": (changed(modes=["on_site", "on_site"]), "/modes/1", "mode_twice"),
    "a mode that the service is not had in": (
        changed(services=["BEURK"], modes=["on_site", "video"], wish=None),
        "/modes/1",
        "mode_not_offered",
    ),
    "a language that nobody speaks": (changed(language="tlh"), "/language", "language_unknown"),
    "a language that is no code": (changed(language="Deutsch"), "/language", "field_invalid"),
    "an unknown need": (changed(needs=["red_carpet"]), "/needs/0", "field_invalid"),
    "a need twice": (changed(needs=["interpreter", "interpreter"]), "/needs/1", "need_twice"),
    "an unknown urgency": (changed(urgency="now"), "/urgency", "field_invalid"),
    "an unknown specialist": (changed(wish="GSI-99"), "/wish", "specialist_unknown"),
    "a specialist of something else": (changed(wish="ASD-01"), "/wish", "specialist_unfit"),
    "an unknown way of telling": (changed(notify="pigeon"), "/notify", "field_invalid"),
    "a window in the past": (
        with_window("2026-12-01T08:00:00+01:00", "2026-12-01T12:00:00+01:00"),
        "/windows/0/to",
        "window_past",
    ),
    "a window since ancient times": (
        with_window("0001-01-01T00:00:00+14:00", "2027-01-12T12:00:00+01:00"),
        "/windows/0/from",
        "window_past",
    ),
    "a reversed window": (
        with_window("2027-01-12T12:00:00+01:00", "2027-01-12T08:00:00+01:00"),
        "/windows/0",
        "window_reversed",
    ),
    "an empty window": (
        with_window("2027-01-12T12:00:00+01:00", "2027-01-12T12:00:00+01:00"),
        "/windows/0",
        "window_reversed",
    ),
    "a begin without a zone": (
        with_window("2027-01-12T08:00:00", "2027-01-12T12:00:00+01:00"),
        "/windows/0/from",
        "time_without_zone",
    ),
    "an end without a zone": (
        with_window("2027-01-12T08:00:00+01:00", "2027-01-12T12:00:00"),
        "/windows/0/to",
        "time_without_zone",
    ),
    "a window that begins too far ahead": (
        with_window("2028-06-01T08:00:00+01:00", "2028-06-01T12:00:00+01:00"),
        "/windows/0/from",
        "window_too_far",
    ),
    "a window that never ends": (
        with_window("2027-01-12T08:00:00+01:00", "9999-12-31T23:59:59-14:00"),
        "/windows/0/to",
        "window_too_far",
    ),
    "a window on a Sunday night": (
        with_window("2027-01-10T22:00:00+01:00", "2027-01-11T02:00:00+01:00"),
        "/windows/0",
        "window_outside_hours",
    ),
    "a window on New Year's Eve, when the county is closed": (
        with_window("2027-12-31T08:00:00+01:00", "2027-12-31T12:00:00+01:00"),
        "/windows/0",
        "window_outside_hours",
    ),
    "a window that is no time": (
        with_window("tomorrow", "2027-01-12T12:00:00+01:00"),
        "/windows/0/from",
        "field_invalid",
    ),
    "a window without end": (
        changed(windows=[{"from": "2027-01-12T08:00:00+01:00"}]),
        "/windows/0/to",
        "field_missing",
    ),
    "neither e-mail nor phone": (NOWHERE | {"contact": {"name": "Anna"}}, "/contact", "contact_missing"),
    "a call without a number": (with_contact(phone=None), "/contact/phone", "phone_needed"),
    "a mail without an address": (with_contact(email=None), "/contact/email", "email_needed"),
    "a number that is none": (with_contact(phone="call me"), "/contact/phone", "phone_wrong"),
    "an address that is none": (with_contact(email="anna at home"), "/contact/email", "address_form"),
    "an address with a line break": (
        with_contact(email="anna@buergerin.example\r\nBcc: eve@evil.example"),
        "/contact/email",
        "address_control",
    ),
    "a name with a line break": (with_contact(name="Anna\nBeispiel"), "/contact/name", "name_control"),
    "a name with NUL": (with_contact(name="Anna\x00"), "/contact/name", "name_control"),
    "a name that turns the line around": (
        with_contact(name="Anna \u202elleB"),
        "/contact/name",
        "name_control",
    ),
    "a name with half a character": (with_contact(name="Anna \ud83d"), "/contact/name", "name_control"),
    "a name of 300 characters": (with_contact(name="A" * 300), "/contact/name", "name_too_long"),
    "an empty name": (with_contact(name=""), "/contact/name", "name_missing"),
    "a name of spaces": (with_contact(name=" \u00a0 "), "/contact/name", "name_missing"),
    "a field that nobody knows": (changed(colour="red"), "/colour", "field_unknown"),
    "an unknown field of the contact": (with_contact(fax="1"), "/contact/fax", "field_unknown"),
    "a number as a name": (with_contact(name=7), "/contact/name", "field_invalid"),
    "a text as a list": (changed(services="GSI-NEU"), "/services", "field_invalid"),
    "null as a list": (changed(sites=None), "/sites", "field_null"),
    "a list as the contact": (changed(contact=[]), "/contact", "field_invalid"),
    "no contact": (NOWHERE, "/contact", "field_missing"),
    "a service with NUL": (changed(services=["\x00"]), "/services/0", "service_unknown"),
    "a service with half a character": (changed(services=["\ud83d"]), "/services/0", "service_unknown"),
    "a field with half a character": (changed(**{"\ud83d": 1}), "/?", "field_unknown"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_told_at_its_place_and_nothing_is_kept(clumsy, case):
    body, pointer, code = MISTAKES[case]
    answer = clumsy.post(URL, data=json.dumps(body), content_type="application/json")
    assert answer.status_code == 422
    assert answer.json["code"] == "rejected"
    assert (pointer, code) in errors_of(answer)
    assert kept() == (0, 0)


def test_a_request_with_mistakes_leaves_nothing_behind(client):
    assert client.post(URL, json=changed(sites=["MARS"])).status_code == 422
    assert kept() == (0, 0)


def test_all_mistakes_are_told_at_once(clumsy):
    body = changed(services=["NIX"], sites=["MARS"], wish="GSI-99", contact={"name": ""})
    assert set(errors_of(clumsy.post(URL, json=body))) == {
        ("/services/0", "service_unknown"),
        ("/sites/0", "site_unknown"),
        ("/wish", "specialist_unknown"),
        ("/contact/name", "name_missing"),
        ("/contact", "contact_missing"),
        ("/contact/email", "email_needed"),
        ("/contact/phone", "phone_needed"),
    }


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ({}, "Ein Anliegen „NIX“ gibt es nicht."),
        ({"Accept-Language": "de-DE,de;q=0.9,en;q=0.5"}, "Ein Anliegen „NIX“ gibt es nicht."),
        ({"Accept-Language": "en-GB,en"}, "There is no service “NIX”."),
        ({"Accept-Language": "fr"}, "Ein Anliegen „NIX“ gibt es nicht."),
        ({"Accept-Language": ";;;,,\u00ff"}, "Ein Anliegen „NIX“ gibt es nicht."),
    ],
)
def test_mistakes_are_told_in_german_unless_english_is_asked_for(clumsy, header, words):
    answer = clumsy.post(URL, json=changed(services=["NIX"]), headers=header)
    assert [error["detail"] for error in answer.json["errors"]] == [words]


@pytest.mark.parametrize(
    "name", ["محمد الأحمد", "שרה כהן", "Олена Шевченко", "李小龍", "Müller-Lüdenscheidt", "O’Neill"]
)
def test_names_of_all_scripts_are_taken_as_they_are(client, name):
    assert client.post(URL, json=with_contact(name=name)).status_code == 201
    assert db.session.scalars(select(ContactRow.name)).all() == [name]
    db.session.remove()


def test_a_domain_with_umlauts_is_kept_in_the_form_that_mail_servers_know(client):
    assert client.post(URL, json=with_contact(email="anna@müller.example")).status_code == 201
    assert db.session.scalars(select(ContactRow.email)).all() == ["anna@xn--mller-kva.example"]
    db.session.remove()


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ("", "application/json", 422),
        ("{", "application/json", 400),
        ("hello", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        ("[" * 100_000, "application/json", 400),
        ('{"a":' * 40_000 + "1" + "}" * 40_000, "application/json", 400),
        ("[]", "application/json", 422),
        ("7", "application/json", 422),
        ("null", "application/json", 422),
        ("{}", "application/json", 422),
        ("services=GSI-NEU", "application/x-www-form-urlencoded", 415),
        (json.dumps(GOOD), "text/plain", 415),
        (json.dumps(GOOD | {"colour": "x" * 300_000}), "application/json", 413),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_body_that_is_no_request_is_a_problem_and_never_a_failure(clumsy, body, content_type, status):
    answer = clumsy.post(URL, data=body, content_type=content_type)
    assert answer.status_code == status
    assert answer.mimetype == PROBLEM
    assert kept() == (0, 0)


def test_without_a_county_the_service_says_that_it_is_not_ready(app):
    answer = app.test_client().post(URL, json=GOOD)
    assert (answer.status_code, answer.mimetype, answer.json["code"]) == (503, PROBLEM, "no_county")


@pytest.mark.parametrize("url", ["/api/v1/nothing", "/api/v1/requests/a/b"])
def test_what_is_not_there_is_a_problem_too(clumsy, url):
    answer = clumsy.get(url)
    assert (answer.status_code, answer.mimetype) == (404, PROBLEM)


def test_the_token_opens_the_request(client):
    receipt = client.post(URL, json=GOOD).json
    answer = client.get(
        f"{URL}/{receipt['reference']}", headers={"Authorization": f"Bearer {receipt['token']}"}
    )
    assert answer.status_code == 200
    assert answer.json["reference"] == receipt["reference"]
    assert answer.json["status"] == "waiting"
    assert answer.json["start"] is None


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic YTpi"},
        {"Authorization": "Bearer"},
        {"Authorization": "\u00ff"},
    ],
    ids=str,
)
def test_without_the_token_a_request_is_not_there(client, header):
    reference = client.post(URL, json=GOOD).json["reference"]
    known = client.get(f"{URL}/{reference}", headers=header)
    unknown = client.get(f"{URL}/AAAA-AAAA", headers=header)
    assert known.status_code == unknown.status_code == 404
    assert known.json == unknown.json


def test_an_address_that_writes_too_often_is_put_off(client):
    statuses = [client.post(URL, data="{", content_type="application/json").status_code for _ in range(301)]
    assert statuses[:300] == [400] * 300
    answer = client.post(URL, json=GOOD)
    assert (answer.status_code, answer.mimetype) == (429, PROBLEM)
    assert int(answer.headers["Retry-After"]) > 0
