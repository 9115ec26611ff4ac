"""Crop zones of many farms as columns of one balance, each from its own planting day.

Row 0 of a column is the zone's first day, and shorter seasons are padded. Days that stand as they
are stored go into the columns as they are; the balance runs from there on, so that a resumed
season is the one that a run from planting would give, to the last bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.balance import Conventions, Days, Fields, State, WaterBalance, water_balance
from analytics.balance_inputs import initial_state
from analytics.crop_document import CropDocument
from analytics.crops import LOWEST_ADJUSTED, climate_adjustment
from analytics.daily.choices import Choices
from analytics.daily.plans import Plan
from analytics.growth import CropPlan, Growth, grow
from analytics.season_run import Water
from analytics.soils import Soil
from analytics.weather import DailyWeather

Array = NDArray[np.float64]

KCB_WINDOW_DAYS = 30  # of climate that a running season's Kcb is fitted to


class ZoneInputs(NamedTuple):
    """What one crop zone brings: of the days from the plan's first one to compute."""

    plan: Plan
    crop: CropDocument
    soil: Soil
    theta_0: float  # water content at planting [m³ m⁻³]
    choices: Choices
    weather: DailyWeather
    water: Water


class Columns(NamedTuple):
    """Zones side by side, arrays of shape (days, zones)."""

    begin: NDArray[np.int64]  # shape (zones,)
    length: NDArray[np.int64]  # shape (zones,)
    inside: NDArray[np.bool_]
    fresh: NDArray[np.bool_]  # computed now; the other days inside stand as stored
    days: Days  # of whole seasons, without measured depletion
    volume_m3: Array
    efficiency: Array
    wetted: Array
    fields: Fields
    start: State  # before planting
    resume: State  # before the first fresh day
    areas_ha: Array


def lay_out(zones: Sequence[ZoneInputs]) -> Columns:
    """Put zones that share their conventions side by side."""
    begin = np.array([one.plan.begin for one in zones])
    length = np.array([one.plan.length for one in zones])
    rows = np.arange(length.max())[:, None]
    inside = rows < length
    fresh = inside & (rows >= begin)

    def filled(stored: str, fresh_of: Any, pad: float) -> Array:
        """A column for each zone: stored days, then fresh ones, then padding."""
        out = np.full(inside.shape, pad)
        for index, one in enumerate(zones):
            out[: begin[index], index] = one.plan.stored[stored]
            out[begin[index] : length[index], index] = fresh_of(one)
        return out

    wind = filled("wind_2m_m_s", lambda one: one.weather.wind_2m, 2.0)
    rh_min = filled("rh_min_pct", lambda one: one.weather.rh_min, 45.0)
    growth = _growth(zones, wind, rh_min, inside)
    fields = _fields(zones, growth)
    start = initial_state(fields, np.array([one.theta_0 for one in zones]), growth.root_depth[0])
    area = np.array([one.plan.zone.area_ha for one in zones])
    gross = filled(
        "irrigation_gross_mm",
        lambda one: one.water.volume_m3 / (10.0 * one.plan.zone.area_ha),
        0.0,
    )
    efficiency, wetted = _application(zones, begin, inside, gross)
    days = Days(
        et0=filled("et0_mm", lambda one: one.weather.et0, 0.0),
        rain=filled("rain_mm", lambda one: one.weather.rain, 0.0),
        irrigation_net=gross * efficiency,
        wetted_fraction=wetted,
        wind_2m=wind,
        rh_min=rh_min,
        kcb=growth.kcb,
        height=growth.height,
        root_depth=growth.root_depth,
        capillary_rise=np.where(
            inside, [_given(one.soil.capillary_rise_mm_d, 0.0) for one in zones], 0.0
        ),
    )
    volume = np.round(gross * 10.0 * area, 6)  # stored days; fresh ones are what was counted
    for index, one in enumerate(zones):
        volume[begin[index] : length[index], index] = one.water.volume_m3
    return Columns(
        begin, length, inside, fresh, days, volume, efficiency, wetted,
        fields, start, _resume(zones, start), area,
    )  # fmt: skip


