"""Flights of drones: from take-off to landing, the path, and the ground that was seen."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from analytics.track_geometry import (
    Array,
    Flags,
    LocalPlane,
    Steps,
    TrackArrays,
    clean,
    of_both,
    steps,
    strips,
)
from analytics.work_results import plain, ratio

NO_WIDTH = "no-width"  # the drone does not say how wide it sees: the area seen is unknown
PART_WIDTH = "width-partial"  # the rest of the path is missing from the area seen
NO_ELEVATION = "no-elevation"  # landing cannot be told from hovering: only gaps part flights
PATH_M = 0.5  # the path is drawn with the points that lie further than this from it


class FlightLimits(NamedTuple):
    """What parts one flight from the next."""

    max_gap_s: float = 300.0  # longer without a point: another flight
    min_stop_s: float = 30.0  # on the ground at least so long: it has landed
    ground_m: float = 3.0  # not higher than this above where it took off
    ground_speed_m_s: float = 0.5  # and slower than this
    max_speed_m_s: float = 40.0  # faster between points is a jump of the receiver


class Flight(NamedTuple):
    """One flight of a drone."""

    start_us: int
    end_us: int
    points: int
    distance_km: float  # over ground, geodesic
    max_height_m: float  # above where the flight began; NaN without elevations
    mean_speed_m_s: float
    seen_ha: float  # ground seen once or more; NaN without a width
    path: BaseGeometry  # LineString of longitudes and latitudes
    footprint: BaseGeometry  # ground seen, longitudes and latitudes
    reasons: tuple[str, ...]

    @property
    def duration_s(self) -> float:
        """From the first point in the air to the last. [s]"""
        return (self.end_us - self.start_us) / 1e6

    def to_figures(self) -> dict[str, Any]:
        """Plain numbers for JSON; None: unknown."""
        figures = {
            "points": self.points,
            "duration_min": self.duration_s / 60.0,
            "distance_km": self.distance_km,
            "max_height_m": self.max_height_m,
            "mean_speed_m_s": self.mean_speed_m_s,
            "seen_ha": self.seen_ha,
        }
        return plain(figures) | {"reasons": list(self.reasons)}


def flights(
    track: TrackArrays,
    *,
    limits: FlightLimits = FlightLimits(),  # noqa: B008 - immutable
) -> list[Flight]:
    """Take a drone's track apart into flights.

    Needs position and time. Heights, and landings between flights, need the elevation; the area
    seen needs the width of the strip that the drone sees (``width_m``), half of it on either
    side of the path and nothing ahead.
    """
    good = clean(track, max_speed_m_s=limits.max_speed_m_s).track
    if good.time_us.size < 2:
        return []
    move = steps(good)
    flown = move.duration_s <= limits.max_gap_s
    flown &= ~_landed(good, move, flown, limits)
    begins = flown & ~np.concatenate([[False], flown[:-1]])
    ends = flown & ~np.concatenate([flown[1:], [False]])
    pairs = zip(np.flatnonzero(begins), np.flatnonzero(ends), strict=True)
    return [_flight(good.at(slice(first, last + 2))) for first, last in pairs]


def _landed(track: TrackArrays, move: Steps, joined: Flags, limits: FlightLimits) -> Flags:
    """Steps on the ground: slow, near the height where the track between gaps began, and long."""
    part = np.concatenate([[0], np.cumsum(~joined)])
    height = np.concatenate([_height(track.elevation_m[part == one]) for one in np.unique(part)])
    low = np.maximum(height[1:], height[:-1]) <= limits.ground_m
    still = low & (move.speed_m_s < limits.ground_speed_m_s)
    changes = np.concatenate([[0], np.cumsum(still[1:] != still[:-1])])
    lasting = np.bincount(changes, move.duration_s)[changes] >= limits.min_stop_s
    return np.asarray(still & lasting)


def _height(elevation_m: Array) -> Array:
    """Height above the first elevation that is known. [m]"""
    known = elevation_m[np.isfinite(elevation_m)]
    return elevation_m - known[0] if known.size else elevation_m


def _flight(track: TrackArrays) -> Flight:
    move = steps(track)
    lon, lat = track.longitude_deg, track.latitude_deg
    plane = LocalPlane(float(lon.mean()), float(lat.mean()))
    x, y = plane.xy(lon, lat)
    width = of_both(track.width_m)
    seeing = np.flatnonzero(width > 0)
    coverage = ratio(move.distance_m[seeing].sum(), move.distance_m.sum())
    reasons = () if coverage >= 1 else (PART_WIDTH,) if coverage >= 0.95 else (NO_WIDTH,)
    height = _height(track.elevation_m)
    if np.isnan(height).all():
        reasons = (*reasons, NO_ELEVATION)
    strip = strips(x, y, seeing, np.zeros(seeing.size, np.int64), width[seeing])
    seen = shapely.union_all(strip.swath) if seeing.size else shapely.Polygon()
    path = shapely.simplify(shapely.linestrings(x, y), PATH_M)
    distance = float(move.distance_m.sum())
    start, end = int(track.time_us[0]), int(track.time_us[-1])
    return Flight(
        start,
        end,
        int(track.time_us.size),
        distance / 1e3,
        np.nan if np.isnan(height).all() else float(np.nanmax(height)),
        ratio(distance, (end - start) / 1e6),
        float(seen.area) / 1e4 if coverage >= 0.95 else np.nan,
        plane.unproject(path),
        plane.unproject(seen),
        reasons,
    )
