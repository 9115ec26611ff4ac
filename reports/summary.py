"""What one page says of a farm, a region, or the country, in one season.

Each is the sum over its crop zones, so a region is what its farms are, and the country what its
regions are: figures of a higher level are never formed from rounded ones of a lower.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from reports import monitor
from reports.harvest import harvest
from reports.sums import Row, Summary, ZoneResult, total
from reports.water import water
from storage import adjustments, farms, fields, heard, results
from storage.adjustments import Adjustment
from storage.farms import Farm, Region
from storage.fields import CropZone, Field

SILENT_AFTER = dt.timedelta(hours=24)
EVERY_FARM = 1_000_000


class _FarmZone(NamedTuple):
    field: Field
    zone: CropZone
    row: Row | None
    result: ZoneResult | None  # the row, as sums are made of it


def of_farm(
    connection: sa.Connection,
    slug: str,
    *,
    season: int | None = None,
    as_of: dt.datetime | None = None,
    now: dt.datetime,
) -> Summary:
    """The farm's season, its crop zones, and whether its devices speak.

    Parameters
    ----------
    season : int, optional
        Year of harvest; the newest the farm has a crop zone in by default.
    as_of : datetime, optional
        The results that stood then; those that stand now by default.
    now : datetime
        A device that was silent for a day before is called silent.

    Raises
    ------
    storage.database.NotFound
        If there is no such farm.
    """
    farm = farms.get(connection, slug)
    chosen = season or fields.newest_season(connection, farm.id)
    zones = _zones(connection, [farm], chosen, as_of)
    entered = defaultdict(list)
    for one in adjustments.of_zones(connection, [one.zone.id for one in zones], as_of=as_of):
        entered[one.crop_zone_id].append(one)
    return {
        "farm": farm.slug,
        "name": farm.name,
        "region": farm.region_code,
        "season": chosen,
        "as_of": _as_of(zones, as_of),
        **_total(zones),
        "irrigated_before_ha": _irrigated_before(connection, [farm], chosen),
        "devices": _devices(connection, [farm], now),
        "crop_zones": [_zone(one, entered[one.zone.id]) for one in zones],
    }


def of_region(
    connection: sa.Connection,
    code: str,
    *,
    season: int,
    as_of: dt.datetime | None = None,
    now: dt.datetime,
) -> Summary:
    """The season of a region or a district: every farm's line, and the sum over their crop zones.

    A region has a line for each of its districts that has farms, too.

    A region without results says so by its denominators: farms reporting of farms registered.
    """
    region = farms.get_region(connection, code)
    members = farms.page(connection, region_code=code, limit=EVERY_FARM)
    zones = _zones(connection, members, season, as_of)
    of_each = _by_farm(zones)
    return {
        "region": region.code,
        "names": _names(region),
        "season": season,
        "as_of": _as_of(zones, as_of),
        **_reporting(members, of_each),
        **_total(zones),
        "irrigated_before_ha": _irrigated_before(connection, members, season),
        "devices": _devices(connection, members, now),
        "districts": [
            line
            for district in farms.regions(connection)
            if _is_part(district, region)
            for line in [_region_line(district, _within(members, district), of_each)]
            if line["farms_registered"]
        ],
        "farms": [
            {"farm": farm.slug, "name": farm.name, **_total(of_each.get(farm.id, []))}
            for farm in members
        ],
    }


def of_country(
    connection: sa.Connection,
    *,
    season: int,
    as_of: dt.datetime | None = None,
    now: dt.datetime,
) -> Summary:
    """The country's season: every region's line, and the sum over all crop zones.

    What lies in a district counts in its region.

    Farms that belong to no region stand in a line of their own, so that the lines add up.
    """
    every = farms.regions(connection)
    known = [one for one in every if not any(_is_part(one, of) for of in every)]
    everybody = farms.page(connection, limit=EVERY_FARM)
    zones = _zones(connection, everybody, season, as_of)
    of_each = _by_farm(zones)
    lines = [_region_line(region, _within(everybody, region), of_each) for region in known]
    if elsewhere := [farm for farm in everybody if farm.region_code is None]:
        lines.append(_region_line(None, elsewhere, of_each))
    return {
        "season": season,
        "as_of": _as_of(zones, as_of),
        "regions_registered": len(known),
        "regions_reporting": sum(line["farms_reporting"] > 0 for line in lines if line["region"]),
        **_reporting(everybody, of_each),
        **_total(zones),
        "irrigated_before_ha": _irrigated_before(connection, everybody, season),
        "devices": _devices(connection, everybody, now),
        "regions": lines,
    }


def _region_line(
    region: Region | None, members: Sequence[Farm], of_each: Mapping[int, list[_FarmZone]]
) -> Summary:
    zones = [one for farm in members for one in of_each.get(farm.id, [])]
    return {
        "region": None if region is None else region.code,
        "names": {} if region is None else _names(region),
        **_reporting(members, of_each),
        **_total(zones),
    }


def _is_part(one: Region, of: Region) -> bool:
    return one.code != of.code and one.code.startswith(of.code)


def _within(members: Sequence[Farm], region: Region) -> list[Farm]:
    """Farms of a region and of its districts."""
    return [one for one in members if (one.region_code or "").startswith(region.code)]


def _names(region: Region) -> dict[str, str]:
    return {"kk": region.name_kk, "ru": region.name_ru, "en": region.name_en}


def _zones(
    connection: sa.Connection,
    members: Sequence[Farm],
    season: int | None,
    as_of: dt.datetime | None,
) -> list[_FarmZone]:
    """Crop zones of the farms in a season, each with its field and the result that stood."""
    if season is None or not members:
        return []
    found = fields.zones_of_farms(connection, [farm.id for farm in members], season=season)
    stored = results.seasons(connection, [zone.id for _, zone in found], as_of=as_of)
    counted = monitor.of_zones(connection, [zone for _, zone in found], as_of=as_of)
    rows = {
        zone.id: monitor.with_monitor(stored[zone.id], zone, counted.get(zone.id))
        for _, zone in found
        if zone.id in stored
    }
    return [
        _FarmZone(field, zone, row, None if row is None else ZoneResult(field.farm_id, zone, row))
        for field, zone in found
        for row in (rows.get(zone.id),)
    ]


def _by_farm(zones: Iterable[_FarmZone]) -> dict[int, list[_FarmZone]]:
    of_each: dict[int, list[_FarmZone]] = defaultdict(list)
    for one in zones:
        of_each[one.field.farm_id].append(one)
    return dict(of_each)


def _reporting(members: Sequence[Farm], of_each: Mapping[int, list[_FarmZone]]) -> Summary:
    """Farms that have a balance this season, of those registered."""
    reporting = [
        farm
        for farm in members
        if any(one.row and one.row["eta_mm"] is not None for one in of_each.get(farm.id, []))
    ]
    return {"farms_registered": len(members), "farms_reporting": len(reporting)}


def _irrigated_before(
    connection: sa.Connection, members: Sequence[Farm], season: int | None
) -> float | None:
    """Area under an irrigation method the season before, beside this season's. [ha]"""
    if season is None or not members:
        return None
    before = fields.zones_of_farms(connection, [farm.id for farm in members], season=season - 1)
    return total(zone.area_ha for _, zone in before if zone.irrigation_method is not None)


