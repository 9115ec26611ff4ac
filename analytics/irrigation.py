"""Applied water from meters: volumes between the readings of a cumulative counter.

Times are POSIX seconds (UTC), volumes m³.
"""

from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

M3_PER_HA_PER_MM = 10.0


class Differences(NamedTuple):
    """Volumes between consecutive readings, arrays of shape (intervals,)."""

    start: Array  # time of the earlier reading [s]
    end: Array  # time of the later reading [s]
    volume: Array  # [m³]
    reset: NDArray[np.bool_]  # the counter fell and was counted from zero
    wrapped: NDArray[np.bool_]  # the counter ran over its end

    @property
    def total(self) -> float:
        """All volume between the first and the last reading. [m³]"""
        return float(self.volume.sum())


def counter_differences(
    times: ArrayLike, values: ArrayLike, *, modulus: float | None = None
) -> Differences:
    """Volumes between consecutive readings of a counter that only ever counts up.

    Parameters
    ----------
    times : array, shape (readings,)
        POSIX time, in any order. [s]
    values : array, shape (readings,)
        The counter; NaN is no reading. [m³]
    modulus : float, optional
        Where the counter starts again, such as 2**32 counts of its resolution. [m³]

    Raises
    ------
    ValueError
        If lengths differ, a value is negative or reaches the modulus, or one time has two values.

    Notes
    -----
    A value below the one before is a wrap if the counter has a modulus, the value before stood in
    its last tenth and the new one in its first tenth. Otherwise the meter was reset or exchanged:
    what it shows was counted since, and what flowed between the last reading and the reset is
    unknown, so a volume with a reset is a lower bound.
    A reading repeated at the same time counts once.
    """
    moments, readings = np.asarray(times, float), np.asarray(values, float)
    if moments.shape != readings.shape or moments.ndim != 1:
        raise ValueError(f"{moments.size} times stand against {readings.size} counter values")
    known = ~np.isnan(readings)
    pairs = np.unique(np.column_stack([moments[known], readings[known]]), axis=0)
    moments, readings = pairs[:, 0], pairs[:, 1]
    if np.any(np.diff(moments) == 0):
        raise ValueError("the counter has two values at one time")
    if np.any(readings < 0) or (modulus is not None and np.any(readings >= modulus)):
        raise ValueError(f"a counter value is not within 0 and its modulus {modulus}")
    volume = np.diff(readings)
    fell = volume < 0
    wrapped = np.zeros_like(fell)
    if modulus is not None:
        wrapped = fell & (readings[:-1] > 0.9 * modulus) & (readings[1:] < 0.1 * modulus)
        volume = np.where(wrapped, volume + modulus, volume)
    reset = fell & ~wrapped
    volume = np.where(reset, readings[1:], volume)
    return Differences(moments[:-1], moments[1:], volume, reset, wrapped)


def day_edges(first: datetime, days: int, timezone: ZoneInfo) -> Array:
    """Midnights that bound local days from that of ``first``, shape (days + 1,). [s]

    A day of a clock change has 23 or 25 hours.
    """
    start = first.astimezone(timezone).date()
    midnights = (
        datetime.combine(start + timedelta(days=day), datetime.min.time(), timezone)
        for day in range(days + 1)
    )
    return np.array([midnight.timestamp() for midnight in midnights])


def daily_volumes(differences: Differences, edges: ArrayLike) -> Array:
    """Share volumes out to the days that ``edges`` bound, shape (days,). [m³]

    A volume counts for the day in which its interval ends: a meter that reports rarely reports
    after the flow. An interval that ends at midnight sharp belongs to the day that ends there.
    Volumes that end outside the edges count for no day.
    """
    bounds = np.asarray(edges, float)
    day = np.searchsorted(bounds, differences.end, side="left") - 1
    inside = (day >= 0) & (day < bounds.size - 1)
    return np.bincount(
        day[inside], weights=differences.volume[inside], minlength=bounds.size - 1
    ).astype(float)


def depth_mm(volume_m3: ArrayLike, area_ha: ArrayLike) -> Array:
    """Depth of a volume over an area. [mm]"""
    return np.asarray(
        np.asarray(volume_m3, float) / (M3_PER_HA_PER_MM * np.asarray(area_ha, float))
    )
