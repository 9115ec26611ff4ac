"""Fixtures that every package's tests share."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import sqlalchemy as sa
import structlog
from sqlalchemy.pool import StaticPool

import migrations
from bench.servers import database_url_on
from embedded.home import EmbeddedSettings
from embedded.stack import open_embedded
from storage.database import has_timescale, make_engine
from storage.tables import metadata
from tests.leisure import write_at_leisure

# How long a case takes is the machine's matter; where CI is set, its profile holds for the rest.
hypothesis.settings.register_profile("untimed", hypothesis.settings.default, deadline=None)
hypothesis.settings.load_profile("untimed")


@pytest.fixture(autouse=True)
def _log_settings_stay_in_their_test() -> Iterator[None]:
    """A verb that a test runs lets logs go to its standard error, which is closed afterwards."""
    yield
    structlog.reset_defaults()


own_database = partial(database_url_on, prefix="dala_test")


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of an empty database: one made on DALA_TEST_DATABASE_URL's server, or an embedded one.

    Its role may create databases and roles. TimescaleDB is used where the server has it.
    """
    if url := os.environ.get("DALA_TEST_DATABASE_URL"):
        with own_database(url) as own:
            yield own
        return
    settings = EmbeddedSettings(home=tmp_path_factory.mktemp("dala-home"))
    with open_embedded(settings, verb="test", broker=False) as servers:
        write_at_leisure(settings, servers.database_url)
        yield servers.database_url


@pytest.fixture(scope="session")
def timescale() -> Iterator[sa.Engine]:
    """An engine on a migrated TimescaleDB: DALA_TEST_DATABASE_URL's server, if it has it.

    Else the one that is compiled to WebAssembly, which serves a single connection and knows no
    COPY into tables and no timeouts.
    """
    if (url := os.environ.get("DALA_TEST_DATABASE_URL")) and _offers_timescale(url):
        with own_database(url) as own:
            made = make_engine(own)
            migrations.upgrade(made)
            stop_jobs(made)
            yield made
            made.dispose()
        return
    node, folder = shutil.which("node"), Path(__file__).parent / "timescale"
    if node is None or not (folder / "node_modules").is_dir():
        pytest.skip("needs Node.js and `npm ci` in tests/timescale (tests/prepare.sh does it)")
    process = subprocess.Popen(
        [node, "server.mjs"], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    port = process.stdout.readline().strip()
    # It turns away a connection that comes before it has noticed that the last has gone: all tests
    # share a single one.
    made = sa.create_engine(
        f"postgresql+psycopg://postgres:any@127.0.0.1:{port}/postgres?sslmode=disable",
        poolclass=StaticPool,
    )
    migrations.upgrade(made)
    yield made
    made.dispose()
    process.stdin.close()
    process.wait(timeout=20)
    process.stdout.close()


def _offers_timescale(url: str) -> bool:
    made = make_engine(url)
    with made.connect() as connection:
        found = connection.scalar(
            sa.text("SELECT count(*) FROM pg_available_extensions WHERE name = 'timescaledb'")
        )
    made.dispose()
    return bool(found)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of samples and recordings beside the checkout; skips where it is absent."""
    folder = Path(__file__).resolve().parents[2] / "shared"
    if not folder.is_dir():
        pytest.skip(f"needs {folder.name}/ beside the checkout")
    return folder


@pytest.fixture(scope="session")
def engine(postgres_url: str) -> Iterator[sa.Engine]:
    """An engine on the migrated test database."""
    made = make_engine(postgres_url)
    sa.event.listen(made, "checkout", _forget_what_was_emptied)
    migrations.upgrade(made)
    stop_jobs(made)
    yield made
    made.dispose()


def stop_jobs(engine: sa.Engine) -> None:
    """Let a server's TimescaleDB pack, refresh and drop nothing by itself: tests run its jobs."""
    with engine.begin() as opened:
        if has_timescale(opened):
            opened.execute(sa.text("SELECT _timescaledb_functions.stop_background_workers()"))


@pytest.fixture
def connection(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction on the migrated test database that is rolled back after the test."""
    with engine.connect() as opened, opened.begin() as transaction:
        yield opened
        transaction.rollback()


@pytest.fixture
def empty_engine(engine: sa.Engine) -> Iterator[sa.Engine]:
    """The migrated test database for code that commits: emptied after the test."""
    yield engine
    empty(engine)


def _forget_what_was_emptied(_driver: object, record: Any, _proxy: object) -> None:
    """Numbers begin again in a table that was emptied: let a connection remember none of them."""
    if record.info.get("emptied") != len(_EMPTIED):
        record.info.clear()
        record.info["emptied"] = len(_EMPTIED)


_EMPTIED: list[sa.Engine] = []


def empty(engine: sa.Engine) -> None:
    """Empty every table, and what TimescaleDB has stored of readings."""
    _EMPTIED.append(engine)
    names = [table.name for table in metadata.sorted_tables]
    with engine.begin() as opened:
        opened.execute(sa.text(f"TRUNCATE {', '.join(names)} RESTART IDENTITY CASCADE"))
        if has_timescale(opened):
            opened.execute(sa.text("TRUNCATE readings_hourly"))
            opened.execute(sa.text("TRUNCATE readings_daily"))
