"""The calendar entry: what it says, and that a malformed one never leaves the room."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from booking_service.domain.county import Mode
from booking_service.mail.calendar_entry import MalformedEntry, calendar_entry, check_form, new_uid
from booking_service.mail.notice import Sender, Venue
from tests.mail_notices import a_notice

VTIMEZONE = """\
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


def lines_of(notice):
    return calendar_entry(notice).replace(b"\r\n ", b"").decode().split("\r\n")


def value_of(notice, name):
    lines = lines_of(notice)
    event = lines[lines.index("BEGIN:VEVENT") :]
    (line,) = [line for line in event if re.match(rf"{name}[;:]", line)]
    return line.removeprefix(name).lstrip(":;")


def test_the_time_zone_is_written_out_with_two_yearly_rules_before_the_event():
    entry = calendar_entry(a_notice()).decode()
    assert VTIMEZONE in entry
    assert entry.index("END:VTIMEZONE") < entry.index("BEGIN:VEVENT")
    assert "RDATE" not in entry


def test_the_entry_is_one_confidential_event_without_alarm_or_recurrence():
    lines = lines_of(a_notice())
    assert lines[:5] == [
        "BEGIN:VCALENDAR",
        "PRODID:-//Terminlotse//Terminlotse//DE",
        "VERSION:2.0",
        "CALSCALE:GREGORIAN",
        "METHOD:REQUEST",
    ]
    assert lines.count("BEGIN:VEVENT") == 1
    for line in ("STATUS:CONFIRMED", "CLASS:CONFIDENTIAL", "TRANSP:OPAQUE", "SEQUENCE:0"):
        assert lines.count(line) == 1
    event = lines[lines.index("BEGIN:VEVENT") :]
    assert not any(re.match("BEGIN:VALARM|DURATION|RRULE|RDATE", line) for line in event)


def test_the_words_are_the_configured_ones():
    notice = a_notice()
    assert value_of(notice, "SUMMARY") == "Termin: Landkreis Seenplatte"
    assert value_of(notice, "LOCATION") == (
        r"Bürgerservicecenter Demmin\, Adolf-Pompe-Straße 12\, Hof\; Eingang B\, 17109 Demmin"
    )
    assert value_of(notice, "URL") == notice.manage_url
    assert notice.manage_url in value_of(notice, "DESCRIPTION")
    assert "K7F2-MQ9A" in value_of(notice, "DESCRIPTION")


@pytest.mark.parametrize(("language", "place"), [("de", "Telefon"), ("en", "Telephone")])
def test_an_appointment_by_phone_has_no_place_on_earth(language, place):
    notice = a_notice(mode=Mode.PHONE, language=language)
    assert value_of(notice, "LOCATION") == place
    assert not any(line.startswith("GEO") for line in lines_of(notice))


def test_what_a_site_does_not_have_leaves_no_gap_in_the_place():
    venue = Venue("Kulturhaus", " ", "17109", "Demmin", 53.9, 13.0)
    assert value_of(a_notice(venue=venue), "LOCATION") == r"Kulturhaus\, 17109 Demmin"


def test_the_position_of_the_site_has_at_most_six_decimals():
    assert value_of(a_notice(), "GEO") == "53.905500;13.034612"


def test_the_citizen_is_the_only_attendee_and_need_not_answer():
    assert value_of(a_notice(), "ATTENDEE") == (
        'CN="Anna Schönfeld";CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;RSVP=FALSE'
        ":mailto:anna@citizen.example"
    )


def test_without_a_name_the_address_stands_for_it():
    assert value_of(a_notice(recipient_name=" \t"), "ATTENDEE").startswith('CN="anna@citizen.example";')


def test_quotes_and_carets_never_reach_a_parameter():
    assert value_of(a_notice(recipient_name='Jo "Hafen" ^n Ott'), "ATTENDEE").startswith(
        'CN="Jo „Hafen“ n Ott";'
    )


def test_a_message_to_the_sending_mailbox_itself_is_a_publication_without_attendee():
    notice = a_notice(recipient="Termin@lk-seenplatte.example")
    assert "METHOD:PUBLISH" in lines_of(notice)
    assert not any(line.startswith("ATTENDEE") for line in lines_of(notice))


def test_stamps_are_in_utc_and_stored_not_drawn():
    notice = a_notice()
    assert value_of(notice, "CREATED") == "20261120T080102Z"
    assert value_of(notice, "DTSTAMP") == value_of(notice, "LAST-MODIFIED") == "20261121T090304Z"


