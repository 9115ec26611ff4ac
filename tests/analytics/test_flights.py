"""Flights of drones, with paths and areas known by hand."""

import numpy as np
import pytest

from analytics.flights import NO_ELEVATION, NO_WIDTH, flights

from .ground import NOON_US, track

RADIUS, WIDTH = 400.0, 60.0


def circle(turns=1.0, begin=0.0, **values):
    """A flight around a point at 4 m/s, a point every second, 60 m above where it began."""
    length = 2 * np.pi * RADIUS * turns
    along = np.linspace(0.0, length, 1 + round(length / 4))
    angle = along / RADIUS
    east, north = 1000 + RADIUS * np.sin(angle), 1000 + RADIUS * np.cos(angle)
    height = np.full(along.size, 60.0)
    height[0] = height[-1] = 0.0
    more = {"width_m": WIDTH, "elevation_m": 347.0 + height, "speed_m_s": 4.0} | values
    return track(begin + along / 4, east, north, **more)


def after(*parts):
    return type(parts[0])(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def test_a_circle_sees_a_ring():
    (flight,) = flights(circle())

    # A ring 60 m wide with its middle at 400 m: 2π × 400 m × 60 m = 15.08 ha.
    assert flight.seen_ha == pytest.approx(2 * np.pi * RADIUS * WIDTH / 1e4, rel=0.005)
    assert flight.distance_km == pytest.approx(2 * np.pi * 0.4, rel=0.001)
    assert flight.duration_s == pytest.approx(2 * np.pi * RADIUS / 4, rel=0.001)
    assert flight.max_height_m == 60.0
    assert flight.to_figures()["mean_speed_m_s"] == pytest.approx(4.0, rel=0.001)
    assert flight.reasons == ()


def test_ground_that_is_seen_twice_counts_once():
    (flight,) = flights(circle(turns=2.0))

    assert flight.seen_ha == pytest.approx(2 * np.pi * RADIUS * WIDTH / 1e4, rel=0.005)
    assert flight.distance_km == pytest.approx(4 * np.pi * 0.4, rel=0.001)


def test_a_gap_of_more_than_five_minutes_parts_flights():
    end = 2 * np.pi * RADIUS / 4

    assert len(flights(after(circle(), circle(begin=end + 299)))) == 1
    first, second = flights(after(circle(), circle(begin=end + 301)))
    assert second.start_us - first.end_us == pytest.approx(301e6, abs=1)
    assert first.start_us == NOON_US


def test_a_landing_parts_flights_and_hovering_does_not():
    # Out at 5 m/s for 60 s, 60 s without moving, and back: at 0 m landed, at 60 m hovering.
    seconds = np.arange(0, 181, 5.0)
    east = np.concatenate([np.linspace(0, 300, 13), np.full(12, 300.0), np.linspace(275, 0, 12)])
    moving = np.where((seconds > 60) & (seconds <= 120), 0.0, 5.0)

    def height(middle):
        inner = np.where((seconds >= 60) & (seconds <= 120), middle, 60.0)
        return 347.0 + np.where((seconds == 0) | (seconds == 180), 0.0, inner)

    landed = flights(track(seconds, east, 0, speed_m_s=moving, elevation_m=height(1.0)))
    hovered = flights(track(seconds, east, 0, speed_m_s=moving, elevation_m=height(60.0)))
    unknown = flights(track(seconds, east, 0, speed_m_s=moving))

    assert len(landed) == 2
    assert sum(one.distance_km for one in landed) == pytest.approx(0.6, rel=0.01)
    assert len(hovered) == 1
    assert len(unknown) == 1
    assert NO_ELEVATION in unknown[0].reasons
    assert unknown[0].to_figures()["max_height_m"] is None


def test_a_touch_of_the_ground_is_no_landing():
    seconds = np.arange(0, 121, 5.0)
    low = (seconds >= 60) & (seconds <= 80)  # 20 s
    speed, height = np.where(low, 0.0, 5.0), np.where(low, 1.0, 60.0)
    height[[0, -1]] = 0.0

    assert len(flights(track(seconds, 0, 0, speed_m_s=speed, elevation_m=height))) == 1


def test_waiting_on_the_ground_is_no_flight():
    seconds = np.arange(0, 600, 10.0)

    assert flights(track(seconds, 0, 0, speed_m_s=0.0, elevation_m=347.0)) == []


def test_without_a_width_the_area_seen_is_unknown():
    (flight,) = flights(circle(width_m=np.nan))

    assert flight.to_figures()["seen_ha"] is None
    assert flight.to_figures()["reasons"] == [NO_WIDTH]


def test_more_points_and_the_other_direction_change_no_area():
    forth = circle()
    back = type(forth)(*(column[::-1] for column in forth))._replace(time_us=forth.time_us)
    thinned = forth.at(np.arange(0, forth.time_us.size, 2))

    (one,), (other,), (coarse,) = flights(forth), flights(back), flights(thinned)

    assert other.seen_ha == pytest.approx(one.seen_ha, rel=1e-6)
    assert coarse.seen_ha == pytest.approx(one.seen_ha, rel=1e-3)
