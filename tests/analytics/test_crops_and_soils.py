"""Crop growth and the catalogues of FAO-56 (Allen et al., 1998); pages are those of that paper."""

import csv
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from analytics.crop_catalogue import CATALOGUE, CROPS
from analytics.crops import (
    Crop,
    adjust_kcb,
    climate_adjustment,
    crop_height,
    kcb_curve,
    root_depth,
    stack,
)
from analytics.evaporation import cover_fraction, evaporation_coefficient, exposed_wetted_fraction
from analytics.evaporation import upper_limit as kc_max
from analytics.soils import TEXTURES, total_evaporable_water

BEANS = Crop(0.15, 1.14, 0.25, 25, 25, 30, 20, 0.05, 0.4, 0.2, 0.8, 0.45)


def test_kcb_of_dry_beans_follows_its_stages():
    # Example 30, p. 141
    assert_allclose(kcb_curve([12, 37, 65, 90], BEANS), [0.15, 0.63, 1.14, 0.70], atol=0.006)


def test_kcb_holds_before_planting_and_after_the_season():
    assert_allclose(kcb_curve([-30, 0, 100, 300], BEANS), [0.15, 0.15, 0.25, 0.25])


def test_height_and_roots_grow_and_stay():
    days = np.arange(0, 120)
    for grown, first, last in (
        (crop_height(days, BEANS), 0.05, 0.4),
        (root_depth(days, BEANS), 0.2, 0.8),
    ):
        assert (np.diff(grown) >= 0).all()
        assert_allclose(grown[[0, 25, 50, 119]], [first, first, last, last])


def test_a_stage_without_days_is_a_step():
    crop = BEANS._replace(l_dev=0, l_end=0)
    assert_allclose(kcb_curve([25, 26, 55, 56], crop), [0.15, 1.14, 1.14, 0.25])


def test_many_crops_are_the_same_crops_side_by_side():
    crops = [CROPS["cotton"], CROPS["spring-wheat"], BEANS]
    days = np.arange(150)[:, None]
    together = kcb_curve(days, stack(crops))
    assert together.shape == (150, 3)
    for field, crop in enumerate(crops):
        assert_allclose(together[:, field], kcb_curve(days[:, 0], crop))


def test_the_adjustment_is_nothing_in_the_standard_climate():
    assert climate_adjustment(2.0, 45.0, 2.0) == 0
    # Held within its limits: 6 m/s and 20 %, where the bracket is 0.16 + 0.10.
    assert_allclose(climate_adjustment(11.0, 5.0, 3.0), 0.26)


def test_kcb_is_fitted_to_the_climate_of_its_stage():
    crop = stack([BEANS._replace(kcb_end=0.60, h_max_m=3.0)])
    days = np.arange(101)[:, None]
    wind = np.where((days >= 50) & (days < 80), 3.0, 2.0)  # windy in mid-season only
    fitted = adjust_kcb(crop, days, wind, np.full((101, 1), 45.0))
    assert_allclose(fitted.kcb_mid, 1.14 + 0.04)  # Eq. 70 by hand, (3/3)^0.3 = 1
    assert_allclose(fitted.kcb_end, 0.60)
    assert_allclose(fitted.kcb_ini, 0.15)


def test_small_values_and_stages_yet_to_come_are_not_fitted():
    crop = stack([BEANS])  # Kcb end of 0.25 is below 0.45
    windy = np.full((101, 1), 5.0)
    assert adjust_kcb(crop, np.arange(101)[:, None], windy, windy).kcb_end == 0.25
    early = adjust_kcb(crop, np.arange(30)[:, None], windy[:30], windy[:30])
    assert early.kcb_mid == 1.14


def test_sprinkled_cotton_evaporates_up_to_the_energy_limit():
    # Example 32, p. 150: Kcb 0.9, u2 3 m/s, RHmin 20 %, h 1 m
    kcb, height = np.array([0.9]), np.array([1.0])
    limit = kc_max(kcb, np.array([3.0]), np.array([20.0]), height)
    cover = cover_fraction(kcb, 0.15, limit, height)
    few = exposed_wetted_fraction(np.array([1.0]), cover)
    ke = evaporation_coefficient(np.array([1.0]), kcb, limit, few)
    assert_allclose([limit, cover, few, ke], [[1.30], [0.53], [0.47], [0.40]], atol=0.011)


