"""The page behind the link of a mail: it shows, and whoever knows the contact may move and cancel."""

from __future__ import annotations

import html
import re

import pytest
import time_machine

from booking_service.services.bookings import booking
from booking_service.services.outbox import count_outbox
from booking_service.services.witness import verify
from tests.bookers import book, starts
from tests.citizens import ANNA, NOW


@pytest.fixture
def reference(loaded):
    with time_machine.travel(NOW, tick=False):
        yield book(loaded, starts()[0])


def page_of(app, reference):
    return f"/termin/{reference}/{app.extensions['links'].token(reference)}"


def send(app, reference, **form):
    return app.test_client().post(page_of(app, reference), data=form)


def offered_times(app, reference):
    text = app.test_client().get(page_of(app, reference)).text
    return [html.unescape(value) for value in re.findall(r'name="wanted"[^>]* value="(2027[^"]*)"', text)]


def test_opening_the_link_changes_nothing(loaded, reference):
    before = booking(reference=reference)
    assert loaded.test_client().get(page_of(loaded, reference)).status_code == 200
    assert booking(reference=reference) == before


def test_who_knows_the_contact_can_cancel(loaded, reference):
    answer = send(loaded, reference, contact=f" {ANNA.email.upper()} ", wanted="cancel")
    assert answer.status_code == 303
    assert booking(reference=reference).status.value == "cancelled"
    page = loaded.test_client().get(page_of(loaded, reference)).text
    assert "Dieser Termin gilt nicht mehr" in page
    assert "<form" not in page


def test_who_has_only_the_link_can_change_nothing_and_loses_nothing_typed(loaded, reference):
    before = booking(reference=reference)
    answer = send(loaded, reference, contact='x"><script>', wanted="cancel")
    assert answer.status_code == 422
    assert 'value="x&#34;&gt;&lt;script&gt;"' in answer.text
    assert booking(reference=reference) == before


def test_the_appointment_moves_to_a_time_that_is_offered_there(loaded, reference):
    chosen = offered_times(loaded, reference)[2]
    assert send(loaded, reference, contact=ANNA.email, wanted=chosen).status_code == 303
    assert booking(reference=reference).place.start.isoformat() == chosen
    assert verify(now=NOW)[1] == []
    assert count_outbox().waiting == 1  # the first message was overtaken before it left


@pytest.mark.parametrize("wanted", ["", "tomorrow", "2027-01-06T10:00:00", "2027-01-06T10:01:00+01:00"])
def test_a_wish_that_means_nothing_leaves_the_appointment_as_it_is(loaded, reference, wanted):
    before = booking(reference=reference)
    assert send(loaded, reference, contact=ANNA.email, wanted=wanted).status_code == 422
    assert booking(reference=reference) == before


def test_a_time_that_was_taken_meanwhile_leaves_the_appointment_as_it_is(loaded, reference):
    before = booking(reference=reference)
    answer = send(loaded, reference, contact=ANNA.email, wanted=before.place.start.isoformat())
    assert answer.status_code == 422
    assert "gerade vergeben" in answer.text
    assert booking(reference=reference) == before


def test_what_has_begun_cannot_be_changed_any_more(loaded, reference):
    begun = booking(reference=reference).place.start
    with time_machine.travel(begun, tick=False):
        assert send(loaded, reference, contact=ANNA.email, wanted="cancel").status_code == 422
    assert booking(reference=reference).status.value == "confirmed"


def test_the_calendar_file_says_when(loaded, reference):
    answer = loaded.test_client().get(page_of(loaded, reference) + "/termin.ics")
    assert answer.mimetype == "text/calendar"
    assert b"METHOD:PUBLISH" in answer.data
    assert b"ATTENDEE" not in answer.data
