"""Nodes that wait for a primary host hear that we are there, and that we are gone."""

import json
import queue
import signal
import time
from collections.abc import Callable, Iterator

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion
from pydantic import ValidationError

from ingest.presence import Presence
from ingest.settings import BrokerAddress, MqttSettings, Worker
from ingest.sharing import takes_in_order
from tests.ingest.servers import Ingester, Line, Mosquitto

TOPIC = "spBv1.0/STATE/farm-office"

# --- what it says ---------------------------------------------------------------------------------


def said(note: tuple[str, bytes]) -> tuple[bool, int]:
    topic, payload = note
    document = json.loads(payload)
    assert (topic, document.keys()) == (TOPIC, {"online", "timestamp"})
    return document["online"], document["timestamp"]


def test_the_will_and_the_birth_of_a_connection_have_one_time() -> None:
    presence = Presence("farm-office")
    presence.come(1_000)

    assert said(presence.will()) == (False, 1_000)
    assert said(presence.online()) == (True, 1_000)
    assert said(presence.offline(9_000)) == (False, 9_000)


def test_a_clock_that_is_set_back_does_not_make_us_older() -> None:
    presence = Presence("farm-office")
    presence.come(5_000)
    presence.come(1_000)

    # A node passes over what is older than what it heard last (Sparkplug 3.0).
    assert said(presence.online()) == (True, 5_001)
    assert said(presence.offline(1_500)) == (False, 5_001)


@pytest.mark.parametrize(
    ("topic", "payload", "denied"),
    [
        (TOPIC, b'{"online": false, "timestamp": 5}', True),
        (TOPIC, b'{"online": true, "timestamp": 5}', False),
        ("spBv1.0/STATE/another", b'{"online": false, "timestamp": 5}', False),
        (TOPIC, b"OFFLINE", False),  # of Sparkplug 2
        (TOPIC, b"[" * 100_000, False),
        (TOPIC, b"[]", False),
    ],
)
def test_who_denies_that_we_are_there_is_contradicted(
    topic: str, payload: bytes, denied: bool
) -> None:
    assert Presence("farm-office").is_denied_by(topic, payload) is denied


@pytest.mark.parametrize("host", ["", "a/b", "+", "a#", "a\x00"])
def test_a_host_that_no_topic_can_name_is_refused(host: str) -> None:
    with pytest.raises(ValidationError, match="a host's id"):
        MqttSettings(mqtt_sparkplug_host=host)


def test_by_default_nothing_is_said_of_a_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DALA_MQTT_SPARKPLUG_HOST", raising=False)

    assert MqttSettings().mqtt_sparkplug_host is None


def test_of_several_workers_the_one_that_hears_the_nodes_speaks_for_all() -> None:
    assert [takes_in_order(Worker(number, 3)) for number in (1, 2, 3)] == [True, False, False]
    assert takes_in_order(Worker())


# --- on a real broker -----------------------------------------------------------------------------


class Node:
    """A node that waits for its host."""

    def __init__(self, mosquitto: Mosquitto, name: str) -> None:
        self.heard: queue.Queue[tuple[bool, int, bool]] = queue.Queue()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name)
        address = BrokerAddress.parse(mosquitto.url)
        self._client.username_pw_set(address.user, address.password)
        self._client.on_message = self._on_message
        self._client.on_connect = lambda *_: self._client.subscribe(TOPIC, qos=1)
        self._client.connect(address.host, address.port)
        self._client.loop_start()

    def _on_message(self, _client: mqtt.Client, _data: object, message: mqtt.MQTTMessage) -> None:
        assert message.qos == 1
        if not message.payload:  # what was retained is taken back
            return
        self.heard.put((*said((message.topic, message.payload)), message.retain))

    def hears(self) -> tuple[bool, int, bool]:
        """The next state: whether the host is online, since when, and whether it was retained."""
        return self.heard.get(timeout=20)

    def deny(self, time_ms: int) -> None:
        """Say for the host what a will of its earlier connection would."""
        payload = json.dumps({"online": False, "timestamp": time_ms})
        self._client.publish(TOPIC, payload, qos=1, retain=True)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def node(mosquitto: Mosquitto, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    made = Node(mosquitto, tmp_path_factory.mktemp("node").name)
    yield made
    made.close()
    late = Node(mosquitto, "late")  # what is retained would meet the next test
    late._client.publish(TOPIC, b"", qos=1, retain=True).wait_for_publish(10)
    late.close()


@pytest.mark.slow
def test_a_host_is_online_once_subscribed_and_offline_by_its_will_or_its_word(
    server_line: Line, mosquitto: Mosquitto, ingester: Callable[..., Ingester], node: Node
) -> None:
    before_ms = time.time_ns() // 1_000_000
    first = ingester(server_line, DALA_MQTT_SPARKPLUG_HOST="farm-office").connected()
    client = first.log.parent.name

    online, since_ms, retained = node.hears()
    assert (online, retained) == (True, False)
    assert before_ms <= since_ms <= time.time_ns() // 1_000_000
    log = mosquitto.said()
    assert log.index(f"Received SUBSCRIBE from {client}") < log.index(
        f"Received PUBLISH from {client}"
    )

    first.stop(signal.SIGKILL)
    assert node.hears() == (False, since_ms, False)  # the will, of the time of its connection
    late = Node(mosquitto, "late")
    assert late.hears() == (False, since_ms, True)
    late.close()

    second = ingester(server_line, DALA_MQTT_SPARKPLUG_HOST="farm-office").connected()
    online, again_ms, _ = node.hears()
    assert online
    assert again_ms > since_ms
    node.deny(since_ms)
    assert node.hears() == (False, since_ms, False)
    assert node.hears() == (True, again_ms, False)

    assert second.stop(signal.SIGTERM) == 0
    online, gone_ms, _ = node.hears()
    assert not online
    assert gone_ms > again_ms
    assert node.heard.empty()  # it said goodbye: no will
