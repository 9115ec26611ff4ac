"""Readings: the narrow hypertable that every sensor writes to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
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


# As _SERIES below, but the newest few of each; chunks before ``since`` are left out. A spike is
# known for one by its neighbours, and is a neighbour itself: 32 is Quality.SPIKE.
_NEWEST = """
    SELECT stream.id, newest.time, newest.value
      FROM unnest(%(ids)s::integer[], %(since)s::timestamptz[]) AS stream (id, since)
CROSS JOIN LATERAL (SELECT time, value FROM readings
                     WHERE datastream_id = stream.id AND quality & ~32 < 16
                       AND time >= stream.since
                  ORDER BY time DESC LIMIT %(count)s) AS newest
  ORDER BY stream.id, newest.time
"""


def newest(
    connection: sa.Connection, since: Mapping[int, dt.datetime], *, count: int
) -> dict[int, tuple[Array, Array]]:
    """Of each datastream the newest readings since a time: times [µs since 1970] and values.

    Usable ones, and spikes.
    """
    if not since:
        return {}
    ids = sorted(since)
    parameters = {"ids": ids, "since": [since[one] for one in ids], "count": count}
    table = copying.copy_out(connection, _NEWEST, parameters, _SERIES_DTYPE)
    table["time"] = copying.since_1970(table["time"])
    parts = _by_id(table, ids)
    return {one: (part["time"], part["value"]) for one, part in parts.items()}


class Sample(NamedTuple):
    """A reading as it was stored."""

    time: dt.datetime
    value: float
    quality: int


class Bucket(NamedTuple):
    """The usable readings of an hour or a day."""

    start: dt.datetime
    samples: int
    mean: float
    low: float
    high: float
    total: float
    last_value: float


_RAW = sa.text("""
    SELECT time, value, quality
      FROM readings
     WHERE datastream_id = :datastream_id AND time >= :start AND time < :end
  ORDER BY time
     LIMIT :limit
""")
_HOURS = sa.text("""
    SELECT bucket, samples, total / samples, low, high, total, last_value
      FROM readings_hourly
     WHERE datastream_id = :datastream_id AND bucket >= :start AND bucket < :end
  ORDER BY bucket
     LIMIT :limit
""")
# Local days are put together from hours: a day of the aggregate is one of UTC.
_DAYS = sa.text("""
    SELECT date_trunc('day', bucket, :timezone) AS day, sum(samples)::bigint,
           sum(total) / sum(samples), min(low), max(high), sum(total),
           (array_agg(last_value ORDER BY bucket DESC))[1]
      FROM readings_hourly
     WHERE datastream_id = :datastream_id AND bucket >= :start AND bucket < :end
  GROUP BY day
  ORDER BY day
     LIMIT :limit
""")


def raw(
    connection: sa.Connection,
    datastream_id: int,
    *,
    start: dt.datetime,
    end: dt.datetime,
    limit: int,
) -> list[Sample]:
    """Readings of [start, end) as stored, flagged ones too, at most ``limit``."""
    parameters = {"datastream_id": datastream_id, "start": start, "end": end, "limit": limit}
    return [Sample(*row) for row in connection.execute(_RAW, parameters)]


def hourly(
    connection: sa.Connection,
    datastream_id: int,
    *,
    start: dt.datetime,
    end: dt.datetime,
    limit: int,
) -> list[Bucket]:
    """Hours of [start, end) that have a usable reading."""
    parameters = {"datastream_id": datastream_id, "start": start, "end": end, "limit": limit}
    return [Bucket(*row) for row in connection.execute(_HOURS, parameters)]


def daily(
    connection: sa.Connection,
    datastream_id: int,
    *,
    start: dt.datetime,
    end: dt.datetime,
    timezone: str,
    limit: int,
) -> list[Bucket]:
    """Local days of [start, end) that have a usable reading."""
    parameters: dict[str, Any] = {"datastream_id": datastream_id, "start": start, "end": end}
    parameters |= {"timezone": timezone, "limit": limit}
    return [Bucket(*row) for row in connection.execute(_DAYS, parameters)]


class Span(NamedTuple):
    """A stretch of time, [start, end)."""

    start: dt.datetime
    end: dt.datetime


# LATERAL asks the index once for each datastream, and leaves out chunks that its span excludes.
_SERIES = """
    SELECT span.id, reading.time, reading.value
      FROM unnest(%(ids)s::integer[], %(starts)s::timestamptz[], %(ends)s::timestamptz[])
           AS span (id, start, finish)
