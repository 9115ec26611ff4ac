"""Every row that figures of some farms rest on, as it stood at a time.

What was entered and withdrawn later had not been withdrawn then. What is changed in place, a
field's area or a crop zone's method, is as it is now: no earlier version is kept.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from storage import copying, tables, tenancy
from storage.arrival import MINUTE_US
from storage.placements import ALWAYS
from storage.tracks import NUMBERS

Array = np.ndarray[Any, Any]
Row = tuple[Any, ...]
_EPOCH = dt.datetime.fromtimestamp(0, dt.UTC)

# In an order in which they can be put: a row refers to rows of tables before its own.
ENTERED = (
    "regions",
    "farms",
    "fields",
    "field_boundaries",
    "crop_zones",
    "devices",
    "datastreams",
    "device_placements",
    "datastream_calibrations",
    "irrigation_events",
    "harvest_loads",
    "baseline_seasons",
    "non_routine_adjustments",
    "water_supplies",
    "investments",
)
COMPUTED = ("season_results", "balance_days", "machine_results")
ROWS_TOGETHER = 65_536
ARRIVAL = dt.timedelta(microseconds=MINUTE_US)  # rows say the end of the minute they arrived in


class Scope(NamedTuple):
    """Whose rows, of which season, as they stood when."""

    farm_ids: Sequence[int]
    season: int
    as_of: dt.datetime
    start: dt.datetime  # of what was measured
    end: dt.datetime


def columns(name: str) -> list[sa.Column[Any]]:
    """Columns of a table as they are told; who entered something is part of it."""
    left_out = {"worked_at"} if name == "field_boundaries" else set()
    return [one for one in tables.metadata.tables[name].columns if one.name not in left_out]


def rows(connection: sa.Connection, name: str, scope: Scope) -> Iterator[Sequence[Row]]:
    """Rows of a table as they stood, some thousands at a time, in the columns of ``columns``.

    Documents come as the text that the database has of them.
    """
    table = tables.metadata.tables[name]
    asked = [_as_it_stood(one, name, scope) for one in columns(name)]
    query = sa.select(*asked).where(*_stood(table, scope)).order_by(*table.primary_key.columns)
    with connection.execute(query, execution_options={"yield_per": 4_096}) as found:
        for part in found.partitions():
            yield [tuple(row) for row in part]


def _stood(table: sa.Table, scope: Scope) -> Iterator[sa.ColumnElement[bool]]:
    if table.name in tenancy.BY_FARM:
        shown = tenancy.BY_FARM[table.name]
        yield table.c[shown.column].in_(_of_farms(shown.via, scope.farm_ids))
    if "created_at" in table.c:
        yield table.c.created_at <= scope.as_of
    if "computed_at" in table.c:
        yield table.c.computed_at <= scope.as_of
        yield table.c.superseded_at.is_(None) | (table.c.superseded_at > scope.as_of)
    if table.name in {"season_results", "balance_days"}:
        zones = sa.select(tables.crop_zones.c.id).where(tables.crop_zones.c.season == scope.season)
        yield table.c.crop_zone_id.in_(zones)
    if table.name == "machine_results":
        yield table.c.kind == "harvest"
        yield table.c.day >= scope.start.date()
        yield table.c.day < scope.end.date()


def _of_farms(via: str, farm_ids: Sequence[int]) -> sa.Select[Any]:
    farm, field, zone = tables.farms, tables.fields, tables.crop_zones
    device, stream = tables.devices, tables.datastreams
    mine = sa.func.any(sa.cast(list(farm_ids), sa.ARRAY(sa.BigInteger)))
    fields = sa.select(field.c.id).where(field.c.farm_id == mine)
    devices = sa.select(device.c.id).where(device.c.farm_id == mine)
    known: Mapping[str, sa.Select[Any]] = {
        "farm": sa.select(farm.c.id).where(farm.c.id == mine),
        "field": fields,
        "crop_zone": sa.select(zone.c.id).where(zone.c.field_id.in_(fields)),
        "device": devices,
        "datastream": sa.select(stream.c.id).where(stream.c.device_id.in_(devices)),
    }
    return known[via]


def _as_it_stood(column: sa.Column[Any], name: str, scope: Scope) -> sa.ColumnElement[Any]:
    table = column.table
    if isinstance(column.type, JSONB):
        return sa.cast(column, sa.Text).label(column.name)
    if column.name in {"withdrawn_at", "withdrawn_by"}:
        return sa.case((table.c.withdrawn_at <= scope.as_of, column)).label(column.name)
    if column.name == "superseded_at":
        return sa.null().label(column.name)
    if column.name == "field_id" and name in {"devices", "datastreams"}:
        return _where_it_was(column, name, scope)
    return column


def _where_it_was(column: sa.Column[Any], name: str, scope: Scope) -> sa.ColumnElement[Any]:
    """The field of a device, or a datastream, before placements that were entered later."""
    placed, own = tables.device_placements, column.table.c
    if name == "devices":
        mine = sa.and_(placed.c.device_id == own.id, placed.c.datastream_id.is_(None))
    else:
        mine = placed.c.datastream_id == own.id
    later = sa.exists().where(mine, placed.c.created_at > scope.as_of)
    before = (
        sa.select(placed.c.field_id)
        .where(mine, sa.or_(placed.c.created_at <= scope.as_of, placed.c.valid_from <= ALWAYS))
        .order_by(placed.c.valid_from.desc())
        .limit(1)
        .scalar_subquery()
    )
    return sa.case((later, before), else_=column).label(column.name)


# --- what was measured ----------------------------------------------------------------------------

READINGS = np.dtype(
    [
        ("time", np.int64),  # [µs since 1970, UTC]
        ("datastream_id", np.int32),
        ("value", np.float64),
        ("quality", np.int16),
        ("received_at", np.int64),
        ("batch_id", np.int64),  # 0: stored before batches were
    ]
)
POINTS = np.dtype(
    [
        ("time", np.int64),
        ("device", np.int32),  # place of the device's id in the list that goes along
        ("work_state", np.int16),  # -1: unknown
        *((name, np.float64) for name in NUMBERS),  # NaN: unknown
        ("quality", np.int16),
        ("received_at", np.int64),
        ("batch_id", np.int64),
    ]
)
# OFFSET 0 keeps the planner at a look into the index for each series.
_CHOSEN = """
           AND time >= %(first)s::timestamptz AND time < %(last)s::timestamptz
           AND (received_at <= %(arrived)s::timestamptz OR batch_id IS NOT NULL)
        OFFSET 0) AS row
  ORDER BY coalesce(row.batch_id, 0), 2, 1
