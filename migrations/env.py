"""Run the migrations on the application's own engine; both databases can roll a failed one back."""

from collections.abc import Iterator
from contextlib import contextmanager

from alembic import context
from flask import current_app
from sqlalchemy.engine import Connection

from booking_service.store.db import db


def run() -> None:
    """Run what the command line asks for, in one transaction."""
    options = current_app.extensions["migrate"].configure_args
    with db.engine.connect() as connection, foreign_keys_resting(connection):
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            transactional_ddl=True,
            **options,
        )
        with context.begin_transaction():
            context.run_migrations()
            refuse_dangling_rows(connection)


@contextmanager
def foreign_keys_resting(connection: Connection) -> Iterator[None]:
    """SQLite changes a table by building it anew, which to its foreign keys is deleting all its rows.

    They can only be switched outside a transaction, so this goes past the connection that begins one.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    driver = connection.connection.dbapi_connection
    driver.execute("PRAGMA foreign_keys = OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys = ON")


def refuse_dangling_rows(connection: Connection) -> None:
    """Raise before the commit if a migration left a row that refers to nothing."""
    if connection.dialect.name != "sqlite":
        return
    dangling = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if dangling:
        raise RuntimeError(f"rows refer to what is not there: {dangling[:5]}")


run()
