"""Holds and appointments: what was offered is held, confirmed, moved or cancelled."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import marshmallow as ma
from flask import current_app, request
from flask.views import MethodView

from booking_service.domain.bookings import AppointmentStatus, Contact, Event, Need, Notify, Role
from booking_service.domain.county import Mode
from booking_service.services import bookings, holds
from booking_service.services.answers import Once, once_of
from booking_service.services.offers import Question
from booking_service.services.witnesses import Audience
from booking_service.web.access import bearer, caller, citizen_or_staff, token_of
from booking_service.web.api.bodies import (
    CODE,
    KEY,
    MOST_PER_ADDRESS,
    ContactBody,
    JsonBlueprint,
    Strict,
    told_at,
)
from booking_service.web.limits import limiter

if TYPE_CHECKING:
    from booking_service.services.links import Links
    from booking_service.services.places import Place
    from booking_service.services.tokens import Caller

blueprint = JsonBlueprint("bookings", __name__, description="Holds and appointments")

BOOKING_ROLES = (Role.PORTAL, Role.DESK, Role.HEAD, Role.ADMIN)
LONGEST_KEY = 200
NOTED = [event.value for event in Event if event in bookings.NOTED]
TOKEN: list[dict[str, list[str]]] = [{"token": []}]
CODES = ma.fields.String(validate=CODE)


class HoldBody(Strict):
    """A start that was offered."""

    services = ma.fields.List(
        ma.fields.String(validate=CODE), required=True, validate=ma.validate.Length(1, 5)
    )
    site = ma.fields.String(
        load_default=None, allow_none=True, validate=CODE, metadata={"description": "none by phone"}
    )
    mode = ma.fields.Enum(Mode, by_value=True, load_default=Mode.ON_SITE)
    start = ma.fields.AwareDateTime(required=True, metadata={"example": "2027-01-12T09:00:00+01:00"})
    language = ma.fields.String(load_default=None, allow_none=True, validate=ma.validate.Length(2, 3))


class PlaceEntry(ma.Schema):
    """When, where and how."""

    start = ma.fields.AwareDateTime(required=True)
    end = ma.fields.AwareDateTime(required=True)
    site = ma.fields.String(required=True, allow_none=True)
    mode = ma.fields.Enum(Mode, by_value=True, required=True)


class HoldReceipt(PlaceEntry):
    """A place that is kept until `expires_at`."""

    hold = ma.fields.String(required=True)
    expires_at = ma.fields.AwareDateTime(required=True)


class AppointmentBody(Strict):
    """Who comes to what is held."""

    hold = ma.fields.String(required=True, validate=KEY)
    contact = ma.fields.Nested(ContactBody, required=True)
    language = ma.fields.String(
        load_default=None,
        allow_none=True,
        validate=ma.validate.Length(2, 3),
        metadata={"description": "language of the mails, German where there is no other"},
    )
    needs = ma.fields.List(
        ma.fields.Enum(Need, by_value=True), load_default=list, validate=ma.validate.Length(max=len(Need))
    )
    notify = ma.fields.Enum(Notify, by_value=True, load_default=None, allow_none=True)


class MoveBody(Strict):
    """Where the appointment goes."""

    hold = ma.fields.String(required=True, validate=KEY)


class EventBody(Strict):
    """What has happened."""

    event = ma.fields.String(required=True, validate=ma.validate.OneOf(NOTED))


class AppointmentEntry(PlaceEntry):
    """An appointment as its citizen may see it."""

    reference = ma.fields.String(required=True)
    status = ma.fields.Enum(AppointmentStatus, by_value=True, required=True)


class AppointmentReceipt(AppointmentEntry):
    """The same with the citizen's key to it; it is shown to whoever may change it."""

    token = ma.fields.String(required=True)
    manage_url = ma.fields.String(required=True)
    calendar_url = ma.fields.String(required=True)


@blueprint.route("/holds")
class Holds(MethodView):
    """All holds."""

    @token_of(*BOOKING_ROLES)
    @limiter.limit(MOST_PER_ADDRESS)
    @blueprint.arguments(HoldBody())
    @blueprint.response(HTTPStatus.CREATED, HoldReceipt)
    @blueprint.alt_response(HTTPStatus.CONFLICT, "CONFLICT")
    @blueprint.doc(security=TOKEN)
    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        """Hold a start that was offered.

        A portal that sends a `Client-Id` for each browser gives that browser one hold at a time. 409
        `place_taken` names the nearest alternatives. An `Idempotency-Key` makes repeating harmless.
        """
        found = _caller()
        browser = request.headers.get("Client-Id", "")[:LONGEST_KEY]
        with told_at({"/sites/0": "/site"}):
            held = holds.hold(
                choice=holds.Choice(_question(body, found), body["start"]),
                client=f"{found.name}/{browser}",
                only_one=bool(browser),
                now=datetime.now(UTC),
                once=_once(found.name, "hold", body),
            )
        return _place(held.place) | {"hold": held.key, "expires_at": held.expires_at}


@blueprint.route("/holds/<hold>")
class OneHold(MethodView):
    """One hold."""

    @token_of(*BOOKING_ROLES)
    @blueprint.response(HTTPStatus.NO_CONTENT)
    @blueprint.alt_response(HTTPStatus.NOT_FOUND, "NOT_FOUND")
    @blueprint.alt_response(HTTPStatus.CONFLICT, "CONFLICT")
    @blueprint.doc(security=TOKEN)
    def delete(self, hold: str) -> None:
        """Give a hold up."""
        holds.release_hold(key=hold, caller=_caller().name, now=datetime.now(UTC))


