"""Simulated daily weather: believable, not measured, and the same every time."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.sunlight import extraterrestrial_radiation
from seeds.farms import SimulatedFarm

Array = NDArray[np.float64]

SPAN = ((4, 1), (11, 5))  # first and last day of a simulated year


class Weather(NamedTuple):
    """Days of one farm, arrays of shape (days,)."""

    dates: list[dt.date]
    tmax_c: Array
    tmin_c: Array
    dew_point_c: Array
    rh_max_pct: Array
    rh_min_pct: Array
    solar_mj_m2: Array
    wind_m_s: Array
    rain_mm: Array


def simulate(farm: SimulatedFarm, year: int) -> Weather:
    """The weather of a farm from April to November of a year."""
    random = np.random.default_rng([farm.number, year, 7])
    climate = farm.setting.climate
    first, last = (dt.date(year, *edge) for edge in SPAN)
    count = (last - first).days + 1
    dates = [first + dt.timedelta(days=day) for day in range(count)]
    day_of_year = np.array([date.timetuple().tm_yday for date in dates], float)

    swing = climate.swing_c * np.cos(2 * np.pi * (day_of_year - 201) / 365)
    mean = climate.mean_c + random.normal(0, 0.6) + swing + _drift(random, count, 0.7, 2.2)
    rainy = random.random(count) < climate.rain_chance
    rain = np.where(rainy, random.exponential(climate.rain_mm, count), 0.0)
    spread = climate.daily_range_c * random.uniform(0.8, 1.2, count) * np.where(rainy, 0.6, 1.0)
    clear = np.clip(0.68 + _drift(random, count, 0.5, 0.05) - 0.28 * rainy, 0.2, 0.76)
    solar = clear * extraterrestrial_radiation(farm.latitude_deg, day_of_year)
    tmax, tmin = mean + spread / 2, mean - spread / 2
    dew = np.minimum(tmin - random.uniform(0.5, 5.0, count) + 2.0 * rainy, tmin - 0.2)
    return Weather(
        dates,
        tmax,
        tmin,
        dew,
        _humidity(dew, tmin),
        _humidity(dew, tmax),
        solar,
        np.clip(climate.wind_m_s * random.lognormal(0, 0.35, count), 0.5, 12.0),
        rain,
    )


def _drift(random: np.random.Generator, count: int, memory: float, size: float) -> Array:
    """Noise in which one day remembers the one before."""
    steps = random.normal(0.0, size, count)
    for day in range(1, count):
        steps[day] += memory * steps[day - 1]
    return steps


def _humidity(dew: Array, temperature: Array) -> Array:
    def pressure(celsius: Array) -> Array:
        return np.asarray(np.exp(17.27 * celsius / (celsius + 237.3)))

    return np.asarray(np.minimum(100.0 * pressure(dew) / pressure(temperature), 100.0))


def measured(weather: Weather) -> Weather:
    """What a station says of it: rounded as its sensors are."""
    digits = {"solar_mj_m2": 2}
    columns = {
        name: np.round(getattr(weather, name), digits.get(name, 1)) for name in Weather._fields[1:]
    }
    return Weather(weather.dates, **columns)
