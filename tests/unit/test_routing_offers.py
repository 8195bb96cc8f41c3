"""Offers in a few words each: what may be promised on a day, who serves it, and what is refused."""

import pytest

from routing import Rooms
from routing.offers import DayWitness
from routing.timeline import ticks_of
from routing.workday import Ask, CannotKeep, Held, Workday
from tests.routing_cases import specialist

TRAVEL = {"NB": {"NB": 0, "DM": 48}, "DM": {"NB": 50, "DM": 0}}
TWO_ROOMS = {site: (Rooms(0, 480, 960, 2),) for site in TRAVEL}


def ask(mode="on_site", site="NB", minutes=30, *, skill="basic", language=None):
    return Ask(skill, language, mode, None if mode == "phone" else site, minutes)


def held(name, start, *, by="ada", pinned=False, **more):
    return Held(name, by, start, ask(**more), pinned)


def witness(staff, *promises, rooms=None, least=1):
    day = Workday(0, staff, TRAVEL, rooms or TWO_ROOMS, 5, least)
    return DayWitness(day, promises)


def offered(day, *asks):
    return [tick * 5 for tick in ticks_of(day.starts(asks))]


def test_an_empty_morning_is_offered_as_far_as_the_way_there_and_back_leaves():
    assert offered(witness([specialist()]), ask(site="DM")) == list(range(530, 641, 5))


def test_nothing_is_offered_that_nobody_may_serve():
    day = witness([specialist(languages=["uk"], modes=frozenset(["phone"]))])
    assert not offered(day, ask("phone", skill="care"))
    assert not offered(day, ask("phone", language="ar"))
    assert not offered(day, ask("video"))
    assert offered(day, ask("phone", language="uk"))


def test_a_colleague_takes_over_what_is_in_the_way():
    ada, ben = specialist("ada", skills=["basic", "care"]), specialist("ben")
    day = witness([ada, ben], held("v1", 480, minutes=240))
    (wish,) = [ask(skill="care")]
    placement = day.place((wish,), 600)
    assert placement.specialists == ("ada",)
    assert placement.moves == {"v1": "ben"}
    after = day.after(placement, ["v2"])
    assert {one.visit: (one.specialist, one.start) for one in after.held} == {
        "v1": ("ben", 480),
        "v2": ("ada", 600),
    }
    assert not offered(after, ask(skill="basic", minutes=240))


def test_a_chain_of_three_colleagues_makes_room():
    skills = {"ada": ["a", "b"], "ben": ["b", "c"], "cem": ["c", "d"], "dia": ["d"]}
    staff = [specialist(name, skills=has, shifts=[(0, 480, 540)]) for name, has in skills.items()]
    promises = [
        held(f"v{skill}", 480, by=name, skill=skill, minutes=60)
        for name, skill in [("ada", "b"), ("ben", "c"), ("cem", "d")]
    ]
    day = witness(staff, *promises, rooms={site: (Rooms(0, 480, 960, 9),) for site in TRAVEL})
    assert offered(day, ask(skill="a", minutes=60)) == [480]
    assert day.place((ask(skill="a", minutes=60),), 480).moves == {"vb": "ben", "vc": "cem", "vd": "dia"}


def test_colleagues_exchange_visits_to_make_room():
    ada = specialist("ada", skills=["basic", "care"], shifts=[(0, 480, 570)])
    ben = specialist("ben", shifts=[(0, 480, 570)])
    day = witness([ada, ben], held("v1", 480, minutes=60), held("v2", 510, by="ben", minutes=60))
    wish = ask(skill="care")
    assert offered(day, wish) == [480, 540]
    assert day.place((wish,), 480).moves == {"v1": "ben", "v2": "ada"}


def test_what_a_witness_answered_before_does_not_change_what_it_offers():
    ada = specialist("ada", skills=["basic", "care"])
    promises = [held("v1", 480, minutes=120), held("v2", 540, by="ben", minutes=30)]
    asked, fresh = (witness([ada, specialist("ben")], *promises) for _ in range(2))
    asked.starts((ask(),), 1 << 100)
    asked.starts((ask(skill="care", minutes=60),))
    assert asked.starts((ask(),)) == fresh.starts((ask(),))


def test_a_pinned_visit_stays_with_its_specialist():
    ada, ben = specialist("ada", skills=["basic", "care"]), specialist("ben")
    day = witness([ada, ben], held("v1", 480, minutes=240, pinned=True))
    assert not offered(day, ask(skill="care"))


def test_a_full_house_is_not_offered_though_people_are_free():
    rooms = {"NB": (Rooms(0, 480, 720, 1),), "DM": ()}
    day = witness([specialist("ada"), specialist("ben")], held("v1", 480, minutes=120), rooms=rooms)
    assert offered(day, ask("video"))[0] == 600
    assert offered(day, ask("phone"))[0] == 480


def test_visits_back_to_back_may_have_two_specialists():
    staff = [specialist("ada", skills=["care"]), specialist("ben")]
    day = witness(staff, held("v1", 480, by="ben", minutes=60))
    asks = ask(skill="care", minutes=30), ask(minutes=30)
    assert offered(day, *asks) == list(range(510, 661, 5))
    assert day.place(asks, 510).specialists == ("ada", "ben")


