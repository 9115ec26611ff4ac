"""Track points: the wide hypertable that machines and drones write to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa

from storage import arrival, batches, copying, once, tables

Array = np.ndarray[Any, Any]

NUMBERS = ("latitude_deg", "longitude_deg", *tables.TRACK_NUMBERS)

DTYPE = np.dtype(
    [
        ("device", np.int32),  # place of the device's id in the list that goes along
        ("time", np.int64),  # [µs since 1970, UTC]
        ("received_at", np.int64),
        ("quality", np.int16),
        ("work_state", np.int16),  # -1: unknown
        *((name, np.float64) for name in NUMBERS),  # NaN: unknown
    ]
)
COLUMNS = ("time", "device_id", "work_state", *NUMBERS, "quality", "received_at", "batch_id")


class TrackPoint(NamedTuple):
    """A stored point."""

    time: dt.datetime
    latitude_deg: float
    longitude_deg: float
    elevation_m: float | None
    speed_m_s: float | None
    heading_deg: float | None
    work_state: int | None
    width_m: float | None
    mass_flow_kg_s: float | None
    crop_moisture_pct: float | None
    application_rate_l_ha: float | None
    fuel_rate_l_h: float | None
    animals_seen: float | None


def store(
    connection: sa.Connection, devices: Sequence[str], rows: Array
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Store each point once; return which rows were new. Not committed here.

    Of equal keys the first stays; a point that differs in anything but the time it was received
    goes to the conflicts. What is new is hashed, as a batch of its own (storage.batches).
    """
    ranks = np.argsort(np.argsort(devices))  # one order for all writers, whatever their lists
    order, first = once.in_order(ranks[rows["device"]], rows["time"])
    rows = np.take(rows, order)
    rows["received_at"] = arrival.rounded(rows["received_at"])
    candidates = rows if first.all() else rows[first]
    batch = batches.of_points(connection, devices, candidates["device"])
    known = once.copy_missing(
        connection,
        "track_points",
        # Few machines, many points of each: asking for all of them costs little.
        lambda *, anew: np.full(len(candidates), anew),
        _KNOWN,
        lambda _: _stored_of(connection, devices, candidates),
        lambda missing: _copy(
            connection, "track_points", devices, candidates[missing], batch.ids[missing]
        ),
    )
    missing = np.ones(len(candidates), bool)
    missing[known["place"]] = False
    batches.add(connection, batch, candidates, missing)
    new = np.zeros(len(rows), bool)
    new[order[first]] = missing
    if not new.all():
        kept = candidates.copy()  # what the table holds of each key
        for name in _COMPARED:
            kept[name][known["place"]] = known[name]
        kept = kept[np.cumsum(first) - 1]
        differs = np.any([once.differ(rows[name], kept[name]) for name in _COMPARED], axis=0)
        if differs.any():
            _keep_conflicts(connection, devices, rows[differs])
    return new


def _copy(
    connection: sa.Connection, table: str, devices: Sequence[str], rows: Array, batch_ids: Array
) -> None:
    copying.copy_in(connection, table, COLUMNS, packed(devices, rows, batch_ids))


def packed(devices: Sequence[str], rows: Array, batch_ids: Array) -> Iterator[bytes]:
    """Points as a binary COPY of :data:`COLUMNS` takes them, in parts of one layout.

    Rows with the same columns unknown and ids of one length have one layout; all are in a batch, or
    none is (0).
    """
    unknown = np.stack([np.isnan(rows[name]) for name in NUMBERS] + [rows["work_state"] < 0])
    names = [name.encode() for name in devices]
    lengths = np.array([len(name) for name in names], np.int64)[rows["device"]]
    layout = lengths << len(unknown) | (1 << np.arange(len(unknown))) @ unknown
    for one in np.unique(layout):
        places = np.flatnonzero(layout == one)
        chosen, missing = np.take(rows, places), unknown[:, places[0]]
        ids = np.array(names, f"S{lengths[places[0]]}")[chosen["device"]]
        numbers = [
            None if gone else chosen[name] for name, gone in zip(NUMBERS, missing, strict=False)
        ]
        state = None if missing[-1] else chosen["work_state"]
        columns: list[copying.Column] = [copying.times(chosen["time"]), ids, state, *numbers]
        columns += [chosen["quality"], copying.times(chosen["received_at"])]
        columns.append(batch_ids[places] if batch_ids.any() else None)
        yield from copying.pieces(columns, len(chosen))


_COMPARED = ("work_state", *NUMBERS, "quality")
_KNOWN = np.dtype([("place", np.intp), *((name, DTYPE[name]) for name in _COMPARED)])
_ABSENT = {"work_state": "-1::smallint", **dict.fromkeys(NUMBERS, "'NaN'::float8")}
# See storage.readings: one look into the index for each range, and only in chunks of the batch.
_STORED_OF = f"""
    SELECT array_agg(span.place), array_agg(known.time),
           {", ".join(f"array_agg({name})" for name in _COMPARED)}
      FROM unnest(%(places)s, %(ids)s::text[], %(starts)s, %(ends)s)
           AS span (place, id, first, last)
CROSS JOIN LATERAL (
    SELECT time, quality,
           {", ".join(f"coalesce({name}, {value}) AS {name}" for name, value in _ABSENT.items())}
      FROM track_points
     WHERE device_id = span.id AND time BETWEEN span.first AND span.last
       AND time BETWEEN to_timestamp(%(earliest_s)s) AND to_timestamp(%(latest_s)s)
    OFFSET 0) AS known
"""  # noqa: S608 - names of this module's columns


