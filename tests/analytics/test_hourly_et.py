"""Hourly reference ET against FAO-56's worked hours, Ref-ET, and what the sun must obey."""

import datetime as dt

import numpy as np
import pytest
import refet
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from analytics import hourly_et as hourly
from analytics import reference_et as et
from analytics import sunlight


def microseconds(*when: int) -> int:
    return int(dt.datetime(*when, tzinfo=dt.UTC).timestamp()) * 1_000_000


def hours_from(first_us: int, count: int) -> np.ndarray:
    """Middles of consecutive hours that begin with ``first_us``."""
    return first_us + hourly.HOUR_US // 2 + hourly.HOUR_US * np.arange(count)


# FAO-56 Example 19, pp. 75-76: N'Diaye, Senegal, 1 October; the clock stands at 15° west.
NDIAYE = {"latitude": 16 + 13 / 60, "longitude": -16.25, "elevation": 8.0}
AFTERNOON, NIGHT = microseconds(2015, 10, 1, 15, 30), microseconds(2015, 10, 1, 3, 30)


def test_sun_over_ndiaye():
    sun = hourly.sun_position([NIGHT, AFTERNOON], NDIAYE["latitude"], NDIAYE["longitude"])
    assert_allclose(sun.day_of_year, 274)
    assert_allclose(sun.hour_angle[0], -2.46, atol=0.005)
    assert_allclose(sun.hour_angle[1], 0.682, atol=0.001)
    ra = hourly.hourly_extraterrestrial(sun, NDIAYE["latitude"])
    assert_allclose(ra, [0.0, 3.543], atol=0.001)


def test_an_afternoon_in_ndiaye():
    vapour = hourly.hourly_vapour_pressure([38.0], [52.0])
    assert_allclose(vapour, 3.445, atol=0.001)
    hour = hourly.fao56_hourly([38.0], [2.450], vapour, [3.3], middle_us=[AFTERNOON], **NDIAYE)
    assert_allclose(hour.clearness, 0.922, atol=0.001)
    assert_allclose(hour.net_radiation, 1.749, atol=0.001)
    assert_allclose(hour.et0, 0.63, atol=0.005)


def test_a_night_in_ndiaye():
    vapour = hourly.hourly_vapour_pressure([28.0], [90.0])
    hour = hourly.fao56_hourly(
        [28.0], [0.0], vapour, [1.9], middle_us=[NIGHT], **NDIAYE, clearness_before=0.8
    )
    assert_allclose(hour.net_radiation, -0.100, atol=0.001)
    assert_allclose(hour.et0, 0.0, atol=0.005)
    assert np.isnan(hour.carried_h[0])


# Fallon, Nevada, 1 July 2015, 18 h UTC: WSWUP/RefET tests/test_hourly.py (Apache-2.0).
FALLON = {"latitude": 39.4575, "longitude": -118.77388, "elevation": 1208.5}


def test_the_published_hour_in_fallon():
    middle = microseconds(2015, 7, 1, 18, 30)
    sun = hourly.sun_position([middle], FALLON["latitude"], FALLON["longitude"])
    ra = hourly.hourly_extraterrestrial(sun, FALLON["latitude"])
    # Its solar constant and declination are Duffie and Beckman's: 0.04 % apart.
    assert_allclose(ra, 4.30824147948541, rtol=5e-4)
    wind = et.wind_at_2m([1.4886432], 3.0)
    weather = ([33.22222222222222], [2.56064688], [1.1990099614301906], wind)
    for reference, published in (("short", 0.6063515410076268), ("tall", 0.7196369609713682)):
        hour = hourly.asce_hourly(*weather, middle_us=[middle], **FALLON, reference=reference)
        assert_allclose(hour.et0, published, rtol=1e-6)


