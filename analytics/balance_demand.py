"""What of a day does not depend on the state of the soil, computed for many days at once."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.balance_inputs import Conventions, Ground, Season
from analytics.evaporation import (
    HIGHEST_COVER,
    cover_fraction,
    upper_limit,
    upper_limit_tall,
    wetting,
)

Array = NDArray[np.float64]


class Today(NamedTuple):
    """Inputs of one day, arrays of shape (fields,) or (1,); of many, (days, fields) or (days, 1).

    Members that carry a name of ``Season`` are its own.
    """

    et0: Array
    rain: Array
    irrigation_net: Array
    kcb: Array
    capillary_rise: Array
    supply: Array  # rain, irrigation and capillary rise where nothing runs off [mm]
    wets: NDArray[np.bool_]  # is the surface wetted today?
    by_event: Array  # fraction of the surface that is, if so
    kc_max: Array
    cover: Array
    taw: Array  # total available water of the root zone [mm] (Eq. 82, or by its layers)
    pores: Array | None  # room above field capacity [mm]; None: no field limits its percolation
    stress_pores: Array | None  # that p counts in [mm]; None: of no field
    measured_depletion: Array | None
    measured_sd: Array | None

    def row(self, index: int) -> "Today":
        """One day of many."""
        members: list[Any] = [None if member is None else member[index] for member in self]
        return Today(*members)


def demand(season: Season, ground: Ground, chosen: Conventions) -> Today:
    """Prepare days of fields for the balance."""
    if chosen.reference == "tall":
        kc_max = upper_limit_tall(season.kcb)
    else:
        kc_max = upper_limit(season.kcb, season.wind_2m, season.rh_min, season.height)
    cover = cover_fraction(season.kcb, ground.kcb_min, kc_max, season.height)
    if season.cover is not None:
        observed = np.minimum(np.maximum(season.cover, 0.0), HIGHEST_COVER)
        cover = np.where(np.isnan(season.cover), cover, observed)
    wets, by_event = wetting(season.rain, season.irrigation_net, season.wetted_fraction)
    pores = stress_pores = None
    if ground.percolation_limit is not None:
        pores = ground.pores_per_m * season.root_depth
    if ground.stress_pores_per_m is not None:
        stress_pores = ground.stress_pores_per_m * season.root_depth
    return Today(
        et0=season.et0,
        rain=season.rain,
        irrigation_net=season.irrigation_net,
        kcb=season.kcb,
        capillary_rise=season.capillary_rise,
        supply=season.rain + season.irrigation_net + season.capillary_rise,
        wets=wets,
        by_event=by_event,
        kc_max=kc_max,
        cover=cover,
        taw=available_water(season, ground),
        pores=pores,
        stress_pores=stress_pores,
        measured_depletion=season.measured_depletion,
        measured_sd=season.measured_sd,
    )


def available_water(season: Season, ground: Ground) -> Array:
    """Total available water of the root zone: Eq. 82, or as given for a soil in layers. [mm]"""
    taw = ground.water_per_m * season.root_depth
    if season.available_water is None:
        return np.asarray(taw)
    return np.where(np.isnan(season.available_water), taw, season.available_water)
