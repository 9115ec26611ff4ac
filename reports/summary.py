"""What one page says of a farm, or of a region, in one season.

Volumes add up; so do the shared parts of their uncertainty, while independent parts add in
quadrature (METHODS section 3): many fields under one station do not average its error away.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from storage import devices, farms, fields, results
from storage.fields import CropZone, Field

SILENT_AFTER = dt.timedelta(hours=24)
M3_PER_HA_MM = 10.0

Summary = dict[str, Any]
Row = Mapping[str, Any]


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
    zones = fields.zones(connection, farm_id=farm.id, season=chosen) if chosen else []
    stored = results.seasons(connection, [zone.id for _, zone in zones], as_of=as_of)
    total = _total([(zone, stored.get(zone.id)) for _, zone in zones])
    seen = devices.last_seen(connection, [farm.id])
    return {
        "farm": farm.slug,
        "name": farm.name,
        "region": farm.region_code,
        "season": chosen,
        "as_of": _as_of(stored.values(), as_of),
        **total,
        "devices": _device_counts(seen.values(), now),
        "crop_zones": [_zone(field, zone, stored.get(zone.id)) for field, zone in zones],
    }


def of_region(
    connection: sa.Connection,
    code: str,
    *,
    season: int,
    as_of: dt.datetime | None = None,
    now: dt.datetime,
) -> Summary:
    """The region's season: every farm's line, and the sum over their crop zones.

    A region without results says so by its denominators: farms reporting of farms registered.
    """
    region = farms.get_region(connection, code)
    members = farms.page(connection, region_code=code, limit=100_000)
    rows: list[tuple[CropZone, Row | None]] = []
    lines = []
    newest: list[Row] = []
    for farm in members:
        zones = fields.zones(connection, farm_id=farm.id, season=season)
        stored = results.seasons(connection, [zone.id for _, zone in zones], as_of=as_of)
        of_this = [(zone, stored.get(zone.id)) for _, zone in zones]
        rows += of_this
        newest += stored.values()
        lines.append({"farm": farm.slug, "name": farm.name, **_total(of_this)})
    seen = devices.last_seen(connection, [farm.id for farm in members])
    return {
        "region": region.code,
        "names": {"kk": region.name_kk, "ru": region.name_ru, "en": region.name_en},
        "season": season,
        "as_of": _as_of(newest, as_of),
        "farms_registered": len(members),
        "farms_reporting": sum(line["water"]["eta_mm"] is not None for line in lines),
        **_total(rows),
        "devices": _device_counts(seen.values(), now),
        "farms": lines,
    }


def _as_of(rows: Iterable[Row], asked: dt.datetime | None) -> str | None:
    """The moment the figures belong to: asked for, or when the newest of them was computed."""
    moments = [row["computed_at"] for row in rows]
    moment = asked or (max(moments) if moments else None)
    return None if moment is None else moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def _device_counts(seen: Iterable[dt.datetime | None], now: dt.datetime) -> Summary:
    last = list(seen)
    reporting = sum(moment is not None and moment > now - SILENT_AFTER for moment in last)
    return {"total": len(last), "reporting": reporting, "silent": len(last) - reporting}


def _zone(field: Field, zone: CropZone, row: Row | None) -> Summary:
    return {
        "id": zone.id,
        "field": field.name,
        "field_id": field.id,
        "crop": zone.crop,
        "planted": zone.planted.isoformat(),
        "harvested": zone.harvested.isoformat(),
        "irrigation_method": zone.irrigation_method,
        **_total([(zone, row)]),
        "notes": [] if row is None else list(row["notes"]),
    }


def _total(zones: Sequence[tuple[CropZone, Row | None]]) -> Summary:
    area = sum(zone.area_ha for zone, _ in zones)
    known = [(zone, row) for zone, row in zones if row is not None]
    return {"area_ha": area, "water": _water(known, area), "yield": _yield(known)}


def _water(known: Sequence[tuple[CropZone, Row]], area: float) -> Summary:
    rows = [row for _, row in known]
    applied = _sum(row["applied_m3"] for row in rows)
    eta = _area_mean(known, "eta_mm")
    return {
        "applied_m3": applied,
        "applied_mm": None if applied is None or not area else applied / area / M3_PER_HA_MM,
        "baseline_m3": _sum(row["baseline_m3"] for row in rows),
        "baseline_area_ha": _sum(
            zone.area_ha for zone, row in known if row["baseline_m3"] is not None
        ),
        "apparent_savings_m3": _savings(rows, "apparent"),
        "consumptive_savings_m3": _savings(rows, "consumptive"),
        "recoverable_change_m3": _sum(row["recoverable_change_m3"] for row in rows),
        "et0_mm": _area_mean(known, "et0_mm"),
        "etc_mm": _area_mean(known, "etc_mm"),
        "eta_mm": eta,
        "rain_mm": _area_mean(known, "rain_mm"),
        "deep_percolation_mm": _area_mean(known, "deep_percolation_mm"),
        "closure_mm": max(
            (abs(row["closure_mm"]) for row in rows if row["closure_mm"] is not None), default=None
        ),
        "water_productivity_kg_m3": _water_productivity(known),
        **_coverage(known),
        "method": _joined(row["method"] for row in rows),
        "method_version": _joined(row["method_version"] for row in rows),
    }


def _water_productivity(known: Sequence[tuple[CropZone, Row]]) -> float | None:
    """Mass per water evapotranspired, over the zones of which both are known. [kg m⁻³]"""
    both = [
        (row["mass_kg"], row["eta_mm"] * zone.area_ha * M3_PER_HA_MM)
        for zone, row in known
        if row["mass_kg"] is not None and row["eta_mm"] is not None
    ]
    consumed = sum(volume for _, volume in both)
    return sum(mass for mass, _ in both) / consumed if consumed else None


def _savings(rows: Sequence[Row], kind: str) -> Summary | None:
    """Sum of a saving over crop zones, with its 95 % interval; None where no baseline exists."""
    known = [row for row in rows if row[f"{kind}_savings_m3"] is not None]
    if not known:
        return None
    value = sum(row[f"{kind}_savings_m3"] for row in known)
    independent = [row[f"{kind}_u_independent_m3"] for row in known]
    shared = [row[f"{kind}_u_shared_m3"] for row in known]
    if any(part is None for part in (*independent, *shared)):
        return {"value": value, "ci95": None, "demonstrated": False}
    uncertainty = math.hypot(*independent, sum(shared))
    # The widest of the zones' factors: with few baseline seasons the sum is no better known.
    factor = max(row[f"{kind}_coverage_factor"] for row in known)
    return {
        "value": value,
        "ci95": [value - factor * uncertainty, value + factor * uncertainty],
        "demonstrated": value > 2.0 * uncertainty,
    }


def _yield(known: Sequence[tuple[CropZone, Row]]) -> Summary:
    weighed = [row for _, row in known if row["mass_kg"] is not None]
    crops = sorted({zone.crop for zone, row in known if row["mass_kg"] is not None})
    mass, area = (
        _sum(row["mass_kg"] for row in weighed),
        _sum(row["harvested_ha"] for row in weighed),
    )
    per_ha = mass / area if mass is not None and area else None
    bunker = _sum(row["bunker_mass_kg"] for row in weighed)
    wet = [
        (row["bunker_mass_kg"], row["moisture_pct"])
        for row in weighed
        if row["moisture_pct"] is not None
    ]
    total_wet = sum(mass for mass, _ in wet)
    return {
        "harvested_ha": area,
        "mass_t": None if mass is None else mass / 1_000.0,
        "bunker_mass_t": None if bunker is None else bunker / 1_000.0,
        "yield_kg_ha": per_ha,
        "yield_centner_ha": None if per_ha is None else per_ha / 100.0,
        "moisture_pct": sum(m * w for m, w in wet) / total_wet if total_wet else None,
        "source": _joined(row["yield_source"] for row in weighed),
        # A mean over different crops says little: each has its own line.
        "by_crop": [
            {"crop": crop, **_crop_yield([row for zone, row in known if zone.crop == crop])}
            for crop in crops
        ],
    }


def _crop_yield(rows: Sequence[Row]) -> Summary:
    mass, area = _sum(row["mass_kg"] for row in rows), _sum(row["harvested_ha"] for row in rows)
    per_ha = mass / area if mass is not None and area else None
    return {
        "harvested_ha": area,
        "mass_t": None if mass is None else mass / 1_000.0,
        "yield_kg_ha": per_ha,
        "yield_centner_ha": None if per_ha is None else per_ha / 100.0,
    }


def _coverage(known: Sequence[tuple[CropZone, Row]]) -> Summary:
    shares = {
        name: _area_mean(known, name) for name in ("weather_coverage_pct", "water_coverage_pct")
    }
    known_shares = [share for share in shares.values() if share is not None]
    return {"coverage_pct": min(known_shares, default=None), **shares}


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _area_mean(known: Sequence[tuple[CropZone, Row]], name: str) -> float | None:
    parts = [(zone.area_ha, row[name]) for zone, row in known if row[name] is not None]
    area = math.fsum(part for part, _ in parts)
    # fsum: the mean of equal shares must be that share, not 99.99999999999999.
    return math.fsum(part * value for part, value in parts) / area if area else None


def _joined(texts: Iterable[str | None]) -> str | None:
    return "; ".join(sorted({text for text in texts if text})) or None
