"""Taking requests for appointments, from the API and from the desk, by the same rules.

Whatever is wrong with a request is told at once, each mistake at its place (a JSON pointer into the
request), and nothing is kept of a request with mistakes.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import phonenumbers
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
from booking_service.domain.county import Bookable, Competence, HandledBy, Mode
from booking_service.domain.mistakes import Mistake, Rejected
from booking_service.mail.addresses import BadAddress, clean_address
from booking_service.services.calendar import bookable_spans, calendar_of
from booking_service.services.causes import Cause, from_json
from booking_service.services.links import new_reference
from booking_service.store.booking_tables import (
    ContactRow,
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

LONGEST_NAME = 200
FARTHEST = timedelta(days=366)
NOT_IN_NAMES = ("Cc", "Cs", "Co", "Zl", "Zp")
BIDI_CONTROLS = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u061c")


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
    cleaned, mistakes = _clean_contact(contact, notify, wanted, entry)
    mistakes += _mistakes(county, wanted, now)
    # looked at last: a wrong site or service would make every window wrong as well
    mistakes = mistakes or [*_opening_mistakes(county, wanted, now)]
    if mistakes:
        raise Rejected(mistakes)
    reference = _unused_reference(session)
    languages = county.settings.languages
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
        contact=ContactRow(
            name=cleaned.name,
            email=cleaned.email,
            phone=cleaned.phone,
            language=wanted.language if wanted.language in languages else "de",
            notify=notify or (Notify.EMAIL if cleaned.email else Notify.PRINT),
        ),
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


# --- The contact -------------------------------------------------------------


def _clean_contact(
    contact: Contact, notify: Notify | None, wanted: Wanted, entry: Entry
) -> tuple[Contact, list[Mistake]]:
    mistakes = [*_name_mistakes(contact.name)]
    email = phone = None
    if contact.email:
        try:
            email = clean_address(contact.email)
        except BadAddress as error:
            mistakes.append(Mistake("/contact/email", error.code))
    if contact.phone:
        phone = _clean_phone(contact.phone)
        if phone is None:
            mistakes.append(Mistake("/contact/phone", "phone_wrong"))
    if not (contact.email or contact.phone) and entry is not Entry.DESK:
        mistakes.append(Mistake("/contact", "contact_missing"))
    if notify is Notify.EMAIL and not contact.email:
        mistakes.append(Mistake("/contact/email", "email_needed"))
    if Mode.PHONE in wanted.modes and not contact.phone:
        mistakes.append(Mistake("/contact/phone", "phone_needed"))
    return Contact(" ".join(contact.name.split()), email, phone), mistakes


def _name_mistakes(name: str) -> Iterator[Mistake]:
    place = "/contact/name"
    wrong = next(
        (c for c in name if unicodedata.category(c) in NOT_IN_NAMES or c in BIDI_CONTROLS),
        None,
    )
    if not name.strip():
        yield Mistake(place, "name_missing")
    elif len(name) > LONGEST_NAME:
        yield Mistake(place, "name_too_long", {"most": LONGEST_NAME, "length": len(name)})
    if wrong is not None:
        yield Mistake(
            place, "name_control", {"code_point": f"U+{ord(wrong):04X}", "position": name.index(wrong) + 1}
        )


def _clean_phone(text: str) -> str | None:
    """The number in international form; numbers without a country are German."""
    try:
        number = phonenumbers.parse(text, "DE")
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


# --- The wish ----------------------------------------------------------------


def _mistakes(county: County, wanted: Wanted, now: datetime) -> Iterator[Mistake]:
    services = [service for service in county.services if service.code in wanted.services]
    yield from _service_mistakes(county, wanted.services)
    yield from _site_mistakes(county, wanted)
    yield from _mode_mistakes(county, wanted.modes, services)
    yield from _need_mistakes(wanted.needs)
    yield from _people_mistakes(county, wanted, services)
    yield from _window_mistakes(wanted.windows, now)


def _service_mistakes(county: County, codes: Sequence[str]) -> Iterator[Mistake]:
    known = {service.code: service for service in county.services}
    if not codes:
        yield Mistake("/services", "services_missing")
    for position, code in enumerate(codes):
        place = f"/services/{position}"
        service = known.get(code)
        if service is None:
            yield Mistake(place, "service_unknown", {"service": code})
        elif code in codes[:position]:
            yield Mistake(place, "service_twice", {"service": code})
        elif service.competence is Competence.REFER:
            yield Mistake(place, "service_referred", {"service": code, "to": service.refer_to})
        elif service.handled_by is not HandledBy.SPECIALIST or service.bookable not in (
            Bookable.YES,
            Bookable.SAME_DAY,
        ):
            yield Mistake(place, "service_not_bookable", {"service": code})


def _site_mistakes(county: County, wanted: Wanted) -> Iterator[Mistake]:
    known = {site.code: site for site in county.sites}
    if not wanted.sites and set(wanted.modes) - {Mode.PHONE}:
        yield Mistake("/sites", "sites_missing")
    for position, code in enumerate(wanted.sites):
        place = f"/sites/{position}"
        if code not in known:
            yield Mistake(place, "site_unknown", {"site": code})
        elif code in wanted.sites[:position]:
            yield Mistake(place, "site_twice", {"site": code})
        elif Need.STEP_FREE in wanted.needs and known[code].step_free == "no":
            yield Mistake(place, "site_has_steps", {"site": code})


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


def _people_mistakes(county: County, wanted: Wanted, services: Sequence[Service]) -> Iterator[Mistake]:
    spoken = {language for specialist in county.specialists for language in specialist.languages}
    if wanted.language is not None and wanted.language not in spoken:
        yield Mistake(
            "/language", "language_unknown", {"language": wanted.language, "known": _listed(spoken)}
        )
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


def _listed(words: Iterable[str]) -> str:
    return ", ".join(sorted(words))
