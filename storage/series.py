"""Reading readings: as they are, by hour, by day, as arrays for what computes with them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import sqlalchemy as sa

from storage import arrays, copying

Array = np.ndarray[Any, Any]

# As _SERIES below, but the newest few of each; chunks before ``since`` are left out. A spike is
# known for one by its neighbours, and is a neighbour itself: 32 is Quality.SPIKE.
_NEWEST = """
    SELECT array_agg(stream.id), array_agg(newest.time), array_agg(newest.value)
      FROM unnest(%(ids)s, %(since)s) AS stream (id, since)
CROSS JOIN LATERAL (SELECT time, value FROM readings
                     WHERE datastream_id = stream.id AND quality & ~32 < 16
                       AND time >= stream.since AND time >= %(first)s::timestamptz
                  ORDER BY time DESC LIMIT %(count)s) AS newest
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
    since_us = np.array([round(since[one].timestamp() * 1e6) for one in ids])
    parameters = {"ids": np.array(ids, np.int32), "since": arrays.times(since_us)}
    found, times, values = arrays.fetch(
        connection, _NEWEST, parameters | {"first": min(since.values()), "count": count}
    )
    order = np.lexsort((times, found))
    edges = np.searchsorted(found[order], [ids, [one + 1 for one in ids]]).T.tolist()
    parts = (order[start:end] for start, end in edges)
    return {one: (times[part], values[part]) for one, part in zip(ids, parts, strict=True)}


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
      FROM readings_by_hour(:datastream_id, :start, :end)
  ORDER BY bucket
     LIMIT :limit
""")
# Days of the zone that the database keeps days of, and days of any zone, made of hours.
_STORED_DAYS = sa.text("""
    SELECT bucket, samples, total / samples, low, high, total, last_value
      FROM readings_by_stored_day(:datastream_id, :start, :end)
  ORDER BY bucket
     LIMIT :limit
""")
_DAYS = sa.text("""
    SELECT bucket, samples, total / samples, low, high, total, last_value
      FROM readings_by_day(:datastream_id, :start, :end, :timezone)
  ORDER BY bucket
     LIMIT :limit
""")
_DAY_ZONE = sa.text("SELECT readings_day_zone()")
_FEW_HOURS = dt.timedelta(days=92)  # are put together faster than it takes to look for days


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
    stored = end - start > _FEW_HOURS and are_days_of(
        str(connection.scalar(_DAY_ZONE)), timezone, start, end
    )
    query = _STORED_DAYS if stored else _DAYS
    return [Bucket(*row) for row in connection.execute(query, parameters)]


def are_days_of(stored: str, asked: str, start: dt.datetime, end: dt.datetime) -> bool:
    """Tell whether the days of two time zones are the same, all through whole days of [start, end).

    Kazakhstan has one time since March 2024, and had two before.
    """
    one, other = ZoneInfo(stored), ZoneInfo(asked)
    midnight = dt.time()
    if any(edge.astimezone(other).time() != midnight for edge in (start, end)):
        return False
    if stored == asked:
        return True
    noons = (start + dt.timedelta(hours=12 + 24 * day) for day in range((end - start).days + 1))
    return all(
        moment.astimezone(one).utcoffset() == moment.astimezone(other).utcoffset()
        for moment in (start, *noons, end)
    )


class Span(NamedTuple):
    """A stretch of time, [start, end)."""

    start: dt.datetime
    end: dt.datetime


# LATERAL and OFFSET 0 ask the index once for each datastream: left free, the planner may read all
# readings, or all hours that are stored. The outer bounds are written out, and so leave out the
# chunks that no span touches before they are planned for.
_SERIES = """
    SELECT span.id, reading.time, reading.value
      FROM unnest(%(ids)s::integer[], %(starts)s::timestamptz[], %(ends)s::timestamptz[])
           AS span (id, start, finish)
CROSS JOIN LATERAL (SELECT time, value FROM readings
                     WHERE datastream_id = span.id AND quality < 16
                       AND time >= span.start AND time < span.finish
                       AND time >= %(first)s::timestamptz AND time < %(last)s::timestamptz
                    OFFSET 0) AS reading
  ORDER BY span.id, reading.time
"""
_SERIES_DTYPE = np.dtype([("id", np.int32), ("time", np.int64), ("value", np.float64)])

_HOUR_SERIES = """
    SELECT span.id, hour.bucket, (hour.total / hour.samples)::double precision, hour.low,
           hour.high, hour.total
      FROM unnest(%(ids)s::integer[], %(starts)s::timestamptz[], %(ends)s::timestamptz[])
           AS span (id, start, finish)
CROSS JOIN LATERAL (SELECT bucket, total, samples, low, high
                      FROM readings_by_hour(span.id, span.start, span.finish)
                     WHERE bucket >= %(first)s::timestamptz AND bucket < %(last)s::timestamptz
                    OFFSET 0) AS hour
  ORDER BY span.id, hour.bucket
"""
# The same hours of a short span, from its readings: what came in this minute counts, also where
# the stored hours do not know of it yet.
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
                       AND time >= %(first)s::timestamptz
                       AND time < %(last)s::timestamptz + interval '1 hour'
                  GROUP BY 1
                    OFFSET 0) AS hour
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
    parameters: dict[str, Any] = {
        "ids": ids,
        "starts": [spans[one].start for one in ids],
        "ends": [spans[one].end for one in ids],
    }
    parameters |= {"first": min(parameters["starts"]), "last": max(parameters["ends"])}
    table = copying.copy_out(connection, statement, parameters, dtype)
    table["time"] = copying.since_1970(table["time"])
    return _by_id(table, ids)


def _by_id(table: Array, ids: list[int]) -> dict[int, Array]:
    edges = np.searchsorted(table["id"], [ids, [one + 1 for one in ids]])
    return {one: table[a:b] for one, (a, b) in zip(ids, edges.T.tolist(), strict=True)}
