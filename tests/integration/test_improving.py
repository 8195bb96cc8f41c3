"""The witness improves itself: less travel, scarce people free, and nothing that anybody was told changes."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import date

import pytest

from booking_service.domain.bookings import Contact
from booking_service.services.county import replace_county
from booking_service.services.improving import (
    LEASE,
    Improved,
    claim_day,
    find_better,
    finish_day,
    improve,
    read_day,
)
from booking_service.services.witness import verify
from booking_service.services.witnesses import Audience
from tests.bookers import MINUTE, book, cancel, starts, take
from tests.citizens import NOW, TUESDAY, WEDNESDAY, ask, local, window
from tests.promises import everything, plan, promise_of, with_rules, with_specialists

THURSDAY = date(2027, 1, 7)
FRIDAY = date(2027, 1, 8)
LATER = NOW + MINUTE
ROUND_TRIP = 96
AT_BASE = {"sites": ["NB-SOZ"]}


def improve_changed(now=NOW):
    """What the worker does in two successive minutes: it sees what has changed, and improves it."""
    assert improve(now=now, clock=time.monotonic, seconds=30) == Improved()
    return improve(now=now + MINUTE, clock=time.monotonic, seconds=30)


@pytest.fixture
def two(app, county):
    """Two specialists who travel; GSI-01 speaks English, GSI-03 does not."""
    replace_county(county=with_specialists(county, "GSI-01", "GSI-03"))
    return app


def book_two_trips(app):
    """Two appointments in Demmin, so that both specialists go there; one could do both."""
    first = book(app, local(THURSDAY, "09:30"), contact=person(1))
    english = book(app, local(THURSDAY, "11:00"), contact=person(2), language="en")
    return first, english


def person(number):
    return Contact(f"Person {number}", f"p{number}@buergerin.example", None)


def holders(*references):
    return [promise_of(reference).specialists for reference in references]


# --- What becomes better


def test_a_needless_trip_is_bundled_with_another(two):
    references = book_two_trips(two)
    assert holders(*references) == [["GSI-03"], ["GSI-01"]]
    told = [promise_of(reference).told for reference in references]
    done = improve_changed()
    assert done == Improved(days=1, travel_saved=ROUND_TRIP, visits=1)
    assert holders(*references) == [["GSI-01"], ["GSI-01"]]
    assert [promise_of(reference).told for reference in references] == told
    assert verify(now=LATER) == (2, [])


def book_with_the_scarce_one(app, day=THURSDAY):
    """GSI-01 alone speaks English, and holds what GSI-03 could serve as well; the start."""
    start = local(day, "10:00")
    first = book(app, start, contact=person(1), **AT_BASE)
    book(app, start, contact=person(2), **AT_BASE)
    assert holders(first) == [["GSI-03"]]
    cancel(app, first, by_staff=True)
    return start


@pytest.mark.parametrize("improved", [False, True])
def test_who_has_a_scarce_talent_is_free_for_those_who_need_it_when_the_day_is_published(two, improved):
    start = book_with_the_scarce_one(two)
    assert start in starts(day=THURSDAY, language="en", **AT_BASE)
    if improved:
        assert improve_changed() == Improved(days=1, travel_saved=0, visits=1)
    eve = local(WEDNESDAY, "06:00")
    english = starts(day=THURSDAY, language="en", now=eve, audience=Audience.DESK, **AT_BASE)
    assert (start in english) is improved
    if improved:
        assert take(start, language="en", now=eve, audience=Audience.DESK, **AT_BASE).place.start == start
        assert verify(now=eve) == (2, [])


def test_somebody_is_kept_free_for_emergencies_again(app, county):
    """GSI-05 does no emergencies, and GSI-01 was wished for when nothing was kept free yet."""
    two = with_specialists(county, "GSI-01", "GSI-05")
    replace_county(county=replace(two, contingents=()))
    eleven = [window(THURSDAY, "11:00", "11:45")]
    reference = ask("GSI-FOLGE", windows=eleven, wish="GSI-01", **AT_BASE)
    plan(app)
    assert holders(reference) == [["GSI-01"]]
    replace_county(county=two)
    assert improve_changed() == Improved(days=1, travel_saved=0, visits=1)
    assert holders(reference) == [["GSI-05"]]


def test_the_rule_about_trips_is_kept(app, county):
    """The English citizen needs GSI-01 in Demmin; if she went for one visit alone, that would be too few."""
    few = with_specialists(county, "GSI-01", "GSI-03")
    replace_county(county=few)
    references = book_two_trips(app)
    booking = replace(few.settings.booking, least_per_trip=2)
    replace_county(county=replace(few, settings=replace(few.settings, booking=booking)))
    assert improve_changed().travel_saved == ROUND_TRIP
    assert holders(*references) == [["GSI-01"], ["GSI-01"]]


# --- What stays as it is


def test_what_cannot_become_better_is_left_alone_and_not_looked_at_again(two):
    book_two_trips(two)
    improve_changed()
    before = everything()
    assert improve_changed(NOW + 5 * MINUTE) == Improved()
    assert claim_day(now=NOW + 9 * MINUTE) is None
    assert everything() == before


@pytest.mark.parametrize(("publish_days", "days"), [(1, 1), (2, 0)])
def test_a_published_day_stays_as_it_is(app, county, publish_days, days):
    few = with_specialists(county, "GSI-01", "GSI-03")
    replace_county(county=with_rules(few, publish_days=publish_days))
    book_with_the_scarce_one(app, TUESDAY)
    assert improve_changed().days == days


def test_a_day_that_is_published_before_the_search_could_end_is_left_alone(two):
    book_two_trips(two)
    midnight = local(WEDNESDAY, "00:00")
    improve(now=midnight - 10 * MINUTE, clock=time.monotonic, seconds=30)
    assert claim_day(now=midnight - 4 * MINUTE) is None
    assert claim_day(now=midnight - 6 * MINUTE).day == THURSDAY


def test_a_day_that_its_holders_cannot_keep_is_left_to_be_repaired(app, county):
    few = with_specialists(county, "GSI-01", "GSI-03")
    replace_county(county=few)
    references = book_two_trips(app)
    gone = tuple(replace(s, valid_to=WEDNESDAY) if s.code == "GSI-03" else s for s in few.specialists)
    replace_county(county=replace(few, specialists=gone))
    assert improve_changed() == Improved()
    assert holders(*references) == [["GSI-03"], ["GSI-01"]]
    assert claim_day(now=NOW + 5 * MINUTE) is None


def test_two_services_with_one_specialist_stay_with_one(app, county):
    """GSI-04 alone can do both, and is scarcer than those who could share them."""
    replace_county(county=with_specialists(county, "GSI-03", "GSI-04", "SOH-02"))
    both = book(app, local(THURSDAY, "10:00"), "GSI-FOLGE", "MIETSCH", **AT_BASE)
    assert holders(both) == [["GSI-04", "GSI-04"]]
    improve_changed()
    assert holders(both) == [["GSI-04", "GSI-04"]]


# --- Several at once


def test_what_is_booked_meanwhile_stands_and_the_search_is_dropped(two):
    references = book_two_trips(two)
    improve(now=NOW, clock=time.monotonic, seconds=30)
    claim = claim_day(now=LATER)
    state = read_day(day=claim.day)
    better = find_better(state, LATER)
    assert better.moves
    held = take(local(THURSDAY, "14:00"), now=LATER, **AT_BASE)
    assert not finish_day(claim=claim, state=state, better=better)
    assert holders(*references) == [["GSI-03"], ["GSI-01"]]
    assert held.place.start == local(THURSDAY, "14:00")
    assert improve_changed(NOW + 5 * MINUTE).travel_saved == ROUND_TRIP
    assert verify(now=LATER) == (3, [])


def test_a_lease_ends_by_itself_after_a_crash(two):
    book_two_trips(two)
    improve(now=NOW, clock=time.monotonic, seconds=30)
    assert claim_day(now=LATER).day == THURSDAY
    assert claim_day(now=LATER) is None
    assert claim_day(now=LATER + LEASE - MINUTE) is None
    assert claim_day(now=LATER + LEASE).day == THURSDAY


def test_whoever_comes_back_after_the_end_of_a_lease_does_not_end_that_of_another(two):
    book_two_trips(two)
    improve(now=NOW, clock=time.monotonic, seconds=30)
    late = claim_day(now=LATER)
    claim_day(now=LATER + LEASE)
    finish_day(claim=late, state=read_day(day=late.day), better=None)
    assert claim_day(now=LATER + LEASE + MINUTE) is None


def test_of_several_hosts_at_once_one_gets_a_day(two):
    book_two_trips(two)
    improve(now=NOW, clock=time.monotonic, seconds=30)
    ready, claims = threading.Barrier(4), []

    def host():
        with two.app_context():
            ready.wait()
            claims.append(claim_day(now=LATER))

    hosts = [threading.Thread(target=host) for _ in range(4)]
    for one in hosts:
        one.start()
    for one in hosts:
        one.join()
    assert [claim.day for claim in claims if claim] == [THURSDAY]


def test_the_day_with_more_changes_for_the_time_that_is_left_comes_first(two):
    book(two, local(THURSDAY, "10:00"), contact=person(1), **AT_BASE)
    for number, clock in enumerate(["09:00", "10:00", "11:00", "09:30", "10:30"]):
        book(two, local(FRIDAY, clock), contact=person(10 + number), **AT_BASE)
    improve(now=NOW, clock=time.monotonic, seconds=30)
    assert [claim_day(now=LATER).day, claim_day(now=LATER).day] == [FRIDAY, THURSDAY]
