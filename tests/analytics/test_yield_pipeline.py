"""The whole pipeline on a harvest of which everything is known, and its laws."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

from analytics.field_plane import to_degrees
from analytics.yield_cleaning import Harvest, clean_points, map_yield, report
from analytics.yield_filters import Filters, flag_points, map_points
from analytics.yield_monitor import clean, clean_to_map, read_boundary
from tests.analytics.harvested_field import (
    LENGTH_M,
    WIDTH_M,
    field_mass,
    harvest,
    reordered,
    true_yield,
    turned,
)

PASSES, SPACING = 16, 4.8  # each pass but the first overlaps the one before by 1.2 m of 6 m


@pytest.fixture(scope="module")
def overlapping():
    return harvest(passes=PASSES, spacing_m=SPACING, delay_s=9)


def test_delay_area_and_mass_of_a_known_field_are_recovered(overlapping):
    result = clean(overlapping)

    assert abs(result["flow_delay"]["delay_s"] - 9.0) <= 1.0
    # The machine counted 16 x 6 m, the ground is 6 m and 15 x 4.8 m wide: 2.34 ha of 2.88 ha.
    assert_allclose(result["area_ha"], 16 * 6.0 * LENGTH_M / 10_000)
    assert_allclose(result["area_effective_ha"], (6.0 + 15 * 4.8) * LENGTH_M / 10_000, rtol=0.01)
    assert_allclose(result["wet_mass_kg"], field_mass(PASSES, SPACING), rtol=1e-12)


def test_the_map_shows_the_yield_of_the_place(overlapping):
    cleaned = clean_points(overlapping)
    points, kept = cleaned.points, cleaned.kept

    assert kept.sum() > 0.85 * overlapping.working.sum()
    # The middle of what a record cut: 1 m behind it, and 0.6 m beside it where passes overlap.
    back = np.where(overlapping.passes % 2 == 0, -1.0, 1.0)
    beside = np.where(overlapping.passes == 0, 0.0, (WIDTH_M - SPACING) / 2)
    truth = true_yield(points.x + beside, points.y + back)
    assert_allclose(points.yield_kg_ha[kept], truth[kept], rtol=1e-6)


def test_without_the_shift_or_the_overlap_the_map_is_wrong(overlapping):
    cleaned = clean_points(overlapping)
    late = map_points(overlapping, Filters(), cleaned.free).yield_kg_ha[cleaned.kept]
    wide = map_points(overlapping, cleaned.filters).yield_kg_ha[cleaned.kept]
    right = cleaned.points.yield_kg_ha[cleaned.kept]

    assert np.abs(late / right - 1).mean() > 0.05
    # A fifth of the width of 15 of 16 passes gave nothing.
    assert_allclose(wide.mean() / right.mean(), 1 - 0.2 * 15 / 16, atol=0.005)


def test_a_pass_run_twice_is_overlap():
    points = harvest(passes=3)
    again = points._replace(x=np.where(points.passes == 2, 0.0, points.x))

    result = clean(again)

    last = int((again.passes == 2).sum())
    trimmed = 8
    assert result["flagged"]["overlap"] == last - 20 - trimmed  # its turn has the header up
    assert_allclose(result["area_effective_ha"], 2 * WIDTH_M * LENGTH_M / 10_000)


def test_a_boundary_flags_the_points_outside(tmp_path):
    points = harvest(passes=4)
    corners = np.array([[-5.0, -5.0], [25.0, -5.0], [25.0, 151.0], [-5.0, 151.0], [-5.0, -5.0]])
    ring = np.column_stack(to_degrees(points.crs, *corners.T)).tolist()
    file = tmp_path / "field.geojson"
    file.write_text(json.dumps({"type": "Polygon", "coordinates": [ring]}))

    cleaned = clean_points(points, boundary=read_boundary(file, points.crs))

    assert_allclose(points.y[cleaned.kept].max(), 150.0)
    assert cleaned.flags["outside_boundary"][points.working & (points.y > 160)].sum() > 200


def totals(result: dict) -> list[float]:
    return [result[key] for key in ("rows", "area_ha", "wet_mass_kg", "mass_kg", "yield_kg_ha")]


def test_the_order_of_passes_changes_no_total(overlapping):
    order = np.random.default_rng(11).permutation(PASSES)

    one, other = clean(overlapping), clean(reordered(overlapping, order))

    assert_allclose(totals(other), totals(one), rtol=1e-12)
    assert_allclose(other["area_effective_ha"], one["area_effective_ha"], rtol=1e-6)


def test_turning_and_moving_the_field_changes_nothing(overlapping):
    one = clean(overlapping)
    other = clean(turned(overlapping, 123.0, 40_000.0, -7_000.0))

    assert_allclose(totals(other), totals(one), rtol=1e-12)
    assert_allclose(other["area_effective_ha"], one["area_effective_ha"], rtol=1e-6)
    assert other["flagged"] == one["flagged"]


@pytest.mark.parametrize(
    "filters",
    [
        Filters(max_speed_m_s=0.1),
        Filters(start_trim_s=40, end_trim_s=30),
        Filters(flow_delay_s=20.0),
        Filters(method="spatial"),
        Filters(min_free_share=0.95),
    ],
)
def test_totals_do_not_depend_on_filters_and_a_point_has_one_reason(overlapping, filters):
    result = clean(overlapping, filters=filters)

    assert totals(result) == totals(clean(overlapping))
    assert result["kept"] + sum(result["flagged"].values()) == result["rows"]
    flags = np.array(list(flag_points(overlapping, filters).values()))
    assert flags.sum(axis=0).max() == 1


def test_loads_take_the_place_of_the_monitor_and_both_are_shown(overlapping):
    harvested = Harvest(standard_moisture_pct=15.0, weighed_kg=9_000.0, sown_ha=3.0, crop="barley")
    monitor = field_mass(PASSES, SPACING)

    result = report(overlapping, clean_points(overlapping), harvested)

    assert result["mass_source"] == "loads"
    assert_allclose(result["scale_factor"], 9_000.0 / monitor)
    assert_allclose(result["wet_mass_kg"], 9_000.0)
    assert result["mass_by_source_kg"]["loads"] == 9_000.0
    assert_allclose(result["mass_by_source_kg"]["mass_balance"], monitor)
    assert_allclose(result["mass_kg"], 9_000.0 * 86 / 85)  # from 14 to 15 %
    assert_allclose(result["yield_of_sown_kg_ha"], 9_000.0 * 86 / 85 / 3.0)
    assert result["harvested_ha"] == result["area_ha"] != result["sown_ha"]


def test_the_map_is_stated_as_the_report_is(overlapping):
    harvested = Harvest(standard_moisture_pct=15.0, weighed_kg=9_000.0)
    cleaned = clean_points(overlapping)

    stated = map_yield(overlapping, cleaned, harvested).yield_kg_ha[cleaned.kept]

    factor = 86 / 85 * 9_000.0 / field_mass(PASSES, SPACING)
    assert_allclose(stated, factor * cleaned.points.yield_kg_ha[cleaned.kept])


def test_bunker_and_clean_weight_stand_apart(overlapping):
    # Duval, by hand: from 14 % to 13 % X = 100/87 = 1.1494 %; from 4 % to 1 % impurity
    # S = (100 - X) 3/99 = 2.9955 %; together 4.1449 % of the bunker weight.
    harvested = Harvest(standard_moisture_pct=13.0, impurity_pct=4.0, base_impurity_pct=1.0)

    result = report(overlapping, clean_points(overlapping), harvested)

    assert_allclose(result["clean_kg"] / result["bunker_kg"], 1 - 0.041449, atol=1e-6)


def test_grain_cleaner_than_the_base_is_no_heavier_for_it(overlapping):
    harvested = Harvest(standard_moisture_pct=14.0, impurity_pct=0.5, base_impurity_pct=2.0)

    result = report(overlapping, clean_points(overlapping), harvested)

    assert_allclose(result["clean_kg"], result["bunker_kg"])


def test_the_three_ways_of_counting_a_forage_harvest_agree(shared: Path):
    folder = shared / "agronomy" / "iso11783"

    result, grid = clean_to_map(folder, cell_m=20.0)

    masses = result["mass_by_source_kg"]
    assert result["mass_source"] == "counter"
    assert masses["counter"] == 242_461.0
    # Flow times interval checks the counter without it.
    assert_allclose(masses["mass_balance"], masses["counter"], rtol=0.001)
    assert len(grid["features"]) == result["map"]["cells"] > 80
    # The map leaves out a tenth of the mass, which came after the work: not more than that apart.
    drawn = result["map"]
    assert drawn["mean_kg_ha"] == pytest.approx(drawn["mass_over_effective_area_kg_ha"], rel=0.15)


def test_the_shift_makes_a_real_map_smoother(shared: Path):
    file = shared / "agronomy" / "yield" / "yieldcleanr_sample1_soy_agleader.txt.gz"

    fitted, _ = clean_to_map(file, cell_m=20.0)
    unshifted, _ = clean_to_map(file, flow_delay_s=0.0)

    assert fitted["flow_delay"]["source"] == "fitted"
    assert fitted["flagged"]["local_outlier"] < unshifted["flagged"]["local_outlier"]
    assert totals(fitted) == totals(unshifted)
    drawn = fitted["map"]
    assert drawn["mean_kg_ha"] == pytest.approx(drawn["mass_over_effective_area_kg_ha"], rel=0.01)


def test_paar_barley_is_cleaned_as_its_publishers_did(shared: Path):
    folder = shared / "agronomy" / "yield"
    paar = json.loads((folder / "expected.json").read_text())["paar_barley"]
    published = paar["published_README_depurate_default"]

    result, _ = clean_to_map(folder / "paar_barley.csv.gz")
    flagged = result["flagged"]

    assert result["method"] == "spatial"
    assert result["rows"] == published["total"]
    assert result["kept"] + sum(flagged.values()) == published["total"]
    ours = {
        "normal": result["kept"],
        "border": flagged["border"],
        "spatial_outlier_MP": flagged["moran_plot"],
        "spatial_outlier_LM": flagged["local_moran"],
        "global_min": flagged["yield_low"],
        "outlier": flagged["global_outlier"] + flagged["yield_high"],
    }
    for reason, count in ours.items():
        share = 100 * count / result["rows"]
        assert share == pytest.approx(100 * published[reason] / published["total"], abs=3), reason
