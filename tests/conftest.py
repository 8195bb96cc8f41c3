"""What all tests share: both databases, made by the migrations alone, and the example county."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, text

from booking_service.app import create_app
from booking_service.services.county import replace_county
from booking_service.services.witnesses import memory_of
from booking_service.store.county_folder import read_folder
from booking_service.store.db import db
from tests.servers import (
    ENGINES,
    ROOT,
    make_settings,
    migrated,
    postgresql_schema,
    postgresql_server,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask import Flask

    from booking_service.domain.county import County
    from booking_service.settings import Settings

EXAMPLES = ROOT / "examples"


@pytest.fixture(scope="session")
def county() -> County:
    return read_folder(EXAMPLES / "mecklenburgische-seenplatte")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sqlite")
    migrated(make_settings(folder))
    return folder / "test.db"


@pytest.fixture(scope="session", name="postgresql_server")
def _postgresql_server() -> Iterator[str]:
    with postgresql_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgresql_url(postgresql_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A schema of this process's own, so that processes and runs do not meet."""
    with postgresql_schema(postgresql_server, "test") as url:
        migrated(make_settings(tmp_path_factory.mktemp("var"), url))
        yield url


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty, migrated database: every test that asks for one runs on both engines."""
    if request.param == "sqlite":
        template = request.getfixturevalue("sqlite_template")
        shutil.copy(template, tmp_path / "test.db")
        return f"sqlite:///{tmp_path / 'test.db'}"
    url: str = request.getfixturevalue("postgresql_url")
    engine = create_engine(url)
    with engine.begin() as connection:
        names = ", ".join(f'"{table.name}"' for table in db.metadata.sorted_tables)
        connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
    engine.dispose()
    return url


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return make_settings(tmp_path, database_url)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The application with an empty database."""
    memory_of.cache_clear()  # days of another test's database have the same names
    app = create_app(settings)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def loaded(app: Flask, county: County) -> Flask:
    """The application with the example county."""
    replace_county(county=county)
    return app
