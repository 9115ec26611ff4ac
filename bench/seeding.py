"""What is measured on: simulated farms with their season, and as many readings as are asked for.

Farms, devices and results are those of the service: the simulated devices' messages go through
ingest, and analysis computes what stands. Only to have as many readings as a large farm or many
years would bring are made series put in their place, of every datastream there is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa

from analytics import daily
from bench import series
from seeds import load, messages, past
from seeds.farms import SimulatedFarm
from seeds.past import Past, store
from seeds.season import simulate_all
from storage import aggregates, copying, farms, readings
from storage.database import has_timescale

ROWS_A_PART = 250_000

__all__ = ["FailedError", "analyse", "bytes_of_readings", "copy", "fill", "register", "store"]

Advance = Callable[[int], object]


class FailedError(AssertionError):
    """A farm could not be computed: the time of a wrong result is worth nothing."""


def register(engine: sa.Engine, chosen: Sequence[SimulatedFarm]) -> Past:
    """Put the farms into the database, and give what their devices say in the season."""
    truth = simulate_all(chosen)
    senders = list(messages.senders(truth))
    with engine.begin() as connection:
        load.load(connection, truth, senders)
    return past.of(senders)


def analyse(engine: sa.Engine, now: dt.datetime) -> daily.Done:
    """Compute what is new on every farm.

    Raises
    ------
    FailedError
        If a farm could not be computed.
    """
    with engine.connect() as connection:
        known = farms.page(connection, limit=100_000)
    found = daily.analyze(engine, known, now=now)
    if found.failed:
        raise FailedError(f"not computed: {found.failed}")
    return found.done


def fill(
    engine: sa.Engine,
    count: int,
    *,
    start: dt.datetime,
    end: dt.datetime,
    advance: Advance = lambda _count: None,
) -> None:
    """Leave exactly ``count`` readings: made series of all datastreams, evenly over [start, end).

    The table is filled in the order readings would come, all devices of one time, then the next;
    its index is made afterwards, which is several times faster than keeping it on the way.
    """
    with engine.begin() as connection:
        rows = connection.execute(sa.text("SELECT id, quantity FROM datastreams ORDER BY id"))
        streams = [(row.id, row.quantity) for row in rows]
        definition = connection.scalar(_INDEX)
        connection.execute(sa.text("TRUNCATE readings"))
        connection.execute(sa.text("DROP INDEX readings_datastream_id_time_key"))
        for part in series.made(streams, count, start=start, end=end, rows_a_part=ROWS_A_PART):
            copy(connection, part, None)
            advance(len(part))
        connection.execute(sa.text("SET LOCAL maintenance_work_mem = '512MB'"))
        connection.execute(sa.text(str(definition)))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("SET statement_timeout = 0"))
        if has_timescale(connection):
            connection.execute(_PACK, {"before": end - UNPACKED})
        connection.execute(sa.text("VACUUM (ANALYZE) readings"))
    aggregates.refresh(engine)


# As the policies of the migrations would have done by then.
UNPACKED = dt.timedelta(days=35)
_PACK = sa.text("""
    SELECT count(compress_chunk(chunk))
      FROM show_chunks('readings', older_than => CAST(:before AS timestamptz)) AS chunk
""")


def bytes_of_readings(connection: sa.Connection) -> float:
    """What the table of readings takes, with its indexes and all chunks."""
    size = "hypertable_size" if has_timescale(connection) else "pg_total_relation_size"
    return float(connection.scalar(sa.text(f"SELECT {size}('readings')")) or 0)


_INDEX = sa.text("SELECT pg_get_indexdef('readings_datastream_id_time_key'::regclass)")


def copy(
    connection: sa.Connection, rows: np.ndarray[Any, Any], batch_ids: np.ndarray[Any, Any] | None
) -> None:
    """Put rows of ``readings.DTYPE`` into the table, none of which is there; of one batch if None.

    They are not hashed.
    """
    numbers = np.ones(len(rows), np.int64) if batch_ids is None else batch_ids
    copying.copy_in(connection, "readings", readings.COLUMNS, readings.packed(rows, numbers))
