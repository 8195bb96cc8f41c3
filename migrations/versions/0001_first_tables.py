"""The county, requests, appointments with their visits, the days of the plan and the outbox.

The guard against double booking differs by database and is no part of the models: PostgreSQL excludes
overlapping live visits of a specialist or a room, SQLite has triggers that raise.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

GUARDED = {"specialist": "specialist_id", "room": "room_id"}
INSTANTS = ("start_at", "end_at", "busy_from", "busy_until")


def upgrade() -> None:
    op.create_table(
        "closure",
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("begin", sa.Date(), nullable=False),
        sa.Column("end", sa.Date(), nullable=False),
        sa.Column("units", sa.JSON(), nullable=False),
        sa.Column("sites", sa.JSON(), nullable=False),
        sa.Column("channels", sa.JSON(), nullable=False),
        sa.Column("stays_open", sa.JSON(), nullable=False),
        sa.Column("exception_route", sa.String(length=300), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("public_text_de", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=300), nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_closure")),
    )
    op.create_table(
        "contact",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=True),
        sa.Column("phone", sa.String(length=40), nullable=True),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("notify", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact")),
    )
    op.create_table(
        "county",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.String(length=40), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_county")),
    )
    op.create_table(
        "plan_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_plan_day")),
    )
    op.create_table(
        "site",
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("public_name", sa.String(length=300), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("street", sa.String(length=300), nullable=False),
        sa.Column("zip", sa.String(length=300), nullable=False),
        sa.Column("place", sa.String(length=300), nullable=False),
        sa.Column("lat", sa.Float(), nullable=False),
        sa.Column("lon", sa.Float(), nullable=False),
        sa.Column("step_free", sa.String(length=300), nullable=False),
        sa.Column("status", sa.String(length=300), nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_site")),
    )
    op.create_table(
        "leg",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("origin", sa.String(length=32), nullable=False),
        sa.Column("destination", sa.String(length=32), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("km", sa.Float(), nullable=False),
        sa.Column("basis", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(["destination"], ["site.code"], name=op.f("fk_leg_destination")),
        sa.ForeignKeyConstraint(["origin"], ["site.code"], name=op.f("fk_leg_origin")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_leg")),
    )
    with op.batch_alter_table("leg", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_leg_destination"), ["destination"], unique=False)
        batch_op.create_index(batch_op.f("ix_leg_origin"), ["origin"], unique=False)

    op.create_table(
        "place",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("zip", sa.String(length=300), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("lat", sa.Float(), nullable=False),
        sa.Column("lon", sa.Float(), nullable=False),
        sa.Column("nearest_site", sa.String(length=32), nullable=False),
        sa.Column("shared_with", sa.JSON(), nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(["nearest_site"], ["site.code"], name=op.f("fk_place_nearest_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_place")),
    )
    with op.batch_alter_table("place", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_place_nearest_site"), ["nearest_site"], unique=False)

    op.create_table(
        "room",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("site", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["site.code"], name=op.f("fk_room_site")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_room")),
        sa.UniqueConstraint("code", name=op.f("uq_room_code")),
    )
    with op.batch_alter_table("room", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_room_site"), ["site"], unique=False)

    op.create_table(
        "unit",
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name_de", sa.String(length=300), nullable=False),
        sa.Column("name_en", sa.String(length=300), nullable=False),
        sa.Column("controller", sa.String(length=300), nullable=False),
        sa.Column("base_site", sa.String(length=32), nullable=False),
        sa.Column("handled_by", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=300), nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(["base_site"], ["site.code"], name=op.f("fk_unit_base_site")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_unit")),
    )
    with op.batch_alter_table("unit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_unit_base_site"), ["base_site"], unique=False)

    op.create_table(
        "hours",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(length=32), nullable=False),
        sa.Column("site", sa.String(length=32), nullable=False),
        sa.Column("mode", sa.String(length=40), nullable=False),
        sa.Column("access", sa.String(length=40), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("begin", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column("week_of_month", sa.Integer(), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("status", sa.String(length=300), nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["site.code"], name=op.f("fk_hours_site")),
        sa.ForeignKeyConstraint(["unit"], ["unit.code"], name=op.f("fk_hours_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hours")),
    )
    with op.batch_alter_table("hours", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_hours_site"), ["site"], unique=False)
        batch_op.create_index(batch_op.f("ix_hours_unit"), ["unit"], unique=False)

    op.create_table(
        "service",
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(length=32), nullable=False),
        sa.Column("name_de", sa.String(length=300), nullable=False),
        sa.Column("name_en", sa.String(length=300), nullable=False),
        sa.Column("name_plain_de", sa.String(length=300), nullable=False),
        sa.Column("handled_by", sa.String(length=40), nullable=False),
        sa.Column("bookable", sa.String(length=40), nullable=False),
        sa.Column("competence", sa.String(length=40), nullable=False),
        sa.Column("refer_to", sa.String(length=300), nullable=False),
        sa.Column("urgent_class", sa.String(length=40), nullable=False),
        sa.Column("emergency_codes", sa.JSON(), nullable=False),
        sa.Column("sensitivity", sa.String(length=40), nullable=False),
        sa.Column("documents", sa.JSON(), nullable=False),
        sa.Column("leika_keys", sa.JSON(), nullable=False),
        sa.Column("legal_basis", sa.String(length=300), nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(["unit"], ["unit.code"], name=op.f("fk_service_unit")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_service")),
    )
    with op.batch_alter_table("service", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_service_unit"), ["unit"], unique=False)

    op.create_table(
        "specialist",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(length=32), nullable=False),
        sa.Column("base_site", sa.String(length=32), nullable=False),
        sa.Column("skills", sa.JSON(), nullable=False),
        sa.Column("languages", sa.JSON(), nullable=False),
        sa.Column("modes", sa.JSON(), nullable=False),
        sa.Column("max_travel", sa.Integer(), nullable=True),
        sa.Column("surname_range", sa.String(length=40), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("status", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(["base_site"], ["site.code"], name=op.f("fk_specialist_base_site")),
        sa.ForeignKeyConstraint(["unit"], ["unit.code"], name=op.f("fk_specialist_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_specialist")),
        sa.UniqueConstraint("code", name=op.f("uq_specialist_code")),
    )
    with op.batch_alter_table("specialist", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_specialist_base_site"), ["base_site"], unique=False)
        batch_op.create_index(batch_op.f("ix_specialist_unit"), ["unit"], unique=False)

    op.create_table(
        "absence",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("specialist", sa.String(length=32), nullable=False),
        sa.Column("begin", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["specialist"], ["specialist.code"], name=op.f("fk_absence_specialist")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_absence")),
    )
    with op.batch_alter_table("absence", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_absence_specialist"), ["specialist"], unique=False)

    op.create_table(
        "request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("entry", sa.String(length=40), nullable=False),
        sa.Column("desk_site", sa.String(length=32), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=False),
        sa.Column("modes", sa.JSON(), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=True),
        sa.Column("needs", sa.JSON(), nullable=False),
        sa.Column("urgency", sa.String(length=40), nullable=False),
        sa.Column("wish", sa.String(length=32), nullable=True),
        sa.Column("causes", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_request_contact_id")),
        sa.ForeignKeyConstraint(["desk_site"], ["site.code"], name=op.f("fk_request_desk_site")),
        sa.ForeignKeyConstraint(["wish"], ["specialist.code"], name=op.f("fk_request_wish")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request")),
        sa.UniqueConstraint("reference", name=op.f("uq_request_reference")),
    )
    with op.batch_alter_table("request", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_request_status"), ["status"], unique=False)

    op.create_table(
        "variant",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("service", sa.String(length=32), nullable=False),
        sa.Column("mode", sa.String(length=40), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("preparation", sa.Integer(), nullable=False),
        sa.Column("follow_up", sa.Integer(), nullable=False),
        sa.Column("basis", sa.String(length=300), nullable=False),
        sa.ForeignKeyConstraint(["service"], ["service.code"], name=op.f("fk_variant_service")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_variant")),
    )
    with op.batch_alter_table("variant", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_variant_service"), ["service"], unique=False)

    op.create_table(
        "working_hours",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("specialist", sa.String(length=32), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("begin", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column("breaks", sa.JSON(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["specialist"], ["specialist.code"], name=op.f("fk_working_hours_specialist")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_working_hours")),
    )
    with op.batch_alter_table("working_hours", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_working_hours_specialist"), ["specialist"], unique=False)

    op.create_table(
        "appointment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(length=16), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=True),
        sa.Column("contact_id", sa.Integer(), nullable=True),
        sa.Column("mode", sa.String(length=40), nullable=False),
        sa.Column("site", sa.String(length=32), nullable=True),
        sa.Column("start_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=True),
        sa.Column("needs", sa.JSON(), nullable=False),
        sa.Column("wish", sa.String(length=32), nullable=True),
        sa.Column("uid", sa.String(length=300), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revised_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("start_at < end_at", name=op.f("ck_appointment_forward")),
        sa.ForeignKeyConstraint(["contact_id"], ["contact.id"], name=op.f("fk_appointment_contact_id")),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name=op.f("fk_appointment_request_id")),
        sa.ForeignKeyConstraint(["site"], ["site.code"], name=op.f("fk_appointment_site")),
        sa.ForeignKeyConstraint(["wish"], ["specialist.code"], name=op.f("fk_appointment_wish")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointment")),
        sa.UniqueConstraint("reference", name=op.f("uq_appointment_reference")),
        sa.UniqueConstraint("request_id", name=op.f("uq_appointment_request_id")),
        sa.UniqueConstraint("uid", name=op.f("uq_appointment_uid")),
    )
    with op.batch_alter_table("appointment", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_appointment_start_at"), ["start_at"], unique=False)

    op.create_table(
        "request_service",
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("service", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name=op.f("fk_request_service_request_id")),
        sa.ForeignKeyConstraint(["service"], ["service.code"], name=op.f("fk_request_service_service")),
        sa.PrimaryKeyConstraint("request_id", "position", name=op.f("pk_request_service")),
    )
    op.create_table(
        "request_site",
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("site", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name=op.f("fk_request_site_request_id")),
        sa.ForeignKeyConstraint(["site"], ["site.code"], name=op.f("fk_request_site_site")),
        sa.PrimaryKeyConstraint("request_id", "position", name=op.f("pk_request_site")),
    )
    op.create_table(
        "request_window",
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("begin_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("begin_at < end_at", name=op.f("ck_request_window_forward")),
        sa.ForeignKeyConstraint(["request_id"], ["request.id"], name=op.f("fk_request_window_request_id")),
        sa.PrimaryKeyConstraint("request_id", "position", name=op.f("pk_request_window")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("appointment_id", sa.Integer(), nullable=False),
        sa.Column("recipient", sa.String(length=320), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("message_id", sa.String(length=300), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("give_up_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(length=300), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["appointment_id"], ["appointment.id"], name=op.f("fk_outbox_appointment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
        sa.UniqueConstraint(
            "appointment_id",
            "recipient",
            "sequence",
            "kind",
            name=op.f("uq_outbox_appointment_id_recipient_sequence_kind"),
        ),
        sa.UniqueConstraint("message_id", name=op.f("uq_outbox_message_id")),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index("ix_outbox_state_due_at", ["state", "due_at"], unique=False)

    op.create_table(
        "visit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("appointment_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("mode", sa.String(length=40), nullable=False),
        sa.Column("site", sa.String(length=32), nullable=True),
        sa.Column("start_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("busy_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("busy_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("specialist_id", sa.Integer(), nullable=False),
        sa.Column("room_id", sa.Integer(), nullable=True),
        sa.Column("live", sa.Boolean(), nullable=False),
        sa.CheckConstraint("(room_id IS NULL) = (mode = 'phone') OR NOT live", name=op.f("ck_visit_room")),
        sa.CheckConstraint("(site IS NULL) = (mode = 'phone')", name=op.f("ck_visit_site")),
        sa.CheckConstraint(
            "busy_from <= start_at AND start_at < end_at AND end_at <= busy_until",
            name=op.f("ck_visit_forward"),
        ),
        sa.ForeignKeyConstraint(["appointment_id"], ["appointment.id"], name=op.f("fk_visit_appointment_id")),
        sa.ForeignKeyConstraint(["room_id"], ["room.id"], name=op.f("fk_visit_room_id")),
        sa.ForeignKeyConstraint(["site"], ["site.code"], name=op.f("fk_visit_site")),
        sa.ForeignKeyConstraint(["specialist_id"], ["specialist.id"], name=op.f("fk_visit_specialist_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit")),
        sa.UniqueConstraint("appointment_id", "position", name=op.f("uq_visit_appointment_id_position")),
    )
    with op.batch_alter_table("visit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_visit_appointment_id"), ["appointment_id"], unique=False)
        batch_op.create_index("ix_visit_day_live", ["day", "live"], unique=False)

    op.create_table(
        "visit_service",
        sa.Column("visit_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("service", sa.String(length=32), nullable=False),
        sa.ForeignKeyConstraint(["service"], ["service.code"], name=op.f("fk_visit_service_service")),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_visit_service_visit_id")),
        sa.PrimaryKeyConstraint("visit_id", "position", name=op.f("pk_visit_service")),
    )

    if op.get_bind().dialect.name == "postgresql":
        _guard_postgresql()
    else:
        _guard_sqlite()


def _guard_postgresql() -> None:
    """A range of NULLs would be the one without bounds, so a call, which has no room, is left out."""
    for name, number in GUARDED.items():
        op.execute(
            f"ALTER TABLE visit ADD CONSTRAINT ex_visit_{name} EXCLUDE USING gist ("
            f" int4range({number}, {number}, '[]') WITH &&,"
            f" tstzrange(busy_from, busy_until) WITH &&) WHERE (live AND {number} IS NOT NULL)"
        )


def _guard_sqlite() -> None:
    """Instants are compared as text, so only one way of writing them is let in."""
    _create_trigger("visit_instants", " OR ".join(f"NOT {_canonical(column)}" for column in INSTANTS))
    for name, number in GUARDED.items():
        op.create_index(
            f"ix_visit_{name}_live", "visit", [number, "busy_until"], sqlite_where=sa.text("live")
        )
        _create_trigger(f"ex_visit_{name}", f"NEW.live AND {_overlapping(number)}")


def _canonical(column: str) -> str:
    return f"NEW.{column} IS strftime('%Y-%m-%d %H:%M:%S.000000', NEW.{column})"


def _overlapping(number: str) -> str:
    return (
        f"EXISTS (SELECT 1 FROM visit other WHERE other.live AND other.{number} = NEW.{number}"
        " AND other.busy_until > NEW.busy_from AND other.busy_from < NEW.busy_until AND other.id <> NEW.id)"
    )


def _create_trigger(name: str, refused: str) -> None:
    """One for each statement, since SQLite has none for insert or update.

    They run after the change: only then does a new row have its number.
    """
    for event in ("INSERT", "UPDATE"):
        op.execute(
            f"CREATE TRIGGER {name}_{event.lower()} AFTER {event} ON visit WHEN {refused}"
            f" BEGIN SELECT RAISE(ABORT, '{name}'); END"
        )


def downgrade() -> None:
    op.drop_table("visit_service")
    with op.batch_alter_table("visit", schema=None) as batch_op:
        batch_op.drop_index("ix_visit_day_live")
        batch_op.drop_index(batch_op.f("ix_visit_appointment_id"))

    op.drop_table("visit")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index("ix_outbox_state_due_at")

    op.drop_table("outbox")
    op.drop_table("request_window")
    op.drop_table("request_site")
    op.drop_table("request_service")
    with op.batch_alter_table("appointment", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_appointment_start_at"))

    op.drop_table("appointment")
    with op.batch_alter_table("working_hours", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_working_hours_specialist"))

    op.drop_table("working_hours")
    with op.batch_alter_table("variant", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_variant_service"))

    op.drop_table("variant")
    with op.batch_alter_table("request", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_request_status"))

    op.drop_table("request")
    with op.batch_alter_table("absence", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_absence_specialist"))

    op.drop_table("absence")
    with op.batch_alter_table("specialist", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_specialist_unit"))
        batch_op.drop_index(batch_op.f("ix_specialist_base_site"))

    op.drop_table("specialist")
    with op.batch_alter_table("service", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_service_unit"))

    op.drop_table("service")
    with op.batch_alter_table("hours", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_hours_unit"))
        batch_op.drop_index(batch_op.f("ix_hours_site"))

    op.drop_table("hours")
    with op.batch_alter_table("unit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_unit_base_site"))

    op.drop_table("unit")
    with op.batch_alter_table("room", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_room_site"))

    op.drop_table("room")
    with op.batch_alter_table("place", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_place_nearest_site"))

    op.drop_table("place")
    with op.batch_alter_table("leg", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_leg_origin"))
        batch_op.drop_index(batch_op.f("ix_leg_destination"))

    op.drop_table("leg")
    op.drop_table("site")
    op.drop_table("plan_day")
    op.drop_table("county")
    op.drop_table("contact")
    op.drop_table("closure")
