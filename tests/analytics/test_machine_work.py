"""Machine work on a field whose areas are known by hand."""

import datetime as dt
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analytics.machine_days import work_of_day
from analytics.machine_operations import operations
from analytics.machine_work import machine_work
from analytics.track_geometry import TrackArrays, field_shape, field_shapes
from analytics.work_results import ASSUMED_WIDTH, NO_FUEL, NO_STATE, NO_WIDTH

from .ground import GEOD, NOON_US, STEPPE, rectangle, track

# A field of 200 m by 300 m, driven north and south with 10 m of width and 1 m of overlap:
# centres of the 22 passes at 5, 14, … 194 m; the last one ends at 199 m. The 11th is forgotten.
WIDTH, SPACING, LENGTH = 10.0, 9.0, 300.0
CENTRES = [5.0 + SPACING * number for number in range(22) if number != 10]
SPEED, INTERVAL = 2.5, 2.0  # m/s, s
TURN_S = 20.0
FIELD = {7: rectangle((0, 200), (0, LENGTH))}


def drive(centres=CENTRES, interval=INTERVAL, corner=STEPPE, begin=0.0, length=LENGTH, **values):
    """Passes up and down with the work state on; between them 20 s with it off."""
    seconds, east, north, state = [], [], [], []
    now = begin
    for number, centre in enumerate(centres):  # north and south in turn
        along = np.arange(0.0, length + 1e-6, interval * SPEED)
        seconds.extend(now + along / SPEED)
        east.extend(np.full(along.size, centre))
        north.extend(along if number % 2 == 0 else along[::-1])
        state.extend(np.ones(along.size))
        if number + 1 < len(centres):  # half a second later the implement is up
            seconds.extend([seconds[-1] + 0.5, seconds[-1] + TURN_S - 0.5])
            east.extend([centre, centres[number + 1]])
            north.extend([north[-1]] * 2)
            state.extend([0, 0])
            now = seconds[-1] + 0.5
    given_values = {"width_m": WIDTH} | values
    return track(seconds, east, north, corner, work_state=state, **given_values)


def work_on(points: TrackArrays, fields=FIELD, **options):
    return machine_work(points, field_shapes(fields), **options)


def one_field(points: TrackArrays, fields=FIELD, **options):
    (found,) = work_on(points, fields, **options).fields
    return found


def test_areas_of_a_field_driven_with_overlap_and_one_pass_forgotten():
    found = one_field(drive())

    # 21 passes × 10 m × 300 m = 6.30 ha; the last pass ends at 199 m, and between 91 m and 99 m
    # 8 m are left out: (199 − 8) m × 300 m = 5.73 ha are covered. 19 pairs of neighbours overlap
    # by 1 m × 300 m: 0.57 ha. The forgotten strip is 8 m × 300 m = 0.24 ha.
    assert found.gross_ha == pytest.approx(6.30, rel=0.005)
    assert found.worked_ha == pytest.approx(5.73, rel=0.005)
    assert found.overlap_ha == pytest.approx(0.57, rel=0.005)
    assert found.gap_ha == pytest.approx(0.24, rel=0.005)
    assert found.field_ha == pytest.approx(6.00, rel=0.001)
    assert found.to_figures()["worked_share"] == pytest.approx(0.955, rel=0.005)
    assert (found.field_id, len(found.passes), found.reasons) == (7, 21, (NO_FUEL,))


def test_the_fields_area_is_geodesic():
    shape = field_shape(FIELD[7])

    geodesic, _ = GEOD.geometry_area_perimeter(shape.boundary)

    assert shape.area_ha == pytest.approx(abs(geodesic) / 1e4, rel=1e-6)


def test_times_distances_and_fuel_add_up():
    points = drive(fuel_rate_l_h=18.0)
    work = work_on(points)

    # 21 passes of 300 m at 2.5 m/s are 2,520 s; 20 turns of 20 s are 400 s, of which half a
    # second before and after each turn is spent on the spot.
    assert work.day.times.work_h == pytest.approx(2520 / 3600)
    assert work.day.times.idle_h == pytest.approx(20 / 3600)
    assert work.day.times.transport_h == pytest.approx(380 / 3600)
    assert work.day.work_distance_km == pytest.approx(6.3, rel=1e-4)
    # 18 L/h over 2,920 s = 14.6 L, 12.6 L of them at work.
    assert work.day.fuel.total_l == pytest.approx(14.6, rel=1e-6)
    assert work.day.fuel.work_l == pytest.approx(12.6, rel=1e-6)
    figures = work.day.to_figures()
    assert figures["fuel_l_ha"] == pytest.approx(14.6 / 5.73, rel=0.005)
    assert figures["reasons"] == []


