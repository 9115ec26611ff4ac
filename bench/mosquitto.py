"""A Mosquitto of our own for a measurement: on loopback, gone with us, and it drops nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embedded import children
from embedded.children import ChildError
from ingest.settings import BrokerAddress

START_S = 10.0


def _binary() -> str:
    binary = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if binary is None:
        raise ChildError("this measurement needs mosquitto: apt-get install mosquitto")
    return binary


def version() -> str:
    """As it says itself, e.g. ``"2.0.11"``; raise ChildError if there is none."""
    said = subprocess.run([_binary(), "-h"], check=False, capture_output=True, text=True).stdout
    return said.partition("\n")[0].rpartition(" ")[2]


@contextmanager
def open_mosquitto(folder: Path) -> Iterator[BrokerAddress]:
    """Start it on a free port with its files in ``folder``.

    Raises
    ------
    embedded.children.ChildError
        If there is no Mosquitto, or it does not start.
    """
    binary = _binary()
    port = children.free_port()
    config = folder / "mosquitto.conf"
    config.write_text(
        f"listener {port} 127.0.0.1\nallow_anonymous true\n"
        # Its defaults drop what waits beyond 1,000 messages.
        "max_queued_messages 0\nmax_inflight_messages 1000\n"
        + ("user root\n" if os.geteuid() == 0 else "")
    )
    child = children.start(
        [binary, "-c", str(config)], log=folder / "mosquitto.log", environment={}
    )
    try:
        children.wait_until_it_listens(child, port, name="mosquitto", patience_s=START_S)
        yield BrokerAddress("127.0.0.1", port, None, None, tls=False)
    finally:
        child.stop()
