"""Many readings and points, part by part as arrays.

Parts are questions of their own: they are of one state where the transaction is REPEATABLE READ.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa

from storage.arrays import fetch
from storage.tracks import NUMBERS

Array = np.ndarray[Any, Any]

ROWS = 50_000  # of a part
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

_READINGS = """
    SELECT array_agg(time), array_agg(value), array_agg(quality)
      FROM (SELECT time, value, quality FROM readings
             WHERE datastream_id = %(id)s AND time >= %(start)s AND time < %(end)s
          ORDER BY time LIMIT %(count)s) AS part
"""
_NUMBERS = ", ".join(f"array_agg({name})" for name in NUMBERS)
_KNOWN = ", ".join(f"coalesce({name}, 'NaN'::float8) AS {name}" for name in NUMBERS)
_POINTS = f"""
    SELECT array_agg(time), {_NUMBERS}, array_agg(work_state)
      FROM (SELECT time, {_KNOWN}, coalesce(work_state, -1::smallint) AS work_state
              FROM track_points
             WHERE device_id = %(id)s AND time >= %(start)s AND time < %(end)s
          ORDER BY time LIMIT %(count)s) AS part
"""  # noqa: S608 - names of columns of ours
POINT_COLUMNS = ("time", *NUMBERS, "work_state")


def readings(
    connection: sa.Connection, datastream_id: int, *, start: dt.datetime, end: dt.datetime
) -> Iterator[Sequence[Array]]:
    """Readings of [start, end) as stored, in order: times [µs since 1970], values, qualities."""
    return _parts(connection, _READINGS, datastream_id, start, end)


def points(
    connection: sa.Connection, device_id: str, *, start: dt.datetime, end: dt.datetime
) -> Iterator[Sequence[Array]]:
    """Points of [start, end) in order, in the columns of :data:`POINT_COLUMNS`.

    Unknown numbers are NaN, an unknown work state is -1.
    """
    return _parts(connection, _POINTS, device_id, start, end)


def _parts(
    connection: sa.Connection, statement: str, of: object, start: dt.datetime, end: dt.datetime
) -> Iterator[Sequence[Array]]:
    while True:
        part = fetch(connection, statement, {"id": of, "start": start, "end": end, "count": ROWS})
        if len(part[0]):
            yield part
        if len(part[0]) < ROWS:
            return
        start = _EPOCH + dt.timedelta(microseconds=int(part[0][-1]) + 1)


_MORE_READINGS = sa.text("""
    SELECT EXISTS (SELECT FROM readings
                    WHERE datastream_id = :id AND time >= :start AND time < :end
                   OFFSET :most LIMIT 1)
""")
_MORE_POINTS = sa.text("""
    SELECT EXISTS (SELECT FROM track_points
                    WHERE device_id = :id AND time >= :start AND time < :end
                   OFFSET :most LIMIT 1)
""")


def has_more_readings(
    connection: sa.Connection,
    datastream_id: int,
    most: int,
    *,
    start: dt.datetime,
    end: dt.datetime,
) -> bool:
    """Tell whether a datastream has more readings than so many in [start, end)."""
    asked = {"id": datastream_id, "most": most, "start": start, "end": end}
    return bool(connection.scalar(_MORE_READINGS, asked))


def has_more_points(
    connection: sa.Connection, device_id: str, most: int, *, start: dt.datetime, end: dt.datetime
) -> bool:
    """Tell whether a device has more points than so many in [start, end)."""
    asked = {"id": device_id, "most": most, "start": start, "end": end}
    return bool(connection.scalar(_MORE_POINTS, asked))
