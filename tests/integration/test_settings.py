"""Settings come from the environment; what is wrong with them is told at once and at the start."""

from __future__ import annotations

import stat

import pytest

from booking_service.settings import Settings, SettingsError

NAMES = {
    "PORT",
    "WEB_PROCESSES",
    "VAR_DIR",
    "DATABASE_URL",
    "QUEUE_URL",
    "LIMITER_URL",
    "MAIL_URL",
    "PUBLIC_URL",
    "SECRET_KEY",
}


@pytest.fixture(autouse=True)
def _clean(monkeypatch, tmp_path):
    """An environment without any setting, in a folder of its own."""
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def environment(monkeypatch):
    def set_to(**values):
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        return Settings.from_environment()

    return set_to


def mistakes_of(environment, **values):
    with pytest.raises(SettingsError) as caught:
        environment(**values)
    return caught.value.mistakes


def test_without_any_setting_everything_is_kept_in_var(environment, tmp_path):
    settings = environment()
    var = tmp_path / "var"
    assert settings.port == 8000
    assert settings.var_dir == var
    assert settings.database_url == f"sqlite:///{var}/terminlotse.db"
    assert settings.queue_url == f"sqlite:///{var}/queue.db"
    assert settings.mail_url == f"file:{var}/mail"
    assert settings.mailbox == var / "mail"
    assert settings.public_url == "http://localhost:8000"
    assert not settings.secure


def test_the_public_address_follows_the_port(environment):
    assert environment(PORT="8123").public_url == "http://localhost:8123"


def test_a_secret_is_made_once_and_kept_from_others(environment, tmp_path):
    first = environment().secret_key
    assert len(first) >= 32
    assert environment().secret_key == first
    assert stat.S_IMODE((tmp_path / "var" / "secret_key").stat().st_mode) == 0o600


def test_a_secret_that_is_given_is_not_written_down(environment, tmp_path):
    given = "x" * 32
    assert environment(SECRET_KEY=given).secret_key == given
    assert list((tmp_path / "var").iterdir()) == []


def test_an_empty_file_of_the_secret_is_no_secret(environment, tmp_path):
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "secret_key").touch()
    assert "empty" in str(mistakes_of(environment)["SECRET_KEY"])


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_usual_way_of_naming_postgresql_works(environment, scheme):
    settings = environment(DATABASE_URL=f"{scheme}://user:p%40ss@db.example/county")
    assert settings.database_url == "postgresql+psycopg://user:p%40ss@db.example/county"


def test_all_mistakes_are_told_at_once(environment):
    mistakes = mistakes_of(
        environment,
        PORT="http",
        WEB_PROCESSES="0",
        DATABASE_URL="mysql://db.example/county",
        QUEUE_URL="amqp://queue.example",
        LIMITER_URL="file:limits",
        MAIL_URL="imap://mail.example",
        PUBLIC_URL="termine.example",
        SECRET_KEY="short",  # noqa: S106 - that it is none is the point
    )
    assert set(mistakes) == NAMES - {"VAR_DIR"}
    assert all(said for said in mistakes.values())


def test_a_mistake_is_told_with_its_name_and_without_passwords(environment):
    with pytest.raises(SettingsError) as caught:
        environment(DATABASE_URL="oracle://user:topsecret@db.example", PORT="99999")
    assert str(caught.value).startswith("DATABASE_URL: must begin with sqlite: or postgresql:\nPORT: ")
    assert "topsecret" not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["nonsense", "postgresql", "://", "sqlite//x", "postgresql://user@host:port/x"]
)
def test_a_database_address_that_is_none_is_refused(environment, url):
    assert set(mistakes_of(environment, DATABASE_URL=url)) == {"DATABASE_URL"}


@pytest.mark.parametrize(
    "url", ["http://termine.example", "http://localhost.evil.example", "ftp://localhost"]
)
def test_citizens_are_not_sent_to_an_address_without_encryption(environment, url):
    assert set(mistakes_of(environment, PUBLIC_URL=url)) == {"PUBLIC_URL"}


@pytest.mark.parametrize("url", ["http://localhost:8000", "http://127.0.0.1", "https://termine.example/"])
def test_the_own_machine_and_https_are_fine(environment, url):
    assert environment(PUBLIC_URL=url).public_url == url.rstrip("/")


def test_the_mailbox_is_closed_under_https_and_where_mail_is_really_sent(environment):
    assert environment(PUBLIC_URL="https://termine.example").mailbox is None
    assert environment(PUBLIC_URL="http://localhost", MAIL_URL="smtp://mail.example").mailbox is None


def test_the_mailbox_is_the_folder_that_mails_are_written_to(environment, tmp_path):
    assert environment(MAIL_URL=f"file:{tmp_path}/sent%20mail").mailbox == tmp_path / "sent mail"


def test_a_folder_that_cannot_be_written_to_is_told(environment, tmp_path):
    (tmp_path / "file").touch()
    assert set(mistakes_of(environment, VAR_DIR=str(tmp_path / "file"))) == {"VAR_DIR"}
