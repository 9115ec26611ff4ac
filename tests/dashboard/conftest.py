"""A browser before a computed season; says plainly what is missing where it cannot be had."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, sync_playwright

import migrations
from storage.database import make_engine
from tests.conftest import own_database
from tests.dashboard.season import (
    BROWSER_ARGUMENTS,
    ROOT,
    browser_program,
    put_season,
    serving,
)
from tests.dashboard.worked import put_worked

BUILT = ROOT / "dashboard" / "dist"


@pytest.fixture(scope="session")
def built() -> None:
    """The page was built: nobody without Node.js must, everybody else has."""
    if shutil.which("npm") is None:
        pytest.skip("needs Node.js 20.19 or newer to build the page (`make page`)")
    assert (BUILT / "index.html").is_file(), "the page was not built: run `make page`"


@pytest.fixture(scope="session")
def season(postgres_url: str) -> Iterator[sa.Engine]:
    """A database of its own with a farm's computed season, on the server of the tests."""
    with own_database(postgres_url) as url:
        engine = make_engine(url)
        migrations.upgrade(engine)
        put_season(engine)
        yield engine
        engine.dispose()


@pytest.fixture(scope="session")
def worked(season: sa.Engine) -> None:
    """In the same database: a farm's machines, harvest, herd and devices, and a region."""
    put_worked(season)


@pytest.fixture(scope="session")
def address(season: sa.Engine, built: None) -> Iterator[str]:
    with serving(season) as found:
        yield found


@pytest.fixture(scope="module")  # its event loop runs in this thread: no longer than it must
def browser() -> Iterator[Browser]:
    program = browser_program()
    if program is None:
        pytest.skip("needs Chromium (as root: apt-get install chromium)")
    with sync_playwright() as started:
        opened = started.chromium.launch(executable_path=program, args=BROWSER_ARGUMENTS)
        yield opened
        opened.close()
