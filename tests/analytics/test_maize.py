"""Maize 2023 at Fort Collins, Colorado: a soil in layers, and its water as it was measured.

Origin: kthorp/pyfao56 tests, run E42FF2023 (CC0): field E42, fully irrigated. The reference ET is
that of alfalfa; Kcb, height and cover were observed. pyfao56's output is rounded to 0.001 mm.
"""

import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from numpy.testing import assert_allclose

from analytics.assimilation import Comparison, compare, moisture_sd
from analytics.balance import (
    PYFAO56,
    Days,
    Fields,
    State,
    WaterBalance,
    water_balance,
)
from analytics.soil_layers import water_to_depth

THEIRS = PYFAO56._replace(adjust_p=False, new_root_zone="subsoil", reference="tall")
OURS = THEIRS._replace(event_timing="start-of-day", adjust_p=True)
COLUMNS = {
    "few": "few",
    "Kr": "kr",
    "Ke": "ke",
    "E": "evaporation",
    "De": "surface_depletion",
    "ETc": "etc",
    "TAW": "taw",
    "RAW": "raw",
    "Ks": "ks",
    "T": "transpiration",
    "ETa": "eta",
    "DP": "deep_percolation",
    "Db": "subsoil_depletion",
    "Dr": "depletion",
}


class Maize(NamedTuple):
    days: Days
    fields: Fields
    start: State
    published: dict[str, np.ndarray]
    measured_on: np.ndarray  # rows of the season
    measured: np.ndarray  # depletion by the layers' readings [mm]
    published_measured: np.ndarray


def _table(path: Path) -> dict[str, dict[str, float]]:
    """Rows of a file by day; what is no number is left out."""
    lines = path.read_text().splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith("Year-DOY"))
    head = lines[first].split()
    rows = {}
    for line in filter(str.strip, lines[first + 1 :]):
        cells = line.split()
        numbers = {n: c for n, c in zip(head, cells, strict=True) if _is_number(c)}
        rows[cells[0]] = {name: float(cell) for name, cell in numbers.items()}
    return rows


def _is_number(cell: str) -> bool:
    return cell.lstrip("-").replace(".", "", 1).isdigit()


@pytest.fixture(scope="module")
def maize(shared: Path) -> Maize:
    folder = shared / "agronomy/pyfao56"
    out, weather = _table(folder / "E42FF2023.out"), _table(folder / "LIRFWeather2023.wth")
    seen, applied = _table(folder / "E42FF2023.upd"), _table(folder / "E42FF2023.irr")
    lines = (folder / "E42FF2023.sol").read_text().splitlines()
    profile = [line.split() for line in lines[lines.index("Depth thetaFC thetaWP  theta0") + 1 :]]
    bottoms, capacity, wilting, first = np.array(profile, float).T
    bottoms = bottoms / 100.0
    keys = list(out)
    published = {name: np.array([out[day][name] for day in keys]) for name in out[keys[0]]}

    def column(rows: dict[str, dict[str, float]], name: str, missing: float) -> np.ndarray:
        return np.array([rows.get(day, {}).get(name, missing) for day in keys])

    def observed(name: str) -> np.ndarray:
        given = column(seen, name, 0.0)
        return np.where(given > 0, given, published[name])

    # Roots follow the crop's curve, added up day by day as pyfao56 does, in whole millimetres.
    since = np.arange(len(keys))
    step = np.where((since > 25) & (since <= 65), (0.96 - 0.15) / 40, 0.0)
    step[0] = 0.15
    grown = (np.cumsum(step) - 0.15) / (0.96 - 0.15)
    grown[66:] = 1.0
    roots = np.maximum.accumulate(0.30 + (1.05 - 0.30) * grown)
    days = Days(
        et0=column(weather, "ETref", np.nan),
        rain=column(weather, "Rain", np.nan),
        irrigation_net=column(applied, "Depth", 0.0),
        wetted_fraction=column(applied, "fw", np.nan),
        wind_2m=np.nan,
        rh_min=np.nan,
        kcb=observed("Kcb"),
        height=published["h"],
        root_depth=roots,
        cover=observed("fc"),
        available_water=water_to_depth(
            capacity - wilting, bottoms, np.floor(1000.0 * roots) / 1000.0
        ),
    )
    at_first = water_to_depth(capacity - first, bottoms, 0.30)
    below = water_to_depth(capacity - first, bottoms, 1.05) - at_first
    evaporable = 1000.0 * (0.257 - 0.129 / 2) * 0.062  # of 62 whole millimetres of the top layer
    fields = Fields(
        0.257, 0.129, 0.062, 8.0, 0.5, 0.15,
        available_water_max=water_to_depth(capacity - wilting, bottoms, 1.05),
    )  # fmt: skip
    begins = State(np.array([at_first]), np.array([evaporable]), np.ones(1), np.array([below]))
    readings = _table(folder / "E42FF2023.sws")
    on = np.array([keys.index(day) for day in readings])
    content = np.array([[row[f"SWC0{n}"] for n in range(1, 8)] for row in readings.values()])
    measured = water_to_depth(capacity - content, bottoms, roots[on])
    said = np.array([row["mDr"] for row in readings.values()])
    return Maize(days, fields, begins, published, on, measured, said)


