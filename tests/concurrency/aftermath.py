"""After the storm: whether all that clients were told is true, every promise can be kept, no mail is lost."""

from __future__ import annotations

import subprocess
import sys
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from booking_service.domain import zones
from booking_service.domain.bookings import AppointmentStatus, MailState
from booking_service.mail.transport import open_transport
from booking_service.services.county import current_county
from booking_service.services.outbox import LEASE, deliver
from booking_service.services.witness import export_plan, verify
from booking_service.store.booking_tables import AppointmentRow, OutboxRow, RequestRow
from booking_service.store.db import db
from tests.servers import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from booking_service.settings import Settings
    from tests.concurrency.memory import Told

EXPORTED = timedelta(days=60)


def complaints_about(
    settings: Settings, told: Sequence[Told], said: Path, checker: Path | None = None
) -> list[str]:
    """Whatever is not as it must be, once the deployment has stopped; `said` is what its processes wrote."""
    now = datetime.now(UTC)
    sender = current_county().settings.sender_address
    with open_transport(settings.mail_url) as transport:
        # who was killed while sending has left a lease
        deliver(transport, sender=sender, now=lambda: now + 2 * LEASE)
    found = [
        *(f"flask verify: {violation}" for violation in verify(now=now)[1]),
        *_plan_complaints(settings.var_dir / "plan", now, checker),
        *_booking_complaints(told),
        *_hold_complaints(told, now),
        *_request_complaints(told),
        *_mail_complaints(settings.var_dir / "mail"),
        *_said_complaints(said.read_text()),
    ]
    db.session.remove()
    return found


def _plan_complaints(folder: Path, now: datetime, checker: Path | None) -> Iterator[str]:
    """What checkers outside say of the exported plan."""
    today = zones.local_day(now, current_county().settings.zone)
    export_plan(first=today, last=today + EXPORTED, folder=folder)
    files = [str(folder / "instance.json"), str(folder / "plan.json")]
    commands = [["-m", "routing", "check"], *([[str(checker)]] if checker else [])]
    for command in commands:
        run = subprocess.run(
            [sys.executable, *command, *files], cwd=ROOT, capture_output=True, text=True, check=False
        )
        if run.returncode:
            yield f"{' '.join(command)}: {run.stdout}{run.stderr}"


def _booking_complaints(told: Sequence[Told]) -> Iterator[str]:
    """Each appointment is as its client believes, and there is none that nobody knows of."""
    rows = {row.reference: row for row in db.session.scalars(select(AppointmentRow))}
    known = set()
    for booked in (booked for one in told for booked in one.bookings):
        row = rows.get(booked.reference)
        known.add(booked.reference)
        stands = row and ((row.start_at, row.site, row.mode.value), row.status.value)
        if stands != (booked.place, booked.status):
            yield f"told {booked}, it is {stands}"
    for reference, row in rows.items():
        if row.contact_id is not None and row.request_id is None and reference not in known:
            yield f"appointment {reference} was made, and nobody was told"


def _hold_complaints(told: Sequence[Told], now: datetime) -> Iterator[str]:
    """Each hold that was told lasts, and none was made without an answer."""
    keys = {key for one in told for key in one.keys}
    kept = {
        key
        for (key,) in db.session.execute(
            select(AppointmentRow.hold_key).where(AppointmentRow.status == AppointmentStatus.HELD)
        )
    }
    yield from (f"hold {key} was made, and nobody was told" for key in kept - keys)
    lasting = {held.key for one in told for held in one.open_holds() if held.expires_at > now}
    yield from (f"hold {key} was told, and is gone" for key in lasting - kept)


def _request_complaints(told: Sequence[Told]) -> Iterator[str]:
    known = set(db.session.scalars(select(RequestRow.reference)))
    yield from (f"request {lost} is lost" for one in told for lost in set(one.requests) - known)


def _mail_complaints(folder: Path) -> Iterator[str]:
    """Every message has left as it was written, none else has, and no two tell different things as one."""
    rows = list(db.session.scalars(select(OutboxRow).order_by(OutboxRow.id)))
    files = {path.stem: path.read_bytes() for path in folder.glob("*.eml")}
    contents: dict[tuple[int, int], set[bytes]] = defaultdict(set)
    newest: dict[int, OutboxRow] = {}
    for row in rows:
        name = row.message_id.strip("<>")
        newest[row.appointment_id] = row
        if row.state is MailState.SENT:
            contents[row.appointment_id, row.sequence].add(row.content)
            if files.pop(name, None) != row.content:
                yield f"mail {name} was sent otherwise than it was written, or not at all"
        elif row.state is not MailState.SUPERSEDED:
            yield f"mail {name} is {row.state.value}: {row.last_error}"
    yield from (f"mail {name} was sent, and the outbox does not say so" for name in files)
    yield from (
        f"appointment {a} has two mails with sequence {s}" for (a, s), c in contents.items() if len(c) > 1
    )
    told = select(AppointmentRow.id, AppointmentRow.sequence)
    for number, sequence in db.session.execute(told):
        last = newest.get(number)
        if last is not None and (last.sequence, last.state) != (sequence, MailState.SENT):
            yield f"appointment {number} is at sequence {sequence}, its mail at {last.sequence}, {last.state}"


def _said_complaints(said: str) -> Iterator[str]:
    """Processes that were killed say nothing; one that has failed does."""
    at = said.find("Traceback")
    if at >= 0:
        yield f"a process has failed ({said.count('Traceback')} times): {said[at : at + 3000]}"
