"""Reference evapotranspiration of a day, and what it needs where a station does not measure it.

Every function takes and returns numpy arrays that broadcast, by habit (days, sites), and leaves a
gap (NaN) a gap: which estimate may stand in for a missing measurement is the caller's choice.
Equation numbers are those of FAO-56 [1]_ unless ASCE [2]_ is named.

References
----------
.. [1] R. G. Allen et al., "Crop evapotranspiration", FAO Irrigation and Drainage Paper 56,
   Rome, 1998.
.. [2] R. G. Allen et al. (eds.), "The ASCE standardized reference evapotranspiration equation",
   ASCE-EWRI, Reston, Virginia, 2005.
"""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.sunlight import clear_sky_asce, clear_sky_simple, extraterrestrial_radiation

Array = NDArray[np.float64]
Reference = Literal["short", "tall"]
ClearSky = Literal["simple", "full"]

FAO_BOLTZMANN = 4.903e-9  # [MJ K⁻⁴ m⁻² day⁻¹], Eq. 39
ASCE_BOLTZMANN = 4.901e-9  # [MJ K⁻⁴ m⁻² day⁻¹], ASCE Eq. 17
LOWEST_WIND = 0.5  # [m s⁻¹], FAO-56 p. 63: even still air mixes a little

HUMIDITY_SOURCES = (
    "vapour pressure",
    "dew point",
    "maximum and minimum relative humidity",
    "maximum relative humidity",
    "mean relative humidity",
    "minimum temperature",
)


class Surface(NamedTuple):
    """How a reference crop resists the flow of vapour (ASCE Table 1)."""

    cn: float  # numerator constant [K mm s³ Mg⁻¹ day⁻¹]
    cd: float  # denominator constant [s m⁻¹]


DAILY_SURFACES: dict[Reference, Surface] = {
    "short": Surface(900.0, 0.34),  # clipped grass, 0.12 m
    "tall": Surface(1600.0, 0.38),  # alfalfa, 0.50 m
}


def air_pressure(elevation: ArrayLike) -> Array:
    """Mean air pressure at an elevation [m]. [kPa] (Eq. 7)"""
    fraction = (293.0 - 0.0065 * np.asarray(elevation, float)) / 293.0
    return np.asarray(101.3 * fraction**5.26)


def psychrometric_constant(elevation: ArrayLike) -> Array:
    """Psychrometric constant at an elevation [m]. [kPa °C⁻¹] (Eq. 8)"""
    return 0.665e-3 * air_pressure(elevation)


def saturation_vapour_pressure(temperature: ArrayLike) -> Array:
    """Vapour pressure over water at an air temperature [°C]. [kPa] (Eq. 11)"""
    t = np.asarray(temperature, float)
    return np.asarray(0.6108 * np.exp(17.27 * t / (t + 237.3)))


def mean_saturation_vapour_pressure(tmax: ArrayLike, tmin: ArrayLike) -> Array:
    """Mean of the two extremes, never the value at the mean temperature. [kPa] (Eq. 12)"""
    return (saturation_vapour_pressure(tmax) + saturation_vapour_pressure(tmin)) / 2.0


def vapour_pressure_slope(temperature: ArrayLike) -> Array:
    """Slope of the saturation vapour pressure at an air temperature [°C]. [kPa °C⁻¹] (Eq. 13)"""
    t = np.asarray(temperature, float)
    return 4098.0 * saturation_vapour_pressure(t) / (t + 237.3) ** 2


def actual_vapour_pressure(
    tmax: ArrayLike,
    tmin: ArrayLike,
    *,
    vapour_pressure: ArrayLike = np.nan,
    tdew: ArrayLike = np.nan,
    rh_max: ArrayLike = np.nan,
    rh_min: ArrayLike = np.nan,
    rh_mean: ArrayLike = np.nan,
    dew_point_offset: ArrayLike = 0.0,
) -> Array:
    """Vapour pressure of the air, from the best humidity measurement each day has.

    Parameters
    ----------
    tmax, tmin : array
        Highest and lowest air temperature of the day. [°C]
    vapour_pressure : array
        Measured. [kPa]
    tdew : array
        Dew point. [°C]
    rh_max, rh_min, rh_mean : array
        Relative humidity. [%]
    dew_point_offset : array, default 0
        How far the dew point lies below ``tmin`` where nothing else is known; FAO-56 (p. 58)
        advises 2 to 3 in arid air. [°C]

    Returns
    -------
    array
        Vapour pressure. [kPa]

    Notes
    -----
    Each element takes the first of ``HUMIDITY_SOURCES`` that it has (Eqs. 14, 17, 18, 19, 48);
    ``humidity_source`` says which one that was.
    """
    coldest, warmest = saturation_vapour_pressure(tmin), saturation_vapour_pressure(tmax)
    driest, dampest, usual = (np.asarray(rh, float) / 100 for rh in (rh_min, rh_max, rh_mean))
    candidates = (
        np.asarray(vapour_pressure, float),
        saturation_vapour_pressure(tdew),  # Eq. 14
        (coldest * dampest + warmest * driest) / 2,  # Eq. 17
        coldest * dampest,  # Eq. 18
        usual * (coldest + warmest) / 2,  # Eq. 19
        saturation_vapour_pressure(np.asarray(tmin, float) - dew_point_offset),  # Eq. 48
    )
    result = candidates[0]
    for candidate in candidates[1:]:
        result = np.where(np.isnan(result), candidate, result)
    return result


