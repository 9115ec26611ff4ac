"""What conventions and filled weather do to a season, as docs/figures/conventions.md prints it."""

import csv
import datetime as dt
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from analytics.balance import Conventions, initial_state, season_totals, water_balance
from analytics.crops import adjust_kcb, kcb_curve, stack
from analytics.weather import Station, complete, local_days
from tests.analytics.test_cotton import Season, _season
from tests.docs.worked import ROOT

PAGE = (ROOT / "docs/figures/conventions.md").read_text()
RUNS = (
    ("cottondry2013", "2013"),
    ("cottonwet2013", "2013"),
    ("cotton2018_060", "2018"),
    ("cotton2018_120", "2018"),
)
USUAL = Conventions()
OTHER = {
    "event_timing": USUAL._replace(event_timing="end-of-day"),
    "drainage": USUAL._replace(drainage="before-et"),
    "new_root_zone": USUAL._replace(new_root_zone="subsoil"),
    "adjust_p": USUAL._replace(adjust_p=False),
    "adjust_kcb": USUAL._replace(adjust_kcb=False),
}
FILLED = {
    "humidity": ("dew_point",),
    "radiation": ("solar",),
    "wind": ("wind",),
    "humidity, radiation and wind": ("dew_point", "solar", "wind"),
}


def _printed(heading: str) -> dict[str, list[str]]:
    """Rows of the table below a heading, by the code or words of their first cell."""
    below = PAGE.split(f'<a id="{heading}"></a>')[1].split("\n\n| ")[1].split("\n\n")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in f"| {below}".splitlines()]
    return {row[0].strip("`"): row[1:] for row in rows[2:]}


def _sums(season: Season, chosen: Conventions) -> np.ndarray:
    """Evaporation, ETa and percolation of a season. [mm]"""
    days = season.days
    if chosen.adjust_kcb:
        since = np.arange(len(np.asarray(days.et0)))[:, None]
        wind, damp = (np.reshape(one, (-1, 1)) for one in (days.wind_2m, days.rh_min))
        days = days._replace(
            kcb=kcb_curve(since, adjust_kcb(stack([season.crop]), since, wind, damp))
        )
    fc, wp = season.fields.theta_fc, season.fields.theta_wp
    deepest = 1000.0 * (fc - wp) * season.crop.zr_max_m  # type: ignore[operator]
    fields = season.fields._replace(available_water_max=deepest)
    start = initial_state(fields, season.theta_0, season.crop.zr_ini_m)
    totals = season_totals(water_balance(days, fields, start, chosen))
    return np.array([totals.evaporation[0], totals.eta[0], totals.deep_percolation[0]])


def _range(values: Sequence[float], decimals: int = 0) -> tuple[float, float]:
    low, high = (round(float(pick(values)), decimals) + 0.0 for pick in (min, max))
    return low, high


def _span(text: str) -> tuple[float, float]:
    """Both ends of a printed range, ``−18 … −15 %``; one number is both."""
    numbers = [float(one) for one in re.findall(r"-?\d+(?:\.\d+)?", text.replace("−", "-"))]
    return numbers[0], numbers[-1]


@pytest.mark.parametrize("name", OTHER)
def test_what_a_convention_does_is_what_is_printed(shared: Path, name: str) -> None:
    seasons = [_season(shared / "agronomy/pyfao56", run, year) for run, year in RUNS]
    usual = np.array([_sums(one, USUAL) for one in seasons])
    other = np.array([_sums(one, OTHER[name]) for one in seasons])
    percent, millimetres = 100.0 * (other / usual - 1.0), other - usual
    found = [_range(percent[:, 0]), _range(percent[:, 1], 1), _range(millimetres[:, 2])]

    assert [_span(cell) for cell in _printed("conventions")[name][2:5]] == found


@pytest.mark.parametrize("name", [*FILLED, "all but temperature, by Hargreaves"])
def test_what_filling_does_is_what_is_printed(shared: Path, name: str) -> None:
    station, days = _fallon(shared / "agronomy/agrimet_faln_2015_daily.csv")

    def et0(measured: Station, method: str = "penman-monteith") -> np.ndarray:
        return complete(
            measured, days, latitude=39.4575, elevation=1208.5, wind_height=3.0,
            method=method,  # type: ignore[arg-type]
        ).et0  # fmt: skip

    nothing = np.full(len(days.dates), np.nan)
    whole = et0(station)
    gone = FILLED.get(name)
    if gone is None:
        filled = et0(station, "hargreaves")
    else:
        filled = et0(station._replace(**dict.fromkeys(gone, nothing)))
    change = 100.0 * (filled.sum() / whole.sum() - 1.0)
    error = float(np.sqrt(((filled - whole) ** 2).mean()))
    found = [round(change, 1) + 0.0, round(error, 2)]

    assert [_span(cell)[0] for cell in _printed("filled-weather")[name][:2]] == found


def _fallon(path: Path) -> tuple[Station, object]:
    """Days from April to September of a station at Fallon, Nevada."""
    with path.open() as file:
        rows = [row for row in csv.DictReader(file) if 4 <= int(row["month"]) <= 9]

    def column(name: str) -> np.ndarray:
        return np.array([float(row[name] or "nan") for row in rows])

    nothing = np.full(len(rows), np.nan)
    station = Station(
        tmax=column("tmax_c"), tmin=column("tmin_c"), dew_point=column("tdew_c"), rh_max=nothing,
        rh_min=nothing, solar=column("rs_mj_m2_d"), wind=column("uz3m_ms"), rain=nothing,
    )  # fmt: skip
    return station, local_days(dt.date(2015, 4, 1), dt.date(2015, 9, 30), "America/Los_Angeles")
