"""Which yield-monitor points cannot be trusted for a map, and why; nothing is deleted."""

from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from analytics import spatial_filters
from analytics.yield_tables import Array, YieldPoints, point_yield, runs

Flags = NDArray[np.bool_]

# Scales the median absolute deviation to a standard deviation of normal data.
MAD_TO_SD = 1.4826

LONGEST_DELAY_S = 300.0  # no grain is under way for longer

METHODS = ("auto", "local", "spatial")
# Fewer points say nothing of the whole that they are part of.
MIN_SPATIAL_POINTS = 100


class Filters(NamedTuple):
    """Limits of the filters. The flow delay and the trims are the machine's: set them if known."""

    flow_delay_s: float = 0.0  # from cutting to the mass and moisture sensors
    start_trim_s: float = 4.0  # the threshing fills at the start of a pass ...
    end_trim_s: float = 4.0  # ... and empties at its end
    min_speed_m_s: float = 0.5
    max_speed_m_s: float = 5.0
    max_speed_change: float = 0.2  # of the speed of the record before; 10-20 % is usual
    min_yield_kg_ha: float = 0.0  # itself flagged: nothing was harvested
    max_yield_kg_ha: float = 200_000.0  # wet; above what any field crop gives, fresh maize too
    min_moisture_pct: float = 3.0
    max_moisture_pct: float = 85.0
    neighbours: int = 30
    max_deviations: float = 3.5  # scaled median absolute deviations from the neighbours' median
    moisture_delay_s: float | None = None  # that of the flow by default
    min_free_share: float = 0.5  # of the swath; below it, overlap makes the yield a guess
    method: str = "auto"  # of telling outliers: "local", or "spatial" as where passes are unknown
    border_m: float = 10.0  # spatial: so near to the edge no point is trusted
    edge_gap_m: float = 30.0  # spatial: wider gaps between points are not field
    max_global_deviations: float = 3.0  # spatial: standard deviations from the mean
    reach_m: float = 40.0  # spatial: points within it are neighbours
    significance: float = 0.05  # spatial: of the local Moran index, one-sided


def is_spatial(points: YieldPoints, filters: Filters) -> bool:
    """Whether outliers are told by the spatial method.

    Raises
    ------
    ValueError
        If the method is none of ``METHODS``.
    """
    if filters.method not in METHODS:
        raise ValueError(f"method {filters.method!r} is not one of {', '.join(METHODS)}")
    return filters.method == "spatial" or (
        filters.method == "auto" and not (points.passes >= 0).any()
    )


def shift_flow(
    points: YieldPoints, delay_s: float, moisture_delay_s: float | None = None
) -> YieldPoints:
    """Give each place the flow and moisture that the sensors saw ``delay_s`` later in its pass.

    The last places of a pass then have none (NaN), and the first flow of a pass, cut before it
    began, has no place. Mass and area of the records stay: totals need no places. The moisture
    sensor has the delay of the flow unless another is given.

    Raises
    ------
    ValueError
        If a delay is negative, or not zero where a record's interval is unknown.
    """
    flow = _seen_later(points, points.flow_kg_s, delay_s, "flow")
    wet_delay = delay_s if moisture_delay_s is None else moisture_delay_s
    moisture = _seen_later(points, points.moisture_pct, wet_delay, "moisture")
    if delay_s == 0:
        return points._replace(moisture_pct=moisture)
    return points._replace(
        flow_kg_s=flow,
        moisture_pct=moisture,
        yield_kg_ha=point_yield(flow, points.coverage_m2_s),
    )


def _seen_later(points: YieldPoints, values: Array, delay_s: float, name: str) -> Array:
    if not delay_s >= 0:
        raise ValueError(f"{name} delay must not be negative, got {delay_s}")
    if delay_s > LONGEST_DELAY_S:
        raise ValueError(f"{name} delay must be at most {LONGEST_DELAY_S:g} s, got {delay_s:g}")
    if delay_s == 0:
        return values
    if np.isnan(points.interval_s).any():
        raise ValueError(f"a {name} delay needs the interval of each record")
    time, run = np.cumsum(points.interval_s), runs(points.passes)
    later = np.searchsorted(time, time + delay_s - 1e-6)
    source = np.minimum(later, time.size - 1)
    return np.where((later < time.size) & (run[source] == run), values[source], np.nan)


