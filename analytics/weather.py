"""From what a station said to the weather of every day: days, gaps, and how they were filled."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from analytics.reference_et import actual_vapour_pressure, fao56_daily, wind_at_2m
from analytics.sunlight import extraterrestrial_radiation, solar_from_temperature

Array = NDArray[np.float64]

CALM_M_S = 2.0  # FAO-56 p. 63: where no wind was measured at all


class LocalDays(NamedTuple):
    """Consecutive days of a place."""

    dates: list[dt.date]
    edges_us: NDArray[np.int64]  # their midnights and the one after [µs since 1970], (days + 1,)


class Station(NamedTuple):
    """What was measured, arrays of shape (days,); NaN where nothing was."""

    tmax: Array  # [°C]
    tmin: Array  # [°C]
    dew_point: Array  # [°C]
    rh_max: Array  # [%]
    rh_min: Array  # [%]
    solar: Array  # [MJ m⁻²]
    wind: Array  # [m s⁻¹] at the sensor's height
    rain: Array  # [mm]


class DailyWeather(NamedTuple):
    """Weather of every day, without gaps, arrays of shape (days,)."""

    et0: Array  # [mm]
    rain: Array  # [mm]
    wind_2m: Array  # [m s⁻¹]
    rh_min: Array  # [%]
    source: list[str]  # measured, or what was filled and how


def local_days(first: dt.date, last: dt.date, timezone: str) -> LocalDays:
    """Days from ``first`` to ``last``, both included, as clocks at the place count them."""
    zone = ZoneInfo(timezone)
    dates = [first + dt.timedelta(days=number) for number in range((last - first).days + 1)]
    midnights = [
        dt.datetime.combine(date, dt.time(), zone) for date in (*dates, last + dt.timedelta(days=1))
    ]
    seconds = np.array([moment.timestamp() for moment in midnights])
    return LocalDays(dates, (seconds * 1e6).astype(np.int64))


def by_day(times_us: NDArray[np.int64], values: Array, days: LocalDays, *, add_up: bool) -> Array:
    """One value a day: the sum, or the mean; NaN for a day without any. Shape (days,)."""
    place = np.searchsorted(days.edges_us, times_us, side="right") - 1
    inside = (place >= 0) & (place < len(days.dates))
    count = np.bincount(place[inside], minlength=len(days.dates))
    total = np.bincount(place[inside], weights=values[inside], minlength=len(days.dates))
    divisor = np.ones_like(total) if add_up else np.maximum(count, 1)
    return np.asarray(np.where(count > 0, total / divisor, np.nan))


def complete(
    station: Station,
    days: LocalDays,
    *,
    latitude: float,
    elevation: float,
    wind_height: float,
) -> DailyWeather:
    """Fill the gaps by stated rules and compute reference evapotranspiration. [mm day⁻¹]

    Missing temperature and wind are interpolated between the neighbouring days, missing radiation
    is estimated from temperature (Eq. 50), missing humidity from the dew point or the lowest
    temperature (Eqs. 14, 48), missing rain counts as none. Every filled day says so.

    Raises
    ------
    ValueError
        If no day has both temperature extremes: there is nothing to fill from.
    """
    if np.isnan(station.tmax + station.tmin).all():
        raise ValueError("no day has both a highest and a lowest temperature")
    day_of_year = np.array([date.timetuple().tm_yday for date in days.dates], float)
    tmax, tmin = _between(station.tmax), _between(station.tmin)
    wind = np.full_like(tmax, CALM_M_S)
    if not np.isnan(station.wind).all():
        wind = np.asarray(wind_at_2m(_between(station.wind), wind_height))
    vapour = actual_vapour_pressure(
        tmax, tmin, tdew=station.dew_point, rh_max=station.rh_max, rh_min=station.rh_min
    )
    ra = extraterrestrial_radiation(latitude, day_of_year)
    estimated = solar_from_temperature(tmax, tmin, ra, elevation)
    solar = np.where(np.isnan(station.solar), estimated, station.solar)
    et0 = fao56_daily(
        tmax,
        tmin,
        solar,
        vapour,
        wind,
        latitude=latitude,
        elevation=elevation,
        day_of_year=day_of_year,
    )
    rh_min = np.where(np.isnan(station.rh_min), _driest(vapour, tmax), station.rh_min)
    rain = np.nan_to_num(station.rain)
    return DailyWeather(np.asarray(et0), rain, wind, np.asarray(rh_min), _sources(station))


def _between(values: Array) -> Array:
    known = np.flatnonzero(~np.isnan(values))
    return np.interp(np.arange(len(values)), known, values[known])


def _driest(vapour: Array, tmax: Array) -> Array:
    saturated = 0.6108 * np.exp(17.27 * tmax / (tmax + 237.3))  # Eq. 11
    return np.asarray(np.clip(100.0 * vapour / saturated, 0.0, 100.0))


def _sources(station: Station) -> list[str]:
    rules = (
        ("temperature interpolated", np.isnan(station.tmax) | np.isnan(station.tmin)),
        ("radiation estimated from temperature", np.isnan(station.solar)),
        (
            "humidity estimated from the lowest temperature",
            np.isnan(station.dew_point) & np.isnan(station.rh_max),
        ),
        ("wind interpolated", np.isnan(station.wind)),
        ("rain taken as none", np.isnan(station.rain)),
    )
    return [
        "; ".join(name for name, missing in rules if missing[day]) or "measured"
        for day in range(len(station.tmax))
    ]
