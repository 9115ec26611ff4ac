"""Degrees and other coordinates as metres on a plane that touches the ellipsoid at a field.

Within 10 km of its centre distances on the plane are true to about 1e-6.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pyproj import CRS, Proj, Transformer
from pyproj.exceptions import CRSError

Array = NDArray[np.float64]

WGS84 = "EPSG:4326"


def plane_at(longitude: ArrayLike, latitude: ArrayLike) -> str:
    """Azimuthal equidistant plane around the middle of the known places, as a PROJ string.

    Places that a field's maps of several years share a plane with give the same grid: pass the
    field's middle rather than a harvest's.
    """
    lon, lat = np.asarray(longitude, float), np.asarray(latitude, float)
    known = np.isfinite(lon) & np.isfinite(lat)
    middle = (float(lat[known].mean()), float(lon[known].mean())) if known.any() else (0.0, 0.0)
    return f"+proj=aeqd +lat_0={middle[0]:.6f} +lon_0={middle[1]:.6f} +datum=WGS84 +units=m"


def to_plane(crs: str, longitude: ArrayLike, latitude: ArrayLike) -> tuple[Array, Array]:
    """Metres on a plane of ``plane_at``; NaN where a place is unknown."""
    return _projected(crs, longitude, latitude, inverse=False)


def to_degrees(crs: str, x: ArrayLike, y: ArrayLike) -> tuple[Array, Array]:
    """Longitude and latitude (WGS 84) of places on a plane of ``plane_at``."""
    return _projected(crs, x, y, inverse=True)


def on_plane(longitude: ArrayLike, latitude: ArrayLike) -> tuple[Array, Array, str]:
    """Degrees as metres on the plane around them, and which plane that is."""
    crs = plane_at(longitude, latitude)
    return (*to_plane(crs, longitude, latitude), crs)


def from_projected(x: ArrayLike, y: ArrayLike, crs: str) -> tuple[Array, Array]:
    """Longitude and latitude (WGS 84) of places in a projected system such as EPSG:32642.

    A place outside of the system is infinite.

    Raises
    ------
    ValueError
        If there is no such system, or it is none of metres.
    """
    lon, lat = _transformer(crs).transform(np.asarray(x, float), np.asarray(y, float))
    return np.asarray(lon, float), np.asarray(lat, float)


@lru_cache(maxsize=16)
def _transformer(crs: str) -> Transformer:
    try:
        system = CRS.from_user_input(crs)
    except CRSError:
        raise ValueError(f"{crs!r} is no coordinate system; give one such as EPSG:32642") from None
    if not system.is_projected or any(axis.unit_name != "metre" for axis in system.axis_info):
        raise ValueError(f"{crs} is not a projected system in metres such as EPSG:32642")
    return Transformer.from_crs(system, WGS84, always_xy=True)


def _projected(
    crs: str, east: ArrayLike, north: ArrayLike, *, inverse: bool
) -> tuple[Array, Array]:
    u, v = np.broadcast_arrays(np.asarray(east, float), np.asarray(north, float))
    known = np.isfinite(u) & np.isfinite(v)
    first, second = np.full(u.shape, np.nan), np.full(u.shape, np.nan)
    first[known], second[known] = Proj(crs)(u[known], v[known], inverse=inverse)
    return first, second
