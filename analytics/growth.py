"""How the crops of many fields grow, day by day: seasons from planting, and crops cut for hay.

A hay crop is a series of cutting periods [1]_: each begins anew with the coefficient and height of
a cut stand and grows along the stages of its cycle, the first after green-up in spring, the later
ones after each cut. Roots stay. FAO-56's curve for alfalfa in southern Idaho takes the first cycle
of Table 11 once and the other for every cut, as here; a cut that comes earlier or later than its
cycle is long cuts the curve short or finds it at its last value.

References
----------
.. [1] R. G. Allen et al., "Crop evapotranspiration", FAO Irrigation and Drainage Paper 56, Rome,
   1998: Table 11 (pp. 104-108, cutting cycles), footnote 14 of Table 12 (pp. 110-114), Fig. 35
   (p. 131).
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.crops import (
    Crop,
    CropArrays,
    adjust_kcb,
    crop_height,
    kcb_curve,
    root_depth,
    stack,
)

Array = NDArray[np.float64]


class CropPlan(NamedTuple):
    """The crop of one field and, where it is cut for hay, its cuts."""

    crop: Crop  # of the whole season; of a cut crop, of the growth before the first cut
    cuts: Sequence[float] = ()  # days since planting, the day of planting being 0
    later_cycle: Crop | None = None  # the growth after each cut; None: as before the first


class Growth(NamedTuple):
    """Arrays of shape (days, fields)."""

    kcb: Array
    height: Array  # [m]
    root_depth: Array  # [m]


def days_since(planted: date, dates: Iterable[date]) -> tuple[float, ...]:
    """Dates as days since planting."""
    return tuple(float((day - planted).days) for day in dates)


def grow(
    day: ArrayLike,
    plans: Sequence[CropPlan],
    *,
    wind_2m: ArrayLike | None = None,
    rh_min: ArrayLike | None = None,
) -> Growth:
    """Basal coefficient, height and root depth of every field on every day.

    Parameters
    ----------
    day : array, shape (days, 1) or (days, fields)
        Days since planting.
    plans : sequence of CropPlan
        One a field.
    wind_2m, rh_min : array, shape (days, fields) or broadcasting to it, optional
        Wind speed at 2 m [m s⁻¹] and lowest relative humidity [%]; where both are given, Kcb is
        fitted to them (Eq. 70), for a cut crop in each cycle by itself.
    """
    first = stack([plan.crop for plan in plans])
    later = stack([plan.later_cycle or plan.crop for plan in plans])
    cuts = lay_out_cuts([plan.cuts for plan in plans])
    kcb, height = cut_growth(day, cuts, first, later, wind_2m=wind_2m, rh_min=rh_min)
    roots = np.broadcast_to(root_depth(day, first), kcb.shape)
    return Growth(kcb, height, roots)


def lay_out_cuts(cuts: Sequence[Sequence[float]]) -> Array:
    """Cut days of fields that are not cut equally often, as one array of shape (cuts, fields).

    Each column ascends and ends in NaN where its field has fewer cuts than another.
    """
    laid = np.full((max(map(len, cuts), default=0), len(cuts)), np.nan)
    for field, days in enumerate(cuts):
        laid[: len(days), field] = sorted(days)
    return laid


def cut_growth(
    day: ArrayLike,
    cuts: ArrayLike,
    first_cycle: CropArrays,
    later_cycle: CropArrays,
    *,
    wind_2m: ArrayLike | None = None,
    rh_min: ArrayLike | None = None,
) -> tuple[Array, Array]:
    """Basal coefficient and height [m] of crops that are cut, both of shape (days, fields).

    Parameters
    ----------
    day : array, shape (days, 1) or (days, fields)
        Days since planting or, of a standing crop, since green-up.
    cuts : array, shape (cuts, fields) or (cuts, 1)
        Days of the cuts on the same count, ascending; NaN: no further cut. The day of a cut is the
        first day of the next cycle.
    first_cycle, later_cycle : CropArrays
        Growth before the first cut, and after each.
    wind_2m, rh_min : array, optional
        As in ``grow``.

    Notes
    -----
    A field without cuts follows ``first_cycle`` all season.
    """
    days = np.asarray(day, float)
    starts = np.asarray(cuts, float)
    shape = np.broadcast_shapes(days.shape, starts.shape[1:], first_cycle.l_ini.shape)
    days = np.broadcast_to(days, shape)
    if len(starts) == 0:
        crop = _fitted(first_cycle, days, wind_2m, rh_min)
        return kcb_curve(days, crop), crop_height(days, crop)
    cycle = (days[None] >= starts[:, None, :]).sum(axis=0)  # cuts so far; a NaN is never reached
    kcb, height = np.empty(shape), np.empty(shape)
    for number in range(len(starts) + 1):
        inside = cycle == number
        if not inside.any():
            continue
        grown = days - (0.0 if number == 0 else starts[number - 1])
        # days of other cycles are unknown to this one, so that they are in none of its stages
        known = np.where(inside, grown, np.nan)
        crop = _fitted(first_cycle if number == 0 else later_cycle, known, wind_2m, rh_min)
        kcb = np.where(inside, kcb_curve(grown, crop), kcb)
        height = np.where(inside, crop_height(grown, crop), height)
    return kcb, height


def _fitted(
    crop: CropArrays, day: Array, wind_2m: ArrayLike | None, rh_min: ArrayLike | None
) -> CropArrays:
    if wind_2m is None or rh_min is None:
        return crop
    return adjust_kcb(crop, day, wind_2m, rh_min)
