"""Forty people click the same start at the same moment: one gets it, the others hear what else there is."""

from __future__ import annotations

from random import Random

import pytest

from booking_service.services.county import replace_county
from tests.concurrency.race import (
    DESKS,
    DESKS_AT,
    SITE,
    confirm_at_once,
    new_token,
    race,
    refuse_violations,
    starts_of,
    try_alternatives,
    wish,
    with_desks,
)
from tests.servers import Client, deployed

PEOPLE = 40
CONFIRMATIONS = 10
ROUNDS = 2


@pytest.mark.parametrize("web", [1, 2, 4])
@pytest.mark.usefixtures("loaded")
def test_one_of_forty_gets_the_place_and_the_others_can_have_what_they_are_told(settings, web):
    with deployed(settings, web=web) as running, Client(running.url, new_token()) as client:
        token = new_token()
        first_of_days = {start[:10]: start for start in reversed(list(starts_of(client, SITE)))}
        for start in sorted(first_of_days.values())[:ROUNDS]:
            found = race(running.url, token, wish(start), PEOPLE, places=1)
            assert all(place["start"] != start for place in found.alternatives if place["site"] == SITE)
            assert try_alternatives(client, found.alternatives, Random(1))
            confirm_at_once(running.url, token, found.won[0]["hold"], CONFIRMATIONS)
    refuse_violations()


@pytest.mark.usefixtures("app")
def test_twenty_desks_are_given_to_twenty_of_forty(settings, county):
    replace_county(county=with_desks(county))
    with deployed(settings, web=2) as running, Client(running.url, new_token()) as client:
        start = next(starts_of(client, DESKS_AT))
        found = race(running.url, new_token(), wish(start, DESKS_AT), PEOPLE, places=DESKS)
        assert try_alternatives(client, found.alternatives, Random(1))
    refuse_violations()
