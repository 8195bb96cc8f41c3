"""What-if: an office is lived through day by day, with the very offers and plans of the service.

People come, look at the offers of the real witness (`offers`) and take the start that suits them best; what
they leave to the office is planned every night (`greedy` or `solve`); what takes place leaves casework
behind, which is worked off in what is left of the shifts. The same seed gives the same people to every
scenario. Days that are over are forgotten. What is left out is said in docs/simulation.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from routing.board import Board
from routing.greedy import greedy
from routing.offers import DayWitness
from routing.problem import MINUTES_A_DAY, Assignment, Instance, Option, Plan, Promise, Visit, Weights, Window
from routing.simulation.arrivals import NOON, Arrivals
from routing.simulation.office import Office, half_day_starts, rooms_of
from routing.simulation.tally import DAYS_A_WEEK, Tally
from routing.solve import solve
from routing.stop import Seconds
from routing.timeline import ticks_of
from routing.workday import Ask, Held

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from routing.offers import Placement
    from routing.simulation.arrivals import Citizen, Way
    from routing.simulation.scenario import Scenario
    from routing.simulation.tally import Outcome

UNSERVED, LOST, CHANGE = 10_000, 10_000_000, 40
"""Prices of the nightly plan in minutes of travel; a day's wait is the scenario's to price."""


def simulate(
    scenario: Scenario,
    *,
    seed: int = 0,
    run: int = 0,
    day_over: Callable[[Instance, Plan], None] | None = None,
) -> Outcome:
    """Live through the scenario once and answer its figures.

    Seed and run give the people. `day_over` is told of every day that is over, as an instance of promises
    and the plan that kept them. Raises RuntimeError where the nightly plan breaks a promise.
    """
    return _Run(scenario, seed, run, day_over).go()


class _Choice(NamedTuple):
    """The best that somebody was offered: `price` in days of waiting."""

    price: float
    day: int
    way: Way
    ask: Ask
    starts: int


@dataclass(slots=True)
class _Agenda:
    """One day: its witness, and which contingents are in it beside the promises.

    `hopeless` are starts that could not be kept when they were last asked for. Nobody cancels here, so a day
    only becomes fuller and they need not be asked for again while the same contingents are kept free.
    """

    witness: DayWitness
    contingents: tuple[int, ...] = ()
    hopeless: dict[tuple[tuple[int, ...], Ask], int] = field(default_factory=dict)

    def starts(self, ask: Ask, wanted: int) -> int:
        """Which of the wanted starts can be promised."""
        key = self.contingents, ask
        wanted &= ~self.hopeless.get(key, 0)
        if not wanted:
            return 0
        found = self.witness.starts((ask,), wanted)
        self.hopeless[key] = self.hopeless.get(key, 0) | wanted & ~found
        return found


class _Run:
    def __init__(
        self, scenario: Scenario, seed: int, run: int, day_over: Callable[[Instance, Plan], None] | None
    ) -> None:
        self._scenario, self._seed, self._day_over = scenario, seed, day_over
        self._office, self._tally = Office(scenario), Tally(scenario)
        self._arrivals = Arrivals(scenario, seed, run)
        self._agendas: dict[int, _Agenda] = {}
        self._promised: dict[str, Citizen] = {}
        self._asking: list[Citizen] = []
        self._again: dict[int, list[Citizen]] = {}

    def go(self) -> Outcome:
        for day in range(self._scenario.days):
            self._begin(day)
            for citizen in self._again.pop(day, []):
                self._choose(citizen, day)
            for citizen in self._arrivals.of(day):
                self._tally.arrived(citizen)
                if citizen.kind == "flexible":
                    self._asking.append(citizen)
                else:
                    self._choose(citizen, day)
            self._end(day)
            self._plan_night(day)
        return self._tally.outcome()

    # --- The day ------------------------------------------------------------------------------------

    def _begin(self, day: int) -> None:
        """On the day itself nobody is given another's visit any more."""
        if day % DAYS_A_WEEK == 0:
            self._office.forget()
        agenda = self._agendas.get(day)
        if agenda is not None:
            pinned = [replace(one, pinned=True) for one in agenda.witness.held]
            agenda.witness = DayWitness(agenda.witness.workday, pinned)

    def _end(self, day: int) -> None:
        """Count what has taken place and forget the day."""
        agenda = self._agendas.pop(day, None)
        held = [one for one in agenda.witness.held if one.visit in self._promised] if agenda else []
        if agenda is not None and self._day_over is not None:
            self._day_over(*self._exported(day, held))
        for one in held:
            self._tally.kept(self._promised.pop(one.visit), one.ask, day)
        self._tally.letters(self._arrivals.letters(day))
        office = self._office
        self._tally.day_over(
            day,
            office.travelled(day, held),
            office.room_minutes(day) if office.staff_of(day) else 0,
            office.staff_minutes(day),
            office.casework_time(day, held),
        )

    def _exported(self, day: int, held: Sequence[Held]) -> tuple[Instance, Plan]:
        instance = self._instance([day], {one.visit: (0, one) for one in held}, [], day)
        lines = [Assignment(v.visit, v.specialist, 0, v.start, v.ask.mode, v.ask.site) for v in held]
        return instance, Plan(instance.name, tuple(lines))

    # --- Who chooses --------------------------------------------------------------------------------

    def _choose(self, citizen: Citizen, today: int) -> None:
        choice = self._best_offer(citizen, today)
        if choice is None:
            self._come_again(citizen, today)
            return
        agenda = self._agendas[choice.day]
        starts = ticks_of(choice.starts)
        start = starts[int(citizen.pick * len(starts))] * self._scenario.tick
        placement = agenda.witness.place((choice.ask,), start)
        if placement is None:
            raise RuntimeError(f"{citizen.name}: what was offered cannot be kept")
        self._promise(citizen, choice.day, placement)

    def _promise(self, citizen: Citizen, day: int, placement: Placement) -> None:
        agenda = self._agendas[day]
        agenda.witness = agenda.witness.after(placement, [citizen.name])
        self._promised[citizen.name] = citizen
        self._tally.promised(citizen, day)

    def _come_again(self, citizen: Citizen, today: int) -> None:
        """Look again in a week, or give up."""
        later = today + DAYS_A_WEEK
        if later - citizen.day > self._scenario.demand.patience_days:
            self._tally.gone(citizen)
        else:
            self._again.setdefault(later, []).append(citizen)

    def _best_offer(self, citizen: Citizen, today: int) -> _Choice | None:
        """What costs least of waiting and driving; of what costs the same, the liked way."""
        service, best = self._scenario.services[citizen.service], None
        first, earliest = self._first(citizen, today)
        for day in range(first, today + service.horizon_days + 1):
            if best is not None and day - today >= best.price:
                break
            agenda = self._view(day, citizen, today)
            for way in citizen.ways if agenda is not None else ():
                price = day - today + way.extra / self._scenario.demand.minutes_a_day
                if best is None or price < best.price:
                    ask = self._ask(citizen, way)
                    wanted = self._wanted(citizen, way, day) & (-1 << (earliest if day == first else 0))
                    found = agenda.starts(ask, wanted) if agenda is not None else 0
                    best = _Choice(price, day, way, ask, found) if found else best
        return best

    def _first(self, citizen: Citizen, today: int) -> tuple[int, int]:
        """The first day that may be booked, and the first tick of it; urgent people need no lead."""
        hours = 0 if citizen.kind == "urgent" else self._scenario.services[citizen.service].lead_hours
        days, minute = divmod(citizen.minute + 60 * hours, MINUTES_A_DAY)
        return today + days, minute // self._scenario.tick + 1

    def _ask(self, citizen: Citizen, way: Way) -> Ask:
        service = self._scenario.services[citizen.service]
        return Ask(service.skill, citizen.language, way.mode, way.site, service.lengths[way.mode].busy)

    def _wanted(self, citizen: Citizen, way: Way, day: int) -> int:
        """The starts within the hours on half-days on which the citizen can come."""
        mask = self._office.starts(citizen.service, way.mode, way.site, day, urgent=citizen.kind == "urgent")
        weekday, tick = self._scenario.date_of(day).isoweekday(), self._scenario.tick
        for late in (False, True):
            if (weekday, late) not in citizen.half_days:
                mask &= ~half_day_starts(mask, tick, NOON, late=late)
        return mask

    def _view(self, day: int, citizen: Citizen, today: int) -> _Agenda | None:
        """What somebody sees of a day: only urgent people see the contingents. None on a day off."""
        kept: tuple[int, ...] = ()
        if citizen.kind != "urgent":
            kept = self._office.contingents(day, today, citizen.minute)
        return self._seen(day, kept)

    def _seen(self, day: int, kept: tuple[int, ...]) -> _Agenda | None:
        agenda = self._agendas.get(day)
        if agenda is None:
            if not self._office.staff_of(day):
                return None
            agenda = self._agendas[day] = _Agenda(DayWitness(self._office.workday(day)))
        if agenda.contingents != kept:
            agenda.witness, agenda.contingents = self._with_contingents(agenda.witness, kept), kept
        return agenda

    def _with_contingents(self, witness: DayWitness, kept: tuple[int, ...]) -> DayWitness:
        """Somebody is kept free for each; where nobody is left, the day is too full for that already."""
        promises = [one for one in witness.held if one.visit in self._promised]
        witness = DayWitness(witness.workday, promises, like=witness)
        for number in kept:
            one = self._scenario.contingents[number]
            placement = witness.place((Ask(one.skill, None, "phone", None, one.end - one.begin),), one.begin)
            if placement is not None:
                witness = witness.after(placement, [f"contingent {number}"])
        return witness

    # --- Who leaves it to the office ----------------------------------------------------------------

    def _plan_night(self, today: int) -> None:
        """Plan for those who ask, some working days at a time, the nearest first."""
        patience = self._scenario.demand.patience_days
        for citizen in [one for one in self._asking if today - one.day >= patience]:
            self._asking.remove(citizen)
            self._tally.gone(citizen)
        rules = self._scenario.planning
        horizon = range(today + 1, today + rules.horizon_days + 1)
        working = (day for day in horizon if self._asking and self._office.staff_of(day))
        while chunk := list(islice(working, rules.working_days)):
            for day in chunk:
                self._seen(day, self._office.contingents(day, today, MINUTES_A_DAY))
            requests = [one for one in self._asking if self._could(one, chunk)]
            if requests:
                self._plan(chunk, requests, today)

    def _could(self, citizen: Citizen, days: Sequence[int]) -> bool:
        """Whether the witness of one of the days has a start for somebody: else planning is in vain."""
        first, earliest = self._first(citizen, citizen.day)
        for day in days:
            for way in citizen.ways if day >= first else ():
                wanted = self._wanted(citizen, way, day) & (-1 << (earliest if day == first else 0))
                if self._agendas[day].starts(self._ask(citizen, way), wanted):
                    return True
        return False

    def _plan(self, days: Sequence[int], requests: Sequence[Citizen], today: int) -> None:
        held = {
            f"{one.visit}@{day}": (index, one)
            for index, day in enumerate(days)
            for one in self._agendas[day].witness.held
        }
        instance = self._instance(days, held, requests, today)
        kept = [
            Assignment(name, one.specialist, index, one.start, one.ask.mode, one.ask.site)
            for name, (index, one) in held.items()
        ]
        lines = {line.visit: line for line in self._planned(instance, kept)}
        if not held.keys() <= lines.keys():
            raise RuntimeError(f"the plan of day {today} breaks a promise")
        news = [citizen for citizen in requests if citizen.name in lines]
        self._apply(days, held, lines, news)

    def _planned(self, instance: Instance, kept: Sequence[Assignment]) -> Sequence[Assignment]:
        rules = self._scenario.planning
        if rules.method == "greedy":
            return greedy(Board(instance), kept).lines()
        start = Plan(instance.name, tuple(kept))
        return solve(instance, stop=Seconds(rules.seconds), seed=self._seed, start=start).assignments

    def _apply(
        self,
        days: Sequence[int],
        held: dict[str, tuple[int, Held]],
        lines: dict[str, Assignment],
        news: Sequence[Citizen],
    ) -> None:
        """Make the plan what is promised."""
        byday: dict[int, list[Held]] = {index: [] for index in range(len(days))}
        for name, (index, one) in held.items():
            byday[index].append(replace(one, specialist=lines[name].specialist))
        for citizen in news:
            line = lines[citizen.name]
            way = next(w for w in citizen.ways if (w.mode, w.site) == (line.mode, line.site))
            byday[line.day].append(Held(citizen.name, line.specialist, line.start, self._ask(citizen, way)))
            self._asking.remove(citizen)
            self._promised[citizen.name] = citizen
            self._tally.promised(citizen, days[line.day])
        for index, promises in byday.items():
            agenda = self._agendas[days[index]]
            agenda.witness = DayWitness(agenda.witness.workday, promises, like=agenda.witness)

    # --- Instances ----------------------------------------------------------------------------------

    def _instance(
        self,
        days: Sequence[int],
        held: dict[str, tuple[int, Held]],
        requests: Sequence[Citizen],
        today: int,
    ) -> Instance:
        scenario, office = self._scenario, self._office
        weekdays: dict[str, dict[int, int]] = {}
        for index, day in enumerate(days):
            for name in office.staff_of(day):
                weekdays.setdefault(name, {})[index] = scenario.date_of(day).isoweekday()
        visits = [_promised_visit(name, index, one) for name, (index, one) in held.items()]
        visits += [self._asked_visit(citizen, days) for citizen in requests]
        return Instance(
            name=f"{scenario.name} {scenario.date_of(today)}",
            tick=scenario.tick,
            days=tuple(scenario.date_of(day).isoformat() for day in days),
            rooms={site: rooms_of(count, len(days)) for site, count in scenario.sites.items()},
            travel=scenario.travel,
            specialists={name: office.specialist(name, weekdays[name]) for name in sorted(weekdays)},
            visits={visit.id: visit for visit in visits},
            weights=Weights({1: UNSERVED}, LOST, scenario.planning.wait_day, 0, CHANGE, 1),
        )

    def _asked_visit(self, citizen: Citizen, days: Sequence[int]) -> Visit:
        scenario = self._scenario
        price = scenario.planning.wait_day / scenario.demand.minutes_a_day
        options = tuple(
            Option(
                way.mode,
                way.site,
                round(way.extra * price),
                self._ask(citizen, way).minutes,
                tuple(self._windows(citizen, way, days)),
            )
            for way in citizen.ways
        )
        minutes = max(option.minutes or 0 for option in options)
        skill = scenario.services[citizen.service].skill
        return Visit(citizen.name, skill, citizen.language, minutes, 1, 0, options, ())

    def _windows(self, citizen: Citizen, way: Way, days: Sequence[int]) -> Iterator[Window]:
        """When the specialist's work may lie, so that the talk lies in the hours on a good half-day."""
        length = self._scenario.services[citizen.service].lengths[way.mode]
        first, tick = self._first(citizen, citizen.day)
        for index, day in enumerate(days):
            weekday = self._scenario.date_of(day).isoweekday()
            earliest = tick * self._scenario.tick if day == first else 0
            for begin, end in self._office.spans(citizen.service, way.mode, way.site, day, urgent=False):
                for late, (dawn, dusk) in enumerate(((0, NOON), (NOON, MINUTES_A_DAY))):
                    opens = max(begin, dawn) - length.preparation
                    closes = min(min(end, dusk) + length.follow_up, MINUTES_A_DAY)
                    opens = max(opens, earliest, 0)
                    can = day >= first and (weekday, bool(late)) in citizen.half_days
                    if can and closes - opens >= length.busy:
                        yield Window(index, opens, closes)


def _promised_visit(name: str, day: int, one: Held) -> Visit:
    ask = one.ask
    promise = Promise(day, one.start, ask.mode, ask.site)
    return Visit(
        name, ask.skill, ask.language, ask.minutes, 1, 0, (), (), promise=promise, holder=one.specialist
    )
