"""Child processes for heavy work: each has a memory limit and can be ended at any moment.

A solver may crash, swallow the memory or not listen to its time limit; in a process of its own it costs only
its share of time. Started as plain commands they work from a daemonic worker and a threaded server as well.
A child ends when its parent does. What the parent sends and receives are values of this package; what a
child does is in `labour`.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
from collections import deque
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ROOT = Path(__file__).resolve().parent.parent
_news = threading.Condition()
"""Held while mail is put into or taken out of a worker's box."""


class Worker:
    """One child at work on one order; what it sends is fetched by `messages`.

    A thread sends the order and takes in what comes, so that a child that stops half-way through a message
    holds up nobody. `done` is set when no more will come and all that came has been fetched.
    """

    def __init__(self, order: object, memory_mb: int) -> None:
        self._conn, theirs = Pipe()
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(_ROOT), *sys.path[1:]])}
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own module, no input in the command
                [sys.executable, "-m", "routing.workshop", str(theirs.fileno()), str(memory_mb)],
                pass_fds=[theirs.fileno()],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the parent to hear
            )
        self.pid = self._process.pid
        self.done = False
        self.has_news = False
        self._mail: deque[Any] = deque()
        self._ended = False
        threading.Thread(target=self._talk, args=(order,), daemon=True).start()

    def _talk(self, order: object) -> None:
        """The thread: send the order, then take in what comes until the child ends or is ended."""
        with suppress(EOFError, OSError):
            self._conn.send(order)
            while True:
                self._post(self._conn.recv())
        self._conn.close()
        with _news:
            self._ended = self.has_news = True
            _news.notify_all()

    def _post(self, message: object) -> None:
        with _news:
            self._mail.append(message)
            self.has_news = True
            _news.notify_all()

    def messages(self) -> Iterator[Any]:
        """What has arrived so far; `done` is set when no more will come."""
        with _news:
            arrived, ended = list(self._mail), self._ended
            self._mail.clear()
            self.has_news = False
        yield from arrived
        if ended:
            self.end()

    def end(self) -> None:
        """End the child, whatever it does."""
        self.done = True
        self._process.kill()
        self._process.wait()


def wait_for_any(workers: Sequence[Worker], seconds: float) -> None:
    """Wait until one of them has sent something or ended, at most so long."""
    with _news:
        _news.wait_for(lambda: any(worker.has_news for worker in workers), max(0.0, seconds))


def _main(handle: int, memory_mb: int) -> None:
    """Be the child: take the order, send what comes out, go."""
    limit = memory_mb * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    from routing.labour import carry_out  # noqa: PLC0415 - the parent must not load OR-Tools

    conn = Connection(handle)
    order = conn.recv()
    threading.Thread(target=_die_with_parent, args=(conn,), daemon=True).start()
    for message in carry_out(order):
        conn.send(message)
    conn.close()


def _die_with_parent(conn: Connection) -> None:
    """The parent sends nothing more, so what can be read now is only the end of the pipe."""
    wait([conn])
    os._exit(1)


if __name__ == "__main__":
    _main(int(sys.argv[1]), int(sys.argv[2]))
