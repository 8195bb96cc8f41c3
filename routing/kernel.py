"""The steps of the annealer, compiled: ruin and recreate on flat arrays of integers.

What a rule means is said in `timeline`; here the same rules are written for the machine. `model` never
changes, `state` is the plan as it stands; both are tuples of arrays that `anneal` fills. Places are numbers
of sites, starts are ticks, everything else is in minutes. Nothing here allocates, and a step that is not kept
is taken back by copying the few days and rooms that it touched.

A pair is a way together with one of its duties. What the cheapest detour of a pair costs is remembered with
the versions of the day and the room book it was found for; taking a step back restores the versions as well,
so that most answers are known already.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from routing.chance import below, share
from routing.compiled import compiled, inner

Array: TypeAlias = np.ndarray[Any, Any]
Whole: TypeAlias = "int | np.int64"

PRICE, MINUTES, TICKS, ROOM, PLACE, PAIR, SPAN = range(7)
"""Columns of `Model.ways`; PAIR and SPAN are the first of the way, the next row has their end."""
WAY, LOSS = range(2)
"""Columns of `Model.visits`: the first way, the loss."""
BASE, LIMIT, SHIFT, DAY = range(4)
"""Columns of `Model.duties`."""
BEGIN, END, BREAK, PIECE = range(4)
"""Columns of `Model.shifts`; the first two also of breaks and pieces, and of stops."""
AT, VISIT = 2, 3
"""Columns of a stop besides BEGIN and END: place and visit."""
AT_WAY, AT_DUTY, AT_START = range(3)
"""Columns of `State.places`; AT_WAY is -1 where the visit is unserved."""
COUNT, TRAVELLED, VERSION, TOUCHED, NUMBER, LONGEST = range(6)
"""Columns of `State.days`, LONGEST is its longest gap; `State.books` has only VERSION, TOUCHED and NUMBER."""
STEP, COST, BEST, CLOCK, DUTIES, BOOKS, OUT, QUEUE, UNSERVED = range(9)
"""Numbers of `State.counts`."""

NOWHERE = -1
IMPOSSIBLE = 2**31 - 1
MOST_OUT = 40
MOST_QUEUE = 64
_MOST_NEWCOMERS = 16
_LOOKED_AT = 48
_ROOM_USERS = 12


class Model(NamedTuple):
    """The board as arrays. `fans` has a bit for every visit and duty that could serve it."""

    tick: int
    detour: int
    minute_price: int
    visits: Array
    ways: Array
    spans: Array
    pairs: Array
    duties: Array
    shifts: Array
    breaks: Array
    pieces: Array
    travel: Array
    askers: Array
    first_asker: Array
    fans: Array
    searchable: Array


class State(NamedTuple):
    """The plan as it stands, what is needed to take a step back, and the best plan met (`best`)."""

    counts: Array
    places: Array
    best: Array
    days: Array
    stops: Array
    books: Array
    free: Array
    known: Array
    kept_days: Array
    kept_stops: Array
    kept_books: Array
    kept_free: Array
    queue: Array
    ranks: Array
    unserved: Array
    where: Array
    random: Array


# --- What fits --------------------------------------------------------------------------------------


@inner
def _arrival(model: Model, shift: Whole, leave: Whole, minutes: Whole) -> Any:
    """When she arrives who leaves then and travels in one stretch between the breaks."""
    if minutes == 0:
        return leave
    for number in range(model.shifts[shift, BREAK], model.shifts[shift + 1, BREAK]):
        if model.breaks[number, BEGIN] - leave >= minutes:
            break
        leave = max(leave, model.breaks[number, END])
    return leave + minutes


@inner
def _departure(model: Model, shift: Whole, arrive: Whole, minutes: Whole) -> Any:
    """When she must leave at the latest who is to arrive then."""
    if minutes == 0:
        return arrive
    for number in range(model.shifts[shift + 1, BREAK] - 1, model.shifts[shift, BREAK] - 1, -1):
        if arrive - model.breaks[number, END] >= minutes:
            break
        arrive = min(arrive, model.breaks[number, BEGIN])
    return arrive - minutes


@inner
def _first_free(free: Array, room: Whole, low: Whole, high: Whole, ticks: Whole) -> Any:
    """The first start of the span at which a room is free for so long."""
    while low <= high:
        tick = low + ticks - 1
        while tick >= low and free[room, tick] > 0:
            tick -= 1
        if tick < low:
            return low
        low = tick + 1
    return NOWHERE


@inner
def _last_free(free: Array, room: Whole, low: Whole, high: Whole, ticks: Whole) -> Any:
    """The last start of the span at which a room is free for so long."""
    while low <= high:
        tick = high
        while tick < high + ticks and free[room, tick] > 0:
            tick += 1
        if tick == high + ticks:
            return high
        high = tick - ticks
    return NOWHERE


@inner
def _start_between(
    model: Model, state: State, way: Whole, shift: Whole, first: Whole, until: Whole, last: Whole
) -> Any:
    """The first or, if `last`, the last start of the way while she can be there, from `first` to `until`."""
    minutes, ticks, room = model.ways[way, MINUTES], model.ways[way, TICKS], model.ways[way, ROOM]
    low = -(-first // model.tick)
    high = (until - minutes) // model.tick
    found = NOWHERE
    for piece in range(model.shifts[shift, PIECE], model.shifts[shift + 1, PIECE]):
        begin = max(low, model.pieces[piece, BEGIN])
        end = min(high, model.pieces[piece, END] - ticks)
        if begin > end:
            continue
        for span in range(model.ways[way, SPAN], model.ways[way + 1, SPAN]):
            lower = max(begin, model.spans[span, BEGIN])
            upper = min(end, model.spans[span, END])
            if lower > upper:
                continue
            start = upper if last else lower
            if room >= 0:
                find = (state.free, room, lower, upper, ticks)
                start = _last_free(*find) if last else _first_free(*find)
            if start >= 0:
                if not last:
                    return start
                found = max(found, start)
    return found


@inner
def _start_in_gap(model: Model, state: State, way: Whole, shift: Whole, gap: Any, last: Whole) -> Any:
    """A start in the gap: (free from, ways there and onward, next begin)."""
    free, there, onward, begin = gap
    first = _arrival(model, shift, free, there)
    until = _departure(model, shift, begin, onward)
    if until - first < model.ways[way, MINUTES]:
        return NOWHERE
    return _start_between(model, state, way, shift, first, until, last)


@inner
def _least_detour(model: Model, state: State, way: Whole, duty: Whole, last: Whole) -> Any:
    """The least minutes of extra travel to serve this way, and the first or last start that costs them."""
    base, minutes = model.duties[duty, BASE], model.ways[way, MINUTES]
    place = model.ways[way, PLACE]
    place = base if place < 0 else place
    room_for = model.duties[duty, LIMIT] - state.days[duty, TRAVELLED]
    least, start, stop, count = IMPOSSIBLE, NOWHERE, 0, state.days[duty, COUNT]
    for shift in range(model.duties[duty, SHIFT], model.duties[duty + 1, SHIFT]):
        free, before, more = model.shifts[shift, BEGIN], base, True
        while more:
            more = stop < count and state.stops[duty, stop, END] <= model.shifts[shift, END]
            begin = state.stops[duty, stop, BEGIN] if more else model.shifts[shift, END]
            after = state.stops[duty, stop, AT] if more else base
            there, onward = model.travel[before, place], model.travel[place, after]
            if begin - free >= minutes + there + onward:
                extra = there + onward - model.travel[before, after]
                if extra <= room_for and (extra < least or (last and extra == least)):
                    found = _start_in_gap(model, state, way, shift, (free, there, onward, begin), last)
                    if found >= 0:
                        least, start = extra, found
            if more:
                free, before, stop = state.stops[duty, stop, END], after, stop + 1
    return least, start


@inner
def _detour(model: Model, state: State, way: Whole, pair: Whole) -> Any:
    """The least minutes of extra travel of a pair, looked up or searched."""
    duty, room = model.pairs[pair], model.ways[way, ROOM]
    if model.ways[way, MINUTES] > state.days[duty, LONGEST]:
        return IMPOSSIBLE
    book = state.books[room, VERSION] if room >= 0 else 0
    if state.known[pair, 0] != state.days[duty, VERSION] or state.known[pair, 1] != book:
        state.known[pair, 0], state.known[pair, 1] = state.days[duty, VERSION], book
        state.known[pair, 2] = _least_detour(model, state, way, duty, np.int64(0))[0]
    return np.int64(state.known[pair, 2])


@inner
def _cheapest(model: Model, state: State, visit: Whole, blink: float) -> Any:
    """The cheapest way and duty below the loss of the visit, and its cost; some are overlooked by chance."""
    ceiling, best_way, best_duty = model.visits[visit, LOSS], NOWHERE, NOWHERE
    for way in range(model.visits[visit, WAY], model.visits[visit + 1, WAY]):
        price = model.ways[way, PRICE]
        if price + model.detour >= ceiling:
            break
        for pair in range(model.ways[way, PAIR], model.ways[way + 1, PAIR]):
            extra = _detour(model, state, way, pair)
            if extra == IMPOSSIBLE:
                continue
            cost = price + extra * model.minute_price
            if cost < ceiling and share(state.random) >= blink:
                ceiling, best_way, best_duty = cost, way, model.pairs[pair]
                if price + model.detour >= ceiling:
                    break
    return best_way, best_duty, ceiling


@inner
def _tour_minutes(model: Model, state: State, duty: Whole) -> Any:
    """Minutes travelled on the day, -1 if a way does not fit."""
    base, total, stop, count = model.duties[duty, BASE], 0, 0, state.days[duty, COUNT]
    for shift in range(model.duties[duty, SHIFT], model.duties[duty + 1, SHIFT]):
        free, before, more = model.shifts[shift, BEGIN], base, True
        while more:
            more = stop < count and state.stops[duty, stop, END] <= model.shifts[shift, END]
            begin = state.stops[duty, stop, BEGIN] if more else model.shifts[shift, END]
            after = state.stops[duty, stop, AT] if more else base
            if after != before:
                minutes = model.travel[before, after]
                if _arrival(model, shift, free, minutes) > begin:
                    return -1
                total += minutes
            if more:
                free, before, stop = state.stops[duty, stop, END], after, stop + 1
    return total


# --- Changing the plan ------------------------------------------------------------------------------


@inner
def _copy(target: Array, row: Whole, source: Array, origin: Whole, columns: Whole) -> None:
    for column in range(columns):
        target[row, column] = source[origin, column]


@inner
def _copy_stop(target: Array, row: Whole, to: Whole, source: Array, origin: Whole, stop: Whole) -> None:
    for column in range(4):
        target[row, to, column] = source[origin, stop, column]


@inner
def _copy_stops(target: Array, row: Whole, source: Array, origin: Whole, count: Whole) -> None:
    for stop in range(count):
        _copy_stop(target, row, stop, source, origin, stop)


@inner
def _touch_day(state: State, duty: Whole) -> None:
    """Keep the day as it was before this step, and give it a new version."""
    counts = state.counts
    if state.days[duty, TOUCHED] != counts[STEP]:
        slot = counts[DUTIES]
        counts[DUTIES] += 1
        state.days[duty, NUMBER] = duty
        _copy(state.kept_days, slot, state.days, duty, 6)
        _copy_stops(state.kept_stops, slot, state.stops, duty, state.days[duty, COUNT])
        state.days[duty, TOUCHED] = counts[STEP]
    counts[CLOCK] += 1
    state.days[duty, VERSION] = counts[CLOCK]


@inner
def _touch_book(state: State, room: Whole) -> None:
    """Keep the room book as it was before this step, and give it a new version."""
    counts = state.counts
    if state.books[room, TOUCHED] != counts[STEP]:
        slot = counts[BOOKS]
        counts[BOOKS] += 1
        state.books[room, NUMBER] = room
        _copy(state.kept_books, slot, state.books, room, 5)
        _copy(state.kept_free, slot, state.free, room, state.free.shape[1])
        state.books[room, TOUCHED] = counts[STEP]
    counts[CLOCK] += 1
    state.books[room, VERSION] = counts[CLOCK]


@inner
def _use_room(model: Model, state: State, way: Whole, start: Whole, change: Whole) -> None:
    room = model.ways[way, ROOM]
    if room >= 0:
        _touch_book(state, room)
        for tick in range(start, start + model.ways[way, TICKS]):
            state.free[room, tick] += change


@inner
def _note_longest_gap(model: Model, state: State, duty: Whole) -> None:
    """Note the longest time without a visit, ways and breaks included: what is longer does not fit."""
    longest, stop, count = np.int64(0), 0, state.days[duty, COUNT]
    for shift in range(model.duties[duty, SHIFT], model.duties[duty + 1, SHIFT]):
        free, end = model.shifts[shift, BEGIN], model.shifts[shift, END]
        while stop < count and state.stops[duty, stop, END] <= end:
            longest = max(longest, state.stops[duty, stop, BEGIN] - free)
            free = state.stops[duty, stop, END]
            stop += 1
        longest = max(longest, end - free)
    state.days[duty, LONGEST] = longest


@inner
def put(model: Model, state: State, visit: Whole, way: Whole, duty: Whole, start: Whole) -> None:
    """Serve an unserved visit at a start that fits; the travel of the day is for the caller to count."""
    _touch_day(state, duty)
    stops, stop = state.stops, state.days[duty, COUNT]
    begin = start * model.tick
    while stop > 0 and stops[duty, stop - 1, BEGIN] > begin:
        _copy_stop(stops, duty, stop, stops, duty, stop - 1)
        stop -= 1
    place = model.ways[way, PLACE]
    stops[duty, stop, BEGIN] = begin
    stops[duty, stop, END] = begin + model.ways[way, MINUTES]
    stops[duty, stop, AT] = model.duties[duty, BASE] if place < 0 else place
    stops[duty, stop, VISIT] = visit
    state.days[duty, COUNT] += 1
    _note_longest_gap(model, state, duty)
    _use_room(model, state, way, start, np.int64(-1))
    state.places[visit, AT_WAY] = way
    state.places[visit, AT_DUTY] = duty
    state.places[visit, AT_START] = start
    state.counts[COST] += model.ways[way, PRICE] - model.visits[visit, LOSS]


@inner
def _take(model: Model, state: State, visit: Whole) -> None:
    """Leave a served visit unserved; the travel of the day is for the caller to count."""
    way, duty = state.places[visit, AT_WAY], state.places[visit, AT_DUTY]
    _touch_day(state, duty)
    stop = 0
    while state.stops[duty, stop, VISIT] != visit:
        stop += 1
    state.days[duty, COUNT] -= 1
    for later in range(stop, state.days[duty, COUNT]):
        _copy_stop(state.stops, duty, later, state.stops, duty, later + 1)
    _note_longest_gap(model, state, duty)
    _use_room(model, state, way, state.places[visit, AT_START], np.int64(1))
    state.places[visit, AT_WAY] = NOWHERE
    state.counts[COST] += model.visits[visit, LOSS] - model.ways[way, PRICE]


@inner
def count_travel(model: Model, state: State) -> bool:
    """Count the travel of all days that were touched anew; False if a way does not fit."""
    for slot in range(state.counts[DUTIES]):
        duty = state.kept_days[slot, NUMBER]
        minutes = _tour_minutes(model, state, duty)
        if minutes < 0 or minutes > model.duties[duty, LIMIT]:
            return False
        state.counts[COST] += (minutes - state.days[duty, TRAVELLED]) * model.minute_price
        state.days[duty, TRAVELLED] = minutes
    return True


@inner
def _take_back(state: State, before: Whole) -> None:
    """The plan as it was before the step, when it cost `before`."""
    counts = state.counts
    for slot in range(counts[DUTIES]):
        duty = state.kept_days[slot, NUMBER]
        _copy(state.days, duty, state.kept_days, slot, 6)
        _copy_stops(state.stops, duty, state.kept_stops, slot, state.days[duty, COUNT])
    for slot in range(counts[BOOKS]):
        room = state.kept_books[slot, NUMBER]
        _copy(state.books, room, state.kept_books, slot, 5)
        _copy(state.free, room, state.kept_free, slot, state.free.shape[1])
    for number in range(counts[QUEUE]):
        for column in range(3):
            state.places[state.queue[number, 0], column] = state.queue[number, column + 1]
    counts[COST] = before


@inner
def _note_best(state: State, cost: Whole) -> None:
    """Note the present plan, which costs `cost`, if it is the best met."""
    if cost < state.counts[BEST]:
        state.counts[BEST] = cost
        for visit in range(len(state.places)):
            _copy(state.best, visit, state.places, visit, 3)


@inner
def _note_best_before(state: State, before: Whole) -> None:
    """Note the plan as it was before this step, which is kept, if that was the best met."""
    if before < state.counts[BEST]:
        _note_best(state, before)
        for number in range(state.counts[QUEUE]):
            for column in range(3):
                state.best[state.queue[number, 0], column] = state.queue[number, column + 1]


@inner
def _list_unserved(state: State) -> None:
    """Bring the list of the unserved up to date."""
    counts = state.counts
    for number in range(counts[QUEUE]):
        visit = state.queue[number, 0]
        served, listed = state.places[visit, AT_WAY] >= 0, state.where[visit] >= 0
        if served and listed:
            counts[UNSERVED] -= 1
            last, hole = state.unserved[counts[UNSERVED]], state.where[visit]
            state.unserved[hole] = last
            state.where[last] = hole
            state.where[visit] = NOWHERE
        elif not served and not listed:
            state.unserved[counts[UNSERVED]] = visit
            state.where[visit] = counts[UNSERVED]
            counts[UNSERVED] += 1


@inner
def _keep(state: State, before: Whole) -> None:
    """The step is kept; the best plan is copied only when the next one is dearer, since that takes time."""
    if state.counts[COST] > before:
        _note_best_before(state, before)
    _list_unserved(state)


@compiled
def load(model: Model, state: State, chosen: Array) -> bool:
    """Serve visits as rows of (visit, way, duty, start) say; False if they break a rule of travel."""
    counts = state.counts
    for number in range(len(chosen)):
        counts[STEP] += 1
        counts[DUTIES] = counts[BOOKS] = 0
        duty = chosen[number, 2]
        put(model, state, chosen[number, 0], chosen[number, 1], duty, chosen[number, 3])
        last = number + 1 == len(chosen) or chosen[number + 1, 2] != duty
        if last and not count_travel(model, state):
            return False
    return True


# --- Ruin -------------------------------------------------------------------------------------------


@inner
def _enqueue(state: State, visit: Whole) -> None:
    """Note a visit that the step is about, with its place before."""
    number = state.counts[QUEUE]
    state.queue[number, 0] = visit
    for column in range(3):
        state.queue[number, column + 1] = state.places[visit, column]
    state.counts[QUEUE] += 1


@inner
def _pull(model: Model, state: State, visit: Whole) -> None:
    """Take a visit out, if it is served and there is room for more in this step."""
    if state.places[visit, AT_WAY] >= 0 and state.counts[QUEUE] < MOST_OUT:
        _enqueue(state, visit)
        _take(model, state, visit)


@inner
def _pull_string(model: Model, state: State, duty: Whole, minute: Whole, most: Whole) -> None:
    """Take out some visits in a row, about that minute."""
    count = state.days[duty, COUNT]
    if count == 0:
        return
    length = 1 + below(state.random, min(count, most))
    middle = 0
    while middle < count and state.stops[duty, middle, END] <= minute:
        middle += 1
    first = middle - below(state.random, length)
    first = max(0, min(first, count - length))
    for _ in range(length):
        if state.days[duty, COUNT] <= first or state.counts[QUEUE] >= MOST_OUT:
            return
        _pull(model, state, state.stops[duty, first, VISIT])


@inner
def _pull_from_room(model: Model, state: State, room: Whole, start: Whole, reach: Whole) -> None:
    """Take out visits in that room book that are about at that tick."""
    most = 1 + below(state.random, np.int64(_ROOM_USERS))
    first, last = model.first_asker[room], model.first_asker[room + 1]
    if last == first:
        return
    offset = below(state.random, last - first)
    for number in range(last - first):
        visit = model.askers[first + (number + offset) % (last - first)]
        way = state.places[visit, AT_WAY]
        if way < 0 or model.ways[way, ROOM] != room:
            continue
        begin = state.places[visit, AT_START]
        if begin - reach < start < begin + model.ways[way, TICKS] + reach:
            _pull(model, state, visit)
            most -= 1
            if most == 0:
                return


@inner
def _pull_from_others(
    model: Model, state: State, seed: Whole, duty: Whole, minute: Whole, most: Whole
) -> None:
    """Take strings out of some other duties that could serve the seed, most often on the same day."""
    way = model.visits[seed, WAY]
    first, last = model.ways[way, PAIR], model.ways[model.visits[seed + 1, WAY], PAIR]
    same_day = share(state.random) < 0.7
    for _ in range(below(state.random, np.int64(4)) * 3):
        other = model.pairs[first + below(state.random, last - first)]
        fits = not same_day or model.duties[other, DAY] == model.duties[duty, DAY]
        if fits and state.days[other, TOUCHED] != state.counts[STEP]:
            _pull_string(model, state, other, minute, most)


@inner
def _some_pair(model: Model, state: State, visit: Whole) -> Any:
    """One of the cheaper ways of a visit and one of its duties."""
    first, last = model.visits[visit, WAY], model.visits[visit + 1, WAY]
    way = first + min(below(state.random, last - first), below(state.random, last - first))
    pair = model.ways[way, PAIR]
    return way, model.pairs[pair + below(state.random, model.ways[way + 1, PAIR] - pair)]


@inner
def _some_start(model: Model, state: State, way: Whole) -> Any:
    first = model.ways[way, SPAN]
    span = first + below(state.random, model.ways[way + 1, SPAN] - first)
    begin = model.spans[span, BEGIN]
    return begin + below(state.random, model.spans[span, END] - begin + 1)


@inner
def _ruin(model: Model, state: State) -> None:
    """Take related visits out: about one time, in one room book or with specialists who could swap."""
    random, counts = state.random, state.counts
    if counts[UNSERVED] > 0 and share(random) < 0.5:
        seed = state.unserved[below(random, counts[UNSERVED])]
    else:
        seed = model.searchable[below(random, len(model.searchable))]
    if state.places[seed, AT_WAY] >= 0:
        way, duty, start = (
            state.places[seed, AT_WAY],
            state.places[seed, AT_DUTY],
            state.places[seed, AT_START],
        )
    else:
        way, duty = _some_pair(model, state, seed)
        start = _some_start(model, state, way)
        _enqueue(state, seed)
    room, minute = model.ways[way, ROOM], start * model.tick
    if room >= 0 and share(random) < 0.5:
        _pull_from_room(model, state, room, start, below(random, np.int64(24)))
        if share(random) < 0.5:
            _pull_string(model, state, duty, minute, np.int64(4))
    else:
        most = 1 + below(random, np.int64(8))
        _pull_string(model, state, duty, minute, most)
        _pull_from_others(model, state, seed, duty, minute, most)


@inner
def _add_newcomers(model: Model, state: State) -> None:
    """Some unserved visits that the touched duties could serve."""
    counts = state.counts
    total = counts[UNSERVED]
    if total == 0:
        return
    offset, wanted = below(state.random, total), below(state.random, _MOST_NEWCOMERS + 1)
    for number in range(min(total, _LOOKED_AT)):
        visit = state.unserved[(offset + number) % total]
        if wanted == 0:
            return
        if counts[QUEUE] and state.queue[0, 0] == visit:
            continue
        for slot in range(counts[DUTIES]):
            duty = state.kept_days[slot, NUMBER]
            if model.fans[visit, duty >> 3] >> (duty & 7) & 1:
                _enqueue(state, visit)
                wanted -= 1
                break


# --- Recreate ---------------------------------------------------------------------------------------


@inner
def _rank(model: Model, state: State, visit: Whole, taste: Whole) -> Any:
    """The lower, the sooner a visit is put back."""
    chance = share(state.random)
    if taste < 3:
        return chance
    loss = model.visits[visit, LOSS]
    if taste < 6:
        return -loss * (0.8 + 0.4 * chance)
    first = model.visits[visit, WAY]
    minutes = model.ways[first, MINUTES]
    if taste < 8:
        return -loss / minutes * (0.8 + 0.4 * chance)
    pairs = model.ways[model.visits[visit + 1, WAY], PAIR] - model.ways[first, PAIR]
    return pairs / (1 + loss) * (0.8 + 0.4 * chance)


@inner
def _next_in_queue(state: State) -> Any:
    """The visit with the lowest rank, which it loses."""
    first = 0
    for number in range(1, state.counts[QUEUE]):
        if state.ranks[number] < state.ranks[first]:
            first = number
    state.ranks[first] = np.inf
    return state.queue[first, 0]


@inner
def _recreate(model: Model, state: State, blink: float) -> None:
    """Put back what can be put back, each where it is cheapest at its turn."""
    counts, taste = state.counts, below(state.random, np.int64(10))
    for number in range(counts[QUEUE]):
        state.ranks[number] = _rank(model, state, state.queue[number, 0], taste)
    for _ in range(counts[QUEUE]):
        visit = _next_in_queue(state)
        way, duty, _cost = _cheapest(model, state, visit, blink)
        if way >= 0:
            last = np.int64(share(state.random) < 0.3)
            extra, start = _least_detour(model, state, way, duty, last)
            put(model, state, visit, way, duty, start)
            state.days[duty, TRAVELLED] += extra
            counts[COST] += extra * model.minute_price


@compiled
def run(model: Model, state: State, steps: Whole, temperature: float) -> None:
    """So many steps at a temperature in units of the cost."""
    counts = state.counts
    for _ in range(steps):
        before = counts[COST]
        counts[STEP] += 1
        counts[DUTIES] = counts[BOOKS] = counts[QUEUE] = 0
        _ruin(model, state)
        if not count_travel(model, state):
            _take_back(state, before)
            continue
        _add_newcomers(model, state)
        _recreate(model, state, 0.01)
        dearer = counts[COST] - before
        if dearer <= 0 or dearer < -temperature * math.log(1.0 - share(state.random)):
            _keep(state, before)
        else:
            _take_back(state, before)
    _note_best(state, counts[COST])
