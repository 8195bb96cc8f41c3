"""Requests at the desk and what a county can say against a request: the same rules for both ways in."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from booking_service.domain.bookings import Contact, Entry, Need, Notify, RequestStatus
from booking_service.domain.county import Mode
from booking_service.domain.mistakes import Rejected
from booking_service.services.county import replace_county
from booking_service.services.requests import request_state, take_walk_in
from booking_service.store.booking_tables import RequestRow
from booking_service.store.db import db
from tests.citizens import NOW, WEDNESDAY, ask, wanted, window
from tests.promises import everything, plan, promise_of

NOBODY = Contact("Erika Muster", None, None)


def walk_in(*services, site="DM-BSC", contact=NOBODY, notify=None, **other):
    return take_walk_in(wanted=wanted(*services, **other), contact=contact, notify=notify, site=site, now=NOW)


def row_of(reference):
    row = db.session.scalars(select(RequestRow).where(RequestRow.reference == reference)).one()
    found = {
        "entry": row.entry,
        "desk_site": row.desk_site,
        "sites": [accepted.site for accepted in row.sites],
        "notify": row.contact.notify,
        "language": row.language,
        "contact_language": row.contact.language,
        "name": row.contact.name,
        "phone": row.contact.phone,
    }
    db.session.remove()
    return found


def refused(**asked):
    with pytest.raises(Rejected) as caught:
        ask(**asked)
    return [(mistake.place, mistake.code) for mistake in caught.value.mistakes]


def test_who_stands_at_the_desk_needs_neither_address_nor_phone(loaded):
    reference = walk_in("GSI-FOLGE")
    found = row_of(reference)
    assert (found["entry"], found["desk_site"], found["notify"]) == (Entry.DESK, "DM-BSC", Notify.PRINT)
    outcome = plan(loaded)
    assert (outcome.promised, outcome.mails) == (1, 0)
    assert promise_of(reference).site == "DM-BSC"


@pytest.mark.usefixtures("loaded")
def test_who_names_no_site_at_the_desk_means_this_one():
    assert row_of(walk_in("GSI-FOLGE", sites=[], site="WRN-BSC"))["sites"] == ["WRN-BSC"]
    assert row_of(walk_in("GSI-FOLGE", sites=["NB-SOZ"], site="WRN-BSC"))["sites"] == ["NB-SOZ"]


@pytest.mark.usefixtures("loaded")
def test_a_desk_that_there_is_none_of_is_refused():
    before = everything()
    with pytest.raises(Rejected, match="/site: There is no site “MARS”"):
        walk_in("GSI-FOLGE", site="MARS")
    assert everything() == before


@pytest.mark.usefixtures("loaded")
def test_at_the_desk_a_call_needs_a_number_all_the_same():
    with pytest.raises(Rejected, match="/contact/phone: For a call, a phone number is needed"):
        walk_in("GSI-FOLGE", modes=[Mode.PHONE])


@pytest.mark.usefixtures("loaded")
def test_who_cannot_climb_steps_is_not_sent_to_a_site_that_has_them(county):
    with_steps = tuple(
        replace(site, step_free="no") if site.code == "DM-BSC" else site for site in county.sites
    )
    replace_county(county=replace(county, sites=with_steps))
    asked = {"sites": ["NB-SOZ", "DM-BSC"], "needs": (Need.STEP_FREE,)}
    assert refused(**asked) == [("/sites/1", "site_has_steps")]
    assert ask(sites=["NB-SOZ", "DM-BSC"])
    assert ask(sites=["NB-SOZ"], needs=(Need.STEP_FREE,))


@pytest.mark.usefixtures("loaded")
def test_the_same_number_is_kept_in_one_form_however_it_was_typed():
    typed = ["0395 57087-1234", "+49 395 570871234", "0049 (0)395 57087 1234"]
    kept = {row_of(ask(contact=Contact("Anna", None, number)))["phone"] for number in typed}
    assert len(kept) == 1


@pytest.mark.usefixtures("loaded")
def test_a_name_is_kept_without_needless_spaces():
    contact = Contact("  Anna \u00a0  Beispiel ", "anna@buergerin.example", None)
    assert row_of(ask(contact=contact))["name"] == "Anna Beispiel"


@pytest.mark.usefixtures("loaded")
def test_mails_are_written_in_a_language_that_the_county_has_texts_for():
    assert row_of(ask(language="en"))["contact_language"] == "en"
    assert row_of(ask(language="ru"))["contact_language"] == "de"


@pytest.mark.usefixtures("loaded")
def test_german_is_what_every_specialist_speaks_and_no_condition():
    assert row_of(ask(language="de"))["language"] is None


@pytest.mark.usefixtures("loaded")
def test_a_window_that_has_begun_counts_from_now_on():
    open_again = window(NOW.date() - timedelta(days=3), "08:00", "09:00")
    until_wednesday = replace(open_again, end=window(WEDNESDAY, "08:00", "12:00").end)
    assert ask(windows=[until_wednesday])
    over_today = replace(open_again, end=window(NOW.date(), "06:00", "07:30").end)
    assert refused(windows=[over_today]) == [("/windows/0", "window_outside_hours")]


@pytest.mark.usefixtures("loaded")
def test_a_window_that_is_open_for_one_of_two_units_only_is_outside_the_hours_of_both_together():
    asked = [window(WEDNESDAY.replace(day=13), "09:00", "12:00")]
    assert ask("GSI-FOLGE", sites=["FRI-SP"], windows=asked)
    assert refused_two(asked) == [("/windows/0", "window_outside_hours")]


def refused_two(asked):
    with pytest.raises(Rejected) as caught:
        ask("GSI-FOLGE", "EGH", sites=["FRI-SP"], windows=asked)
    return [(mistake.place, mistake.code) for mistake in caught.value.mistakes]


def test_a_request_tells_how_it_stands(loaded):
    reference = ask("GSI-FOLGE", windows=[window(WEDNESDAY, "09:00", "09:20")])
    waiting = request_state(reference=reference)
    assert (waiting.status, waiting.start, waiting.causes) == (RequestStatus.WAITING, None, ())
    plan(loaded)
    promised = request_state(reference=reference)
    assert (promised.status, promised.site, promised.mode) == (RequestStatus.PROMISED, "DM-BSC", Mode.ON_SITE)
    assert promised.start == window(WEDNESDAY, "09:00", "09:20").begin
    assert request_state(reference="AAAA-AAAA") is None


def test_a_request_whose_windows_are_over_waits_no_more(loaded):
    reference = ask("NOT", windows=[window(NOW.date(), "08:00", "08:10")])
    plan(loaded, now=NOW + timedelta(days=1))
    assert request_state(reference=reference).status is RequestStatus.EXPIRED
    assert plan(loaded, now=NOW + timedelta(days=1)).waiting == 0
