"""The flask commands: each reads its arguments, calls a use case and says what came of it.

Mistakes are told one a line, with their place, in the language of the terminal (German or English); the
exit status is 1 where something was wrong and 2 for a wrong call.
"""

from __future__ import annotations

import functools
import os
import sys
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click
from flask.cli import AppGroup, ScriptInfo, with_appcontext
from flask_migrate import upgrade

from booking_service import supervisor
from booking_service.domain import zones
from booking_service.domain.bookings import Role
from booking_service.domain.mistakes import Language, Rejected
from booking_service.mail.transport import open_transport
from booking_service.services import (
    absences,
    county,
    outbox,
    planning,
    requests,
    scenarios,
    tokens,
    witness,
)
from booking_service.services.demo import demo_requests
from booking_service.services.places import NotFound
from booking_service.store.county import NoCounty

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

    from booking_service.services.links import Links
    from booking_service.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")

MOST_SHOWN = 20

county_commands = AppGroup("county", help="Load, check and export the county.")


def register(app: Flask) -> None:
    """Give the application its commands."""
    for command in (
        county_commands,
        token_commands,
        absence_commands,
        plan,
        deliver,
        verify,
        export_plan,
        demo,
        simulate,
        serve,
        worker,
    ):
        app.cli.add_command(command)


def _language() -> Language:
    # as POSIX has it: one that is empty counts as not set
    locale = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    return "de" if locale.startswith("de") else "en"


def telling_mistakes(command: Callable[P, T]) -> Callable[P, T]:
    """Tell what was wrong with the input, one mistake a line, and leave with status 1."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return command(*args, **kwargs)
        except Rejected as rejected:
            for mistake in rejected.mistakes:
                click.echo(f"{mistake.place}: {mistake.words(_language())}", err=True)
        except NoCounty as error:
            click.echo(str(error), err=True)
        sys.exit(1)

    return run


def _settings() -> Settings:
    settings: Settings = _app().extensions["settings"]
    return settings


def _links() -> Links:
    links: Links = _app().extensions["links"]
    return links


def _app() -> Flask:
    return click.get_current_context().ensure_object(ScriptInfo).load_app()


# --- The county --------------------------------------------------------------

FOLDER = click.argument("folder", type=click.Path(path_type=Path))


@county_commands.command("load")
@FOLDER
@with_appcontext
@telling_mistakes
def load_county(folder: Path) -> None:
    """Make the database hold the county of FOLDER."""
    _tell_county(county.load(folder=folder), "loaded")


@county_commands.command("check")
@FOLDER
@with_appcontext
@telling_mistakes
def check_county(folder: Path) -> None:
    """Read the county of FOLDER and keep nothing."""
    _tell_county(county.check(folder=folder), "is in order")


@county_commands.command("export")
@FOLDER
@with_appcontext
@telling_mistakes
def export_county(folder: Path) -> None:
    """Write the county into FOLDER."""
    _tell_county(county.export(folder=folder), "written")


def _tell_county(known: Any, what: str) -> None:
    counts = ", ".join(
        f"{len(getattr(known, part))} {part}"
        for part in ("sites", "units", "services", "specialists", "places")
    )
    click.echo(f"{known.settings.name} {what}: {counts}")


# --- Planning and mail -------------------------------------------------------


@click.command("plan")
@click.option(
    "--seconds", type=click.FloatRange(min=0.1), help="Search time; the county's setting if not given."
)
@click.option("--seed", type=int, default=0, show_default=True)
@with_appcontext
@telling_mistakes
def plan(seconds: float | None, seed: int) -> None:
    """Promise what can be promised of all that waits, and write the mails."""
    outcome = _plan(datetime.now(UTC), seconds, seed)
    click.echo(
        f"{outcome.waiting} waited, {outcome.promised} promised, {outcome.reassigned} reassigned, "
        f"{outcome.mails} mails written, gap {_percent(outcome.gap)}, {outcome.seconds:.1f} s"
    )
    _tell_unserved(outcome)
    for day in outcome.stuck:
        click.echo(f"{day}: not all promises of this day can be kept, it was left as it is", err=True)
    if outcome.stuck or outcome.busy:
        sys.exit(1)


def _plan(now: datetime, seconds: float | None, seed: int) -> planning.Outcome:
    """Plan with a line on the terminal that tells how far the search has come."""
    shown = sys.stderr.isatty()

    def progress(at: planning.Progress) -> None:
        bound = "-" if at.bound is None else f"{at.bound:.0f}"
        click.echo(f"\rplanning {at.seconds:4.0f} s  cost {at.cost}  bound {bound}  ", err=True, nl=False)

    outcome = planning.plan(
        links=_links(),
        now=now,
        clock=time.monotonic,
        seconds=seconds,
        seed=seed,
        progress=progress if shown else None,
    )
    if shown:
        click.echo(err=True)
    return outcome


def _tell_unserved(outcome: planning.Outcome) -> None:
    for request in outcome.unserved[:MOST_SHOWN]:
        why = " ".join(cause.words(_language()) for cause in request.causes)
        click.echo(f"{request.reference}: {why}")
    if len(outcome.unserved) > MOST_SHOWN:
        click.echo(f"... and {len(outcome.unserved) - MOST_SHOWN} more")


@click.command("deliver")
@with_appcontext
@telling_mistakes
def deliver() -> None:
    """Send the mails that are due."""
    done = _deliver()
    click.echo(f"{done.sent} sent, {done.deferred} put off, {done.failed} failed")


def _deliver(progress: Callable[[int], None] | None = None) -> outbox.Delivery:
    sender = county.current_county().settings.sender_address
    with open_transport(_settings().mail_url) as transport:
        return outbox.deliver(transport, sender=sender, now=lambda: datetime.now(UTC), progress=progress)


# --- The witness -------------------------------------------------------------


@click.command("verify")
@with_appcontext
@telling_mistakes
def verify() -> None:
    """Check that every promise can be kept and every citizen has been told."""
    visits, violations = witness.verify(now=datetime.now(UTC))
    for violation in violations:
        click.echo(violation, err=True)
    click.echo(f"{visits} visits promised, {len(violations)} violations")
    if violations:
        sys.exit(1)


class IsoDate(click.ParamType[date]):
    """A date such as 2026-11-24."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:  # noqa: D102
        try:
            return date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a date such as 2026-11-24", param, ctx)


