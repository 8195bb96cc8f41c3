"""Forty people click the same start at the same moment: one gets it, the others hear what else there is."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from booking_service.domain.bookings import Role
from booking_service.services.tokens import create_token

ROOT = Path(__file__).parent.parent.parent
PEOPLE = 40
CONFIRMATIONS = 10
ROUNDS = 2
START_WITHIN = 60.0
SITE = "DM-BSC"
CONTACT = {"name": "Anna Beispiel", "email": "anna@buergerin.example"}
BERLIN = ZoneInfo("Europe/Berlin")


class Servers:
    """Real gunicorn workers for the application of a test."""

    def __init__(self, settings, workers):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        env = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ} | {
            "VAR_DIR": str(settings.var_dir),
            "DATABASE_URL": settings.database_url,
            "SECRET_KEY": settings.secret_key,
            "PORT": str(port),
            "WEB_PROCESSES": str(workers),
            "RATE_LIMITS": "off",
        }
        self.said = settings.var_dir / "gunicorn.txt"
        with self.said.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "wsgi:app"],
                cwd=ROOT,
                env=env,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def wait_until_ready(self):
        deadline = time.monotonic() + START_WITHIN
        while True:
            assert self.process.poll() is None, self.said.read_text()
            assert time.monotonic() < deadline, self.said.read_text()
            try:
                return self.call("GET", "/api/v1/services")
            except urllib.error.URLError:
                time.sleep(0.1)

    def call(self, method, path, body=None, token=None):
        headers = {"Content-Type": "application/json"} | (
            {"Authorization": f"Bearer {token}"} if token else {}
        )
        data = None if body is None else json.dumps(body).encode()
        asked = urllib.request.Request(self.url + path, data, headers, method=method)  # noqa: S310 - our own address
        try:
            with urllib.request.urlopen(asked, timeout=60) as answer:  # noqa: S310 - our own address
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=60)


@pytest.fixture(params=[1, 2, 4])
def servers(request, settings):
    running = Servers(settings, request.param)
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.stop()


def at_once(calls):
    """The answers to calls that are all made at the same moment."""
    told, start = [], threading.Barrier(len(calls))

    def run(call):
        start.wait()
        told.append(call())

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told


def starts(servers):
    """The first start of each day, at a site with one room."""
    _, found = servers.call("GET", f"/api/v1/offers?service=GSI-NEU&site={SITE}&mode=on_site")
    for day in found["days"]:
        local = datetime.fromisoformat(f"{day['date']}T{day['offers'][0]['starts'][0]}")
        yield local.replace(tzinfo=BERLIN).isoformat()


def test_one_of_forty_gets_the_place_and_the_others_hear_what_else_there_is(servers, loaded):
    token = create_token(role=Role.PORTAL, site=None, unit=None, now=datetime.now(UTC))
    for start in list(starts(servers))[:ROUNDS]:
        wish = {"services": ["GSI-NEU"], "site": SITE, "mode": "on_site", "start": start}
        told = at_once([partial(servers.call, "POST", "/api/v1/holds", wish, token)] * PEOPLE)
        assert sorted(status for status, _ in told) == [201] + [409] * (PEOPLE - 1)
        losers = [answer for status, answer in told if status == 409]
        assert {answer["code"] for answer in losers} == {"place_taken"}
        assert all(len(answer["alternatives"]) == 3 for answer in losers)
        assert all(
            place["start"] != start
            for answer in losers
            for place in answer["alternatives"]
            if place["site"] == SITE
        )
        sent = {"hold": next(answer["hold"] for status, answer in told if status == 201), "contact": CONTACT}
        told = at_once([partial(servers.call, "POST", "/api/v1/appointments", sent, token)] * CONFIRMATIONS)
        assert sorted(status for status, _ in told) == [201] + [409] * (CONFIRMATIONS - 1)
    verified = loaded.test_cli_runner().invoke(args=["verify"])
    assert verified.exit_code == 0, verified.output
