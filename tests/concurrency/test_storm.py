"""A small storm: processes are killed while clients book, and whatever they were told is true afterwards."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from booking_service.store.db import db
from tests.concurrency.aftermath import complaints_about
from tests.concurrency.storm import Weather, storm

SMALL = Weather(operations=200, clients=8, web=2, workers=1, seed=1, kill=True)
PLANTED = {
    "UPDATE appointment SET status = 'expired' WHERE status = 'held'": "was told, and is gone",
    "UPDATE outbox SET state = 'waiting', due_at = give_up_at WHERE state = 'sent'": "is waiting",
    "UPDATE appointment SET site = 'NB-SOZ' WHERE site <> 'NB-SOZ'": "told Booked",
    (
        "UPDATE appointment SET reference = 'other' WHERE id = "
        "(SELECT min(id) FROM appointment WHERE status = 'confirmed' AND request_id IS NULL)"
    ): "and nobody was told",
    "UPDATE visit SET live = false": "nobody keeps it",
}


@pytest.mark.usefixtures("loaded")
def test_after_a_storm_with_kills_all_that_was_told_is_true_and_what_is_not_would_be_found(settings, county):
    tally = storm(settings, county, SMALL)
    assert tally.complaints == []
    assert tally.kills["web processes"]
    assert tally.outcomes["confirm", "201"]
    with db.engine.begin() as connection:
        for fault in PLANTED:
            assert connection.execute(text(fault)).rowcount, fault
    found = complaints_about(settings, tally.told, tally.said)
    assert [words for words in PLANTED.values() if not any(words in one for one in found)] == []
