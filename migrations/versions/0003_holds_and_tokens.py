"""Holds, places that come back later, keys to the API, and what has been answered to repeated calls."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

INDICES = {
    "ix_appointment_client": ["client"],
    "ix_appointment_status_expires_at": ["status", "expires_at"],
    "ix_appointment_status_place_free_at": ["status", "place_free_at"],
}


def upgrade() -> None:
    op.add_column("appointment", sa.Column("hold_key", sa.String(300)))
    op.add_column("appointment", sa.Column("client", sa.String(300)))
    op.add_column("appointment", sa.Column("expires_at", sa.DateTime(timezone=True)))
    op.add_column("appointment", sa.Column("place_free_at", sa.DateTime(timezone=True)))
    op.create_index("ix_appointment_hold_key", "appointment", ["hold_key"], unique=True)
    for name, columns in INDICES.items():
        op.create_index(name, "appointment", columns)
    op.create_table(
        "api_token",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(300), nullable=False),
        sa.Column("role", sa.String(40), nullable=False),
        sa.Column("site", sa.String(32)),
        sa.Column("unit", sa.String(32)),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["site"], ["site.code"], name="fk_api_token_site"),
        sa.ForeignKeyConstraint(["unit"], ["unit.code"], name="fk_api_token_unit"),
        sa.PrimaryKeyConstraint("id", name="pk_api_token"),
        sa.UniqueConstraint("hash", name="uq_api_token_hash"),
    )
    op.create_table(
        "answer",
        sa.Column("key", sa.String(300), nullable=False),
        sa.Column("fingerprint", sa.String(300), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_answer"),
    )
    op.create_index("ix_answer_created_at", "answer", ["created_at"])


def downgrade() -> None:
    op.drop_table("answer")
    op.drop_table("api_token")
    for name in ("ix_appointment_hold_key", *INDICES):
        op.drop_index(name, table_name="appointment")
    for name in ("place_free_at", "expires_at", "client", "hold_key"):
        op.drop_column("appointment", name)
