"""What can be had: services, sites and offers. Public, and cheap to ask again."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from datetime import UTC, date, datetime
from functools import lru_cache
from http import HTTPStatus
from threading import Lock
from typing import TYPE_CHECKING, Any

import marshmallow as ma
from flask import Response, current_app, json, request
from flask.views import MethodView
from flask_smorest import Blueprint
from webargs.fields import DelimitedList

from booking_service.domain.county import Mode
from booking_service.services import catalogue
from booking_service.services.offers import Question, answer, inquire
from booking_service.services.witnesses import Audience
from booking_service.web.access import everybody
from booking_service.web.api.bodies import CODE, told_at

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from booking_service.domain.county import Closure
    from booking_service.services.offers import Offers, WayOffers

blueprint = Blueprint("offers", __name__, description="What can be had")

MOST_BYTES = 24 * 2**20
"""Of answers that are remembered, in each process."""
CODES = ma.fields.String(validate=CODE)


class NearQuery(ma.Schema):
    """Where somebody lives."""

    near = ma.fields.String(
        load_default=None,
        validate=ma.validate.Length(1, 100),
        metadata={"description": "postcode, place, or both", "example": "17192 Waren"},
    )


class OffersQuery(NearQuery):
    """What somebody wants, and when."""

    service = ma.fields.List(
        ma.fields.String(validate=CODE), required=True, validate=ma.validate.Length(1, 5)
    )
    site = ma.fields.List(
        ma.fields.String(validate=CODE), load_default=list, validate=ma.validate.Length(max=30)
    )
    mode = DelimitedList(ma.fields.Enum(Mode, by_value=True), load_default=list)
    first = ma.fields.Date(load_default=None, data_key="from")
    last = ma.fields.Date(load_default=None, data_key="to")
    language = ma.fields.String(load_default=None, validate=ma.validate.Length(2, 3))


class ServiceEntry(ma.Schema):
    """A service; `minutes` by mode is empty where no appointment can be had."""

    code = ma.fields.String(required=True)
    name_de = ma.fields.String(required=True)
    name_en = ma.fields.String(required=True)
    name_plain_de = ma.fields.String(required=True)
    documents = ma.fields.List(ma.fields.String(), required=True)
    minutes = ma.fields.Dict(keys=ma.fields.String(), values=ma.fields.Integer(), required=True)
    competence = ma.fields.String(required=True)
    refer_to = ma.fields.String(required=True)


class SiteEntry(ma.Schema):
    """A site; `minutes` by road where it was asked from where."""

    code = ma.fields.String(required=True)
    name = ma.fields.String(required=True)
    street = ma.fields.String(required=True)
    zip = ma.fields.String(required=True)
    place = ma.fields.String(required=True)
    minutes = ma.fields.Integer(required=True, allow_none=True)


class WayEntry(ma.Schema):
    """The starts at one site in one mode, local time."""

    site = ma.fields.String(required=True, allow_none=True)
    mode = ma.fields.String(required=True)
    starts = ma.fields.List(ma.fields.String(), required=True)


class DayEntry(ma.Schema):
    """What is offered on one day."""

    date = ma.fields.Date(required=True)
    offers = ma.fields.List(ma.fields.Nested(WayEntry), required=True)


class EarliestEntry(ma.Schema):
    """The first start at one site in one mode; `minutes_by_road` where it was asked from where."""

    date = ma.fields.Date(required=True)
    start = ma.fields.String(required=True)
    site = ma.fields.String(required=True, allow_none=True)
    mode = ma.fields.String(required=True)
    minutes_by_road = ma.fields.Integer(allow_none=True)


class ClosureEntry(ma.Schema):
    """Why there is nothing on some days."""

    begin = ma.fields.Date(required=True, data_key="from")
    end = ma.fields.Date(required=True, data_key="to")
    text = ma.fields.String(required=True)
    instead = ma.fields.String(required=True)


class OffersAnswer(ma.Schema):
    """Every start that can be promised; `ranking` has the earliest of each way, the nearest site first."""

    minutes = ma.fields.Integer(required=True)
    zone = ma.fields.String(required=True)
    days = ma.fields.List(ma.fields.Nested(DayEntry), required=True)
    earliest = ma.fields.Nested(EarliestEntry, required=True, allow_none=True)
    ranking = ma.fields.List(ma.fields.Nested(EarliestEntry), required=True)
    closures = ma.fields.List(ma.fields.Nested(ClosureEntry), required=True)


@blueprint.route("/services")
class Services(MethodView):
    """All services."""

    @everybody
    @blueprint.response(HTTPStatus.OK, ServiceEntry(many=True))
    def get(self) -> list[dict[str, Any]]:
        """List what citizens can ask for; `competence` is `refer` for what another authority decides."""
        return [
            {
                "code": entry.service.code,
                "name_de": entry.service.name_de,
                "name_en": entry.service.name_en,
                "name_plain_de": entry.service.name_plain_de,
                "documents": entry.service.documents,
                "minutes": entry.minutes,
                "competence": entry.service.competence,
                "refer_to": entry.service.refer_to,
            }
            for entry in catalogue.service_list()
        ]


@blueprint.route("/sites")
class Sites(MethodView):
    """All sites."""

    @everybody
    @blueprint.arguments(NearQuery(), location="query")
    @blueprint.response(HTTPStatus.OK, SiteEntry(many=True))
    def get(self, query: dict[str, Any]) -> list[dict[str, Any]]:
        """List the sites, the nearest by road first where `near` says from where."""
        return [
            {
                "code": entry.site.code,
                "name": entry.site.public_name,
                "street": entry.site.street,
                "zip": entry.site.zip,
                "place": entry.site.place,
                "minutes": entry.minutes,
            }
            for entry in catalogue.site_list(near=query["near"])
        ]


class Answers:
    """The last answers that this process gave, by what they depend on; together so many bytes at the most."""

    def __init__(self, most: int) -> None:
        self._most, self._bytes = most, 0
        self._known: OrderedDict[Hashable, tuple[bytes, str]] = OrderedDict()
        self._lock = Lock()

    def get(self, tag: Hashable) -> tuple[bytes, str] | None:
        """The answer under this tag, with its ETag."""
        return self._known.get(tag)

    def keep(self, tag: Hashable, body: bytes) -> tuple[bytes, str]:
        """Remember an answer; the oldest is forgotten."""
        answer = body, hashlib.sha256(body).hexdigest()
        with self._lock:
            if tag not in self._known:
                self._known[tag] = answer
                self._bytes += len(body)
            while self._bytes > self._most:
                _, (oldest, _etag) = self._known.popitem(last=False)
                self._bytes -= len(oldest)
        return answer


@blueprint.route("/offers")
class AllOffers(MethodView):
    """What can be had when."""

    @everybody
    @blueprint.arguments(OffersQuery(), location="query")
    @blueprint.response(HTTPStatus.OK, OffersAnswer)
    @blueprint.alt_response(HTTPStatus.NOT_MODIFIED, success=True, description="nothing has changed")
    def get(self, query: dict[str, Any]) -> Response:
        """List every start that can be promised. `near` asks all sites and ranks them by road.

        The ETag changes when the answer may.
        """
        now = datetime.now(UTC)
        question = Question(
            services=tuple(query["service"]),
            sites=tuple(query["site"]),
            modes=tuple(dict.fromkeys(query["mode"])),
            language=None if query["language"] == "de" else query["language"],
            first=query["first"],
            last=query["last"],
            audience=Audience.PUBLIC,
        )
        with told_at({"/services": "/service", "/sites": "/site"}):
            body, etag = _answered(question, query["near"], now)
        if request.if_none_match.contains(etag):
            return _with_tag(Response(status=HTTPStatus.NOT_MODIFIED), etag)
        return _with_tag(Response(body, mimetype="application/json"), etag)


def _answered(question: Question, near: str | None, now: datetime) -> tuple[bytes, str]:
    """The answer with its ETag, from memory where nothing has changed."""
    answers: Answers = current_app.extensions["offers"]
    inquiry = inquire(question=question, near=near, now=now)
    return answers.get(inquiry.tag) or answers.keep(inquiry.tag, _text(answer(inquiry)).encode())


def _with_tag(response: Response, etag: str) -> Response:
    response.set_etag(etag)
    response.headers["Cache-Control"] = "public, no-cache"
    return response


def _text(found: Offers) -> str:
    """The answer as JSON, put together from pieces that most answers share."""
    first = found.earliest()
    days = (
        f'{{"date":"{day.isoformat()}","offers":[{",".join(map(_way_text, ways))}]}}'
        for day, ways in found.days
    )
    rest = json.dumps(
        {
            "minutes": found.minutes,
            "zone": found.zone,
            "earliest": None if first is None else _earliest(*first, found.by_road),
            "ranking": _ranking(found),
            "closures": [_closure(closure) for closure in found.closures],
        },
        ensure_ascii=False,
    )
    return f'{rest[:-1]}, "days":[{",".join(days)}]}}'


@lru_cache(maxsize=20_000)
def _way_text(way: WayOffers) -> str:
    starts = [_clock(start) for start in way.starts]
    return json.dumps({"site": way.site, "mode": way.mode, "starts": starts}, ensure_ascii=False)


def _ranking(found: Offers) -> list[dict[str, Any]]:
    """The earliest start of each way: the earlier but farther and the later but nearer beside each other."""
    first: dict[tuple[str | None, Mode], tuple[date, WayOffers]] = {}
    for day, ways in found.days:
        for way in ways:
            first.setdefault((way.site, way.mode), (day, way))
    entries = (_earliest(day, way, found.by_road) for day, way in first.values())
    return sorted(entries, key=lambda one: (one["minutes_by_road"] or 0, one["date"], one["start"]))


def _earliest(day: date, way: WayOffers, by_road: Mapping[str, int]) -> dict[str, Any]:
    return {
        "date": day.isoformat(),
        "start": _clock(way.starts[0]),
        "site": way.site,
        "mode": way.mode,
        "minutes_by_road": by_road.get(way.site) if way.site else None,
    }


def _closure(closure: Closure) -> dict[str, Any]:
    return {
        "from": closure.begin.isoformat(),
        "to": closure.end.isoformat(),
        "text": closure.public_text_de,
        "instead": closure.exception_route,
    }


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