def humidity_source(
    *,
    vapour_pressure: ArrayLike = np.nan,
    tdew: ArrayLike = np.nan,
    rh_max: ArrayLike = np.nan,
    rh_min: ArrayLike = np.nan,
    rh_mean: ArrayLike = np.nan,
) -> NDArray[np.intp]:
    """Index into ``HUMIDITY_SOURCES`` of what ``actual_vapour_pressure`` takes for each element."""
    given = np.broadcast_arrays(
        *(
            np.asarray(value, float)
            for value in (
                vapour_pressure,
                tdew,
                np.add(rh_max, rh_min),
                rh_max,
                rh_mean,
                0.0,  # the lowest temperature, always there
            )
        )
    )
    return np.asarray(np.argmin(np.isnan(np.stack(given)), axis=0))


def wind_at_2m(wind: ArrayLike, height: ArrayLike) -> Array:
    """Bring wind speed [m s⁻¹] measured at a height [m] down to 2 m over grass. (Eq. 47)"""
    return np.asarray(wind, float) * 4.87 / np.log(67.8 * np.asarray(height, float) - 5.42)


def net_shortwave(solar: ArrayLike) -> Array:
    """Solar radiation kept by grass of albedo 0.23. [as the input] (Eq. 38)"""
    return 0.77 * np.asarray(solar, float)


def net_longwave(
    tmax: ArrayLike,
    tmin: ArrayLike,
    vapour_pressure: ArrayLike,
    solar: ArrayLike,
    clear_sky: ArrayLike,
    *,
    boltzmann: float = FAO_BOLTZMANN,
) -> Array:
    """Long-wave radiation lost in a day. [MJ m⁻² day⁻¹] (Eq. 39)

    ``solar`` over ``clear_sky`` is held within 0.3 and 1. In a polar night both are zero: the sky
    is then taken as clear.
    """
    warm, cold = (np.asarray(t, float) + 273.16 for t in (tmax, tmin))
    humidity = 0.34 - 0.14 * np.sqrt(np.asarray(vapour_pressure, float))
    clear = np.asarray(clear_sky, float)
    clearness = np.asarray(solar, float) / np.where(clear > 0, clear, np.nan)
    clearness = np.where(clear <= 0, 1.0, np.clip(clearness, 0.3, 1.0))
    loss = boltzmann * (warm**4 + cold**4) / 2 * humidity * (1.35 * clearness - 0.35)
    return np.asarray(loss)


def penman_monteith(
    temperature: ArrayLike,
    available_energy: ArrayLike,
    wind_2m: ArrayLike,
    vapour_deficit: ArrayLike,
    *,
    elevation: ArrayLike,
    surface: Surface,
    slope: ArrayLike | None = None,
) -> Array:
    """Evapotranspiration of a reference crop over one time step. [mm per step] (Eqs. 6, 53)

    Parameters
    ----------
    temperature : array
        Mean air temperature of the step. [°C]
    available_energy : array
        Net radiation less soil heat flux. [MJ m⁻² per step]
    wind_2m : array
        Wind speed 2 m above the grass. [m s⁻¹]
    vapour_deficit : array
        Saturation less actual vapour pressure. [kPa]
    elevation : array
        Above the sea. [m]
    surface : Surface
        Constants of the reference crop for this length of step.
    slope : array, optional
        Slope of the vapour pressure curve, when not that of ``temperature``. [kPa °C⁻¹]
    """
    t, wind = np.asarray(temperature, float), np.asarray(wind_2m, float)
    delta = vapour_pressure_slope(t) if slope is None else np.asarray(slope, float)
    gamma = psychrometric_constant(elevation)
    radiation = 0.408 * delta * np.asarray(available_energy, float)
    aerodynamic = gamma * surface.cn / (t + 273.0) * wind * np.asarray(vapour_deficit, float)
    return np.asarray((radiation + aerodynamic) / (delta + gamma * (1.0 + surface.cd * wind)))


