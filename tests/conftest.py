"""Fixtures that every package's tests share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

import migrations
from embedded.home import EmbeddedSettings
from embedded.stack import open_embedded
from storage.database import make_engine
from storage.tables import metadata


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """SQLAlchemy URL of an empty database: DALA_TEST_DATABASE_URL, or an embedded server's.

    Its role may create databases.
    """
    if url := os.environ.get("DALA_TEST_DATABASE_URL"):
        yield url
        return
    settings = EmbeddedSettings(home=tmp_path_factory.mktemp("dala-home"))
    with open_embedded(settings, verb="test", broker=False) as servers:
        yield servers.database_url


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
    migrations.upgrade(made)
    yield made
    made.dispose()


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
    names = ", ".join(table.name for table in metadata.sorted_tables)
    with engine.begin() as opened:
        opened.execute(sa.text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
