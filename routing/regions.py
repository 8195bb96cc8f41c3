"""From where a citizen lives to the sites of the county, by minutes on the road.

Road times between sites are known, those from a place are estimated: great circle and a detour factor, held
against what is known by road. Lakes mislead the air line (Waren to Röbel is 1.57 times as far by road), so
the site that is nearest by road is given, no other site can be nearer, and none can be nearer than the
known way between the two sites allows.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

EARTH_RADIUS_KM = 6371.0
DETOUR = 1.25
KM_PER_MINUTE = 1.0
SHORTEST = 8
"""Minutes that even the way inside a town takes; the same estimate as for ways between sites."""


@dataclass(frozen=True, slots=True)
class Point:
    """Degrees WGS 84."""

    lat: float
    lon: float


def minutes_to_sites(
    home: Point, nearest: str, sites: Mapping[str, Point], travel: Mapping[str, Mapping[str, int]]
) -> dict[str, int]:
    """Estimated minutes by road from `home` to each site, the nearest first.

    `nearest` is the site known to be nearest by road, `travel` the known minutes between sites.
    """
    first = _estimate(home, sites[nearest])
    minutes = {nearest: first}
    for site, point in sites.items():
        if site != nearest:
            known = travel[nearest][site]
            minutes[site] = min(max(_estimate(home, point), known - first, first), known + first)
    return dict(sorted(minutes.items(), key=lambda entry: (entry[1], entry[0] != nearest, entry[0])))


def _estimate(one: Point, other: Point) -> int:
    return max(SHORTEST, math.ceil(great_circle_km(one, other) * DETOUR / KM_PER_MINUTE))


def great_circle_km(one: Point, other: Point) -> float:
    """Kilometres by air (haversine)."""
    lat1, lon1, lat2, lon2 = (math.radians(x) for x in (one.lat, one.lon, other.lat, other.lon))
    half = (
        math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(half))
