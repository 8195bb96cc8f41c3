"""How long `make run` takes: from a clean clone to the first answered page, and the second time.

    python benchmarks/start.py [--json FILE]

Also the demonstration with 300 requests, and the memory of the web processes once they have answered.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parent.parent
LIMIT = 600.0


def free_port() -> int:
    """A port that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until_answered(clone: Path) -> tuple[float, int]:
    """Seconds from `make run` to the first page, and the largest web process in MB; then Ctrl-C."""
    port = free_port()
    began = time.monotonic()
    run = subprocess.Popen(
        ["make", "run"],
        cwd=clone,
        env=clean_environment(PORT=str(port)),
        start_new_session=True,
        stdout=-3,
        stderr=-3,
    )
    try:
        while time.monotonic() - began < LIMIT:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).read()
                return time.monotonic() - began, largest_gunicorn()
            except OSError:
                time.sleep(0.05)
        raise TimeoutError(f"no answer within {LIMIT:.0f} s")
    finally:
        os.killpg(run.pid, signal.SIGINT)
        run.wait()


def largest_gunicorn() -> int:
    """Resident memory of the largest gunicorn process, MB."""
    lines = subprocess.run(
        ["ps", "-eo", "rss=,args="], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return max(int(line.split()[0]) for line in lines if "gunicorn" in line) // 1024


def clean_environment(**more: str) -> dict[str, str]:
    """The environment without what would change the settings."""
    names = ("PATH", "HOME", "LANG", "TMPDIR")
    kept = {name: os.environ[name] for name in names if name in os.environ}
    kept |= {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))}
    return kept | more


def demo(clone: Path) -> str:
    """The table that the demonstration with 300 requests ends with."""
    environment = clean_environment(FLASK_APP="wsgi.py", VAR_DIR=str(clone / "var-demo"))
    flask = [str(clone / ".venv" / "bin" / "flask")]
    for words in (["db", "upgrade"], ["county", "load", "examples/mecklenburgische-seenplatte"]):
        subprocess.run([*flask, *words], cwd=clone, env=environment, check=True, capture_output=True)
    done = subprocess.run(
        [*flask, "demo", "--requests", "300", "--seed", "1"],
        cwd=clone,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="terminlotse-"))
    try:
        clone = folder / "clone"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        first, _ = until_answered(clone)
        second, memory = until_answered(clone)
        print(f"first page from a clean clone  {first:6.1f} s")
        print(f"first page the second time     {second:6.1f} s")
        print(f"largest web process            {memory:6d} MB")
        print(demo(clone))
        if arguments.json:
            arguments.json.write_text(json.dumps({"first": first, "second": second, "web_mb": memory}))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
