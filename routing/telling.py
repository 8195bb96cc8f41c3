"""Explanations and repairs in plain English lines, for the command line; the service has its own words."""

from __future__ import annotations

from dataclasses import asdict, replace
from itertools import groupby
from typing import TYPE_CHECKING, Any

from routing.problem import Plan
from routing.reasons import Obstacle

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from routing.explain import Alternative, Explanation, Parts, Refusal
    from routing.problem import Assignment, Instance, Mode, Promise
    from routing.proposals import Proposal
    from routing.reasons import Reason
    from routing.repair import Lost, Repair

_MOST_OTHERS = 5

_AGAINST_ONE: Mapping[Obstacle, str] = {
    Obstacle.NO_SKILL: "lacks the skill",
    Obstacle.NO_LANGUAGE: "does not speak the language",
    Obstacle.NO_MODE: "does not serve in this way",
    Obstacle.OFF_DUTY: "is not on duty",
    Obstacle.IN_BREAK: "has a break",
    Obstacle.BUSY: "serves {visits}",
    Obstacle.WAY_TOO_LONG: (
        "needs {minutes} minutes from {origin} to {target}, between {before} and {after} {allowed} are free"
    ),
    Obstacle.MAX_TRAVEL: "would travel {minutes} minutes, {allowed} are allowed",
    Obstacle.NEEDED_ON_THE_WAY: "no: who serves it now needs the stop to reach her other visits",
}

_AGAINST_ALL: Mapping[Obstacle, str] = {
    Obstacle.NO_SKILL: "nobody has the skill",
    Obstacle.NO_LANGUAGE: "none of the {specialists} with the skill speaks the language",
    Obstacle.PROMISE_IMPOSSIBLE: "nobody could keep the promise, whatever else is planned",
    Obstacle.NO_WINDOWS: "no window is long enough",
    Obstacle.NO_MODE: "none of the {specialists} able serves in this way",
    Obstacle.NO_ROOM: "there is no room in the windows",
    Obstacle.NOBODY_ON_DUTY: "none of the {specialists} able is on duty in the windows",
    Obstacle.TOO_FAR: "the ways do not fit into the day of any of the {specialists} on duty",
    Obstacle.ROOMS_TAKEN: "others have the rooms",
    Obstacle.ALL_TAKEN: "all {specialists} who could serve it serve others",
    Obstacle.LEFT_OUT: "it would fit ({specialists} could serve it), but is left out",
    Obstacle.CHAIN: "a linked visit is not served",
    Obstacle.NEEDED_ON_THE_WAY: "the specialist needs the stop to reach her other visits",
}


def lines_on(instance: Instance, explanation: Explanation) -> Iterator[str]:
    """The lines on one visit; all but the first are indented."""
    visit = instance.visits[explanation.visit]
    language = f" in {visit.language}" if visit.language else ""
    what = f"{visit.id} ({visit.skill}{language}, {visit.minutes} min, priority {visit.priority})"
    if explanation.line is None or explanation.parts is None:
        yield f"{what}: not served, costs {explanation.loss:,}"
    else:
        yield f"{what}: {_told(instance, explanation.line)}, {_costs(explanation.parts)}"
    if explanation.fixed:
        yield "  time and place are given"
    for one in explanation.colleagues:
        yield f"  instead {one.line.specialist}: {_extra(one)}{_moves(instance, one)}"
    yield from (f"  not {line}" for line in _refused(explanation.refusals))
    for one in explanation.others[:_MOST_OTHERS]:
        yield f"  or {_told(instance, one.line)}: {_extra(one)}{_moves(instance, one)}"
    yield from (f"  {line}" for line in _against_all(explanation.reasons))


def line_on_lost(instance: Instance, lost: Lost) -> str:
    """The line on a promise that is lost: what it was, why, and what could be promised instead."""
    told = instance.visits[lost.visit].promise
    was = "" if told is None else f" ({_when(instance, told)}, {_way(told.mode, told.site)})"
    instead = [
        f"{_when(instance, one)}, {_way(one.mode, one.site)}, with {' and '.join(sorted({*one.specialists}))}"
        for one in lost.proposals
    ]
    return (
        f"lost {lost.visit}{was}: {'; '.join(_against_all(lost.reasons))}; instead, one at a time: "
        f"{' or '.join(instead) or 'nothing found'}"
    )


def repair_as_json(repair: Repair) -> dict[str, Any]:
    """The repair as an object of JSON without its plan; the keys are the names of the values."""
    told = asdict(replace(repair, plan=Plan(repair.plan.instance)))
    del told["plan"]
    return told


def as_json(explanation: Explanation) -> dict[str, Any]:
    """The explanation as an object of JSON; the keys are the names of the values."""
    told = asdict(explanation)
    if explanation.parts is not None:
        told["cost"] = explanation.parts.total
    return told


def _told(instance: Instance, line: Assignment) -> str:
    return f"{line.specialist}, {_when(instance, line)}, {_way(line.mode, line.site)}"


def _when(instance: Instance, at: Assignment | Promise | Proposal) -> str:
    return f"day {at.day} ({instance.days[at.day]}) {at.start // 60:02}:{at.start % 60:02}"


def _way(mode: Mode, site: str | None) -> str:
    return mode if site is None else f"{mode} {site}"


def _costs(parts: Parts) -> str:
    told = [f"{name} {value:,}" for name, value in asdict(parts).items() if value]
    return f"costs {parts.total:,}" + (f" ({', '.join(told)})" if told else "")


def _extra(one: Alternative) -> str:
    return f"{one.extra:+,}" if one.extra else "costs the same"


def _moves(instance: Instance, one: Alternative) -> str:
    return "".join(f", if {move.visit} goes to {_told(instance, move)}" for move in one.moves)


def _refused(refusals: Iterable[Refusal]) -> Iterator[str]:
    """One line for all who are refused for the same reason."""
    told = sorted((_against(one), one.specialist) for one in refusals)
    for words, group in groupby(told, key=lambda pair: pair[0]):
        names = [name for _, name in group]
        shown = (
            names[0]
            if len(names) == 1
            else f"{len(names)} others ({', '.join(names[:4])}{', …' * (len(names) > 4)})"
        )
        yield f"{shown}: {words}"


def _against(one: Refusal) -> str:
    before, after = one.visits if one.code == Obstacle.WAY_TOO_LONG else ("", "")
    return _AGAINST_ONE[one.code].format(
        visits=", ".join(one.visits),
        minutes=one.minutes,
        allowed=one.allowed,
        origin=one.origin,
        target=one.target,
        before=before or "the shift's begin",
        after=after or "the shift's end",
    )


def _against_all(reasons: Iterable[Reason]) -> Iterator[str]:
    for one in reasons:
        way = "" if one.mode is None else f"{_way(one.mode, one.site)}: "
        days = f" (day {', '.join(map(str, one.days))})" if one.days else ""
        yield f"{way}{_AGAINST_ALL[one.code].format(specialists=one.specialists)}{days}"
