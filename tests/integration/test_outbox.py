"""The outbox: each promise leaves one message, which goes out at least once and always as the same bytes."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from booking_service.domain.bookings import Contact, MailState, Notify
from booking_service.mail.notice import Kind
from booking_service.mail.transport import Deferred, Refused, open_transport
from booking_service.services import outbox
from booking_service.services.outbox import Delivery, count_outbox, deliver, lease, mark_sent
from booking_service.services.witness import verify
from booking_service.store.booking_tables import AppointmentRow, OutboxRow
from booking_service.store.db import db, transactional
from tests.citizens import NOW, ask
from tests.promises import plan, promise_of

SENDER = "termin@lk-mecklenburgische-seenplatte.example"
HOUR = timedelta(hours=1)


class Post:
    """A way out that remembers what went through it, or fails as it is told."""

    def __init__(self, *failures):
        self.sent = []
        self.failures = list(failures)

    def send(self, content, *, sender, recipient, name):
        failure = self.failures.pop(0) if self.failures else None
        if failure is not None:
            raise failure
        self.sent.append((name, recipient, sender, content))


def promised(loaded, number=1):
    """So many promises with a message each."""
    references = [
        ask("GSI-FOLGE", contact=Contact("Anna", f"anna-{n}@buergerin.example", None)) for n in range(number)
    ]
    plan(loaded)
    return references


def send(post, at=NOW):
    return deliver(post, sender=SENDER, now=lambda: at)


def rows():
    found = list(db.session.scalars(select(OutboxRow).order_by(OutboxRow.id)))
    db.session.expunge_all()
    db.session.remove()
    return found


def test_each_promise_with_an_address_has_one_message_and_nobody_else_has_any(loaded):
    ask(contact=Contact("Anna", "anna@buergerin.example", None))
    ask(contact=Contact("Bernd", None, "0395 123456"))
    ask(contact=Contact("Carla", "carla@buergerin.example", None), notify=Notify.PRINT)
    assert plan(loaded).mails == 1
    assert [row.recipient for row in rows()] == ["anna@buergerin.example"]
    assert verify(now=NOW)[1] == []


def test_a_message_is_sent_once_and_as_it_was_written(loaded):
    (reference,) = promised(loaded)
    (row,) = rows()
    post = Post()
    assert send(post) == Delivery(sent=1)
    assert send(post) == Delivery()
    assert post.sent == [(row.message_id.strip("<>"), "anna-0@buergerin.example", SENDER, row.content)]
    assert f"Message-ID: {row.message_id}".encode() in row.content
    assert reference.encode() in row.content
    assert promise_of(reference).start.strftime("%d.%m.%Y") in row.subject
    assert [(r.state, r.sent_at) for r in rows()] == [(MailState.SENT, NOW)]


def test_more_messages_than_one_batch_are_all_sent(loaded):
    number = outbox.BATCH + 3
    promised(loaded, number)
    told = []
    post = Post()
    assert deliver(post, sender=SENDER, now=lambda: NOW, progress=told.append) == Delivery(sent=number)
    assert len({name for name, *_ in post.sent}) == len(told) == number


@transactional
def write_again(session, *, county, links, now):
    """The message of the next revision of every appointment."""
    for row in session.scalars(select(AppointmentRow)):
        row.sequence += 1
        outbox.write_notice(session, row, Kind.CHANGE, county, links, now)


def test_messages_of_one_appointment_leave_in_the_order_of_their_revisions(loaded, county):
    promised(loaded, 2)
    first = lease(now=NOW, most=10)
    write_again(county=county, links=loaded.extensions["links"], now=NOW)
    assert [letter.outbox_id for letter in first] == [1, 2]
    assert lease(now=NOW, most=10) == []
    mark_sent(outbox_id=1, now=NOW)
    assert [letter.outbox_id for letter in lease(now=NOW, most=10)] == [3]


def test_a_message_that_nobody_has_begun_to_send_is_overtaken_by_the_next_one(loaded, county):
    promised(loaded)
    write_again(county=county, links=loaded.extensions["links"], now=NOW)
    post = Post()
    assert send(post) == Delivery(sent=1)
    assert [(row.state, row.kind, row.sequence) for row in rows()] == [
        (MailState.SUPERSEDED, "confirmation", 0),
        (MailState.SENT, "confirmation", 1),
    ]


def test_a_later_message_waits_for_an_earlier_one_that_was_put_off(loaded, county):
    promised(loaded)
    post = Post(Deferred("reply 451"))
    assert send(post) == Delivery(deferred=1)
    write_again(county=county, links=loaded.extensions["links"], now=NOW)
    assert send(post) == Delivery()
    assert send(post, NOW + HOUR) == Delivery(sent=2)
    assert [name for name, *_ in post.sent] == [row.message_id.strip("<>") for row in rows()]


def test_who_dies_with_a_message_in_hand_leaves_it_to_others_when_the_lease_is_over(loaded):
    promised(loaded)
    (held,) = lease(now=NOW, most=10)
    assert lease(now=NOW + outbox.LEASE - timedelta(seconds=1), most=10) == []
    (again,) = lease(now=NOW + outbox.LEASE, most=10)
    assert again == held


class Killed(BaseException):
    """The end of a process between the server's answer and the mark."""


