"""The daily soil water balance with a dual crop coefficient, for many fields at once.

Evaporation is taken from a shallow surface layer, transpiration from the root zone that contains
it. Days follow each other, fields stand side by side: arrays have the shape (days, fields).
Equation numbers are those of FAO-56 [1]_. No step makes or loses water (``WaterBalance.closure``).

References
----------
.. [1] R. G. Allen et al., "Crop evapotranspiration", FAO Irrigation and Drainage Paper 56, Rome,
   1998, chapters 7 and 8.
.. [2] ASCE Manual of Practice 70, 2nd edition, 2016, Eqs. 14-12 to 14-20 (runoff).
"""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.evaporation import (
    HIGHEST_COVER,
    cover_fraction,
    evaporation_coefficient,
    evaporation_reduction,
    exposed_wetted_fraction,
    upper_limit,
    wetted_fraction,
)
from analytics.runoff import curve_number_of_day, curve_number_runoff

Array = NDArray[np.float64]
EventTiming = Literal["start-of-day", "end-of-day"]
Drainage = Literal["after-et", "before-et"]


class Conventions(NamedTuple):
    """Choices that FAO-56 leaves open or that programs make differently; each moves the result."""

    event_timing: EventTiming = "start-of-day"  # do rain and irrigation come before the day's ET?
    drainage: Drainage = "after-et"  # does surplus drain after the day's ET (Eq. 88) or before?
    adjust_p: bool = True  # does p follow the day's ETc? (p. 162)
    adjust_kcb: bool = True  # was Kcb fitted to the climate (Eq. 70)? Kcb is given: only recorded


PYFAO56 = Conventions("end-of-day", "after-et", adjust_p=True, adjust_kcb=False)


class Days(NamedTuple):
    """What each day brings, each array broadcasting to (days, fields)."""

    et0: ArrayLike  # reference evapotranspiration [mm]
    rain: ArrayLike  # [mm]
    irrigation_net: ArrayLike  # what of the irrigation enters the soil, over the field [mm]
    wetted_fraction: ArrayLike  # of the surface by that irrigation; used on days with irrigation
    wind_2m: ArrayLike  # [m s⁻¹]
    rh_min: ArrayLike  # lowest relative humidity [%]
    kcb: ArrayLike  # basal crop coefficient
    height: ArrayLike  # of the crop [m]
    root_depth: ArrayLike  # [m]
    capillary_rise: ArrayLike = 0.0  # [mm]
    cover: ArrayLike = np.nan  # observed fraction covered by the crop; NaN: from Kcb (Eq. 76)


class Fields(NamedTuple):
    """What each field is, each array broadcasting to (fields,)."""

    theta_fc: ArrayLike  # [m³ m⁻³]
    theta_wp: ArrayLike  # [m³ m⁻³]
    ze_m: ArrayLike
    rew_mm: ArrayLike
    p: ArrayLike  # depletion fraction of the crop at 5 mm/day
    kcb_min: ArrayLike = 0.15  # of bare dry soil; pyfao56 takes the crop's initial Kcb
    curve_number: ArrayLike = np.nan  # NaN: no runoff
    drip_under_canopy: ArrayLike = False


class State(NamedTuple):
    """Where each field stands in the evening, each array of shape (fields,)."""

    depletion: Array  # of the root zone below field capacity [mm]
    surface_depletion: Array  # of the wetted, exposed part of the surface layer [mm]
    wetted_fraction: Array  # of the surface by the last wetting


class WaterBalance(NamedTuple):
    """Daily result, arrays of shape (days, fields), in mm unless they are coefficients."""

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
    raw: Array  # readily available water
    ks: Array  # water stress coefficient
    etc: Array  # crop evapotranspiration without stress, (Kcb + Ke) ET0
    evaporation: Array
    transpiration: Array
    eta: Array  # evaporation and transpiration
    runoff: Array
    deep_percolation: Array
    depletion: Array  # in the evening
    surface_depletion: Array  # in the evening
    closure: (
        Array  # water in, less water out, less what the root zone gained: zero but for rounding
    )
    start: State
    end: State


