"""Ingest, as a share of what a subscriber receives that does nothing with its messages.

Both work off the same backlog, queued by Mosquitto for their sessions beforehand, one after the
other: a bare paho client that acknowledges and counts, and the whole line — broker, decoding,
checks, deduplication, commit, receipts, acknowledgement — in one process. What slows the machine
slows both, and the ratio of a round is what counts. Then the line runs as `dala ingest`, and its
latency at a steady rate (bench/latency.py) and a longer backlog (bench/backlog.py) are measured.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import paho.mqtt.client as mqtt
import sqlalchemy as sa
from rich import box
from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

import migrations
from bench import backlog, hashing, latency, traffic
from bench.machine import packages, this_machine
from bench.memory import now_mb
from bench.mosquitto import open_mosquitto, version
from bench.traffic import VALUES
from embedded.home import EmbeddedSettings
from embedded.stack import open_embedded
from ingest.settings import BrokerAddress
from ingest.subscriber import Subscriber
from storage import tables
from storage.database import make_engine, ping

MESSAGES, ROUNDS, DEVICES = 100_000, 3, 200
BACKLOG, LATENCY_S = 100_000, 30.0
BARE, LINE = "bench-bare", "bench-line"

Report = dict[str, Any]


class MiscountError(AssertionError):
    """Something was lost or doubled: speeds of a wrong result are worth nothing."""


class _Run(NamedTuple):
    seconds: float
    hashing_s: float  # of these, for numbers and digests of batches
    grown_mb: float  # memory of the process, at most, beyond what it held before


def run(
    *,
    messages: int = MESSAGES,
    rounds: int = ROUNDS,
    device_count: int = DEVICES,
    waiting: int = BACKLOG,
    latency_s: float = LATENCY_S,
) -> Report:
    """Measure on an embedded database and a Mosquitto of its own, which are gone afterwards.

    Parameters
    ----------
    messages : int
        Backlog of each round: SenML packs of four values, numbered, from all devices in turn.
    rounds : int
        How often; medians are reported.
    device_count : int
        Devices that the messages come from: as many receipts go out for each batch, at most.
    waiting : int
        Messages that wait for `dala ingest`, whose memory is watched as it drains them; 0: none.
    latency_s : float
        How long 2,000 messages a second are published to `dala ingest`; 0: not at all. [s]

    Raises
    ------
    embedded.children.ChildError
        If Mosquitto, the database or a process of ours cannot be started.
    MiscountError
        If not every reading is stored once at the end of a part.
    """
    with tempfile.TemporaryDirectory(prefix="dala-bench-") as name:
        folder = Path(name)
        settings = EmbeddedSettings(home=folder / "home")
        with (
            open_embedded(settings, verb="bench", broker=False) as servers,
            open_mosquitto(folder) as broker,
        ):
            engine = make_engine(servers.database_url, application="dala bench")
            try:
                migrations.upgrade(engine)
                return measure(
                    folder, engine, broker, messages, rounds, device_count, waiting, latency_s
                )
            finally:
                engine.dispose()


def measure(
    folder: Path,
    engine: sa.Engine,
    broker: BrokerAddress,
    messages: int,
    rounds: int,
    device_count: int,
    waiting: int,
    latency_s: float,
) -> Report:
    """Measure on a migrated database and a broker that queues without limit."""
    with _progress() as progress:
        report = _head(engine, device_count)
        report |= _ratio(engine, broker, messages, rounds, device_count, progress)
        stored = messages * rounds * len(VALUES)
        if latency_s:
            task = progress.add_task("Latency", total=latency_s)
            report["latency"] = latency.measure(
                folder, engine, broker, latency_s, device_count,
                on_second=lambda seconds: progress.advance(task, seconds),
            )  # fmt: skip
            stored += round(latency.RATE * latency_s) * len(VALUES)
            _check_count(engine, stored)
        if waiting:
            task = progress.add_task("Backlog", total=2 * waiting)
            report["backlog"] = backlog.measure(
                folder, engine, broker, waiting, device_count,
                on_step=lambda done: progress.advance(task, done),
            )  # fmt: skip
            _check_count(engine, stored + waiting * len(VALUES))
    return report


def _head(engine: sa.Engine, device_count: int) -> Report:
    with engine.connect() as connection:
        server = ping(connection)
    return {
        "bench": "ingest",
        "machine": this_machine()._asdict()
        | {"postgresql": server, "mosquitto": version()}
        | packages("paho-mqtt", "psycopg"),
        "values_a_message": len(VALUES),
        "devices": device_count,
    }


def _ratio(
    engine: sa.Engine,
    broker: BrokerAddress,
    messages: int,
    rounds: int,
    device_count: int,
    progress: Progress,
) -> Report:
    names = traffic.names("ratio", device_count)
    traffic.register(engine, names)
    bare: list[_Run] = []
    line: list[_Run] = []
    task = progress.add_task("Ratio", total=rounds * messages * 3)
    for number in range(rounds):
        for client_id in (BARE, LINE):
            traffic.open_session(broker, client_id)
        traffic.publish(
            broker, names, number * messages, messages, lambda done: progress.advance(task, done)
        )
        bare.append(_run_bare(broker, messages))
        progress.advance(task, messages)
        line.append(_run_line(engine, broker, messages))
        progress.advance(task, messages)
        _check_count(engine, messages * len(VALUES) * (number + 1))
    ratios = [b.seconds / one.seconds for b, one in zip(bare, line, strict=True)]
    return {
        "messages": messages,
        "rounds": rounds,
        "bare_messages_per_s": median(messages / one.seconds for one in bare),
        "line_messages_per_s": median(messages / one.seconds for one in line),
        "ratio": median(ratios),
        "ratio_lowest": min(ratios),
        "ratio_highest": max(ratios),
        "hashing_pct": 100.0 * median(one.hashing_s / one.seconds for one in line),
        "line_memory_grown_mb": max(one.grown_mb for one in line),
    }


def _run_bare(broker: BrokerAddress, messages: int) -> _Run:
    client = traffic.client(BARE)
    received = 0

    def count(*_: Any) -> None:
        nonlocal received
        received += 1

    client.on_message = count
    before = now_mb()
    begun = time.perf_counter()
    traffic.connect(client, broker)
    while received < messages:
        if client.loop(1.0) != mqtt.MQTT_ERR_SUCCESS:
            raise MiscountError(f"the bare subscriber was cut off after {received} messages")
    seconds = time.perf_counter() - begun
    client.disconnect()
    return _Run(seconds, 0.0, now_mb() - before)


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
    with hashing.timed() as clock:
        subscriber.run()
    return _Run(time.perf_counter() - begun, clock.seconds, most - before)


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
        f"{report['line_memory_grown_mb']:.0f} MB. {report['hashing_pct']:.1f} % of the time went "
        "into numbers and digests of batches.",
        *_process_lines(report),
        f"PostgreSQL {machine['postgresql']}, Mosquitto {machine['mosquitto']}, paho "
        f"{machine['paho-mqtt']}, psycopg {machine['psycopg']}, Python {machine['python']}, "
        f"{machine['cores']} cores of {machine['cpu']}, {machine['system']}",
    )


def _process_lines(report: Report) -> list[str]:
    """What `dala ingest` did as a process of its own."""
    lines = []
    if (found := report.get("latency")) is not None:
        lines.append(
            f"From publishing to being seen by a query, at {found['messages_per_s']:,} messages/s "
            f"for {found['seconds']:g} s: median {found['p50_s']:.3f} s, p99 {found['p99_s']:.3f} "
            f"s, at most {found['max_s']:.3f} s ({found['watched']:,} messages watched)."
        )
    if (found := report.get("backlog")) is not None:
        lines.append(
            f"A backlog of {found['messages']:,} messages: drained at "
            f"{found['messages_per_s']:,.0f} messages/s in {found['seconds']:.1f} s, holding at "
            f"most {found['peak_memory_mb']:.0f} MB."
        )
    return lines


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )
