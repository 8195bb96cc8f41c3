"""The database itself refuses that a specialist or a room is taken twice, whatever the code does."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, StatementError

from booking_service.store.db import db

pytestmark = pytest.mark.usefixtures("loaded")

NINE = datetime(2027, 1, 12, 8, 0, tzinfo=UTC)

APPOINTMENT = """
INSERT INTO appointment (id, reference, status, mode, site, start_at, end_at, needs, uid, sequence,
                         created_at, revised_at)
VALUES (:id, :reference, 'confirmed', 'on_site', 'DM-BSC', :start, :end, '[]', :reference, 0, :start, :start)
"""
VISIT = """
INSERT INTO visit (id, appointment_id, position, day, mode, site, start_at, end_at, busy_from, busy_until,
                   specialist_id, room_id, live)
VALUES (:id, :id, 0, :day, 'on_site', 'DM-BSC', :start, :end, :start, :end, :specialist, :room, :live)
"""


def stored(moment: datetime) -> str | datetime:
    """An instant as the engine at hand stores it."""
    return f"{moment:%Y-%m-%d %H:%M:%S.%f}" if db.engine.dialect.name == "sqlite" else moment


CALL = """
INSERT INTO visit (id, appointment_id, position, day, mode, site, start_at, end_at, busy_from, busy_until,
                   specialist_id, room_id, live)
VALUES (:id, :id, 0, :day, 'phone', NULL, :start, :end, :start, :end, :specialist, :room, :live)
"""


def add_visit(number, start, *, minutes=30, specialist=1, room=1, live=True):
    """Plain SQL, past all of the application's code."""
    times = {"start": stored(start), "end": stored(start + timedelta(minutes=minutes))}
    with db.engine.begin() as connection:
        connection.execute(text(APPOINTMENT), {"id": number, "reference": f"R{number}", **times})
        connection.execute(
            text(VISIT if room else CALL),
            {
                "id": number,
                "day": date(2027, 1, 12).isoformat()
                if db.engine.dialect.name == "sqlite"
                else date(2027, 1, 12),
                "specialist": specialist,
                "room": room,
                "live": live,
                **times,
            },
        )


def test_a_specialist_cannot_be_at_two_visits_at_once():
    add_visit(1, NINE, room=1)
    with pytest.raises(DBAPIError, match="ex_visit_specialist"):
        add_visit(2, NINE + timedelta(minutes=29), room=2)


def test_a_room_cannot_be_used_by_two_visits_at_once():
    add_visit(1, NINE, specialist=1)
    with pytest.raises(DBAPIError, match="ex_visit_room"):
        add_visit(2, NINE - timedelta(minutes=15), specialist=2)


def test_a_visit_inside_a_longer_one_is_refused():
    add_visit(1, NINE, minutes=90, room=1)
    with pytest.raises(DBAPIError, match="ex_visit_specialist"):
        add_visit(2, NINE + timedelta(minutes=30), room=2)


def test_visits_that_touch_are_no_overlap():
    add_visit(1, NINE)
    add_visit(2, NINE + timedelta(minutes=30))


def test_calls_need_no_room_and_take_nobodys():
    add_visit(1, NINE, specialist=1, room=1)
    add_visit(2, NINE, specialist=2, room=None)
    add_visit(3, NINE, specialist=3, room=None)
    with pytest.raises(DBAPIError, match="ex_visit_specialist"):
        add_visit(4, NINE, specialist=1, room=None)


def test_a_visit_that_is_no_longer_live_is_in_nobodys_way():
    add_visit(1, NINE, live=False)
    add_visit(2, NINE)


@pytest.mark.parametrize("change", ["live = true", "busy_from = :earlier", "specialist_id = 1"])
def test_a_change_cannot_bring_an_overlap_about_either(change):
    add_visit(1, NINE, room=1)
    add_visit(
        2,
        NINE + timedelta(minutes=0 if "live" in change or "specialist" in change else 30),
        room=2,
        specialist=2 if "specialist" in change else 1,
        live="live" not in change,
    )
    bound = {"earlier": stored(NINE)} if "earlier" in change else {}
    with pytest.raises(DBAPIError, match="ex_visit_specialist"), db.engine.begin() as connection:
        connection.execute(text(f"UPDATE visit SET {change} WHERE id = 2"), bound)


def test_sqlite_takes_instants_in_one_form_only_since_it_compares_them_as_text():
    if db.engine.dialect.name != "sqlite":
        return
    add_visit(1, NINE)
    with pytest.raises(DBAPIError, match="visit_instants"), db.engine.begin() as connection:
        connection.execute(text("UPDATE visit SET busy_until = '2027-01-12T08:30:00Z'"))


def test_a_time_without_a_zone_never_reaches_the_database():
    with pytest.raises(StatementError, match="no zone"):
        db.session.execute(
            db.metadata.tables["visit"].update().values(busy_from=datetime(2027, 1, 12, 8, 0))  # noqa: DTZ001
        )
