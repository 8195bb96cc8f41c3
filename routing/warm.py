"""`python -m routing.warm` compiles the search, at installation, so that the first plan need not wait."""

from __future__ import annotations

from routing.anneal import Annealer
from routing.board import Board
from routing.greedy import greedy
from routing.problem import Instance, Option, Rooms, Shift, Specialist, Visit, Weights, Window


def _smallest() -> Instance:
    """One visit that one specialist could serve."""
    return Instance(
        name="warm",
        tick=5,
        days=("2027-01-04",),
        rooms={"A": (Rooms(0, 480, 540, 1),)},
        travel={"A": {"A": 0}},
        specialists={"p": Specialist("p", "A", frozenset("s"), frozenset(), (Shift(0, 480, 540),))},
        visits={"v": Visit("v", "s", None, 30, 1, 0, (Option("on_site", "A"),), (Window(0, 480, 540),))},
        weights=Weights({1: 1000, 2: 3000, 3: 9000}, 100_000, 10, 60, 40, 1),
    )


if __name__ == "__main__":
    Annealer(greedy(Board(_smallest())), 1).run(lambda steps: float(steps > 0))
