"""The whole message: headers and the tree of parts that mail programs show as an invitation.

Made of nothing but the notice: equal notices give equal bytes, so a message can be stored once and sent
as often as it takes. It refuses line breaks in whatever becomes a header.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from email.headerregistry import Address, BaseHeader, HeaderRegistry, MessageIDHeader
from email.message import EmailMessage, MIMEPart
from email.policy import SMTP
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from .calendar_entry import calendar_entry, method_of
from .wording import clean_name, write

if TYPE_CHECKING:
    from email.policy import Policy

    from .notice import Notice


class _Identity(BaseHeader):
    """A Message-ID on one line: the standard library folds before, or encodes, one that is long."""

    max_count = 1

    @classmethod
    def parse(cls, string: str, kwds: dict[str, Any]) -> None:
        MessageIDHeader.parse(string, kwds)

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


_HEADERS = HeaderRegistry()
for _name in ("message-id", "in-reply-to", "references"):
    _HEADERS.map_to_type(_name, _Identity)
_POLICY = SMTP.clone(header_factory=_HEADERS)


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

    Raises ValueError where an address or identity could not stand in a header.
    """
    identity = message_id(notice)
    boundary = f"=_{sha256(identity.encode()).hexdigest()[:24]}"
    message: MIMEPart = EmailMessage(policy=_POLICY)
    _add_headers(message, notice, identity)
    if with_entry:
        entry = calendar_entry(notice)
        message.make_mixed(f"{boundary}.m")
        alternative = MIMEPart(policy=_POLICY)
        _add_bodies(alternative, notice, boundary)
        alternative.attach(_invitation(entry, method_of(notice)))
        message.attach(alternative)
        message.attach(_attachment(entry))
    else:
        _add_bodies(message, notice, boundary)
    return Rendered(identity, str(message["Subject"]), message.as_bytes())


def _add_headers(message: MIMEPart, notice: Notice, identity: str) -> None:
    sender, recipient = notice.sender, notice.recipient
    message["From"] = Address(clean_name(sender.name), addr_spec=sender.address)
    message["To"] = Address(clean_name(notice.recipient_name), addr_spec=recipient)
    message["Subject"] = write(notice, "subject.txt")
    message["Date"] = notice.revised_at.astimezone(UTC).replace(microsecond=0)
    message["Message-ID"] = identity
    if notice.first_message_id is not None:
        message["In-Reply-To"] = notice.first_message_id
        message["References"] = notice.first_message_id
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    message["MIME-Version"] = "1.0"


def _add_bodies(alternative: MIMEPart, notice: Notice, boundary: str) -> None:
    """Say the same twice; programs show the last form that they know."""
    alternative.make_alternative(f"{boundary}.a")
    for subtype, name in (("plain", "body.txt"), ("html", "body.html")):
        part = MIMEPart(policy=_POLICY)
        part.set_content(write(notice, name) + "\n", subtype=subtype, charset="utf-8", cte="quoted-printable")
        alternative.attach(part)


def _invitation(entry: bytes, method: str) -> MIMEPart:
    """Make the part that programs act on; any Content-Disposition would turn it into a mere file."""
    part = MIMEPart(policy=_POLICY)
    kind = {"charset": "UTF-8", "method": method, "component": "VEVENT"}
    part.set_content(entry, maintype="text", subtype="calendar", cte="base64", params=kind)
    return part


def _attachment(entry: bytes) -> MIMEPart:
    """Make the same entry a file, for programs that know no invitations."""
    part = MIMEPart(policy=_POLICY)
    part.set_content(
        entry,
        maintype="application",
        subtype="ics",
        cte="base64",
        disposition="attachment",
        filename="Termin.ics",
    )
    return part
