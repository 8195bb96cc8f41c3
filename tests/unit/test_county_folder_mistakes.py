"""Reading a county folder: what is accepted, and that every mistake is told at its place."""

from dataclasses import replace
from pathlib import Path
from string import Formatter

import pytest

from booking_service.domain.county import BookingRules, Contingent, Mode
from booking_service.domain.mistakes import WORDS, Rejected
from booking_service.store.county_folder import FILES, read_folder, write_folder

EXAMPLES = Path(__file__).parents[2] / "examples"

SETTINGS = """\
code = "99999"
name = "Landkreis Muster"
state = "MV"
zone = "Europe/Berlin"
office_group = "Landkreis Muster"
sender_name = "Landkreis Muster Terminservice"
sender_address = "termin@muster.example"
closed_days = ["12-24", "12-31"]
languages = ["de", "en"]
attribution = [
    "Places: \\"invented\\"",
]

[planning]
horizon_days = 28
lead_days = 1
publish_days = 2
tick_minutes = 5
seconds = 10
unserved_normal = 1000
unserved_soon = 3000
unserved_urgent = 9000
lost_promise = 100000
wait_day = 10
wish = 60
change = 40
travel_minute = 1
later_choice = 15

[booking]
hold_minutes = 10
holds_per_client = 200
open_per_contact = 5
release_delay_least = 10
release_delay_most = 30
least_per_trip = 1
"""
TEXTS = {
    "county.toml": SETTINGS,
    "sites.csv": """\
site,name,public_name,kind,street,zip,place,lat,lon,step_free,status,source,note
MITTE,Kreishaus,Kreishaus,headquarters,Markt 1,17001,Musterstadt,53.5,13.25,,,,
NORD,Bürgerbüro,Bürgerbüro,service_centre,"Weg 2, Haus A",17002,Norddorf,53.75,13.0,,,,
""",
    "rooms.csv": "room,site,name\nNORD-1,NORD,Raum 1\n",
    "units.csv": """\
unit,name_de,name_en,controller,base_site,handled_by,status,source
GSI,Grundsicherung,Basic income,Sozialamt,MITTE,specialist,,
BSC,Schalter,Desk,Bürgerservice,NORD,desk,,
""",
    "services.csv": """\
service,unit,name_de,name_en,name_plain_de,handled_by,bookable,raster,lead_hours,horizon_days,\
competence,refer_to,urgent_class,emergency_codes,sensitivity,documents,leika_keys,legal_basis,source
NEU,GSI,Antrag,Application,Antrag,specialist,yes,15,24,60,own,,normal,no_money,social,Ausweis;Bescheid,\
99107009017000,,
ABGABE,BSC,Abgeben,Hand in,Abgeben,desk,walk_in,5,0,7,refer,Stadt,normal,,social,,,,
""",
    "variants.csv": """\
service,mode,minutes,preparation,follow_up,basis
NEU,on_site,45,5,10,
NEU,phone,30,0,0,
""",
    "hours.csv": """\
unit,site,mode,access,weekday,from,to,week_of_month,valid_from,valid_to,status,source
GSI,NORD,on_site,appointment,2,08:00,12:00,,,2027-06-30,,
GSI,NORD,on_site,appointment,2,13:00,16:00,,,,,
GSI,NORD,on_site,appointment,2,08:00,12:30,,2027-07-01,,,
GSI,NORD,on_site,appointment,4,08:00,12:00,1,,,,
""",
    "travel.csv": "from,to,minutes,km,basis\nMITTE,NORD,48,44.5,\nNORD,MITTE,50,44.5,\n",
    "places.csv": """\
zip,name,lat,lon,nearest_site,shared_with,source
17001,Musterstadt,53.5,13.25,MITTE,13075,
""",
    "specialists.csv": """\
specialist,unit,base_site,skills,languages,modes,max_travel,surname_range,valid_from,valid_to,status
GSI-01,GSI,MITTE,NEU,de;gsg,on_site;phone,120,A-F,,,
GSI-02,GSI,MITTE,NEU,de,phone,,,2027-01-01,2027-12-31,
""",
    "working_hours.csv": """\
specialist,weekday,from,to,breaks,valid_from,valid_to
GSI-01,2,08:00,16:00,10:00-10:15|12:00-12:30,,
GSI-01,2,16:30,24:00,,,
""",
    "absences.csv": """\
specialist,from,to
GSI-01,2027-03-01,2027-03-05
GSI-01,2027-04-06T09:00,2027-04-06T11:30
""",
    "closures.csv": """\
closure,from,to,units,sites,channels,stays_open,exception_route,reason,public_text_de,status,source
W33,2027-08-16,2027-08-20,GSI,*,in_person_open;phone,BSC;GSI@NORD;phone,,,,,
""",
    "contingents.csv": """\
service,mode,weekday,from,to,release_hours
NEU,phone,1,11:00,11:45,2
NEU,phone,1,14:00,14:45,2
NEU,phone,2,11:00,11:45,0
""",
}


