"""The tables of what citizens ask for and are promised, and of the mails that tell them.

The guard against double booking (one specialist, one room, one time) stands in the migrations, since
it is written differently for each database: an exclusion constraint on PostgreSQL, triggers on SQLite.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from booking_service.domain.bookings import (
    AppointmentStatus,
    Entry,
    MailState,
    Need,
    Notify,
    RequestStatus,
    Role,
    Urgency,
)
from booking_service.domain.county import Mode
from booking_service.store.county_tables import CODE, LINE, WORD, Choice, Choices
from booking_service.store.db import Base, UtcDateTime

if TYPE_CHECKING:
    from sqlalchemy import Table

REFERENCE = String(16)


class ContactRow(Base):
    """How to reach a citizen. A row of its own, so that it can go while the counting goes on."""

    __tablename__ = "contact"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(LINE)
    email: Mapped[str | None] = mapped_column(String(320), index=True)
    phone: Mapped[str | None] = mapped_column(WORD, index=True)
    language: Mapped[str] = mapped_column(String(8))
    notify: Mapped[Notify] = mapped_column(Choice(Notify))


class RequestRow(Base):
    """A wish for an appointment that the planner turns into a promise."""

    __tablename__ = "request"

    id: Mapped[int] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(REFERENCE, unique=True)
    status: Mapped[RequestStatus] = mapped_column(Choice(RequestStatus), index=True)
    entry: Mapped[Entry] = mapped_column(Choice(Entry))
    desk_site: Mapped[str | None] = mapped_column(CODE, ForeignKey("site.code"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    contact_id: Mapped[int] = mapped_column(ForeignKey("contact.id"))
    modes: Mapped[tuple[Mode, ...]] = mapped_column(Choices(Mode))
    language: Mapped[str | None] = mapped_column(String(8))
    needs: Mapped[tuple[Need, ...]] = mapped_column(Choices(Need))
    urgency: Mapped[Urgency] = mapped_column(Choice(Urgency))
    wish: Mapped[str | None] = mapped_column(CODE, ForeignKey("specialist.code"))
    # why the last planning run found no place, as `services.causes` puts it
    causes: Mapped[list[dict[str, Any]]] = mapped_column(JSON)

    contact: Mapped[ContactRow] = relationship()
    services: Mapped[list[RequestService]] = relationship(order_by="RequestService.position")
    sites: Mapped[list[RequestSite]] = relationship(order_by="RequestSite.position")
    windows: Mapped[list[RequestWindow]] = relationship(order_by="RequestWindow.position")
    appointment: Mapped[AppointmentRow | None] = relationship(viewonly=True, uselist=False)


class RequestService(Base):
    """One of the services that a request asks for."""

    __tablename__ = "request_service"

    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    service: Mapped[str] = mapped_column(CODE, ForeignKey("service.code"))


class RequestSite(Base):
    """One of the sites that a request accepts, the first is liked best."""

    __tablename__ = "request_site"

    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    site: Mapped[str] = mapped_column(CODE, ForeignKey("site.code"))


class RequestWindow(Base):
    """One of the windows of time that a request accepts."""

    __tablename__ = "request_window"
    __table_args__ = (CheckConstraint("begin_at < end_at", name="forward"),)

    request_id: Mapped[int] = mapped_column(ForeignKey("request.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    begin_at: Mapped[datetime] = mapped_column(UtcDateTime)
    end_at: Mapped[datetime] = mapped_column(UtcDateTime)


class AppointmentRow(Base):
    """A promise: what the citizen has been told. `sequence` and `uid` are those of its calendar entry."""

    __tablename__ = "appointment"
    __table_args__ = (
        CheckConstraint("start_at < end_at", name="forward"),
        Index("ix_appointment_hold_key", "hold_key", unique=True),
        Index("ix_appointment_only_hold_of", "only_hold_of", unique=True),
        Index("ix_appointment_status_client", "status", "client"),
        Index("ix_appointment_status_expires_at", "status", "expires_at"),
        Index("ix_appointment_status_place_free_at", "status", "place_free_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(REFERENCE, unique=True)
    status: Mapped[AppointmentStatus] = mapped_column(Choice(AppointmentStatus))
    request_id: Mapped[int | None] = mapped_column(ForeignKey("request.id"), unique=True)
    contact_id: Mapped[int | None] = mapped_column(ForeignKey("contact.id"), index=True)
    mode: Mapped[Mode] = mapped_column(Choice(Mode))
    site: Mapped[str | None] = mapped_column(CODE, ForeignKey("site.code"))
    start_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    end_at: Mapped[datetime] = mapped_column(UtcDateTime)
    language: Mapped[str | None] = mapped_column(String(8))
    needs: Mapped[tuple[Need, ...]] = mapped_column(Choices(Need))
    wish: Mapped[str | None] = mapped_column(CODE, ForeignKey("specialist.code"))
    uid: Mapped[str] = mapped_column(LINE, unique=True)
    sequence: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revised_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # while it is only held: the key of the hold, who holds it, and until when
    hold_key: Mapped[str | None] = mapped_column(LINE)
    client: Mapped[str | None] = mapped_column(LINE)
    # the client, while this is the one place that it may hold: two at once the database refuses
    only_hold_of: Mapped[str | None] = mapped_column(LINE)
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # when the place of a cancelled appointment is offered again
    place_free_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    contact: Mapped[ContactRow | None] = relationship()
    visits: Mapped[list[VisitRow]] = relationship(order_by="VisitRow.position", back_populates="appointment")


class VisitRow(Base):
    """A part of an appointment that one specialist serves; together they are the witness.

    Busy is the specialist's own time, with preparation and follow-up; a room is taken as long. Only
    `live` visits count for the guard.
    """

    __tablename__ = "visit"
    __table_args__ = (
        UniqueConstraint("appointment_id", "position"),
        CheckConstraint(
            "busy_from <= start_at AND start_at < end_at AND end_at <= busy_until", name="forward"
        ),
        CheckConstraint("(room_id IS NULL) = (mode = 'phone') OR NOT live", name="room"),
        CheckConstraint("(site IS NULL) = (mode = 'phone')", name="site"),
        Index("ix_visit_day_live", "day", "live"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    appointment_id: Mapped[int] = mapped_column(ForeignKey("appointment.id"), index=True)
    position: Mapped[int]
    day: Mapped[date]
    mode: Mapped[Mode] = mapped_column(Choice(Mode))
    site: Mapped[str | None] = mapped_column(CODE, ForeignKey("site.code"))
    start_at: Mapped[datetime] = mapped_column(UtcDateTime)
    end_at: Mapped[datetime] = mapped_column(UtcDateTime)
    busy_from: Mapped[datetime] = mapped_column(UtcDateTime)
    busy_until: Mapped[datetime] = mapped_column(UtcDateTime)
    specialist_id: Mapped[int] = mapped_column(ForeignKey("specialist.id"))
    room_id: Mapped[int | None] = mapped_column(ForeignKey("room.id"))
    live: Mapped[bool]

    appointment: Mapped[AppointmentRow] = relationship(back_populates="visits")
    services: Mapped[list[VisitService]] = relationship(order_by="VisitService.position")


class VisitService(Base):
    """One of the services of a visit."""

    __tablename__ = "visit_service"

    visit_id: Mapped[int] = mapped_column(ForeignKey("visit.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    service: Mapped[str] = mapped_column(CODE, ForeignKey("service.code"))


class PlanDayRow(Base):
    """A day's lock and version: whoever changes the visits of a day holds its row and counts it up."""

    __tablename__ = "plan_day"

    day: Mapped[date] = mapped_column(primary_key=True)
    version: Mapped[int]


