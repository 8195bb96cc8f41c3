"""The life of an appointment: held, confirmed, moved, cancelled, kept; and what can never follow what."""

from __future__ import annotations

import re
import threading
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes
from email.policy import default as modern
from functools import partial

import pytest
from sqlalchemy import select

from booking_service.domain.bookings import EVENTS, AppointmentStatus, Contact, Event, MailState
from booking_service.domain.county import Mode
from booking_service.domain.mistakes import Rejected
from booking_service.services import bookings, holds
from booking_service.services.answers import once_of
from booking_service.services.county import replace_county
from booking_service.services.outbox import lease, mark_sent
from booking_service.services.places import HoldOver, NotFound, NotPossible, PlaceTaken, TooMany, sweep
from booking_service.services.witness import verify
from booking_service.store.booking_tables import AppointmentRow, OutboxRow, VisitRow
from booking_service.store.db import db, transactional
from booking_service.store.plan import lock_day
from tests import bookers
from tests.bookers import DESK, MINUTE, PORTAL, cancel, confirm, move
from tests.citizens import ANNA, NOW, TUESDAY, WEDNESDAY, local
from tests.promises import promise_of, promises, with_specialists

# all of this at Neubrandenburg, unless said otherwise
starts = partial(bookers.starts, sites=["NB-SOZ"])
take = partial(bookers.take, sites=["NB-SOZ"])
book = partial(bookers.book, sites=["NB-SOZ"])

TEN = local(WEDNESDAY, "10:00")
ELEVEN = local(WEDNESDAY, "11:00")


def number(i: int) -> Contact:
    return Contact(f"Person {i}", f"person-{i}@buergerin.example", None)


def mails():
    found = list(db.session.scalars(select(OutboxRow).order_by(OutboxRow.id)))
    db.session.expunge_all()
    db.session.remove()
    return found


def send_all():
    for letter in lease(now=NOW, most=100):
        mark_sent(outbox_id=letter.outbox_id, now=NOW)


def entry_of(mail):
    """UID, SEQUENCE and METHOD of the calendar entry in a message."""
    message = message_from_bytes(mail.content, policy=modern)
    part = next(part for part in message.walk() if part.get_content_type() == "text/calendar")
    lines = dict(re.findall(r"^(UID|SEQUENCE|METHOD):(.*?)\r?$", part.get_content(), re.MULTILINE))
    return lines["UID"], int(lines["SEQUENCE"]), lines["METHOD"]


@transactional
def put_into(session, *, reference, status):
    session.scalar(select(AppointmentRow).where(AppointmentRow.reference == reference)).status = status


@transactional
def mark_day(session):
    """Count Wednesday's version up, as somebody in another process would."""
    lock_day(session, WEDNESDAY).version += 1


class Undone(Exception):
    """The end of a transaction after all was written."""


class Breaking:
    """A repeatable call whose answer cannot be kept."""

    def recall(self, _session):
        return None

    def keep(self, _session, _made):
        raise Undone


@transactional
def status_of(session, *, key):
    return session.scalar(select(AppointmentRow).where(AppointmentRow.hold_key == key)).status


@transactional
def take_back(session, *, key):
    """Let the visits of a hold that is over stand again, past the service: the day is not counted up."""
    row = session.scalar(select(AppointmentRow).where(AppointmentRow.hold_key == key))
    row.visits[0].live = True
    return row.visits[0].specialist_id


@transactional
def holder_of(session, *, key):
    return session.scalar(
        select(VisitRow.specialist_id).join(VisitRow.appointment).where(AppointmentRow.hold_key == key)
    )


def sound():
    return verify(now=NOW)[1] == []


# --- From hold to appointment


def test_a_hold_becomes_an_appointment_at_the_same_time_and_place(loaded):
    held = take(TEN)
    booked = confirm(loaded, held)
    assert booked.status is AppointmentStatus.CONFIRMED
    assert booked.place == held.place
    assert bookings.booking(reference=booked.reference) == booked
    assert [(mail.kind, mail.recipient) for mail in mails()] == [("confirmation", ANNA.email)]
    assert sound()


