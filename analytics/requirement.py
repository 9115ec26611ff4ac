"""What irrigation had to bring: the net irrigation requirement of a season.

The one definition that savings rest on, used for baseline seasons and for the season that is
judged alike: NIR = max(0, ETc - Pe - dS).
"""

import numpy as np
from numpy.typing import NDArray

from analytics.balance import WaterBalance
from analytics.indicators import net_irrigation_requirement

Array = NDArray[np.float64]
Inside = NDArray[np.bool_]


def season_sum(values: Array, inside: Inside | None = None) -> Array:
    """Sum over the days that belong to each field's season, shape (fields,).

    ``inside`` of shape (days, fields) tells which they are; all of them where it is not given.
    """
    if inside is None:
        return np.asarray(values.sum(axis=0))
    return np.asarray(np.where(inside, values, 0.0).sum(axis=0))


def storage_change(balance: WaterBalance, inside: Inside | None = None) -> Array:
    """What the soil gained from the first to the last evening, shape (fields,). [mm]

    Negative where it gave from its store. A field's days stand first in its column.
    """
    count, fields = balance.depletion.shape
    days = np.full(fields, count) if inside is None else inside.sum(axis=0)
    last = np.maximum(days - 1, 0)
    evening = (last, np.arange(fields))
    gained = balance.start.depletion - balance.depletion[evening]
    below = np.broadcast_to(balance.subsoil_depletion, balance.depletion.shape)
    return np.asarray(gained + balance.start.subsoil_depletion - below[evening])


def effective_rain(balance: WaterBalance, inside: Inside | None = None) -> Array:
    """Rain of the season that stayed in the root zone, shape (fields,). [mm]

    Rain less its runoff, less its share of what drained below the roots or, from a basin, went
    over the banks.
    """
    rain, overflow = season_sum(balance.rain, inside), season_sum(balance.overflow, inside)
    infiltrated = rain - (season_sum(balance.runoff, inside) - overflow)
    supplied = infiltrated + season_sum(balance.irrigation_net, inside)
    share = np.divide(infiltrated, supplied, out=np.zeros_like(rain), where=supplied > 0)
    lost = season_sum(balance.deep_percolation, inside) + overflow
    return np.asarray(infiltrated - share * lost)


def net_requirement(balance: WaterBalance, inside: Inside | None = None) -> Array:
    """Net irrigation requirement of the season, shape (fields,). [mm]

    Crop evapotranspiration without stress, less effective rain, less what rose from groundwater,
    less what the soil gave from its store; what a measurement found there was there.
    """
    found = season_sum(balance.capillary_rise, inside) + season_sum(balance.correction, inside)
    given = found - storage_change(balance, inside)
    etc = season_sum(balance.etc, inside)
    return net_irrigation_requirement(etc, effective_rain(balance, inside), given)
