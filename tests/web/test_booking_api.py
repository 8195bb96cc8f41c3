"""Booking over HTTP: exactly these fields and codes, and a clear answer to whatever cannot be had."""

from __future__ import annotations

import pytest
import time_machine

from booking_service.domain.bookings import Event, Role
from booking_service.services.tokens import create_token
from booking_service.services.witness import verify
from tests.citizens import NOW, TUESDAY, WEDNESDAY

API = "/api/v1"
PROBLEM = "application/problem+json"
START = "2027-01-06T10:00:00+01:00"
LATER = "2027-01-06T13:30:00+01:00"
CONTACT = {"name": "Anna Beispiel", "email": "anna@buergerin.example", "phone": None}
WISH = {"services": ["GSI-NEU"], "site": "DM-BSC", "mode": "on_site", "start": START, "language": None}
OFFERS = f"{API}/offers?service=GSI-NEU&site=DM-BSC&mode=on_site,phone&from={TUESDAY}&to={WEDNESDAY}"


class Client:
    """Somebody with a token, or without one."""

    def __init__(self, app, token=None):
        self.client = app.test_client()
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def post(self, path, body, **headers):
        return self.client.post(API + path, json=body, headers=self.headers | headers)

    def get(self, path, **headers):
        return self.client.get(API + path, headers=self.headers | headers)

    def delete(self, path):
        return self.client.delete(API + path, headers=self.headers)

    def hold(self, **changes):
        return self.post("/holds", WISH | changes).json["hold"]

    def book(self, **changes):
        body = {"hold": self.hold(**changes), "contact": CONTACT, "language": "de", "needs": []}
        return self.post("/appointments", body).json


@pytest.fixture
def today(loaded):
    with time_machine.travel(NOW, tick=False):
        yield loaded


def with_role(app, role):
    return Client(app, create_token(role=role, site=None, unit=None, now=NOW))


@pytest.fixture
def portal(today):
    return with_role(today, Role.PORTAL)


def codes(answer):
    assert answer.mimetype == PROBLEM
    return answer.status_code, [(error["pointer"], error["code"]) for error in answer.json.get("errors", [])]


def test_a_hold_is_answered_with_its_key_and_place(portal):
    answer = portal.post("/holds", WISH)
    assert answer.status_code == 201
    assert set(answer.json) == {"hold", "expires_at", "start", "end", "site", "mode"}
    assert (answer.json["site"], answer.json["mode"]) == ("DM-BSC", "on_site")
    assert answer.json["start"].startswith("2027-01-06T09:00:00")
    assert answer.json["expires_at"].startswith("2027-01-04T06:10:00")


def test_a_hold_is_given_up_once(portal):
    hold = portal.hold()
    gone = portal.delete(f"/holds/{hold}")
    assert (gone.status_code, gone.data) == (204, b"")
    assert portal.delete(f"/holds/{hold}").status_code == 409
    assert portal.delete("/holds/unknown").status_code == 404


def test_an_appointment_is_answered_with_all_that_its_citizen_needs(portal, today):
    body = {
        "hold": portal.hold(),
        "contact": CONTACT | {"phone": "0395 123456"},
        "language": "en",
        "needs": ["step_free"],
        "notify": "email",
    }
    answer = portal.post("/appointments", body)
    assert answer.status_code == 201
    assert set(answer.json) == {
        *("reference", "token", "status", "start", "end", "site", "mode", "manage_url", "calendar_url")
    }
    assert answer.json["status"] == "confirmed"
    entry = Client(today).client.get(answer.json["calendar_url"].removeprefix("http://localhost:8000"))
    assert (entry.status_code, entry.mimetype) == (200, "text/calendar")
    assert verify(now=NOW) == (1, [])


def test_the_citizen_sees_moves_and_cancels_with_her_own_token(portal, today):
    booked = portal.book()
    citizen = Client(today, booked["token"])
    path = f"/appointments/{booked['reference']}"
    seen = citizen.get(path)
    assert seen.status_code == 200
    assert set(seen.json) == {"reference", "status", "start", "end", "site", "mode"}
    moved = citizen.post(f"{path}/move", {"hold": portal.hold(start=LATER)})
    assert (moved.status_code, moved.json["reference"]) == (200, booked["reference"])
    assert moved.json["start"].startswith("2027-01-06T12:30:00")
    assert citizen.delete(path).status_code == 204
    assert citizen.get(path).json["status"] == "cancelled"
    again = citizen.delete(path)
    assert (again.status_code, again.json["code"]) == (409, "not_possible")
    assert again.json["appointment_status"] == "cancelled"
    assert verify(now=NOW)[1] == []


