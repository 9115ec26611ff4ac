"""The examples of docs/figures/balance.md by the real functions."""

from typing import Any

import numpy as np

from analytics import evaporation
from analytics.assimilation import (
    GATE_SD,
    MODEL_SD_MM,
    assimilate,
    compare,
    depletion_from_moisture,
    moisture_sd,
)
from analytics.balance import (
    Conventions,
    Days,
    Fields,
    State,
    WaterBalance,
    season_totals,
    water_balance,
)
from analytics.balance_day import within
from analytics.crop_catalogue import CROPS
from analytics.crops import Crop, adjust_kcb, climate_adjustment, kcb_curve, root_depth, stack
from analytics.daily import seasons
from analytics.growth import CropPlan, grow
from analytics.pedotransfer import saxton_rawls
from analytics.runoff import curve_number_of_day, curve_number_runoff
from analytics.soils import total_evaporable_water
from tests.docs.worked import Computed, Given, example
from tests.docs.zones import season


def _fields(given: Given, **more: Any) -> Fields:
    """The field of an example; one with roots of a metre unless it says otherwise."""
    return Fields(
        theta_fc=given.theta_fc,
        theta_wp=given.theta_wp,
        ze_m=given.get("ze", 0.10),
        rew_mm=given.get("rew", 9.0),
        p=given.get("p5", 0.65),
        **more,
    )


def _day(given: Given, fields: Fields, conventions: Conventions | None = None) -> WaterBalance:
    """One day of the balance from the evening that the example gives."""
    days = Days(
        et0=given.et0,
        rain=given.get("rain", 0.0),
        irrigation_net=given.get("irrigation", 0.0),
        wetted_fraction=given.get("fw", 1.0),
        wind_2m=given.get("u2", 2.0),
        rh_min=given.get("rh_min", 45.0),
        kcb=given.kcb,
        height=given.height,
        root_depth=given.roots,
    )
    evening = State(
        np.array([given.depletion_before]),
        np.array([given.surface_before]),
        np.array([given.get("wetted_before", 1.0)]),
        *(np.array([value]) for value in (given.get("subsoil_before"),) if value is not None),
    )
    return water_balance(days, fields, evening, conventions)


def _of(result: WaterBalance, name: str) -> float:
    return float(getattr(result, name)[0, 0])


def _surface(given: Given) -> dict[str, float]:
    """The steps of the surface layer."""
    arrays = (np.array([given[name]]) for name in ("kcb", "u2", "rh_min", "height"))
    kcb, wind, humidity, height = arrays
    kc_max = evaporation.upper_limit(kcb, wind, humidity, height)
    cover = evaporation.cover_fraction(kcb, 0.15, kc_max, height)
    few = evaporation.exposed_wetted_fraction(np.array([given.fw]), cover)
    tew = total_evaporable_water(given.theta_fc, given.theta_wp, given.ze)
    kr = evaporation.evaporation_reduction(np.array([given.surface_before]), given.rew, tew)
    ke = evaporation.evaporation_coefficient(kr, kcb, kc_max, few)
    found = {"kc_max": kc_max, "cover": cover, "few": few, "TEW": tew, "Kr": kr, "Ke": ke}
    return {name: float(np.ravel(value)[0]) for name, value in found.items()}


@example("kcb-growing")
def kcb_growing(given: Given) -> Computed:
    crop = CROPS["cotton"]
    known = (crop.l_ini, crop.l_dev, crop.kcb_ini, crop.kcb_mid, crop.zr_ini_m, crop.zr_max_m)
    names = ("l_ini", "l_dev", "kcb_ini", "kcb_mid", "roots_ini", "roots_max")
    assert known == tuple(given[name] for name in names)
    return {"kcb": kcb_curve(given.day, crop), "roots": root_depth(given.day, crop)}


@example("kcb-adjusted")
def kcb_adjusted(given: Given) -> Computed:
    crop = stack([CROPS["cotton"]])
    assert (crop.kcb_mid[0], crop.h_max_m[0]) == (given.kcb_mid, given.height)
    days = np.arange(80.0, 135.0)[:, None]  # the mid-season of cotton
    fitted = adjust_kcb(
        crop, days, np.full(days.shape, given.u2), np.full(days.shape, given.rh_min)
    )
    change = climate_adjustment(given.u2, given.rh_min, given.height)
    return {"change": change, "kcb": fitted.kcb_mid[0]}


@example("kcb-after-cut")
def kcb_after_cut(given: Given) -> Computed:
    later = CROPS["alfalfa-later-cut"]
    assert (later.l_ini, later.l_dev) == (given.l_ini, given.l_dev)
    assert (later.kcb_ini, later.kcb_mid) == (given.kcb_ini, given.kcb_mid)
    plan = CropPlan(CROPS["alfalfa-first-cut"], (given.cut,), later)
    grown = grow(np.array([[given.day]]), [plan])
    return {"since": given.day - given.cut, "kcb": grown.kcb[0, 0]}


@example("evaporation")
def evaporation_of_a_day(given: Given) -> Computed:
    return _surface(given)


@example("balance-day")
def balance_day(given: Given) -> Computed:
    result = _day(given, _fields(given))
    surface = _surface(given)
    assert _of(result, "ke") == surface["Ke"]
    return {
        "TAW": _of(result, "taw"),
        "ETc": _of(result, "etc"),
        "p": _of(result, "p"),
        "RAW": _of(result, "raw"),
        "Ks": _of(result, "ks"),
        "evaporation": _of(result, "evaporation"),
        "transpiration": _of(result, "transpiration"),
        "ETa": _of(result, "eta"),
        "surface": _of(result, "surface_depletion"),
        "depletion": _of(result, "depletion"),
        "closure": _of(result, "closure"),
    }


