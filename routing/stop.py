"""When a search is over, as values that can be combined, and the progress they judge by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a search has come.

    `seconds` since it began, `unchanged` seconds since the best plan or the bound last became better,
    `phase` in one word, `cost` and `unserved` of the best plan, `bound` proven so far, `work` the units of
    counted work that are done.
    """

    seconds: float
    phase: str
    cost: int
    bound: float | None
    unserved: int
    unchanged: float = 0.0
    work: float = 0.0

    @property
    def gap(self) -> float | None:
        """How far the cost may lie above the optimum, as a share of the cost; None if unknown."""
        if self.bound is None:
            return None
        return (self.cost - self.bound) / self.cost if self.cost else 0.0


class Stop(Protocol):
    """A criterion: `is_met` says whether the search is over, `horizon` and `work` when at the latest."""

    def is_met(self, progress: Progress) -> bool:
        """Whether the search is over."""

    def horizon(self) -> float | None:
        """Seconds after which it is over in any case; None if it may last for ever."""

    def work(self) -> float | None:
        """Units of work after which it is over in any case; None if work is not counted."""


@dataclass(frozen=True, slots=True)
class Seconds:
    """Over after so many seconds of wall time."""

    seconds: float

    def __post_init__(self) -> None:
        _refuse_below_zero("seconds", self.seconds)

    def is_met(self, progress: Progress) -> bool:
        """Whether the time is over."""
        return progress.seconds >= self.seconds

    def horizon(self) -> float | None:
        """The limit itself."""
        return self.seconds

    def work(self) -> float | None:
        """None: work is not counted."""
        return None


@dataclass(frozen=True, slots=True)
class Work:
    """Over after so many units of work, however long they take: the same seed gives the same plan.

    A unit is about what one core of an ordinary machine does in a second; the work is done in two lanes.
    """

    units: float

    def __post_init__(self) -> None:
        _refuse_below_zero("units", self.units)

    def is_met(self, progress: Progress) -> bool:
        """Whether the work is done."""
        return progress.work >= self.units

    def horizon(self) -> float | None:
        """None: how long it takes depends on the machine."""
        return None

    def work(self) -> float | None:
        """The limit itself."""
        return self.units


@dataclass(frozen=True, slots=True)
class Gap:
    """Over once the best plan is proven to lie within this share of the optimum, 0.05 for 5 %."""

    share: float

    def __post_init__(self) -> None:
        _refuse_below_zero("share", self.share)

    def is_met(self, progress: Progress) -> bool:
        """Whether the proof is good enough."""
        return progress.gap is not None and progress.gap <= self.share

    def horizon(self) -> float | None:
        """None: a proof may never come."""
        return None

    def work(self) -> float | None:
        """None: work is not counted."""
        return None


@dataclass(frozen=True, slots=True)
class NoImprovement:
    """Over when for so many seconds neither the plan nor the bound has become better."""

    seconds: float

    def __post_init__(self) -> None:
        _refuse_below_zero("seconds", self.seconds)

    def is_met(self, progress: Progress) -> bool:
        """Whether nothing has come for so long."""
        return progress.unchanged >= self.seconds

    def horizon(self) -> float | None:
        """None: it may go on becoming better."""
        return None

    def work(self) -> float | None:
        """None: work is not counted."""
        return None


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Over as soon as one of the criteria is met."""

    stops: tuple[Stop, ...]

    def is_met(self, progress: Progress) -> bool:
        """Whether any of them is met."""
        return any(stop.is_met(progress) for stop in self.stops)

    def horizon(self) -> float | None:
        """The shortest of their horizons."""
        return min((h for stop in self.stops if (h := stop.horizon()) is not None), default=None)

    def work(self) -> float | None:
        """The least work that one of them allows."""
        return min((w for stop in self.stops if (w := stop.work()) is not None), default=None)


def _refuse_below_zero(name: str, value: float) -> None:
    if not 0 <= value < float("inf"):
        raise ValueError(f"{name} must be a finite number of at least 0, not {value}")
