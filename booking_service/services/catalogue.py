"""The public catalogue: what can be had, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from booking_service.domain.county import Bookable, Competence, HandledBy, Mode
from booking_service.services.regions import nearness
from booking_service.store.county import read_county
from booking_service.store.db import reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from booking_service.domain.county import Service, Site


@dataclass(frozen=True, slots=True)
class ServiceEntry:
    """A service with the modes in which appointments can be had and their minutes; none for the rest."""

    service: Service
    minutes: Mapping[Mode, int]


@dataclass(frozen=True, slots=True)
class SiteEntry:
    """A site, with the estimated minutes by road from where somebody lives, where that was asked."""

    site: Site
    minutes: int | None


@reading
def service_list(session: Session) -> list[ServiceEntry]:
    """All services in the county's order; raises NoCounty."""
    county = read_county(session)
    return [
        ServiceEntry(
            service,
            {
                v.mode: v.minutes
                for v in county.variants
                if v.service == service.code and _is_offered(service)
            },
        )
        for service in county.services
    ]


@reading
def site_list(session: Session, *, near: str | None) -> list[SiteEntry]:
    """All sites, the nearest first where a place is given; raises NoCounty, Rejected for an unknown place."""
    county = read_county(session)
    if near is None:
        return [SiteEntry(site, None) for site in county.sites]
    by_code = {site.code: site for site in county.sites}
    return [SiteEntry(by_code[code], minutes) for code, minutes in nearness(county, near).minutes.items()]


def _is_offered(service: Service) -> bool:
    return (
        service.competence is Competence.OWN
        and service.handled_by is HandledBy.SPECIALIST
        and service.bookable in (Bookable.YES, Bookable.SAME_DAY)
    )
