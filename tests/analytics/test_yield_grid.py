"""Yield maps: cells by hand, classes that do not change, and the mean against mass over area."""

import json

import numpy as np
import pytest
import shapely
from numpy.testing import assert_allclose
from pyproj import Geod

from analytics.field_plane import on_plane, plane_at, to_degrees
from analytics.yield_cleaning import clean_points
from analytics.yield_filters import Filters
from analytics.yield_grid import (
    ANY_CROP_KG_HA,
    LEGEND_KG_HA,
    as_geojson,
    legend,
    map_mean,
    yield_grid,
)
from analytics.yield_plausibility import MAX_FIELD_YIELD_KG_HA
from analytics.yields import STANDARD_MOISTURE_PCT
from tests.analytics.harvested_field import harvest, true_yield

PLANE = plane_at([71.0], [51.0])


def four_points():
    """Three points in the cell north-east of the middle, one in the next to the east."""
    one = harvest(passes=1)
    return type(one)(
        **{
            name: value[:4] if isinstance(value, np.ndarray) else value
            for name, value in one._asdict().items()
        }
    )._replace(
        crs=PLANE,
        x=np.array([1.0, 2.0, 3.0, 11.0]),
        y=np.array([1.0, 2.0, 3.0, 4.0]),
        yield_kg_ha=np.array([1000.0, 3000.0, 9000.0, 5000.0]),
        coverage_m2_s=np.array([10.0, 30.0, 10.0, 10.0]),
        interval_s=np.ones(4),
    )


KEPT = np.array([True, True, False, True])


def test_a_cell_is_the_mean_of_its_kept_points_by_area():
    grid = yield_grid(four_points(), KEPT, cell_m=10.0)

    # (10 x 1000 + 30 x 3000) / 40 = 2500; variance (10 x 1500² + 30 x 500²) / 40 = 866.03².
    assert_allclose(grid.yield_kg_ha, [[2500.0, 5000.0]])
    assert_allclose(grid.deviation_kg_ha, [[866.0254, 0.0]], rtol=1e-6)
    assert grid.points.tolist() == [[2, 1]]
    assert_allclose(grid.area_m2, [[40.0, 10.0]])
    # (40 x 2500 + 10 x 5000) / 50, which is also mass over area of the kept points.
    assert_allclose(map_mean(grid), 3000.0)


def test_points_without_area_weigh_alike():
    points = four_points()._replace(coverage_m2_s=np.full(4, np.nan))

    grid = yield_grid(points, KEPT, cell_m=10.0)

    assert_allclose(grid.yield_kg_ha, [[2000.0, 5000.0]])
    assert np.isnan(grid.area_m2).all()
    assert_allclose(map_mean(grid), 3000.0)  # (1000 + 3000 + 5000) / 3


def test_cells_between_stay_empty_unless_filled_and_say_so():
    points = four_points()._replace(
        x=np.array([5.0, 25.0, 5.0, 25.0]), y=np.array([5.0, 5.0, 25.0, 25.0])
    )
    every = np.ones(4, bool)

    bare = yield_grid(points, every, cell_m=10.0)
    filled = yield_grid(points, every, cell_m=10.0, fill=True)

    assert np.isnan(bare.yield_kg_ha).sum() == 5
    # The middle has four neighbours with points, (1 + 3 + 9 + 5)/4 t; those at the sides have two.
    assert_allclose(filled.yield_kg_ha[1, 1], 4500.0)
    assert filled.filled.sum() == 1
    assert np.isnan(filled.yield_kg_ha).sum() == 4
    assert_allclose(map_mean(filled), map_mean(bare))


def test_cells_are_squares_of_their_size_on_the_ellipsoid():
    content = as_geojson(yield_grid(four_points(), KEPT, cell_m=10.0), "spring-wheat")

    cell = content["features"][0]
    area, _ = Geod(ellps="WGS84").geometry_area_perimeter(shapely.geometry.shape(cell["geometry"]))
    assert_allclose(area, 100.0, rtol=0.01)  # corners are rounded to a centimetre
    assert cell["properties"] == {
        "yield_kg_ha": 2500.0,
        "deviation_kg_ha": 866.0,
        "points": 2,
        "area_m2": 40.0,
        "filled": False,
        "class": LEGEND_KG_HA["spring-wheat"].index(2500) + 1,
    }
    json.dumps(content, allow_nan=False)


