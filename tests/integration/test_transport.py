"""The way out: files that are whole, and a real SMTP server that accepts, defers, refuses and hangs up."""

# ruff: noqa: N802 - aiosmtpd calls its handlers by these names
from __future__ import annotations

import errno
import os
import ssl
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from booking_service.mail.message import render
from booking_service.mail.transport import (
    Deferred,
    MailFolder,
    MailServer,
    Refused,
    open_transport,
    parse_mail_url,
)
from tests.mail_notices import a_notice

LOCALHOST = Path(__file__).with_name("localhost.pem")  # key and certificate, for this test only
ENVELOPE = {"sender": "termin@lk.example", "recipient": "anna@citizen.example", "name": "1-0"}
CONTENT = b"Subject: x\r\n\r\n.a line that begins with a dot\r\n"


class Office:
    """A mail server's other side: keeps what it takes, answers as `replies` say, once each, in order."""

    def __init__(self, *replies):
        self.replies = list(replies)
        self.taken = []
        self.connections = 0

    async def handle_EHLO(self, server, session, _envelope, hostname, responses):
        self.connections += not session.ssl or server.tls_context is None
        session.host_name = hostname
        return responses

    async def handle_RCPT(self, _server, _session, envelope, address, _options):
        if self.replies and self.replies[0].startswith("RCPT "):
            return self.replies.pop(0).removeprefix("RCPT ")
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, _session, envelope):
        reply = self.replies.pop(0) if self.replies else "250 OK"
        if reply == "hang up":
            server.transport.abort()
            return "421 never read"
        if reply.startswith("250"):
            self.taken.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return reply


@pytest.fixture
def serve():
    """Start servers on free ports; returns the URL of each."""
    running = []

    def start(office, **options):
        controller = _OnFreePort(office, hostname="127.0.0.1", port=0, **options)
        controller.start()
        running.append(controller)
        return f"smtp://127.0.0.1:{controller.bound_port}"

    yield start
    for controller in running:
        controller.stop()


class _OnFreePort(Controller):
    """Lets the system choose the port."""

    @property
    def bound_port(self):
        return self.server.sockets[0].getsockname()[1]

    def _trigger_server(self):
        self.port = self.bound_port
        super()._trigger_server()


def tls():
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(LOCALHOST)
    return context


