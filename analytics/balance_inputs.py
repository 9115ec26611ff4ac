"""What the water balance is given: days, fields, a state and conventions, checked before use.

Arrays broadcast: days to (days, fields), fields and states to (fields,). Equation numbers and
pages are those of FAO Irrigation and Drainage Paper 56 (Allen et al., 1998).
"""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.assimilation import INITIAL_THETA_SD, MODEL_SD_MM

Array = NDArray[np.float64]
EventTiming = Literal["start-of-day", "end-of-day"]
Drainage = Literal["after-et", "before-et"]
NewRootZone = Literal["field-capacity", "subsoil"]
Reference = Literal["short", "tall"]

ROUNDING_MM = 1e-6  # by which two ways to the same depth of water may differ


class Conventions(NamedTuple):
    """Choices that FAO-56 leaves open or that programs make differently; each moves the result."""

    event_timing: EventTiming = "start-of-day"  # do rain and irrigation come before the day's ET?
    drainage: Drainage = "after-et"  # does surplus drain after the day's ET (Eq. 88) or before?
    adjust_p: bool = True  # does p follow the day's ETc? (p. 162)
    adjust_kcb: bool = True  # was Kcb fitted to the climate (Eq. 70)? Kcb is given: only recorded
    # Is soil that roots reach at field capacity (Example 38), or as dry as it was left below?
    new_root_zone: NewRootZone = "field-capacity"
    reference: Reference = "short"  # the crop whose ET is et0 and whose coefficients these are


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
    # Total available water of a root zone in layers [mm]; NaN: 1000 (θfc - θwp) root_depth (Eq. 82)
    available_water: ArrayLike = np.nan
    measured_depletion: ArrayLike = np.nan  # of the root zone, in the evening [mm]; NaN: none
    measured_sd: ArrayLike = np.nan  # standard deviation of that as the field's [mm]


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
    percolation_limit: ArrayLike = np.inf  # most that drains below field capacity [mm day⁻¹]
    theta_sat: ArrayLike = np.nan  # at saturation [m³ m⁻³]; needed where percolation is limited
    bund_mm: ArrayLike = 0.0  # height of the banks that hold standing water
    p_of_saturation: ArrayLike = False  # does p count from saturation? (rice: Table 22, footnote)
    # Available water of the deepest root zone of the season [mm]; needed with a subsoil
    available_water_max: ArrayLike = np.nan
    model_sd_mm: ArrayLike = MODEL_SD_MM  # what a day adds to the error of the depletion


_NOTHING = np.zeros(1)
_UNKNOWN = np.full(1, np.nan)


class State(NamedTuple):
    """Where each field stands in the evening, each array of shape (fields,)."""

    depletion: Array  # of the root zone below field capacity [mm]; negative: water above it
    surface_depletion: Array  # of the wetted, exposed part of the surface layer [mm]
    wetted_fraction: Array  # of the surface by the last wetting
    subsoil_depletion: Array = _NOTHING  # between the roots and their greatest depth [mm]
    rooted_water: Array = _UNKNOWN  # available water of the soil that roots have reached [mm]
    depletion_variance: Array = _NOTHING  # of the error of the depletion [mm²]


class Ground(NamedTuple):
    """Constants of each field that no day changes, arrays of shape (fields,) or (1,).

    None stands for what no field has, so that nothing is computed for it.
    """

    water_per_m: Array  # available water of one metre of root zone [mm]
    tew: Array  # total evaporable water of the surface layer [mm] (Eq. 73)
    rew: Array
    p: Array
    kcb_min: Array
    model_variance: Array  # [mm² day⁻¹]
    curve_number: Array | None
    drip: NDArray[np.bool_] | None
    percolation_limit: Array | None
    pores_per_m: Array  # room above field capacity [mm m⁻¹]; infinite where nothing limits it
    bund: Array
    stress_pores_per_m: Array | None  # room that p counts in, above field capacity [mm m⁻¹]
    available_water_max: Array | None


class Season(NamedTuple):
    """The daily inputs as arrays of shape (days, fields), or (days, 1) where fields share them."""

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
    cover: Array | None  # None: never observed
    available_water: Array | None  # None: no root zone in layers
    measured_depletion: Array | None  # None: never measured
    measured_sd: Array | None


_OPTIONAL = ("cover", "available_water", "measured_depletion", "measured_sd")


