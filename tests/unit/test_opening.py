"""When a unit can be met and when a specialist works."""

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest

from booking_service.domain import county as c
from booking_service.domain.opening import Calendar, DayHours, Obstacle, ObstacleKind, WorkSpan
from booking_service.store.county_folder import read_folder

EXAMPLE = read_folder(Path(__file__).parents[2] / "examples" / "mecklenburgische-seenplatte")
EMPTY = replace(
    EXAMPLE, hours=(), specialists=(), working_hours=(), absences=(), closures=(), services=(), variants=()
)
MONDAY, TUESDAY, CHRISTMAS_EVE = date(2027, 3, 1), date(2027, 3, 2), date(2027, 12, 24)
WOMENS_DAY = {date(2027, 3, 8): "Internationaler Frauentag"}
NO_HOURS = DayHours((), Obstacle(ObstacleKind.NO_HOURS))


def at(clock):
    hour, minute = clock.split(":")
    return int(hour) * 60 + int(minute)


def span(begin_end):
    begin, end = begin_end.split("-")
    return at(begin), at(end)


def row(begin_end, *, weekday=1, mode=c.Mode.ON_SITE, access=c.Access.APPOINTMENT, **rest):
    begin, end = span(begin_end)
    values = {
        "unit": "GSI",
        "site": "DM-BSC",
        "week_of_month": None,
        "valid_from": None,
        "valid_to": None,
    } | rest
    return c.Hours(
        mode=mode, access=access, weekday=weekday, begin=begin, end=end, status="", source="", **values
    )


def closure(**changes):
    values = {
        "code": "W9",
        "begin": MONDAY,
        "end": TUESDAY,
        "units": (),
        "sites": (),
        "channels": (),
        "stays_open": (),
        "exception_route": "",
        "reason": "",
        "public_text_de": "",
        "status": "",
        "source": "",
    }
    return c.Closure(**(values | changes))


def calendar(*rows, closures=(), holidays=None):
    return Calendar(replace(EMPTY, hours=rows, closures=closures), holidays or {})


def hours(
    calendar, day=MONDAY, *, unit="GSI", site="DM-BSC", mode=c.Mode.ON_SITE, access=c.Access.APPOINTMENT
):
    return calendar.hours(unit, site, mode, access, day)


def test_hours_hold_on_their_weekday_and_in_their_mode_only():
    monday = calendar(row("08:00-12:00"))
    assert hours(monday) == DayHours((span("08:00-12:00"),))
    assert hours(monday, TUESDAY) == NO_HOURS
    assert hours(monday, mode=c.Mode.VIDEO) == NO_HOURS
    assert hours(monday, access=c.Access.OPEN) == NO_HOURS
    assert hours(monday, site="NZ-BSC") == NO_HOURS
    assert hours(monday, unit="EGH") == NO_HOURS


def test_hours_that_adjoin_are_one_span_and_all_are_ascending():
    spans = hours(calendar(row("13:00-16:00"), row("10:00-12:00"), row("08:00-10:00"))).spans
    assert spans == (span("08:00-12:00"), span("13:00-16:00"))


def test_validity_includes_its_first_and_last_day():
    valid = calendar(row("08:00-12:00", valid_from=MONDAY, valid_to=date(2027, 3, 15)))
    open_on = [day for day in range(1, 32) if hours(valid, date(2027, 3, day)).spans]
    assert open_on == [1, 8, 15]
    assert hours(valid, date(2027, 2, 22)) == NO_HOURS


@pytest.mark.parametrize(("week", "day"), [(1, 1), (2, 8), (3, 15), (4, 22), (5, 29)])
def test_a_week_of_the_month_means_the_nth_such_weekday(week, day):
    nth = calendar(row("08:00-12:00", week_of_month=week))
    assert [d for d in range(1, 32) if hours(nth, date(2027, 3, d)).spans] == [day]


def test_a_holiday_is_named_where_there_would_be_hours():
    county = calendar(row("08:00-12:00"), holidays=WOMENS_DAY)
    assert hours(county, date(2027, 3, 8)) == DayHours(
        (), Obstacle(ObstacleKind.HOLIDAY, "Internationaler Frauentag")
    )
    assert hours(calendar(row("08:00-12:00", weekday=2), holidays=WOMENS_DAY), date(2027, 3, 8)) == NO_HOURS


def test_the_countys_closed_days_are_holidays_without_a_name():
    friday = calendar(row("08:00-12:00", weekday=5))
    assert hours(friday, CHRISTMAS_EVE) == DayHours((), Obstacle(ObstacleKind.HOLIDAY))
    assert friday.day_off(CHRISTMAS_EVE) == Obstacle(ObstacleKind.HOLIDAY)
    assert friday.day_off(MONDAY) is None


