"""Citizens who book by themselves: questions, holds and appointments in few words."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from booking_service.domain import zones
from booking_service.domain.bookings import Contact, Role
from booking_service.domain.county import Mode
from booking_service.services import bookings, holds, offers
from booking_service.services.offers import Question
from booking_service.services.tokens import Caller
from booking_service.services.witnesses import Audience
from tests.citizens import ANNA, NOW, WEDNESDAY

PORTAL = Caller("token 1", Role.PORTAL, None, None)
DESK = Caller("token 2", Role.DESK, None, None)


def question(*services: str, sites=("DM-BSC",), modes=(Mode.ON_SITE,), day=None, **other) -> Question:
    """One service at Demmin unless said otherwise, on any day or on one."""
    plain = {"language": None, "first": day, "last": day, "audience": Audience.PUBLIC}
    return Question(services or ("GSI-FOLGE",), tuple(sites), tuple(modes), **plain | other)


def offered(*services: str, now=NOW, **other) -> dict[tuple[date, str | None, Mode], tuple[int, ...]]:
    """The minutes that are offered, by day, site and mode."""
    found = offers.offers(question=question(*services, **other), now=now)
    return {(day, way.site, way.mode): way.starts for day, ways in found.days for way in ways}


def starts(*services: str, day=WEDNESDAY, now=NOW, **other) -> list[datetime]:
    """The instants that are offered on a day, whatever the site and mode."""
    found = offered(*services, day=day, now=now, **other)
    minutes = sorted({minute for minutes in found.values() for minute in minutes})
    return [zones.instant(day, minute, "Europe/Berlin") for minute in minutes]


def take(start: datetime, *services: str, client="token 1/", only_one=False, now=NOW, once=None, **other):
    """Hold a start."""
    choice = holds.Choice(question(*services, **other), start)
    return holds.hold(choice=choice, client=client, only_one=only_one, now=now, once=once)


def confirm(app, held, *, contact: Contact = ANNA, caller=PORTAL, now=NOW, once=None, **other):
    """Confirm a hold."""
    plain = {"notify": None, "language": None, "needs": ()}
    given = bookings.Confirmation(contact, **plain | other)
    links = app.extensions["links"]
    return bookings.confirm(key=held.key, given=given, caller=caller, links=links, now=now, once=once)


def book(app, start: datetime, *services: str, contact: Contact = ANNA, **other) -> str:
    """An appointment; its reference."""
    return confirm(app, take(start, *services, **other), contact=contact).reference


def cancel(app, reference: str, *, by_staff=False, now=NOW):
    """Cancel an appointment."""
    return bookings.cancel(reference=reference, by_staff=by_staff, links=app.extensions["links"], now=now)


def move(app, reference: str, held, *, by_staff=False, now=NOW, once=None):
    """Move an appointment to what is held."""
    links = app.extensions["links"]
    return bookings.move(
        reference=reference, key=held.key, by_staff=by_staff, links=links, now=now, once=once
    )


MINUTE = timedelta(minutes=1)
