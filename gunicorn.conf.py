"""How gunicorn serves the application; `PORT` and `WEB_PROCESSES` come from the environment."""

import gc
import os
from pathlib import Path

MEMORY = Path("/dev/shm")  # noqa: S108 - gunicorn makes a file of its own there, with a random name

bind = f"0.0.0.0:{os.environ.get('PORT', '8000')}"
workers = int(os.environ.get("WEB_PROCESSES", "2"))
worker_class = "gthread"
threads = 4
# one copy of the code for all processes, and a mistake in the settings is told once
preload_app = True
graceful_timeout = 15
timeout = 60
# paths of manage pages hold keys, so they are not logged
accesslog = None
control_socket_disable = True
# a file system in memory where there is one: the heartbeat must not wait for a disk
worker_tmp_dir = str(MEMORY) if MEMORY.is_dir() else None


def when_ready(_server: object) -> None:
    """What all processes share is not searched for garbage again and again, and so stays shared."""
    gc.collect()
    gc.freeze()