@pytest.fixture
def folder(tmp_path):
    """A small county without mistakes."""
    path = tmp_path / "muster"
    path.mkdir()
    for name, text in TEXTS.items():
        (path / name).write_text(text, encoding="utf-8")
    return path


def edit(folder, file, old, new):
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8", newline="")


def mistakes(folder):
    with pytest.raises(Rejected) as rejected:
        read_folder(folder)
    found = rejected.value.mistakes
    assert all(mistake.words("de") and mistake.words("en") for mistake in found)
    return [(mistake.place, mistake.code) for mistake in found]


def words(folder):
    with pytest.raises(Rejected) as rejected:
        read_folder(folder)
    return [mistake.words("en") for mistake in rejected.value.mistakes]


def test_a_folder_without_mistakes_gives_its_county(folder):
    county = read_folder(folder)
    assert county.settings.planning.later_choice == 15
    assert county.settings.booking == BookingRules(
        hold_minutes=10,
        holds_per_client=200,
        open_per_contact=5,
        release_delay_least=10,
        release_delay_most=30,
        least_per_trip=1,
    )
    assert county.settings.attribution == ('Places: "invented"',)
    assert county.sites[1].street == "Weg 2, Haus A"
    assert county.services[0].documents == ("Ausweis", "Bescheid")
    assert [(s.raster, s.lead_hours, s.horizon_days) for s in county.services] == [(15, 24, 60), (5, 0, 7)]
    assert county.specialists[0].max_travel == 120
    assert county.specialists[1].max_travel is None
    assert county.working_hours[0].breaks == ((600, 615), (720, 750))
    assert county.working_hours[1].end == 1440
    assert county.closures[0].sites == ()
    assert county.contingents[1] == Contingent("NEU", Mode.PHONE, 1, 840, 885, 2)


def test_the_last_whole_day_of_an_absence_belongs_to_it(folder):
    days, hours = read_folder(folder).absences
    assert (str(days.begin), str(days.end)) == ("2027-03-01 00:00:00", "2027-03-06 00:00:00")
    assert (str(hours.begin), str(hours.end)) == ("2027-04-06 09:00:00", "2027-04-06 11:30:00")


def test_what_spreadsheets_write_is_read_alike(folder):
    county = read_folder(folder)
    for file in folder.iterdir():
        if file.suffix == ".csv":
            lines = file.read_text(encoding="utf-8") + ",,,,\n\n"
            file.write_bytes(b"\xef\xbb\xbf" + lines.replace("\n", "\r\n").encode())
    assert read_folder(folder) == county


def test_columns_may_stand_in_any_order(folder):
    county = read_folder(folder)
    (folder / "rooms.csv").write_text("name,room,site\nRaum 1,NORD-1,NORD\n")
    assert read_folder(folder) == county


def test_lines_are_counted_as_an_editor_shows_them(folder):
    edit(folder, "sites.csv", "53.5,13.25,,,,", '53.5,13.25,,,,"first\r\nsecond\r\nthird"')
    edit(folder, "sites.csv", "53.75", "north")
    assert mistakes(folder) == [("sites.csv:5:lat", "cell_decimal")]
    edit(folder, "sites.csv", "north", "53.75")
    assert read_folder(folder).sites[0].note == "first\nsecond\nthird"


