"""What irrigation had to bring: the net irrigation requirement of a season.

The one definition that savings rest on, used for baseline seasons and for the season that is
judged alike (METHODS section 3: NIR = max(0, ETc - Pe - dS)).
"""

import numpy as np
from numpy.typing import NDArray

from analytics.balance import WaterBalance
from analytics.indicators import net_irrigation_requirement

Array = NDArray[np.float64]


def effective_rain(balance: WaterBalance) -> Array:
    """Rain of the season that stayed in the root zone, shape (fields,). [mm]

    Rain less its runoff, less its share of what drained below the roots.
    """
    rain, runoff = balance.rain.sum(axis=0), balance.runoff.sum(axis=0)
    infiltrated = rain - runoff
    supplied = infiltrated + balance.irrigation_net.sum(axis=0)
    share = np.divide(infiltrated, supplied, out=np.zeros_like(rain), where=supplied > 0)
    return np.asarray(infiltrated - share * balance.deep_percolation.sum(axis=0))


def net_requirement(balance: WaterBalance) -> Array:
    """Net irrigation requirement of the season, shape (fields,). [mm]

    Crop evapotranspiration without stress, less effective rain, less what the soil gave from its
    store.
    """
    from_store = balance.end.depletion - balance.start.depletion
    return net_irrigation_requirement(balance.etc.sum(axis=0), effective_rain(balance), from_store)
