"""How often one address may write: counted in memory, or in Redis for several processes and hosts."""

from __future__ import annotations

from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

limiter = Limiter(get_remote_address)