CLOSED = DayHours((), Obstacle(ObstacleKind.CLOSED, "W9"))
OPEN = DayHours((span("08:00-12:00"),))
AT_DEMMIN = c.Channel.IN_PERSON_APPOINTMENT


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, CLOSED),
        ({"begin": TUESDAY}, OPEN),
        ({"end": MONDAY}, CLOSED),
        ({"units": ("GSI",)}, CLOSED),
        ({"units": ("EGH",)}, OPEN),
        ({"sites": ("DM-BSC",)}, CLOSED),
        ({"sites": ("NZ-BSC",)}, OPEN),
        ({"channels": (AT_DEMMIN,)}, CLOSED),
        ({"channels": (c.Channel.IN_PERSON_OPEN, c.Channel.PHONE, c.Channel.VIDEO)}, OPEN),
        ({"stays_open": ("GSI",)}, OPEN),
        ({"stays_open": ("EGH",)}, CLOSED),
        ({"stays_open": ("GSI@DM-BSC",)}, OPEN),
        ({"stays_open": ("GSI@NZ-BSC",)}, CLOSED),
        ({"stays_open": ("in_person_appointment",)}, OPEN),
        ({"stays_open": ("phone",)}, CLOSED),
    ],
)
def test_a_closure_closes_what_it_names_and_leaves_its_exceptions_open(changes, expected):
    assert hours(calendar(row("08:00-12:00"), closures=(closure(**changes),))) == expected


@pytest.mark.parametrize(
    ("mode", "access", "channel"),
    [
        (c.Mode.ON_SITE, c.Access.APPOINTMENT, c.Channel.IN_PERSON_APPOINTMENT),
        (c.Mode.ON_SITE, c.Access.OPEN, c.Channel.IN_PERSON_OPEN),
        (c.Mode.PHONE, c.Access.APPOINTMENT, c.Channel.PHONE),
        (c.Mode.PHONE, c.Access.OPEN, c.Channel.PHONE),
        (c.Mode.VIDEO, c.Access.APPOINTMENT, c.Channel.VIDEO),
    ],
)
def test_each_way_of_meeting_belongs_to_one_channel(mode, access, channel):
    for closed in c.Channel:
        county = calendar(
            row("08:00-12:00", mode=mode, access=access), closures=(closure(channels=(closed,)),)
        )
        assert bool(hours(county, mode=mode, access=access).spans) == (closed is not channel)


def test_a_second_closure_closes_what_the_first_leaves_open():
    first, second = closure(code="A", stays_open=("GSI",)), closure(code="B", units=("GSI",))
    assert hours(calendar(row("08:00-12:00"), closures=(first, second))).obstacle == Obstacle(
        ObstacleKind.CLOSED, "B"
    )


def test_a_holiday_goes_before_a_closure():
    county = calendar(row("08:00-12:00"), closures=(closure(),), holidays={MONDAY: "Tag"})
    assert hours(county).obstacle == Obstacle(ObstacleKind.HOLIDAY, "Tag")


def test_the_service_centres_stay_open_while_the_offices_save_energy():
    county = Calendar(EXAMPLE, {})
    day = date(2022, 12, 28)
    assert hours(county, day, unit="BSC", access=c.Access.OPEN).spans
    assert hours(county, day).obstacle == Obstacle(ObstacleKind.CLOSED, "MSE-2022-12")


def test_phone_sites_are_those_with_hours_for_the_phone():
    county = Calendar(EXAMPLE, {})
    assert county.phone_sites("GSI") == ("NB-SOZ",)
    assert county.phone_sites("BUT") == ("NB-BSC", "DM-BSC", "WRN-BSC", "NZ-BSC")
    assert county.phone_sites("VKB") == ()


def work(begin_end, *breaks, weekday=1, valid_from=None, valid_to=None):
    begin, end = span(begin_end)
    return c.WorkingHours("GSI-01", weekday, begin, end, tuple(map(span, breaks)), valid_from, valid_to)


def away(begin, end):
    return c.Absence("GSI-01", datetime.fromisoformat(begin), datetime.fromisoformat(end))


def worked(*rows, absences=(), holidays=None, day=MONDAY, **specialist):
    person = replace(EXAMPLE.specialists[0], **specialist)
    county = replace(EMPTY, specialists=(person,), working_hours=rows, absences=absences)
    return [
        (f"{s.begin // 60:02d}:{s.begin % 60:02d}-{s.end // 60:02d}:{s.end % 60:02d}", s.breaks)
        for s in Calendar(county, holidays or {}).working_day("GSI-01", day)
    ]