class DeadlyPost(Post):
    def send(self, content, *, sender, recipient, name):
        super().send(content, sender=sender, recipient=recipient, name=name)
        raise Killed


def test_a_worker_that_dies_between_sending_and_marking_leads_to_the_same_message_again(loaded):
    promised(loaded)
    deadly, post = DeadlyPost(), Post()
    with pytest.raises(Killed):
        send(deadly)
    assert send(post, NOW + timedelta(seconds=30)) == Delivery()
    assert send(post, NOW + outbox.LEASE) == Delivery(sent=1)
    assert post.sent == deadly.sent


def test_what_cannot_be_sent_now_is_tried_again_ever_more_seldom_until_it_is_given_up(loaded):
    promised(loaded)
    at, waits = NOW, []
    while rows()[0].state is MailState.WAITING:
        assert len(waits) < 100
        send(Post(Deferred("reply 451 4.7.1")), at)
        waits.append(rows()[0].due_at - at)
        at = rows()[0].due_at
    minutes = [wait / timedelta(minutes=1) for wait in waits]
    assert minutes[:8] == [1, 2, 4, 8, 16, 32, 64, 120]
    assert set(minutes[8:]) == {120}
    (row,) = rows()
    assert (row.state, row.last_error, row.tries) == (MailState.FAILED, "reply 451 4.7.1", len(waits))
    assert row.give_up_at < row.due_at
    assert count_outbox().failed == 1


def test_nobody_is_written_to_after_the_appointment_has_begun(loaded):
    (reference,) = promised(loaded)
    (row,) = rows()
    assert row.give_up_at == min(NOW + outbox.GIVE_UP_AFTER, promise_of(reference).start)
    send(Post(Deferred("reply 451")), row.give_up_at - timedelta(seconds=30))
    assert [r.state for r in rows()] == [MailState.FAILED]


def test_a_put_off_message_goes_out_when_the_server_is_back(loaded):
    promised(loaded)
    post = Post(Deferred("no answer in time"))
    assert send(post) == Delivery(deferred=1)
    assert send(post, NOW + timedelta(seconds=59)) == Delivery()
    assert send(post, NOW + timedelta(seconds=60)) == Delivery(sent=1)
    assert [(r.state, r.last_error) for r in rows()] == [(MailState.SENT, None)]


def test_what_the_server_refuses_is_given_up_at_once_and_the_rest_is_sent(loaded):
    promised(loaded, 3)
    assert send(Post(None, Refused("reply 550 5.1.1"))) == Delivery(sent=2, failed=1)
    assert send(Post(), NOW + HOUR) == Delivery()
    assert [row.state for row in rows()] == [MailState.SENT, MailState.FAILED, MailState.SENT]


def test_the_outbox_can_be_counted(loaded):
    assert count_outbox() == outbox.OutboxCount(0, 0, 0, None)
    promised(loaded, 3)
    send(Post(Refused("reply 550")), NOW)
    promised(loaded)
    assert count_outbox() == outbox.OutboxCount(waiting=1, sent=2, failed=1, oldest=NOW)


def test_several_deliverers_at_once_send_each_message_once(loaded):
    promised(loaded, 30)
    posts = [Post() for _ in range(3)]
    start = threading.Barrier(3)

    def run(post):
        with loaded.app_context():
            start.wait()
            send(post)

    threads = [threading.Thread(target=run, args=(post,)) for post in posts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    names = [name for post in posts for name, *_ in post.sent]
    assert len(names) == len(set(names)) == 30
    assert count_outbox().sent == 30


def test_the_command_writes_a_file_for_each_message(loaded, tmp_path):
    promised(loaded, 2)
    with db.session() as session, session.begin():
        session.execute(update(OutboxRow).values(due_at=NOW - timedelta(days=365)))
    told = loaded.test_cli_runner().invoke(args=["deliver"])
    assert (told.exit_code, told.stdout) == (0, "2 sent, 0 put off, 0 failed\n")
    written = {path.stem: path.read_bytes() for path in (tmp_path / "mail").iterdir()}
    assert written == {row.message_id.strip("<>"): row.content for row in rows()}


def test_a_folder_that_cannot_be_written_to_puts_messages_off(loaded, tmp_path):
    promised(loaded)
    (tmp_path / "mail").write_text("a file, where a folder should be")
    with open_transport(f"file:{tmp_path / 'mail'}") as folder:
        assert send(folder) == Delivery(deferred=1)


def test_without_a_county_the_command_says_what_to_do(app):
    told = app.test_cli_runner().invoke(args=["deliver"])
    assert told.exit_code == 1
    assert told.stderr == "no county has been loaded: flask county load FOLDER\n"
