"""A storm: many clients do everything at once while processes are killed; afterwards every promise stands.

python -m tests.concurrency.storm [--operations 5000] [--clients 16] [--web 3] [--workers 2] [--engine ENGINE]
[--seed N] [--kill] [--checker FILE]. Clients repeat a call whose answer was lost, under the same
Idempotency-Key where it has one. Planning runs go on meanwhile, and are killed too. What was told is compared
with what is, see `aftermath`; the exit status is 1 where something is wrong.
"""

from __future__ import annotations

import itertools
import sys
import threading
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from booking_service.domain.bookings import Role
from booking_service.domain.county import Bookable, Competence, HandledBy
from booking_service.services.tokens import create_token
from booking_service.store.county_folder import read_folder
from tests.concurrency.aftermath import complaints_about
from tests.concurrency.memory import Booked, Held, Told
from tests.servers import ENGINES, ROOT, Answer, Client, Lost, deployed, new_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from booking_service.domain.county import County
    from booking_service.settings import Settings
    from tests.servers import Deployment

BERLIN = ZoneInfo("Europe/Berlin")
DAYS = 9
MOST_STARTS = 60
GIVE_UP_AFTER = 120.0
LOOK_EVERY = 0.02
KILL_EVERY = 50
"""Operations between two kills, on the average: by time, a slow machine would see nothing but kills."""
PLAN_EVERY = 300
"""Operations between the begins of two planning runs."""
OPERATIONS = {
    "offer": 25,
    "hold": 25,
    "confirm": 18,
    "release": 4,
    "move": 7,
    "cancel": 6,
    "event": 4,
    "request": 5,
    "absence": 1,
    "look": 5,
}
"""How often each is tried; what is not possible at that moment becomes an offer or a hold."""


@dataclass(frozen=True)
class Weather:
    """How much of a storm it is to be."""

    operations: int
    clients: int
    web: int
    workers: int
    seed: int
    kill: bool


class Countdown:
    """So many turns for all threads together."""

    def __init__(self, turns: int) -> None:
        self.taken = 0
        self._turns, self._lock = turns, threading.Lock()

    def __iter__(self) -> Countdown:
        return self

    def __next__(self) -> int:
        with self._lock:
            if self.taken == self._turns:
                raise StopIteration
            self.taken += 1
            return self.taken


@dataclass
class Keys:
    """Tokens of the roles that the storm needs."""

    desk: str
    admin: str
    portals: list[str]

    @classmethod
    def made(cls, clients: int) -> Keys:
        now = datetime.now(UTC)
        portals = [create_token(role=Role.PORTAL, site=None, unit=None, now=now) for _ in range(clients)]
        desk, admin = (
            create_token(role=role, site=None, unit=None, now=now) for role in (Role.DESK, Role.ADMIN)
        )
        return cls(desk, admin, portals)


@dataclass
class Tally:
    """What happened, from all threads."""

    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    told: list[Told] = field(default_factory=list)
    said: Path = Path()
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, operation: str, outcome: str) -> None:
        with self._lock:
            self.outcomes[operation, outcome] += 1

    def complain(self, words: str) -> None:
        with self._lock:
            self.complaints.append(words)


