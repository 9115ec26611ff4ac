"""Bytes of a reading: as a row with its index, and in TimescaleDB's columnstore.

The readings are made series of every kind of sensor, with the noise and the resolution that such
sensors have. They are stored in the order they would come, as ingest stores them. On TimescaleDB
the table of the migrations is packed chunk by chunk; then the same readings are packed with other
orders, segments and lengths of chunks, in tables of the same shape. So are the hours and days that
TimescaleDB stores beside them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

import migrations
from bench import seeding, series, servers
from bench.machine import this_machine
from storage import aggregates, arrival, devices, tables
from storage.database import ping

ROWS, STREAMS, INTERVAL_S = 2_016_000, 500, 600  # four weeks
WANTED = 10.0
ROWS_A_PART = 50_000
PHASE_US = 7_919_000  # between two sensors that measure as often
GATEWAY_MS = 300.0  # one standard deviation of when a gateway hears a sensor
COMMIT_S = 0.5  # from one to the next, on average
START = dt.datetime(2025, 3, 13, tzinfo=dt.UTC)  # chunks of up to four weeks begin that day

Report = dict[str, Any]


class Made(NamedTuple):
    """Readings, and the batch of each."""

    rows: np.ndarray[Any, Any]
    batch_ids: np.ndarray[Any, Any]


class Packing(NamedTuple):
    """How chunks are packed."""

    name: str
    chunk_days: float
    segment_by: str
    order_by: str


# Beside what the migrations chose.
OTHERS = (
    Packing("chunks of 1 day", 1, "datastream_id", "time DESC"),
    Packing("chunks of 7 days", 7, "datastream_id", "time DESC"),
    Packing("chunks of 28 days", 28, "datastream_id", "time DESC"),
    Packing("oldest first", 7, "datastream_id", "time"),
    Packing("by arrival", 7, "datastream_id", "received_at DESC"),
    Packing("by quality too", 7, "datastream_id, quality", "time DESC"),
    Packing("no segments", 7, "", "datastream_id, time DESC"),
)


def run(
    *,
    rows: int = ROWS,
    streams: int = STREAMS,
    interval_s: int = INTERVAL_S,
    database_url: str | None = None,
    others: Sequence[Packing] = OTHERS,
) -> Report:
    """Measure on plain PostgreSQL and on TimescaleDB, in databases that are gone afterwards.

    Parameters
    ----------
    rows : int
        Readings stored, at most: each datastream has as many.
    streams : int
        Datastreams they are of, of all kinds of sensors in turn.
    interval_s : int
        Between two readings of a datastream.
    database_url : str, optional
        A server with TimescaleDB, on which its role may create a database; by default the
        TimescaleDB that is compiled to WebAssembly, where it is installed.

    Raises
    ------
    embedded.children.ChildError
        If a server cannot be started, or the one that was named has no TimescaleDB.
    """
    each = max(rows // streams, 1)
    rows, end = each * streams, START + dt.timedelta(seconds=interval_s * each)
    sensors = list(series.SENSORS)
    kinds = [(number + 1, sensors[number % len(sensors)]) for number in range(streams)]
    made = _made(kinds, rows, end, interval_s)
    report: Report = {
        "bench": "storage",
        "machine": this_machine()._asdict(),
        "rows": rows,
        "streams": streams,
        "interval_s": interval_s,
        "days": (end - START) / dt.timedelta(days=1),
        "wanted_ratio": WANTED,
        "timescale": None,
        "how_to_get": servers.HOW_TO_GET,
    }
    with _progress() as progress:
        task = progress.add_task("Storing and packing", total=3 + len(others))
        with servers.plain() as engine:
            report["plain"] = _plain_figures(engine, made)
        progress.advance(task)
        if database_url is not None or servers.is_wasm_there():
            with servers.timescale(database_url) as engine:
                _know_rates(engine, kinds, interval_s)
                report["timescale"] = _timescale_figures(engine, made)
                progress.advance(task)
                report["timescale"] |= _views(engine)
                progress.advance(task)
                report["timescale"]["others"] = [
                    _other(engine, one, progress, task) for one in others
                ]
    return report


def _made(
    kinds: Sequence[tuple[int, str]], rows: int, end: dt.datetime, interval_s: int
) -> list[Made]:
    """Readings of all datastreams in turn, in parts, each reading in the batch it came in."""
    random = np.random.default_rng(7)
    commits_us = _commits_us(end, random)
    made = []
    for part in series.made(kinds, rows, start=START, end=end, rows_a_part=ROWS_A_PART):
        arrived_us = _measured_apart(part, interval_s, random)
        made.append(Made(part, 1 + np.searchsorted(commits_us, arrived_us)))
    return made


def _measured_apart(
    rows: np.ndarray[Any, Any], interval_s: int, random: np.random.Generator
) -> np.ndarray[Any, Any]:
    """Let each sensor have begun at another moment, and be stored as storage.readings does.

    Every fourth has no clock: a gateway says when it heard it, which is never twice alike. Returns
    when each reading arrived, exactly [µs since 1970].
    """
    shift_us = rows["datastream_id"].astype(np.int64) * PHASE_US % (interval_s * 1_000_000)
    heard_ms = np.rint(random.normal(0.0, GATEWAY_MS, len(rows))).astype(np.int64)
    shift_us += np.where(rows["datastream_id"] % 4 == 0, 1_000 * heard_ms, 0)
    rows["time"] += shift_us
    arrived_us: np.ndarray[Any, Any] = rows["received_at"] + shift_us
    rows["received_at"] = arrival.rounded(arrived_us)
    return arrived_us


def _commits_us(end: dt.datetime, random: np.random.Generator) -> np.ndarray[Any, Any]:
    """When ingest commits, at moments that no two hours have alike [µs since 1970].

    What else arrives decides of it, so between two readings of a datastream the number of batches
    is never quite the same.
    """
    seconds = (end - START).total_seconds()
    apart_us = random.exponential(1e6 * COMMIT_S, round(seconds / COMMIT_S))
    return np.asarray(START.timestamp() * 1e6 + np.cumsum(apart_us))


# --- plain PostgreSQL -----------------------------------------------------------------------------


def _plain_figures(engine: sa.Engine, made: Sequence[Made]) -> Report:
    with engine.begin() as connection:
        for part in made:
            seeding.copy(connection, *part)
    with engine.connect() as connection:
        table, index = connection.execute(
            sa.text("SELECT pg_relation_size('readings'), pg_indexes_size('readings')")
        ).one()
        server = ping(connection)
    rows = sum(len(part.rows) for part in made)
    return {"postgresql": server, "table_b": table / rows, "index_b": index / rows}


# --- TimescaleDB ----------------------------------------------------------------------------------


def _know_rates(engine: sa.Engine, kinds: Sequence[tuple[int, str]], interval_s: int) -> None:
    """Register who sends, and migrate again: chunks are as long as rates and memory allow."""
    with engine.begin() as connection:
        devices.put(connection, "bench", kind="weather-station", name="Bench")
        connection.execute(
            tables.datastreams.insert(),
            [
                {
                    "device_id": "bench",
                    "quantity": quantity,
                    "channel": id_,
                    "expected_interval_s": interval_s,
                }
                for id_, quantity in kinds
            ],
        )
    migrations.upgrade(engine)


def _timescale_figures(engine: sa.Engine, made: Sequence[Made]) -> Report:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for part in made:
            _insert(connection, *part)
        version = servers.timescale_version(connection)
        return {
            "postgresql": ping(connection),
            "timescaledb": version,
            "chosen": _packing(connection) | _packed(connection, "readings"),
        }


# As parameters: the one compiled to WebAssembly knows no COPY into tables.
_INSERT = sa.text("""
    INSERT INTO readings (time, datastream_id, value, quality, received_at, batch_id)
    SELECT to_timestamp(0) + time_us * interval '1 us', id, value, 0,
           to_timestamp(0) + received_us * interval '1 us', batch
      FROM unnest(CAST(:times AS bigint[]), CAST(:ids AS integer[]),
                  CAST(:values AS double precision[]), CAST(:received AS bigint[]),
                  CAST(:batches AS bigint[]))
           AS made (time_us, id, value, received_us, batch)
