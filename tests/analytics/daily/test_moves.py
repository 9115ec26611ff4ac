"""A meter that was moved, a sensor that was calibrated: what was measured stays where it was."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from analytics.daily.measured import split
from analytics.irrigation import Differences
from storage import calibrations, devices, fields, irrigation, placements, results, tables
from storage.irrigation import IrrigationEvent
from tests.analytics.daily.conftest import (
    CROP,
    PLANTED,
    SOIL,
    World,
    at,
    day_of,
    meter,
    probe,
    station,
)

Found = Callable[..., World]
HALF = at(day_of(34), 17.9)  # halfway between the readings of 12:00 and 23:48


def beside(world: World) -> tuple[int, int]:
    """A second field of 10 ha, and its crop zone."""
    with world.engine.begin() as connection:
        field = fields.put(
            connection, farm_id=world.farm.id, name="field-2", area_ha=10.0, area_source="test",
            soil=SOIL, soil_source="test",
        )  # fmt: skip
        zone = fields.put_zone(
            connection, field_id=field, season=2025, crop="cotton", planted=PLANTED,
            harvested=day_of(59), area_ha=10.0, irrigation_method="drip",
            application_efficiency=0.9, wetted_fraction=0.4, crop_parameters=CROP, conventions={},
        )  # fmt: skip
    return field, zone


def move(world: World, device: str, field: int, when: dt.datetime) -> None:
    with world.engine.begin() as connection:
        placements.place(
            connection, f"{world.farm.slug}-{device}", field, valid_from=when, by="test"
        )


def result(world: World, zone: int) -> dict[str, Any]:
    with world.engine.connect() as connection:
        return dict(results.seasons(connection, [zone])[zone])


def daily(world: World, zone: int, column: str) -> list[Any]:
    days = tables.balance_days.c
    query = sa.select(days[column]).where(days.crop_zone_id == zone, days.superseded_at.is_(None))
    with world.engine.connect() as connection:
        return list(connection.scalars(query.order_by(days.day)))


def test_each_field_has_its_part_of_the_water_of_a_moved_meter(found_farm: Found) -> None:
    # 300 m³ on the days 4, 9, … 59. The meter moves on day 34 halfway through its 300 m³:
    # field 1 has those of six days and half of that, field 2 the other half and those of five.
    world = found_farm("moved")
    field, zone = beside(world)
    world.says("station", station(range(60)))
    world.says("meter", meter(range(60)))
    world.analyse(day_of(61))
    assert (world.result()["applied_m3"], result(world, zone)["applied_m3"]) == (3600.0, 0.0)

    move(world, "meter", field, HALF)
    world.analyse(day_of(61))

    assert world.result()["applied_m3"] == pytest.approx(6 * 300.0 + 150.0)
    assert result(world, zone)["applied_m3"] == pytest.approx(150.0 + 5 * 300.0)
    sources = daily(world, world.zone_id, "water_source")
    assert (sources[34], sources[35], set(sources[35:])) == ("metered", "none", {"none"})
    assert daily(world, zone, "water_source")[33:35] == ["none", "metered"]


def test_a_move_that_was_a_mistake_is_taken_back(found_farm: Found) -> None:
    world = found_farm("back")
    field, zone = beside(world)
    world.says("station", station(range(60)))
    world.says("meter", meter(range(60)))
    move(world, "meter", field, HALF)
    world.analyse(day_of(61))
    with world.engine.begin() as connection:
        *_, last = placements.of_devices(connection, ["back-meter"])
        placements.withdraw(connection, "back-meter", last.id)
        assert devices.get(connection, "back-meter").field_id == world.field_id
    world.analyse(day_of(61))

    assert (world.result()["applied_m3"], result(world, zone)["applied_m3"]) == (3600.0, 0.0)


def test_night_by_night_is_the_season_at_once(found_farm: Found) -> None:
    # 30 days before and after the move lie outside what a first difference looks back for.
    once, nightly = found_farm("once"), found_farm("nightly")
    zones = []
    for world in (once, nightly):
        field, zone = beside(world)
        zones.append(zone)
        world.says("station", station(range(60)))
        world.says("meter", meter(range(26)))
        if world is nightly:
            for night in (10, 26):
                world.analyse(day_of(night))
        move(world, "meter", field, at(day_of(24), 17.9))
        if world is nightly:
            world.analyse(day_of(27))
        world.says("meter", meter(range(26, 60)))
        for night in (30, 58, 59, 61) if world is nightly else (61,):
            world.analyse(day_of(night))

    for one, other in ((once.zone_id, nightly.zone_id), zones):
        for column in ("irrigation_gross_mm", "depletion_mm"):
            expected = daily(once, one, column)
            assert daily(nightly, other, column) == pytest.approx(expected, abs=1e-9)
        assert daily(nightly, other, "water_source") == daily(once, one, "water_source")


def test_people_enter_what_no_meter_stands_for(found_farm: Found) -> None:
    world = found_farm("diary")
    field, _ = beside(world)
    world.says("station", station(range(60)))
    world.says("meter", meter(range(60)))
    move(world, "meter", field, at(day_of(30), 0))
    with world.engine.begin() as connection:
        irrigation.add_events(
            connection,
            [
                IrrigationEvent(
                    world.field_id, at(day, 8), at(day, 18), 400.0, 0.5, 0.8, f"diary {day}"
                )
                for day in (day_of(10), day_of(40))
            ],
        )
    world.analyse(day_of(61))

    # On day 10 the meter stood there and says what flowed: six times 300 m³, then the diary's 400.
    assert world.result()["applied_m3"] == pytest.approx(6 * 300.0 + 400.0)
    sources = daily(world, world.zone_id, "water_source")
    assert (sources[29], sources[30], sources[40]) == ("metered", "entered", "entered")


def test_a_moved_probe_speaks_for_the_field_that_it_was_in(found_farm: Found) -> None:
    world = found_farm("probe")
    field, zone = beside(world)
    world.says("station", station(range(60)))
    world.says("meter", meter(range(60)))
    world.says("probe", probe(range(60)))
    move(world, "probe", field, at(day_of(30), 6))
    world.analyse(day_of(61))

    own = daily(world, world.zone_id, "measured_depletion_mm")
    others = daily(world, zone, "measured_depletion_mm")
    assert None not in own[:30]
    assert set(own[30:]) == set(others[:30]) == {None}
    assert None not in others[30:]


def test_a_calibration_counts_from_its_day_on_and_readings_stay(found_farm: Found) -> None:
    # 10 % more from day 30 on: 6 × 300 + 6 × 330 m³.
    world = found_farm("mended")
    world.says("station", station(range(60)))
    world.says("meter", meter(range(60)))
    world.analyse(day_of(61))
    with world.engine.begin() as connection:
        (stream,) = devices.datastreams(connection, ["mended-meter"])
        raw = connection.scalar(sa.text("SELECT sum(value) FROM readings"))
        made = calibrations.calibrate(
            connection, stream.id, valid_from=at(day_of(30), 0), slope=1.1, intercept=0.0,
            reference="certificate 17", by="test",
        )  # fmt: skip
    before = daily(world, world.zone_id, "computed_at")
    world.analyse(day_of(61))

    assert world.result()["applied_m3"] == pytest.approx(6 * 300.0 + 6 * 330.0)
    depths = daily(world, world.zone_id, "irrigation_gross_mm")
    assert (depths[29], depths[34]) == pytest.approx((3.0, 3.3))
    after = daily(world, world.zone_id, "computed_at")
    assert after[:29] == before[:29]  # days that the calibration does not reach stand as they were
    assert after[34] > before[34]

    with world.engine.begin() as connection:
        assert connection.scalar(sa.text("SELECT sum(value) FROM readings")) == raw
        calibrations.withdraw(connection, stream.id, made.id)
    world.analyse(day_of(61))
    assert world.result()["applied_m3"] == pytest.approx(3600.0)


def test_a_thermometer_that_read_high_is_corrected(found_farm: Found) -> None:
    # A station of no field is in no crop zone's digest: it is by the news that its days are done.
    world = found_farm("warm")
    world.says("station", station(range(60)))
    world.analyse(day_of(61))
    before = daily(world, world.zone_id, "et0_mm")
    with world.engine.begin() as connection:
        (stream,) = [
            one
            for one in devices.datastreams(connection, ["warm-station"])
            if one.quantity == "air_temperature_max"
        ]
        calibrations.calibrate(
            connection, stream.id, valid_from=at(day_of(20), 0), slope=1.0, intercept=-2.0,
            reference="beside a reference", by="test",
        )  # fmt: skip
    world.analyse(day_of(61))
    after = daily(world, world.zone_id, "et0_mm")

    assert after[:20] == before[:20]
    assert all(new < old for new, old in zip(after[20:], before[20:], strict=True))


def test_a_sensor_of_a_device_moves_alone(found_farm: Found) -> None:
    world = found_farm("valves")
    field, zone = beside(world)
    world.says("station", station(range(60)))
    world.says("meter", meter(range(60)))
    with world.engine.begin() as connection:
        (stream,) = devices.datastreams(connection, ["valves-meter"])
        placements.place(
            connection, "valves-meter", field, valid_from=at(day_of(30), 0), by="test",
            datastream_id=stream.id,
        )  # fmt: skip
        assert devices.get_datastream(connection, stream.id).field_id == field
    world.analyse(day_of(61))

    assert world.result()["applied_m3"] == result(world, zone)["applied_m3"] == 1800.0


def test_a_volume_is_cut_in_proportion_to_time() -> None:
    no = np.zeros(2, bool)
    whole = Differences(np.array([0.0, 10.0]), np.array([10.0, 20.0]), np.array([5.0, 8.0]), no, no)

    cut = split(whole, [12.5, 10.0, 15.0, 30.0])

    order = np.argsort(cut.start)
    assert cut.start[order].tolist() == [0.0, 10.0, 12.5, 15.0]
    assert cut.end[order].tolist() == [10.0, 12.5, 15.0, 20.0]
    assert cut.volume[order].tolist() == [5.0, 2.0, 2.0, 4.0]
    assert split(whole, []) is whole
