"""Calls that may be repeated: the same Idempotency-Key does a thing once and is answered alike again.

The answer is kept in the transaction that does the thing, so a crash leaves both or neither.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.exc import IntegrityError

from booking_service.domain.mistakes import Mistake, Rejected
from booking_service.store.booking_tables import AnswerRow, AppointmentRow

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Once:
    """A call with a key: `key` names caller, operation and key, `fingerprint` what was sent."""

    key: str
    fingerprint: str
    now: datetime

    def recall(self, session: Session) -> AppointmentRow | None:
        """What the same call has made before; asked under the locks that the call takes.

        Raises Rejected where the key came with something else.
        """
        known = session.get(AnswerRow, self.key)
        if known is None:
            return None
        if known.fingerprint != self.fingerprint:
            raise Rejected([Mistake("/Idempotency-Key", "key_reused")])
        return session.get_one(AppointmentRow, known.body["appointment"])

    def keep(self, session: Session, appointment_id: int) -> None:
        """Remember which appointment the call has made.

        Raises Rejected where the key was used for another day meanwhile: the same call would have waited
        for the lock.
        """
        session.flush()
        session.add(
            AnswerRow(
                key=self.key,
                fingerprint=self.fingerprint,
                body={"appointment": appointment_id},
                created_at=self.now,
            )
        )
        try:
            session.flush()
        except IntegrityError:
            raise Rejected([Mistake("/Idempotency-Key", "key_reused")]) from None


def once_of(key: str, *, caller: str, operation: str, sent: object, now: datetime) -> Once:
    """The call of somebody who has given a key."""
    named = hashlib.sha256(f"{caller}\n{operation}\n{key}".encode()).hexdigest()
    return Once(named, hashlib.sha256(repr(sent).encode()).hexdigest(), now)
