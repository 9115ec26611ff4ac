"""What rules of alerts look at: the newest of batteries, balances, meters, weather and machines.

Each question is asked for many farms at once and bounded in time: it looks into the newest chunks.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from storage import tables
from storage.devices import RESTING_KINDS
from storage.farms import Farm
from storage.readings import Quality
from storage.series import Span

_FARM = [tables.farms.c[name] for name in Farm._fields]


def farms(connection: sa.Connection) -> list[Farm]:
    """Every farm, by its number."""
    query = sa.select(*_FARM).order_by(tables.farms.c.id)
    return [Farm(*row) for row in connection.execute(query)]


class Battery(NamedTuple):
    """What a device's battery shows now."""

    device: str
    farm_id: int
    quantity: str  # battery_level [%] or battery_voltage [V]
    time: dt.datetime
    value: float
    highest: float  # of a week, in the same unit


_BATTERIES = sa.text("""
    SELECT device.id, device.farm_id, stream.quantity, newest.time, newest.value, week.highest
      FROM datastreams AS stream JOIN devices AS device ON device.id = stream.device_id
CROSS JOIN LATERAL (SELECT time, value FROM readings
                     WHERE datastream_id = stream.id AND quality < 16
                       AND time > :now - interval '7 days' AND time <= :now
                  ORDER BY time DESC LIMIT 1) AS newest
CROSS JOIN LATERAL (SELECT max(value) AS highest FROM readings
                     WHERE datastream_id = stream.id AND quality < 16
                       AND time > :now - interval '7 days' AND time <= :now) AS week
     WHERE stream.quantity IN ('battery_level', 'battery_voltage') AND NOT device.disabled
       AND device.farm_id = ANY(:farm_ids)
  ORDER BY device.id, stream.quantity, stream.channel NULLS FIRST
""")


def batteries(
    connection: sa.Connection, farm_ids: Sequence[int], now: dt.datetime
) -> list[Battery]:
    """Batteries of devices in service that told of them within a week."""
    rows = connection.execute(_BATTERIES, {"farm_ids": list(farm_ids), "now": now})
    return [Battery(*row) for row in rows]


class Depletion(NamedTuple):
    """How much water a crop zone misses on its newest day."""

    crop_zone_id: int
    field_id: int
    farm_id: int
    field: str
    crop: str
    day: dt.date
    depletion_mm: float
    raw_mm: float


_DEPLETIONS = sa.text("""
    SELECT zone.id, field.id, field.farm_id, field.name, zone.crop, newest.day,
           newest.depletion_mm, newest.raw_mm
      FROM crop_zones AS zone JOIN fields AS field ON field.id = zone.field_id
CROSS JOIN LATERAL (SELECT day, depletion_mm, raw_mm FROM balance_days
                     WHERE crop_zone_id = zone.id AND superseded_at IS NULL
                  ORDER BY day DESC LIMIT 1) AS newest
     WHERE field.farm_id = ANY(:farm_ids) AND zone.irrigation_method IS NOT NULL
       AND zone.planted <= CAST(:now AS date) + 1 AND zone.harvested >= CAST(:now AS date) - 1
  ORDER BY zone.id
""")


def depletions(
    connection: sa.Connection, farm_ids: Sequence[int], now: dt.datetime
) -> list[Depletion]:
    """The newest day that stands of each irrigated crop zone in its season."""
    rows = connection.execute(_DEPLETIONS, {"farm_ids": list(farm_ids), "now": now})
    return [Depletion(*row) for row in rows]


class WaterStream(NamedTuple):
    """A meter or a valve."""

    id: int
    device: str
    farm_id: int
    field_id: int | None
    field: str | None
    channel: int | None
    quantity: str  # water_flow, water_total or valve_open
    counter_modulus: float | None


