"""The yield map of a field in a season, from the stored tracks of harvesters."""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import shapely
import sqlalchemy as sa

from analytics.field_plane import plane_at, to_degrees, to_plane
from analytics.monitor_harvest import field_of_grain, monitor_points, monitor_track
from analytics.track_geometry import FieldShape, field_shapes
from analytics.weather import local_days
from analytics.yield_cleaning import Cleaned, Harvest, clean_points, map_yield, report
from analytics.yield_grid import as_geojson, map_mean, yield_grid
from analytics.yield_plausibility import MAX_FIELD_YIELD_KG_HA
from analytics.yield_tables import YieldPoints
from analytics.yield_track import join
from analytics.yields import STANDARD_MOISTURE_PCT
from reports.monitor import ENOUGH_AREA, window, zone_of_day
from reports.sums import Summary
from storage import devices, fields, harvests, machine_results, tracks
from storage.database import NotFound
from storage.fields import CropZone, Field
from storage.harvests import HarvestLoad
from storage.machine_results import FieldHarvest

CELL_M = 20.0
Array = np.ndarray[Any, Any]


class TooManyCells(ValueError):
    """The field is too large for cells so small."""


class _Season(NamedTuple):
    """A crop zone that was harvested with a yield monitor."""

    field: Field
    zone: CropZone
    counted: Sequence[FieldHarvest]  # a row for each harvester and day


class _Seen(NamedTuple):
    """What monitors saw of a season, judged point by point."""

    known: _Season
    points: YieldPoints
    cleaned: Cleaned
    scale: _Scale
    facts: Harvest
    placed: YieldPoints  # as the map states them


class _Scale(NamedTuple):
    """How the map is brought to the scales, and why not where it is not."""

    weighed_kg: float | None  # wet
    moisture_pct: float | None  # of the loads, all of them probed
    impurity_pct: float | None
    reason: str


def of_field(
    connection: sa.Connection, field_id: int, *, season: int, cell_m: float = CELL_M
) -> Summary:
    """GeoJSON feature collection of cells with their yield, a legend, and a report.

    Raises
    ------
    storage.database.NotFound
        If there is no such field, no crop on it that season, or no harvest with a yield monitor
        from 45 days before to 45 days after the harvest day of its crop.
    TooManyCells
        If the map would have over a million cells.
    """
    known, points, cleaned, scale, facts, placed = _seen(connection, field_id, season)
    try:
        grid = yield_grid(placed, cleaned.kept, cell_m=cell_m, fill=True)
    except ValueError as error:
        raise TooManyCells(str(error)) from error
    found = report(points, cleaned, facts)
    return as_geojson(grid, known.zone.crop) | {
        "field_id": field_id,
        "field": known.field.name,
        "season": season,
        "harvested_on": sorted({one.day.isoformat() for one in known.counted}),
        "harvesters": sorted({one.device_id for one in known.counted}),
        "report": _report(found, points, map_mean(grid), scale),
    }


class SeenPoints(NamedTuple):
    """Every point of a season's monitors, as arrays of one length."""

    about: Summary  # field, season, crop, and how many points the map keeps
    longitude_deg: Array  # rounded to a centimetre
    latitude_deg: Array
    yield_kg_ha: Array  # as the map states it; NaN: not known
    moisture_pct: Array  # NaN: not known
    reason: Array  # of text: why the map leaves the point out; None: it does not


def points_of_field(connection: sa.Connection, field_id: int, *, season: int) -> SeenPoints:
    """Every point of the monitors with its yield, and why the map leaves it out, if it does.

    Errors are those of :func:`of_field`.
    """
    known, _, cleaned, _, _, placed = _seen(connection, field_id, season)
    lon, lat = to_degrees(placed.crs, placed.x, placed.y)
    reason = np.full(placed.x.shape, None, object)
    for name, flagged in cleaned.flags.items():
        reason[flagged] = name
    about = {
        "field_id": field_id,
        "field": known.field.name,
        "season": season,
        "crop": known.zone.crop,
        "kept": int(cleaned.kept.sum()),
    }
    rounded = (
        lon.round(7),
        lat.round(7),
        placed.yield_kg_ha.round(1),
        placed.moisture_pct.round(2),
    )
    return SeenPoints(about, *rounded, reason)