def _as_of(zones: Iterable[_FarmZone], asked: dt.datetime | None) -> str | None:
    """The moment the figures belong to: asked for, or when the newest of them was computed."""
    rows = [one.row for one in zones if one.row is not None]
    moments = [row["computed_at"] for row in rows]
    moments += [row["monitor"].computed_at for row in rows if "monitor" in row]
    moment = asked or (max(moments) if moments else None)
    return None if moment is None else moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def _devices(connection: sa.Connection, members: Sequence[Farm], now: dt.datetime) -> Summary:
    found = heard.counts(connection, [farm.id for farm in members], since=now - SILENT_AFTER)
    return found._asdict() | {"silent": found.total - found.reporting}


def _zone(one: _FarmZone, entered: Sequence[Adjustment]) -> Summary:
    field, zone, row, _ = one
    return {
        "id": zone.id,
        "field": field.name,
        "field_id": field.id,
        "crop": zone.crop,
        "planted": zone.planted.isoformat(),
        "harvested": zone.harvested.isoformat(),
        "irrigation_method": zone.irrigation_method,
        **_total([one]),
        "savings_option": None if row is None else row["savings_option"],
        "baseline_source": None if row is None else row["baseline_source"],
        "soil": None if row is None else _soil(row),
        "adjustments": [_adjustment(each) for each in entered],
        "notes": [] if row is None else list(row["notes"]),
    }


def _soil(row: Row) -> Summary | None:
    """Simulated soil water against measured, before any correction; None where none was."""
    if not row["soil_coverage_pct"]:
        return None
    return {
        "coverage_pct": row["soil_coverage_pct"],
        "bias_mm": row["soil_bias_mm"],
        "rmse_mm": row["soil_rmse_mm"],
        "correction_mm": row["correction_mm"],
    }


def _adjustment(one: Adjustment) -> Summary:
    return {
        "id": one.id,
        "volume_m3": one.volume_m3,
        "u_volume_m3": one.u_volume_m3,
        "reason": one.reason,
        "author": one.author,
        "entered_at": one.created_at.astimezone(dt.UTC).isoformat().replace("+00:00", "Z"),
    }


def _total(zones: Sequence[_FarmZone]) -> Summary:
    area = sum(one.zone.area_ha for one in zones)
    known = [one.result for one in zones if one.result is not None]
    return {
        "area_ha": area,
        "water": water(known, area),
        "yield": harvest(known, [one.zone for one in zones]),
    }
