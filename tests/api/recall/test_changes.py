"""What was told is told again of the same state: whatever changed is told from then on."""

import datetime as dt

import pytest
import time_machine

from storage import devices, farms, fields, heard
from storage.farms import Region
from tests.api.recall.world import COUNTRY, FARM, REGION, World, applied, put_result


@pytest.mark.parametrize("path", [FARM, REGION, COUNTRY])
def test_a_result_is_told_from_the_next_request_on(world: World, key: str, path: str) -> None:
    assert applied(world.told_again(key, path)) == 100.0

    with world.engine.begin() as connection:
        put_result(connection, world.mine, 200.0)

    assert applied(world.ask(path, key)) == 200.0
    assert applied(world.told_again(key, path)) == 200.0


def test_an_entry_of_a_person_is_told_from_the_next_request_on(world: World, key: str) -> None:
    world.told_again(key)
    body = {
        "crop_zone_id": world.mine.zone,
        "volume_m3": 100,
        "u_volume_m3": 5,
        "reason": "leaching of salts",
    }

    entered = world.api.ask("POST", "/v1/adjustments", key=key, json=body)

    assert entered.status_code == 201, entered.text
    zones = world.ask(FARM, key).json()["crop_zones"]
    assert [one["reason"] for one in zones[0]["adjustments"]] == ["leaching of salts"]


@pytest.mark.parametrize("path", [FARM, REGION, COUNTRY])
def test_who_began_before_and_commits_after_is_told_of(world: World, key: str, path: str) -> None:
    # What a counter misses: the later transaction commits first, and its number was read.
    with world.engine.connect() as early, world.engine.connect() as late:
        put_result(early, world.mine, 200.0)
        farms.change(late, world.mine.farm, name="Ours")
        late.commit()
        assert applied(world.told_again(key, path)) == 100.0
        world.told_again(key, path)  # and again, by the snapshot of a later look

        early.commit()

    assert applied(world.ask(path, key)) == 200.0


def test_what_was_rolled_back_is_no_change(world: World, key: str) -> None:
    world.told_again(key)
    with world.engine.connect() as connection:
        put_result(connection, world.mine, 200.0)
        connection.rollback()

    assert applied(world.ask(FARM, key)) == 100.0
    assert world.was_recalled()


def test_another_farm_is_no_change_of_this_one(world: World, key: str) -> None:
    world.told_again(key)
    with world.engine.begin() as connection:
        put_result(connection, world.theirs, 200.0)

    world.ask(FARM, key)
    assert world.was_recalled()


def test_devices_are_silent_after_a_day_and_speak_again(world: World, key: str) -> None:
    def us(moment: dt.datetime) -> int:
        return round(moment.timestamp() * 1_000_000)

    now = dt.datetime.now(dt.UTC)
    with world.engine.begin() as connection:
        heard.note(connection, {world.mine.device: us(now - dt.timedelta(hours=23, minutes=30))})
    assert world.told_again(key).json()["devices"] == {"total": 1, "reporting": 1, "silent": 0}

    with time_machine.travel(now + dt.timedelta(minutes=31)):
        answer = world.ask(FARM, key)
        assert answer.json()["devices"] == {"total": 1, "reporting": 0, "silent": 1}
        world.told_again(key)
        with world.engine.begin() as connection:
            heard.note(connection, {world.mine.device: us(now)})
        assert world.ask(FARM, key).json()["devices"]["reporting"] == 1


def test_a_new_device_is_told_of(world: World, key: str) -> None:
    world.told_again(key)
    with world.engine.begin() as connection:
        devices.put(connection, "new", farm_id=world.mine.farm, kind="soil-probe", name="New")

    assert world.ask(FARM, key).json()["devices"]["total"] == 2


def test_a_region_that_is_renamed_is_told_of(world: World, key: str) -> None:
    world.told_again(key, COUNTRY)
    with world.engine.begin() as connection:
        farms.put_region(connection, Region("KZ-61", "61", "Түркістан", "Туркестан", "Turkistan"))

    (line,) = world.ask(COUNTRY, key).json()["regions"]
    assert line["names"]["en"] == "Turkistan"


def test_a_crop_of_a_new_season_is_told_of(world: World, key: str) -> None:
    path = "/v1/seasons?farm=mine"
    assert [one["season"] for one in world.told_again(key, path).json()] == [2025]
    with world.engine.begin() as connection:
        crop = {"crop": "cotton", "area_ha": 1.0, "crop_parameters": {}, "conventions": {}}
        span = {"planted": dt.date(2026, 4, 20), "harvested": dt.date(2026, 9, 30)}
        fields.put_zone(connection, field_id=world.mine.field, season=2026, **crop, **span)

    assert [one["season"] for one in world.ask(path, key).json()] == [2026, 2025]
