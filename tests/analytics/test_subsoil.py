"""Roots that grow into soil as dry as it was left, by hand; and soil in layers."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from analytics.balance import (
    Conventions,
    Days,
    Fields,
    State,
    initial_state,
    season_totals,
    water_balance,
)
from analytics.soil_layers import water_to_depth

CARRIED = Conventions(adjust_p=False, new_root_zone="subsoil")
# 150 mm of available water a metre, roots from 0.4 to 1.0 m.
LOAM = Fields(0.25, 0.10, 0.10, 9.0, 0.55, available_water_max=150.0)


def growing(roots: list[float], rain: float | list[float] = 0.0) -> Days:
    """Days without demand, so that roots and rain alone move the water."""
    return Days(
        et0=0.0,
        rain=rain,
        irrigation_net=0.0,
        wetted_fraction=1.0,
        wind_2m=2.0,
        rh_min=45.0,
        kcb=0.15,
        height=0.05,
        root_depth=roots,
    )


def test_new_soil_brings_its_share_of_the_depletion_below():
    # θ 0.20 throughout: 50 mm a metre are missing. Roots of 0.4 m miss 20, the 0.6 m below 30.
    # Growing to 0.6, 0.8 and 1.0 m takes 10 of the 30 each day.
    start = initial_state(LOAM, 0.20, 0.4)
    assert_allclose(start.subsoil_depletion, 30.0)

    result = water_balance(growing([0.4, 0.6, 0.8, 1.0]), LOAM, start, CARRIED)

    assert_allclose(result.depletion[:, 0], [20, 30, 40, 50])
    assert_allclose(result.subsoil_depletion[:, 0], [30, 20, 10, 0], atol=1e-12)
    assert_allclose(result.closure, 0.0, atol=1e-12)


def test_at_field_capacity_by_the_other_convention():
    # Example 38: no increment of the depletion as roots grow.
    start = initial_state(LOAM, 0.20, 0.4)
    result = water_balance(growing([0.4, 0.6, 1.0]), LOAM, start, Conventions())
    assert_allclose(result.depletion[:, 0], 20.0)


def test_percolation_fills_the_subsoil_before_it_leaves():
    # 60 mm on 20 missing: 40 pass the roots, 30 fill the subsoil, 10 are lost. Later roots find it
    # full.
    start = initial_state(LOAM, 0.20, 0.4)
    result = water_balance(growing([0.4, 1.0], rain=[60.0, 0.0]), LOAM, start, CARRIED)
    assert_allclose(result.deep_percolation[:, 0], [10, 0])
    assert_allclose(result.subsoil_depletion[:, 0], [0, 0])
    assert_allclose(result.depletion[:, 0], [0, 0])
    totals = season_totals(result)
    assert_allclose(totals.closure, 0.0, atol=1e-12)
    assert_allclose(totals.subsoil_depletion_start - totals.subsoil_depletion_end, 30.0)


def test_roots_that_shrink_leave_the_water_where_it_is():
    start = initial_state(LOAM, 0.20, 0.4)
    result = water_balance(growing([0.4, 0.8, 0.5, 0.8, 1.0]), LOAM, start, CARRIED)
    assert_allclose(result.depletion[:, 0], [20, 40, 40, 40, 50])


def test_a_layered_soil_gives_its_water_by_layers():
    # 0.3 m with 100 mm/m over soil with 200 mm/m: 0.5 m hold 30 + 40 = 70 mm, 1.0 m 170.
    available = water_to_depth([0.10, 0.20], [0.3, 1.0], [0.2, 0.3, 0.5, 1.0])
    assert_allclose(available, [20, 30, 70, 170])

    # 40 of the 100 mm below 0.5 m are missing. Roots of 0.75 m have reached half of that water.
    fields = LOAM._replace(available_water_max=170.0)
    start = State(np.array([5.0]), np.array([20.0]), np.ones(1), np.array([40.0]))
    days = growing([0.5, 0.75])._replace(available_water=[70.0, 120.0])
    result = water_balance(days, fields, start, CARRIED)
    assert_allclose(result.taw[:, 0], [70, 120])
    assert_allclose(result.depletion[:, 0], [5, 25])


@pytest.mark.parametrize(
    ("bottoms", "depth", "message"),
    [([0.3, 0.2], 0.1, "not in order"), ([0.3, 0.9], 1.0, "layers end at 0.9 m, above 1 m")],
)
def test_layers_that_cannot_be_are_refused(bottoms, depth, message):
    with pytest.raises(ValueError, match=message):
        water_to_depth([0.1, 0.2], bottoms, depth)


@pytest.mark.parametrize(
    ("deepest", "message"),
    [(np.nan, "available_water_max is missing"), (100.0, "root_depth holds more than")],
)
def test_the_subsoil_needs_to_know_how_deep_it_goes(deepest, message):
    fields = LOAM._replace(available_water_max=deepest)
    with pytest.raises(ValueError, match=message):
        water_balance(growing([0.4, 1.0]), fields, initial_state(LOAM, 0.2, 0.4), CARRIED)