LUNCH = "12:00-12:30"


def test_working_hours_hold_on_their_weekday_with_their_breaks():
    assert worked(work("08:00-16:00", LUNCH)) == [("08:00-16:00", (span(LUNCH),))]
    assert worked(work("08:00-16:00", LUNCH), day=TUESDAY) == []


def test_working_hours_hold_within_their_validity():
    old = work("08:00-16:00", valid_to=MONDAY)
    new = work("09:00-12:00", valid_from=TUESDAY)
    assert worked(old, new) == [("08:00-16:00", ())]
    assert worked(old, new, day=date(2027, 3, 8)) == [("09:00-12:00", ())]


def test_nobody_works_on_a_holiday_or_a_closed_day_or_outside_employment():
    day = work("08:00-16:00")
    assert worked(day, holidays={MONDAY: "Tag"}) == []
    assert worked(work("08:00-16:00", weekday=5), day=CHRISTMAS_EVE) == []
    assert worked(day, valid_from=TUESDAY) == []
    assert worked(day, valid_to=date(2027, 2, 28)) == []
    assert worked(day, valid_from=MONDAY, valid_to=MONDAY) == [("08:00-16:00", ())]


def test_spans_that_adjoin_are_one_stretch_of_work_and_others_are_two():
    assert worked(work("12:00-16:00"), work("08:00-12:00", "10:00-10:15")) == [
        ("08:00-16:00", (span("10:00-10:15"),))
    ]
    assert worked(work("08:00-12:00"), work("13:00-16:00")) == [("08:00-12:00", ()), ("13:00-16:00", ())]


@pytest.mark.parametrize(
    ("begin", "end", "expected"),
    [
        ("2027-03-01T09:00", "2027-03-01T10:00", [("08:00-09:00", ()), ("10:00-16:00", (span(LUNCH),))]),
        ("2027-03-01T13:00", "2027-03-01T18:00", [("08:00-13:00", (span(LUNCH),))]),
        ("2027-03-01T08:00", "2027-03-01T12:00", [("12:30-16:00", ())]),
        ("2027-03-01T12:15", "2027-03-01T14:00", [("08:00-12:00", ()), ("14:00-16:00", ())]),
        ("2027-03-01T12:10", "2027-03-01T12:20", [("08:00-12:00", ()), ("12:30-16:00", ())]),
        ("2027-02-20T00:00", "2027-03-02T00:00", []),
        ("2027-02-20T00:00", "2027-03-01T00:00", [("08:00-16:00", (span(LUNCH),))]),
        ("2027-03-02T00:00", "2027-03-05T00:00", [("08:00-16:00", (span(LUNCH),))]),
        ("2027-02-28T22:00", "2027-03-01T15:00", [("15:00-16:00", ())]),
        ("2027-03-01T15:00", "2027-03-08T00:00", [("08:00-15:00", (span(LUNCH),))]),
    ],
)
def test_an_absence_is_cut_out_of_the_day_and_its_breaks(begin, end, expected):
    assert worked(work("08:00-16:00", LUNCH), absences=(away(begin, end),)) == expected


def test_several_absences_may_overlap():
    absences = (away("2027-03-01T09:00", "2027-03-01T11:00"), away("2027-03-01T10:00", "2027-03-01T12:00"))
    assert worked(work("08:00-16:00"), absences=absences) == [("08:00-09:00", ()), ("12:00-16:00", ())]


def test_an_absence_off_the_tick_is_widened_to_it():
    absences = (away("2027-03-01T09:03", "2027-03-01T09:58"),)
    assert worked(work("08:00-16:00"), absences=absences) == [("08:00-09:00", ()), ("10:00-16:00", ())]


def test_a_stretch_neither_begins_nor_ends_with_a_break():
    assert worked(work("08:00-16:00", "08:00-08:15", "15:00-15:30", "15:30-16:00")) == [("08:15-15:00", ())]


def test_an_unknown_specialist_is_an_error_of_the_caller():
    with pytest.raises(KeyError):
        Calendar(EXAMPLE, {}).working_day("NOBODY", MONDAY)


def test_a_working_day_of_the_example_is_one_span_with_a_break():
    assert Calendar(EXAMPLE, {}).working_day("GSI-01", TUESDAY) == (
        WorkSpan(*span("08:00-18:00"), (span("12:00-13:00"),)),
    )
