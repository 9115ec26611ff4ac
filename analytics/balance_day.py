"""One day of the water balance: every field side by side, from one evening to the next.

Evaporation is taken from a shallow surface layer, transpiration from the root zone that contains
it. Equation numbers are those of FAO-56 (Allen et al., 1998). No step makes or loses water.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.assimilation import Update, assimilate
from analytics.balance_demand import Today
from analytics.balance_inputs import Conventions, Ground, State
from analytics.evaporation import (
    evaporation_coefficient,
    evaporation_reduction,
    exposed_wetted_fraction,
)
from analytics.runoff import curve_number_of_day, curve_number_runoff

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


class _Morning(NamedTuple):
    """The root zone of the day before it gives water to evapotranspiration. [mm]"""

    subsoil: Array  # depletion below the roots of today
    rooted: Array  # available water of the soil that roots have reached
    runoff: Array | None  # of rain; None: no field has any
    gain: Array  # water that comes in today
    drained: Array | None  # before evapotranspiration; None: by the other convention
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
    today: Today, ground: Ground, evening: State, chosen: Conventions
) -> tuple[dict[str, Array], State]:
    """One day of every field: its results, named as in ``WaterBalance``, and its evening."""
    morning = _morning(today, ground, evening, chosen)
    surface = _surface(today, ground, evening, morning, chosen)
    use = _use(today, ground, morning, surface, chosen)
    below = _below(morning.before_et + use.eta, today, ground, morning)
    computed = use._asdict()
    runoff, closure = morning.runoff, morning.gain - use.eta - below.deep_percolation
    depletion, variance = below.depletion, evening.depletion_variance + ground.model_variance
    if below.overflow is not None and today.pores is not None:
        runoff = below.overflow if runoff is None else runoff + below.overflow
        closure = closure - below.overflow
        computed["overflow"] = below.overflow
        computed["standing_water"] = np.maximum(-depletion - today.pores, 0.0)
    if runoff is not None:
        computed["runoff"] = runoff
    if today.measured_depletion is not None and today.measured_sd is not None:
        seen = today.measured_depletion, today.measured_sd
        update = _measured(today, depletion, variance, *seen)
        correction = depletion - update.depletion
        depletion, variance = update.depletion, update.variance
        closure = closure + correction
        computed |= {"correction": correction, "innovation": update.innovation}
        computed |= {"gain": update.gain, "depletion_sd": np.sqrt(variance)}
    closure = closure - (evening.depletion - depletion)
    if ground.available_water_max is not None:
        closure = closure - (evening.subsoil_depletion - below.subsoil)
        computed["subsoil_depletion"] = below.subsoil
    surface_depletion, wetted = _surface_of_evening(today, ground, surface, use, depletion)
    computed |= {
        "deep_percolation": below.deep_percolation,
        "depletion": depletion,
        "surface_depletion": surface_depletion,
        "closure": closure,
    }
    end = State(depletion, surface_depletion, wetted, below.subsoil, morning.rooted, variance)
    return computed, end


def _morning(today: Today, ground: Ground, evening: State, chosen: Conventions) -> _Morning:
    depletion, subsoil, rooted = _new_roots(evening, ground, today.taw)
    runoff, gain = None, today.supply
    if ground.curve_number is not None:
        runoff = _runoff(today.rain, ground.curve_number, ground, evening)
        gain = today.rain - runoff + today.irrigation_net + today.capillary_rise
    before_et, drained = depletion - gain, None
    if chosen.drainage == "before-et":
        drained = np.maximum(-before_et, 0.0)
        if ground.percolation_limit is not None:
            drained = np.minimum(drained, ground.percolation_limit)
        before_et = before_et + drained
    seen = before_et if chosen.event_timing == "start-of-day" else evening.depletion
    flooded = None if today.pores is None else seen <= -today.pores
    return _Morning(subsoil, rooted, runoff, gain, drained, before_et, seen, flooded)


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


def _runoff(rain: Array, curve_number: Array, ground: Ground, evening: State) -> Array:
    number = curve_number_of_day(curve_number, evening.surface_depletion, ground.rew, ground.tew)
    return np.where(np.isnan(number), 0.0, curve_number_runoff(rain, number))


def _surface(
    today: Today, ground: Ground, evening: State, morning: _Morning, chosen: Conventions
) -> _Surface:
    """What the surface layer gets, and how readily it gives it to evaporation.

    Where the root zone is saturated the whole surface is wet, whatever wetted it: the energy of
    the day is the only limit (Kr = 1), and under the canopy it is the crop's.
    """
    wetted = np.where(today.wets, today.by_event, evening.wetted_fraction)
    few = exposed_wetted_fraction(wetted, today.cover, ground.drip)
    infiltrated = today.rain if morning.runoff is None else today.rain - morning.runoff
    gain = infiltrated + today.irrigation_net / wetted
    refilled = np.maximum(evening.surface_depletion - gain, 0.0)  # Eqs. 77, 79
    early = chosen.event_timing == "start-of-day"
    kr = evaporation_reduction(
        refilled if early else evening.surface_depletion, ground.rew, ground.tew
    )
    if morning.flooded is not None:
        wetted = np.where(morning.flooded, 1.0, wetted)
        few = np.where(morning.flooded, exposed_wetted_fraction(np.ones(1), today.cover), few)
        kr = np.where(morning.flooded, 1.0, kr)
        refilled = np.where(morning.flooded, 0.0, refilled)
    ke = evaporation_coefficient(kr, today.kcb, today.kc_max, few)
    return _Surface(wetted, few, kr, ke, refilled)


def _use(
    today: Today, ground: Ground, morning: _Morning, surface: _Surface, chosen: Conventions
) -> _Use:
    """What evaporates and transpires, no more than is left above the wilting point."""
    taw = today.taw
    etc = (today.kcb + surface.ke) * today.et0  # Eq. 69
    p = within(ground.p + 0.04 * (5.0 - etc), 0.1, 0.8) if chosen.adjust_p else ground.p
    raw = p * taw  # Eq. 83
    if today.stress_pores is not None:  # p counts from saturation; RAW stays a depth below capacity
        raw = raw + (p - 1.0) * today.stress_pores
    ks = within((taw - morning.seen) / (taw - raw), 0.0, 1.0)  # Eq. 84
    ke, demand = surface.ke, (ks * today.kcb + surface.ke) * today.et0
    left = np.maximum(taw - morning.before_et, 0.0)
    short = demand > left
    if short.any():  # cut both alike
        share = np.where(short, left / np.where(short, demand, 1.0), 1.0)
        ke, ks = ke * share, ks * share
        etc = (today.kcb + ke) * today.et0
    evaporation = ke * today.et0
    transpiration = ks * today.kcb * today.et0
    eta = evaporation + transpiration  # Eq. 80
    return _Use(surface.kr, surface.few, ke, p, taw, raw, ks, etc, evaporation, transpiration, eta)


def _below(after_et: Array, today: Today, ground: Ground, morning: _Morning) -> _Below:
    """Percolation, water kept above field capacity, and what runs over the banks.

    At most the field's limit drains in a day; the rest fills the pores, then stands on the field
    as high as its banks.
    """
    percolation, depletion = np.maximum(-after_et, 0.0), np.maximum(after_et, 0.0)  # Eqs. 88, 85
    overflow = None
    if ground.percolation_limit is not None and today.pores is not None:
        limit = ground.percolation_limit
        drains = np.minimum(
            percolation, limit if morning.drained is None else limit - morning.drained
        )
        kept = percolation - drains
        overflow = np.maximum(kept - (today.pores + ground.bund), 0.0)
        percolation, depletion = drains, depletion - (kept - overflow)
    if morning.drained is not None:
        percolation = morning.drained + percolation
    subsoil = morning.subsoil
    if ground.available_water_max is not None:  # the subsoil is filled first
        taken = np.minimum(percolation, subsoil)
        percolation, subsoil = percolation - taken, subsoil - taken
    return _Below(percolation, depletion, subsoil, overflow)


def _measured(
    today: Today, depletion: Array, variance: Array, measured: Array, measured_sd: Array
) -> Update:
    """The evening's depletion after its measurement.

    Water above what the field can keep is about to drain: such a measurement counts as full.
    """
    full: ArrayLike = 0.0
    standing: ArrayLike = False
    if today.pores is not None:
        full = np.where(np.isinf(today.pores), 0.0, -today.pores)
        standing = depletion < -today.pores
    kept = np.maximum(measured, full)
    return assimilate(depletion, variance, kept, measured_sd, blind=standing)


def _surface_of_evening(
    today: Today, ground: Ground, surface: _Surface, use: _Use, depletion: Array
) -> tuple[Array, Array]:
    """Depletion of the surface layer, and the wetted fraction of the surface."""
    dried = surface.refilled + use.evaporation / surface.few  # Eq. 77
    surface_depletion = within(dried, 0.0, ground.tew)  # Eq. 78
    if today.pores is None:
        return surface_depletion, surface.wetted
    saturated = depletion <= -today.pores
    return np.where(saturated, 0.0, surface_depletion), np.where(saturated, 1.0, surface.wetted)


def within(values: Array, low: ArrayLike, high: ArrayLike) -> Array:
    """Values held between two others."""
    # np.clip costs several times as much on the short arrays of a day
    return np.asarray(np.minimum(np.maximum(values, low), high))
