"""What is asked of the API: over HTTP, of its functions, and of the database alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

import sqlalchemy as sa

from api.models import FarmSummary, RegionSummary
from reports import summary
from seeds.farms import SEASON
from seeds.places import TIMEZONE
from storage import devices, farms, results, series

MONTH = dt.timedelta(days=30)  # raw readings are answered for at most 31 days

Statement = tuple[str, Sequence[Any]]


class Question(NamedTuple):
    """One kind of request; ``number`` goes round over its subjects."""

    name: str
    many: int  # subjects
    path: Callable[[int], str]
    direct: Callable[[sa.Connection, int], object]
    bare: Callable[[int], list[Statement]]
    cold: bool = False


_ZONES = """
    SELECT farm.*, field.*, zone.*, result.*
      FROM farms AS farm
      JOIN fields AS field ON field.farm_id = farm.id
      JOIN crop_zones AS zone ON zone.field_id = field.id AND zone.season = %s
 LEFT JOIN season_results AS result
        ON result.crop_zone_id = zone.id AND result.superseded_at IS NULL
     WHERE farm.{column} = %s
"""
_HEARD = """
    SELECT device.id, heard.received_at
      FROM farms AS farm
      JOIN devices AS device ON device.farm_id = farm.id
 LEFT JOIN device_heard AS heard ON heard.device_id = device.id
     WHERE farm.{column} = %s
"""
_RAW = """
    SELECT time, value, quality FROM readings
     WHERE datastream_id = %s AND time >= %s AND time < %s ORDER BY time
"""
_BUCKETS = """
    SELECT date_trunc('{unit}', time, '{zone}') AS bucket, count(*), avg(value), min(value),
           max(value), sum(value), (array_agg(value ORDER BY time DESC))[1]
      FROM readings
     WHERE datastream_id = %s AND time >= %s AND time < %s AND quality < 16
  GROUP BY 1 ORDER BY 1
"""
_BALANCE = """
    SELECT day.* FROM crop_zones AS zone JOIN balance_days AS day ON day.crop_zone_id = zone.id
     WHERE zone.field_id = %s AND zone.season = %s AND day.superseded_at IS NULL ORDER BY day.day
"""


def make(connection: sa.Connection, start: dt.datetime, end: dt.datetime) -> list[Question]:
    """Questions about the farms that stand in the database and the year [start, end)."""
    every = farms.page(connection, limit=100_000)
    known = [farm.slug for farm in every]
    regions = sorted({farm.region_code for farm in every if farm.region_code is not None})
    streams = list(connection.scalars(sa.text("SELECT id FROM datastreams ORDER BY id")))
    zones = connection.execute(
        sa.text("SELECT field_id, id FROM crop_zones WHERE season = :season ORDER BY id"),
        {"season": SEASON},
    ).all()
    return [
        _farms(known),
        _regions(regions),
        _readings("readings, raw, a month", "raw", streams, end - MONTH, end),
        _readings("readings, hours of a year", "hour", streams, start, end),
        _readings("readings, days of a year", "day", streams, start, end),
        _balances([(row.field_id, row.id) for row in zones]),
    ]


def _farms(slugs: Sequence[str]) -> Question:
    def direct(connection: sa.Connection, number: int) -> object:
        now = dt.datetime.now(dt.UTC)
        content = summary.of_farm(connection, slugs[number % len(slugs)], season=SEASON, now=now)
        return FarmSummary(**content).model_dump_json(by_alias=True)

    def bare(number: int) -> list[Statement]:
        slug = slugs[number % len(slugs)]
        return [
            (_ZONES.format(column="slug"), (SEASON, slug)),
            (_HEARD.format(column="slug"), (slug,)),
        ]

    return Question(
        "farm summary",
        len(slugs),
        lambda number: f"/v1/farms/{slugs[number % len(slugs)]}/summary?season={SEASON}",
        direct,
        bare,
        cold=True,
    )


def _regions(codes: Sequence[str]) -> Question:
    def direct(connection: sa.Connection, number: int) -> object:
        now = dt.datetime.now(dt.UTC)
        content = summary.of_region(connection, codes[number % len(codes)], season=SEASON, now=now)
        return RegionSummary(covers="region", **content).model_dump_json(by_alias=True)

    def bare(number: int) -> list[Statement]:
        code = codes[number % len(codes)]
        return [
            (_ZONES.format(column="region_code"), (SEASON, code)),
            (_HEARD.format(column="region_code"), (code,)),
        ]

    return Question(
        "region summary",
        len(codes),
        lambda number: f"/v1/regions/{codes[number % len(codes)]}/summary?season={SEASON}",
        direct,
        bare,
        cold=True,
    )


def _readings(
    name: str, resolution: str, streams: Sequence[int], start: dt.datetime, end: dt.datetime
) -> Question:
    # Neighbours in the list are datastreams of one device: a stride spreads requests over farms.
    stride = next(step for step in (97, 89, 83, 1) if len(streams) % step)

    def stream(number: int) -> int:
        return streams[number * stride % len(streams)]

    asked = urlencode(
        {"start": start.isoformat(), "end": end.isoformat(), "resolution": resolution}
    )

    def direct(connection: sa.Connection, number: int) -> object:
        one = devices.get_datastream(connection, stream(number))
        span: dict[str, Any] = {"start": start, "end": end, "limit": 100_001}
        if resolution == "raw":
            return series.raw(connection, one.id, **span)
        if resolution == "hour":
            return series.hourly(connection, one.id, **span)
        zone = devices.timezone_of(connection, one.device_id)
        return series.daily(connection, one.id, timezone=zone, **span)

    zone = TIMEZONE if resolution == "day" else "UTC"
    statement = _RAW if resolution == "raw" else _BUCKETS.format(unit=resolution, zone=zone)
    return Question(
        name,
        len(streams),
        lambda number: f"/v1/datastreams/{stream(number)}/readings?{asked}",
        direct,
        lambda number: [(statement, (stream(number), start, end))],
    )


def _balances(zones: Sequence[tuple[int, int]]) -> Question:
    return Question(
        "water balance",
        len(zones),
        lambda n: f"/v1/fields/{zones[n % len(zones)][0]}/water-balance?season={SEASON}",
        lambda connection, n: results.balance(connection, zones[n % len(zones)][1]),
        lambda n: [(_BALANCE, (zones[n % len(zones)][0], SEASON))],
    )
