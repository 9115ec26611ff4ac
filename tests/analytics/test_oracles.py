"""Reference evapotranspiration against pyet and refet, packages of others, on random years."""

import numpy as np
import pandas as pd
import pyet
import refet
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from analytics import hourly_et as hourly
from analytics import reference_et as et
from analytics import sunlight
from analytics.weather import Station, complete, local_days

DAYS = pd.date_range("2015-01-01", "2015-12-31")
ALL_DAYS = local_days(DAYS[0].date(), DAYS[-1].date(), "Etc/UTC")
NUMBER = np.arange(1.0, len(DAYS) + 1)

sites = st.fixed_dictionaries(
    {
        "latitude": st.floats(-60, 62),
        "elevation": st.floats(-100, 3500),
        "seed": st.integers(0, 2**32 - 1),
    }
)


def year(site):
    """A year of weather that could be: extremes, humidity, wind, and sun below a clear sky."""
    random = np.random.default_rng(site["seed"])
    tmin = random.uniform(-25, 25, len(DAYS))
    tmax = tmin + random.uniform(2, 22, len(DAYS))
    rh_max = random.uniform(40, 100, len(DAYS))
    ra = sunlight.extraterrestrial_radiation(site["latitude"], NUMBER)
    return {
        "tmax": tmax,
        "tmin": tmin,
        "rh_max": rh_max,
        "rh_min": rh_max * random.uniform(0.2, 0.9, len(DAYS)),
        "dew": tmin - random.uniform(0, 8, len(DAYS)),
        "solar": random.uniform(0.25, 0.74, len(DAYS)) * ra,
        "wind": random.uniform(0.6, 9, len(DAYS)),
    }


def saturation(temperature):
    """FAO-56 Eq. 11, typed here once more. [kPa]"""
    return 0.6108 * np.exp(17.27 * temperature / (temperature + 237.3))


def series(values):
    return pd.Series(values, DAYS)


def theirs(weather, site, formula=pyet.pm_fao56, **more):
    """By pyet, from extremes, wind at 2 m and what else is given; it never goes below zero."""
    return formula(
        series((weather["tmax"] + weather["tmin"]) / 2),
        series(weather["wind"]),
        tmax=series(weather["tmax"]),
        tmin=series(weather["tmin"]),
        elevation=site["elevation"],
        lat=np.radians(site["latitude"]),
        **{name: series(values) for name, values in more.items() if not isinstance(values, str)},
        **{name: value for name, value in more.items() if isinstance(value, str)},
    ).to_numpy()


def ours(weather, site, vapour, solar=None):
    found = et.fao56_daily(
        weather["tmax"],
        weather["tmin"],
        weather["solar"] if solar is None else solar,
        vapour,
        weather["wind"],
        latitude=site["latitude"],
        elevation=site["elevation"],
        day_of_year=NUMBER,
    )
    return np.maximum(found, 0.0)


@settings(max_examples=20)
@given(sites)
def test_fao56_days_are_what_pyet_computes_from_each_measure_of_humidity(site):
    weather = year(site)
    temperatures = weather["tmax"], weather["tmin"]
    rh_max, rh_min = weather["rh_max"], weather["rh_min"]
    mean = (rh_max + rh_min) / 2
    dew = saturation(weather["dew"])
    cases = (
        ({"ea": dew}, {"tdew": weather["dew"]}),
        ({"rhmax": rh_max, "rhmin": rh_min}, {"rh_max": rh_max, "rh_min": rh_min}),
        # pyet has another rule for the mean humidity; Eq. 19 by hand
        ({"ea": mean / 100 * sum(map(saturation, temperatures)) / 2}, {"rh_mean": mean}),
    )
    for given_theirs, given_ours in cases:
        vapour = et.actual_vapour_pressure(*temperatures, **given_ours)
        found = theirs(weather, site, rs=weather["solar"], **given_theirs)
        # pyet has other digits in pressure, psychrometric constant and melting point.
        assert_allclose(ours(weather, site, vapour), found, rtol=2e-3, atol=2e-3)


@settings(max_examples=20)
@given(sites)
def test_asce_days_of_grass_and_alfalfa_are_what_pyet_computes(site):
    weather = year(site)
    dew = saturation(weather["dew"])
    for reference, kind in (("short", "os"), ("tall", "rs")):
        found = et.asce_daily(
            weather["tmax"],
            weather["tmin"],
            weather["solar"],
            dew,
            weather["wind"],
            latitude=site["latitude"],
            elevation=site["elevation"],
            day_of_year=NUMBER,
            reference=reference,
            clear_sky="simple",
        )
        expected = theirs(weather, site, pyet.pm_asce, rs=weather["solar"], ea=dew, etype=kind)
        assert_allclose(np.maximum(found, 0.0), expected, rtol=2e-3, atol=2e-3)


