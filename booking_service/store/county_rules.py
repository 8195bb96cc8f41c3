"""What the rows of a county folder must be to each other: references, orders, overlaps, the tick.

Only rows that could be read are judged, and a table is held to be complete only if all its keys
could be read, so that one slip does not bring a crowd of others. Nothing is warned about: either a
folder can be planned with, or it is refused.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from booking_service.domain import zones
from booking_service.domain.county import Bookable, Channel, Competence, HandledBy
from booking_service.domain.mistakes import Mistake
from booking_service.store.county_cells import clock, shown

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator, Mapping

    from booking_service.domain.county import Settings
    from booking_service.store.county_sheets import Row, Sheet

    Sheets = Mapping[str, Sheet[Any]]


def broken_rules(sheets_by_name: Sheets, settings: Settings | None) -> Iterator[Mistake]:
    """Every mistake among rows; rules that need settings rest while these cannot be read."""
    for sheet in sheets_by_name.values():
        yield from _duplicates(sheet)
        yield from _references(sheet, sheets_by_name)
        yield from _reversed_validity(sheet)
        if settings:
            yield from _off_tick(sheet, settings.planning.tick_minutes)
    yield from _reversed_spans(sheets_by_name)
    yield from _overlaps(sheets_by_name["hours"], ("unit", "site", "mode", "access", "weekday"))
    yield from _overlaps(sheets_by_name["working_hours"], ("specialist", "weekday"))
    yield from _overlaps(sheets_by_name["contingents"], ("service", "mode", "weekday"))
    yield from _breaks(sheets_by_name["working_hours"])
    yield from _travel(sheets_by_name["travel"], sheets_by_name["sites"])
    yield from _services(sheets_by_name["services"], sheets_by_name["variants"])
    yield from _desk_skills(sheets_by_name["specialists"], sheets_by_name["services"])
    yield from _contingents(sheets_by_name)
    yield from _exceptions(sheets_by_name)
    if settings:
        yield from _skipped_times(sheets_by_name["absences"], settings.zone)


def _lines_by_key(sheet: Sheet[Any], key: tuple[str, ...]) -> Iterator[tuple[Row[Any], Hashable]]:
    for row in sheet.rows:
        if all(column in row.values for column in key):
            yield row, tuple(row.values[column] for column in key)


def _codes(sheet: Sheet[Any]) -> set[str]:
    """Codes of a table whose key is a single column."""
    column = sheet.table.key[0]
    return {row.values[column] for row in sheet.rows if column in row.values}


def _duplicates(sheet: Sheet[Any]) -> Iterator[Mistake]:
    if not sheet.table.key:
        return
    first: dict[Hashable, int] = {}
    for row, key in _lines_by_key(sheet, sheet.table.key):
        if key in first:
            named = ", ".join(str(row.values[column]) for column in sheet.table.key)
            place = sheet.place(row, sheet.table.key[0])
            yield Mistake(place, "county_duplicate", {"value": shown(named), "line": first[key]})
        first.setdefault(key, row.line)


def _references(sheet: Sheet[Any], sheets_by_name: Sheets) -> Iterator[Mistake]:
    for column in sheet.table.columns:
        target = sheets_by_name.get(column.refers)
        if target is None or not target.whole:
            continue
        known = _codes(target)
        for row in sheet.rows:
            for code in _as_list(row.values.get(column.name)):
                if code not in known:
                    values = {"value": shown(code), "file": target.table.file}
                    yield Mistake(sheet.place(row, column.name), "county_unknown", values)


def _as_list(value: Any) -> tuple[Any, ...]:
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)


def _reversed_validity(sheet: Sheet[Any]) -> Iterator[Mistake]:
    for row in sheet.rows:
        first, last = row.values.get("valid_from"), row.values.get("valid_to")
        if first and last and first > last:
            yield Mistake(sheet.place(row, "valid_to"), "county_validity", {"begin": first, "end": last})


def _off_tick(sheet: Sheet[Any], tick: int) -> Iterator[Mistake]:
    for column in sheet.table.columns:
        if not column.on_tick:
            continue
        for row in sheet.rows:
            for minutes in _minutes_in(row.values.get(column.name)):
                if minutes % tick:
                    values = {"value": _named(minutes, column.name), "tick": tick}
                    yield Mistake(sheet.place(row, column.name), "county_tick", values)


def _minutes_in(value: Any) -> tuple[int, ...]:
    if isinstance(value, datetime):
        return (value.hour * 60 + value.minute,)
    if isinstance(value, tuple):
        return tuple(minutes for span in value for minutes in span)
    return _as_list(value)


def _named(minutes: int, column: str) -> str:
    return clock(minutes) if column in {"from", "to", "breaks"} else str(minutes)


def _reversed_spans(sheets_by_name: Sheets) -> Iterator[Mistake]:
    for name in ("hours", "working_hours", "absences", "closures", "contingents"):
        sheet = sheets_by_name[name]
        for row, (begin, end) in _spans(sheet):
            # The last day of a closure belongs to it, all other ends do not.
            if begin > end or (begin == end and name != "closures"):
                values = {"begin": _written(begin), "end": _written(end)}
                yield Mistake(sheet.place(row, "to"), "county_order", values)


def _spans(sheet: Sheet[Any]) -> Iterator[tuple[Row[Any], tuple[Any, Any]]]:
    for row in sheet.rows:
        if "from" in row.values and "to" in row.values:
            yield row, (row.values["from"], row.values["to"])


def _written(moment: Any) -> str:
    if isinstance(moment, datetime):
        return moment.isoformat(timespec="minutes")
    return clock(moment) if isinstance(moment, int) else str(moment)


def _overlaps(sheet: Sheet[Any], key: tuple[str, ...]) -> Iterator[Mistake]:
    validity = [column for column in sheet.table.header if column in {"valid_from", "valid_to"}]
    groups: dict[Hashable, list[Row[Any]]] = defaultdict(list)
    for row, values in _lines_by_key(sheet, (*key, "from", "to", *validity)):
        groups[values[: len(key)]].append(row)  # type: ignore[index]
    for rows in groups.values():
        for index, row in enumerate(rows):
            earlier = next((other for other in rows[:index] if _collide(other.values, row.values)), None)
            if earlier:
                yield Mistake(sheet.place(row, "from"), "county_overlap", {"line": earlier.line})


def _collide(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    weeks = one.get("week_of_month"), other.get("week_of_month")
    return (
        one["from"] < other["to"]
        and other["from"] < one["to"]
        and (None in weeks or weeks[0] == weeks[1])
        and (one.get("valid_from") or date.min) <= (other.get("valid_to") or date.max)
        and (other.get("valid_from") or date.min) <= (one.get("valid_to") or date.max)
    )


def _breaks(sheet: Sheet[Any]) -> Iterator[Mistake]:
    for row, (begin, end) in _spans(sheet):
        last = begin
        for pause in row.values.get("breaks", ()):
            values = {
                "value": f"{clock(pause[0])}-{clock(pause[1])}",
                "begin": clock(begin),
                "end": clock(end),
            }
            if pause[0] < begin or pause[1] > end:
                yield Mistake(sheet.place(row, "breaks"), "county_break_outside", values)
            elif pause[0] < last:
                yield Mistake(sheet.place(row, "breaks"), "county_break_order", values)
            last = max(last, pause[1])


def _travel(travel: Sheet[Any], sites: Sheet[Any]) -> Iterator[Mistake]:
    for row, (origin, destination) in _spans(travel):
        if origin == destination and row.values.get("minutes"):
            yield Mistake(travel.place(row, "minutes"), "county_travel_self", {"site": origin})
    if not travel.whole:
        return
    given = {pair for _row, pair in _spans(travel)}
    codes = sorted(_codes(sites))
    for origin in codes:
        for destination in codes:
            if origin != destination and (origin, destination) not in given:
                values = {"origin": origin, "destination": destination}
                yield Mistake(travel.table.file, "county_travel_missing", values)


def _services(services: Sheet[Any], variants: Sheet[Any]) -> Iterator[Mistake]:
    served = {row.values["service"] for row in variants.rows if "service" in row.values}
    for row in services.rows:
        values = row.values
        if values.get("competence") is Competence.REFER and values.get("refer_to") == "":
            yield Mistake(services.place(row, "refer_to"), "county_refer_to")
        by_specialist = values.get("handled_by") is HandledBy.SPECIALIST
        bookable = values.get("bookable") in {Bookable.YES, Bookable.SAME_DAY}
        if variants.whole and by_specialist and bookable and values.get("service", "") not in {"", *served}:
            where = {"service": values["service"], "file": variants.table.file}
            yield Mistake(services.place(row, "bookable"), "county_no_variant", where)


def _at_desk(services: Sheet[Any]) -> set[str]:
    return {
        row.values["service"]
        for row in services.rows
        if row.values.get("handled_by") is HandledBy.DESK and "service" in row.values
    }


def _desk_skills(specialists: Sheet[Any], services: Sheet[Any]) -> Iterator[Mistake]:
    at_desk = _at_desk(services)
    for row in specialists.rows:
        for skill in row.values.get("skills", ()):
            if skill in at_desk:
                yield Mistake(specialists.place(row, "skills"), "county_desk_skill", {"service": skill})


def _contingents(sheets_by_name: Sheets) -> Iterator[Mistake]:
    sheet, services, variants = (sheets_by_name[name] for name in ("contingents", "services", "variants"))
    at_desk, known = _at_desk(services), _codes(services)
    ways = {way for _row, way in _lines_by_key(variants, ("service", "mode"))}
    for row, way in _lines_by_key(sheet, ("service", "mode")):
        service, mode = row.values["service"], row.values["mode"]
        if service in at_desk:
            yield Mistake(sheet.place(row, "service"), "county_desk_contingent", {"service": service})
        elif service in known and variants.whole and way not in ways:
            values = {"service": service, "mode": mode, "file": variants.table.file}
            yield Mistake(sheet.place(row, "mode"), "county_no_such_variant", values)


def _exceptions(sheets_by_name: Sheets) -> Iterator[Mistake]:
    closures = sheets_by_name["closures"]
    for row in closures.rows:
        for item in row.values.get("stays_open", ()):
            if not _is_known_exception(item, sheets_by_name["units"], sheets_by_name["sites"]):
                values = {"value": shown(item), "channels": ", ".join(Channel)}
                yield Mistake(closures.place(row, "stays_open"), "county_stays_open", values)


def _is_known_exception(item: str, units: Sheet[Any], sites: Sheet[Any]) -> bool:
    if item in set(Channel):
        return True
    if item.islower():
        return False
    unit, _at, site = item.partition("@")
    return (not units.whole or unit in _codes(units)) and (
        not site or not sites.whole or site in _codes(sites)
    )


def _skipped_times(absences: Sheet[Any], zone: str) -> Iterator[Mistake]:
    for row in absences.rows:
        for column in ("from", "to"):
            moment = row.values.get(column)
            if moment is None:
                continue
            try:
                zones.from_local(moment, zone)
            except zones.NoSuchTime:
                values = {"value": _written(moment), "zone": zone}
                yield Mistake(absences.place(row, column), "county_skipped_time", values)