def test_two_confirmations_of_one_hold_make_one_appointment(loaded):
    held = take(TEN)
    confirm(loaded, held)
    with pytest.raises(HoldOver):
        confirm(loaded, held, contact=number(2))
    assert len(mails()) == 1


def test_confirmations_at_the_same_time_make_one_appointment(loaded):
    held = take(TEN)
    made, start = [], threading.Barrier(4)

    def run(i):
        with loaded.app_context():
            start.wait()
            try:
                made.append(confirm(loaded, held, contact=number(i)).reference)
            except HoldOver:
                made.append(None)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 4
    assert made.count(None) == 3
    assert len(mails()) == 1


def test_a_hold_that_has_run_out_cannot_be_confirmed_and_its_place_is_offered_again(loaded, county):
    replace_county(county=with_specialists(county, "GSI-05"))
    held = take(TEN)
    later = held.expires_at
    assert TEN not in starts()
    with pytest.raises(HoldOver):
        confirm(loaded, held, now=later)
    assert sweep(now=later - MINUTE) == 0
    assert sweep(now=later) == 1
    assert TEN in starts()
    assert sweep(now=later) == 0


@pytest.mark.usefixtures("loaded")
def test_a_hold_that_has_run_out_makes_way_before_it_is_swept(county):
    replace_county(county=with_specialists(county, "GSI-05"))
    held = take(TEN)
    assert take(TEN, now=held.expires_at).place == held.place
    assert status_of(key=held.key) is AppointmentStatus.EXPIRED
    assert sound()


def test_a_hold_of_somebody_else_is_not_found(loaded):
    held = take(TEN)
    with pytest.raises(NotFound):
        confirm(loaded, held, caller=DESK)
    with pytest.raises(NotFound):
        holds.release_hold(key=held.key, caller="token 2", now=NOW)
    with pytest.raises(NotFound):
        holds.release_hold(key="no such key", caller="token 1", now=NOW)
    assert confirm(loaded, held).reference


def test_a_hold_that_is_given_up_is_over(loaded, county):
    replace_county(county=with_specialists(county, "GSI-05"))
    held = take(TEN)
    holds.release_hold(key=held.key, caller="token 1", now=NOW)
    assert TEN in starts()
    with pytest.raises(HoldOver):
        confirm(loaded, held)
    with pytest.raises(HoldOver):
        holds.release_hold(key=held.key, caller="token 1", now=NOW)


def test_a_wrong_contact_leaves_the_hold_as_it_was(loaded):
    held = take(TEN)
    with pytest.raises(Rejected):
        confirm(loaded, held, contact=Contact("", "nonsense", None))
    assert confirm(loaded, held).status is AppointmentStatus.CONFIRMED


@pytest.mark.usefixtures("loaded")
def test_a_browser_holds_one_place_at_a_time(county):
    replace_county(county=with_specialists(county, "GSI-05"))
    first = take(TEN, client="token 1/firefox", only_one=True)
    take(ELEVEN, client="token 1/firefox", only_one=True)
    assert status_of(key=first.key) is AppointmentStatus.EXPIRED
    assert TEN in starts()
    assert sound()


def test_a_browser_that_clicks_on_several_days_at_once_holds_one_place(loaded):
    days = [TEN + timedelta(days=number) for number in (-1, 0, 1, 2)]
    keys, start = [], threading.Barrier(len(days))

    def run(time):
        with loaded.app_context():
            start.wait()
            keys.append(take(time, client="token 1/firefox", only_one=True).key)

    for _ in range(3):
        threads = [threading.Thread(target=run, args=(time,)) for time in days]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(keys) == 3 * len(days)
    standing = [status_of(key=key) for key in keys]
    assert standing.count(AppointmentStatus.HELD) == 1
    assert set(standing) == {AppointmentStatus.HELD, AppointmentStatus.EXPIRED}
    assert sound()


def test_a_browser_that_clicks_in_vain_keeps_what_it_holds(loaded, county):
    replace_county(county=with_specialists(county, "GSI-05"))
    mine = take(TEN, client="token 1/firefox", only_one=True)
    take(ELEVEN, client="token 1/opera", only_one=True)
    with pytest.raises(PlaceTaken):
        take(ELEVEN, client="token 1/firefox", only_one=True)
    assert confirm(loaded, mine).place == mine.place