def test_mistakes_of_all_files_are_told_at_once_in_the_order_of_the_files(folder):
    edit(folder, "county.toml", "horizon_days = 28", "horizon_days = 0")
    edit(folder, "sites.csv", "53.5,", '"53,5",')
    edit(folder, "services.csv", "yes,15", "maybe,15")
    edit(folder, "travel.csv", "NORD,MITTE,50", "NORD,MITTE,fifty")
    edit(folder, "specialists.csv", "GSI-02,GSI,MITTE,NEU", "GSI-02,GSI,MITTE,NEU;ALT")
    assert mistakes(folder) == [
        ("county.toml:15:planning.horizon_days", "cell_range"),
        ("sites.csv:2:lat", "cell_decimal_comma"),
        ("services.csv:2:bookable", "cell_choice"),
        ("travel.csv:3:minutes", "cell_number"),
        ("specialists.csv:3:skills", "county_unknown"),
    ]


@pytest.mark.parametrize(
    ("raw", "place", "code"),
    [
        (b"", "rooms.csv", "file_empty"),
        (b"\xef\xbb\xbf\r\n", "rooms.csv", "file_empty"),
        (b"\0\0\0", "rooms.csv:1", "file_nul"),
        (b"room,site,name\nNORD-1,NORD,Ra\0um\n", "rooms.csv:2", "file_nul"),
        ("room,site,name\nNORD-1,NORD,Büro\n".encode("cp1252"), "rooms.csv:2", "file_encoding"),
        ("room,site,name\n".encode("utf-16"), "rooms.csv:1", "file_utf16"),
        (b"room;site;name\nNORD-1;NORD;Raum\n", "rooms.csv:1", "file_separator"),
        (b"room\tsite\tname\n", "rooms.csv:1", "file_separator"),
        (b"room,site\nNORD-1,NORD\n", "rooms.csv:1", "file_column_missing"),
        (b"room,site,name,floor\nNORD-1,NORD,Raum,1\n", "rooms.csv:1", "file_column_unknown"),
        (b"room,site,name,name\nNORD-1,NORD,Raum,Raum\n", "rooms.csv:1:name", "file_column_repeated"),
        (b"room,site,name\nNORD-1,NORD\n", "rooms.csv:2", "cell_count"),
        (b"room,site,name\nNORD-1,NORD,Raum, klein\n", "rooms.csv:2", "cell_count"),
        (b'room,site,name\nNORD-1,NORD,"Raum\n', "rooms.csv:2", "cell_quote"),
        (b'room,site,name\nNORD-1,NORD,"Raum" 1\n', "rooms.csv:2", "cell_quote"),
        (b'room,site,name\nNORD-1,NORD,Raum "1"\n', "rooms.csv:2", "cell_quote_inside"),
        (b"room,site,name\nNORD-1,NORD,Ra\x1bum\n", "rooms.csv:2:name", "cell_control"),
        ("room,site,name\nNORD-1,NORD,Ra\u202eum\n".encode(), "rooms.csv:2:name", "cell_control"),
        ("room,site,name\nNORD-1,NORD,B\ufffdro\n".encode(), "rooms.csv:2:name", "cell_control"),
        (b'room,site,name\nNORD-1,NORD,"Raum\n1"\n', "rooms.csv:2:name", "cell_control"),
        (b"room,site,name\n" + b"\n" * 60_000, "rooms.csv", "file_too_large"),
        (b"room,site,name\n" + b"x" * 6_000_000, "rooms.csv", "file_too_large"),
    ],
)
def test_a_file_that_is_no_proper_table_is_refused_with_the_cause(folder, raw, place, code):
    (folder / "rooms.csv").write_bytes(raw)
    assert mistakes(folder) == [(place, code)]


def test_a_wrong_encoding_is_told_with_line_character_and_byte(folder):
    (folder / "rooms.csv").write_bytes("room,site,name\r\nNORD-1,NORD,Büro\r\n".encode("latin-1"))
    assert words(folder)[0].startswith("Line 2, character 14: the byte 0xFC is not UTF-8.")


def test_after_an_open_quotation_mark_the_following_rows_are_still_read(folder):
    (folder / "rooms.csv").write_text(
        'room,site,name\nNORD-1,NORD,"Raum\nNORD-2,SUED,Raum 2\nnord,NORD,"x"\n'
    )
    assert mistakes(folder) == [
        ("rooms.csv:2", "cell_quote"),
        ("rooms.csv:3:site", "county_unknown"),
        ("rooms.csv:4:room", "cell_code"),
    ]


def test_an_open_quotation_mark_is_told_at_its_line_behind_a_cell_of_several_lines(folder):
    (folder / "rooms.csv").write_text('room,site,name\n"NORD-1\n",NORD,"Raum\n')
    assert mistakes(folder) == [("rooms.csv:3", "cell_quote")]


