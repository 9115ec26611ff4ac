"""Stored rows by the batches that they carry, to be held against what was sealed of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa

from evidence import rows as evidence
from storage import arrays
from storage.batches import Kind

Array = np.ndarray[Any, Any]

KEYS = {"readings": "datastream_id", "track_points": "device_id"}
STRETCH = dt.timedelta(days=7)  # that is swept at a time


class Series(NamedTuple):
    """Datastreams, or devices, and the names that their rows are hashed under."""

    kind: Kind
    ids: Array  # in order: numbers, or text
    names: Array  # of evidence.rows.NAME
    labels: Sequence[str]  # as people call them


_STREAMS = sa.text("""
    SELECT stream.id, device_id, quantity, depth_cm, channel
      FROM datastreams AS stream JOIN devices AS device ON device.id = device_id
     WHERE (:anybodys OR farm_id IS NOT DISTINCT FROM :farm)
  ORDER BY stream.id
""")
_DEVICES = sa.text("""
    SELECT id FROM devices WHERE (:anybodys OR farm_id IS NOT DISTINCT FROM :farm) ORDER BY id
""")


def series(
    connection: sa.Connection, kind: Kind, farm_id: int | None, *, anybodys: bool = False
) -> Series:
    """Those of a farm; of devices that have none; or all."""
    asked = {"farm": farm_id, "anybodys": anybodys}
    if kind == "readings":
        found = connection.execute(_STREAMS, asked).all()
        names = [evidence.name_of_stream(*row[1:]) for row in found]
        labels = [_label(*row[1:]) for row in found]
        return Series(kind, np.array([row[0] for row in found], np.int32), _named(names), labels)
    devices = sorted(connection.scalars(_DEVICES, asked))
    names = [evidence.name_of_device(one) for one in devices]
    return Series(kind, np.array(devices, object), _named(names), devices)


def _label(device: str, quantity: str, depth_cm: float | None, channel: int | None) -> str:
    depth = "" if depth_cm is None else f"/{depth_cm:g}"
    return f"{device} {quantity}{depth}" + ("" if channel is None else f":{channel}")


def _named(names: Sequence[bytes]) -> Array:
    return np.array(names, evidence.NAME)


# OFFSET 0 keeps the planner at one look into the index for each series: of a chunk that holds a few
# hundred rows it would read all, and there is one for each few days.
_READINGS = """
    SELECT array_agg(row.batch_id), array_agg(row.datastream_id), array_agg(row.time),
           array_agg(row.value), array_agg(row.quality), array_agg(row.received_at)
      FROM unnest(%(ids)s) AS series (id)
CROSS JOIN LATERAL (SELECT batch_id, datastream_id, time, value, quality, received_at
                      FROM readings
                     WHERE datastream_id = series.id AND time BETWEEN %(first)s AND %(last)s
                           AND batch_id = ANY(%(batches)s)
                    OFFSET 0) AS row
"""
_UNKNOWN = {name: f"coalesce(row.{name}, 'NaN'::float8)" for name in evidence.NUMBERS}
_POINTS = f"""
    SELECT array_agg(row.batch_id), array_agg(device.place), array_agg(row.time),
           array_agg(coalesce(row.work_state, -1::smallint)),
           {", ".join(f"array_agg({one})" for one in _UNKNOWN.values())},
           array_agg(row.quality), array_agg(row.received_at)
      FROM unnest(%(ids)s::text[]) WITH ORDINALITY AS device (id, place)
CROSS JOIN LATERAL (SELECT * FROM track_points
                     WHERE device_id = device.id AND time BETWEEN %(first)s AND %(last)s
                           AND batch_id = ANY(%(batches)s)
                    OFFSET 0) AS row