CROSS JOIN LATERAL (SELECT time, value FROM readings
                     WHERE datastream_id = span.id AND quality < 16
                       AND time >= span.start AND time < span.finish) AS reading
  ORDER BY span.id, reading.time
"""
_SERIES_DTYPE = np.dtype([("id", np.int32), ("time", np.int64), ("value", np.float64)])

_HOUR_SERIES = """
    SELECT span.id, hour.bucket, (hour.total / hour.samples)::double precision, hour.low,
           hour.high, hour.total
      FROM unnest(%(ids)s::integer[], %(starts)s::timestamptz[], %(ends)s::timestamptz[])
           AS span (id, start, finish)
CROSS JOIN LATERAL (SELECT bucket, total, samples, low, high FROM readings_hourly
                     WHERE datastream_id = span.id
                       AND bucket >= span.start AND bucket < span.finish) AS hour
  ORDER BY span.id, hour.bucket
"""
# The same hours of a short span, from its readings: a view that aggregates a whole datastream
# first, as there is on plain PostgreSQL, would cost more with every day of its past.
_RECENT_HOURS = """
    SELECT span.id, hour.bucket, hour.mean, hour.low, hour.high, hour.total
      FROM unnest(%(ids)s::integer[], %(starts)s::timestamptz[], %(ends)s::timestamptz[])
           AS span (id, start, finish)
CROSS JOIN LATERAL (SELECT date_trunc('hour', time, 'UTC') AS bucket,
                           sum(value) / count(*) AS mean, min(value) AS low,
                           max(value) AS high, sum(value) AS total
                      FROM readings
                     WHERE datastream_id = span.id AND quality < 16 AND time >= span.start
                       AND time < date_trunc('hour', span.finish - interval '1 microsecond', 'UTC')
                                  + interval '1 hour'
                  GROUP BY 1) AS hour
     WHERE hour.bucket >= span.start
  ORDER BY span.id, hour.bucket
"""
SHORT = dt.timedelta(days=7)
_HOUR_DTYPE = np.dtype(
    [("id", np.int32), ("time", np.int64)]
    + [(name, np.float64) for name in ("mean", "low", "high", "total")]
)


def series(connection: sa.Connection, spans: Mapping[int, Span]) -> dict[int, tuple[Array, Array]]:
    """Usable readings of datastreams, each of its span: times [µs since 1970] and values."""
    parts = _parts_of(connection, _SERIES, _SERIES_DTYPE, spans)
    return {one: (part["time"], part["value"]) for one, part in parts.items()}


def hours(connection: sa.Connection, spans: Mapping[int, Span]) -> dict[int, Array]:
    """Hours of datastreams that have a usable reading, each of its span, as structured arrays.

    Members: ``time``, when the hour begins [µs since 1970]; ``mean``, ``low``, ``high`` and
    ``total`` of its readings.
    """
    short = {one: span for one, span in spans.items() if span.end - span.start <= SHORT}
    long = {one: span for one, span in spans.items() if one not in short}
    return _parts_of(connection, _RECENT_HOURS, _HOUR_DTYPE, short) | _parts_of(
        connection, _HOUR_SERIES, _HOUR_DTYPE, long
    )


def _parts_of(
    connection: sa.Connection, statement: str, dtype: np.dtype[Any], spans: Mapping[int, Span]
) -> dict[int, Array]:
    if not spans:
        return {}
    ids = sorted(spans)
    parameters = {
        "ids": ids,
        "starts": [spans[one].start for one in ids],
        "ends": [spans[one].end for one in ids],
    }
    table = copying.copy_out(connection, statement, parameters, dtype)
    table["time"] = copying.since_1970(table["time"])
    return _by_id(table, ids)


def _by_id(table: Array, ids: list[int]) -> dict[int, Array]:
    edges = np.searchsorted(table["id"], [ids, [one + 1 for one in ids]])
    return {one: table[a:b] for one, (a, b) in zip(ids, edges.T, strict=True)}