def test_a_missing_folder_and_a_file_in_its_place_are_refused(tmp_path):
    (tmp_path / "file").write_text("")
    assert mistakes(tmp_path / "nowhere") == [(str(tmp_path / "nowhere"), "file_no_folder")]
    assert mistakes(tmp_path / "file") == [(str(tmp_path / "file"), "file_no_folder")]


def test_an_empty_folder_misses_every_file(tmp_path):
    assert mistakes(tmp_path) == [(name, "file_missing") for name in FILES]


def test_a_folder_in_the_place_of_a_file_is_refused(folder):
    (folder / "absences.csv").unlink()
    (folder / "absences.csv").mkdir()
    assert mistakes(folder) == [("absences.csv", "file_no_file")]


CELLS = [
    ("sites.csv", "NORD,Bürgerbüro", "nord,Bürgerbüro", "3:site", "cell_code"),
    ("sites.csv", "NORD,Bürgerbüro", "NORD,", "3:name", "cell_empty"),
    ("sites.csv", "NORD,Bürgerbüro", "NORD," + "x" * 301, "3:name", "cell_long"),
    ("sites.csv", "headquarters", "Headquarters", "2:kind", "cell_choice"),
    ("sites.csv", "17001", "1701", "2:zip", "cell_zip"),
    ("sites.csv", "53.5,13.25", "13.25,13.25", "2:lat", "cell_range"),
    ("sites.csv", "53.5,13.25", "53.5,53.5", "2:lon", "cell_range"),
    ("sites.csv", "53.5,13.25", "53.5,nan", "2:lon", "cell_decimal"),
    ("sites.csv", "53.5,13.25", "53.5,1e1", "2:lon", "cell_decimal"),
    ("variants.csv", "45,5,10", "0,5,10", "2:minutes", "cell_range"),
    ("variants.csv", "45,5,10", "45,-5,10", "2:preparation", "cell_range"),
    ("variants.csv", "45,5,10", "45,5,10.5", "2:follow_up", "cell_number"),
    ("variants.csv", "45,5,10", "45,٥,10", "2:preparation", "cell_number"),
    ("services.csv", "no_money", "no_honey", "2:emergency_codes", "cell_choice"),
    ("services.csv", "Ausweis;Bescheid", "Ausweis;;Bescheid", "2:documents", "cell_item_empty"),
    ("services.csv", "Ausweis;Bescheid", "Ausweis;Ausweis", "2:documents", "cell_item_repeated"),
    ("services.csv", "Ausweis;Bescheid", ";".join(map(str, range(700))), "2:documents", "cell_long"),
    ("services.csv", "99107009017000", "9910700901700", "2:leika_keys", "cell_leika"),
    ("services.csv", "15,24,60", "4,24,60", "2:raster", "cell_range"),
    ("services.csv", "15,24,60", "245,24,60", "2:raster", "cell_range"),
    ("services.csv", "15,24,60", ",24,60", "2:raster", "cell_empty"),
    ("services.csv", "15,24,60", "15,-1,60", "2:lead_hours", "cell_range"),
    ("services.csv", "15,24,60", "15,721,60", "2:lead_hours", "cell_range"),
    ("services.csv", "15,24,60", "15,24,0", "2:horizon_days", "cell_range"),
    ("services.csv", "15,24,60", "15,24,367", "2:horizon_days", "cell_range"),
    ("hours.csv", "2,08:00", "0,08:00", "2:weekday", "cell_range"),
    ("hours.csv", "08:00", "8:00", "2:from", "cell_time"),
    ("hours.csv", "08:00", "08:60", "2:from", "cell_time"),
    ("hours.csv", "12:00", "24:05", "2:to", "cell_time"),
    ("hours.csv", "2027-06-30", "30.06.2027", "2:valid_to", "cell_date"),
    ("hours.csv", "2027-06-30", "2027-06-31", "2:valid_to", "cell_date"),
    ("hours.csv", "2027-06-30", "9999-12-31", "2:valid_to", "cell_date"),
    ("hours.csv", "12:00,1,", "12:00,6,", "5:week_of_month", "cell_range"),
    ("places.csv", "13075", "1375", "2:shared_with", "cell_county_code"),
    ("specialists.csv", "de;gsg", "de;DE", "2:languages", "cell_language"),
    ("specialists.csv", "de;gsg", "", "2:languages", "cell_empty"),
    ("specialists.csv", "on_site;phone", "on_site;letter", "2:modes", "cell_choice"),
    ("specialists.csv", "A-F", "F-A", "2:surname_range", "cell_surnames"),
    ("specialists.csv", "A-F", "Ä-F", "2:surname_range", "cell_surnames"),
    ("working_hours.csv", "12:00-12:30", "12:00", "2:breaks", "cell_spans"),
    ("working_hours.csv", "12:00-12:30", "12:30-12:00", "2:breaks", "cell_span_order"),
    ("working_hours.csv", "12:00-12:30", "12:00-12.30", "2:breaks", "cell_time"),
    ("absences.csv", "2027-03-01", "01.03.2027", "2:from", "cell_moment"),
    ("absences.csv", "2027-04-06T09:00", "2027-04-06 09:00", "3:from", "cell_moment"),
    ("absences.csv", "2027-04-06T09:00", "2027-04-31T09:00", "3:from", "cell_date"),
    ("closures.csv", "GSI,*", ",*", "2:units", "cell_empty"),
    ("closures.csv", "GSI,*,in_person_open", "GSI,*,online", "2:channels", "cell_choice"),
    ("closures.csv", "BSC;GSI@NORD", "BSC;GSI at NORD", "2:stays_open", "cell_stays_open"),
    ("contingents.csv", "NEU,phone", "NEU,on_site", "2:mode", "cell_choice"),
    ("contingents.csv", "NEU,phone", "NEU,video", "2:mode", "cell_choice"),
    ("contingents.csv", "phone,1", "phone,8", "2:weekday", "cell_range"),
    ("contingents.csv", "11:45,2", "11:45,169", "2:release_hours", "cell_range"),
    ("contingents.csv", "11:45,2", "11:45,-1", "2:release_hours", "cell_range"),
    ("contingents.csv", "11:45,2", "11:45,", "2:release_hours", "cell_empty"),
]