class OutboxRow(Base):
    """A rendered message on its way: written with the booking, sent by a worker, the same bytes each time."""

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("appointment_id", "recipient", "sequence", "kind"),
        Index("ix_outbox_state_due_at", "state", "due_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    appointment_id: Mapped[int] = mapped_column(ForeignKey("appointment.id"))
    recipient: Mapped[str] = mapped_column(String(320))
    sequence: Mapped[int]
    kind: Mapped[str] = mapped_column(WORD)
    message_id: Mapped[str] = mapped_column(LINE, unique=True)
    subject: Mapped[str] = mapped_column(LINE)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    state: Mapped[MailState] = mapped_column(Choice(MailState))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    due_at: Mapped[datetime] = mapped_column(UtcDateTime)
    give_up_at: Mapped[datetime] = mapped_column(UtcDateTime)
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    tries: Mapped[int]
    last_error: Mapped[str | None] = mapped_column(LINE)
    sent_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class TokenRow(Base):
    """A key to the API; only its hash is kept. `site` and `unit` narrow what it opens."""

    __tablename__ = "api_token"

    id: Mapped[int] = mapped_column(primary_key=True)
    hash: Mapped[str] = mapped_column(LINE, unique=True)
    role: Mapped[Role] = mapped_column(Choice(Role))
    site: Mapped[str | None] = mapped_column(CODE, ForeignKey("site.code"))
    unit: Mapped[str | None] = mapped_column(CODE, ForeignKey("unit.code"))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class AnswerRow(Base):
    """What a writing call has been answered, so that its repetition under the same key does nothing more."""

    __tablename__ = "answer"

    # the caller, the operation and the caller's Idempotency-Key, as a hash
    key: Mapped[str] = mapped_column(LINE, primary_key=True)
    # of what was sent: the same key for something else is a mistake
    fingerprint: Mapped[str] = mapped_column(LINE)
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)


class ImprovementRow(Base):
    """What is known of improving a day: a row of its own, so that no booking ever waits for it.

    `improved` is the version that was improved last, `noted_at` when somebody saw that the day has changed
    since. Who improves it has the day until `leased_until`.
    """

    __tablename__ = "improvement"

    day: Mapped[date] = mapped_column(primary_key=True)
    improved: Mapped[int]
    noted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    leased_until: Mapped[datetime | None] = mapped_column(UtcDateTime)


# The tables themselves, for statements that must be quick: they load no objects.
APPOINTMENTS = cast("Table", AppointmentRow.__table__)
CONTACTS = cast("Table", ContactRow.__table__)
OUTBOX = cast("Table", OutboxRow.__table__)
PLAN_DAYS = cast("Table", PlanDayRow.__table__)
VISITS = cast("Table", VisitRow.__table__)
VISIT_SERVICES = cast("Table", VisitService.__table__)
