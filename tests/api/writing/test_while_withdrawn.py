"""What is entered while the land it is of is being withdrawn: one of the two is told no."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from storage import devices, entries, fields, tables
from tests.api.waiting import wait_for_a_lock
from tests.api.writing.test_boundary_files import geojson
from tests.api.writing.world import EVENT, World, square, zone_of

ADJUSTMENT = {"volume_m3": -12.0, "u_volume_m3": 1.5, "reason": "salts"}
LOAD = {"ticket": "A-1", "weighed_at": "2025-09-21T14:30:00+05:00", "net_kg": 8_400}
SUPPLY = {"valid_from": "2025-04-01", "source": "canal", "reference": "contract 17"}
Write = Callable[[World, int, int], Any]

ON_A_FIELD: dict[str, Write] = {
    "a crop": lambda world, field, _: world.api.ask(
        "POST", "/v1/crop-zones", key=world.key, json=zone_of(field, crop_parameters={})
    ),
    "water": lambda world, field, _: world.api.ask(
        "POST", "/v1/irrigation-events", key=world.key, json=EVENT | {"field_id": field}
    ),
    "water in a file": lambda world, field, _: world.api.ask(
        "POST",
        f"/v1/farms/{world.slug}/records?kind=irrigation-events",
        key=world.key,
        content=f"field_id,started_at,ended_at,volume_m3\n{field},{EVENT['started_at']},"
        f"{EVENT['ended_at']},9\n".encode(),
    ),
    "where its water comes from": lambda world, field, _: world.api.ask(
        "POST", "/v1/water-supplies", key=world.key, json=SUPPLY | {"field_id": field}
    ),
    "a boundary in a file": lambda world, _field, _: world.api.ask(
        "POST",
        f"/v1/farms/{world.slug}/boundaries",
        key=world.key,
        content=geojson(("bare", square())),
    ),
    "a device": lambda world, field, _: world.api.ask(
        "POST",
        "/v1/devices",
        key=world.key,
        json={"id": f"{world.slug}-new", "farm": world.slug, "kind": "valve", "field_id": field},
    ),
    "a place of a device": lambda world, field, _: world.api.ask(
        "POST",
        f"/v1/devices/{world.mine.device}/placements",
        key=world.key,
        json={"field_id": field, "valid_from": "2025-06-02T00:00:00Z"},
    ),
}
OF_A_CROP_ZONE: dict[str, Write] = {
    "a load": lambda world, _, zone: world.api.ask(
        "POST", "/v1/harvest-loads", key=world.key, json=LOAD | {"crop_zone_id": zone}
    ),
    "an adjustment": lambda world, _, zone: world.api.ask(
        "POST", "/v1/adjustments", key=world.key, json=ADJUSTMENT | {"crop_zone_id": zone}
    ),
}


@pytest.fixture
def land(world: World) -> tuple[int, int]:
    """A field without anything on it, and a crop zone without anything of it."""
    with world.engine.begin() as connection:
        bare = fields.put(
            connection,
            farm_id=world.mine.farm,
            name="bare",
            area_ha=25.0,
            area_source="stated",
            soil={},
            soil_source="stated",
        )
    return bare, world.mine.zone


@contextmanager
def at_once(world: World, write: Callable[[], Any]) -> Iterator[tuple[sa.Connection, list[Any]]]:
    """A transaction that ends when ``write`` waits for it, and then the answer to that."""
    answered: list[Any] = []
    with ThreadPoolExecutor(1) as threads:
        with world.engine.begin() as connection:
            yield connection, answered
            asked = threads.submit(write)
            wait_for_a_lock(world.engine)
        answered.append(asked.result())


@pytest.mark.parametrize("what", ON_A_FIELD)
def test_nothing_is_entered_on_a_field_that_is_withdrawn_meanwhile(
    world: World, land: tuple[int, int], what: str
) -> None:
    field, _ = land
    with at_once(world, lambda: ON_A_FIELD[what](world, *land)) as (connection, answers):
        fields.get(connection, field, lock=True)
        fields.withdraw(connection, field, by="test")

    (answer,) = answers
    assert answer.status_code == (422 if what == "water in a file" else 404), answer.text
    with world.engine.connect() as connection:
        for table in (
            tables.crop_zones,
            tables.irrigation_events,
            tables.field_boundaries,
            tables.water_supplies,
        ):
            of = sa.select(sa.func.count()).where(table.c.field_id == field)
            assert connection.scalar(of) == 0, table.name
        device = devices.get(connection, world.mine.device)
        assert device.field_id == world.mine.field


@pytest.mark.parametrize("what", OF_A_CROP_ZONE)
def test_nothing_is_entered_of_a_crop_zone_that_is_withdrawn_meanwhile(
    world: World, land: tuple[int, int], what: str
) -> None:
    _, zone = land
    with at_once(world, lambda: OF_A_CROP_ZONE[what](world, *land)) as (connection, answers):
        entries.crop_zones.get(connection, zone, lock=True)
        entries.crop_zones.withdraw(connection, zone, by="test")

    (answer,) = answers
    assert answer.status_code == 404, answer.text
    assert world.count("harvest_loads") == world.count("non_routine_adjustments") == 0


def test_a_field_is_not_withdrawn_while_a_crop_is_entered_on_it(
    world: World, land: tuple[int, int]
) -> None:
    field, _ = land
    asked = zone_of(field) | {"area_ha": 25.0, "conventions": {}}
    withdraw = lambda: world.api.ask("DELETE", f"/v1/fields/{field}", key=world.key)  # noqa: E731
    with at_once(world, withdraw) as (connection, answers):
        fields.get(connection, field, stays=True)
        entries.crop_zones.add(connection, created_by="test", **asked)

    assert answers[0].json()["type"] == "urn:dala:problem:in-use"


def test_two_enter_on_a_field_without_waiting_for_each_other(
    world: World, land: tuple[int, int]
) -> None:
    field, _ = land
    with world.engine.begin() as connection:
        fields.get(connection, field, stays=True)
        for what in ("water", "a crop"):
            answer = ON_A_FIELD[what](world, *land)
            assert answer.status_code == 201, answer.text
