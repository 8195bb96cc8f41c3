"""A planning run: what waits is promised as it was asked for, and what is promised stays as it was told."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
import time_machine
from sqlalchemy import func, select

from booking_service.domain.bookings import Contact, TimeWindow, Urgency
from booking_service.domain.county import Absence, Closure, Mode
from booking_service.services.county import replace_county
from booking_service.services.instances import open_problem
from booking_service.services.planning import DayPlan, apply_day, take_snapshot
from booking_service.services.witness import verify
from booking_service.store.booking_tables import OutboxRow
from booking_service.store.db import db
from tests.citizens import MONDAY, NOW, TUESDAY, WEDNESDAY, ask, local, window
from tests.promises import everything, plan, promise_of, promises, statuses, with_rules, with_specialists

TEN_MINUTES = timedelta(minutes=10)


def number_of_mails():
    try:
        return db.session.scalar(select(func.count()).select_from(OutboxRow))
    finally:
        db.session.remove()


# --- As it was asked for


def test_a_promise_lies_within_the_windows_and_at_the_site_that_were_asked_for(loaded):
    asked = window(WEDNESDAY, "09:00", "10:30")
    reference = ask("GSI-NEU", sites=["WRN-BSC"], windows=[asked])
    outcome = plan(loaded)
    assert (outcome.waiting, outcome.promised, outcome.mails, outcome.busy, outcome.stuck) == (
        1,
        1,
        1,
        [],
        [],
    )
    promised = promise_of(reference)
    assert (promised.mode, promised.site) == (Mode.ON_SITE, "WRN-BSC")
    assert asked.begin <= promised.start < promised.end <= asked.end
    assert statuses() == {reference: "promised"}
    assert verify(now=NOW) == (1, [])


def test_one_of_several_windows_is_taken(loaded):
    asked = [window(WEDNESDAY, "09:00", "09:10"), window(WEDNESDAY, "14:00", "14:20")]
    reference = ask("GSI-FOLGE", windows=asked)
    plan(loaded)
    assert promise_of(reference).start == local(WEDNESDAY, "14:00")


def test_a_window_that_is_not_on_the_grid_is_not_overstepped(loaded):
    asked = window(WEDNESDAY, "09:03", "09:47")
    reference = ask("GSI-FOLGE", windows=[asked])
    plan(loaded)
    promised = promise_of(reference)
    assert asked.begin <= promised.start < promised.end <= asked.end


def test_a_call_has_no_site_and_no_room(loaded):
    contact = Contact("Anna", None, "0395 123456")
    reference = ask("GSI-FOLGE", modes=[Mode.PHONE], sites=[], contact=contact)
    plan(loaded)
    promised = promise_of(reference)
    assert (promised.mode, promised.site, promised.visits[0].room) == (Mode.PHONE, None, None)


def test_video_takes_place_in_a_room_of_the_site(loaded):
    reference = ask("GSI-FOLGE", modes=[Mode.VIDEO], sites=["NZ-BSC"])
    plan(loaded)
    promised = promise_of(reference)
    assert (promised.mode, promised.site, promised.visits[0].room) == (Mode.VIDEO, "NZ-BSC", "NZ-BSC-1")


def test_the_specialist_speaks_the_language_that_was_asked_for(loaded, county):
    reference = ask("GSI-FOLGE", language="pl")
    plan(loaded)
    (specialist,) = promise_of(reference).specialists
    assert "pl" in next(s.languages for s in county.specialists if s.code == specialist)


def test_a_site_with_hours_on_one_wednesday_of_the_month_is_visited_on_that_day(loaded):
    reference = ask("GSI-FOLGE", sites=["FRI-SP"])
    plan(loaded)
    promised = promise_of(reference)
    assert promised.start.date() == date(2027, 1, 13)
    assert (
        local(date(2027, 1, 13), "09:00")
        <= promised.start
        < promised.end
        <= local(date(2027, 1, 13), "12:00")
    )


def test_what_is_kept_free_for_emergencies_is_not_planned_away(app, county):
    """With one specialist: her 11:00 to 11:45 is the emergencies'."""
    alone = with_specialists(county, "GSI-01")
    replace_county(county=alone)
    eleven = ask("GSI-FOLGE", sites=["NB-SOZ"], windows=[window(WEDNESDAY, "11:00", "11:45")])
    earlier = ask("GSI-FOLGE", sites=["NB-SOZ"], windows=[window(WEDNESDAY, "09:00", "11:45")])
    assert plan(app).promised == 1
    assert statuses() == {eleven: "waiting", earlier: "promised"}
    assert promise_of(earlier).visits[0].busy_until <= local(WEDNESDAY, "11:00")
    replace_county(county=replace(alone, contingents=()))
    assert plan(app).promised == 1
    assert statuses() == {eleven: "promised", earlier: "promised"}


