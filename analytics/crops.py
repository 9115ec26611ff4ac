"""What a crop is to the water balance, how it grows through its season, and FAO-56's crops.

Each crop of ``CATALOGUE`` carries the row of Table 11 its stages come from; the other numbers are
the printed value, or the middle of the printed range unless the note says otherwise.

References
----------
.. [1] R. G. Allen et al., "Crop evapotranspiration", FAO Irrigation and Drainage Paper 56, Rome,
   1998: stage lengths Table 11 (pp. 104-108), heights Table 12 (pp. 110-114), basal coefficients
   Table 17 (pp. 137-141), roots and depletion fractions Table 22 (pp. 163-165), yield response
   Table 24 (p. 181); curves Eqs. 66, 70 and Annex 8.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

LOWEST_ADJUSTED = 0.45  # smaller coefficients are of drying crops and stay as printed (p. 136)


class Crop(NamedTuple):
    """One crop: basal coefficients, stage lengths [days], height, roots [m], depletion fraction."""

    kcb_ini: float
    kcb_mid: float
    kcb_end: float
    l_ini: float
    l_dev: float
    l_mid: float
    l_end: float
    h_ini_m: float
    h_max_m: float
    zr_ini_m: float
    zr_max_m: float
    p: float  # share of the available water that can go before stress, at 5 mm/day of ETc
    ky: float | None = None  # seasonal yield response; None where FAO gives none

    @property
    def season_days(self) -> float:
        """Length of the season. [days]"""
        return self.l_ini + self.l_dev + self.l_mid + self.l_end


class CropArrays(NamedTuple):
    """Many crops, one a field: each member an array of shape (fields,)."""

    kcb_ini: Array
    kcb_mid: Array
    kcb_end: Array
    l_ini: Array
    l_dev: Array
    l_mid: Array
    l_end: Array
    h_ini_m: Array
    h_max_m: Array
    zr_ini_m: Array
    zr_max_m: Array
    p: Array


def stack(crops: Sequence[Crop]) -> CropArrays:
    """Lay the crops of many fields side by side."""
    columns = zip(*(crop[: len(CropArrays._fields)] for crop in crops), strict=True)
    return CropArrays(*(np.array(column, float) for column in columns))


def growth_fraction(day: ArrayLike, crop: Crop | CropArrays) -> Array:
    """How far the crop has grown: 0 until development begins, 1 from mid-season on.

    ``day`` counts from planting; the first day is 0. (Eq. 66)
    """
    into_development = np.asarray(day, float) - crop.l_ini
    return np.asarray(np.clip(into_development / np.maximum(crop.l_dev, 1e-9), 0.0, 1.0))


def kcb_curve(day: ArrayLike, crop: Crop | CropArrays) -> Array:
    """Basal crop coefficient of each day, along the four stages. (Eq. 66, Fig. 37)

    Parameters
    ----------
    day : array
        Days since planting, the first day being 0; before it the initial value holds, after the
        season the last one. Shape (days, 1) with ``CropArrays`` gives (days, fields).
    crop : Crop or CropArrays
    """
    into_late = np.asarray(day, float) - (crop.l_ini + crop.l_dev + crop.l_mid)
    late = np.clip(into_late / np.maximum(crop.l_end, 1e-9), 0.0, 1.0)
    rise = (crop.kcb_mid - crop.kcb_ini) * growth_fraction(day, crop)
    return np.asarray(crop.kcb_ini + rise + (crop.kcb_end - crop.kcb_mid) * late)


def crop_height(day: ArrayLike, crop: Crop | CropArrays) -> Array:
    """Height, grown with Kcb and kept after it falls. [m] (pyfao56's rule)"""
    return np.asarray(crop.h_ini_m + (crop.h_max_m - crop.h_ini_m) * growth_fraction(day, crop))


def root_depth(day: ArrayLike, crop: Crop | CropArrays) -> Array:
    """Depth of the root zone, grown with Kcb and kept after it falls. [m] (Annex 8, p. 279)"""
    return np.asarray(crop.zr_ini_m + (crop.zr_max_m - crop.zr_ini_m) * growth_fraction(day, crop))


def climate_adjustment(wind_2m: ArrayLike, rh_min: ArrayLike, height: ArrayLike) -> Array:
    """What drier or windier air than the standard adds to a coefficient. (Eqs. 62, 65, 70, 72)

    Wind [m s⁻¹] is held within 1 and 6, lowest relative humidity [%] within 20 and 80.
    """
    wind = np.clip(np.asarray(wind_2m, float), 1.0, 6.0)
    humidity = np.clip(np.asarray(rh_min, float), 20.0, 80.0)
    roughness = (np.asarray(height, float) / 3.0) ** 0.3
    return np.asarray((0.04 * (wind - 2.0) - 0.004 * (humidity - 45.0)) * roughness)


def stage_mean(values: ArrayLike, inside: NDArray[np.bool_]) -> Array:
    """Mean over the known days that are inside the stage; NaN where there is none.

    Both of shape (days, fields); the result is of shape (fields,).
    """
    given = np.broadcast_to(np.asarray(values, float), inside.shape)
    known = inside & ~np.isnan(given)
    count = known.sum(axis=0)
    total = np.where(known, given, 0.0).sum(axis=0)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))


def adjust_kcb(
    crop: CropArrays, day: ArrayLike, wind_2m: ArrayLike, rh_min: ArrayLike
) -> CropArrays:
    """Fit the mid-season and end coefficients to the climate of those two stages. (Eq. 70)

    Parameters
    ----------
    crop : CropArrays
    day : array, shape (days, 1) or (days, fields)
        Days since planting.
    wind_2m, rh_min : array, shape (days, fields) or broadcasting to it
        Wind speed at 2 m [m s⁻¹] and lowest relative humidity [%].

    Notes
    -----
    The means are of the days given: in the middle of a season they are of the days so far, and a
    stage with no known day keeps the printed value, as do values below 0.45 (p. 136).
    """
    days = np.broadcast_arrays(np.asarray(day, float), crop.l_ini, wind_2m, rh_min)[0]
    mid_starts = crop.l_ini + crop.l_dev
    late_starts = mid_starts + crop.l_mid
    late_ends = late_starts + crop.l_end

    def fitted(kcb: Array, inside: NDArray[np.bool_]) -> Array:
        wind, humidity = stage_mean(wind_2m, inside), stage_mean(rh_min, inside)
        change = np.nan_to_num(climate_adjustment(wind, humidity, crop.h_max_m))
        return np.asarray(np.where(kcb >= LOWEST_ADJUSTED, kcb + change, kcb))

    return crop._replace(
        kcb_mid=fitted(crop.kcb_mid, (days >= mid_starts) & (days < late_starts)),
        kcb_end=fitted(crop.kcb_end, (days >= late_starts) & (days <= late_ends)),
    )
