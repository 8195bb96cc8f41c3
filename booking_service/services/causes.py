"""Why a request still waits, in words that a clerk can act on.

The planner says what it lacked (`routing.reasons`). What it never saw is found here in the calendar: hours,
holidays, closures, windows that are over, too short, or too near or far to be planned.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import routing
from booking_service.domain import zones
from booking_service.domain.county import Access, Mode
from booking_service.domain.opening import ObstacleKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from booking_service.domain.county import County
    from booking_service.domain.mistakes import Language
    from booking_service.domain.opening import Calendar
    from booking_service.services.instances import Draft
    from booking_service.store.plan import Waiting

MOST_TOLD = 4
MOST_DAYS = 3
ANY_TIME_LOOKS_AHEAD = 7

IN_MODE: Mapping[Mode, Mapping[Language, str]] = {
    Mode.ON_SITE: {"de": "Vor Ort", "en": "On site"},
    Mode.VIDEO: {"de": "Per Video", "en": "By video"},
    Mode.PHONE: {"de": "Am Telefon", "en": "By phone"},
}


@dataclass(frozen=True, slots=True)
class Cause:
    """One thing that stands in the way.

    `values` fill its words; `mode`, `site` (its neutral name) and `days` (ISO dates) say where and when.
    """

    code: str
    values: Mapping[str, Any]

    def words(self, language: Language) -> str:
        """One sentence or two, with what can be done where something can be done."""
        values = dict(self.values) | {"way": self._way(language), "days": self._days(language)}
        return WORDS[self.code][language].format(**values).strip()

    def as_json(self) -> dict[str, Any]:
        """How it is kept."""
        return {"code": self.code, "values": dict(self.values)}

    def _way(self, language: Language) -> str:
        mode, site = self.values.get("mode"), self.values.get("site")
        way = IN_MODE[Mode(mode)][language] if mode else ""
        return f"{way}, {site}" if site else way

    def _days(self, language: Language) -> str:
        days = [date.fromisoformat(day) for day in self.values.get("days", ())]
        shown = [f"{day:%d.%m.}" if language == "de" else f"{day:%d %b}" for day in days[:MOST_DAYS]]
        return ", ".join(shown) + (", …" if len(days) > MOST_DAYS else "")


def from_json(kept: Mapping[str, Any]) -> Cause:
    """What `Cause.as_json` made."""
    return Cause(kept["code"], kept["values"])


def causes_of(
    waiting: Sequence[Waiting],
    draft: Draft,
    solved: routing.Plan,
    county: County,
    calendar: Calendar,
    now: datetime,
) -> dict[int, tuple[Cause, ...]]:
    """The causes of each request that the plan leaves out, by its number, the nearest to success first."""
    return _Explainer(draft, solved, county, calendar, now).all_causes(waiting)


class _Explainer:
    def __init__(
        self, draft: Draft, solved: routing.Plan, county: County, calendar: Calendar, now: datetime
    ) -> None:
        self.draft = draft
        self.county = county
        self.calendar = calendar
        self.now = now
        self.zone = county.settings.zone
        self.horizon = zones.local_day(now, self.zone) + timedelta(days=county.settings.planning.horizon_days)
        self.sites = {site.code: site.public_name for site in county.sites}
        self.services = {service.code: service for service in county.services}
        self.reasons = routing.reasons(draft.instance, solved)

    def all_causes(self, waiting: Iterable[Waiting]) -> dict[int, tuple[Cause, ...]]:
        parts: dict[int, list[str]] = {}
        for name, part in self.draft.parts.items():
            parts.setdefault(part.request_id, []).append(name)
        return {request.request_id: self._causes(request, parts[request.request_id]) for request in waiting}

    def _causes(self, request: Waiting, parts: Iterable[str]) -> tuple[Cause, ...]:
        """The parts of a chain meet the same closed doors; each is told once."""
        told: dict[tuple[object, ...], Cause] = {}
        for name in parts:
            for reason in self.reasons.get(name, ()):
                for cause in self._of_reason(request, name, reason):
                    where = (cause.values.get("mode"), cause.values.get("site"), cause.values.get("detail"))
                    told.setdefault((cause.code, *where), cause)
        return tuple(told.values())[:MOST_TOLD]

    def _of_reason(self, request: Waiting, name: str, reason: routing.Reason) -> Iterator[Cause]:
        part = self.draft.parts[name]
        if reason.code == routing.Obstacle.NO_WINDOWS:
            yield from self._without_windows(request, max(length.busy for length in part.lengths.values()))
            return
        yield self._cause(
            str(reason.code),
            reason.mode,
            reason.site,
            [self.draft.days[day] for day in reason.days],
            specialists=reason.specialists,
            services=", ".join(self.services[code].name_de for code in part.services),
            language=request.language or "de",
        )

    def _cause(
        self, code: str, mode: str | None, site: str | None, days: Iterable[date], **values: object
    ) -> Cause:
        where = {"mode": mode, "site": self.sites.get(site or ""), "days": [day.isoformat() for day in days]}
        return Cause(code, where | values)

    # --- What the planner never saw

    def _without_windows(self, request: Waiting, minutes: int) -> Iterator[Cause]:
        """No time was left that the request accepts and the county offers."""
        windows = [window for window in request.windows if window.end > self.now]
        if request.windows and not windows:
            yield Cause("windows_over", {})
            return
        days = sorted({day for window in windows for day in self._days_of(window.begin, window.end)})
        days = days or self._days_of(self.now, self.now + timedelta(days=ANY_TIME_LOOKS_AHEAD))
        if days[0] > self.horizon:
            yield Cause("not_yet", {"date": f"{self.horizon:%d.%m.%Y}"})
            return
        causes = [*self._closed_doors(request, [day for day in days if day <= self.horizon])]
        yield from causes or [Cause("too_soon_or_short", {"minutes": minutes})]

    def _days_of(self, begin: datetime, end: datetime) -> list[date]:
        first, last = zones.local_day(begin, self.zone), zones.local_day(end, self.zone)
        return [first + timedelta(days=n) for n in range((last - first).days + 1)]

    def _closed_doors(self, request: Waiting, days: Sequence[date]) -> Iterator[Cause]:
        """What the calendar says against each acceptable way, gathered over the days."""
        units = {self.services[code].unit for code in request.services}
        against: dict[tuple[str, str, Mode, str | None], list[date]] = {}
        for mode in request.modes:
            for site in (None,) if mode is Mode.PHONE else request.sites:
                for day in days:
                    for kind, detail in self._obstacles(units, mode, site, day):
                        against.setdefault((kind, detail, mode, site), []).append(day)
        for (kind, detail, mode, site), met in against.items():
            yield self._cause(kind, mode, site, met, detail=detail)

    def _obstacles(
        self, units: Iterable[str], mode: Mode, site: str | None, day: date
    ) -> Iterator[tuple[str, str]]:
        for unit in sorted(units):
            for at in self.calendar.phone_sites(unit) if site is None else (site,):
                obstacle = self.calendar.hours(unit, at, mode, Access.APPOINTMENT, day).obstacle
                if obstacle is not None:
                    detail = obstacle.detail
                    if obstacle.kind is ObstacleKind.CLOSED:
                        detail = next(c.public_text_de for c in self.county.closures if c.code == detail)
                    yield obstacle.kind.value, detail


WORDS: Mapping[str, Mapping[Language, str]] = {
    "no_skill": {
        "de": "Für {services} gibt es keine Fachkraft. Bitte klären, wer das übernimmt.",
        "en": "There is no specialist for {services}. Please find out who takes it on.",
    },
    "no_language": {
        "de": (
            "Von {specialists} Fachkräften für {services} spricht keine die Sprache „{language}“. "
            "Bitte eine Sprachmittlung bestellen und die Anfrage ohne Sprache stellen."
        ),
        "en": (
            "None of the {specialists} specialists for {services} speaks “{language}”. "
            "Please order an interpreter and ask again without a language."
        ),
    },
    "no_mode": {
        "de": "{way}: keine der {specialists} Fachkräfte bietet das an. Bitte eine andere Art vorschlagen.",
        "en": "{way}: none of the {specialists} specialists offers that. Please suggest another way.",
    },
    "no_room": {
        "de": "{way}: dort gibt es keinen Beratungsraum. Bitte einen anderen Standort vorschlagen.",
        "en": "{way}: there is no consultation room. Please suggest another site.",
    },
    "nobody_on_duty": {
        "de": "{way}: zu den gewünschten Zeiten ({days}) arbeitet keine der {specialists} Fachkräfte. "
        "Bitte andere Zeiten vorschlagen.",
        "en": "{way}: none of the {specialists} specialists works at the times wanted ({days}). "
        "Please suggest other times.",
    },
    "too_far": {
        "de": "{way}: der Weg dorthin passt nicht in die Arbeitszeit ({days}). "
        "Bitte Video, Telefon oder eine Zeit mitten am Tag vorschlagen.",
        "en": "{way}: the way there does not fit into the working hours ({days}). "
        "Please suggest video, phone or a time in the middle of the day.",
    },
    "rooms_taken": {
        "de": "{way}: alle Räume sind belegt ({days}). "
        "Bitte Telefon, einen anderen Standort oder andere Tage vorschlagen.",
        "en": "{way}: all rooms are taken ({days}). Please suggest phone, another site or other days.",
    },
    "all_taken": {
        "de": "{way}: alle Fachkräfte sind vergeben ({specialists} kämen in Frage; {days}). "
        "Bitte andere Tage oder einen anderen Standort vorschlagen.",
        "en": "{way}: all specialists are taken ({specialists} could do it; {days}). "
        "Please suggest other days or another site.",
    },
    "left_out": {
        "de": "{way}: dringendere Anfragen gingen vor ({days}). Der nächste Planungslauf versucht es wieder.",
        "en": "{way}: more urgent requests came first ({days}). The next planning run tries again.",
    },
    "chain": {
        "de": "Die Anliegen brauchen mehrere Fachkräfte nacheinander, und zusammen passt es nicht. "
        "Bitte getrennte Termine vorschlagen.",
        "en": "The services need several specialists in a row, and that does not fit. "
        "Please suggest separate appointments.",
    },
    "windows_over": {
        "de": "Alle gewünschten Zeiten sind vorbei. Bitte neue Zeiten erfragen.",
        "en": "All times wanted are over. Please ask for new ones.",
    },
    "not_yet": {
        "de": "Die gewünschten Zeiten liegen nach dem {date}. So weit wird noch nicht geplant; "
        "die Anfrage wartet.",
        "en": "The times wanted are after {date}. That is not planned yet; the request waits.",
    },
    "too_soon_or_short": {
        "de": "Die gewünschten Zeiten liegen zu nah, oder sie sind kürzer als die nötigen {minutes} Minuten. "
        "Bitte längere oder spätere Zeiten erfragen.",
        "en": "The times wanted are too near, or shorter than the {minutes} minutes that are needed. "
        "Please ask for longer or later ones.",
    },
    "no_hours": {
        "de": "{way}: keine Sprechzeit ({days}). Bitte andere Tage oder einen anderen Standort vorschlagen.",
        "en": "{way}: no hours ({days}). Please suggest other days or another site.",
    },
    "holiday": {
        "de": "{way}: Feiertag ({days} {detail}). Bitte andere Tage vorschlagen.",
        "en": "{way}: public holiday ({days} {detail}). Please suggest other days.",
    },
    "closed": {
        "de": "{way}: geschlossen ({days}). {detail}",
        "en": "{way}: closed ({days}). {detail}",
    },
}