@pytest.mark.usefixtures("loaded")
def test_what_the_database_refuses_is_kept_by_somebody_else():
    first = take(TEN)
    holds.release_hold(key=first.key, caller="token 1", now=NOW)
    assert TEN in starts()
    refused = take_back(key=first.key)
    second = take(TEN)
    assert second.place == first.place
    assert holder_of(key=second.key) != refused


@pytest.mark.usefixtures("loaded")
def test_what_was_looked_at_in_vain_is_not_remembered(county):
    """The failed click has freed 10:00 for the moment; nobody else may ever see that."""
    replace_county(county=with_specialists(county, "GSI-05"))
    take(TEN, client="token 1/firefox", only_one=True)
    other = take(ELEVEN, client="token 1/opera", only_one=True)
    with pytest.raises(PlaceTaken):
        take(ELEVEN, client="token 1/firefox", only_one=True)
    holds.release_hold(key=other.key, caller="token 1", now=NOW)
    assert TEN not in starts()
    assert ELEVEN in starts()


@pytest.mark.usefixtures("loaded")
def test_what_is_undone_after_the_place_was_written_is_not_remembered(county):
    replace_county(county=with_specialists(county, "GSI-05"))
    with pytest.raises(Undone):
        take(TEN, once=Breaking())
    mark_day()
    assert TEN in starts()


def test_a_browser_does_not_give_up_what_it_has_confirmed(loaded):
    held = take(TEN, client="token 1/firefox", only_one=True)
    booked = confirm(loaded, held)
    take(ELEVEN, client="token 1/firefox", only_one=True)
    assert bookings.booking(reference=booked.reference).status is AppointmentStatus.CONFIRMED
    assert promise_of(booked.reference).visits


@pytest.mark.usefixtures("loaded")
def test_a_portal_may_hold_so_many_places_and_no_more(county):
    rules = replace(county.settings, booking=replace(county.settings.booking, holds_per_client=2))
    replace_county(county=replace(county, settings=rules))
    take(TEN)
    take(ELEVEN)
    with pytest.raises(TooMany) as caught:
        take(local(WEDNESDAY, "13:30"))
    assert caught.value.code == "too_many_holds"


def test_a_contact_may_have_so_many_open_appointments_and_no_more_but_the_desk_may_go_on(loaded, county):
    most = county.settings.booking.open_per_contact
    times = iter(starts(day=TUESDAY, sites=["NB-SOZ"])[::3])
    for _ in range(most):
        book(loaded, next(times), sites=["NB-SOZ"])
    held = take(next(times), sites=["NB-SOZ"])
    with pytest.raises(TooMany) as caught:
        confirm(loaded, held)
    assert caught.value.code == "too_many_appointments"
    assert confirm(loaded, held, contact=number(1)).reference
    by_desk = take(next(times), sites=["NB-SOZ"], client="token 2/")
    assert confirm(loaded, by_desk, caller=DESK).reference


def test_by_phone_a_number_is_needed(loaded):
    held = take(TEN, sites=[], modes=[Mode.PHONE])
    with pytest.raises(Rejected) as caught:
        confirm(loaded, held)
    assert [mistake.code for mistake in caught.value.mistakes] == ["phone_needed"]
    assert confirm(loaded, held, contact=Contact("Anna", None, "0395 123456")).place.site is None


# --- Calls that are repeated


def key(sent, operation="hold"):
    return once_of("the key", caller="token 1", operation=operation, sent=sent, now=NOW)


def test_the_same_call_is_answered_alike_and_done_once(loaded):
    held = take(TEN, once=key("ten"))
    assert take(TEN, once=key("ten")) == held
    booked = confirm(loaded, held, once=key("anna", "confirm"))
    assert confirm(loaded, held, once=key("anna", "confirm")) == booked
    later = take(ELEVEN)
    moved = move(loaded, booked.reference, later, once=key("later", "move"))
    assert move(loaded, booked.reference, later, once=key("later", "move")) == moved
    assert len(promises()) == 2
    assert sound()


