"""The single crop coefficient: transpiration and average evaporation in one number.

It serves plans and monthly figures; the daily balance takes the basal coefficient and computes
evaporation itself. ``Kc ini`` depends most on how often the soil is wetted: the tabulated value
holds for the typical wetting that Table 12 assumes. FAO-56 refines it by reading Figures 29 and
30 for the interval and depth of wetting, which is not done here: a plan that needs it gives its
own value.

References
----------
.. [1] R. G. Allen et al., "Crop evapotranspiration", FAO Irrigation and Drainage Paper 56, Rome,
   1998, chapter 6: Table 12 (pp. 110-114), Eqs. 62, 65 and 66.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.crops import Crop, CropArrays, adjust_kcb, kcb_curve

Array = NDArray[np.float64]


class SingleKc(NamedTuple):
    """Single crop coefficients of the three levels: one crop's, or arrays of shape (fields,)."""

    kc_ini: ArrayLike
    kc_mid: ArrayLike
    kc_end: ArrayLike


def stack_kc(coefficients: Sequence[SingleKc]) -> SingleKc:
    """Lay the coefficients of many fields side by side."""
    return SingleKc(*(np.array(column, float) for column in zip(*coefficients, strict=True)))


def kc_curve(day: ArrayLike, kc: SingleKc, crop: Crop | CropArrays) -> Array:
    """Single crop coefficient of each day, along the four stages of ``crop``. (Eq. 66, Fig. 34)

    Parameters
    ----------
    day : array
        Days since planting, the first day being 0. Shape (days, 1) gives (days, fields).
    kc : SingleKc
        Its members broadcast with those of ``crop``.
    crop : Crop or CropArrays
        Only its stage lengths matter.
    """
    return kcb_curve(day, _in_place_of_kcb(kc, crop))


def adjust_kc(
    kc: SingleKc, crop: CropArrays, day: ArrayLike, wind_2m: ArrayLike, rh_min: ArrayLike
) -> SingleKc:
    """Fit Kc mid and Kc end to the climate of their stages. (Eqs. 62 and 65)

    Parameters and gaps are those of ``analytics.crops.adjust_kcb``: the two equations add the same
    term, and a value below 0.45 stays as printed.
    """
    fitted = adjust_kcb(_in_place_of_kcb(kc, crop), day, wind_2m, rh_min)
    return SingleKc(fitted.kcb_ini, fitted.kcb_mid, fitted.kcb_end)


def _in_place_of_kcb(kc: SingleKc, crop: Crop | CropArrays) -> CropArrays:
    stages = CropArrays(
        *(
            np.asarray(value, float)
            for value in crop[: len(CropArrays._fields)]
            if value is not None
        )
    )
    ini, mid, end = (np.asarray(value, float) for value in kc)
    return stages._replace(kcb_ini=ini, kcb_mid=mid, kcb_end=end)
