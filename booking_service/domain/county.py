"""What a county is made of: units, services, sites, hours, specialists. Values only.

Codes are the county's own (`DM-BSC`, `GSI-NEU`) and identify everything between files, tables, API
and planner. Times of day are integer minutes from local midnight, spans are half-open, weekdays are
ISO (1 is Monday), dates of validity are inclusive and None where open. The rules between these values
(references, overlaps) are checked where a county enters, in `store.county_rules`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date, datetime


class Mode(StrEnum):
    """Where citizen and specialist meet: at the site, by video from a room of the site, or by phone."""

    ON_SITE = "on_site"
    VIDEO = "video"
    PHONE = "phone"


class Access(StrEnum):
    """Whether an hour is for everybody who comes or for appointments only."""

    OPEN = "open"
    APPOINTMENT = "appointment"


class Channel(StrEnum):
    """What a closure can close."""

    IN_PERSON_OPEN = "in_person_open"
    IN_PERSON_APPOINTMENT = "in_person_appointment"
    PHONE = "phone"
    VIDEO = "video"


class HandledBy(StrEnum):
    """Who serves: a specialist who is planned, the desk of a site, or nobody yet."""

    SPECIALIST = "specialist"
    DESK = "desk"
    NOBODY = "nobody"


class Competence(StrEnum):
    """Whether the county decides itself or takes the application for another authority (§ 16 SGB I)."""

    OWN = "own"
    REFER = "refer"


class Bookable(StrEnum):
    """How an appointment for a service can be had."""

    YES = "yes"
    SAME_DAY = "same_day"
    WALK_IN = "walk_in"
    NO = "no"


class UrgentClass(StrEnum):
    """How urgent a service's cases can be."""

    NORMAL = "normal"
    CAN_BE_URGENT = "can_be_urgent"
    URGENT = "urgent"


class Emergency(StrEnum):
    """A kind of emergency, for which the same day matters more than papers."""

    NO_MONEY = "no_money"
    POWER_CUT = "power_cut"
    HOME_LOSS = "home_loss"
    NO_MEDICAL_COVER = "no_medical_cover"
    NO_SHELTER = "no_shelter"
    CHILD_PROTECTION = "child_protection"
    MENTAL_CRISIS = "mental_crisis"
    DEADLINE = "deadline"


class Sensitivity(StrEnum):
    """How sensitive it is that somebody asks for a service; steers secrecy in mails and screens."""

    PERSONAL = "personal"
    SOCIAL = "social"
    HEALTH = "health"
    ORIGIN = "origin"
    CONFIDENTIAL = "confidential"


class SiteKind(StrEnum):
    """What kind of house a site is."""

    HEADQUARTERS = "headquarters"
    SPECIALIST_BASE = "specialist_base"
    SERVICE_CENTRE = "service_centre"
    BRANCH = "branch"
    OUTREACH = "outreach"


@dataclass(frozen=True, slots=True)
class PlanningRules:
    """The county's planning settings; the prices are those of the planner's objective.

    `horizon_days` counts calendar days from today, `lead_days` the working days before the first
    day that may be planned (0 is today), `publish_days` those before the first day on which promises may
    still change hands (1: only today's may not); see `services.publication`.
    """

    horizon_days: int
    lead_days: int
    publish_days: int
    tick_minutes: int
    seconds: int
    unserved_normal: int
    unserved_soon: int
    unserved_urgent: int
    lost_promise: int
    wait_day: int
    wish: int
    change: int
    travel_minute: int
    later_choice: int


@dataclass(frozen=True, slots=True)
class BookingRules:
    """What holds for every booking in the county.

    `hold_minutes` is how long a place is held for somebody who has not confirmed yet, `holds_per_client`
    how many such places one API client may hold at once, `open_per_contact` how many appointments still
    to come one e-mail address or phone number may have. A cancelled place is offered again after a
    number of minutes drawn between `release_delay_least` and `release_delay_most` (0 and 0: at once), so
    that nobody can hand it on by cancelling. A specialist is sent to another site than her base only for
    at least `least_per_trip` visits.
    """

    hold_minutes: int
    holds_per_client: int
    open_per_contact: int
    release_delay_least: int
    release_delay_most: int
    least_per_trip: int


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for the whole county. `state` is the Land (ISO 3166-2 without DE-), for its holidays."""

    code: str
    name: str
    state: str
    zone: str
    closed_days: tuple[str, ...]
    languages: tuple[str, ...]
    office_group: str
    sender_name: str
    sender_address: str
    attribution: tuple[str, ...]
    planning: PlanningRules
    booking: BookingRules


@dataclass(frozen=True, slots=True)
class Site:
    """A house where citizens come. `public_name` is the neutral one that may stand in mails."""

    code: str
    name: str
    public_name: str
    kind: SiteKind
    street: str
    zip: str
    place: str
    lat: float
    lon: float
    step_free: str
    status: str
    source: str
    note: str


@dataclass(frozen=True, slots=True)
class Room:
    """A consultation room of a site."""

    code: str
    site: str
    name: str


@dataclass(frozen=True, slots=True)
class Unit:
    """An organisational unit; `controller` is who answers for its data (§ 67 (4) SGB X)."""

    code: str
    name_de: str
    name_en: str
    controller: str
    base_site: str
    handled_by: HandledBy
    status: str
    source: str


@dataclass(frozen=True, slots=True)
class Variant:
    """One way of having a service: minutes with the citizen, and the specialist's own before and after."""

    service: str
    mode: Mode
    minutes: int
    preparation: int
    follow_up: int
    basis: str


