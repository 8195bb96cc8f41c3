"""How long a plan stays open: working days until publication, and what is known of improving each day.

A county that is loaded already gets the number of days that the examples have.
"""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

PUBLISH_DAYS = 2

county = sa.table(
    "county", sa.column("id", sa.Integer), sa.column("revision", sa.String), sa.column("settings", sa.JSON)
)


def upgrade() -> None:
    op.create_table(
        "improvement",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("improved", sa.Integer(), nullable=False),
        sa.Column("noted_at", sa.DateTime(timezone=True)),
        sa.Column("leased_until", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("day", name="pk_improvement"),
    )
    for number, settings in _counties():
        _keep(number, settings | {"planning": {**settings["planning"], "publish_days": PUBLISH_DAYS}})


def downgrade() -> None:
    for number, settings in _counties():
        planning = {key: value for key, value in settings["planning"].items() if key != "publish_days"}
        _keep(number, settings | {"planning": planning})
    op.drop_table("improvement")


def _counties() -> list[tuple[int, dict]]:
    return list(op.get_bind().execute(sa.select(county.c.id, county.c.settings)))


def _keep(number: int, settings: dict) -> None:
    # Processes know a county by its revision, and this is another one.
    values = {"revision": secrets.token_hex(16), "settings": settings}
    op.execute(sa.update(county).where(county.c.id == number).values(values))
