"""Batches meet chunks that were packed before there were any, and are hashed there as anywhere."""

import datetime as dt
import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

import migrations
from migrations import tenancy
from storage import aggregates, devices, farms, readings, tracks
from storage.devices import StreamKey
from storage.farms import Region
from storage.readings import Quality
from tests.hashed_again import noted, recomputed

START = dt.datetime(2025, 3, 1, tzinfo=dt.UTC)
START_US = int(START.timestamp()) * 1_000_000
MINUTE = 60_000_000


def put_streams(engine: sa.Engine, count: int) -> list[int]:
    with engine.begin() as connection:
        farms.put_region(connection, Region("KZ-61", "61", "x", "x", "x"))
        place = {"latitude_deg": 43.0, "longitude_deg": 76.0, "elevation_m": 700.0}
        farm = farms.put(
            connection, "farm", name="f", region_code="KZ-61", timezone="Asia/Almaty", **place
        )
        devices.put(connection, "probe", farm_id=farm, kind="soil-probe", name="Probe")
        keys = [StreamKey("probe", "soil_moisture", None, number) for number in range(count)]
        found = devices.open_datastreams(connection, keys)
        return [found[key] for key in keys]


def rows(streams: list[int], minutes: list[int]) -> np.ndarray:
    made = np.zeros(len(streams), readings.DTYPE)
    made["datastream_id"], made["value"] = streams, minutes
    made["time"] = START_US + np.array(minutes, np.int64) * MINUTE
    made["received_at"] = START_US
    return made


def points(seconds: list[int]) -> np.ndarray:
    made = np.zeros(len(seconds), tracks.DTYPE)
    made["time"] = START_US + np.array(seconds, np.int64) * 1_000_000
    made["received_at"], made["work_state"] = START_US, -1
    for name in tracks.NUMBERS:
        made[name] = np.nan
    made["latitude_deg"], made["longitude_deg"] = 51.2, 71.5
    return made


def pack(engine: sa.Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in ("readings", "track_points"):
            chunks = connection.scalars(sa.text(f"SELECT show_chunks('{table}')::text")).all()
            for chunk in chunks:
                connection.execute(sa.text(f"SELECT compress_chunk('{chunk}')"))


def test_what_was_hashed_is_the_same_in_the_columnstore_and_beside_it(series: sa.Engine) -> None:
    one, other, third = put_streams(series, 3)
    for minutes in ([0, 1, 2], [2, 3], [3, 1, 5]):
        with series.begin() as connection:
            readings.store(connection, rows([one] * len(minutes), minutes))
            tracks.store(connection, ["tractor"], points(minutes))
    pack(series)
    with series.begin() as connection:
        readings.store(connection, rows([one, other, third, one], [4, 4, 2, 3]))
        tracks.store(connection, ["tractor"], points([4, 5, 6]))
        readings.flag(connection, np.array([one]), np.array([START_US]), Quality.SPIKE)

    for again in (False, True):
        with series.connect() as connection:
            told = noted(connection)
            assert told == recomputed(connection)
            assert sum(rows for _, rows, _, _ in told.values()) == 8 + 7
        if not again:
            pack(series)


def test_chunks_that_were_packed_before_stay_packed_and_take_what_comes_late(
    series_as_before: sa.Engine,
) -> None:
    engine = series_as_before
    (stream,) = put_streams(engine, 1)
    _take_back(engine)
    with engine.begin() as connection:
        connection.execute(
            sa.text("""
            INSERT INTO readings (time, datastream_id, value, quality, received_at)
            SELECT :start + minute * interval '1 minute', :stream, minute, 0, :start
              FROM generate_series(0, 199) AS minute WHERE minute <> 77
            """),
            {"start": START, "stream": stream},
        )
    pack(engine)
    aggregates.refresh(engine)

    with engine.begin() as connection:
        tenancy.drop(connection)
        with Operations.context(MigrationContext.configure(connection)):
            _migration().number_rows()
        tenancy.ensure(connection)
    with engine.begin() as connection:
        late = readings.store(connection, rows([stream, stream], [76, 77]))
    aggregates.refresh(engine, START)

    with engine.connect() as connection:
        assert late.new.tolist() == [False, True]
        assert noted(connection) == recomputed(connection) != {}
        counts = connection.execute(sa.text("SELECT count(*), count(batch_id) FROM readings"))
        assert counts.one() == (200, 1)
        packed = "SELECT bool_and(is_compressed) FROM timescaledb_information.chunks "
        packed += "WHERE hypertable_name = 'readings'"
        assert connection.scalar(sa.text(packed)) is True
        hour = "SELECT sum(samples) FROM readings_hourly WHERE datastream_id = :stream"
        assert connection.scalar(sa.text(hour), {"stream": stream}) == 200
    assert migrations.upgrade(engine) == []


def _take_back(engine: sa.Engine) -> None:
    """Let the tables be as they were before rows had a batch."""
    with engine.begin() as connection:
        tenancy.drop(connection)
        for table in ("readings", "track_points"):
            connection.execute(sa.text(f"ALTER TABLE {table} DROP COLUMN batch_id"))


def _migration() -> ModuleType:
    path = Path(migrations.FOLDER) / "versions" / "0016_evidence.py"
    spec = importlib.util.spec_from_file_location("evidence_migration", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
