"""The calendar entry of a message: an iCalendar object that every common program reads alike.

RFC 5545 leaves room in which programs disagree. This room uses none of it: one event, at most one attendee,
a VTIMEZONE of plain yearly rules, no alarm, no recurrence, UTC for the doubtful hour of a clock change.
"""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from icalendar import vText

from booking_service.mail.addresses import bare_address
from booking_service.mail.notice import Kind
from booking_service.mail.wording import BERLIN, clean_line, clean_name, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from booking_service.mail.notice import Notice

_LONGEST_LINE = 75  # octets, RFC 5545, 3.1
_LONGEST_TEXT = {"SUMMARY": 120, "LOCATION": 255, "DESCRIPTION": 4000}  # characters
_STAMPS = frozenset({"DTSTAMP", "CREATED", "LAST-MODIFIED"})
_PEOPLE = ("ORGANIZER", "ATTENDEE")
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_BARE_ADDRESS = re.compile(r":mailto:[!-~]+@[a-zA-Z0-9.-]+$")

# Written out: what icalendar generates from the time zone database holds lists of RDATE, which ical.js
# (Thunderbird, Nextcloud) and vobject read one hour late in summer.
_VTIMEZONE = b"""\
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
""".replace(b"\n", b"\r\n")


class MalformedEntry(ValueError):
    """An entry breaks a rule of form that some calendar program punishes silently."""


def new_uid(domain: str) -> str:
    """Draw a random identity (128 bits) for a new appointment, which keeps it for life."""
    return f"{secrets.token_hex(16)}@{domain}"


def method_of(notice: Notice) -> str:
    """Choose the iTIP method: REQUEST books and moves; PUBLISH stands for it in mails to ourselves."""
    if notice.kind is Kind.CANCELLATION:
        return "CANCEL"
    return "PUBLISH" if _is_to_ourselves(notice) else "REQUEST"


def calendar_entry(notice: Notice) -> bytes:
    """Write the notice as an iCalendar object in UTF-8; equal notices give equal bytes.

    Raises ValueError where an address is not a bare one.
    """
    return _object(notice, method_of(notice), with_attendee=not _is_to_ourselves(notice))


def calendar_file(notice: Notice) -> bytes:
    """Write the appointment as a file to download: published, without attendee, hence without answer.

    The recipient of the notice is not looked at. Raises ValueError for a cancellation, which no calendar
    takes from a file.
    """
    if notice.kind is Kind.CANCELLATION:
        raise ValueError("kind: a cancelled appointment makes no calendar file")
    return _object(notice, "PUBLISH", with_attendee=False)


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


def _is_to_ourselves(notice: Notice) -> bool:
    return notice.recipient.casefold() == notice.sender.address.casefold()


def _object(notice: Notice, method: str, *, with_attendee: bool) -> bytes:
    head = (
        "BEGIN:VCALENDAR",
        "PRODID:-//Terminlotse//Terminlotse//DE",
        "VERSION:2.0",
        "CALSCALE:GREGORIAN",
        f"METHOD:{method}",
    )
    before = b"".join(map(_fold, head))
    after = b"".join(map(_fold, (*_event(notice, with_attendee=with_attendee), "END:VCALENDAR")))
    # the zone never varies and is short ASCII: it is neither folded nor checked again
    check_form(before + after)
    return before + _VTIMEZONE + after


def _event(notice: Notice, *, with_attendee: bool) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{_text(notice.uid)}"
    yield f"SEQUENCE:{notice.sequence}"
    yield f"DTSTAMP{_in_utc(notice.revised_at)}"
    yield f"CREATED{_in_utc(notice.created_at)}"
    yield f"LAST-MODIFIED{_in_utc(notice.revised_at)}"
    yield from _span(notice)
    yield f"ORGANIZER{_person(notice.sender.name, notice.sender.address)}"
    if with_attendee:
        role = ";CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;RSVP=FALSE"
        yield f"ATTENDEE{_person(notice.recipient_name, notice.recipient, role)}"
    yield from _words(notice)
    yield f"STATUS:{'CANCELLED' if notice.kind is Kind.CANCELLATION else 'CONFIRMED'}"
    yield "CLASS:CONFIDENTIAL"
    yield "TRANSP:OPAQUE"
    yield "X-MICROSOFT-DISALLOW-COUNTER:TRUE"
    yield "END:VEVENT"


def _span(notice: Notice) -> Iterator[str]:
    """Start and end in local time, both in UTC where one falls into the hour of a clock change."""
    start, end = notice.start.astimezone(BERLIN), notice.end.astimezone(BERLIN)
    written = _in_utc if _is_doubtful(start) or _is_doubtful(end) else _in_local_time
    yield f"DTSTART{written(start)}"
    yield f"DTEND{written(end)}"


def _is_doubtful(local: datetime) -> bool:
    """Whether the wall clock shows this time twice or never; parsers disagree on both."""
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


def _in_utc(moment: datetime) -> str:
    return f":{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _in_local_time(moment: datetime) -> str:
    return f";TZID={BERLIN.key}:{moment:%Y%m%dT%H%M%S}"


def _person(name: str, address: str, role: str = "") -> str:
    """Write the parameters and the address; a clean name has no quotation marks of its own."""
    address = bare_address(address)
    return f';CN="{clean_name(name) or address}"{role}:mailto:{address}'


def _words(notice: Notice) -> Iterator[str]:
    summary = clean_line(f"Termin: {notice.office_group}", _LONGEST_TEXT["SUMMARY"])
    location = clean_line(write(notice, "location.txt"), _LONGEST_TEXT["LOCATION"])
    yield f"SUMMARY:{_text(summary)}"
    yield f"LOCATION:{_text(location)}"
    yield f"DESCRIPTION:{_text(write(notice, 'entry.txt'))}"
    yield f"URL:{notice.manage_url}"
    if notice.venue is not None:
        yield f"GEO:{notice.venue.lat:.6f};{notice.venue.lon:.6f}"


def _text(value: str) -> str:
    return vText(value).to_ical().decode()


def _fold(line: str) -> bytes:
    """End a line, folded neither inside a character nor between a backslash and what it escapes."""
    folded, rest, room = [], line.encode(), _LONGEST_LINE
    while len(rest) > room:
        head = rest[:room].decode(errors="ignore").encode()
        if (len(head) - len(head.rstrip(b"\\"))) % 2:
            head = head[:-1]
        folded.append(head)
        rest, room = rest[len(head) :], _LONGEST_LINE - 1
    return b"\r\n ".join((*folded, rest)) + b"\r\n"


def _fault_of_line(line: bytes) -> str | None:
    """Tell what is wrong with one line as it is sent, without its CRLF."""
    if not line.strip():
        return "empty"
    if len(line) > _LONGEST_LINE:
        return f"{len(line)} octets, at most {_LONGEST_LINE} are allowed"
    if _CONTROL.search(line):
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
