"""Indicators of how well water was used, each a plain ratio. Depths in mm, yields in kg/ha.

Definitions: FAO Water Report 46; Perry (2007) for the fractions; yield response of FAO Irrigation
and Drainage Paper 33. Arrays broadcast; where nothing was asked for or applied the ratio is NaN.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

M3_PER_HA_PER_MM = 10.0


def net_irrigation_requirement(
    etc: ArrayLike, effective_rain: ArrayLike, storage_change: ArrayLike = 0.0
) -> Array:
    """Water a crop needed from irrigation: ETc less rain less what the soil gave, never negative.

    ``storage_change`` is what the root zone lost between first and last day: the soil's gift. [mm]
    """
    need = np.subtract(np.subtract(etc, effective_rain), storage_change)
    return np.asarray(np.maximum(need, 0.0), float)


def relative_water_supply(irrigation: ArrayLike, rain: ArrayLike, etc: ArrayLike) -> Array:
    """RWS: all water that came, by what the crop could use."""
    return _ratio(np.add(irrigation, rain), etc)


def relative_irrigation_supply(
    irrigation: ArrayLike, etc: ArrayLike, effective_rain: ArrayLike
) -> Array:
    """RIS: irrigation, by what rain left to be irrigated."""
    return _ratio(irrigation, np.subtract(etc, effective_rain))


def depleted_fraction(eta: ArrayLike, supply: ArrayLike, storage_change: ArrayLike = 0.0) -> Array:
    """DF: share of the water supplied (rain and irrigation) that was consumed.

    With ``storage_change``, what the root zone gained counts as not supplied to consumption.
    """
    return _ratio(eta, np.subtract(supply, storage_change))


def beneficial_fraction(transpiration: ArrayLike, eta: ArrayLike) -> Array:
    """Share of the consumed water that passed through the crop."""
    return _ratio(transpiration, eta)


def water_productivity(yield_kg_ha: ArrayLike, depth: ArrayLike) -> Array:
    """Yield by water: CWP with ETa as the depth, IWP with irrigation. [kg m⁻³]"""
    return _ratio(yield_kg_ha, np.multiply(M3_PER_HA_PER_MM, depth))


def relative_yield(eta: ArrayLike, etc: ArrayLike, ky: ArrayLike) -> Array:
    """Yield by the yield without water stress: an estimate, never a measurement. (FAO-33)

    Holds to a deficit of about one half; not below 0.
    """
    deficit = 1.0 - _ratio(eta, etc)
    return np.asarray(np.maximum(1.0 - np.asarray(ky, float) * deficit, 0.0))


def _ratio(part: ArrayLike, whole: ArrayLike) -> Array:
    divisor = np.asarray(whole, float)
    return np.asarray(np.asarray(part, float) / np.where(divisor > 0, divisor, np.nan))


def zone_indicators(
    figures: Mapping[str, float | None], area_ha: float, ky: float | None
) -> dict[str, float | None]:
    """Indicators of a crop zone's season, from figures named as in the results table.

    What lacks an input is None. The depleted fraction counts what the root zone gave or took.
    """

    def of(name: str) -> float:
        value = figures.get(name)
        return np.nan if value is None else value

    gross = of("applied_m3") / (M3_PER_HA_PER_MM * area_ha)
    eta, etc, rain = of("eta_mm"), of("etc_mm"), of("rain_mm")
    supply = gross + rain + of("capillary_rise_mm")
    per_ha = of("mass_kg") / area_ha
    found = {
        "relative_water_supply": relative_water_supply(gross, rain, etc),
        "relative_irrigation_supply": relative_irrigation_supply(
            gross if gross > 0 else np.nan, etc, of("effective_rain_mm")
        ),
        "depleted_fraction": depleted_fraction(eta, supply, of("storage_change_mm")),
        "beneficial_fraction": beneficial_fraction(of("transpiration_mm"), eta),
        "crop_water_productivity_kg_m3": water_productivity(per_ha, eta),
        "irrigation_water_productivity_kg_m3": water_productivity(per_ha, gross),
        "relative_yield_estimate": relative_yield(eta, etc, np.nan if ky is None else ky),
    }
    return {name: float(value) if np.isfinite(value) else None for name, value in found.items()}
