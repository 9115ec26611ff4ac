"""A piece of steppe for tests of tracks: places in metres from a corner, by geodesics."""

from typing import Any

import numpy as np
from pyproj import Geod

from analytics.track_geometry import TrackArrays

GEOD = Geod(ellps="WGS84")
STEPPE = (71.4, 51.1)  # longitude, latitude of the corner
NOON_US = 1_782_900_000_000_000
NAN = np.nan


def place(east: Any, north: Any, corner: tuple[float, float] = STEPPE) -> tuple[Any, Any]:
    """Longitude and latitude of a place, first north along the meridian, then east."""
    east, north = np.broadcast_arrays(np.asarray(east, float), np.asarray(north, float))
    lon0, lat0 = np.full(east.shape, corner[0]), np.full(east.shape, corner[1])
    lon, lat, _ = GEOD.fwd(lon0, lat0, np.zeros(east.shape), north)
    lon, lat, _ = GEOD.fwd(lon, lat, np.full(east.shape, 90.0), east)
    return np.asarray(lon), np.asarray(lat)


def rectangle(
    east: tuple[float, float], north: tuple[float, float], corner: tuple[float, float] = STEPPE
) -> dict[str, Any]:
    """GeoJSON of a rectangle between distances from the corner."""
    easts = [east[0], east[1], east[1], east[0], east[0]]
    norths = [north[0], north[0], north[1], north[1], north[0]]
    lon, lat = place(easts, norths, corner)
    return {"type": "Polygon", "coordinates": [np.column_stack([lon, lat]).tolist()]}


def track(
    seconds: Any, east: Any, north: Any, corner: tuple[float, float] = STEPPE, **values: Any
) -> TrackArrays:
    """Points so many seconds after noon; what is not given is unknown."""
    time = NOON_US + np.asarray(np.round(np.asarray(seconds, float) * 1e6), np.int64)
    lon, lat = place(np.broadcast_to(east, time.shape), north, corner)
    columns = {name: np.full(time.shape, NAN) for name in TrackArrays._fields}
    columns |= {"time_us": time, "longitude_deg": lon, "latitude_deg": lat}
    columns["work_state"] = np.full(time.shape, -1, np.int16)
    for name, value in values.items():
        columns[name] = np.broadcast_to(np.asarray(value, columns[name].dtype), time.shape).copy()
    return TrackArrays(**columns)
