"""Reference evapotranspiration of an hour, day and night.

Arrays run over hours first: (hours,) or (hours, sites). Times are the middles of the hours in µs
since 1970 (UTC), so no clock, time zone or summer time stands between a reading and the sun; the
day of the year is counted where the site is. Equation numbers are those of FAO-56 [1]_ unless
ASCE [2]_ is named.

References
----------
.. [1] R. G. Allen et al., "Crop evapotranspiration", FAO Irrigation and Drainage Paper 56,
   Rome, 1998, pp. 46-47 and 74-76.
.. [2] R. G. Allen et al. (eds.), "The ASCE standardized reference evapotranspiration equation",
   ASCE-EWRI, Reston, Virginia, 2005, pp. 33-45.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.reference_et import (
    LOWEST_WIND,
    Array,
    ClearSky,
    Reference,
    Surface,
    air_pressure,
    net_longwave,
    net_shortwave,
    penman_monteith,
    saturation_vapour_pressure,
)
from analytics.sunlight import (
    SOLAR_CONSTANT,
    clear_sky_simple,
    clear_sky_transmission,
    declination,
    inverse_distance,
    sunset_hour_angle,
)

Times = NDArray[np.int64]

HOUR_US = 3_600_000_000
HOUR_ANGLE = np.pi / 12  # the sun's way in an hour [rad]
FAO_BOLTZMANN = 2.043e-10  # [MJ K⁻⁴ m⁻² h⁻¹], FAO-56 p. 74
ASCE_BOLTZMANN = 2.042e-10  # [MJ K⁻⁴ m⁻² h⁻¹], ASCE Eq. 44
LOWEST_SUN = 0.3  # [rad], ASCE p. 42: below it, measured over clear-sky radiation says little
LOWEST_SINE = 0.01  # keeps Eq. D.2 of ASCE defined with the sun at the horizon


class Surroundings(NamedTuple):
    """How a reference crop and the soil under it take an hour's energy."""

    surface: Surface
    soil_share: float  # of net radiation that goes into the soil (Eqs. 45, 46)


# By day and by night, which is when net radiation is negative (ASCE p. 44).
FAO_HOUR = (Surroundings(Surface(37.0, 0.34), 0.1), Surroundings(Surface(37.0, 0.34), 0.5))
ASCE_HOURS: dict[Reference, tuple[Surroundings, Surroundings]] = {  # ASCE Table 1
    "short": (Surroundings(Surface(37.0, 0.24), 0.1), Surroundings(Surface(37.0, 0.96), 0.5)),
    "tall": (Surroundings(Surface(66.0, 0.25), 0.04), Surroundings(Surface(66.0, 1.7), 0.2)),
}


class HourlyET(NamedTuple):
    """Reference evapotranspiration and what it rests on, arrays of the shape of the weather."""

    et0: Array  # [mm h⁻¹]
    net_radiation: Array  # [MJ m⁻² h⁻¹]
    clearness: Array  # measured over clear-sky radiation, carried through night and low sun
    carried_h: Array  # how long ago that was measured; NaN where it came from the caller [h]


class SunPosition(NamedTuple):
    """The sun in the middle of each hour; arrays broadcast over (hours, sites)."""

    day_of_year: Array  # by solar time at the site
    hour_angle: Array  # 0 at noon, -π to π [rad]
    sine_of_height: Array  # negative below the horizon


def sun_position(middle_us: ArrayLike, latitude: ArrayLike, longitude: ArrayLike) -> SunPosition:
    """Find the sun at a time, seen from a latitude and longitude [°, north and east positive].

    The hour angle follows Eqs. 31 to 33 (longitudes east instead of west, clock UTC), the height
    ASCE Eq. 62.
    """
    middle = np.asarray(middle_us, np.int64)
    of_year = middle + (np.asarray(longitude, float) / 15 * HOUR_US).astype(np.int64)
    dates = of_year.astype("datetime64[us]").astype("datetime64[D]")
    day = ((dates - dates.astype("datetime64[Y]")).astype(np.int64) + 1).astype(float)
    b = 2 * np.pi * (day - 81) / 364  # Eq. 33
    correction = 0.1645 * np.sin(2 * b) - 0.1255 * np.cos(b) - 0.025 * np.sin(b)  # Eq. 32 [h]
    clock = (middle % (24 * HOUR_US)) / HOUR_US
    turned = HOUR_ANGLE * (clock + np.asarray(longitude, float) / 15 + correction)  # Eq. 31
    angle = np.mod(turned, 2 * np.pi) - np.pi
    phi, delta = np.radians(latitude), declination(day)
    sine = np.sin(phi) * np.sin(delta) + np.cos(phi) * np.cos(delta) * np.cos(angle)
    return SunPosition(day, np.asarray(angle), np.asarray(sine))


