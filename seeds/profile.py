"""Soil water by depth in the simulated fields: where in the root zone its depletion lies.

The balance knows a root zone by one number. A crop takes four tenths of its water from the first
quarter of its roots, then three, two and one (the extraction pattern of the USDA's National
Engineering Handbook, Part 652, Irrigation Guide, chapter 3): a density that falls linearly, 1.8 -
1.6 u at the share u of the root depth. Where that would dry soil below the wilting point, the roots
take the rest from deeper. Below them the soil is at field capacity, as the balance has it
(FAO-56, Example 38).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analytics.soils import Soil

Array = NDArray[np.float64]

SLICE_M = 0.01
SENSED_M = 0.05  # above and below its depth, what a sensor's water content is the mean of
HALVINGS = 40  # of the interval in which the extraction lies; far below a tenth of a millimetre


def moisture(depletion_mm: Array, root_depth_m: Array, soil: Soil, depths_m: Array) -> Array:
    """Water content around sensors each evening, shape (days, sensors). [m³ m⁻³]

    ``depletion_mm`` and ``root_depth_m`` have the shape (days,). The depletion over all slices is
    that of the balance; one above field capacity (negative) or beyond the wilting point, which the
    balance does not reach, is spread evenly.
    """
    deepest = max(float(np.max(root_depth_m)), float(np.max(depths_m)) + SENSED_M)
    tops: Array = SLICE_M * np.arange(int(np.ceil(deepest / SLICE_M - 1e-9)), dtype=float)
    roots = np.asarray(root_depth_m, float)[:, None]
    rooted = np.clip((roots - tops) / SLICE_M, 0.0, 1.0)  # share of each slice that has roots
    missing = _missing(np.asarray(depletion_mm, float)[:, None], roots, rooted, tops, soil)
    theta = soil.theta_fc - missing
    sensed = (
        np.abs(tops + SLICE_M / 2 - np.asarray(depths_m, float)[:, None]) < SENSED_M - SLICE_M / 100
    )
    return np.asarray(theta @ (sensed / sensed.sum(axis=1, keepdims=True)).T)


def _missing(depletion: Array, roots: Array, rooted: Array, tops: Array, soil: Soil) -> Array:
    """Water missing in each slice, shape (days, slices). [m³ m⁻³]"""
    available = soil.theta_fc - soil.theta_wp
    share = np.minimum((tops + SLICE_M / 2) / roots, 1.0)
    density = (1.8 - 1.6 * share) * rooted
    wanted = depletion / 1_000.0  # [m] of water
    even = rooted * wanted / (SLICE_M * rooted.sum(axis=1, keepdims=True))

    def taken(extent: Array) -> Array:
        return np.minimum(extent * density, available * rooted)

    low, high = np.zeros_like(roots), np.full_like(roots, available / 0.2)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        enough = SLICE_M * taken(middle).sum(axis=1, keepdims=True) >= wanted
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    possible = (wanted >= 0) & (wanted <= SLICE_M * available * rooted.sum(axis=1, keepdims=True))
    return np.where(possible, taken(high), even)
