"""Growth through a season: hay that is cut, and the single crop coefficient."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from analytics.crop_catalogue import CATALOGUE, CROPS
from analytics.crops import Crop, adjust_kcb, crop_height, kcb_curve, root_depth, stack
from analytics.growth import CropPlan, cut_growth, days_since, grow, lay_out_cuts
from analytics.single_coefficient import SingleKc, adjust_kc, kc_curve, stack_kc

FIRST, LATER = CROPS["alfalfa-first-cut"], CROPS["alfalfa-later-cut"]  # 10 30 25 10, 5 20 10 10
SEASON = np.arange(160.0)[:, None]


def test_a_cut_stand_begins_anew_on_the_day_of_the_cut():
    # Kcb 0.30 1.15 1.10 and height 0.10 to 0.70 m, by hand: green-up on day 0, cuts on 75 and 120.
    grown = grow(SEASON, [CropPlan(FIRST, (75, 120), LATER)])
    days = [0, 25, 50, 74, 75, 80, 90, 100, 119, 120, 135]
    kcb = [0.30, 0.725, 1.15, 1.105, 0.30, 0.30, 0.725, 1.15, 1.105, 0.30, 0.725]
    assert_allclose(grown.kcb[days, 0], kcb)
    height = [0.10, 0.40, 0.70, 0.70, 0.10, 0.10, 0.40, 0.70, 0.70, 0.10, 0.40]
    assert_allclose(grown.height[days, 0], height)
    assert (grown.root_depth == 1.5).all()


def test_an_early_cut_cuts_the_curve_short_and_a_late_one_finds_it_at_its_end():
    grown = grow(SEASON, [CropPlan(FIRST, (30, 150), LATER)])
    assert_allclose(grown.kcb[[29, 30, 149, 150], 0], [0.30 + 0.85 * 19 / 30, 0.30, 1.10, 0.30])


def test_fields_are_cut_on_days_of_their_own():
    plans = [
        CropPlan(FIRST, (75, 120), LATER),
        CropPlan(FIRST, (60,), LATER),
        CropPlan(CROPS["cotton"]),
    ]
    together = grow(SEASON, plans)
    for field, plan in enumerate(plans):
        alone = grow(SEASON, [plan])
        for name in together._fields:
            assert_allclose(
                getattr(together, name)[:, field], getattr(alone, name)[:, 0], err_msg=name
            )


def test_without_cuts_a_season_is_the_curve_of_its_crop():
    crops = [CROPS[name] for name in ("cotton", "rice", "apple")]
    grown, crop = grow(SEASON, [CropPlan(one) for one in crops]), stack(crops)
    assert_allclose(grown.kcb, kcb_curve(SEASON, crop))
    assert_allclose(grown.height, crop_height(SEASON, crop))
    assert_allclose(grown.root_depth, root_depth(SEASON, crop))


def test_cutting_periods_are_laid_out_with_gaps():
    laid = lay_out_cuts([(75, 120), (), (90,)])
    assert_allclose(laid, [[75, np.nan, 90], [120, np.nan, np.nan]])
    assert lay_out_cuts([(), ()]).shape == (0, 2)


def test_cuts_are_counted_from_planting():
    cuts = days_since(date(2025, 4, 10), [date(2025, 4, 10), date(2025, 6, 24)])
    assert cuts == (0.0, 75.0)


def test_each_cycle_is_fitted_to_its_own_climate():
    # Windy in mid-season of the second cycle only (days 100 to 109): Kcb mid gains
    # 0.04 (4 - 2) (0.7/3)^0.3 there (Eq. 70), the first cycle nothing.
    wind = np.where((SEASON >= 100) & (SEASON < 110), 4.0, 2.0)
    grown = grow(SEASON, [CropPlan(FIRST, (75, 120), LATER)], wind_2m=wind, rh_min=45.0)
    gain = 0.04 * 2 * (0.7 / 3) ** 0.3
    assert_allclose(grown.kcb[[50, 105], 0], [1.15, 1.15 + gain])
    assert_allclose(grown.kcb[[25, 75, 90], 0], [0.725, 0.30, 0.30 + (0.85 + gain) / 2])


def test_wind_after_an_early_cut_is_none_of_the_first_cycles():
    # Its mid-season would be days 40 to 64; it is cut on day 45, and then the wind comes.
    wind = np.where((SEASON >= 45) & (SEASON < 65), 4.0, 2.0)
    grown = grow(SEASON, [CropPlan(FIRST, (45,), LATER)], wind_2m=wind, rh_min=45.0)
    assert_allclose(grown.kcb[[40, 44], 0], 1.15)


def test_an_uncut_season_is_fitted_as_before():
    crop = stack([CROPS["maize"]])
    wind, humidity = np.full((160, 1), 4.0), np.full((160, 1), 25.0)
    grown = grow(SEASON, [CropPlan(CROPS["maize"])], wind_2m=wind, rh_min=humidity)
    assert_allclose(grown.kcb, kcb_curve(SEASON, adjust_kcb(crop, SEASON, wind, humidity)))


@given(st.lists(st.integers(0, 159), max_size=6, unique=True))
def test_cuts_only_ever_lower_the_stand(cuts):
    # Between cuts Kcb and height never fall below those of a cut stand, nor rise above full cover.
    first, later = stack([FIRST]), stack([LATER])
    kcb, height = cut_growth(SEASON, lay_out_cuts([cuts]), first, later)
    assert kcb.min() >= FIRST.kcb_ini
    assert kcb.max() <= FIRST.kcb_mid
    for cut in cuts:
        assert_allclose([kcb[cut, 0], height[cut, 0]], [LATER.kcb_ini, LATER.h_ini_m])
    fell = np.flatnonzero(np.diff(height[:, 0]) < 0) + 1
    assert set(fell) <= set(cuts)


BEANS = Crop(0.15, 1.14, 0.25, 25, 25, 30, 20, 0.05, 0.4, 0.2, 0.8, 0.45)


def test_kc_of_dry_beans_follows_its_stages():
    # FAO-56, chapter 6, numerical determination of Kc: Kc 0.15 1.19 0.35, stages 25 25 30 20
    curve = kc_curve([20, 40, 70, 95], SingleKc(0.15, 1.19, 0.35), BEANS)
    assert_allclose(curve, [0.15, 0.77, 1.19, 0.56], atol=0.006)


@pytest.mark.parametrize(
    ("wind", "humidity", "printed"),
    [(1.3, 75.0, 1.07), (4.6, 44.0, 1.30)],  # near Taipei, and near Mocha in Yemen
)
def test_kc_of_maize_is_fitted_to_its_climate(wind, humidity, printed):
    # FAO-56, chapter 6, determination of Kc mid: maize of 2 m, 1.20 in Table 12 (Eq. 62)
    maize = CATALOGUE["maize"]
    days = np.arange(150.0)[:, None]
    fitted = adjust_kc(maize.kc, stack([maize.crop]), days, wind, humidity)
    assert_allclose(fitted.kc_mid, printed, atol=0.006)
    assert_allclose(fitted.kc_end, 0.35)  # below 0.45: as printed (Eq. 65)
    assert_allclose(fitted.kc_ini, 0.30)


def test_single_coefficients_of_many_fields_stand_side_by_side():
    entries = [CATALOGUE[name] for name in ("cotton", "potato", "spring-wheat")]
    days = np.arange(150.0)[:, None]
    kc = stack_kc([entry.kc for entry in entries])
    together = kc_curve(days, kc, stack([entry.crop for entry in entries]))
    assert together.shape == (150, 3)
    for field, entry in enumerate(entries):
        assert_allclose(together[:, field], kc_curve(days[:, 0], entry.kc, entry.crop))