def test_standing_with_the_work_state_off_is_idle_and_a_gap_is_unknown():
    # Two minutes of transport at 5 m/s, five standing, ten minutes without a point, one of work.
    seconds = [*range(0, 121, 10), *range(130, 421, 10), *range(1020, 1081, 10)]
    speed = np.array([5.0] * 13 + [0.0] * 30 + [2.0] * 7)
    # The last of the moving points and the first standing one share a step: 2.5 m/s on average.
    north = np.concatenate(
        [5.0 * np.arange(13) * 10, np.full(30, 625.0), 625 + 20.0 * np.arange(7)]
    )
    state = [0] * 43 + [1] * 7

    times = work_on(track(seconds, 0, north, speed_m_s=speed, work_state=state)).day.times

    assert times.transport_h == pytest.approx(130 / 3600)
    assert times.idle_h == pytest.approx(290 / 3600)
    assert times.unknown_h == pytest.approx(600 / 3600)
    assert times.work_h == pytest.approx(60 / 3600)
    assert sum(times.shares().values()) == pytest.approx(1.0)


def test_a_pass_across_a_border_is_cut_at_it():
    fields = {1: rectangle((0, 200), (0, 150)), 2: rectangle((0, 200), (150, 300))}

    south, north = work_on(drive(), fields).fields

    assert (south.field_id, north.field_id) == (1, 2)
    assert south.worked_ha == pytest.approx(5.73 / 2, rel=0.005)
    assert north.worked_ha == pytest.approx(5.73 / 2, rel=0.005)
    assert south.work_distance_km + north.work_distance_km == pytest.approx(6.3, rel=1e-4)


def test_a_neighbour_whose_edge_is_grazed_was_not_worked():
    # The first swath is centred on 5 m: this field begins 1 m inside of it.
    fields = FIELD | {8: rectangle((-100, 1), (0, LENGTH))}

    assert [one.field_id for one in work_on(drive(), fields).fields] == [7]


def test_passes_that_end_a_few_metres_beyond_a_border_did_not_work_there():
    fields = {7: rectangle((0, 200), (0, 296)), 8: rectangle((0, 200), (296, 500))}

    found = one_field(drive(), fields)

    assert found.field_id == 7
    assert found.worked_ha == pytest.approx(5.73 * 296 / 300, rel=0.005)


def test_work_outside_of_all_fields_is_told_apart():
    far = {9: rectangle((5_000, 5_100), (0, 100))}

    found = one_field(drive(), far)

    assert found.field_id is None
    assert found.worked_ha == pytest.approx(5.73, rel=0.005)
    assert found.to_figures()["gap_ha"] is None
    assert found.to_figures()["worked_share"] is None


def test_what_is_not_worked_yet_is_no_gap():
    half = one_field(drive(CENTRES[:8]))

    assert half.gap_ha == pytest.approx(0.0, abs=1e-6)
    assert half.worked_ha == pytest.approx((5 + 7 * 9 + 5) * 300 / 1e4, rel=0.005)


def test_the_corner_of_what_is_worked_is_no_gap():
    long, short = drive(CENTRES[:6]), drive(CENTRES[6:9], begin=1_000.0, length=100.0)
    points = TrackArrays(*(np.concatenate(pair) for pair in zip(long, short, strict=True)))

    found = one_field(points)

    # 6 passes of 300 m and 3 of 100 m, 55 m and 27 m wide together.
    assert found.worked_ha == pytest.approx((55 * 300 + 27 * 100) / 1e4, rel=0.005)
    assert found.gap_ha == pytest.approx(0.0, abs=1e-6)


def test_a_swath_that_hangs_over_the_border_counts_as_far_as_it_is_inside():
    # From 4 m on: the first swath, 0 m to 10 m, has 4 m outside; its line at 5 m is inside.
    found = one_field(drive(), {7: rectangle((4, 200), (0, LENGTH))})

    assert found.gross_ha == pytest.approx(6.30 - 0.12, rel=0.005)
    assert found.overlap_ha == pytest.approx(0.57, rel=0.005)


def test_without_a_width_the_area_is_unknown_and_says_why():
    found = one_field(drive(width_m=np.nan))

    figures = found.to_figures()
    assert (figures["worked_ha"], figures["overlap_ha"], figures["gap_ha"]) == (None, None, None)
    assert figures["work_distance_km"] == pytest.approx(6.3, rel=1e-4)
    assert NO_WIDTH in figures["reasons"]


