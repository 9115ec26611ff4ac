"""A backlog of any length is worked off in bounded memory."""

import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import psutil
import pytest
import sqlalchemy as sa
from paho.mqtt.enums import CallbackAPIVersion

from storage import devices
from tests.ingest.servers import TIME_S, Line, Mosquitto, Serving, wait_until

MESSAGES, DEVICES, WINDOW = 100_000, 1_000, 500
ALLOWED_MB = 30.0  # a batch and what the broker may send ahead, decoded; no part of the backlog

pytestmark = pytest.mark.slow


@pytest.fixture
def quiet_line(server_line: Line, mosquitto: Mosquitto, tmp_path: Path) -> Iterator[Line]:
    """A Mosquitto that does not log each message; ``mosquitto`` says whether there is one."""
    broker = Mosquitto(tmp_path, log_types=("error", "warning"))
    yield server_line._replace(mqtt_url=broker.url, login=lambda _device: broker.login)
    broker.stop()


def fill(line: Line) -> None:
    """Queue the backlog at the broker: numbered packs of two readings, from all devices in turn."""
    user, password = line.login("")
    port = int(line.mqtt_url.rpartition(":")[2])
    room = threading.Semaphore(WINDOW)
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="backlog")
    client.username_pw_set(user, password)
    client.max_inflight_messages_set(0)
    client.on_publish = lambda *_: room.release()
    client.connect("127.0.0.1", port)
    client.loop_start()
    for number in range(MESSAGES):
        device, seq = number % DEVICES, 1 + number // DEVICES
        payload = (
            f'[{{"bt":{TIME_S + 60 * seq},"n":"boot","v":1}},{{"n":"seq","v":{seq}}},'
            f'{{"n":"soil_moisture/20","v":0.25}},{{"n":"soil_temperature/20","v":18.5}}]'
        )
        room.acquire()
        client.publish(f"dala/v1/backlog-{device}/senml", payload, qos=1)
    for _ in range(WINDOW):
        room.acquire()
    client.disconnect()
    client.loop_stop()


def test_a_hundred_thousand_waiting_messages_do_not_grow_the_ingester(
    quiet_line: Line, serving: Callable[..., Serving]
) -> None:
    with quiet_line.engine.begin() as connection:
        for number in range(DEVICES):
            name = f"backlog-{number}"
            devices.put(connection, name, kind="soil-probe", name=name)
    serving(quiet_line).connected().stop(signal.SIGTERM)  # its session stays
    fill(quiet_line)

    running = serving(quiet_line, metrics_port=0).connected()
    process = psutil.Process(running.process.pid)
    grown: list[float] = []
    first = 0.0

    def done() -> bool:
        nonlocal first
        numbers = running.metrics()
        held_mb = process.memory_info().rss / 1e6
        # Not by what is acknowledged: Mosquitto 2.0.11 sends the whole backlog before it confirms
        # more than the first receipts.
        if numbers["dala_ingest_readings_stored_total"] >= 2 * 10_000 and not first:
            first = held_mb  # warm: each device and topic has been met
        grown.append(held_mb - first if first else 0.0)
        return numbers["dala_ingest_messages_acknowledged_total"] == MESSAGES

    wait_until(done, "the backlog", 120)

    numbers = running.metrics()
    assert '"session_present": true' in running.said()
    assert numbers["dala_ingest_readings_stored_total"] == 2 * MESSAGES
    assert sum(one != 0 for one in grown) > 3  # looks at it while it worked
    assert max(grown) < ALLOWED_MB
    query = "SELECT count(*), count(DISTINCT (datastream_id, time)) FROM readings"
    query += " JOIN datastreams ON id = datastream_id WHERE device_id LIKE 'backlog-%'"
    with quiet_line.engine.connect() as connection:
        assert connection.execute(sa.text(query)).one() == (2 * MESSAGES, 2 * MESSAGES)
