"""What is named to those who come too late: the nearest starts of all that can be had."""

from __future__ import annotations

from datetime import timedelta

import pytest

from booking_service.domain.county import Mode
from booking_service.services import holds
from booking_service.services.county import replace_county
from booking_service.services.holds import ALTERNATIVES
from booking_service.services.places import PlaceTaken
from tests.bookers import question, starts, take
from tests.citizens import NOW, SUNDAY, WEDNESDAY, local
from tests.promises import with_specialists

SITES = ["NB-SOZ"]
TEN = local(WEDNESDAY, "10:00")


def nearest(start):
    """Of all starts of five weeks, at the same place."""
    days = [WEDNESDAY + timedelta(days=n) for n in range(-7, 28)]
    every = [one for day in days for one in starts(day=day, sites=SITES)]
    return sorted(every, key=lambda one: (abs(one - start), one))[:ALTERNATIVES]


def test_who_comes_too_late_is_told_the_nearest_starts(loaded, county):
    assert loaded
    replace_county(county=with_specialists(county, "GSI-05"))
    take(TEN, sites=SITES)
    with pytest.raises(PlaceTaken) as taken:
        take(TEN, sites=SITES)
    assert [place.start for place in taken.value.alternatives] == nearest(TEN)


@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize("clock", ["00:30", "10:00", "23:30"])
@pytest.mark.parametrize("day", [WEDNESDAY, SUNDAY])
def test_the_nearest_may_be_on_other_days(county, day, clock):
    replace_county(county=with_specialists(county, "GSI-05"))
    start = local(day, clock)
    choice = holds.Choice(question(sites=SITES, modes=[Mode.ON_SITE]), start)
    assert [place.start for place in holds.alternatives(choice=choice, now=NOW)] == nearest(start)