def test_classes_are_the_same_for_every_harvest_and_leave_no_gap():
    for bounds in (*LEGEND_KG_HA.values(), ANY_CROP_KG_HA):
        assert list(bounds) == sorted(set(bounds))
    classes = legend("spring-wheat")
    assert classes[0]["from_kg_ha"] is classes[-1]["to_kg_ha"] is None
    assert [one["to_kg_ha"] for one in classes[:-1]] == [one["from_kg_ha"] for one in classes[1:]]
    assert legend("quinoa") == legend()


def test_every_crop_of_the_trade_has_a_legend_and_a_limit():
    assert set(MAX_FIELD_YIELD_KG_HA) == set(STANDARD_MOISTURE_PCT)
    # Picked, dug, or a pulse: no combine's file is judged by a limit of theirs yet.
    drawn_alone = {"cotton", "chickpea", "lentil", "sugar-beet", "potato", "onion"}
    assert set(LEGEND_KG_HA) == set(MAX_FIELD_YIELD_KG_HA) | drawn_alone


def test_years_on_one_plane_share_their_cells():
    field = plane_at([71.001], [51.001])
    first, second = harvest(passes=4), harvest(passes=6, spacing_m=5.0)
    grids = [
        yield_grid(points, points.working, cell_m=20.0, crs=field) for points in (first, second)
    ]

    for grid in grids:
        assert grid.crs == field
        assert grid.west_m % 20.0 == grid.south_m % 20.0 == 0.0


def test_the_mean_of_a_map_is_mass_over_area_where_nothing_is_flagged():
    points = harvest(passes=12, even=False)
    cleaned = clean_points(points, Filters(start_trim_s=0, end_trim_s=0), flow_delay_s=0.0)

    mean = map_mean(yield_grid(cleaned.points, points.working, cell_m=15.0))

    assert_allclose(mean, 10_000 * points.mass_kg.sum() / points.area_m2.sum(), rtol=1e-9)


def test_the_surface_of_a_known_field_is_seen_by_its_cells():
    points = harvest(passes=20, delay_s=8)
    cleaned = clean_points(points)
    grid = yield_grid(cleaned.points, cleaned.kept, cell_m=12.0)

    rows, columns = np.nonzero(grid.points >= 8)
    x = grid.west_m + 12.0 * (columns + 0.5)
    y = grid.south_m + 12.0 * (rows + 0.5)
    assert rows.size > 100
    assert_allclose(grid.yield_kg_ha[rows, columns], true_yield(x, y), rtol=0.06)


def test_a_map_needs_a_plane_a_size_and_a_field():
    points = four_points()
    with pytest.raises(ValueError, match="needs degrees"):
        yield_grid(points._replace(crs=""), KEPT)
    with pytest.raises(ValueError, match="needs a size"):
        yield_grid(points, KEPT, cell_m=0.0)
    with pytest.raises(ValueError, match="too many for a map"):
        yield_grid(points._replace(x=np.array([0.0, 1e6, 0.0, 1e6])), KEPT, cell_m=0.5)
    assert as_geojson(yield_grid(points, np.zeros(4, bool)))["features"] == []


def test_degrees_go_to_the_plane_and_back():
    lon, lat = np.array([70.99, 71.0, np.nan]), np.array([51.0, 51.01, 51.0])

    x, y, crs = on_plane(lon, lat)

    back = to_degrees(crs, x, y)
    assert_allclose(back[0][:2], lon[:2], atol=1e-9)
    assert_allclose(back[1][:2], lat[:2], atol=1e-9)
    assert np.isnan(x[2])
    assert np.isnan(back[0][2])
    _, _, distance = Geod(ellps="WGS84").inv(lon[0], lat[0], lon[1], lat[1])
    assert_allclose(np.hypot(x[1] - x[0], y[1] - y[0]), distance, rtol=1e-6)
