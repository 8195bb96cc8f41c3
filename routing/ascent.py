"""How the prices of a Lagrangian relaxation are raised; `bound` and `minutes` say what they are."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

Array: TypeAlias = np.ndarray[Any, Any]

GRAIN = 64


class Steps:
    """Directions smoothed over time and scaled by how much each of them varies."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self._mean, self._square, self._count = np.zeros(shape), np.zeros(shape), 0

    def towards(self, gradient: Array) -> Array:
        """The next step, each part of it of about the length 1."""
        self._count += 1
        self._mean = 0.9 * self._mean + 0.1 * gradient
        self._square = 0.99 * self._square + 0.01 * gradient**2
        mean = self._mean / (1 - 0.9**self._count)
        return mean / (np.sqrt(self._square / (1 - 0.99**self._count)) + 1e-3)


def grained(values: Array) -> Array:
    """The nearest multiples of 1/64, with which double precision makes no mistakes."""
    return np.round(values * GRAIN) / GRAIN
