"""Ingest, as a share of what a subscriber receives that does nothing with its messages.

Both work off the same backlog, queued by Mosquitto for their sessions beforehand, one after the
other: a bare paho client that acknowledges and counts, and the whole line — broker, decoding,
checks, deduplication, commit, receipts, acknowledgement — in one process. What slows the machine
slows both, and the ratio of a round is what counts.
"""

from __future__ import annotations

import json
import tempfile
import threading
import time
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import paho.mqtt.client as mqtt
import sqlalchemy as sa
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from rich import box
from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

import migrations
from bench.machine import this_machine
from bench.memory import now_mb
from bench.mosquitto import open_mosquitto
from embedded.home import EmbeddedSettings
from embedded.stack import open_embedded
from ingest import topics
from ingest.settings import BrokerAddress, MqttSettings
from ingest.subscriber import Subscriber
from storage import devices, tables
from storage.database import make_engine, ping

MESSAGES, ROUNDS, DEVICES = 100_000, 3, 200
VALUES = ("soil_moisture/20", "soil_moisture/40", "soil_temperature/20", "battery_voltage")
BARE, LINE = "bench-bare", "bench-line"
FIRST_S = 1_750_000_000  # 2025-06-15T15:06:40Z
INTERVAL_S = 60
WINDOW = 500  # messages that the publisher leaves unconfirmed

Report = dict[str, Any]


class MiscountError(AssertionError):
    """Something was lost or doubled: speeds of a wrong result are worth nothing."""


class _Run(NamedTuple):
    seconds: float
    grown_mb: float  # memory of the process, at most, beyond what it held before


def run(*, messages: int = MESSAGES, rounds: int = ROUNDS, device_count: int = DEVICES) -> Report:
    """Measure on an embedded database and a Mosquitto of its own, which are gone afterwards.

    Parameters
    ----------
    messages : int
        Backlog of each round: SenML packs of four values, numbered, from all devices in turn.
    rounds : int
        How often; medians are reported.
    device_count : int
        Devices that the messages come from: as many receipts go out for each batch, at most.

    Raises
    ------
    embedded.children.ChildError
        If Mosquitto or the database cannot be started.
    MiscountError
        If not every reading is stored once at the end of a round.
    """
    with tempfile.TemporaryDirectory(prefix="dala-bench-") as folder:
        settings = EmbeddedSettings(home=Path(folder) / "home")
        with (
            open_embedded(settings, verb="bench", broker=False) as servers,
            open_mosquitto(Path(folder)) as broker,
        ):
            engine = make_engine(servers.database_url, application="dala bench")
            try:
                migrations.upgrade(engine)
                return measure(engine, broker, messages, rounds, device_count)
            finally:
                engine.dispose()


def measure(
    engine: sa.Engine, broker: BrokerAddress, messages: int, rounds: int, device_count: int
) -> Report:
    """Measure on a migrated database and a broker that queues without limit."""
    names = [f"bench-{number}" for number in range(device_count)]
    with engine.begin() as connection:
        for name in names:
            devices.put(connection, name, kind="soil-probe", name=name)
    bare: list[_Run] = []
    line: list[_Run] = []
    with _progress() as progress:
        task = progress.add_task("Ingesting", total=rounds * 3)
        for number in range(rounds):
            for client_id in (BARE, LINE):
                _open_session(broker, client_id)
            _publish(broker, names, messages, number)
            progress.advance(task)
            bare.append(_run_bare(broker, messages))
            progress.advance(task)
            line.append(_run_line(engine, broker, messages))
            progress.advance(task)
            _check_count(engine, messages * len(VALUES) * (number + 1))
    with engine.connect() as connection:
        server = ping(connection)
    ratios = [b.seconds / one.seconds for b, one in zip(bare, line, strict=True)]
    return {
        "bench": "ingest",
        "machine": this_machine()._asdict() | {"postgresql": server},
        "messages": messages,
        "values_a_message": len(VALUES),
        "devices": device_count,
        "rounds": rounds,
        "bare_messages_per_s": median(messages / one.seconds for one in bare),
        "line_messages_per_s": median(messages / one.seconds for one in line),
        "ratio": median(ratios),
        "ratio_lowest": min(ratios),
        "ratio_highest": max(ratios),
        "line_memory_grown_mb": max(one.grown_mb for one in line),
    }


