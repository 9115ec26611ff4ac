"""What a document may leave to FAO-56 or to texture, how that is said, and what is refused."""

import tomllib
from datetime import date

import pytest
from numpy.testing import assert_allclose

from analytics.crop_catalogue import CROPS
from analytics.crop_document import crop_from_mapping
from analytics.growth import CropPlan
from analytics.pedotransfer import saxton_rawls, soil_from_texture
from analytics.scenario_document import parse_scenario
from analytics.sections import ScenarioError
from analytics.soil_document import soil_from_mapping
from analytics.soils import TEXTURES, Soil

MEASURED = {"theta_fc": 0.25, "theta_wp": 0.12, "ze_m": 0.10, "rew_mm": 9.0}
SCENARIO = """
[site]
latitude_deg = 43.2
elevation_m = 700.0
[season]
start = 2025-04-10
end = 2025-09-20
[crop]
name = "alfalfa"
cuts = ["2025-06-24", "2025-08-08"]
[soil]
texture = "loam"
theta_0 = 0.20
"""


def test_a_name_stands_for_the_numbers_of_fao():
    document = crop_from_mapping({"name": "cotton"})
    assert document.crop == CROPS["cotton"]
    (note,) = document.notes
    assert note.startswith("kcb_ini, kcb_mid, kcb_end, l_ini,")
    assert note.endswith("of cotton from FAO-56, stages of cotton, April, Texas")


def test_numbers_that_are_given_stand():
    roots = {"zr_ini_m": 0.3, "zr_max_m": 0.9}
    document = crop_from_mapping({"name": "cotton", **roots, "p": 0.6, "ky": 0.9})
    assert document.crop == CROPS["cotton"]._replace(**roots, p=0.6, ky=0.9)
    assert "zr_max_m" not in document.notes[0]


def test_a_crop_with_all_its_numbers_needs_no_name_and_no_note():
    numbers = {name: value for name, value in CROPS["maize"]._asdict().items() if value is not None}
    for name in ({}, {"name": "a maize of our own"}):
        document = crop_from_mapping(numbers | name)
        assert document.crop == CROPS["maize"]
        assert document.notes == ()


def test_a_stored_null_is_a_number_that_is_not_given():
    document = crop_from_mapping({**CROPS["rice"]._asdict(), "name": "rice"})
    assert document.crop == CROPS["rice"]  # FAO-56 gives rice no Ky
    soil, notes = soil_from_mapping(TEXTURES["loam"]._asdict())
    assert (soil, notes) == (TEXTURES["loam"], [])


def test_what_fao_left_open_is_told_of_rice():
    (note,) = crop_from_mapping({"name": "rice"}).notes
    assert "p is of the water content at saturation, not at field capacity" in note


def test_a_crop_of_the_wider_tables_is_found_by_name_and_region():
    document = crop_from_mapping({"name": "sorghum grain", "region": "arid region"})
    assert document.crop.l_mid == 45
    assert "of sorghum-grain from FAO-56" in document.notes[0]


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({}, "crop.kcb_ini: is missing, and crop.name to find it by"),
        ({"name": "coton"}, 'crop.kcb_ini: is missing, and crop.name: .*near it: "cotton"'),
        ({"name": "cotton", "kcb_mid": 1.1}, "crop.kcb_ini: is missing"),
        ({"name": "cotton", "l_ini": 30, "l_dev": 40}, "crop.l_mid: is missing"),
        ({"name": "cotton", "zr_ini_m": 2.0, "zr_max_m": 1.0}, "crop.zr_max_m: is below"),
        ({"name": 7}, "crop.name: must be text, got 7"),
        ({"name": "cotton", "p": "much"}, "crop.p: must be a number"),
        ({"name": "sorghum grain"}, "crop.kcb_ini: is missing, .*needs a region"),
        ({"name": "alfalfa", "cuts": "2025-06-05"}, "crop.cuts: must be a list of dates"),
        ({"name": "alfalfa", "cuts": ["in June"]}, "crop.cuts: must be a list of dates"),
        ({"name": "alfalfa", "cuts": ["2025-07-05", "2025-06-05"]}, "crop.cuts: must be in order"),
        ({"name": "cotton", "cuts": ["2025-07-05"]}, "crop.later_cycle: is missing"),
        (
            {"name": "alfalfa", "cuts": ["2025-07-05"], "later_cycle": {"l_ini": 5}},
            "crop.later_cycle.l_dev: is missing",
        ),
    ],
)
def test_a_crop_that_makes_no_sense_is_named(mapping, message):
    with pytest.raises(ScenarioError, match=message):
        crop_from_mapping(mapping)


def test_cut_alfalfa_grows_along_its_cutting_cycles():
    document = crop_from_mapping({"name": "alfalfa", "cuts": ["2025-06-24", date(2025, 8, 8)]})
    assert document.crop == CROPS["alfalfa-first-cut"]
    assert document.later_cycle == CROPS["alfalfa-later-cut"]
    assert document.plan(date(2025, 4, 10)) == CropPlan(
        CROPS["alfalfa-first-cut"], (75.0, 120.0), CROPS["alfalfa-later-cut"]
    )
    assert "growth after a cut as FAO-56's alfalfa, other cutting cycles" in document.notes[1]
    # without cuts, their effect is in the averaged coefficients
    assert crop_from_mapping({"name": "alfalfa"}).crop == CROPS["alfalfa"]


