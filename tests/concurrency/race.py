"""The race for one place, and for twenty: exactly as many get one as there are, others hear what is left.

python -m tests.concurrency.race [--clients 100] [--rounds 20] [--processes 1,2,4] [--engine ENGINE] runs it
in full on both databases. Each round is for another place; after it some of the alternatives that losers were
told are taken and given back, one after the other.
"""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from random import Random
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from booking_service.domain.bookings import Role
from booking_service.services.tokens import create_token
from booking_service.services.witness import verify
from booking_service.store.county_folder import read_folder
from tests.servers import ENGINES, ROOT, Client, at_once, clients, deployed, new_app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from booking_service.domain.county import County

SITE = "DM-BSC"
"""A site with one room."""
SERVICE = "GSI-NEU"
DESKS_AT = "NB-SOZ"
DESKS = 20
TRIED = 3
BERLIN = ZoneInfo("Europe/Berlin")
CONTACT = {"name": "Anna Beispiel", "email": "anna@buergerin.example"}


class Unfair(AssertionError):
    """More or fewer got a place than there are, or what was told instead could not be had."""


@dataclass(frozen=True)
class Round:
    """What became of one race."""

    won: list[dict[str, str]]
    lost: int
    alternatives: list[dict[str, str]]
    seconds: float


def example() -> County:
    return read_folder(ROOT / "examples" / "mecklenburgische-seenplatte")


def with_desks(county: County) -> County:
    """As many specialists of one kind, and rooms at their base, as there are desks; nobody else."""
    model = next(one for one in county.specialists if one.code == "GSI-02")
    codes = [f"DESK-{n}" for n in range(DESKS)]
    work = [one for one in county.working_hours if one.specialist == model.code]
    room = next(one for one in county.rooms if one.site == DESKS_AT)
    return replace(
        county,
        specialists=tuple(replace(model, code=code) for code in codes),
        working_hours=tuple(replace(one, specialist=code) for code in codes for one in work),
        rooms=(
            *(one for one in county.rooms if one.site != DESKS_AT),
            *(replace(room, code=f"{DESKS_AT}-{n}") for n in range(DESKS)),
        ),
        contingents=(),
    )


def new_token() -> str:
    return create_token(role=Role.PORTAL, site=None, unit=None, now=datetime.now(UTC))


def wish(start: str, site: str | None = SITE, mode: str = "on_site") -> dict[str, object]:
    return {"services": [SERVICE], "site": site, "mode": mode, "start": start}


def starts_of(client: Client, site: str, *, since: date | None = None) -> Iterator[str]:
    """Every start that is offered at the site in person, day by day."""
    path = f"/api/v1/offers?service={SERVICE}&site={site}&mode=on_site"
    answer = client.call("GET", path + (f"&from={since}" if since else ""))
    for day in answer.body["days"]:
        for clock in day["offers"][0]["starts"]:
            local = datetime.fromisoformat(f"{day['date']}T{clock}")
            yield local.replace(tzinfo=BERLIN).isoformat()


def race(url: str, token: str, wanted: dict[str, object], people: int, places: int) -> Round:
    """Let people click the same start at the same moment. Raises Unfair."""
    with clients(url, token, people) as racing:
        began = time.monotonic()
        told = at_once([partial(client.call, "POST", "/api/v1/holds", wanted) for client in racing])
        seconds = time.monotonic() - began
    won = [answer.body for answer in told if answer.status == 201]
    lost = [answer.body for answer in told if answer.status == 409]
    if len(won) != places or len(won) + len(lost) != people:
        raise Unfair(f"{wanted['start']}: {Counter(answer.status for answer in told)} for {places} places")
    if any(answer["code"] != "place_taken" or len(answer["alternatives"]) != TRIED for answer in lost):
        raise Unfair(f"{wanted['start']}: somebody was not told what else there is")
    return Round(won, len(lost), [place for answer in lost for place in answer["alternatives"]], seconds)


