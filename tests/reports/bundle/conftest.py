"""One farm with its reports for all tests of bundles, and a database to make figures again in."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
import sqlalchemy as sa

from reports.bundle import verifying as bundles
from reports.bundle.recomputing import Fresh
from reports.statements import verifying
from reports.statements.findings import Pinned, Verdict
from storage import tables
from storage.evidence_rows import COMPUTED, ENTERED
from tests.reports.bundle import small_farm


class Oasis(NamedTuple):
    """The farm, computed; what tests change is undone after each."""

    engine: sa.Engine
    other: sa.Engine  # where figures are made again
    keys: dict[str, Pinned]
    fresh: Fresh

    def check(self, file: bytes, bundle: Path) -> Verdict:
        """As an auditor does: the file, then its bundle."""
        verdict = verifying.check(file, keys=self.keys)
        return bundles.check(verdict, file, bundle, self.fresh)


@pytest.fixture(scope="session")
def oasis(postgres_url: str) -> Iterator[Oasis]:
    with small_farm.database(postgres_url) as engine, small_farm.database(postgres_url) as other:
        world = small_farm.found(engine)
        small_farm.grow(world)
        world.analyse(small_farm.HARVESTED + dt.timedelta(days=10))

        @contextmanager
        def fresh(_room: int) -> Iterator[sa.Engine]:
            try:
                yield other
            finally:
                _empty(other)

        yield Oasis(engine, other, small_farm.keys(engine), fresh)


# To delete a few rows takes less time than to make new files for all tables.
FILLED = {
    *ENTERED,
    *COMPUTED,
    "readings",
    "track_points",
    "reading_news",
    "track_news",
}


def _empty(engine: sa.Engine) -> None:
    with engine.begin() as connection:
        for table in reversed(tables.metadata.sorted_tables):
            if table.name in FILLED:
                connection.execute(table.delete())


@pytest.fixture
def changed(oasis: Oasis) -> Iterator[sa.Connection]:
    """A transaction on the farm's database that is rolled back after the test."""
    with oasis.engine.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()
