"""Thunderbird's, KDE's and GNOME's, and Python's parsers take the same out of our entries.

Not part of `make test`: wants Node, npm's ical.js and Debian's libical, see install.sh beside this file.
"""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import pytest

from booking_service.domain.county import Mode
from booking_service.mail.calendar_entry import calendar_entry
from booking_service.mail.message import render
from booking_service.mail.notice import Venue
from tests.mail_notices import a_notice
from tests.parsers.check_folder import disagreements, faults_of_mail
from tests.parsers.readers import Objection, readings

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


@pytest.mark.parametrize("name", list(NOTICES))
def test_all_parsers_read_the_same_and_the_truth(name, tmp_path):
    notice = a_notice(**NOTICES[name])
    file = tmp_path / "entry.ics"
    file.write_bytes(calendar_entry(notice))
    found = readings(file)
    assert list(disagreements(found)) == []
    for reading in found.values():
        assert reading["start"] == notice.start.strftime("%Y-%m-%dT%H:%M:%SZ")
        assert reading["end"] == notice.end.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        assert (reading["uid"], reading["sequence"]) == (notice.uid, notice.sequence)
        assert reading["method"] == ("PUBLISH" if name == "to ourselves" else "REQUEST")
        assert reading["status"] == "CONFIRMED"
        assert reading["organizer"] == [f"mailto:{notice.sender.address}"]


def test_a_folder_of_mails_is_checked_and_a_bad_one_named(tmp_path):
    (tmp_path / "1-0.eml").write_bytes(render(a_notice()).content)
    (tmp_path / "2-0.eml").write_bytes(render(a_notice(mode=Mode.PHONE, language="en")).content)
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
    file = tmp_path / "entry.ics"
    file.write_bytes(late)
    assert any(each.startswith("start: ") for each in disagreements(readings(file)))


def test_what_a_parser_objects_to_is_told_with_its_name(tmp_path):
    file = tmp_path / "entry.ics"
    file.write_bytes(calendar_entry(a_notice()).replace(b"END:VEVENT\r\n", b""))
    with pytest.raises(Objection, match=r"^(ical\.js|libical|vobject|icalendar): "):
        readings(file)


def test_a_mail_without_entry_has_nothing_to_check(tmp_path):
    file = tmp_path / "1-0.eml"
    file.write_bytes(render(a_notice(), with_entry=False).content)
    assert faults_of_mail(file) == (0, [])
