"""Thunderbird's, KDE's and GNOME's, and Python's parsers take the same out of our entries.

Not part of `make test`: wants Node, npm's ical.js and Debian's libical, see install.sh beside this file.
"""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import pytest

from booking_service.domain.county import Mode
from booking_service.mail.calendar_entry import calendar_entry, calendar_file
from booking_service.mail.message import render
from booking_service.mail.notice import Kind, Venue
from tests.mail_notices import a_life, a_notice
from tests.parsers.check_folder import disagreements, faults_of_mail
from tests.parsers.readers import Objection, reading_by, readings

ROOT = Path(__file__).parents[2]
STARTS = {
    "winter": datetime(2026, 1, 15, 8, 0, tzinfo=UTC),
    "summer": datetime(2026, 7, 15, 7, 0, tzinfo=UTC),
    "before summer time 2026": datetime(2026, 3, 29, 0, 0, tzinfo=UTC),
    "into summer time 2026": datetime(2026, 3, 29, 0, 30, tzinfo=UTC),
    "first minute of summer time 2026": datetime(2026, 3, 29, 1, 0, tzinfo=UTC),
    "day of summer time 2026": datetime(2026, 3, 29, 7, 0, tzinfo=UTC),
    "into the hour that comes twice 2026": datetime(2026, 10, 24, 23, 30, tzinfo=UTC),
    "first 2:15 of 2026": datetime(2026, 10, 25, 0, 15, tzinfo=UTC),
    "second 2:00 of 2026": datetime(2026, 10, 25, 1, 0, tzinfo=UTC),
    "first minute after the hour that comes twice 2026": datetime(2026, 10, 25, 2, 0, tzinfo=UTC),
    "day of winter time 2026": datetime(2026, 10, 25, 9, 0, tzinfo=UTC),
    "first minute of summer time 2027": datetime(2027, 3, 28, 1, 0, tzinfo=UTC),
    "second 2:00 of 2027": datetime(2027, 10, 31, 1, 0, tzinfo=UTC),
    "summer 2031": datetime(2031, 8, 1, 6, 0, tzinfo=UTC),
}
AWKWARD = {
    "name": {"recipient_name": 'Dr. "Änne" O\'Brian; Łukasz, 😀 ^n \\n'},
    "right to left": {"recipient_name": "آنا شميت", "office_group": "مكتب\u202e الخدمة"},
    "commas": {
        "venue": Venue("Haus A, B; C\\D\nE", "Weg 1; Hof: links", "17109", "Alt, Neu", 53.9, -0.0000001)
    },
    "long": {"office_group": "Landkreis " * 40, "reference": "Z" * 300, "recipient_name": "Ü" * 300},
    "to ourselves": {"recipient": "termin@lk-seenplatte.example"},
    "revision": {"sequence": 12},
}
NOTICES = {
    f"{when}, {mode.value}, {language}": {"start": STARTS[when], "mode": mode, "language": language}
    for (when, mode), language in zip(
        product(STARTS, Mode), ["de", "en"] * (len(STARTS) * len(Mode) // 2), strict=True
    )
} | AWKWARD


def readings_of(entry, folder):
    file = folder / "entry.ics"
    file.write_bytes(entry)
    return readings(file)


@pytest.mark.parametrize("name", list(NOTICES))
def test_all_parsers_read_the_same_and_the_truth(name, tmp_path):
    notice = a_notice(**NOTICES[name])
    found = readings_of(calendar_entry(notice), tmp_path)
    assert list(disagreements(found)) == []
    for reading in found.values():
        assert reading["start"] == notice.start.strftime("%Y-%m-%dT%H:%M:%SZ")
        assert reading["end"] == notice.end.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        assert (reading["uid"], reading["sequence"]) == (notice.uid, notice.sequence)
        assert reading["method"] == ("PUBLISH" if name == "to ourselves" else "REQUEST")
        assert reading["status"] == "CONFIRMED"
        assert reading["organizer"] == [f"mailto:{notice.sender.address}"]


@pytest.mark.parametrize("ours", [False, True], ids=["to a citizen", "to ourselves"])
def test_all_parsers_follow_an_appointment_from_booking_over_moves_to_cancellation(ours, tmp_path):
    life = a_life(recipient="termin@lk-seenplatte.example") if ours else a_life()
    first = readings_of(calendar_entry(life[0]), tmp_path)["libical"]
    standing = "PUBLISH" if ours else "REQUEST"
    for notice, method in zip(life, [standing] * 3 + ["CANCEL"], strict=True):
        found = readings_of(calendar_entry(notice), tmp_path)
        assert list(disagreements(found)) == []
        reading = found["libical"]
        for name in ("uid", "created", "summary", "location", "organizer", "attendees"):
            assert reading[name] == first[name]
        assert (reading["method"], reading["sequence"]) == (method, notice.sequence)
        assert reading["status"] == ("CANCELLED" if method == "CANCEL" else "CONFIRMED")
        assert reading["start"] == notice.start.strftime("%Y-%m-%dT%H:%M:%SZ")
        assert reading["stamp"] == reading["modified"] == notice.revised_at.strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize("mode", list(Mode))
def test_all_parsers_read_the_same_in_a_file_to_download(mode, tmp_path):
    found = readings_of(calendar_file(a_notice(mode=mode)), tmp_path)
    assert list(disagreements(found)) == []
    assert (found["libical"]["method"], found["libical"]["attendees"]) == ("PUBLISH", [])


@pytest.mark.parametrize(
    ("part", "instead"),
    [
        (rb"\r\nDTSTAMP:[^\r]*", b""),
        (rb"\r\nSEQUENCE:1", b""),
        (rb"\r\nORGANIZER[^\r]*(?:\r\n [^\r]*)*", b""),
        (rb"END:VEVENT", rb"REQUEST-STATUS:2.0;Success\r\nEND:VEVENT"),
    ],
    ids=["no stamp", "no sequence", "no organiser", "a status of the request"],
)
def test_libical_refuses_a_cancellation_that_itip_does_not_allow(part, instead, tmp_path):
    """The table can say no: each of these differs from a good cancellation in one point."""
    file = tmp_path / "entry.ics"
    file.write_bytes(re.sub(part, instead, calendar_entry(a_notice(kind=Kind.CANCELLATION))))
    with pytest.raises(Objection, match="no iCalendar object that iTIP allows"):
        reading_by("libical", file)


def test_a_folder_of_mails_is_checked_and_a_bad_one_named(tmp_path):
    (tmp_path / "1-0.eml").write_bytes(render(a_notice()).content)
    cancelled = a_notice(kind=Kind.CANCELLATION, mode=Mode.PHONE, language="en")
    (tmp_path / "2-0.eml").write_bytes(render(cancelled).content)
    check = [sys.executable, "-m", "tests.parsers.check_folder", str(tmp_path)]
    sound = subprocess.run(check, capture_output=True, text=True, check=False, cwd=ROOT)
    assert (sound.returncode, sound.stdout) == (0, "2 mails, 2 calendar entries, 0 mails with faults\n")
    broken = render(a_notice()).content.replace(b'method="REQUEST"', b'method="CANCEL"')
    (tmp_path / "3-0.eml").write_bytes(broken)
    unsound = subprocess.run(check, capture_output=True, text=True, check=False, cwd=ROOT)
    assert unsound.returncode == 1
    assert unsound.stderr == "3-0.eml: the mail says ['CANCEL'], the entry REQUEST\n"


def test_a_parser_that_is_one_hour_late_is_noticed(tmp_path):
    """The comparison itself can fail: vobject and ical.js take the time zone from the file."""
    late = calendar_entry(a_notice(start=STARTS["summer"])).replace(b"TZOFFSETTO:+0200", b"TZOFFSETTO:+0300")
    assert any(each.startswith("start: ") for each in disagreements(readings_of(late, tmp_path)))


def test_what_a_parser_objects_to_is_told_with_its_name(tmp_path):
    unended = calendar_entry(a_notice()).replace(b"END:VEVENT\r\n", b"")
    with pytest.raises(Objection, match=r"^(ical\.js|libical|vobject|icalendar): "):
        readings_of(unended, tmp_path)


def test_a_mail_without_entry_has_nothing_to_check(tmp_path):
    file = tmp_path / "1-0.eml"
    file.write_bytes(render(a_notice(), with_entry=False).content)
    assert faults_of_mail(file) == (0, [])