"""  # noqa: S608 - names of the columns


def rows(
    connection: sa.Connection,
    of: Series,
    batches: Array,
    first_at: dt.datetime,
    last_at: dt.datetime,
) -> tuple[Array, Array]:
    """The batch of each row, and the rows as they are hashed; from a time to another, both in."""
    asked = {"first": first_at, "last": last_at, "batches": batches}
    if of.kind == "readings":
        asked["ids"] = of.ids
        ids, streams, *columns = arrays.fetch(connection, _READINGS, asked)
        found = _together(("time", "value", "quality", "received_at"), columns)
        return ids, evidence.of_readings(of.names[np.searchsorted(of.ids, streams)], found)
    asked["ids"] = of.ids.tolist()
    ids, places, *columns = arrays.fetch(connection, _POINTS, asked)
    fields = ("time", "work_state", *evidence.NUMBERS, "quality", "received_at")
    return ids, evidence.of_points(of.names[places - 1], _together(fields, columns))


def _together(fields: Sequence[str], columns: Sequence[Array]) -> Array:
    made = np.empty(
        len(columns[0]),
        [(name, one.dtype) for name, one in zip(fields, columns, strict=True)],
    )
    for name, one in zip(fields, columns, strict=True):
        made[name] = one
    return made


# --- what there is at all -------------------------------------------------------------------------


class Held(NamedTuple):
    """Rows of some series in a stretch of time, by batch."""

    batches: Array  # 0: those that carry none
    first_us: Array
    last_us: Array
    counts: Array
    arrived_us: Array  # the newest


_FIRST_READING = sa.text("""
    SELECT min(found.time) FROM unnest(CAST(:ids AS int[])) AS series (id)
CROSS JOIN LATERAL (SELECT time FROM readings
                     WHERE datastream_id = series.id AND time BETWEEN :at AND :last
                  ORDER BY time LIMIT 1) AS found
""")
_FIRST_POINT = sa.text("""
    SELECT min(found.time) FROM unnest(CAST(:ids AS text[])) AS series (id)
CROSS JOIN LATERAL (SELECT time FROM track_points
                     WHERE device_id = series.id AND time BETWEEN :at AND :last
                  ORDER BY time LIMIT 1) AS found
""")
# The database knows times that Python has no word for, and whoever puts a row there may mean it.
_CALENDAR = (dt.datetime(2, 1, 1, tzinfo=dt.UTC), dt.datetime(9999, 1, 1, tzinfo=dt.UTC))
_BEYOND = (("-infinity", "0001-12-31 23:59:59.999999Z"), ("9999-01-01Z", "infinity"))
_BEGINS = {"readings": _FIRST_READING, "track_points": _FIRST_POINT}


def swept(connection: sa.Connection, of: Series) -> Iterator[Held]:
    """All rows of the series, a stretch of time after the other."""
    if not len(of.ids):
        return
    key, ids = KEYS[of.kind], of.ids.tolist()
    of_type = "int" if of.kind == "readings" else "text"
    statement = f"""
        SELECT array_agg(batch), array_agg(first), array_agg(last), array_agg(held),
               array_agg(arrived)
          FROM (SELECT coalesce(batch_id, 0) AS batch, min(time) AS first, max(time) AS last,
                       count(*) AS held, max(received_at) AS arrived
                  FROM unnest(CAST(%(ids)s AS {of_type}[])) AS series (id)
            CROSS JOIN LATERAL (SELECT batch_id, time, received_at FROM {of.kind}
                                 WHERE {key} = series.id
                                       AND time BETWEEN %(start)s AND %(end)s
                                OFFSET 0) AS row
              GROUP BY 1) AS grouped
    """  # noqa: S608 - names of this module
    for start, end in _BEYOND:
        asked = {"ids": ids, "start": start, "end": end}
        yield Held(*arrays.fetch(connection, statement, asked))
    first, last = _CALENDAR
    while (at := _first(connection, of, first, last)) is not None:
        first = min(at + STRETCH, last)
        asked = {"ids": ids, "start": at, "end": first - dt.timedelta(microseconds=1)}
        yield Held(*arrays.fetch(connection, statement, asked))


def _first(
    connection: sa.Connection, of: Series, start: dt.datetime, last: dt.datetime
) -> dt.datetime | None:
    asked = {"ids": of.ids.tolist(), "at": start, "last": last - dt.timedelta(microseconds=1)}
    found: dt.datetime | None = connection.scalar(_BEGINS[of.kind], asked)
    return found


_WAITING = sa.text("""
    SELECT id FROM pending_batches
     WHERE kind = :kind AND farm_ids && CAST(:farms AS bigint[]) ORDER BY id
""")


def waiting(connection: sa.Connection, kind: Kind, farm_ids: Sequence[int]) -> Array:
    """Batches of farms (0: of none) that wait to be sealed."""
    found = connection.scalars(_WAITING, {"kind": kind, "farms": list(farm_ids)})
    return np.array(found.all(), np.int64)
