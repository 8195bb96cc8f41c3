"""What several parts of the API read and write: how bodies are read, where mistakes are, and the contact."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import marshmallow as ma
from flask import Request, abort
from flask_smorest import Blueprint
from webargs.flaskparser import FlaskParser, is_json_request

from booking_service.domain.mistakes import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from booking_service.domain.mistakes import Mistake

MOST_PER_ADDRESS = "300 per minute"
CODE = ma.validate.Length(1, 32)
# as `secrets.token_urlsafe` makes them; PostgreSQL cannot even be asked for a text with a NUL
KEY = ma.validate.Regexp(r"^[A-Za-z0-9_-]{1,100}\Z")


@contextmanager
def told_at(fields: Mapping[str, str]) -> Iterator[None]:
    """Tell mistakes at the fields that were sent: pointers that begin with a key begin with its value."""
    try:
        yield
    except Rejected as error:
        raise Rejected([_told_at(mistake, fields) for mistake in error.mistakes]) from None


def _told_at(mistake: Mistake, fields: Mapping[str, str]) -> Mistake:
    for known, sent in fields.items():
        if f"{mistake.place}/".startswith(f"{known}/"):
            return replace(mistake, place=sent + mistake.place.removeprefix(known))
    return mistake


class JsonParser(FlaskParser):
    """Reads JSON and nothing else; webargs alone would take another type for an empty body."""

    def _raw_load_json(self, req: Request) -> Any:
        if not is_json_request(req):
            abort(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        try:
            return super()._raw_load_json(req)
        except RecursionError:  # nested deeper than Python reads
            abort(HTTPStatus.BAD_REQUEST)


class JsonBlueprint(Blueprint):
    """A blueprint with our way of reading bodies."""

    ARGUMENTS_PARSER = JsonParser()


class Strict(ma.Schema):
    """What is not known is refused, so that a typing error does not go unnoticed."""

    error_messages = {"unknown": "field_unknown", "type": "field_invalid"}  # noqa: RUF012 - as marshmallow declares it

    class Meta:
        """Said once more, so that the OpenAPI document says it too."""

        unknown = ma.RAISE


class ContactBody(Strict):
    """Who asks, and how to reach them."""

    name = ma.fields.String(required=True)
    email = ma.fields.String(load_default=None, allow_none=True, validate=ma.validate.Length(max=320))
    phone = ma.fields.String(load_default=None, allow_none=True, validate=ma.validate.Length(max=40))
