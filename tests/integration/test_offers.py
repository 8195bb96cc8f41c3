"""Offers: what is offered can be held, and nothing is offered that the rules of the county forbid."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from booking_service.domain import zones
from booking_service.domain.county import Absence, Channel, Closure, Mode
from booking_service.domain.mistakes import Rejected
from booking_service.services import catalogue, holds
from booking_service.services.county import replace_county
from booking_service.services.offers import inquire, offers
from booking_service.services.places import PlaceTaken
from booking_service.services.witness import verify
from booking_service.services.witnesses import Audience
from tests.bookers import offered, question, starts, take
from tests.citizens import MONDAY, NOW, TUESDAY, WEDNESDAY, local
from tests.promises import with_specialists

FRIDAY = date(2027, 1, 8)
NEW_YEAR = date(2027, 1, 1)


def mistakes_of(error):
    return [(mistake.place, mistake.code) for mistake in error.value.mistakes]


@pytest.mark.usefixtures("loaded")
def test_every_start_lies_on_the_raster_and_within_the_hours_of_the_unit_at_the_site():
    minutes = offered("GSI-NEU", day=WEDNESDAY)[WEDNESDAY, "DM-BSC", Mode.ON_SITE]
    assert minutes
    assert all(minute % 15 == 0 for minute in minutes)
    assert all(480 <= m <= 720 - 45 or 780 <= m <= 960 - 45 for m in minutes)


@pytest.mark.usefixtures("loaded")
def test_whoever_travels_arrives_before_the_talk_is_prepared():
    minutes = offered("GSI-NEU", day=WEDNESDAY)[WEDNESDAY, "DM-BSC", Mode.ON_SITE]
    at_base = offered("GSI-NEU", day=WEDNESDAY, sites=["NB-SOZ"])[WEDNESDAY, "NB-SOZ", Mode.ON_SITE]
    assert min(at_base) == 480
    assert min(minutes) > 480


@pytest.mark.usefixtures("loaded")
def test_nothing_is_offered_within_the_lead_time_of_the_service_nor_beyond_its_horizon():
    days = sorted({day for day, *_ in offered("GSI-FOLGE", sites=["NB-SOZ"])})
    assert days[0] == TUESDAY
    late = zones.to_local(NOW, "Europe/Berlin").date() + timedelta(days=60)
    far = offered(
        "GSI-FOLGE", sites=["NB-SOZ"], first=late - timedelta(days=5), last=late + timedelta(days=9)
    )
    assert max(day for day, *_ in far) <= late
    noon = local(MONDAY, "12:00")
    assert min(starts("GSI-FOLGE", day=TUESDAY, sites=["NB-SOZ"], now=noon)) > noon + timedelta(hours=24)


@pytest.mark.usefixtures("loaded")
def test_the_desk_needs_no_lead_time():
    assert starts("GSI-FOLGE", day=MONDAY, sites=["NB-SOZ"], audience=Audience.DESK)
    assert not starts("GSI-FOLGE", day=MONDAY, sites=["NB-SOZ"])


@pytest.mark.usefixtures("loaded")
def test_nothing_is_offered_on_weekends_and_holidays():
    christmas = local(date(2026, 12, 20), "06:00")
    days = {day for day, *_ in offered("GSI-FOLGE", sites=["NB-SOZ"], now=christmas)}
    closed = {date(2026, 12, 24), date(2026, 12, 25), date(2026, 12, 26), date(2026, 12, 31), NEW_YEAR}
    assert days
    assert not days & closed
    assert all(day.isoweekday() < 6 for day in days)


@pytest.mark.usefixtures("app")
def test_a_closure_takes_its_days_away_and_is_named(county):
    closure = Closure(
        code="FLUT",
        begin=WEDNESDAY,
        end=WEDNESDAY,
        units=("GSI",),
        sites=("DM-BSC",),
        channels=(Channel.IN_PERSON_APPOINTMENT,),
        stays_open=(),
        exception_route="phone",
        reason="flood",
        public_text_de="Demmin ist geschlossen.",
        status="example",
        source="this test",
    )
    replace_county(county=replace(county, closures=(closure,)))
    found = offers(question=question("GSI-FOLGE", first=TUESDAY, last=FRIDAY), now=NOW)
    assert WEDNESDAY not in dict(found.days)
    assert TUESDAY in dict(found.days)
    assert [closure.code for closure in found.closures] == ["FLUT"]


@pytest.mark.usefixtures("app")
def test_only_who_speaks_the_language_is_offered(county):
    replace_county(county=with_specialists(county, "GSI-03", "GSI-06"))
    polish = starts("GSI-FOLGE", language="pl")
    take(polish[0], "GSI-FOLGE", language="pl")
    assert polish[0] not in starts("GSI-FOLGE", language="pl", sites=["NB-SOZ"])
    assert polish[0] in starts("GSI-FOLGE", sites=["NB-SOZ"])
    with pytest.raises(Rejected) as caught:
        offered("GSI-FOLGE", language="uk")
    assert mistakes_of(caught) == [("/language", "language_unknown")]


@pytest.mark.usefixtures("app")
def test_an_absent_specialist_is_not_offered(county):
    alone = with_specialists(county, "GSI-01")
    absent = datetime(2027, 1, 6, 0), datetime(2027, 1, 6, 23)  # noqa: DTZ001 - local
    replace_county(county=replace(alone, absences=(Absence("GSI-01", *absent),)))
    assert starts("GSI-FOLGE", day=WEDNESDAY) == []
    assert starts("GSI-FOLGE", day=TUESDAY)


@pytest.mark.usefixtures("app")
def test_who_may_not_travel_is_offered_at_her_base_alone(county):
    replace_county(county=with_specialists(county, "GSI-05"))
    assert {site for _, site, _ in offered("GSI-FOLGE", sites=[])} == {"NB-SOZ"}


@pytest.mark.usefixtures("loaded")
def test_one_room_is_offered_to_one_at_a_time():
    start = local(WEDNESDAY, "10:00")
    take(start, "GSI-NEU")
    others = starts("HZP")
    assert all(not start - timedelta(minutes=60) < other < start + timedelta(minutes=45) for other in others)
    assert start in starts("HZP", sites=["WRN-BSC"])


@pytest.mark.usefixtures("app")
def test_contingents_are_kept_free_for_the_desk_until_they_are_released(county):
    """With one specialist: her 11:00 to 11:45 is the emergencies', until two hours before."""
    replace_county(county=with_specialists(county, "GSI-01"))
    eleven = local(WEDNESDAY, "11:00")
    asked = {"sites": ["NB-SOZ"], "day": WEDNESDAY}
    assert eleven not in starts("NOT", **asked)
    assert eleven in starts("NOT", **asked, audience=Audience.DESK)
    assert eleven not in starts("NOT", **asked, now=local(WEDNESDAY, "08:59"))
    assert eleven in starts("NOT", **asked, now=local(WEDNESDAY, "09:00"))


