"""The page behind the link of a mail: it shows the appointment; who knows the contact may change it."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, current_app, redirect, render_template, request, url_for

from booking_service.domain.mistakes import Rejected
from booking_service.services import bookings, manage
from booking_service.services.outbox import calendar_file_of
from booking_service.services.places import NotPossible, PlaceTaken
from booking_service.services.requests import request_state
from booking_service.web.access import everybody
from booking_service.web.limits import limiter

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

    from booking_service.services.links import Links

blueprint = Blueprint("manage", __name__, url_prefix="/termin/<reference>/<token>")

PRIVATE = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
MOST_TRIES = "10 per minute"


@blueprint.get("")
@everybody
def show(reference: str, token: str) -> tuple[str, dict[str, str]]:
    """Repeat what the mail said, or that the request still waits. Opening the page does nothing."""
    _open(reference, token)
    promise = manage.told(reference=reference, now=datetime.now(UTC))
    if promise is not None:
        return _page(promise)
    state = request_state(reference=reference)
    if state is None:
        abort(HTTPStatus.NOT_FOUND)
    return render_template("request.html", state=state), PRIVATE


@blueprint.post("")
@everybody
@limiter.limit(MOST_TRIES)
def act(reference: str, token: str) -> AnyResponse | tuple[str, int, dict[str, str]]:
    """Cancel or move the appointment."""
    links = _open(reference, token)
    now = datetime.now(UTC)
    promise = manage.told(reference=reference, now=now)
    if promise is None:
        abort(HTTPStatus.NOT_FOUND)
    mistake = _act(promise, links, now)
    if mistake is None:
        return redirect(url_for("manage.show", reference=reference, token=token), HTTPStatus.SEE_OTHER)
    page, headers = _page(promise, mistake)
    return page, HTTPStatus.UNPROCESSABLE_ENTITY, headers


@blueprint.get("/termin.ics")
@everybody
def calendar_file(reference: str, token: str) -> Response:
    """Hand out the appointment for a calendar."""
    found = calendar_file_of(reference=reference, links=_open(reference, token))
    if found is None:
        abort(HTTPStatus.NOT_FOUND)
    return Response(found, mimetype="text/calendar", headers=PRIVATE)


def _open(reference: str, token: str) -> Links:
    links: Links = current_app.extensions["links"]
    if not links.opens(reference, token):
        abort(HTTPStatus.NOT_FOUND)
    return links


def _page(promise: manage.Told, mistake: str | None = None) -> tuple[str, dict[str, str]]:
    times = manage.other_times(promise=promise, now=datetime.now(UTC)) if promise.can_act else []
    said = request.form.get("contact", "")
    page = render_template("appointment.html", told=promise, times=times, mistake=mistake, said=said)
    return page, PRIVATE


def _act(promise: manage.Told, links: Links, now: datetime) -> str | None:
    """Do what the form says; the name of the mistake if it cannot be done."""
    if not manage.knows_contact(reference=promise.reference, said=request.form.get("contact", "")):
        return "contact"
    wanted = request.form.get("wanted", "")
    try:
        if wanted == "cancel":
            bookings.cancel(reference=promise.reference, by_staff=False, links=links, now=now)
        elif (start := _instant(wanted)) is not None:
            manage.move_to(promise=promise, start=start, links=links, now=now)
        else:
            return "nothing"
    except (PlaceTaken, Rejected):
        return "taken"
    except NotPossible:
        return "over"
    return None


def _instant(text: str) -> datetime | None:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
