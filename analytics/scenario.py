"""The balance of one field from a scenario: site, season, crop and soil, with weather by day."""

import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.balance import (
    Days,
    Fields,
    WaterBalance,
    initial_state,
    season_totals,
    water_balance,
)
from analytics.crops import adjust_kcb, crop_height, kcb_curve, root_depth, stack
from analytics.reference_et import (
    HUMIDITY_SOURCES,
    actual_vapour_pressure,
    asce_daily,
    humidity_source,
    saturation_vapour_pressure,
    wind_at_2m,
)
from analytics.scenario_document import Scenario, ScenarioError, parse_scenario
from analytics.sunlight import extraterrestrial_radiation, solar_from_temperature
from analytics.tables import DailyTable, read_irrigation, read_weather

Array = NDArray[np.float64]

USUAL_WIND = 2.0  # [m s⁻¹] where no wind was measured (FAO-56 p. 63)

DAY_COLUMNS = (  # of the balance, in the order of the CSV
    ("et0_mm", "et0"),
    ("kcb", "kcb"),
    ("ke", "ke"),
    ("ks", "ks"),
    ("etc_mm", "etc"),
    ("eta_mm", "eta"),
    ("evaporation_mm", "evaporation"),
    ("transpiration_mm", "transpiration"),
    ("deep_percolation_mm", "deep_percolation"),
    ("runoff_mm", "runoff"),
    ("depletion_mm", "depletion"),
    ("taw_mm", "taw"),
    ("raw_mm", "raw"),
    ("irrigation_net_mm", "irrigation_net"),
    ("rain_mm", "rain"),
)
NOT_SUMMED = {"kcb", "ke", "ks", "depletion_mm", "taw_mm", "raw_mm"}


class ScenarioRun(NamedTuple):
    """The balance of a scenario with the notes on what stood in for missing measurements."""

    scenario: Scenario
    balance: WaterBalance
    notes: list[str]

    def totals(self) -> dict[str, Any]:
        """Season sums under the names of the daily columns, with conventions and notes. [mm]"""
        sums = season_totals(self.balance)
        report: dict[str, Any] = {
            column: _plain(getattr(sums, name)[0])
            for column, name in DAY_COLUMNS
            if column not in NOT_SUMMED
        }
        for name in ("depletion_start", "depletion_end", "closure"):
            report[f"{name}_mm"] = _plain(getattr(sums, name)[0])
        report["conventions"] = self.scenario.conventions._asdict()
        report["notes"] = self.notes
        return report

    def daily_csv(self) -> str:
        """A line for each day, every number as exact as it was computed."""
        columns = [getattr(self.balance, name)[:, 0] for _, name in DAY_COLUMNS]
        dates = np.datetime64(self.scenario.start) + np.arange(self.scenario.days)
        lines = [",".join(("date", *(name for name, _ in DAY_COLUMNS)))]
        for day, *values in zip(dates, *columns, strict=True):
            lines.append(",".join((str(day), *(repr(_plain(value)) for value in values))))
        return "\n".join(lines) + "\n"


def run_files(
    scenario: Path, weather: Path, irrigation: Path | None = None
) -> tuple[dict[str, Any], str]:
    """Season totals and the daily CSV of a scenario file; errors name file and place.

    Raises
    ------
    ScenarioError, TableError
        Both ValueError.
    OSError
        Where a file cannot be read.
    """
    try:
        parsed = parse_scenario(tomllib.loads(_text(scenario)))
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{scenario.name}: not TOML: {error}") from error
    except ScenarioError as error:
        raise ScenarioError(f"{scenario.name}: {error}") from error
    applied = None
    if irrigation is not None:
        applied = read_irrigation(_text(irrigation).splitlines(), irrigation.name)
    daily = read_weather(_text(weather).splitlines(), weather.name)
    run = run_scenario(parsed, daily, applied)
    return run.totals(), run.daily_csv()