@pytest.mark.parametrize(("file", "old", "new", "place", "code"), CELLS)
def test_a_wrong_cell_is_the_only_mistake_and_told_at_its_place(*, folder, file, old, new, place, code):
    edit(folder, file, old, new)
    assert mistakes(folder) == [(f"{file}:{place}", code)]


RULES = [
    ("sites.csv", "NORD,Bürgerbüro", "MITTE,Bürgerbüro", "sites.csv:3:site", "county_duplicate"),
    ("rooms.csv", "NORD-1,NORD", "NORD-1,SUED", "rooms.csv:2:site", "county_unknown"),
    ("units.csv", "Sozialamt,MITTE", "Sozialamt,SUED", "units.csv:2:base_site", "county_unknown"),
    ("services.csv", "NEU,GSI", "NEU,GSO", "services.csv:2:unit", "county_unknown"),
    ("services.csv", "refer,Stadt", "refer,", "services.csv:3:refer_to", "county_refer_to"),
    ("services.csv", "15,24,60", "12,24,60", "services.csv:2:raster", "county_tick"),
    ("variants.csv", "NEU,phone", "ALT,phone", "variants.csv:3:service", "county_unknown"),
    ("variants.csv", "NEU,phone", "NEU,on_site", "variants.csv:3:service", "county_duplicate"),
    ("variants.csv", "45,5,10", "44,5,10", "variants.csv:2:minutes", "county_tick"),
    ("variants.csv", "45,5,10", "45,5,12", "variants.csv:2:follow_up", "county_tick"),
    ("hours.csv", "GSI,NORD", "GSI,SUED", "hours.csv:2:site", "county_unknown"),
    ("hours.csv", "13:00,16:00", "13:00,13:00", "hours.csv:3:to", "county_order"),
    ("hours.csv", "13:00,16:00", "13:00,16:02", "hours.csv:3:to", "county_tick"),
    ("hours.csv", "13:00,16:00", "12:25,16:00", "hours.csv:4:from", "county_overlap"),
    ("hours.csv", "2027-07-01,", "2027-06-30,", "hours.csv:4:from", "county_overlap"),
    ("hours.csv", "2027-07-01,", "2027-07-01,2027-06-01", "hours.csv:4:valid_to", "county_validity"),
    ("hours.csv", "4,08:00,12:00,1", "2,08:00,09:00,1", "hours.csv:5:from", "county_overlap"),
    ("travel.csv", "NORD,MITTE,50,44.5,\n", "", "travel.csv", "county_travel_missing"),
    ("travel.csv", "NORD,MITTE", "MITTE,NORD", "travel.csv:3:from", "county_duplicate"),
    ("travel.csv", "50,44.5,", "50,44.5,\nNORD,NORD,5,0,", "travel.csv:4:minutes", "county_travel_self"),
    ("places.csv", "MITTE,13075", "SUED,13075", "places.csv:2:nearest_site", "county_unknown"),
    ("specialists.csv", "MITTE,NEU,de,", "MITTE,NEU;ALT,de,", "specialists.csv:3:skills", "county_unknown"),
    ("specialists.csv", "MITTE,NEU,de,", "MITTE,ABGABE,de,", "specialists.csv:3:skills", "county_desk_skill"),
    ("specialists.csv", "2027-12-31", "2026-12-31", "specialists.csv:3:valid_to", "county_validity"),
    ("working_hours.csv", "16:30", "15:55", "working_hours.csv:3:from", "county_overlap"),
    ("working_hours.csv", "10:00-10:15", "07:30-08:15", "working_hours.csv:2:breaks", "county_break_outside"),
    ("working_hours.csv", "10:00-10:15", "10:00-12:15", "working_hours.csv:2:breaks", "county_break_order"),
    ("working_hours.csv", "12:00-12:30", "12:00-12:33", "working_hours.csv:2:breaks", "county_tick"),
    ("absences.csv", "GSI-01,2027-03-01", "GSI-09,2027-03-01", "absences.csv:2:specialist", "county_unknown"),
    ("absences.csv", "2027-03-05", "2027-02-28", "absences.csv:2:to", "county_order"),
    ("absences.csv", "T11:30", "T09:00", "absences.csv:3:to", "county_order"),
    ("absences.csv", "T09:00", "T09:01", "absences.csv:3:from", "county_tick"),
    ("absences.csv", "2027-04-06T09:00", "2027-03-28T02:30", "absences.csv:3:from", "county_skipped_time"),
    ("closures.csv", "2027-08-20", "2027-08-13", "closures.csv:2:to", "county_order"),
    ("closures.csv", "GSI,*", "GSI;GSO,*", "closures.csv:2:units", "county_unknown"),
    ("closures.csv", "BSC;GSI@NORD", "BSC;GSI@SUED", "closures.csv:2:stays_open", "county_stays_open"),
    ("closures.csv", "BSC;GSI@NORD", "BSC;online", "closures.csv:2:stays_open", "county_stays_open"),
    ("contingents.csv", "NEU,phone", "ALT,phone", "contingents.csv:2:service", "county_unknown"),
    ("contingents.csv", "NEU,phone", "ABGABE,phone", "contingents.csv:2:service", "county_desk_contingent"),
    ("variants.csv", "NEU,phone,30,0,0,\n", "", "contingents.csv:2:mode", "county_no_such_variant"),
    ("contingents.csv", "11:00,11:45", "11:02,11:45", "contingents.csv:2:from", "county_tick"),
    ("contingents.csv", "11:00,11:45", "11:00,11:00", "contingents.csv:2:to", "county_order"),
    ("contingents.csv", "14:00,14:45", "11:40,14:45", "contingents.csv:3:from", "county_overlap"),
]


