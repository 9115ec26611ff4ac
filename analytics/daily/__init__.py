"""The one module of analytics that loads and stores: every crop zone of a farm, season by season.

What it computes is computed by the other modules; here stands what they are given, in which order,
and how much of it was measured.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from analytics import crops, judgement
from analytics.balance import Conventions, Days, Fields, initial_state, water_balance
from analytics.crops import Crop
from analytics.irrigation import counter_differences, daily_volumes
from analytics.season_run import SeasonRun, Water
from analytics.weather import DailyWeather, LocalDays, Station, by_day, complete, local_days
from storage import devices, fields, harvests, irrigation, readings, results
from storage.devices import Datastream, Device
from storage.farms import Farm
from storage.fields import CropZone, Field
from storage.harvests import HarvestLoad
from storage.irrigation import BaselineSeason, IrrigationEvent

Array = NDArray[np.float64]
Series = Mapping[int, tuple[NDArray[np.int64], Array]]

METHOD = "FAO-56 dual Kc"
METHOD_VERSION = "2"  # of days and season alike: raised when a figure would change
WIND_HEIGHT_M = 2.0  # of a station that does not say
COUNTER_LOOKBACK = dt.timedelta(days=30)  # to the reading that a season's first difference needs

# Station column: the quantity that fills it, and whether a day's values add up.
STATION_QUANTITIES = {
    "tmax": ("air_temperature_max", False),
    "tmin": ("air_temperature_min", False),
    "dew_point": ("dew_point", False),
    "rh_max": ("relative_humidity_max", False),
    "rh_min": ("relative_humidity_min", False),
    "solar": ("solar_radiation_sum", False),
    "wind": ("wind_speed_mean", False),
    "rain": ("rain", True),
}

Zone = tuple[Field, CropZone]


class _Sources(NamedTuple):
    """Everything that was measured or entered for the crop zones of one calendar."""

    days: LocalDays
    streams: list[Datastream]
    devices: dict[str, Device]
    series: Series
    events: list[IrrigationEvent]
    baselines: list[BaselineSeason]
    loads: list[HarvestLoad]


def compute(connection: sa.Connection, farm: Farm, *, season: int | None = None) -> int:
    """Compute the crop zones of a farm and store what is new; return how many have news.

    Zones with the same calendar are computed side by side. Not committed here.
    """
    together: dict[tuple[Any, ...], list[Zone]] = defaultdict(list)
    for field, zone in fields.zones(connection, farm_id=farm.id, season=season):
        chosen = json.dumps([dict(zone.conventions), _adjustments(zone)], sort_keys=True)
        together[zone.planted, zone.harvested, chosen].append((field, zone))
    return sum(_compute_group(connection, farm, zones) for zones in together.values())


def _compute_group(connection: sa.Connection, farm: Farm, zones: Sequence[Zone]) -> int:
    sources = _load(connection, farm, zones)
    weather = _weather(farm, sources)
    water = [_water(zone, zones, sources) for zone in zones]
    notes: list[str] = []
    outcome = None
    if weather is None:
        notes.append("no weather was measured in this season: no balance")
    else:
        outcome = _balance(zones, weather, water, sources.days)
    changed = 0
    facts = [_facts(*zone, water[index], sources) for index, zone in enumerate(zones)]
    judged = judgement.judge(outcome, facts)
    for index, (field, zone) in enumerate(zones):
        result = judged[index]
        covered = _weather_coverage(weather)
        values = result.figures | {
            "weather_coverage_pct": covered,
            "water_coverage_pct": water[index].coverage_pct,
            "yield_source": result.yield_source,
            "savings_option": result.savings_option,
            "baseline_source": result.baseline_source,
            "uncertainty": result.uncertainty,
            "method": "; ".join((METHOD, *result.methods)) if weather else METHOD,
            "method_version": METHOD_VERSION,
            "conventions": dict(zone.conventions) | _adjustments(zone),
            "notes": notes + result.notes,
            "input_digest": _digest(farm, field, zone, weather, water[index], sources),
            "entered_digest": "",
        }
        changed += results.put_season(connection, zone.id, values)
        if weather is not None and outcome is not None:
            results.put_days(
                connection, zone.id, _days(outcome, index, sources.days, weather, water)
            )
    return changed


def _facts(field: Field, zone: CropZone, water: Water, sources: _Sources) -> judgement.ZoneFacts:
    return judgement.ZoneFacts(
        area_ha=zone.area_ha,
        crop=zone.crop,
        irrigation_method=zone.irrigation_method,
        water=water,
        baselines=[one for one in sources.baselines if _is_of(one, field, zone)],
        loads=[one for one in sources.loads if one.crop_zone_id == zone.id],
        ky=zone.crop_parameters.get("ky"),
    )


def _is_of(baseline: BaselineSeason, field: Field, zone: CropZone) -> bool:
    same = (baseline.field_id, baseline.crop) == (field.id, zone.crop)
    return same and baseline.season != zone.season


def _load(connection: sa.Connection, farm: Farm, zones: Sequence[Zone]) -> _Sources:
    _, first = zones[0]
    days = local_days(first.planted, first.harvested, farm.timezone)
    known = devices.page(connection, farm_id=farm.id, limit=10_000)
    streams = [
        stream
        for stream in devices.datastreams(connection, [device.id for device in known])
        if stream.quantity == "water_total" or stream.quantity in _WEATHER
    ]
    start, end = (_moment(edge) for edge in (days.edges_us[0], days.edges_us[-1]))
    field_ids = sorted({field.id for field, _ in zones})
    return _Sources(
        days=days,
        streams=streams,
        devices={device.id: device for device in known},
        series=readings.series(
            connection,
            [stream.id for stream in streams],
            start=start - COUNTER_LOOKBACK,
            end=end,
        ),
        events=irrigation.events(connection, field_ids, start=start, end=end),
        baselines=irrigation.baselines(connection, field_ids),
        loads=harvests.of_zones(connection, [zone.id for _, zone in zones]),
    )


_WEATHER = {quantity for quantity, _ in STATION_QUANTITIES.values()}


def _moment(microseconds: Any) -> dt.datetime:
    return dt.datetime.fromtimestamp(int(microseconds) / 1e6, dt.UTC)


def _weather(farm: Farm, sources: _Sources) -> DailyWeather | None:
    """Weather of the farm; several stations are averaged day by day."""
    columns: dict[str, Array] = {}
    heights = []
    for name, (quantity, add_up) in STATION_QUANTITIES.items():
        of_stations = []
        for stream in sources.streams:
            if stream.quantity == quantity:
                times, values = sources.series[stream.id]
                of_stations.append(by_day(times, values, sources.days, add_up=add_up))
                heights.append(sources.devices[stream.device_id].sensor_height_m)
        columns[name] = _mean_of_known(of_stations, len(sources.days.dates))
    station = Station(**columns)
    if np.isnan(station.tmax + station.tmin).all():
        return None
    known_heights = [height for height in heights if height is not None]
    return complete(
        station,
        sources.days,
        latitude=farm.latitude_deg,
        elevation=farm.elevation_m,
        wind_height=known_heights[0] if known_heights else WIND_HEIGHT_M,
    )


def _mean_of_known(rows: Sequence[Array], days: int) -> Array:
    if not rows:
        return np.full(days, np.nan)
    stacked = np.stack(rows)
    count = (~np.isnan(stacked)).sum(axis=0)
    total = np.nansum(stacked, axis=0)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))


def _weather_coverage(weather: DailyWeather | None) -> float:
    if weather is None:
        return 0.0
    return 100.0 * sum(source == "measured" for source in weather.source) / len(weather.source)


def _water(zone: Zone, zones: Sequence[Zone], sources: _Sources) -> Water:
    """What was applied each day: by the field's meters, else as people entered it."""
    field, crop_zone = zone
    on_field = [other.area_ha for of, other in zones if of.id == field.id]
    share = crop_zone.area_ha / sum(on_field)
    meters = [
        stream
        for stream in sources.streams
        if stream.quantity == "water_total"
        and (stream.field_id or sources.devices[stream.device_id].field_id) == field.id
        and len(sources.series[stream.id][0])
    ]
    events = [event for event in sources.events if event.field_id == field.id]
    entered, efficiency, wetted = _entered(events, crop_zone, sources.days)
    count = len(sources.days.dates)
    if not meters:
        source = "entered" if events else "none"
        coverage = 100.0 if events or crop_zone.irrigation_method is None else 0.0
        volume = entered * share
        return Water(volume, efficiency, wetted, [source] * count, coverage)
    volume, covered = np.zeros(count), np.zeros(count, bool)
    for meter in meters:
        times, values = sources.series[meter.id]
        counted = counter_differences(times / 1e6, values, modulus=meter.counter_modulus)
        volume += daily_volumes(counted, sources.days.edges_us / 1e6)
        day = np.searchsorted(sources.days.edges_us, times, side="right") - 1
        covered[max(day.min(), 0) : day.max() + 1] = True
    labels = ["metered" if known else "none" for known in covered]
    return Water(volume * share, efficiency, wetted, labels, 100.0 * float(covered.mean()))


def _entered(
    events: Sequence[IrrigationEvent], zone: CropZone, days: LocalDays
) -> tuple[Array, Array, Array]:
    """Volume [m³], efficiency and wetted fraction of each day; the crop zone's where none is."""
    count = len(days.dates)
    volume = np.zeros(count)
    efficiency = np.full(count, _given(zone.application_efficiency))
    wetted = np.full(count, _given(zone.wetted_fraction))
    for event in events:
        ends = np.int64(event.ended_at.timestamp() * 1e6)
        day = min(int(np.searchsorted(days.edges_us, ends, side="right")) - 1, count - 1)
        volume[day] += event.volume_m3
        efficiency[day] = _given(event.efficiency, efficiency[day])
        wetted[day] = _given(event.wetted_fraction, wetted[day])
    return volume, efficiency, wetted


def _given(value: float | None, otherwise: float = 1.0) -> float:
    return otherwise if value is None else value


def _adjustments(zone: CropZone) -> dict[str, bool]:
    names = ("adjust_p", "adjust_kcb")
    return {name: bool(zone.crop_parameters.get(name, True)) for name in names}


def _balance(
    zones: Sequence[Zone], weather: DailyWeather, water: Sequence[Water], days: LocalDays
) -> SeasonRun:
    """The balance of zones side by side, as it was and as it would be with other water."""
    first = zones[0][1]
    flags = _adjustments(first)
    conventions = Conventions(
        first.conventions.get("event_timing", "start-of-day"),
        first.conventions.get("drainage", "after-et"),
        **flags,
    )
    shape = (len(days.dates), len(zones))
    since_planting = np.arange(shape[0], dtype=float)[:, None]
    grown = crops.stack([_crop(zone.crop_parameters) for _, zone in zones])
    wind = np.repeat(weather.wind_2m[:, None], shape[1], 1)
    rh_min = np.repeat(weather.rh_min[:, None], shape[1], 1)
    if flags["adjust_kcb"]:
        grown = crops.adjust_kcb(grown, since_planting, wind, rh_min)
    soils = [field.soil for field, _ in zones]
    ground = Fields(
        theta_fc=[float(soil["theta_fc"]) for soil in soils],
        theta_wp=[float(soil["theta_wp"]) for soil in soils],
        ze_m=[float(soil["ze_m"]) for soil in soils],
        rew_mm=[float(soil["rew_mm"]) for soil in soils],
        p=grown.p,
        curve_number=[_given(soil.get("curve_number"), np.nan) for soil in soils],
    )
    roots = crops.root_depth(since_planting, grown)
    start = initial_state(ground, [float(_theta_0(soil)) for soil in soils], roots[0])
    efficiency = np.stack([one.efficiency for one in water], axis=1)
    areas = np.array([zone.area_ha for _, zone in zones])
    gross = np.stack([one.volume_m3 for one in water], axis=1) / (10.0 * areas)
    season = Days(
        et0=np.repeat(weather.et0[:, None], shape[1], 1),
        rain=np.repeat(weather.rain[:, None], shape[1], 1),
        irrigation_net=gross * efficiency,
        wetted_fraction=np.stack([one.wetted_fraction for one in water], axis=1),
        wind_2m=wind,
        rh_min=rh_min,
        kcb=crops.kcb_curve(since_planting, grown),
        height=crops.crop_height(since_planting, grown),
        root_depth=roots,
    )
    as_it_was = water_balance(season, ground, start, conventions)
    inside = np.ones(shape, bool)
    return SeasonRun(season, ground, start, conventions, areas, water, inside, as_it_was)


