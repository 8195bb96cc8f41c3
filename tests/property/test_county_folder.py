"""For any county: its folder gives it back. For any bytes: a county or mistakes, never a traceback."""

import tempfile
from datetime import date, datetime, timedelta
from itertools import product
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from booking_service.domain import county as c
from booking_service.domain.mistakes import Rejected
from booking_service.store.county_folder import FILES, read_folder, write_folder

TICK = 5
EXAMPLE = Path(__file__).parents[2] / "examples" / "helmstedt"

characters = st.characters(
    exclude_categories=["Cc", "Cs", "Zl", "Zp"],
    exclude_characters="\ufffd\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069",
)
quirky = st.sampled_from(['"', ",", "'", "\\", "|", "#", "=", "Ä", "–", " "])
notes = st.text(characters | quirky, max_size=20).map(str.strip)
names = notes.filter(bool)
long_notes = st.text(characters | quirky | st.just("\n"), max_size=30).map(str.strip)
codes = st.from_regex(r"[A-Z0-9][A-Z0-9-]{0,5}", fullmatch=True)
digits = st.text("0123456789", min_size=5, max_size=5)
languages = st.from_regex(r"[a-z]{2,3}", fullmatch=True)
days = st.dates(date(2000, 1, 1), date(2199, 12, 31))
latitudes = st.integers(47_000_000, 55_200_000).map(lambda n: n / 10**6)
longitudes = st.integers(5_500_000, 15_500_000).map(lambda n: n / 10**6)


