"""Absences of specialists: colleagues take over what was promised, or nothing is changed."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import marshmallow as ma
from flask import abort
from flask.views import MethodView

from booking_service.domain.bookings import Role
from booking_service.services import absences
from booking_service.services.absences import Away
from booking_service.web.access import caller, token_of
from booking_service.web.api.bodies import CODE, JsonBlueprint, Strict
from booking_service.web.api.bookings import TOKEN, PlaceEntry

blueprint = JsonBlueprint("absences", __name__, description="Absences of specialists")

LARGEST_NUMBER = 2**31 - 1


class AbsenceBody(Strict):
    """Who is away from when to when. Why is not asked, and refused as an unknown field."""

    specialist = ma.fields.String(required=True, validate=CODE)
    begin = ma.fields.AwareDateTime(
        required=True, data_key="from", metadata={"example": "2027-01-12T08:00:00+01:00"}
    )
    end = ma.fields.AwareDateTime(
        required=True, data_key="to", metadata={"example": "2027-01-13T18:00:00+01:00"}
    )


class TakenOverEntry(PlaceEntry):
    """A visit that somebody else keeps now."""

    reference = ma.fields.String(required=True)
    specialist = ma.fields.String(required=True)


class AbsenceReceipt(ma.Schema):
    """An absence that stands, and who took over what for it."""

    absence = ma.fields.Integer(required=True)
    specialist = ma.fields.String(required=True)
    begin = ma.fields.AwareDateTime(
        required=True,
        data_key="from",
        metadata={"description": "later than asked for where she is in a talk, or it was over already"},
    )
    end = ma.fields.AwareDateTime(required=True, data_key="to")
    taken_over = ma.fields.List(ma.fields.Nested(TakenOverEntry), required=True)


@blueprint.route("/absences")
class Absences(MethodView):
    """All absences that are recorded here."""

    @token_of(Role.HEAD, Role.ADMIN)
    @blueprint.arguments(AbsenceBody)
    @blueprint.response(HTTPStatus.CREATED, AbsenceReceipt)
    @blueprint.alt_response(HTTPStatus.CONFLICT, "CONFLICT")
    @blueprint.doc(security=TOKEN)
    def post(self, body: dict[str, Any]) -> dict[str, Any]:
        """Record that a specialist is away; colleagues keep her promises at the same times and places.

        409 `promises_at_risk` names the visits that nobody else can keep; then nothing is changed. A head
        does so for specialists of her unit.
        """
        away = Away(body["specialist"], body["begin"], body["end"], _unit())
        recorded = absences.record_absence(away=away, now=datetime.now(UTC))
        return {
            "absence": recorded.number,
            "specialist": recorded.specialist,
            "begin": recorded.begin,
            "end": recorded.end,
            "taken_over": [_taken_over(visit) for visit in recorded.taken_over],
        }


@blueprint.route("/absences/<int:number>")
class OneAbsence(MethodView):
    """One absence."""

    @token_of(Role.HEAD, Role.ADMIN)
    @blueprint.response(HTTPStatus.NO_CONTENT)
    @blueprint.alt_response(HTTPStatus.NOT_FOUND, "NOT_FOUND")
    @blueprint.doc(security=TOKEN)
    def delete(self, number: int) -> None:
        """The specialist is there after all; what colleagues took over stays with them."""
        if number > LARGEST_NUMBER:
            abort(HTTPStatus.NOT_FOUND)
        absences.delete_absence(number=number, unit=_unit(), now=datetime.now(UTC))


def _unit() -> str | None:
    """The unit to which the caller is narrowed, None for the whole county."""
    found = caller()
    if found is None or (found.role is Role.HEAD and found.unit is None):
        abort(HTTPStatus.FORBIDDEN)
    return found.unit if found.role is Role.HEAD else None


def _taken_over(visit: absences.Visit) -> dict[str, Any]:
    place = visit.place
    return {
        "reference": visit.reference,
        "specialist": visit.specialist,
        "start": place.start,
        "end": place.end,
        "site": place.site,
        "mode": place.mode,
    }
