"""Tracks on the ground: cleaned points, steps between them, swaths, and the areas they cover.

Distances and courses are geodesic (WGS 84). Areas are taken in a Lambert azimuthal equal-area
projection centred on what is measured: it keeps ellipsoidal areas exactly, and within 50 km of
its centre distorts lengths, so the width of a swath, by less than one part in 100,000.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Geod, Transformer
from pyproj.enums import TransformDirection
from shapely.geometry.base import BaseGeometry

Array = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]

GEOD = Geod(ellps="WGS84")
STANDING_M_S = 0.3  # slower than this a machine stands: what a satellite receiver wanders
JUMP_SLACK_M = 5.0  # what a position may be off without being a jump
STRAIGHT_M = 0.02  # a line is drawn with the points that lie further than this from it
STRIP_STEPS = 200  # a longer pass is drawn in pieces: buffers of short lines are quick


class TrackArrays(NamedTuple):
    """Points of one device in order of time, each array of shape (points,); NaN: unknown."""

    time_us: Integers  # since 1970, UTC
    latitude_deg: Array
    longitude_deg: Array
    elevation_m: Array
    speed_m_s: Array
    heading_deg: Array
    work_state: NDArray[np.int16]  # ISO 11783-11 DDI 141: 0 off, 1 on; -1 unknown
    width_m: Array
    application_rate_l_ha: Array
    fuel_rate_l_h: Array
    animals_seen: Array

    def at(self, chosen: Any) -> TrackArrays:
        """The points of a mask, a slice or an array of places."""
        return TrackArrays(*(column[chosen] for column in self))


class CleanTrack(NamedTuple):
    """A track without what its receiver got wrong, and how many points that was."""

    track: TrackArrays
    jumps: int  # away from the track faster than the machine can go, and back
    no_fix: int  # without a position on Earth, or at 0, 0
    doubles: int  # at a time that another point has


class Steps(NamedTuple):
    """From each point to the next, arrays of shape (points - 1,)."""

    duration_s: Array
    distance_m: Array  # geodesic
    course_deg: Array  # at its beginning, clockwise from north; NaN where nothing moved
    speed_m_s: Array  # as both points report it; distance over time where one does not


class LocalPlane:
    """Equal-area coordinates around a place, in metres."""

    def __init__(self, longitude_deg: float, latitude_deg: float) -> None:
        # Of a pipeline, which is made in a third of the time that a Proj takes: rounds of a herd
        # have a plane each.
        self._transformer = Transformer.from_pipeline(
            "+proj=pipeline +step +proj=unitconvert +xy_in=deg +xy_out=rad"
            f" +step +proj=laea +lon_0={float(longitude_deg)} +lat_0={float(latitude_deg)}"
            " +ellps=WGS84"
        )

    def xy(self, longitude_deg: Array, latitude_deg: Array) -> tuple[Array, Array]:
        """East and north of the centre. [m]"""
        x, y = self._transformer.transform(longitude_deg, latitude_deg)
        return np.asarray(x, float), np.asarray(y, float)

    def project(self, geometry: BaseGeometry) -> BaseGeometry:
        """A geometry of longitudes and latitudes, in metres."""
        return shapely.transform(geometry, self.xy, interleaved=False)

    def unproject(self, geometry: BaseGeometry) -> BaseGeometry:
        """A geometry in metres, in longitudes and latitudes (WGS 84)."""
        return shapely.transform(geometry, self._back, interleaved=False)

    def _back(self, x: Array, y: Array) -> tuple[Array, Array]:
        return self._transformer.transform(x, y, direction=TransformDirection.INVERSE)


class FieldShape(NamedTuple):
    """A field or pasture, ready to be measured on."""

    boundary: BaseGeometry  # longitudes and latitudes
    plane: LocalPlane  # centred on the field, so that days of it can be laid over one another
    polygon: BaseGeometry  # in the plane [m]
    area_ha: float


def field_shape(geometry: Mapping[str, Any] | BaseGeometry) -> FieldShape:
    """Make a field of its boundary: GeoJSON or shapely, (Multi)Polygon in WGS 84.

    Raises
    ------
    ValueError
        If the boundary is no polygon, or empty.
    """
    boundary = geometry if isinstance(geometry, BaseGeometry) else shapely.geometry.shape(geometry)
    if boundary.geom_type not in {"Polygon", "MultiPolygon"} or boundary.is_empty:
        raise ValueError(f"a field is a polygon, not {boundary.geom_type} {boundary.wkt[:40]}")
    boundary = shapely.make_valid(boundary, method="structure")
    centre = boundary.centroid
    plane = LocalPlane(centre.x, centre.y)
    polygon = shapely.make_valid(plane.project(boundary), method="structure")
    return FieldShape(boundary, plane, polygon, float(polygon.area) / 10_000.0)


def field_shapes(geometries: Mapping[int, Mapping[str, Any]]) -> dict[int, FieldShape]:
    """Fields by their id, of GeoJSON boundaries."""
    return {key: field_shape(geometry) for key, geometry in geometries.items()}


def usable_shapes(
    geometries: Mapping[int, Mapping[str, Any]],
) -> tuple[dict[int, FieldShape], dict[int, str]]:
    """Fields of those boundaries that are polygons, and why the others are none, by their ids."""
    made: dict[int, FieldShape] = {}
    wrong: dict[int, str] = {}
    for key, geometry in geometries.items():
        try:
            made[key] = field_shape(geometry)
        except (ValueError, TypeError, LookupError, AttributeError, shapely.GEOSException) as error:
            wrong[key] = str(error) or type(error).__name__
    return made, wrong


def track_arrays(rows: np.ndarray[Any, Any]) -> TrackArrays:
    """A track of a structured array whose fields are named as stored (``time`` in µs)."""
    names = ("time", *TrackArrays._fields[1:])
    return TrackArrays(*(np.ascontiguousarray(rows[name]) for name in names))


def clean(track: TrackArrays, *, max_speed_m_s: float) -> CleanTrack:
    """Put points in order and leave out those that cannot be where they say.

    A track falls apart wherever a step would be faster than ``max_speed_m_s``. The longest part
    is believed; going on from it in both directions, a part stays if the machine could have
    reached it, so that neither a first nor a last point that is wrong takes the rest with it.
    """
    order = np.argsort(track.time_us, kind="stable")
    track = track.at(order)
    lat, lon = track.latitude_deg, track.longitude_deg
    placed = np.isfinite(lat) & np.isfinite(lon) & (np.abs(lat) <= 90) & (np.abs(lon) <= 180)
    placed &= (lat != 0) | (lon != 0)
    fixed = track.at(placed)
    first = np.ones(fixed.time_us.size, bool)
    first[1:] = np.diff(fixed.time_us) > 0
    single = fixed.at(first)
    kept = _reachable(single, max_speed_m_s)
    return CleanTrack(
        single.at(kept), int((~kept).sum()), int((~placed).sum()), int((~first).sum())
    )


def _reachable(track: TrackArrays, max_speed_m_s: float) -> Flags:
    """Which points the machine can have reached from the longest part of its track."""
    kept = np.ones(track.time_us.size, bool)
    move = steps(track)
    fast = move.distance_m > max_speed_m_s * move.duration_s + JUMP_SLACK_M
    if not fast.any():
        return kept
    begins = np.concatenate([[0], np.flatnonzero(fast) + 1])
    ends = np.concatenate([begins[1:], [kept.size]]) - 1
    main = int(np.argmax(ends - begins))

    def can_reach(one: int, other: int) -> bool:
        pair = steps(track.at([one, other]))
        return bool(pair.distance_m[0] <= max_speed_m_s * pair.duration_s[0] + JUMP_SLACK_M)

    last = int(ends[main])
    for part in range(main + 1, begins.size):
        if can_reach(last, int(begins[part])):
            last = int(ends[part])
        else:
            kept[begins[part] : ends[part] + 1] = False
    following = int(begins[main])
    for part in range(main - 1, -1, -1):
        if can_reach(int(ends[part]), following):
            following = int(begins[part])
        else:
            kept[begins[part] : ends[part] + 1] = False
    return kept


def steps(track: TrackArrays) -> Steps:
    """Time, way, course and speed from each point to the next."""
    lon, lat = track.longitude_deg, track.latitude_deg
    course, _, distance = GEOD.inv(lon[:-1], lat[:-1], lon[1:], lat[1:])
    duration = np.diff(track.time_us) / 1e6
    moved = np.asarray(distance, float)
    by_way = np.divide(moved, duration, out=np.zeros_like(moved), where=duration > 0)
    reported = (track.speed_m_s[1:] + track.speed_m_s[:-1]) / 2
    return Steps(
        duration,
        moved,
        np.where(moved > 0, np.asarray(course, float) % 360.0, np.nan),
        np.where(np.isnan(reported), by_way, reported),
    )


def of_both(values: Array) -> Array:
    """A step's value from those of its ends: their mean, or the one that is known."""
    begin, end = values[:-1], values[1:]
    mean = (begin + end) / 2
    return np.where(np.isnan(mean), np.where(np.isnan(begin), end, begin), mean)


