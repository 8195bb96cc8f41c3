"""Every setting of the service, from the environment; all mistakes are told at once, at the start.

What belongs to the county itself (names, hours, planning prices) is in its folder, not here.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from environs import Env, EnvError, EnvValidationError, validate
from marshmallow import ValidationError
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from booking_service.mail.notice import check_link
from booking_service.mail.transport import MailFolder, parse_mail_url

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SECRET_KEY_BYTES = 32


class SettingsError(Exception):
    """The environment has mistakes; `mistakes` names each variable with what is wrong."""

    def __init__(self, mistakes: Mapping[str, list[str]]) -> None:
        self.mistakes = mistakes
        super().__init__("\n".join(f"{name}: {'; '.join(said)}" for name, said in sorted(mistakes.items())))


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one deployment. URLs are complete; `var_dir` exists and is writable."""

    port: int
    var_dir: Path
    web_processes: int
    database_url: str
    queue_url: str
    limiter_url: str
    mail_url: str
    public_url: str
    secret_key: str
    rate_limits: bool = True

    @property
    def secure(self) -> bool:
        """Whether citizens reach the service by https."""
        return self.public_url.startswith("https://")

    @property
    def mailbox(self) -> Path | None:
        """The folder of sent mails that may be read in the browser: in development only."""
        target = parse_mail_url(self.mail_url)
        return target.path if isinstance(target, MailFolder) and not self.secure else None

    @classmethod
    def from_environment(cls) -> Settings:
        """Read the environment.

        Raises SettingsError with all mistakes.
        """
        env = Env(eager=False)
        var_dir = env.path("VAR_DIR", Path("var"))
        port = env.int("PORT", 8000, validate=validate.Range(1, 65535))
        web_processes = env.int("WEB_PROCESSES", 2, validate=validate.Range(1, 64))
        database_url = env.str("DATABASE_URL", "", validate=_checked(_database_url))
        queue_url = env.str("QUEUE_URL", "", validate=_scheme("redis", "rediss", "sqlite"))
        limiter_url = env.str("LIMITER_URL", "memory://", validate=_scheme("redis", "rediss", "memory"))
        mail_url = env.str("MAIL_URL", "", validate=_checked(parse_mail_url))
        public_url = env.str("PUBLIC_URL", "", validate=_checked(check_link))
        secret_key = env.str("SECRET_KEY", "", validate=_long_enough)
        rate_limits = env.str("RATE_LIMITS", "on", validate=validate.OneOf(["on", "off"]))
        try:
            env.seal()
        except (EnvValidationError, EnvError) as error:
            raise SettingsError(getattr(error, "error_messages", {"environment": [str(error)]})) from None
        if rate_limits == "off" and public_url.startswith("https:"):
            raise SettingsError({"RATE_LIMITS": ["off is for load tests: not with https in PUBLIC_URL"]})
        folder = _writable(var_dir)
        return cls(
            port=port,
            var_dir=folder,
            web_processes=web_processes,
            database_url=_database_url(database_url or f"sqlite:///{folder / 'terminlotse.db'}"),
            queue_url=queue_url or f"sqlite:///{folder / 'queue.db'}",
            limiter_url=limiter_url,
            mail_url=mail_url or f"file:{folder / 'mail'}",
            public_url=(public_url or f"http://localhost:{port}").rstrip("/"),
            secret_key=secret_key or _kept_secret(folder / "secret_key"),
            rate_limits=rate_limits == "on",
        )


def _writable(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe-{secrets.token_hex(4)}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise SettingsError({"VAR_DIR": [f"{folder} cannot be written to ({error.strerror})"]}) from None
    return folder.resolve()


def _kept_secret(path: Path) -> str:
    """The key made at the first start, so that links in mails outlive a restart.

    The file appears whole or not at all, since several processes may start at once.
    """
    if not path.exists():
        with tempfile.NamedTemporaryFile("w", dir=path.parent) as file, suppress(FileExistsError):
            file.write(secrets.token_hex(SECRET_KEY_BYTES))
            file.flush()
            os.link(file.name, path)
    key = path.read_text()
    if len(key) < SECRET_KEY_BYTES:
        raise SettingsError({"SECRET_KEY": [f"{path} is empty or cut short: remove it, and a key is made"]})
    return key


def _database_url(text: str) -> str:
    """The address with the driver that is installed here."""
    if not text:
        return text
    url = make_url(text)
    if url.drivername in {"postgresql", "postgres"}:
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername not in {"sqlite", "postgresql+psycopg"}:
        raise ValueError("must begin with sqlite: or postgresql:")
    return url.render_as_string(hide_password=False)


def _checked(read: Callable[[str], object]) -> Callable[[str], None]:
    def check(text: str) -> None:
        try:
            if text:
                read(text)
        except (ValueError, ArgumentError) as error:
            raise ValidationError(str(error)) from None

    return check


def _scheme(*allowed: str) -> Callable[[str], None]:
    def check(text: str) -> None:
        if text and urlsplit(text).scheme not in allowed:
            raise ValidationError(f"must begin with {' or '.join(f'{name}:' for name in allowed)}")

    return check


def _long_enough(text: str) -> None:
    if text and len(text) < SECRET_KEY_BYTES:
        raise ValidationError(f"must have at least {SECRET_KEY_BYTES} characters")
