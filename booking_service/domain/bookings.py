"""Requests, appointments and their visits as values, with the vocabularies that tables and API share."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
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


class Role(StrEnum):
    """What the holder of an API token may do; see `web.access`."""

    PORTAL = "portal"
    DESK = "desk"
    SPECIALIST = "specialist"
    HEAD = "head"
    ADMIN = "admin"


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
    """The life of an appointment; `EVENTS` says what leads from one to the next."""

    HELD = "held"
    EXPIRED = "expired"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    CHECKED_IN = "checked_in"
    NO_SHOW = "no_show"
    DONE = "done"


class Event(StrEnum):
    """What can happen to an appointment."""

    CONFIRM = "confirm"
    EXPIRE = "expire"
    MOVE = "move"
    CANCEL = "cancel"
    CHECK_IN = "check_in"
    MISS = "miss"
    FINISH = "finish"


EVENTS: Mapping[tuple[AppointmentStatus, Event], AppointmentStatus] = {
    (AppointmentStatus.HELD, Event.CONFIRM): AppointmentStatus.CONFIRMED,
    (AppointmentStatus.HELD, Event.EXPIRE): AppointmentStatus.EXPIRED,
    (AppointmentStatus.CONFIRMED, Event.MOVE): AppointmentStatus.CONFIRMED,
    (AppointmentStatus.CONFIRMED, Event.CANCEL): AppointmentStatus.CANCELLED,
    (AppointmentStatus.CONFIRMED, Event.CHECK_IN): AppointmentStatus.CHECKED_IN,
    (AppointmentStatus.CONFIRMED, Event.MISS): AppointmentStatus.NO_SHOW,
    (AppointmentStatus.NO_SHOW, Event.CHECK_IN): AppointmentStatus.CHECKED_IN,
    (AppointmentStatus.CHECKED_IN, Event.FINISH): AppointmentStatus.DONE,
}


class MailState(StrEnum):
    """The life of a message in the outbox; staff can see those that failed for good.

    A message that a newer one has overtaken before it was sent is superseded.
    """

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    SUPERSEDED = "superseded"


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