def _crop(parameters: Mapping[str, Any]) -> Crop:
    return Crop(**{name: parameters[name] for name in Crop._fields if name in parameters})


def _theta_0(soil: Mapping[str, Any]) -> float:
    """Water content at planting; field capacity where nobody knows it."""
    return float(soil.get("theta_0", soil["theta_fc"]))


def _digest(
    farm: Farm,
    field: Field,
    zone: CropZone,
    weather: DailyWeather | None,
    water: Water,
    sources: _Sources,
) -> str:
    """SHA-256 of everything that the zone's figures rest on."""
    texts = [farm, field, zone, water.source]
    texts += [one for one in sources.baselines if one.field_id == field.id]
    texts += [one for one in sources.loads if one.crop_zone_id == zone.id]
    digest = hashlib.sha256(repr(texts).encode())
    arrays = [water.volume_m3, water.efficiency, water.wetted_fraction]
    if weather is not None:
        arrays += [weather.et0, weather.rain, weather.wind_2m, weather.rh_min]
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _days(
    run: SeasonRun, index: int, days: LocalDays, weather: DailyWeather, water: Sequence[Water]
) -> list[dict[str, Any]]:
    """Rows of a zone's balance, as they are stored."""
    balance = run.balance
    columns = {
        f"{name}_mm": getattr(balance, name)[:, index]
        for name in (
            "et0", "etc", "eta", "evaporation", "transpiration", "deep_percolation", "runoff",
            "depletion", "taw", "raw", "irrigation_net", "rain", "capillary_rise",
            "surface_depletion",
        )
    }  # fmt: skip
    columns |= {name: getattr(balance, name)[:, index] for name in ("kcb", "ke", "ks")}
    columns["irrigation_gross_mm"] = run.gross_mm[:, index]
    return [
        {name: float(column[day]) for name, column in columns.items()}
        | {
            "correction_mm": 0.0,
            "measured_depletion_mm": None,
            "wetted_fraction": None,
            "depletion_variance_mm2": None,
            "subsoil_depletion_mm": None,
            "day": date,
            "weather_source": weather.source[day],
            "water_source": water[index].source[day],
            "method_version": METHOD_VERSION,
            "input_digest": b"",
        }
        for day, date in enumerate(days.dates)
    ]
