"""The weather of a scenario: reference ET, gaps filled and noted, slips looked for and noted."""

from collections.abc import Mapping
from datetime import date

import numpy as np
from numpy.typing import NDArray

from analytics.balance import Days
from analytics.reference_et import (
    HUMIDITY_SOURCES,
    actual_vapour_pressure,
    asce_daily,
    humidity_source,
    saturation_vapour_pressure,
    wind_at_2m,
)
from analytics.scenario_document import Scenario
from analytics.sunlight import extraterrestrial_radiation, solar_from_temperature
from analytics.tables import DailyTable, TableError
from analytics.weather import Station
from analytics.weather_checks import Finding, check_place, check_station

Array = NDArray[np.float64]

# Findings that are no weather where they hold for most of a season: their column, what to do.
_SLIPS = {
    "radiation-in-watts": ("solar_mj_m2", "A mean in W/m² times 0.0864 is MJ/m²"),
    "humidity-as-share": ("rh_max_pct", "A share times 100 is %"),
    "humidity-swapped": ("rh_max_pct", "(exchanged with rh_min_pct?)"),
    "vapour-above-saturation": ("vapour_pressure_kpa", "(hPa divided by 10 is kPa)"),
}

USUAL_WIND = 2.0  # [m s⁻¹] where no wind was measured (FAO-56 p. 63)


def weather_of(scenario: Scenario, weather: DailyTable, notes: list[str]) -> Days:
    """Reference ET and what else of the weather the balance needs; gaps filled and noted."""
    table = weather.season(scenario.start, scenario.end)
    first = scenario.start.toordinal()
    dates = [date.fromordinal(first + day) for day in range(scenario.days)]
    day_of_year = np.array([day.timetuple().tm_yday for day in dates], float)
    _note_slips(scenario, weather, table, day_of_year, notes)
    pressure = _vapour_pressure(table, notes)
    wind = _wind(table["wind_m_s"], scenario.wind_height_m, notes)
    et0 = asce_daily(
        table["tmax_c"],
        table["tmin_c"],
        _solar(table, scenario, day_of_year, notes),
        pressure,
        wind,
        latitude=scenario.latitude_deg,
        elevation=scenario.elevation_m,
        day_of_year=day_of_year,
        reference="short",
        clear_sky="simple",  # FAO-56's own, and pyfao56's: its seasons come out to the last digit
    )
    dampness = 100.0 * pressure / saturation_vapour_pressure(table["tmax_c"])
    return Days(
        et0=et0,
        rain=filled(table["rain_mm"], 0.0, "rain unknown, taken as none", notes),
        irrigation_net=0.0,
        wetted_fraction=np.nan,
        wind_2m=wind,
        rh_min=np.where(np.isnan(table["rh_min_pct"]), dampness, table["rh_min_pct"]),
        kcb=np.nan,
        height=np.nan,
        root_depth=np.nan,
    )


def _note_slips(
    scenario: Scenario,
    weather: DailyTable,
    table: Mapping[str, Array],
    day_of_year: Array,
    notes: list[str],
) -> None:
    """Say what looks like a wrong unit, a swapped column or sign; nothing is changed.

    Raises
    ------
    TableError
        For one of ``_SLIPS`` on most days of the season: no figure would be worth its ink.
    """
    station = Station(
        tmax=table["tmax_c"],
        tmin=table["tmin_c"],
        dew_point=table["tdew_c"],
        rh_max=table["rh_max_pct"],
        rh_min=table["rh_min_pct"],
        solar=table["solar_mj_m2"],
        wind=table["wind_m_s"],
        rain=table["rain_mm"],
    )
    findings = check_station(
        station,
        latitude=scenario.latitude_deg,
        elevation=scenario.elevation_m,
        day_of_year=day_of_year,
    )
    findings += _too_damp(table)
    line = weather.lines[weather.dates.index(scenario.start)]
    for finding in findings:
        slip = _SLIPS.get(finding.code)
        if slip and not 0 < len(finding.where) <= scenario.days / 2:
            raise TableError(weather.file, line, slip[0], f"{finding.sentence} {slip[1]}")
        where = f"{weather.file}: {finding.sentence}"
        if finding.where:
            first = date.fromordinal(scenario.start.toordinal() + finding.where[0])
            line = weather.lines[weather.dates.index(first)]
            where = f"{where}, the first is {first}, line {line}"
        notes.append(where)
    for finding in check_place(
        latitude=scenario.latitude_deg,
        longitude=0.0,  # a scenario has none, and no clock to hold it against
        wind_height=scenario.wind_height_m,
    ):
        notes.append(finding.sentence)


def _too_damp(table: Mapping[str, Array]) -> list[Finding]:
    """Days whose air would hold more vapour than it can at its warmest."""
    above = table["vapour_pressure_kpa"] > saturation_vapour_pressure(table["tmax_c"])
    where = tuple(int(day) for day in np.flatnonzero(above))
    sentence = f"vapour pressure is above saturation on {len(where)} days"
    return [Finding("vapour-above-saturation", sentence, where)] if where else []


def _vapour_pressure(table: Mapping[str, Array], notes: list[str]) -> Array:
    known = {
        "vapour_pressure": table["vapour_pressure_kpa"],
        "tdew": table["tdew_c"],
        "rh_max": table["rh_max_pct"],
        "rh_min": table["rh_min_pct"],
    }
    source = humidity_source(**known)
    for index in np.unique(source):
        if index > 0:
            days = int((source == index).sum())
            notes.append(f"vapour pressure from {HUMIDITY_SOURCES[index]} on {days} days")
    return actual_vapour_pressure(table["tmax_c"], table["tmin_c"], **known)


def _wind(measured: Array, height: float, notes: list[str]) -> Array:
    reason = f"wind unknown, taken as {USUAL_WIND:g} m/s at 2 m (FAO-56 p. 63)"
    return filled(wind_at_2m(measured, height), USUAL_WIND, reason, notes)


def _solar(
    table: Mapping[str, Array], scenario: Scenario, day_of_year: Array, notes: list[str]
) -> Array:
    ra = extraterrestrial_radiation(scenario.latitude_deg, day_of_year)
    estimate = solar_from_temperature(
        table["tmax_c"], table["tmin_c"], ra, scenario.elevation_m, coefficient=0.16
    )
    reason = "solar radiation unknown, estimated from temperature (FAO-56 Eq. 50, kRs 0.16)"
    return filled(table["solar_mj_m2"], estimate, reason, notes)


def filled(values: Array, substitute: Array | float, reason: str, notes: list[str]) -> Array:
    gaps = np.isnan(values)
    if gaps.any():
        notes.append(f"{reason}, on {int(gaps.sum())} days")
    return np.where(gaps, substitute, values)
