"""A day's weather made of a sensor's readings, where enough of the day was heard.

A day counts when ``LEAST_SHARE`` of its hours have a reading and no more than ``LONGEST_GAP_H`` in
a row have none. Days are the place's own: 23 or 25 hours long when clocks change.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.hourly_et import HOUR_US, hourly_extraterrestrial, sun_position

Array = NDArray[np.float64]
Kind = Literal["mean", "max", "min", "sum", "solar"]

LEAST_SHARE = 20 / 24  # of a day's hours, or of its sunshine
LONGEST_GAP_H = 3  # more hours than these without a reading may hide an extreme
MJ_PER_WATT_HOUR = 0.0036


class DailyValues(NamedTuple):
    """One value a day, arrays of shape (days,)."""

    values: Array  # NaN where too little was heard
    coverage: Array  # share of the day's hours (of its sunshine, for radiation), 0 to 1


def daily_from_hourly(
    times_us: ArrayLike,
    values: ArrayLike,
    edges_us: ArrayLike,
    *,
    kind: Kind,
    latitude: float = np.nan,
    longitude: float = np.nan,
) -> DailyValues:
    """Make one value a day of readings, where enough of the day was heard.

    Parameters
    ----------
    times_us : array, shape (readings,)
        When each reading was taken, inside the hour it speaks for. [µs since 1970, UTC]
    values : array, shape (readings,)
        NaN counts as not heard.
    edges_us : array, shape (days + 1,)
        Midnights of consecutive days, see ``weather.LocalDays``. [µs since 1970, UTC]
    kind : {"mean", "max", "min", "sum", "solar"}
        What to make. "solar" takes radiation in W/m² and returns MJ/m².
    latitude, longitude : float
        Of the sensor, for "solar" only; north and east positive. [°]

    Raises
    ------
    ValueError
        If "solar" is asked without a place.

    Notes
    -----
    A mean is one of hours, so a sensor that speaks more often at noon does not warm the day. A sum
    is of what was heard, not scaled up. Radiation needs ``LEAST_SHARE`` of the day's sunshine above
    the air, by Ra, and what was heard is divided by that share; a day without sun has none.
    """
    if kind == "solar" and np.isnan(latitude + longitude):
        raise ValueError("daily radiation needs the latitude and longitude of its sensor")
    edges = np.asarray(edges_us, np.int64)
    grid = _grid(np.asarray(times_us, np.int64), np.asarray(values, float), edges, kind)
    if kind == "solar":
        return _sunshine(grid, edges, latitude, longitude)
    silent = np.isnan(grid.hours) & grid.inside
    lengths = grid.inside.sum(axis=1)
    share = 1.0 - silent.sum(axis=1) / lengths
    enough = (share >= LEAST_SHARE - 1e-9) & (_longest_run(silent) <= LONGEST_GAP_H)
    heard = np.where(np.isnan(grid.hours), _NEUTRAL[kind], grid.hours)
    made = {
        "mean": lambda: heard.sum(axis=1) / np.maximum(lengths - silent.sum(axis=1), 1),
        "max": lambda: heard.max(axis=1),
        "min": lambda: heard.min(axis=1),
        "sum": lambda: heard.sum(axis=1),
    }[kind]()
    return DailyValues(np.where(enough, made, np.nan), share)


_NEUTRAL: dict[Kind, float] = {"mean": 0.0, "sum": 0.0, "max": -np.inf, "min": np.inf}


class _Grid(NamedTuple):
    """Hours of each day from its midnight, arrays of shape (days, hours of the longest day)."""

    hours: Array  # NaN: not heard
    inside: NDArray[np.bool_]  # False beyond the end of a shorter day


def _grid(times: NDArray[np.int64], values: Array, edges: NDArray[np.int64], kind: Kind) -> _Grid:
    lengths = np.diff(edges) // HOUR_US
    width = int(lengths.max(initial=24))
    day = np.searchsorted(edges, times, side="right") - 1
    known = np.isfinite(values) & (day >= 0) & (day < len(lengths))
    day, times, values = day[known], times[known], values[known]
    cell = day * width + (times - edges[day]) // HOUR_US
    size = len(lengths) * width
    count = np.bincount(cell, minlength=size)
    if kind in {"max", "min"}:
        hours = np.full(size, _NEUTRAL[kind])
        (np.maximum if kind == "max" else np.minimum).at(hours, cell, values)
    else:
        hours = np.bincount(cell, weights=values, minlength=size)
        if kind != "sum":
            hours = hours / np.maximum(count, 1)
    table = np.where(count > 0, hours, np.nan).reshape(-1, width)
    return _Grid(table, np.arange(width) < lengths[:, None])


def _sunshine(
    grid: _Grid, edges: NDArray[np.int64], latitude: float, longitude: float
) -> DailyValues:
    width = grid.hours.shape[1]
    middles = edges[:-1, None] + HOUR_US // 2 + HOUR_US * np.arange(width)
    ra = hourly_extraterrestrial(sun_position(middles, latitude, longitude), latitude)
    ra = np.where(grid.inside, ra, 0.0)
    silent = np.isnan(grid.hours)
    total = ra.sum(axis=1)
    dark = total == 0
    share = np.where(silent, 0.0, ra).sum(axis=1) / np.where(dark, 1.0, total)
    enough = (share >= LEAST_SHARE) & (_longest_run(silent & (ra > 0)) <= LONGEST_GAP_H)
    lit = np.where((ra > 0) & ~silent, grid.hours, 0.0)  # a dark sensor's offset is not sunshine
    with np.errstate(divide="ignore", invalid="ignore"):
        made = np.where(enough, lit.sum(axis=1) * MJ_PER_WATT_HOUR / share, np.nan)
    return DailyValues(np.where(dark, 0.0, made), np.where(dark, 1.0, share))


def _longest_run(flags: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Longest row of consecutive True in each row of flags, shape (days,)."""
    longest = np.zeros(len(flags), np.int64)
    current = np.zeros(len(flags), np.int64)
    for column in flags.T:
        current = np.where(column, current + 1, 0)
        longest = np.maximum(longest, current)
    return longest