def test_visits_back_to_back_have_one_specialist_where_nothing_speaks_against_it():
    day = witness([specialist("ada"), specialist("ben")])
    assert len(set(day.place((ask(), ask()), 600).specialists)) == 1


def test_a_trip_is_offered_only_with_enough_visits():
    day = witness([specialist()], least=2)
    assert not offered(day, ask(site="DM"))
    pair = ask(site="DM"), ask(site="DM")
    booked = day.after(day.place(pair, 530), ["v1", "v2"])
    assert offered(booked, ask(site="DM"))
    assert not any(start < 640 for start in offered(booked, ask("phone", minutes=15)))


def test_a_promise_joins_the_trip_of_a_colleague_who_has_few_talents_rather_than_a_new_one():
    staff = [specialist("ada", skills=["basic", "care"]), specialist("ben"), specialist("cem")]
    day = witness(staff, held("v1", 530, by="cem", site="DM"))
    assert day.place((ask(site="DM"),), 560).specialists == ("cem",)
    assert next(way.specialists for way in day.places((ask(),), 480)) == ("ben",)


def test_the_second_best_comes_next():
    day = witness([specialist("ada", skills=["basic", "care"]), specialist("ben")])
    assert [way.specialists for way in day.places((ask(),), 480)] == [("ben",), ("ada",)]


def test_a_start_that_cannot_be_kept_has_no_placement():
    day = witness([specialist()], held("v1", 480))
    assert day.place((ask(),), 490) is None
    assert day.place((ask(),), 513) is None


def test_a_released_visit_is_free_again_and_the_old_witness_stays_as_it_was():
    day = witness([specialist(shifts=[(0, 480, 510)])], held("v1", 480))
    assert offered(day.without("v1"), ask()) == [480]
    assert not offered(day, ask())


def test_a_release_that_undoes_a_way_is_refused_by_name():
    row = {"NB": 0, "DM": 0, "RB": 50}
    travel = {"NB": row, "DM": row | {"RB": 60}, "RB": {"NB": 0, "DM": 0, "RB": 0}}
    rooms = {site: (Rooms(0, 480, 960, 2),) for site in travel}
    on_the_way = held("v2", 510, mode="phone", minutes=5)
    promises = [held("v1", 480, site="DM"), on_the_way, held("v3", 565, site="RB")]
    day = DayWitness(Workday(0, [specialist()], travel, rooms, 5), promises)
    with pytest.raises(CannotKeep, match="visit v3: ada cannot keep it"):
        day.without("v2")


def test_only_the_starts_asked_for_are_answered_and_the_rest_later():
    day = witness([specialist()])
    assert day.starts((ask(),), 1 << 100) == 1 << 100
    assert day.starts((ask(),), 0b11 << 100) == 0b11 << 100
    assert len(offered(day, ask())) == 43


@pytest.mark.parametrize(
    ("promise", "why"),
    [
        (held("v1", 480, by="eva"), "eva is not on duty"),
        (held("v1", 480, skill="care"), "ada lacks the skill care"),
        (held("v1", 480, language="uk"), "ada does not speak uk"),
        (held("v1", 700), "in no shift"),
        (held("v1", 483), "off the tick"),
        (held("v1", 480, site="DM"), "beside her other visits"),
    ],
)
def test_what_cannot_be_kept_is_named(promise, why):
    with pytest.raises(CannotKeep, match=why) as failed:
        witness([specialist()], promise)
    assert failed.value.visit == "v1"


def test_a_visit_that_two_specialists_hold_is_named():
    with pytest.raises(CannotKeep, match="visit v1: held twice"):
        witness([specialist("ada"), specialist("ben")], held("v1", 480), held("v1", 480, by="ben"))


def test_one_room_too_many_is_named():
    rooms = {"NB": (Rooms(0, 480, 720, 1),), "DM": ()}
    with pytest.raises(CannotKeep, match="visit v2: no room is left at NB"):
        witness(
            [specialist("ada"), specialist("ben")], held("v1", 480), held("v2", 500, by="ben"), rooms=rooms
        )


@pytest.mark.parametrize(
    ("asks", "why"),
    [
        ((), "one mode and one site"),
        ((ask(), ask("video")), "one mode and one site"),
        ((ask(minutes=7),), r"asks\[0\]: 7 minutes are not whole ticks of 5"),
        ((ask(minutes=0),), r"asks\[0\]: 0 minutes"),
        ((ask(site="XX"),), "site XX is unknown"),
        ((Ask("basic", None, "phone", "NB", 30),), "phone at NB is no way to meet"),
    ],
)
def test_asks_that_mean_nothing_are_refused(asks, why):
    with pytest.raises(ValueError, match=why):
        witness([specialist()]).starts(asks)


def test_a_site_without_travel_times_is_refused():
    with pytest.raises(ValueError, match="no travel times from XX"):
        Workday(0, [specialist(base="XX")], TRAVEL, TWO_ROOMS, 5)


def test_names_that_do_not_match_the_promise_are_refused():
    day = witness([specialist()], held("v1", 480))
    placement = day.place((ask(),), 600)
    with pytest.raises(ValueError, match="v1 is held already"):
        day.after(placement, ["v1"])
    with pytest.raises(ValueError, match="1 visits need as many names, not 0"):
        day.after(placement, [])
