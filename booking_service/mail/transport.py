"""The way out: rendered messages go to an SMTP server, or as files into a folder.

A message leaves as it was stored, octet by octet. What fails is either `Deferred` (try again later) or
`Refused` (never again); neither tells an address, nor the words of a server, which may repeat one.
When to try again, and how often, is decided elsewhere.
"""

from __future__ import annotations

import errno
import os
import re
import smtplib
import ssl
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, Self, TypeAlias
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

if TYPE_CHECKING:
    from types import TracebackType

Security: TypeAlias = Literal["tls", "required", "offered", "never"]

_TIMEOUT = 60  # seconds for each step of a conversation
_DEFAULT_PORTS = {"smtp": 25, "smtps": 465}
_HANGING_UP = 421  # RFC 5321, 3.8: the server is about to close the connection
_FINAL = 500
_ABOUT_OUR_LOGIN = frozenset({530, 534, 535, 538})  # RFC 4954, 6: nothing the recipient could help
_FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,199}")
_ENVELOPE_ADDRESS = re.compile(r"[!-;=?-~]+@[!-;=?-~]+")
_STATUS = re.compile(rb"\s*([245]\.\d{1,3}\.\d{1,3})\b")  # RFC 3463


class Deferred(Exception):
    """The message could not be handed over now; a later try may succeed."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class Refused(Exception):
    """The server will never take this message for this recipient."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class MailFolder:
    """A folder that receives one `.eml` file per message."""

    path: Path


@dataclass(frozen=True, slots=True)
class MailServer:
    """An SMTP server. `security` is TLS from the start, or STARTTLS required, taken if offered, or never.

    A password is sent in the clear only where STARTTLS was forbidden.
    """

    host: str
    port: int
    security: Security
    user: str | None = None
    password: str | None = field(default=None, repr=False)


MailTarget: TypeAlias = MailFolder | MailServer


