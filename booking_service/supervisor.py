"""Running the whole service on one machine: web server and worker as child processes, stopped together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import FrameType

    from booking_service.settings import Settings

STOP_WITHIN = 20.0  # seconds that a child has to finish what it does
LOOK_EVERY = 0.1
START_WITHIN = 60.0


class PortTaken(RuntimeError):
    """Something else listens on the port already."""


def commands(settings: Settings) -> tuple[list[str], ...]:
    """The command lines of the web server and of the worker."""
    gunicorn = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{settings.port}", "wsgi:app"]
    worker = [sys.executable, "-m", "flask", "worker"]
    return gunicorn, worker


def refuse_taken(port: int) -> None:
    """Raise PortTaken where something answers on the port."""
    if _answers(port):
        raise PortTaken(f"port {port} is taken: stop what listens there, or choose another PORT")


def run(settings: Settings, when_ready: Callable[[], None]) -> int:
    """Run the children until a signal comes or one of them ends; the exit status.

    Raises PortTaken before anything is started.
    """
    refuse_taken(settings.port)
    with _children(commands(settings)) as children, _stop_signals() as stopped:
        ready = False
        deadline = time.monotonic() + START_WITHIN
        while not stopped() and all(child.poll() is None for child in children):
            if not ready and _answers(settings.port):
                ready = True
                when_ready()
            if not ready and time.monotonic() > deadline:
                break
            time.sleep(LOOK_EVERY)
        return 0 if stopped() else 1


@contextmanager
def _children(lines: Sequence[Sequence[str]]) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Start the children out of reach of the terminal's Ctrl-C, so that they are stopped in order."""
    children = [subprocess.Popen(line, start_new_session=True) for line in lines]  # noqa: S603 - our own commands
    try:
        yield children
    finally:
        for child in children:
            child.terminate()
        deadline = time.monotonic() + STOP_WITHIN
        for child in children:
            try:
                child.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()


@contextmanager
def _stop_signals() -> Iterator[Callable[[], bool]]:
    """Tell whether somebody has asked us to stop, by Ctrl-C or as a service manager does."""
    received: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        received.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(LOOK_EVERY)
        return probe.connect_ex(("127.0.0.1", port)) == 0
