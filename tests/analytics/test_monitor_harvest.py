"""What a yield monitor counted: mass by hand, grain that comes late, fields side by side."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

from analytics.machine_work import machine_work
from analytics.monitor_harvest import (
    NO_FLOW,
    NO_MOISTURE,
    NOWHERE,
    WORK_FROM_FLOW,
    MonitorTrack,
    field_of_grain,
    harvests,
    monitor_points,
)
from analytics.track_geometry import TrackArrays, field_shape
from tests.analytics.ground import NAN, rectangle, track

FIELDS = {
    1: field_shape(rectangle((0, 100), (0, 200))),
    2: field_shape(rectangle((100, 200), (0, 200))),
}


@dataclasses.dataclass
class Drive:
    """A combine 10 m wide: points as rows of seconds, east, north, work state, flow, moisture."""

    rows: list[tuple[float, ...]]

    def both(self, **changed: Any) -> tuple[TrackArrays, MonitorTrack]:
        seconds, east, north, state, flow, moisture = (
            np.array(column, float) for column in zip(*self.rows, strict=True)
        )
        arrays = track(seconds, east, north, work_state=state, width_m=10.0, **changed)
        monitor = MonitorTrack(
            arrays.time_us, arrays.latitude_deg, arrays.longitude_deg, arrays.speed_m_s,
            arrays.work_state, arrays.width_m, flow, moisture,
        )  # fmt: skip
        return arrays, monitor

    def harvests(self, **changed: Any) -> dict[int, Any]:
        arrays, monitor = self.both(**changed)
        work = machine_work(arrays, FIELDS)
        assert work is not None
        return {one.field_id: one for one in harvests(monitor, work.fields, FIELDS)}


# North through field 1 at 5 m/s; then 10 s of grain with the header up, on the ground of field 2.
PASS = [(second, 50, 5 * second, 1, 2.0, 14.0) for second in (0, 10, 20, 30, 40)]
LATE = [(50, 120, 150, 0, 1.0, 20.0), (60, 120, 140, 0, 0.0, NAN)]


def test_grain_that_comes_late_counts_to_the_field_worked_before():
    found = Drive(PASS + LATE).harvests()

    assert list(found) == [1]  # nobody worked on field 2
    one = found[1]
    # Four steps of 10 s at 2 kg/s, and one at 1 kg/s.
    assert_allclose((one.wet_mass_kg, one.after_work_kg), (90.0, 10.0))
    assert_allclose(one.moisture_pct, (80 * 14 + 10 * 20) / 90)
    assert one.moisture_known_share == 1.0
    assert_allclose(one.harvested_ha, 200 * 10 / 1e4, rtol=1e-4)
    assert_allclose(one.work_distance_km, 0.2, rtol=1e-4)
    assert (one.unknown_flow_km, one.reasons) == (0.0, ())


def test_a_turn_harvests_nothing_though_the_next_pass_begins_with_flow():
    back = [(80 + second, 60, 200 - 5 * second, 1, 2.0, 14.0) for second in (0, 10, 20, 30, 40)]

    one = Drive(PASS + LATE + back).harvests()[1]

    # From 60 s to 80 s the lower flow of both ends is none.
    assert_allclose(one.wet_mass_kg, 90.0 + 80.0)
    assert_allclose(one.harvested_ha, 0.4, rtol=1e-4)


def test_a_header_lifted_for_a_moment_loses_no_grain_that_flows_on():
    lifted = [(*row[:3], 0 if row[0] == 20 else 1, *row[4:]) for row in PASS]

    one = Drive(lifted).harvests()[1]

    assert_allclose(one.wet_mass_kg, 80.0)
    assert_allclose(one.after_work_kg, 20.0)  # the step that ends with the header up


def test_points_seldom_or_often_tell_the_same_mass():
    often = [(t, 50, 5 * t, 1, 2.0, 14.0) for t in range(41)] + [(41, 50, 205, 0, 0.0, NAN)]
    seldom = [often[0], often[20], often[40], often[41]]

    masses = [Drive(rows).harvests()[1].wet_mass_kg for rows in (often, seldom)]

    assert masses == [80.0, 80.0]


def test_a_silence_of_more_than_a_minute_harvests_nothing():
    later = [(second + 110, *row) for second, *row in PASS]

    one = Drive(PASS + later).harvests()[1]

    assert_allclose(one.wet_mass_kg, 160.0)
    assert_allclose(one.work_distance_km, 0.4, rtol=1e-4)


def test_a_way_without_a_flow_is_named_and_its_mass_is_not_invented():
    silent = [(*row[:4], NAN if row[0] in (20, 30) else 2.0, 14.0) for row in PASS]

    one = Drive(silent).harvests()[1]

    assert_allclose(one.wet_mass_kg, 40.0)
    assert_allclose(one.unknown_flow_km, 0.1, rtol=1e-4)
    assert one.reasons == (NO_FLOW,)


def test_a_dead_moisture_sensor_is_no_dry_grain():
    dead = [(*row[:5], 0.0) for row in PASS]

    one = Drive(dead).harvests()[1]

    assert np.isnan(one.moisture_pct)
    assert (one.moisture_known_share, one.reasons) == (0.0, (NO_MOISTURE,))
    assert one.to_figures()["moisture_pct"] is None


def test_each_field_gets_its_own_grain_and_a_pass_beyond_the_border_still_harvests():
    east = [(t, 8.0 * t, 100, 1, 2.0, 14.0) for t in range(0, 31, 5)]  # to 240 m: beyond field 2
    arrays, monitor = Drive(east).both()

    of_point = field_of_grain(monitor, FIELDS)
    found = Drive(east).harvests()

    assert of_point.tolist() == [1, 1, 1, 2, 2, 2, 2]
    # The step into field 2 ends there, so its grain counts there; a field's first point opens it.
    assert sum(one.wet_mass_kg for one in found.values()) == pytest.approx(50.0)
    assert arrays.time_us.size == 7


def test_ground_in_no_field_is_nobodys_harvest():
    away = [(second, 400, *row) for second, _, *row in PASS]
    _, monitor = Drive(away).both()

    assert (field_of_grain(monitor, FIELDS) == NOWHERE).all()


def test_without_a_work_state_grain_that_flows_is_work():
    rows = [(*row[:3], -1, *row[4:]) for row in PASS + LATE]
    arrays, monitor = Drive(rows).both()
    told = arrays._replace(work_state=(monitor.mass_flow_kg_s > 0).astype(np.int16))
    work = machine_work(told, FIELDS)
    assert work is not None

    one = harvests(monitor, work.fields, FIELDS)[0]

    assert one.field_id == 1
    assert WORK_FROM_FLOW in one.reasons
    assert monitor_points(monitor).working.tolist() == [True] * 6 + [False]


def test_a_machine_without_a_monitor_harvests_nothing():
    assert Drive([(*row[:4], NAN, NAN) for row in PASS]).harvests() == {}