def fao56_daily(
    tmax: ArrayLike,
    tmin: ArrayLike,
    solar: ArrayLike,
    vapour_pressure: ArrayLike,
    wind_2m: ArrayLike,
    *,
    latitude: ArrayLike,
    elevation: ArrayLike,
    day_of_year: ArrayLike,
    soil_heat_flux: ArrayLike = 0.0,
    lowest_wind: float = LOWEST_WIND,
) -> Array:
    """Daily reference evapotranspiration ETo of FAO-56. [mm day⁻¹] (Eq. 6)

    Parameters
    ----------
    tmax, tmin : array
        Highest and lowest air temperature. [°C]
    solar : array
        Global solar radiation. [MJ m⁻² day⁻¹]
    vapour_pressure : array
        Actual vapour pressure, see ``actual_vapour_pressure``. [kPa]
    wind_2m : array
        Mean wind speed 2 m above the grass, see ``wind_at_2m``. [m s⁻¹]
    latitude : array
        North positive. [°]
    elevation : array
        Above the sea. [m]
    day_of_year : array
        1 to 366.
    soil_heat_flux : array, default 0
        Into the soil; not zero for monthly means (Eqs. 43, 44). [MJ m⁻² day⁻¹]
    lowest_wind : float, default 0.5
        Less wind counts as this much (FAO-56 p. 63). [m s⁻¹]
    """
    ra = extraterrestrial_radiation(latitude, day_of_year)
    clear_sky = clear_sky_simple(ra, elevation)
    net = net_shortwave(solar) - net_longwave(tmax, tmin, vapour_pressure, solar, clear_sky)
    return penman_monteith(
        (np.asarray(tmax, float) + np.asarray(tmin, float)) / 2,
        net - np.asarray(soil_heat_flux, float),
        np.maximum(wind_2m, lowest_wind),
        mean_saturation_vapour_pressure(tmax, tmin) - np.asarray(vapour_pressure, float),
        elevation=elevation,
        surface=DAILY_SURFACES["short"],
    )


def asce_daily(
    tmax: ArrayLike,
    tmin: ArrayLike,
    solar: ArrayLike,
    vapour_pressure: ArrayLike,
    wind_2m: ArrayLike,
    *,
    latitude: ArrayLike,
    elevation: ArrayLike,
    day_of_year: ArrayLike,
    reference: Reference = "short",
    clear_sky: ClearSky = "full",
    lowest_wind: float = 0.0,
) -> Array:
    """Daily standardized reference evapotranspiration of ASCE-EWRI 2005. [mm day⁻¹]

    Parameters are those of ``fao56_daily``, and ``reference``: the short (grass, ETos) or the tall
    (alfalfa, ETrs) crop; ``clear_sky``: Rso from elevation alone (ASCE Eq. 19) or from turbidity
    and vapour (ASCE Appendix D).

    Notes
    -----
    With the simple clear sky the short crop is FAO-56 but for two rounded constants (0.01 %).
    """
    ra = extraterrestrial_radiation(latitude, day_of_year)
    if clear_sky == "full":
        rso = clear_sky_asce(
            ra, latitude, day_of_year, vapour_pressure, pressure=air_pressure(elevation)
        )
    else:
        rso = clear_sky_simple(ra, elevation)
    loss = net_longwave(tmax, tmin, vapour_pressure, solar, rso, boltzmann=ASCE_BOLTZMANN)
    t = (np.asarray(tmax, float) + np.asarray(tmin, float)) / 2
    return penman_monteith(
        t,
        net_shortwave(solar) - loss,
        np.maximum(wind_2m, lowest_wind),
        mean_saturation_vapour_pressure(tmax, tmin) - np.asarray(vapour_pressure, float),
        elevation=elevation,
        surface=DAILY_SURFACES[reference],
        slope=2503.0 * np.exp(17.27 * t / (t + 237.3)) / (t + 237.3) ** 2,  # ASCE Eq. 5, rounded
    )


def hargreaves(
    tmax: ArrayLike, tmin: ArrayLike, *, latitude: ArrayLike, day_of_year: ArrayLike
) -> Array:
    """Estimate ETo from temperature alone. [mm day⁻¹] (Eq. 52)

    An estimate, to be labelled as one and calibrated per region; not a measurement of ETo.
    """
    hi, lo = np.asarray(tmax, float), np.asarray(tmin, float)
    ra = extraterrestrial_radiation(latitude, day_of_year)
    spread = np.sqrt(np.maximum(hi - lo, 0.0))
    return np.asarray(0.0023 * ((hi + lo) / 2 + 17.8) * spread * 0.408 * ra)
