"""Requests for appointments: somebody says what suits, the planner makes it a promise."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import marshmallow as ma
from flask import abort, current_app
from flask.views import MethodView

from booking_service.domain.bookings import Contact, Need, Notify, RequestStatus, TimeWindow, Urgency, Wanted
from booking_service.domain.county import Mode
from booking_service.services import requests
from booking_service.web.access import bearer, everybody
from booking_service.web.api.bodies import CODE, MOST_PER_ADDRESS, ContactBody, JsonBlueprint, Strict
from booking_service.web.limits import limiter
from booking_service.web.problems import language_of_request

if TYPE_CHECKING:
    from booking_service.services.links import Links


blueprint = JsonBlueprint("requests", __name__, description="Wishes for an appointment")


class WindowBody(Strict):
    """From when to when somebody could come."""

    begin = ma.fields.DateTime(
        required=True, data_key="from", metadata={"example": "2027-01-12T08:00:00+01:00"}
    )
    end = ma.fields.DateTime(required=True, data_key="to", metadata={"example": "2027-01-12T12:00:00+01:00"})


class RequestBody(Strict):
    """A wish for an appointment: any of the windows, at any of the sites, in any of the modes."""

    services = ma.fields.List(
        ma.fields.String(validate=CODE),
        required=True,
        validate=ma.validate.Length(1, 5),
        metadata={"description": "codes of what it is about; several are dealt with in one visit"},
    )
    sites = ma.fields.List(
        ma.fields.String(validate=CODE),
        load_default=list,
        validate=ma.validate.Length(max=30),
        metadata={
            "description": "codes of acceptable sites, the best liked first; not needed for phone alone"
        },
    )
    modes = ma.fields.List(
        ma.fields.Enum(Mode, by_value=True),
        load_default=lambda: [Mode.ON_SITE],
        validate=ma.validate.Length(1, 3),
        metadata={"description": "acceptable ways of meeting, the best liked first"},
    )
    windows = ma.fields.List(
        ma.fields.Nested(WindowBody),
        load_default=list,
        validate=ma.validate.Length(max=60),
        metadata={"description": "when it would suit; none means any time"},
    )
    language = ma.fields.String(
        load_default=None,
        allow_none=True,
        validate=ma.validate.Length(2, 3),
        metadata={"description": "language that the specialist must speak, ISO 639; German if not given"},
    )
    needs = ma.fields.List(
        ma.fields.Enum(Need, by_value=True), load_default=list, validate=ma.validate.Length(max=len(Need))
    )
    urgency = ma.fields.Enum(Urgency, by_value=True, load_default=Urgency.NORMAL)
    wish = ma.fields.String(
        load_default=None,
        allow_none=True,
        validate=CODE,
        metadata={"description": "code of the specialist who knows the case already"},
    )
    contact = ma.fields.Nested(ContactBody, required=True)
    notify = ma.fields.Enum(Notify, by_value=True, load_default=None, allow_none=True)


class RequestReceipt(ma.Schema):
    """What to keep: the reference to say on the phone, and the token that opens the request."""

    reference = ma.fields.String(required=True)
    token = ma.fields.String(required=True)
    status = ma.fields.Enum(RequestStatus, by_value=True, required=True)
    manage_url = ma.fields.String(required=True)


class CauseEntry(ma.Schema):
    """Why a request still waits."""

    code = ma.fields.String(required=True)
    detail = ma.fields.String(required=True)


class RequestState(ma.Schema):
    """How a request stands."""

    reference = ma.fields.String(required=True)
    status = ma.fields.Enum(RequestStatus, by_value=True, required=True)
    start = ma.fields.AwareDateTime(allow_none=True)
    end = ma.fields.AwareDateTime(allow_none=True)
    mode = ma.fields.Enum(Mode, by_value=True, allow_none=True)
    site = ma.fields.String(allow_none=True)
    causes = ma.fields.List(ma.fields.Nested(CauseEntry), required=True)


@blueprint.route("/requests")
class Requests(MethodView):
    """All requests."""

    @everybody
    @limiter.limit(MOST_PER_ADDRESS)
    @blueprint.arguments(RequestBody)
    @blueprint.response(HTTPStatus.CREATED, RequestReceipt)
    @blueprint.alt_response(HTTPStatus.BAD_REQUEST, "BAD_REQUEST")
    @blueprint.alt_response(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "REQUEST_ENTITY_TOO_LARGE")
    @blueprint.alt_response(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "UNSUPPORTED_MEDIA_TYPE")
    @blueprint.alt_response(HTTPStatus.TOO_MANY_REQUESTS, "TOO_MANY_REQUESTS")
    @blueprint.alt_response(HTTPStatus.SERVICE_UNAVAILABLE, "SERVICE_UNAVAILABLE")
    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        """Ask for an appointment. The planner looks for one; the confirmation comes as the contact wishes."""
        reference = requests.take_request(
            wanted=_wanted(body),
            contact=Contact(**body["contact"]),
            notify=body["notify"],
            now=datetime.now(UTC),
        )
        links: Links = current_app.extensions["links"]
        return {
            "reference": reference,
            "token": links.token(reference),
            "status": RequestStatus.WAITING,
            "manage_url": links.manage_url(reference),
        }


@blueprint.route("/requests/<reference>")
class OneRequest(MethodView):
    """One request."""

    @everybody
    @blueprint.response(HTTPStatus.OK, RequestState)
    @blueprint.alt_response(HTTPStatus.NOT_FOUND, "NOT_FOUND")
    @blueprint.doc(security=[{"token": []}])
    def get(self, reference: str) -> dict[str, Any]:
        """Tell how a request stands, to whoever has its token (`Authorization: Bearer TOKEN`).

        Without the right token it is as if there were no such request.
        """
        links: Links = current_app.extensions["links"]
        opened = links.opens(reference, bearer() or "")
        state = requests.request_state(reference=reference) if opened else None
        if state is None:
            abort(HTTPStatus.NOT_FOUND)
        language = language_of_request()
        explained = [{"code": cause.code, "detail": cause.words(language)} for cause in state.causes]
        return asdict(state) | {"causes": explained}


def _wanted(body: dict[str, Any]) -> Wanted:
    return Wanted(
        services=tuple(body["services"]),
        sites=tuple(body["sites"]),
        modes=tuple(body["modes"]),
        windows=tuple(TimeWindow(window["begin"], window["end"]) for window in body["windows"]),
        language=body["language"],
        needs=tuple(body["needs"]),
        urgency=body["urgency"],
        wish=body["wish"],
    )
