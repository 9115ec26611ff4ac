"""Soil constants estimated from texture, against the published table and other implementations."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from analytics.pedotransfer import (
    CLASS_MIDDLES,
    readily_evaporable_water,
    saxton_rawls,
    soil_from_texture,
    usda_texture,
)
from analytics.soils import TABLE_19, TEXTURES, total_evaporable_water

# Saxton and Rawls (2006), Table 3, 2.5 % organic matter: sand, clay [%], water contents at 1500
# and 33 kPa and at saturation [% by volume], saturated conductivity [mm/h].
TABLE_3 = {
    "sand": (88, 5, 5, 10, 46, 108.1),
    "loamy-sand": (80, 5, 5, 12, 46, 96.7),
    "sandy-loam": (65, 10, 8, 18, 45, 50.3),
    "loam": (40, 20, 14, 28, 46, 15.5),
    "silt-loam": (20, 15, 11, 31, 48, 16.1),
    "silt": (10, 5, 6, 30, 48, 22.0),
    "sandy-clay-loam": (60, 25, 17, 27, 43, 11.3),
    "clay-loam": (30, 35, 22, 36, 48, 4.3),
    "silty-clay-loam": (10, 35, 22, 38, 51, 5.7),
    "silty-clay": (10, 45, 27, 41, 52, 3.7),
    "sandy-clay": (50, 40, 25, 36, 44, 1.4),
    "clay": (25, 50, 30, 42, 50, 1.1),
}


def test_every_texture_class_has_the_water_of_the_published_table():
    sand, clay, *printed = np.array(list(TABLE_3.values()), float).T
    water = saxton_rawls(sand, clay, 2.5)
    for ours, theirs in zip(water[:3], printed[:3], strict=True):
        assert_allclose(100.0 * ours, theirs, atol=0.55)  # printed without decimals
    assert_allclose(water.conductivity_mm_h, printed[3], atol=0.06)
    assert {name: row[:2] for name, row in TABLE_3.items()} == CLASS_MIDDLES


@pytest.mark.parametrize(
    ("texture", "wilting", "capacity", "saturation"),
    [
        # as two independent programs print them: SWCharEst 2020 (twice), HydroTools
        ((85, 4, 2.08), 0.039999, 0.097846, 0.454455),
        ((15, 18, 3.05), 0.1286, 0.33148, 0.50503),
        ((20, 20, 2.5), 0.1365448, 0.3208775, 0.482125),
    ],
)
def test_water_contents_are_those_of_other_programs(texture, wilting, capacity, saturation):
    water = saxton_rawls(*texture)
    assert_allclose(water[:3], (wilting, capacity, saturation), atol=5.1e-6)  # printed to 1e-5


def test_wilting_point_of_loam_by_hand():
    # Eq. 1, S 0.40, C 0.20, OM 2.5: -0.0096 + 0.0974 + 0.015 + 0.005 - 0.0065 + 0.00544 + 0.031
    # = 0.13774; and 0.13774 (1 + 0.14) - 0.02 = 0.13702.
    assert_allclose(saxton_rawls(40, 20, 2.5).theta_wp, 0.13702, atol=5e-6)


def test_texture_outside_of_the_fit_is_refused():
    for texture, message in (
        ((20, 65, 2.5), "clay is more than 60 %"),
        ((40, 20, 9.0), "organic matter is not from 0 to 8 %"),
        ((70, 40, 2.5), "more than 100 %"),
        ((-1, 20, 2.5), "sand is not from 0 to 100 %"),
        ((40, float("nan"), 2.5), "clay is not from 0 to 100 %"),
    ):
        with pytest.raises(ValueError, match=message):
            saxton_rawls(*texture)


def test_pure_sand_without_humus_holds_no_water_for_a_crop():
    with pytest.raises(ValueError, match=r"90 % sand and 0 % clay .* beyond what texture"):
        soil_from_texture(90, 0, organic_matter_pct=0.2)


@given(st.floats(0, 100), st.floats(2, 60), st.floats(0.0, 8.0))
def test_an_estimated_soil_keeps_the_rules_of_the_balance(sand, clay, organic):
    assume(sand + clay <= 100)
    soil = soil_from_texture(sand, clay, organic_matter_pct=organic)
    assert 0 < soil.theta_wp < soil.theta_fc
    assert soil.theta_fc < saxton_rawls(sand, clay, organic).theta_sat
    assert soil.rew_mm < total_evaporable_water(soil.theta_fc, soil.theta_wp, soil.ze_m)


def test_more_clay_holds_more_at_the_wilting_point():
    clay = np.arange(0.0, 61.0, 5.0)
    assert (np.diff(saxton_rawls(30.0, clay).theta_wp) > 0).all()


def test_readily_evaporable_water_by_hand():
    # 20 - 0.15 x 88; 8 + 0.08 x 20; 11 - 0.06 x 55
    assert_allclose(readily_evaporable_water([88, 40, 20], [5, 20, 55]), [6.8, 9.6, 7.7])


def test_estimates_are_near_those_of_fao():
    # Two published estimates of one thing: within the range FAO-56 Table 19 prints, widened by a
    # fifth of the available water; silt is where they part (0.06 against 0.12-0.22 at wilting).
    for name, row in TABLE_19.items():
        soil = soil_from_texture(*CLASS_MIDDLES[name])
        assert 0.9 * row.rew_mm[0] <= soil.rew_mm <= 1.1 * row.rew_mm[1], name
        if name != "silt":
            assert row.available[0] - 0.02 <= soil.theta_fc - soil.theta_wp
            assert soil.theta_fc - soil.theta_wp <= row.available[1] + 0.02, name


def test_texture_classes_are_those_of_the_triangle():
    sand, clay = np.array(list(CLASS_MIDDLES.values())).T
    assert usda_texture(sand, clay).tolist() == list(CLASS_MIDDLES)
    assert set(TEXTURES) == set(CLASS_MIDDLES) - {"clay-loam", "sandy-clay-loam", "sandy-clay"}


@pytest.mark.parametrize(
    ("sand", "clay", "name"),
    [
        (85.1, 0, "sand"),  # silt + 1.5 clay = 14.9
        (85, 0, "loamy-sand"),
        (70, 0, "sandy-loam"),  # silt + 2 clay = 30
        (52.1, 19.9, "sandy-loam"),
        (52, 19.9, "loam"),
        (50, 6.9, "sandy-loam"),
        (50, 7, "loam"),
        (45, 6.9, "sandy-loam"),  # silt 48.1
        (43, 6.9, "silt-loam"),  # silt 50.1
        (20.1, 27, "clay-loam"),
        (20, 27, "silty-clay-loam"),
        (23, 26.9, "silt-loam"),  # silt 50.1
        (45.1, 34.9, "sandy-clay-loam"),
        (45.1, 35, "sandy-clay"),
        (45, 35, "clay-loam"),
        (20, 40, "silty-clay"),  # silt 40
        (20.1, 40, "clay"),
        (7, 12, "silt-loam"),  # silt 81, but 12 % clay
        (8.1, 11.9, "silt"),
        (0, 100, "clay"),
        (0, 0, "silt"),
        (100, 0, "sand"),
    ],
)
def test_borders_of_the_triangle(sand, clay, name):
    assert usda_texture(sand, clay) == name
