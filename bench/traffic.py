"""What devices of a measurement publish: numbered SenML packs of four values."""

from __future__ import annotations

import argparse
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import paho.mqtt.client as mqtt
import sqlalchemy as sa
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from bench import hashing
from ingest import topics
from ingest.settings import BrokerAddress, MqttSettings
from storage import devices

VALUES = ("soil_moisture/20", "soil_moisture/40", "soil_temperature/20", "battery_voltage")
FIRST_S = 1_750_000_000  # 2025-06-15T15:06:40Z
INTERVAL_S = 60
WINDOW = 500  # messages that the publisher leaves unconfirmed
TICK_S = 0.005  # of the publisher that keeps a rate


def names(kind: str, count: int) -> list[str]:
    """Devices of one part of a measurement: no two parts have the same."""
    return [f"bench-{kind}-{number}" for number in range(count)]


def register(engine: sa.Engine, device_names: Iterable[str]) -> None:
    """Make the devices known, each of one of forty farms."""
    with engine.begin() as connection:
        farms = itertools.cycle(hashing.put_farms(connection))
        for name, farm in zip(device_names, farms, strict=False):
            devices.put(connection, name, farm_id=farm, kind="soil-probe", name=name)


def payload(device: str, seq: int, time_s: float | None = None) -> bytes:
    """A numbered pack of four values, dated by its number unless a time is given."""
    moment = FIRST_S + INTERVAL_S * seq if time_s is None else time_s
    records: list[dict[str, Any]] = [
        {"bn": f"urn:dev:dala:{device}:", "bt": moment, "n": "boot", "v": 1},
        {"n": "seq", "v": seq},
    ]
    numbers = (0.25 + seq % 100 / 1_000, 0.3, 15.0 + seq % 10, 3.6)
    records += [{"n": n, "v": v} for n, v in zip(VALUES, numbers, strict=True)]
    return json.dumps(records, separators=(",", ":")).encode()


def numbered(device_names: list[str], first: int, count: int) -> Iterator[tuple[str, int]]:
    """Devices in turn, each with its next number; ``first`` is how many came before. [messages]"""
    for index in range(first, first + count):
        yield device_names[index % len(device_names)], 1 + index // len(device_names)


def client(client_id: str) -> mqtt.Client:
    """A paho client of MQTT 5."""
    return mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv5)


def connect(made: mqtt.Client, broker: BrokerAddress, *, expiry_s: int = 3_600) -> None:
    """Connect with the settings of our own line."""
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = expiry_s
    properties.ReceiveMaximum = MqttSettings().receive_maximum
    made.connect(broker.host, broker.port, clean_start=False, properties=properties)


def open_session(broker: BrokerAddress, client_id: str) -> None:
    """Let the broker queue what comes for a client that is not there yet."""
    made = client(client_id)
    subscribed: list[Any] = []
    made.on_subscribe = lambda *found: subscribed.append(found)
    connect(made, broker)
    while not made.is_connected():
        made.loop(0.05)
    made.subscribe(topics.SENML, qos=1)
    while not subscribed:
        made.loop(0.05)
    made.disconnect()
    while made.socket() is not None:
        made.loop(0.05)


class Publisher:
    """A client that leaves few of its messages unconfirmed."""

    def __init__(self, broker: BrokerAddress) -> None:
        self._client = client("bench-publisher")
        self._room = threading.Semaphore(WINDOW)
        self._client.on_publish = lambda *_: self._room.release()
        self._client.max_inflight_messages_set(0)
        connect(self._client, broker, expiry_s=0)
        self._client.loop_start()

    def publish(self, device: str, body: bytes) -> None:
        """Publish as soon as there is room."""
        self._room.acquire()
        self._client.publish(f"dala/v1/{device}/senml", body, qos=1)

    def close(self) -> None:
        """Wait until the broker has taken everything."""
        for _ in range(WINDOW):
            self._room.acquire()
        self._client.disconnect()
        self._client.loop_stop()


def publish(
    broker: BrokerAddress,
    device_names: list[str],
    first: int,
    count: int,
    on_published: Callable[[int], None] = lambda _messages: None,
) -> None:
    """Publish messages as fast as the broker takes them."""
    publisher = Publisher(broker)
    for number, (device, seq) in enumerate(numbered(device_names, first, count), 1):
        publisher.publish(device, payload(device, seq))
        if number % 1_000 == 0:
            on_published(1_000)
    publisher.close()
    on_published(count % 1_000)


def publish_at(broker: BrokerAddress, device_names: list[str], rate: float, count: int) -> None:
    """Publish messages at a rate [1/s], each dated with the moment at which it leaves."""
    publisher = Publisher(broker)
    begun = time.monotonic()
    for number, (device, seq) in enumerate(numbered(device_names, 0, count)):
        while number >= (time.monotonic() - begun) * rate:
            time.sleep(TICK_S)
        publisher.publish(device, payload(device, seq, time.time()))
    publisher.close()


def main() -> None:
    """Publish at a rate, as a process of its own."""
    parser = argparse.ArgumentParser()
    for name, kind in (("host", str), ("port", int), ("devices", int), ("rate", float)):
        parser.add_argument(name, type=kind)
    parser.add_argument("count", type=int)
    given = parser.parse_args()
    broker = BrokerAddress(given.host, given.port, None, None, tls=False)
    publish_at(broker, names("live", given.devices), given.rate, given.count)


if __name__ == "__main__":
    main()
