"""From postcode and place to sites: what citizens type, and how far they would have to go."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import routing
from booking_service.domain.mistakes import Mistake, Rejected

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from booking_service.domain.county import County, Place

TYPED = re.compile(r"\s*(\d{5})?[\s,]*(.*?)\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Nearness:
    """A place and the estimated minutes by road to each site, the nearest first."""

    place: Place
    minutes: Mapping[str, int]


@lru_cache(maxsize=2_000)
def nearness(county: County, typed: str) -> Nearness:
    """How far it is from what somebody typed: a postcode, a place, or both.

    Raises Rejected for a place that the county does not have, and for a postcode whose places have
    different nearest sites; the mistake then names them.
    """
    found = _places(county, typed)
    if not found:
        raise Rejected([Mistake("/near", "place_unknown", {"place": typed.strip()})])
    if len({place.nearest_site for place in found}) > 1:
        names = ", ".join(f"{place.zip} {place.name}" for place in found)
        raise Rejected([Mistake("/near", "place_ambiguous", {"places": names})])
    return Nearness(found[0], _minutes(county, found[0]))


def _places(county: County, typed: str) -> Sequence[Place]:
    """The places that are meant: those named exactly, else those whose name begins so."""
    match = TYPED.fullmatch(typed)
    postcode, name = match.groups() if match else (None, typed)
    wanted = _plain(name)
    if not postcode and not wanted:
        return []
    same_zip = [place for place in county.places if postcode in (None, place.zip)]
    exact = [place for place in same_zip if _plain(place.name) == wanted]
    return exact or [place for place in same_zip if _plain(place.name).startswith(wanted)]


def _plain(text: str) -> str:
    """As people type in a hurry: without capitals, accents and signs; ue for ü is the same."""
    folded = text.casefold().replace("ä", "ae").replace("ö", "oe").replace("ü", "ue")
    letters = unicodedata.normalize("NFKD", folded)
    return "".join(sign for sign in letters if sign.isalnum())


@lru_cache(maxsize=2_000)
def _minutes(county: County, place: Place) -> Mapping[str, int]:
    sites = {site.code: routing.Point(site.lat, site.lon) for site in county.sites}
    travel: dict[str, dict[str, int]] = {code: {code: 0} for code in sites}
    for leg in county.travel:
        travel[leg.origin][leg.destination] = leg.minutes
    return routing.minutes_to_sites(routing.Point(place.lat, place.lon), place.nearest_site, sites, travel)
