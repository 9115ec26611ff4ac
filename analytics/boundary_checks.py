"""Whether a boundary can be one, how large it is, and whom it overlaps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import shapely
from pyproj import Geod
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

GEOD = Geod(ellps="WGS84")
# What is raised of coordinates that make no shape: by shapely, or by what they trip over in it
# where a number, a level of lists or a key is missing, or where there are far too many of them.
NO_SHAPE = (
    shapely.errors.ShapelyError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    OverflowError,
    RecursionError,
)
MOST_POINTS = 50_000
LEAST_HA, MOST_HA = 0.001, 100_000.0
# What two surveys of one border differ by is no overlap.
OVERLAP_SHARE, OVERLAP_HA = 0.01, 0.05
MOST_PAIRS = 500_000  # of points of two outlines that are compared: a second, at the worst
HALF_METRE_DEG = 5e-6


class Checked(NamedTuple):
    """A boundary that can be one."""

    geometry: dict[str, Any]  # GeoJSON as it is kept: two dimensions, lists
    area_ha: float  # geodesic, WGS 84


class Beside(NamedTuple):
    """A boundary beside others, by their names."""

    shared_ha: dict[str, float]  # where it is more than borders differ by
    unknown: dict[str, str]  # with which it could not be compared, and why


def check(geometry: Mapping[str, Any]) -> Checked:
    """Check a boundary.

    Raises
    ------
    ValueError
        With the reason, and the place where there is one.
    """
    kind = geometry.get("type")
    if kind not in {"Polygon", "MultiPolygon"}:
        raise ValueError(f"is a {str(kind)[:40]}, and a field is a Polygon or MultiPolygon")
    try:
        made = shapely.force_2d(shape(geometry))
    except NO_SHAPE as error:
        raise ValueError(f"its coordinates make no {kind}: {words_of(error)}") from None
    if made.is_empty:
        raise ValueError("is empty")
    points = shapely.get_coordinates(made)
    if len(points) > MOST_POINTS:
        raise ValueError(f"has {len(points):,} points, and may have {MOST_POINTS:,}")
    if not np.isfinite(points).all():
        raise ValueError("has a coordinate that is no number")
    _check_degrees(points)
    if not made.is_valid:
        raise ValueError(f"is not valid: {shapely.is_valid_reason(made)} (longitude latitude)")
    area_ha = area_of(made)
    if not LEAST_HA <= area_ha <= MOST_HA:
        raise ValueError(f"has {area_ha:,.4f} ha, and a field {LEAST_HA:g} to {MOST_HA:,.0f} ha")
    return Checked(_lists(mapping(made)), area_ha)


def _check_degrees(points: np.ndarray[Any, Any]) -> None:
    outside = (np.abs(points[:, 0]) > 180) | (np.abs(points[:, 1]) > 90)
    if outside.any():
        x, y = points[int(np.flatnonzero(outside)[0])]
        raise ValueError(
            f"has the point {x:g}, {y:g}, which is no longitude and latitude in degrees: is it in "
            "another coordinate system?"
        )
    if np.ptp(points[:, 0]) > 5 or np.ptp(points[:, 1]) > 5:
        raise ValueError("is wider than five degrees")


def area_of(geometry: BaseGeometry) -> float:
    """Geodesic area on WGS 84 [ha]."""
    area, _ = GEOD.geometry_area_perimeter(shapely.orient_polygons(geometry))
    return abs(float(area)) / 10_000.0


def words_of(error: Exception) -> str:
    """What an error says, in short."""
    return str(error).splitlines()[0][:120] if str(error) else type(error).__name__


class Neighbours:
    """Boundaries that others are compared with, by their names; each is read once.

    They may be older than the checks.
    """

    def __init__(self, named: Mapping[str, Mapping[str, Any]]) -> None:
        self._shapes: dict[str, tuple[BaseGeometry, tuple[float, ...]]] = {}
        self._unknown: dict[str, str] = {}
        for name, geometry in named.items():
            self.put(name, geometry)

    def put(self, name: str, geometry: Mapping[str, Any]) -> None:
        """Add a boundary, or its next version."""
        self._unknown.pop(name, None)
        try:
            made = shape(geometry)
            self._shapes[name] = made, made.bounds
        except NO_SHAPE as error:
            self._shapes.pop(name, None)
            self._unknown[name] = words_of(error)

    def beside(self, geometry: Mapping[str, Any], *, but: str | None = None) -> Beside:
        """What a boundary that was checked shares with the others, ``but`` for its own name."""
        own = shape(geometry)
        found = Beside({}, {name: why for name, why in self._unknown.items() if name != but})
        west, south, east, north = own.bounds
        for name, (other, (left, low, right, high)) in self._shapes.items():
            if name == but or left > east or right < west or low > north or high < south:
                continue
            try:
                shared = _shared_ha(own, other)
                least = min(area_of(own), area_of(other)) if shared > OVERLAP_HA else 0.0
            except NO_SHAPE as error:
                found.unknown[name] = words_of(error)
                continue
            if shared > max(OVERLAP_HA, OVERLAP_SHARE * least):
                found.shared_ha[name] = shared
        return found


def overlaps(geometry: Mapping[str, Any], others: Mapping[str, Mapping[str, Any]]) -> Beside:
    """What a boundary that was checked shares with others, which may be older than the checks."""
    return Neighbours(others).beside(geometry)


def _shared_ha(one: BaseGeometry, other: BaseGeometry) -> float:
    """Area that two shapes share [ha].

    Raises
    ------
    ValueError
        Where their outlines have so many points that they might cross far too often.
    """
    pair = (one, other)
    if _pairs(*pair) > MOST_PAIRS:  # two combs of thousands of teeth cross millions of times
        pair = (one.simplify(HALF_METRE_DEG), other.simplify(HALF_METRE_DEG))
        if _pairs(*pair) > MOST_PAIRS:
            raise ValueError("both have very many points")
    return area_of(pair[0].intersection(pair[1])) if pair[0].intersects(pair[1]) else 0.0


def _pairs(one: BaseGeometry, other: BaseGeometry) -> int:
    return int(shapely.get_num_coordinates(one)) * int(shapely.get_num_coordinates(other))


def _lists(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _lists(one) for key, one in value.items()}
    return [_lists(one) for one in value] if isinstance(value, (list, tuple)) else value
