"""Yield points from a machine's stored track, as the service receives it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.field_plane import plane_at, to_plane
from analytics.yield_tables import YieldPoints, point_yield

MAX_GAP_S = 10.0  # a longer silence ends the pass
WORKING = 1  # DDI 141


def points_from_track(
    time_us: ArrayLike,
    latitude_deg: ArrayLike,
    longitude_deg: ArrayLike,
    speed_m_s: ArrayLike,
    work_state: ArrayLike,
    width_m: ArrayLike,
    mass_flow_kg_s: ArrayLike,
    crop_moisture_pct: ArrayLike,
    *,
    crs: str | None = None,
    max_gap_s: float = MAX_GAP_S,
) -> YieldPoints:
    """Turn one machine's track points on one field into yield points in order of time.

    Parameters
    ----------
    time_us : array of int, shape (points,)
        Since 1970, UTC; in any order. [µs]
    latitude_deg, longitude_deg, speed_m_s, width_m, mass_flow_kg_s, crop_moisture_pct : arrays
        NaN where unknown. An unknown speed is taken from the positions.
    work_state : array
        ISO 11783 DDI 141; below 0 or NaN where unknown: then grain that flows stands for work.
    crs : str, optional
        Plane of the result (``field_plane.plane_at`` of the field's middle), for maps of several
        years or machines on one grid.
    max_gap_s : float
        A record after a longer silence begins a pass and counts for one usual interval: what
        happened in the silence is not known.

    Returns
    -------
    YieldPoints
        Mass is flow times interval, also after work ended, as the machine empties; area is width
        times way while at work. An unknown flow adds no mass.
    """
    order = np.argsort(np.asarray(time_us, np.int64), kind="stable")
    time = np.asarray(time_us, np.int64)[order] / 1e6
    lat, lon, pace, state, width, flow, moisture = (
        np.asarray(values, float)[order]
        for values in (
            latitude_deg, longitude_deg, speed_m_s, work_state, width_m, mass_flow_kg_s,
            crop_moisture_pct,
        )
    )  # fmt: skip
    plane = crs or plane_at(lon, lat)
    x, y = to_plane(plane, lon, lat)
    since = np.diff(time, prepend=np.nan)
    gap = ~(since <= max_gap_s)
    usual = float(np.median(since[~gap])) if (~gap).any() else 0.0
    interval = np.where(gap, usual, since)
    step = np.hypot(np.diff(x, prepend=np.nan), np.diff(y, prepend=np.nan))
    from_places = np.full(step.shape, np.nan)
    np.divide(step, since, out=from_places, where=~gap & (since > 0))
    pace = np.where(np.isnan(pace), from_places, pace)
    working = np.where(state >= 0, state == WORKING, flow > 0)
    coverage = width * pace
    return YieldPoints(
        x=x,
        y=y,
        yield_kg_ha=point_yield(flow, coverage),
        flow_kg_s=flow,
        coverage_m2_s=coverage,
        mass_kg=np.nan_to_num(flow) * interval,
        area_m2=np.where(working, np.nan_to_num(coverage), 0.0) * interval,
        interval_s=interval,
        speed_m_s=pace,
        moisture_pct=moisture,
        working=working,
        passes=_passes(working, gap),
        crs=plane,
    )


def join(parts: Sequence[YieldPoints]) -> YieldPoints:
    """Points of several machines or days on one plane as one field; no pass goes on in the next.

    Raises
    ------
    ValueError
        If there are none, or they stand on different planes.
    """
    if not parts:
        raise ValueError("there are no points to join")
    if len({part.crs for part in parts}) > 1:
        raise ValueError("points on different planes cannot be joined; make them with one crs")
    passes, highest = [], 0
    for part in parts:
        known = part.passes >= 0
        passes.append(np.where(known, part.passes + highest, -1))
        highest = max(highest, int(passes[-1].max(initial=-1)) + 1)
    sources = {part.mass_source for part in parts}
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in YieldPoints._fields
        if name not in {"passes", "crs", "mass_source"}
    }
    return YieldPoints(
        **columns,
        passes=np.concatenate(passes),
        crs=parts[0].crs,
        mass_source=sources.pop() if len(sources) == 1 else "several",
    )


def _passes(working: NDArray[np.bool_], gap: NDArray[np.bool_]) -> NDArray[np.int64]:
    """A pass begins where work begins, or after a gap."""
    begins = np.diff(working.astype(int), prepend=0) > 0
    return np.asarray(np.cumsum(begins | gap), dtype=np.int64)