@dataclass(frozen=True, slots=True)
class Service:
    """A concern that citizens bring. Lists keep the order of the file.

    Appointments begin at multiples of `raster` minutes from midnight. Citizens book them at least
    `lead_hours` before they begin and at most `horizon_days` calendar days ahead.
    """

    code: str
    unit: str
    name_de: str
    name_en: str
    name_plain_de: str
    handled_by: HandledBy
    bookable: Bookable
    raster: int
    lead_hours: int
    horizon_days: int
    competence: Competence
    refer_to: str
    urgent_class: UrgentClass
    emergency_codes: tuple[Emergency, ...]
    sensitivity: Sensitivity
    documents: tuple[str, ...]
    leika_keys: tuple[str, ...]
    legal_basis: str
    source: str


@dataclass(frozen=True, slots=True)
class Hours:
    """A weekly span in which a unit can be met at a site in one mode.

    `week_of_month` n means the n-th such weekday of the month, None every week.
    """

    unit: str
    site: str
    mode: Mode
    access: Access
    weekday: int
    begin: int
    end: int
    week_of_month: int | None
    valid_from: date | None
    valid_to: date | None
    status: str
    source: str


@dataclass(frozen=True, slots=True)
class Leg:
    """Travel by road from one site to another."""

    origin: str
    destination: str
    minutes: int
    km: float
    basis: str


@dataclass(frozen=True, slots=True)
class Place:
    """A place where citizens live; the same postcode may have several."""

    zip: str
    name: str
    lat: float
    lon: float
    nearest_site: str
    shared_with: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Specialist:
    """A member of staff under a role code; no name is ever kept here.

    `skills` are service codes. `max_travel` is in minutes a day, None without limit, 0 for somebody
    who does not travel. `surname_range` are first letters ("A-F") or empty.
    """

    code: str
    unit: str
    base_site: str
    skills: tuple[str, ...]
    languages: tuple[str, ...]
    modes: tuple[Mode, ...]
    max_travel: int | None
    surname_range: str
    valid_from: date | None
    valid_to: date | None
    status: str


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """A weekly working span of a specialist; breaks lie inside, ascending and disjoint."""

    specialist: str
    weekday: int
    begin: int
    end: int
    breaks: tuple[tuple[int, int], ...]
    valid_from: date | None
    valid_to: date | None


@dataclass(frozen=True, slots=True)
class Absence:
    """When a specialist is away, in local time without a zone. Why is nobody's business and not kept."""

    specialist: str
    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Closure:
    """Days (both inclusive) on which units at sites close some channels; empty tuples mean all.

    `stays_open` names exceptions: a unit (`INF`), a unit at a site (`BSC@NB-BSC`) or a channel.
    """

    code: str
    begin: date
    end: date
    units: tuple[str, ...]
    sites: tuple[str, ...]
    channels: tuple[Channel, ...]
    stays_open: tuple[str, ...]
    exception_route: str
    reason: str
    public_text_de: str
    status: str
    source: str


@dataclass(frozen=True, slots=True)
class Contingent:
    """A weekly span in which somebody who can do an urgent service is kept free for it, in one mode.

    `release_hours` before it begins, what is left of it is offered to everybody.
    """

    service: str
    mode: Mode
    weekday: int
    begin: int
    end: int
    release_hours: int


@dataclass(frozen=True, slots=True)
class County:
    """A whole county as its folder describes it, in the order of the files."""

    settings: Settings
    sites: tuple[Site, ...]
    rooms: tuple[Room, ...]
    units: tuple[Unit, ...]
    services: tuple[Service, ...]
    variants: tuple[Variant, ...]
    hours: tuple[Hours, ...]
    travel: tuple[Leg, ...]
    places: tuple[Place, ...]
    specialists: tuple[Specialist, ...]
    working_hours: tuple[WorkingHours, ...]
    absences: tuple[Absence, ...]
    closures: tuple[Closure, ...]
    contingents: tuple[Contingent, ...]

    def __hash__(self) -> int:
        """Cheap, since a county is asked for by what it is in every use case.

        Two that differ in an absence alone are told apart without comparing all the rest.
        """
        sizes = len(self.hours), len(self.specialists), len(self.absences)
        return hash((self.settings.code, sizes, self.absences[-1:]))