"""
_READINGS = f"""
    SELECT row.time, row.datastream_id, row.value, row.quality, row.received_at,
           coalesce(row.batch_id, 0)
      FROM unnest(%(of)s::integer[]) AS series (id)
CROSS JOIN LATERAL (
        SELECT * FROM readings WHERE datastream_id = series.id {_CHOSEN}
"""  # noqa: S608 - a constant of this module
_POINTS = f"""
    SELECT row.time, series.place::integer, coalesce(row.work_state, -1::smallint),
           {", ".join(f"coalesce(row.{name}, 'NaN'::float8)" for name in NUMBERS)},
           row.quality, row.received_at, coalesce(row.batch_id, 0)
      FROM unnest(%(of)s::text[]) WITH ORDINALITY AS series (id, place)
CROSS JOIN LATERAL (
        SELECT * FROM track_points WHERE device_id = series.id {_CHOSEN}
"""  # noqa: S608 - names of this package's columns


class Batches(NamedTuple):
    """Batches whose rows are told whole, and between which times their rows are."""

    ids: Array  # int64, in order
    between: tuple[dt.datetime, dt.datetime] | None  # none: there are no batches


def readings(
    connection: sa.Connection,
    datastream_ids: Sequence[int],
    scope: Scope,
    batches: Batches | None,
) -> Iterator[Array]:
    """Readings of :data:`READINGS`, batch by batch, some thousands at a time.

    Without ``batches`` all that had arrived.
    """
    return _in_parts(connection, _READINGS, list(datastream_ids), READINGS, scope, batches)


def points(
    connection: sa.Connection, devices: Sequence[str], scope: Scope, batches: Batches | None
) -> Iterator[Array]:
    """Track points of :data:`POINTS` of devices, batch by batch, some thousands at a time."""
    for part in _in_parts(connection, _POINTS, list(devices), POINTS, scope, batches):
        part["device"] -= 1  # the database counts from 1
        yield part


def _in_parts(
    connection: sa.Connection,
    statement: str,
    of: Sequence[int] | Sequence[str],
    dtype: np.dtype[Any],
    scope: Scope,
    batches: Batches | None,
) -> Iterator[Array]:
    first, last = (batches and batches.between) or (scope.start, scope.end)
    asked = {
        "of": of,
        "first": min(scope.start, first),
        "last": max(scope.end, last + dt.timedelta(microseconds=1)),
        "arrived": scope.as_of + ARRIVAL,
    }
    for part in copying.copy_out_in_parts(connection, statement, asked, dtype, ROWS_TOGETHER):
        for name in ("time", "received_at"):
            part[name] = copying.since_1970(part[name])
        chosen = _chosen(part, scope, batches)
        if chosen.any():
            yield part if chosen.all() else part[chosen]


def _chosen(part: Array, scope: Scope, batches: Batches | None) -> Array:
    """Rows of batches that a report names, whatever their time, for a batch is hashed as a whole;
    and of others those that had arrived.

    A batch that it does not name was stored later, or is of another time: of the minute that is
    told by its end alone, its rows are the later ones.
    """
    start, end, as_of = (microseconds(one) for one in (scope.start, scope.end, scope.as_of))
    inside = (part["time"] >= start) & (part["time"] < end)
    arrived = part["received_at"] <= as_of + MINUTE_US
    if batches is None:
        return np.asarray(inside & arrived)
    sure = np.where(part["batch_id"] == 0, arrived, part["received_at"] <= as_of)
    places = np.searchsorted(batches.ids, part["batch_id"])
    named = places < len(batches.ids)
    named[named] = batches.ids[places[named]] == part["batch_id"][named]
    return np.asarray(named | (inside & sure))


def microseconds(moment: dt.datetime) -> int:
    """A moment as rows have it [µs since 1970]."""
    return (moment - _EPOCH) // dt.timedelta(microseconds=1)
