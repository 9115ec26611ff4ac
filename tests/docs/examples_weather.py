"""The examples of docs/figures/weather.md by the real functions."""

import datetime as dt

import numpy as np

from analytics import reference_et, sunlight
from analytics.days_of_hours import daily_from_hourly
from analytics.hourly_et import (
    HOUR_US,
    fao56_hourly,
    hourly_extraterrestrial,
    hourly_vapour_pressure,
    sun_position,
)
from analytics.reference_et import saturation_vapour_pressure
from analytics.weather import Station, complete, local_days
from reports.sums import ZoneResult
from reports.water import water
from tests.docs.worked import Computed, Given, example
from tests.docs.zones import crop_zone, row


def _one_day(day: dt.date, **measured: float) -> Station:
    columns = {name: np.array([measured.get(name, np.nan)]) for name in Station._fields}
    return Station(**columns)


def _of_year(given: Given) -> dt.date:
    return dt.date(2025, 1, 1) + dt.timedelta(days=given.day_of_year - 1)


@example("et0-daily")
def et0_daily(given: Given) -> Computed:
    place = given.latitude_deg, given.day_of_year
    high, low = given.tmax, given.tmin
    ea = reference_et.actual_vapour_pressure(high, low, rh_max=given.rh_max, rh_min=given.rh_min)
    wind = reference_et.wind_at_2m(given.wind, given.wind_height)
    ra = sunlight.extraterrestrial_radiation(*place)
    rso = sunlight.clear_sky_simple(ra, given.elevation)
    rnl = reference_et.net_longwave(high, low, ea, given.solar, rso)
    et0 = reference_et.fao56_daily(
        high, low, given.solar, ea, wind,
        latitude=given.latitude_deg, elevation=given.elevation, day_of_year=given.day_of_year,
    )  # fmt: skip
    return {
        "u2": wind,
        "e_max": saturation_vapour_pressure(high),
        "e_min": saturation_vapour_pressure(low),
        "es": reference_et.mean_saturation_vapour_pressure(high, low),
        "ea": ea,
        "delta": reference_et.vapour_pressure_slope((high + low) / 2),
        "gamma": reference_et.psychrometric_constant(given.elevation),
        "dr": sunlight.inverse_distance(given.day_of_year),
        "declination": sunlight.declination(given.day_of_year),
        "sunset": sunlight.sunset_hour_angle(*place),
        "Ra": ra,
        "Rso": rso,
        "Rns": reference_et.net_shortwave(given.solar),
        "Rnl": rnl,
        "ET0": et0,
    }


@example("et0-hourly")
def et0_hourly(given: Given) -> Computed:
    middle = dt.datetime(2025, 10, 1, tzinfo=dt.UTC) + dt.timedelta(hours=given.middle_utc)
    middle_us = np.array([int(middle.timestamp() * 1e6)])
    sun = sun_position(middle_us, given.latitude_deg, given.longitude_deg)
    vapour = hourly_vapour_pressure([given.temperature], [given.humidity])
    found = fao56_hourly(
        [given.temperature], [given.solar], vapour, [given.u2], middle_us=middle_us,
        latitude=given.latitude_deg, longitude=given.longitude_deg, elevation=given.elevation,
    )  # fmt: skip
    ra = hourly_extraterrestrial(sun, given.latitude_deg)[0]
    return {
        "angle": sun.hour_angle[0],
        "declination": sunlight.declination(sun.day_of_year)[0],
        "Ra": ra,
        "Rso": sunlight.clear_sky_simple(ra, given.elevation),
        "clearness": found.clearness[0],
        "ea": vapour[0],
        "Rn": found.net_radiation[0],
        "ET0": found.et0[0],
    }


@example("et0-hargreaves")
def et0_hargreaves(given: Given) -> Computed:
    day = _of_year(given)
    made = complete(
        _one_day(day, tmax=given.tmax, tmin=given.tmin),
        local_days(day, day, "Asia/Almaty"),
        latitude=given.latitude_deg, elevation=0.0, wind_height=None,
        method="hargreaves", calibration=(given.intercept, given.slope),
    )  # fmt: skip
    assert made.source[0].startswith("ET0 estimated by Hargreaves")
    place = {"latitude": given.latitude_deg, "day_of_year": given.day_of_year}
    return {
        "estimate": reference_et.hargreaves(given.tmax, given.tmin, **place),
        "ET0": made.et0[0],
    }


@example("vapour-pressure")
def vapour_pressure(given: Given) -> Computed:
    both = {"rh_max": given.rh_max, "rh_min": given.rh_min}

    def of(**known: float) -> float:
        return float(reference_et.actual_vapour_pressure(given.tmax, given.tmin, **known))

    return {
        "e_max": saturation_vapour_pressure(given.tmax),
        "e_min": saturation_vapour_pressure(given.tmin),
        "from_dew_point": of(tdew=given.dew_point, **both),
        "from_both_humidities": of(**both),
        "from_highest_humidity": of(rh_max=given.rh_max),
        "from_lowest_temperature": of(),
    }


@example("radiation-estimated")
def radiation_estimated(given: Given) -> Computed:
    ra = sunlight.extraterrestrial_radiation(given.latitude_deg, given.day_of_year)
    estimate = sunlight.solar_from_temperature(given.tmax, given.tmin, ra, given.elevation)
    return {"Ra": ra, "clear_sky": sunlight.clear_sky_simple(ra, given.elevation), "Rs": estimate}


@example("sensor-day")
def sensor_day(given: Given) -> Computed:
    hours = np.concatenate([np.full(10, given.night), np.full(10, given.day)])
    times = HOUR_US * np.delete(np.arange(24), [4, 5, 11, 12]) + HOUR_US // 2
    made = daily_from_hourly(times, hours, [0, 24 * HOUR_US], kind="mean")
    return {"heard": made.coverage[0], "mean": made.values[0]}


@example("filled-day")
def filled_day(given: Given) -> Computed:
    station = Station(**{name: np.full(3, np.nan) for name in Station._fields})
    filled = complete(
        station._replace(
            tmax=np.array([given.tmax_before, np.nan, given.tmax_after]),
            tmin=np.array([given.tmin_before, np.nan, given.tmin_after]),
            wind=np.array([given.wind_before, np.nan, given.wind_after]),
        ),
        local_days(dt.date(2025, 7, 1), dt.date(2025, 7, 3), "Asia/Almaty"),
        latitude=43.3, elevation=210.0, wind_height=None,
    )  # fmt: skip
    assert "temperature interpolated" in filled.source[1]
    assert "wind interpolated" in filled.source[1]
    high, low, wind = (
        (given[f"{name}_before"] + given[f"{name}_after"]) / 2 for name in ("tmax", "tmin", "wind")
    )
    day = dt.date(2025, 7, 2)
    alone = complete(
        _one_day(day, tmax=high, tmin=low, wind=wind), local_days(day, day, "Asia/Almaty"),
        latitude=43.3, elevation=210.0, wind_height=None,
    )  # fmt: skip
    assert alone.et0[0] == filled.et0[1]
    return {"wind": filled.wind_2m[1]}


@example("coverage")
def coverage(given: Given) -> Computed:
    zones = [
        ZoneResult(
            1, crop_zone(area), row(weather_coverage_pct=weather, water_coverage_pct=metered)
        )
        for area, weather, metered in zip(given.area, given.weather, given.metered, strict=True)
    ]
    found = water(zones, float(given.area.sum()))
    return {
        name: found[name] for name in ("weather_coverage_pct", "water_coverage_pct", "coverage_pct")
    }
