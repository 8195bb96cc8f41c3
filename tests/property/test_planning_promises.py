"""Whatever citizens ask for, in whatever order runs come: promises keep to what was asked, and are kept."""

from __future__ import annotations

import shutil
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from booking_service.app import create_app
from booking_service.domain.bookings import Contact, Urgency
from booking_service.domain.county import Mode
from booking_service.domain.mistakes import Rejected
from booking_service.services.county import replace_county
from booking_service.services.witness import verify
from booking_service.store.db import db
from tests.citizens import BERLIN, NOW, ask, wanted, window
from tests.conftest import make_settings
from tests.promises import plan, promises, with_rules, with_specialists

FEW = ("GSI-01", "GSI-03", "HZP-01", "EGH-03", "BUT-01", "BUT-04")
CALLER = Contact("Anna", "anna@buergerin.example", "0395 123456")

windows = st.builds(
    lambda day, begin, minutes: window(
        NOW.date() + timedelta(days=day),
        f"{begin // 60:02}:{begin % 60:02}",
        f"{(begin + minutes) // 60:02}:{(begin + minutes) % 60:02}",
    ),
    st.integers(0, 4),
    st.integers(7 * 60, 16 * 60),
    st.integers(10, 300),
)
wishes = st.builds(
    lambda services, sites, modes, windows, language, urgency, wish: wanted(
        *services, sites=sites, modes=modes, windows=windows, language=language, urgency=urgency, wish=wish
    ),
    st.lists(
        st.sampled_from(["GSI-NEU", "GSI-FOLGE", "NOT", "HZP", "EGH", "BUT"]),
        min_size=1,
        max_size=2,
        unique=True,
    ),
    st.lists(st.sampled_from(["DM-BSC", "NB-SOZ", "NB-BSC", "NZ-BSC"]), min_size=1, max_size=2, unique=True),
    st.lists(st.sampled_from(list(Mode)), min_size=1, max_size=2, unique=True),
    st.lists(windows, max_size=2),
    st.sampled_from([None, None, None, "en"]),
    st.sampled_from(list(Urgency)),
    st.sampled_from([None, None, *FEW]),
)
runs = st.lists(st.lists(wishes, min_size=1, max_size=6), min_size=1, max_size=3)


@pytest.fixture
def fresh(sqlite_template, tmp_path, county):
    """Makes a new database for each example, with few specialists and few days: places are scarce."""
    small = with_rules(with_specialists(county, *FEW), horizon_days=5)
    app = create_app(make_settings(tmp_path))

    def begin():
        with app.app_context():
            db.session.remove()
            db.engine.dispose()
        for old in tmp_path.glob("test.db*"):
            old.unlink()
        shutil.copy(sqlite_template, tmp_path / "test.db")
        with app.app_context():
            replace_county(county=small)
        return app

    yield begin
    with app.app_context():
        db.engine.dispose()


def was_asked(asked, promised):
    """Whether a promise is one of the ways and times that were asked for."""
    place = promised.site is None if promised.mode is Mode.PHONE else promised.site in asked.sites
    suits = not asked.windows or any(
        w.begin <= promised.start and promised.end <= w.end for w in asked.windows
    )
    served = {code for visit in promised.visits for code in visit.services}
    return place and suits and promised.mode in asked.modes and served == set(asked.services)


@given(runs=runs)
@settings(
    max_examples=25,
    deadline=None,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
def test_promises_are_what_was_asked_for_and_later_runs_change_nothing_that_was_told(fresh, runs):
    app = fresh()
    with app.app_context():
        asked, told, now = {}, {}, NOW
        for requests in runs:
            for request in requests:
                try:
                    asked[ask_for(request, now)] = request
                except Rejected:
                    continue
            outcome = plan(app, now=now)
            found = promises()
            assert outcome.stuck == []
            assert all(was_asked(asked[reference], promised) for reference, promised in found.items())
            assert all(
                promised.start.astimezone(BERLIN) > now for r, promised in found.items() if r not in told
            )
            assert {reference: found[reference].told for reference in told} == told
            assert verify(now=now)[1] == []
            told = {reference: promised.told for reference, promised in found.items()}
            now += timedelta(hours=7)


def ask_for(request, now):
    """The request, as the service takes it."""
    return ask(
        *request.services,
        contact=CALLER,
        now=now,
        sites=request.sites,
        modes=request.modes,
        windows=request.windows,
        language=request.language,
        urgency=request.urgency,
        wish=request.wish,
    )
