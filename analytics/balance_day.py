"""One day of the water balance: every field side by side, from one evening to the next.

Evaporation is taken from a shallow surface layer, transpiration from the root zone that contains
it. Equation numbers are those of FAO-56 (Allen et al., 1998). No step makes or loses water.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.assimilation import Update, assimilate
from analytics.balance_inputs import Conventions, Ground, Season, State
from analytics.evaporation import (
    HIGHEST_COVER,
    cover_fraction,
    evaporation_coefficient,
    evaporation_reduction,
    exposed_wetted_fraction,
    upper_limit,
    upper_limit_tall,
    wetted_fraction,
)
from analytics.runoff import curve_number_of_day, curve_number_runoff

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


class _Morning(NamedTuple):
    """The root zone of the day before it gives water to evapotranspiration. [mm]"""

    taw: Array
    pores: Array  # room above field capacity
    subsoil: Array  # depletion below the roots, those of today
    rooted: Array
    runoff: Array
    gain: Array  # water that comes in today
    drained: Array  # before evapotranspiration, by that convention
    before_et: Array  # depletion with the day's water in it; negative: above field capacity
    seen: Array  # depletion that the crop answers to
    flooded: Flags | None  # is the root zone saturated? None: no field can be


class _Surface(NamedTuple):
    """The surface layer of the day, before its evaporation is taken from it."""

    wetted: Array  # fraction of the surface
    few: Array
    kr: Array
    ke: Array
    refilled: Array  # its depletion once rain and irrigation are in [mm]


class _Use(NamedTuple):
    """Evapotranspiration of the day; members as in ``WaterBalance``."""

    kr: Array
    few: Array
    ke: Array
    p: Array
    taw: Array
    raw: Array
    ks: Array
    etc: Array
    evaporation: Array
    transpiration: Array
    eta: Array


class _Below(NamedTuple):
    """Where the water above field capacity went by the evening. [mm]"""

    deep_percolation: Array
    depletion: Array
    subsoil: Array
    overflow: Array | None  # None: no field keeps water


def one_day(
    today: Season, ground: Ground, evening: State, chosen: Conventions
) -> tuple[dict[str, Array], State]:
    """One day of every field: its results, named as in ``WaterBalance``, and its evening.

    ``today`` has the season's inputs of one day, arrays of shape (fields,) or (1,).
    """
    morning = _morning(today, ground, evening, chosen)
    surface = _surface(today, ground, evening, morning, chosen)
    use = _use(today, ground, morning, surface, chosen)
    below = _below(morning.before_et + use.eta, morning, ground)
    computed = use._asdict()
    runoff, closure = morning.runoff, morning.gain - use.eta - below.deep_percolation
    if below.overflow is not None:
        runoff, closure = runoff + below.overflow, closure - below.overflow
        computed["overflow"] = below.overflow
        computed["standing_water"] = np.maximum(-below.depletion - morning.pores, 0.0)
    if ground.curve_number is not None or below.overflow is not None:
        computed["runoff"] = runoff
    depletion, variance = below.depletion, evening.depletion_variance + ground.model_variance
    if today.measured_depletion is not None and today.measured_sd is not None:
        measured = today.measured_depletion, today.measured_sd
        update = _corrected(measured, ground, below.depletion, variance, morning.pores)
        depletion, variance = update.depletion, update.variance
        correction = below.depletion - depletion
        closure = closure + correction
        computed |= {"correction": correction, "innovation": update.innovation}
        computed |= {"gain": update.gain, "depletion_sd": np.sqrt(variance)}
    closure = closure - (evening.depletion - depletion)
    if ground.available_water_max is not None:
        closure = closure - (evening.subsoil_depletion - below.subsoil)
        computed["subsoil_depletion"] = below.subsoil
    dried = surface.refilled + use.evaporation / surface.few  # Eq. 77
    surface_depletion, wetted = within(dried, 0.0, ground.tew), surface.wetted  # Eq. 78
    if morning.flooded is not None:  # what is saturated in the evening has a wet surface
        saturated = depletion <= -morning.pores
        surface_depletion = np.where(saturated, 0.0, surface_depletion)
        wetted = np.where(saturated, 1.0, wetted)
    computed |= {
        "deep_percolation": below.deep_percolation,
        "depletion": depletion,
        "surface_depletion": surface_depletion,
        "wetted_fraction": wetted,
        "depletion_variance": variance,
        "closure": closure,
    }
    end = State(depletion, surface_depletion, wetted, below.subsoil, morning.rooted, variance)
    return computed, end


def _morning(today: Season, ground: Ground, evening: State, chosen: Conventions) -> _Morning:
    taw = _available_water(today, ground)
    depletion, subsoil, rooted = _new_roots(evening, ground, taw)
    runoff = _runoff(today, ground, evening)
    gain = today.rain - runoff + today.irrigation_net + today.capillary_rise
    before_et, drained = depletion - gain, np.zeros(1)
    if chosen.drainage == "before-et":
        drained = np.maximum(-before_et, 0.0)
        if ground.percolation_limit is not None:
            drained = np.minimum(drained, ground.percolation_limit)
        before_et = before_et + drained
    pores = ground.pores_per_m * today.root_depth
    seen = before_et if chosen.event_timing == "start-of-day" else evening.depletion
    flooded = None if ground.percolation_limit is None else seen <= -pores
    return _Morning(taw, pores, subsoil, rooted, runoff, gain, drained, before_et, seen, flooded)


def _available_water(today: Season, ground: Ground) -> Array:
    """Of the root zone, Eq. 82, or as it was given for a soil in layers."""
    taw = ground.water_per_m * today.root_depth
    if today.available_water is None:
        return np.asarray(taw)
    return np.where(np.isnan(today.available_water), taw, today.available_water)


def _new_roots(evening: State, ground: Ground, taw: Array) -> tuple[Array, Array, Array]:
    """Depletion of the root zone and of the soil below it once roots have grown for the day.

    Roots take their share of the subsoil with its share of the depletion. Soil that roots reached
    stays with the root zone when they shrink.
    """
    if ground.available_water_max is None:
        return evening.depletion, evening.subsoil_depletion, evening.rooted_water
    reached = np.maximum(np.minimum(taw, ground.available_water_max), evening.rooted_water)
    room = ground.available_water_max - evening.rooted_water
    share = np.where(room > 0, (reached - evening.rooted_water) / np.where(room > 0, room, 1.0), 0)
    joined = share * evening.subsoil_depletion
    return evening.depletion + joined, evening.subsoil_depletion - joined, reached


def _runoff(today: Season, ground: Ground, evening: State) -> Array:
    if ground.curve_number is None:
        return np.zeros(1)
    number = curve_number_of_day(
        ground.curve_number, evening.surface_depletion, ground.rew, ground.tew
    )
    return np.where(np.isnan(number), 0.0, curve_number_runoff(today.rain, number))


def _surface(
    today: Season, ground: Ground, evening: State, morning: _Morning, chosen: Conventions
) -> _Surface:
    """What the surface layer gets, and how readily it gives it to evaporation.

    Where the root zone is saturated the whole surface is wet, whatever wetted it: the energy of
    the day is the only limit (Kr = 1), and under the canopy it is the crop's.
    """
    if chosen.reference == "tall":
        kc_max = upper_limit_tall(today.kcb)
    else:
        kc_max = upper_limit(today.kcb, today.wind_2m, today.rh_min, today.height)
    cover = cover_fraction(today.kcb, ground.kcb_min, kc_max, today.height)
    if today.cover is not None:
        cover = np.where(np.isnan(today.cover), cover, within(today.cover, 0.0, HIGHEST_COVER))
    wetted = wetted_fraction(
        today.rain, today.irrigation_net, today.wetted_fraction, evening.wetted_fraction
    )
    few = exposed_wetted_fraction(wetted, cover, ground.drip)
    gain = today.rain - morning.runoff + today.irrigation_net / wetted
    refilled = np.maximum(evening.surface_depletion - gain, 0.0)  # Eqs. 77, 79
    early = chosen.event_timing == "start-of-day"
    kr = evaporation_reduction(
        refilled if early else evening.surface_depletion, ground.rew, ground.tew
    )
    if morning.flooded is not None:
        wetted = np.where(morning.flooded, 1.0, wetted)
        few = np.where(morning.flooded, exposed_wetted_fraction(np.ones(1), cover), few)
        kr = np.where(morning.flooded, 1.0, kr)
        refilled = np.where(morning.flooded, 0.0, refilled)
    return _Surface(wetted, few, kr, evaporation_coefficient(kr, today.kcb, kc_max, few), refilled)


def _use(
    today: Season, ground: Ground, morning: _Morning, surface: _Surface, chosen: Conventions
) -> _Use:
    """What evaporates and transpires, no more than is left above the wilting point."""
    taw = morning.taw
    etc = (today.kcb + surface.ke) * today.et0  # Eq. 69
    p = within(ground.p + 0.04 * (5.0 - etc), 0.1, 0.8) if chosen.adjust_p else ground.p
    raw = p * taw  # Eq. 83
    if ground.stress_pores_per_m is not None:  # counted from saturation, as a depth below capacity
        raw = raw + (p - 1.0) * (ground.stress_pores_per_m * today.root_depth)
    ks = within((taw - morning.seen) / (taw - raw), 0.0, 1.0)  # Eq. 84
    ke, demand = surface.ke, (ks * today.kcb + surface.ke) * today.et0
    left = np.maximum(taw - morning.before_et, 0.0)
    short = demand > left
    if short.any():  # cut both alike
        share = np.where(short, left / np.where(short, demand, 1.0), 1.0)
        ke, ks = ke * share, ks * share
    evaporation = ke * today.et0
    transpiration = ks * today.kcb * today.et0
    eta = evaporation + transpiration  # Eq. 80
    etc = (today.kcb + ke) * today.et0
    return _Use(surface.kr, surface.few, ke, p, taw, raw, ks, etc, evaporation, transpiration, eta)


def _below(after_et: Array, morning: _Morning, ground: Ground) -> _Below:
    """Percolation, water kept above field capacity, and what runs over the banks.

    At most the field's limit drains in a day; the rest fills the pores, then stands on the field
    as high as its banks.
    """
    surplus, depletion = np.maximum(-after_et, 0.0), np.maximum(after_et, 0.0)  # Eqs. 88, 85
    overflow = None
    if ground.percolation_limit is not None:
        drains = np.minimum(surplus, ground.percolation_limit - morning.drained)
        kept = surplus - drains
        overflow = np.maximum(kept - (morning.pores + ground.bund), 0.0)
        surplus, depletion = drains, depletion - (kept - overflow)
    percolation, subsoil = morning.drained + surplus, morning.subsoil
    if ground.available_water_max is not None:  # the subsoil is filled first
        taken = np.minimum(percolation, subsoil)
        percolation, subsoil = percolation - taken, subsoil - taken
    return _Below(percolation, depletion, subsoil, overflow)


def _corrected(
    given: tuple[Array, Array], ground: Ground, depletion: Array, variance: Array, pores: Array
) -> Update:
    """The evening's depletion after its measurement.

    Water above what the field can keep is about to drain: such a measurement counts as full.
    """
    full: ArrayLike = 0.0
    standing: ArrayLike = False
    if ground.percolation_limit is not None:
        full = np.where(np.isinf(pores), 0.0, -pores)
        standing = depletion < -pores
    measured, measured_sd = given
    return assimilate(depletion, variance, np.maximum(measured, full), measured_sd, blind=standing)


def within(values: Array, low: ArrayLike, high: ArrayLike) -> Array:
    """Values held between two others."""
    # np.clip costs several times as much on the short arrays of a day
    return np.asarray(np.minimum(np.maximum(values, low), high))
