"""Herds and grazing pressure, with animal days known by hand."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics import grazing
from analytics.machine_days import work_of_day
from analytics.track_geometry import field_shapes

from .ground import GEOD, NOON_US, place, rectangle, track

HOUR_US = 3_600_000_000
DAY_US = 24 * HOUR_US
# Two pastures of 1 km by 0.5 km side by side: 50 ha each.
PASTURES = field_shapes({1: rectangle((0, 1000), (0, 500)), 2: rectangle((1000, 2000), (0, 500))})


def round_at(hours, east, north, animals=240.0):
    """A circle of 100 m around a place, 36 points in 6 minutes."""
    angle = np.radians(np.arange(0, 360, 10))
    return track(
        3600 * hours + np.arange(36) * 10,
        east + 100 * np.sin(angle),
        north + 100 * np.cos(angle),
        animals_seen=animals,
    )


def after(*parts):
    return type(parts[0])(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def test_a_herd_is_in_the_middle_of_the_circle_around_it():
    (herd,) = grazing.herd_rounds(round_at(0, 400, 250))

    lon, lat = place(400.0, 250.0)
    _, _, off = GEOD.inv(herd.longitude_deg, herd.latitude_deg, lon, lat)
    assert off < 0.5
    assert herd.spread_m == pytest.approx(100.0, rel=0.005)
    assert (herd.animals, herd.start_us) == (240.0, NOON_US)


def test_a_centre_leans_to_where_more_animals_were_seen():
    # 30 animals at 0 m and 10 at 100 m: centre at 25 m; √((30·25² + 10·75²) / 40) = 43.30 m.
    (herd,) = grazing.herd_rounds(track([0, 10], [0, 100], 0, animals_seen=[30.0, 10.0]))

    lon, _ = place(25.0, 0.0)
    assert herd.longitude_deg == pytest.approx(float(lon), abs=1e-6)
    assert herd.spread_m == pytest.approx(43.30, abs=0.05)
    assert herd.animals == 30.0


def test_rounds_are_parted_by_five_minutes_and_need_animals():
    rounds = grazing.herd_rounds(
        after(round_at(0, 400, 250), round_at(2, 600, 250), round_at(4, 600, 250, animals=0.0))
    )

    assert [one.start_us for one in rounds] == [NOON_US, NOON_US + 2 * HOUR_US]
    assert grazing.herd_rounds(round_at(0, 400, 250, animals=np.nan)) == []


def test_the_rounds_of_a_day_make_one_position():
    rounds = grazing.herd_rounds(after(round_at(0, 300, 250), round_at(2, 500, 250)))

    herd = grazing.herd_of_day(rounds)

    # Equal herds 200 m apart: in the middle; √(100² + 100²) = 141.4 m.
    lon, _ = place(400.0, 250.0)
    assert herd.longitude_deg == pytest.approx(float(lon), abs=1e-6)
    assert herd.spread_m == pytest.approx(141.4, rel=0.005)
    assert herd.to_figures()["rounds"] == 2
    assert grazing.herd_of_day([]) is None


def test_animal_days_of_a_herd_that_changes_pastures():
    rounds = grazing.herd_rounds(
        after(round_at(0, 500, 250, 200.0), round_at(18, 1500, 250, 240.0))
    )
    presence = grazing.herd_presence(rounds, PASTURES)
    edges = NOON_US + DAY_US * np.arange(4)

    days = grazing.pasture_days(presence, PASTURES, edges, livestock_units=0.15)

    # Day 1: 200 × 18 h and 240 × 6 h; day 2: 240 × 18 h, then the observation is 24 h old.
    found = [[(one.pasture_id, round(one.animal_days, 6)) for one in day] for day in days]
    assert found == [[(1, 150.0), (2, 60.0)], [(2, 180.0)], []]
    first = days[0][0]
    assert first.animal_days_ha == pytest.approx(150 / 50, rel=0.001)
    figures = days[0][0].to_figures()
    assert figures["lsu_days_ha"] == pytest.approx(150 / 50 * 0.15, rel=0.001)
    assert [day[0].known_share for day in days[:2]] == pytest.approx([1.0, 0.75])


def test_use_and_rest_of_pastures():
    rounds = grazing.herd_rounds(
        after(round_at(0, 500, 250, 200.0), round_at(18, 1500, 250, 240.0))
    )
    presence = grazing.herd_presence(rounds, PASTURES)
    edges = NOON_US + DAY_US * np.arange(5)

    one, two = grazing.pasture_use(
        grazing.animal_days(presence, list(PASTURES), edges),
        grazing.known_share(presence, edges),
        PASTURES,
    )

    # Pasture 1: used, rested (three quarters of the day known), then twice unknown.
    assert (one.used_days, one.rested_days, one.unknown_days, one.resting_days) == (1, 1, 2, 3)
    assert (two.used_days, two.rested_days, two.unknown_days, two.resting_days) == (2, 0, 2, 2)
    assert two.animal_days == pytest.approx(240.0)
    assert two.animal_days_ha == pytest.approx(240 / 50, rel=0.001)


def test_collars_are_one_animal_each_and_add_up():
    # Two collars for 12 h in pasture 1; one of them then 6 h in no pasture, and lost.
    hours = np.arange(0, 12.01, 0.5)
    still = track(3600 * hours, 500, 250)
    roams = after(track(3600 * hours[:-1], 400, 250), track([3600 * 12.0], 400, 900))
    presence = grazing.together(
        grazing.collar_presence(one, PASTURES, hold_h=6.0) for one in (still, roams)
    )
    edges = NOON_US + DAY_US * np.arange(2)

    # 12 h + 6 h held, and 12 h: 30 h of an animal in pasture 1; 6 h in none.
    (day,) = grazing.animal_days(presence, [1, 2, grazing.NOWHERE], edges)
    assert day == pytest.approx([30 / 24, 0.0, 6 / 24])
    assert grazing.known_share(presence, edges) == pytest.approx([0.75])


def test_no_animals_at_all_is_unknown():
    presence = grazing.together([])
    edges = NOON_US + DAY_US * np.arange(3)

    assert grazing.known_share(presence, edges).tolist() == [0.0, 0.0]
    assert grazing.pasture_days(presence, PASTURES, edges) == [[], []]
    used = grazing.pasture_use(grazing.animal_days(presence, [1, 2], edges), np.zeros(2), PASTURES)
    assert [one.unknown_days for one in used] == [2, 2]


def test_local_days_begin_at_local_midnight_also_when_clocks_change():
    # Berlin, 2026-03-29: the day has 23 hours.
    edges = grazing.day_edges_us(dt.date(2026, 3, 28), 3, "Europe/Berlin")

    assert (np.diff(edges) / HOUR_US).tolist() == [24.0, 23.0, 24.0]
    assert edges[0] == dt.datetime(2026, 3, 27, 23, tzinfo=dt.UTC).timestamp() * 1e6


@settings(max_examples=50, deadline=None)
@given(
    stays=st.lists(
        st.tuples(st.integers(0, 60), st.integers(0, 40), st.integers(1, 500)), min_size=1
    ),
    cuts=st.lists(st.integers(1, 99), max_size=5),
)
def test_days_only_divide_what_there_is(stays, cuts):
    start = np.array([one for one, _, _ in stays], np.int64) * HOUR_US
    length = np.array([one for _, one, _ in stays], np.int64) * HOUR_US
    animals = np.array([one for _, _, one in stays], float)
    presence = grazing.Presence(start, start + length, np.ones(len(stays), np.int64), animals)
    edges = np.array(sorted({0, *cuts, 100}), np.int64) * HOUR_US

    grazed = grazing.animal_days(presence, [1], edges)
    share = grazing.known_share(presence, edges)

    assert grazed.sum() == pytest.approx((length * animals).sum() / DAY_US)
    hours = np.zeros(100, bool)
    for first, hours_long, _ in stays:
        hours[first : first + hours_long] = True
    expected = [hours[a:b].mean() for a, b in np.column_stack([edges[:-1], edges[1:]]) // HOUR_US]
    assert share == pytest.approx(expected)


def test_a_drones_day_has_flights_a_herd_and_grazing_with_the_evening_before():
    evening, morning = round_at(-6, 1500, 250), round_at(6, 500, 250)

    found = work_of_day(
        after(evening, morning),
        {},
        kind="herding-drone",
        day_us=(NOON_US, NOON_US + DAY_US),
        pastures=PASTURES,
    )

    assert [(one.kind, one.field_id) for one in found] == [
        ("flight", None),
        ("herd", None),
        ("grazing", 1),
        ("grazing", 2),
    ]
    # 6 h where they were in the evening, 18 h where they were seen in the morning.
    amounts = [one.figures["animal_days"] for one in found[2:]]
    assert amounts == pytest.approx([240 * 18 / 24, 240 * 6 / 24])


def test_a_collars_day_is_grazing_alone():
    points = track(3600 * np.arange(0, 24, 0.5), 500, 250)

    (found,) = work_of_day(
        points, {}, kind="collar", day_us=(NOON_US, NOON_US + DAY_US), pastures=PASTURES
    )

    assert (found.kind, found.field_id) == ("grazing", 1)
    assert found.figures["animal_days"] == pytest.approx(1.0)
