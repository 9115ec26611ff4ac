"""Which yield-monitor points cannot be trusted for a map, and why; nothing is deleted."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from analytics.yield_tables import Array, YieldPoints, point_yield

Flags = NDArray[np.bool_]

# Scales the median absolute deviation to a standard deviation of normal data.
MAD_TO_SD = 1.4826


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


def shift_flow(points: YieldPoints, delay_s: float) -> YieldPoints:
    """Give each place the flow and moisture that the sensors saw ``delay_s`` later in its pass.

    The last places of a pass then have none (NaN), and the first flow of a pass, cut before it
    began, has no place. Mass and area of the records stay: totals need no places.

    Raises
    ------
    ValueError
        If the delay is negative, or not zero where a record's interval is unknown.
    """
    if not delay_s >= 0:
        raise ValueError(f"flow delay must not be negative, got {delay_s}")
    if delay_s == 0:
        return points
    if np.isnan(points.interval_s).any():
        raise ValueError("a flow delay needs the interval of each record")
    time, run = np.cumsum(points.interval_s), _runs(points.passes)
    later = np.searchsorted(time, time + delay_s - 1e-6)
    source = np.minimum(later, time.size - 1)
    seen = (later < time.size) & (run[source] == run)
    flow = np.where(seen, points.flow_kg_s[source], np.nan)
    return points._replace(
        flow_kg_s=flow,
        moisture_pct=np.where(seen, points.moisture_pct[source], np.nan),
        yield_kg_ha=point_yield(flow, points.coverage_m2_s),
    )


def flag_points(points: YieldPoints, filters: Filters) -> dict[str, Flags]:
    """Flag points by reason, in the order of the pipeline; each array has shape (points,).

    A point stands under the first reason that holds for it, so the counts add up. A filter whose
    quantity is unknown (NaN) flags nothing; a yield that is unknown is a reason of its own.
    """
    shifted = shift_flow(points, filters.flow_delay_s)
    grain, moisture = shifted.yield_kg_ha, shifted.moisture_pct
    since, until = _time_in_pass(points)
    checks = {
        "header_up": ~points.working,
        "pass_start": since < filters.start_trim_s,
        "pass_end": until < filters.end_trim_s,
        "flow_delay": np.isnan(shifted.flow_kg_s) & ~np.isnan(points.flow_kg_s),
        "speed_low": points.speed_m_s < filters.min_speed_m_s,
        "speed_high": points.speed_m_s > filters.max_speed_m_s,
        "speed_change": _relative_change(points) > filters.max_speed_change,
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
    flags["local_outlier"] = local_outliers(
        points.x, points.y, grain, left, filters.neighbours, filters.max_deviations
    )
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


def _runs(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number stretches of equal value, as a pass number may come again."""
    changes = np.concatenate([[False], numbers[1:] != numbers[:-1]])
    return np.asarray(np.cumsum(changes), dtype=np.int64)


def _time_in_pass(points: YieldPoints) -> tuple[Array, Array]:
    """Seconds of work since the pass began and until it ends; NaN where passes are not known."""
    unknown = np.full(points.x.shape, np.nan)
    work = np.where(points.working & (points.passes >= 0), points.interval_s, 0.0)
    if np.isnan(work).any() or not work.size:
        return unknown, unknown
    run = _runs(points.passes)
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
