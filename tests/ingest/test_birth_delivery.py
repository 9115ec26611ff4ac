"""Sparkplug nodes and vehicles on a real broker: what they say refers to what they said before."""

import json
import queue
import threading
from collections.abc import Callable, Iterator

import paho.mqtt.client as mqtt
import pytest
import sqlalchemy as sa
from paho.mqtt.enums import CallbackAPIVersion

from ingest.settings import BrokerAddress
from storage import devices
from tests.ingest.codecs import sparkplug_bytes as sp
from tests.ingest.servers import Line, Serving, rejected, wait_until

pytestmark = pytest.mark.slow

TIME_MS = 1_782_882_000_000
COMMANDS = "spBv1.0/+/NCMD/#"


class Edge:
    """Whoever publishes, and hears the commands for nodes."""

    def __init__(self, line: Line, name: str) -> None:
        self.commands: queue.Queue[str] = queue.Queue()
        address, ready = BrokerAddress.parse(line.mqtt_url), threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=name)
        self._client.username_pw_set(address.user, address.password)
        self._client.on_message = lambda _c, _d, message: self.commands.put(message.topic)
        self._client.on_subscribe = lambda *_: ready.set()
        self._client.connect(address.host, address.port)
        self._client.loop_start()
        self._client.subscribe(COMMANDS, qos=1)
        assert ready.wait(10)

    def say(self, topic: str, payload: bytes) -> None:
        self._client.publish(topic, payload, qos=1).wait_for_publish(10)

    def data(self, node: str, second: int, value: float) -> None:
        metric = sp.metric(sp.double(value), alias=7)
        self.say(f"spBv1.0/g/NDATA/{node}", sp.payload(metric, time_ms=TIME_MS + second * 1000))

    def birth(self, node: str, session: int, name: str) -> None:
        metric = sp.metric(b"", name, alias=7, datatype=sp.DOUBLE)
        self.say(f"spBv1.0/g/NBIRTH/{node}", sp.node_birth(session, metric))

    def is_asked(self) -> str:
        return self.commands.get(timeout=20)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def edge(server_line: Line, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    made = Edge(server_line, tmp_path_factory.mktemp("edge").name)
    yield made
    made.close()


def put(line: Line, identity: str) -> str:
    with line.engine.begin() as connection:
        devices.put(connection, identity, kind="gateway", name=identity)
    return identity


def values(line: Line, device: str) -> list[tuple[str, float]]:
    query = sa.text(
        "SELECT quantity, value FROM readings JOIN datastreams ON id = datastream_id"
        " WHERE device_id = :device ORDER BY time"
    )
    with line.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(query, {"device": device})]


def test_a_birth_that_was_missed_is_asked_for_and_never_guessed(
    server_line: Line, serving: Callable[..., Serving], edge: Edge
) -> None:
    device = put(server_line, "sparkplug:g/reborn")
    first = serving(server_line).connected()
    edge.data("reborn", 0, 10.0)
    assert edge.is_asked() == "spBv1.0/g/NCMD/reborn"
    edge.birth("reborn", 1, "Temperature")
    warm = ("air_temperature", 10.0)
    wait_until(lambda: values(server_line, device) == [warm], "the kept message")
    first.stop()  # kill -9
    # The death has QoS 1 and waits for us; the birth after it has QoS 0, and nobody hears it.
    edge.say("spBv1.0/g/NDEATH/reborn", sp.node_death(1))

    serving(server_line).connected()
    assert edge.is_asked() == "spBv1.0/g/NCMD/reborn"
    edge.data("reborn", 1, 55.0)  # by now 7 is the humidity
    wait_until(lambda: rejected(server_line, device) == {"alias-unknown"}, "the number to be kept")
    edge.birth("reborn", 2, "Humidity")

    expected = [warm, ("relative_humidity", 55.0)]
    wait_until(lambda: values(server_line, device) == expected, "the kept message")
    wait_until(lambda: rejected(server_line, device) == set(), "the list to be empty")


def test_with_two_workers_what_refers_to_earlier_messages_is_read_right(
    server_line: Line, serving: Callable[..., Serving], edge: Edge
) -> None:
    node = put(server_line, "sparkplug:g/of-two")
    rover = put(server_line, "mavlink:of-two")
    workers = [serving(server_line, client_id="births", worker=f"{one}/2") for one in (1, 2)]
    for one in workers:  # the last test here: their sessions would share in what others publish
        one.connected()
    edge.birth("of-two", 1, "Temperature")
    clock = {"type": "SYSTEM_TIME", "time_boot_ms": 1_000, "time_unix_usec": TIME_MS * 1000}
    edge.say("mavlink/of-two", mavlink(clock))
    for second in range(20):  # in turn, if they were shared
        edge.data("of-two", second, float(second))
        edge.say("mavlink/of-two", mavlink(place(1_000 + 1_000 * second)))

    expected = [("air_temperature", float(second)) for second in range(20)]
    wait_until(lambda: values(server_line, node) == expected, "the node's readings")
    times = [TIME_MS * 1000 + 1_000_000 * second for second in range(20)]
    wait_until(lambda: points(server_line, rover) == times, "the rover's points")
    assert rejected(server_line, node) == set()


def mavlink(message: dict[str, object]) -> bytes:
    return json.dumps({"header": {"system_id": 1, "component_id": 1}, "message": message}).encode()


def place(boot_ms: int) -> dict[str, object]:
    where = {"lat": 512_500_000, "lon": 714_500_000, "alt": 347_500, "relative_alt": 0}
    moves = {"vx": 0, "vy": 0, "vz": 0, "hdg": 0}
    return {"type": "GLOBAL_POSITION_INT", "time_boot_ms": boot_ms, **where, **moves}


def points(line: Line, device: str) -> list[int]:
    query = "SELECT (extract(epoch FROM time) * 1000000)::bigint FROM track_points"
    with line.engine.connect() as connection:
        return list(
            connection.scalars(
                sa.text(f"{query} WHERE device_id = :device ORDER BY time"), {"device": device}
            )
        )
