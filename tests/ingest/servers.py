"""Real servers for tests of ingest: a broker, `dala ingest` as a process, devices that deliver."""

import contextlib
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import httpx
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

from ingest.subscriber import BrokerAddress
from seeds.devices import Login, SimulatedDevice
from seeds.messages import Outgoing
from storage import devices

ROOT = Path(__file__).resolve().parents[2]
RECORDS = 5  # readings in a message
TIME_S = 1_750_000_000


def wait_until(holds: Callable[[], object], what: str, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.02)


class Ingester:
    """A running `dala ingest`; its folder's name is its client id."""

    def __init__(
        self,
        folder: Path,
        database_url: str,
        mqtt_url: str,
        *,
        worker: str = "1/1",
        **settings: str,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / f"ingest-{time.monotonic_ns()}.log"
        environment = os.environ | {"DALA_DATABASE_URL": database_url, "DALA_MQTT_URL": mqtt_url}
        command = [sys.executable, "-m", "dala", "ingest", "--client-id", folder.name]
        command += ["--worker", worker]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment | settings, stdout=log, stderr=subprocess.STDOUT
            )

    def said(self) -> str:
        return self.log.read_text()

    def connected(self) -> "Ingester":
        wait_until(lambda: "connected" in self.said() or self.process.poll() is not None, "ingest")
        assert self.process.poll() is None, self.said()
        return self

    def stop(self, number: int = signal.SIGKILL) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=20)


class Serving(Ingester):
    """`ingest.serving.serve` as a process, with options that are not settings."""

    def __init__(
        self, folder: Path, line: "Line", options: dict[str, object], **settings: str
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / f"serving-{time.monotonic_ns()}.log"
        environment = os.environ | {
            "DALA_DATABASE_URL": line.database_url,
            "DALA_MQTT_URL": line.mqtt_url,
        }
        command = [sys.executable, "-m", "tests.ingest.serving_process", json.dumps(options)]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment | settings, stdout=log, stderr=subprocess.STDOUT
            )

    def metrics(self) -> dict[str, float]:
        """What /metrics says now: a number for each name with its labels."""
        events = [json.loads(one) for one in self.said().splitlines() if one.startswith("{")]
        (address,) = [one["address"] for one in events if one["event"] == "metrics"]
        text = httpx.get(address, timeout=10).raise_for_status().text
        samples = [one for family in text_string_to_metric_families(text) for one in family.samples]
        return {
            one.name
            + "".join(f" {key}={value}" for key, value in sorted(one.labels.items())): one.value
            for one in samples
        }


class Mosquitto:
    """A Mosquitto of our own on a loopback port, with a password."""

    def __init__(self, folder: Path, *, log_types: Sequence[str] = ("all",)) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.password = secrets.token_urlsafe(12)
        self.log, self._config = folder / "mosquitto.log", folder / "mosquitto.conf"
        self._binary = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
        passwords = folder / "passwords"
        make = ["mosquitto_passwd", "-c", "-b", str(passwords), "somebody", self.password]
        subprocess.run(make, check=True)
        self._config.write_text(
            f"listener {self.port} 127.0.0.1\nallow_anonymous false\npassword_file {passwords}\n"
            "max_queued_messages 0\n"
            + "".join(f"log_type {one}\n" for one in log_types)
            + f"log_dest file {self.log}\n"
            + ("user root\n" if os.geteuid() == 0 else "")
        )
        self.start()

    @property
    def url(self) -> str:
        return f"mqtt://somebody:{self.password}@127.0.0.1:{self.port}"

    @property
    def login(self) -> Login:
        return Login("somebody", self.password)

    def start(self) -> None:
        self.process = subprocess.Popen([str(self._binary), "-c", str(self._config)])
        wait_until(self._answers, "mosquitto")

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=10)

    def said(self) -> str:
        return self.log.read_text()

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False


class Line(NamedTuple):
    """A database and a broker, and how a device logs in there."""

    engine: sa.Engine
    database_url: str
    mqtt_url: str
    login: Callable[[str], Login]


def messages(count: int) -> list[Outgoing]:
    """Packs that share no time."""
    return [
        Outgoing(
            "senml",
            [
                {"n": "soil_moisture/20", "t": TIME_S + 60 * (RECORDS * number + record), "v": 0.25}
                for record in range(RECORDS)
            ],
        )
        for number in range(count)
    ]


class Delivery:
    """A device that delivers beside the test."""

    def __init__(self, line: Line, device: str, count: int) -> None:
        with line.engine.begin() as connection:
            devices.put(connection, device, kind="soil-probe", name=device)
        self.receipted = 0
        self._some = threading.Event()
        simulated = SimulatedDevice(BrokerAddress.parse(line.mqtt_url), device, line.login(device))
        self._pool = ThreadPoolExecutor(1)
        self.result = self._pool.submit(
            simulated.deliver, messages(count), on_receipt=self._on_receipt, patience_s=25
        )

    def _on_receipt(self, count: int) -> None:
        self.receipted += count
        self._some.set()

    def under_way(self) -> None:
        """Return when the first receipts are there and others are not."""
        assert self._some.wait(20), "no receipt"
        assert not self.result.done()


def stored(line: Line, device: str) -> int:
    """Readings of a device; its times are all different, so each was counted once."""
    query = sa.text(
        "SELECT count(*), count(DISTINCT time) FROM readings"
        "  JOIN datastreams ON id = datastream_id WHERE device_id = :device"
    )
    with line.engine.connect() as connection:
        count, times = connection.execute(query, {"device": device}).one()
        assert count == times
        assert connection.scalar(sa.text("SELECT count(*) FROM reading_conflicts")) == 0
        return int(count)


def rejected(line: Line, device: str) -> set[str]:
    query = sa.text("SELECT reason FROM rejected_messages WHERE device = :device")
    with line.engine.connect() as connection:
        return set(connection.scalars(query, {"device": device}))


class Unconfirming:
    """A way to the broker on which its confirmations (PUBACK) of what we publish get lost."""

    def __init__(self, port: int) -> None:
        self._to, self._losing = port, True
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def heal(self) -> None:
        """Lose no more."""
        self._losing = False

    def close(self) -> None:
        """Let nobody in any more."""
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                broker = socket.create_connection(("127.0.0.1", self._to))
                pumps = ((self._pump, client, broker), (self._pump_packets, broker, client))
                for pump, source, sink in pumps:
                    threading.Thread(target=pump, args=(source, sink), daemon=True).start()

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError), source, sink:
            while data := source.recv(65_536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_RDWR)

    def _pump_packets(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError), source, sink, source.makefile("rb") as stream:
            while head := stream.read(1):
                length, bits, raw = 0, 0, head
                while True:
                    raw += (byte := stream.read(1))
                    length |= (byte[0] & 127) << bits
                    bits += 7
                    if byte[0] < 128:
                        break
                raw += stream.read(length)
                if not (self._losing and head[0] >> 4 == 4):
                    sink.sendall(raw)