def hourly_extraterrestrial(sun: SunPosition, latitude: ArrayLike) -> Array:
    """Radiation above the atmosphere in the hour around a position of the sun.

    [MJ m⁻² h⁻¹] (Eqs. 28 to 30). The hour of sunrise or sunset counts from or to the horizon, and
    under a midnight sun an hour may belong to both ends of the day.
    """
    phi, delta = np.radians(latitude), declination(sun.day_of_year)
    sunset = sunset_hour_angle(latitude, sun.day_of_year)
    height = np.zeros(np.broadcast_shapes(sun.hour_angle.shape, np.shape(sunset)))
    for turn in (-2 * np.pi, 0.0, 2 * np.pi):
        start = np.clip(sun.hour_angle + turn - HOUR_ANGLE / 2, -sunset, sunset)  # Eq. 29
        end = np.clip(sun.hour_angle + turn + HOUR_ANGLE / 2, -sunset, sunset)  # Eq. 30
        height += (end - start) * np.sin(phi) * np.sin(delta)
        height += np.cos(phi) * np.cos(delta) * (np.sin(end) - np.sin(start))
    scale = 12 * 60 / np.pi * SOLAR_CONSTANT * inverse_distance(sun.day_of_year)
    return np.asarray(np.maximum(scale * height, 0.0))


def carry_clearness(
    clearness: ArrayLike,
    valid: ArrayLike,
    middle_us: Times,
    *,
    before: ArrayLike = np.nan,
) -> tuple[Array, Array]:
    """Give each hour the clearness of the last valid hour at or before it, and its age [h].

    ``before`` stands in until the first valid hour (its age is NaN). Shape (hours, …).
    """
    seen, trusted = np.broadcast_arrays(np.asarray(clearness, float), np.asarray(valid, bool))
    hours = np.arange(len(middle_us)).reshape((-1,) + (1,) * (seen.ndim - 1))
    last = np.maximum.accumulate(np.where(trusted, hours, -1), axis=0)
    found = np.take_along_axis(seen, np.maximum(last, 0), axis=0)
    age = (middle_us[hours] - middle_us[np.maximum(last, 0)]) / HOUR_US
    carried = np.where(last >= 0, found, np.asarray(before, float))
    return np.asarray(carried), np.asarray(np.where(last >= 0, age, np.nan))


def fao56_hourly(
    temperature: ArrayLike,
    solar: ArrayLike,
    vapour_pressure: ArrayLike,
    wind_2m: ArrayLike,
    *,
    middle_us: ArrayLike,
    latitude: ArrayLike,
    longitude: ArrayLike,
    elevation: ArrayLike,
    clearness_before: ArrayLike = np.nan,
    lowest_wind: float = LOWEST_WIND,
) -> HourlyET:
    """Hourly reference evapotranspiration ETo of FAO-56 (Eq. 53).

    Parameters
    ----------
    temperature : array, shape (hours,) or (hours, sites)
        Mean air temperature. [°C]
    solar : array, same shape
        Global solar radiation; may be missing while the sun is down. [MJ m⁻² h⁻¹]
    vapour_pressure : array, same shape
        Mean actual vapour pressure, see ``hourly_vapour_pressure``. [kPa]
    wind_2m : array, same shape
        Mean wind speed 2 m above the grass. [m s⁻¹]
    middle_us : array, shape (hours,)
        Middle of each hour, ascending. [µs since 1970, UTC]
    latitude, longitude, elevation : float or array, shape (sites,)
        North and east positive [°]; above the sea [m].
    clearness_before : float or array, shape (sites,), default unknown
        Measured over clear-sky radiation before the first hour of high sun: the last row of an
        earlier call's ``clearness``, or 0.7 to 0.8 in dry and 0.4 to 0.6 in humid climates
        (FAO-56 p. 75).
    lowest_wind : float, default 0.5
        Less wind counts as this much (FAO-56 p. 63). [m s⁻¹]

    Raises
    ------
    ValueError
        If the times do not ascend, or are not one for each hour.

    Notes
    -----
    Where FAO-56 says "daylight" for the soil heat flux, this takes hours of positive net
    radiation, as ASCE does. Where the sun stays below 0.3 rad for weeks (in winter north of about
    49°) the clearness is that of the last higher sun; ``carried_h`` tells.
    """
    return _hourly(
        temperature,
        solar,
        vapour_pressure,
        np.maximum(wind_2m, lowest_wind),
        _Site(middle_us, latitude, longitude, elevation, clearness_before),
        crops=FAO_HOUR,
        boltzmann=FAO_BOLTZMANN,
        clear_sky="simple",
        slope=None,
    )


