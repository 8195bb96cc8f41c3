"""The mailbox of a development machine: what was sent, as it would arrive. Never where https is used."""

from __future__ import annotations

from dataclasses import dataclass
from email import policy
from email.parser import BytesParser
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, current_app, render_template

from booking_service.web.access import everybody

if TYPE_CHECKING:
    from email.message import EmailMessage
    from pathlib import Path

blueprint = Blueprint("mailbox", __name__, url_prefix="/postfach")

MOST_LISTED = 200


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the list."""

    name: str
    recipient: str
    subject: str


@blueprint.get("/")
@everybody
def index() -> str:
    """List the newest messages."""
    files = sorted(_folder().glob("*.eml"), key=lambda path: path.stat().st_mtime, reverse=True)
    entries = [_entry(path) for path in files[:MOST_LISTED]]
    return render_template("mailbox.html", entries=entries, number=len(files))


@blueprint.get("/<name>")
@everybody
def message(name: str) -> str:
    """Show a message: its headers, its text, and its calendar entry."""
    found = _read(name)
    text = found.get_body(("plain",))
    entry = next((part for part in found.walk() if part.get_content_type() == "text/calendar"), None)
    return render_template(
        "message.html",
        name=name,
        headers=list(found.items()),
        text=text.get_content() if text else "",
        calendar=entry.get_content() if entry else "",
    )


@blueprint.get("/<name>/html")
@everybody
def html_part(name: str) -> Response:
    """Show the HTML part alone, with nothing allowed to run or load."""
    found = _read(name).get_body(("html",))
    if found is None:
        abort(HTTPStatus.NOT_FOUND)
    page = Response(found.get_content(), mimetype="text/html")
    page.headers["Content-Security-Policy"] = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
    return page


@blueprint.get("/<name>/termin.ics")
@everybody
def calendar_file(name: str) -> Response:
    """Hand out the attached calendar file."""
    attached = next(_read(name).iter_attachments(), None)
    if attached is None:
        abort(HTTPStatus.NOT_FOUND)
    return Response(attached.get_payload(decode=True), mimetype="text/calendar")


def _folder() -> Path:
    folder: Path = current_app.extensions["settings"].mailbox
    return folder


def _entry(path: Path) -> Entry:
    found = _parse(path)
    return Entry(path.name, str(found["To"]), str(found["Subject"]))


def _read(name: str) -> EmailMessage:
    path = _folder() / name
    if path.parent != _folder() or path.suffix != ".eml" or not path.is_file():
        abort(HTTPStatus.NOT_FOUND)
    return _parse(path)


def _parse(path: Path) -> EmailMessage:
    return BytesParser(policy=policy.default).parsebytes(path.read_bytes())