@given(
    temperature=st.floats(-15, 42),
    clearness=st.floats(0.05, 1.2),
    humidity=st.floats(5, 100),
    wind=st.floats(0.1, 12),
    latitude=st.floats(40, 56),
    longitude=st.floats(46, 87),
    elevation=st.floats(-100, 3000),
    hour=st.integers(0, 364 * 24),
)
def test_asce_hours_of_high_sun_are_what_refet_computes(
    temperature, clearness, humidity, wind, latitude, longitude, elevation, hour
):
    middle = hours_from(microseconds(2015, 1, 1), 1) + hour * hourly.HOUR_US
    sun = hourly.sun_position(middle, latitude, longitude)
    start = hourly.sun_position(middle - hourly.HOUR_US // 2, latitude, longitude)
    if min(sun.sine_of_height[0], start.sine_of_height[0]) < np.sin(0.301):
        return  # refet takes fcd = 1 here, judged by the start of the hour
    vapour = float(hourly.hourly_vapour_pressure(temperature, humidity))
    solar = clearness * float(hourly.hourly_extraterrestrial(sun, latitude)[0])
    oracle = refet.Hourly(
        tmean=temperature,
        rs=solar,
        uz=wind,
        zw=2.5,
        elev=elevation,
        lat=latitude,
        lon=longitude,
        doy=sun.day_of_year[0],
        time=(middle[0] / hourly.HOUR_US - 0.5) % 24,
        ea=vapour,
        method="asce",
    )
    ours = [
        hourly.asce_hourly(
            [temperature],
            [solar],
            [vapour],
            et.wind_at_2m([wind], 2.5),
            middle_us=middle,
            latitude=latitude,
            longitude=longitude,
            elevation=elevation,
            reference=reference,
        ).et0[0]
        for reference in ("short", "tall")
    ]
    assert_allclose(ours, [oracle.eto()[0], oracle.etr()[0]], rtol=1e-6, atol=1e-6)


@given(latitude=st.floats(-89, 89), longitude=st.floats(-180, 180), day=st.integers(0, 364))
def test_the_hours_of_a_solar_day_add_up_to_the_day(latitude, longitude, day):
    # 24 hours about one solar noon, each read as of that noon's date.
    first = microseconds(2015, 1, 1) + day * 24 * hourly.HOUR_US
    middles = hours_from(first - int(longitude / 15 * hourly.HOUR_US), 24)
    sun = hourly.sun_position(middles, latitude, longitude)
    of_day = sun._replace(day_of_year=np.full(24, day + 1.0))
    total = hourly.hourly_extraterrestrial(of_day, latitude).sum()
    expected = sunlight.extraterrestrial_radiation(latitude, day + 1)
    assert_allclose(total, expected, rtol=1e-9, atol=1e-9)


@given(latitude=st.floats(-89, 89), longitude=st.floats(-180, 180), hour=st.integers(0, 8759))
def test_no_sun_below_the_horizon(latitude, longitude, hour):
    middle = hours_from(microseconds(2015, 1, 1), 1) + hour * hourly.HOUR_US
    sun = hourly.sun_position(middle, latitude, longitude)
    ra = hourly.hourly_extraterrestrial(sun, latitude)[0]
    assert ra >= 0
    if sun.sine_of_height[0] < -np.sin(np.pi / 12):  # an hour lifts the sun by less than 15°
        assert ra == 0


def summer(count: int = 96) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Hours of July at 43.2° N, 76.9° E, starting at noon, half of what a clear sky gives."""
    middles = hours_from(microseconds(2024, 7, 1, 7), count)
    sun = hourly.sun_position(middles, 43.2, 76.9)
    clear = sunlight.clear_sky_simple(hourly.hourly_extraterrestrial(sun, 43.2), 700.0)
    warm = 22.0 + 8.0 * np.cos(sun.hour_angle - 0.5)
    return middles, {
        "temperature": warm,
        "solar": 0.5 * clear,
        "vapour_pressure": np.full(count, 1.3),
        "wind_2m": np.full(count, 1.5),
    }


ALMATY = {"latitude": 43.2, "longitude": 76.9, "elevation": 700.0}


def test_night_and_low_sun_keep_the_cloudiness_of_the_last_high_sun():
    middles, weather = summer()
    height = hourly.sun_position(middles, 43.2, 76.9).sine_of_height
    low = height < np.sin(0.3)
    weather["solar"][low] *= 2  # what low sun says must not count
    et0 = hourly.asce_hourly(**weather, middle_us=middles, **ALMATY)
    assert low.sum() > 30
    assert_allclose(et0.clearness, 0.5)
    assert_allclose(et0.carried_h[~low], 0.0)
    assert (et0.carried_h[low] > 0).all()
    assert et0.carried_h.max() < 13


def test_nobody_invents_the_cloudiness_before_the_first_high_sun():
    middles, weather = summer()
    late = {name: values[12:] for name, values in weather.items()}  # begins after dusk
    unknown = hourly.asce_hourly(**late, middle_us=middles[12:], **ALMATY)
    assert np.isnan(unknown.et0[0])
    assert not np.isnan(unknown.et0[-1])
    given_ = hourly.asce_hourly(**late, middle_us=middles[12:], **ALMATY, clearness_before=0.5)
    assert not np.isnan(given_.et0).any()


def test_splitting_the_hours_in_two_calls_changes_nothing():
    middles, weather = summer()
    whole = hourly.fao56_hourly(**weather, middle_us=middles, **ALMATY)
    first = hourly.fao56_hourly(
        **{name: values[:40] for name, values in weather.items()}, middle_us=middles[:40], **ALMATY
    )
    second = hourly.fao56_hourly(
        **{name: values[40:] for name, values in weather.items()},
        middle_us=middles[40:],
        **ALMATY,
        clearness_before=first.clearness[-1],
    )
    assert_allclose(np.concatenate([first.et0, second.et0]), whole.et0)


def test_sites_stand_beside_hours():
    middles, weather = summer(48)
    doubled = {name: np.stack([values, values], 1) for name, values in weather.items()}
    doubled["solar"][:, 1] *= 1.5
    both = hourly.asce_hourly(
        **doubled,
        middle_us=middles,
        latitude=[43.2, 51.1],
        longitude=[76.9, 71.4],
        elevation=[700.0, 350.0],
        reference="tall",
        clear_sky="full",
        clearness_before=[0.7, 0.7],
    )
    alone = hourly.asce_hourly(
        **(weather | {"solar": weather["solar"] * 1.5}),
        middle_us=middles,
        latitude=51.1,
        longitude=71.4,
        elevation=350.0,
        reference="tall",
        clear_sky="full",
        clearness_before=0.7,
    )
    assert both.et0.shape == (48, 2)
    assert_allclose(both.et0[:, 1], alone.et0)


def test_a_missing_hour_of_sun_is_a_gap_and_a_missing_hour_of_night_is_none():
    middles, weather = summer()
    ra = hourly.hourly_extraterrestrial(hourly.sun_position(middles, 43.2, 76.9), 43.2)
    weather["solar"][ra == 0] = np.nan
    assert not np.isnan(hourly.fao56_hourly(**weather, middle_us=middles, **ALMATY).et0).any()
    noon = int(np.argmax(ra))
    weather["solar"][noon] = np.nan
    gaps = np.isnan(hourly.fao56_hourly(**weather, middle_us=middles, **ALMATY).et0)
    assert np.flatnonzero(gaps).tolist() == [noon]


def test_times_that_do_not_ascend_are_refused():
    middles, weather = summer()
    with pytest.raises(ValueError, match="ascend"):
        hourly.fao56_hourly(**weather, middle_us=middles[::-1], **ALMATY)
    with pytest.raises(ValueError, match="one for each"):
        hourly.fao56_hourly(**weather, middle_us=middles[1:], **ALMATY)
