"""What a citizen receives: the right words, nothing telling, in the tree that mail programs understand."""

from __future__ import annotations

from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.utils import getaddresses, parseaddr, parsedate_to_datetime
from itertools import product

import pytest
from jinja2 import DictLoader

from booking_service.domain.county import Mode
from booking_service.mail import wording
from booking_service.mail.message import message_id, render
from booking_service.mail.notice import Kind, Sender, Venue
from tests.mail_notices import DEMMIN, SENDER, a_notice, body_of, entry_of, opened, parts_of

# What would tell a neighbour, or who reads the lock screen, why somebody goes to the office.
TELLING = (
    "Sozialamt",
    "Sozialhilfe",
    "Sozial",
    "Grundsicherung",
    "Jugendamt",
    "Gesundheitsamt",
    "Hilfe zur Pflege",
    "Unterhaltsvorschuss",
    "Antrag",
    "Unterlagen",
    "Fachkraft",
    "Sehr geehrte",
    "social",
    "welfare",
    "benefit",
    "documents",
    "Dear",
)


def everything_readable(message):
    readable = [str(message["From"]), str(message["Subject"])]
    readable += [body_of(message, "text/plain"), body_of(message, "text/html")]
    readable += [
        part.get_payload(decode=True).replace(b"\r\n ", b"").decode() for part in calendar_parts(message)
    ]
    readable += [part.get_filename() or "" for part in message.walk()]
    return "\n".join(readable)


def calendar_parts(message):
    return parts_of(message, "text/calendar") + parts_of(message, "application/ics")


def test_the_parts_form_the_tree_that_mail_programs_show_as_an_invitation():
    message = opened(render(a_notice()))
    assert message.get_content_type() == "multipart/mixed"
    alternative, attachment = message.iter_parts()
    assert alternative.get_content_type() == "multipart/alternative"
    assert [part.get_content_type() for part in alternative.iter_parts()] == [
        "text/plain",
        "text/html",
        "text/calendar",
    ]
    assert attachment.get_content_type() == "application/ics"
    assert attachment.get_content_disposition() == "attachment"
    assert attachment.get_filename() == "Termin.ics"
    assert not any(part.defects for part in message.walk())


def test_the_invitation_names_its_method_and_is_no_file():
    (invitation,) = parts_of(opened(render(a_notice())), "text/calendar")
    assert dict(invitation["Content-Type"].params) == {
        "charset": "UTF-8",
        "method": "REQUEST",
        "component": "VEVENT",
    }
    assert b"\r\nMETHOD:REQUEST\r\n" in invitation.get_payload(decode=True)
    assert invitation["Content-Disposition"] is None


def test_both_calendar_parts_are_the_same_octets_in_base64():
    invitation, attachment = calendar_parts(opened(render(a_notice())))
    assert invitation["Content-Transfer-Encoding"] == attachment["Content-Transfer-Encoding"] == "base64"
    assert invitation.get_payload(decode=True) == attachment.get_payload(decode=True)


def test_headers_are_the_usual_ones_once_each():
    message = opened(render(a_notice()))
    assert sorted(message.keys()) == sorted(
        [
            "From",
            "To",
            "Subject",
            "Date",
            "Message-ID",
            "Auto-Submitted",
            "X-Auto-Response-Suppress",
            "MIME-Version",
            "Content-Type",
        ]
    )
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["X-Auto-Response-Suppress"] == "OOF, AutoReply"
    assert parsedate_to_datetime(message["Date"]) == datetime(2026, 11, 21, 9, 3, 4, tzinfo=UTC)


def test_sender_and_organiser_are_the_same_mailbox():
    message = opened(render(a_notice()))
    (sender,) = message["From"].addresses
    assert (sender.display_name, sender.addr_spec) == (SENDER.name, SENDER.address)
    assert f"mailto:{SENDER.address}\r\n".encode() in entry_of(message).replace(b"\r\n ", b"")


def test_equal_notices_make_equal_bytes():
    assert render(a_notice()) == render(a_notice())


def test_the_whole_message_is_ascii_with_crlf_and_short_lines():
    content = render(a_notice(recipient_name="Zoë 😀 O'Brian-Łukasz")).content
    assert content.isascii()
    assert content.replace(b"\r\n", b"").isascii()
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert max(map(len, content.split(b"\r\n"))) <= 120


@pytest.mark.parametrize(
    ("language", "subject"),
    [("de", "Ihr Termin am 24.11.2026 um 9:00 Uhr"), ("en", "Your appointment on 24 November 2026 at 9:00")],
)
def test_the_subject_tells_when_and_nothing_else(language, subject):
    rendered = render(a_notice(language=language))
    assert rendered.subject == subject
    assert opened(rendered)["Subject"] == subject


