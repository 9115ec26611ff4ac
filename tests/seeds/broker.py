"""A broker, a service, and somebody who stands in for the service."""

import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import cbor2
import paho.mqtt.client as mqtt
import sqlalchemy as sa
from paho.mqtt.enums import CallbackAPIVersion

from ingest.subscriber import BrokerAddress, Subscriber
from storage import devices

ROOT = Path(__file__).resolve().parents[2]


def wait_until(holds: Callable[[], object], what: str, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.02)


class Mosquitto:
    """A broker that keeps nothing beyond its end."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.log, self._config = folder / "mosquitto.log", folder / "mosquitto.conf"
        self._binary = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n"
            f"log_type all\nlog_dest file {self.log}\n"
            + ("user root\n" if os.geteuid() == 0 else "")
        )
        self.url = f"mqtt://127.0.0.1:{self.port}"
        self.address = BrokerAddress.parse(self.url)
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen([str(self._binary), "-c", str(self._config)])
        wait_until(self._answers, "mosquitto")

    def stop(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)
        self.process.wait(timeout=10)

    def _answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False


@contextmanager
def service(engine: sa.Engine, broker: Mosquitto, *registered: str) -> Iterator[None]:
    """The real ingester, in a thread."""
    with engine.begin() as connection:
        for one in registered:
            devices.put(connection, one, kind="gateway", name=one)
    subscriber = Subscriber(engine, broker.address, client_id=f"ingest-{registered[0]}")
    thread = threading.Thread(target=subscriber.run)
    thread.start()
    try:
        yield
    finally:
        subscriber.stop()
        thread.join()


class StandIn:
    """In place of the service: hears a device, and says what a test wants said."""

    def __init__(self, broker: Mosquitto, device: str) -> None:
        self.heard: list[bytes] = []
        self._topic = f"dala/v1/{device}/receipt"
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"stand-in-{device}")
        self._client.on_message = lambda _c, _d, message: self.heard.append(message.payload)
        subscribed = threading.Event()
        self._client.on_subscribe = lambda *_: subscribed.set()
        self._client.connect(broker.address.host, broker.address.port)
        self._client.subscribe(f"dala/v1/{device}/+", qos=1)
        self._client.loop_start()
        assert subscribed.wait(10)

    def say(self, boot: int, seq: int) -> None:
        self.say_raw(json.dumps({"boot": boot, "seq": seq, "stored": 0, "duplicate": 0}).encode())

    def say_raw(self, payload: bytes) -> None:
        self._client.publish(self._topic, payload, qos=1).wait_for_publish(10)

    def numbers(self) -> list[tuple[int, int]]:
        """What the device sent so far; our own receipts come back, too, and are no packs."""
        packs = [cbor2.loads(one) for one in self.heard if one[0] >= 0x80]
        return [(pack[0][2], pack[1][2]) for pack in packs]

    def payloads(self) -> list[bytes]:
        return [one for one in self.heard if one[0] >= 0x80]

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


def stored(engine: sa.Engine, device: str) -> list[int]:
    """Values of a device, sorted; none may be in conflict with another."""
    query = sa.text(
        "SELECT value FROM readings JOIN datastreams ON id = datastream_id"
        " WHERE device_id = :device ORDER BY value"
    )
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM reading_conflicts")) == 0
        return [int(value) for value in connection.scalars(query, {"device": device})]