def test_an_assumed_width_is_named():
    found = one_field(drive(width_m=np.nan), assumed_width_m=WIDTH)

    assert found.worked_ha == pytest.approx(5.73, rel=0.005)
    assert ASSUMED_WIDTH in found.reasons


def test_without_a_work_state_nothing_is_work_and_the_day_says_why():
    points = drive()._replace(work_state=np.full(drive().time_us.size, -1, np.int16))

    work = work_on(points)

    assert work.fields == ()
    assert NO_STATE in work.day.reasons
    assert work.day.to_figures()["worked_ha"] is None
    assert work.day.times.work_h == 0
    assert work.day.to_figures()["unknown_share"] > 0.9


def test_a_heading_that_is_not_reported_is_that_of_the_course():
    reported = one_field(drive(CENTRES[:2], heading_deg=355.0)).passes
    found = one_field(drive(CENTRES[:2])).passes

    assert [one.heading_deg for one in reported] == pytest.approx([355.0, 355.0])
    assert np.cos(np.radians(found[0].heading_deg)) == pytest.approx(1.0, abs=1e-6)
    assert found[1].heading_deg == pytest.approx(180.0, abs=0.01)


def test_jumps_are_left_out_and_counted_even_the_first_point():
    points = drive()
    lat = points.latitude_deg.copy()
    lat[[0, 100, 101, 500]] += 0.5  # 55 km away

    work = work_on(points._replace(latitude_deg=lat))

    assert work.day.jumps == 4
    assert work.fields[0].worked_ha == pytest.approx(5.73, rel=0.005)


def test_points_without_a_fix_are_left_out_and_counted():
    points = drive()
    lat, lon = points.latitude_deg.copy(), points.longitude_deg.copy()
    lat[50], lon[50], lat[60] = 0.0, 0.0, np.nan

    work = work_on(points._replace(latitude_deg=lat, longitude_deg=lon))

    assert (work.day.no_fix, work.day.jumps) == (2, 0)


def test_sections_that_are_switched_off_make_the_swath_narrower():
    # 300 m with 10 m, then 300 m with 5 m side by side with it: 0.45 ha, nothing twice.
    seconds = np.concatenate([np.arange(0, 121, 2), 200 + np.arange(0, 121, 2)])
    along = np.arange(0, 301, 5.0)
    points = track(
        seconds,
        np.repeat([5.0, 12.5], 61),
        np.concatenate([along, along]),
        work_state=1,
        width_m=np.repeat([10.0, 5.0], 61),
        application_rate_l_ha=100.0,
    )

    found = one_field(points)

    assert found.worked_ha == pytest.approx(0.45, rel=0.005)
    assert found.overlap_ha == pytest.approx(0.0, abs=0.001)
    assert found.applied_l == pytest.approx(45.0, rel=0.005)
    assert found.width_m == 10.0


@pytest.mark.parametrize("north", [(0, 150, 300, 150, 0), (150, 0, 150, 0, 150)])
def test_a_line_that_is_driven_back_at_once_counts_twice(north):
    # 600 m on one line of 300 m, or of 150 m, with a width of 10 m: 0.6 ha gross.
    points = track(30.0 * np.arange(5), np.full(5, 100.0), north, work_state=1, width_m=10.0)

    found = one_field(points)

    assert found.gross_ha == pytest.approx(0.6, rel=0.001)
    once = (max(north) - min(north)) * 10.0 / 1e4
    assert found.worked_ha == pytest.approx(once, rel=0.001)
    assert found.overlap_ha == pytest.approx(0.6 - once, rel=0.001)


