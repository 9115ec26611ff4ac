"""An export is of one state, whatever is written while it is read, and keeps nobody waiting."""

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pyarrow as pa
import pytest
import sqlalchemy as sa
from pyarrow import parquet

from storage import exports, tables, tracks
from storage.arrays import fetch
from tests.api.asking import Api, put_key
from tests.conftest import empty
from tests.two_farms import DAY, START, Land, put_land

HOUR = DAY / 24
PART = 10
SPAN = {"start": "2025-06-01T00:00:00Z", "end": "2025-06-09T00:00:00Z"}
ROWS: dict[str, Callable[[bytes], int]] = {
    "csv": lambda content: len(list(csv.reader(io.StringIO(content.decode())))) - 1,
    "parquet": lambda content: parquet.read_table(io.BytesIO(content)).num_rows,
    "arrow": lambda content: pa.ipc.open_stream(content).read_all().num_rows,
    "xlsx": lambda content: openpyxl.load_workbook(io.BytesIO(content)).active.max_row - 1,
}


@pytest.fixture(scope="module")
def land(engine: sa.Engine) -> Iterator[Land]:
    with engine.begin() as connection:
        made = put_land(connection, "mine", "KZ-61")
        tracks.store(connection, [made.device], points(np.arange(25)))
    yield made
    empty(engine)


@pytest.fixture
def key(engine: sa.Engine, land: Land) -> Iterator[str]:
    yield put_key(engine, "reader", farm_ids=[land.farm])
    with engine.begin() as connection:
        for table in (tables.api_keys, tables.api_clients):
            connection.execute(sa.delete(table))


def points(seconds: Any) -> Any:
    rows = np.zeros(len(seconds), tracks.DTYPE)
    rows["time"] = int(START.timestamp() * 1e6) + np.asarray(seconds) * 1_000_000
    for name in tracks.NUMBERS:
        rows[name] = np.nan
    rows["latitude_deg"], rows["longitude_deg"] = 43.0, 76.0
    return rows


def reading(land: Land, after: Any) -> dict[str, Any]:
    moment = START + after
    values = {"value": -1.0, "quality": 0, "received_at": moment}
    return values | {"time": moment, "datastream_id": land.stream}


@pytest.fixture
def written_meanwhile(
    engine: sa.Engine, land: Land, monkeypatch: pytest.MonkeyPatch
) -> Iterator[list[int]]:
    """After the first part another transaction writes before and behind it, and deletes."""
    parts: list[int] = []
    late = [reading(land, after) for after in (HOUR / 2, 30.5 * HOUR, 50 * HOUR)]
    table, points_of = tables.readings, tables.track_points

    def fetched(connection: sa.Connection, *asked: Any) -> Any:
        found = fetch(connection, *asked)
        if not parts:
            with engine.begin() as other:
                other.execute(sa.insert(table), late)
                other.execute(sa.delete(table).where(table.c.time == START + 40 * HOUR))
                tracks.store(other, [land.device], points([30, 130]))
                gone = points_of.c.time == START + 22 * HOUR / 3_600
                other.execute(sa.delete(points_of).where(gone))
        parts.append(len(found[0]))
        return found

    monkeypatch.setattr(exports, "ROWS", PART)
    monkeypatch.setattr(exports, "fetch", fetched)
    yield parts
    with engine.begin() as connection:
        connection.execute(sa.delete(table).where(table.c.value == -1.0))
        connection.execute(
            sa.insert(table), [reading(land, 40 * HOUR) | {"value": float(land.farm)}]
        )
        connection.execute(sa.delete(points_of))
        tracks.store(connection, [land.device], points(np.arange(25)))


@pytest.mark.parametrize("form", ROWS)
def test_readings_of_many_parts_are_of_one_state(
    engine: sa.Engine, land: Land, key: str, written_meanwhile: list[int], form: str
) -> None:
    path = f"/v1/datastreams/{land.stream}/readings"
    answer = Api(engine).ask("GET", path, key=key, params=SPAN | {"format": form})

    assert answer.status_code == 200, answer.text
    assert ROWS[form](answer.content) == 48
    assert written_meanwhile == [10, 10, 10, 10, 8]
    again = Api(engine).ask("GET", path, key=key, params=SPAN | {"format": form})
    assert ROWS[form](again.content) == 48 + 3 - 1


@pytest.mark.parametrize("form", ROWS)
def test_a_track_of_many_parts_is_of_one_state(
    engine: sa.Engine, land: Land, key: str, written_meanwhile: list[int], form: str
) -> None:
    path = f"/v1/devices/{land.device}/track"
    answer = Api(engine).ask("GET", path, key=key, params=SPAN | {"format": form})

    assert answer.status_code == 200, answer.text
    assert ROWS[form](answer.content) == 25
    assert written_meanwhile == [10, 10, 5]
    again = Api(engine).ask("GET", path, key=key, params=SPAN | {"format": form})
    assert ROWS[form](again.content) == 25 + 2 - 1


def test_who_takes_an_export_slowly_holds_no_connection(
    engine: sa.Engine, land: Land, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    api, held = Api(engine), []
    pool = engine.pool
    assert isinstance(pool, sa.pool.QueuePool)
    monkeypatch.setattr(exports, "ROWS", PART)
    monkeypatch.setattr(
        "api.formats.writers.csv.write_csv", lambda *_: held.append(pool.checkedout())
    )
    path = f"/v1/datastreams/{land.stream}/readings"

    answer = api.ask("GET", path, key=key, params=SPAN | {"format": "csv"})

    assert answer.status_code == 200
    assert held == [0] * 5


def test_where_the_disk_is_full_that_is_told_and_nothing_is_held(
    engine: sa.Engine, land: Land, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Any] = []

    def full() -> Any:
        opened.append(Path("/dev/full").open("w+b"))  # noqa: SIM115 - as the one in its place
        return opened[-1]

    monkeypatch.setattr("api.formats.kept.tempfile.TemporaryFile", full)
    pool = engine.pool
    assert isinstance(pool, sa.pool.QueuePool)
    path = f"/v1/datastreams/{land.stream}/readings"

    answer = Api(engine).ask("GET", path, key=key, params=SPAN | {"format": "csv"})

    assert (answer.status_code, pool.checkedout()) == (500, 0)
    assert answer.headers["content-type"] == "application/problem+json"
    assert [one.closed for one in opened] == [True]


def test_what_cannot_be_read_is_a_problem_and_no_broken_file(
    engine: sa.Engine, land: Land, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def fails(*_: Any) -> Any:
        asked.append(1)
        if len(asked) == 2:
            raise sa.exc.OperationalError("SELECT", {}, Exception("gone"))
        return fetch(*_)

    monkeypatch.setattr(exports, "ROWS", PART)
    monkeypatch.setattr(exports, "fetch", fails)
    path = f"/v1/datastreams/{land.stream}/readings"

    answer = Api(engine).ask("GET", path, key=key, params=SPAN | {"format": "csv"})

    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:dala:problem:not-ready-to-answer"