@click.command("export-plan")
@click.option("--from", "first", type=IsoDate(), required=True)
@click.option("--to", "last", type=IsoDate(), required=True)
@click.option("-o", "--output", "folder", type=click.Path(path_type=Path, file_okay=False), required=True)
@with_appcontext
@telling_mistakes
def export_plan(first: date, last: date, folder: Path) -> None:
    """Write instance.json and plan.json of some days, without personal data."""
    if last < first:
        raise click.UsageError("--to lies before --from")
    visits = witness.export_plan(first=first, last=last, folder=folder)
    click.echo(f"{visits} visits written to {folder}")


# --- Absences ----------------------------------------------------------------

absence_commands = AppGroup("absence", help="Specialists who are away.")


class LocalTime(click.ParamType[datetime]):
    """A time by the county's clock such as 2026-11-24T08:00, or one with its own zone."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:  # noqa: D102
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a time such as 2026-11-24T08:00", param, ctx)


@absence_commands.command("add")
@click.argument("specialist")
@click.option("--from", "begin", type=LocalTime(), required=True)
@click.option("--to", "end", type=LocalTime(), required=True)
@with_appcontext
@telling_mistakes
def add_absence(specialist: str, begin: datetime, end: datetime) -> None:
    """Record that SPECIALIST is away; colleagues take over what she has promised, or nothing is changed."""
    zone = county.current_county().settings.zone
    away = absences.Away(specialist, _instant(begin, zone), _instant(end, zone))
    try:
        recorded = absences.record_absence(away=away, now=datetime.now(UTC))
    except absences.PromisesAtRisk as risk:
        for visit in risk.visits:
            click.echo(f"nobody else can keep {_told(visit, zone)}", err=True)
        sys.exit(1)
    for visit in recorded.taken_over:
        click.echo(f"{_told(visit, zone)}: {visit.specialist}")
    begun, over = (zones.to_local(moment, zone) for moment in (recorded.begin, recorded.end))
    click.echo(f"absence {recorded.number} recorded: {specialist} from {begun} to {over}")


@absence_commands.command("remove")
@click.argument("number", type=click.IntRange(1))
@with_appcontext
@telling_mistakes
def remove_absence(number: int) -> None:
    """Forget the absence NUMBER; what colleagues took over stays with them."""
    try:
        absences.delete_absence(number=number, unit=None, now=datetime.now(UTC))
    except NotFound:
        raise click.ClickException(f"there is no absence {number} that was recorded here") from None
    click.echo(f"absence {number} removed")


def _instant(told: datetime, zone: str) -> datetime:
    try:
        return told if told.tzinfo else zones.from_local(told, zone)
    except zones.NoSuchTime as error:
        raise click.UsageError(str(error)) from None


def _told(visit: absences.Visit, zone: str) -> str:
    place = visit.place
    start = zones.to_local(place.start, zone)
    where = f"{place.mode} at {place.site}" if place.site else place.mode
    return f"{visit.reference} on {start:%Y-%m-%d at %H:%M}, {where}"


# --- Keys to the API ---------------------------------------------------------

token_commands = AppGroup("token", help="Keys to the API for portals and staff.")


@token_commands.command("create")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--site", help="Code of the site, for a desk.")
@click.option("--unit", help="Code of the unit, for its head or a specialist.")
@telling_mistakes
def create_token(role: str, site: str | None, unit: str | None) -> None:
    """Make a token and print it; it is not shown again."""
    click.echo(tokens.create_token(role=Role(role), site=site, unit=unit, now=datetime.now(UTC)))


# --- The demonstration -------------------------------------------------------


@click.command("demo")
@click.option("--requests", "number", type=click.IntRange(1, 100_000), default=200, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True)
@click.option(
    "--seconds", type=click.FloatRange(min=0.1), help="Search time; the county's setting if not given."
)
@with_appcontext
@telling_mistakes
def demo(number: int, seed: int, seconds: float | None) -> None:
    """Let invented citizens ask, plan, deliver, and show a table."""
    _demo(number, seed, seconds)


def _demo(number: int, seed: int, seconds: float | None) -> None:
    began = time.monotonic()
    now = datetime.now(UTC)
    wanted = demo_requests(county.current_county(), number=number, seed=seed, now=now)
    with click.progressbar(wanted, length=number, label="requests", file=sys.stderr) as bar:
        for request in bar:
            requests.take_request(wanted=request.wanted, contact=request.contact, notify=None, now=now)
    outcome = _plan(now, seconds, seed)
    with click.progressbar(length=outcome.mails, label="mails   ", file=sys.stderr) as bar:
        done = _deliver(bar.update)
    _tell_table(number, outcome, done, time.monotonic() - began)
    _tell_unserved(outcome)


def _tell_table(number: int, outcome: planning.Outcome, done: outbox.Delivery, seconds: float) -> None:
    waits = sorted(outcome.waiting_days)
    rows = (
        ("requests", f"{number}"),
        ("served", f"{outcome.promised} of {outcome.waiting} waiting"),
        ("waiting days", f"median {waits[len(waits) // 2]}, longest {waits[-1]}" if waits else "-"),
        ("travel hours", f"{outcome.travel_minutes / 60:.1f}"),
        ("mails", f"{done.sent} sent, {done.deferred} put off, {done.failed} failed"),
        ("seconds", f"{seconds:.1f}, of which planning {outcome.seconds:.1f}"),
        ("proven gap", _percent(outcome.gap)),
    )
    for name, value in rows:
        click.echo(f"{name:<14}{value}")


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


# --- What if -----------------------------------------------------------------

OUTPUT = click.Path(path_type=Path, dir_okay=False)
SHARE = click.FloatRange(0.01, 2)


@click.command("simulate")
@click.option(
    "--closure-week", "unit", metavar="UNIT", help="Compare a closure week in each week of a month."
)
@click.option("--from", "first", type=IsoDate(), help="The next Monday if not given.")
@click.option("--days", type=click.IntRange(7, 3660), default=420, show_default=True)
@click.option(
    "--warm-up", type=click.IntRange(0), default=56, show_default=True, help="Days that do not count."
)
@click.option(
    "--visits", type=SHARE, default=0.6, show_default=True, help="Share of the hours that visits take."
)
@click.option(
    "--work", type=SHARE, default=0.85, show_default=True, help="Share of all time that work takes."
)
@click.option("--runs", type=click.IntRange(0, 1000), default=3, show_default=True, help="0: only -o.")
@click.option("--seed", type=int, default=0, show_default=True)
@click.option("--processes", type=click.IntRange(1, 64), default=1, show_default=True)
@click.option("-o", "--output", type=OUTPUT, help="The scenario as a file, to be edited.")
@click.option("--csv", "table", type=OUTPUT, help="Every figure of every run.")
@click.option("--chart", "picture", type=OUTPUT, help="Waiting and backlog by week (SVG).")
@with_appcontext
@telling_mistakes
def simulate(  # noqa: PLR0913 - one for each option
    *,
    unit: str | None,
    first: date | None,
    days: int,
    warm_up: int,
    visits: float,
    work: float,
    runs: int,
    seed: int,
    processes: int,
    output: Path | None,
    table: Path | None,
    picture: Path | None,
) -> None:
    """Live through the county's next year: what a closure week would do, for example."""
    if warm_up >= days:
        raise click.UsageError("--warm-up must be shorter than --days")
    known = county.current_county()
    today = zones.local_day(datetime.now(UTC), known.settings.zone)
    document = scenarios.scenario_of(
        known,
        first_day=first or today + timedelta(days=7 - today.weekday()),
        days=days,
        warm_up=warm_up,
        assumptions=scenarios.Assumptions(visits, work),
        closed_unit=unit,
    )
    if output is not None:
        output.write_text(scenarios.text_of(document), encoding="utf-8")
    if runs:
        report = scenarios.simulated(
            document,
            runs=runs,
            seed=seed,
            processes=processes,
            progress=lambda text: click.echo(text, err=True),
        )
        click.echo(f"{report.table()}\n\n{report.answer()}")
        if table is not None:
            table.write_text(report.csv(), encoding="utf-8")
        if picture is not None:
            picture.write_text(scenarios.picture_of(report), encoding="utf-8")