@example(width=2.0, bends=[(0, 3, 1), (1, 0, 1), (0, 3, 1), (1, 0, 1), (0, 0, 1)])
@settings(max_examples=25, deadline=None)
@given(
    width=st.floats(2.0, 30.0),
    bends=st.lists(
        st.tuples(st.floats(0, 200), st.floats(0, 300), st.sampled_from([0, 1, 1, -1])),
        min_size=3,
        max_size=40,
    ),
)
def test_laws_of_any_drive(width, bends):
    east, north, state = (np.array(column) for column in zip(*bends, strict=True))
    points = track(30.0 * np.arange(east.size), east, north, work_state=state, width_m=width)
    backwards = TrackArrays(*(column[::-1] for column in points))._replace(time_us=points.time_us)

    work, reverse = work_on(points), work_on(backwards)

    if work.day.times.total_h:
        assert sum(work.day.times.shares().values()) == pytest.approx(1.0)
    assert [one.field_id for one in work.fields] == [one.field_id for one in reverse.fields]
    for one, other in zip(work.fields, reverse.fields, strict=True):
        assert 0 <= one.worked_ha <= one.gross_ha
        assert one.overlap_ha == pytest.approx(one.gross_ha - one.worked_ha)
        assert other.worked_ha == pytest.approx(one.worked_ha, rel=1e-6)
        assert other.gross_ha == pytest.approx(one.gross_ha, rel=1e-6)
        if one.field_id is not None:
            assert one.worked_ha + one.gap_ha <= one.field_ha * (1 + 1e-9)


def test_more_points_on_the_same_line_change_nothing():
    coarse, fine = one_field(drive(interval=8.0)), one_field(drive(interval=0.5))

    for name in ("worked_ha", "gross_ha", "overlap_ha", "gap_ha", "work_distance_km"):
        assert getattr(fine, name) == pytest.approx(getattr(coarse, name), rel=1e-4), name


@pytest.mark.parametrize("corner", [(46.5, 40.6), (87.3, 49.0), (68.0, 55.4), (-60.0, -35.0)])
def test_areas_are_the_same_everywhere_on_earth(corner):
    there = one_field(drive(corner=corner), {7: rectangle((0, 200), (0, 300), corner)})

    assert there.worked_ha == pytest.approx(5.73, rel=0.005)
    assert there.gap_ha == pytest.approx(0.24, rel=0.005)


def days_of_work(*days):
    shapes = field_shapes({7: rectangle((-10, 210), (-10, 310))})  # turns are inside as well
    works = [
        (dt.date(2026, 5, day), machine_work(drive(centres, **more), shapes).fields[0])
        for day, centres, more in days
    ]
    return operations(works, shapes)


def test_days_of_one_field_are_laid_over_one_another():
    # The second day begins with the last pass of the first again, and drives the forgotten one.
    (whole,) = days_of_work(
        (1, CENTRES[:12], {"fuel_rate_l_h": 18.0}),
        (3, [CENTRES[11], *CENTRES[12:], 95.0], {"fuel_rate_l_h": 18.0}),
    )

    # 23 passes × 0.30 ha = 6.90 ha gross; 199 m × 300 m = 5.97 ha are covered.
    assert whole.gross_ha == pytest.approx(6.90, rel=0.005)
    assert whole.worked_ha == pytest.approx(5.97, rel=0.005)
    assert whole.overlap_ha == pytest.approx(0.93, rel=0.005)
    assert whole.gap_ha == pytest.approx(0.0, abs=1e-6)
    assert whole.passes == 23
    assert whole.days == (dt.date(2026, 5, 1), dt.date(2026, 5, 3))
    # 18 L/h: each pass lasts 120 s, and 11 and 10 turns 20 s each.
    litres = 18 / 3600 * (23 * 120 + 21 * 20)
    assert whole.to_figures()["fuel_l"] == pytest.approx(litres, rel=0.001)
    assert whole.to_figures()["fuel_l_ha"] == pytest.approx(litres / 5.97, rel=0.005)


def test_a_later_day_or_another_implement_is_another_operation():
    found = days_of_work((1, CENTRES, {}), (5, CENTRES, {}), (6, CENTRES, {"width_m": 12.0}))

    assert [len(one.days) for one in found] == [1, 1, 1]
    assert all(later.days > earlier.days for earlier, later in pairwise(found))


def test_the_results_of_a_day_stand_in_order():
    start, end = NOON_US, NOON_US + 86_400_000_000
    points = drive(speed_m_s=SPEED)

    found = work_of_day(points, field_shapes(FIELD), kind="tractor", day_us=(start, end))
    other_day = work_of_day(points, field_shapes(FIELD), kind="tractor", day_us=(0, start))

    assert [(one.kind, one.number, one.field_id) for one in found] == [
        ("day", 0, None),
        ("work", 0, 7),
    ]
    assert other_day == []


def test_fewer_than_two_points_tell_nothing():
    assert work_on(track([0.0], 0, 0, work_state=1, width_m=6.0)) is None


def test_a_field_that_is_no_polygon_is_refused():
    with pytest.raises(ValueError, match="a field is a polygon, not Point"):
        field_shape({"type": "Point", "coordinates": [71.4, 51.1]})