def _seen(connection: sa.Connection, field_id: int, season: int) -> _Seen:
    known = _season(connection, field_id, season)
    shapes = _shapes(connection, known)
    shape = shapes.get(field_id)
    if shape is None:
        raise NotFound(f"boundary of field {field_id}")
    middle = shape.boundary.centroid
    plane = plane_at(middle.x, middle.y)
    points = _points(connection, known, shapes, plane)
    boundary = shapely.transform(
        shape.boundary, lambda lon, lat: to_plane(plane, lon, lat), interleaved=False
    )
    cleaned = clean_points(points, boundary=boundary)
    scale = _scale(harvests.of_zones(connection, [known.zone.id]), known)
    points, cleaned = _with_moisture_of_loads(points, cleaned, scale)
    facts = _facts(points, known.zone, scale)
    return _Seen(known, points, cleaned, scale, facts, map_yield(points, cleaned, facts))


def _season(connection: sa.Connection, field_id: int, season: int) -> _Season:
    field = fields.get(connection, field_id)
    zones = [
        zone
        for of, zone in fields.zones(connection, farm_id=field.farm_id, season=season)
        if of.id == field_id
    ]
    if not zones:
        raise NotFound(f"crop on field {field_id} in {season}")
    windows = [window(zone) for zone in zones]
    start, end = min(one for one, _ in windows), max(one for _, one in windows)
    of_zone: dict[int, list[FieldHarvest]] = defaultdict(list)
    for one in machine_results.harvests_of_fields(connection, [field_id], start=start, end=end):
        if (owner := zone_of_day(zones, one.day)) is not None:
            of_zone[owner.id].append(one)
    if not of_zone:
        last = end - dt.timedelta(days=1)
        raise NotFound(
            f"harvest of field {field_id} with a yield monitor from {start} to {last}; "
            "`dala analyze` finds it in the harvesters' tracks"
        )
    # Of two crops in a season, the later harvest.
    newest = max(zones, key=lambda zone: (zone.id in of_zone, zone.harvested))
    return _Season(field, newest, of_zone[newest.id])


def _shapes(connection: sa.Connection, known: _Season) -> dict[int, FieldShape]:
    """The field, and the others that the harvesters worked on those days: theirs is their grain."""
    others: set[int] = {known.field.id}
    for device_id, days in _days(known).items():
        others |= set(machine_results.fields_harvested(connection, device_id, days))
    return field_shapes(fields.boundaries(connection, sorted(others)))


def _days(known: _Season) -> Mapping[str, list[dt.date]]:
    days: dict[str, list[dt.date]] = defaultdict(list)
    for one in known.counted:
        days[one.device_id].append(one.day)
    return days


def _points(
    connection: sa.Connection, known: _Season, shapes: Mapping[int, FieldShape], plane: str
) -> YieldPoints:
    """Points of each machine and day on the field's plane, side by side."""
    parts = []
    for device_id, days in _days(known).items():
        zone = devices.timezone_of(connection, device_id)
        for day in days:
            edges = local_days(day, day, zone).edges_us
            start, end = (dt.datetime.fromtimestamp(int(us) / 1e6, dt.UTC) for us in edges)
            track = monitor_track(tracks.arrays(connection, device_id, start, end))
            mine = field_of_grain(track, shapes) == known.field.id
            if mine.any():
                parts.append(monitor_points(track.at(mine), crs=plane))
    if not parts:
        raise NotFound(f"track points of the harvest of field {known.field.id}; they are gone")
    return join(parts)


