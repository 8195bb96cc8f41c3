"""Who comes on which day: the same people for every variant that is compared.

Each person and each count has random numbers of its own, drawn from the seed, the run, the day, the concern
and the site, never from what happened before. So a variant that changes a share or a rate changes the
people concerned and nobody else: more demand adds people to the same ones.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from random import Random
from statistics import NormalDist
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, TypeVar

from routing.problem import MODES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from routing.problem import Mode
    from routing.simulation.scenario import Flow, Scenario

Kind: TypeAlias = Literal["chooses", "flexible", "urgent"]
_T = TypeVar("_T")
NOON = 12 * 60
_FIRST_MINUTE, _LAST_MINUTE = 7 * 60, 18 * 60
_MOST_BY_INVERSION = 500.0


class Way(NamedTuple):
    """A way of meeting that a citizen accepts; `extra` are minutes of driving beyond the own site."""

    mode: Mode
    site: str | None
    extra: int


@dataclass(slots=True)
class Citizen:
    """Somebody with a concern who came on `day` at `minute`; `half_days` are those on which to come.

    A half-day is a pair of ISO weekday and whether it is the afternoon. `pick` between 0 and 1 chooses among
    the starts of the best day.
    """

    name: str
    service: str
    site: str
    day: int
    minute: int
    kind: Kind
    language: str | None
    ways: tuple[Way, ...]
    half_days: frozenset[tuple[int, bool]]
    pick: float


class Arrivals:
    """The people and letters of one run of a scenario."""

    def __init__(self, scenario: Scenario, seed: int, run: int) -> None:
        self._scenario, self._stream = scenario, f"{seed}/{run}"
        demand = scenario.demand
        self._weekdays = [weight / sum(demand.weekdays) for weight in demand.weekdays]
        self._offered: dict[tuple[str, str], list[Way]] = {}
        self._month = [weight * 4 / sum(demand.month[:4]) for weight in demand.month]

    def of(self, day: int) -> list[Citizen]:
        """Who comes on a day, in the order of the time."""
        people = [
            self._citizen(flow, day, number)
            for flow in self._scenario.demand.flows
            for number in range(self._count(flow, day, "people", flow.per_week))
        ]
        return sorted(people, key=lambda citizen: (citizen.minute, citizen.name))

    def letters(self, day: int) -> Iterator[tuple[str, int]]:
        """How many letters come about each service."""
        for flow in self._scenario.demand.flows:
            yield flow.service, self._count(flow, day, "letters", flow.letters_per_week)

    def _count(self, flow: Flow, day: int, what: str, per_week: float) -> int:
        at = self._scenario.date_of(day)
        mean = per_week * self._weekdays[at.weekday()] * self._month[(at.day - 1) // 7]
        return poisson(mean, self._chance(flow, day, what).random()) if mean else 0

    def _chance(self, flow: Flow, day: int, what: str) -> Random:
        return Random(f"{self._stream}/{flow.service}/{flow.site}/{day}/{what}")

    def _citizen(self, flow: Flow, day: int, number: int) -> Citizen:
        # one draw for each trait, always in this order, whatever the scenario says
        chance = self._chance(flow, day, f"person {number}")
        kind, language, mode, any_mode, drive, minute, pick = (chance.random() for _ in range(7))
        half_days = [(weekday, late) for weekday in range(1, 8) for late in (False, True)]
        draws = [chance.random() for _ in half_days]
        demand = self._scenario.demand
        can = {half for half, draw in zip(half_days, draws, strict=True) if draw < demand.half_days}
        urgent = kind < demand.urgent or self._scenario.services[flow.service].urgent
        liked = _drawn(demand.modes.items(), mode)
        farthest = _drawn(sorted(demand.drive.items()), drive) or 0
        everything = urgent or any_mode < demand.any_mode
        return Citizen(
            name=f"{flow.service} {flow.site} {day}.{number}",
            service=flow.service,
            site=flow.site,
            day=day,
            minute=int(_FIRST_MINUTE + minute * (_LAST_MINUTE - _FIRST_MINUTE)),
            kind="urgent" if urgent else "flexible" if kind >= 1 - demand.flexible else "chooses",
            language=_drawn(demand.languages.items(), language),
            ways=tuple(self._ways(flow, liked, farthest, everything=everything)),
            # whoever never could would not ask; urgent people always can
            half_days=frozenset(half_days if urgent or not can else can),
            pick=pick,
        )

    def _ways(self, flow: Flow, liked: Mode | None, drive: int, *, everything: bool) -> list[Way]:
        """What is had within the drive: of the liked mode, else of all modes, else at the nearest site."""
        ways = self._all_ways(flow)
        near = [way for way in ways if way.extra <= drive]
        chosen = near if everything else [way for way in near if way.mode == liked]
        return sorted(chosen or near or ways[:1], key=lambda way: (way.mode != liked, way.extra, way.mode))

    def _all_ways(self, flow: Flow) -> list[Way]:
        """Wherever the service has hours, the nearest first; by phone it is nowhere far."""
        key = flow.service, flow.site
        if key not in self._offered:
            service, travel = self._scenario.services[flow.service], self._scenario.travel[flow.site]
            met = {
                (hours.mode, hours.site)
                for hours in self._scenario.hours
                if hours.unit == service.unit and hours.mode in service.lengths
            }
            found = [Way(mode, site, 0 if site is None else travel[site]) for mode, site in met]
            self._offered[key] = sorted(
                found, key=lambda way: (way.extra, MODES.index(way.mode), str(way.site))
            )
        return self._offered[key]


def _drawn(shares: Iterable[tuple[_T, float]], draw: float) -> _T | None:
    """What the draw falls on; None beyond all shares."""
    for value, share in shares:
        draw -= share
        if draw < 0:
            return value
    return None


def poisson(mean: float, draw: float) -> int:
    """The number that a Poisson law has at that quantile: never fewer for a larger mean."""
    if mean > _MOST_BY_INVERSION:
        return max(0, round(mean + math.sqrt(mean) * NormalDist().inv_cdf(max(draw, 1e-12))))
    number, share = 0, math.exp(-mean)
    total = share
    while draw >= total and share > 0:
        number += 1
        share *= mean / number
        total += share
    return number