def _errors(maize: Maize, result: WaterBalance) -> Comparison:
    """Of the depletion that was computed, before any correction, against the measured one."""
    before = result.depletion[:, 0] + result.correction[:, 0]
    return compare(before[maize.measured_on], maize.measured)


def _as_theta(maize: Maize, result: WaterBalance) -> Comparison:
    """The same as mean water content of the root zone. [m³ m⁻³]"""
    depth = 1000.0 * np.asarray(maize.days.root_depth)[maize.measured_on]
    before = result.depletion[:, 0] + result.correction[:, 0]
    return compare(-before[maize.measured_on] / depth, -maize.measured / depth)


def _tell(name: str, errors: Comparison, theta: Comparison | None = None) -> None:
    content = "" if theta is None else f", {theta.rmse:.4f} m³/m³"
    sys.stdout.write(
        f"{name}: n {errors.n}, bias {errors.bias:+.2f} mm, RMSE {errors.rmse:.2f} mm{content}, "
        f"NSE {errors.nse:+.2f}\n"
    )


def test_every_day_is_that_of_pyfao56(maize: Maize):
    result = water_balance(maize.days, maize.fields, maize.start, THEIRS)
    for name, ours in COLUMNS.items():
        computed = getattr(result, ours)[:, 0]
        assert_allclose(computed, maize.published[name], atol=0.01, rtol=0, err_msg=name)
    assert np.abs(result.closure).max() < 1e-6


def test_the_measured_depletion_is_that_of_its_layers(maize: Maize):
    # The readings are printed to 0.001 m³/m³ and the roots to 1 mm: 0.02 mm.
    assert_allclose(maize.measured, maize.published_measured, atol=0.02)


def test_the_error_against_the_measured_soil_water(maize: Maize):
    # E42FF2023_Dr.fit: bias (meanerr) 5.978, RMSE 12.814 mm, NSE 0.211 for pyfao56. In FAO-56's own
    # conventions the field is drier, as early water evaporates more; no worse than 0.02 m³/m³, what
    # a calibrated probe is good for.
    theirs = water_balance(maize.days, maize.fields, maize.start, THEIRS)
    ours = water_balance(maize.days, maize.fields, maize.start, OURS)
    _tell("pyfao56, published", Comparison(34, 5.978, 12.814, 0.211))
    _tell("ours, its conventions", _errors(maize, theirs), _as_theta(maize, theirs))
    _tell("ours, FAO-56's conventions", _errors(maize, ours), _as_theta(maize, ours))

    same = _errors(maize, theirs)
    assert same.n == 34
    assert_allclose([same.bias, same.rmse, same.nse], [5.978, 12.814, 0.211], atol=0.02)
    assert _as_theta(maize, theirs).rmse < 0.02
    assert _as_theta(maize, ours).rmse < 0.02


def test_assimilation_brings_the_next_measurement_nearer(maize: Maize):
    # Judged by what was computed before each measurement came in, never by what it was moved to.
    measured = np.full(len(maize.days.kcb), np.nan)
    measured[maize.measured_on] = maize.measured
    sd = moisture_sd(maize.days.root_depth, place_sd=0.0)  # the probe's own place is judged
    days = maize.days._replace(measured_depletion=measured, measured_sd=sd)
    begins = maize.start._replace(depletion_variance=np.array([(30.0 * 0.30) ** 2]))
    free = water_balance(maize.days, maize.fields, begins, OURS)
    led = water_balance(days, maize.fields, begins, OURS)
    _tell("without assimilation", _errors(maize, free), _as_theta(maize, free))
    _tell("with assimilation, a measurement ahead", _errors(maize, led), _as_theta(maize, led))

    assert _errors(maize, led).rmse < 0.9 * _errors(maize, free).rmse
    assert abs(_errors(maize, led).bias) < 0.7 * abs(_errors(maize, free).bias)
    assert np.abs(led.closure).max() < 1e-6
    assert (led.gain[maize.measured_on] > 0).all()  # none beyond the gate
    assert led.correction.sum() == pytest.approx(_gained(led))


def _gained(result: WaterBalance) -> float:
    """What the correction must be, by all other figures of the season. [mm]"""
    came = result.rain + result.irrigation_net + result.capillary_rise
    went = result.eta + result.runoff + result.deep_percolation
    start = result.start.depletion + result.start.subsoil_depletion
    end = result.end.depletion + result.end.subsoil_depletion
    return float((start - end - (came - went).sum(axis=0))[0])