@pytest.mark.parametrize(
    ("start", "written"),
    [
        (datetime(2026, 11, 24, 8, 0, tzinfo=UTC), "TZID=Europe/Berlin:20261124T090000"),
        (datetime(2026, 7, 1, 8, 0, tzinfo=UTC), "TZID=Europe/Berlin:20260701T100000"),
        (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "20261025T003000Z"),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "20261025T013000Z"),
        (datetime(2026, 10, 25, 2, 0, tzinfo=UTC), "TZID=Europe/Berlin:20261025T030000"),
        (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), "TZID=Europe/Berlin:20260329T030000"),
    ],
    ids=["winter", "summer", "first 2:30", "second 2:30", "after the switch back", "after the switch on"],
)
def test_times_are_local_but_for_the_hour_that_comes_twice(start, written):
    assert value_of(a_notice(start=start), "DTSTART") == written


def test_a_local_time_that_never_comes_is_written_in_utc():
    missing = datetime(2026, 3, 29, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    notice = a_notice(start=missing, end=datetime(2026, 3, 29, 2, 15, tzinfo=UTC))
    assert value_of(notice, "DTSTART") == "20260329T013000Z"


def test_start_and_end_are_written_alike_across_the_switch():
    notice = a_notice(start=datetime(2026, 10, 24, 23, 30, tzinfo=UTC))
    assert value_of(notice, "DTSTART") == "20261024T233000Z"
    assert value_of(notice, "DTEND") == "20261025T001500Z"


def test_no_escape_and_no_character_is_folded_apart():
    for length in range(40, 120):
        venue = Venue("x" * length + ",;ü😀" * 10, "Weg 1", "17109", "Demmin", 53.9, 13.0)
        check_form(calendar_entry(a_notice(venue=venue)))


def test_long_names_are_cut_to_what_calendars_show():
    notice = a_notice(office_group="Landkreis " * 30)
    assert len(value_of(notice, "SUMMARY")) == 120
    assert value_of(notice, "SUMMARY").endswith("…")


def test_identities_are_random_and_say_nothing():
    uids = {new_uid("termin.example") for _ in range(100)}
    assert len(uids) == 100
    assert all(re.fullmatch(r"[0-9a-f]{32}@termin\.example", uid) for uid in uids)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (b"\r\n", b"\n", "CRLF"),
        (b"BEGIN:VCALENDAR", b"\xef\xbb\xbfBEGIN:VCALENDAR", "begin"),
        (b"METHOD:REQUEST\r\n", b"METHOD:REQUEST\r\n\r\n", "line 6: empty"),
        (b"STATUS:", b"STATUS:\x07", "control character"),
        (b"STATUS:", b"STATUS:" + b"x" * 70, "octets"),
        (b"STATUS:", b"STATUS:\\\r\n ,", "inside an escape"),
        (b"STATUS:", b"STATUS:\xc3\r\n \xbc", "inside a character"),
        (b"20261121T090304Z", b"20261121T090304", "not in UTC"),
        (b":mailto:", b":Anna<o:", "bare address"),
        (b"SUMMARY:", b"SUMMARY:" + b"\r\n ".join([b"y" * 40] * 3), "longer than 120"),
    ],
)
def test_a_malformed_entry_is_named_and_refused(old, new, complaint):
    broken = calendar_entry(a_notice()).replace(old, new)
    with pytest.raises(MalformedEntry, match=complaint):
        check_form(broken)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"start": datetime(2026, 11, 24, 9, 0)}, "start: a time without a zone"),  # noqa: DTZ001 - the mistake
        ({"end": a_notice().start}, "end: not after"),
        ({"venue": None}, "venue: must be given"),
        ({"mode": Mode.PHONE, "venue": a_notice().venue}, "venue: must be given"),
        ({"sequence": -1}, "sequence"),
        ({"manage_url": "http://termin.example/t/1"}, "manage_url: not an https link"),
        ({"manage_url": "javascript:alert(1)"}, "manage_url: not an https link"),
        ({"manage_url": "https://termin.example/t/1\r\nX-Y: z"}, "manage_url: too long, or has characters"),
        ({"manage_url": "https://termin.example/" + "t" * 1000}, "manage_url: too long"),
    ],
)
def test_a_notice_that_cannot_be_true_is_refused_by_field(changes, complaint):
    with pytest.raises(ValueError, match=complaint):
        a_notice(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"recipient": "anna@citizen.example\r\nX-SECOND:1"},
        {"recipient": "anna;CN=eve@citizen.example"},
        {"sender": Sender("T", "Terminservice <termin@lk.example>")},
    ],
    ids=["line break", "parameter", "display name"],
)
def test_what_is_more_than_an_address_never_reaches_an_entry(changes):
    with pytest.raises(ValueError, match="name@domain"):
        calendar_entry(a_notice(**changes))


def test_a_developers_own_machine_may_go_without_https():
    assert a_notice(manage_url="http://localhost:8000/t/1").manage_url == "http://localhost:8000/t/1"


def test_an_appointment_over_an_hour_that_comes_twice_may_end_earlier_by_the_clock():
    start = datetime(2026, 10, 25, 0, 50, tzinfo=UTC)
    notice = a_notice(start=start, end=start + timedelta(minutes=20), sender=Sender("T", "t@lk.example"))
    assert value_of(notice, "DTEND") == "20261025T011000Z"
