"""The words of a message: texts from `texts/<kind>/<language>/`, filled with cleaned values.

Only what stands in those files and what the county has configured is written. A template never sees
the recipient's name, the concern or the unit, so no text can give them away.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import UTC
from functools import lru_cache
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime, time

    from booking_service.mail.notice import Notice

BERLIN = ZoneInfo("Europe/Berlin")

# Marks that turn the direction of the text after them, and the byte order mark.
_INVISIBLE = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")
# RFC 5322 specials (the dot is harmless) and the marks of an encoded word: a name that is folded over
# lines can lose its quotes, and what follows a comma would then read as a further address.
_HEADER_SPECIALS = str.maketrans(dict.fromkeys('()<>[]:;@,"=?', " ") | {"^": None})
_LONGEST_NAME = 100
_LONGEST_VALUE = 160

_TEXTS = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "texts"),
    autoescape=select_autoescape(["html"], default=False),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)


@dataclass(frozen=True, slots=True)
class _Dates:
    """How a language writes dates and times: patterns of Unicode's CLDR."""

    locale: str
    long: str
    short: str
    time: str


_LANGUAGES = {
    "de": _Dates(locale="de_DE", long="EEEE, d. MMMM y", short="dd.MM.y", time="H:mm"),
    "en": _Dates(locale="en_GB", long="EEEE, d MMMM y", short="d MMMM y", time="H:mm"),
}
_BINDING_LANGUAGE = "de"


def _language_of(notice: Notice) -> str:
    """Choose the language of the message: the wanted one if we have it, else German, the binding one."""
    return notice.language if notice.language in _LANGUAGES else _BINDING_LANGUAGE


def write(notice: Notice, part: str) -> str:
    """One text of the message; `part` is the name of its file, such as `subject.txt`."""
    language = _language_of(notice)
    template = _TEXTS.get_template(f"{notice.kind.value}/{language}/{part}")
    return template.render(_values(notice)).strip()


def clean_line(text: str, longest: int = _LONGEST_VALUE) -> str:
    """One line without control characters, marks of direction and backslashes, cut to a length.

    Some calendar programs read an escaped backslash and the letter n as a line break, hence the slash.
    """
    shown = text if text.isprintable() else "".join(sign for sign in text if _is_shown(sign))
    line = " ".join(shown.replace("\\", "/").split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def clean_name(text: str) -> str:
    """Reduce a person's or mailbox's name to what every mail and calendar program reads, perhaps nothing."""
    quotes = cycle("„“")
    quoted = "".join(next(quotes) if sign == '"' else sign for sign in text)
    return clean_line(quoted.translate(_HEADER_SPECIALS), _LONGEST_NAME)


def _is_shown(sign: str) -> bool:
    if sign.isspace():
        return True  # as the one space it will become
    return sign not in _INVISIBLE and unicodedata.category(sign) not in {"Cc", "Cs"}


@lru_cache(maxsize=16)  # the texts of one notice are written one after the other, in each thread
def _values(notice: Notice) -> Mapping[str, object]:
    """All that a text may speak of."""
    language = _language_of(notice)
    start, end = _on_the_clock(notice.start), _on_the_clock(notice.end)
    long_date, short_date = _dates(start.date(), language)
    return {
        "language": language,
        "mode": notice.mode.value,
        "long_date": long_date,
        "short_date": short_date,
        "from_time": _time(start.time(), language),
        "to_time": _time(end.time(), language),
        "venue_lines": list(filter(None, map(clean_line, _venue_lines(notice)))),
        "reference": clean_line(notice.reference),
        "manage_url": notice.manage_url,
        "request_url": notice.request_url,
        "office_group": clean_line(notice.office_group),
        "sender_name": clean_name(notice.sender.name),
    }


# Most appointments share their day and their time with others.
@lru_cache(maxsize=1_000)
def _dates(day: date, language: str) -> tuple[str, str]:
    """The date in full and the short one."""
    how = _LANGUAGES[language]
    return format_date(day, how.long, locale=how.locale), format_date(day, how.short, locale=how.locale)


@lru_cache(maxsize=4_000)
def _time(clock: time, language: str) -> str:
    how = _LANGUAGES[language]
    return format_time(clock, how.time, locale=how.locale)


def _venue_lines(notice: Notice) -> tuple[str, ...]:
    venue = notice.venue
    return (venue.public_name, venue.street, venue.town) if venue else ()


def _on_the_clock(moment: datetime) -> datetime:
    """Turn to local time by way of UTC: a time that a clock change skips is never shown."""
    return moment.astimezone(UTC).astimezone(BERLIN)