@pytest.mark.parametrize("kind", ["text/plain", "text/html"])
@pytest.mark.parametrize(
    ("language", "when"),
    [
        ("de", "Dienstag, 24. November 2026, 9:00 Uhr bis 9:45 Uhr"),
        ("en", "Tuesday, 24 November 2026, 9:00 to 9:45"),
    ],
)
def test_each_body_holds_time_place_number_and_link(kind, language, when):
    body = body_of(opened(render(a_notice(language=language))), kind)
    wanted = [when, DEMMIN.public_name, DEMMIN.street, DEMMIN.town, "K7F2-MQ9A", a_notice().manage_url]
    assert [words for words in wanted if words not in body] == []
    assert body.index(when) < body.index(DEMMIN.public_name) < body.index("K7F2-MQ9A")


@pytest.mark.parametrize("kind", ["text/plain", "text/html"])
def test_who_speaks_by_video_is_told_of_the_prepared_room_at_the_site(kind):
    body = body_of(opened(render(a_notice(mode=Mode.VIDEO))), kind)
    assert "Sie sprechen per Video: Ein Raum mit Bildschirm ist für Sie vorbereitet." in body
    assert DEMMIN.street in body


@pytest.mark.parametrize("kind", ["text/plain", "text/html"])
def test_who_is_called_is_not_sent_anywhere(kind):
    body = body_of(opened(render(a_notice(mode=Mode.PHONE))), kind)
    assert "Wir rufen Sie an." in body
    assert "kommen" not in body


@pytest.mark.parametrize("language", ["uk", "de-x-leicht", "", "../en"])
def test_a_language_that_we_do_not_write_becomes_german(language):
    assert render(a_notice(language=language)).subject == "Ihr Termin am 24.11.2026 um 9:00 Uhr"


@pytest.mark.parametrize(("kind", "language", "mode"), list(product(Kind, ["de", "en"], Mode)))
def test_nothing_readable_tells_person_office_or_concern(kind, language, mode):
    notice = a_notice(kind=kind, language=language, mode=mode, request_url="https://termin.example/")
    readable = everything_readable(opened(render(notice)))
    without_attendee = "\n".join(line for line in readable.splitlines() if not line.startswith("ATTENDEE"))
    for word in (*TELLING, "Anna", "Schönfeld", "anna@citizen.example"):
        assert word.lower() not in without_attendee.lower(), word


@pytest.mark.parametrize(("kind", "language"), list(product(Kind, ["de", "en"])))
def test_the_html_body_names_its_language_and_loads_nothing(kind, language):
    notice = a_notice(kind=kind, language=language, request_url="https://termin.example/")
    html = body_of(opened(render(notice)), "text/html")
    assert f'<html lang="{language}"' in html
    assert "<title>" in html
    for loading in ("src=", "<link", "<script", "<img", "<form", "url(", "@import", "<iframe", "<object"):
        assert loading not in html.lower()


def test_configured_names_cannot_become_markup_and_keep_their_direction():
    venue = Venue("<b>Haus & Hof</b>", "שדרה 1", "17109", "Demmin", 53.9, 13.0)
    html = body_of(opened(render(a_notice(venue=venue))), "text/html")
    assert "<bdi>&lt;b&gt;Haus &amp; Hof&lt;/b&gt;</bdi>" in html
    assert "<bdi>שדרה 1</bdi>" in html


def test_the_message_id_is_unique_to_recipient_and_revision_and_names_nobody():
    notices = [
        a_notice(),
        a_notice(sequence=1),
        a_notice(recipient="ben@citizen.example"),
        a_notice(uid="x@y.example"),
    ]
    identities = [message_id(notice) for notice in notices]
    assert len(set(identities)) == len(notices)
    assert identities[0].endswith(".0.confirmation@lk-seenplatte.example>")
    assert not any("anna" in identity or notices[0].uid[:8] in identity for identity in identities)
    assert opened(render(a_notice()))["Message-ID"] == render(a_notice()).message_id == identities[0]


def test_a_later_message_names_the_first_one_and_stays_whole_however_long_the_domain():
    domain = ".".join(["b" * 60, "c" * 60, "d" * 40, "example"])
    sender = Sender("Terminservice", f"termin@{domain}")
    first = message_id(a_notice(sender=sender))
    content = render(a_notice(sender=sender, sequence=1, first_message_id=first)).content
    unfolded = content.replace(b"\r\n ", b" ").decode()
    for header in ("In-Reply-To", "References"):
        assert f"\r\n{header}: {first}\r\n" in unfolded
    assert f"\r\nMessage-ID: {message_id(a_notice(sender=sender, sequence=1))}\r\n" in unfolded