def try_alternatives(client: Client, alternatives: list[dict[str, str]], rng: Random) -> int:
    """Take some places that were told and give them back; how many. Raises Unfair for one that is taken."""
    different = sorted({(place["start"], place["site"] or "", place["mode"]) for place in alternatives})
    chosen = rng.sample(different, min(TRIED, len(different)))
    for start, site, mode in chosen:
        held = client.call("POST", "/api/v1/holds", wish(start, site or None, mode))
        if held.status != 201:
            raise Unfair(f"{start} at {site} was told instead and cannot be had: {held.body}")
        given_back = client.call("DELETE", f"/api/v1/holds/{held.body['hold']}")
        if given_back.status != 204:
            raise Unfair(f"a hold could not be given back: {given_back}")
    return len(chosen)


def confirm_at_once(url: str, token: str, hold: str, people: int) -> None:
    """Let many confirm the same hold. Raises Unfair unless one of them gets the appointment."""
    sent = {"hold": hold, "contact": CONTACT}
    with clients(url, token, people) as racing:
        told = at_once([partial(client.call, "POST", "/api/v1/appointments", sent) for client in racing])
    if sorted(answer.status for answer in told) != [201] + [409] * (people - 1):
        raise Unfair(f"confirming {hold}: {Counter(answer.status for answer in told)}")


# --- The program


@click.command()
@click.option("--clients", "people", default=100, show_default=True)
@click.option("--rounds", default=20, show_default=True)
@click.option("--processes", default="1,2,4", show_default=True, help="Numbers of web processes.")
@click.option("--engine", type=click.Choice(ENGINES), help="Both if not given.")
@click.option("--seed", default=1, show_default=True)
def main(people: int, rounds: int, processes: str, engine: str | None, seed: int) -> None:
    """Race with real web processes."""
    click.echo("engine      processes  rounds  clients  places  won each  tried  seconds a round")
    for name in [engine] if engine else ENGINES:
        for web in map(int, processes.split(",")):
            run_one_place(name, web, people, rounds, seed)
            run_desks(name, web, people)


def run_one_place(engine: str, web: int, people: int, rounds: int, seed: int) -> None:
    with (
        new_app(engine, example()) as app,
        deployed(app.extensions["settings"], web=web) as running,
        Client(running.url, new_token()) as client,
    ):
        rng = Random(seed)
        soon = date.today() + timedelta(days=3)  # noqa: DTZ011 - any day will do
        starts = rng.sample(list(starts_of(client, SITE, since=soon))[: 10 * rounds], rounds)
        token, tried, seconds = new_token(), 0, 0.0
        for start in starts:
            found = race(running.url, token, wish(start), people, 1)
            tried += try_alternatives(client, found.alternatives, rng)
            client.call("DELETE", f"/api/v1/holds/{found.won[0]['hold']}", token=token)
            seconds += found.seconds
        refuse_violations()
        tell(engine, web, rounds, people, 1, tried, seconds / rounds)


def run_desks(engine: str, web: int, people: int) -> None:
    with (
        new_app(engine, with_desks(example())) as app,
        deployed(app.extensions["settings"], web=web) as running,
        Client(running.url, new_token()) as client,
    ):
        start = next(starts_of(client, DESKS_AT))
        found = race(running.url, new_token(), wish(start, DESKS_AT), people, DESKS)
        tried = try_alternatives(client, found.alternatives, Random(1))
        refuse_violations()
        tell(engine, web, 1, people, DESKS, tried, found.seconds)


def refuse_violations() -> None:
    _, violations = verify(now=datetime.now(UTC))
    if violations:
        raise Unfair("; ".join(violations))


def tell(*row: object) -> None:
    engine, web, rounds, people, places, tried, seconds = row
    numbers = f"{web:>9}  {rounds:>6}  {people:>7}  {places:>6}  {places:>8}  {tried:>5}"
    click.echo(f"{engine:<10}  {numbers}  {seconds:>15.2f}")


if __name__ == "__main__":
    main()