class Strips(NamedTuple):
    """Pieces of passes driven with one width, arrays of shape (strips,)."""

    line: NDArray[Any]  # LineString in the plane
    swath: NDArray[Any]  # Polygon in the plane
    length_m: Array
    width_m: Array
    number: Integers  # of the pass the strip belongs to

    @property
    def gross_m2(self) -> Array:
        """Width times length: ground that is driven over twice counts twice. [m²]"""
        return self.width_m * self.length_m


def strips(x: Array, y: Array, chosen: Integers, number: Integers, width_m: Array) -> Strips:
    """Draw the swaths of steps.

    Parameters
    ----------
    x, y : array, shape (points,)
        Place of each point in a plane. [m]
    chosen : array, shape (chosen,)
        Steps to draw, in order; step i leads from point i to point i + 1.
    number, width_m : array, shape (chosen,)
        Pass and width of each chosen step; widths are known.

    Notes
    -----
    A swath lies half to the left and half to the right of the way between the points, ends
    square, and is round at bends. Where a machine turns by more than a right angle from one step to
    the next, a swath ends and another begins: a line that comes back on itself would be drawn once.
    """
    if not chosen.size:
        none = np.empty(0)
        return Strips(none.astype(object), none.astype(object), none, none, chosen)
    widths = np.round(width_m, 2)  # a centimetre is less than any implement knows of itself
    begins = np.ones(chosen.size, bool)
    begins[1:] = (np.diff(chosen) > 1) | (np.diff(number) != 0) | (np.diff(widths) != 0)
    east, north = x[chosen + 1] - x[chosen], y[chosen + 1] - y[chosen]
    begins[1:] |= east[1:] * east[:-1] + north[1:] * north[:-1] < 0.0
    run = np.cumsum(begins) - 1
    inside = np.arange(chosen.size) - np.flatnonzero(begins)[run]
    begins |= inside % STRIP_STEPS == 0
    strip = np.cumsum(begins) - 1
    vertex = np.concatenate([chosen[begins], chosen + 1])
    owner = np.concatenate([strip[begins], strip])
    order = np.lexsort((vertex, owner))
    vertex, owner = vertex[order], owner[order]
    whole = shapely.linestrings(np.column_stack([x[vertex], y[vertex]]), indices=owner)
    line = shapely.simplify(whole, STRAIGHT_M)
    width = widths[begins]
    swath = shapely.buffer(line, width / 2, cap_style="flat", join_style="round", quad_segs=6)
    return Strips(line, swath, shapely.length(line), width, number[begins])


def gaps(covered: BaseGeometry, width_m: float, within: BaseGeometry) -> BaseGeometry:
    """Ground between swaths that they left out, in a plane.

    It is what a morphological closing of the covered ground adds: holes and bays that are
    narrower than two swaths, so one or two forgotten passes. Whatever is wider is not a gap but
    not worked yet. Pieces smaller than a square of half a width are left out; they are corners
    that the closing rounds.
    """
    reach = 1.05 * width_m
    closed = covered.buffer(reach, quad_segs=6).buffer(-reach, quad_segs=6)
    holes = closed.difference(covered).intersection(within)
    parts = shapely.get_parts(holes)
    return shapely.union_all(parts[shapely.area(parts) > 0.25 * width_m**2])