def minutes(low, high):
    return st.integers(low // TICK, high // TICK).map(lambda n: n * TICK)


def lists(items, least=0):
    return st.lists(items, min_size=least, max_size=4, unique=True).map(tuple)


def some_of(values, least=0):
    return lists(st.sampled_from(values), least) if values else st.just(())


@st.composite
def validities(draw):
    first, last = draw(st.none() | days), draw(st.none() | days)
    return (last, first) if first and last and last < first else (first, last)


@st.composite
def county_settings(draw):
    planning = c.PlanningRules(
        draw(st.integers(1, 365)),
        draw(st.integers(0, 60)),
        draw(st.integers(1, 60)),
        TICK,
        *draw(st.tuples(*[st.integers(1, 3600)] * 10)),
    )
    delays = sorted(draw(st.tuples(*[st.integers(0, 1440)] * 2)))
    booking = c.BookingRules(
        draw(st.integers(1, 60)),
        draw(st.integers(1, 10_000)),
        draw(st.integers(1, 100)),
        *delays,
        draw(st.integers(1, 20)),
    )
    return c.Settings(
        code=draw(codes),
        name=draw(names),
        state=draw(st.sampled_from(["MV", "NI", "TH"])),
        zone=draw(st.sampled_from(["Europe/Berlin", "UTC"])),
        closed_days=draw(some_of(("12-24", "02-29"))),
        languages=draw(lists(languages)),
        office_group=draw(names),
        sender_name=draw(names),
        sender_address="termin@muster.example",
        attribution=draw(lists(names)),
        planning=planning,
        booking=booking,
    )


@st.composite
def spans(draw, most=2):
    edges = sorted(draw(st.lists(minutes(0, 1440), max_size=2 * most, unique=True)))
    return tuple(zip(edges[::2], edges[1::2], strict=False))


@st.composite
def services(draw, code, units):
    return c.Service(
        code=code,
        unit=draw(st.sampled_from(units)),
        name_de=draw(names),
        name_en=draw(names),
        name_plain_de=draw(names),
        handled_by=draw(st.sampled_from(c.HandledBy)),
        bookable=draw(st.sampled_from([c.Bookable.WALK_IN, c.Bookable.NO])),
        raster=draw(minutes(5, 240)),
        lead_hours=draw(st.integers(0, 720)),
        horizon_days=draw(st.integers(1, 366)),
        competence=draw(st.sampled_from(c.Competence)),
        refer_to=draw(names),
        urgent_class=draw(st.sampled_from(c.UrgentClass)),
        emergency_codes=draw(some_of(tuple(c.Emergency))),
        sensitivity=draw(st.sampled_from(c.Sensitivity)),
        documents=draw(lists(names.map(lambda n: n.replace(";", ".")))),
        leika_keys=draw(lists(st.text("0123456789", min_size=14, max_size=14))),
        legal_basis=draw(notes),
        source=draw(notes),
    )


@st.composite
def specialists(draw, code, units, sites, skills):
    return c.Specialist(
        code,
        draw(st.sampled_from(units)),
        draw(st.sampled_from(sites)),
        draw(some_of(skills)),
        draw(lists(languages, 1)),
        draw(some_of(tuple(c.Mode), 1)),
        draw(st.none() | st.integers(0, 1440)),
        draw(st.sampled_from(["", "A-F", "S-S"])),
        *draw(validities()),
        draw(notes),
    )


@st.composite
def working_hours(draw, people):
    rows = []
    for person, weekday in draw(some_of(tuple(product(people, range(1, 8))))):
        for begin, end in draw(spans()):
            pauses = [(a, b) for a, b in draw(spans()) if begin <= a and b <= end]
            rows.append(c.WorkingHours(person, weekday, begin, end, tuple(pauses), *draw(validities())))
    return tuple(rows)


@st.composite
def hours(draw, units, sites):
    keys = tuple(product(units, sites, c.Mode, c.Access, range(1, 8)))
    return tuple(
        c.Hours(
            *key, *span, draw(st.none() | st.integers(1, 5)), *draw(validities()), draw(notes), draw(notes)
        )
        for key in draw(some_of(keys))
        for span in draw(spans())
    )


@st.composite
def absences(draw, people):
    rows = []
    for person in draw(st.lists(st.sampled_from(people), max_size=4)) if people else []:
        # Noon and midnight exist in every zone.
        begin = datetime.combine(draw(days), datetime.min.time()) + draw(
            st.sampled_from([0, 12])
        ) * timedelta(hours=1)
        rows.append(c.Absence(person, begin, begin + timedelta(hours=12) * draw(st.integers(1, 60))))
    return tuple(row for row in rows if row.end < datetime.fromisoformat("2199-12-31"))


@st.composite
def closures(draw, code, units, sites):
    begin, end = sorted(draw(st.tuples(days, days)))
    exceptions = (*units, *(f"{unit}@{site}" for unit, site in product(units, sites)), *c.Channel)
    return c.Closure(
        code,
        begin,
        end,
        draw(some_of(units)),
        draw(some_of(sites)),
        draw(some_of(tuple(c.Channel))),
        draw(some_of(tuple(map(str, exceptions)))),
        draw(long_notes),
        draw(notes),
        draw(long_notes),
        draw(notes),
        draw(notes),
    )


@st.composite
def contingents(draw, called):
    keys = tuple(product(called, [c.Mode.PHONE], range(1, 8)))
    return tuple(
        c.Contingent(*key, *span, draw(st.integers(0, 168)))
        for key in draw(some_of(keys))
        for span in draw(spans())
    )


@st.composite
def counties(draw):
    sites, units = draw(lists(codes, 1)), draw(lists(codes, 1))
    site, note = st.sampled_from(sites), notes
    asked = tuple(draw(services(code, units)) for code in draw(lists(codes)))
    skills = tuple(service.code for service in asked if service.handled_by is not c.HandledBy.DESK)
    variants = draw(some_of(tuple(product([service.code for service in asked], c.Mode))))
    called = tuple(skill for skill in skills if (skill, c.Mode.PHONE) in variants)
    people = draw(lists(codes))
    return c.County(
        settings=draw(county_settings()),
        sites=tuple(
            c.Site(
                code,
                draw(names),
                draw(names),
                draw(st.sampled_from(c.SiteKind)),
                draw(names),
                draw(digits),
                draw(names),
                draw(latitudes),
                draw(longitudes),
                *(draw(note) for _ in range(3)),
                draw(long_notes),
            )
            for code in sites
        ),
        rooms=tuple(c.Room(code, draw(site), draw(names)) for code in draw(lists(codes))),
        units=tuple(
            c.Unit(
                code,
                *(draw(names) for _ in range(3)),
                draw(site),
                draw(st.sampled_from(c.HandledBy)),
                draw(note),
                draw(note),
            )
            for code in units
        ),
        services=asked,
        variants=tuple(
            c.Variant(*key, draw(minutes(5, 720)), draw(minutes(0, 60)), draw(minutes(0, 60)), draw(note))
            for key in variants
        ),
        hours=draw(hours(units, sites)),
        travel=tuple(
            c.Leg(*pair, draw(st.integers(0, 1440)) * (pair[0] != pair[1]), draw(latitudes), draw(note))
            for pair in product(sites, sites)
        ),
        places=tuple(
            c.Place(*key, draw(latitudes), draw(longitudes), draw(site), draw(lists(digits)), draw(note))
            for key in draw(lists(st.tuples(digits, names)))
        ),
        specialists=tuple(draw(specialists(code, units, sites, skills)) for code in people),
        working_hours=draw(working_hours(people)),
        absences=draw(absences(people)),
        closures=tuple(draw(closures(code, units, sites)) for code in draw(lists(codes))),
        contingents=draw(contingents(called)),
    )


@settings(deadline=None)
@given(counties())
def test_a_folder_gives_back_the_county_that_was_written_into_it(county):
    with tempfile.TemporaryDirectory() as folder:
        write_folder(county, Path(folder))
        assert read_folder(Path(folder)) == county


def verdict(file, content):
    """Read the example with one file replaced; other exceptions than Rejected fail the test."""
    with tempfile.TemporaryDirectory() as folder:
        for name in FILES:
            (Path(folder) / name).write_bytes((EXAMPLE / name).read_bytes())
        (Path(folder) / file).write_bytes(content)
        try:
            read_folder(Path(folder))
        except Rejected as rejected:
            return [
                (mistake.place, mistake.words("de"), mistake.words("en")) for mistake in rejected.mistakes
            ]
    return []


@settings(deadline=None)
@given(st.sampled_from(FILES), st.binary(max_size=200))
@example("county.toml", b"a = " + b"9" * 5000)
@example("county.toml", b"planning = 1")
@example("county.toml", b"planning.wish = 1")
@example("sites.csv", b'"')
@example("sites.csv", b",,,\n")
def test_no_bytes_whatever_are_a_county_or_crash(file, content):
    assert verdict(file, content)


@settings(deadline=None)
@given(st.sampled_from(FILES), st.data())
def test_a_slip_anywhere_in_a_file_never_crashes(file, data):
    content = (EXAMPLE / file).read_bytes()
    begin, end = sorted(data.draw(st.tuples(*[st.integers(0, len(content))] * 2)))
    end = min(end, begin + data.draw(st.integers(0, 5)))
    slip = data.draw(st.binary(max_size=3) | st.sampled_from([b",", b'"', b"\n", b";", b"-", b"0", b"\r"]))
    for _place, german, english in verdict(file, content[:begin] + slip + content[end:]):
        assert german
        assert english
