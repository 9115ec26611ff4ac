"""When something needs somebody: conditions on arrays, each with a way back that is not the same.

A condition has three answers, so that what wavers around a limit raises one alert and not many:
``FIRES`` opens an alert, ``RESTS`` ends it, and ``HOLDS`` leaves it as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray
from shapely.geometry.base import BaseGeometry

from analytics.irrigation import counter_differences
from analytics.track_geometry import LocalPlane

RESTS, HOLDS, FIRES = range(3)

Array = NDArray[np.float64]
Answers = NDArray[np.int64]
Flags = NDArray[np.bool_]


def below(values: ArrayLike, fires_at: ArrayLike, rests_at: ArrayLike) -> Answers:
    """Whether values fell to a limit; back is where they rise to another, higher one.

    All of one shape and unit, or single numbers. A NaN holds.

    Raises
    ------
    ValueError
        If a way back lies below its limit.
    """
    values, low, high = np.broadcast_arrays(
        np.asarray(values, float), np.asarray(fires_at, float), np.asarray(rests_at, float)
    )
    if np.any(high < low):
        raise ValueError("the way back from a lower limit is above it")
    return np.where(values <= low, FIRES, np.where(values >= high, RESTS, HOLDS))


def above(values: ArrayLike, fires_at: ArrayLike, rests_at: ArrayLike) -> Answers:
    """Whether values rose to a limit; back is where they fall to another, lower one."""
    return below(
        -np.asarray(values, float), -np.asarray(fires_at, float), -np.asarray(rests_at, float)
    )


class Battery(NamedTuple):
    """Batteries of about one voltage."""

    from_v: float  # highest voltage of a week
    low_v: float
    well_v: float


# By what the battery shows at its best. Ours, for devices in the field under their usual load: lead
# has some 20 % left at 11.8 V, lithium-ion at 3.5 V; a cell of lithium thionyl chloride stays near
# 3.6 V and falls at its end; two alkaline cells are empty at 2.0 V, and radios fail before.
BATTERIES = (
    Battery(18.0, 23.4, 24.6),
    Battery(9.0, 11.7, 12.3),
    Battery(5.2, 5.8, 6.1),
    Battery(3.4, 3.3, 3.45),
    Battery(0.0, 2.3, 2.5),
)


def low_voltage(values: ArrayLike, highest: ArrayLike) -> tuple[Array, Array]:
    """Limits for batteries by the highest voltage that they showed: low, and well again. [V]"""
    best = np.fmax(np.asarray(values, float), np.asarray(highest, float))
    edges = np.array([one.from_v for one in BATTERIES])[:, None]
    chosen = np.argmax(np.atleast_1d(best)[None, :] >= edges, axis=0)
    low = np.array([one.low_v for one in BATTERIES])[chosen]
    well = np.array([one.well_v for one in BATTERIES])[chosen]
    return low, well


class Flow(NamedTuple):
    """Water through a meter, arrays of shape (samples,)."""

    start: Array  # [s]; of a reading of flow its own time, of a counter that of the one before
    end: Array  # [s]
    rate: Array  # [m³/h]


def flow_of_readings(times: ArrayLike, values: ArrayLike) -> Flow:
    """Flow as a meter tells it. [s], [m³/h]"""
    moments = np.asarray(times, float)
    return Flow(moments, moments, np.asarray(values, float))


def flow_of_counter(times: ArrayLike, values: ArrayLike, *, modulus: float | None) -> Flow:
    """Flow between the readings of a counter; nothing is known of one that was reset.

    Times in s, values and modulus in m³.
    """
    found = counter_differences(times, values, modulus=modulus)
    rate = found.volume / (found.end - found.start) * 3_600.0
    rate[found.reset] = np.nan
    return Flow(found.start, found.end, rate)


def valve_states(valves: Sequence[tuple[ArrayLike, ArrayLike]], flow: Flow) -> tuple[Flags, Flags]:
    """During which samples of flow every valve was shut, and during which one was open throughout.

    ``valves`` are the times [s] and states (0 shut to 1 open) of each; a state lasts until the
    next. Before its first a valve is neither.
    """
    shut, opened = np.ones(flow.end.shape, bool), np.zeros(flow.end.shape, bool)
    for times, states in valves:
        moments, values = np.asarray(times, float), np.asarray(states, float)
        first = np.searchsorted(moments, flow.start, "right") - 1
        last = np.searchsorted(moments, flow.end, "right") - 1
        known = first >= 0
        changes = np.concatenate([[0], np.cumsum(values != 0.0)])
        opens = changes[last + 1] - changes[np.maximum(first, 0)]
        states_seen = last - np.maximum(first, 0) + 1
        shut &= known & (opens == 0)
        opened |= known & (opens == states_seen)
    return shut, opened


class Steady(NamedTuple):
    """For how long something has been so, up to the newest sample."""

    seconds: float  # 0: it is not so
    since: float  # [s]


def steady(flow: Flow, so: Flags) -> Steady:
    """For how long every sample up to the newest has been so."""
    if not so.size or not so[-1]:
        return Steady(0.0, float("nan"))
    broken = np.flatnonzero(~so)
    first = int(broken[-1]) + 1 if broken.size else 0
    since = float(flow.start[first])
    return Steady(float(flow.end[-1]) - since, since)


def flow_with_valve_shut(
    flow: Flow,
    shut: Flags,
    *,
    tolerance_m3_h: float,
    minimum_s: float,
) -> tuple[int, Steady]:
    """Whether water has run for long while every valve was shut.

    It ends when a valve opens or less than half of the tolerance flows.
    """
    return _lasting(
        flow,
        so=shut & (flow.rate > tolerance_m3_h),
        over=~shut | (flow.rate <= 0.5 * tolerance_m3_h),
        minimum_s=minimum_s,
    )


def no_flow_with_valve_open(
    flow: Flow,
    opened: Flags,
    *,
    minimum_m3_h: float,
    minimum_s: float,
) -> tuple[int, Steady]:
    """Whether no water has run for long though a valve is open.

    It ends when the valve is shut or twice the least flow flows.
    """
    return _lasting(
        flow,
        so=opened & (flow.rate < minimum_m3_h),
        over=~opened | (flow.rate >= 2.0 * minimum_m3_h),
        minimum_s=minimum_s,
    )


def _lasting(flow: Flow, *, so: Flags, over: Flags, minimum_s: float) -> tuple[int, Steady]:
    found = steady(flow, so)
    if not so.size:
        return HOLDS, found
    if found.seconds >= minimum_s and so[-1]:
        return FIRES, found
    return (RESTS if over[-1] else HOLDS), found


class Outside(NamedTuple):
    """Work beyond every field, up to the newest point."""

    answer: int
    seconds: float
    distance_m: float  # of the newest point, from the nearest field


def work_outside(
    times: ArrayLike,
    longitude_deg: ArrayLike,
    latitude_deg: ArrayLike,
    working: Flags,
    fields: BaseGeometry,
    *,
    buffer_m: float,
    minimum_s: float,
) -> Outside:
    """Whether a machine has worked outside of every field for long.

    Times in s, in order; ``fields`` in longitudes and latitudes (WGS 84). It ends when the machine
    stops working, or is back inside.
    """
    moments = np.asarray(times, float)
    lon, lat = np.asarray(longitude_deg, float), np.asarray(latitude_deg, float)
    plane = LocalPlane(float(lon[-1]), float(lat[-1]))
    land = plane.project(fields)
    distance = shapely.distance(land, shapely.points(*plane.xy(lon, lat)))
    so = working & (distance > buffer_m)
    found = steady(Flow(moments, moments, distance), so)
    answer = FIRES if so[-1] and found.seconds >= minimum_s else HOLDS
    if not so[-1]:
        answer = RESTS
    return Outside(answer, found.seconds, float(distance[-1]))
