"""The pages for people: what they show, what they never show, and who gets to see what."""

from __future__ import annotations

import re

import pytest
import time_machine

from booking_service.app import create_app
from booking_service.domain.bookings import Contact
from booking_service.domain.county import Mode
from booking_service.mail.transport import open_transport
from booking_service.services.outbox import deliver
from tests.citizens import NOW, WEDNESDAY, ask, window
from tests.conftest import make_settings
from tests.promises import plan

NOTED = Contact("Zacharias Zuckerhut", "zacharias@zuckerhut.example", "0395 987654")


@pytest.fixture
def planned(loaded, tmp_path):
    """A talk at Demmin on Wednesday at nine and a call at ten, with their mails sent; yields the client."""
    ask("GSI-NEU", contact=NOTED, windows=[window(WEDNESDAY, "09:00", "09:45")])
    ask(
        "GSI-FOLGE",
        contact=NOTED,
        modes=[Mode.PHONE],
        sites=[],
        windows=[window(WEDNESDAY, "10:00", "10:20")],
    )
    ask("HZP", contact=NOTED, windows=[window(WEDNESDAY.replace(month=7), "09:00", "10:00")])
    plan(loaded)
    with open_transport(f"file:{tmp_path / 'mail'}") as transport:
        deliver(transport, sender="termin@landkreis.example", now=lambda: NOW)
    with time_machine.travel(NOW, tick=False):
        yield loaded.test_client()


