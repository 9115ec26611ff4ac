"""`dala ingest` as a process of its own, and what it tells of itself."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from bench.memory import now_mb, peak_mb
from embedded import children
from embedded.children import Child, ChildError
from ingest.settings import BrokerAddress

ROOT = Path(__file__).parents[1]
START_S = 30.0
_SAMPLE = re.compile(r"^(dala_ingest_\w+) ([0-9.e+]+)$", re.MULTILINE)


class Ingester:
    """A running ingester."""

    def __init__(self, child: Child, port: int) -> None:
        self._child = child
        self._port = port

    def numbers(self) -> dict[str, float]:
        """Its metrics without labels, by name."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            connection.request("GET", "/metrics")
            text = connection.getresponse().read().decode()
        finally:
            connection.close()
        return {name: float(value) for name, value in _SAMPLE.findall(text)}

    def acknowledged(self) -> int:
        """Messages that it has stored and acknowledged."""
        self.check()
        return int(self.numbers()["dala_ingest_messages_acknowledged_total"])

    def check(self) -> None:
        """ChildError if it has ended."""
        if self._child.exit_code() is not None:
            raise ChildError(f"dala ingest ended: {self._child.log_tail()}")

    def held_mb(self) -> float:
        """Memory that it holds now. [MB]"""
        return now_mb(Path(f"/proc/{self._child.pid}/statm"))

    def peak_mb(self) -> float:
        """Most memory that it has held. [MB]"""
        return peak_mb(Path(f"/proc/{self._child.pid}/status"))

    def wait_until_it_answers(self) -> None:
        """Wait for its metrics, and for its connection to the broker."""
        until = time.monotonic() + START_S
        while True:
            self.check()
            try:
                if self.numbers().get("dala_ingest_connected") == 1:
                    return
            except OSError:  # not listening yet
                pass
            if time.monotonic() > until:
                raise ChildError(f"dala ingest did not start: {self._child.log_tail()}")
            time.sleep(0.02)


@contextmanager
def open_ingester(
    folder: Path, database_url: str, broker: BrokerAddress, client_id: str
) -> Iterator[Ingester]:
    """Start it with its log in ``folder``; it is stopped at the end, and drains.

    Raises
    ------
    embedded.children.ChildError
        If it does not start, or not end well.
    """
    port = children.free_port()
    environment = os.environ | {
        "DALA_DATABASE_URL": database_url,
        "DALA_MQTT_URL": f"mqtt://{broker.host}:{broker.port}",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "dala", "ingest", "--client-id", client_id]
    command += ["--metrics-port", str(port)]
    child = children.start(command, log=folder / f"{client_id}.log", environment=environment)
    try:
        yield Ingester(child, port)
    finally:
        code = child.stop()
    if code != 0:
        raise ChildError(f"dala ingest ended with {code}: {child.log_tail()}")
