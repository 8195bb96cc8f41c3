"""Requests, appointments and their visits as values, with the vocabularies that tables and API share."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from booking_service.domain.county import Mode


class Urgency(StrEnum):
    """How soon somebody needs to be seen; `priority` is the planner's number for it."""

    NORMAL = "normal"
    SOON = "soon"
    URGENT = "urgent"

    @property
    def priority(self) -> int:
        """1 to 3, 3 is the most urgent."""
        return list(Urgency).index(self) + 1


class Need(StrEnum):
    """What somebody needs to be able to come and be understood; always voluntary."""

    STEP_FREE = "step_free"
    INTERPRETER = "interpreter"
    SIGN_LANGUAGE = "sign_language"
    COMPANION = "companion"


class Notify(StrEnum):
    """How the citizen hears of the appointment."""

    EMAIL = "email"
    PRINT = "print"


class Entry(StrEnum):
    """Where a request came in."""

    API = "api"
    DESK = "desk"


class RequestStatus(StrEnum):
    """The life of a request: it waits until it is promised, or until its last window is over."""

    WAITING = "waiting"
    PROMISED = "promised"
    EXPIRED = "expired"


class AppointmentStatus(StrEnum):
    """The life of an appointment."""

    CONFIRMED = "confirmed"


class MailState(StrEnum):
    """The life of a message in the outbox; staff can see those that failed for good."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Contact:
    """How to reach somebody; cleaned. One of e-mail and phone is always there, except at a desk."""

    name: str
    email: str | None
    phone: str | None


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """When somebody could come: two instants with a zone, half-open."""

    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a citizen asks for: any of the windows, at any of the sites, in any of the modes.

    The order of sites and modes is the order of preference. No windows means any time; `language`
    is the one that the specialist must speak, None where German will do.
    """

    services: tuple[str, ...]
    sites: tuple[str, ...]
    modes: tuple[Mode, ...]
    windows: tuple[TimeWindow, ...]
    language: str | None
    needs: tuple[Need, ...]
    urgency: Urgency
    wish: str | None
