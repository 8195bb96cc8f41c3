"""Numbers by chance for compiled searches: splitmix64 on a state of one number, the same on every machine."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from routing.compiled import inner

Array: TypeAlias = np.ndarray[Any, Any]


@inner
def _bits(random: Array) -> Any:
    """The next 64 bits of splitmix64."""
    random[0] += np.uint64(0x9E3779B97F4A7C15)
    bits = random[0]
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


@inner
def below(random: Array, count: int | np.int64) -> Any:
    """A number from 0 up to, but not, `count`."""
    return np.int64((_bits(random) >> np.uint64(33)) % np.uint64(count))


@inner
def share(random: Array) -> Any:
    """A number from 0 up to, but not, 1."""
    return np.float64(_bits(random) >> np.uint64(11)) / 9007199254740992.0
