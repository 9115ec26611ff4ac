"""A TimescaleDB with nothing in it for each test, whose writes stay until then."""

import struct
from collections.abc import Iterable, Iterator, Sequence

import pytest
import sqlalchemy as sa
from psycopg import sql

from migrations import upgrade
from storage import copying
from tests.conftest import empty
from tests.timescale.policed import DEFAULTS

POSTGRES_EPOCH = "'2000-01-01T00:00Z'::timestamptz"


@pytest.fixture
def series(timescale: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[sa.Engine]:
    """TimescaleDB, emptied after the test."""
    if "emcc" in _version(timescale):
        monkeypatch.setattr(copying, "copy_in", insert_instead)
    yield timescale
    empty(timescale)


@pytest.fixture
def series_as_before(series: sa.Engine) -> Iterator[sa.Engine]:
    """TimescaleDB, whose policies are the usual ones again after the test."""
    yield series
    with series.begin() as connection:
        connection.execute(sa.text("DELETE FROM reading_retention"))
    upgrade(series, settings=DEFAULTS)


def _version(engine: sa.Engine) -> str:
    with engine.connect() as connection:
        return str(connection.scalar(sa.text("SELECT version()")))


def insert_instead(
    connection: sa.Connection, table: str, columns: Sequence[str], parts: Iterable[bytes]
) -> None:
    """Do by INSERT what a server without COPY into tables cannot: numbers, times and devices."""
    rows = list(_decoded(b"".join(parts), columns))
    values = [
        sql.SQL("{} + {} * interval '1 us'").format(sql.SQL(POSTGRES_EPOCH), sql.Placeholder())
        if column in {"time", "received_at"}
        else sql.Placeholder()
        for column in columns
    ]
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, columns)),
        sql.SQL(", ").join(values),
    )
    driver = connection.connection.driver_connection
    assert driver is not None
    with driver.cursor() as cursor:
        cursor.executemany(statement, rows)


def _decoded(raw: bytes, columns: Sequence[str]) -> Iterator[list[float | str | None]]:
    place = 0
    while place < len(raw):
        (count,) = struct.unpack_from(">h", raw, place)
        assert count == len(columns)
        place, row = place + 2, []
        for column in columns:
            (size,) = struct.unpack_from(">i", raw, place)
            place += 4
            row.append(_value(raw[place : place + max(size, 0)], column) if size >= 0 else None)
            place += max(size, 0)
        yield row


def _value(raw: bytes, column: str) -> float | str:
    if column == "device_id":
        return raw.decode()
    of_eight = "q" if column in {"time", "received_at", "batch_id"} else "d"
    value: float = struct.unpack(f">{ {2: 'h', 4: 'i', 8: of_eight}[len(raw)] }", raw)[0]
    return value