def test_another_hay_gives_the_stages_after_its_cuts():
    lengths = {"l_ini": 3, "l_dev": 15, "l_mid": 12, "l_end": 7}  # Sudan grass, Table 11
    document = crop_from_mapping(
        {
            "name": "sudangrass hay annual individual cutting periods",
            "cuts": ["2025-07-01"],
            "later_cycle": lengths,
        }
    )
    assert document.crop[3:7] == (25, 25, 15, 10)
    assert document.later_cycle == document.crop._replace(**lengths)


def test_measured_constants_are_taken_as_they_are():
    soil, notes = soil_from_mapping(MEASURED | {"texture": "ours", "curve_number": 80})
    assert (soil, notes) == (Soil(0.25, 0.12, 0.10, 9.0, 80), [])


def test_a_texture_stands_for_the_middle_of_its_ranges_and_says_so():
    soil, notes = soil_from_mapping({"texture": "Silty clay loam"})
    assert soil == TEXTURES["silty-clay-loam"]
    assert notes == [
        "theta_fc, theta_wp, ze_m, rew_mm for silty-clay-loam (FAO-56 Table 19, middle of the "
        "printed range for the texture; not measured)"
    ]


def test_a_texture_that_table_19_lacks_is_estimated_from_its_typical_composition():
    soil, notes = soil_from_mapping({"texture": "clay loam"})
    assert soil == soil_from_texture(30, 35)
    assert "which FAO-56 Table 19 lacks, as of 30 % sand, 35 % clay (estimated from" in notes[0]


def test_sand_and_clay_stand_for_the_constants_and_say_so():
    soil, notes = soil_from_mapping({"sand_pct": 40, "clay_pct": 20, "ze_m": 0.12})
    assert soil == soil_from_texture(40, 20, organic_matter_pct=2.5, ze_m=0.12)
    assert notes[0].startswith(
        "theta_fc, theta_wp, rew_mm for 40 % sand, 20 % clay, 2.5 % organic matter taken as usual"
    )
    assert "not measured" in notes[0]
    humus, _ = soil_from_mapping({"sand_pct": 40, "clay_pct": 20, "organic_matter_pct": 6})
    assert humus.theta_fc > soil.theta_fc


def test_a_measured_constant_overrides_the_estimate():
    soil, notes = soil_from_mapping({"texture": "loam", "theta_fc": 0.27})
    assert soil == TEXTURES["loam"]._replace(theta_fc=0.27)
    assert notes[0].startswith("theta_wp, ze_m, rew_mm for loam")


def test_a_basin_has_saturation_percolation_and_a_bund():
    basin = {"theta_sat": 0.46, "percolation_mm_d": 4, "bund_mm": 100}
    soil, notes = soil_from_mapping(MEASURED | basin)
    assert (soil.theta_sat, soil.percolation_mm_d, soil.bund_mm) == (0.46, 4.0, 100.0)
    assert notes == []


def test_saturation_is_estimated_where_percolation_is_limited():
    soil, notes = soil_from_mapping(
        MEASURED | {"sand_pct": 10, "clay_pct": 45, "percolation_mm_d": 4}
    )
    assert_allclose(soil.theta_sat, saxton_rawls(10, 45).theta_sat, atol=5e-5)
    assert notes[0].startswith("theta_sat for 10 % sand")


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({}, "soil.theta_fc: is missing"),
        ({"texture": "lome"}, "soil.texture: must be a texture class as loam"),
        ({"texture": "loam", "sand_pct": 40}, "soil.sand_pct: give either texture or sand_pct"),
        ({"sand_pct": 40}, "soil.clay_pct: is missing"),
        ({"sand_pct": 30, "clay_pct": 65}, "soil.sand_pct, clay_pct: clay is more than 60 %"),
        ({"sand_pct": 60, "clay_pct": 45}, "soil.sand_pct, clay_pct: .*more than 100 %"),
        ({"texture": "loam", "theta_wp": 0.3}, "soil.theta_fc: must be above soil.theta_wp"),
        ({"texture": "loam", "rew_mm": 30}, "soil.rew_mm: must be below the 19.0 mm"),
        (MEASURED | {"theta_sat": 0.2}, "soil.theta_sat: must be above soil.theta_fc"),
        (MEASURED | {"theta_sat": 1.2}, "soil.theta_sat: must be from 0 to 1"),
        (MEASURED | {"percolation_mm_d": 4}, "soil.theta_sat: is missing"),
        (MEASURED | {"bund_mm": 100}, "soil.percolation_mm_d: is missing"),
        (MEASURED | {"theta_sat": 0.5, "percolation_mm_d": -1}, "percolation_mm_d: must be from"),
    ],
)
def test_a_soil_that_makes_no_sense_is_named(mapping, message):
    with pytest.raises(ScenarioError, match=message):
        soil_from_mapping(mapping)


def test_a_scenario_carries_cuts_and_notes():
    scenario = parse_scenario(tomllib.loads(SCENARIO))
    assert scenario.cuts == (date(2025, 6, 24), date(2025, 8, 8))
    assert scenario.plan == CropPlan(
        CROPS["alfalfa-first-cut"], (75.0, 120.0), CROPS["alfalfa-later-cut"]
    )
    assert scenario.soil == TEXTURES["loam"]
    crop_note, cycle_note, soil_note = scenario.notes
    assert "of alfalfa from FAO-56" in crop_note
    assert "growth after a cut" in cycle_note
    assert "for loam (FAO-56 Table 19" in soil_note


def test_a_cut_outside_of_the_season_is_named():
    with pytest.raises(ScenarioError, match=r"crop.cuts: 2024-06-24 is not in the season"):
        parse_scenario(tomllib.loads(SCENARIO.replace("2025-06-24", "2024-06-24")))