def test_preparation_and_follow_up_are_the_specialists_own_and_not_the_citizens(loaded):
    reference = ask("GSI-NEU", sites=["NB-SOZ"], windows=[window(WEDNESDAY, "08:00", "08:45")])
    plan(loaded)
    promised = promise_of(reference)
    (visit,) = promised.visits
    assert (promised.start, promised.end) == (local(WEDNESDAY, "08:00"), local(WEDNESDAY, "08:45"))
    assert (visit.busy_from, visit.busy_until) == (local(WEDNESDAY, "07:55"), local(WEDNESDAY, "08:55"))


def test_a_room_is_not_used_again_before_the_follow_up_is_over(loaded):
    references = [ask("GSI-NEU", windows=[window(WEDNESDAY, "08:00", "12:00")]) for _ in range(3)]
    plan(loaded)
    visits = sorted((promise_of(r).visits[0] for r in references), key=lambda v: v.busy_from)
    assert [v.room for v in visits] == ["DM-BSC-1"] * 3
    assert all(one.busy_until <= other.busy_from for one, other in pairwise(visits))


def test_the_wish_is_kept_where_it_can_be(loaded):
    wishes = ["GSI-01", "GSI-04", "GSI-07"]
    references = [ask("GSI-FOLGE", sites=["NB-SOZ"], wish=wish) for wish in wishes]
    plan(loaded)
    assert [promise_of(r).specialists for r in references] == [[wish] for wish in wishes]


def test_a_wish_that_cannot_be_kept_costs_nobody_the_appointment(loaded, county):
    away = Absence("GSI-01", datetime(2027, 1, 4), datetime(2027, 3, 1))  # noqa: DTZ001 - local
    replace_county(county=replace(county, absences=(away,)))
    reference = ask("GSI-FOLGE", wish="GSI-01")
    plan(loaded)
    assert promise_of(reference).specialists not in ([], ["GSI-01"])


def test_two_services_with_one_specialist_are_one_visit_with_the_minutes_of_both(loaded):
    reference = ask("GSI-NEU", "GSI-FOLGE", sites=["NB-SOZ"])
    plan(loaded)
    (visit,) = promise_of(reference).visits
    assert visit.services == ("GSI-NEU", "GSI-FOLGE")
    assert visit.start - visit.busy_from == timedelta(minutes=5)
    assert visit.end - visit.start == timedelta(minutes=65)
    assert visit.busy_until - visit.end == timedelta(minutes=15)


def test_two_services_with_two_specialists_are_back_to_back_at_the_same_site(loaded):
    reference = ask("HZP", "EGH", sites=["NB-SOZ"])
    assert plan(loaded).promised == 1
    promised = promise_of(reference)
    first, second = promised.visits
    assert (first.services, second.services) == (("HZP",), ("EGH",))
    assert first.specialist.startswith("HZP")
    assert second.specialist.startswith("EGH")
    assert first.busy_until == second.busy_from
    assert (promised.start, promised.end) == (first.start, second.end)
    assert {first.room[:6], second.room[:6]} == {"NB-SOZ"}
    assert verify(now=NOW) == (2, [])


def test_the_urgent_comes_first_where_there_is_one_place_only(loaded, county):
    replace_county(county=with_specialists(county, "GSI-03"))
    asked = [window(WEDNESDAY, "09:00", "09:20")]
    normal = ask("GSI-FOLGE", windows=asked)
    urgent = ask("GSI-FOLGE", windows=asked, urgency=Urgency.URGENT)
    outcome = plan(loaded)
    assert statuses() == {normal: "waiting", urgent: "promised"}
    assert [unserved.reference for unserved in outcome.unserved] == [normal]


def test_a_request_for_days_beyond_the_horizon_waits(loaded):
    reference = ask("GSI-FOLGE", windows=[window(date(2027, 6, 1), "09:00", "12:00")])
    plan(loaded)
    assert statuses() == {reference: "waiting"}