_GIVEN = ("et0", "kcb", "rain", "irrigation_net", "capillary_rise")
_COMPUTED = tuple(name for name in WaterBalance._fields if name not in (*_GIVEN, "start", "end"))


def initial_state(
    fields: Fields,
    theta: ArrayLike,
    root_depth: ArrayLike,
    *,
    surface_depletion: ArrayLike = np.nan,
) -> State:
    """State of fields whose whole root zone has the water content ``theta`` [m³ m⁻³].

    ``root_depth`` is that of the first day [m]; the surface layer is dry (De = TEW) unless given,
    and counts as wholly wetted.
    """
    fc, wp = np.asarray(fields.theta_fc, float), np.asarray(fields.theta_wp, float)
    evaporable = 1000.0 * (fc - 0.5 * wp) * np.asarray(fields.ze_m, float)
    depletion = 1000.0 * (fc - np.asarray(theta, float)) * np.asarray(root_depth, float)
    surface = np.where(np.isnan(surface_depletion), evaporable, surface_depletion)
    depletion, surface = np.broadcast_arrays(np.atleast_1d(np.maximum(depletion, 0.0)), surface)
    return State(depletion.copy(), surface.astype(float), np.ones(depletion.shape))


class _Ground(NamedTuple):
    """Constants of each field that no day changes, arrays of shape (fields,)."""

    water_per_m: Array  # available water of one metre of root zone [mm]
    tew: Array  # total evaporable water of the surface layer [mm] (Eq. 73)
    rew: Array
    p: Array
    kcb_min: Array
    curve_number: Array | None  # None: no field has runoff
    drip: NDArray[np.bool_] | None  # None: no field has drip under its canopy
    cover_observed: bool


class _Day(NamedTuple):
    """The inputs of one day, arrays of shape (fields,); of all days, (days, fields)."""

    et0: Array
    rain: Array
    irrigation_net: Array
    wetted_fraction: Array
    wind_2m: Array
    rh_min: Array
    kcb: Array
    height: Array
    root_depth: Array
    capillary_rise: Array
    cover: Array


def water_balance(
    days: Days, fields: Fields, state: State, conventions: Conventions | None = None
) -> WaterBalance:
    """Follow the water of every field day by day.

    Parameters
    ----------
    days : Days
        Weather, irrigation and crop of each day.
    fields : Fields
        Soil and crop constants.
    state : State
        The evening before the first day: of ``initial_state``, or the ``end`` of an earlier call,
        so that a season may be computed in pieces.
    conventions : Conventions, optional
        FAO-56's own where not given.

    Raises
    ------
    ValueError
        If shapes do not fit, a depth is negative, a wetted fraction on a day of irrigation is not
        within (0, 1], or a field's constants allow no balance.

    Notes
    -----
    A new layer that roots reach is at field capacity, so growing roots change no depletion.
    Where less water is left above the wilting point than evaporation and transpiration ask for,
    both are cut by the same share (and Ke and Ks with them): FAO-56 and pyfao56 cut the depletion
    at TAW instead (Eq. 86), which makes water from nothing.
    A missing input (NaN) makes its field NaN from that day on: filling gaps is a choice, and the
    caller makes it.
    """
    chosen = conventions or Conventions()
    season = _season(days, fields, state)
    ground = _ground(fields, season)
    shape = season.et0.shape
    out = {name: np.empty(shape) for name in _COMPUTED}
    evening = state
    for index in range(shape[0]):
        today = _Day(*(column[index] for column in season))
        computed, evening = _one_day(today, ground, evening, chosen)
        for name, values in computed.items():
            out[name][index] = values
    given = {name: getattr(season, name) for name in _GIVEN}
    return WaterBalance(**given, **out, start=state, end=evening)


class _Surface(NamedTuple):
    """The surface layer of the day, before its evaporation is taken from it."""

    runoff: Array
    wetted: Array  # fraction of the surface
    few: Array
    kr: Array
    ke: Array
    refilled: Array  # its depletion once rain and irrigation are in [mm]