_WATER_STREAMS = sa.text("""
    SELECT stream.id, device.id, device.farm_id, field.id, field.name, stream.channel,
           stream.quantity, stream.counter_modulus
      FROM datastreams AS stream JOIN devices AS device ON device.id = stream.device_id
 LEFT JOIN fields AS field ON field.id = coalesce(stream.field_id, device.field_id)
     WHERE stream.quantity IN ('water_flow', 'water_total', 'valve_open') AND NOT device.disabled
       AND device.farm_id = ANY(:farm_ids)
  ORDER BY stream.id
""")


def water_streams(connection: sa.Connection, farm_ids: Sequence[int]) -> list[WaterStream]:
    """Meters and valves of devices in service."""
    rows = connection.execute(_WATER_STREAMS, {"farm_ids": list(farm_ids)})
    return [WaterStream(*row) for row in rows]


_BEFORE = sa.text("""
    SELECT stream.id, CAST(extract(epoch FROM last.time) * 1000000 AS bigint), last.value
      FROM unnest(CAST(:ids AS integer[])) AS stream (id)
CROSS JOIN LATERAL (SELECT time, value FROM readings
                     WHERE datastream_id = stream.id AND quality < 16
                       AND time < :moment AND time > :moment - interval '60 days'
                  ORDER BY time DESC LIMIT 1) AS last
""")


def last_before(
    connection: sa.Connection, datastream_ids: Sequence[int], moment: dt.datetime
) -> dict[int, tuple[int, float]]:
    """The last usable reading of each datastream before a moment: µs since 1970, and its value."""
    rows = connection.execute(_BEFORE, {"ids": list(datastream_ids), "moment": moment})
    return {row[0]: (row[1], row[2]) for row in rows}


class Coldest(NamedTuple):
    """The coldest of the newest air temperatures on a farm."""

    farm_id: int
    device: str
    time: dt.datetime
    value_c: float


_COLDEST = sa.text("""
    SELECT DISTINCT ON (device.farm_id) device.farm_id, device.id, newest.time, newest.value
      FROM datastreams AS stream JOIN devices AS device ON device.id = stream.device_id
CROSS JOIN LATERAL (SELECT time, value FROM readings
                     WHERE datastream_id = stream.id AND quality < 16
                       AND time > :now - interval '2 hours' AND time <= :now
                  ORDER BY time DESC LIMIT 1) AS newest
     WHERE stream.quantity = 'air_temperature' AND NOT device.disabled
       AND NOT device.kind = ANY(:machines) AND device.farm_id = ANY(:farm_ids)
  ORDER BY device.farm_id, newest.value, newest.time DESC
""")


def coldest(
    connection: sa.Connection, farm_ids: Sequence[int], now: dt.datetime
) -> dict[int, Coldest]:
    """The coldest air of each farm, of readings of the last two hours; not of machines."""
    parameters = {"farm_ids": list(farm_ids), "now": now, "machines": sorted(RESTING_KINDS)}
    return {row[0]: Coldest(*row) for row in connection.execute(_COLDEST, parameters)}


_GROWING = sa.text("""
    SELECT field.farm_id, array_agg(DISTINCT zone.crop ORDER BY zone.crop)
      FROM crop_zones AS zone JOIN fields AS field ON field.id = zone.field_id
     WHERE field.farm_id = ANY(:farm_ids) AND zone.planted <= CAST(:now AS date)
       AND zone.harvested >= CAST(:now AS date)
  GROUP BY field.farm_id
""")


def growing(
    connection: sa.Connection, farm_ids: Sequence[int], now: dt.datetime
) -> dict[int, list[str]]:
    """Crops that stand on each farm."""
    rows = connection.execute(_GROWING, {"farm_ids": list(farm_ids), "now": now})
    return {row[0]: row[1] for row in rows}


class Night(NamedTuple):
    """The lowest temperature forecast for a farm's day."""

    farm_id: int
    day: dt.date
    tmin_c: float
    source: str


