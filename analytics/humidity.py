"""Humidity of the air, from one way of saying it to another."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def dew_point(vapour_pressure: ArrayLike) -> Array:
    """Temperature at which air of a vapour pressure [kPa] is saturated. [°C]

    The inverse of FAO-56 Eq. 11 (Allen et al., 1998); NaN stays NaN.
    """
    exponent = np.log(np.asarray(vapour_pressure, float) / 0.6108)
    return np.asarray(237.3 * exponent / (17.27 - exponent))
