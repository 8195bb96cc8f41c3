"""The whole message: headers and the tree of parts that mail programs show as an invitation.

Made of nothing but the notice: equal notices give equal bytes, so a message can be stored once and sent
as often as it takes. It refuses line breaks and second addresses in whatever becomes a header. The octets
are written directly, as the tree never varies; how `email` would read them is for the tests to say.
"""

from __future__ import annotations

from base64 import encodebytes
from binascii import b2a_qp
from dataclasses import dataclass
from datetime import UTC
from email.header import Header
from email.utils import format_datetime
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING

from booking_service.mail.addresses import bare_address
from booking_service.mail.calendar_entry import calendar_entry, method_of
from booking_service.mail.wording import clean_line, clean_name, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from booking_service.mail.notice import Notice

_LONGEST_LINE = 76  # RFC 5322, 2.1.1, and RFC 2047, 2


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message ready to be stored and sent; `content` is the whole of it as octets with CRLF."""

    message_id: str
    subject: str
    content: bytes


def message_id(notice: Notice) -> str:
    """`<hash.sequence.kind@domain>`: unique per recipient, revision and kind, and silent about persons."""
    digest = sha256(f"{notice.uid}\n{notice.recipient}".encode()).hexdigest()[:32]
    domain = notice.sender.address.rpartition("@")[2]
    return f"<{digest}.{notice.sequence}.{notice.kind.value}@{domain}>"


def render(notice: Notice, *, with_entry: bool = True) -> Rendered:
    """Write the message. Without `with_entry` it has no calendar parts, for hosts that refuse attachments.

    Raises ValueError where an address could not stand in a header.
    """
    identity = message_id(notice)
    subject = clean_line(write(notice, "subject.txt"))
    headers = "".join(f"{name}: {value}\r\n" for name, value in _headers(notice, identity, subject))
    # No body can hold it: quoted-printable writes every = as =3D, and base64 has no _.
    boundary = f"=_{sha256(identity.encode()).hexdigest()[:24]}"
    tree = _tree(notice, boundary, with_entry=with_entry)
    return Rendered(identity, subject, headers.encode("ascii") + tree)


def _headers(notice: Notice, identity: str, subject: str) -> Iterator[tuple[str, str]]:
    yield "From", _mailbox("From", notice.sender.name, notice.sender.address)
    yield "To", _mailbox("To", notice.recipient_name, notice.recipient)
    yield "Subject", _encoded("Subject", subject)
    yield "Date", format_datetime(notice.revised_at.astimezone(UTC))
    yield "Message-ID", identity
    if notice.first_message_id is not None:
        yield "In-Reply-To", notice.first_message_id
        yield "References", notice.first_message_id
    yield "Auto-Submitted", "auto-generated"
    yield "X-Auto-Response-Suppress", "OOF, AutoReply"
    yield "MIME-Version", "1.0"


def _mailbox(header: str, name: str, address: str) -> str:
    """Write a name, perhaps none, and a bare address, on lines of their own where one is too short."""
    name, address = clean_name(name), bare_address(address)
    if not name:
        return address
    # A full stop has to be quoted outside of an encoded word; quotes harm no other name.
    shown = _encoded(header, name)
    shown = f'"{name}"' if shown == name else shown
    last = len(shown.rpartition("\n")[2]) + len(header) + len(address)
    return f"{shown} <{address}>" if last + 5 <= _LONGEST_LINE else f"{shown}\r\n <{address}>"


@lru_cache(maxsize=16)  # the sender's name stays, the names of others pass through
def _encoded(header: str, text: str) -> str:
    """Return one clean line as it is, if it is short ASCII, else as encoded words of RFC 2047."""
    if text.isascii() and len(header) + len(text) + 4 <= _LONGEST_LINE:
        return text
    return Header(text, "utf-8", maxlinelen=_LONGEST_LINE, header_name=header).encode(linesep="\r\n")


def _tree(notice: Notice, boundary: str, *, with_entry: bool) -> bytes:
    """Write the bodies, and the entry twice: as what programs act on, and as a file for those that do not.

    Any Content-Disposition would turn the first into a mere file.
    """
    if not with_entry:
        return _multipart("alternative", boundary, *_bodies(notice))
    entry = encodebytes(calendar_entry(notice)).replace(b"\n", b"\r\n")
    kind = f'text/calendar; charset="UTF-8"; method="{method_of(notice)}";\r\n component="VEVENT"'
    invitation = _part(kind, "base64", entry)
    attachment = _part("application/ics", "base64", entry, 'attachment; filename="Termin.ics"')
    alternative = _multipart("alternative", boundary, *_bodies(notice), invitation)
    return _multipart("mixed", boundary, alternative, attachment)


def _bodies(notice: Notice) -> Iterator[bytes]:
    """Say the same twice; programs show the last form that they know."""
    for subtype, name in (("plain", "body.txt"), ("html", "body.html")):
        text = write(notice, name).replace("\n", "\r\n") + "\r\n"
        yield _part(f'text/{subtype}; charset="utf-8"', "quoted-printable", b2a_qp(text.encode()))


def _part(kind: str, encoding: str, content: bytes, disposition: str | None = None) -> bytes:
    headers = f"Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n"
    if disposition is not None:
        headers += f"Content-Disposition: {disposition}\r\n"
    return headers.encode("ascii") + b"\r\n" + content


def _multipart(subtype: str, boundary: str, *parts: bytes) -> bytes:
    """Put the parts into one; the boundary ends in the kind of it, as one multipart may hold another."""
    own = f"{boundary}.{subtype}"
    head = f'Content-Type: multipart/{subtype};\r\n boundary="{own}"\r\n'.encode("ascii")
    mark = f"\r\n--{own}".encode("ascii")
    return head + b"".join(mark + b"\r\n" + part for part in parts) + mark + b"--\r\n"