def test_today_is_for_those_who_cannot_wait(loaded):
    emergency = ask("NOT", sites=["NB-SOZ"], urgency=Urgency.URGENT)
    other = ask("GSI-FOLGE", sites=["NB-SOZ"])
    plan(loaded, now=NOW)
    assert promise_of(emergency).start.date() == NOW.date()
    assert promise_of(other).start.date() == TUESDAY


def test_nobody_is_promised_a_time_for_which_it_is_too_late_to_prepare(loaded):
    noon = local(NOW.date(), "09:02")
    reference = ask("NOT", sites=["NB-SOZ"], now=noon)
    plan(loaded, now=noon)
    (visit,) = promise_of(reference).visits
    assert visit.busy_from > noon
    assert visit.start.date() == NOW.date()


# --- The calendar


MARCH = datetime(2027, 2, 22, 6, tzinfo=UTC)


@pytest.mark.parametrize(("state", "day"), [("MV", date(2027, 3, 9)), ("NI", date(2027, 3, 8))])
def test_the_eighth_of_march_is_a_holiday_in_mecklenburg_and_not_in_lower_saxony(loaded, county, state, day):
    replace_county(county=replace(county, settings=replace(county.settings, state=state)))
    asked = TimeWindow(local(date(2027, 3, 8), "09:00"), local(date(2027, 3, 9), "10:00"))
    reference = ask("GSI-FOLGE", windows=[asked], now=MARCH)
    plan(loaded, now=MARCH)
    assert promise_of(reference).start.date() == day


def test_the_day_before_christmas_is_closed(loaded):
    now = datetime(2027, 12, 13, 6, tzinfo=UTC)
    asked = TimeWindow(local(date(2027, 12, 24), "00:00"), local(date(2027, 12, 27), "10:00"))
    reference = ask("GSI-FOLGE", windows=[asked], now=now)
    plan(loaded, now=now)
    assert promise_of(reference).start.date() == date(2027, 12, 27)


def test_a_closure_that_came_after_the_request_is_respected(loaded, county):
    reference = ask("GSI-FOLGE", windows=[window(WEDNESDAY, "09:00", "10:00")])
    closed = Closure(
        "C-1", WEDNESDAY, WEDNESDAY, ("GSI",), (), (), (), "", "backlog", "Geschlossen.", "published", "test"
    )
    replace_county(county=replace(county, closures=(closed,)))
    plan(loaded)
    assert statuses() == {reference: "waiting"}


def test_who_is_absent_serves_nobody(loaded, county):
    few = with_specialists(county, "GSI-01", "GSI-03")
    away = Absence("GSI-01", datetime(2027, 1, 6, 9), datetime(2027, 1, 6, 10))  # noqa: DTZ001 - local
    replace_county(county=replace(few, absences=(away,)))
    references = [
        ask("GSI-FOLGE", sites=["NB-SOZ"], windows=[window(WEDNESDAY, "09:00", "09:30")]) for _ in range(2)
    ]
    plan(loaded)
    assert sorted(statuses().values()) == ["promised", "waiting"]
    (promised,) = [promise_of(r) for r in references if promise_of(r)]
    assert promised.specialists == ["GSI-03"]


@pytest.mark.parametrize(
    ("day", "utc"), [(date(2027, 3, 25), 8), (date(2027, 3, 30), 7)], ids=["winter time", "summer time"]
)
def test_nine_o_clock_is_nine_o_clock_before_and_after_the_clock_is_put_forward(loaded, day, utc):
    now = datetime(2027, 3, 15, 6, tzinfo=UTC)
    reference = ask("GSI-FOLGE", windows=[window(day, "09:00", "09:20")], now=now)
    plan(loaded, now=now)
    assert promise_of(reference).start == datetime(day.year, day.month, day.day, utc, tzinfo=UTC)
    assert verify(now=now) == (1, [])


# --- A promise is kept

PRICE_OF_THE_UNSERVED = 1000


def until_all_are_served(at):
    """Ends the search at the first plan that leaves nobody out, as Ctrl-C would."""
    if at.cost < PRICE_OF_THE_UNSERVED:
        raise KeyboardInterrupt


NINE = [window(WEDNESDAY, "09:00", "09:20")]


