"""What is registered, by whom, one by one and from a table; and what is refused with its reason."""

import tomllib
from typing import Any

import pytest

from storage import credentials, unknown
from storage.unknown import Sighting
from tests.api.onboarding.world import World
from tests.tokens import only_token
from tests.two_farms import START


def test_an_unknown_device_is_claimed_by_what_its_network_calls_it(world: World) -> None:
    seen = Sighting("lora:a84041ffff123456", "application/1/device/a8/event/up", 3, START, START)
    with world.engine.begin() as connection:
        unknown.note(connection, [seen])
    waiting = world.ask("GET", "/unknown-devices", key=world.boss).json()
    assert [(one["identity"], one["messages"]) for one in waiting] == [(seen.identity, 3)]
    assert world.ask("GET", "/unknown-devices").status_code == 403

    # An operator reads it off the device.
    answer = world.register(
        id=None, wire_id="lora:A84041FFFF123456", profile="milesight-em500-smtc"
    )
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert (body["device"]["id"], body["device"]["wire_id"]) == (
        "lora-a84041ffff123456", seen.identity,
    )  # fmt: skip
    assert body["secret"] is None
    (file,) = body["configuration"]["files"]
    assert "DevEUI: a84041ffff123456" in file["text"]
    assert world.ask("GET", "/unknown-devices", key=world.boss).json() == []
    token = world.ask("POST", "/devices/lora-a84041ffff123456/credential", json={})
    assert (token.status_code, "through its network" in token.text) == (422, True)


def test_a_gateway_is_for_who_sees_every_farm(world: World) -> None:
    asked = {"id": "chirpstack", "kind": "gateway", "topic_filters": ["application/#", "v3/#"]}
    refused = world.register(**asked)
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:dala:problem:scope-missing")

    answer = world.register(key=world.boss, **asked)
    assert answer.status_code == 201, answer.text
    body = answer.json()
    assert body["configuration"]["publishes"][2:] == ["application/#", "v3/#"]
    files = {one["name"]: one["text"] for one in body["configuration"]["files"]}
    mqtt = tomllib.loads(files["chirpstack.toml"])["integration"]["mqtt"]
    assert mqtt["server"] == "ssl://mqtt.farm.example:8884"
    assert (mqtt["username"], mqtt["password"]) == ("chirpstack", body["secret"]["token"])
    assert "address mqtt.farm.example:8884" in files["things-stack-bridge.conf"]
    # Nor does an operator make one of a device, or take one over.
    world.register()
    for path, change in (
        ("/devices/new-probe", {"kind": "gateway"}),
        ("/devices/chirpstack", {"name": "mine now"}),
        ("/devices/chirpstack", {"kind": "soil-probe"}),
    ):
        assert world.ask("PATCH", path, json=change).status_code == 403
    assert world.ask("POST", "/devices/chirpstack/credential", json={}).status_code == 403
    for topics in (["dala/#"], ["#"], ["+/x"], ["$SYS/#"], ["a/#/b"], ["a/b+"], [""]):
        change = world.ask(
            "PATCH", "/devices/chirpstack", key=world.boss, json={"topic_filters": topics}
        )
        assert change.status_code == 422, topics
    lone = world.ask("PATCH", "/devices/new-probe", json={"topic_filters": ["a/#"]})
    assert lone.status_code == 422


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"id": "theirs-probe"}, 409),
        ({"id": "mine-probe"}, 409),
        ({"farm": "theirs"}, 404),
        ({"farm": "nowhere"}, 404),
        ({"field_id": 10**12}, 404),
        ({"id": "a/b"}, 422),
        ({"id": "a+b"}, 422),
        ({"id": "a~2"}, 422),
        ({"id": "dala-ingest"}, 422),
        ({"id": "x" * 201}, 422),
        ({"id": None}, 422),
        ({"kind": "Soil Probe"}, 422),
        ({"token": "mine"}, 422),
        ({"topic_filters": ["a/#"]}, 422),
    ],
)
def test_what_cannot_be_registered(world: World, body: dict[str, Any], status: int) -> None:
    before = world.everything_stored()
    answer = world.register(**body)

    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert world.everything_stored() == before


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/devices", {"id": "x", "farm": "mine", "kind": "soil-probe"}),
        ("PATCH", "/devices/{device}", {}),
    ],
)
def test_a_profile_that_there_is_not_is_refused_with_what_is_near(
    world: World, method: str, path: str, body: dict[str, Any]
) -> None:
    path = path.format(device=world.mine.device)
    refused = world.ask(method, path, json=body | {"profile": "em500-smtc"})
    taken = world.ask(method, path, json=body | {"profile": "milesight-em500-smtc"})

    assert refused.status_code == 422
    assert "'em500-smtc'. Is it milesight-em500-smtc? There are" in refused.json()["detail"]
    assert taken.status_code in {200, 201}, taken.text


def test_many_devices_are_registered_from_a_table_and_their_tokens_shown_once(world: World) -> None:
    lines = ["id;kind;field;name", "p-1;soil-probe;field-1;Датчик 1", "p-2;flow-meter;;"]
    content = "\r\n".join(lines).encode("cp1251")
    tried = world.ask("POST", "/farms/mine/devices?dry_run=true", content=content)
    made = world.ask("POST", "/farms/mine/devices", content=content)

    assert (tried.status_code, tried.json()["stored"], tried.json()["secrets"]) == (200, 0, [])
    assert made.status_code == 200, made.text
    assert made.headers["cache-control"] == "no-store"
    secrets = made.json()["secrets"]
    assert [one["client_id"] for one in secrets] == ["p-1", "p-2"]
    detail = world.ask("GET", "/devices/p-1").json()
    assert (detail["name"], detail["field_id"]) == ("Датчик 1", world.mine.field)
    assert world.ask("GET", "/devices/p-2").json()["field_id"] is None
    with world.engine.connect() as connection:
        token = only_token(connection, "p-2")
    assert token.token_hash == credentials.hash_token(secrets[1]["token"])
    assert secrets[1]["token"] not in world.everything_stored()
    assert [one[1:3] for one in world.deeds()[1:]] == [
        ("device.register", "device:p-1"), ("device.register", "device:p-2"),
    ]  # fmt: skip
    again = world.ask("POST", "/farms/mine/devices", content=content)
    assert again.status_code == 422
    assert "a device is registered as 'p-1'" in again.json()["problems"][0]["errors"][0]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("x;soil-probe;north;", "field: there is no field 'north' on the farm"),
        ("x;gateway;;", "a gateway is registered by itself"),
        ("x y;soil-probe;;", "id: String should match pattern"),
        (";soil-probe;;", "an id or a wire_id is needed"),
        ("dala-x;soil-probe;;", "does not begin with dala-"),
    ],
)
def test_a_line_of_devices_that_is_wrong_says_why(world: World, line: str, words: str) -> None:
    content = f"id;kind;field;name\ngood;soil-probe;;\n{line}\n".encode()
    refused = world.ask("POST", "/farms/mine/devices", content=content)

    assert refused.status_code == 422
    (problem,) = refused.json()["problems"]
    assert problem["line"] == 3
    assert words in problem["errors"][0]
    assert world.ask("GET", "/devices/good").status_code == 404
