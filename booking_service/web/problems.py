"""Errors as problem+json (RFC 9457), with one entry for each mistake and its JSON pointer (RFC 6901)."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import marshmallow as ma
from flask import Response, json, render_template, request

from booking_service.domain.mistakes import ALL_WORDS, Language, Mistake, Rejected
from booking_service.services.absences import PromisesAtRisk
from booking_service.services.places import HoldOver, NotFound, NotPossible, PlaceTaken, TooMany
from booking_service.store.county import NoCounty

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from werkzeug.exceptions import HTTPException

    from booking_service.services.places import Place

MEDIA_TYPE = "application/problem+json"
INVALID = "field_invalid"

# one way of saying it for all fields, here since a field reads it when it is declared; the words are in
# domain.mistakes
ma.fields.Field.default_error_messages |= {
    "required": "field_missing",
    "null": "field_null",
    "validator_failed": INVALID,
}


class MistakeEntry(ma.Schema):
    """One mistake in what was sent."""

    pointer = ma.fields.String(required=True, metadata={"description": "JSON pointer into what was sent"})
    code = ma.fields.String(required=True, metadata={"description": "stable name of the mistake"})
    detail = ma.fields.String(required=True, metadata={"description": "what is wrong, in words"})


class Problem(ma.Schema):
    """What went wrong."""

    type = ma.fields.String(required=True)
    title = ma.fields.String(required=True)
    status = ma.fields.Integer(required=True)
    code = ma.fields.String(required=True, metadata={"description": "stable name of the problem"})
    errors = ma.fields.List(ma.fields.Nested(MistakeEntry))
    alternatives = ma.fields.List(
        ma.fields.Dict(), metadata={"description": "with `place_taken`: the nearest places that can be had"}
    )
    visits = ma.fields.List(
        ma.fields.Dict(), metadata={"description": "with `promises_at_risk`: what nobody else can keep"}
    )
    appointment_status = ma.fields.String(metadata={"description": "with `not_possible`"})


def language_of_request() -> Language:
    """The language that the caller understands; German where nothing else is asked for."""
    return "en" if request.accept_languages.best_match(["de", "en"], "de") == "en" else "de"


def problem(
    status: int, code: str, *, mistakes: Iterable[Mistake] = (), more: Mapping[str, Any] | None = None
) -> Response:
    """A problem as a response."""
    language = language_of_request()
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
    }
    body |= more or {}
    errors = [
        {"pointer": mistake.place, "code": mistake.code, "detail": mistake.words(language)}
        for mistake in mistakes
    ]
    if errors:
        body["errors"] = errors
    # JSON can spell halves of characters; they come back as a question mark
    text = json.dumps(body, ensure_ascii=False).encode(errors="replace")
    return Response(text, status=status, mimetype=MEDIA_TYPE, content_type=MEDIA_TYPE)


def of_rejected(error: Rejected) -> Response:
    """Input that had mistakes."""
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "rejected", mistakes=error.mistakes)


def of_no_county(_error: NoCounty) -> Response:
    """The service has been started, but nobody has loaded a county yet."""
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, "no_county")


def of_place_taken(error: PlaceTaken) -> Response:
    """Somebody else was faster; what can be had instead."""
    nearest = [_place(place) for place in error.alternatives]
    return problem(HTTPStatus.CONFLICT, "place_taken", more={"alternatives": nearest})


def of_promises_at_risk(error: PromisesAtRisk) -> Response:
    """An absence would break promises."""
    visits = [{"reference": visit.reference} | _place(visit.place) for visit in error.visits]
    return problem(HTTPStatus.CONFLICT, "promises_at_risk", more={"visits": visits})


def _place(place: Place) -> dict[str, Any]:
    return {
        "start": place.start.isoformat(),
        "end": place.end.isoformat(),
        "site": place.site,
        "mode": place.mode,
    }


def of_hold_over(_error: HoldOver) -> Response:
    """The hold has run out or was used."""
    return problem(HTTPStatus.CONFLICT, "hold_over")


def of_not_possible(error: NotPossible) -> Response:
    """The appointment is not in the state for it."""
    return problem(HTTPStatus.CONFLICT, "not_possible", more={"appointment_status": error.status})


def of_too_many(error: TooMany) -> Response:
    """Somebody has as much as one may have."""
    return problem(HTTPStatus.TOO_MANY_REQUESTS, error.code)


def of_not_found(_error: NotFound) -> Response:
    """There is nothing of that name for this caller."""
    return problem(HTTPStatus.NOT_FOUND, "not_found")


BY_ERROR: Mapping[type[Exception], Callable[[Any], Response]] = {
    Rejected: of_rejected,
    NoCounty: of_no_county,
    PlaceTaken: of_place_taken,
    PromisesAtRisk: of_promises_at_risk,
    HoldOver: of_hold_over,
    NotPossible: of_not_possible,
    TooMany: of_too_many,
    NotFound: of_not_found,
}


def of_http(error: HTTPException) -> Response:
    """Whatever werkzeug or the reading of the body has refused."""
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    messages = getattr(error, "data", {}).get("messages", {})
    body = _without_location(messages) if isinstance(messages, dict) else {}
    mistakes = [*_mistakes_of(body, "")]
    code = "rejected" if mistakes else HTTPStatus(status).name.lower()
    made = problem(status, code, mistakes=mistakes)
    made.headers.extend(
        (name, value)
        for name, value in error.get_headers()
        if name in {"Allow", "Retry-After", "WWW-Authenticate"}
    )
    return made


def _without_location(messages: dict[str, Any]) -> Any:
    """What is wrong in the body, or in the query: pointers begin with a field of what was sent."""
    return messages.get("json", messages.get("query", messages))


def page_of(error: HTTPException) -> Response:
    """The same for people: what happened and what to do, in a few words."""
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    return Response(render_template("error.html", status=status), status=status, mimetype="text/html")


def _mistakes_of(messages: Mapping[Any, Any] | list[Any], pointer: str) -> Iterator[Mistake]:
    """The tree of messages that marshmallow makes, as a list."""
    if isinstance(messages, list):
        for message in messages:
            yield Mistake(pointer, message) if message in ALL_WORDS else Mistake(pointer, INVALID)
        return
    for key, inner in messages.items():
        step = "" if key == "_schema" else f"/{str(key).replace('~', '~0').replace('/', '~1')}"
        yield from _mistakes_of(inner, pointer + step)