class Person:
    """One client of the storm: does one thing after the other and remembers what it was told."""

    def __init__(self, name: int, url: str, keys: Keys, county: County, tally: Tally, seed: int) -> None:
        self.told = Told()
        self._name, self._keys, self._tally = name, keys, tally
        self._rng = Random(f"{seed} {name}")
        self._client = Client(url, keys.portals[name])
        self._starts: list[tuple[tuple[str, ...], dict[str, Any]]] = []
        self._absences: list[int] = []
        self._numbers = itertools.count(name * 100_000)
        self._services = [one.code for one in county.services if _is_booked(one)]
        self._sites = [site.code for site in county.sites]
        self._specialists = [one.code for one in county.specialists]
        self._today = datetime.now(BERLIN).date()

    def run(self, left: Iterator[int]) -> None:
        """Do things until none are left."""
        names, weights = list(OPERATIONS), list(OPERATIONS.values())
        for _ in left:
            name = self._rng.choices(names, weights)[0]
            try:
                self._do(name)
            except Lost:
                self._tally.complain(f"{name}: no answer within {GIVE_UP_AFTER:.0f} s")
        self._client.close()

    def _do(self, name: str) -> None:
        ready = {
            "hold": self._starts,
            "confirm": self.told.open_holds(),
            "release": self.told.open_holds(),
            "move": self._starts and self.told.standing(),
            "cancel": self.told.standing(),
            "event": self.told.standing(),
            "look": self.told.bookings,
        }
        if not ready.get(name, True):
            name = "hold" if self._starts else "offer"
        operation: Callable[[], None] = getattr(self, f"_{name}")
        operation()

    # --- Calls

    def _call(
        self, operation: str, method: str, path: str, body: object = None, **more: str
    ) -> tuple[Answer, bool]:
        """Call until there is an answer; whether an earlier one was lost. Raises Lost after a long time."""
        deadline, lost = time.monotonic() + GIVE_UP_AFTER, False
        while True:
            try:
                answer = self._client.call(method, f"/api/v1/{path}", body, **more)
            except Lost:
                self._tally.note(operation, "lost")
                if time.monotonic() > deadline:
                    raise
                lost = True
                time.sleep(0.05)
                continue
            self._tally.note(operation, str(answer.status))
            if answer.status >= 500:
                self._tally.complain(f"{operation}: {answer.status} {answer.body}")
            return answer, lost

    def _expect(self, operation: str, answer: Answer, *allowed: int) -> bool:
        """Whether it was done; complains of an answer that cannot be."""
        if answer.status not in allowed and answer.status < 500:
            self._tally.complain(f"{operation}: {answer.status} {answer.body}")
        return answer.status < 300

    # --- What citizens do

    def _offer(self) -> None:
        services = tuple(self._rng.sample(self._services, self._rng.choice([1, 1, 1, 2])))
        first = self._today + timedelta(days=self._rng.randint(1, DAYS))
        query = [f"service={code}" for code in services]
        query += [f"from={first}", f"to={first + timedelta(days=2)}"]
        query += [f"site={self._rng.choice(self._sites)}"] if self._rng.random() < 0.6 else []
        query += ["mode=on_site"] if self._rng.random() < 0.5 else []
        answer, _ = self._call("offer", "GET", f"offers?{'&'.join(query)}")
        if self._expect("offer", answer, 200):
            found = [
                (services, {"site": way["site"], "mode": way["mode"], "start": _instant(day["date"], clock)})
                for day in answer.body["days"]
                for way in day["offers"]
                for clock in way["starts"]
            ]
            self._starts += self._rng.sample(found, min(MOST_STARTS // 4, len(found)))
            self._starts = self._starts[-MOST_STARTS:]

    def _hold(self, *choice: tuple[tuple[str, ...], dict[str, Any]], operation: str = "hold") -> Held | None:
        services, place = choice[0] if choice else self._rng.choice(self._starts)
        desk = not choice and self._rng.random() < 0.2
        browser = {"Client_Id": f"browser {self._name}"} if not desk and self._rng.random() < 0.2 else {}
        key = {"Idempotency_Key": uuid.UUID(int=self._rng.getrandbits(128)).hex}
        token = self._keys.desk if desk else ""
        answer, _ = self._call(
            operation, "POST", "holds", {"services": services} | place, token=token, **key, **browser
        )
        if not self._expect(operation, answer, 201, 409):
            return None
        body = answer.body
        held = Held(body["hold"], _place(body), services, token, bool(browser), _time(body["expires_at"]))
        if held.place != (_time(place["start"]), place["site"], place["mode"]):
            self._tally.complain(f"hold: asked for {place}, told {body}")
        self.told.hold(held)
        return held

    def _confirm(self) -> None:
        held = self._rng.choice(self.told.open_holds())
        number = next(self._numbers)
        contact = {"name": f"Person {number}", "phone": f"0395 {number:07}"}
        if self._rng.random() < 0.8:
            contact["email"] = f"person-{number}@buergerin.example"
        answer, _ = self._call(
            "confirm",
            "POST",
            "appointments",
            {"hold": held.key, "contact": contact},
            token=held.token,
            Idempotency_Key=f"confirm {held.key}",
        )
        self.told.end(held)
        if self._expect("confirm", answer, 201):
            body = answer.body
            if _place(body) != held.place:
                self._tally.complain(f"confirm: held {held.place}, told {body}")
            self.told.bookings.append(
                Booked(body["reference"], body["token"], held.services, _place(body), "email" in contact)
            )

    def _release(self) -> None:
        held = self._rng.choice(self.told.open_holds())
        answer, lost = self._call("release", "DELETE", f"holds/{held.key}", token=held.token)
        self.told.end(held)
        self._expect("release", answer, 204, *([409] if lost else []))

    def _move(self) -> None:
        booked = self._rng.choice(self.told.standing())
        same = [choice for choice in self._starts if sorted(choice[0]) == sorted(booked.services)]
        held = self._hold(self._rng.choice(same), operation="move") if same else None
        if held is None:
            return
        answer, _ = self._call(
            "move",
            "POST",
            f"appointments/{booked.reference}/move",
            {"hold": held.key},
            token=booked.key,
            Idempotency_Key=f"move {held.key}",
        )
        self.told.end(held)
        if self._expect("move", answer, 200):
            booked.place = held.place
            if _place(answer.body) != held.place:
                self._tally.complain(f"move: held {held.place}, told {answer.body}")

    def _cancel(self) -> None:
        booked = self._rng.choice(self.told.standing())
        answer, lost = self._call("cancel", "DELETE", f"appointments/{booked.reference}", token=booked.key)
        self._expect("cancel", answer, 204, *([409] if lost else []))
        booked.status = "cancelled"

    def _look(self) -> None:
        booked = self._rng.choice(self.told.bookings)
        answer, _ = self._call("look", "GET", f"appointments/{booked.reference}", token=booked.key)
        if self._expect("look", answer, 200):
            seen = _place(answer.body), answer.body["status"]
            if seen != (booked.place, booked.status):
                self._tally.complain(f"look: told {booked}, seen {answer.body}")

    def _request(self) -> None:
        number = next(self._numbers)
        contact = {"name": f"Person {number}", "email": f"person-{number}@buergerin.example"}
        body = {
            "services": [self._rng.choice(self._services)],
            "sites": self._rng.sample(self._sites, 3),
            "contact": contact,
        }
        answer, _ = self._call("request", "POST", "requests", body)
        if self._expect("request", answer, 201, 422):
            self.told.requests.append(answer.body["reference"])

    # --- What the office does

    def _event(self) -> None:
        booked = self._rng.choice(self.told.standing())
        path = f"appointments/{booked.reference}/events"
        answer, lost = self._call("event", "POST", path, {"event": "check_in"}, token=self._keys.desk)
        self._expect("event", answer, 200, *([409] if lost else []))
        booked.status = "checked_in"

    def _absence(self) -> None:
        if self._absences and self._rng.random() < 0.5:
            number = self._absences.pop()
            answer, lost = self._call("absence", "DELETE", f"absences/{number}", token=self._keys.admin)
            self._expect("absence", answer, 204, *([404] if lost else []))
            return
        day = self._today + timedelta(days=self._rng.randint(1, DAYS))
        hour = self._rng.randint(8, 15)
        body = {
            "specialist": self._rng.choice(self._specialists),
            "from": _instant(str(day), f"{hour:02}:00"),
            "to": _instant(str(day), f"{hour + self._rng.randint(1, 8):02}:00"),
        }
        answer, _ = self._call("absence", "POST", "absences", body, token=self._keys.admin)
        if self._expect("absence", answer, 201, 409):
            self._absences.append(answer.body["absence"])


def _is_booked(service: Any) -> bool:
    return (
        service.bookable is Bookable.YES
        and service.handled_by is HandledBy.SPECIALIST
        and service.competence is Competence.OWN
    )


def _instant(day: str, clock: str) -> str:
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=BERLIN).isoformat()


def _time(told: str) -> datetime:
    return datetime.fromisoformat(told)


def _place(body: dict[str, Any]) -> tuple[datetime, str | None, str]:
    return _time(body["start"]), body["site"], body["mode"]


# --- Who disturbs


class Disturbance:
    """Planning runs all the time, and processes that are killed at random, until it is over."""

    def __init__(self, running: Deployment, tally: Tally, left: Countdown, weather: Weather) -> None:
        self._running, self._tally, self._left, self._kill = running, tally, left, weather.kill
        self._rng, self._over = Random(f"{weather.seed} kills"), threading.Event()
        self._threads = [threading.Thread(target=self._plan, args=(weather.seed,))]
        self._threads += [threading.Thread(target=self._kill_now_and_then)] if weather.kill else []

    def __enter__(self) -> None:
        for thread in self._threads:
            thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _plan(self, seed: int) -> None:
        rng = Random(f"{seed} plan")
        for number in itertools.count():
            if not self._reaches(number * PLAN_EVERY):
                return
            run = self._running.start("flask", "plan", "--seconds", "1", "--seed", str(number))
            if self._kill and rng.random() < 0.5 and not self._over.wait(rng.uniform(1.0, 6.0)):
                run.kill()
                self._tally.kills["planning runs"] += 1
            run.wait()

    def _kill_now_and_then(self) -> None:
        due = KILL_EVERY
        for number in itertools.count(1):
            if not self._reaches(due):
                return
            due = self._left.taken + self._rng.randint(1, 2 * KILL_EVERY)
            if number % 4:
                self._running.kill_web(self._rng)
                self._tally.kills["web processes"] += 1
            elif self._running.workers:
                self._running.kill_worker(self._rng.randrange(len(self._running.workers)))
                self._tally.kills["workers"] += 1

    def _reaches(self, operations: int) -> bool:
        """Wait until so many operations have begun; False where it is over before."""
        while self._left.taken < operations:
            if self._over.wait(LOOK_EVERY):
                return False
        return True


# --- The program


def storm(settings: Settings, county: County, weather: Weather, checker: Path | None = None) -> Tally:
    """Let it rage over the application whose context is pushed, and look at what is left."""
    tally, keys = Tally(), Keys.made(weather.clients)
    with deployed(settings, web=weather.web, workers=weather.workers) as running:
        people = [Person(n, running.url, keys, county, tally, weather.seed) for n in range(weather.clients)]
        left = Countdown(weather.operations)
        began = time.monotonic()
        with Disturbance(running, tally, left, weather), ThreadPoolExecutor(weather.clients) as pool:
            for done in [pool.submit(person.run, left) for person in people]:
                done.result()
            tally.seconds = time.monotonic() - began
    tally.told, tally.said = [person.told for person in people], running.said
    tally.complaints += complaints_about(settings, tally.told, running.said, checker)
    return tally


@click.command()
@click.option("--operations", default=5000, show_default=True)
@click.option("--clients", default=16, show_default=True)
@click.option("--web", default=3, show_default=True, help="Web processes.")
@click.option("--workers", default=2, show_default=True)
@click.option("--engine", type=click.Choice(ENGINES), default="postgresql", show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--kill", is_flag=True, help="Kill web processes, workers and planning runs at random.")
@click.option(
    "--checker", type=click.Path(exists=True, path_type=Path), help="Another checker: FILE INSTANCE PLAN."
)
def main(engine: str, checker: Path | None, **weather: Any) -> None:
    """Rage, and tell what became of it."""
    county = read_folder(ROOT / "examples" / "mecklenburgische-seenplatte")
    with new_app(engine, county) as app:
        tally = storm(app.extensions["settings"], county, Weather(**weather), checker)
    tell(engine, weather["operations"], tally)
    sys.exit(1 if tally.complaints else 0)


def tell(engine: str, operations: int, tally: Tally) -> None:
    outcomes = sorted({outcome for _, outcome in tally.outcomes})
    click.echo(f"{'operation':<10}" + "".join(f"{outcome:>8}" for outcome in outcomes))
    for name in OPERATIONS:
        click.echo(
            f"{name:<10}" + "".join(f"{tally.outcomes[name, outcome] or '':>8}" for outcome in outcomes)
        )
    killed = ", ".join(f"{number} {what}" for what, number in sorted(tally.kills.items())) or "nothing"
    click.echo(
        f"{engine}: {operations} operations in {tally.seconds:.1f} s, {operations / tally.seconds:.0f}/s"
    )
    click.echo(f"killed: {killed}; complaints: {len(tally.complaints)}")
    for words in tally.complaints[:20]:
        click.echo(f"  {words[:500]}", err=True)


if __name__ == "__main__":
    main()