_NIGHTS = sa.text("""
    SELECT DISTINCT ON (farm_id, day) farm_id, day, tmin_c, source
      FROM weather_forecasts
     WHERE farm_id = ANY(:farm_ids) AND issued_at <= :now AND issued_at > :now - interval '3 days'
       AND day BETWEEN CAST(:now AS date) AND CAST(:now AS date) + 4
  ORDER BY farm_id, day, issued_at DESC
""")


def nights(connection: sa.Connection, farm_ids: Sequence[int], now: dt.datetime) -> list[Night]:
    """What the newest forecasts of the last three days say of the days to come."""
    rows = connection.execute(_NIGHTS, {"farm_ids": list(farm_ids), "now": now})
    return [Night(*row) for row in rows]


class Doubts(NamedTuple):
    """How many readings of a datastream were in doubt within its window."""

    datastream_id: int
    device: str
    farm_id: int
    quantity: str
    depth_cm: float | None
    readings: int
    in_doubt: int


_DOUBTFUL = Quality.OUT_OF_RANGE | Quality.SPIKE | Quality.STUCK
_DOUBTS = sa.text("""
    SELECT stream.id, device.id, device.farm_id, stream.quantity, stream.depth_cm,
           counted.readings, counted.in_doubt
      FROM unnest(CAST(:farm_ids AS bigint[]), CAST(:hours AS double precision[]))
           AS farm (id, hours)
      JOIN devices AS device ON device.farm_id = farm.id
      JOIN datastreams AS stream ON stream.device_id = device.id
CROSS JOIN LATERAL (SELECT count(*) AS readings,
                           count(*) FILTER (WHERE quality & :doubtful <> 0) AS in_doubt
                      FROM readings
                     WHERE datastream_id = stream.id AND time <= :now
                       AND time > :now - farm.hours * interval '1 hour'
                       AND time > :earliest) AS counted
     WHERE NOT device.disabled AND counted.readings > 0
  ORDER BY stream.id
""")


def doubts(connection: sa.Connection, window_h: dict[int, float], now: dt.datetime) -> list[Doubts]:
    """Readings of each datastream within its farm's window, and those flagged as implausible."""
    if not window_h:
        return []
    parameters = {
        "farm_ids": list(window_h),
        "hours": list(window_h.values()),
        "now": now,
        "earliest": now - dt.timedelta(hours=max(window_h.values())),
        "doubtful": int(_DOUBTFUL),
    }
    return [Doubts(*row) for row in connection.execute(_DOUBTS, parameters)]


class Place(NamedTuple):
    """Where a machine was."""

    device: str
    farm_id: int
    time: dt.datetime
    longitude_deg: float
    latitude_deg: float
    work_state: int | None


_PLACES = sa.text("""
    SELECT device.id, device.farm_id, point.time, point.longitude_deg, point.latitude_deg,
           point.work_state
      FROM devices AS device
CROSS JOIN LATERAL (
        SELECT DISTINCT ON (floor(extract(epoch FROM time) / 15))
               time, longitude_deg, latitude_deg, work_state
          FROM track_points
         WHERE device_id = device.id AND time > :start AND time <= :finish AND quality < 16
      ORDER BY floor(extract(epoch FROM time) / 15), time DESC) AS point
     WHERE device.farm_id = ANY(:farm_ids) AND NOT device.disabled
       AND device.kind = ANY(:machines)
  ORDER BY device.id, point.time
""")
WORKING_KINDS = RESTING_KINDS - {"herding-drone", "truck", "drone"}


def places(connection: sa.Connection, farm_ids: Sequence[int], span: Span) -> list[Place]:
    """Where machines that work fields were, every 15 seconds, in order of time."""
    parameters = {
        "farm_ids": list(farm_ids),
        "start": span.start,
        "finish": span.end,
        "machines": sorted(WORKING_KINDS),
    }
    return [Place(*row) for row in connection.execute(_PLACES, parameters)]
