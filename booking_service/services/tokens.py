"""Keys to the API for portals and staff: printed once, kept as a hash."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select

from booking_service.domain.bookings import Role
from booking_service.domain.mistakes import Mistake, Rejected
from booking_service.store.booking_tables import TokenRow
from booking_service.store.county import read_county
from booking_service.store.db import glancing, transactional

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection
    from sqlalchemy.orm import Session

REMEMBERED = timedelta(seconds=5)
MOST_REMEMBERED = 1_000
STAFF = frozenset({Role.DESK, Role.SPECIALIST, Role.HEAD, Role.ADMIN})


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: a role, narrowed to a site or a unit. `name` is the same for the same token."""

    name: str
    role: Role
    site: str | None
    unit: str | None

    @property
    def is_staff(self) -> bool:
        """Whether it is somebody of the office."""
        return self.role in STAFF


@transactional
def create_token(session: Session, *, role: Role, site: str | None, unit: str | None, now: datetime) -> str:
    """Make a token; it is given back this once. Raises Rejected for a site or unit that is not known."""
    county = read_county(session)
    mistakes = []
    if site is not None and site not in {known.code for known in county.sites}:
        mistakes.append(Mistake("--site", "site_unknown", {"site": site}))
    if unit is not None and unit not in {known.code for known in county.units}:
        mistakes.append(Mistake("--unit", "unit_unknown", {"unit": unit}))
    if mistakes:
        raise Rejected(mistakes)
    token = secrets.token_urlsafe(32)
    session.add(TokenRow(hash=_hash(token), role=role, site=site, unit=unit, created_at=now))
    return token


class KnownCallers:
    """Who came a moment ago, for one process: portals call many times a second with the same few tokens.

    A token that is taken away opens nothing any more after `REMEMBERED`; unknown ones are never remembered.
    """

    def __init__(self) -> None:
        self._seen: dict[str, tuple[datetime, Caller]] = {}

    def caller_of(self, *, token: str, now: datetime) -> Caller | None:
        """Who has this token, None for an unknown one."""
        hashed = _hash(token)
        seen_at, known = self._seen.get(hashed, (now, None))
        if known is not None and timedelta(0) <= now - seen_at < REMEMBERED:
            return known
        found = _find(hashed=hashed)
        if found is None:
            self._seen.pop(hashed, None)
        else:
            while len(self._seen) >= MOST_REMEMBERED:
                self._seen.pop(next(iter(self._seen)), None)
            self._seen[hashed] = now, found
        return found


@glancing
def _find(connection: Connection, *, hashed: str) -> Caller | None:
    row = connection.execute(_BY_HASH, {"hashed": hashed}).one_or_none()
    return None if row is None else Caller(f"token {row.id}", row.role, row.site, row.unit)


_BY_HASH = select(TokenRow.id, TokenRow.role, TokenRow.site, TokenRow.unit).where(
    TokenRow.hash == bindparam("hashed")
)


def _hash(token: str) -> str:
    """A plain hash will do: tokens have 256 random bits, so there is nothing to guess."""
    return hashlib.sha256(token.encode()).hexdigest()