@settings(max_examples=20)
@given(sites)
def test_hargreaves_is_what_pyet_computes(site):
    weather = year(site)
    mean = series((weather["tmax"] + weather["tmin"]) / 2)
    expected = pyet.hargreaves(
        mean, series(weather["tmax"]), series(weather["tmin"]), np.radians(site["latitude"])
    ).to_numpy()
    found = et.hargreaves(
        weather["tmax"], weather["tmin"], latitude=site["latitude"], day_of_year=NUMBER
    )
    # pyet vaporizes with 2.501 - 0.002361 T MJ/kg, where Eq. 52 has 0.408, which is 1 / 2.45.
    vaporized = expected * (2.501 - 0.002361 * mean.to_numpy()) * 0.408
    assert_allclose(np.maximum(found, 0.0), vaporized, rtol=1e-3, atol=1e-3)


@settings(max_examples=20)
@given(sites, st.sampled_from(["dew_point", "rh_max", "solar", "wind"]))
def test_a_station_that_lacks_a_sensor_gives_what_pyet_does_with_the_fall_back_of_fao56(
    site, lacks
):
    weather = year(site)
    if lacks == "wind":
        weather["wind"] = np.full(len(DAYS), 2.0)  # p. 63
    measured = {
        "dew_point": weather["dew"],
        "rh_max": np.full(len(DAYS), np.nan),
        "rh_min": np.full(len(DAYS), np.nan),
        "solar": weather["solar"],
        "wind": weather["wind"],
    }
    vapour = saturation(weather["dew"])
    solar = weather["solar"]
    if lacks == "dew_point":  # Eq. 48: the air is saturated at the lowest temperature
        vapour = saturation(weather["tmin"])
    if lacks == "rh_max":  # the lowest humidity is known, and no dew point: Eq. 48 again
        measured["rh_min"], measured["dew_point"] = weather["rh_min"], np.full(len(DAYS), np.nan)
        vapour = saturation(weather["tmin"])
    if lacks == "solar":  # Eq. 50 with 0.16, no more than a clear sky's (Eq. 37)
        ra = pyet.extraterrestrial_r(DAYS, np.radians(site["latitude"])).to_numpy()
        spread = np.sqrt(weather["tmax"] - weather["tmin"])
        solar = np.minimum(0.16 * spread, 0.75 + 2e-5 * site["elevation"]) * ra
    if lacks in measured and lacks != "rh_max":
        measured[lacks] = np.full(len(DAYS), np.nan)
    made = complete(
        Station(tmax=weather["tmax"], tmin=weather["tmin"], rain=np.zeros(len(DAYS)), **measured),
        ALL_DAYS,
        latitude=site["latitude"],
        elevation=site["elevation"],
        wind_height=None,
    )
    expected = theirs(weather, site, rs=solar, ea=vapour)
    assert_allclose(np.maximum(made.et0, 0.0), expected, rtol=2e-3, atol=2e-3)


@settings(max_examples=20)
@given(
    temperature=st.floats(-10, 40),
    humidity=st.floats(10, 100),
    wind=st.floats(0.5, 10),
    clearness=st.floats(0.3, 1.0),
    latitude=st.floats(40, 56),
    elevation=st.floats(0, 2500),
    day=st.integers(0, 364),
)
def test_an_hour_of_night_is_refets_but_for_the_clouds_it_carries(
    temperature, humidity, wind, clearness, latitude, elevation, day
):
    # refet 0.5 takes a clear sky (fcd = 1) in every night; so are we told of a clear evening.
    midnight = np.array([day * 24 * hourly.HOUR_US + hourly.HOUR_US // 2])  # at Greenwich, 1970
    vapour = float(hourly.hourly_vapour_pressure(temperature, humidity))
    site = {"latitude": latitude, "longitude": 0.0, "elevation": elevation}

    def night(before, reference):
        return hourly.asce_hourly(
            [temperature], [0.0], [vapour], et.wind_at_2m([wind], 2.5),
            middle_us=midnight, clearness_before=before, reference=reference, **site,
        ).et0[0]  # fmt: skip

    oracle = refet.Hourly(
        tmean=temperature, rs=0.0, uz=wind, zw=2.5, elev=elevation, lat=latitude, lon=0.0,
        doy=day + 1, time=0.0, ea=vapour, method="asce",
    )  # fmt: skip
    expected = {"short": oracle.eto()[0], "tall": oracle.etr()[0]}
    for reference, value in expected.items():
        assert_allclose(night(1.0, reference), value, rtol=1e-6, atol=1e-6)
        # Clouds keep warmth: less is radiated, and never less water evaporates. (Air of more than
        # 5.9 kPa, where 0.34 - 0.14 √ea of Eq. 39 turns negative, is in no steppe.)
        if vapour < (0.34 / 0.14) ** 2:
            assert night(clearness, reference) >= night(1.0, reference) - 1e-9
