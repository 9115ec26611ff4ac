"""Estimates of what water stress cost, by hand, and their laws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from analytics.yield_response import (
    BEYOND,
    VALID,
    jensen_response,
    seasonal_response,
    staged_response,
)

share = st.floats(0.0, 1.0)


def test_a_fifth_less_water_costs_maize_a_quarter():
    # Ky 1.25 (FAO-33): 1 - 1.25 x 0.2 = 0.75; of 8000 kg/ha 6000 stay.
    estimate = seasonal_response([400.0], [500.0], 1.25)

    assert_allclose(estimate.relative_yield, 0.75)
    assert_allclose(estimate.deficit, 0.2)
    assert_allclose(estimate.yield_kg_ha(8000.0), 6000.0)


def test_it_is_labelled_an_estimate_and_doubted_beyond_half():
    estimate = seasonal_response([250.0, 249.0], [500.0, 500.0], 1.0)

    assert estimate.kind == "estimate"
    assert estimate.notes == [VALID, BEYOND]


def test_stages_multiply():
    # Two stages of Ky 0.4 and 1.5, 0.5 and 0.8 of their water: (1 - 0.2)(1 - 0.3) = 0.56.
    estimate = staged_response([[50.0], [80.0]], [[100.0], [100.0]], [0.4, 1.5])

    assert_allclose(estimate.relative_yield, [0.56])
    assert_allclose(estimate.deficit, [0.5])
    assert estimate.notes == [VALID]


def test_jensen_raises_each_stage_to_its_sensitivity():
    # 0.5^0.2 x 0.8^0.5 = 0.870551 x 0.894427 = 0.778644
    estimate = jensen_response([[50.0], [80.0]], [[100.0], [100.0]], [0.2, 0.5])

    assert_allclose(estimate.relative_yield, [0.778644], rtol=1e-6)


@given(share, share, st.floats(0.2, 1.5))
def test_more_water_never_costs_yield(one, other, ky):
    low, high = sorted([one, other])
    estimate = seasonal_response([100 * low, 100 * high], [100.0, 100.0], ky)
    assert estimate.relative_yield[0] <= estimate.relative_yield[1] + 1e-12
    assert (estimate.relative_yield >= 0).all()


@given(share, st.floats(0.2, 1.5))
def test_one_stage_is_the_season(water, ky):
    season = seasonal_response([100 * water], [100.0], ky)
    stage = staged_response([[100 * water]], [[100.0]], [ky])
    assert_allclose(stage.relative_yield, season.relative_yield)


def test_full_water_leaves_the_full_yield_and_unknown_water_is_unknown():
    assert staged_response([[9.0], [5.0]], [[9.0], [5.0]], [0.4, 1.1]).relative_yield[0] == 1.0
    assert np.isnan(seasonal_response([10.0], [0.0], 1.0).relative_yield[0])


def test_stages_of_different_number_are_refused():
    with pytest.raises(ValueError, match="stages differ"):
        staged_response([[1.0], [2.0]], [[1.0], [2.0]], [0.4])
