"""Indicators of how well water was used, each a plain ratio. Depths in mm, yields in kg/ha.

Definitions: FAO Water Report 46; Perry (2007) for the fractions; yield response of FAO Irrigation
and Drainage Paper 33. Arrays broadcast; where nothing was asked for or applied the ratio is NaN.
"""

from collections.abc import Callable, Iterable, Mapping

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


Figures = Mapping[str, float | None]


def of_zones(zones: Iterable[tuple[float, Figures]]) -> dict[str, float | None]:
    """Indicators of crop zones together: sums by sums, never means of ratios.

    Each zone is its area [ha] and its figures, named as in the results table. An indicator speaks
    of the zones that have all it needs; None where there is none. Irrigation is judged where some
    was applied. The depleted fraction counts what the soil gave or took.
    """
    sums = {name: [0.0, 0.0] for name in _PARTS}
    for area_ha, figures in zones:
        volumes = _Volumes(area_ha, figures)
        for name, parts in _PARTS.items():
            part, whole = parts(volumes)
            if np.isfinite(part) and np.isfinite(whole):
                sums[name][0] += part
                sums[name][1] += whole
    return {name: part / whole if whole > 0 else None for name, (part, whole) in sums.items()}


class _Volumes:
    """Figures of a crop zone as volumes [m³] and mass [kg]; NaN where unknown."""

    def __init__(self, area_ha: float, figures: Figures) -> None:
        self._per_mm, self._figures = M3_PER_HA_PER_MM * area_ha, figures
        self.applied = self._known("applied_m3")
        self.mass = self._known("mass_kg")
        self.rain, self.etc, self.eta = (self._depth(name) for name in ("rain", "etc", "eta"))

    @property
    def irrigation(self) -> float:
        """Applied, where anything was."""
        return self.applied if self.applied > 0 else np.nan

    @property
    def left_by_rain(self) -> float:
        """What rain left to be irrigated."""
        return self.etc - self._depth("effective_rain")

    @property
    def supply(self) -> float:
        """All water that came, less what the soil kept of it."""
        risen, kept = self._depth("capillary_rise"), self._depth("storage_change")
        return self.applied + self.rain + risen - kept

    @property
    def transpired(self) -> float:
        """Through the crop."""
        return self._depth("transpiration")

    def _depth(self, name: str) -> float:
        return self._per_mm * self._known(f"{name}_mm")

    def _known(self, name: str) -> float:
        value = self._figures.get(name)
        return np.nan if value is None else value


_PARTS: dict[str, Callable[[_Volumes], tuple[float, float]]] = {
    "relative_water_supply": lambda of: (of.applied + of.rain, of.etc),
    "relative_irrigation_supply": lambda of: (of.irrigation, of.left_by_rain),
    "depleted_fraction": lambda of: (of.eta, of.supply),
    "beneficial_fraction": lambda of: (of.transpired, of.eta),
    "crop_water_productivity_kg_m3": lambda of: (of.mass, of.eta),
    "irrigation_water_productivity_kg_m3": lambda of: (of.mass, of.irrigation),
}
NAMES = tuple(_PARTS)