""")


def _insert(
    connection: sa.Connection, rows: np.ndarray[Any, Any], batch_ids: np.ndarray[Any, Any]
) -> None:
    parameters = {
        "times": rows["time"].tolist(),
        "ids": rows["datastream_id"].tolist(),
        "values": rows["value"].tolist(),
        "received": rows["received_at"].tolist(),
        "batches": batch_ids.tolist(),
    }
    connection.execute(_INSERT, parameters)


def _views(engine: sa.Engine) -> Report:
    """What the stored hours and days take, for each of them."""
    aggregates.refresh(engine)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        return {
            name: _packed(connection, connection.scalar(_BEHIND, {"view": view}), HOUR)
            for name, view in (("hours", "readings_hourly"), ("days", "readings_daily"))
        }


_BEHIND = sa.text("""
    SELECT format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name)
      FROM timescaledb_information.continuous_aggregates WHERE view_name = :view
""")


def _other(engine: sa.Engine, packing: Packing, progress: Progress, task: Any) -> Report:
    """The same readings in a table of the same shape, packed otherwise."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("CREATE TABLE other (LIKE readings INCLUDING DEFAULTS)"))
        connection.execute(
            sa.text("SELECT create_hypertable('other', by_range('time', CAST(:days AS interval)))"),
            {"days": dt.timedelta(days=packing.chunk_days)},
        )
        connection.execute(sa.text("DROP INDEX other_time_idx"))
        connection.execute(sa.text("CREATE INDEX ON other USING brin (time)"))
        connection.execute(sa.text("CREATE UNIQUE INDEX ON other (datastream_id, time)"))
        segment = f", timescaledb.compress_segmentby = '{packing.segment_by}'"
        connection.execute(
            sa.text(
                "ALTER TABLE other SET (timescaledb.compress"
                f"{segment if packing.segment_by else ''}"
                f", timescaledb.compress_orderby = '{packing.order_by}')"
            )
        )
        connection.execute(sa.text("INSERT INTO other SELECT * FROM readings ORDER BY time"))
        found = packing._asdict() | _packed(connection, "other")
        connection.execute(sa.text("DROP TABLE other"))
    progress.advance(task)
    return found


