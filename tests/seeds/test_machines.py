"""The simulated machines do believable work, and their tracks hold the season's truth."""

import datetime as dt
from typing import Any

import numpy as np
import pytest

from analytics.machine_days import work_of_day
from analytics.machine_work import machine_work
from analytics.track_geometry import FieldShape, TrackArrays, field_shape
from analytics.yields import STANDARD_MOISTURE_PCT
from seeds.farms import catalogue, geodesic_area_ha
from seeds.machines import COMBINE, SEEDER, pasture_rings
from seeds.messages import ZONE, Sender, senders
from seeds.season import TrueSeason, simulate_all

Point = dict[str, Any]


@pytest.fixture(scope="module")
def season() -> list[TrueSeason]:
    return simulate_all(catalogue(12))


@pytest.fixture(scope="module")
def tracks(season: list[TrueSeason]) -> dict[str, list[Point]]:
    """Points of each machine by its id."""

    def points(sender: Sender) -> list[Point]:
        return [point for message in sender.messages for point in message.body]

    everyone = {sender.device_id: sender for sender in senders(season)}
    return {
        name: points(one)
        for name, one in everyone.items()
        if one.device_kind in {"tractor", "harvester", "herding-drone"}
    }


def seconds(points: list[Point]) -> np.ndarray[Any, Any]:
    return np.array([dt.datetime.fromisoformat(one["time"]).timestamp() for one in points])


def arrays(points: list[Point]) -> TrackArrays:
    names = {"latitude_deg": "lat", "longitude_deg": "lon"}
    columns: dict[str, Any] = {
        name: np.array([one.get(names.get(name, name), np.nan) for one in points], float)
        for name in TrackArrays._fields[1:]
    }
    columns["work_state"] = np.array([one.get("work_state", -1) for one in points], np.int16)
    return TrackArrays(np.round(seconds(points) * 1e6).astype(np.int64), **columns)


def shape(ring: list[list[float]]) -> FieldShape:
    return field_shape({"type": "Polygon", "coordinates": [ring]})


def first_fields(season: list[TrueSeason]) -> list[TrueSeason]:
    return [one for one in season if one.field.name == "field-1"]


def test_every_machine_says_where_it_is_once_a_moment_and_within_a_local_day(
    tracks: dict[str, list[Point]],
) -> None:
    for name, points in tracks.items():
        assert (np.diff(seconds(points)) > 0).all(), name
        if not name.endswith("drone"):
            begins, ends = (dt.datetime.fromisoformat(points[i]["time"]) for i in (0, -1))
            assert begins.astimezone(ZONE).date() == ends.astimezone(ZONE).date(), name


def test_a_tractor_seeds_its_field_with_little_overlap_and_one_gap(
    season: list[TrueSeason], tracks: dict[str, list[Point]]
) -> None:
    for one in first_fields(season):
        points = arrays(tracks[f"{one.farm.slug}-tractor"])
        work = machine_work(points, {1: shape(one.field.polygon)})
        assert work is not None
        (found,) = work.fields

        assert (work.day.jumps, work.day.no_fix, work.day.reasons) == (0, 0, ())
        # 12 m wide and up to 120 m long; what the neighbours' overlap covers is no gap.
        assert 0.055 < found.gap_ha < 12 * 120 / 1e4
        assert found.worked_ha == pytest.approx(one.field.area_ha - found.gap_ha, rel=0.002)
        assert 0.02 < found.overlap_ha / found.gross_ha < 0.05
        assert 3 < found.fuel_l_ha < 6
        assert 0.03 < work.day.times.shares()["idle_share"] < 0.15
        assert 0.05 < work.day.times.shares()["transport_share"] < 0.2
        assert found.width_m == SEEDER.width_m


def test_a_harvester_weighs_the_fields_true_yield(
    season: list[TrueSeason], tracks: dict[str, list[Point]]
) -> None:
    for one in first_fields(season):
        points = tracks[f"{one.farm.slug}-harvester"]
        track = arrays(points)
        flow = np.array([point.get("mass_flow_kg_s", 0.0) for point in points])
        working = (track.work_state[1:] == 1) & (track.work_state[:-1] == 1)
        mass = (np.diff(seconds(points)) * flow[1:])[working].sum()

        # The true yield is clean, at the crop's standard moisture; the combine's grain has 13 %.
        standard = STANDARD_MOISTURE_PCT.get(one.field.crop_name, 13.0)
        dry = one.yield_kg_ha * one.field.area_ha * (100 - standard) / 100
        assert mass * 0.87 == pytest.approx(dry, rel=0.005)
        work = machine_work(track, {1: shape(one.field.polygon)})
        assert work is not None
        assert work.fields[0].worked_ha == pytest.approx(one.field.area_ha, rel=0.001)
        assert work.fields[0].width_m == COMBINE.width_m


def test_a_herding_drone_finds_its_herd_on_a_pasture_every_morning(
    season: list[TrueSeason], tracks: dict[str, list[Point]]
) -> None:
    (farm,) = {one.farm.slug: one.farm for one in season if one.farm.slug == "kostanay-01"}.values()
    pastures = {key: shape(ring) for key, ring in enumerate(pasture_rings(farm).values(), 1)}
    track = arrays(tracks["kostanay-01-drone"])
    day_us = 86_400_000_000
    begin = int(dt.datetime(2025, 6, 1, tzinfo=ZONE).timestamp() * 1e6)

    grazed = []
    for day in range(84):
        today = (begin + day * day_us, begin + (day + 1) * day_us)
        near = track.at((track.time_us >= today[0] - day_us) & (track.time_us < today[1]))
        found = work_of_day(near, {}, kind="herding-drone", day_us=today, pastures=pastures)
        assert [one.kind for one in found[:2]] == ["flight", "herd"]
        assert 150 < found[1].figures["animals"] < 320
        grazed.append({one.field_id for one in found[2:]})

    # Two weeks on each; on the morning of a change both are used.
    assert grazed[:14] == [{1}] * 14
    assert grazed[14:29] == [{1, 2}] + [{2}] * 13 + [{1, 2}]


def test_pastures_do_not_touch_the_fields(season: list[TrueSeason]) -> None:
    for one in season:
        rings = pasture_rings(one.farm)
        assert bool(rings) == (not one.farm.setting.irrigated)
        for ring in rings.values():
            assert geodesic_area_ha(ring) == pytest.approx(180.0, rel=0.001)
            assert not shape(ring).boundary.intersects(shape(one.field.polygon).boundary)
