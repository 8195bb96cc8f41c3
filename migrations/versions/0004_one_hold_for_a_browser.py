"""One hold at a time for a browser, and indices for questions whose cost must not grow with the years."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INDICES = {
    "ix_appointment_status_client": ("appointment", ["status", "client"]),
    "ix_appointment_contact_id": ("appointment", ["contact_id"]),
    "ix_contact_email": ("contact", ["email"]),
    "ix_contact_phone": ("contact", ["phone"]),
}


def upgrade() -> None:
    op.add_column("appointment", sa.Column("only_hold_of", sa.String(300)))
    op.create_index("ix_appointment_only_hold_of", "appointment", ["only_hold_of"], unique=True)
    op.drop_index("ix_appointment_client", table_name="appointment")
    for name, (table, columns) in INDICES.items():
        op.create_index(name, table, columns)


def downgrade() -> None:
    for name, (table, _columns) in INDICES.items():
        op.drop_index(name, table_name=table)
    op.create_index("ix_appointment_client", "appointment", ["client"])
    op.drop_index("ix_appointment_only_hold_of", table_name="appointment")
    op.drop_column("appointment", "only_hold_of")
