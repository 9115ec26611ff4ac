"""A yield map: the trusted points of a field on a grid of square cells."""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.field_plane import to_degrees, to_plane
from analytics.yield_filters import Flags
from analytics.yield_tables import Array, YieldPoints

# Bounds of the classes of the legend [kg/ha], for ever the same: a quantile would paint a poor
# year like a rich one.
LEGEND_KG_HA: dict[str, tuple[float, ...]] = {
    "spring-wheat": (500, 1000, 1500, 2000, 2500, 3000, 4000),
    "winter-wheat": (1000, 2000, 3000, 4000, 5000, 6000, 8000),
    "barley": (500, 1000, 1500, 2000, 3000, 4000, 5000),
    "oats": (500, 1000, 1500, 2000, 2500, 3000, 4000),
    "maize": (2000, 4000, 6000, 8000, 10_000, 12_000, 14_000),
    "rice": (1000, 2000, 3000, 4000, 5000, 6000, 8000),
    "sunflower": (500, 1000, 1500, 2000, 2500, 3000, 4000),
    "soybean": (500, 1000, 1500, 2000, 2500, 3000, 4000),
    "rapeseed": (500, 1000, 1500, 2000, 2500, 3000, 4000),
    "safflower": (250, 500, 750, 1000, 1250, 1500, 2000),
    "flax": (250, 500, 750, 1000, 1250, 1500, 2000),
    "cotton": (1000, 1500, 2000, 2500, 3000, 3500, 4500),
    "chickpea": (250, 500, 750, 1000, 1250, 1500, 2000),
    "lentil": (250, 500, 750, 1000, 1250, 1500, 2000),
    "sugar-beet": (10_000, 20_000, 30_000, 40_000, 50_000, 60_000, 80_000),
    "potato": (5000, 10_000, 15_000, 20_000, 25_000, 30_000, 40_000),
    "onion": (10_000, 20_000, 30_000, 40_000, 50_000, 60_000, 80_000),
}
ANY_CROP_KG_HA: tuple[float, ...] = (
    500,
    1000,
    2000,
    3000,
    4000,
    6000,
    8000,
    12_000,
    24_000,
    48_000,
)
MAX_CELLS = 1_000_000
FILL_NEIGHBOURS = 3  # an empty cell takes the mean of its eight if so many of them have points


class YieldGrid(NamedTuple):
    """Cells of shape (rows, columns), from south to north and west to east."""

    crs: str  # plane of the grid, see field_plane
    west_m: float  # of the first column, on the plane
    south_m: float
    cell_m: float
    yield_kg_ha: Array  # mean of the points weighted by their area; NaN where empty
    deviation_kg_ha: Array  # standard deviation, so weighted
    points: NDArray[np.int64]
    area_m2: Array  # that the points covered; NaN where they tell none
    filled: Flags  # cells without points, filled from their neighbours


def yield_grid(
    points: YieldPoints,
    kept: Flags,
    *,
    cell_m: float = 20.0,
    crs: str | None = None,
    fill: bool = False,
) -> YieldGrid:
    """Mean yield of the kept points in each cell.

    Parameters
    ----------
    points : YieldPoints
        As ``map_points`` gives them: flow at its place, over the width that was free.
    kept : array of bool, shape (points,)
    cell_m : float
        Side of a cell. [m]
    crs : str, optional
        Plane of the grid, its lines at multiples of ``cell_m``; by default that of the points.
        Years share a grid if they share the plane.
    fill : bool
        Give empty cells the mean of their eight neighbours where three of them have points.

    Raises
    ------
    ValueError
        If a cell has no size, the points know no plane, or the grid would have over a million
        cells.
    """
    if not cell_m > 0:
        raise ValueError(f"a cell needs a size, got {cell_m:g} m")
    if not points.crs:
        raise ValueError("a map needs degrees, or the system of x_m and y_m (--crs EPSG:…)")
    use = kept & np.isfinite(points.yield_kg_ha) & np.isfinite(points.x + points.y)
    x, y, plane = points.x[use], points.y[use], points.crs
    if crs is not None and crs != plane:
        x, y = to_plane(crs, *to_degrees(plane, x, y))
        plane = crs
    grain, area = points.yield_kg_ha[use], _areas(points)[use]
    if not x.size:
        none = np.empty((0, 0))
        return YieldGrid(plane, 0.0, 0.0, cell_m, none, none, none.astype(int), none, none > 0)
    column, row = np.floor(x / cell_m).astype(np.int64), np.floor(y / cell_m).astype(np.int64)
    west, south = int(column.min()), int(row.min())
    shape = (int(row.max()) - south + 1, int(column.max()) - west + 1)
    if shape[0] * shape[1] > MAX_CELLS:
        raise ValueError(f"{shape[0]} x {shape[1]} cells of {cell_m:g} m are too many for a map")
    cell = (row - south) * shape[1] + column - west
    weight = np.ones(area.shape) if np.isnan(area).any() else area
    count, total, mean, spread = _moments(cell, grain, weight, shape[0] * shape[1])
    covered = np.full(total.shape, np.nan) if np.isnan(area).any() else total
    grid = YieldGrid(
        plane, west * cell_m, south * cell_m, cell_m, mean.reshape(shape), spread.reshape(shape),
        count.reshape(shape), covered.reshape(shape), np.zeros(shape, bool),
    )  # fmt: skip
    return _filled(grid) if fill else grid