def _application(
    zones: Sequence[ZoneInputs], begin: Array, inside: NDArray[np.bool_], gross: Array
) -> tuple[Array, Array]:
    """Efficiency and wetted fraction of each day's irrigation."""
    efficiency, wetted = np.ones(inside.shape), np.ones(inside.shape)
    for index, one in enumerate(zones):
        stored, first, last = one.plan.stored, begin[index], one.plan.length
        with np.errstate(invalid="ignore", divide="ignore"):
            share = stored["irrigation_net_mm"] / stored["irrigation_gross_mm"]
        efficiency[:first, index] = np.where(gross[:first, index] > 0, share, 1.0)
        # On a day with water the wetted fraction that the day left behind is its own.
        wetted[:first, index] = np.where(gross[:first, index] > 0, stored["wetted_fraction"], 1.0)
        efficiency[first:last, index] = one.water.efficiency
        wetted[first:last, index] = one.water.wetted_fraction
    return efficiency, wetted


def _growth(
    zones: Sequence[ZoneInputs], wind: Array, rh_min: Array, inside: NDArray[np.bool_]
) -> Growth:
    """Kcb, height and roots; Kcb fitted to the climate (Eq. 70) where the zone wants it.

    Of a season that has ended, to the mean climate of its stages, as FAO-56 says. The means of a
    stage that is still running change every day, and with them days long past; so a running season
    is fitted to the mean of the last ``KCB_WINDOW_DAYS`` days, and anew when it ends.
    """
    day = np.arange(len(inside), dtype=float)[:, None]
    plans = [one.crop.plan(one.plan.zone.planted) for one in zones]
    ended = np.array([one.plan.ended for one in zones])
    wanted = np.array([one.choices.balance.adjust_kcb for one in zones])
    growth = grow(day, plans)
    kcb = growth.kcb
    if (ended & wanted).any():
        known = inside & ended & wanted
        fitted = grow(
            day,
            plans,
            wind_2m=np.where(known, wind, np.nan),
            rh_min=np.where(known, rh_min, np.nan),
        )
        kcb = np.where(ended & wanted, fitted.kcb, kcb)
    if (~ended & wanted).any():
        running = kcb + _running_adjustment(day, plans, growth.kcb, wind, rh_min)
        kcb = np.where(~ended & wanted, running, kcb)
    return growth._replace(kcb=kcb)


def _running_adjustment(
    day: Array, plans: Sequence[CropPlan], kcb: Array, wind: Array, rh_min: Array
) -> Array:
    """What recent climate adds to Kcb, by how much of it is mid-season or late coefficient."""
    change = climate_adjustment(
        _trailing_mean(wind), _trailing_mean(rh_min), np.array([p.crop.h_max_m for p in plans])
    )
    adjusted = np.zeros_like(kcb)
    for name in ("kcb_mid", "kcb_end"):
        raised = [_raised(plan, name) for plan in plans]
        share = grow(day, raised).kcb - kcb
        allowed = np.array([getattr(plan.crop, name) >= LOWEST_ADJUSTED for plan in plans])
        adjusted += np.where(allowed, share * change, 0.0)
    return adjusted


def _raised(plan: CropPlan, name: str) -> CropPlan:
    def one_more(crop: Any) -> Any:
        return crop._replace(**{name: getattr(crop, name) + 1.0})

    later = None if plan.later_cycle is None else one_more(plan.later_cycle)
    return plan._replace(crop=one_more(plan.crop), later_cycle=later)


def _trailing_mean(values: Array) -> Array:
    """Mean of each day and those before it, ``KCB_WINDOW_DAYS`` in all, along the first axis."""
    out = np.empty_like(values)
    for row in range(len(values)):  # not by running sums: their rounding depends on the start
        out[row] = values[max(row + 1 - KCB_WINDOW_DAYS, 0) : row + 1].mean(axis=0)
    return out