def _scale(loads: Sequence[HarvestLoad], known: _Season) -> _Scale:
    if not loads:
        return _Scale(None, None, None, "no-weighed-loads")
    if not sum(one.figures["wet_mass_kg"] for one in known.counted) > 0:
        return _Scale(None, None, None, "monitor-counted-nothing")
    areas = [one.figures["harvested_ha"] for one in known.counted]
    weighed = sum(one.area_ha or 0.0 for one in loads) or known.zone.area_ha
    if None in areas:
        return _Scale(None, None, None, "monitor-area-unknown")
    if sum(areas) < ENOUGH_AREA * weighed:
        return _Scale(None, None, None, "monitor-saw-less-than-the-loads-came-from")
    mass = np.array([one.net_kg for one in loads])
    wet = np.array([one.moisture_pct for one in loads], float)
    dirt = np.array([one.impurity_pct for one in loads], float)
    return _Scale(
        float(mass.sum()),
        None if np.isnan(wet).any() else float(np.average(wet, weights=mass)),
        None if np.isnan(dirt).all() else float(np.average(np.nan_to_num(dirt), weights=mass)),
        "weighed-loads",
    )


def _with_moisture_of_loads(
    points: YieldPoints, cleaned: Cleaned, scale: _Scale
) -> tuple[YieldPoints, Cleaned]:
    """Shift the monitor's moisture so that its mean by mass is that of the loads, all probed.

    Mass and moisture go together: mass of the scales reduced by the moisture of a sensor would
    give another harvest than the scales'.
    """
    told = points.moisture_pct > 0
    mass = np.where(told, points.mass_kg, 0.0)
    if scale.moisture_pct is None or not mass.sum() > 0:
        return points, cleaned
    shift = scale.moisture_pct - float(np.average(np.nan_to_num(points.moisture_pct), weights=mass))
    seen = cleaned.points
    return (
        points._replace(moisture_pct=np.where(told, points.moisture_pct + shift, np.nan)),
        cleaned._replace(
            points=seen._replace(
                moisture_pct=np.where(seen.moisture_pct > 0, seen.moisture_pct + shift, np.nan)
            )
        ),
    )


def _facts(points: YieldPoints, zone: CropZone, scale: _Scale) -> Harvest:
    moist = bool((points.moisture_pct > 0).any())
    return Harvest(
        standard_moisture_pct=STANDARD_MOISTURE_PCT.get(zone.crop) if moist else None,
        weighed_kg=scale.weighed_kg,
        sown_ha=zone.area_ha,
        impurity_pct=scale.impurity_pct,
        crop=zone.crop if zone.crop in MAX_FIELD_YIELD_KG_HA else None,
    )


def _report(found: Summary, points: YieldPoints, mean: float, scale: _Scale) -> Summary:
    """The pipeline's report, and the map's mean against mass over area."""
    area = found["area_effective_ha"]
    by_mass = found["mass_kg"] / area if area else None
    known = mean if math.isfinite(mean) else None
    delay: dict[str, Any] = {k: v for k, v in found["flow_delay"].items() if k != "curve"}
    names = (
        "rows", "kept", "flagged", "method", "wet_mass_kg", "wet_mass_header_up_kg", "mass_kg",
        "area_ha", "area_effective_ha", "mass_source", "scale_factor", "standard_moisture_pct",
        "bunker_kg", "clean_kg", "sown_ha", "notes",
    )  # fmt: skip
    return {
        **{name: found[name] for name in names},
        "flow_delay": delay,
        "monitor_wet_mass_kg": float(points.mass_kg.sum()),
        "scaled_to": scale.reason,
        "moisture_of_loads_pct": scale.moisture_pct,
        "mass_over_area_kg_ha": by_mass,
        "map_mean_kg_ha": known,
        "map_by_mass_over_area": known / by_mass if known is not None and by_mass else None,
    }
