"""The timetable of the worker: what runs when, by the county's own clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from booking_service.services.county import replace_county
from tests.citizens import BERLIN, ask
from tests.promises import statuses, with_rules

SUMMER = date(2027, 7, 6)
WINTER = date(2027, 1, 5)


def run_due_tasks(app, moment, *names):
    """What the worker does when the clock shows this moment: all tasks, or those of these names."""
    huey = app.extensions["huey"]
    for task in huey.read_periodic(moment.replace(tzinfo=None)):
        if not names or task.name in names:
            task.execute()


@pytest.mark.parametrize("day", [SUMMER, WINTER])
def test_the_plan_is_made_at_three_at_night_by_the_clock_of_the_county(loaded, county, day):
    replace_county(county=with_rules(county, seconds=1))
    evening = datetime(day.year, day.month, day.day, 18, tzinfo=UTC)
    reference = ask("GSI-FOLGE", now=evening)
    waited = []
    for minutes in range(0, 24 * 60, 20):
        moment = evening + timedelta(minutes=minutes)
        with time_machine.travel(moment):
            run_due_tasks(loaded, moment, "plan_nightly")
        if statuses()[reference] == "promised":
            break
        waited.append(moment)
    assert moment.astimezone(BERLIN).strftime("%H:%M") == "03:00"
    assert waited[-1] == moment - timedelta(minutes=20)


def test_every_minute_mails_are_sent_places_swept_and_days_improved(loaded):
    names = {task.name for task in loaded.extensions["huey"].read_periodic(datetime(2027, 1, 5, 9, 17))}  # noqa: DTZ001 - as the queue has it
    assert names == {"send", "sweep_places", "improve_days"}
