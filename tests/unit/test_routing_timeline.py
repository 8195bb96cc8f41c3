"""What fits into a specialist's day and into the rooms of a site."""

from routing import Rooms, Shift
from routing.timeline import (
    Duty,
    RoomBook,
    Stop,
    earliest_arrival,
    latest_departure,
    run_starts,
    span_mask,
    ticks_of,
)

TRAVEL = {"NB": {"NB": 0, "DM": 48}, "DM": {"NB": 50, "DM": 0}}


def duty(*shifts, travel=None, limit=None):
    return Duty("NB", shifts or (Shift(0, 480, 720),), travel or TRAVEL, limit, 5)


def minutes(mask):
    return [tick * 5 for tick in ticks_of(mask)]


def test_starts_are_where_enough_ticks_follow_each_other():
    mask = span_mask(2, 6) | span_mask(8, 9)
    assert ticks_of(run_starts(mask, 3)) == [2, 3]
    assert ticks_of(run_starts(mask, 1)) == [2, 3, 4, 5, 8]
    assert run_starts(mask, 5) == 0


def test_a_way_is_travelled_in_one_stretch_between_the_breaks():
    shift = Shift(0, 480, 720, ((500, 510), (550, 560)))
    assert earliest_arrival(shift, 480, 20) == 500
    assert earliest_arrival(shift, 480, 21) == 531
    assert earliest_arrival(shift, 480, 48) == 608
    assert latest_departure(shift, 720, 160) == 560
    assert latest_departure(shift, 600, 41) == 459
    assert earliest_arrival(shift, 505, 0) == 505


def test_on_an_empty_day_a_visit_away_leaves_time_for_both_ways():
    ((extra, mask),) = duty().day().fits("DM", 30)
    assert extra == 98
    starts = minutes(mask)
    assert (starts[0], starts[-1]) == (530, 640)


def test_breaks_take_time_from_visits_and_ways():
    pausing = duty(Shift(0, 480, 720, ((500, 510),)))
    assert minutes(pausing.day().starts(None, 20))[:3] == [480, 510, 515]
    assert minutes(pausing.day().starts("DM", 30))[0] == 560


def test_a_stop_where_she_is_anyway_costs_no_travel():
    day = duty().day([Stop(530, 560, "DM", "v1")])
    assert day.travelled == 98
    (nothing_more, at_demmin), *others = day.fits("DM", 30)
    assert nothing_more == 0
    assert minutes(at_demmin)[0] == 560
    assert others == []
    assert minutes(day.starts("NB", 30)) == [610 + 5 * n for n in range(17)]


def test_the_limit_of_travel_counts_all_shifts():
    twice = duty(Shift(0, 480, 720), Shift(0, 720, 960), limit=100)
    day = twice.day([Stop(530, 560, "DM", "v1")])
    assert max(minutes(day.starts("DM", 30))) < 720
    assert twice.day([Stop(530, 560, "DM", "v1"), Stop(770, 800, "DM", "v2")]) is None


def test_a_day_that_breaks_a_rule_is_none():
    assert duty().day([Stop(480, 510, "DM", "v1")]) is None
    assert duty().day([Stop(480, 510, "NB", "v1"), Stop(505, 535, "NB", "v2")]) is None
    assert duty().day([Stop(700, 730, "NB", "v1")]) is None
    assert duty().day([Stop(482, 512, "NB", "v1")]) is None


def test_taking_out_a_stop_that_shortened_the_way_is_refused():
    """Without the triangle inequality the direct way may be longer than the one over another place."""
    travel = {a: {b: 0 if a == b else 5 for b in "ABC"} for a in "ABC"}
    travel["A"]["C"] = 100
    day = Duty("A", [Shift(0, 480, 560)], travel, None, 5).day(
        [Stop(485, 495, "B", "v1"), Stop(500, 510, "C", "v2")]
    )
    assert day.travelled == 15
    assert day.without({"v1"}) is None
    assert day.without({"v1", "v2"}).travelled == 0


def test_a_longer_day_is_the_day_made_at_once():
    first, second, third = (
        Stop(480, 500, "NB", "v1"),
        Stop(550, 570, "DM", "v2"),
        Stop(640, 650, "NB", "v3"),
    )
    grown = duty().day([first, third]).with_stop(second)
    whole = duty().day([first, second, third])
    assert (grown.tours, grown.travelled) == (whole.tours, whole.travelled)


def test_rooms_are_taken_and_given_back_one_by_one():
    book = RoomBook.of([Rooms(0, 480, 500, 2), Rooms(0, 500, 510, 1)], 5, 10)
    taken = span_mask(97, 101)
    once, twice = book.taken(taken), book.taken(taken).taken(span_mask(97, 99))
    assert [book.free(tick) for tick in range(95, 103)] == [0, 2, 2, 2, 2, 1, 1, 0]
    assert [once.free(tick) for tick in range(96, 102)] == [2, 1, 1, 1, 0, 1]
    assert ticks_of(twice.starts(1)) == [96, 99, 101]
    back = twice.given_back(span_mask(97, 99)).given_back(taken)
    assert [back.free(tick) for tick in range(95, 103)] == [0, 2, 2, 2, 2, 1, 1, 0]
    assert book.changes() == [96, 100, 102]
