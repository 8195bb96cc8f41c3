"""The first page, and the documentation of the API."""

from __future__ import annotations

from datetime import UTC, date, datetime
from http import HTTPStatus

from flask import Blueprint, abort, current_app, render_template, request, url_for

from booking_service.services.overview import overview
from booking_service.store.county import NoCounty
from booking_service.web.access import everybody
from booking_service.web.api import description

blueprint = Blueprint("start", __name__)


@blueprint.get("/")
@everybody
def index() -> str:
    """Show the sites and the plan of a day, today's if none is asked for."""
    try:
        day = date.fromisoformat(request.args["day"]) if "day" in request.args else None
    except ValueError:
        abort(HTTPStatus.BAD_REQUEST)
    mailbox = url_for("mailbox.index") if "mailbox" in current_app.blueprints else None
    try:
        shown = overview(day=day, now=datetime.now(UTC))
    except NoCounty:
        return render_template("no_county.html")
    return render_template("start.html", overview=shown, mailbox=mailbox)


@blueprint.get("/api/v1/")
@everybody
def api_documentation() -> str:
    """Show the OpenAPI document as a page."""
    return render_template("api.html", document=description(current_app._get_current_object()))  # type: ignore[attr-defined]  # noqa: SLF001 - Flask's own way to its application
