"""Taking requests for appointments, from the API and from the desk, by the same rules.

Whatever is wrong with a request is told at once, each mistake at its place (a JSON pointer into the
request), and nothing is kept of a request with mistakes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from booking_service.domain import zones
from booking_service.domain.bookings import (
    Contact,
    Entry,
    Need,
    Notify,
    RequestStatus,
    TimeWindow,
    Wanted,
)
from booking_service.domain.county import Mode
from booking_service.domain.mistakes import Mistake, Rejected
from booking_service.services.calendar import bookable_spans, calendar_of
from booking_service.services.causes import Cause, from_json
from booking_service.services.contacts import clean_contact, contact_row
from booking_service.services.links import new_reference
from booking_service.services.references import language_mistakes, service_mistakes, site_mistakes
from booking_service.store.booking_tables import (
    RequestRow,
    RequestService,
    RequestSite,
    RequestWindow,
)
from booking_service.store.county import read_county
from booking_service.store.db import reading, transactional

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy.orm import Session

    from booking_service.domain.county import County, Service

FARTHEST = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class RequestState:
    """What may be told about a request to whoever has its token. `causes` say why it still waits."""

    reference: str
    status: RequestStatus
    causes: tuple[Cause, ...]
    start: datetime | None = None
    end: datetime | None = None
    mode: Mode | None = None
    site: str | None = None


@transactional
def take_request(
    session: Session,
    *,
    wanted: Wanted,
    contact: Contact,
    notify: Notify | None,
    now: datetime,
) -> str:
    """Keep a request that came in over the API; its reference.

    Raises Rejected with all mistakes.
    """
    return _take(session, wanted, contact, notify, Entry.API, None, now)


@transactional
def take_walk_in(
    session: Session,
    *,
    wanted: Wanted,
    contact: Contact,
    notify: Notify | None,
    site: str,
    now: datetime,
) -> str:
    """Keep the request of somebody who stands at the desk of `site`; its reference.

    Nobody at a desk needs an e-mail address or a phone: the confirmation is printed. Where no site is
    named, this one is meant. Raises Rejected with all mistakes.
    """
    county = read_county(session)
    if site not in {known.code for known in county.sites}:
        raise Rejected([Mistake("/site", "site_unknown", {"site": site})])
    wanted = replace(wanted, sites=wanted.sites or (site,))
    return _take(session, wanted, contact, notify, Entry.DESK, site, now)


@reading
def request_state(session: Session, *, reference: str) -> RequestState | None:
    """How a request stands, None where there is none."""
    row = session.execute(select(RequestRow).where(RequestRow.reference == reference)).scalar()
    if row is None:
        return None
    state = RequestState(row.reference, row.status, tuple(from_json(kept) for kept in row.causes))
    promise = row.appointment
    if promise is None:
        return state
    return replace(state, start=promise.start_at, end=promise.end_at, mode=promise.mode, site=promise.site)


def _take(
    session: Session,
    wanted: Wanted,
    contact: Contact,
    notify: Notify | None,
    entry: Entry,
    desk_site: str | None,
    now: datetime,
) -> str:
    county = read_county(session)
    cleaned, mistakes = clean_contact(contact, notify, wanted.modes, entry)
    mistakes += _mistakes(county, wanted, now)
    # looked at last: a wrong site or service would make every window wrong as well
    mistakes = mistakes or [*_opening_mistakes(county, wanted, now)]
    if mistakes:
        raise Rejected(mistakes)
    reference = _unused_reference(session)
    row = RequestRow(
        reference=reference,
        status=RequestStatus.WAITING,
        entry=entry,
        desk_site=desk_site,
        created_at=now,
        modes=wanted.modes,
        language=None if wanted.language == "de" else wanted.language,
        needs=wanted.needs,
        urgency=wanted.urgency,
        wish=wanted.wish,
        causes=[],
        contact=contact_row(county, cleaned, notify, wanted.language),
        services=[RequestService(position=i, service=code) for i, code in enumerate(wanted.services)],
        sites=[RequestSite(position=i, site=code) for i, code in enumerate(wanted.sites)],
        windows=[
            RequestWindow(position=i, begin_at=w.begin, end_at=w.end) for i, w in enumerate(wanted.windows)
        ],
    )
    session.add(row)
    return reference


def _unused_reference(session: Session) -> str:
    while True:
        reference = new_reference()
        if session.execute(select(RequestRow.id).where(RequestRow.reference == reference)).first() is None:
            return reference


# --- The wish ----------------------------------------------------------------


def _mistakes(county: County, wanted: Wanted, now: datetime) -> Iterator[Mistake]:
    services = [service for service in county.services if service.code in wanted.services]
    yield from service_mistakes(county, wanted.services)
    yield from site_mistakes(county, wanted.sites)
    yield from _step_mistakes(county, wanted)
    yield from _mode_mistakes(county, wanted.modes, services)
    yield from _need_mistakes(wanted.needs)
    yield from language_mistakes(county, wanted.language)
    yield from _wish_mistakes(county, wanted, services)
    yield from _window_mistakes(wanted.windows, now)


def _step_mistakes(county: County, wanted: Wanted) -> Iterator[Mistake]:
    if not wanted.sites and set(wanted.modes) - {Mode.PHONE}:
        yield Mistake("/sites", "sites_missing")
    with_steps = {site.code for site in county.sites if site.step_free == "no"}
    for position, code in enumerate(wanted.sites):
        if Need.STEP_FREE in wanted.needs and code in with_steps:
            yield Mistake(f"/sites/{position}", "site_has_steps", {"site": code})


def _mode_mistakes(county: County, modes: Sequence[Mode], services: Iterable[Service]) -> Iterator[Mistake]:
    offered = {(variant.service, variant.mode) for variant in county.variants}
    if not modes:
        yield Mistake("/modes", "modes_missing")
    for position, mode in enumerate(modes):
        if mode in modes[:position]:
            yield Mistake(f"/modes/{position}", "mode_twice", {"mode": mode})
            continue
        for service in services:
            if (service.code, mode) not in offered:
                yield Mistake(
                    f"/modes/{position}", "mode_not_offered", {"service": service.code, "mode": mode}
                )


def _need_mistakes(needs: Sequence[Need]) -> Iterator[Mistake]:
    for position, need in enumerate(needs):
        if need in needs[:position]:
            yield Mistake(f"/needs/{position}", "need_twice", {"need": need})


def _wish_mistakes(county: County, wanted: Wanted, services: Sequence[Service]) -> Iterator[Mistake]:
    if wanted.wish is None:
        return
    specialist = next((s for s in county.specialists if s.code == wanted.wish), None)
    if specialist is None:
        yield Mistake("/wish", "specialist_unknown", {"specialist": wanted.wish})
    elif services and not {service.code for service in services} & set(specialist.skills):
        yield Mistake("/wish", "specialist_unfit", {"specialist": wanted.wish})


def _window_mistakes(windows: Sequence[TimeWindow], now: datetime) -> Iterator[Mistake]:
    for position, window in enumerate(windows):
        place = f"/windows/{position}"
        naive = [name for name, at in (("from", window.begin), ("to", window.end)) if at.tzinfo is None]
        for name in naive:
            yield Mistake(f"{place}/{name}", "time_without_zone")
        if naive:
            continue
        if window.begin >= window.end:
            yield Mistake(place, "window_reversed")
        elif window.end <= now:
            yield Mistake(f"{place}/to", "window_past")
        elif window.begin < now - FARTHEST:
            yield Mistake(f"{place}/from", "window_past")
        elif window.begin > now + FARTHEST:
            yield Mistake(f"{place}/from", "window_too_far", {"days": FARTHEST.days})
        elif window.end > now + FARTHEST:
            yield Mistake(f"{place}/to", "window_too_far", {"days": FARTHEST.days})


def _opening_mistakes(county: County, wanted: Wanted, now: datetime) -> Iterator[Mistake]:
    """A window in which nobody could ever be met, however many specialists there were."""
    zone = county.settings.zone
    for position, asked in enumerate(wanted.windows):
        window = replace(asked, begin=max(asked.begin, now))
        first = zones.local_day(window.begin, zone)
        last = zones.local_day(window.end, zone)
        calendar = calendar_of(county, first, last)
        days = (first + timedelta(days=n) for n in range((last - first).days + 1))
        ways = [
            (mode, site)
            for mode in wanted.modes
            for site in ((None,) if mode is Mode.PHONE else wanted.sites)
        ]
        if not any(
            bookable_spans(county, calendar, wanted.services, mode, site, day, (window,))
            for day in days
            for mode, site in ways
        ):
            yield Mistake(f"/windows/{position}", "window_outside_hours")
