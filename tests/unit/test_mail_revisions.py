"""The life of an appointment in the mails: booked, moved, moved over the change to winter time, cancelled."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from booking_service.domain.county import Mode
from booking_service.mail.calendar_entry import calendar_entry, calendar_file
from booking_service.mail.message import message_id, render
from booking_service.mail.notice import Kind
from tests.mail_notices import SENDER, a_life, a_notice, body_of, entry_of, event_of, opened, parts_of

BODIES = ["text/plain", "text/html"]
NEW_REQUEST = "https://termin.lk-seenplatte.example/wunsch"


def events():
    return [event_of(calendar_entry(notice)) for notice in a_life()]


def test_one_identity_stays_and_the_sequence_rises():
    assert len({event["UID"] for event in events()}) == 1
    assert [event["SEQUENCE"] for event in events()] == [f"SEQUENCE:{number}" for number in range(4)]


def test_the_entry_and_its_part_of_the_mail_name_the_same_method():
    methods = []
    for notice in a_life():
        message = opened(render(notice))
        (invitation,) = parts_of(message, "text/calendar")
        method = invitation.get_param("method")
        assert f"\r\nMETHOD:{method}\r\n".encode() in entry_of(message)
        methods.append(method)
    assert methods == ["REQUEST", "REQUEST", "REQUEST", "CANCEL"]


def test_each_revision_has_its_own_stamps_and_the_creation_stays():
    assert [event["DTSTAMP"] for event in events()] == [
        "DTSTAMP:20261121T090304Z",
        "DTSTAMP:20261121T120304Z",
        "DTSTAMP:20261121T150304Z",
        "DTSTAMP:20261121T180304Z",
    ]
    for event in events():
        assert event["LAST-MODIFIED"].partition(":")[2] == event["DTSTAMP"].partition(":")[2]
        assert event["CREATED"] == "CREATED:20261120T080102Z"


def test_organiser_and_attendee_stay_the_same_to_the_letter():
    assert len({(event["ORGANIZER"], event["ATTENDEE"]) for event in events()}) == 1


def test_a_move_into_winter_time_is_told_and_written_by_the_clock_on_the_wall():
    before, after = a_life()[1:3]
    assert event_of(calendar_entry(before))["DTSTART"] == "DTSTART;TZID=Europe/Berlin:20261023T090000"
    assert event_of(calendar_entry(after))["DTSTART"] == "DTSTART;TZID=Europe/Berlin:20261026T090000"
    assert render(after).subject == "Ihr Termin ist jetzt am 26.10.2026 um 9:00 Uhr"


def test_a_cancellation_repeats_what_was_last_sent_and_calls_it_cancelled():
    *_, last, cancelled = events()
    for name in ("DTSTART", "DTEND", "SUMMARY", "LOCATION", "GEO", "URL"):
        assert cancelled[name] == last[name]
    assert (last["STATUS"], cancelled["STATUS"]) == ("STATUS:CONFIRMED", "STATUS:CANCELLED")
    assert b"VALARM" not in calendar_entry(a_life()[-1])


def test_every_message_has_an_identity_of_its_own_and_later_ones_name_the_first():
    first, *later = [opened(render(notice)) for notice in a_life()]
    assert len({message["Message-ID"] for message in (first, *later)}) == 4
    assert "In-Reply-To" not in first
    for message in later:
        assert message["In-Reply-To"] == message["References"] == first["Message-ID"]


def test_the_kind_stands_in_the_identity_of_the_message():
    assert [message_id(notice).split(".")[1:3] for notice in a_life()] == [
        ["0", "confirmation@lk-seenplatte"],
        ["1", "change@lk-seenplatte"],
        ["2", "change@lk-seenplatte"],
        ["3", "cancellation@lk-seenplatte"],
    ]


def test_a_cancellation_to_the_sending_mailbox_itself_has_no_attendee():
    booked, *_, cancelled = (calendar_entry(notice) for notice in a_life(recipient=SENDER.address))
    assert b"\r\nMETHOD:PUBLISH\r\n" in booked
    assert b"\r\nMETHOD:CANCEL\r\n" in cancelled
    assert "ATTENDEE" not in event_of(cancelled)


@pytest.mark.parametrize(
    ("language", "kind", "subject"),
    [
        ("de", Kind.CHANGE, "Ihr Termin ist jetzt am 24.11.2026 um 9:00 Uhr"),
        ("en", Kind.CHANGE, "Your appointment is now on 24 November 2026 at 9:00"),
        ("de", Kind.CANCELLATION, "Ihr Termin am 24.11.2026 um 9:00 Uhr ist abgesagt"),
        ("en", Kind.CANCELLATION, "Your appointment on 24 November 2026 at 9:00 is cancelled"),
    ],
)
def test_subject_and_title_tell_what_has_become_of_the_appointment(language, kind, subject):
    message = opened(render(a_notice(kind=kind, language=language)))
    assert message["Subject"] == subject
    assert f"<title>{subject}</title>" in body_of(message, "text/html")


@pytest.mark.parametrize(
    ("language", "new", "earlier"),
    [
        ("de", "Dienstag, 24. November 2026, 9:00 Uhr bis 9:45 Uhr", "Der frühere Termin gilt nicht mehr."),
        ("en", "Tuesday, 24 November 2026, 9:00 to 9:45", "The earlier appointment is no longer valid."),
    ],
)
@pytest.mark.parametrize("body", BODIES)
def test_a_change_tells_the_new_time_before_it_speaks_of_the_earlier_one(body, language, new, earlier):
    notice = a_notice(kind=Kind.CHANGE, language=language)
    words = body_of(opened(render(notice)), body)
    assert 0 < words.index(new) < words.index(earlier) < words.index("Bürgerservicecenter Demmin")
    assert notice.reference in words
    assert notice.manage_url in words


def test_a_change_is_described_in_the_calendar_as_the_appointment_that_it_is():
    booked, changed = a_notice(), a_notice(kind=Kind.CHANGE)
    names = ("SUMMARY", "LOCATION", "DESCRIPTION", "STATUS")
    written = [event_of(calendar_entry(notice)) for notice in (booked, changed)]
    assert [written[0][name] for name in names] == [written[1][name] for name in names]


@pytest.mark.parametrize(("mode", "body"), list(product(Mode, BODIES)))
def test_nobody_is_asked_to_come_or_called_after_a_cancellation(mode, body):
    words = body_of(opened(render(a_notice(kind=Kind.CANCELLATION, mode=mode))), body)
    assert "Dieser Termin findet nicht statt." in words
    assert "Dienstag, 24. November 2026, 9:00 Uhr bis 9:45 Uhr" in words
    assert "K7F2-MQ9A" in words
    assert "kommen" not in words
    assert "rufen" not in words


@pytest.mark.parametrize(("language", "body"), list(product(["de", "en"], BODIES)))
def test_a_cancellation_offers_a_new_appointment_only_where_one_can_be_asked_for(language, body):
    silent = a_notice(kind=Kind.CANCELLATION, language=language)
    assert "https://" not in body_of(opened(render(silent)), body)
    offering = replace(silent, request_url=NEW_REQUEST)
    assert NEW_REQUEST in body_of(opened(render(offering)), body)
    assert NEW_REQUEST in event_of(calendar_entry(offering))["DESCRIPTION"]


def test_a_plain_text_has_no_gaps():
    for kind, mode, language, url in product(Kind, Mode, ["de", "en"], [None, NEW_REQUEST]):
        notice = a_notice(kind=kind, mode=mode, language=language, request_url=url)
        assert "\n\n\n" not in body_of(opened(render(notice)), "text/plain")


def test_a_file_to_download_is_the_same_event_published_to_nobody():
    notice = a_notice()
    invitation, file = event_of(calendar_entry(notice)), event_of(calendar_file(notice))
    assert b"\r\nMETHOD:PUBLISH\r\n" in calendar_file(notice)
    assert invitation.pop("ATTENDEE").endswith("mailto:anna@citizen.example")
    assert file == invitation


def test_a_file_to_download_is_there_for_who_has_no_address_and_after_every_move():
    assert b"anna" not in calendar_file(a_notice(recipient="", recipient_name=""))
    before, after = (event_of(calendar_file(notice)) for notice in a_life()[1:3])
    assert (before["UID"], before["SEQUENCE"]) == (after["UID"], "SEQUENCE:1")
    assert after["SEQUENCE"] == "SEQUENCE:2"


def test_a_cancelled_appointment_is_not_offered_for_download():
    with pytest.raises(ValueError, match="kind: a cancelled appointment"):
        calendar_file(a_notice(kind=Kind.CANCELLATION))


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"kind": Kind.CHANGE, "sequence": 0}, "sequence: too low for a change"),
        ({"kind": Kind.CANCELLATION, "sequence": 0}, "sequence: too low for a cancellation"),
        ({"first_message_id": "a@b.example"}, "first_message_id: not of the form"),
        ({"first_message_id": "<a@b.example> <c@d.example>"}, "first_message_id: not of the form"),
        ({"request_url": "http://termin.example/wunsch"}, "request_url: not an https link"),
        ({"request_url": "https://termin.example/\r\nX: y"}, "request_url: too long, or has characters"),
    ],
)
def test_a_revision_that_cannot_be_true_is_refused_by_field(changes, complaint):
    with pytest.raises(ValueError, match=complaint):
        a_notice(**changes)
