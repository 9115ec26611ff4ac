"""Ground that each record of a machine covered, and how much of it was covered before.

A swath is a rectangle: as wide as the header, as long as the way since the record before, and
ending at the record's position. An antenna ahead of or behind the header moves all rectangles of
a pass alike, so it counts only where passes end.
"""

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Places = NDArray[np.object_]  # of shapely geometries

# Positions jitter by decimetres: a direction is taken over so many records to either side.
DIRECTION_RECORDS = 2
# No field is covered so many times: then places are not metres, or the machine stood still.
MAX_COVERS = 20.0
# Neighbouring rectangles share their edge; less than this is no overlap. [share of a swath]
NO_OVERLAP = 1e-6


def directions(x: ArrayLike, y: ArrayLike, runs: ArrayLike) -> tuple[Array, Array]:
    """Unit vector of travel at each record, from the positions around it in the same run.

    ``runs`` numbers the stretches of one pass, rising. NaN where the machine did not move.
    """
    east, north, run = np.asarray(x, float), np.asarray(y, float), np.asarray(runs)
    index = np.arange(east.size)
    first = np.searchsorted(run, run, side="left")
    last = np.searchsorted(run, run, side="right") - 1
    ahead = np.minimum(index + DIRECTION_RECORDS, last)
    behind = np.maximum(index - DIRECTION_RECORDS, first)
    dx, dy = east[ahead] - east[behind], north[ahead] - north[behind]
    length = np.hypot(dx, dy)
    moved = np.where(length > 0, length, np.nan)
    return dx / moved, dy / moved


def swaths(
    x: ArrayLike,
    y: ArrayLike,
    runs: ArrayLike,
    width_m: ArrayLike,
    length_m: ArrayLike,
    working: ArrayLike,
) -> Places:
    """Rectangle of each record that worked and moved, None for the others; shape (records,)."""
    east, north = np.asarray(x, float), np.asarray(y, float)
    half, back = np.asarray(width_m, float) / 2.0, np.asarray(length_m, float)
    dx, dy = directions(east, north, runs)
    corners = np.stack(
        [
            np.stack([east - ahead * dx - side * dy, north - ahead * dy + side * dx], axis=-1)
            for ahead, side in (
                (back, half),
                (back, -half),
                (0.0 * back, -half),
                (0.0 * back, half),
            )
        ],
        axis=1,
    )
    known = np.isfinite(corners).all(axis=(1, 2)) & (half > 0) & (back > 0)
    known &= np.asarray(working, bool)
    places = np.full(east.size, None, object)
    places[known] = shapely.polygons(corners[known])
    return places


def free_share(places: Places, runs: ArrayLike) -> Array:
    """Share of each swath that no earlier record of another run had covered, shape (records,).

    Records stand in the order of work. Ground that the same run covered before does not count:
    rectangles of neighbouring records overlap in curves. Where there is no swath the share is 1,
    and everywhere if swaths lie in a heap that is no field.
    """
    run = np.asarray(runs)
    share = np.ones(run.size)
    have = np.flatnonzero([place is not None for place in places])
    if have.size == 0 or _heaped(places[have]):
        return share
    later, earlier = _crossings(places[have], run[have])
    if later.size == 0:
        return share
    later, earlier = have[later], have[earlier]
    common = shapely.intersection(places[later], places[earlier])
    size, whole = shapely.area(common), shapely.area(places)
    counts = size > NO_OVERLAP * whole[later]
    covered = _covered(later[counts], common[counts], size[counts], run.size)
    share[have] = 1.0 - np.minimum(covered[have] / whole[have], 1.0)
    return share


def _heaped(places: Places) -> bool:
    west, south, east, north = shapely.bounds(places).T
    ground = (east.max() - west.min()) * (north.max() - south.min())
    return bool(shapely.area(places).sum() > MAX_COVERS * ground)


def _crossings(
    places: Places, run: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of a record and an earlier one of another run whose swaths meet."""
    later, earlier = shapely.STRtree(places).query(places, predicate="intersects")
    pairs = (earlier < later) & (run[earlier] != run[later])
    return later[pairs], earlier[pairs]


def _covered(later: NDArray[np.int64], common: Places, size: Array, count: int) -> Array:
    """Area of the union of each record's pieces: they may themselves overlap. [m²]"""
    order = np.argsort(later, kind="stable")
    later, common, size = later[order], common[order], size[order]
    covered = np.zeros(count)
    records, starts, pieces = np.unique(later, return_index=True, return_counts=True)
    for number in np.unique(pieces):
        alike = pieces == number
        if number == 1:
            covered[records[alike]] = size[starts[alike]]
            continue
        table = common[starts[alike][:, None] + np.arange(number)]
        covered[records[alike]] = shapely.area(shapely.union_all(table, axis=1))
    return covered