def payload(device: str, seq: int) -> bytes:
    """A numbered pack of four values, as a device would write it."""
    records: list[dict[str, Any]] = [
        {"bn": f"urn:dev:dala:{device}:", "bt": FIRST_S + INTERVAL_S * seq, "n": "boot", "v": 1},
        {"n": "seq", "v": seq},
    ]
    numbers = (0.25 + seq % 100 / 1_000, 0.3, 15.0 + seq % 10, 3.6)
    records += [{"n": n, "v": v} for n, v in zip(VALUES, numbers, strict=True)]
    return json.dumps(records, separators=(",", ":")).encode()


def _client(client_id: str) -> mqtt.Client:
    return mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=mqtt.MQTTv5)


def _connect(client: mqtt.Client, broker: BrokerAddress, *, expiry_s: int = 3_600) -> None:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.SessionExpiryInterval = expiry_s
    properties.ReceiveMaximum = MqttSettings().receive_maximum
    client.connect(broker.host, broker.port, clean_start=False, properties=properties)


def _open_session(broker: BrokerAddress, client_id: str) -> None:
    """Let the broker queue what comes for a client that is not there yet."""
    client = _client(client_id)
    subscribed: list[Any] = []
    client.on_subscribe = lambda *found: subscribed.append(found)
    _connect(client, broker)
    while not client.is_connected():
        client.loop(0.05)
    client.subscribe(topics.SENML, qos=1)
    while not subscribed:
        client.loop(0.05)
    client.disconnect()
    while client.socket() is not None:
        client.loop(0.05)


def _publish(broker: BrokerAddress, names: list[str], messages: int, number: int) -> None:
    client = _client("bench-publisher")
    room = threading.Semaphore(WINDOW)
    client.on_publish = lambda *_: room.release()
    client.max_inflight_messages_set(0)
    _connect(client, broker, expiry_s=0)
    client.loop_start()
    each = -(-messages // len(names))
    for index in range(messages):
        name, seq = names[index % len(names)], 1 + number * each + index // len(names)
        room.acquire()
        client.publish(f"dala/v1/{name}/senml", payload(name, seq), qos=1)
    for _ in range(WINDOW):
        room.acquire()
    client.disconnect()
    client.loop_stop()


def _run_bare(broker: BrokerAddress, messages: int) -> _Run:
    client = _client(BARE)
    received = 0

    def count(*_: Any) -> None:
        nonlocal received
        received += 1

    client.on_message = count
    before = now_mb()
    begun = time.perf_counter()
    _connect(client, broker)
    while received < messages:
        if client.loop(1.0) != mqtt.MQTT_ERR_SUCCESS:
            raise MiscountError(f"the bare subscriber was cut off after {received} messages")
    seconds = time.perf_counter() - begun
    client.disconnect()
    return _Run(seconds, now_mb() - before)


def _run_line(engine: sa.Engine, broker: BrokerAddress, messages: int) -> _Run:
    before = most = now_mb()
    left = messages * len(VALUES)

    def count(stored: int, _duplicate: int, _rejected: int) -> None:
        nonlocal left, most
        left, most = left - stored, max(most, now_mb())
        if left <= 0:
            subscriber.stop()  # once receipts are out and everything is acknowledged

    subscriber = Subscriber(engine, broker, client_id=LINE, on_batch=count)
    begun = time.perf_counter()
    subscriber.run()
    return _Run(time.perf_counter() - begun, most - before)


def _check_count(engine: sa.Engine, expected: int) -> None:
    with engine.connect() as connection:
        found = connection.scalar(sa.select(sa.func.count()).select_from(tables.readings))
    if found != expected:
        raise MiscountError(f"the table holds {found} readings, {expected} were published")


def as_table(report: Report) -> RenderableType:
    """The report for people."""
    machine = report["machine"]
    table = Table(title="Ingest", title_justify="left", box=box.SIMPLE, pad_edge=False)
    table.add_column("what")
    for name in ("messages/s", "ratio", "low … high"):
        table.add_column(name, justify="right")
    bare, line = (f"{report[f'{name}_messages_per_s']:,.0f}" for name in ("bare", "line"))
    spread = f"{report['ratio_lowest']:.2f} … {report['ratio_highest']:.2f}"
    table.add_row("bare subscriber: the limit", bare, "1.00", "")
    table.add_row("stored and acknowledged", line, f"{report['ratio']:.2f}", spread)
    return Group(
        table,
        f"{report['messages']:,} messages of {report['values_a_message']} values from "
        f"{report['devices']:,} devices, medians of {report['rounds']} rounds; memory grew by "
        f"{report['line_memory_grown_mb']:.0f} MB; PostgreSQL {machine['postgresql']}, Python "
        f"{machine['python']}, {machine['cores']} cores of {machine['cpu']}, {machine['system']}",
    )


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )
