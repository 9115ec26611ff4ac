"""What a statement is made of, as it stood at a time: farms, crop zones, water by month, devices.

Results are superseded and records withdrawn, with the moment: so what stood then can be told.
Areas, crops and methods of crop zones are as they are now: of those no earlier version is kept.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from storage import tables
from storage.farms import Farm
from storage.fields import CropZone, Field

Period = tuple[dt.date, dt.date]

_FARM = [tables.farms.c[name] for name in Farm._fields]
_FIELD = [tables.fields.c[name] for name in Field._fields]
_ZONE = [tables.crop_zones.c[name] for name in CropZone._fields]


def _stood(table: sa.Table, as_of: dt.datetime) -> sa.ColumnElement[bool]:
    return sa.or_(table.c.withdrawn_at.is_(None), table.c.withdrawn_at > as_of)


def farms(
    connection: sa.Connection, *, as_of: dt.datetime, farm_id: int | None = None
) -> list[Farm]:
    """Farms registered by then, by id: one, or all that are seen."""
    query = sa.select(*_FARM).where(tables.farms.c.created_at <= as_of)
    if farm_id is not None:
        query = query.where(tables.farms.c.id == farm_id)
    return [Farm(*row) for row in connection.execute(query.order_by(tables.farms.c.id))]


def zones(
    connection: sa.Connection, farm_ids: Sequence[int], *, season: int, as_of: dt.datetime
) -> list[tuple[Field, CropZone]]:
    """Crop zones of a season that stood then, by id, each with its field."""
    query = (
        sa.select(*_FIELD, *_ZONE)
        .join(tables.crop_zones, tables.crop_zones.c.field_id == tables.fields.c.id)
        .where(
            tables.fields.c.farm_id == sa.func.any(_ids(farm_ids)),
            tables.crop_zones.c.season == season,
            tables.fields.c.created_at <= as_of,
            tables.crop_zones.c.created_at <= as_of,
            _stood(tables.fields, as_of),
            _stood(tables.crop_zones, as_of),
        )
        .order_by(tables.crop_zones.c.id)
    )
    split = len(_FIELD)
    rows = connection.execute(query).all()
    return [(Field(*row[:split]), CropZone(*row[split:])) for row in rows]


def _ids(numbers: Sequence[int]) -> sa.ColumnElement[Sequence[int]]:
    return sa.cast(list(numbers), sa.ARRAY(sa.BigInteger))


class MonthOfWater(NamedTuple):
    """Water on a crop zone in a month, by how it was measured and where it came from."""

    crop_zone_id: int
    month: dt.date  # its first day
    measurement: str  # metered, entered, …
    supply_id: int | None  # of water_supplies
    inside_mm: float  # on the days of the period
    depth_mm: float  # on all days of the month


_WATER = sa.text("""
    WITH supply AS (
        SELECT id, field_id, valid_from,
               lead(valid_from) OVER (PARTITION BY field_id ORDER BY valid_from) AS valid_to
          FROM water_supplies
         WHERE created_at <= :as_of AND (withdrawn_at IS NULL OR withdrawn_at > :as_of))
    SELECT day.crop_zone_id, date_trunc('month', day.day)::date, day.water_source, supply.id,
           coalesce(sum(day.irrigation_gross_mm)
                    FILTER (WHERE day.day >= :start AND day.day < :end), 0.0),
           sum(day.irrigation_gross_mm)
      FROM balance_days AS day
      JOIN crop_zones AS zone ON zone.id = day.crop_zone_id
 LEFT JOIN supply ON supply.field_id = zone.field_id AND day.day >= supply.valid_from
           AND (supply.valid_to IS NULL OR day.day < supply.valid_to)
     WHERE day.crop_zone_id = ANY(:zones) AND day.computed_at <= :as_of
           AND (day.superseded_at IS NULL OR day.superseded_at > :as_of)
           AND day.irrigation_gross_mm > 0
  GROUP BY 1, 2, 3, 4
  ORDER BY 1, 2, 3, 4 NULLS FIRST
""")
_ALWAYS = (dt.date(1900, 1, 1), dt.date(2200, 1, 1))


def water(
    connection: sa.Connection,
    crop_zone_ids: Sequence[int],
    *,
    as_of: dt.datetime,
    period: Period | None = None,
) -> list[MonthOfWater]:
    """Gross irrigation of the days that stood then, by crop zone and month."""
    start, end = period or _ALWAYS
    asked = {"zones": list(crop_zone_ids), "as_of": as_of, "start": start, "end": end}
    return [MonthOfWater(*row) for row in connection.execute(_WATER, asked)]


class Supply(NamedTuple):
    """Where the water of a field comes from, from a day on."""

    id: int
    field_id: int
    valid_from: dt.date
    source: str
    tariff_kzt_m3: float | None


def supplies(
    connection: sa.Connection, farm_ids: Sequence[int], *, as_of: dt.datetime
) -> dict[int, Supply]:
    """By id, the water supplies that were known then of the farms' fields."""
    table = tables.water_supplies
    query = (
        sa.select(*(table.c[name] for name in Supply._fields))
        .join(tables.fields, tables.fields.c.id == table.c.field_id)
        .where(
            tables.fields.c.farm_id == sa.func.any(_ids(farm_ids)),
            table.c.created_at <= as_of,
            _stood(table, as_of),
        )
        .order_by(table.c.id)
    )
    return {row.id: Supply(*row) for row in connection.execute(query)}


class Investment(NamedTuple):
    """What a farm spent once, to serve for years."""

    id: int
    farm_id: int
    made_on: dt.date
    purpose: str
    amount_kzt: float
    area_ha: float | None
    service_life_years: float


def investments(
    connection: sa.Connection, farm_ids: Sequence[int], *, as_of: dt.datetime
) -> list[Investment]:
    """Investments of the farms that were on record then, by id."""
    table = tables.investments
    query = sa.select(*(table.c[name] for name in Investment._fields)).where(
        table.c.farm_id == sa.func.any(_ids(farm_ids)),
        table.c.created_at <= as_of,
        _stood(table, as_of),
    )
    return [Investment(*row) for row in connection.execute(query.order_by(table.c.id))]


class Devices(NamedTuple):
    """Devices of a farm that are in service, and those of them that spoke in the season."""

    farm_id: int
    total: int
    reporting: int


_DEVICES = sa.text("""
    WITH device AS (
        SELECT device.id, device.farm_id,
               make_timestamptz(:year, 1, 1, 0, 0, 0, farm.timezone) AS start,
               make_timestamptz(:year + 1, 1, 1, 0, 0, 0, farm.timezone) AS end
          FROM devices AS device JOIN farms AS farm ON farm.id = device.farm_id
         WHERE device.farm_id = ANY(:farms) AND NOT device.disabled
               AND device.created_at <= :as_of)
    SELECT farm_id, count(*), count(*) FILTER (WHERE
           EXISTS (SELECT FROM datastreams AS stream JOIN LATERAL (
                       SELECT 1 FROM readings AS reading
                        WHERE reading.datastream_id = stream.id
                              AND reading.time >= device.start AND reading.time < device.end
                              AND reading.received_at <= :arrived LIMIT 1) AS said ON true
                    WHERE stream.device_id = device.id)
        OR EXISTS (SELECT FROM track_points AS point
                    WHERE point.device_id = device.id
                          AND point.time >= device.start AND point.time < device.end
                          AND point.received_at <= :arrived))
      FROM device GROUP BY farm_id ORDER BY farm_id
""")


def devices(
    connection: sa.Connection, farm_ids: Sequence[int], *, season: int, as_of: dt.datetime
) -> list[Devices]:
    """Devices in service by farm; those that spoke in the calendar year, as far as had arrived."""
    asked = {"farms": list(farm_ids), "year": season, "as_of": as_of, "arrived": as_of + _ARRIVAL}
    return [Devices(*row) for row in connection.execute(_DEVICES, asked)]


# Rows say the end of the minute in which they arrived (storage.arrival).
_ARRIVAL = dt.timedelta(minutes=1)


class Digest(NamedTuple):
    """A result of a field by its row, and the digest of what it was made of."""

    id: int
    field_id: int
    digest: str


def harvest_digests(
    connection: sa.Connection,
    field_ids: Sequence[int],
    *,
    start: dt.date,
    end: dt.date,
    as_of: dt.datetime,
) -> list[Digest]:
    """What yield monitors' results of the fields on the days of [start, end) were made of."""
    table = tables.machine_results
    query = sa.select(table.c.id, table.c.field_id, table.c.input_digest).where(
        table.c.field_id == sa.func.any(_ids(field_ids)),
        table.c.kind == "harvest",
        table.c.day >= start,
        table.c.day < end,
        table.c.computed_at <= as_of,
        sa.or_(table.c.superseded_at.is_(None), table.c.superseded_at > as_of),
    )
    return [Digest(*row) for row in connection.execute(query.order_by(table.c.id))]
