"""create_app(): the one place where things are wired."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path

from flask import Flask, abort, request
from flask_migrate import Migrate

from booking_service import cli, worker
from booking_service.services.links import Links
from booking_service.services.tokens import KnownCallers
from booking_service.settings import Settings
from booking_service.store.db import db
from booking_service.web.api import init_api
from booking_service.web.limits import limiter
from booking_service.web.pages import init_pages

ROOT = Path(__file__).parent.parent
LARGEST_BODY = 256 * 1024


def create_app(settings: Settings | None = None) -> Flask:
    """Make the application from the given settings, or from those of the environment.

    Raises SettingsError where the environment has mistakes.
    """
    settings = settings or Settings.from_environment()
    web = Path(__file__).parent / "web"
    app = Flask(__name__, template_folder=str(web / "templates"), static_folder=str(web / "static"))
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        # values are personal data, and errors are logged
        SQLALCHEMY_ENGINE_OPTIONS={"hide_parameters": True},
        MAX_CONTENT_LENGTH=LARGEST_BODY,
        RATELIMIT_STORAGE_URI=settings.limiter_url,
        RATELIMIT_HEADERS_ENABLED=True,
        RATELIMIT_ENABLED=settings.rate_limits,
        TEMPLATES_AUTO_RELOAD=False,
    )
    links = Links(settings.public_url, settings.secret_key)
    app.extensions |= {"settings": settings, "links": links, "callers": KnownCallers()}
    db.init_app(app)
    Migrate(app, db, directory=str(ROOT / "migrations"))
    limiter.init_app(app)
    app.before_request(_refuse_nul)
    init_api(app)
    init_pages(app, settings)
    cli.register(app)
    worker.init_worker(app, settings, links)
    return app


def _refuse_nul() -> None:
    """Nothing here has such a name, and PostgreSQL cannot even be asked for it."""
    if "\0" in request.path:
        abort(HTTPStatus.NOT_FOUND)
