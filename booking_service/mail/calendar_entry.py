"""The calendar entry of an appointment: an iCalendar object that every common program reads alike.

RFC 5545 leaves room in which programs disagree. This room uses none of it: one event, one attendee, a
VTIMEZONE of plain yearly rules, no alarm, no recurrence, UTC for the doubtful hour of a clock change.
"""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from icalendar import Calendar, Event, Timezone, vCalAddress

from .wording import BERLIN, clean_line, clean_name, write

if TYPE_CHECKING:
    from .notice import Notice

_PRODUCT = "-//Terminlotse//Terminlotse//DE"
_LONGEST_LINE = 75  # octets, RFC 5545, 3.1
_LONGEST_TEXT = {"SUMMARY": 120, "LOCATION": 255, "DESCRIPTION": 4000}  # characters
_STAMPS = frozenset({"DTSTAMP", "CREATED", "LAST-MODIFIED"})
_PEOPLE = ("ORGANIZER", "ATTENDEE")
_BARE_ADDRESS = re.compile(r":mailto:[!-~]+@[a-zA-Z0-9.-]+$")

# Written out: what icalendar generates from the time zone database holds lists of RDATE, which ical.js
# (Thunderbird, Nextcloud) and vobject read one hour late in summer.
_VTIMEZONE = Timezone.from_ical(
    """\
BEGIN:VTIMEZONE
TZID:Europe/Berlin
X-LIC-LOCATION:Europe/Berlin
BEGIN:DAYLIGHT
DTSTART:19810329T020000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3
TZNAME:CEST
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:19961027T030000
RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10
TZNAME:CET
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
END:VTIMEZONE
""".replace("\n", "\r\n")
)


class MalformedEntry(ValueError):
    """An entry breaks a rule of form that some calendar program punishes silently."""


def new_uid(domain: str) -> str:
    """Draw a random identity (128 bits) for a new appointment, which keeps it for life."""
    return f"{secrets.token_hex(16)}@{domain}"


def method_of(notice: Notice) -> str:
    """Choose the iTIP method: REQUEST, but PUBLISH where the organiser would invite itself."""
    own = notice.recipient.casefold() == notice.sender.address.casefold()
    return "PUBLISH" if own else "REQUEST"


def calendar_entry(notice: Notice) -> bytes:
    """Write the notice as an iCalendar object in UTF-8; equal notices give equal bytes."""
    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", method_of(notice))
    calendar.add_component(_VTIMEZONE)
    calendar.add_component(_event(notice))
    entry = _fold(calendar.to_ical(sorted=False))
    check_form(entry)
    return entry


def check_form(entry: bytes) -> None:
    """Raise MalformedEntry, naming the line, where bytes, lines or lengths break a rule of form.

    Parsers forgive most of this, mailboxes and calendar servers do not, and they never say so.
    """
    if not entry.startswith(b"BEGIN:VCALENDAR\r\n") or not entry.endswith(b"\r\nEND:VCALENDAR\r\n"):
        raise MalformedEntry("the entry does not begin and end as a VCALENDAR with CRLF")
    for number, line in enumerate(entry.removesuffix(b"\r\n").split(b"\r\n"), 1):
        fault = _fault_of_line(line)
        if fault:
            raise MalformedEntry(f"line {number}: {fault}")
    _check_values(entry.replace(b"\r\n ", b"").decode())


def _event(notice: Notice) -> Event:
    event = Event()
    event.add("uid", notice.uid)
    event.add("sequence", notice.sequence)
    event.add("dtstamp", notice.revised_at.astimezone(UTC))
    event.add("created", notice.created_at.astimezone(UTC))
    event.add("last-modified", notice.revised_at.astimezone(UTC))
    for name, moment in zip(("dtstart", "dtend"), _span(notice), strict=True):
        event.add(name, moment)
    _add_people(event, notice)
    _add_words(event, notice)
    event.add("status", "CONFIRMED")
    event.add("class", "CONFIDENTIAL")
    event.add("transp", "OPAQUE")
    event.add("x-microsoft-disallow-counter", "TRUE")
    return event