_PACKING = sa.text("""
    SELECT extract(epoch FROM dimension.time_interval)::float8 / 86400 AS chunk_days,
           (SELECT string_agg(attname, ', ' ORDER BY segmentby_column_index)
              FROM timescaledb_information.compression_settings
             WHERE hypertable_name = 'readings' AND segmentby_column_index IS NOT NULL)
             AS segment_by,
           (SELECT string_agg(attname || CASE WHEN orderby_asc THEN '' ELSE ' DESC' END, ', '
                              ORDER BY orderby_column_index)
              FROM timescaledb_information.compression_settings
             WHERE hypertable_name = 'readings' AND orderby_column_index IS NOT NULL) AS order_by
      FROM timescaledb_information.dimensions AS dimension
     WHERE dimension.hypertable_name = 'readings'
""")


def _packing(connection: sa.Connection) -> Report:
    row = connection.execute(_PACKING).one()
    return {"name": "as migrated"} | dict(row._mapping)


_SIZES = sa.text("""
    SELECT sum(table_bytes)::float8, sum(index_bytes)::float8, sum(toast_bytes)::float8,
           sum(total_bytes)::float8, count(*)
      FROM chunks_detailed_size(CAST(:table AS regclass))
""")
_PACK = sa.text(
    "SELECT count(compress_chunk(chunk)) FROM show_chunks(CAST(:table AS regclass)) AS chunk"
)


READING = ("time", "datastream_id", "value", "quality", "received_at", "batch_id")
HOUR = ("bucket", "datastream_id", "total", "samples", "low", "high", "last_value")


def _packed(connection: sa.Connection, table: str, columns: Sequence[str] = READING) -> Report:
    """Bytes a row before its chunks are packed, and after."""
    what = f"SELECT count(*), sum({columns[2]}) FROM {table}"  # noqa: S608
    rows, total = connection.execute(sa.text(what)).one()
    before = connection.execute(_SIZES, {"table": table}).one()
    packed = connection.scalar(_PACK, {"table": table})
    after = connection.execute(_SIZES, {"table": table}).one()
    _, again = connection.execute(sa.text(what)).one()
    if packed != before[4] or not np.isclose(total, again, rtol=1e-12):
        raise AssertionError(f"{packed} of {before[4]} chunks packed, sum {total} became {again}")
    return {
        "rows": rows,
        "chunks": packed,
        "table_b": before[0] / rows,
        "index_b": before[1] / rows,
        "before_b": before[3] / rows,
        "after_b": after[3] / rows,
        "ratio": before[3] / after[3],
        "columns_b": _columns(connection, table, rows, columns),
    }


_PACKED_TABLES = sa.text("""
    SELECT CAST(settings.compress_relid AS text)
      FROM _timescaledb_catalog.compression_settings AS settings
      JOIN show_chunks(CAST(:table AS regclass)) AS chunk ON settings.relid = chunk
     WHERE settings.compress_relid IS NOT NULL
""")


def _columns(
    connection: sa.Connection, table: str, rows: int, columns: Sequence[str]
) -> dict[str, float]:
    """Bytes a row of each column, and how many rows a batch holds."""
    sums = ", ".join(f"coalesce(sum(pg_column_size({name})), 0)" for name in columns)
    totals = np.zeros(len(columns))
    batches = 0
    for name in connection.scalars(_PACKED_TABLES, {"table": table}).all():
        found = connection.execute(sa.text(f"SELECT count(*), {sums} FROM {name}")).one()  # noqa: S608
        batches += found[0]
        totals += np.array(found[1:], float)
    sizes = dict(zip(columns, (totals / rows).tolist(), strict=True))
    return sizes | {"rows_a_batch": rows / batches if batches else 0.0}


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )
