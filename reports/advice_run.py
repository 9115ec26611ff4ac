"""Crop zones of one farm side by side: from a stored evening through the days to come."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.advice import (
    NEVER,
    Plan,
    Rules,
    System,
    first_reached,
    irrigation_plan,
    refill_line,
    refill_range,
    some_days,
    without_irrigation,
)
from analytics.balance import (
    Conventions,
    Days,
    Fields,
    State,
    WaterBalance,
    initial_state,
)
from analytics.climatology import FORECAST
from analytics.crop_document import CropDocument, crop_from_mapping
from analytics.growth import grow
from analytics.soil_document import soil_from_mapping
from analytics.soils import Soil
from reports.outlook import FarmOutlook
from storage.fields import CropZone, Field

Array = NDArray[np.float64]
Row = Mapping[str, Any]


class Standing(NamedTuple):
    """A crop zone and the evening that its advice begins from."""

    field: Field
    zone: CropZone
    evening: dt.date  # the day before planting, where the balance has none
    row: Row | None  # of the stored balance on that evening; None: the zone is planted next day


class Outcome(NamedTuple):
    """One zone's days from the day asked for on, arrays of shape (days,) unless said otherwise."""

    depletion_before: float  # on the evening before [mm]
    taw_before: float  # [mm]
    raw_before: float  # [mm]
    line_before: float  # refill line of that evening [mm]
    depletion_sd: float  # [mm]; NaN where unknown
    in_season: NDArray[np.bool_]
    etc: Array  # without irrigation [mm]
    ks: Array  # without irrigation
    depletion_dry: Array  # without irrigation, in the evening [mm]
    line_dry: Array  # [mm]
    refill: int  # index of the day on whose evening the line is reached without irrigation
    earliest: int
    latest: int
    plan: Plan  # members of shape (days,)


class _Side(NamedTuple):
    """Zones side by side from the day after their evening to the last day."""

    days: Days
    fields: Fields
    state: State
    raw: Array  # on the evening [mm]
    taw: Array
    sd_known: NDArray[np.bool_]
    dates: list[dt.date]
    rain_is_forecast: NDArray[np.bool_]
    et0_sd: Array


def conventions_of(zone: CropZone) -> Conventions:
    """The choices that the zone's balance was computed by."""
    chosen = dict(zone.conventions) | {
        name: bool(zone.crop_parameters[name])
        for name in ("adjust_p", "adjust_kcb")
        if name in zone.crop_parameters
    }
    return Conventions(**{name: chosen[name] for name in Conventions._fields if name in chosen})


def run(
    standings: Sequence[Standing], outlook: FarmOutlook, day: dt.date, rules: Rules
) -> list[Outcome]:
    """Outcome of each zone; all have the same evening and the same conventions."""
    conventions = conventions_of(standings[0].zone)
    side = _side_by_side(standings, outlook)
    bridge = side.dates.index(day)
    state, raw, taw = side.state, side.raw, side.taw
    if bridge:
        gone = some_days(side.days, slice(0, bridge))
        bridged = without_irrigation(gone, side.fields, state, conventions)
        state, raw, taw = bridged.end, bridged.raw[-1], bridged.taw[-1]
    ahead = slice(bridge, None)
    days, dates = some_days(side.days, ahead), side.dates[ahead]
    zones = [one.zone for one in standings]
    in_season = np.array([[date <= zone.harvested for zone in zones] for date in dates])
    forecast = side.rain_is_forecast[ahead, None]
    sd = np.where(side.sd_known, np.sqrt(state.depletion_variance), np.nan)
    dry = without_irrigation(days, side.fields, state, conventions)
    spread = refill_range(
        days,
        side.fields,
        state,
        et0_sd=side.et0_sd[ahead, None],
        rain_is_sure=forecast,
        depletion_sd=sd,
        conventions=conventions,
        rules=rules,
    )
    plan = irrigation_plan(
        days,
        side.fields,
        state,
        rules.line_share * raw,
        system_of(zones),
        may_irrigate=in_season & np.array([zone.irrigation_method is not None for zone in zones]),
        rain_is_forecast=forecast,
        conventions=conventions,
        rules=rules,
    )
    line = refill_line(dry, rules)
    reached = first_reached(dry.depletion, line)
    return [
        _outcome(index, state, raw, taw, sd, in_season, dry, line, plan, rules)._replace(
            refill=_within(reached[index], in_season[:, index]),
            earliest=_within(spread.earliest[index], in_season[:, index]),
            latest=_within(spread.latest[index], in_season[:, index]),
        )
        for index in range(len(zones))
    ]


def system_of(zones: Sequence[CropZone]) -> System:
    """How the zones are watered; what nobody knows counts as in their balance, as one."""

    def column(name: str, otherwise: float) -> Array:
        values = [getattr(zone, name) for zone in zones]
        return np.array([otherwise if value is None else value for value in values], float)

    return System(
        column("area_ha", np.nan),
        column("application_efficiency", 1.0),
        column("wetted_fraction", 1.0),
        column("system_flow_m3_h", np.nan),
    )


def _within(index: Any, in_season: NDArray[np.bool_]) -> int:
    return int(index) if index != NEVER and in_season[index] else NEVER