def test_a_key_that_comes_with_something_else_is_refused(loaded):
    held = take(TEN, once=key("ten"))
    with pytest.raises(Rejected) as caught:
        take(TEN, once=key("another ten"))
    assert [mistake.code for mistake in caught.value.mistakes] == ["key_reused"]
    confirm(loaded, held, once=key("anna", "confirm"))
    with pytest.raises(Rejected):
        confirm(loaded, held, once=key("bernd", "confirm"))


@pytest.mark.parametrize("times", [[TEN] * 4, [TEN, ELEVEN] * 2], ids=["same", "different"])
@pytest.mark.parametrize("days", [1, 2])
def test_calls_with_one_key_at_the_same_time_make_one_hold(loaded, times, days):
    told, start = [], threading.Barrier(4)
    calls = [time - timedelta(days=1) if days == 2 and time == ELEVEN else time for time in times]

    def run(time):
        with loaded.app_context():
            start.wait()
            try:
                told.append(take(time, once=key(str(time))).key)
            except Rejected as error:
                told.append(error.mistakes[0].code)

    threads = [threading.Thread(target=run, args=(time,)) for time in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 4
    assert len(set(told) - {"key_reused"}) == 1
    assert len(promises()) == 1


# --- Moving and cancelling


def test_an_appointment_that_is_moved_keeps_reference_and_entry_and_gives_its_old_place_up_late(
    loaded, county
):
    replace_county(county=with_specialists(county, "GSI-05"))
    reference = book(loaded, TEN)
    send_all()
    moved = move(loaded, reference, take(ELEVEN))
    assert (moved.reference, moved.place.start) == (reference, ELEVEN)
    assert promise_of(reference).start == ELEVEN
    assert TEN not in starts()
    assert sound()
    rules = county.settings.booking
    assert sweep(now=NOW + timedelta(minutes=rules.release_delay_least) - MINUTE) == 0
    assert sweep(now=NOW + timedelta(minutes=rules.release_delay_most)) == 1
    assert TEN in starts()
    assert ELEVEN not in starts()
    assert sound()


def test_the_mails_of_one_life_are_about_one_entry_with_rising_revisions(loaded):
    reference = book(loaded, TEN)
    send_all()
    move(loaded, reference, take(ELEVEN))
    send_all()
    cancel(loaded, reference)
    first, second, third = mails()
    assert [mail.kind for mail in (first, second, third)] == ["confirmation", "change", "cancellation"]
    uids, sequences, methods = zip(*map(entry_of, (first, second, third)), strict=True)
    assert len(set(uids)) == 1
    assert sequences == (0, 1, 2)
    assert methods[-1] == "CANCEL"
    assert sound()


def test_what_nobody_was_told_yet_is_told_as_it_is_now(loaded):
    reference = book(loaded, TEN)
    move(loaded, reference, take(ELEVEN))
    confirmation, change = mails()
    assert confirmation.state is MailState.SUPERSEDED
    assert (change.state, change.kind) == (MailState.WAITING, "confirmation")
    assert entry_of(change)[1] == 1


def test_who_cancels_gives_the_place_back_after_a_while_and_staff_at_once(loaded, county):
    replace_county(county=with_specialists(county, "GSI-05"))
    mine, theirs = book(loaded, TEN), book(loaded, ELEVEN)
    assert cancel(loaded, mine).status is AppointmentStatus.CANCELLED
    cancel(loaded, theirs, by_staff=True)
    assert TEN not in starts()
    assert ELEVEN in starts()
    assert sweep(now=NOW + timedelta(minutes=county.settings.booking.release_delay_most)) == 1
    assert {TEN, ELEVEN} <= set(starts())
    assert sound()


def test_what_is_moved_twice_ends_where_it_was_moved_last(loaded):
    both = ("GSI-NEU", "HZP")
    reference = book(loaded, starts(*both)[0], *both)
    for day, sites in ((TUESDAY, ["WRN-BSC"]), (WEDNESDAY, ["NZ-BSC"])):
        start = starts(*both, day=day, sites=sites)[0]
        moved = move(loaded, reference, take(start, *both, sites=sites))
    assert moved.place.site == "NZ-BSC"
    assert [visit.services for visit in promise_of(reference).visits] == [("GSI-NEU",), ("HZP",)]
    assert sweep(now=NOW + timedelta(hours=1)) == 2
    assert verify(now=NOW) == (2, [])


def test_a_hold_for_something_else_is_no_place_to_move_to(loaded):
    reference = book(loaded, TEN, "GSI-NEU")
    with pytest.raises(Rejected) as caught:
        move(loaded, reference, take(local(WEDNESDAY, "13:30"), "HZP"))
    assert [(m.place, m.code) for m in caught.value.mistakes] == [("/hold", "hold_of_other_services")]
    assert promise_of(reference).start == TEN


def test_who_has_left_no_number_cannot_be_moved_to_the_phone(loaded):
    reference = book(loaded, TEN)
    with pytest.raises(Rejected) as caught:
        move(loaded, reference, take(ELEVEN, sites=[], modes=[Mode.PHONE]))
    assert [(m.place, m.code) for m in caught.value.mistakes] == [("/hold", "phone_needed")]


def test_a_hold_is_moved_to_once(loaded):
    one, other = book(loaded, TEN), book(loaded, ELEVEN)
    held = take(local(WEDNESDAY, "13:30"))
    move(loaded, one, held)
    with pytest.raises(HoldOver):
        move(loaded, other, held)
    assert promise_of(other).start == ELEVEN
    assert sound()


def test_a_cancelled_appointment_is_not_moved_and_the_hold_stands(loaded):
    reference = book(loaded, TEN)
    cancel(loaded, reference)
    held = take(ELEVEN)
    with pytest.raises(NotPossible):
        move(loaded, reference, held)
    assert status_of(key=held.key) is AppointmentStatus.HELD


def test_promises_of_others_never_move_in_time_or_place(loaded, county):
    """Specialists may change hands for whoever comes; what citizens were told stays."""
    replace_county(county=with_specialists(county, "GSI-01", "GSI-05", "GSI-06", "HZP-01"))
    told = {}
    for i in range(12):
        site = ["NB-SOZ", "DM-BSC", "NB-SOZ", "WRN-BSC"][i % 4]
        left = starts("GSI-NEU", sites=[site])
        if not left:
            continue
        reference = book(loaded, left[i % len(left)], "GSI-NEU", contact=number(i), sites=[site])
        assert {name: promise.told for name, promise in promises().items() if name in told} == told
        told[reference] = promise_of(reference).told
        assert sound()
    assert len(told) >= 6


# --- What may follow what


@pytest.mark.parametrize("event", [Event.CHECK_IN, Event.MISS, Event.FINISH, Event.MOVE, Event.CANCEL])
def test_events_lead_where_the_table_says_and_nowhere_else(loaded, event):
    reference = book(loaded, TEN)
    held = take(ELEVEN)
    happen = {
        Event.MOVE: lambda: move(loaded, reference, held),
        Event.CANCEL: lambda: cancel(loaded, reference),
    }
    for status in set(AppointmentStatus) - {AppointmentStatus.HELD, AppointmentStatus.EXPIRED}:
        if (status, event) in EVENTS:
            continue
        put_into(reference=reference, status=status)
        with pytest.raises(NotPossible) as caught:
            happen.get(event, lambda: bookings.record(reference=reference, event=event))()
        assert (caught.value.status, caught.value.event) == (status, event)
    for (status, possible), after in EVENTS.items():
        if possible is event:
            put_into(reference=reference, status=status)
            made = happen.get(event, lambda: bookings.record(reference=reference, event=event))()
            assert made.status is after


@pytest.mark.parametrize("event", [Event.CONFIRM, Event.EXPIRE, Event.MOVE, Event.CANCEL])
def test_what_has_a_use_case_of_its_own_is_not_noted_at_the_desk(loaded, event):
    reference = book(loaded, TEN)
    with pytest.raises(NotPossible):
        bookings.record(reference=reference, event=event)
    assert bookings.booking(reference=reference).status is AppointmentStatus.CONFIRMED


def test_a_hold_is_no_appointment_yet(loaded):
    take(TEN)
    ((reference, _),) = promises().items()
    for ask in (
        lambda: bookings.booking(reference=reference),
        lambda: cancel(loaded, reference),
        lambda: bookings.record(reference=reference, event=Event.CHECK_IN),
    ):
        with pytest.raises(NotFound):
            ask()
    assert PORTAL.is_staff is False