# --- Running -----------------------------------------------------------------

EXAMPLE = Path(__file__).parent.parent / "examples" / "mecklenburgische-seenplatte"
DEMO_REQUESTS = 200
DEMO_SECONDS = 5.0


@click.command("serve")
@with_appcontext
@telling_mistakes
def serve() -> None:
    """Bring the database up to date and run web server and worker until Ctrl-C.

    An empty database gets the example county with some requests, so that there is something to see.
    """
    settings = _settings()
    try:
        supervisor.refuse_taken(settings.port)
        upgrade()
        _fill_empty_database()
        sys.exit(supervisor.run(settings, functools.partial(_tell_ready, settings)))
    except supervisor.PortTaken as error:
        raise click.ClickException(str(error)) from None


def _fill_empty_database() -> None:
    if not county.has_county():
        _tell_county(county.load(folder=EXAMPLE), "loaded as an example")
        _demo(DEMO_REQUESTS, seed=1, seconds=DEMO_SECONDS)


def _tell_ready(settings: Settings) -> None:
    click.echo(f"\nTerminlotse is running. Open {settings.public_url}/ (stop with Ctrl-C)")
    click.echo(f"API:   {settings.public_url}/api/v1/")
    if settings.mailbox is not None:
        click.echo(f"Mails: {settings.public_url}/postfach/ (files in {settings.mailbox})")


@click.command("worker")
def worker() -> None:
    """Run the background tasks: mail every minute, the plan at night."""
    _app().extensions["huey"].create_consumer(workers=1, worker_type="thread", backoff=1.0).run()
