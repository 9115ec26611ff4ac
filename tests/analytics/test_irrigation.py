"""Applied water from a meter's counter."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from analytics.irrigation import counter_differences, daily_volumes, day_edges, depth_mm


def test_volume_is_what_the_counter_moved():
    counted = counter_differences([0, 60, 120], [100.0, 101.5, 107.0])
    assert counted.volume.tolist() == [1.5, 5.5]
    assert counted.total == 7.0
    assert not counted.reset.any()


def test_order_and_repetition_do_not_matter():
    counted = counter_differences([120, 0, 60, 60], [107.0, 100.0, 101.5, 101.5])
    assert counted.volume.tolist() == [1.5, 5.5]


def test_a_gap_in_the_readings_loses_nothing():
    counted = counter_differences([0, 60, 120], [100.0, np.nan, 107.0])
    assert counted.volume.tolist() == [7.0]


def test_a_reset_counts_from_zero_and_says_so():
    counted = counter_differences([0, 60, 120], [500.0, 3.0, 5.0])
    assert counted.volume.tolist() == [3.0, 2.0]
    assert counted.reset.tolist() == [True, False]


def test_a_counter_wraps_only_near_its_end():
    wrapped = counter_differences([0, 60], [999.0, 2.0], modulus=1000.0)
    assert wrapped.volume.tolist() == [3.0]
    assert wrapped.wrapped.tolist() == [True]
    reset = counter_differences([0, 60], [500.0, 2.0], modulus=1000.0)
    assert reset.volume.tolist() == [2.0]
    assert reset.reset.tolist() == [True]


def test_a_meter_that_falls_from_its_end_to_its_middle_was_exchanged():
    exchanged = counter_differences([0, 60], [990.0, 500.0], modulus=1000.0)
    assert (exchanged.wrapped.tolist(), exchanged.reset.tolist()) == ([False], [True])
    assert exchanged.volume.tolist() == [500.0]


def test_one_reading_or_none_is_no_water():
    assert counter_differences([0], [10.0]).total == 0
    assert counter_differences([], []).total == 0


@pytest.mark.parametrize(
    ("times", "values", "modulus", "message"),
    [
        ([0, 0], [1.0, 2.0], None, "two values"),
        ([0, 1], [1.0, -2.0], None, "not within"),
        ([0, 1], [1.0, 1000.0], 1000.0, "not within"),
        ([0, 1], [1.0], None, "2 times"),
    ],
)
def test_an_impossible_counter_is_refused(times, values, modulus, message):
    with pytest.raises(ValueError, match=message):
        counter_differences(times, values, modulus=modulus)


def test_a_day_is_the_farms_local_day():
    # Almaty is 5 h ahead of UTC: 19:30 UTC on the 1st is 00:30 on the 2nd.
    zone = ZoneInfo("Asia/Almaty")
    edges = day_edges(datetime(2026, 6, 1, 12, tzinfo=zone), 2, zone)
    times = [
        datetime(2026, 6, 1, hour, minute, tzinfo=UTC).timestamp()
        for hour, minute in ((10, 0), (18, 0), (19, 30))
    ]
    volumes = daily_volumes(counter_differences(times, [0.0, 4.0, 10.0]), edges)
    assert volumes.tolist() == [4.0, 6.0]


def test_midnight_sharp_ends_the_day_before():
    counted = counter_differences([0, 86_400], [0.0, 5.0])
    assert daily_volumes(counted, [0, 86_400, 172_800]).tolist() == [5.0, 0.0]


def test_a_day_of_a_clock_change_is_longer():
    berlin = ZoneInfo("Europe/Berlin")
    edges = day_edges(datetime(2026, 10, 25, 12, tzinfo=berlin), 1, berlin)
    assert np.diff(edges) == 25 * 3600


@given(
    st.lists(st.tuples(st.floats(1, 40_000), st.floats(0, 500)), min_size=2, max_size=50),
    st.permutations(range(50)),
)
def test_days_add_up_to_the_counter(steps, order):
    times, values = np.cumsum([step for step, _ in steps]), np.cumsum([v for _, v in steps])
    shuffle = [place for place in order if place < len(steps)]
    counted = counter_differences(times[shuffle], values[shuffle])
    days = daily_volumes(counted, np.arange(0, times[-1] + 2 * 86_400, 86_400))
    assert_allclose(days.sum(), values[-1] - values[0], atol=1e-6)


def test_a_millimetre_is_ten_cubic_metres_a_hectare():
    assert_allclose(depth_mm(1320.0, 4.0), 33.0)