def map_mean(grid: YieldGrid) -> float:
    """Mean of the cells that have points, each weighing as much as its points. [kg/ha]"""
    has = grid.points > 0
    if not has.any():
        return float("nan")
    weight = np.where(np.isnan(grid.area_m2), grid.points, grid.area_m2)[has]
    return float(np.average(grid.yield_kg_ha[has], weights=weight))


def legend(crop: str | None = None) -> list[dict[str, float | None]]:
    """Classes of the legend from low to high: from ≤ yield < to, [kg/ha]; None is open."""
    bounds = LEGEND_KG_HA.get(crop or "", ANY_CROP_KG_HA)
    ends = [None, *bounds, None]
    return [{"from_kg_ha": low, "to_kg_ha": high} for low, high in pairwise(ends)]


def as_geojson(grid: YieldGrid, crop: str | None = None) -> dict[str, Any]:
    """Feature collection: a square (WGS 84) for each cell with a yield, and the legend.

    ``class`` of a cell is its place in the legend.
    """
    rows, columns = np.nonzero(np.isfinite(grid.yield_kg_ha))
    east, north = columns[:, None] + [0, 1, 1, 0, 0], rows[:, None] + [0, 0, 1, 1, 0]
    corners = to_degrees(
        grid.crs, grid.west_m + grid.cell_m * east, grid.south_m + grid.cell_m * north
    )
    rings = np.round(np.stack(corners, axis=-1), 7).tolist()
    found = grid.yield_kg_ha[rows, columns]
    classes = np.searchsorted(LEGEND_KG_HA.get(crop or "", ANY_CROP_KG_HA), found, side="right")
    features = [
        {
            "type": "Feature",
            "geometry": {"type": "Polygon", "coordinates": [ring]},
            "properties": {
                "yield_kg_ha": round(float(grid.yield_kg_ha[row, column]), 1),
                "deviation_kg_ha": _rounded(grid.deviation_kg_ha[row, column]),
                "points": int(grid.points[row, column]),
                "area_m2": _rounded(grid.area_m2[row, column]),
                "filled": bool(grid.filled[row, column]),
                "class": int(number),
            },
        }
        for ring, row, column, number in zip(rings, rows, columns, classes, strict=True)
    ]
    return {
        "type": "FeatureCollection",
        "features": features,
        "cell_m": grid.cell_m,
        "crop": crop,
        "legend": legend(crop),
    }


def _areas(points: YieldPoints) -> Array:
    """Ground of each point that was free; NaN where the file tells no width. [m²]"""
    area = points.coverage_m2_s * points.interval_s
    return np.where(points.interval_s > 0, area, np.nan)


def _moments(
    cell: NDArray[np.int64], values: Array, weight: Array, cells: int
) -> tuple[NDArray[np.int64], Array, Array, Array]:
    count = np.bincount(cell, minlength=cells)
    total = np.bincount(cell, weight, cells).astype(float)
    safe = np.where(total > 0, total, np.nan)
    mean = np.bincount(cell, weight * values, cells) / safe
    spread = np.sqrt(np.bincount(cell, weight * (values - mean[cell]) ** 2, cells) / safe)
    return count.astype(np.int64), total, mean, spread


def _filled(grid: YieldGrid) -> YieldGrid:
    rows, columns = grid.yield_kg_ha.shape
    padded = np.pad(grid.yield_kg_ha, 1, constant_values=np.nan)
    around = np.stack(
        [
            padded[row : row + rows, column : column + columns]
            for row in range(3)
            for column in range(3)
            if (row, column) != (1, 1)
        ]
    )
    known = np.isfinite(around)
    number = known.sum(axis=0)
    empty = np.isnan(grid.yield_kg_ha) & (number >= FILL_NEIGHBOURS)
    mean = np.where(known, around, 0.0).sum(axis=0) / np.maximum(number, 1)
    return grid._replace(yield_kg_ha=np.where(empty, mean, grid.yield_kg_ha), filled=empty)


def _rounded(value: float) -> float | None:
    return round(float(value), 1) if np.isfinite(value) else None
