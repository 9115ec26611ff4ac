"""Writing readings: the narrow hypertable that every sensor writes to, each key once."""

from __future__ import annotations

from enum import IntFlag
from typing import Any, NamedTuple

import numpy as np
import psycopg
import sqlalchemy as sa

from storage import copying


class Quality(IntFlag):
    """What is known about a reading; zero is a good one.

    The low bits only inform. From ``OUT_OF_RANGE`` on a reading is kept but not used: queries
    ask for ``quality < 16``.
    """

    SERVER_TIME = 1  # the message had no time of its own: stamped when it arrived
    COUNTER_RESET = 2  # a counter that began again, and did not just run over its end
    RATE_OF_CHANGE = 4  # further from the readings before than the catalogue lets it move
    STUCK = 8  # the very same value for longer than the catalogue lets it rest
    OUT_OF_RANGE = 16  # outside the catalogue's plausible range
    SPIKE = 32  # alone far from the readings before and after: known once the next one is there
    SIMULATED = 256  # a network's test message


USABLE_BELOW = int(Quality.OUT_OF_RANGE)

DTYPE = np.dtype(
    [
        ("time", np.int64),  # [µs since 1970, UTC]
        ("datastream_id", np.int32),
        ("value", np.float64),
        ("quality", np.int16),
        ("received_at", np.int64),  # [µs since 1970, UTC]
    ]
)
_COLUMNS = DTYPE.names or ()


Array = np.ndarray[Any, Any]


class Stored(NamedTuple):
    """What became of each row of a batch, as masks of its shape."""

    new: np.ndarray[Any, np.dtype[np.bool_]]
    duplicate: np.ndarray[Any, np.dtype[np.bool_]]  # the same value again, or a conflict
    conflicts: int  # of the duplicates, those of another value that was not seen before


def store(connection: sa.Connection, rows: np.ndarray[Any, Any]) -> Stored:
    """Store each reading once; a second, different value for a time goes to the conflicts.

    ``rows`` has :data:`DTYPE`. Of equal keys in one batch the first stays. Not committed here.
    """
    first = _first_of_each_key(rows)
    fresh, repeated = rows[first], rows[~first]
    try:
        with connection.begin_nested():
            _copy(connection, fresh)
        new_of_fresh, conflicts = np.ones(len(fresh), bool), 0
    except psycopg.errors.UniqueViolation:
        new_of_fresh, conflicts = _store_some_known(connection, fresh)
    if len(repeated):  # inside this batch
        _stage(connection, repeated)
        places = list(range(len(repeated)))
        conflicts += connection.execute(_CONFLICTS, {"places": places}).rowcount
    new = np.zeros(len(rows), bool)
    new[np.flatnonzero(first)[new_of_fresh]] = True
    return Stored(new, ~new, conflicts)


def _first_of_each_key(rows: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    order = np.lexsort((rows["time"], rows["datastream_id"]))  # stable: first come, first stay
    times, streams = rows["time"][order], rows["datastream_id"][order]
    starts = np.ones(len(rows), bool)
    starts[1:] = (times[1:] != times[:-1]) | (streams[1:] != streams[:-1])
    first = np.zeros(len(rows), bool)
    first[order[starts]] = True
    return first


def _copy(connection: sa.Connection, rows: np.ndarray[Any, Any]) -> None:
    copying.copy_in(connection, "readings", _COLUMNS, [copying.records(_sent(rows), len(rows))])


def _sent(rows: np.ndarray[Any, Any]) -> list[copying.Column]:
    return [
        copying.times(rows[name]) if name in {"time", "received_at"} else rows[name]
        for name in _COLUMNS
    ]


_STAGE = sa.text("""
    CREATE TEMPORARY TABLE IF NOT EXISTS staged_readings
        (place integer, time timestamptz, datastream_id integer, value double precision,
         quality smallint, received_at timestamptz)
    ON COMMIT DELETE ROWS
""")
_EMPTY_STAGE = sa.text("TRUNCATE staged_readings")
# One statement sees one snapshot: the rows it joins are those stored before it inserted.
# LATERAL … LIMIT asks the index once for each staged row; a plain join may read all readings,
# since nothing is known of how many rows the stage holds.
_INSERT_STAGED = sa.text("""
    WITH stored AS (
        INSERT INTO readings (time, datastream_id, value, quality, received_at)
        SELECT time, datastream_id, value, quality, received_at FROM staged_readings
        ON CONFLICT DO NOTHING)
    SELECT staged.place, known.value IS DISTINCT FROM staged.value
      FROM staged_readings AS staged
CROSS JOIN LATERAL (SELECT value FROM readings
                     WHERE datastream_id = staged.datastream_id AND time = staged.time
                     LIMIT 1) AS known
""")
_CONFLICTS = sa.text("""
    INSERT INTO reading_conflicts
           (time, datastream_id, stored_value, value, quality, received_at)
    SELECT staged.time, staged.datastream_id, known.value, staged.value, staged.quality,
           staged.received_at
      FROM staged_readings AS staged
CROSS JOIN LATERAL (SELECT value FROM readings
                     WHERE datastream_id = staged.datastream_id AND time = staged.time
                     LIMIT 1) AS known
     WHERE staged.place = ANY(:places) AND known.value IS DISTINCT FROM staged.value
    ON CONFLICT DO NOTHING
""")


def _stage(connection: sa.Connection, rows: np.ndarray[Any, Any]) -> None:
    connection.execute(_STAGE)
    connection.execute(_EMPTY_STAGE)
    places = np.arange(len(rows), dtype=np.int32)
    parts = [copying.records([places, *_sent(rows)], len(rows))]
    copying.copy_in(connection, "staged_readings", ("place", *_COLUMNS), parts)


def _store_some_known(
    connection: sa.Connection, rows: np.ndarray[Any, Any]
) -> tuple[np.ndarray[Any, np.dtype[np.bool_]], int]:
    """The slow path, taken only when a batch holds something already stored."""
    _stage(connection, rows)
    known = connection.execute(_INSERT_STAGED).all()
    conflicts = 0
    if differing := [place for place, differs in known if differs]:
        conflicts = connection.execute(_CONFLICTS, {"places": differing}).rowcount
    new = np.ones(len(rows), bool)
    new[[place for place, _ in known]] = False
    return new, conflicts


_FLAG = sa.text("""
    UPDATE readings SET quality = quality | :flag
      FROM unnest(CAST(:ids AS integer[]), CAST(:times_us AS bigint[])) AS one (id, time_us)
     WHERE datastream_id = one.id AND time = to_timestamp(0) + one.time_us * interval '1 us'
       AND quality & :flag = 0
""")


def flag(
    connection: sa.Connection,
    datastream_ids: np.ndarray[Any, Any],
    times_us: np.ndarray[Any, Any],
    quality: Quality,
) -> None:
    """Add a flag to stored readings, by datastream and time [µs since 1970]."""
    if len(datastream_ids):
        parameters = {"ids": datastream_ids.tolist(), "times_us": times_us.tolist()}
        connection.execute(_FLAG, parameters | {"flag": int(quality)})
