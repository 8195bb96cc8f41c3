"""Absences: colleagues take over all that was promised, or nothing changes; offers know it at once."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from booking_service.domain.county import Absence
from booking_service.domain.mistakes import Rejected
from booking_service.services.absences import Away, PromisesAtRisk, delete_absence, record_absence
from booking_service.services.county import current_county, replace_county
from booking_service.services.places import NotFound, PlaceTaken
from booking_service.services.witness import verify
from booking_service.store.county import add_absence
from booking_service.store.county_folder import read_folder, write_folder
from booking_service.store.db import transactional
from booking_service.store.plan import lock_day
from tests import bookers
from tests.bookers import MINUTE, cancel, move
from tests.citizens import MONDAY, NOW, TUESDAY, WEDNESDAY, ask, local, window
from tests.promises import everything, plan, promise_of, with_specialists

take = partial(bookers.take, sites=["NB-SOZ"])
book = partial(bookers.book, sites=["NB-SOZ"])
starts = partial(bookers.starts, sites=["NB-SOZ"])

NINE, TEN, ELEVEN = (local(WEDNESDAY, f"{hour:02}:00") for hour in (9, 10, 11))
BOTH = ("GSI-02", "GSI-07")
"""Specialists with the same hours and skills."""


def away(specialist, begin=None, end=None, *, unit=None, now=NOW):
    """The whole Wednesday unless said otherwise."""
    begin, end = begin or local(WEDNESDAY, "00:00"), end or local(WEDNESDAY, "23:00")
    return record_absence(away=Away(specialist, begin, end, unit), now=now)


def holder(reference):
    (specialist,) = promise_of(reference).specialists
    return specialist


def colleague_of(specialist):
    return next(code for code in BOTH if code != specialist)


@pytest.fixture
def two(app, county):
    """Basic income support has two specialists and nobody else."""
    replace_county(county=with_specialists(county, *BOTH))
    return app


def kept():
    """What `flask verify` says must hold."""
    _, violations = verify(now=NOW)
    return violations == []


# --- All or nothing


def test_a_colleague_takes_over_at_the_same_time_and_place(two):
    reference = book(two, TEN)
    before = promise_of(reference)
    ill = holder(reference)
    recorded = away(ill)
    after = promise_of(reference)
    assert after.told == before.told
    assert after.specialists == [colleague_of(ill)]
    (taken,) = recorded.taken_over
    assert (taken.reference, taken.specialist) == (reference, colleague_of(ill))
    assert (taken.place.start, taken.place.site) == (TEN, "NB-SOZ")
    assert kept()


def test_where_nobody_is_left_all_visits_at_risk_are_named_and_nothing_changes(two):
    references = [book(two, TEN), book(two, TEN)]
    also = book(two, local(WEDNESDAY, "14:00"))
    before = everything()
    with pytest.raises(PromisesAtRisk) as risk:
        away(holder(references[0]))
    (lost,) = risk.value.visits
    assert lost.reference in references
    assert (lost.place.start, lost.place.site, lost.specialist) == (TEN, "NB-SOZ", None)
    assert everything() == before
    assert promise_of(also) is not None


def test_visits_outside_the_absence_stay_with_her(two):
    early, late = book(two, NINE), book(two, local(WEDNESDAY, "14:00"))
    ill = holder(early)
    if holder(late) != ill:
        away(holder(late), local(WEDNESDAY, "13:00"), local(WEDNESDAY, "17:00"))
    assert holder(early) == holder(late) == ill
    away(ill, local(WEDNESDAY, "12:00"))
    assert (holder(early), holder(late)) == (ill, colleague_of(ill))
    assert kept()


def test_who_cannot_be_back_in_time_gives_away_the_visit_before_the_absence_too(app, county):
    # from Demmin it is 48 minutes to her base
    replace_county(county=with_specialists(county, *BOTH))
    reference = bookers.book(app, local(WEDNESDAY, "10:30"))
    ill = holder(reference)
    end = promise_of(reference).visits[0].busy_until
    away(ill, end + 15 * MINUTE)
    assert holder(reference) == colleague_of(ill)
    assert kept()


def test_who_is_back_in_time_keeps_it(app, county):
    replace_county(county=with_specialists(county, *BOTH))
    reference = bookers.book(app, local(WEDNESDAY, "10:30"))
    ill = holder(reference)
    end = promise_of(reference).visits[0].busy_until
    assert away(ill, end + 60 * MINUTE).taken_over == ()
    assert holder(reference) == ill
    assert kept()


def test_a_colleague_passes_on_what_others_can_do_for_what_only_she_can(app, county):
    # only GSI-02 and GSI-07 speak Russian; GSI-03 does not
    replace_county(county=with_specialists(county, "GSI-02", "GSI-03", "GSI-07"))
    russian = book(app, TEN, language="ru")
    other = next(code for code in BOTH if code != holder(russian))
    elsewhere = away("GSI-03", TEN, ELEVEN)
    german = book(app, TEN)
    delete_absence(number=elsewhere.number, unit=None, now=NOW)
    assert holder(german) == other
    recorded = away(holder(russian))
    assert (holder(russian), holder(german)) == (other, "GSI-03")
    assert {visit.reference for visit in recorded.taken_over} == {russian, german}
    assert kept()


def test_every_day_of_a_long_absence_is_taken_over(two):
    days = [TUESDAY, WEDNESDAY, WEDNESDAY + timedelta(days=1)]
    references = [book(two, start) for day in days for start in starts(day=day)[:1]]
    recorded = away("GSI-02", local(MONDAY, "00:00"), local(WEDNESDAY + timedelta(days=7), "00:00"))
    assert [holder(reference) for reference in references] == ["GSI-07"] * 3
    assert len(recorded.taken_over) <= 3
    assert kept()


def test_what_has_run_out_is_no_promise_at_risk(two):
    take(TEN)
    hold_minutes = current_county().settings.booking.hold_minutes
    reference = book(two, TEN)
    later = NOW + (hold_minutes + 1) * MINUTE
    away(holder(reference), now=later)
    assert verify(now=later)[1] == []


def test_what_was_cancelled_is_no_promise_at_risk(two):
    one, other = book(two, TEN), book(two, TEN)
    cancel(two, one, by_staff=True)
    away(holder(other))
    assert kept()


def test_what_was_taken_over_can_be_moved(two):
    reference = book(two, TEN)
    away(holder(reference))
    assert move(two, reference, take(NINE)).place.start == NINE
    assert kept()


# --- Who is in a talk


def test_what_has_begun_is_finished_before_the_absence_begins(two):
    reference = book(two, TEN)
    ill = holder(reference)
    now = TEN + 5 * MINUTE
    recorded = away(ill, now=now)
    assert recorded.begin == promise_of(reference).visits[0].busy_until
    assert recorded.taken_over == ()
    assert holder(reference) == ill
    assert verify(now=now)[1] == []


def test_from_another_site_she_comes_back_first(app, county):
    replace_county(county=with_specialists(county, *BOTH))
    reference = bookers.book(app, local(WEDNESDAY, "10:30"))
    now = local(WEDNESDAY, "10:35")
    recorded = away(holder(reference), now=now)
    assert recorded.begin >= promise_of(reference).visits[0].busy_until + 48 * MINUTE
    assert verify(now=now)[1] == []


def test_an_absence_that_ends_before_she_is_back_is_refused(two):
    reference = book(two, TEN)
    with pytest.raises(Rejected) as refused:
        away(holder(reference), TEN, TEN + 15 * MINUTE, now=TEN + 5 * MINUTE)
    assert [m.code for m in refused.value.mistakes] == ["absence_during_visit"]


# --- Offers


def test_offers_know_it_at_once_and_holds_too(app, county):
    replace_county(county=with_specialists(county, "GSI-02"))
    assert TEN in starts(day=WEDNESDAY)
    recorded = away("GSI-02", TEN, ELEVEN)
    assert TEN not in starts(day=WEDNESDAY)
    with pytest.raises(PlaceTaken):
        take(TEN)
    delete_absence(number=recorded.number, unit=None, now=NOW)
    assert TEN in starts(day=WEDNESDAY)
    assert book(app, TEN)


def test_the_planner_knows_it_too(two):
    away("GSI-02")
    away("GSI-07", TEN, ELEVEN)
    inside = ask("GSI-FOLGE", sites=["NB-SOZ"], windows=[window(WEDNESDAY, "10:00", "11:00")])
    assert plan(two).promised == 0
    outside = ask("GSI-FOLGE", sites=["NB-SOZ"], windows=[window(WEDNESDAY, "13:30", "15:00")])
    assert plan(two).promised == 1
    assert promise_of(inside) is None
    assert holder(outside) == "GSI-07"
    assert kept()


def test_nothing_is_given_back_when_the_absence_is_deleted(two):
    reference = book(two, TEN)
    ill = holder(reference)
    recorded = away(ill)
    delete_absence(number=recorded.number, unit=None, now=NOW)
    assert holder(reference) == colleague_of(ill)
    with pytest.raises(NotFound):
        delete_absence(number=recorded.number, unit=None, now=NOW)


# --- The county


@pytest.mark.usefixtures("two")
def test_recorded_absences_stay_when_the_county_is_loaded_again(county):
    away("GSI-02", TEN, ELEVEN)
    smaller = with_specialists(county, *BOTH)
    wednesday = WEDNESDAY.isoformat()
    folder = Absence(
        "GSI-07", *(local(WEDNESDAY, clock).replace(tzinfo=None) for clock in ("14:00", "15:00"))
    )
    replace_county(county=replace(smaller, absences=(folder,)))
    assert [(a.specialist, a.begin.isoformat()) for a in current_county().absences] == [
        ("GSI-07", f"{wednesday}T14:00:00"),
        ("GSI-02", f"{wednesday}T10:00:00"),
    ]
    replace_county(county=smaller)
    assert [absence.specialist for absence in current_county().absences] == ["GSI-02"]


@pytest.mark.usefixtures("two")
def test_an_export_holds_them_and_loading_it_doubles_nothing(tmp_path):
    recorded = away("GSI-02", TEN + MINUTE, ELEVEN - MINUTE)
    exported = current_county()
    write_folder(exported, tmp_path / "county")
    replace_county(county=read_folder(tmp_path / "county"))
    assert current_county() == exported
    delete_absence(number=recorded.number, unit=None, now=NOW)
    assert current_county().absences == ()


@pytest.mark.usefixtures("two")
def test_those_of_a_specialist_who_is_gone_go_too(county):
    away("GSI-02")
    replace_county(county=with_specialists(county, "GSI-07"))
    assert current_county().absences == ()


@pytest.mark.usefixtures("two")
def test_what_means_nothing_is_refused():
    def codes(*words, **more):
        with pytest.raises(Rejected) as refused:
            away(*words, **more)
        return [(mistake.place, mistake.code) for mistake in refused.value.mistakes]

    before = everything()
    assert codes("GSI-99") == [("/specialist", "specialist_unknown")]
    assert codes("GSI-02", unit="ASD") == [("/specialist", "specialist_unknown")]
    assert codes("GSI-02", ELEVEN, TEN) == [("/to", "window_reversed")]
    assert codes("GSI-02", now=NOW + timedelta(days=9)) == [("/to", "window_past")]
    assert codes("GSI-02", NOW, NOW + timedelta(days=367)) == [("/to", "absence_too_long")]
    assert everything() == before


@pytest.mark.usefixtures("two")
def test_a_head_deletes_absences_of_her_own_unit_only():
    number = away("GSI-02", unit="GSI").number
    with pytest.raises(NotFound):
        delete_absence(number=number, unit="ASD", now=NOW)
    assert len(current_county().absences) == 1
    delete_absence(number=number, unit="GSI", now=NOW)
    assert current_county().absences == ()


# --- Races


@pytest.fixture
def one(app, county):
    """Basic income support has one specialist."""
    replace_county(county=with_specialists(county, "GSI-02"))
    return app


def test_a_hold_that_was_found_before_an_absence_is_not_written_after_it(one):
    assert TEN in starts(day=WEDNESDAY)
    assert raced(one, partial(take, TEN)) is PlaceTaken
    assert kept()


def test_of_two_absences_at_once_the_second_knows_the_first(two):
    reference = book(two, TEN)
    colleague = colleague_of(holder(reference))
    assert raced(two, partial(away, holder(reference)), absent=colleague) is PromisesAtRisk
    assert kept()


def raced(app, call, *, absent="GSI-02"):
    """What a call raises that waits for Wednesday while an absence of that day is recorded."""
    raised = []

    def run():
        with app.app_context():
            try:
                call()
            except (PlaceTaken, PromisesAtRisk) as error:
                raised.append(type(error))

    waiting = threading.Thread(target=run)
    record_under_the_lock(waiting, absent)
    waiting.join()
    return raised[0] if raised else None


@transactional
def record_under_the_lock(session, waiting, specialist):
    """What is recorded has been decided while somebody waits who has seen the county as it was."""
    row = lock_day(session, WEDNESDAY)
    waiting.start()
    waiting.join(0.5)
    assert waiting.is_alive()
    add_absence(session, specialist=specialist, begin=TEN, end=ELEVEN)
    row.version += 1