def map_points(points: YieldPoints, filters: Filters, free: ArrayLike = 1.0) -> YieldPoints:
    """Points as a map shows them: flow at its place, and over the width that was still free.

    ``free`` is the share of each swath that no other pass had covered before
    (``swath.free_share``). Mass and area of the records stay.
    """
    placed = shift_flow(points, filters.flow_delay_s, filters.moisture_delay_s)
    share = np.broadcast_to(np.asarray(free, float), placed.x.shape)
    if (share == 1).all():
        return placed
    coverage = placed.coverage_m2_s * share
    ready = np.isnan(placed.flow_kg_s) & ~(points.flow_kg_s >= 0)  # a ready-made yield stays
    over_free = point_yield(placed.flow_kg_s, coverage)
    return placed._replace(
        coverage_m2_s=coverage, yield_kg_ha=np.where(ready, placed.yield_kg_ha, over_free)
    )


def flag_points(
    points: YieldPoints,
    filters: Filters,
    free: ArrayLike = 1.0,
    boundary: shapely.Geometry | None = None,
) -> dict[str, Flags]:
    """Flag points by reason, in the order of the pipeline; each array has shape (points,).

    A point stands under the first reason that holds for it, so the counts add up. A filter whose
    quantity is unknown (NaN) flags nothing; a yield that is unknown is a reason of its own.
    ``free`` as in ``map_points``; ``boundary`` is the field's, on the plane of the points.
    """
    shifted = map_points(points, filters, free)
    grain, moisture = shifted.yield_kg_ha, shifted.moisture_pct
    since, until = _time_in_pass(points)
    outside = np.zeros(grain.shape, bool)
    if boundary is not None:
        shapely.prepare(boundary)
        outside = ~np.asarray(shapely.intersects_xy(boundary, points.x, points.y))
    checks = {
        "header_up": ~points.working,
        "pass_start": since < filters.start_trim_s,
        "pass_end": until < filters.end_trim_s,
        "flow_delay": np.isnan(shifted.flow_kg_s) & ~np.isnan(points.flow_kg_s),
        "speed_low": points.speed_m_s < filters.min_speed_m_s,
        "speed_high": points.speed_m_s > filters.max_speed_m_s,
        "speed_change": _relative_change(points) > filters.max_speed_change,
        "overlap": np.broadcast_to(np.asarray(free) < filters.min_free_share, grain.shape),
        "outside_boundary": outside,
        "yield_unknown": ~np.isfinite(grain),
        "yield_low": grain <= filters.min_yield_kg_ha,
        "yield_high": grain > filters.max_yield_kg_ha,
        "moisture_range": (moisture < filters.min_moisture_pct)
        | (moisture > filters.max_moisture_pct),
    }
    left = np.ones(grain.shape, bool)
    flags: dict[str, Flags] = {}
    for reason, found in checks.items():
        flags[reason] = found & left
        left &= ~found
    nothing = np.zeros(grain.shape, bool)
    spatial = is_spatial(points, filters)
    flags["local_outlier"] = nothing
    if not spatial:
        flags["local_outlier"] = local_outliers(
            points.x, points.y, grain, left, filters.neighbours, filters.max_deviations
        )
    among = left if spatial else nothing
    return {**flags, **spatial_outliers(points, grain, among, filters, boundary)}


