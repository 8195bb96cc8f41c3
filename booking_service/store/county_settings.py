"""The settings of a county folder, `county.toml`: read with every mistake at its line, and written.

The file holds what is true for the whole county: names, languages, planning prices and the rules of
booking. A key that is unknown here is a mistake, since a slip of the pen would otherwise leave a
setting without effect.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from datetime import date
from typing import TYPE_CHECKING, Any
from zoneinfo import available_timezones

from booking_service.domain.county import BookingRules, PlanningRules, Settings
from booking_service.domain.mistakes import Mistake
from booking_service.store import county_cells as cells
from booking_service.store.county_cells import BadCell, Kind, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FILE = "county.toml"
STATES = frozenset(
    {"BB", "BE", "BW", "BY", "HB", "HE", "HH", "MV", "NI", "NW", "RP", "SH", "SL", "SN", "ST", "TH"}
)
TICKS = (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30, 60)
_HIGHEST_PRICE = 10_000_000
_LOCAL_PART = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = cells.pattern(
    rf"(?=.{{1,254}}$){_LOCAL_PART}(\.{_LOCAL_PART})*@{_LABEL}(\.{_LABEL})+", "cell_address"
)


def _state(cell: str) -> str:
    if cell not in STATES:
        raise BadCell("cell_choice", value=shown(cell), allowed=", ".join(sorted(STATES)))
    return cell


def _zone(cell: str) -> str:
    if cell not in available_timezones():
        raise BadCell("cell_zone", value=shown(cell))
    return cell


def _closed_day(cell: str) -> str:
    try:
        # A leap year, so that the 29th of February can be named.
        date.fromisoformat(f"2000-{cell}" if re.fullmatch(r"[0-9]{2}-[0-9]{2}", cell) else "")
    except ValueError:
        raise BadCell("cell_month_day", value=shown(cell)) from None
    return cell


_TEXTS: Mapping[str, Kind[str]] = {
    "code": cells.CODE,
    "name": cells.text(),
    "state": Kind(_state, str),
    "zone": Kind(_zone, str),
    "office_group": cells.text(),
    "sender_name": cells.text(),
    "sender_address": _ADDRESS,
}
_LISTS: Mapping[str, Kind[str]] = {
    "closed_days": Kind(_closed_day, str),
    "languages": cells.LANGUAGE,
    "attribution": cells.text(cells.LONG_TEXT),
}
_PRICE = (0, _HIGHEST_PRICE)
_PLANNING: Mapping[str, tuple[int, int]] = {
    "horizon_days": (1, 365),
    "lead_days": (0, 60),
    "publish_days": (1, 60),
    "tick_minutes": (1, 60),
    "seconds": (1, 3600),
    **dict.fromkeys(("unserved_normal", "unserved_soon", "unserved_urgent", "lost_promise"), _PRICE),
    **dict.fromkeys(("wait_day", "wish", "change", "travel_minute", "later_choice"), _PRICE),
}
_DELAY = (0, 1_440)
_BOOKING: Mapping[str, tuple[int, int]] = {
    "hold_minutes": (1, 60),
    "holds_per_client": (1, 10_000),
    "open_per_contact": (1, 100),
    "release_delay_least": _DELAY,
    "release_delay_most": _DELAY,
    "least_per_trip": (1, 20),
}


class _Reading:
    """The document on the way to settings: takes keys one by one and notes mistakes at their lines."""

    def __init__(self, text: str, document: dict[str, Any], mistakes: list[Mistake]) -> None:
        self.lines = _lines_of_keys(text)
        self.document = document
        self.mistakes = mistakes

    def note(self, key: str, code: str, values: Mapping[str, object]) -> None:
        """Note a mistake at a key such as `planning.seconds`, or at its table if the key is not there."""
        line = self.lines.get(key) or self.lines.get(key.partition(".")[0], 1)
        self.mistakes.append(Mistake(f"{FILE}:{line}:{shown(key)}", code, values))

    def refuse_unknown(self, prefix: str, found: Mapping[str, Any], known: set[str]) -> None:
        """Note every key that nobody would read."""
        for key in found:
            if key not in known:
                self.note(prefix + key, "county_key_unknown", {"known": ", ".join(sorted(known))})

    def take(self, key: str, read: Callable[[Any], Any]) -> Any:
        """Read the value of a key, or give None with the mistake noted."""
        value: Any = self.document
        for part in key.split("."):
            if not isinstance(value, dict) or part not in value:
                self.note(key, "county_key_missing", {"key": key})
                return None
            value = value[part]
        try:
            return read(value)
        except BadCell as bad:
            self.note(key, bad.code, bad.values)
            return None


def read_settings(text: str, mistakes: list[Mistake]) -> Settings | None:
    """Read the settings of a county, or give None with every mistake noted."""
    before = len(mistakes)
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        mistakes.append(_no_toml(error))
        return None
    reading = _Reading(text, document, mistakes)
    reading.refuse_unknown("", document, {*_TEXTS, *_LISTS, "planning", "booking"})
    values: dict[str, Any] = {key: reading.take(key, _text_by(kind)) for key, kind in _TEXTS.items()}
    values |= {key: reading.take(key, _list_by(kind)) for key, kind in _LISTS.items()}
    planning = _read_numbers(reading, "planning", _PLANNING)
    _refuse_odd_tick(reading, planning.get("tick_minutes"))
    booking = _read_numbers(reading, "booking", _BOOKING)
    _refuse_reversed_delay(reading, booking.get("release_delay_least"), booking.get("release_delay_most"))
    if len(mistakes) > before:
        return None
    return Settings(planning=PlanningRules(**planning), booking=BookingRules(**booking), **values)


def _read_numbers(reading: _Reading, name: str, keys: Mapping[str, tuple[int, int]]) -> dict[str, Any]:
    """Read a table of whole numbers; what cannot be read is None, and all is missing without the table."""
    table = reading.take(name, _table)
    if table is None:
        return {}
    reading.refuse_unknown(f"{name}.", table, set(keys))
    return {key: reading.take(f"{name}.{key}", _whole(*limits)) for key, limits in keys.items()}


def _refuse_odd_tick(reading: _Reading, tick: int | None) -> None:
    if tick is not None and tick not in TICKS:
        allowed = ", ".join(map(str, TICKS))
        reading.note("planning.tick_minutes", "cell_choice", {"value": tick, "allowed": allowed})


def _refuse_reversed_delay(reading: _Reading, least: int | None, most: int | None) -> None:
    if least is not None and most is not None and least > most:
        values = {"least": least, "most": most}
        reading.note("booking.release_delay_most", "county_least_most", values)


def _no_toml(error: Exception) -> Mistake:
    found = re.search(r"at line (\d+), column (\d+)", str(error))
    line, position = (int(found[1]), int(found[2])) if found else (1, 1)
    return Mistake(f"{FILE}:{line}", "file_toml", {"position": position})


def _table(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadCell("county_not_a_table")
    return value


def _whole(low: int, high: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise BadCell("cell_number", value=shown(value))
        return cells.within(value, low, high)

    return read


def _text_by(kind: Kind[str]) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if not isinstance(value, str):
            raise BadCell("county_not_a_text", value=shown(value))
        return kind.value(value)

    return read


def _list_by(kind: Kind[str]) -> Callable[[Any], tuple[str, ...]]:
    def read(value: Any) -> tuple[str, ...]:
        if not isinstance(value, list):
            raise BadCell("county_not_a_list", value=shown(value))
        items = tuple(map(_text_by(kind), value))
        if repeated := [item for item, count in Counter(items).items() if count > 1]:
            raise BadCell("cell_item_repeated", item=shown(repeated[0]))
        return items

    return read


def _lines_of_keys(text: str) -> dict[str, int]:
    """Find the line of each key and table as they are usually written; others are found at line 1."""
    places: dict[str, int] = {}
    table = ""
    for number, line in enumerate(text.split("\n"), start=1):
        if header := re.match(r"\s*\[\s*([A-Za-z0-9_.-]+)\s*\]", line):
            table = f"{header[1]}."
            places.setdefault(header[1], number)
        elif key := re.match(r"""\s*["']?([A-Za-z0-9_.-]+)["']?\s*=""", line):
            places.setdefault(table + key[1], number)
    return places


def write_settings(settings: Settings) -> str:
    """Write the file's text, keys in the order of the values."""
    lines = [f"{key} = {_quoted(getattr(settings, key))}" for key in _TEXTS]
    lines += [_written_list(key, getattr(settings, key)) for key in _LISTS]
    lines += ["", "[planning]"]
    lines += [f"{key} = {getattr(settings.planning, key)}" for key in _PLANNING]
    lines += ["", "[booking]"]
    lines += [f"{key} = {getattr(settings.booking, key)}" for key in _BOOKING]
    return "\n".join(lines) + "\n"


def _written_list(key: str, items: tuple[str, ...]) -> str:
    if key == "attribution" and items:
        return "\n".join([f"{key} = [", *(f"    {_quoted(item)}," for item in items), "]"])
    return f"{key} = [{', '.join(map(_quoted, items))}]"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
