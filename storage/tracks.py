"""Track points: the wide hypertable that machines and drones write to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import psycopg
import sqlalchemy as sa

from storage import copying, tables

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
_COLUMNS = ("time", "device_id", "work_state", *NUMBERS, "quality", "received_at")


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
    connection: sa.Connection, devices: Sequence[str], rows: np.ndarray[Any, Any]
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Store each point once; return which rows were new. Not committed here."""
    order = np.lexsort((rows["time"], rows["device"]))
    starts = np.ones(len(rows), bool)
    starts[1:] = np.diff(rows["time"][order]) != 0
    starts[1:] |= np.diff(rows["device"][order]) != 0
    first = np.zeros(len(rows), bool)
    first[order[starts]] = True
    try:
        with connection.begin_nested():
            _copy(connection, "track_points", devices, rows[first])
        new_of_first = np.ones(int(first.sum()), bool)
    except psycopg.errors.UniqueViolation:
        new_of_first = _store_some_known(connection, devices, rows[first])
    if not first.all():
        _stage(connection, devices, rows[~first])
        connection.execute(_CONFLICTS)
    new = np.zeros(len(rows), bool)
    new[np.flatnonzero(first)[new_of_first]] = True
    return new


def _copy(
    connection: sa.Connection, table: str, devices: Sequence[str], rows: np.ndarray[Any, Any]
) -> None:
    copying.copy_in(connection, table, _COLUMNS, _parts(devices, rows))


def _parts(devices: Sequence[str], rows: np.ndarray[Any, Any]) -> list[bytes]:
    """Rows of one device with the same columns unknown have one layout: a part for each."""
    unknown = np.stack([np.isnan(rows[name]) for name in NUMBERS] + [rows["work_state"] < 0])
    weights = 1 << np.arange(len(unknown), dtype=np.int64)
    layout = rows["device"].astype(np.int64) << len(unknown) | weights @ unknown
    parts = []
    for one in np.unique(layout):
        chosen = rows[layout == one]
        missing = unknown[:, layout == one][:, 0]
        numbers = [
            None if gone else chosen[name] for name, gone in zip(NUMBERS, missing, strict=False)
        ]
        state = None if missing[-1] else chosen["work_state"]
        device = devices[int(chosen["device"][0])].encode()
        columns: list[copying.Column] = [copying.times(chosen["time"]), device, state, *numbers]
        columns += [chosen["quality"], copying.times(chosen["received_at"])]
        parts.append(copying.records(columns, len(chosen)))
    return parts


_STAGE = sa.text("""
    CREATE TEMPORARY TABLE IF NOT EXISTS staged_points
        (LIKE track_points) ON COMMIT DELETE ROWS
""")
_EMPTY_STAGE = sa.text("TRUNCATE staged_points")
_INSERT_STAGED = sa.text("""
    INSERT INTO track_points SELECT * FROM staged_points
    ON CONFLICT DO NOTHING
    RETURNING (extract(epoch FROM time) * 1000000)::bigint, device_id
""")
_CONFLICTS = sa.text("""
    INSERT INTO track_conflicts (time, device_id, point, received_at)
    SELECT staged.time, staged.device_id, to_jsonb(staged) - 'received_at', staged.received_at
      FROM staged_points AS staged
CROSS JOIN LATERAL (SELECT * FROM track_points
                     WHERE device_id = staged.device_id AND time = staged.time
                     LIMIT 1) AS known
     WHERE to_jsonb(known) - 'received_at' <> to_jsonb(staged) - 'received_at'
    ON CONFLICT DO NOTHING
""")


def _stage(connection: sa.Connection, devices: Sequence[str], rows: np.ndarray[Any, Any]) -> None:
    connection.execute(_STAGE)
    connection.execute(_EMPTY_STAGE)
    _copy(connection, "staged_points", devices, rows)


def _store_some_known(
    connection: sa.Connection, devices: Sequence[str], rows: np.ndarray[Any, Any]
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    _stage(connection, devices, rows)
    keys = {(time, device) for time, device in connection.execute(_INSERT_STAGED)}
    connection.execute(_CONFLICTS)
    pairs = zip(rows["time"].tolist(), rows["device"].tolist(), strict=True)
    return np.fromiter(((time, devices[place]) in keys for time, place in pairs), bool, len(rows))


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
) -> np.ndarray[Any, Any]:
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
                 WHERE device_id = :device_id AND time < :end AND time >=
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