@pytest.fixture
def trusted(monkeypatch):
    """This machine trusts the test server's certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(LOCALHOST))


def test_a_message_arrives_octet_by_octet(serve):
    office = Office()
    content = render(a_notice()).content
    with open_transport(serve(office)) as transport:
        transport.send(content, **ENVELOPE)
        transport.send(CONTENT, **ENVELOPE)
    assert office.taken == [
        ("termin@lk.example", ["anna@citizen.example"], content),
        ("termin@lk.example", ["anna@citizen.example"], CONTENT),
    ]


def test_many_messages_share_one_connection(serve):
    office = Office()
    with open_transport(serve(office)) as transport:
        for _ in range(5):
            transport.send(CONTENT, **ENVELOPE)
    assert (len(office.taken), office.connections) == (5, 1)


@pytest.mark.parametrize(
    ("reply", "verdict", "reason"),
    [
        ("RCPT 451 4.7.1 <anna@citizen.example> greylisted", Deferred, "reply 451 4.7.1"),
        ("RCPT 452 mailbox of anna@citizen.example full", Deferred, "reply 452"),
        ("RCPT 550 5.1.1 <anna@citizen.example> unknown", Refused, "reply 550 5.1.1"),
        ("451 later, anna", Deferred, "reply 451"),
        ("554 5.7.1 no", Refused, "reply 554 5.7.1"),
        ("530 5.7.0 log in first", Deferred, "reply 530 5.7.0"),
    ],
)
def test_replies_are_sorted_by_code_and_told_without_addresses(serve, reply, verdict, reason):
    office = Office(reply)
    with open_transport(serve(office)) as transport:
        with pytest.raises(verdict) as outcome:
            transport.send(CONTENT, **ENVELOPE)
        assert outcome.value.reason == str(outcome.value) == reason
        transport.send(CONTENT, **ENVELOPE)
    assert (len(office.taken), office.connections) == (1, 1)


def test_a_connection_that_was_lost_is_opened_once_more(serve):
    office = Office("250 OK", "hang up", "250 OK")
    with open_transport(serve(office)) as transport:
        transport.send(CONTENT, **ENVELOPE)
        transport.send(CONTENT, **ENVELOPE)
    assert (len(office.taken), office.connections) == (2, 2)


def test_a_server_that_closes_the_line_with_421_is_called_once_more(serve):
    office = Office("250 OK", "421 4.3.2 shutting down", "250 OK")
    with open_transport(serve(office)) as transport:
        transport.send(CONTENT, **ENVELOPE)
        transport.send(CONTENT, **ENVELOPE)
    assert (len(office.taken), office.connections) == (2, 2)


def test_a_server_that_always_hangs_up_defers_and_the_next_message_starts_anew(serve):
    office = Office("250 OK", "hang up", "hang up", "250 OK")
    with open_transport(serve(office)) as transport:
        transport.send(CONTENT, **ENVELOPE)
        with pytest.raises(Deferred, match="connection lost"):
            transport.send(CONTENT, **ENVELOPE)
        transport.send(CONTENT, **ENVELOPE)
    assert (len(office.taken), office.connections) == (2, 3)


def test_a_first_connection_that_is_lost_defers_at_once(serve):
    office = Office("hang up")
    with open_transport(serve(office)) as transport, pytest.raises(Deferred, match="connection lost"):
        transport.send(CONTENT, **ENVELOPE)
    assert office.connections == 1


def test_a_server_that_is_not_there_defers():
    with open_transport("smtp://127.0.0.1:1") as transport, pytest.raises(Deferred, match="ECONNREFUSED"):
        transport.send(CONTENT, **ENVELOPE)


@pytest.mark.parametrize("field", ["sender", "recipient"])
@pytest.mark.parametrize(
    "address", ["anna@citizen.example>\r\nRCPT TO:<eve@evil.example", "änna@citizen.example", "anna", ""]
)
def test_an_envelope_takes_bare_addresses_only(serve, field, address):
    office = Office()
    with (
        open_transport(serve(office)) as transport,
        pytest.raises(ValueError, match=f"{field}: no bare address"),
    ):
        transport.send(CONTENT, **(ENVELOPE | {field: address}))
    assert office.connections == 0


@pytest.mark.usefixtures("trusted")
def test_starttls_is_used_where_it_is_offered(serve):
    office = Office()
    with open_transport(serve(office, tls_context=tls(), require_starttls=True)) as transport:
        transport.send(CONTENT, **ENVELOPE)
    assert len(office.taken) == 1


def test_a_certificate_that_nobody_vouches_for_is_not_accepted(serve):
    office = Office()
    with (
        open_transport(serve(office, tls_context=tls())) as transport,
        pytest.raises(Deferred, match="certificate is not trusted"),
    ):
        transport.send(CONTENT, **ENVELOPE)
    assert office.taken == []


@pytest.mark.parametrize("access", ["smtp://127.0.0.1:{port}?starttls=yes", "smtp://u:p@127.0.0.1:{port}"])
def test_without_starttls_nothing_secret_is_sent(serve, access):
    office = Office()
    port = serve(office).rpartition(":")[2]
    with open_transport(access.format(port=port)) as transport, pytest.raises(Deferred, match="no STARTTLS"):
        transport.send(CONTENT, **ENVELOPE)
    assert office.taken == []


def test_starttls_can_be_forbidden(serve):
    office = Office()
    with open_transport(serve(office, tls_context=tls()) + "?starttls=no") as transport:
        transport.send(CONTENT, **ENVELOPE)
    assert len(office.taken) == 1


@pytest.mark.usefixtures("trusted")
def test_smtps_is_encrypted_from_the_start(serve):
    office = Office()
    url = serve(office, ssl_context=tls()).replace("smtp:", "smtps:")
    with open_transport(url) as transport:
        transport.send(CONTENT, **ENVELOPE)
    assert len(office.taken) == 1


@pytest.mark.usefixtures("trusted")
def test_a_login_that_fails_is_no_verdict_on_the_message(serve):
    seen = []

    def check(_server, _session, _envelope, _mechanism, auth_data):
        seen.append((auth_data.login, auth_data.password))
        return AuthResult(success=auth_data.password == b"p@ss/wort", handled=False)

    office = Office()
    url = serve(office, tls_context=tls(), authenticator=check, auth_required=True)
    with (
        open_transport(url.replace("//", "//termin:wrong@")) as transport,
        pytest.raises(Deferred, match="no connection to the mail server: reply 535"),
    ):
        transport.send(CONTENT, **ENVELOPE)
    with open_transport(url.replace("//", "//termin:p%40ss%2Fwort@")) as transport:
        transport.send(CONTENT, **ENVELOPE)
    assert seen[-1] == (b"termin", b"p@ss/wort")
    assert len(office.taken) == 1


def test_a_message_becomes_a_file_in_a_folder_made_for_it(tmp_path):
    with open_transport(f"file://{tmp_path}/var/mail") as transport:
        transport.send(CONTENT, **ENVELOPE)
        transport.send(CONTENT + b"again", **ENVELOPE)
        transport.send(CONTENT, **(ENVELOPE | {"name": "1-1"}))
    folder = tmp_path / "var" / "mail"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        "1-0.eml": CONTENT + b"again",
        "1-1.eml": CONTENT,
    }


def test_a_relative_folder_is_meant_from_where_the_service_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with open_transport("file:var/mail") as transport:
        transport.send(CONTENT, **ENVELOPE)
    assert (tmp_path / "var/mail/1-0.eml").read_bytes() == CONTENT


@pytest.mark.parametrize("name", ["", ".", "..", "../out", "a/b", ".hidden", "a\0b", "x" * 300])
def test_a_file_name_cannot_leave_the_folder(tmp_path, name):
    with open_transport(f"file://{tmp_path}") as transport, pytest.raises(ValueError, match="name"):
        transport.send(CONTENT, **(ENVELOPE | {"name": name}))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_defers(tmp_path):
    (tmp_path / "var").write_text("a file")
    with open_transport(f"file://{tmp_path}/var/mail") as transport, pytest.raises(Deferred, match="ENOTDIR"):
        transport.send(CONTENT, **ENVELOPE)


def test_a_full_disk_defers_and_leaves_no_half_file(tmp_path, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device", "/mail/anna@citizen.example")

    monkeypatch.setattr(os, "fsync", full)
    with open_transport(f"file://{tmp_path}") as transport, pytest.raises(Deferred) as outcome:
        transport.send(CONTENT, **ENVELOPE)
    assert outcome.value.reason == "cannot write to the mail folder: ENOSPC"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("file:var/mail", MailFolder(Path("var/mail"))),
        ("file:///srv/mail%20out", MailFolder(Path("/srv/mail out"))),
        ("smtp://relay.example", MailServer("relay.example", 25, "offered")),
        ("smtp://relay.example:587/?starttls=yes", MailServer("relay.example", 587, "required")),
        ("smtp://relay.example?starttls=no", MailServer("relay.example", 25, "never")),
        ("smtps://u:p%40@relay.example", MailServer("relay.example", 465, "tls", "u", "p@")),
        ("smtp://[::1]:2525", MailServer("::1", 2525, "offered")),
    ],
)
def test_a_mail_url_is_read(url, target):
    assert parse_mail_url(url) == target


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("", "must begin with"),
        ("var/mail", "must begin with"),
        ("http://relay.example", "must begin with"),
        ("file:", "followed by a folder"),
        ("file:a%00b", "followed by a folder"),
        ("file://host/folder", "one or three slashes"),
        ("smtp://", "no host"),
        ("smtp://:25", "no host"),
        ("smtp://[::1", "not of the form"),
        ("smtp://relay.example:0", "port"),
        ("smtp://relay.example:99999", "port"),
        ("smtp://relay.example:mail", "port"),
        ("smtp://relay.example/folder", "nothing may follow"),
        ("smtp://user@relay.example", "user and password"),
        ("smtp://user:secret@relay.example?tls=1", "only option"),
        ("smtp://user:secret@relay.example?starttls=maybe", "only option"),
        ("smtps://user:secret@relay.example?starttls=yes", "no options"),
        ("smtp://user:sec#ret@relay.example", "%23"),
    ],
)
def test_a_wrong_mail_url_is_refused_without_repeating_it(url, complaint):
    with pytest.raises(ValueError, match=complaint) as refusal:
        open_transport(url)
    assert "sec" not in str(refusal.value)


def test_a_password_is_never_shown():
    assert "secret" not in repr(parse_mail_url("smtps://user:secret@relay.example"))
