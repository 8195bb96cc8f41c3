"""Who may call what: every route declares it, and a test fails for one that does not."""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from flask import abort, current_app, g, request

if TYPE_CHECKING:
    from collections.abc import Callable

    from booking_service.domain.bookings import Role
    from booking_service.services.links import Links
    from booking_service.services.tokens import Caller, KnownCallers

P = ParamSpec("P")
T = TypeVar("T")

EVERYBODY = "everybody"
ACCESS = "__access__"


def everybody(view: Callable[P, T]) -> Callable[P, T]:
    """Declare that everybody may call the view; what it shows is for the public or opened by a key."""
    setattr(view, ACCESS, EVERYBODY)
    return view


def token_of(*roles: Role) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Declare that a token of one of the roles is needed; the view finds the caller by `caller`."""

    def declare(view: Callable[P, T]) -> Callable[P, T]:
        @functools.wraps(view)
        def checked(*args: P.args, **kwargs: P.kwargs) -> T:
            found = _caller()
            if found is None:
                abort(HTTPStatus.UNAUTHORIZED)
            if found.role not in roles:
                abort(HTTPStatus.FORBIDDEN)
            g.caller = found
            return view(*args, **kwargs)

        setattr(checked, ACCESS, roles)
        return checked

    return declare


def citizen_or_staff(view: Callable[P, T]) -> Callable[P, T]:
    """Declare that the citizen's own token opens the `reference`, or one of the staff.

    A wrong token is answered as if there were nothing: references cannot be tried out.
    """

    @functools.wraps(view)
    def checked(*args: P.args, **kwargs: P.kwargs) -> T:
        links: Links = current_app.extensions["links"]
        token = bearer()
        g.caller = None
        if token is None:
            abort(HTTPStatus.UNAUTHORIZED)
        if not links.opens(str(kwargs["reference"]), token):
            g.caller = _caller_of(token)
            if g.caller is None or not g.caller.is_staff:
                abort(HTTPStatus.NOT_FOUND)
        return view(*args, **kwargs)

    setattr(checked, ACCESS, "citizen or staff")
    return checked


def caller() -> Caller | None:
    """Whose token it was; None for a citizen with the key to her appointment."""
    found: Caller | None = g.caller
    return found


def bearer() -> str | None:
    """The token that came with the request."""
    given = request.authorization
    return given.token if given is not None and given.type == "bearer" else None


def _caller() -> Caller | None:
    token = bearer()
    return None if token is None else _caller_of(token)


def _caller_of(token: str) -> Caller | None:
    callers: KnownCallers = current_app.extensions["callers"]
    return callers.caller_of(token=token, now=datetime.now(UTC))
