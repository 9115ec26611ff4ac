"""Reference evapotranspiration of days, summed from their hours."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.hourly_et import HOUR_US, fao56_hourly, hourly_vapour_pressure

Array = NDArray[np.float64]

MJ_PER_WATT_HOUR = 0.0036
# FAO-56 p. 75: measured over clear-sky radiation before sunset, 0.7 to 0.8 in dry climates. It
# stands in for the night before the first day.
CLEARNESS_BEFORE = 0.75


class Hours(NamedTuple):
    """Hours of a station, arrays of shape (hours,) without gaps in time; NaN: not measured."""

    temperature: Array  # mean [°C]
    relative_humidity: Array  # mean [%]
    wind_2m: Array  # mean [m s⁻¹]
    solar: Array  # mean [W m⁻²]


def on_hours(times_us: NDArray[np.int64], values: Array, edges_us: NDArray[np.int64]) -> Array:
    """Lay values of hours [that begin at ``times_us`` or in them] on every hour of the days."""
    count = int((edges_us[-1] - edges_us[0]) // HOUR_US)
    place = (times_us - edges_us[0]) // HOUR_US
    inside = (place >= 0) & (place < count)
    laid = np.full(count, np.nan)
    laid[place[inside]] = values[inside]
    return laid


def et0_by_day(
    hours: Hours,
    edges_us: NDArray[np.int64],
    *,
    latitude: float,
    longitude: float,
    elevation: float,
) -> Array:
    """Sum of each day's hours by FAO-56 Eq. 53, shape (days,). [mm day⁻¹]

    Parameters
    ----------
    hours : Hours
        Of every hour from ``edges_us[0]`` to the last edge.
    edges_us : array, shape (days + 1,)
        Midnights of consecutive days. [µs since 1970, UTC]
    latitude, longitude, elevation : float
        North and east positive [°]; above the sea [m].

    Notes
    -----
    A day with an hour whose temperature, humidity or wind was not measured, or radiation while the
    sun is up, is NaN: twenty-three hours are no day. The clearness of the sky is carried through
    the night from the last high sun.
    """
    middles = edges_us[0] + HOUR_US // 2 + HOUR_US * np.arange(len(hours.temperature))
    found = fao56_hourly(
        hours.temperature,
        hours.solar * MJ_PER_WATT_HOUR,
        hourly_vapour_pressure(hours.temperature, hours.relative_humidity),
        hours.wind_2m,
        middle_us=middles,
        latitude=latitude,
        longitude=longitude,
        elevation=elevation,
        clearness_before=CLEARNESS_BEFORE,
    ).et0
    day = np.searchsorted(edges_us, middles, side="right") - 1
    return np.bincount(day, weights=found, minlength=len(edges_us) - 1).astype(float)
