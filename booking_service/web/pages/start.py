"""The first page, the page behind the link of a mail, and the documentation of the API."""

from __future__ import annotations

from datetime import UTC, date, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, current_app, render_template, request, url_for

from booking_service.services.outbox import calendar_file_of
from booking_service.services.overview import overview, told
from booking_service.services.requests import request_state
from booking_service.store.county import NoCounty
from booking_service.web.access import everybody
from booking_service.web.api import description

if TYPE_CHECKING:
    from booking_service.services.links import Links

blueprint = Blueprint("start", __name__)

PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}


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


@blueprint.get("/termin/<reference>/<token>")
@everybody
def appointment(reference: str, token: str) -> tuple[str, dict[str, str]]:
    """Repeat what the mail said, or that the request still waits.

    The page is read only and never in a cache or a search engine.
    """
    links: Links = current_app.extensions["links"]
    if not links.opens(reference, token):
        abort(HTTPStatus.NOT_FOUND)
    promise = told(reference=reference)
    if promise is not None:
        return render_template("appointment.html", told=promise), PRIVATE
    state = request_state(reference=reference)
    if state is None:
        abort(HTTPStatus.NOT_FOUND)
    return render_template("request.html", state=state), PRIVATE


@blueprint.get("/termin/<reference>/<token>/termin.ics")
@everybody
def calendar_file(reference: str, token: str) -> Response:
    """Hand out the appointment for a calendar."""
    links: Links = current_app.extensions["links"]
    found = calendar_file_of(reference=reference, links=links) if links.opens(reference, token) else None
    if found is None:
        abort(HTTPStatus.NOT_FOUND)
    return Response(found, mimetype="text/calendar", headers=PRIVATE)


@blueprint.get("/api/v1/")
@everybody
def api_documentation() -> str:
    """Show the OpenAPI document as a page."""
    return render_template("api.html", document=description(current_app._get_current_object()))  # type: ignore[attr-defined]  # noqa: SLF001 - Flask's own way to its application
