"""The migrations alone make the database: just what the models say, and the guard against double booking."""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import closing
from dataclasses import replace

import flask_migrate
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import CheckConstraint, create_engine, inspect, make_url, text
from sqlalchemy.exc import IntegrityError

from booking_service.app import create_app
from booking_service.services.county import current_county, replace_county
from booking_service.store.db import db
from tests.citizens import ask
from tests.conftest import make_settings

GUARD_INDEXES = {"ix_visit_room_live", "ix_visit_specialist_live"}
GUARDS = {"ex_visit_specialist", "ex_visit_room"}
TRIGGERS = {f"{name}_{event}" for name in (*GUARDS, "visit_instants") for event in ("insert", "update")}


@pytest.fixture(params=["sqlite", "postgresql"])
def nothing(request, tmp_path):
    """A database in which there is nothing at all; yields its URL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'new.db'}"
        return
    schema = f"new_{uuid.uuid4().hex[:12]}"
    url = make_url(request.getfixturevalue("postgresql_server")).set(drivername="postgresql+psycopg")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    yield url.update_query_dict({"options": f"-csearch_path={schema}"}).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    engine.dispose()


@pytest.fixture
def new(nothing, tmp_path):
    """An application whose database is empty."""
    app = create_app(make_settings(tmp_path, nothing))
    with app.app_context():
        yield app
        db.engine.dispose()


def is_sqlite():
    return db.engine.dialect.name == "sqlite"


def names(query):
    with db.engine.connect() as connection:
        return set(connection.execute(text(query)).scalars())


@pytest.mark.usefixtures("new")
def test_the_migrations_make_what_the_models_say():
    flask_migrate.upgrade()
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        differences = compare_metadata(context, db.metadata)
    unexpected = [
        found for found in differences if found[0] != "remove_index" or found[1].name not in GUARD_INDEXES
    ]
    assert unexpected == []


@pytest.mark.usefixtures("new")
def test_every_check_of_the_models_is_in_the_database_under_its_name():
    flask_migrate.upgrade()
    in_models = {
        str(constraint.name)
        for table in db.metadata.sorted_tables
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }
    inspector = inspect(db.engine)
    in_database = {
        check["name"]
        for table in inspector.get_table_names()
        for check in inspector.get_check_constraints(table)
    }
    assert in_database == in_models
    assert {"ck_visit_forward", "ck_visit_room", "ck_visit_site"} <= in_database


@pytest.mark.usefixtures("new")
def test_the_guard_against_double_booking_is_there():
    flask_migrate.upgrade()
    if is_sqlite():
        assert names("SELECT name FROM sqlite_master WHERE type = 'trigger'") == TRIGGERS
    else:
        own = "connamespace = current_schema()::regnamespace"
        assert names(f"SELECT conname FROM pg_constraint WHERE contype = 'x' AND {own}") == GUARDS


@pytest.mark.usefixtures("new")
def test_downgrading_leaves_nothing():
    flask_migrate.upgrade()
    flask_migrate.downgrade(revision="base")
    assert inspect(db.engine).get_table_names() == ["alembic_version"]
    if is_sqlite():
        assert names("SELECT name FROM sqlite_master WHERE name NOT LIKE '%alembic_version%'") == set()


@pytest.mark.usefixtures("new")
def test_upgrading_twice_is_upgrading_once():
    flask_migrate.upgrade()
    before = inspect(db.engine).get_table_names()
    flask_migrate.upgrade()
    assert inspect(db.engine).get_table_names() == before


@pytest.mark.usefixtures("new")
@pytest.mark.parametrize(("tick", "raster"), [(5, 15), (4, 16), (60, 60)])
def test_a_county_from_before_the_rules_of_booking_gets_some_that_fit_its_tick(county, tick, raster):
    flask_migrate.upgrade()
    planning = replace(county.settings.planning, tick_minutes=tick)
    replace_county(county=replace(county, settings=replace(county.settings, planning=planning)))
    ask("GSI-FOLGE")
    flask_migrate.downgrade(revision="0001")
    with db.engine.connect() as connection:
        assert "booking" not in str(connection.execute(text("SELECT settings FROM county")).scalar_one())
    flask_migrate.upgrade()
    after = current_county()
    assert after.settings.booking == county.settings.booking
    assert after.contingents == ()
    assert [service.code for service in after.services] == [service.code for service in county.services]
    assert {(s.bookable == "same_day", s.raster, s.lead_hours, s.horizon_days) for s in after.services} == {
        (False, raster, 24, 60),
        (True, raster, 0, 7),
    }
    assert names("SELECT service FROM request_service") == {"GSI-FOLGE"}


@pytest.mark.usefixtures("new")
def test_a_county_from_before_publication_gets_a_number_of_days_for_it(county):
    flask_migrate.upgrade()
    replace_county(county=county)
    flask_migrate.downgrade(revision="0004")
    with db.engine.connect() as connection:
        assert "publish_days" not in str(connection.execute(text("SELECT settings FROM county")).scalar_one())
    flask_migrate.upgrade()
    assert current_county().settings == county.settings


@pytest.mark.usefixtures("new")
def test_the_database_gives_a_service_no_rules_of_its_own():
    flask_migrate.upgrade()
    columns = {column["name"]: column for column in inspect(db.engine).get_columns("service")}
    for name in ("raster", "lead_hours", "horizon_days"):
        assert not columns[name]["nullable"]
        assert columns[name]["default"] is None


@pytest.mark.usefixtures("new")
def test_references_are_guarded_again_after_a_migration(county):
    flask_migrate.upgrade()
    replace_county(county=county)
    with pytest.raises(IntegrityError), db.engine.begin() as connection:
        connection.execute(text("DELETE FROM service"))


def test_a_migration_that_finds_rows_referring_to_nothing_changes_nothing(tmp_path, caplog):
    app = create_app(make_settings(tmp_path))
    with app.app_context():
        flask_migrate.upgrade(revision="0001")
        with closing(sqlite3.connect(tmp_path / "test.db")) as careless, careless:
            careless.execute("INSERT INTO room VALUES (1, 'MARS-1', 0, 'MARS', 'Raum 1')")
        with pytest.raises(SystemExit):
            flask_migrate.upgrade()
        assert "rows refer to what is not there: [('room', 1, 'site', 0)]" in caplog.text
        assert names("SELECT version_num FROM alembic_version") == {"0001"}
        assert not inspect(db.engine).has_table("contingent")
        db.engine.dispose()
