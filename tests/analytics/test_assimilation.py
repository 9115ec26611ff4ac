"""Measured soil moisture: the filter by hand and by its statistics, sensors made a depletion."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from analytics.assimilation import (
    assimilate,
    compare,
    depletion_from_moisture,
    moisture_sd,
)
from analytics.balance import Days, Fields, State, water_balance

LOAM = Fields(theta_fc=0.25, theta_wp=0.10, ze_m=0.10, rew_mm=9.0, p=0.55, model_sd_mm=2.0)


def still(count: int, **change: object) -> Days:
    """Days on which no water moves."""
    quiet = Days(
        et0=[0.0] * count,
        rain=0.0,
        irrigation_net=0.0,
        wetted_fraction=1.0,
        wind_2m=2.0,
        rh_min=45.0,
        kcb=0.15,
        height=0.05,
        root_depth=1.0,
    )
    return quiet._replace(**change)


def state(depletion: float, variance: float = 0.0) -> State:
    return State(
        np.array([depletion]), np.zeros(1), np.ones(1), depletion_variance=np.array([variance])
    )


def test_the_gain_is_the_share_of_the_models_variance():
    # P 16, R 9: K 0.64. 20 moves towards 30 by 6.4, and 0.36 of 16 are left.
    after = assimilate(*(np.array([value]) for value in (20.0, 16.0, 30.0, 3.0)))
    assert_allclose(after.gain, 0.64)
    assert_allclose(after.innovation, 10.0)
    assert_allclose(after.depletion, 26.4)
    assert_allclose(after.variance, 5.76)


def test_an_innovation_beyond_four_deviations_is_refused():
    # P 16 and R 9 give the innovation a deviation of 5 mm: the gate is 20 mm.
    depletion, variance, sd = np.full(3, 20.0), np.full(3, 16.0), np.full(3, 3.0)
    after = assimilate(depletion, variance, np.array([40.0, 40.1, -0.1]), sd)
    assert_allclose(after.gain, [0.64, 0.0, 0.0])
    assert_allclose(after.depletion, [32.8, 20.0, 20.0])
    assert_allclose(after.variance, [5.76, 16.0, 16.0])
    assert_allclose(after.innovation, [20.0, 20.1, -20.1])


def test_an_evening_without_a_measurement_stays_as_it_is():
    after = assimilate(*(np.array([value]) for value in (20.0, 16.0, np.nan, np.nan)))
    assert_allclose([after.depletion[0], after.variance[0], after.gain[0]], [20.0, 16.0, 0.0])
    assert np.isnan(after.innovation).all()


def test_a_measurement_corrects_its_evening_and_the_water_is_stated():
    # 2 mm a day of model error: variance 12 on the third evening. Measured with 2 mm: K 0.75.
    # 40 moves to 49: 9 mm less water in the soil, a correction of -9 mm.
    days = still(4, measured_depletion=[np.nan, np.nan, 52.0, np.nan], measured_sd=2.0)
    result = water_balance(days, LOAM, state(40.0))

    assert_allclose(result.depletion[:, 0], [40, 40, 49, 49])
    assert_allclose(result.correction[:, 0], [0, 0, -9, 0])
    assert_allclose(result.innovation[2, 0], 12.0)
    assert_allclose(result.gain[:, 0], [0, 0, 0.75, 0])
    assert_allclose(result.depletion_sd[:, 0] ** 2, [4, 8, 3, 7])
    assert_allclose(result.end.depletion_variance, 7.0)
    assert_allclose(result.closure, 0.0, atol=1e-12)


def test_without_measurements_nothing_is_corrected_and_the_error_grows():
    result = water_balance(still(9), LOAM, state(40.0, 1.0))
    assert_allclose(result.correction, 0.0)
    assert np.isnan(result.innovation).all()
    assert_allclose(result.end.depletion_variance, 1.0 + 9 * 4.0)


def test_more_water_than_field_capacity_counts_as_full_where_it_drains():
    # -10 mm are read as 0: the surplus is about to leave. P 4, R 4: K 0.5.
    days = still(1, measured_depletion=-10.0, measured_sd=2.0)
    assert_allclose(water_balance(days, LOAM, state(6.0)).depletion, 3.0)


def test_sensors_under_standing_water_tell_nothing():
    paddy = LOAM._replace(percolation_limit=0.0, theta_sat=0.45, bund_mm=100.0)
    days = still(1, measured_depletion=-180.0, measured_sd=20.0)
    under_water = water_balance(days, paddy, state(-250.0))
    saturated_below = water_balance(days, paddy, state(-170.0))
    assert_allclose(under_water.correction, 0.0)
    assert_allclose(under_water.standing_water, 50.0)
    # P 4, R 400: K 0.0099 of the 10 mm.
    assert_allclose(saturated_below.correction, 10 * 4 / 404)


def test_the_stated_deviation_is_that_of_the_errors():
    # 3,000 fields whose true depletion walks away from the model by 2 mm a day, measured now and
    # then with 6 mm: errors after corrections have the deviation that the filter states, to 5 %
    # (3,000 draws know a deviation to 1.3 %).
    random = np.random.default_rng(7)
    count, length = 3_000, 40
    truth = 200.0 + np.cumsum(random.normal(0.0, 2.0, (length, count)), axis=0)
    seen = truth + random.normal(0.0, 6.0, truth.shape)
    seen[np.arange(length) % 7 != 3] = np.nan
    deep = LOAM._replace(theta_wp=[0.10] * count)
    days = still(length, root_depth=3.0, measured_depletion=seen, measured_sd=6.0)
    start = State(np.full(count, 200.0), np.zeros(count), np.ones(count))

    led = water_balance(days, deep, start)
    error = led.depletion - truth

    for day in (3, 10, 20, 39):
        assert_allclose(error[day].std(), led.depletion_sd[day, 0], rtol=0.05)
    assert error[-1].std() < 0.6 * (200.0 - truth[-1]).std()
    assert error[38].std() < 6.0  # nor is a measurement alone as good
    assert (led.gain[3] > 0).mean() > 0.999


def test_a_broken_sensor_does_not_lead_the_field_away():
    # Stuck at saturation of a dry field: refused for as long as the model may be trusted.
    days = still(5, measured_depletion=0.0, measured_sd=10.0)
    result = water_balance(days, LOAM, state(100.0))
    assert_allclose(result.depletion, 100.0)
    assert ((result.gain == 0) & np.isfinite(result.innovation)).sum() == 5


def test_sensors_stand_for_the_soil_around_them():
    # Sensors at 10, 30 and 50 cm of a root zone of 60: 20 cm each, missing 0.10, 0.05 and 0.02.
    depletion = depletion_from_moisture([[0.20, 0.25, 0.28]], [10, 30, 50], 0.6, 0.30)
    assert_allclose(depletion, 10 * (0.10 * 20 + 0.05 * 20 + 0.02 * 20))


def test_layers_have_their_own_field_capacity():
    theta, capacity = [[0.20, 0.15]], [0.30, 0.20]
    assert_allclose(depletion_from_moisture(theta, [10, 30], 0.4, capacity), 20 + 10)


def test_neighbours_speak_for_a_silent_sensor():
    # Without the one at 30 cm the border is at 30 cm: 0.10 over 30 and 0.02 over 30.
    depletion = depletion_from_moisture([[0.20, np.nan, 0.28]], [10, 30, 50], 0.6, 0.30)
    assert_allclose(depletion, 36.0)


@pytest.mark.parametrize(
    ("roots", "theta", "expected"),
    [
        # The sensor at 50 cm reaches to 70: 36 mm of 70 cm, for 80 cm as if the rest were alike.
        (0.8, [0.20, 0.25, 0.28], 36.0 * 80 / 70),
        (1.0, [0.20, 0.25, 0.28], np.nan),  # 70 of 100 cm are too few
        (0.6, [np.nan, np.nan, 0.28], np.nan),  # one sensor at 50 cm says nothing of the top 30
        (0.2, [0.20, np.nan, np.nan], 20.0),
        (0.6, [np.nan, np.nan, np.nan], np.nan),
    ],
)
def test_too_few_sensors_make_no_depletion(roots, theta, expected):
    assert_allclose(depletion_from_moisture([theta], [10, 30, 50], roots, 0.30), expected)


def test_roots_that_grow_are_followed():
    theta = np.tile([0.20, 0.25, 0.28], (3, 1))
    depletion = depletion_from_moisture(theta, [10, 30, 50], [0.2, 0.4, 0.6], 0.30)
    assert_allclose(depletion, [20, 30, 34])


@given(
    st.lists(st.integers(5, 100), min_size=1, max_size=8, unique=True),
    st.floats(0.1, 1.0),
    st.floats(0.02, 0.45),
)
def test_an_even_profile_has_an_even_depletion(depths, roots, theta):
    # Wherever the sensors are and in whatever order, they say 1000 (θfc - θ) Zr or nothing.
    depletion = depletion_from_moisture([[theta] * len(depths)], depths, roots, 0.30)
    expected = 1000 * (0.30 - theta) * roots
    assert np.isnan(depletion[0]) or depletion[0] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("depths", "message"), [([10, 10], "one depth"), ([10, 20, 30], "depths_cm is")]
)
def test_sensors_that_cannot_be_are_refused(depths, message):
    with pytest.raises(ValueError, match=message):
        depletion_from_moisture([[0.2, 0.3]], depths, 0.5, 0.3)


def test_the_probes_error_and_that_of_its_place_add_in_quadrature():
    # 0.02 and 0.02 m³/m³ over half a metre: 14.1 mm
    assert_allclose(moisture_sd(0.5), 14.142, atol=0.001)
    assert_allclose(moisture_sd(0.5, place_sd=0.0), 10.0)


def test_the_comparison_by_hand():
    # Errors -1, 0, -2; measured 2, 2, 5 with the mean 3 and the mean square deviation 2.
    errors = compare([1.0, 2.0, 3.0, np.nan, 9.0], [2.0, 2.0, 5.0, 1.0, np.nan])
    assert errors.n == 3
    assert_allclose(errors.bias, -1.0)
    assert_allclose(errors.rmse, np.sqrt(5 / 3))
    assert_allclose(errors.nse, 1 - (5 / 3) / 2)


def test_fields_are_compared_one_by_one_and_nothing_with_nothing_is_unknown():
    errors = compare([[1.0, np.nan], [2.0, 1.0]], [[1.0, 5.0], [3.0, np.nan]])
    assert errors.n.tolist() == [2, 0]
    assert_allclose(errors.bias, [-0.5, np.nan])
    assert_allclose(errors.rmse, [np.sqrt(0.5), np.nan])