@pytest.mark.usefixtures("loaded")
def test_the_desk_sees_at_least_what_the_public_sees():
    ways = {"sites": [], "modes": [], "first": TUESDAY, "last": FRIDAY}
    public = offered("NOT", **ways)
    desk = offered("NOT", **ways, audience=Audience.DESK)
    assert public
    assert all(set(minutes) <= set(desk[way]) for way, minutes in public.items())


@pytest.mark.parametrize("services", [["GSI-FOLGE"], ["BUT"], ["GSI-NEU", "HZP"]], ids="+".join)
@pytest.mark.usefixtures("loaded")
def test_every_offered_start_can_be_held(services):
    places = {"sites": ["DM-BSC", "NB-BSC"], "modes": [Mode.ON_SITE, Mode.PHONE], "day": WEDNESDAY}
    sample = [(way, minute) for way, minutes in offered(*services, **places).items() for minute in minutes][
        ::5
    ]
    assert sample
    for (day, site, mode), minute in sample:
        start = zones.instant(day, minute, "Europe/Berlin")
        held = take(start, *services, sites=[site] if site else [], modes=[mode])
        assert (held.place.start, held.place.site, held.place.mode) == (start, site, mode)
        assert verify(now=NOW)[1] == []
        holds.release_hold(key=held.key, caller="token 1", now=NOW)


