"""Taking over a county from its folder, and writing it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from booking_service.store.county import NoCounty, read_county, write_county
from booking_service.store.county_folder import read_folder, write_folder
from booking_service.store.db import reading, transactional

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.orm import Session

    from booking_service.domain.county import County


def load(*, folder: Path) -> County:
    """Make the database hold the county of the folder.

    Raises Rejected with all mistakes of the folder, and where something that it no longer has is in use.
    """
    county = read_folder(folder)
    replace_county(county=county)
    return county


def check(*, folder: Path) -> County:
    """Read the folder without keeping anything; raises Rejected with all mistakes."""
    return read_folder(folder)


def export(*, folder: Path) -> County:
    """Write the county into the folder.

    Raises NoCounty where there is none, Rejected where the folder holds something else.
    """
    county = current_county()
    write_folder(county, folder)
    return county


@transactional
def replace_county(session: Session, *, county: County) -> None:
    """Keep this county instead of the one before."""
    write_county(session, county)


@reading
def current_county(session: Session) -> County:
    """The county as it is kept; raises NoCounty."""
    return read_county(session)


@reading
def has_county(session: Session) -> bool:
    """Whether a county has been loaded."""
    try:
        read_county(session)
    except NoCounty:
        return False
    return True
