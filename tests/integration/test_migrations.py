"""The migrations alone make the database: just what the models say, and the guard against double booking."""

from __future__ import annotations

import uuid

import flask_migrate
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import CheckConstraint, create_engine, inspect, make_url, text

from booking_service.app import create_app
from booking_service.store.db import db
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
