"""Who has a token: remembered for some seconds, and never for longer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import delete

from booking_service.domain.bookings import Role
from booking_service.services.tokens import REMEMBERED, KnownCallers, create_token
from booking_service.store.booking_tables import TokenRow
from booking_service.store.db import transactional
from tests.citizens import NOW

pytestmark = pytest.mark.usefixtures("loaded")


@transactional
def take_all_away(session):
    session.execute(delete(TokenRow))


def test_who_has_a_token_is_known_by_role_and_site(county):
    site = county.sites[0].code
    token = create_token(role=Role.DESK, site=site, unit=None, now=NOW)
    callers = KnownCallers()
    found = callers.caller_of(token=token, now=NOW)
    assert (found.role, found.site, found.is_staff) == (Role.DESK, site, True)
    assert callers.caller_of(token=token, now=NOW) == found
    assert KnownCallers().caller_of(token=token, now=NOW) == found


def test_a_token_that_is_taken_away_opens_nothing_after_a_few_seconds():
    token = create_token(role=Role.PORTAL, site=None, unit=None, now=NOW)
    callers = KnownCallers()
    known = callers.caller_of(token=token, now=NOW)
    take_all_away()
    assert callers.caller_of(token=token, now=NOW + REMEMBERED / 2) == known
    assert callers.caller_of(token=token, now=NOW + REMEMBERED) is None
    assert callers.caller_of(token=token, now=NOW) is None
    assert timedelta(seconds=10) >= REMEMBERED


def test_being_asked_again_and_again_makes_no_token_last_longer():
    token = create_token(role=Role.PORTAL, site=None, unit=None, now=NOW)
    callers = KnownCallers()
    callers.caller_of(token=token, now=NOW)
    take_all_away()
    for part in (0.3, 0.6, 0.9):
        assert callers.caller_of(token=token, now=NOW + part * REMEMBERED) is not None
    assert callers.caller_of(token=token, now=NOW + 1.1 * REMEMBERED) is None


def test_an_unknown_token_is_nobodys_however_often_it_comes():
    callers, guessed = KnownCallers(), "guessed"
    assert [callers.caller_of(token=guessed, now=NOW) for _ in range(2)] == [None, None]