def _stored_of(connection: sa.Connection, devices: Sequence[str], rows: Array) -> Array:
    """Which of the points, that stand in order, are stored, and as what."""
    stretches = once.ranges(rows["device"], rows["time"])
    places = rows["device"][stretches.starts]
    parameters = {"places": places, "ids": [devices[place] for place in places]}
    parameters |= once.bounds(rows["time"], stretches)
    places, times, *columns = once.of_ranges(connection, _STORED_OF, parameters)
    asked, found = once.matched((rows["device"], rows["time"]), (places, times))
    known = np.empty(len(asked), _KNOWN)
    known["place"] = asked
    for name, column in zip(_COMPARED, columns, strict=True):
        known[name] = column[found]
    return known


_STAGE = sa.text("""
    CREATE TEMPORARY TABLE IF NOT EXISTS staged_points
        (LIKE track_points) ON COMMIT DELETE ROWS
""")
_EMPTY_STAGE = sa.text("TRUNCATE staged_points")
_CONFLICTS = sa.text("""
    INSERT INTO track_conflicts (time, device_id, point, received_at)
    SELECT time, device_id, to_jsonb(staged) - 'received_at' - 'batch_id', received_at
      FROM staged_points AS staged
    ON CONFLICT DO NOTHING
""")


def _keep_conflicts(connection: sa.Connection, devices: Sequence[str], rows: Array) -> None:
    """Through a stage: the server makes JSON of the rows as it would of stored ones."""
    connection.execute(_STAGE)
    connection.execute(_EMPTY_STAGE)
    _copy(connection, "staged_points", devices, rows, np.zeros(len(rows), np.int64))
    connection.execute(_CONFLICTS)


def of_device(
    connection: sa.Connection,
    device_id: str,
    *,
    start: dt.datetime,
    end: dt.datetime,
    limit: int,
) -> list[TrackPoint]:
    """Points of a device in [start, end), in order, at most ``limit``."""
    table = tables.track_points
    query = (
        sa.select(*(table.c[name] for name in TrackPoint._fields))
        .where(table.c.device_id == device_id, table.c.time >= start, table.c.time < end)
        .order_by(table.c.time)
        .limit(limit)
    )
    return [TrackPoint(*row) for row in connection.execute(query)]


_STORED = ("time", "received_at", "quality", "work_state", *NUMBERS)
_ARRAYS = np.dtype([(name, DTYPE[name]) for name in _STORED])


def arrays(
    connection: sa.Connection, device_id: str, start: dt.datetime, end: dt.datetime
) -> Array:
    """Points of a device in [start, end) as one structured array, in order of time.

    Fields are those of :data:`DTYPE` without the device; unknown numbers are NaN, an unknown work
    state is -1.
    """
    table = tables.track_points
    microseconds = {
        name: sa.cast(sa.extract("epoch", table.c[name]) * 1_000_000, sa.BigInteger).label(name)
        for name in ("time", "received_at")
    }
    columns = [
        sa.func.coalesce(table.c.work_state, -1).label("work_state")
        if name == "work_state"
        else microseconds.get(name, table.c[name])
        for name in _STORED
    ]
    query = (
        sa.select(*columns)
        .where(table.c.device_id == device_id, table.c.time >= start, table.c.time < end)
        .order_by(table.c.time)
    )
    rows = connection.execute(query).all()
    found = np.empty(len(rows), _ARRAYS)
    for name, values in zip(_STORED, zip(*rows, strict=True), strict=bool(rows)):
        found[name] = np.array(values, dtype=float) if name in NUMBERS else values
    return found


# Jumps from midnight to midnight along the index: a season of tracks costs as much as it has days.
_DAYS = sa.text("""
    WITH RECURSIVE found (first) AS (
        SELECT min(time) FROM track_points
         WHERE device_id = :device_id AND time >= :start AND time < :end
     UNION ALL
        SELECT (SELECT min(time) FROM track_points
                 WHERE device_id = :device_id AND time >= :start AND time < :end AND time >=
                       CAST(CAST(first AT TIME ZONE :timezone AS date) + 1 AS timestamp)
                       AT TIME ZONE :timezone)
          FROM found WHERE first IS NOT NULL)
    SELECT CAST(first AT TIME ZONE :timezone AS date) FROM found WHERE first IS NOT NULL
""")


def days_with_points(
    connection: sa.Connection,
    device_id: str,
    *,
    start: dt.datetime,
    end: dt.datetime,
    timezone: str,
) -> list[dt.date]:
    """Local days on which a device has points in [start, end), in order."""
    parameters = {"device_id": device_id, "start": start, "end": end, "timezone": timezone}
    return list(connection.scalars(_DAYS, parameters))