def spatial_outliers(
    points: YieldPoints,
    values: ArrayLike,
    among: Flags,
    filters: Filters,
    boundary: shapely.Geometry | None = None,
) -> dict[str, Flags]:
    """Points of ``among`` by reason: the border, far from all, far from those around.

    Each step sees what the steps before left. Without a boundary the points themselves tell
    where the field ends. Where there are too few points nothing is flagged.

    References
    ----------
    .. [1] A. Vega et al., "Protocol for automating error removal from yield maps", Precision
       Agriculture 20, 1030-1044, 2019.
    """
    grain = np.asarray(values, float)
    flags = {
        reason: np.zeros(grain.shape, bool)
        for reason in ("border", "global_outlier", "moran_plot", "local_moran")
    }
    placed = np.isfinite(points.x + points.y)
    rows = np.flatnonzero(among & placed)
    if rows.size < MIN_SPATIAL_POINTS:
        return flags
    ground = boundary
    if ground is None:
        ground = spatial_filters.edge_of_points(
            points.x[placed], points.y[placed], filters.edge_gap_m
        )
    edge = spatial_filters.near_edge(points.x[rows], points.y[rows], ground, filters.border_m)
    flags["border"][rows[edge]] = True
    rows = rows[~edge]
    far = spatial_filters.global_outliers(grain[rows], filters.max_global_deviations)
    flags["global_outlier"][rows[far]] = True
    rows = rows[~far]
    x, y, grain = points.x[rows], points.y[rows], grain[rows]
    lag, number = spatial_filters.spatial_lag(x, y, grain, filters.reach_m)
    leverage = spatial_filters.moran_plot_outliers(grain, lag)
    moran = spatial_filters.local_moran_outliers(grain, lag, number, filters.significance)
    flags["moran_plot"][rows[leverage]] = True
    flags["local_moran"][rows[moran & ~leverage]] = True
    return flags


def local_outliers(
    x: ArrayLike,
    y: ArrayLike,
    values: ArrayLike,
    among: Flags,
    neighbours: int,
    max_deviations: float,
) -> Flags:
    """Points further from their neighbours' median than so many scaled deviations (MAD).

    Only points of ``among`` are judged, and only by one another. A deviation below 1 % of the
    median counts as 1 %: where neighbours agree to the last digit, rounding is no outlier.
    """
    place = np.column_stack([np.asarray(x, float), np.asarray(y, float)])
    quantity = np.asarray(values, float)
    judged = np.flatnonzero(among & np.isfinite(place).all(axis=1))
    outlier = np.zeros(quantity.shape, bool)
    if judged.size <= neighbours:
        return outlier
    _, near = cKDTree(place[judged]).query(place[judged], k=neighbours + 1)
    around = quantity[judged][near]  # a point is the nearest of its own neighbours
    median = np.median(around, axis=1)
    deviation = np.median(np.abs(around - median[:, None]), axis=1)
    limit = max_deviations * np.maximum(MAD_TO_SD * deviation, 0.01 * np.abs(median))
    outlier[judged] = np.abs(quantity[judged] - median) > limit
    return outlier


def _time_in_pass(points: YieldPoints) -> tuple[Array, Array]:
    """Seconds of work since the pass began and until it ends; NaN where passes are not known."""
    unknown = np.full(points.x.shape, np.nan)
    work = np.where(points.working & (points.passes >= 0), points.interval_s, 0.0)
    if np.isnan(work).any() or not work.size:
        return unknown, unknown
    run = runs(points.passes)
    total = np.bincount(run, weights=work)
    before = np.cumsum(work) - work  # at the beginning of the record
    since = before - np.concatenate([[0.0], np.cumsum(total)[:-1]])[run]
    until = total[run] - since - work
    known = points.passes >= 0
    return np.where(known, since, np.nan), np.where(known, until, np.nan)


def _relative_change(points: YieldPoints) -> Array:
    """Change of speed from the record before in the same pass, as a share of that speed."""
    change = np.full(points.x.shape, np.nan)
    before, now = points.speed_m_s[:-1], points.speed_m_s[1:]
    known = (before > 0) & (points.passes[1:] == points.passes[:-1])
    change[1:][known] = np.abs(now[known] / before[known] - 1.0)
    return change
