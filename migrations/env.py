"""Run the migrations on the application's own engine; both databases can roll a failed one back."""

from alembic import context
from flask import current_app

from booking_service.store.db import db


def run() -> None:
    """Run what the command line asks for, in one transaction."""
    options = current_app.extensions["migrate"].configure_args
    with db.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            transactional_ddl=True,
            **options,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