def test_drippers_under_the_canopy_wet_less_open_soil():
    wetted, cover = np.array([0.3, 0.3]), np.array([0.6, 0.6])
    few = exposed_wetted_fraction(wetted, cover, np.array([True, False]))
    assert_allclose(few, [0.3 * (1 - 0.4), 0.3])  # p. 149


def test_every_crop_of_the_catalogue_can_grow():
    for name, entry in CATALOGUE.items():
        crop = entry.crop
        assert 0 < crop.kcb_ini <= crop.kcb_mid <= 1.2, name
        assert 0 < crop.h_ini_m <= crop.h_max_m, name
        assert 0 < crop.zr_ini_m <= crop.zr_max_m, name
        assert 0.1 <= crop.p <= 0.8, name
        assert entry.stages, name
        assert 40 <= crop.season_days <= 335, name


def test_every_texture_can_hold_and_lose_water():
    for name, soil in TEXTURES.items():
        assert soil.theta_wp < soil.theta_fc, name
        assert soil.rew_mm < total_evaporable_water(soil.theta_fc, soil.theta_wp, soil.ze_m), name


@pytest.mark.parametrize(
    ("ours", "printed"),
    [
        ("cotton", "cotton"),
        ("rice", "rice"),
        ("maize", "maize grain"),
        ("sugar-beet", "sugar beet"),
        ("spring-wheat", "spring wheat"),
        ("winter-wheat", "winter wheat frozen soils"),
        ("barley", "barley"),
        ("oats", "oats"),
        ("alfalfa-first-cut", "alfalfa hay individual cutting"),
        ("sunflower", "sunflower"),
        ("safflower", "safflower"),
        ("rapeseed", "rapeseed canola"),
        ("flax", "flax"),
        ("soybean", "soybean"),
        ("chickpea", "chick pea"),
        ("lentil", "lentil"),
        ("potato", "potato"),
        ("tomato", "tomato"),
        ("onion", "onion dry"),
        ("watermelon", "watermelon"),
        ("apple", "apples active cover killing frost"),
    ],
)
def test_the_catalogue_lies_within_the_printed_ranges(shared: Path, ours: str, printed: str):
    with (shared / "agronomy/fao56_crops_kazakhstan.csv").open() as file:
        row = next(row for row in csv.DictReader(file) if row["crop"] == printed)
    crop = CROPS[ours]
    for value, column in (
        (crop.kcb_mid, "kcb_mid"),
        (crop.kcb_end, "kcb_end"),
    ):
        assert float(row[f"{column}_lo"]) <= value <= float(row[f"{column}_hi"])
    assert float(row["hmax_lo_m"]) <= crop.h_max_m <= float(row["hmax_hi_m"])
    assert float(row["zr_lo_m"]) <= crop.zr_max_m <= float(row["zr_hi_m"])
    assert crop.kcb_ini == float(row["kcb_ini"])
    assert crop.p == float(row["p_at_5mm"])
    assert crop.ky == (float(row["ky_season"]) if row["ky_season"] else None)


def test_stage_lengths_are_rows_of_table_11(shared: Path):
    with (shared / "agronomy/fao56_table11_stage_lengths.csv").open() as file:
        rows = {tuple(list(row.values())[1:5]) for row in csv.DictReader(file)}
    for name, crop in CROPS.items():
        if name != "alfalfa":  # printed as 10, 30, variable
            stages = (crop.l_ini, crop.l_dev, crop.l_mid, crop.l_end)
            assert tuple(f"{days:g}" for days in stages) in rows, name


def test_soils_are_the_middle_of_table_19(shared: Path):
    with (shared / "agronomy/fao56_table19_soil.csv").open() as file:
        rows = {row["soil"].replace(" ", "-"): row for row in csv.DictReader(file)}
    for name, soil in TEXTURES.items():
        row = rows[name.replace("silty-clay-loam", "silt-clay-loam")]
        for value, column in (
            (soil.theta_fc, "theta_fc_{}"),
            (soil.theta_wp, "theta_wp_{}"),
            (soil.rew_mm, "rew_mm_{}"),
        ):
            low, high = (float(row[column.format(end)]) for end in ("lo", "hi"))
            assert_allclose(value, (low + high) / 2, err_msg=name)