def test_the_token_of_another_appointment_opens_nothing(portal, today):
    mine, hers = portal.book(), portal.book(site="WRN-BSC")
    stranger, nobody = Client(today, hers["token"]), Client(today)
    path = f"/appointments/{mine['reference']}"
    for caller, status in ((stranger, 404), (nobody, 401), (portal, 404)):
        assert caller.get(path).status_code == status
        assert caller.delete(path).status_code == status
        assert caller.post(f"{path}/move", {"hold": "x"}).status_code == status
    assert with_role(today, Role.DESK).get(path).status_code == 200


def test_without_a_token_or_with_the_wrong_role_nothing_is_booked(today):
    body = {"hold": "x", "contact": CONTACT}
    events = "/appointments/AAAA-BBBB/events"
    for path, sent in (("/holds", WISH), ("/appointments", body), (events, {"event": "check_in"})):
        assert Client(today).post(path, sent).status_code == 401
        assert Client(today, "made up").post(path, sent).status_code == 401
        assert with_role(today, Role.SPECIALIST).post(path, sent).status_code == 403
    assert with_role(today, Role.PORTAL).post(events, {"event": "check_in"}).status_code == 403


def test_the_desk_notes_what_happens(portal, today):
    path = f"/appointments/{portal.book()['reference']}/events"
    desk = with_role(today, Role.DESK)
    assert desk.post(path, {"event": "finish"}).status_code == 409
    assert desk.post(path, {"event": "check_in"}).json["status"] == "checked_in"
    assert desk.post(path, {"event": "finish"}).json["status"] == "done"
    assert desk.post(path, {"event": "cancel"}).status_code in {409, 422}
    assert desk.post("/appointments/AAAA-BBBB/events", {"event": "miss"}).status_code == 404


@pytest.mark.parametrize(
    ("changes", "mistake"),
    [
        ({"start": "2027-01-06T10:05:00+01:00"}, ("/start", "start_off_raster")),
        ({"start": "2027-01-06T10:00:01+01:00"}, ("/start", "start_off_raster")),
        ({"start": "2027-01-04T06:00:00+01:00"}, ("/start", "start_past")),
        ({"start": "0001-01-01T00:00:00+14:00"}, ("/start", "start_past")),
        ({"start": "2027-06-01T10:00:00+02:00"}, ("/start", "start_too_far")),
        ({"start": "9999-12-31T23:59:00-14:00"}, ("/start", "start_too_far")),
        ({"start": "2027-01-06T20:00:00+01:00"}, ("/start", "start_not_offered")),
        ({"start": "2027-01-04T14:00:00+01:00"}, ("/start", "start_not_offered")),
        ({"site": "FRI-SP"}, ("/start", "start_not_offered")),
        ({"site": "ROSTOCK"}, ("/site", "site_unknown")),
        ({"site": None}, ("/site", "sites_missing")),
        ({"mode": "phone"}, ("/site", "site_not_by_phone")),
        ({"services": ["BETR"], "mode": "video"}, ("/mode", "mode_not_offered")),
        ({"services": ["XYZ"]}, ("/services/0", "service_unknown")),
        ({"start": "2027-01-06T10:00:00"}, ("/start", "field_invalid")),
    ],
)
def test_a_start_that_is_never_offered_is_refused(portal, changes, mistake):
    assert codes(portal.post("/holds", WISH | changes)) == (422, [mistake])


def test_who_comes_too_late_is_told_three_places_that_can_be_had(portal):
    portal.hold()
    answer = portal.post("/holds", WISH)
    assert (answer.status_code, answer.mimetype, answer.json["code"]) == (409, PROBLEM, "place_taken")
    alternatives = answer.json["alternatives"]
    assert len(alternatives) == 3
    for place in alternatives:
        assert set(place) == {"start", "end", "site", "mode"}
        changes = {name: place[name] for name in ("start", "site", "mode")}
        tried = portal.post("/holds", WISH | changes)
        assert tried.status_code == 201, place
        portal.delete(f"/holds/{tried.json['hold']}")


def test_a_hold_that_is_used_or_unknown_is_told_apart(portal):
    hold = portal.hold()
    body = {"hold": hold, "contact": CONTACT}
    assert portal.post("/appointments", body).status_code == 201
    again = portal.post("/appointments", body)
    assert (again.status_code, again.json["code"]) == (409, "hold_over")
    assert portal.post("/appointments", body | {"hold": "unknown"}).status_code == 404
    status, mistakes = codes(portal.post("/appointments", {"contact": {}}))
    assert (status, sorted(mistakes)) == (
        422,
        [("/contact/name", "field_missing"), ("/hold", "field_missing")],
    )


def test_a_repeated_call_with_its_key_has_the_same_answer(portal):
    header = {"Idempotency-Key": "k1"}
    first, again = (portal.post("/holds", WISH, **header) for _ in range(2))
    assert (first.status_code, first.json) == (again.status_code, again.json)
    other = portal.post("/holds", WISH | {"start": LATER}, **header)
    assert codes(other) == (422, [("/Idempotency-Key", "key_reused")])
    body = {"hold": first.json["hold"], "contact": CONTACT}
    one, two = (portal.post("/appointments", body, **header) for _ in range(2))
    assert (one.status_code, one.json) == (two.status_code, two.json)
    assert one.status_code == 201