@pytest.mark.parametrize(("file", "old", "new", "place", "code"), RULES)
def test_rows_that_do_not_fit_each_other_are_told_at_their_place(*, folder, file, old, new, place, code):
    edit(folder, file, old, new)
    assert (place, code) in mistakes(folder)


def test_a_doubled_code_names_the_line_of_the_first(folder):
    edit(folder, "rooms.csv", "Raum 1", "Raum 1\nNORD-2,NORD,Raum 2\nNORD-1,NORD,Raum 3")
    assert mistakes(folder) == [("rooms.csv:4:room", "county_duplicate")]
    assert words(folder) == ["“NORD-1” is already in line 2."]


def test_a_bookable_service_of_specialists_needs_a_variant(folder):
    (folder / "variants.csv").write_text("service,mode,minutes,preparation,follow_up,basis\n")
    (folder / "contingents.csv").write_text("service,mode,weekday,from,to,release_hours\n")
    assert mistakes(folder) == [("services.csv:2:bookable", "county_no_variant")]


def test_a_wrong_latitude_does_not_make_the_site_unknown_to_others(folder):
    edit(folder, "sites.csv", "53.75", "5375")
    assert mistakes(folder) == [("sites.csv:3:lat", "cell_range")]


def test_a_file_that_cannot_be_read_makes_no_references_wrong(folder):
    (folder / "sites.csv").write_bytes(b"\xff")
    (folder / "services.csv").unlink()
    assert mistakes(folder) == [("sites.csv:1", "file_encoding"), ("services.csv", "file_missing")]