def run_scenario(
    scenario: Scenario, weather: DailyTable, irrigation: DailyTable | None = None
) -> ScenarioRun:
    """Compute the season of a scenario; raise TableError where a day of weather is missing."""
    notes: list[str] = []
    net, wetted = _applications(scenario, irrigation, notes)
    days = _weather(scenario, weather, notes)._replace(irrigation_net=net, wetted_fraction=wetted)
    number = scenario.soil.curve_number
    fields = Fields(
        theta_fc=scenario.soil.theta_fc,
        theta_wp=scenario.soil.theta_wp,
        ze_m=scenario.soil.ze_m,
        rew_mm=scenario.soil.rew_mm,
        p=scenario.crop.p,
        kcb_min=scenario.crop.kcb_ini,
        curve_number=np.nan if number is None else number,
    )
    if scenario.theta_0 > scenario.soil.theta_fc:
        notes.append("theta_0 is above field capacity: the surplus drained before the first day")
    state = initial_state(fields, scenario.theta_0, scenario.crop.zr_ini_m)
    balance = water_balance(_crop_days(scenario, days), fields, state, scenario.conventions)
    return ScenarioRun(scenario, balance, notes)


def _weather(scenario: Scenario, weather: DailyTable, notes: list[str]) -> Days:
    """Reference ET and what else of the weather the balance needs; gaps filled and noted."""
    table = weather.season(scenario.start, scenario.end)
    first = scenario.start.toordinal()
    dates = [date.fromordinal(first + day) for day in range(scenario.days)]
    day_of_year = np.array([day.timetuple().tm_yday for day in dates], float)
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
        rain=_filled(table["rain_mm"], 0.0, "rain unknown, taken as none", notes),
        irrigation_net=0.0,
        wetted_fraction=np.nan,
        wind_2m=wind,
        rh_min=np.where(np.isnan(table["rh_min_pct"]), dampness, table["rh_min_pct"]),
        kcb=np.nan,
        height=np.nan,
        root_depth=np.nan,
    )


def _crop_days(scenario: Scenario, weather: Days) -> Days:
    """The crop's growth put beside the weather."""
    day = np.arange(scenario.days, dtype=float)[:, None]
    crop = stack([scenario.crop])
    if scenario.conventions.adjust_kcb:
        crop = adjust_kcb(
            crop, day, np.reshape(weather.wind_2m, (-1, 1)), np.reshape(weather.rh_min, (-1, 1))
        )
    return weather._replace(
        kcb=kcb_curve(day, crop), height=crop_height(day, crop), root_depth=root_depth(day, crop)
    )


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
    return _filled(wind_at_2m(measured, height), USUAL_WIND, reason, notes)


def _solar(
    table: Mapping[str, Array], scenario: Scenario, day_of_year: Array, notes: list[str]
) -> Array:
    ra = extraterrestrial_radiation(scenario.latitude_deg, day_of_year)
    estimate = solar_from_temperature(
        table["tmax_c"], table["tmin_c"], ra, scenario.elevation_m, coefficient=0.16
    )
    reason = "solar radiation unknown, estimated from temperature (FAO-56 Eq. 50, kRs 0.16)"
    return _filled(table["solar_mj_m2"], estimate, reason, notes)


def _filled(values: Array, substitute: Array | float, reason: str, notes: list[str]) -> Array:
    gaps = np.isnan(values)
    if gaps.any():
        notes.append(f"{reason}, on {int(gaps.sum())} days")
    return np.where(gaps, substitute, values)


def _applications(
    scenario: Scenario, irrigation: DailyTable | None, notes: list[str]
) -> tuple[Array, Array]:
    """Net depth and wetted fraction of each day; of several applications the widest counts."""
    net, wetted = np.zeros(scenario.days), np.full(scenario.days, np.nan)
    if irrigation is None:
        return net, wetted
    columns = irrigation.columns
    fraction = _filled(
        columns["wetted_fraction"], 1.0, "wetted fraction unknown, taken as 1", notes
    )
    efficiency = _filled(columns["efficiency"], 1.0, "efficiency unknown, taken as 1", notes)
    outside = 0.0
    for row, day in enumerate(irrigation.dates):
        index = (day - scenario.start).days
        if not 0 <= index < scenario.days:
            outside += float(columns["depth_mm"][row])
            continue
        net[index] += columns["depth_mm"][row] * efficiency[row]
        wetted[index] = np.fmax(wetted[index], fraction[row])
    if outside:
        notes.append(f"{outside:g} mm were irrigated outside the season and are left out")
    return net, wetted


def _plain(value: np.float64) -> float:
    return float(value) + 0.0  # no minus zero


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8-sig")