def test_one_browser_holds_one_place(portal):
    browser = {"Client-Id": "firefox-1"}
    first = portal.post("/holds", WISH, **browser).json["hold"]
    portal.post("/holds", WISH | {"start": LATER}, **browser)
    assert portal.delete(f"/holds/{first}").status_code == 409


# --- What can be had


def test_offers_have_these_fields(today):
    answer = today.test_client().get(OFFERS)
    assert answer.status_code == 200
    assert {"minutes", "zone", "days", "earliest", "closures"} <= set(answer.json)
    assert (answer.json["minutes"], answer.json["zone"]) == (45, "Europe/Berlin")
    assert [day["date"] for day in answer.json["days"]] == [str(TUESDAY), str(WEDNESDAY)]
    for day in answer.json["days"]:
        assert set(day) == {"date", "offers"}
        assert {offer["site"] for offer in day["offers"]} == {"DM-BSC", None}
        assert all(set(offer) == {"site", "mode", "starts"} for offer in day["offers"])
    first = answer.json["earliest"]
    assert (first["date"], first["start"]) == (
        str(TUESDAY),
        min(start for offer in answer.json["days"][0]["offers"] for start in offer["starts"]),
    )


def test_offers_are_not_sent_again_until_they_change(today, portal):
    client = today.test_client()
    tag = client.get(OFFERS).headers["ETag"]
    same = client.get(OFFERS, headers={"If-None-Match": tag})
    assert (same.status_code, same.data) == (304, b"")
    portal.hold()
    changed = client.get(OFFERS, headers={"If-None-Match": tag})
    assert changed.status_code == 200
    wednesday = next(day for day in changed.json["days"] if day["date"] == str(WEDNESDAY))
    on_site = next(offer for offer in wednesday["offers"] if offer["mode"] == "on_site")
    assert "10:00" not in on_site["starts"]


def test_offers_near_a_place_are_ranked_by_road(today):
    answer = today.test_client().get(f"{API}/offers?service=GSI-NEU&near=17192%20Waren&mode=on_site")
    assert answer.json["ranking"][0]["site"] == "WRN-BSC"
    roads = [place["minutes_by_road"] for place in answer.json["ranking"]]
    assert roads == sorted(roads)


@pytest.mark.parametrize(
    ("query", "mistake"),
    [
        ("service=XYZ", ("/service/0", "service_unknown")),
        ("site=DM-BSC", ("/service", "field_missing")),
        ("service=BUT&site=DM-BSC&site=ROSTOCK", ("/site/1", "site_unknown")),
        ("service=BUT&near=Atlantis", ("/near", "place_unknown")),
        ("service=BUT&near=17089", ("/near", "place_ambiguous")),
        ("service=BUT&language=tlh", ("/language", "language_unknown")),
        ("service=BUT&from=2027-01-06&to=2027-01-05", ("/to", "range_reversed")),
    ],
)
def test_a_question_that_means_nothing_is_refused(standing, query, mistake):
    assert codes(standing.test_client().get(f"{API}/offers?{query}")) == (422, [mistake])


def test_services_and_sites_are_listed(standing):
    client = standing.test_client()
    services = {service["code"]: service for service in client.get(f"{API}/services").json}
    assert services["GSI-NEU"]["minutes"] == {"on_site": 45, "video": 45, "phone": 45}
    assert (services["WOGG"]["competence"], services["WOGG"]["minutes"]) == ("refer", {})
    near = client.get(f"{API}/sites?near=17192%20Waren").json
    assert near[0]["code"] == "WRN-BSC"
    assert all(isinstance(site["minutes"], int) for site in near)
    assert all(site["minutes"] is None for site in client.get(f"{API}/sites").json)


def test_the_events_that_are_described_are_those_that_are_taken(today):
    desk = with_role(today, Role.DESK)
    document = today.test_client().get(f"{API}/openapi.json").json
    described = document["components"]["schemas"]["EventBody"]["properties"]["event"]["enum"]
    for event in Event:
        answer = desk.post("/appointments/AAAA-BBBB/events", {"event": event})
        if event in described:
            assert codes(answer) == (404, [])
        else:
            assert codes(answer) == (422, [("/event", "field_invalid")])
    assert described == ["check_in", "miss", "finish"]


def test_a_key_that_no_database_could_be_asked_for_is_refused(portal):
    answer = portal.post("/appointments", {"hold": "\0", "contact": CONTACT})
    assert answer.status_code == 422
    assert answer.json["errors"][0]["pointer"] == "/hold"
    assert portal.delete("/holds/%00").status_code == 404
    assert portal.get("/appointments/%00").status_code == 404
