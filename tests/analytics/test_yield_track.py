"""Yield points from a stored track: intervals, gaps, passes, joined machines."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from analytics.field_plane import plane_at
from analytics.yield_cleaning import Harvest as Known
from analytics.yield_cleaning import clean_points, report
from analytics.yield_grid import yield_grid
from analytics.yield_track import join, points_from_track

START_US = 1_725_000_000_000_000


def track(seconds, **changed):
    """A machine going north at 1.112 m/s, 5 m wide, 2 kg/s at 14 %, at work."""
    second = np.asarray(seconds, float)
    one = np.ones(second.size)
    columns = {
        "time_us": START_US + (1e6 * second).astype(np.int64),
        "latitude_deg": 51.0 + 1e-5 * second,
        "longitude_deg": 71.0 * one,
        "speed_m_s": 1.112 * one,
        "work_state": one,
        "width_m": 5.0 * one,
        "mass_flow_kg_s": 2.0 * one,
        "crop_moisture_pct": 14.0 * one,
    }
    return points_from_track(**columns | changed)


def test_mass_is_flow_by_time_and_area_width_by_way():
    points = track([0, 1, 2, 4])

    # The first record counts for a usual interval of 1 s, the last for its 2 s.
    assert_allclose(points.mass_kg, [2, 2, 2, 4])
    assert_allclose(points.area_m2, [5.56, 5.56, 5.56, 11.12])
    assert_allclose(points.yield_kg_ha, 10_000 * 2 / 5.56)


def test_a_silence_begins_a_pass_and_harvests_nothing():
    points = track([0, 1, 2, 100, 101])

    assert points.passes.tolist() == [1, 1, 1, 2, 2]
    assert_allclose(points.mass_kg.sum(), 10.0)


def test_grain_after_the_work_counts_as_mass_but_covers_no_ground():
    points = track(range(4), work_state=np.array([1, 1, 0, 1]))

    assert points.working.tolist() == [True, True, False, True]
    assert points.passes.tolist() == [1, 1, 1, 2]
    assert_allclose(points.mass_kg.sum(), 8.0)
    assert_allclose(points.area_m2.sum(), 3 * 5.56)


def test_without_work_state_and_speed_flow_and_positions_tell():
    flow = np.array([2.0, 2.0, 0.0, np.nan])
    points = track(
        range(4),
        work_state=np.full(4, -1),
        speed_m_s=np.full(4, np.nan),
        mass_flow_kg_s=flow,
    )

    assert points.working.tolist() == [True, True, False, False]
    # 1e-5° of the meridian at 51° are 1.11248 m.
    assert_allclose(points.speed_m_s[1:], 1.11248, rtol=1e-4)
    assert points.mass_kg.tolist() == [2.0, 2.0, 0.0, 0.0]


def test_points_in_any_order_become_one_order_of_time():
    assert track([3, 1, 0, 2]).y.tolist() == track([0, 1, 2, 3]).y.tolist()


def test_machines_are_joined_on_one_plane_and_share_no_pass():
    plane = plane_at([71.0], [51.0])
    one = track(range(30), crs=plane)
    other = track(range(30), crs=plane, longitude_deg=np.full(30, 71.001))

    field = join([one, other])

    assert sorted(set(field.passes.tolist())) == [1, 3]
    assert_allclose(field.mass_kg.sum(), one.mass_kg.sum() + other.mass_kg.sum())
    with pytest.raises(ValueError, match="different planes"):
        join([one, track(range(3))])
    with pytest.raises(ValueError, match="no points"):
        join([])


def test_a_track_becomes_a_report_and_a_map():
    points = track(range(120))

    cleaned = clean_points(points)
    result = report(points, cleaned, Known(standard_moisture_pct=14.0))
    grid = yield_grid(cleaned.points, cleaned.kept, cell_m=20.0)

    assert result["kept"] == 120 - 8  # the trims of its one pass
    assert_allclose(result["yield_kg_ha"], 10_000 * 2 / 5.56)
    assert_allclose(grid.yield_kg_ha[grid.points > 0], 10_000 * 2 / 5.56)