class Transport(Protocol):
    """An open way out; leaving its `with` block closes it."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def send(self, content: bytes, *, sender: str, recipient: str, name: str) -> None:
        """Hand the message over; raise Deferred or Refused, and ValueError for a malformed address or name.

        `sender` and `recipient` are bare addresses of the envelope. `name` is unique to the message: the
        same name again is the same message.
        """


def parse_mail_url(url: str) -> MailTarget:
    """Read MAIL_URL; raise ValueError that says what is wrong and never repeats a password.

    Forms: `file:FOLDER`, `file:///FOLDER`, `smtp://[USER:PASSWORD@]HOST[:PORT][?starttls=yes|no]`,
    `smtps://[USER:PASSWORD@]HOST[:PORT]`.
    """
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        raise ValueError("mail URL: not of the form scheme://host") from None
    if parts.fragment:
        raise ValueError("mail URL: a # must be written as %23")
    if parts.scheme == "file":
        return _folder_of(parts)
    if parts.scheme in _DEFAULT_PORTS:
        return _server_of(parts)
    raise ValueError("mail URL: must begin with file:, smtp:// or smtps://")


def open_transport(url: str) -> Transport:
    """Open the way that MAIL_URL names; raises ValueError. A server is first called by the first `send`."""
    target = parse_mail_url(url)
    return _ToFolder(target.path) if isinstance(target, MailFolder) else _ToServer(target)


def _folder_of(parts: SplitResult) -> MailFolder:
    if parts.netloc:
        raise ValueError("mail URL: file:FOLDER or file:///FOLDER, with one or three slashes")
    path = unquote(parts.path)
    if not path or "\0" in path or parts.query:
        raise ValueError("mail URL: file: must be followed by a folder, and nothing else")
    return MailFolder(Path(path))


def _server_of(parts: SplitResult) -> MailServer:
    if not parts.hostname:
        raise ValueError(f"mail URL: no host after {parts.scheme}://")
    if parts.path not in {"", "/"}:
        raise ValueError("mail URL: nothing may follow the host but ?starttls=yes or no")
    if (parts.username is None) != (parts.password is None):
        raise ValueError("mail URL: user and password are given together, as USER:PASSWORD@")
    return MailServer(
        host=parts.hostname,
        port=_port_of(parts),
        security=_security_of(parts),
        user=unquote(parts.username) if parts.username is not None else None,
        password=unquote(parts.password) if parts.password is not None else None,
    )


def _port_of(parts: SplitResult) -> int:
    try:
        port = parts.port
    except ValueError:
        raise ValueError("mail URL: the port is not a number from 1 to 65535") from None
    if port == 0:
        raise ValueError("mail URL: the port is not a number from 1 to 65535")
    return port or _DEFAULT_PORTS[parts.scheme]


def _security_of(parts: SplitResult) -> Security:
    options = parse_qsl(parts.query, keep_blank_values=True)
    if parts.scheme == "smtps":
        if options:
            raise ValueError("mail URL: smtps:// is encrypted from the start and takes no options")
        return "tls"
    if not options:
        return "offered"
    if options == [("starttls", "yes")]:
        return "required"
    if options == [("starttls", "no")]:
        return "never"
    raise ValueError("mail URL: the only option is ?starttls=yes or ?starttls=no")


class _ToFolder:
    """Writes each message under its name; whoever watches the folder sees whole files only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing stays open."""

    def send(self, content: bytes, *, sender: str, recipient: str, name: str) -> None:  # noqa: ARG002 - a folder has no envelope
        if not _FILE_NAME.fullmatch(name):
            raise ValueError("name: letters, digits and _ . @ - only, not beginning with a dot")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            _write_whole(self._folder / f"{name}.eml", content)
        except OSError as error:
            raise Deferred(f"cannot write to the mail folder: {_name_of(error)}") from error


def _write_whole(path: Path, content: bytes) -> None:
    """Replace the file in one step that also survives a power cut."""
    handle, passing = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(passing).replace(path)
    except BaseException:
        Path(passing).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class _LineLost(Deferred):
    """The server hung up; a new connection may do at once."""


class _ToServer:
    """Keeps one connection over many messages, and opens it anew when the server has hung up."""

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self._line: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._line is not None:
            # Every message was answered before: a farewell that fails loses nothing.
            with suppress(OSError):
                self._line.quit()
            self._hang_up()

    def send(self, content: bytes, *, sender: str, recipient: str, name: str) -> None:  # noqa: ARG002 - the server names messages itself
        _check_envelope(sender=sender, recipient=recipient)
        reused = self._line is not None
        try:
            self._hand_over(content, sender, recipient)
        except _LineLost:
            if not reused:
                raise
            self._hand_over(content, sender, recipient)

    def _hand_over(self, content: bytes, sender: str, recipient: str) -> None:
        if self._line is None:
            self._line = _dial(self._server)
        try:
            self._line.sendmail(sender, [recipient], content)
        except OSError as error:
            code = _reply(error)[0]
            if code in {None, _HANGING_UP}:
                self._hang_up()
            raise _verdict(error) from error

    def _hang_up(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None


def _check_envelope(**addresses: str) -> None:
    """Refuse line breaks and the like: smtplib would quietly send to a part of the address."""
    for role, address in addresses.items():
        if not _ENVELOPE_ADDRESS.fullmatch(address):
            raise ValueError(f"{role}: no bare address in ASCII")


def _dial(server: MailServer) -> smtplib.SMTP:
    """Connect, encrypt and log in; certificates are checked against the machine's authorities.

    Whatever fails here is about the two servers, never about one message: raises Deferred.
    """
    context = ssl.create_default_context()
    try:
        if server.security == "tls":
            line: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=_TIMEOUT, context=context)
        else:
            line = smtplib.SMTP(server.host, server.port, timeout=_TIMEOUT)
        try:
            _greet(line, server, context)
        except BaseException:
            line.close()
            raise
    except OSError as error:
        raise Deferred(f"no connection to the mail server: {_words(error)}") from error
    return line


def _greet(line: smtplib.SMTP, server: MailServer, context: ssl.SSLContext) -> None:
    line.ehlo_or_helo_if_needed()
    if server.security in {"offered", "required"}:
        if line.has_extn("starttls"):
            line.starttls(context=context)
            line.ehlo()
        elif server.security == "required" or server.user is not None:
            raise smtplib.SMTPNotSupportedError("it offers no STARTTLS")
    if server.user is not None and server.password is not None:
        line.login(server.user, server.password)


def _verdict(error: OSError) -> Deferred | Refused:
    """Sort by the reply code: smtplib raises the same class for 452 and for 550.

    All that smtplib raises is an OSError.
    """
    code = _reply(error)[0]
    words = _words(error)
    if code is None:
        return Deferred(words) if _is_timeout(error) else _LineLost(words)
    if code == _HANGING_UP:
        return _LineLost(words)
    if code < _FINAL or code in _ABOUT_OUR_LOGIN:
        return Deferred(words)
    return Refused(words)


def _reply(error: OSError) -> tuple[int | None, bytes]:
    """Code and text of the server's reply; no code where it sent none."""
    code: int | None = None
    text: bytes | str = b""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, text = next(iter(error.recipients.values()))
    elif isinstance(error, smtplib.SMTPResponseException):
        code, text = error.smtp_code, error.smtp_error
    # smtplib gives -1 for a reply that is none; its texts are octets or str, by the place they come from.
    octets = text.encode(errors="replace") if isinstance(text, str) else text
    return (code if code is not None and code > 0 else None), octets


def _is_timeout(error: OSError) -> bool:
    """Whether we gave up waiting: the message may be there, so it is not sent again at once."""
    return isinstance(error, TimeoutError) or isinstance(error.__context__, TimeoutError)


def _words(error: OSError) -> str:
    """Describe an error without the server's own words."""
    code, text = _reply(error)
    if code is not None:
        status = _STATUS.match(text)
        return f"reply {code} {status[1].decode()}" if status else f"reply {code}"
    if _is_timeout(error):
        return "no answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return str(error)
    return "connection lost" if isinstance(error, smtplib.SMTPServerDisconnected) else _name_of(error)


def _name_of(error: OSError) -> str:
    return errno.errorcode.get(error.errno or 0, type(error).__name__)
