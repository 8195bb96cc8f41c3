"""The background engine: it only wakes, and the database remembers what there is to do.

A wake-up that is lost costs a minute at most, since the timetable looks again. Each task only calls a use
case, and may run twice or on two hosts at once.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import structlog
from huey import Huey, RedisHuey, SqliteHuey, crontab

from booking_service.mail.transport import open_transport
from booking_service.services.county import current_county
from booking_service.services.improving import improve
from booking_service.services.outbox import Delivery, deliver
from booking_service.services.places import sweep
from booking_service.services.planning import plan

if TYPE_CHECKING:
    from flask import Flask

    from booking_service.services.links import Links
    from booking_service.settings import Settings

log = structlog.get_logger()

# the hour before is skipped by the clock once a year and occurs twice once a year
NIGHTLY_HOUR = 3
IMPROVING_SECONDS = 20.0
"""Of each minute: the mails wait for it."""


def make_huey(settings: Settings) -> Huey:
    """The queue: a file next to the database, or Redis for several hosts."""
    url = urlsplit(settings.queue_url)
    if url.scheme == "sqlite":
        return SqliteHuey("terminlotse", filename=url.path, results=False)
    return RedisHuey("terminlotse", url=settings.queue_url, results=False)


def init_worker(app: Flask, settings: Settings, links: Links) -> None:
    """Give the application its queue and the timetable.

    Every minute mails, holds and the improving of changed days; at night the plan.
    """
    huey = make_huey(settings)
    app.extensions["huey"] = huey

    def send() -> None:
        with app.app_context():
            _send(settings)

    def sweep_places() -> None:
        with app.app_context():
            sweep(now=datetime.now(UTC))

    def improve_days() -> None:
        with app.app_context():
            improve(now=datetime.now(UTC), clock=time.monotonic, seconds=IMPROVING_SECONDS)

    def plan_nightly() -> None:
        with app.app_context():
            plan_at_night(links, datetime.now(UTC))

    huey.periodic_task(crontab(), name="send")(send)
    huey.periodic_task(crontab(), name="sweep_places")(sweep_places)
    huey.periodic_task(crontab(), name="improve_days")(improve_days)
    huey.periodic_task(crontab(minute="0"), name="plan_nightly")(plan_nightly)


def _send(settings: Settings) -> None:
    sender = current_county().settings.sender_address
    with open_transport(settings.mail_url) as transport:
        done = deliver(transport, sender=sender, now=lambda: datetime.now(UTC))
    if done != Delivery():
        log.info("delivered", sent=done.sent, deferred=done.deferred, failed=done.failed)


def plan_at_night(links: Links, now: datetime) -> None:
    """Plan if it is the hour for it. The timetable counts in UTC, the county sleeps by its own clock."""
    if now.astimezone(ZoneInfo(current_county().settings.zone)).hour == NIGHTLY_HOUR:
        plan(links=links, now=now, clock=time.monotonic)