@pytest.mark.usefixtures("app")
def test_what_is_held_until_nobody_is_left_is_not_offered_any_more(county):
    replace_county(county=with_specialists(county, "GSI-01", "GSI-02"))
    number = 0
    while left := starts("GSI-NEU", sites=["NB-SOZ"]):
        take(left[number % len(left)], "GSI-NEU", sites=["NB-SOZ"])
        number += 1
    assert number >= 8
    assert verify(now=NOW) == (number, [])
    with pytest.raises(PlaceTaken):
        take(local(WEDNESDAY, "10:00"), "GSI-NEU", sites=["NB-SOZ"])


@pytest.mark.usefixtures("loaded")
def test_several_services_take_as_long_as_all_of_them():
    found = offers(question=question("GSI-FOLGE", "GSI-NEU", day=WEDNESDAY), now=NOW)
    assert found.minutes == 20 + 5 + 5 + 45


@pytest.mark.usefixtures("loaded")
def test_the_tag_changes_with_what_is_held_and_with_nothing_else():
    asked = question("GSI-FOLGE", day=WEDNESDAY)
    before = inquire(question=asked, now=NOW).tag
    assert inquire(question=asked, now=NOW + timedelta(seconds=20)).tag == before
    take(starts("GSI-FOLGE", day=TUESDAY)[0])
    assert inquire(question=asked, now=NOW).tag == before
    take(starts("GSI-FOLGE")[0])
    assert inquire(question=asked, now=NOW).tag != before


@pytest.mark.parametrize(
    ("services", "changes", "mistake"),
    [
        (["XYZ"], {}, ("/services/0", "service_unknown")),
        (["BUT", "BUT"], {}, ("/services/1", "service_twice")),
        (["WOGG"], {}, ("/services/0", "service_referred")),
        (["ABGABE"], {}, ("/services/0", "service_not_bookable")),
        (["BUT"], {"sites": ["ROSTOCK"]}, ("/sites/0", "site_unknown")),
        (["BUT"], {"language": "tlh"}, ("/language", "language_unknown")),
        (["BUT"], {"first": WEDNESDAY, "last": TUESDAY}, ("/to", "range_reversed")),
    ],
)
@pytest.mark.usefixtures("loaded")
def test_a_question_that_means_nothing_is_refused(services, changes, mistake):
    for ask in (offers, inquire):
        with pytest.raises(Rejected) as caught:
            ask(question=question(*services, **changes), now=NOW)
        assert mistakes_of(caught) == [mistake]


@pytest.mark.parametrize("year", [date.min, date.max])
@pytest.mark.usefixtures("loaded")
def test_a_range_at_the_end_of_time_is_empty(year):
    assert offers(question=question("BUT", day=year), now=NOW).days == ()


@pytest.mark.parametrize(
    ("typed", "site"),
    [
        ("17192 Waren", "WRN-BSC"),
        ("waren (mueritz)", "WRN-BSC"),
        ("17192", "WRN-BSC"),
        ("17248 Rechlin", "NZ-BSC"),
        (" 17089  Grapzow ", "NB-BSC"),
        ("17089, Gültz", "DM-BSC"),
    ],
)
@pytest.mark.usefixtures("loaded")
def test_the_nearest_site_comes_first(typed, site):
    found = catalogue.site_list(near=typed)
    assert found[0].site.code == site
    assert [entry.minutes for entry in found] == sorted(entry.minutes for entry in found)


@pytest.mark.parametrize("postcode", ["17089", "17091", "17139", "17153", "17217", "17219"])
@pytest.mark.usefixtures("loaded")
def test_a_postcode_with_several_nearest_sites_asks_for_the_place(postcode):
    with pytest.raises(Rejected) as caught:
        catalogue.site_list(near=postcode)
    assert mistakes_of(caught) == [("/near", "place_ambiguous")]
    assert postcode in caught.value.mistakes[0].values["places"]


@pytest.mark.parametrize("typed", ["18055 Rostock", "Atlantis", "17192 Rechlin", "?", " "])
@pytest.mark.usefixtures("loaded")
def test_a_place_that_the_county_does_not_have_is_refused(typed):
    with pytest.raises(Rejected) as caught:
        catalogue.site_list(near=typed)
    assert mistakes_of(caught) == [("/near", "place_unknown")]
