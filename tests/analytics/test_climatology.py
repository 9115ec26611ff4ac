import datetime as dt

import numpy as np
import pytest
from numpy.testing import assert_allclose

from analytics.climatology import (
    Expected,
    PastDays,
    climatology,
    outlook,
    persistence,
)

JULY_10 = dt.date(2025, 7, 10)


def past(*days: tuple[dt.date, float], rain: float = 0.0) -> PastDays:
    et0 = np.array([value for _, value in days], float)
    full = np.ones_like(et0)
    return PastDays([day for day, _ in days], et0, rain * full, 2.0 * full, 30.0 * full)


def around(day: dt.date, values: list[float]) -> list[tuple[dt.date, float]]:
    """Values on the days from ``day`` on."""
    return [(day + dt.timedelta(days=index), value) for index, value in enumerate(values)]


def test_the_same_calendar_days_of_earlier_years_are_averaged():
    # 2023: 3 to 17 July, 15 days of 5 mm; 2024: the same days of 7 mm. Mean 6; thirty values, each
    # 1 from the mean: variance 30 · 1² / 29.
    measured = past(
        *around(dt.date(2023, 7, 3), [5.0] * 15), *around(dt.date(2024, 7, 3), [7.0] * 15), rain=1.5
    )

    found = climatology([JULY_10], measured)

    assert_allclose(found.et0, [6.0])
    assert_allclose(found.et0_sd, [np.sqrt(30 / 29)])
    assert_allclose((found.rain[0], found.wind_2m[0], found.rh_min[0]), (1.5, 2.0, 30.0))
    assert (found.days[0], found.years[0]) == (30, 2)


def test_days_outside_the_window_and_of_the_year_itself_do_not_count():
    # 2 and 18 July lie eight days off; this year's days are not climate.
    measured = past(
        *around(dt.date(2024, 7, 3), [6.0] * 15),
        (dt.date(2024, 7, 2), 100.0),
        (dt.date(2024, 7, 18), 100.0),
        *around(dt.date(2025, 7, 3), [100.0] * 7),
    )

    found = climatology([JULY_10], measured)

    assert_allclose(found.et0, [6.0])
    assert found.days[0] == 15


@pytest.mark.parametrize(("count", "known"), [(7, False), (8, True)])
def test_fewer_than_eight_days_are_no_climatology(count, known):
    found = climatology([JULY_10], past(*around(dt.date(2024, 7, 3), [6.0] * count)))

    assert bool(np.isfinite(found.et0[0])) is known
    assert found.days[0] == (count if known else 0)


def test_a_window_reaches_over_the_turn_of_the_year():
    december = past(*around(dt.date(2023, 12, 27), [1.0] * 10))

    assert climatology([dt.date(2025, 1, 2)], december).days[0] == 10


def test_the_29th_of_february_has_the_climate_of_the_28th():
    found = climatology([dt.date(2024, 2, 29)], past(*around(dt.date(2023, 2, 21), [2.0] * 15)))

    assert (found.et0[0], found.days[0]) == (2.0, 15)


def test_unmeasured_days_are_left_out_of_the_mean():
    values = [4.0] * 10 + [np.nan] * 5

    found = climatology([JULY_10], past(*around(dt.date(2024, 7, 3), values)))

    assert (found.et0[0], found.days[0]) == (4.0, 10)


def test_persistence_is_the_mean_of_the_last_ten_measured_days_without_rain():
    # Of twelve days 1, 2, … 12 mm the last ten average 7.5; variance (10² - 1) / 12 · 10 / 9.
    measured = past(*around(dt.date(2025, 6, 1), list(range(1, 13))), rain=9.0)

    found = persistence(3, measured)

    assert_allclose(found.et0, [7.5] * 3)
    assert_allclose(found.et0_sd, [np.sqrt(99 / 12 * 10 / 9)] * 3)
    assert_allclose(found.rain, [0.0] * 3)
    assert list(found.days) == [10] * 3


def test_persistence_of_nothing_is_unknown():
    found = persistence(2, past())

    assert np.isnan(found.et0).all()
    assert list(found.days) == [0, 0]


def expected(et0: list[float], rain: list[float]) -> Expected:
    values = np.array(et0, float)
    counts = np.where(np.isnan(values), 0, 5).astype(np.int64)
    return Expected(values, 0 * values, np.array(rain, float), values, values, counts, counts)


def test_each_day_takes_the_first_source_that_knows_it_and_says_which():
    gap = np.nan
    found = outlook(
        [
            ("forecast", expected([5.0, gap, gap, gap], [2.0, gap, gap, gap])),
            ("climatology", expected([6.0, 6.0, gap, gap], [1.0, gap, gap, gap])),
            ("persistence", expected([7.0, 7.0, 7.0, gap], [0.0, 0.0, 0.0, gap])),
        ]
    )

    assert found.source == ["forecast", "climatology", "persistence", "unknown"]
    assert_allclose(found.expected.et0, [5.0, 6.0, 7.0, gap])
    assert_allclose(found.expected.rain, [2.0, 0.0, 0.0, gap])  # unknown rain counts as none