def _one_day(
    today: _Day, ground: _Ground, evening: State, chosen: Conventions
) -> tuple[dict[str, Array], State]:
    """One day of every field, from one evening to the next."""
    early = chosen.event_timing == "start-of-day"
    surface = _surface(today, ground, evening, early=early)
    etc = (today.kcb + surface.ke) * today.et0  # Eq. 69
    gain = today.rain - surface.runoff + today.irrigation_net + today.capillary_rise

    taw = ground.water_per_m * today.root_depth  # Eq. 82
    p = _within(ground.p + 0.04 * (5.0 - etc), 0.1, 0.8) if chosen.adjust_p else ground.p
    raw = p * taw  # Eq. 83
    seen = np.maximum(evening.depletion - gain, 0.0) if early else evening.depletion
    ks = _within((taw - seen) / (taw - raw), 0.0, 1.0)  # Eq. 84

    dry_below = evening.depletion - gain  # negative: more water than the root zone holds
    drained = np.maximum(-dry_below, 0.0) if chosen.drainage == "before-et" else 0.0
    before_et = dry_below + drained
    ke, ks = _within_water_left(surface.ke, ks, today, np.maximum(taw - before_et, 0.0))
    evaporation = ke * today.et0
    transpiration = ks * today.kcb * today.et0
    eta = evaporation + transpiration  # Eq. 80
    deep_percolation = drained + np.maximum(-before_et - eta, 0.0)  # Eq. 88
    depletion = np.maximum(before_et + eta, 0.0)  # Eq. 85
    dried = surface.refilled + evaporation / surface.few  # Eq. 77
    surface_depletion = _within(dried, 0.0, ground.tew)  # Eq. 78
    computed = {
        "kr": surface.kr,
        "few": surface.few,
        "ke": ke,
        "p": p,
        "taw": taw,
        "raw": raw,
        "ks": ks,
        "etc": (today.kcb + ke) * today.et0,
        "evaporation": evaporation,
        "transpiration": transpiration,
        "eta": eta,
        "runoff": surface.runoff,
        "deep_percolation": deep_percolation,
        "depletion": depletion,
        "surface_depletion": surface_depletion,
        "closure": gain - eta - deep_percolation - (evening.depletion - depletion),
    }
    return computed, State(depletion, surface_depletion, surface.wetted)


def _surface(today: _Day, ground: _Ground, evening: State, *, early: bool) -> _Surface:
    """What the surface layer gets, and how readily it gives it to evaporation."""
    runoff = np.zeros_like(today.rain)
    if ground.curve_number is not None:
        number = curve_number_of_day(
            ground.curve_number, evening.surface_depletion, ground.rew, ground.tew
        )
        runoff = np.where(np.isnan(number), 0.0, curve_number_runoff(today.rain, number))
    kc_max = upper_limit(today.kcb, today.wind_2m, today.rh_min, today.height)
    cover = cover_fraction(today.kcb, ground.kcb_min, kc_max, today.height)
    if ground.cover_observed:
        observed = _within(today.cover, 0.0, HIGHEST_COVER)
        cover = np.where(np.isnan(today.cover), cover, observed)
    wetted = wetted_fraction(
        today.rain, today.irrigation_net, today.wetted_fraction, evening.wetted_fraction
    )
    few = exposed_wetted_fraction(wetted, cover, ground.drip)

    gain = today.rain - runoff + today.irrigation_net / wetted
    refilled = np.maximum(evening.surface_depletion - gain, 0.0)  # Eqs. 77, 79
    depletion = refilled if early else evening.surface_depletion
    kr = evaporation_reduction(depletion, ground.rew, ground.tew)
    ke = evaporation_coefficient(kr, today.kcb, kc_max, few)
    return _Surface(runoff, wetted, few, kr, ke, refilled)


