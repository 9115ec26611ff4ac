"""Each classic slip is found and named; honest weather is left in peace."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics import hourly_et as hourly
from analytics import sunlight
from analytics.weather import Station
from analytics.weather_checks import check_place, check_station, check_sun

DAYS = np.arange(121, 243)  # May to August
SITE = {"latitude": 43.2, "elevation": 700.0, "day_of_year": DAYS}


def honest() -> Station:
    """A summer in the steppe: two clear days, then one with clouds."""
    clear = sunlight.clear_sky_simple(sunlight.extraterrestrial_radiation(43.2, DAYS), 700.0)
    count = len(DAYS)
    return Station(
        tmax=np.full(count, 31.0),
        tmin=np.full(count, 16.0),
        dew_point=np.full(count, 11.0),
        rh_max=np.full(count, 72.0),
        rh_min=np.full(count, 29.0),
        solar=clear * np.where(DAYS % 3, 0.98, 0.45),
        wind=np.full(count, 2.4),
        rain=np.where(DAYS % 10, 0.0, 7.0),
    )


def codes(station: Station) -> list[str]:
    return [finding.code for finding in check_station(station, **SITE)]


def test_honest_weather_raises_no_finding():
    assert codes(honest()) == []


@given(gaps=st.lists(st.booleans(), min_size=len(DAYS), max_size=len(DAYS)))
def test_gaps_are_no_slip(gaps):
    missing = np.array(gaps)
    station = Station(*(np.where(missing, np.nan, column) for column in honest()))
    assert codes(station) == []


def test_watts_are_not_megajoules():
    station = honest()._replace(solar=honest().solar / 0.0864)
    assert codes(station) == ["radiation-in-watts"]


def test_kilowatt_hours_are_not_megajoules():
    assert codes(honest()._replace(solar=honest().solar / 3.6)) == ["radiation-too-low"]


def test_seasons_of_the_other_hemisphere():
    found = check_station(honest(), **(SITE | {"latitude": -43.2}))
    assert "latitude-sign" in [finding.code for finding in found]


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("tmin", 35.0, "temperature-swapped"),
        ("tmax", 88.0, "temperature-range"),
        ("tmax", 304.0, "temperature-range"),
        ("dew_point", 25.0, "dew-point-above-temperature"),
        ("rh_max", 104.0, "humidity-above-100"),
        ("rh_min", -3.0, "humidity-below-0"),
        ("rh_min", 80.0, "humidity-swapped"),
        ("wind", -0.5, "wind-negative"),
        ("wind", 45.0, "wind-impossible"),
        ("rain", -1.0, "rain-negative"),
        ("rain", 900.0, "rain-impossible"),
        ("solar", -2.0, "radiation-negative"),
        ("solar", 38.0, "radiation-above-clear-sky"),
    ],
)
def test_a_slip_of_one_day_is_found_on_its_day(column, value, code):
    station = honest()
    getattr(station, column)[17] = value
    found = {finding.code: finding.where for finding in check_station(station, **SITE)}
    assert found[code] == (17,)


def test_swapped_columns_are_found_every_day():
    swapped = honest()._replace(tmax=honest().tmin, tmin=honest().tmax)
    found = {finding.code: finding for finding in check_station(swapped, **SITE)}
    assert list(found) == ["temperature-swapped"]
    assert found["temperature-swapped"].where == tuple(range(len(DAYS)))


def test_units_of_wind_and_humidity():
    assert codes(honest()._replace(wind=honest().wind * 3.6 * 2)) == ["wind-unit"]
    shares = honest()._replace(rh_max=honest().rh_max / 100, rh_min=honest().rh_min / 100)
    assert codes(shares) == ["humidity-as-share"]


def test_nothing_is_changed():
    station = honest()
    station.rh_max[3] = 130.0
    before = [column.copy() for column in station]
    check_station(station, **SITE)
    for column, was in zip(station, before, strict=True):
        np.testing.assert_array_equal(column, was)


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ({}, []),
        ({"longitude": -76.9}, ["longitude-sign"]),
        ({"longitude": 10.0, "utc_offset_h": 9.0}, ["longitude-off-clock"]),
        ({"latitude": 132.0}, ["latitude-range"]),
        ({"longitude": 200.0}, ["longitude-range"]),
        ({"wind_height": 10.0}, ["wind-not-at-2m"]),
        ({"wind_height": 0.0}, ["wind-height"]),
        ({"longitude": -179.0, "utc_offset_h": 12.0}, []),  # either side of the date line
    ],
)
def test_where_a_station_says_it_is(place, expected):
    usual = {"latitude": 43.2, "longitude": 76.9, "wind_height": 2.0, "utc_offset_h": 5.0}
    assert [finding.code for finding in check_place(**(usual | place))] == expected


def test_the_sun_tells_the_sign_of_the_longitude_and_a_wrong_clock():
    first = int(dt.datetime(2024, 6, 30, 19, tzinfo=dt.UTC).timestamp()) * 1_000_000
    times = first + hourly.HOUR_US // 2 + hourly.HOUR_US * np.arange(10 * 24)
    seen = hourly.hourly_extraterrestrial(hourly.sun_position(times, 43.2, 76.9), 43.2)
    assert check_sun(times, seen, latitude=43.2, longitude=76.9) == []
    (sign,) = check_sun(times, seen, latitude=43.2, longitude=-76.9)
    assert sign.code == "longitude-sign"
    local = times + 5 * hourly.HOUR_US  # a logger's local time, read as UTC
    (clock,) = check_sun(local, seen, latitude=43.2, longitude=76.9)
    assert clock.code == "sun-at-wrong-hour"
    assert "5.0 h late" in clock.sentence
