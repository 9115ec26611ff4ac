"""Soil in layers: the water that a depth of it holds."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def water_to_depth(content: ArrayLike, bottoms_m: ArrayLike, depth_m: ArrayLike) -> Array:
    """Water from the surface down to a depth, shape (days,). [mm]

    Parameters
    ----------
    content : array, shape (layers,) or (days, layers)
        Water content of each layer from the top; or a difference of two, such as that of field
        capacity and wilting point for the available water. [m³ m⁻³]
    bottoms_m : array, shape (layers,)
        Depth at which each layer ends. [m]
    depth_m : float or array, shape (days,)

    Raises
    ------
    ValueError
        If layers are not in order of depth, or end above ``depth_m``.
    """
    bottoms, depth = np.asarray(bottoms_m, float), np.asarray(depth_m, float)
    tops = np.concatenate([[0.0], bottoms[:-1]])
    if np.any(bottoms <= tops):
        raise ValueError(f"layers are not in order of depth: {bottoms.tolist()} m")
    if np.any(depth > bottoms[-1]):
        raise ValueError(f"layers end at {bottoms[-1]:g} m, above {np.nanmax(depth):g} m")
    thickness = np.clip(depth[..., None] - tops, 0.0, bottoms - tops)
    return np.asarray(1000.0 * (np.asarray(content, float) * thickness).sum(axis=-1))
