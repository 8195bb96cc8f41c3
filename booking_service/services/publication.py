"""Which days are published: their plan stands, and nobody is given another's visit behind the scenes.

Only an absence changes such a day. The planner, the offers and the improving of days all ask here.
"""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from booking_service.services.calendar import calendar_of, is_working_day

if TYPE_CHECKING:
    from datetime import date

    from booking_service.domain.county import County

FARTHEST = 400


@lru_cache(maxsize=64)
def first_unpublished(county: County, today: date) -> date:
    """The first day that is not published: `publish_days` working days after today.

    In a county where nobody works it lies beyond all that can be booked.
    """
    farthest = today + timedelta(days=FARTHEST)
    calendar = calendar_of(county, today, farthest)
    later = (today + timedelta(days=n) for n in range(1, FARTHEST))
    working = (day for day in later if is_working_day(county, calendar, day))
    return next(islice(working, county.settings.planning.publish_days - 1, None), farthest)