def initial_state(
    fields: Fields,
    theta: ArrayLike,
    root_depth: ArrayLike,
    *,
    surface_depletion: ArrayLike = np.nan,
    subsoil_depletion: ArrayLike = np.nan,
    theta_sd: ArrayLike = INITIAL_THETA_SD,
) -> State:
    """State of fields whose whole root zone has the water content ``theta`` [m³ m⁻³].

    ``root_depth`` is that of the first day [m]. The surface layer is dry (De = TEW) unless given,
    and counts as wholly wetted. The soil below the roots has the same water content unless its
    depletion is given [mm]. Water above field capacity drained before, but for fields that limit
    their percolation: they may begin saturated. ``theta_sd`` is the standard deviation of
    ``theta``, which measured soil moisture is weighed against.
    """
    fc, wp, limit = (
        np.asarray(value, float)
        for value in (fields.theta_fc, fields.theta_wp, fields.percolation_limit)
    )
    roots, missing = np.asarray(root_depth, float), fc - np.asarray(theta, float)
    evaporable = 1000.0 * (fc - 0.5 * wp) * np.asarray(fields.ze_m, float)
    pores = np.nan_to_num(1000.0 * (np.asarray(fields.theta_sat, float) - fc) * roots)
    depletion = np.maximum(1000.0 * missing * roots, np.where(np.isinf(limit), 0.0, -pores))
    surface = np.where(np.isnan(surface_depletion), evaporable, surface_depletion)
    below = np.asarray(fields.available_water_max, float) - 1000.0 * (fc - wp) * roots
    alike = np.maximum(missing, 0.0) / (fc - wp) * np.maximum(np.nan_to_num(below), 0.0)
    subsoil = np.where(np.isnan(subsoil_depletion), alike, subsoil_depletion)
    variance = (1000.0 * np.asarray(theta_sd, float) * roots) ** 2
    depletion, surface, subsoil, variance = (
        np.array(value, float)
        for value in np.broadcast_arrays(np.atleast_1d(depletion), surface, subsoil, variance)
    )
    ones = np.ones(depletion.shape)
    return State(depletion, surface, ones, subsoil, np.nan * ones, variance)


def season_of(days: Days, fields: Fields, state: State) -> tuple[Season, tuple[int, ...]]:
    """Every daily input as checked columns, and the shape (days, fields) of the whole.

    Raises
    ------
    ValueError
        If shapes do not fit, a depth is negative, a wetted fraction on a day of irrigation is not
        within (0, 1], or a measured depletion comes without its standard deviation.
    """
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
    for name in ("root_depth", "available_water"):
        if np.any(columns[name] <= 0):
            raise ValueError(f"{name} is not positive")
    if np.any(np.isfinite(columns["measured_depletion"]) & ~(columns["measured_sd"] > 0)):
        raise ValueError("measured_sd of a measured depletion is not above zero")
    given = {
        name: None
        if name in _OPTIONAL and np.isnan(value).all()
        else np.broadcast_to(value, (shape[0], value.shape[1]))
        for name, value in columns.items()
    }
    return Season(**given), shape  # type: ignore[arg-type]


def _two_dimensional(name: str, values: ArrayLike) -> Array:
    """(days,) is one field's days; a single number holds for all."""
    array = np.asarray(values, float)
    if array.ndim > 2:
        raise ValueError(f"{name} has {array.ndim} dimensions, not (days, fields)")
    return array.reshape(-1, 1) if array.ndim == 1 else np.atleast_2d(array)


def ground_of(fields: Fields, conventions: Conventions) -> Ground:
    """Constants derived from the fields, checked.

    Raises
    ------
    ValueError
        If a field's constants allow no balance, or a convention needs one that is not given.
    """
    known = {name: np.atleast_1d(np.asarray(v, float)) for name, v in fields._asdict().items()}
    fc, wp, rew, p = (known[name] for name in ("theta_fc", "theta_wp", "rew_mm", "p"))
    tew = 1000.0 * (fc - 0.5 * wp) * known["ze_m"]
    bund, limit, deepest = (
        known[name] for name in ("bund_mm", "percolation_limit", "available_water_max")
    )
    limited, of_saturation = np.isfinite(limit), known["p_of_saturation"] > 0
    below = conventions.new_root_zone == "subsoil"
    for fault, found in (
        ("theta_fc is not above theta_wp", fc <= wp),
        ("rew_mm is not below the total evaporable water of the surface layer", rew >= tew),
        ("p is not within (0, 1)", (p <= 0) | (p >= 1)),
        ("curve_number is not within (0, 100]", _outside(known["curve_number"], 0.0, 100.0)),
        ("percolation_limit is not zero or more", np.isnan(limit) | (limit < 0)),
        ("theta_sat is not above theta_fc", known["theta_sat"] <= fc),
        (
            "theta_sat is missing where percolation is limited or p counts from saturation",
            np.isnan(known["theta_sat"]) & (limited | of_saturation),
        ),
        ("bund_mm is not zero or more", ~(bund >= 0)),
        ("available_water_max is missing for the subsoil", below & ~(deepest > 0)),
        ("model_sd_mm is not zero or more", ~(known["model_sd_mm"] >= 0)),
    ):
        if np.any(found):
            raise ValueError(fault)
    number = np.where(bund > 0, np.nan, known["curve_number"])  # banks hold the rain back
    drip, pores = known["drip_under_canopy"] > 0, 1000.0 * (known["theta_sat"] - fc)
    return Ground(
        water_per_m=1000.0 * (fc - wp),
        tew=tew,
        rew=rew,
        p=p,
        kcb_min=known["kcb_min"],
        model_variance=known["model_sd_mm"] ** 2,
        curve_number=None if np.isnan(number).all() else number,
        drip=drip if drip.any() else None,
        percolation_limit=limit if limited.any() else None,
        pores_per_m=np.where(limited, pores, np.inf),
        bund=bund,
        stress_pores_per_m=np.where(of_saturation, pores, 0.0) if of_saturation.any() else None,
        available_water_max=deepest if below else None,
    )


def _outside(values: Array, low: float, high: float) -> NDArray[np.bool_]:
    return (values <= low) | (values > high)
