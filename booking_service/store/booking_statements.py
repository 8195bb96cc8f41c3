"""What is written most often, a hold and its confirmation: statements that are built once, without objects.

PostgreSQL writes several tables in one round trip. SQLite cannot, and has no round trips to save.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import BindParameter, bindparam, insert, literal, select, update

from booking_service.domain.bookings import AppointmentStatus
from booking_service.store.booking_tables import APPOINTMENTS, CONTACTS, VISIT_SERVICES, VISITS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sqlalchemy import Select, Table, Update
    from sqlalchemy.engine import Connection


def add_appointment(
    connection: Connection,
    appointment: Mapping[str, Any],
    visits: Sequence[Mapping[str, Any]],
    services: Sequence[str],
) -> tuple[int, tuple[int, ...]]:
    """Add an appointment and its visits, each of one service; the numbers that they get."""
    if len(visits) == 1 and connection.dialect.name == "postgresql":
        statement = _adding_at_once(tuple(appointment), tuple(visits[0]))
        asked = _as_parameters(APPOINTMENTS, appointment) | _as_parameters(VISITS, visits[0])
        added = connection.execute(statement, asked | {"its_service": services[0]}).one()
        return added.appointment_id, (added.id,)
    number: int = connection.execute(_ADD_APPOINTMENT, dict(appointment)).scalar_one()
    numbers: list[int] = []
    for visit, service in zip(visits, services, strict=True):
        numbers.append(connection.execute(_ADD_VISIT, {**visit, "appointment_id": number}).scalar_one())
        connection.execute(_ADD_SERVICE, {"visit_id": numbers[-1], "position": 0, "service": service})
    return number, tuple(numbers)


_ADD_APPOINTMENT = insert(APPOINTMENTS).returning(APPOINTMENTS.c.id)
_ADD_VISIT = insert(VISITS).returning(VISITS.c.id)
_ADD_SERVICE = insert(VISIT_SERVICES)


@lru_cache
def _adding_at_once(appointment: tuple[str, ...], visit: tuple[str, ...]) -> Select[Any]:
    """The same for one visit, by the columns that are given."""
    added = insert(APPOINTMENTS).values(_parameters(APPOINTMENTS, appointment))
    appointed = added.returning(APPOINTMENTS.c.id).cte("appointed")
    values = select(appointed.c.id, *_parameters(VISITS, visit).values())
    added = insert(VISITS).from_select(["appointment_id", *visit], values)
    visited = added.returning(VISITS.c.appointment_id, VISITS.c.id).cte("visited")
    service = bindparam("its_service", type_=VISIT_SERVICES.c.service.type)
    served = insert(VISIT_SERVICES).from_select(
        ["visit_id", "position", "service"], select(visited.c.id, literal(0), service)
    )
    return select(visited).add_cte(served.cte("served"))


def confirm_held(
    connection: Connection, number: int, contact: Mapping[str, Any], needs: tuple[Any, ...]
) -> None:
    """Make a hold, whose row is locked, an appointment of somebody who has no row yet."""
    asked = {"of_number": number, "its_needs": needs}
    if connection.dialect.name == "postgresql":
        statement = _confirming_at_once(tuple(contact))
        connection.execute(statement, asked | _as_parameters(CONTACTS, contact))
    else:
        asked["its_contact"] = connection.execute(_ADD_CONTACT, dict(contact)).scalar_one()
        connection.execute(_CONFIRM, asked)


_ADD_CONTACT = insert(CONTACTS).returning(CONTACTS.c.id)
_CONFIRM = (
    update(APPOINTMENTS)
    .where(APPOINTMENTS.c.id == bindparam("of_number"))
    .values(
        status=AppointmentStatus.CONFIRMED,
        needs=bindparam("its_needs"),
        contact_id=bindparam("its_contact"),
        expires_at=None,
        only_hold_of=None,
    )
)


@lru_cache
def _confirming_at_once(contact: tuple[str, ...]) -> Update:
    """The same, by the columns that are given."""
    added = insert(CONTACTS).values(_parameters(CONTACTS, contact)).returning(CONTACTS.c.id).cte("added")
    return _CONFIRM.values(contact_id=select(added.c.id).scalar_subquery())


def _parameters(table: Table, names: Iterable[str]) -> dict[str, BindParameter[Any]]:
    return {name: bindparam(f"{table.name}_{name}", type_=table.c[name].type) for name in names}


def _as_parameters(table: Table, values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{table.name}_{name}": value for name, value in values.items()}
