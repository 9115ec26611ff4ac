"""Days are the farm's own, and a filled gap says so."""

import datetime as dt

import numpy as np
import pytest
from numpy.testing import assert_allclose

from analytics.weather import Station, by_day, complete, local_days

HOUR = 3_600_000_000  # [µs]


def station(days, **changed):
    column = {
        "tmax": 30.0,
        "tmin": 15.0,
        "dew_point": 10.0,
        "rh_max": 70.0,
        "rh_min": 30.0,
        "solar": 25.0,
        "wind": 2.0,
        "rain": 0.0,
    }
    columns = {name: np.full(days, value) for name, value in column.items()}
    for name, values in changed.items():
        columns[name] = np.array(values, float)
    return Station(**columns)


def completed(measured):
    days = local_days(dt.date(2025, 7, 1), dt.date(2025, 7, len(measured.tmax)), "Asia/Almaty")
    return complete(measured, days, latitude=43.0, elevation=200.0, wind_height=2.0)


def test_the_last_day_of_february_2024_had_25_hours_in_almaty():
    # Kazakhstan went from UTC+6 to UTC+5 on 2024-03-01.
    days = local_days(dt.date(2024, 2, 28), dt.date(2024, 3, 1), "Asia/Almaty")

    assert (np.diff(days.edges_us) / HOUR).tolist() == [24.0, 25.0, 24.0]


def test_values_count_for_the_local_day_they_were_measured_in():
    days = local_days(dt.date(2025, 7, 1), dt.date(2025, 7, 2), "Asia/Almaty")
    midnight = days.edges_us[0]
    times = np.array([midnight - 1, midnight, midnight + 23 * HOUR, midnight + 24 * HOUR])

    assert by_day(times, np.array([9.0, 1.0, 2.0, 4.0]), days, add_up=True).tolist() == [3.0, 4.0]
    assert by_day(times, np.array([9.0, 1.0, 2.0, 4.0]), days, add_up=False).tolist() == [1.5, 4.0]


def test_a_day_without_values_is_unknown_not_zero():
    days = local_days(dt.date(2025, 7, 1), dt.date(2025, 7, 2), "Asia/Almaty")

    assert np.isnan(by_day(days.edges_us[:1], np.array([1.0]), days, add_up=True)[1])


def test_measured_weather_is_left_as_it_is():
    weather = completed(station(3))

    assert weather.source == ["measured"] * 3
    assert_allclose(weather.wind_2m, 2.0, rtol=1e-3)
    assert_allclose(weather.rh_min, 30.0)


@pytest.mark.parametrize(
    ("missing", "says"),
    [
        ({"tmax": [30, np.nan, 32]}, "temperature interpolated"),
        ({"solar": [25, np.nan, 25]}, "radiation estimated from temperature"),
        ({"wind": [2, np.nan, 2]}, "wind interpolated"),
        ({"rain": [0, np.nan, 0]}, "rain taken as none"),
        (
            {"dew_point": [10, np.nan, 10], "rh_max": [70, np.nan, 70]},
            "humidity estimated from the lowest temperature",
        ),
        (
            {"dew_point": [10, np.nan, 10], "rh_min": [30, np.nan, 30]},
            "humidity from its daily maximum",
        ),
    ],
)
def test_a_filled_day_says_how_and_its_neighbours_stay_measured(missing, says):
    weather = completed(station(3, **missing))

    assert weather.source == ["measured", says, "measured"]
    assert np.isfinite(weather.et0).all()


def test_rain_that_nobody_measured_is_none():
    assert completed(station(3, rain=[4, np.nan, 6])).rain.tolist() == [4.0, 0.0, 6.0]


@pytest.mark.parametrize("missing", ["dew_point", "rh_max"])
def test_one_measure_of_humidity_is_enough_to_be_measured(missing):
    assert completed(station(2, **{missing: [np.nan, np.nan]})).source == ["measured"] * 2


def test_hargreaves_fitted_to_a_region_is_a_straight_line_and_never_below_none():
    days = local_days(dt.date(2025, 7, 1), dt.date(2025, 7, 2), "Asia/Almaty")

    def of(intercept, slope):
        return complete(
            station(2), days, latitude=43.0, elevation=200.0, wind_height=None,
            method="hargreaves", calibration=(intercept, slope),
        ).et0  # fmt: skip

    assert_allclose(of(0.5, 0.9), 0.5 + 0.9 * of(0.0, 1.0))
    assert_allclose(of(-50.0, 1.0), 0.0)


def test_a_missing_temperature_lies_between_its_neighbours():
    gap = completed(station(3, tmax=[30, np.nan, 32]))
    known = completed(station(3, tmax=[30, 31, 32]))

    assert_allclose(gap.et0, known.et0)


def test_wind_is_interpolated_over_a_week_and_usual_over_more():
    # FAO-56 p. 63 advises 2 m/s where wind is not known; its sensor stands at 2 m here.
    week = completed(station(10, wind=[3.0, *[np.nan] * 7, 5.0, 5.0]))
    longer = completed(station(10, wind=[3.0, *[np.nan] * 8, 5.0]))

    assert_allclose(week.wind_2m[4], 4.0, rtol=1e-3)
    assert_allclose(longer.wind_2m[1:9], 2.0)
    assert week.source[4] == "wind interpolated"
    assert longer.source[4] == "wind taken as 2 m/s"


@pytest.mark.parametrize("days", [1, 7, 30])
def test_a_station_without_an_anemometer_has_usual_wind(days):
    calm = completed(station(days, wind=[np.nan] * days))

    assert_allclose(calm.wind_2m, 2.0)
    assert calm.source == ["wind taken as 2 m/s"] * days


def test_hargreaves_is_an_estimate_and_says_so():
    days = local_days(dt.date(2025, 7, 1), dt.date(2025, 7, 2), "Asia/Almaty")
    made = complete(
        station(2), days, latitude=43.0, elevation=200.0, wind_height=None, method="hargreaves"
    )
    # Eq. 52 by hand, J = 182 at 43°N: dr 0.967, δ 0.403, ωs 1.980, so Ra 41.7 MJ m⁻² (Eq. 21).
    high, low = station(2).tmax[0], station(2).tmin[0]
    by_hand = 0.0023 * ((high + low) / 2 + 17.8) * (high - low) ** 0.5 * 0.408 * 41.7

    assert_allclose(made.et0[0], by_hand, rtol=5e-3)
    assert made.source == ["ET0 estimated by Hargreaves"] * 2


def test_arid_air_is_drier_than_its_lowest_temperature_says():
    unknown = station(2, dew_point=[np.nan] * 2, rh_max=[np.nan] * 2, rh_min=[np.nan] * 2)
    days = local_days(dt.date(2025, 7, 1), dt.date(2025, 7, 2), "Asia/Almaty")
    damp, arid, known = (
        complete(
            measured, days, latitude=43.0, elevation=200.0, wind_height=2.0, dew_point_offset=offset
        ).et0
        for measured, offset in (
            (unknown, 0.0),
            (unknown, 2.5),
            (unknown._replace(dew_point=unknown.tmin - 2.5), 0.0),
        )
    )
    assert (arid > damp).all()
    assert_allclose(arid, known)


def test_a_season_without_any_temperature_is_refused():
    with pytest.raises(ValueError, match="no day has both"):
        completed(station(2, tmax=[np.nan, 30], tmin=[15, np.nan]))