def test_a_promise_may_change_hands_and_nothing_that_the_citizen_was_told(loaded, county):
    replace_county(county=with_specialists(county, "GSI-01", "GSI-03"))
    first = ask("GSI-FOLGE", sites=["NB-SOZ"], windows=NINE, wish="GSI-01")
    plan(loaded)
    before = promise_of(first)
    assert before.specialists == ["GSI-01"]
    english = ask("GSI-FOLGE", sites=["NB-SOZ"], windows=NINE, language="en")
    outcome = plan(loaded, seconds=30.0, progress=until_all_are_served)
    assert (outcome.promised, outcome.reassigned, outcome.mails) == (1, 1, 1)
    after = promise_of(first)
    assert after.specialists == ["GSI-03"]
    assert after.told == before.told
    assert promise_of(english).specialists == ["GSI-01"]
    assert number_of_mails() == 2
    assert verify(now=NOW) == (2, [])


@pytest.mark.parametrize(("lead_days", "served"), [(0, True), (1, False)])
def test_the_first_days_are_not_planned_any_more(loaded, county, lead_days, served):
    replace_county(county=with_rules(county, lead_days=lead_days))
    reference = ask("GSI-FOLGE", windows=[window(MONDAY, "13:00", "15:00")])
    plan(loaded)
    assert (promise_of(reference) is not None) is served


@pytest.mark.parametrize(("publish_days", "served"), [(1, True), (2, False)])
def test_published_days_keep_their_specialists(loaded, county, publish_days, served):
    few = with_specialists(county, "GSI-01", "GSI-03")
    replace_county(county=with_rules(few, publish_days=publish_days))
    first = ask("GSI-FOLGE", sites=["NB-SOZ"], windows=NINE, wish="GSI-01")
    plan(loaded)
    now = local(TUESDAY, "06:00")
    asked = [window(WEDNESDAY, "09:00", "09:30")]
    emergency = ask("NOT", sites=["NB-SOZ"], windows=asked, language="en", urgency=Urgency.URGENT, now=now)
    plan(loaded, now=now, seconds=30.0 if served else 1.5, progress=until_all_are_served)
    assert (promise_of(emergency) is not None) is served
    assert promise_of(first).specialists == (["GSI-03"] if served else ["GSI-01"])


def test_a_day_whose_promises_cannot_be_kept_any_more_is_reported_and_left_alone(loaded, county):
    few = with_specialists(county, "GSI-01", "GSI-03")
    replace_county(county=few)
    first = ask("GSI-FOLGE", sites=["NB-SOZ"], windows=NINE, language="en")
    plan(loaded)
    before = promise_of(first)
    gone = tuple(replace(s, valid_to=TUESDAY) if s.code == "GSI-01" else s for s in few.specialists)
    replace_county(county=replace(few, specialists=gone))
    same_day = ask("GSI-FOLGE", sites=["NB-SOZ"], windows=[window(WEDNESDAY, "10:00", "10:20")])
    other_day = ask("GSI-FOLGE", sites=["NB-SOZ"], windows=[window(date(2027, 1, 7), "10:00", "10:20")])
    outcome = plan(loaded)
    assert outcome.stuck == [WEDNESDAY]
    assert promise_of(first) == before
    assert statuses() == {first: "promised", same_day: "waiting", other_day: "promised"}


def test_the_second_run_has_nothing_to_do(loaded):
    with time_machine.travel(NOW, tick=False):
        for _ in range(5):
            ask("GSI-NEU")
        runner = loaded.test_cli_runner()
        first = runner.invoke(args=["plan", "--seconds", "0.1"])
        assert first.exit_code == 0
        assert "5 waited, 5 promised, 0 reassigned, 5 mails written" in first.stdout
        before = everything()
        second = runner.invoke(args=["plan", "--seconds", "0.1"])
    assert second.exit_code == 0
    assert "0 waited, 0 promised, 0 reassigned, 0 mails written" in second.stdout
    assert everything() == before


def test_a_longer_search_keeps_what_was_promised_too(loaded):
    references = [ask("GSI-NEU", sites=["DM-BSC", "NZ-BSC"]) for _ in range(6)]
    plan(loaded)
    told = {reference: promise_of(reference).told for reference in references}
    later = [ask("HZP", sites=["DM-BSC"]) for _ in range(4)]
    outcome = plan(loaded, seconds=1.5)
    assert (outcome.promised, outcome.stuck, outcome.busy) == (4, [], [])
    assert {reference: promise_of(reference).told for reference in references} == told
    assert set(promises()) == {*references, *later}
    assert verify(now=NOW) == (10, [])


