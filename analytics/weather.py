"""From what a station said to the weather of every day: days, gaps, and how they were filled."""

from __future__ import annotations

import datetime as dt
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from analytics.reference_et import actual_vapour_pressure, fao56_daily, hargreaves, wind_at_2m
from analytics.sunlight import extraterrestrial_radiation, solar_from_temperature

Array = NDArray[np.float64]

ReferenceMethod = Literal["penman-monteith", "hargreaves"]

USUAL_WIND_M_S = 2.0  # FAO-56 p. 63: where no wind was measured
LONGEST_WIND_GAP = 7  # days between measured ones over which wind is interpolated


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
    wind_height: float | None,
    method: ReferenceMethod = "penman-monteith",
    calibration: tuple[float, float] = (0.0, 1.0),
    dew_point_offset: float = 0.0,
) -> DailyWeather:
    """Fill the gaps by stated rules and compute reference evapotranspiration. [mm day⁻¹]

    Missing temperature is interpolated between the neighbouring days, missing wind too over at
    most ``LONGEST_WIND_GAP`` days, else it counts as 2 m s⁻¹ (FAO-56 p. 63). Missing radiation is
    estimated from temperature (Eq. 50), missing humidity from the dew point or the lowest
    temperature (Eqs. 14, 48), missing rain counts as none. Every filled day says so.

    Parameters
    ----------
    station : Station
    days : LocalDays
    latitude, elevation : float
        North positive [°]; above the sea [m].
    wind_height : float or None
        Of the anemometer [m]; None where ``station.wind`` is that at 2 m already.
    method : {"penman-monteith", "hargreaves"}
        Hargreaves (Eq. 52) is an estimate from temperature alone, and every day says so.
    calibration : (float, float), default (0, 1)
        Intercept [mm] and slope that fit Hargreaves to the region (FAO-56 p. 64).
    dew_point_offset : float, default 0
        How far the dew point lies below the lowest temperature where no humidity is known; FAO-56
        (p. 58) advises 2 to 3 in arid air. [°C]

    Raises
    ------
    ValueError
        If no day has both temperature extremes: there is nothing to fill from.
    """
    if np.isnan(station.tmax + station.tmin).all():
        raise ValueError("no day has both a highest and a lowest temperature")
    day_of_year = np.array([date.timetuple().tm_yday for date in days.dates], float)
    tmax, tmin = _between(station.tmax), _between(station.tmin)
    measured_wind = station.wind
    if wind_height is not None:
        measured_wind = np.asarray(wind_at_2m(station.wind, wind_height))
    calm = _long_gaps(measured_wind) | np.isnan(measured_wind).all()
    wind = np.full_like(tmax, USUAL_WIND_M_S)
    if not calm.all():
        wind = np.where(calm, USUAL_WIND_M_S, _between(measured_wind))
    vapour = actual_vapour_pressure(
        tmax,
        tmin,
        tdew=station.dew_point,
        rh_max=station.rh_max,
        rh_min=station.rh_min,
        dew_point_offset=dew_point_offset,
    )
    ra = extraterrestrial_radiation(latitude, day_of_year)
    estimated = solar_from_temperature(tmax, tmin, ra, elevation)
    solar = np.where(np.isnan(station.solar), estimated, station.solar)
    if method == "hargreaves":
        intercept, slope = calibration
        estimate = hargreaves(tmax, tmin, latitude=latitude, day_of_year=day_of_year)
        et0 = np.maximum(intercept + slope * estimate, 0.0)
    else:
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
    sources = _sources(station, calm, method)
    return DailyWeather(np.asarray(et0), rain, wind, np.asarray(rh_min), sources)


def _between(values: Array) -> Array:
    known = np.flatnonzero(~np.isnan(values))
    return np.interp(np.arange(len(values)), known, values[known])


def _long_gaps(values: Array) -> NDArray[np.bool_]:
    """Days of gaps too long to interpolate over."""
    missing = np.isnan(values)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], missing, [False]]).astype(np.int8)))
    long = np.zeros(len(values), bool)
    for start, end in edges.reshape(-1, 2):
        long[start:end] = end - start > LONGEST_WIND_GAP
    return long


def _driest(vapour: Array, tmax: Array) -> Array:
    saturated = 0.6108 * np.exp(17.27 * tmax / (tmax + 237.3))  # Eq. 11
    return np.asarray(np.clip(100.0 * vapour / saturated, 0.0, 100.0))


def _sources(station: Station, calm: NDArray[np.bool_], method: ReferenceMethod) -> list[str]:
    no_wind = np.isnan(station.wind)
    rules = (
        ("ET0 estimated by Hargreaves", np.full(len(calm), method == "hargreaves")),
        ("temperature interpolated", np.isnan(station.tmax) | np.isnan(station.tmin)),
        ("radiation estimated from temperature", np.isnan(station.solar)),
        (
            "humidity estimated from the lowest temperature",
            np.isnan(station.dew_point) & np.isnan(station.rh_max),
        ),
        (
            "humidity from its daily maximum",
            np.isnan(station.dew_point) & ~np.isnan(station.rh_max) & np.isnan(station.rh_min),
        ),
        ("wind interpolated", no_wind & ~calm),
        ("wind taken as 2 m/s", no_wind & calm),
        ("rain taken as none", np.isnan(station.rain)),
    )
    return [
        "; ".join(name for name, missing in rules if missing[day]) or "measured"
        for day in range(len(station.tmax))
    ]
