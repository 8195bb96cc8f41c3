"""The API under /api/v1: described by OpenAPI, read and written by marshmallow, errors as problem+json."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import request
from flask_smorest import Api

from booking_service.web import problems
from booking_service.web.api import absences, bookings, offers, requests

if TYPE_CHECKING:
    from flask import Flask, Response
    from werkzeug.exceptions import HTTPException

PREFIX = "/api/v1"


class ProblemApi(Api):
    """flask-smorest, with its errors as problem+json."""

    ERROR_SCHEMA = problems.Problem

    def handle_http_exception(self, error: HTTPException) -> Response:
        """Answer with a problem, or with a page to whoever asked for a page."""
        if request.path.startswith(f"{PREFIX}/"):
            return problems.of_http(error)
        return problems.page_of(error)

    def _register_responses(self) -> None:
        """Describe errors in the media type that they have: flask-smorest knows one type for all answers."""
        phrases = {status.name: status.phrase for status in HTTPStatus if status >= HTTPStatus.BAD_REQUEST}
        phrases[self.DEFAULT_ERROR_RESPONSE_NAME] = "Any other problem"
        for name, phrase in phrases.items():
            content = {problems.MEDIA_TYPE: {"schema": self.ERROR_SCHEMA}}
            self.spec.components.response(name, {"description": phrase, "content": content}, lazy=True)


def init_api(app: Flask) -> None:
    """Add the API to the application."""
    app.config.update(
        API_TITLE="Terminlotse",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX=PREFIX,
        OPENAPI_JSON_PATH="openapi.json",
    )
    api = ProblemApi(app)
    api.spec.components.security_scheme("token", {"type": "http", "scheme": "bearer"})
    for blueprint in (requests.blueprint, offers.blueprint, bookings.blueprint, absences.blueprint):
        api.register_blueprint(blueprint, url_prefix=PREFIX)
    for error, answer in problems.BY_ERROR.items():
        app.register_error_handler(error, answer)
    app.extensions["api"] = api
    app.extensions["offers"] = offers.Answers(offers.MOST_BYTES)


def description(app: Flask) -> dict[str, Any]:
    """The OpenAPI document."""
    document: dict[str, Any] = app.extensions["api"].spec.to_dict()
    return document
