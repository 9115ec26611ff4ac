"""Solar radiation: what arrives above the air, what a clear sky lets through, what was likely.

Arrays broadcast, by habit (days, sites). Equation numbers are those of FAO-56 (Allen et al.,
Irrigation and Drainage Paper 56, Rome, 1998) unless ASCE (Standardized reference
evapotranspiration equation, ASCE-EWRI, 2005) is named.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

SOLAR_CONSTANT = 0.0820  # [MJ m⁻² min⁻¹]


def inverse_distance(day_of_year: ArrayLike) -> Array:
    """Inverse relative distance from the earth to the sun. (Eq. 23)"""
    return np.asarray(1 + 0.033 * np.cos(2 * np.pi / 365 * np.asarray(day_of_year, float)))


def declination(day_of_year: ArrayLike) -> Array:
    """Height of the sun over the equator at noon. [rad] (Eq. 24)"""
    return np.asarray(0.409 * np.sin(2 * np.pi / 365 * np.asarray(day_of_year, float) - 1.39))


def sunset_hour_angle(latitude: ArrayLike, day_of_year: ArrayLike) -> Array:
    """Hour angle of sunset; 0 in a polar night, π in a polar day. [rad] (Eq. 25)"""
    tangents = -np.tan(np.radians(latitude)) * np.tan(declination(day_of_year))
    return np.asarray(np.arccos(np.clip(tangents, -1.0, 1.0)))


def daylight_hours(latitude: ArrayLike, day_of_year: ArrayLike) -> Array:
    """Longest possible sunshine. [h] (Eq. 34)"""
    return 24.0 / np.pi * sunset_hour_angle(latitude, day_of_year)


def extraterrestrial_radiation(latitude: ArrayLike, day_of_year: ArrayLike) -> Array:
    """Radiation above the atmosphere in a day, by latitude [°, north positive].

    [MJ m⁻² day⁻¹] (Eq. 21)
    """
    phi, delta = np.radians(latitude), declination(day_of_year)
    sunset = sunset_hour_angle(latitude, day_of_year)
    height = sunset * np.sin(phi) * np.sin(delta) + np.cos(phi) * np.cos(delta) * np.sin(sunset)
    return np.asarray(24 * 60 / np.pi * SOLAR_CONSTANT * inverse_distance(day_of_year) * height)


def clear_sky_simple(extraterrestrial: ArrayLike, elevation: ArrayLike) -> Array:
    """Radiation under a clear sky, by elevation [m] alone. [as the input] (Eq. 37)"""
    share = 0.75 + 2e-5 * np.asarray(elevation, float)
    return np.asarray(share * np.asarray(extraterrestrial, float))


def clear_sky_asce(
    extraterrestrial: ArrayLike,
    latitude: ArrayLike,
    day_of_year: ArrayLike,
    vapour_pressure: ArrayLike,
    *,
    pressure: ArrayLike,
    turbidity: float = 1.0,
) -> Array:
    """Radiation of a day under a clear sky, by the sun's height and the water in the air.

    ``vapour_pressure`` and air ``pressure`` are in kPa; ``turbidity`` is 1 in clean air and 0.5 in
    extremely dusty air. [MJ m⁻² day⁻¹] (ASCE Eqs. D.1 to D.6)
    """
    phi = np.radians(latitude)
    season = np.sin(2 * np.pi / 365 * np.asarray(day_of_year, float) - 1.39)
    sun = np.maximum(np.sin(0.85 + 0.3 * phi * season - 0.42 * phi**2), 0.1)  # Eq. D.5
    passed = clear_sky_transmission(sun, vapour_pressure, pressure=pressure, turbidity=turbidity)
    return np.asarray(passed * np.asarray(extraterrestrial, float))


def clear_sky_transmission(
    sine_of_height: ArrayLike,
    vapour_pressure: ArrayLike,
    *,
    pressure: ArrayLike,
    turbidity: float = 1.0,
) -> Array:
    """Share of radiation that a clear sky lets through, direct and diffuse.

    Parameters are those of ``clear_sky_asce``, and the sine of the sun's height, which must be
    above zero. (ASCE Eqs. D.1 to D.4)
    """
    sun, air = np.asarray(sine_of_height, float), np.asarray(pressure, float)
    water = 0.14 * np.asarray(vapour_pressure, float) * air + 2.1  # Eq. D.3 [mm]
    beam = 0.98 * np.exp(-0.00146 * air / (turbidity * sun) - 0.075 * (water / sun) ** 0.4)
    diffuse = np.where(beam >= 0.15, 0.35 - 0.36 * beam, 0.18 + 0.82 * beam)  # Eq. D.4
    return np.asarray(beam + diffuse)


def solar_from_sunshine(
    sunshine_hours: ArrayLike,
    daylight: ArrayLike,
    extraterrestrial: ArrayLike,
    *,
    overcast_share: float = 0.25,
    sunshine_share: float = 0.50,
) -> Array:
    """Solar radiation from hours of bright sunshine. [as extraterrestrial] (Eq. 35, Angstrom)"""
    share = np.asarray(sunshine_hours, float) / np.asarray(daylight, float)
    transmitted = overcast_share + sunshine_share * share
    return np.asarray(transmitted * np.asarray(extraterrestrial, float))


def solar_from_temperature(
    tmax: ArrayLike,
    tmin: ArrayLike,
    extraterrestrial: ArrayLike,
    elevation: ArrayLike,
    *,
    coefficient: ArrayLike = 0.16,
) -> Array:
    """Estimate solar radiation from the day's range of temperature, at most a clear sky's.

    ``coefficient`` is 0.16 inland and 0.19 on a coast [°C⁻⁰·⁵]. An estimate, to be labelled as
    one. [as extraterrestrial] (Eq. 50, Hargreaves)
    """
    ra = np.asarray(extraterrestrial, float)
    spread = np.maximum(np.asarray(tmax, float) - np.asarray(tmin, float), 0.0)
    likely = np.asarray(coefficient, float) * np.sqrt(spread) * ra
    return np.asarray(np.minimum(likely, clear_sky_simple(ra, elevation)))
