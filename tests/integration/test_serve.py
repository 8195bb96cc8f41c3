"""The whole service as its users start it: one command, from nothing to the first request, and a clean end.

This is the one slow test, since the first start invents two hundred citizens and plans for them.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
START_WITHIN = 180.0
STOP_WITHIN = 60.0
REQUEST = {
    "services": ["GSI-NEU"],
    "sites": ["DM-BSC"],
    "contact": {"name": "Anna Beispiel", "email": "anna@buergerin.example"},
}


class Service:
    """`flask serve` with a folder and a port of its own."""

    def __init__(self, var: Path, port: int, said: Path) -> None:
        self.var = var
        self.url = f"http://localhost:{port}"
        self.said = said
        own = {"VAR_DIR": str(var), "PORT": str(port), "WEB_PROCESSES": "1"}
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        with said.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "flask", "serve"],
                cwd=ROOT,
                env=kept | own,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_WITHIN
        while "Terminlotse is running" not in self.said.read_text():
            assert self.process.poll() is None, self.said.read_text()
            assert time.monotonic() < deadline, self.said.read_text()
            time.sleep(0.2)

    def get(self, path: str, **headers: str) -> str:
        asked = urllib.request.Request(self.url + path, headers=headers)  # noqa: S310 - our own address
        with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310 - our own address
            return answer.read().decode()

    def post(self, path: str, body: object) -> dict[str, str]:
        asked = urllib.request.Request(  # noqa: S310 - our own address
            self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310 - our own address
            return json.load(answer)

    def stop(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(STOP_WITHIN)

    def left_over(self) -> list[str]:
        """Command lines of the processes that still run with this folder."""
        mark = f"VAR_DIR={self.var}\0".encode()
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (process / "environ").read_bytes():
                    found.append((process / "cmdline").read_text())
            except OSError:
                continue  # it has ended while we looked, or is not ours
        return found


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def start(port):
    """Start services, and leave none behind whatever happens."""
    started = []

    def begin(var, said):
        started.append(Service(var, port, said))
        return started[-1]

    yield begin
    for service in started:
        if service.process.poll() is None:
            service.process.terminate()
            service.process.wait(STOP_WITHIN)


def test_the_service_starts_from_nothing_works_and_stops_and_starts_again(start, tmp_path):
    first = start(tmp_path / "var", tmp_path / "first.txt")
    first.wait_until_ready()
    said = first.said.read_text()
    assert "loaded as an example" in said
    assert f"Open {first.url}/" in said
    assert "served" in said
    assert "Landkreis Mecklenburgische Seenplatte" in first.get("/")
    assert json.loads(first.get("/api/v1/openapi.json"))["openapi"].startswith("3.")
    assert "Gesendete Mails" in first.get("/postfach/")
    receipt = first.post("/api/v1/requests", REQUEST)
    assert receipt["status"] == "waiting"

    second = start(tmp_path / "other", tmp_path / "second.txt")
    assert second.process.wait(STOP_WITHIN) == 1
    assert f"port {first.url.rpartition(':')[2]} is taken" in second.said.read_text()
    assert not (tmp_path / "other" / "terminlotse.db").exists()

    assert first.stop(signal.SIGINT) == 0
    assert first.left_over() == []
    with pytest.raises(urllib.error.URLError):
        first.get("/")

    again = start(tmp_path / "var", tmp_path / "again.txt")
    again.wait_until_ready()
    assert "loaded as an example" not in again.said.read_text()
    path = f"/api/v1/requests/{receipt['reference']}"
    known = json.loads(again.get(path, Authorization=f"Bearer {receipt['token']}"))
    assert known["reference"] == receipt["reference"]
    assert again.get(f"/?day={datetime.now(UTC):%Y-%m-%d}")
    assert again.stop(signal.SIGTERM) == 0
    assert again.left_over() == []
