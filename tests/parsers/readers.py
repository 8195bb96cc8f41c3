"""Four parsers read one iCalendar file, each in a process of its own: some keep time zones from file to file.

`python -m tests.parsers.readers vobject FILE` prints the reading as JSON: method, uid, sequence, status,
start, end, stamp, created and modified (UTC), summary, location, description, organizer and attendees. A
parser that objects to the file ends with an error.
"""

from __future__ import annotations

import ctypes
import json
import subprocess
import sys
import warnings
from datetime import UTC, datetime
from pathlib import Path

import icalendar
import vobject

HERE = Path(__file__).parent


class Objection(Exception):
    """A parser cannot read the file, or calls it wrong."""


def readings(entry: Path) -> dict[str, dict[str, object]]:
    """Let every parser read the file; raise Objection with the words of the first one that objects."""
    return {parser: reading_by(parser, entry) for parser in ("ical.js", *READERS)}


def reading_by(parser: str, entry: Path) -> dict[str, object]:
    """Let one parser read the file; raise Objection with its words."""
    if parser == "ical.js":
        command = ["node", str(HERE / "read_icaljs.mjs"), str(entry)]
    else:
        command = [sys.executable, "-W", "error", "-m", "tests.parsers.readers", parser, str(entry)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=HERE.parents[1])
    if done.returncode != 0 or done.stderr:
        raise Objection(f"{parser}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def read_icalendar(entry: Path) -> dict[str, object]:
    calendar = icalendar.Calendar.from_ical(entry.read_bytes())
    (event,) = calendar.walk("VEVENT")
    if calendar.errors or event.errors:
        raise Objection(str(calendar.errors + event.errors))
    attendees = event.get("ATTENDEE", [])
    return {
        "method": str(calendar["METHOD"]),
        "uid": str(event["UID"]),
        "sequence": int(event["SEQUENCE"]),
        "status": str(event["STATUS"]),
        "start": _utc(event["DTSTART"].dt),
        "end": _utc(event["DTEND"].dt),
        "stamp": _utc(event["DTSTAMP"].dt),
        "created": _utc(event["CREATED"].dt),
        "modified": _utc(event["LAST-MODIFIED"].dt),
        "summary": str(event["SUMMARY"]),
        "location": str(event["LOCATION"]),
        "description": str(event["DESCRIPTION"]),
        "organizer": [str(event["ORGANIZER"])],
        "attendees": [str(each) for each in (attendees if isinstance(attendees, list) else [attendees])],
    }


def read_vobject(entry: Path) -> dict[str, object]:
    (calendar,) = vobject.readComponents(entry.read_bytes().decode())
    calendar.validate(raiseException=True)
    (event,) = calendar.vevent_list
    return {
        "method": calendar.method.value,
        "uid": event.uid.value,
        "sequence": int(event.sequence.value),
        "status": event.status.value,
        "start": _utc(event.dtstart.value),
        "end": _utc(event.dtend.value),
        "stamp": _utc(event.dtstamp.value),
        "created": _utc(event.created.value),
        "modified": _utc(event.last_modified.value),
        "summary": event.summary.value,
        "location": event.location.value,
        "description": event.description.value,
        "organizer": [each.value for each in event.contents["organizer"]],
        "attendees": [each.value for each in event.contents.get("attendee", [])],
    }


def read_libical(entry: Path) -> dict[str, object]:
    """Read through the C library, which also checks the table of what iTIP allows in each method."""
    library = _libical()
    calendar = library.icalparser_parse_string(entry.read_bytes())
    if not calendar or not library.icalrestriction_check(calendar):
        raise Objection("no iCalendar object that iTIP allows")
    if library.icalcomponent_count_errors(calendar):
        raise Objection(library.icalcomponent_as_ical_string(calendar).decode())
    kind = library.icalcomponent_string_to_kind(b"VEVENT")
    event = library.icalcomponent_get_first_component(calendar, kind)
    if library.icalcomponent_get_next_component(calendar, kind):
        raise Objection("more than one event")
    return {
        "method": _only(library, calendar, "METHOD"),
        "uid": _only(library, event, "UID"),
        "sequence": int(_only(library, event, "SEQUENCE")),
        "status": _only(library, event, "STATUS"),
        "start": _instant(library, library.icalcomponent_get_dtstart(event)),
        "end": _instant(library, library.icalcomponent_get_dtend(event)),
        "stamp": _stamp(library, event, "DTSTAMP"),
        "created": _stamp(library, event, "CREATED"),
        "modified": _stamp(library, event, "LAST-MODIFIED"),
        "summary": library.icalcomponent_get_summary(event).decode(),
        "location": library.icalcomponent_get_location(event).decode(),
        "description": library.icalcomponent_get_description(event).decode(),
        "organizer": _values(library, event, "ORGANIZER"),
        "attendees": _values(library, event, "ATTENDEE"),
    }


class _Time(ctypes.Structure):
    """`struct icaltimetype` of libical 3."""

    _fields_ = (
        *((name, ctypes.c_int) for name in ("year", "month", "day", "hour", "minute", "second")),
        ("is_date", ctypes.c_int),
        ("is_daylight", ctypes.c_int),
        ("zone", ctypes.c_void_p),
    )


def _libical() -> ctypes.CDLL:
    library = ctypes.CDLL("libical.so.3")
    pointer, text, number = ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int
    signatures = {
        "icalparser_parse_string": (pointer, text),
        "icalrestriction_check": (number, pointer),
        "icalcomponent_count_errors": (number, pointer),
        "icalcomponent_as_ical_string": (text, pointer),
        "icalcomponent_string_to_kind": (number, text),
        "icalproperty_string_to_kind": (number, text),
        "icalcomponent_get_first_component": (pointer, pointer, number),
        "icalcomponent_get_next_component": (pointer, pointer, number),
        "icalcomponent_get_first_property": (pointer, pointer, number),
        "icalcomponent_get_next_property": (pointer, pointer, number),
        "icalproperty_get_value_as_string": (text, pointer),
        "icalcomponent_get_summary": (text, pointer),
        "icalcomponent_get_location": (text, pointer),
        "icalcomponent_get_description": (text, pointer),
        "icalcomponent_get_dtstart": (_Time, pointer),
        "icalcomponent_get_dtend": (_Time, pointer),
        "icaltime_as_timet_with_zone": (ctypes.c_long, _Time, pointer),
    }
    for name, (result, *arguments) in signatures.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def _values(library: ctypes.CDLL, component: int, name: str) -> list[str]:
    kind = library.icalproperty_string_to_kind(name.encode())
    found = library.icalcomponent_get_first_property(component, kind)
    values = []
    while found:
        values.append(library.icalproperty_get_value_as_string(found).decode())
        found = library.icalcomponent_get_next_property(component, kind)
    return values


def _only(library: ctypes.CDLL, component: int, name: str) -> str:
    (value,) = _values(library, component, name)
    return value


def _instant(library: ctypes.CDLL, time: _Time) -> str:
    if not time.zone:
        raise Objection("a time that floats: its time zone is not known")
    return _utc(datetime.fromtimestamp(library.icaltime_as_timet_with_zone(time, time.zone), UTC))


def _stamp(library: ctypes.CDLL, event: int, name: str) -> str:
    stamp = datetime.strptime(_only(library, event, name), "%Y%m%dT%H%M%S%z")
    return _utc(stamp)


def _utc(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise Objection("a time that floats: its time zone is not known")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


READERS = {"libical": read_libical, "vobject": read_vobject, "icalendar": read_icalendar}

if __name__ == "__main__":
    warnings.simplefilter("error")
    print(json.dumps(READERS[sys.argv[1]](Path(sys.argv[2]))))  # noqa: T201 - its product
