"""A device comes into service over REST: its token is shown once, with what the installer needs."""

import base64
import io
import json
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import sqlalchemy as sa
import zxingcpp
from PIL import Image

from ingest.codecs import BUILT_IN
from storage import credentials, tables
from storage.sealing import Seal
from tests.api.onboarding.world import KEY, World
from tests.tokens import only_token


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
        found = only_token(connection, "new-probe")
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