def _outcome(
    index: int,
    state: State,
    raw: Array,
    taw: Array,
    sd: Array,
    in_season: NDArray[np.bool_],
    dry: WaterBalance,
    line: Array,
    plan: Plan,
    rules: Rules,
) -> Outcome:
    columns = {name: values[:, index] for name, values in plan._asdict().items() if name != "end"}
    return Outcome(
        depletion_before=float(state.depletion[index]),
        taw_before=float(taw[index]),
        raw_before=float(raw[index]),
        line_before=float(rules.line_share * raw[index]),
        depletion_sd=float(sd[index]),
        in_season=in_season[:, index],
        etc=dry.etc[:, index],
        ks=dry.ks[:, index],
        depletion_dry=dry.depletion[:, index],
        line_dry=line[:, index],
        refill=NEVER,
        earliest=NEVER,
        latest=NEVER,
        plan=Plan(**columns, end=plan.end),
    )


def _side_by_side(standings: Sequence[Standing], outlook: FarmOutlook) -> _Side:
    evening = standings[0].evening
    offset = outlook.dates.index(evening + dt.timedelta(days=1))
    dates = outlook.dates[offset:]
    crops = [crop_from_mapping(one.zone.crop_parameters) for one in standings]
    soils = [soil_from_mapping(one.field.soil)[0] for one in standings]
    plans = [crop.plan(one.zone.planted) for crop, one in zip(crops, standings, strict=True)]
    # What the evening's stored Kcb was fitted to the climate by, it keeps on the days after.
    ages = np.array(
        [[float((date - one.zone.planted).days) for one in standings] for date in (evening, *dates)]
    )
    growth = grow(ages, plans)
    fitted = [
        growth.kcb[0, i] if one.row is None else one.row["kcb"] for i, one in enumerate(standings)
    ]
    kcb = np.maximum(growth.kcb[1:] + (np.array(fitted) - growth.kcb[0]), 0.0)
    expected = outlook.weather.expected
    wind, rh_min = expected.wind_2m[offset:, None], expected.rh_min[offset:, None]
    days = Days(
        et0=expected.et0[offset:, None],
        rain=expected.rain[offset:, None],
        irrigation_net=0.0,
        wetted_fraction=1.0,
        wind_2m=np.where(np.isnan(wind), 2.0, wind),
        rh_min=np.where(np.isnan(rh_min), 45.0, rh_min),
        kcb=kcb,
        height=growth.height[1:],
        root_depth=growth.root_depth[1:],
    )
    fields = _fields(soils, crops)
    state, raw, taw = _evening(standings, fields, growth.root_depth[1])
    return _Side(
        days,
        fields,
        state,
        raw,
        taw,
        np.array(
            [one.row is None or one.row["depletion_variance_mm2"] is not None for one in standings]
        ),
        dates,
        np.array([source == FORECAST for source in outlook.weather.source[offset:]]),
        expected.et0_sd[offset:],
    )


def _fields(soils: Sequence[Soil], crops: Sequence[CropDocument]) -> Fields:
    def column(name: str, otherwise: float = np.nan) -> Array:
        values = [getattr(soil, name) for soil in soils]
        return np.array([otherwise if value is None else value for value in values], float)

    fc, wp = column("theta_fc"), column("theta_wp")
    deepest = np.array([max(one.crop.zr_ini_m, one.crop.zr_max_m) for one in crops])
    return Fields(
        theta_fc=fc,
        theta_wp=wp,
        ze_m=column("ze_m"),
        rew_mm=column("rew_mm"),
        p=np.array([one.crop.p for one in crops]),
        curve_number=column("curve_number"),
        percolation_limit=column("percolation_mm_d", np.inf),
        theta_sat=column("theta_sat"),
        bund_mm=column("bund_mm", 0.0),
        p_of_saturation=np.array([soil.percolation_mm_d is not None for soil in soils]),
        available_water_max=1000.0 * (fc - wp) * deepest,
    )


def _evening(
    standings: Sequence[Standing], fields: Fields, root_depth: Array
) -> tuple[State, Array, Array]:
    """State, RAW and TAW of the evening: as stored, or of the soil that is about to be planted.

    What the balance did not keep is as in a new season: a dry surface, wholly wetted.
    """
    soils = [one.field.soil for one in standings]
    theta = np.array(
        [
            float(soil.get("theta_0", fc))
            for soil, fc in zip(soils, _array(fields.theta_fc), strict=True)
        ]
    )
    state = initial_state(fields, theta, root_depth)
    columns = {name: np.array(getattr(state, name), float) for name in State._fields}
    taw = 1000.0 * (_array(fields.theta_fc) - _array(fields.theta_wp)) * root_depth
    raw = _array(fields.p) * taw
    stored_as = {
        "depletion": "depletion_mm",
        "surface_depletion": "surface_depletion_mm",
        "wetted_fraction": "wetted_fraction",
        "subsoil_depletion": "subsoil_depletion_mm",
        "rooted_water": "taw_mm",
        "depletion_variance": "depletion_variance_mm2",
    }
    for index, row in enumerate(one.row for one in standings):
        if row is None:
            continue
        taw[index], raw[index] = row["taw_mm"], row["raw_mm"]
        for name, column in stored_as.items():
            if row[column] is not None:
                columns[name][index] = row[column]
    return State(**columns), raw, taw


def _array(values: Any) -> Array:
    return np.asarray(values, float)