def test_hosts_that_refuse_attachments_get_words_only():
    message = opened(render(a_notice(), with_entry=False))
    assert message.get_content_type() == "multipart/alternative"
    assert calendar_parts(message) == []
    assert "9:00 Uhr bis 9:45 Uhr" in body_of(message, "text/plain")


@pytest.mark.parametrize(
    "changes",
    [
        {"recipient": "anna@citizen.example\r\nBcc: eve@evil.example"},
        {"recipient": "anna@citizen.example, eve@evil.example"},
        {"first_message_id": "<a@b.example>\r\nBcc: eve@evil.example"},
        {"sender": Sender("Terminservice", "termin@lk.example\nBcc: eve@evil.example")},
    ],
    ids=["recipient", "two recipients", "first message", "sender"],
)
@pytest.mark.parametrize("with_entry", [True, False])
def test_line_breaks_and_further_addresses_never_become_headers(changes, with_entry):
    with pytest.raises(ValueError, match=r"name@domain|first_message_id"):
        render(a_notice(**changes), with_entry=with_entry)


def test_a_subject_that_was_written_on_two_lines_stays_one_header(monkeypatch):
    words = "Ihr Termin\r\nBcc: eve@evil.example\n"
    texts = {f"confirmation/de/{name}": words for name in ("subject.txt", "body.txt", "body.html")}
    monkeypatch.setattr(wording._TEXTS, "loader", DictLoader(texts))
    message = opened(render(a_notice(), with_entry=False))
    assert message["Subject"] == "Ihr Termin Bcc: eve@evil.example"
    assert "Bcc" not in message


@pytest.mark.parametrize(
    "name",
    [
        "Anna\r\nBcc: eve@evil.example",
        "Anna\x85Bcc: eve@evil.example",
        "x" * 70 + ", eve@evil.example, " + "y" * 70,
        '"' + "Anna " * 20 + '" <eve@evil.example>, ',
        "=?utf-8?q?Anna=0D=0ABcc=3A_eve=40evil.example?=",
        "\u202eevE\ud800",
        "(" * 40,
    ],
)
def test_a_name_never_adds_a_header_or_a_recipient(name):
    rendered = render(a_notice(recipient_name=name))
    message = opened(rendered)
    assert [address.addr_spec for address in message["To"].addresses] == ["anna@citizen.example"]
    raw_to = rendered.content.split(b"\r\nTo: ")[1].split(b"\r\nSubject:")[0].replace(b"\r\n ", b" ").decode()
    assert [address for _, address in getaddresses([raw_to])] == ["anna@citizen.example"]
    assert "Bcc" not in message


@pytest.mark.parametrize(
    "name", ["Anna " * 19 + "Anna", "Ö" * 90, "آنا شميت", "Dr. Anna M. Schönfeld-Łukasz 😀", "Dr. A. B."]
)
def test_a_name_of_any_length_and_script_arrives_on_short_lines(name):
    raw_to = render(a_notice(recipient_name=name)).content.split(b"\r\nTo: ")[1].split(b"\r\nSubject:")[0]
    shown, address = parseaddr(raw_to.decode("ascii").replace("\r\n", ""))
    assert (str(make_header(decode_header(shown))), address) == (name, "anna@citizen.example")
    assert max(map(len, f"To: {raw_to.decode()}".split("\r\n"))) <= 76


def test_a_full_stop_in_a_name_is_quoted():
    content = render(a_notice(recipient_name="Dr. A. B.")).content
    assert b'\r\nTo: "Dr. A. B." <anna@citizen.example>\r\n' in content


@pytest.mark.parametrize("kind", [Kind.CONFIRMATION, Kind.CHANGE])
@pytest.mark.parametrize("body", ["text/plain", "text/html"])
@pytest.mark.parametrize(
    ("language", "offer"),
    [
        ("de", "Bitte sagen Sie auf dieser Seite ab oder wählen Sie einen anderen Termin:"),
        ("en", "Please cancel on this page or choose another appointment:"),
    ],
)
def test_who_cannot_come_is_led_to_the_page_that_cancels_and_moves(kind, body, language, offer):
    notice = a_notice(kind=kind, language=language)
    words = body_of(opened(render(notice)), body)
    assert 0 < words.index(offer) < words.index(notice.manage_url)


def test_a_skipped_hour_is_told_as_the_clock_shows_it():
    rendered = render(a_notice(start=datetime(2027, 3, 28, 0, 45, tzinfo=UTC)))
    assert "1:45 Uhr bis 3:30 Uhr" in body_of(opened(rendered), "text/plain")
