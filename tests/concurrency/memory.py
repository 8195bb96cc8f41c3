"""What a client of the storm was told and believes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

Place: TypeAlias = tuple[datetime, str | None, str]
"""Start, site and mode."""

SOON = timedelta(seconds=30)


@dataclass(frozen=True)
class Held:
    """A hold; `token` is the one it was made with, empty for the client's own."""

    key: str
    place: Place
    services: tuple[str, ...]
    token: str
    by_browser: bool
    expires_at: datetime


@dataclass
class Booked:
    """An appointment; `key` opens it."""

    reference: str
    key: str
    services: tuple[str, ...]
    place: Place
    by_email: bool
    status: str = "confirmed"


@dataclass
class Told:
    """All of it. `keys` are those of every hold that there ever was."""

    keys: set[str] = field(default_factory=set)
    bookings: list[Booked] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    _holds: list[Held] = field(default_factory=list)

    def hold(self, held: Held) -> None:
        """Another hold; a browser gives up the one before."""
        if held.by_browser:
            self._holds = [one for one in self._holds if not one.by_browser]
        self._holds.append(held)
        self.keys.add(held.key)

    def end(self, held: Held) -> None:
        """It was used or given back."""
        self._holds = [one for one in self._holds if one is not held]

    def open_holds(self) -> list[Held]:
        """Those that last a little longer."""
        now = datetime.now(UTC)
        return [held for held in self._holds if held.expires_at > now + SOON]

    def standing(self) -> list[Booked]:
        """The appointments that may still be changed."""
        return [booked for booked in self.bookings if booked.status == "confirmed"]