def test_hours_of_the_same_time_are_fine_in_different_weeks_or_validities(folder):
    edit(
        folder,
        "hours.csv",
        "4,08:00,12:00,1",
        "4,08:00,12:00,2,,,,\nGSI,NORD,on_site,appointment,4,09:00,12:00,1",
    )
    assert len(read_folder(folder).hours) == 5


def test_a_closure_may_last_one_day(folder):
    edit(folder, "closures.csv", "2027-08-20", "2027-08-16")
    closure = read_folder(folder).closures[0]
    assert closure.begin == closure.end


def test_kept_minutes_may_follow_each_other_without_a_gap(folder):
    edit(folder, "contingents.csv", "14:00,14:45", "11:45,12:30")
    assert read_folder(folder).contingents[1].begin == 705


def test_no_minutes_need_to_be_kept_free(folder):
    (folder / "contingents.csv").write_text("service,mode,weekday,from,to,release_hours\n")
    assert read_folder(folder).contingents == ()


def test_a_misspelt_variant_does_not_make_kept_minutes_wrong(folder):
    edit(folder, "variants.csv", "NEU,phone", "NEU,fone")
    assert mistakes(folder) == [("variants.csv:3:mode", "cell_choice")]


def test_a_cancelled_place_may_be_offered_again_at_once(folder):
    edit(folder, "county.toml", "least = 10", "least = 0")
    edit(folder, "county.toml", "most = 30", "most = 0")
    booking = read_folder(folder).settings.booking
    assert (booking.release_delay_least, booking.release_delay_most) == (0, 0)


SETTING_MISTAKES = [
    ('code = "99999"', "", "1:code", "county_key_missing"),
    ('code = "99999"', "code = 99999", "1:code", "county_not_a_text"),
    ('state = "MV"', 'state = "DE-MV"', "3:state", "cell_choice"),
    ("Europe/Berlin", "Europe/Bärlin", "4:zone", "cell_zone"),
    ("Europe/Berlin", "../etc/passwd", "4:zone", "cell_zone"),
    ('sender_name = "', 'sender_name = "\\u0000', "6:sender_name", "cell_control"),
    ("termin@muster.example", "termin.muster.example", "7:sender_address", "cell_address"),
    ("termin@muster.example", "a@b.example\\nBcc: c@d.example", "7:sender_address", "cell_control"),
    ('"12-24"', '"24.12."', "8:closed_days", "cell_month_day"),
    ('"12-24"', '"02-30"', "8:closed_days", "cell_month_day"),
    ('["de", "en"]', '["de", "German"]', "9:languages", "cell_language"),
    ('["de", "en"]', '["de", "de"]', "9:languages", "cell_item_repeated"),
    ('["de", "en"]', '"de"', "9:languages", "county_not_a_list"),
    ("horizon_days = 28", "horizont = 28\nhorizon_days = 28", "15:planning.horizont", "county_key_unknown"),
    ("horizon_days = 28", "", "14:planning.horizon_days", "county_key_missing"),
    ("horizon_days = 28", 'horizon_days = "28"', "15:planning.horizon_days", "cell_number"),
    ("horizon_days = 28", "horizon_days = true", "15:planning.horizon_days", "cell_number"),
    ("horizon_days = 28", "horizon_days = 366", "15:planning.horizon_days", "cell_range"),
    ("tick_minutes = 5", "tick_minutes = 7", "18:planning.tick_minutes", "cell_choice"),
    ("[planning]", "[plan]", "1:planning", "county_key_missing"),
    ("publish_days = 2", "publish_days = 0", "17:planning.publish_days", "cell_range"),
    ("wish = 60", "wish = -1", "25:planning.wish", "cell_range"),
    ("[booking]", "[bookings]", "1:booking", "county_key_missing"),
    ("[booking]", "[bookings]", "30:bookings", "county_key_unknown"),
    ("hold_minutes = 10", "hold_minutes = 0", "31:booking.hold_minutes", "cell_range"),
    ("hold_minutes = 10", "hold_minutes = 61", "31:booking.hold_minutes", "cell_range"),
    ("hold_minutes = 10", "hold = 10", "31:booking.hold", "county_key_unknown"),
    ("hold_minutes = 10", "hold = 10", "30:booking.hold_minutes", "county_key_missing"),
    ("per_client = 200", "per_client = 0", "32:booking.holds_per_client", "cell_range"),
    ("per_contact = 5", "per_contact = 1.5", "33:booking.open_per_contact", "cell_number"),
    ("least = 10", "least = 31", "35:booking.release_delay_most", "county_least_most"),
    ("most = 30", "most = 1441", "35:booking.release_delay_most", "cell_range"),
    ("least_per_trip = 1", "least_per_trip = 0", "36:booking.least_per_trip", "cell_range"),
]