def text_of(answer):
    """The words of a page, without tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def test_without_a_county_the_first_page_says_what_to_do(app):
    answer = app.test_client().get("/")
    assert answer.status_code == 200
    assert "flask county load" in answer.text


def test_the_first_page_shows_today_and_leads_to_the_next_day_with_appointments(planned):
    answer = planned.get("/")
    assert "Montag, 4. Januar 2027" in answer.text
    assert "1 Anfrage wartet auf einen Termin." in answer.text
    assert 'href="/?day=2027-01-06"' in answer.text


def test_a_day_shows_its_appointments_by_site_time_and_mode(planned):
    words = text_of(planned.get("/?day=2027-01-06"))
    assert "Mittwoch, 6. Januar 2027" in words
    assert re.search(r"Bürgerservicecenter Demmin .{,120} 09:00–09:45 vor Ort Raum 1", words)
    assert re.search(r"Am Telefon .* 10:00–10:20 am Telefon", words)


def test_the_first_page_names_no_citizen_no_specialist_and_no_matter(planned, county):
    page = planned.get("/?day=2027-01-06").text
    secrets = ["Zuckerhut", "zuckerhut", "987654"]
    secrets += [specialist.code for specialist in county.specialists]
    secrets += [name for service in county.services for name in (service.code, service.name_de)]
    found = [word for word in secrets if re.search(rf"\b{re.escape(word)}\b", page)]
    assert found == []


@pytest.mark.parametrize("day", ["tomorrow", "2027-02-30", "", "2027-01-06T09:00", "\x00", "١٢"])
def test_a_day_that_is_none_is_a_clear_mistake_and_no_failure(standing, day):
    answer = standing.test_client().get("/", query_string={"day": day})
    assert answer.status_code == 400
    assert answer.mimetype == "text/html"


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "2028-02-29"])
def test_every_day_of_the_calendar_can_be_asked_for(standing, day):
    assert standing.test_client().get(f"/?day={day}").status_code == 200


# --- The page behind the link of a mail


def link_of(planned):
    (mail,) = [m for m in all_mails(planned) if "9:45" in planned.get(m).text]
    return re.search(r"http://localhost:8000(/termin/[^\s<]+)", planned.get(mail).text)[1]


def all_mails(planned):
    return re.findall(r'href="(/postfach/[^"]+)"', planned.get("/postfach/").text)


def test_the_link_of_a_mail_leads_to_what_the_mail_says(planned):
    answer = planned.get(link_of(planned))
    assert answer.status_code == 200
    assert "Mittwoch, 6. Januar 2027, 9:00 Uhr bis 9:45 Uhr" in answer.text
    assert "Bürgerservicecenter Demmin" in answer.text
    assert "Zuckerhut" not in answer.text


def test_the_page_of_an_appointment_is_kept_nowhere(planned):
    headers = planned.get(link_of(planned)).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Robots-Tag"] == "noindex"
    assert "Set-Cookie" not in headers


def test_without_its_token_an_appointment_is_not_there(planned):
    _, _, reference, token = link_of(planned).split("/")
    wrong = [
        f"/termin/{reference}/{token[:-1]}",
        f"/termin/{reference}/{token.upper()}",
        f"/termin/AAAA-AAAA/{token}",
        f"/termin/{reference}/%C3%BC",
        f"/termin/{reference}/",
        f"/termin/{reference}",
    ]
    assert {planned.get(url).status_code for url in wrong} == {404}


# --- The mailbox


def test_the_mailbox_shows_what_was_sent(planned):
    mails = all_mails(planned)
    assert len(mails) == 2
    for mail in mails:
        assert "zacharias@zuckerhut.example" in planned.get(mail).text
        html = planned.get(f"{mail}/html")
        assert html.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
        entry = planned.get(f"{mail}/termin.ics")
        assert entry.mimetype == "text/calendar"
        assert entry.text.startswith("BEGIN:VCALENDAR")


def test_an_empty_mailbox_is_shown_too(standing):
    assert "0 Mails" in standing.test_client().get("/postfach/").text


@pytest.mark.parametrize(
    "path",
    [
        "../test.db",
        "..%2Ftest.db",
        "..%2F..%2F..%2Fetc%2Fpasswd",
        "%2e%2e/test.db",
        "..",
        ".",
        "%2Fetc%2Fpasswd",
        "..\\test.db",
        "secret.txt",
        "%00.eml",
        "x.eml%00",
        "..%252ftest.db",
        "nothing.eml",
        "nothing.eml/html",
        "nothing.eml/termin.ics",
    ],
)
def test_nothing_but_sent_mails_is_read(standing, path):
    folder = standing.extensions["settings"].mailbox
    folder.mkdir(exist_ok=True)
    (folder / "secret.txt").write_text("not a mail")
    assert standing.test_client().get(f"/postfach/{path}").status_code in {404, 308}
    assert standing.test_client().get(f"/postfach/{path}", follow_redirects=True).status_code == 404


@pytest.mark.parametrize(
    "other",
    [{"public_url": "https://termine.example"}, {"mail_url": "smtp://mail.example"}],
    ids=["under https", "with a mail server"],
)
def test_there_is_no_mailbox_outside_of_development(tmp_path, other):
    app = create_app(make_settings(tmp_path, **other))
    assert app.test_client().get("/postfach/").status_code == 404


# --- The API's page, and what is not there


def test_the_documentation_lists_every_operation_and_every_object(standing):
    client = standing.test_client()
    document = client.get("/api/v1/openapi.json").json
    page = client.get("/api/v1/").text
    for path, operations in document["paths"].items():
        for method in set(operations) & {"get", "post", "put", "patch", "delete"}:
            assert f"{method.upper()} {path}" in page
    for name in document["components"]["schemas"]:
        assert f'id="{name}"' in page


@pytest.mark.parametrize("url", ["/nothing", "/termin/", "/static/../app.py", "/static/%2e%2e/app.py"])
def test_who_asks_for_what_is_not_there_gets_a_page_that_says_so(standing, url):
    answer = standing.test_client().get(url)
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert "<h1>" in answer.text


def test_pages_load_nothing_from_elsewhere(planned):
    for url in ("/", "/?day=2027-01-06", "/api/v1/", "/postfach/", link_of(planned)):
        page = planned.get(url).text
        loaded = re.findall(r'<(?:link|script|img|iframe)[^>]*(?:href|src)="([^"]+)"', page)
        assert all(address.startswith("/static/") for address in loaded), url
        assert "<script" not in page
        for address in loaded:
            with planned.get(address) as answer:
                assert answer.status_code == 200
