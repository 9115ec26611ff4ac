"""The true season of the simulated farms: soil water, irrigation, yield, and what was saved.

Every field runs side by side, each on its own calendar: day 0 is its planting day. An irrigator
waters when the readily available water is nearly used up, and fills the soil again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics import balance, crops
from analytics.balance import Conventions, Days, Fields, State, WaterBalance
from analytics.reference_et import actual_vapour_pressure, fao56_daily, wind_at_2m
from analytics.requirement import net_requirement, season_sum
from seeds.farms import (
    BASELINE_SEASONS,
    OLD_EFFICIENCY,
    OLD_WETTED,
    SEASON,
    SimulatedFarm,
    SimulatedField,
)
from seeds.weather import Weather, simulate

Array = NDArray[np.float64]

STATION_WIND_HEIGHT_M = 2.0
LAST_DAYS_DRY = 12  # nobody waters a crop that is about to be harvested
BASELINE_SCATTER = 0.02  # of a season's withdrawal around the old practice, one standard deviation


class Irrigation(NamedTuple):
    """A metered application."""

    day: dt.date
    volume_m3: float


class TrueSeason(NamedTuple):
    """What happened on one field."""

    farm: SimulatedFarm
    field: SimulatedField
    irrigation: list[Irrigation]
    depletion_mm: Array  # each evening from planting
    root_depth_m: Array
    eta_mm: float
    applied_m3: float
    baseline_requirement_mm: list[float]  # of BASELINE_SEASONS
    baseline_gross_mm: list[float]
    baseline_m3: float | None  # what the old practice would have taken this season
    saving_m3: float | None
    consumptive_saving_m3: float | None
    yield_kg_ha: float


class _Side(NamedTuple):
    """All fields side by side, on their own calendars."""

    fields: list[SimulatedField]
    days: int
    season: Days  # irrigation is zero: the irrigator decides
    ground: Fields
    start: State


def simulate_all(farms: Sequence[SimulatedFarm]) -> list[TrueSeason]:
    """The true season of every field of the farms."""
    pairs = [(farm, field) for farm in farms for field in farm.fields]
    side = _side_by_side(pairs, SEASON)
    efficiency = np.array([field.efficiency for _, field in pairs])
    wetted = np.array([field.wetted_fraction for _, field in pairs])
    now, gross = _irrigate(side, efficiency, wetted)
    old_requirements = []
    for year in BASELINE_SEASONS:
        past = _side_by_side(pairs, year)
        run, _ = _irrigate(
            past, np.full(len(pairs), OLD_EFFICIENCY), np.full(len(pairs), OLD_WETTED)
        )
        old_requirements.append(_requirements(past, run))
    old = np.array(old_requirements)  # (seasons, fields)
    ratio = np.array([field.old_ratio for _, field in pairs])
    baseline_mm = ratio * _requirements(side, now)
    eta = _season_sum(side, now.eta)
    before = _season_sum(side, _old_practice(side, gross, baseline_mm).eta)
    return [
        _true_season(index, pair, side, now, gross, old, baseline_mm, eta, before)
        for index, pair in enumerate(pairs)
    ]


def _true_season(
    index: int,
    pair: tuple[SimulatedFarm, SimulatedField],
    side: _Side,
    now: WaterBalance,
    gross: Array,
    old: Array,
    baseline_mm: Array,
    eta: Array,
    eta_before: Array,
) -> TrueSeason:
    farm, field = pair
    random = np.random.default_rng([farm.number, index, 11])
    per_mm = 10.0 * field.area_ha
    events = [
        Irrigation(field.planted + dt.timedelta(days=int(day)), round(gross[day, index] * per_mm))
        for day in np.flatnonzero(gross[: field.days, index])
    ]
    applied = float(sum(event.volume_m3 for event in events))
    requirement = old[:, index]
    scatter = 1 + random.normal(0, BASELINE_SCATTER, len(requirement))
    baseline = float(baseline_mm[index] * per_mm) if field.method else None
    transpired = now.transpiration[: field.days, index].sum()
    potential = (now.kcb * now.et0)[: field.days, index].sum()
    stress = 1 - (field.crop.ky or 1.0) * (1 - transpired / potential)
    return TrueSeason(
        farm,
        field,
        events,
        now.depletion[: field.days, index],
        np.asarray(side.season.root_depth)[: field.days, index],
        float(eta[index]),
        applied,
        [float(value) for value in requirement],
        [float(value) for value in requirement * field.old_ratio * scatter],
        baseline,
        None if baseline is None else baseline - applied,
        None if baseline is None else float((eta_before - eta)[index] * per_mm),
        float(field.yield_kg_ha * max(stress, 0.2)),
    )


def _side_by_side(pairs: list[tuple[SimulatedFarm, SimulatedField]], year: int) -> _Side:
    fields = [field for _, field in pairs]
    days = max(field.days for field in fields)
    weathers = {farm.number: simulate(farm, year) for farm, _ in pairs}
    columns = [_from_planting(weathers[farm.number], field, year, days) for farm, field in pairs]

    def column(name: str) -> Array:
        return np.stack([one[name] for one in columns], axis=1)

    latitude = np.array([farm.latitude_deg for farm, _ in pairs])
    elevation = np.array([farm.setting.elevation_m for farm, _ in pairs])
    tmax, tmin, wind = column("tmax_c"), column("tmin_c"), column("wind_m_s")
    wind_2m = wind_at_2m(wind, STATION_WIND_HEIGHT_M)
    vapour = actual_vapour_pressure(tmax, tmin, tdew=column("dew_point_c"))
    et0 = fao56_daily(
        tmax, tmin, column("solar_mj_m2"), vapour, wind_2m,
        latitude=latitude, elevation=elevation, day_of_year=column("day_of_year"),
    )  # fmt: skip
    since_planting = np.arange(days, dtype=float)[:, None]
    stacked = crops.stack([field.crop for field in fields])
    grown = crops.adjust_kcb(stacked, since_planting, wind_2m, column("rh_min_pct"))
    ground = Fields(
        theta_fc=[field.soil.theta_fc for field in fields],
        theta_wp=[field.soil.theta_wp for field in fields],
        ze_m=[field.soil.ze_m for field in fields],
        rew_mm=[field.soil.rew_mm for field in fields],
        p=[field.crop.p for field in fields],
    )
    roots = crops.root_depth(since_planting, grown)
    season = Days(
        et0=et0,
        rain=column("rain_mm"),
        irrigation_net=np.zeros_like(et0),
        wetted_fraction=np.ones_like(et0),
        wind_2m=wind_2m,
        rh_min=column("rh_min_pct"),
        kcb=crops.kcb_curve(since_planting, grown),
        height=crops.crop_height(since_planting, grown),
        root_depth=roots,
    )
    start = balance.initial_state(ground, [field.theta_0 for field in fields], roots[0])
    return _Side(fields, days, season, ground, start)


def _from_planting(
    weather: Weather, field: SimulatedField, year: int, days: int
) -> dict[str, Array]:
    planted = field.planted.replace(year=year)
    first = (planted - weather.dates[0]).days
    chosen = np.minimum(np.arange(first, first + days), len(weather.dates) - 1)
    columns = {name: getattr(weather, name)[chosen] for name in Weather._fields[1:]}
    numbers = np.array([date.timetuple().tm_yday for date in weather.dates], float)
    return columns | {"day_of_year": numbers[chosen]}


def _irrigate(side: _Side, efficiency: Array, wetted: Array) -> tuple[WaterBalance, Array]:
    """Run the season with an irrigator who looks at the soil every morning.

    Returns the balance and the gross depth of each day, shape (days, fields) [mm]; volumes are
    whole cubic metres, as a meter counts them.
    """
    area = np.array([field.area_ha for field in side.fields])
    ends = np.array([field.days for field in side.fields])
    waters = np.array([field.method is not None for field in side.fields])
    p = np.asarray(side.ground.p, float)
    available = np.asarray(side.ground.theta_fc, float) - np.asarray(side.ground.theta_wp, float)
    gross = np.zeros((side.days, len(side.fields)))
    state = side.start
    for day in range(side.days):
        readily = 1000.0 * available * np.asarray(side.season.root_depth)[day] * p
        thirsty = waters & (state.depletion > 0.9 * readily) & (day < ends - LAST_DAYS_DRY)
        depth = np.where(thirsty, state.depletion / efficiency, 0.0)
        gross[day] = np.round(depth * 10.0 * area) / (10.0 * area)
        today = _with_irrigation(side.season, gross, efficiency, wetted, slice(day, day + 1))
        state = balance.water_balance(today, side.ground, state, Conventions()).end
    whole = _with_irrigation(side.season, gross, efficiency, wetted, slice(None))
    return balance.water_balance(whole, side.ground, side.start, Conventions()), gross


def _old_practice(side: _Side, gross: Array, baseline_mm: Array) -> WaterBalance:
    """The same season under the old practice: the same days, more water, wet furrows."""
    applied = np.where(_inside(side), gross, 0.0)
    total = applied.sum(axis=0)
    factor = np.divide(baseline_mm, total, out=np.ones_like(total), where=total > 0)
    count = len(side.fields)
    efficiency, wetted = np.full(count, OLD_EFFICIENCY), np.full(count, OLD_WETTED)
    days = _with_irrigation(side.season, applied * factor, efficiency, wetted, slice(None))
    return balance.water_balance(days, side.ground, side.start, Conventions())


def _with_irrigation(
    season: Days, gross: Array, efficiency: Array, wetted: Array, chosen: slice
) -> Days:
    columns = {name: np.asarray(getattr(season, name)) for name in Days._fields}
    cut = {name: value[chosen] if value.ndim else value for name, value in columns.items()}
    cut["irrigation_net"] = gross[chosen] * efficiency
    cut["wetted_fraction"] = np.broadcast_to(wetted, gross[chosen].shape)
    return Days(**cut)


def _season_sum(side: _Side, values: Array) -> Array:
    return season_sum(values, _inside(side))


def _requirements(side: _Side, run: WaterBalance) -> Array:
    """Net requirement of each field over its own season, which may be shorter than the longest."""
    return net_requirement(run, _inside(side))


def _inside(side: _Side) -> NDArray[np.bool_]:
    """The days that belong to each field's season."""
    return np.arange(side.days)[:, None] < np.array([field.days for field in side.fields])
