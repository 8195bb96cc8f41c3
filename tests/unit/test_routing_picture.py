"""The drawing of a plan: sound XML whatever the ids are, and everything on it that a reader looks for."""

from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from routing import Assignment, Plan, Promise, Rooms, Shift
from routing.picture import draw
from tests.routing_cases import instance, specialist, visit

SVG = "{http://www.w3.org/2000/svg}"
AWAY = Assignment("v1", "ada", 0, 540, "on_site", "DM")


@pytest.fixture
def problem():
    ada = specialist(shifts=(Shift(0, 480, 720, ((660, 670),)), Shift(1, 480, 720)))
    promised = visit("v2", promise=Promise(1, 600, "video", "DM"))
    left = visit("v3", windows=((0, 480, 720),), priority=3)
    return instance([ada, specialist("ben")], [visit(options=(("on_site", "DM"),)), promised, left])


@pytest.fixture
def plan():
    return Plan("case", (AWAY, Assignment("v2", "ada", 1, 600, "video", "DM")))


def read(drawing):
    return ET.fromstring(drawing)  # noqa: S314 - it is our own


def texts(drawing, tag="text"):
    return [element.text for element in read(drawing).iter(SVG + tag)]


def styled(drawing, tag, style):
    return [one for one in read(drawing).iter(SVG + tag) if style in one.get("class", "").split()]


def test_each_day_names_its_specialists_visits_and_ways(problem, plan):
    drawing = draw(problem, plan)
    assert "Day 0, 2027-03-02: 1 visits, 2 specialists on duty" in texts(drawing)
    assert "Day 1, 2027-03-04: 1 visits, 1 specialists on duty" in texts(drawing)
    assert texts(drawing).count("ada") == 2
    assert "NB›DM 48" in texts(drawing)
    assert "NB to DM, 48 minutes, 08:12 to 09:00" in texts(drawing, "title")
    assert "DM to NB, 50 minutes, 09:30 to 10:20" in texts(drawing, "title")
    assert "v1: basic, 09:00 to 09:30, on_site at DM, ada, priority 1" in texts(drawing, "title")


def test_a_way_is_drawn_beside_the_breaks(problem):
    shift = Shift(0, 480, 760, ((660, 670),))
    slow = replace(
        problem,
        specialists={"ada": specialist(shifts=(shift,))},
        travel={"NB": {"NB": 0, "DM": 48}, "DM": {"NB": 60, "DM": 0}},
    )
    drawing = draw(slow, Plan("case", (replace(AWAY, start=575),)))
    assert "DM to NB, 60 minutes, 11:10 to 12:10" in texts(drawing, "title")


def test_promised_visits_carry_a_mark_and_video_is_outlined(problem, plan):
    drawing = draw(problem, plan)
    in_legend = 1
    assert len(styled(drawing, "path", "p")) == in_legend + 1
    assert len(styled(drawing, "g", "v")) == in_legend + 1


def test_what_is_not_served_is_listed(problem, plan):
    assert texts(draw(problem, plan))[-2:] == ["Not served: 1", "v3, basic, priority 3"]


def test_one_day_shows_that_day_alone_and_what_could_have_been_served_on_it(problem, plan):
    drawing = draw(problem, plan, day=1)
    assert not any((text or "").startswith("Day 0") for text in texts(drawing))
    assert texts(drawing)[-1] == "Not served: 0"


def test_a_screen_reader_hears_title_and_figures(problem, plan):
    root = read(draw(problem, plan))
    assert root.get("role") == "img"
    named = {element.get("id"): element.text for element in root if element.get("id")}
    assert named["title"] == "Plan of case"
    assert named["desc"].startswith(
        "2 of 3 visits served by 2 specialists on 2 days, 1 not served; 98 minutes"
    )
    assert root.get("aria-labelledby").split() == ["title", "desc"]


def test_ids_of_any_characters_make_sound_xml():
    site, name, skill = "<&\"'>", "a\x00\x1b]]>\ud800b", "<script>"
    rooms = {site: (Rooms(0, 480, 960, 2),)}
    ada = specialist(name, base=site, skills=(skill,))
    one = visit("v<1>", options=(("on_site", site),), skill=skill)
    problem = instance(
        [ada], [one, replace(one, id="v&2")], rooms=rooms, travel={site: {site: 0}}, name="</svg>"
    )
    drawing = draw(problem, Plan("</svg>", (Assignment("v<1>", name, 0, 480, "on_site", site),)))
    assert "a\ufffd\ufffd]]>\ufffdb" in texts(drawing)
    assert "v&2, <script>, priority 1" in texts(drawing)


def test_more_sites_than_colours_have_codes_of_their_own():
    sites = [f"Site number {number}" for number in range(30)]
    travel = {one: dict.fromkeys(sites, 0) for one in sites}
    problem = instance([], [], rooms=dict.fromkeys(sites, ()), travel=travel)
    told = texts(draw(problem, Plan("case")))
    codes = [told[told.index(site) - 1] for site in sites]
    assert len(set(codes)) == 30
    assert max(map(len, codes)) <= 4


def test_nothing_to_draw_is_drawn():
    assert "Not served: 0" in texts(draw(instance([], [], days=()), Plan("case")))


@pytest.mark.parametrize("day", [-1, 2])
def test_a_day_that_is_not_there_is_refused(problem, plan, day):
    with pytest.raises(ValueError, match="no day"):
        draw(problem, plan, day=day)
