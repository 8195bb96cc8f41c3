"""Whether codes that somebody names mean something in the county, and may be asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from booking_service.domain.county import Bookable, Competence, HandledBy
from booking_service.domain.mistakes import Mistake

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from booking_service.domain.county import County


def service_mistakes(county: County, codes: Sequence[str]) -> Iterator[Mistake]:
    """Services must be known, decided by the county, bookable, and each named once."""
    known = {service.code: service for service in county.services}
    if not codes:
        yield Mistake("/services", "services_missing")
    for position, code in enumerate(codes):
        place = f"/services/{position}"
        service = known.get(code)
        if service is None:
            yield Mistake(place, "service_unknown", {"service": code})
        elif code in codes[:position]:
            yield Mistake(place, "service_twice", {"service": code})
        elif service.competence is Competence.REFER:
            yield Mistake(place, "service_referred", {"service": code, "to": service.refer_to})
        elif service.handled_by is not HandledBy.SPECIALIST or service.bookable not in (
            Bookable.YES,
            Bookable.SAME_DAY,
        ):
            yield Mistake(place, "service_not_bookable", {"service": code})


def site_mistakes(county: County, codes: Sequence[str]) -> Iterator[Mistake]:
    """Sites must be known, and each named once."""
    known = {site.code for site in county.sites}
    for position, code in enumerate(codes):
        if code not in known:
            yield Mistake(f"/sites/{position}", "site_unknown", {"site": code})
        elif code in codes[:position]:
            yield Mistake(f"/sites/{position}", "site_twice", {"site": code})


def language_mistakes(county: County, language: str | None) -> Iterator[Mistake]:
    """Somebody must speak the language."""
    spoken = {language for specialist in county.specialists for language in specialist.languages}
    if language is not None and language not in spoken:
        values = {"language": language, "known": ", ".join(sorted(spoken))}
        yield Mistake("/language", "language_unknown", values)
