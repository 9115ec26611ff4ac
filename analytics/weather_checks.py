"""Findings about weather that betray a slip: a wrong unit, a swapped column, a wrong sign.

A finding names what looks wrong, where, and what it would fit; it changes nothing, and the caller
decides. Equation numbers are those of FAO-56 (Allen et al., Rome, 1998).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.hourly_et import HOUR_US, hourly_extraterrestrial, sun_position
from analytics.reference_et import wind_at_2m
from analytics.sunlight import clear_sky_simple, extraterrestrial_radiation
from analytics.weather import Station

Array = NDArray[np.float64]

ABOVE_CLEAR_SKY = 1.15  # Rso of Eq. 37 is that good; edges of clouds add a little to an hour
WATTS_ABOVE = 4.0  # a day's mean in W/m² is 11.6 times its MJ/m², and clouds take two thirds
KWH_BELOW = 0.4  # the clearest days in kWh/m² are 0.28 of a clear sky in MJ/m²
ENOUGH_DAYS = 20  # to have seen a clear sky
COLDEST, WARMEST = -60.0, 60.0  # [°C]
DEW_ABOVE_MEAN = 1.0  # the mean of the extremes is not quite the day's mean [°C]
STRONGEST_WIND = 30.0  # as a day's mean [m s⁻¹]
WINDIEST_PLACE = 7.0  # as the median of days; 2 m s⁻¹, a usual day's, is 7 km/h [m s⁻¹]
LOWEST_ANEMOMETER = 0.1  # below, Eq. 47 has no answer [m]
WETTEST_DAY = 400.0  # [mm]
NOON_OFF_H = 2.0  # the sun's day may lean that far from solar noon, by mountains or clouds


class Finding(NamedTuple):
    """Something in the input that should be looked at."""

    code: str
    sentence: str
    where: tuple[int, ...]  # indices of the days or hours; empty for the station as a whole


def check_station(
    station: Station, *, latitude: float, elevation: float, day_of_year: ArrayLike
) -> list[Finding]:
    """Look through daily weather, arrays of shape (days,), for the classic slips.

    ``latitude`` [°, north positive] and ``elevation`` [m] place the sun; gaps (NaN) are no slip.
    """
    return [
        *_temperature(station),
        *_humidity(station),
        *_wind(station.wind),
        *_rain(station.rain),
        *_radiation(station.solar, latitude, elevation, np.asarray(day_of_year, float)),
    ]


def check_place(
    *,
    latitude: float,
    longitude: float,
    wind_height: float,
    utc_offset_h: float | None = None,
) -> list[Finding]:
    """Look at where a station says it is, and how high its wind is measured [m].

    ``utc_offset_h`` is what clocks at the place show beyond UTC; political clocks stay within
    three hours of the sun's.
    """
    found = []
    if not -90 <= latitude <= 90:
        swapped = "; exchanged with the longitude?" if -90 <= longitude <= 90 else ""
        sentence = f"latitude {latitude:g}° is not between -90 and 90{swapped}"
        found.append(Finding("latitude-range", sentence, ()))
    if not -180 <= longitude <= 180:
        sentence = f"longitude {longitude:g}° is not between -180 and 180"
        found.append(Finding("longitude-range", sentence, ()))
    elif utc_offset_h is not None:
        found += _against_clock(longitude, utc_offset_h)
    if wind_height <= LOWEST_ANEMOMETER:
        sentence = f"wind cannot be brought to 2 m from {wind_height:g} m"
        found.append(Finding("wind-height", sentence, ()))
    elif wind_height != 2.0:
        factor = float(wind_at_2m(1.0, wind_height))
        sentence = f"wind is measured at {wind_height:g} m: at 2 m it is {factor:.2f} of that"
        found.append(Finding("wind-not-at-2m", sentence, ()))
    return found


def check_sun(
    middle_us: ArrayLike, solar: ArrayLike, *, latitude: float, longitude: float
) -> list[Finding]:
    """Compare the hours when a sensor saw the sun with those when the sun stood there.

    ``middle_us``: middles of the hours [µs since 1970, UTC], whole days; ``solar``: any unit,
    shape (hours,). A shift means a wrong longitude (its sign), or local time taken for UTC.
    """
    times, seen = np.asarray(middle_us, np.int64), np.asarray(solar, float)
    light = np.where(np.isfinite(seen), np.maximum(seen, 0.0), 0.0)
    if light.sum() <= 0:
        return []
    shift = _shift_h(times, light, latitude, longitude)
    if abs(shift) <= NOON_OFF_H:
        return []
    words = f"the sensor's day is {abs(shift):.1f} h {'late' if shift > 0 else 'early'} by the sun"
    if abs(_shift_h(times, light, latitude, -longitude)) <= NOON_OFF_H:
        sentence = f"{words}; longitude {-longitude:g}° would fit"
        return [Finding("longitude-sign", sentence, ())]
    return [Finding("sun-at-wrong-hour", f"{words}: local time taken for UTC?", ())]


def _shift_h(times: NDArray[np.int64], light: Array, latitude: float, longitude: float) -> float:
    """How much later than the sun stood there its light was seen. [h] -12 to 12"""
    sun = sun_position(times, latitude, longitude)
    expected = hourly_extraterrestrial(sun, latitude)
    turn = np.exp(2j * np.pi * (times % (24 * HOUR_US)) / (24 * HOUR_US))
    angle = np.angle((turn * light).sum() / (turn * expected).sum()) if expected.any() else 0.0
    return float(angle * 12 / np.pi)


def _against_clock(longitude: float, utc_offset_h: float) -> list[Finding]:
    def apart(degrees: float) -> float:
        return abs((degrees / 15 - utc_offset_h + 12) % 24 - 12)

    if apart(longitude) <= 3:
        return []
    words = (
        f"longitude {longitude:g}° is {apart(longitude):.1f} h from clocks at UTC{utc_offset_h:+g}"
    )
    if apart(-longitude) <= 3:
        return [Finding("longitude-sign", f"{words}; {-longitude:g}° would fit", ())]
    return [Finding("longitude-off-clock", words, ())]


def _temperature(station: Station) -> Iterator[Finding]:
    high, low, dew = station.tmax, station.tmin, station.dew_point
    yield from _days(
        "temperature-swapped", "the lowest temperature is above the highest", low > high
    )
    outside = [(t < COLDEST) | (t > WARMEST) for t in (high, low)]
    yield from _days(
        "temperature-range",
        f"temperature is not between {COLDEST:g} and {WARMEST:g} °C (°F or K?)",
        outside[0] | outside[1],
    )
    yield from _days(
        "dew-point-above-temperature",
        "the day's dew point is above its mean temperature",
        dew > (high + low) / 2 + DEW_ABOVE_MEAN,
    )


def _humidity(station: Station) -> Iterator[Finding]:
    high, low = station.rh_max, station.rh_min
    yield from _days(
        "humidity-above-100", "relative humidity is above 100 %", (high > 100) | (low > 100)
    )
    yield from _days("humidity-below-0", "relative humidity is below 0 %", (high < 0) | (low < 0))
    yield from _days(
        "humidity-swapped", "the lowest relative humidity is above the highest", low > high
    )
    known = high[np.isfinite(high)]
    if len(known) and 0 < known.max() <= 1.0:
        sentence = f"relative humidity never passes {known.max():g} %: a share of 1, not %?"
        yield Finding("humidity-as-share", sentence, ())


def _wind(wind: Array) -> Iterator[Finding]:
    yield from _days("wind-negative", "wind speed is below zero", wind < 0)
    yield from _days(
        "wind-impossible",
        f"a day's mean wind is above {STRONGEST_WIND:g} m/s",
        wind > STRONGEST_WIND,
    )
    usual = _median(wind)
    if usual > WINDIEST_PLACE:
        sentence = f"wind is {usual:.1f} m/s on a usual day: km/h?"
        yield Finding("wind-unit", sentence, ())


def _rain(rain: Array) -> Iterator[Finding]:
    yield from _days("rain-negative", "rain is below zero (a counter turned back?)", rain < 0)
    yield from _days(
        "rain-impossible", f"a day's rain is above {WETTEST_DAY:g} mm", rain > WETTEST_DAY
    )


def _radiation(
    solar: Array, latitude: float, elevation: float, day_of_year: Array
) -> Iterator[Finding]:
    yield from _days("radiation-negative", "solar radiation is below zero", solar < 0)
    ratio = _of_clear_sky(solar, latitude, elevation, day_of_year)
    usual, too_much = _median(ratio), ratio > ABOVE_CLEAR_SKY
    mirrored = _of_clear_sky(solar, -latitude, elevation, day_of_year)
    if usual > WATTS_ABOVE and not _median(mirrored) <= ABOVE_CLEAR_SKY:
        sentence = f"solar radiation is {usual:.1f} times a clear sky's: W/m² for MJ/m²?"
        yield Finding("radiation-in-watts", sentence, ())
        return
    there = (mirrored > ABOVE_CLEAR_SKY).sum()
    if too_much.sum() > max(5, 0.1 * len(ratio)) and there * 5 < too_much.sum():
        sentence = f"solar radiation follows the seasons of latitude {-latitude:g}°"
        yield Finding("latitude-sign", sentence, ())
    yield from _days(
        "radiation-above-clear-sky", "solar radiation is above that of a clear sky", too_much
    )
    known = ratio[np.isfinite(ratio)]
    if len(known) >= ENOUGH_DAYS and (brightest := float(np.quantile(known, 0.95))) < KWH_BELOW:
        sentence = f"the brightest days have {brightest:.2f} of a clear sky: kWh/m² for MJ/m²?"
        yield Finding("radiation-too-low", sentence, ())


def _of_clear_sky(solar: Array, latitude: float, elevation: float, day_of_year: Array) -> Array:
    clear = clear_sky_simple(extraterrestrial_radiation(latitude, day_of_year), elevation)
    return np.asarray(solar / np.where(clear > 1.0, clear, np.nan))  # a polar night proves nothing


def _median(values: Array) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")


def _days(code: str, what: str, flags: NDArray[np.bool_]) -> Iterator[Finding]:
    where = tuple(int(day) for day in np.flatnonzero(flags))
    if where:
        yield Finding(code, f"{what} on {len(where)} day{'s' if len(where) > 1 else ''}", where)
