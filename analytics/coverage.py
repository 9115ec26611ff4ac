"""Ground that passes covered once, more than once, and left out between them: as places, for a map.

Hectares are those of ``machine_work``, which knows what lies within a pass; here passes are laid
over one another. A pass that crosses itself, as in a bend, covers its ground once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from analytics.track_geometry import FieldShape, Integers, Strips, gaps

Places = NDArray[Any]  # of shapely polygons

GRID_M = 0.01  # corners lie on it: what is laid over one another stays valid
LEAST_M2 = 0.5  # passes that touch share a sliver; nobody could see it


class Coverage(NamedTuple):
    """Parts of a field, longitudes and latitudes, and their areas."""

    once: BaseGeometry
    more: BaseGeometry
    gaps: BaseGeometry
    once_ha: float
    more_ha: float
    gaps_ha: float


def coverage(parts: Sequence[Strips], field: FieldShape) -> Coverage:
    """Lay swaths of one or more days over one another, within the field.

    Parameters
    ----------
    parts
        Of one day each, on the field's plane; passes of two days are never the same pass.
    """
    swath, number = _together(parts, field)
    covered = shapely.union_all(swath, grid_size=GRID_M)
    more = _more_than_once(swath, number)
    once = shapely.difference(covered, more, grid_size=GRID_M)
    width = max(float(one.width_m.max()) for one in parts)
    left_out = shapely.difference(gaps(covered, width, field.polygon), covered, grid_size=GRID_M)
    places = (once, more, left_out)
    return Coverage(
        *(field.plane.unproject(one) for one in places),
        *(float(one.area) / 1e4 for one in places),
    )


def _together(parts: Sequence[Strips], field: FieldShape) -> tuple[Places, Integers]:
    """Swaths of all days within the field, and the number of the pass that each is of."""
    numbers, highest = [], 0
    for one in parts:
        numbers.append(one.number + highest)
        highest = int(numbers[-1].max()) + 1
    swath = np.concatenate([one.swath for one in parts])
    number = np.concatenate(numbers)
    shapely.prepare(field.polygon)
    cut = ~shapely.covers(field.polygon, swath)
    swath[cut] = shapely.intersection(swath[cut], field.polygon)
    there = ~shapely.is_empty(swath)
    return swath[there], number[there]


def _more_than_once(swath: Places, number: Integers) -> BaseGeometry:
    """What swaths of different passes have in common."""
    one, other = shapely.STRtree(swath).query(swath, predicate="intersects")
    pairs = (one < other) & (number[one] != number[other])
    common = shapely.intersection(swath[one[pairs]], swath[other[pairs]], grid_size=GRID_M)
    whole = shapely.get_parts(shapely.union_all(common, grid_size=GRID_M))
    return shapely.union_all(whole[shapely.area(whole) >= LEAST_M2], grid_size=GRID_M)
