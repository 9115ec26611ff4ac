"""Devices come into service over REST: a token is shown once, and never another's."""

import base64
import io
import json
import tomllib
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import sqlalchemy as sa
import zxingcpp
from PIL import Image

from ingest.codecs import BUILT_IN
from storage import credentials, tables, unknown
from storage.sealing import Seal
from storage.unknown import Sighting
from tests.api.asking import Api, put_key
from tests.conftest import empty
from tests.two_farms import DAY, START, put_land

KEY = "ab" * 32


class World:
    """Two farms; an operator of one of them, and an administrator."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine, self.api = engine, Api(engine)
        with engine.begin() as connection:
            self.mine = put_land(connection, "mine", "KZ-61")
            self.theirs = put_land(connection, "theirs", "KZ-43")
        self.operator = put_key(engine, "operator", farm_ids=[self.mine.farm])
        self.boss = put_key(engine, "boss", everything=True)

    def ask(self, method: str, path: str, *, key: str | None = None, **more: Any) -> Any:
        return self.api.ask(method, f"/v1{path}", key=key or self.operator, **more)

    def register(self, *, key: str | None = None, **body: Any) -> Any:
        usual = {"id": "new-probe", "farm": "mine", "kind": "soil-probe"}
        return self.ask("POST", "/devices", key=key, json=usual | body)

    def deeds(self) -> list[tuple[str, str, str, int | None]]:
        deed = tables.audit_log.c
        query = sa.select(deed.actor, deed.action, deed.object, deed.farm_id).order_by(deed.id)
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(query)]  # type: ignore[misc]

    def everything_stored(self) -> str:
        """Every row of every table, as text."""
        with self.engine.connect() as connection:
            return "\n".join(
                str(row)
                for table in tables.metadata.sorted_tables
                for row in connection.execute(sa.select(table))
            )


@pytest.fixture(scope="module")
def world(engine: sa.Engine) -> Iterator[World]:
    yield World(engine)
    empty(engine)


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DALA_BROKER_KEY", KEY)
    monkeypatch.setenv("DALA_PUBLIC_MQTT_URL", "mqtts://mqtt.farm.example:8884")


@pytest.fixture(autouse=True)
def _as_it_was(world: World) -> Iterator[None]:
    """Every device that a test made is gone after it."""
    yield
    known = [world.mine.device, world.theirs.device]
    with world.engine.begin() as connection:
        for name in ("device_placements", "datastream_calibrations", "device_credentials",
                     "audit_log", "unknown_devices", "kept_answers"):  # fmt: skip
            connection.execute(sa.delete(tables.metadata.tables[name]))
        connection.execute(sa.delete(tables.devices).where(tables.devices.c.id.not_in(known)))
        connection.execute(
            sa.update(tables.devices)
            .where(tables.devices.c.id == world.mine.device)
            .values(field_id=world.mine.field, disabled=False)
        )


def test_a_device_is_registered_and_its_token_is_shown_once(world: World) -> None:
    answer = world.register(field_id=world.mine.field, name="Probe 7")

    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    secret, device = body["secret"], body["device"]
    assert (secret["client_id"], secret["username"]) == ("new-probe", "new-probe")
    assert len(base64.urlsafe_b64decode(secret["token"] + "=")) == 32
    assert (device["farm"], device["name"], device["field_id"]) == (
        "mine", "Probe 7", world.mine.field,
    )  # fmt: skip
    assert [one["broker"] for one in device["credentials"]] == ["to be told"]
    with world.engine.connect() as connection:
        (found,) = credentials.find(connection, "new-probe").tokens  # type: ignore[union-attr]
        sealed = connection.scalar(sa.select(tables.device_credentials.c.sealed_token))
    assert found.token_hash == credentials.hash_token(secret["token"])
    assert Seal(KEY).open("new-probe", str(sealed)) == secret["token"]
    # Nowhere in the database, and in no later answer.
    assert secret["token"] not in world.everything_stored()
    for path in ("/devices/new-probe", "/devices/new-probe/configuration"):
        later = world.ask("GET", path)
        assert later.status_code == 200
        assert secret["token"] not in later.text
    assert world.deeds() == [
        ("client:operator", "device.register", "device:new-probe", world.mine.farm)
    ]


def test_what_the_installer_takes_along_is_of_this_device(world: World) -> None:
    body = world.register().json()
    secret = body["secret"]
    url = urlsplit(secret["qr_text"])

    assert (url.scheme, url.hostname, url.port) == ("mqtts", "mqtt.farm.example", 8884)
    assert (url.username, url.password) == ("new-probe", secret["token"])
    assert parse_qs(url.query) == {"client_id": ["new-probe"]}
    assert secret["qr_svg"].startswith("<svg")
    head, _, picture = secret["qr_png"].partition(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(picture).startswith(b"\x89PNG")
    files = {one["name"]: one["text"] for one in body["configuration"]["files"]}
    mqtt = json.loads(files["mqtt.json"])
    assert (mqtt["host"], mqtt["port"], mqtt["tls"]) == ("mqtt.farm.example", 8884, True)
    assert mqtt["password"] == secret["token"]
    assert body["configuration"]["subscribes"] == ["dala/v1/new-probe/receipt"]
    # The example is a message that the service takes.
    example = files["example.senml.json"].encode()
    found = BUILT_IN.decode(mqtt["readings_topic"], example, received_at_us=1_790_000_000_000_000)
    assert not found.rejected
    assert {one.quantity for one in found.readings} >= {"soil_moisture", "battery_voltage"}


def test_the_example_has_the_datastreams_that_there_are(world: World) -> None:
    files = world.ask("GET", f"/devices/{world.mine.device}/configuration").json()["files"]
    (example,) = [one["text"] for one in files if one["name"] == "example.senml.json"]

    assert [one["n"] for one in json.loads(example)] == ["boot", "seq", "soil_moisture"]
    assert '"<token>"' in str(files[0]["text"])


def test_a_token_is_replaced_in_its_own_time_or_at_once(world: World) -> None:
    first = world.register().json()["secret"]
    second = world.ask("POST", "/devices/new-probe/credential", json={"overlap_h": 24})
    assert second.status_code == 201, second.text
    secret = second.json()["secret"]

    assert secret["username"] == "new-probe~2"
    assert secret["client_id"] == "new-probe"
    assert secret["token"] != first["token"]
    assert secret["replaced_until"] is not None
    known = world.ask("GET", "/devices/new-probe").json()["credentials"]
    assert [one["username"] for one in known] == ["new-probe~2", "new-probe"]
    third = world.ask("POST", "/devices/new-probe/credential", json={"overlap_h": 0}).json()
    assert third["secret"]["username"] == "new-probe~2"
    known = world.ask("GET", "/devices/new-probe").json()["credentials"]
    assert [one["username"] for one in known] == ["new-probe~2"]
    assert world.deeds()[-1][1] == "credential.issue"


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


def test_without_a_key_or_an_address_a_device_still_comes_into_service(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DALA_BROKER_KEY")
    monkeypatch.delenv("DALA_PUBLIC_MQTT_URL")
    body = world.register().json()

    assert body["configuration"]["broker_url"] is None
    # No code rather than one that leads nowhere.
    assert [body["secret"][name] for name in ("qr_text", "qr_svg", "qr_png")] == [None] * 3
    assert json.loads(body["configuration"]["files"][0]["text"])["host"] == "<broker>"
    with world.engine.connect() as connection:
        assert connection.scalar(sa.select(tables.device_credentials.c.sealed_token)) is None


def test_the_code_is_read_back_from_its_picture(world: World) -> None:
    secret = world.register(id="probe_ж-7").json()["secret"]
    picture = base64.b64decode(secret["qr_png"].partition(",")[2])
    (code,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture)))

    assert code.text == secret["qr_text"]
    url = urlsplit(code.text)
    assert (unquote(str(url.username)), url.password) == ("probe_ж-7", secret["token"])


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
        (token,) = credentials.find(connection, "p-2").tokens  # type: ignore[union-attr]
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
