"""The pages for people: plain HTML that works without scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from babel.dates import format_date

from booking_service.web.pages import mailbox, manage, start

if TYPE_CHECKING:
    from datetime import date, datetime

    from flask import Flask

    from booking_service.settings import Settings


def init_pages(app: Flask, settings: Settings) -> None:
    """Add the pages to the application; the mailbox only in development."""
    app.jinja_env.filters |= {"long_date": _long_date, "clock": _clock}
    app.register_blueprint(start.blueprint)
    app.register_blueprint(manage.blueprint)
    if settings.mailbox is not None:
        app.register_blueprint(mailbox.blueprint)


def _long_date(day: date) -> str:
    return format_date(day, "EEEE, d. MMMM y", locale="de")


def _clock(moment: datetime) -> str:
    return f"{moment.hour}:{moment:%M} Uhr"
