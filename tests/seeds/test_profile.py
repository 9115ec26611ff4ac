"""Soil water by depth: the balance's depletion, more of it above than below."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from analytics.assimilation import PLACE_THETA_SD, depletion_from_moisture
from analytics.soils import Soil
from seeds.farms import catalogue
from seeds.messages import DEPTHS_CM, senders
from seeds.profile import moisture
from seeds.season import simulate_all

SOIL = Soil(theta_fc=0.40, theta_wp=0.10, ze_m=0.1, rew_mm=9.0)
CENTIMETRES = np.arange(5, 200, 10) / 100  # sensors that together see two metres of soil


def test_quarters_of_the_roots_lose_four_three_two_and_one_tenths():
    # 100 mm out of 1 m: 40 mm of the first 0.25 m is 0.16 m³/m³, then 0.12, 0.08 and 0.04.
    depths = np.array([0.125, 0.375, 0.625, 0.875])

    theta = moisture(np.array([100.0]), np.array([1.0]), SOIL, depths)

    assert_allclose(theta, [[0.24, 0.28, 0.32, 0.36]], atol=1e-9)


@pytest.mark.parametrize("depletion", [-20.0, 0.0, 3.0, 150.0, 250.0, 299.0, 300.0])
def test_the_water_missing_is_the_balances(depletion):
    theta = moisture(np.array([depletion]), np.array([1.0]), SOIL, CENTIMETRES)

    assert 100.0 * (SOIL.theta_fc - theta).sum() == pytest.approx(depletion, abs=1e-6)
    assert theta.min() >= SOIL.theta_wp - 1e-9
    assert_allclose(theta[0, 10:], SOIL.theta_fc)  # below the roots


def test_a_dry_top_takes_no_more_and_the_rest_comes_from_deeper():
    # 200 of 300 mm: by the pattern alone the top would fall to 0.4 - 0.2 * 1.8 = 0.04.
    theta = moisture(np.array([200.0]), np.array([1.0]), SOIL, CENTIMETRES)[0, :10]

    assert theta[0] == pytest.approx(SOIL.theta_wp)
    assert (np.diff(theta) >= -1e-9).all()


def test_probes_tell_depths_apart_and_agree_with_the_balance():
    season = simulate_all(catalogue(1))[0]
    probe = next(one for one in senders([season]) if one.device_kind == "soil-probe")
    said = {depth: [] for depth in DEPTHS_CM}
    for message in probe.messages:
        for record in message.body:
            said[int(record["n"].partition("/")[2])].append(record["v"])
    evenings = np.array([values[3::4] for values in said.values()]).T

    told = depletion_from_moisture(
        evenings, DEPTHS_CM, season.root_depth_m, season.field.soil.theta_fc
    )

    # Four sensors stand for all depths, and for the roots below them: that errs by far less than
    # one place does in standing for the field.
    error = (told - season.depletion_mm) / (1_000.0 * PLACE_THETA_SD * season.root_depth_m)
    assert np.sqrt(np.mean(error**2)) < 0.5
    dry = season.depletion_mm > np.quantile(season.depletion_mm, 0.8)
    top, *_, bottom = evenings[dry].mean(axis=0)
    assert bottom - top > 0.03
