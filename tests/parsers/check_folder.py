"""`python -m tests.parsers.check_folder DIR`: check every calendar part of the `.eml` files of a folder.

Each part must have sound bytes, be read alike by ical.js, libical, vobject and icalendar, and carry the
method that its part of the mail names. Prints what is wrong and ends with 1, or says how many were right.
"""

from __future__ import annotations

import email
import email.policy
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from booking_service.mail.calendar_entry import MalformedEntry, check_form
from tests.parsers.readers import Objection, readings

if TYPE_CHECKING:
    from collections.abc import Iterator

CALENDAR_TYPES = frozenset({"text/calendar", "application/ics"})


def faults_of_mail(path: Path) -> tuple[int, list[str]]:
    """Return how many different entries the mail holds, and all that is wrong with it."""
    message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
    parts = [part for part in message.walk() if part.get_content_type() in CALENDAR_TYPES]
    entries = {part.get_payload(decode=True) for part in parts}
    faults = [f"{part.get_content_type()}: {defect!r}" for part in message.walk() for defect in part.defects]
    if len(entries) > 1:
        faults.append("the calendar parts differ")
    methods = {part.get_param("method") for part in parts} - {None}
    for entry in entries:
        faults += faults_of_entry(entry, methods)
    return len(entries), faults


def faults_of_entry(entry: bytes, methods: set[str]) -> Iterator[str]:
    try:
        check_form(entry)
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "entry.ics")
            file.write_bytes(entry)
            found = readings(file)
    except (MalformedEntry, Objection) as objection:
        yield str(objection)
        return
    yield from disagreements(found)
    if methods != {found["icalendar"]["method"]}:
        yield f"the mail says {sorted(methods)}, the entry {found['icalendar']['method']}"


def disagreements(found: dict[str, dict[str, object]]) -> Iterator[str]:
    """Name each field that the parsers read in different ways."""
    (_, first), *others = found.items()
    for name in first:
        if any(other[name] != first[name] for _, other in others):
            yield f"{name}: " + ", ".join(f"{parser} {reading[name]!r}" for parser, reading in found.items())


def main(folder: Path) -> int:
    mails = sorted(folder.glob("*.eml"))
    entries, wrong = 0, 0
    for mail in mails:
        count, faults = faults_of_mail(mail)
        entries += count
        wrong += bool(faults)
        for fault in faults:
            print(f"{mail.name}: {fault}", file=sys.stderr)  # noqa: T201 - a command's output
    print(f"{len(mails)} mails, {entries} calendar entries, {wrong} mails with faults")  # noqa: T201
    return 1 if wrong or not mails else 0


def _folder_argument(arguments: list[str]) -> Path:
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        sys.exit("usage: python -m tests.parsers.check_folder DIR")
    return Path(arguments[0])


if __name__ == "__main__":
    sys.exit(main(_folder_argument(sys.argv[1:])))
