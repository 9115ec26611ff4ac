"""Days made of hours: what counts as a day, and what is made of it."""

import datetime as dt

import numpy as np
import pytest
from numpy.testing import assert_allclose

from analytics import hourly_et as hourly
from analytics.days_of_hours import daily_from_hourly
from analytics.weather import local_days


def hours_from(first_us: int, count: int) -> np.ndarray:
    """Middles of consecutive hours that begin with ``first_us``."""
    return first_us + hourly.HOUR_US // 2 + hourly.HOUR_US * np.arange(count)


MIDNIGHT = 1_719_774_000_000_000  # 1 July at UTC+5
DAY_EDGES = np.array([MIDNIGHT, MIDNIGHT + 24 * hourly.HOUR_US])


def test_a_full_day_of_readings():
    times, warmth = hours_from(MIDNIGHT, 24), np.arange(24.0)
    for kind, expected in (("mean", 11.5), ("max", 23.0), ("min", 0.0), ("sum", 276.0)):
        made = daily_from_hourly(times, warmth, DAY_EDGES, kind=kind)
        assert_allclose(made, ([expected], [1.0]))


def test_twenty_hours_make_a_day_and_nineteen_do_not():
    times, warmth = hours_from(MIDNIGHT, 24), np.full(24, 20.0)
    warmth[[2, 8, 14, 20]] = np.nan
    made = daily_from_hourly(times, warmth, DAY_EDGES, kind="mean")
    assert_allclose(made, ([20.0], [20 / 24]))
    warmth[11] = np.nan
    made = daily_from_hourly(times, warmth, DAY_EDGES, kind="mean")
    assert_allclose(made, ([np.nan], [19 / 24]))


def test_an_afternoon_of_silence_may_hide_the_highest_temperature():
    times, warmth = hours_from(MIDNIGHT, 24), np.full(24, 20.0)
    three = daily_from_hourly(np.delete(times, [13, 14, 15]), warmth[:21], DAY_EDGES, kind="max")
    four = daily_from_hourly(np.delete(times, [13, 14, 15, 16]), warmth[:20], DAY_EDGES, kind="max")
    assert_allclose(three.values, 20.0)
    assert np.isnan(four.values[0])


def test_more_readings_at_noon_do_not_warm_the_day():
    times, warmth = hours_from(MIDNIGHT, 24), np.zeros(24)
    warmth[12] = 24.0
    often = np.append(times, times[12] + np.arange(1, 20))
    made = daily_from_hourly(often, np.append(warmth, [24.0] * 19), DAY_EDGES, kind="mean")
    assert_allclose(made.values, 1.0)


def test_a_silent_day_has_no_value_and_its_neighbour_keeps_its_own():
    edges = np.append(DAY_EDGES, DAY_EDGES[-1] + 24 * hourly.HOUR_US)
    times = hours_from(int(DAY_EDGES[-1]), 24)
    made = daily_from_hourly(times, np.ones(24), edges, kind="sum")
    assert_allclose(made, ([np.nan, 24.0], [0.0, 1.0]))


def test_watts_add_up_to_megajoules_and_missing_dawn_costs_little():
    times = hours_from(MIDNIGHT, 24)
    ra = hourly.hourly_extraterrestrial(hourly.sun_position(times, 43.2, 76.9), 43.2)
    watts = 0.6 * ra / 0.0036
    place = {"latitude": 43.2, "longitude": 76.9}
    full = daily_from_hourly(times, watts, DAY_EDGES, kind="solar", **place)
    assert_allclose(full, ([0.6 * ra.sum()], [1.0]))
    dawn = int(np.flatnonzero(ra)[0])
    watts[: dawn + 2] = np.nan  # the night, and two hours of low sun
    late = daily_from_hourly(times, watts, DAY_EDGES, kind="solar", **place)
    assert_allclose(late.values, full.values)
    assert 0.9 < late.coverage[0] < 1.0
    watts[11:14] = np.nan
    noonless = daily_from_hourly(times, watts, DAY_EDGES, kind="solar", **place)
    assert np.isnan(noonless.values[0])


def test_what_a_sensor_says_in_the_dark_is_no_sunshine():
    times = hours_from(MIDNIGHT, 24)
    place = {"latitude": 43.2, "longitude": 76.9}
    ra = hourly.hourly_extraterrestrial(hourly.sun_position(times, 43.2, 76.9), 43.2)
    watts = 0.6 * ra / 0.0036
    offset = np.where(ra > 0, watts, 5.0)
    for said in (watts, offset):
        made = daily_from_hourly(times, said, DAY_EDGES, kind="solar", **place)
        assert_allclose(made.values, [0.6 * ra.sum()])


def test_radiation_of_a_day_needs_a_place():
    with pytest.raises(ValueError, match="latitude"):
        daily_from_hourly([], [], DAY_EDGES, kind="solar")


def test_a_day_of_a_clock_change_has_its_own_number_of_hours():
    # Clocks at Almaty went back an hour on 2024-03-01 at 00:00: 29 February had 25 hours.
    days = local_days(dt.date(2024, 2, 29), dt.date(2024, 3, 1), "Asia/Almaty")
    assert_allclose(np.diff(days.edges_us) / hourly.HOUR_US, [25, 24])
    times = hours_from(int(days.edges_us[0]), 49)
    values = np.append(np.arange(25.0), np.full(24, 7.0))
    means = daily_from_hourly(times, values, days.edges_us, kind="mean")
    assert_allclose(means, ([12.0, 7.0], [1.0, 1.0]))
    assert_allclose(daily_from_hourly(times, values, days.edges_us, kind="max").values, [24.0, 7.0])


def test_days_do_not_depend_on_the_order_of_readings_or_on_their_neighbours():
    random = np.random.default_rng(5)
    days = local_days(dt.date(2025, 6, 1), dt.date(2025, 6, 20), "Asia/Almaty")
    times = hours_from(int(days.edges_us[0]), 20 * 24)
    values = np.where(random.random(len(times)) < 0.1, np.nan, random.normal(20, 8, len(times)))
    order = random.permutation(len(times))
    for kind in ("mean", "max", "min", "sum"):
        whole = daily_from_hourly(times, values, days.edges_us, kind=kind)
        mixed = daily_from_hourly(times[order], values[order], days.edges_us, kind=kind)
        assert_allclose(mixed, whole)
        alone = [
            daily_from_hourly(times, values, days.edges_us[d : d + 2], kind=kind).values[0]
            for d in range(20)
        ]
        assert_allclose(alone, whole.values)