# --- Others are at work too


def in_the_middle(action):
    """Something that happens once, while the run searches."""
    done = []

    def progress(_at):
        if not done:
            done.append(True)
            action()

    return progress


def test_a_run_that_another_one_has_overtaken_finds_nothing_left_to_do(loaded):
    references = [ask("GSI-NEU") for _ in range(3)]
    outcome = plan(loaded, progress=in_the_middle(lambda: plan(loaded)))
    assert (outcome.promised, outcome.mails, outcome.unserved, outcome.busy) == (0, 0, [], [])
    assert set(promises()) == set(references)
    assert number_of_mails() == 3


def test_a_day_that_somebody_has_changed_during_the_search_is_planned_again(loaded, county):
    replace_county(county=with_specialists(county, "GSI-03"))
    first = []

    def somebody_else_is_faster():
        first.append(ask("GSI-FOLGE", windows=NINE, urgency=Urgency.URGENT))
        plan(loaded)

    slow = ask("GSI-FOLGE", windows=[window(WEDNESDAY, "09:00", "09:45")], wish="GSI-03")
    plan(loaded, progress=in_the_middle(somebody_else_is_faster))
    assert set(promises()) == {slow, *first}
    assert promise_of(slow).start >= local(WEDNESDAY, "09:25")
    assert verify(now=NOW) == (2, [])


def test_a_place_that_somebody_else_took_during_the_search_is_not_given_away_twice(loaded, county):
    replace_county(county=with_specialists(county, "GSI-03"))
    fast = []

    def somebody_else_is_faster():
        fast.append(ask("GSI-FOLGE", windows=NINE, urgency=Urgency.URGENT))
        plan(loaded)

    slow = ask("GSI-FOLGE", windows=NINE)
    outcome = plan(loaded, progress=in_the_middle(somebody_else_is_faster))
    assert outcome.busy == []
    assert statuses() == {slow: "waiting", fast[0]: "promised"}
    assert verify(now=NOW) == (1, [])


def test_two_specialists_can_swap_what_they_do_at_the_same_time(loaded):
    people = ["GSI-01", "GSI-03"]
    references = [ask("GSI-FOLGE", sites=["NB-SOZ"], windows=NINE, wish=person) for person in people]
    plan(loaded)
    snapshot = take_snapshot(now=NOW)
    swapped = {p.visit_id: next(x for x in people if x != p.specialist) for p in snapshot.promised}
    apply_day(
        day_plan=DayPlan(WEDNESDAY, swapped, {}),
        draft=open_problem(snapshot.county, snapshot.calendar, snapshot.promised, (), lambda _: (), NOW),
        snapshot=snapshot,
        links=loaded.extensions["links"],
        now=NOW,
    )
    assert [promise_of(reference).specialists for reference in references] == [["GSI-03"], ["GSI-01"]]
    assert verify(now=NOW) == (2, [])


def test_a_county_that_was_loaded_during_the_search_counts(loaded, county):
    few = with_specialists(county, "GSI-01", "GSI-03")
    replace_county(county=few)
    away = Absence("GSI-01", datetime(2027, 1, 4), datetime(2027, 3, 1))  # noqa: DTZ001 - local
    reference = ask("GSI-FOLGE", wish="GSI-01")
    plan(
        loaded,
        progress=in_the_middle(lambda: replace_county(county=replace(few, absences=(away,)))),
    )
    assert promise_of(reference).specialists == ["GSI-03"]
    assert verify(now=NOW) == (1, [])


def test_runs_at_the_same_time_promise_everything_once(loaded):
    references = {ask("GSI-NEU", sites=["DM-BSC", "NB-SOZ"]) for _ in range(12)}
    start = threading.Barrier(3)
    outcomes = []

    def run():
        with loaded.app_context():
            start.wait()
            outcomes.append(plan(loaded))

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(outcome.promised for outcome in outcomes) == 12
    assert [outcome.busy for outcome in outcomes] == [[], [], []]
    assert set(promises()) == references
    assert number_of_mails() == 12
    assert verify(now=NOW) == (12, [])