def _span(notice: Notice) -> tuple[datetime, datetime]:
    """Start and end in local time, both in UTC where one falls into the hour of a clock change."""
    start, end = notice.start.astimezone(BERLIN), notice.end.astimezone(BERLIN)
    if _is_doubtful(start) or _is_doubtful(end):
        return start.astimezone(UTC), end.astimezone(UTC)
    return start, end


def _is_doubtful(local: datetime) -> bool:
    """Whether the wall clock shows this time twice or never; parsers disagree on both."""
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


def _add_people(event: Event, notice: Notice) -> None:
    organizer = vCalAddress(f"mailto:{notice.sender.address}")
    organizer.params["CN"] = clean_name(notice.sender.name) or notice.sender.address
    event.add("organizer", organizer)
    if method_of(notice) == "PUBLISH":
        return
    attendee = vCalAddress(f"mailto:{notice.recipient}")
    attendee.params["CN"] = clean_name(notice.recipient_name) or notice.recipient
    attendee.params["CUTYPE"] = "INDIVIDUAL"
    attendee.params["ROLE"] = "REQ-PARTICIPANT"
    attendee.params["PARTSTAT"] = "ACCEPTED"
    attendee.params["RSVP"] = "FALSE"
    event.add("attendee", attendee)


def _add_words(event: Event, notice: Notice) -> None:
    event.add("summary", clean_line(f"Termin: {notice.office_group}", _LONGEST_TEXT["SUMMARY"]))
    event.add("location", clean_line(write(notice, "location.txt"), _LONGEST_TEXT["LOCATION"]))
    event.add("description", write(notice, "entry.txt"))
    event.add("url", notice.manage_url)
    if notice.venue is not None:
        event.add("geo", (round(notice.venue.lat, 6), round(notice.venue.lon, 6)))


def _fold(entry: bytes) -> bytes:
    """Fold anew: icalendar may part a backslash from the sign that it escapes."""
    lines = entry.replace(b"\r\n ", b"").decode().removesuffix("\r\n").split("\r\n")
    return b"".join(_fold_line(line) for line in lines)


def _fold_line(line: str) -> bytes:
    folded, room = bytearray(), _LONGEST_LINE
    for unit in re.findall(r"\\.|.", line, re.DOTALL):
        octets = unit.encode()
        if len(octets) > room:
            folded += b"\r\n "
            room = _LONGEST_LINE - 1
        folded += octets
        room -= len(octets)
    return bytes(folded) + b"\r\n"


def _fault_of_line(line: bytes) -> str | None:
    """Tell what is wrong with one line as it is sent, without its CRLF."""
    if not line.strip():
        return "empty"
    if len(line) > _LONGEST_LINE:
        return f"{len(line)} octets, at most {_LONGEST_LINE} are allowed"
    if any(octet < 0x20 or octet == 0x7F for octet in line):
        return "a control character"
    if line.endswith(b"\\"):
        return "folded inside an escape"
    try:
        line.decode()
    except UnicodeDecodeError:
        return "no UTF-8, or folded inside a character"
    return None


def _check_values(unfolded: str) -> None:
    """Refuse what is well-formed and yet misread: local stamps, names inside addresses, long texts."""
    for line in unfolded.split("\r\n"):
        name, _, value = line.partition(":")
        longest = _LONGEST_TEXT.get(name)
        if longest is not None and len(re.sub(r"\\(.)", r"\1", value)) > longest:
            raise MalformedEntry(f"{name}: longer than {longest} characters")
        if name in _STAMPS and not value.endswith("Z"):
            raise MalformedEntry(f"{name}: not in UTC")
        if line.startswith(_PEOPLE) and not _BARE_ADDRESS.search(line):
            raise MalformedEntry(f"{line.partition(';')[0]}: more than a bare address after mailto:")
