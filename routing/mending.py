"""The best way to keep the promises of a day on which not all can stay with who has them, by CP-SAT.

The model is that of `paths`, with rooms and chains: what is short may be lost. First only what cannot stay
changes hands. Where that is not proven the best of all, more may: everything where the day is small enough
for one model, otherwise step by step what is in the way, as far as the model stays small.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, NamedTuple

from routing.keeping import PromisedDay
from routing.orders import Mended, ProvenDay
from routing.paths import Aim, Found, Paths, total

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from routing.budget import Budget
    from routing.orders import BoundDays, Mend
    from routing.paths import Name
    from routing.timeline import Stop

PRIORITIES = (3, 2, 1)
_LARGEST = 300_000
"""Arcs of a model that fits into the memory of a child and into half a minute."""
_MUCH = 3
"""A part of a day is looked at by itself where its model has so many times fewer arcs than the whole."""


def mend(order: Mend) -> Iterator[Mended]:
    """Better and better answers until the last one is proven, or nothing more can be tried in time."""
    day, keeps = PromisedDay(order.kept.instance, order.kept.day), dict(order.kept.keeps)
    free, budget = _unsettled(day, keeps), order.budget
    while True:
        is_whole = len(free) == len(day.visits)
        answer = _search(day, keeps, free, order, budget if is_whole else budget.share(2))
        budget, keeps = budget.less(answer.work), dict(answer.found.takers)
        bounds = answer.bounds if is_whole else _bounds_of_part(day, answer, order)
        yield Mended(day.day, keeps, bounds if order.at_prices else _by_priority(day, answer.found, bounds))
        wider = None if is_whole or budget.is_over else _wider(day, keeps, free)
        if wider is None or bounds == answer.found.values:
            return
        free = wider


def least_costs(order: BoundDays) -> Iterator[ProvenDay]:
    """What the promises of each day cost at least, without the hopeless ones; days too large are left out."""
    budget = order.budget
    smallest_first = sorted(order.days, key=lambda kept: len(kept.instance.visits))
    for number, kept in enumerate(smallest_first):
        day = PromisedDay(kept.instance, kept.day)
        if budget.is_over or _arcs(day, kept.keeps, day.visits) > _LARGEST:
            continue
        paths = _paths(day, kept.keeps, day.visits)
        aim, share = _price(day, paths), budget.share(len(order.days) - number)
        best = paths.best([aim], share, paths.known(kept.keeps, [aim]), order.seed)
        budget = budget.less(best.work)
        if best.bounds[0] is not None:
            yield ProvenDay(kept.day, best.bounds[0])


class _Answer(NamedTuple):
    found: Found
    bounds: tuple[int | None, ...]
    work: float


def _search(
    day: PromisedDay, keeps: Mapping[str, int], free: Collection[str], order: Mend, budget: Budget
) -> _Answer:
    """The best in which only what is free may change hands or be lost."""
    paths = _paths(day, keeps, free)
    aims = _aims(day, paths, keeps, order)
    best = paths.best(aims, budget, paths.known(keeps, aims), order.seed)
    assert best.found is not None  # noqa: S101 - there was one to begin with
    return _Answer(best.found, best.bounds, best.work)


def _bounds_of_part(day: PromisedDay, answer: _Answer, order: Mend) -> tuple[int | None, ...]:
    """What holds of the bounds when what is not free may move too.

    Where nothing is lost and nobody changes but who must, everything else stays in every way that is as good,
    so that the last bound holds.
    """
    if order.at_prices:
        return (None,)
    lost, changes, _ = answer.found.values
    must = _must_change(day)
    settled = not lost and changes == must
    least = max(0, must - (len(day.visits) - len(answer.found.takers)))
    return (0, least, answer.bounds[-1] if settled else None)


def _must_change(day: PromisedDay) -> int:
    return sum(visit.holder is not None and day.holder(name) is None for name, visit in day.visits.items())


# --- What may change hands ------------------------------------------------------------------------


def _unsettled(day: PromisedDay, keeps: Mapping[str, int]) -> set[str]:
    """What does not stay, and where somebody could have kept it, all that may be in its way."""
    free = {name for name in day.visits if keeps.get(name) != day.holder(name) or name not in keeps}
    for name in tuple(free):
        holder = day.holder(name)
        if holder is not None:
            free |= {other for other, number in keeps.items() if number == holder}
            free |= {other for other in day.visits if _share_room(day, name, other)}
    return free


def _wider(day: PromisedDay, keeps: Mapping[str, int], free: set[str]) -> set[str] | None:
    """What may change hands next: what is in the way, once that is much everything, None if too much."""
    everything = set(day.visits)
    whole = _arcs(day, keeps, everything)
    near = free | _in_the_way(day, keeps)
    if len(near) > len(free) and _MUCH * _arcs(day, keeps, near) <= min(whole, _LARGEST * _MUCH):
        return near
    return everything if whole <= _LARGEST else None


def _in_the_way(day: PromisedDay, keeps: Mapping[str, int]) -> set[str]:
    """What stands in the way of the visits that are lost, or that move if none is."""
    held: dict[int, list[str]] = defaultdict(list)
    for name, number in keeps.items():
        held[number].append(name)
    moving = [name for name in day.visits if name not in keeps]
    moving = moving or [name for name in keeps if keeps[name] != day.holder(name)]
    found = {other for name in moving for other in day.visits if _share_room(day, name, other)}
    for name in moving:
        for number in day.able[name]:
            stop = day.stop(number, name)
            found |= {
                other
                for other in held[number]
                if day.workday.never_both(number, stop, day.stop(number, other))
            }
    return found


def _share_room(day: PromisedDay, one: str, other: str) -> bool:
    if day.asks[one].site is None or day.asks[one].site != day.asks[other].site:
        return False
    (begin, end), (since, until) = day.ticks(one), day.ticks(other)
    return begin < until and since < end


def _arcs(day: PromisedDay, keeps: Mapping[str, int], free: Collection[str]) -> int:
    """How many arcs the model would have at the most: none passes over what is not free."""
    stops: list[list[tuple[int, bool]]] = [[] for _ in day.workday.staff]
    for name, numbers in _takers(day, keeps, free).items():
        for number in numbers:
            stops[number].append((day.start(name), name in free))
    return sum(map(_arcs_between, stops))


def _arcs_between(stops: list[tuple[int, bool]]) -> int:
    arcs, reach = 0, 1
    for _, is_free in sorted(stops, reverse=True):
        arcs += reach
        reach = reach + 1 if is_free else 1
    return arcs + reach


# --- The model --------------------------------------------------------------------------------------


def _takers(day: PromisedDay, keeps: Mapping[str, int], free: Collection[str]) -> dict[str, Sequence[int]]:
    return {name: day.able[name] if name in free else (keeps[name],) for name in day.visits}


def _paths(day: PromisedDay, keeps: Mapping[str, int], free: Collection[str]) -> Paths:
    stops: list[list[list[Stop]]] = [[[] for _ in duty.shifts] for duty in day.workday.duties]
    for name, numbers in _takers(day, keeps, free).items():
        for number in numbers:
            stop = day.stop(number, name)
            shift = day.workday.duties[number].shift_of(stop)
            assert shift is not None  # noqa: S101 - she is able
            stops[number][shift].append(stop)
    ordered = [[sorted(shift) for shift in shifts] for shifts in stops]
    paths = Paths(day.workday, ordered, [name for name in day.visits if name not in free])
    for chain in day.chains:
        for name in chain[1:]:
            paths.model.add(paths.served(name) == paths.served(chain[0]))
    _share_rooms(day, paths)
    return paths


def _share_rooms(day: PromisedDay, paths: Paths) -> None:
    """No more visits in rooms than there are, wherever there could be."""
    for site, book in day.workday.rooms.items():
        spans = {name: day.ticks(name) for name in day.visits if day.asks[name].site == site}
        for tick in sorted({begin for begin, _ in spans.values()} | {*book.changes()}):
            there = [name for name, (begin, end) in spans.items() if begin <= tick < end]
            if len(there) > book.free(tick):
                served = (
                    (1, paths.named("serve", number, name)) for name in there for number in paths.takers[name]
                )
                paths.model.add(total(served) <= book.free(tick))


# --- What is better -----------------------------------------------------------------------------------


def _aims(day: PromisedDay, paths: Paths, keeps: Mapping[str, int], order: Mend) -> list[Aim]:
    """What is to be little, the most important first: losses by priority, changes of holder, the cost."""
    if order.at_prices:
        return [_price(day, paths)]
    weights = _weights_of_losses(day)
    lost = [
        (-weights[visit.priority], ("serve", number, name))
        for name, visit in day.visits.items()
        for number in paths.takers[name]
    ]
    all_lost = sum(weights[visit.priority] for visit in day.visits.values())
    least = _must_change(day) if len(keeps) == len(day.visits) else 0
    return [
        Aim(all_lost, lost),
        Aim(0, list(_changes(day, paths, 1)), least),
        Aim(0, list(_prices(day, paths))),
    ]


def _weights_of_losses(day: PromisedDay) -> dict[int, int]:
    """So much that one loss counts more than all less urgent ones: to seek them at once is faster."""
    count = Counter(visit.priority for visit in day.visits.values())
    return {1: 1, 2: 1 + count[1], 3: (1 + count[1]) * (1 + count[2])}


def _by_priority(day: PromisedDay, found: Found, bounds: Sequence[int | None]) -> tuple[int | None, ...]:
    """The bounds with that on all losses told by priority."""
    lost, *others = bounds
    if lost is None:
        return *(None for _ in PRIORITIES), *others
    told, value, weights = [], found.values[0], _weights_of_losses(day)
    for priority in PRIORITIES:
        weight = weights[priority]
        told.append(max(0, lost) // weight)
        lost -= value - value % weight
        value %= weight
    return *told, *others


def _changes(day: PromisedDay, paths: Paths, price: int) -> Iterator[tuple[int, Name]]:
    for name, visit in day.visits.items():
        for number in paths.takers[name]:
            if visit.holder not in (None, day.workday.staff[number].id):
                yield price, ("serve", number, name)


def _prices(day: PromisedDay, paths: Paths) -> Iterator[tuple[int, Name]]:
    """Travel and unmet wishes."""
    weights = day.instance.weights
    for minutes, arc in paths.travel:
        yield weights.travel_minute * minutes, arc
    for name, visit in day.visits.items():
        for number in paths.takers[name]:
            if visit.wish not in (None, day.workday.staff[number].id):
                yield weights.wish, ("serve", number, name)


def _price(day: PromisedDay, paths: Paths) -> Aim:
    """The whole cost, losses at their price."""
    weights = day.instance.weights
    serves = [(-weights.lost_promise, ("serve", n, name)) for name in day.visits for n in paths.takers[name]]
    terms = [*serves, *_changes(day, paths, weights.change), *_prices(day, paths)]
    return Aim(weights.lost_promise * len(day.visits), terms)
