"""Whatever people and counties are called and whenever they meet: the bytes are sound, the instants right."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email.utils import getaddresses

import icalendar
import vobject
from hypothesis import example, given, settings
from hypothesis import strategies as st

from booking_service.domain.county import Mode
from booking_service.mail.calendar_entry import calendar_entry
from booking_service.mail.message import render
from booking_service.mail.notice import Sender, Venue
from tests.mail_notices import a_notice, entry_of, opened

slowly = settings(deadline=None)  # a busy machine is no mistake

AWKWARD = st.one_of(
    st.text(max_size=300),
    st.text(
        alphabet=st.sampled_from("aZ ,;:\\\"'^\n\r\t\x00\x0b\x1f\x7f\x85\u2028\u202e\u200d<>@()=?éאع😀👩‍🔬"),
        max_size=300,
    ),
    st.sampled_from(
        ["Ö" * 300, "😀" * 300, "a,b;" * 75, "\\n" * 150, "x" * 300, "مكتب المواطن", "\u202eevil"]
    ),
)
FORBIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069\\\\]")

# Both sides of every clock change of two years, to the minute, and any other time.
SWITCHES = [
    datetime(*day, 1, 0, tzinfo=UTC) for day in ((2026, 3, 29), (2026, 10, 25), (2027, 3, 28), (2027, 10, 31))
]
STARTS = st.one_of(
    st.datetimes(datetime(2026, 1, 1), datetime(2031, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - takes naive bounds
    st.builds(
        lambda at, minutes: at + timedelta(minutes=minutes), st.sampled_from(SWITCHES), st.integers(-180, 180)
    ),
).map(lambda start: start.replace(second=0, microsecond=0))
LENGTHS = st.integers(5, 120).map(lambda minutes: timedelta(minutes=minutes))


def venues():
    return st.builds(
        Venue,
        public_name=AWKWARD,
        street=AWKWARD,
        zip=st.from_regex(r"[0-9]{5}", fullmatch=True),
        place=AWKWARD,
        lat=st.floats(47, 56),
        lon=st.floats(5, 16),
    )


@slowly
@given(
    name=AWKWARD,
    group=AWKWARD,
    reference=AWKWARD,
    sender=AWKWARD,
    venue=venues(),
    mode=st.sampled_from([Mode.ON_SITE, Mode.VIDEO]),
)
def test_no_name_or_place_breaks_the_bytes_of_an_entry(*, name, group, reference, sender, venue, mode):
    notice = a_notice(
        recipient_name=name,
        office_group=group,
        reference=reference,
        sender=Sender(sender, "termin@lk-seenplatte.example"),
        venue=venue,
        mode=mode,
    )
    entry = calendar_entry(notice)
    lines = entry.split(b"\r\n")
    assert lines.pop() == b""
    assert b"\n" not in entry.replace(b"\r\n", b"")
    for line in lines:
        assert 0 < len(line) <= 75
        assert not line.endswith(b"\\")
        line.decode()
    unfolded = entry.replace(b"\r\n ", b"").decode()
    assert not FORBIDDEN.search(
        unfolded.replace("\r", "").replace(r"\n", "").replace(r"\,", "").replace(r"\;", "")
    )
    for parameter in re.findall(r'CN=("[^"]*"|[^;:]*)', unfolded):
        assert not {'"', "^"} & set(parameter.strip('"'))


@slowly
@given(name=AWKWARD, group=AWKWARD, venue=venues())
def test_every_parser_reads_back_the_same_texts(name, group, venue):
    entry = calendar_entry(a_notice(recipient_name=name, office_group=group, venue=venue))
    (event,) = icalendar.Calendar.from_ical(entry).walk("VEVENT")
    peer = vobject.readOne(entry.decode()).vevent
    assert str(event["SUMMARY"]) == peer.summary.value
    assert str(event["LOCATION"]) == peer.location.value
    assert str(event["DESCRIPTION"]) == peer.description.value
    assert len(str(event["SUMMARY"])) <= 120
    assert len(str(event["LOCATION"])) <= 255
    assert str(event["ATTENDEE"]) == peer.attendee.value == "mailto:anna@citizen.example"


@slowly
@given(name=AWKWARD, sender=AWKWARD, venue=venues())
def test_no_name_becomes_a_header_or_a_second_recipient(name, sender, venue):
    rendered = render(a_notice(recipient_name=name, sender=Sender(sender, "termin@lk.example"), venue=venue))
    message = opened(rendered)
    assert rendered.content.isascii()
    assert len(message.keys()) == len(set(message.keys())) == 9
    assert [address.addr_spec for address in message["To"].addresses] == ["anna@citizen.example"]
    assert [address.addr_spec for address in message["From"].addresses] == ["termin@lk.example"]
    assert [address for _, address in getaddresses([str(message["To"])])] == ["anna@citizen.example"]
    assert not any(part.defects for part in message.walk())
    entry_of(message).decode()


@slowly
@given(start=STARTS, length=LENGTHS)
@example(start=datetime(2026, 3, 29, 0, 30, tzinfo=UTC), length=timedelta(minutes=45))
@example(start=datetime(2026, 3, 29, 1, 0, tzinfo=UTC), length=timedelta(minutes=30))
@example(start=datetime(2026, 10, 25, 0, 0, tzinfo=UTC), length=timedelta(minutes=60))
@example(start=datetime(2026, 10, 25, 0, 30, tzinfo=UTC), length=timedelta(minutes=45))
@example(start=datetime(2026, 10, 25, 1, 30, tzinfo=UTC), length=timedelta(minutes=45))
@example(start=datetime(2027, 3, 28, 0, 59, tzinfo=UTC), length=timedelta(minutes=5))
@example(start=datetime(2026, 1, 15, 7, 0, tzinfo=UTC), length=timedelta(minutes=45))
@example(start=datetime(2026, 7, 15, 7, 0, tzinfo=UTC), length=timedelta(minutes=45))
def test_parsers_come_to_the_same_instants_on_every_day_of_the_year(start, length):
    entry = calendar_entry(a_notice(start=start, end=start + length))
    (event,) = icalendar.Calendar.from_ical(entry).walk("VEVENT")
    peer = vobject.readOne(entry.decode()).vevent
    assert event["DTSTART"].dt.astimezone(UTC) == peer.dtstart.value.astimezone(UTC) == start
    assert event["DTEND"].dt.astimezone(UTC) == peer.dtend.value.astimezone(UTC) == start + length


@slowly
@given(start=STARTS, length=LENGTHS)
def test_equal_notices_make_equal_bytes_at_any_time(start, length):
    notice = a_notice(start=start, end=start + length)
    assert render(notice) == render(a_notice(start=start, end=start + length))
