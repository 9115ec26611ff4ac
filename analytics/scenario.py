"""The balance of one field from a scenario: site, season, crop and soil, with weather by day."""

import tomllib
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
from analytics.growth import grow
from analytics.scenario_document import Scenario, ScenarioError, parse_scenario
from analytics.scenario_weather import filled, weather_of
from analytics.tables import DailyTable, read_irrigation, read_weather
from analytics.text_files import read_text

Array = NDArray[np.float64]

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
        parsed = parse_scenario(tomllib.loads(read_text(scenario)))
    except tomllib.TOMLDecodeError as error:
        raise ScenarioError(f"{scenario.name}: not TOML: {error}") from error
    except ScenarioError as error:
        raise ScenarioError(f"{scenario.name}: {error}") from error
    applied = None
    if irrigation is not None:
        applied = read_irrigation(read_text(irrigation).splitlines(), irrigation.name)
    daily = read_weather(read_text(weather).splitlines(), weather.name)
    run = run_scenario(parsed, daily, applied)
    return run.totals(), run.daily_csv()


def run_scenario(
    scenario: Scenario, weather: DailyTable, irrigation: DailyTable | None = None
) -> ScenarioRun:
    """Compute the season of a scenario; raise TableError where a day of weather is missing."""
    notes = list(scenario.notes)
    net, wetted = _applications(scenario, irrigation, notes)
    days = weather_of(scenario, weather, notes)._replace(irrigation_net=net, wetted_fraction=wetted)
    fields = _fields(scenario)
    keeps_surplus = scenario.soil.percolation_mm_d is not None
    if scenario.theta_0 > scenario.soil.theta_fc and not keeps_surplus:
        notes.append("theta_0 is above field capacity: the surplus drained before the first day")
    state = initial_state(fields, scenario.theta_0, scenario.crop.zr_ini_m)
    balance = water_balance(_crop_days(scenario, days), fields, state, scenario.conventions)
    return ScenarioRun(scenario, balance, notes)


def _fields(scenario: Scenario) -> Fields:
    """The soil and crop; a soil that limits its percolation is a basin, whose p is of saturation.

    (FAO-56 Table 22 means it so for rice, the one crop that stands in a basin.)
    """
    soil = scenario.soil
    available = 1000.0 * (soil.theta_fc - soil.theta_wp)
    return Fields(
        theta_fc=soil.theta_fc,
        theta_wp=soil.theta_wp,
        ze_m=soil.ze_m,
        rew_mm=soil.rew_mm,
        p=scenario.crop.p,
        kcb_min=scenario.crop.kcb_ini,
        curve_number=_or(soil.curve_number, np.nan),
        percolation_limit=_or(soil.percolation_mm_d, np.inf),
        theta_sat=_or(soil.theta_sat, np.nan),
        bund_mm=_or(soil.bund_mm, 0.0),
        p_of_saturation=soil.percolation_mm_d is not None,
        available_water_max=available * scenario.crop.zr_max_m,
    )


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


def _crop_days(scenario: Scenario, weather: Days) -> Days:
    """The crop's growth, from one cut to the next where it is cut, put beside the weather."""
    day = np.arange(scenario.days, dtype=float)[:, None]
    climate: dict[str, Array] = {}
    if scenario.conventions.adjust_kcb:
        climate = {
            name: np.reshape(getattr(weather, name), (-1, 1)) for name in ("wind_2m", "rh_min")
        }
    grown = grow(day, [scenario.plan], **climate)
    return weather._replace(
        kcb=grown.kcb,
        height=grown.height,
        root_depth=grown.root_depth,
        capillary_rise=_or(scenario.soil.capillary_rise_mm_d, 0.0),
    )


def _applications(
    scenario: Scenario, irrigation: DailyTable | None, notes: list[str]
) -> tuple[Array, Array]:
    """Net depth and wetted fraction of each day; of several applications the widest counts."""
    net, wetted = np.zeros(scenario.days), np.full(scenario.days, np.nan)
    if irrigation is None:
        return net, wetted
    columns = irrigation.columns
    fraction = filled(columns["wetted_fraction"], 1.0, "wetted fraction unknown, taken as 1", notes)
    efficiency = filled(columns["efficiency"], 1.0, "efficiency unknown, taken as 1", notes)
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
