"""What the tests of pages and API share: one application for all questions that change nothing."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from booking_service.app import create_app
from booking_service.services.county import replace_county
from booking_service.store.db import db
from tests.conftest import make_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask import Flask

    from booking_service.domain.county import County


@pytest.fixture(scope="session")
def standing(
    county: County, sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Flask]:
    """An application with the example county that must be left as it was found."""
    folder = tmp_path_factory.mktemp("standing")
    shutil.copy(sqlite_template, folder / "test.db")
    app = create_app(make_settings(folder))
    with app.app_context():
        replace_county(county=county)
    yield app
    with app.app_context():
        db.engine.dispose()