def _within_water_left(ke: Array, ks: Array, today: _Day, left: Array) -> tuple[Array, Array]:
    """Cut evaporation and transpiration alike where they would take more than is left."""
    demand = (ks * today.kcb + ke) * today.et0
    short = demand > left
    if not short.any():
        return ke, ks
    share = np.where(short, left / np.where(short, demand, 1.0), 1.0)
    return ke * share, ks * share


def _within(values: Array, low: ArrayLike, high: ArrayLike) -> Array:
    # np.clip costs several times as much on the short arrays of a day
    return np.asarray(np.minimum(np.maximum(values, low), high))


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
    depletion_start: Array
    depletion_end: Array
    closure: Array  # of the sums: water in, less water out, less what the root zone gained


def season_totals(balance: WaterBalance) -> SeasonTotals:
    """Add up a season, and check that its sums close."""
    names = SeasonTotals._fields[: -len(("depletion_start", "depletion_end", "closure"))]
    sums = {name: getattr(balance, name).sum(axis=0) for name in names}
    start, end = balance.start.depletion, balance.end.depletion
    water_in = sums["rain"] + sums["irrigation_net"] + sums["capillary_rise"]
    water_out = sums["eta"] + sums["runoff"] + sums["deep_percolation"]
    return SeasonTotals(
        **sums,
        depletion_start=start,
        depletion_end=end,
        closure=water_in - water_out - (start - end),
    )


def _season(days: Days, fields: Fields, state: State) -> _Day:
    """Every daily input as an array of shape (days, fields), checked."""
    columns = {name: _two_dimensional(name, value) for name, value in days._asdict().items()}
    per_field = [np.atleast_1d(np.asarray(value)) for value in (*fields, *state)]
    try:
        width = np.broadcast_shapes(*(value.shape for value in per_field))
        shape = np.broadcast_shapes(width, *(value.shape for value in columns.values()))
    except ValueError:
        shapes = ", ".join(f"{name} {value.shape}" for name, value in columns.items())
        raise ValueError(f"shapes do not fit (days, fields): {shapes}") from None
    for name in ("rain", "irrigation_net", "capillary_rise"):
        if np.any(columns[name] < 0):
            raise ValueError(f"{name} is negative: {np.nanmin(columns[name])} mm")
    wetted = columns["wetted_fraction"]
    if np.any((columns["irrigation_net"] > 0) & ~((wetted > 0) & (wetted <= 1))):
        raise ValueError("wetted_fraction of an irrigation is not within (0, 1]")
    return _Day(**{name: np.broadcast_to(value, shape) for name, value in columns.items()})


def _two_dimensional(name: str, values: ArrayLike) -> Array:
    """(days,) is one field's days; a single number holds for all."""
    array = np.asarray(values, float)
    if array.ndim > 2:
        raise ValueError(f"{name} has {array.ndim} dimensions, not (days, fields)")
    return array.reshape(-1, 1) if array.ndim == 1 else array


def _ground(fields: Fields, season: _Day) -> _Ground:
    """Constants derived from the fields, checked."""
    fc, wp, ze, rew, p, kcb_min, number = (
        np.atleast_1d(np.asarray(value, float)) for value in fields[:-1]
    )
    drip = np.atleast_1d(np.asarray(fields.drip_under_canopy, bool))
    tew = 1000.0 * (fc - 0.5 * wp) * ze
    for fault, found in (
        ("theta_fc is not above theta_wp", fc <= wp),
        ("rew_mm is not below the total evaporable water of the surface layer", rew >= tew),
        ("p is not within (0, 1)", (p <= 0) | (p >= 1)),
        ("curve_number is not within (0, 100]", (number <= 0) | (number > 100)),
        ("root_depth is not positive", season.root_depth <= 0),
    ):
        if np.any(found):
            raise ValueError(fault)
    return _Ground(
        water_per_m=1000.0 * (fc - wp),
        tew=tew,
        rew=rew,
        p=p,
        kcb_min=kcb_min,
        curve_number=None if np.isnan(number).all() else number,
        drip=drip if drip.any() else None,
        cover_observed=not np.isnan(np.asarray(season.cover)).all(),
    )
