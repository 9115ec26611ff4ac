"""Weather of a farm's days: its stations' own daily summaries, else days made of their readings."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from analytics.daily.entered import Stream
from analytics.daily.measured import Readings
from analytics.daily.plans import SENSORS, WEATHER
from analytics.days_of_hours import Kind, daily_from_hourly
from analytics.hourly_days import Hours, et0_by_day, on_hours
from analytics.hourly_et import HOUR_US
from analytics.irrigation import daily_volumes
from analytics.reference_et import wind_at_2m
from analytics.weather import (
    DailyWeather,
    LocalDays,
    Station,
    by_day,
    complete,
)
from analytics.weather_checks import Finding, check_place, check_station, check_sun
from storage.farms import Farm

Array = NDArray[np.float64]

WIND_HEIGHT_M = 2.0  # of a station that does not say

# Station column: the quantity of a daily summary, then the sensor and what is made of its hours.
_COLUMNS: dict[str, tuple[str, str, Kind]] = {
    "tmax": ("air_temperature_max", "air_temperature", "max"),
    "tmin": ("air_temperature_min", "air_temperature", "min"),
    "dew_point": ("dew_point", "", "mean"),
    "rh_max": ("relative_humidity_max", "relative_humidity", "max"),
    "rh_min": ("relative_humidity_min", "relative_humidity", "min"),
    "solar": ("solar_radiation_sum", "solar_radiation", "solar"),
    "wind": ("wind_speed_mean", "wind_speed", "mean"),
}
_MEMBER: dict[Kind, str] = {"mean": "mean", "max": "high", "min": "low", "solar": "mean"}


ReferenceMethod = Literal["penman-monteith", "penman-monteith-hourly", "hargreaves"]


class ReferenceEt(NamedTuple):
    """How reference evapotranspiration is computed."""

    method: ReferenceMethod = "penman-monteith"
    intercept_mm: float = 0.0  # what fits Hargreaves to the region, with the slope
    slope: float = 1.0
    dew_point_offset_c: float = 0.0  # below the lowest temperature, where no humidity is known


BY_DAY = "ET0 by the day, not its hours"


class FarmWeather(NamedTuple):
    """Weather of consecutive days of a farm."""

    daily: DailyWeather
    findings: list[str]  # what looks like a slip in the input


def by_hours(stream: Stream) -> bool:
    """Whether a datastream is read hour by hour."""
    return stream.stream.quantity in SENSORS


def weather(
    farm: Farm,
    streams: Iterable[Stream],
    readings: Readings,
    days: LocalDays,
    *,
    reference: ReferenceEt | None = None,
) -> FarmWeather | None:
    """Weather of the days, several stations averaged day by day; None where none was measured."""
    chosen = reference or ReferenceEt()
    of_weather = [one for one in streams if one.stream.quantity in WEATHER]
    columns = {
        name: _first_known(
            _mean_of_known(list(_summaries(name, of_weather, readings, days)), len(days.dates)),
            _mean_of_known(list(_made(name, farm, of_weather, readings, days)), len(days.dates)),
        )
        for name in _COLUMNS
    }
    columns["rain"] = _mean_of_known(list(_rain(of_weather, readings, days)), len(days.dates))
    station = Station(**columns)
    if np.isnan(station.tmax + station.tmin).all():
        return None
    day_of_year = np.array([date.timetuple().tm_yday for date in days.dates], float)
    findings = [
        *check_station(
            station, latitude=farm.latitude_deg, elevation=farm.elevation_m, day_of_year=day_of_year
        ),
        *check_place(
            latitude=farm.latitude_deg,
            longitude=farm.longitude_deg,
            wind_height=WIND_HEIGHT_M,
            utc_offset_h=_utc_offset_h(farm, days),
        ),
        *_by_the_sun(farm, of_weather, readings),
    ]
    filled = complete(
        station,
        days,
        latitude=farm.latitude_deg,
        elevation=farm.elevation_m,
        wind_height=None,
        method="hargreaves" if chosen.method == "hargreaves" else "penman-monteith",
        calibration=(chosen.intercept_mm, chosen.slope),
        dew_point_offset=chosen.dew_point_offset_c,
    )
    if chosen.method == "penman-monteith-hourly":
        filled = _summed_hours(filled, farm, of_weather, readings, days)
    return FarmWeather(filled, [f"weather input: {finding.sentence}" for finding in findings])


def _utc_offset_h(farm: Farm, days: LocalDays) -> float:
    noon = dt.datetime.combine(days.dates[0], dt.time(12), ZoneInfo(farm.timezone))
    offset = noon.utcoffset()
    return 0.0 if offset is None else offset.total_seconds() / 3600.0


def _by_the_sun(farm: Farm, streams: Sequence[Stream], readings: Readings) -> list[Finding]:
    """Whether radiation comes when the sun stands there: else a longitude or a clock is wrong."""
    found = []
    for one in streams:
        hours = readings.hourly(one)
        if one.stream.quantity == "solar_radiation" and hours is not None:
            middles = hours["time"] + HOUR_US // 2
            found += check_sun(
                middles,
                hours["mean"],
                latitude=farm.latitude_deg,
                longitude=farm.longitude_deg,
            )
    return found


def _summed_hours(
    daily: DailyWeather,
    farm: Farm,
    streams: Sequence[Stream],
    readings: Readings,
    days: LocalDays,
) -> DailyWeather:
    """Reference ET from hours; a day that lacks some keeps the day's, and says so."""

    def hours(sensor: str) -> Array:
        laid = [
            _at_2m(sensor, one, on_hours(found["time"], found["mean"], days.edges_us))
            for one in streams
            if one.stream.quantity == sensor and (found := readings.hourly(one)) is not None
        ]
        count = int((days.edges_us[-1] - days.edges_us[0]) // HOUR_US)
        return _mean_of_known(laid, count)

    summed = et0_by_day(
        Hours(
            hours("air_temperature"),
            hours("relative_humidity"),
            hours("wind_speed"),
            hours("solar_radiation"),
        ),
        days.edges_us,
        latitude=farm.latitude_deg,
        longitude=farm.longitude_deg,
        elevation=farm.elevation_m,
    )
    source = [
        text if known else "; ".join((*([text] if text != "measured" else []), BY_DAY))
        for text, known in zip(daily.source, ~np.isnan(summed), strict=True)
    ]
    return daily._replace(et0=np.where(np.isnan(summed), daily.et0, summed), source=source)


def _summaries(
    column: str, streams: Sequence[Stream], readings: Readings, days: LocalDays
) -> Iterable[Array]:
    quantity, _, _ = _COLUMNS[column]
    for one in streams:
        found = readings.values(one) if one.stream.quantity == quantity else None
        if found is not None:
            times, values = found
            yield _at_2m(column, one, by_day(times, values, days, add_up=False))


def _made(
    column: str, farm: Farm, streams: Sequence[Stream], readings: Readings, days: LocalDays
) -> Iterable[Array]:
    """Days made of a sensor's hours."""
    _, sensor, kind = _COLUMNS[column]
    for one in streams:
        hours = readings.hourly(one) if one.stream.quantity == sensor else None
        if hours is None:
            continue
        made = daily_from_hourly(
            hours["time"],
            hours[_MEMBER[kind]],
            days.edges_us,
            kind=kind,
            latitude=farm.latitude_deg,
            longitude=farm.longitude_deg,
        )
        yield _at_2m(column, one, made.values)


def _at_2m(column: str, stream: Stream, values: Array) -> Array:
    if column not in {"wind", "wind_speed"}:
        return values
    height = stream.device.sensor_height_m
    return np.asarray(wind_at_2m(values, WIND_HEIGHT_M if height is None else height))


def _rain(streams: Sequence[Stream], readings: Readings, days: LocalDays) -> Iterable[Array]:
    for one in streams:
        found = readings.values(one)
        if found is None:
            continue
        times, values = found
        if one.stream.quantity == "rain":
            yield by_day(times, values, days, add_up=True)
        elif one.stream.quantity == "rain_total" and (fell := readings.counted(one)) is not None:
            heard = by_day(times, np.zeros_like(values), days, add_up=True)
            yield daily_volumes(fell, days.edges_us / 1e6) + heard  # NaN for days without a reading


def _first_known(first: Array, second: Array) -> Array:
    return np.where(np.isnan(first), second, first)


def _mean_of_known(rows: Sequence[Array], days: int) -> Array:
    if not rows:
        return np.full(days, np.nan)
    stacked = np.stack(rows)
    count = (~np.isnan(stacked)).sum(axis=0)
    total = np.nansum(stacked, axis=0)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))
