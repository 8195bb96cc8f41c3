"""Which days are published: counted in working days of the county, from today."""

from dataclasses import replace
from datetime import date

import pytest

from booking_service.services.publication import first_unpublished
from tests.promises import with_rules, with_specialists


@pytest.mark.parametrize(
    ("today", "publish_days", "first"),
    [
        (date(2027, 1, 4), 1, date(2027, 1, 5)),
        (date(2027, 1, 4), 2, date(2027, 1, 6)),
        (date(2027, 1, 7), 2, date(2027, 1, 11)),  # over a weekend
        (date(2027, 1, 9), 1, date(2027, 1, 11)),  # on a Saturday
        (date(2026, 12, 23), 2, date(2026, 12, 29)),  # closed on the 24th, then Christmas and a weekend
    ],
)
def test_as_many_working_days_as_the_county_says_are_published(county, today, publish_days, first):
    assert first_unpublished(with_rules(county, publish_days=publish_days), today) == first


def test_a_day_on_which_nobody_works_does_not_count(county):
    alone = with_specialists(county, "GSI-01")
    mondays = replace(alone, working_hours=tuple(w for w in alone.working_hours if w.weekday == 1))
    assert first_unpublished(with_rules(mondays, publish_days=2), date(2027, 1, 4)) == date(2027, 1, 18)


def test_where_nobody_works_nothing_that_can_be_booked_changes_hands(county):
    nobody = with_specialists(county)
    longest = max(service.horizon_days for service in county.services)
    assert (first_unpublished(nobody, date(2027, 1, 4)) - date(2027, 1, 4)).days > longest
