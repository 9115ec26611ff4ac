"""Rain that runs off a field, by the curve number of the SCS and the wetness of the surface.

ASCE Manual of Practice 70, 2nd edition, 2016, Eqs. 14-12 to 14-20.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def curve_number_of_day(
    curve_number: ArrayLike, surface_depletion: ArrayLike, rew: ArrayLike, tew: ArrayLike
) -> Array:
    """Curve number of a surface layer this dry, from that of average wetness (CN II)."""
    average = np.asarray(curve_number, float)
    dry = average / (2.281 - 0.01281 * average)  # Eq. 14-14
    wet = average / (0.427 + 0.00573 * average)  # Eq. 14-15
    wet_until = 0.5 * np.asarray(rew, float)
    dry_from = 0.7 * np.asarray(rew, float) + 0.3 * np.asarray(tew, float)
    depletion = np.asarray(surface_depletion, float)
    dryness = np.clip((depletion - wet_until) / (dry_from - wet_until), 0.0, 1.0)
    return np.asarray(wet + (dry - wet) * dryness)  # Eqs. 14-18 to 14-20


def curve_number_runoff(rain: ArrayLike, curve_number: ArrayLike) -> Array:
    """Runoff of a day's rain [mm] under the curve number of that day. [mm] (Eqs. 14-12, 14-13)"""
    storage = 250.0 * (100.0 / np.asarray(curve_number, float) - 1.0)
    fallen = np.asarray(rain, float)
    excess = np.maximum(fallen - 0.2 * storage, 0.0)
    spread = np.where(excess > 0, fallen + 0.8 * storage, 1.0)  # 0 on a sealed surface without rain
    return np.asarray(np.minimum(excess**2 / spread, fallen))  # not a rounding error more than fell
