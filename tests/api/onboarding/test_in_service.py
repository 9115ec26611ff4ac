"""A device in service is disabled, moved and calibrated by its own farm alone."""

import sqlalchemy as sa

from storage import tables
from tests.api.onboarding.world import World
from tests.two_farms import DAY, START


def test_a_device_is_disabled_enabled_and_described_anew(world: World) -> None:
    world.register()
    asked = {"disabled": True, "name": "Lost", "timezone": "Asia/Almaty"}
    answer = world.ask("PATCH", "/devices/new-probe", json=asked)

    assert answer.status_code == 200, answer.text
    assert {key: answer.json()[key] for key in asked} == asked
    revision = sa.select(tables.device_credentials.c.revision)
    with world.engine.connect() as connection:
        assert connection.scalar(revision) == 2  # Mosquitto is to be told
    world.ask("PATCH", "/devices/new-probe", json={"disabled": False})
    assert world.ask("GET", "/devices/new-probe").json()["disabled"] is False
    for wrong in ({"name": None}, {"disabled": None}, {"timezone": "Mars/Olympus"}, {"farm": "x"}):
        assert world.ask("PATCH", "/devices/new-probe", json=wrong).status_code == 422


def test_a_field_of_another_farm_is_no_place_for_a_device(world: World) -> None:
    for key in (world.operator, world.boss):
        assert world.register(key=key, field_id=world.theirs.field).status_code == 404
        moved = {"field_id": world.theirs.field, "valid_from": START.isoformat()}
        path = f"/devices/{world.mine.device}/placements"
        assert world.ask("POST", path, key=key, json=moved).status_code == 404


def test_a_device_moves_and_a_mistake_is_taken_back(world: World) -> None:
    path = f"/devices/{world.mine.device}/placements"
    assert world.ask("GET", path).json() == []
    asked = {"field_id": None, "valid_from": START.isoformat()}
    key = {"Idempotency-Key": "a move"}
    answer = world.ask("POST", path, json=asked, headers=key)
    assert answer.status_code == 201, answer.text
    assert world.ask("POST", path, json=asked, headers=key).json() == answer.json()

    found = world.ask("GET", path).json()
    assert [(one["field_id"], one["valid_from"]) for one in found] == [
        (world.mine.field, "1970-01-01T00:00:00Z"), (None, "2025-06-01T00:00:00Z"),
    ]  # fmt: skip
    assert {one["created_by"] for one in found} == {"client:operator"}
    assert world.ask("GET", f"/devices/{world.mine.device}").json()["field_id"] is None
    assert world.ask("DELETE", f"{path}/{answer.json()['id']}").status_code == 204
    assert world.ask("DELETE", f"{path}/{answer.json()['id']}").status_code == 404
    assert world.ask("GET", f"/devices/{world.mine.device}").json()["field_id"] == world.mine.field
    assert [one[1] for one in world.deeds()] == ["device.place", "device.unplace"]
    for wrong in ("2999-01-01T00:00:00Z", "1969-12-31T00:00:00Z", "2025-06-01T00:00:00"):
        refused = world.ask("POST", path, json={"field_id": None, "valid_from": wrong})
        assert refused.status_code == 422, wrong


def test_a_datastream_is_calibrated_and_its_readings_stay(world: World) -> None:
    path = f"/datastreams/{world.mine.stream}/calibrations"
    readings = (
        f"/datastreams/{world.mine.stream}/readings?start=2025-06-01T00:00:00Z"
        "&end=2025-06-03T00:00:00Z"
    )
    raw = world.ask("GET", readings).json()
    asked = {
        "valid_from": (START + DAY).isoformat(), "slope": 1.04, "intercept": -0.01,
        "reference": "certificate 17",
    }  # fmt: skip
    made = world.ask("POST", path, json=asked)
    assert made.status_code == 201, made.text
    again = world.ask("POST", path, json=asked | {"slope": 1.05})

    (found,) = world.ask("GET", path).json()
    assert (found["slope"], found["intercept"]) == (1.05, -0.01)
    assert (found["reference"], found["created_by"]) == ("certificate 17", "client:operator")
    assert world.ask("GET", readings).json() == raw
    assert world.ask("DELETE", f"{path}/{again.json()['id']}").status_code == 204
    assert world.ask("GET", path).json() == []
    for wrong in ({"slope": 0}, {"slope": -1}, {"slope": 1e9}, {"reference": ""}):
        assert world.ask("POST", path, json=asked | wrong).status_code == 422


def test_of_anothers_device_nothing_is_seen_or_changed(world: World) -> None:
    device, stream = world.theirs.device, world.theirs.stream
    when = {"field_id": None, "valid_from": START.isoformat()}
    mended = {"valid_from": START.isoformat(), "slope": 2.0, "reference": "x"}
    before = world.everything_stored()
    for method, path, body in (
        ("GET", f"/devices/{device}", None),
        ("GET", f"/devices/{device}/configuration", None),
        ("GET", f"/devices/{device}/placements", None),
        ("GET", f"/datastreams/{stream}/calibrations", None),
        ("PATCH", f"/devices/{device}", {"disabled": True}),
        ("POST", f"/devices/{device}/credential", {}),
        ("POST", f"/devices/{device}/placements", when),
        ("POST", f"/datastreams/{stream}/calibrations", mended),
        ("POST", f"/devices/{world.mine.device}/placements", when | {"datastream_id": stream}),
    ):
        more = {} if body is None else {"json": body}
        assert world.ask(method, path, **more).status_code == 404, path
    assert world.everything_stored() == before
