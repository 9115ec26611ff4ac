"""The installer's files are taken by the real programs that they are for."""

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
import pytest

from api import installer
from embedded.home import EmbeddedSettings
from embedded.stack import Servers, open_embedded
from migrations import upgrade
from storage import credentials, devices, registering
from storage.database import make_engine
from tests.ingest.dynamic_broker import PATH
from tests.ingest.servers import Mosquitto, wait_until

TOPICS = ("v3/#", "application/#")


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with open_embedded(EmbeddedSettings(home=tmp_path_factory.mktemp("home")), verb="test") as made:
        engine = make_engine(made.database_url)
        upgrade(engine)
        engine.dispose()
        yield made


def heard(servers: Servers) -> tuple[mqtt.Client, list[tuple[str, bytes]]]:
    """Everything that ingest would hear."""
    url = urlsplit(servers.mqtt_url)
    found: list[tuple[str, bytes]] = []
    ready = threading.Event()
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
    client.username_pw_set(url.username, url.password)
    client.on_message = lambda *args: found.append((args[2].topic, args[2].payload))
    client.on_subscribe = lambda *_: ready.set()
    client.connect(str(url.hostname), int(url.port or 0))
    client.subscribe("#", 1)
    client.loop_start()
    assert ready.wait(10)
    return client, found


def files_for(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    url = urlsplit(servers.mqtt_url)
    monkeypatch.setenv("DALA_PUBLIC_MQTT_URL", f"mqtt://127.0.0.1:{url.port}")
    engine = make_engine(servers.database_url)
    with engine.begin() as connection:
        registering.register(
            connection, "bridge", kind="gateway", name="bridge", topic_filters=list(TOPICS)
        )
        issued = credentials.issue(connection, "bridge")
        device = devices.get(connection, "bridge")
    engine.dispose()
    made = installer.configuration(device, [], TOPICS, issued)
    return {one.name: one.text for one in made.files}


def test_the_bridge_hands_uplinks_of_the_things_stack_on(
    servers: Servers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if shutil.which("mosquitto", path=PATH) is None:
        pytest.skip("needs mosquitto")
    stack = Mosquitto(tmp_path)  # in place of The Things Stack: the same topics, QoS 0
    text = files_for(servers, monkeypatch)["things-stack-bridge.conf"]
    for written, here in (
        ("address eu1.cloud.thethings.network:8883", f"address 127.0.0.1:{stack.port}"),
        (f"bridge_cafile {installer.CERTIFICATES}\n", ""),
        ("remote_username <application>@<tenant>", "remote_username somebody"),
        ("<API key of the application>", stack.password),
        ("<application>@<tenant>", "farm@ttn"),
    ):
        assert written in text
        text = text.replace(written, here)
    config = tmp_path / "bridge.conf"
    config.write_text(f"log_dest file {tmp_path / 'bridge.log'}\n{text}")
    client, found = heard(servers)
    bridge = subprocess.Popen([str(shutil.which("mosquitto", path=PATH)), "-c", str(config)])
    sender = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    sender.username_pw_set("somebody", stack.password)
    sender.connect("127.0.0.1", stack.port)
    sender.loop_start()
    topic = "v3/farm@ttn/devices/probe-1/up"
    uplink = json.dumps({"end_device_ids": {"device_id": "probe-1"}}).encode()
    try:

        def came() -> bool:
            sender.publish(topic, uplink)  # QoS 0: until the bridge is there, nobody hears it
            return (topic, uplink) in found

        wait_until(came, "the uplink")
        # It stays: the broker did not throw it out, as it does who speaks on its own topics.
        sender.publish("v3/farm@ttn/devices/probe-2/up", b"{}")
        wait_until(lambda: any("probe-2" in one for one, _ in found), "the next one")
        log = Path(servers.home.logs / "broker.log").read_text()
        assert "$SYS" not in log
        assert "refused 'bridge'" not in log
    finally:
        bridge.terminate()
        bridge.wait(10)
        for one in (sender, client):
            one.disconnect()
            one.loop_stop()
        stack.stop()
