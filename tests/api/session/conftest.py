"""A database with an administrator, after which nobody is left."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from api.security import passwords
from storage import tables
from storage.tenancy import AT_THE_ENTRANCE
from tests.api.asking import QUICK, Api, put_account


@pytest.fixture
def nobody(engine: sa.Engine) -> Iterator[sa.Engine]:
    """The test database, of whose people and programs nothing is left after the test."""
    yield engine
    of_farms = {"farms", "regions"}
    with engine.begin() as connection:
        for table in reversed(tables.metadata.sorted_tables):
            if table.name in AT_THE_ENTRANCE | {"audit_log"} | of_farms:
                connection.execute(sa.delete(table))


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_HASHER", QUICK)


@pytest.fixture
def api(nobody: sa.Engine) -> Api:
    put_account(nobody, "boss", "administrator")
    return Api(nobody)
