"""Days of reference evapotranspiration summed from hours."""

import datetime as dt

import numpy as np
from numpy.testing import assert_allclose

from analytics.hourly_days import Hours, et0_by_day, on_hours
from analytics.hourly_et import HOUR_US, hourly_extraterrestrial, sun_position
from analytics.reference_et import fao56_daily
from analytics.weather import local_days

PLACE = {"latitude": 43.3, "longitude": 68.2}


def clear_days(count: int) -> tuple[Hours, np.ndarray]:
    """Calm clear summer days: radiation by the sun, temperature warmest at three."""
    days = local_days(dt.date(2025, 7, 1), dt.date(2025, 7, count), "Asia/Almaty")
    middles = days.edges_us[0] + HOUR_US // 2 + HOUR_US * np.arange(24 * count)
    ra = hourly_extraterrestrial(sun_position(middles, **PLACE), PLACE["latitude"])
    hour = np.tile(np.arange(24) + 0.5, count)
    warmth = 24 + 8 * np.cos(2 * np.pi * (hour - 15) / 24)
    vapour = 1.2  # kPa, all day
    damp = 100 * vapour / (0.6108 * np.exp(17.27 * warmth / (warmth + 237.3)))
    wind = np.full(warmth.shape, 2.0)
    return Hours(warmth, damp, wind, 0.72 * ra / 0.0036), days.edges_us


def test_hours_of_ordinary_days_add_up_to_about_the_daily_formula():
    # The two are different approximations; on a clear day ASCE (2005, p. 24) has them within 5 %.
    hours, edges = clear_days(3)
    summed = et0_by_day(hours, edges, elevation=210.0, **PLACE)
    daily = fao56_daily(
        32.0, 16.0, hours.solar.reshape(3, 24).sum(axis=1) * 0.0036, 1.2, 2.0,
        latitude=43.3, elevation=210.0, day_of_year=np.array([182.0, 183.0, 184.0]),
    )  # fmt: skip
    assert_allclose(summed, daily, rtol=0.05)


def test_a_day_that_lacks_an_hour_is_no_day_and_its_neighbours_are():
    hours, edges = clear_days(3)
    gap = hours.temperature.copy()
    gap[24 + 13] = np.nan
    summed = et0_by_day(hours._replace(temperature=gap), edges, elevation=210.0, **PLACE)
    whole = et0_by_day(hours, edges, elevation=210.0, **PLACE)

    assert np.isnan(summed[1])
    assert_allclose(summed[[0, 2]], whole[[0, 2]])


def test_radiation_may_be_missing_at_night_only():
    hours, edges = clear_days(2)
    dark = np.where(hours.solar == 0, np.nan, hours.solar)
    whole = et0_by_day(hours, edges, elevation=210.0, **PLACE)

    night = et0_by_day(hours._replace(solar=dark), edges, elevation=210.0, **PLACE)
    assert_allclose(night, whole)
    dark[12] = np.nan
    noonless = et0_by_day(hours._replace(solar=dark), edges, elevation=210.0, **PLACE)
    assert np.isnan(noonless[0])
    assert_allclose(noonless[1], whole[1])


def test_a_second_day_does_not_depend_on_where_the_first_begins():
    hours, edges = clear_days(4)
    whole = et0_by_day(hours, edges, elevation=210.0, **PLACE)
    later = et0_by_day(Hours(*(x[48:] for x in hours)), edges[2:], elevation=210.0, **PLACE)

    assert_allclose(later[1:], whole[3:], rtol=1e-12)


def test_readings_are_laid_on_the_hour_they_belong_to():
    edges = clear_days(1)[1]
    times = np.array([edges[0] - 1, edges[0], edges[0] + 5 * HOUR_US + 7, edges[1]])
    laid = on_hours(times, np.array([9.0, 1.0, 2.0, 9.0]), edges)

    assert np.flatnonzero(np.isfinite(laid)).tolist() == [0, 5]
    assert laid[[0, 5]].tolist() == [1.0, 2.0]