@example("percolation")
def percolation(given: Given) -> Computed:
    result = _day(given, _fields(given))
    assert _of(result, "kr") == _of(result, "ks") == 1.0
    return {
        "ETa": _of(result, "eta"),
        "depletion": _of(result, "depletion"),
        "percolation": _of(result, "deep_percolation"),
    }


@example("very-dry")
def very_dry(given: Given) -> Computed:
    result = _day(given, _fields(given))
    without_limit = _surface(given)["Ke"]
    asked = (_unlimited_ks(given, result) * given.kcb + without_limit) * given.et0
    return {
        "asked": asked,
        "left": _of(result, "taw") - given.depletion_before,
        "evaporation": _of(result, "evaporation"),
        "transpiration": _of(result, "transpiration"),
        "ETa": _of(result, "eta"),
        "depletion": _of(result, "depletion"),
        "closure": _of(result, "closure"),
    }


def _unlimited_ks(given: Given, result: WaterBalance) -> float:
    """Ks by Eq. 84 alone."""
    taw = _of(result, "taw")
    etc = (given.kcb + _surface(given)["Ke"]) * given.et0
    p = within(np.array([given.p5 + 0.04 * (5.0 - etc)]), 0.1, 0.8)[0]
    return (taw - given.depletion_before) / ((1.0 - p) * taw)


@example("runoff")
def runoff(given: Given) -> Computed:
    number = curve_number_of_day(given.cn, given.surface_before, given.rew, given.tew)
    return {"CN": number, "runoff": curve_number_runoff(given.rain, number)}


@example("basin")
def basin(given: Given) -> Computed:
    result = _day(
        given,
        _fields(
            given,
            percolation_limit=given.percolation_most,
            theta_sat=given.theta_sat,
            bund_mm=given.bund,
            p_of_saturation=True,
        ),
    )
    assert _of(result, "ks") == 1.0
    return {
        "ETa": _of(result, "eta"),
        "percolation": _of(result, "deep_percolation"),
        "overflow": _of(result, "overflow"),
        "depletion": _of(result, "depletion"),
        "standing": _of(result, "standing_water"),
    }


@example("new-roots")
def new_roots(given: Given) -> Computed:
    fields = Fields(
        given.theta_fc, given.theta_wp, 0.10, 9.0, 0.65, available_water_max=given.deepest
    )
    days = Days(0.0, 0.0, 0.0, 1.0, 2.0, 45.0, 0.5, 0.4, root_depth=given.roots)
    state = State(
        np.array([given.depletion_before]),
        np.array([10.0]),
        np.ones(1),
        np.array([given.subsoil_before]),
        np.array([given.rooted_before]),
    )
    run = water_balance(days, fields, state, Conventions(new_root_zone="subsoil"))
    return {
        "rooted": run.end.rooted_water[0],
        "depletion": _of(run, "depletion"),
        "subsoil": _of(run, "subsoil_depletion"),
    }


@example("soil-from-texture")
def soil_from_texture(given: Given) -> Computed:
    found = saxton_rawls(given.sand, given.clay, given.organic_matter)
    return {"theta_wp": found.theta_wp, "theta_fc": found.theta_fc}


@example("probe-depletion")
def probe_depletion(given: Given) -> Computed:
    found = depletion_from_moisture([given.theta], given.depths, given.roots, given.theta_fc)
    return {"sd": moisture_sd(given.roots), "depletion": found[0]}


@example("assimilation")
def assimilation(given: Given) -> Computed:
    crop = Crop(1.0, 1.0, 1.0, 10, 10, 10, 10, 0.5, 0.5, given.roots, given.roots, 0.65)
    fields = Fields(given.theta_fc, given.theta_wp, 0.10, 9.0, crop.p)
    evening = State(
        np.array([given.computed]), np.array([20.0]), np.ones(1),
        depletion_variance=np.array([given.sd_before**2]),
    )  # fmt: skip
    days = Days(
        0.0, 0.0, 0.0, 1.0, 2.0, 45.0, 1.0, 0.5, given.roots,
        measured_depletion=given.measured, measured_sd=given.measured_sd,
    )  # fmt: skip
    run = water_balance(days, fields, evening)
    variance = np.array([given.sd_before**2 + MODEL_SD_MM**2])
    update = assimilate(
        np.array([given.computed]), variance, np.array([given.measured]),
        np.array([given.measured_sd]),
    )  # fmt: skip
    assert update.depletion[0] == _of(run, "depletion")
    return {
        "variance": variance[0],
        "innovation": _of(run, "innovation"),
        "gate": GATE_SD * np.sqrt(variance + given.measured_sd**2)[0],
        "gain": _of(run, "gain"),
        "correction": _of(run, "correction"),
        "sd": _of(run, "depletion_sd"),
        "depletion": _of(run, "depletion"),
    }


@example("simulated-against-measured")
def simulated_against_measured(given: Given) -> Computed:
    found = compare(given.simulated, given.measured)
    return {"bias_mm": found.bias, "rmse_mm": found.rmse}


@example("soil-coverage")
def soil_coverage(given: Given) -> Computed:
    days = np.arange(given.days)[:, None]
    column = np.zeros(days.shape)
    numbers = {
        "measured_depletion_mm": np.where(days < given.measured, 30.0, np.nan),
        "depletion_mm": column,
        "correction_mm": column,
        "et0_mm": column,
    }
    return {"soil_coverage_pct": seasons._soil_figures(numbers, 0)["soil_coverage_pct"]}


@example("closure")
def closure(given: Given) -> Computed:
    totals = season_totals(season(**given))
    gained = totals.depletion_start - totals.depletion_end
    return {"gained": gained[0], "closure": totals.closure[0]}
