"""Devices in the process of the tests, and what is in their messages."""

import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from ingest.codecs import decode
from ingest.subscriber import BrokerAddress
from seeds.device_clock import Clock
from seeds.reference_device import Packing, ReferenceDevice
from seeds.ring_buffer import RingBuffer
from seeds.sending import Pace

PACE = Pace(window=20, first_pause_s=0.6, longest_pause_s=2.0)
PACKING = Packing(interval_s=0.05, budget_bytes=300)
NOWHERE = BrokerAddress("127.0.0.1", 1, None, None, False)


def name_of(request: pytest.FixtureRequest) -> str:
    return request.node.name.removeprefix("test_").replace("_", "-")[:60]


class Running:
    """A device in this process, as long as a test needs it."""

    def __init__(self, name: str, path: Path, address: BrokerAddress, **options: Any) -> None:
        self.said: list[str] = []
        capacity = {"capacity_bytes": options.pop("capacity")} if "capacity" in options else {}
        self.buffer = RingBuffer(path, block_bytes=4_096, **capacity)
        given = {"packing": PACKING, "pace": PACE, "say": self.said.append} | options
        self.device = ReferenceDevice(name, self.buffer, address, None, **given)
        self.boot = self.device.courier.boot

    def __enter__(self) -> "Running":
        self.device.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.device.stop()
        self.buffer.close()

    def measure(self, *values: int) -> None:
        """Each value in a message of its own."""
        for value in values:
            self.device.measure("water_total", Decimal(value))
            self.device.finish()


def read(payload: bytes) -> list[Any]:
    decoded = decode("dala/v1/x/senml", payload, received_at_us=time.time_ns() // 1_000)
    assert not decoded.rejected
    return decoded.readings


class FakeClock(Clock):
    """A clock that a test sets."""

    def __init__(self, wall: int | None, uptime: int = 50_000, power_on: bytes = b"A" * 16) -> None:
        self.wall, self.uptime, self.power_on = wall, uptime, power_on

    def wall_ms(self) -> int | None:
        return self.wall

    def uptime_ms(self) -> int:
        return self.uptime

    def passes(self, ms: int) -> None:
        self.uptime += ms
        self.wall = None if self.wall is None else self.wall + ms


NOON_MS = 1_782_000_000_000


def silent(path: Path, clock: Clock, **options: Any) -> Running:
    """A device that is never started: what it would send stays in its buffer."""
    return Running("probe-7", path, NOWHERE, clock=clock, **options)


def sent(one: Running, arrived_ms: int) -> list[tuple[int, str, float]]:
    """Time before the arrival in ms, its source and the value, of all that would be sent now."""
    found = []
    for number in one.buffer.held():
        _, payload = one.device.courier._message(number)
        decoded = decode("dala/v1/probe-7/senml", payload, received_at_us=arrived_ms * 1_000)
        assert not decoded.rejected
        for reading in decoded.readings:
            age = arrived_ms - reading.time // 1_000
            found.append((age, reading.time_source, reading.value))
    return found
