"""The rules of booking: raster, lead time and horizon of services, minutes kept free, rules of the county.

A county that is loaded already gets the rules that the examples have; its office changes them by the
folder as everything else.
"""

import secrets

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

RASTER = 15
FIRST = {"raster": RASTER, "lead_hours": 24, "horizon_days": 60}
FIRST_FOR_EMERGENCIES = {"lead_hours": 0, "horizon_days": 7}
BOOKING = {
    "hold_minutes": 10,
    "holds_per_client": 200,
    "open_per_contact": 5,
    "release_delay_least": 10,
    "release_delay_most": 30,
    "least_per_trip": 1,
}

county = sa.table(
    "county", sa.column("id", sa.Integer), sa.column("revision", sa.String), sa.column("settings", sa.JSON)
)
service = sa.table(
    "service", sa.column("bookable", sa.String), *(sa.column(name, sa.Integer) for name in FIRST)
)


def upgrade() -> None:
    op.create_table(
        "contingent",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("service", sa.String(length=32), nullable=False),
        sa.Column("mode", sa.String(length=40), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("begin", sa.Integer(), nullable=False),
        sa.Column("end", sa.Integer(), nullable=False),
        sa.Column("release_hours", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["service"], ["service.code"], name=op.f("fk_contingent_service")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contingent")),
    )
    with op.batch_alter_table("contingent", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contingent_service"), ["service"], unique=False)

    with op.batch_alter_table("service", schema=None) as batch_op:
        for name, value in FIRST.items():
            batch_op.add_column(sa.Column(name, sa.Integer(), nullable=False, server_default=str(value)))
    op.execute(sa.update(service).where(service.c.bookable == "same_day").values(FIRST_FOR_EMERGENCIES))
    _fill_county()
    with op.batch_alter_table("service", schema=None) as batch_op:
        for name in FIRST:
            batch_op.alter_column(name, existing_type=sa.Integer(), server_default=None)


def _fill_county() -> None:
    for number, settings in _counties():
        _keep(number, settings | {"booking": BOOKING})
        tick = settings["planning"]["tick_minutes"]
        # Rasters are multiples of the tick, or the county could not be loaded again from its own export.
        op.execute(sa.update(service).values(raster=-(-RASTER // tick) * tick))


def _counties() -> list[tuple[int, dict]]:
    return list(op.get_bind().execute(sa.select(county.c.id, county.c.settings)))


def _keep(number: int, settings: dict) -> None:
    # Processes know a county by its revision, and this is another one.
    values = {"revision": secrets.token_hex(16), "settings": settings}
    op.execute(sa.update(county).where(county.c.id == number).values(values))


def downgrade() -> None:
    for number, settings in _counties():
        _keep(number, {key: value for key, value in settings.items() if key != "booking"})
    with op.batch_alter_table("service", schema=None) as batch_op:
        for name in FIRST:
            batch_op.drop_column(name)

    with op.batch_alter_table("contingent", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contingent_service"))

    op.drop_table("contingent")
