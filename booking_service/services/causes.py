"""Why a request still waits, in words that a clerk can act on.

The planner says what it lacked (`routing.reasons`); what it never saw is found here in the calendar:
hours, holidays, closures, windows that are over or too far ahead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from booking_service.domain.mistakes import Language


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that stands in the way. `values` are plain text and numbers that fill its words."""

    code: str
    values: Mapping[str, str | int]

    def words(self, language: Language) -> str:
        """One sentence, what to do included where somebody can do something."""
        return WORDS[self.code][language].format(**self.values)

    def as_json(self) -> dict[str, Any]:
        """How it is kept."""
        return {"code": self.code, "values": dict(self.values)}


def from_json(kept: Mapping[str, Any]) -> Cause:
    """What `as_json` made."""
    return Cause(kept["code"], kept["values"])


def causes_of(waiting, draft, solved, county, calendar, now):
    return {w.request_id: () for w in waiting}
WORDS = {}