@pytest.mark.parametrize(("old", "new", "place", "code"), SETTING_MISTAKES)
def test_a_wrong_setting_is_told_with_its_line_and_key(folder, old, new, place, code):
    edit(folder, "county.toml", old, new)
    assert (f"county.toml:{place}", code) in mistakes(folder)


@pytest.mark.parametrize("text", ["code = ", "code", "[planning", "a = 1\na = 1\n", "x = " + "[" * 20_000])
def test_settings_that_are_no_toml_are_refused(folder, text):
    (folder / "county.toml").write_text(text)
    assert [code for _place, code in mistakes(folder)] == ["file_toml"]


def test_a_toml_mistake_names_its_line(folder):
    edit(folder, "county.toml", 'zone = "Europe/Berlin"', "zone = Europe/Berlin")
    assert mistakes(folder) == [("county.toml:4", "file_toml")]


@pytest.mark.parametrize("name", ["mecklenburgische-seenplatte", "helmstedt"])
def test_writing_what_was_read_from_an_example_gives_the_same_bytes(name, tmp_path):
    county = read_folder(EXAMPLES / name)
    write_folder(county, tmp_path)
    assert {file: (tmp_path / file).read_bytes() for file in FILES} == {
        file: (EXAMPLES / name / file).read_bytes() for file in FILES
    }


def test_texts_with_separators_quotation_marks_and_line_breaks_are_kept(folder, tmp_path):
    county = read_folder(folder)
    site = replace(county.sites[0], name='Haus "A", links', note='erst\n"dann"', lat=53.123456)
    settings = replace(county.settings, office_group='Kreis "M\\N"')
    quirky = replace(county, settings=settings, sites=(site, county.sites[1]))
    write_folder(quirky, tmp_path / "new")
    assert read_folder(tmp_path / "new") == quirky


def test_an_earlier_export_is_written_over_and_leaves_no_other_file(folder):
    county = read_folder(folder)
    (folder / "rooms.csv").write_text("spoilt")
    write_folder(county, folder)
    assert read_folder(folder) == county
    assert sorted(file.name for file in folder.iterdir()) == sorted(FILES)


def test_nothing_is_written_into_a_folder_with_other_files(folder, tmp_path):
    (tmp_path / "thesis.odt").write_text("")
    with pytest.raises(Rejected, match=r"thesis\.odt"):
        write_folder(read_folder(folder), tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["muster", "thesis.odt"]


def test_a_county_that_breaks_the_rules_is_not_written(folder, tmp_path):
    county = read_folder(folder)
    with pytest.raises(Rejected, match="is missing"):
        write_folder(replace(county, travel=()), tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_values_that_the_format_cannot_hold_are_not_written(folder, tmp_path):
    county = read_folder(folder)
    room = replace(county.rooms[0], name=" Raum 1 ")
    with pytest.raises(ValueError, match="cannot be read back"):
        write_folder(replace(county, rooms=(room,)), tmp_path / "new")


def test_every_mistake_has_words_with_the_same_values_in_both_languages():
    for code, by_language in WORDS.items():
        fields = {
            language: {name for _, name, *_ in Formatter().parse(text)}
            for language, text in by_language.items()
        }
        assert set(by_language) == {"de", "en"}, code
        assert fields["de"] - {None} == fields["en"] - {None}, code
