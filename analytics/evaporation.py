"""Evaporation from the surface layer: the coefficients of FAO-56 chapter 7, each on its own.

Arrays of any shape that broadcast. Equation numbers and pages are those of FAO Irrigation and
Drainage Paper 56 (Allen et al., 1998).
"""

import numpy as np
from numpy.typing import NDArray

from analytics.crops import climate_adjustment

Array = NDArray[np.float64]

SOAKING_RAIN = 3.0  # [mm] rain that wets the whole surface on a day without irrigation (p. 150)
HIGHEST_COVER = 0.99  # (p. 149)
SMALLEST_EXPOSED = 0.01


def upper_limit(kcb: Array, wind_2m: Array, rh_min: Array, height: Array) -> Array:
    """Kc max: what the energy of the day allows a wet field to evaporate. (Eq. 72)

    Wind in m s⁻¹ at 2 m, lowest relative humidity in %, height of the crop in m.
    """
    return np.asarray(np.maximum(1.2 + climate_adjustment(wind_2m, rh_min, height), kcb + 0.05))


def upper_limit_tall(kcb: Array) -> Array:
    """Kc max where coefficients are those of a tall reference crop (ASCE-2005 alfalfa).

    A wet field evaporates hardly more than alfalfa does, in any climate. (ASCE Manual of Practice
    70, 2nd edition, 2016, chapter 9; as pyfao56 has it)
    """
    return np.asarray(np.maximum(1.0, kcb + 0.05))


def cover_fraction(kcb: Array, kcb_min: Array | float, kc_max: Array, height: Array) -> Array:
    """Fraction of the surface under the crop, 0 to 0.99. (Eq. 76)"""
    grown = np.maximum((kcb - kcb_min) / (kc_max - kcb_min), 0.0)
    return np.asarray(np.minimum(grown ** (1.0 + 0.5 * height), HIGHEST_COVER))


def wetting(
    rain: Array, irrigation: Array, by_irrigation: Array
) -> tuple[NDArray[np.bool_], Array]:
    """Whether a day wets the surface anew, and which fraction of it. (p. 150, Table 20)

    An irrigation leaves its own fraction, 3 mm of rain alone the whole surface; on other days it
    stays as it was.
    """
    irrigated = irrigation > 0
    return irrigated | (rain >= SOAKING_RAIN), np.where(irrigated, by_irrigation, 1.0)


def exposed_wetted_fraction(
    wetted: Array, cover: Array, drip_under_canopy: NDArray[np.bool_] | None = None
) -> Array:
    """Fraction of the surface both wetted and open to the sun. (Eq. 75)

    Where drippers stand under the canopy, it shades part of what they wet (p. 149).
    """
    if drip_under_canopy is not None:
        wetted = np.where(drip_under_canopy, wetted * (1.0 - 2.0 / 3.0 * cover), wetted)
    return np.asarray(np.maximum(np.minimum(1.0 - cover, wetted), SMALLEST_EXPOSED))


def evaporation_reduction(depletion: Array, rew: Array | float, tew: Array | float) -> Array:
    """Kr: 1 while the surface is wet, falling to 0 as it dries. (Eq. 74)

    ``depletion`` of the surface layer, readily and totally evaporable water in mm.
    """
    falling = (tew - depletion) / (tew - rew)
    # np.clip costs several times as much on the short arrays of a day
    return np.asarray(np.minimum(np.maximum(falling, 0.0), 1.0))


def evaporation_coefficient(kr: Array, kcb: Array, kc_max: Array, few: Array) -> Array:
    """Ke: limited by the energy left over by the crop and by the exposed wet surface. (Eq. 71)"""
    return np.asarray(np.minimum(kr * (kc_max - kcb), few * kc_max))
