"""Everything a summary is made of, as one digest: the same digest, the same summary.

A row of results is never changed, so its id, moment and digest stand for it; what people may
correct goes in whole. Nothing here has to be told that something changed: each row is looked at
every time, which costs far less than computing a summary from it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from storage.database import NotFound

_DIGEST = """
    WITH farm AS MATERIALIZED (SELECT * FROM farms WHERE {members}),
    field AS MATERIALIZED (
        SELECT * FROM fields
         WHERE farm_id IN (SELECT id FROM farm) AND withdrawn_at IS NULL),
    chosen AS MATERIALIZED (
        SELECT coalesce(CAST(:season AS integer),
                        (SELECT max(season) FROM crop_zones
                          WHERE field_id IN (SELECT id FROM field)
                            AND withdrawn_at IS NULL)) AS season),
    zone AS MATERIALIZED (
        SELECT crop_zones.* FROM crop_zones, chosen
         WHERE field_id IN (SELECT id FROM field) AND withdrawn_at IS NULL
           AND crop_zones.season IN (chosen.season, chosen.season - 1)),
    device AS MATERIALIZED (
        SELECT heard.received_at
          FROM devices LEFT JOIN device_heard AS heard ON heard.device_id = devices.id
         WHERE devices.farm_id IN (SELECT id FROM farm) AND NOT devices.disabled),
    parts AS (
        SELECT 1 AS part, region.code AS key, region::text AS content
          FROM regions AS region
         WHERE {regions} OR code IN (SELECT region_code FROM farm)
     UNION ALL
        SELECT 2, lpad(id::text, 20), farm::text FROM farm
     UNION ALL
        SELECT 3, lpad(id::text, 20), field::text FROM field
     UNION ALL
        SELECT 4, lpad(id::text, 20), zone::text FROM zone
     UNION ALL
        SELECT 5, lpad(id::text, 20),
               (id, crop_zone_id, computed_at, input_digest, method_version)::text
          FROM season_results
         WHERE crop_zone_id IN (SELECT id FROM zone) AND {stands}
     UNION ALL
        SELECT 6, lpad(id::text, 20), (id, field_id, day, computed_at, input_digest)::text
          FROM machine_results
         WHERE kind = 'harvest' AND field_id IN (SELECT id FROM field) AND {stands}
     UNION ALL
        SELECT 7, lpad(id::text, 20), adjustment::text
          FROM non_routine_adjustments AS adjustment
         WHERE crop_zone_id IN (SELECT id FROM zone)
     UNION ALL
        SELECT 8, '', (count(*), count(*) FILTER (WHERE received_at > :since))::text FROM device)
    SELECT {is_there}, (SELECT season FROM chosen),
           encode(sha256(convert_to(
               string_agg(part || ' ' || content, chr(10) ORDER BY part, key COLLATE "C"),
               'UTF8')), 'hex'),
           (SELECT array_agg(id) FROM farm),
           (SELECT min(received_at) FROM device WHERE received_at > :since)
      FROM parts
"""
_NOW = "superseded_at IS NULL"
_THEN = "computed_at <= :as_of AND (superseded_at IS NULL OR superseded_at > :as_of)"
# Farms and regions of a summary, and whether what it is asked of is there.
_LEVELS = {
    "farm": ("slug = :farm", "false", "EXISTS (SELECT FROM parts WHERE part = 2)"),
    "region": (
        "starts_with(region_code, :region)",
        "starts_with(code, :region)",
        "EXISTS (SELECT FROM regions WHERE code = :region)",
    ),
    "country": ("true", "true", "true"),
}
_STATEMENTS = {
    (level, past): sa.text(
        _DIGEST.format(
            members=members, regions=regions, is_there=is_there, stands=_THEN if past else _NOW
        )
    )
    for level, (members, regions, is_there) in _LEVELS.items()
    for past in (False, True)
}


class Inputs(NamedTuple):
    """What a summary would be made of."""

    season: int | None
    digest: str  # SHA-256, in hex
    farm_ids: Sequence[int]
    first_heard_at: dt.datetime | None  # of the devices heard from since, the one longest silent


def of_farm(
    connection: sa.Connection,
    slug: str,
    *,
    season: int | None,
    as_of: dt.datetime | None,
    since: dt.datetime,
) -> Inputs:
    """The inputs of a farm's summary.

    Parameters
    ----------
    season : int or None
        Year of harvest; None: the newest the farm has.
    as_of : datetime or None
        The results that stood then; None: those that stand.
    since : datetime
        Devices heard from after it count as reporting.

    Raises
    ------
    storage.database.NotFound
        If there is no such farm.
    """
    given = {"farm": slug, "season": season, "since": since}
    return _inputs(connection, "farm", given, as_of)


def of_region(
    connection: sa.Connection,
    code: str,
    *,
    season: int,
    as_of: dt.datetime | None,
    since: dt.datetime,
) -> Inputs:
    """The inputs of a region's summary, with those of all its farms; NotFound if there is none."""
    given = {"region": code, "season": season, "since": since}
    return _inputs(connection, "region", given, as_of)


def of_country(
    connection: sa.Connection, *, season: int, as_of: dt.datetime | None, since: dt.datetime
) -> Inputs:
    """The inputs of the summary of all farms and regions that the transaction sees."""
    return _inputs(connection, "country", {"season": season, "since": since}, as_of)


def _inputs(
    connection: sa.Connection, level: str, given: Mapping[str, object], as_of: dt.datetime | None
) -> Inputs:
    statement = _STATEMENTS[level, as_of is not None]
    parameters = given if as_of is None else {**given, "as_of": as_of}
    is_known, season, digest, farm_ids, heard_at = connection.execute(statement, parameters).one()
    if not is_known:
        raise NotFound(f"{level} {given[level]!r}")
    return Inputs(season, digest, farm_ids or [], heard_at)
