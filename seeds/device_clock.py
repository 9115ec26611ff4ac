"""What a device knows about the time: the clock on the wall, which may be unset, and its uptime."""

from __future__ import annotations

import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

NOT_BEFORE_MS = 1_577_836_800_000  # 2020-01-01: a clock that says less was never set
_POWER_ON = Path("/proc/sys/kernel/random/boot_id")


class Moment(NamedTuple):
    """A time of a reading: since 1970 where the clock was set, else of the uptime."""

    ms: int
    is_dated: bool


class Clock:
    """The machine's clocks.

    Attributes
    ----------
    power_on : bytes
        16 bytes that are others after each start of the machine: uptimes of one may be compared.
    """

    def __init__(self) -> None:
        self.power_on = uuid.uuid4().bytes
        with suppress(OSError, ValueError):
            self.power_on = uuid.UUID(_POWER_ON.read_text().strip()).bytes

    def wall_ms(self) -> int | None:
        """Milliseconds since 1970; None while the clock was never set."""
        now = time.time_ns() // 1_000_000
        return now if now >= NOT_BEFORE_MS else None

    def uptime_ms(self) -> int:
        """Milliseconds since the machine started, sleep included."""
        which = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
        return time.clock_gettime_ns(which) // 1_000_000

    def now(self) -> Moment:
        """The best that is known of this moment."""
        wall = self.wall_ms()
        return Moment(self.uptime_ms(), False) if wall is None else Moment(wall, True)
