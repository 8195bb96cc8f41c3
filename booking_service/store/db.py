"""The one way to the database: transactions that are repeated where the database asks for it.

Every use case is a function with a session as its first argument, wrapped by `transactional` or
`reading`; nothing else begins or commits. SQLite and PostgreSQL behave alike from here on.
"""

from __future__ import annotations

import functools
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import DateTime, MetaData, event
from sqlalchemy.engine import Connection, Dialect, Engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.pool import ConnectionPoolEntry

P = ParamSpec("P")
T = TypeVar("T")

MOST_TRIES = 3
BUSY_TIMEOUT_MS = 15_000
# PostgreSQL: serialization failure, deadlock
REPEATABLE = {"40001", "40P01"}


class Base(DeclarativeBase):
    """Base of all tables; names of constraints are fixed so that migrations can refer to them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(model_class=Base, disable_autonaming=True)


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: stored in UTC, given back in UTC, refused without a zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: D102 - as its base says
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no zone")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002, D102 - as its base says
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def transactional(use_case: Callable[Concatenate[Session, P], T]) -> Callable[P, T]:
    """Run the whole use case in one transaction, again where the database could not serialise it."""

    @functools.wraps(use_case)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        for last in [*[False] * (MOST_TRIES - 1), True]:
            try:
                return _run(use_case, "IMMEDIATE", *args, **kwargs)
            except DBAPIError as error:
                if last or not _is_repeatable(error):
                    raise
        raise AssertionError("the last try returns or raises")

    return run


def reading(query: Callable[Concatenate[Session, P], T]) -> Callable[P, T]:
    """Run a query that writes nothing, on one consistent state of the database."""

    @functools.wraps(query)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return _run(query, "DEFERRED", *args, **kwargs)

    return run


def glancing(query: Callable[Concatenate[Connection, P], T]) -> Callable[P, T]:
    """Run a query of one statement, which sees one state of the database without any transaction."""

    @functools.wraps(query)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        with db.engine.connect() as connection:
            if connection.dialect.name == "postgresql":  # SQLite has no round trip to save
                connection.execution_options(isolation_level="AUTOCOMMIT")
            return query(connection, *args, **kwargs)

    return run


_within = ContextVar("within a use case", default=False)


def _run(work: Callable[Concatenate[Session, P], T], begin: str, *args: P.args, **kwargs: P.kwargs) -> T:
    if _within.get():
        raise RuntimeError("a use case was called inside another one")
    engine = db.engine
    options = {"sqlite_begin": begin}
    if begin == "DEFERRED" and engine.dialect.name == "postgresql":
        options["isolation_level"] = "REPEATABLE READ"
    token = _within.set(True)
    try:
        # not `db.session`: that looks for the engine of every statement anew
        with Session(engine) as session, session.begin():
            session.connection(execution_options=options)
            return work(session, *args, **kwargs)
    finally:
        _within.reset(token)


def _is_repeatable(error: DBAPIError) -> bool:
    if getattr(error.orig, "sqlstate", None) in REPEATABLE:
        return True
    return isinstance(error, OperationalError) and "database is locked" in str(error.orig)


@event.listens_for(Engine, "connect")
def _prepare_sqlite(connection: Any, _entry: ConnectionPoolEntry) -> None:
    """WAL lets readers go on while one writes; FULL makes every promise survive a power cut."""
    if not type(connection).__module__.startswith("sqlite3"):
        return
    connection.isolation_level = None  # the driver must not begin by itself: see _begin
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")


@event.listens_for(Engine, "begin")
def _begin(connection: Connection) -> None:
    """A writer takes SQLite's lock at its begin, so that it never fails half-way for having read first."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(
            f"BEGIN {connection.get_execution_options().get('sqlite_begin', 'DEFERRED')}"
        )
