"""What the water balance computes: every day of every field, and the sums of a season."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.balance_inputs import State

Array = NDArray[np.float64]


class WaterBalance(NamedTuple):
    """Daily result, arrays of shape (days, fields), in mm unless they are coefficients.

    What no field has, such as standing water on ordinary soil, is a read-only array of one value.
    """

    et0: Array
    kcb: Array
    rain: Array
    irrigation_net: Array
    capillary_rise: Array
    kr: Array  # evaporation reduction coefficient
    few: Array  # wetted and exposed fraction of the surface
    ke: Array  # evaporation coefficient
    p: Array  # depletion fraction of the day
    taw: Array  # total available water
    raw: Array  # readily available water; negative where stress begins above field capacity
    ks: Array  # water stress coefficient
    etc: Array  # crop evapotranspiration without stress, (Kcb + Ke) ET0
    evaporation: Array
    transpiration: Array
    eta: Array  # evaporation and transpiration
    runoff: Array  # over the surface: of rain by the curve number, and over the banks
    deep_percolation: Array  # below the roots; with a subsoil, below their greatest depth
    depletion: Array  # in the evening
    surface_depletion: Array  # in the evening
    wetted_fraction: Array  # of the surface, by the last wetting
    depletion_variance: Array  # of the error of the evening's depletion [mm²]
    closure: Array  # water in and correction, less water out, less what the soil gained: rounding
    overflow: Array  # the part of runoff that went over the banks
    standing_water: Array  # in the evening
    subsoil_depletion: Array  # in the evening
    correction: Array  # water that a measurement added to the root zone, or (negative) took
    innovation: Array  # measured less computed depletion; NaN where nothing was measured
    gain: Array  # share of the innovation that became the correction; 0: refused, or none
    depletion_sd: Array  # standard deviation of the evening's depletion; NaN without measurements
    start: State
    end: State


class SeasonTotals(NamedTuple):
    """Sums over the days, arrays of shape (fields,). [mm]"""

    et0: Array
    etc: Array
    eta: Array
    evaporation: Array
    transpiration: Array
    deep_percolation: Array
    runoff: Array
    irrigation_net: Array
    rain: Array
    capillary_rise: Array
    overflow: Array
    correction: Array
    depletion_start: Array
    depletion_end: Array
    subsoil_depletion_start: Array
    subsoil_depletion_end: Array
    closure: Array  # of the sums: water in, less water out, less what the soil gained


_NOT_SUMS = 5  # the last members


def season_totals(balance: WaterBalance) -> SeasonTotals:
    """Add up a season, and check that its sums close."""
    names = SeasonTotals._fields[:-_NOT_SUMS]
    sums = {name: np.asarray(getattr(balance, name).sum(axis=0)) for name in names}
    start, end = balance.start, balance.end
    water_in = sums["rain"] + sums["irrigation_net"] + sums["capillary_rise"] + sums["correction"]
    water_out = sums["eta"] + sums["runoff"] + sums["deep_percolation"]
    gained = start.depletion - end.depletion + (start.subsoil_depletion - end.subsoil_depletion)
    return SeasonTotals(
        **sums,
        depletion_start=start.depletion,
        depletion_end=end.depletion,
        subsoil_depletion_start=start.subsoil_depletion,
        subsoil_depletion_end=end.subsoil_depletion,
        closure=water_in - water_out - gained,
    )
