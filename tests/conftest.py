"""Fixtures that every package's tests share."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded.home import EmbeddedSettings
from embedded.stack import open_embedded


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