@blueprint.route("/appointments")
class Appointments(MethodView):
    """All appointments."""

    @token_of(*BOOKING_ROLES)
    @limiter.limit(MOST_PER_ADDRESS)
    @blueprint.arguments(AppointmentBody())
    @blueprint.response(HTTPStatus.CREATED, AppointmentReceipt)
    @blueprint.alt_response(HTTPStatus.NOT_FOUND, "NOT_FOUND")
    @blueprint.alt_response(HTTPStatus.CONFLICT, "CONFLICT")
    @blueprint.doc(security=TOKEN)
    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        """Make a hold an appointment; the confirmation goes out by mail, or is printed."""
        found = _caller()
        booked = bookings.confirm(
            key=body["hold"],
            given=bookings.Confirmation(
                Contact(**body["contact"]),
                body["notify"],
                body["language"],
                tuple(dict.fromkeys(body["needs"])),
            ),
            caller=found,
            links=_links(),
            now=datetime.now(UTC),
            once=_once(found.name, "confirm", body),
        )
        return _receipt(booked)


@blueprint.route("/appointments/<reference>")
class OneAppointment(MethodView):
    """One appointment."""

    @citizen_or_staff
    @blueprint.response(HTTPStatus.OK, AppointmentEntry)
    @blueprint.alt_response(HTTPStatus.NOT_FOUND, "NOT_FOUND")
    @blueprint.doc(security=TOKEN)
    def get(self, reference: str) -> dict[str, Any]:
        """Tell how an appointment stands, to its citizen or to staff."""
        return _entry(bookings.booking(reference=reference))

    @citizen_or_staff
    @blueprint.response(HTTPStatus.NO_CONTENT)
    @blueprint.alt_response(HTTPStatus.NOT_FOUND, "NOT_FOUND")
    @blueprint.alt_response(HTTPStatus.CONFLICT, "CONFLICT")
    @blueprint.doc(security=TOKEN)
    def delete(self, reference: str) -> None:
        """Cancel an appointment; the citizen hears of it."""
        bookings.cancel(
            reference=reference, by_staff=caller() is not None, links=_links(), now=datetime.now(UTC)
        )


@blueprint.route("/appointments/<reference>/move")
class Move(MethodView):
    """Another time or place for an appointment."""

    @citizen_or_staff
    @blueprint.arguments(MoveBody())
    @blueprint.response(HTTPStatus.OK, AppointmentReceipt)
    @blueprint.alt_response(HTTPStatus.NOT_FOUND, "NOT_FOUND")
    @blueprint.alt_response(HTTPStatus.CONFLICT, "CONFLICT")
    @blueprint.doc(security=TOKEN)
    def post(self, body: dict[str, Any], reference: str) -> dict[str, Any]:
        """Move an appointment to what is held; the old place is given up only now."""
        moved = bookings.move(
            reference=reference,
            key=body["hold"],
            by_staff=caller() is not None,
            links=_links(),
            now=datetime.now(UTC),
            once=_once(bearer() or "", f"move {reference}", body),
        )
        return _receipt(moved)


@blueprint.route("/appointments/<reference>/events")
class Events(MethodView):
    """What happens at the desk."""

    @token_of(Role.DESK, Role.HEAD, Role.ADMIN)
    @blueprint.arguments(EventBody())
    @blueprint.response(HTTPStatus.OK, AppointmentEntry)
    @blueprint.alt_response(HTTPStatus.NOT_FOUND, "NOT_FOUND")
    @blueprint.alt_response(HTTPStatus.CONFLICT, "CONFLICT")
    @blueprint.doc(security=TOKEN)
    def post(self, body: dict[str, Any], reference: str) -> dict[str, Any]:
        """Note that the citizen came (`check_in`), did not come (`miss`), or is done (`finish`)."""
        return _entry(bookings.record(reference=reference, event=Event(body["event"])))


def _question(body: dict[str, Any], found: Caller) -> Question:
    return Question(
        services=tuple(body["services"]),
        sites=(body["site"],) if body["site"] is not None else (),
        modes=(body["mode"],),
        language=body["language"],
        first=None,
        last=None,
        audience=Audience.DESK if found.is_staff else Audience.PUBLIC,
    )


def _once(name: str, operation: str, body: dict[str, Any]) -> Once | None:
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    return once_of(key[:LONGEST_KEY], caller=name, operation=operation, sent=body, now=datetime.now(UTC))


def _caller() -> Caller:
    found = caller()
    if found is None:
        raise RuntimeError("the route has not declared that it needs a token")
    return found


def _links() -> Links:
    links: Links = current_app.extensions["links"]
    return links


def _place(place: Place) -> dict[str, Any]:
    return {"start": place.start, "end": place.end, "site": place.site, "mode": place.mode}


def _entry(booked: bookings.Booking) -> dict[str, Any]:
    return _place(booked.place) | {"reference": booked.reference, "status": booked.status}


def _receipt(booked: bookings.Booking) -> dict[str, Any]:
    links = _links()
    manage = links.manage_url(booked.reference)
    return _entry(booked) | {
        "token": links.token(booked.reference),
        "manage_url": manage,
        "calendar_url": f"{manage}/termin.ics",
    }