def _fields(zones: Sequence[ZoneInputs], growth: Growth) -> Fields:
    soils = [one.soil for one in zones]
    fc, wp = (
        np.array([getattr(soil, name) for soil in soils]) for name in ("theta_fc", "theta_wp")
    )
    saturation = np.array([_given(soil.theta_sat) for soil in soils])
    deepest = np.maximum(  # of the crop, not of the days so far: a season may still be running
        growth.root_depth.max(axis=0), [one.crop.crop.zr_max_m for one in zones]
    )
    basin = np.array([soil.percolation_mm_d is not None for soil in soils])
    return Fields(
        theta_fc=fc,
        theta_wp=wp,
        ze_m=np.array([soil.ze_m for soil in soils]),
        rew_mm=np.array([soil.rew_mm for soil in soils]),
        p=np.array([one.crop.crop.p for one in zones]),
        curve_number=np.array([_given(soil.curve_number) for soil in soils]),
        drip_under_canopy=np.zeros(len(zones), bool),
        percolation_limit=np.array([_given(soil.percolation_mm_d, np.inf) for soil in soils]),
        theta_sat=saturation,
        bund_mm=np.array([_given(soil.bund_mm, 0.0) for soil in soils]),
        p_of_saturation=basin,
        available_water_max=1000.0 * (fc - wp) * deepest,
    )


def _given(value: float | None, otherwise: float = np.nan) -> float:
    return otherwise if value is None else value


def _resume(zones: Sequence[ZoneInputs], start: State) -> State:
    """The evening before the first fresh day, as it was stored; before planting, the start."""
    columns = {name: np.array(getattr(start, name), float) for name in State._fields}
    stored_as = {
        "depletion": "depletion_mm",
        "surface_depletion": "surface_depletion_mm",
        "wetted_fraction": "wetted_fraction",
        "subsoil_depletion": "subsoil_depletion_mm",
        "rooted_water": "taw_mm",
        "depletion_variance": "depletion_variance_mm2",
    }
    for index, one in enumerate(zones):
        if one.plan.begin:
            for name, column in stored_as.items():
                value = one.plan.stored[column][-1]
                if not np.isnan(value):  # without a subsoil none is kept
                    columns[name][index] = value
    return State(**columns)


def compute(
    columns: Columns, conventions: Conventions, measured: Array, measured_sd: Array
) -> Mapping[str, Array]:
    """Run the fresh days; return the balance of the fresh days as (days, zones), NaN elsewhere.

    ``measured`` and ``measured_sd`` have the shape (days, zones), NaN where nothing was measured.
    """
    longest = int((columns.length - columns.begin).max())
    rows = np.minimum(columns.begin + np.arange(longest)[:, None], len(columns.inside) - 1)
    beyond = columns.begin + np.arange(longest)[:, None] >= columns.length

    def cut(values: Any, pad: float | None = None) -> Array:
        whole = np.broadcast_to(np.asarray(values, float), columns.inside.shape)
        taken = np.take_along_axis(whole, rows, axis=0)
        return taken if pad is None else np.where(beyond, pad, taken)

    dry = {"et0", "rain", "irrigation_net", "capillary_rise"}
    days = Days(
        **{
            name: cut(getattr(columns.days, name), 0.0 if name in dry else None)
            for name in Days._fields
            if name not in {"measured_depletion", "measured_sd"}
        },
        measured_depletion=cut(measured, np.nan),
        measured_sd=cut(measured_sd, np.nan),
    )
    run = water_balance(days, columns.fields, columns.resume, conventions)
    out = {}
    for name in WaterBalance._fields:
        values = getattr(run, name)
        if name in {"start", "end"}:
            continue
        whole = np.full(columns.inside.shape, np.nan)
        np.put_along_axis(whole, rows, np.broadcast_to(values, rows.shape), axis=0)
        out[name] = np.where(columns.fresh, whole, np.nan)
    return out