def asce_hourly(
    temperature: ArrayLike,
    solar: ArrayLike,
    vapour_pressure: ArrayLike,
    wind_2m: ArrayLike,
    *,
    middle_us: ArrayLike,
    latitude: ArrayLike,
    longitude: ArrayLike,
    elevation: ArrayLike,
    reference: Reference = "short",
    clear_sky: ClearSky = "simple",
    clearness_before: ArrayLike = np.nan,
    lowest_wind: float = 0.0,
) -> HourlyET:
    """Hourly standardized reference evapotranspiration of ASCE-EWRI 2005.

    Parameters are those of ``fao56_hourly``, and ``reference``: the short (grass, ETos) or the
    tall (alfalfa, ETrs) crop; ``clear_sky``: Rso from elevation alone (ASCE Eq. 47) or from the
    sun's height and vapour (ASCE Appendix D).
    """
    t = np.asarray(temperature, float)
    return _hourly(
        temperature,
        solar,
        vapour_pressure,
        np.maximum(wind_2m, lowest_wind),
        _Site(middle_us, latitude, longitude, elevation, clearness_before),
        crops=ASCE_HOURS[reference],
        boltzmann=ASCE_BOLTZMANN,
        clear_sky=clear_sky,
        slope=2503.0 * np.exp(17.27 * t / (t + 237.3)) / (t + 237.3) ** 2,  # ASCE Eq. 5, rounded
    )


def hourly_vapour_pressure(temperature: ArrayLike, relative_humidity: ArrayLike) -> Array:
    """Vapour pressure from an hour's mean temperature [°C] and humidity [%]. [kPa] (Eq. 54)"""
    share = np.asarray(relative_humidity, float) / 100
    return np.asarray(saturation_vapour_pressure(temperature) * share)


class _Site(NamedTuple):
    middle_us: ArrayLike
    latitude: ArrayLike
    longitude: ArrayLike
    elevation: ArrayLike
    clearness_before: ArrayLike


def _hourly(
    temperature: ArrayLike,
    solar: ArrayLike,
    vapour_pressure: ArrayLike,
    wind: Array,
    site: _Site,
    *,
    crops: tuple[Surroundings, Surroundings],
    boltzmann: float,
    clear_sky: ClearSky,
    slope: Array | None,
) -> HourlyET:
    t, vapour = np.asarray(temperature, float), np.asarray(vapour_pressure, float)
    measured, clearness, age = _clearness(solar, vapour, site, clear_sky)
    loss = net_longwave(t, t, vapour, clearness, 1.0, boltzmann=boltzmann)
    net = net_shortwave(measured) - loss
    by_day, by_night = (
        penman_monteith(
            t,
            net * (1 - crop.soil_share),
            wind,
            np.maximum(saturation_vapour_pressure(t) - vapour, 0.0),
            elevation=site.elevation,
            surface=crop.surface,
            slope=slope,
        )
        for crop in crops
    )
    return HourlyET(np.where(net < 0, by_night, by_day), net, clearness, age)


def _clearness(
    solar: ArrayLike, vapour: Array, site: _Site, clear_sky: ClearSky
) -> tuple[Array, Array, Array]:
    """Solar radiation with its nights filled, clearness carried on, and the age of that [h]."""
    times = _ascending(site.middle_us, len(vapour))
    column = times.reshape((-1,) + (1,) * (vapour.ndim - 1))
    sun = sun_position(column, site.latitude, site.longitude)
    ra = hourly_extraterrestrial(sun, site.latitude)
    measured = np.where(np.isnan(solar) & (ra == 0), 0.0, solar)  # a sunless hour needs no sensor
    if clear_sky == "full":
        height = np.maximum(sun.sine_of_height, LOWEST_SINE)
        rso = ra * clear_sky_transmission(height, vapour, pressure=air_pressure(site.elevation))
    else:
        rso = clear_sky_simple(ra, site.elevation)
    ratio = measured / np.where(rso > 0, rso, np.nan)
    valid = (sun.sine_of_height >= np.sin(LOWEST_SUN)) & np.isfinite(ratio)
    bounded = np.clip(ratio, 0.3, 1.0)
    return measured, *carry_clearness(bounded, valid, times, before=site.clearness_before)


def _ascending(middle_us: ArrayLike, hours: int) -> Times:
    times = np.asarray(middle_us, np.int64)
    if times.shape != (hours,):
        raise ValueError(f"times are {times.shape}, not one for each of {hours} hours")
    if (np.diff(times) <= 0).any():
        raise ValueError("times do not ascend")
    return times
