"""Who should keep the promises of one day: a search for a better deployment, in a child process.

Times, places and modes stay, whoever is deployed. This room only conducts; the model is in `deployment`.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from routing.orders import Deploy, Deployed
from routing.workshop import Worker, wait_for_any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from routing.problem import Instance

_GRACE = 1.0
"""Seconds that a child may be late with its answer."""
_MEMORY_MB = 3_000


def deploy(
    instance: Instance, *, together: Sequence[Sequence[str]], least_per_trip: int, seconds: float
) -> Deployed | None:
    """The best deployment that is found in so many seconds, the one that is held at worst.

    The instance has one day and promises only. Better is, in this order: more promises without a holder
    kept, less travel and fewer unmet wishes at their prices, fewer minutes of people with scarce talents,
    fewer changes of holder. Visits that are listed `together` and have one holder go to one specialist;
    `least_per_trip` is the county's rule about trips. None where the holders cannot keep their promises, or
    where no answer comes in time.
    """
    until = time.monotonic() + seconds
    order = Deploy(instance, tuple(map(tuple, together)), least_per_trip, until)
    worker = Worker(order, _MEMORY_MB)
    try:
        while not worker.done and time.monotonic() < until + _GRACE:
            wait_for_any([worker], 0.1)
            for answer in worker.messages():
                if isinstance(answer, Deployed):
                    return answer
    finally:
        worker.end()
    return None
