"""Embedded servers held by another process, which can be killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest

HOLD = """
import json, sys, time
from embedded.home import EmbeddedSettings
from embedded.stack import open_embedded
with open_embedded(EmbeddedSettings(home=sys.argv[1]), verb="demo") as servers:
    servers.announce("api", "http://127.0.0.1:8080")
    print(json.dumps([servers.database_url, servers.mqtt_url]), flush=True)
    time.sleep(600)
"""


class Holder(NamedTuple):
    """A process that runs both servers of a home."""

    process: "subprocess.Popen[bytes]"
    home: Path
    database_url: str
    mqtt_url: str

    def family(self) -> list[psutil.Process]:
        """Every process that it started, directly or not."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=30)


def _holders() -> Iterator[Callable[[Path], Holder]]:
    processes: list[subprocess.Popen[bytes]] = []

    def start(home: Path) -> Holder:
        command = [sys.executable, "-c", HOLD, str(home)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        processes.append(process)
        assert process.stdout is not None
        return Holder(process, home, *json.loads(process.stdout.readline()))

    yield start
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)
        process.stdout.close()


# Start such a process; whatever is left of it is ended after the test, or after the module.
hold = pytest.fixture(_holders, name="hold")
hold_for_module = pytest.fixture(_holders, name="hold_for_module", scope="module")


def still_alive(processes: list[psutil.Process], *, patience_s: float = 10.0) -> list[int]:
    """Ids of those that do not end in time."""
    give_up = time.monotonic() + patience_s
    while time.monotonic() < give_up:
        left = [process.pid for process in processes if _lives(process)]
        if not left:
            return []
        time.sleep(0.02)
    return left


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
