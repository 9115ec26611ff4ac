"""Four measured cotton seasons at Maricopa, Arizona, day by day against pyfao56's own output.

Origin: kthorp/pyfao56 tests (CC0). The columns of the output are rounded to 0.001 mm.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose

from analytics.balance import (
    PYFAO56,
    Days,
    Fields,
    WaterBalance,
    initial_state,
    season_totals,
    water_balance,
)
from analytics.crops import Crop, crop_height, kcb_curve, root_depth
from analytics.reference_et import wind_at_2m

COLUMNS = {
    "Kcb": "kcb",
    "few": "few",
    "De": "surface_depletion",
    "Kr": "kr",
    "Ke": "ke",
    "E": "evaporation",
    "ETc": "etc",
    "TAW": "taw",
    "p": "p",
    "RAW": "raw",
    "Ks": "ks",
    "ETa": "eta",
    "T": "transpiration",
    "DP": "deep_percolation",
    "Dr": "depletion",
}


class Season(NamedTuple):
    days: Days
    fields: Fields
    crop: Crop
    theta_0: float
    published: dict[str, np.ndarray]


def _table(path: Path) -> tuple[list[str], dict[str, list[str]]]:
    lines = path.read_text().splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith("Year-DOY"))
    rows = (line.split() for line in lines[first + 1 :] if line.strip())
    return lines[first].split(), {row[0]: row for row in rows}


def _parameters(path: Path) -> dict[str, float]:
    words = (line.split() for line in path.read_text().splitlines())
    named = (line for line in words if len(line) > 1 and line[1].endswith(","))
    return {line[1].rstrip(","): float(line[0]) for line in named}


def _season(folder: Path, run: str, year: str) -> Season:
    known = _parameters(folder / f"cotton{year}.par")
    head, out = _table(folder / f"{run}.out")
    weather_head, weather = _table(folder / f"cotton{year}.wth")
    _, irrigation = _table(folder / f"{run}.irr")
    days = list(out)

    def measured(name: str) -> np.ndarray:
        return np.array([float(weather[day][weather_head.index(name)]) for day in days])

    published = {
        name: np.array([float(out[day][head.index(name)]) for day in days])
        for name in (*COLUMNS, "ETref")
    }
    events = [irrigation.get(day, [day, "0", "nan", "100"]) for day in days]
    net = np.array([float(depth) * float(share) / 100 for _, depth, _, share in events])
    crop = Crop(
        *(known[name] for name in ("Kcbini", "Kcbmid", "Kcbend", "Lini", "Ldev", "Lmid", "Lend")),
        *(known[name] for name in ("hini", "hmax", "Zrini", "Zrmax", "pbase")),
    )
    since = np.arange(len(days))
    return Season(
        Days(
            et0=published["ETref"],
            rain=measured("Rain"),
            irrigation_net=net,
            wetted_fraction=np.array([float(wetted) for _, _, wetted, _ in events]),
            wind_2m=wind_at_2m(measured("Wndsp"), 3.0),
            rh_min=measured("RHmin"),
            kcb=kcb_curve(since, crop),
            height=crop_height(since, crop),
            root_depth=root_depth(since, crop),
        ),
        Fields(known["thetaFC"], known["thetaWP"], known["Ze"], known["REW"], crop.p, crop.kcb_ini),
        crop,
        known["theta0"],
        published,
    )


def _balance(season: Season) -> WaterBalance:
    start = initial_state(season.fields, season.theta_0, season.crop.zr_ini_m)
    return water_balance(season.days, season.fields, start, PYFAO56)


@pytest.mark.parametrize(
    ("run", "year"),
    [
        ("cottondry2013", "2013"),
        ("cottonwet2013", "2013"),
        ("cotton2018_060", "2018"),
        ("cotton2018_120", "2018"),
    ],
)
def test_every_day_is_that_of_pyfao56(shared: Path, run: str, year: str):
    season = _season(shared / "agronomy/pyfao56", run, year)
    result = _balance(season)
    assert len(result.et0) > 190
    for name, ours in COLUMNS.items():
        computed = getattr(result, ours)[:, 0]
        assert_allclose(computed, season.published[name], atol=0.01, rtol=0, err_msg=name)
    assert np.abs(result.closure).max() < 1e-6


def test_the_published_sums_of_the_dry_season(shared: Path):
    # cottondry2013.sum
    totals = season_totals(_balance(_season(shared / "agronomy/pyfao56", "cottondry2013", "2013")))
    for value, published in (
        (totals.et0, 1352.490),
        (totals.etc, 1062.597),
        (totals.eta, 887.088),
        (totals.evaporation, 96.761),
        (totals.transpiration, 790.327),
        (totals.deep_percolation, 49.790),
        (totals.depletion_start, 75.0),
        (totals.depletion_end, 208.208),
    ):
        assert_allclose(value, published, atol=0.01)


def test_early_events_evaporate_more_and_drain_less(shared: Path):
    # Measured on these seasons: E up by 18-23 %, ETa by 0.8-2.9 %, DP down by 14-44 %.
    season = _season(shared / "agronomy/pyfao56", "cottondry2013", "2013")
    start = initial_state(season.fields, season.theta_0, season.crop.zr_ini_m)
    early = season_totals(
        water_balance(
            season.days, season.fields, start, PYFAO56._replace(event_timing="start-of-day")
        )
    )
    late = season_totals(_balance(season))
    assert 1.175 < (early.evaporation / late.evaporation)[0] < 1.24
    assert 1.008 < (early.eta / late.eta)[0] < 1.03
    assert 0.56 < (early.deep_percolation / late.deep_percolation)[0] < 0.87
