"""When a vehicle's uptime was: milliseconds since it was switched on, to times.

SYSTEM_TIME ties the two together. Until one comes, the first message stands for the moment it was
logged or arrived; whatever came later by the uptime is that much later. So a message that comes
twice has the same times twice, and a vehicle that was switched on anew is noticed.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from ingest.messages import LATEST_TIME_US, TimeSource

CLOCK_SET_US = 946_684_800_000_000  # 2000-01-01: before, a clock was never set
_WRAP_MS = 2**32  # the uptime begins anew after 49.7 days
_HOLDS_MS = 3_600_000  # how far an anchor reaches: vehicles say SYSTEM_TIME each second or so
_REFRESH_MS = 600_000
_JITTER_US = 5_000_000  # messages may overtake each other by this much
_AGREE_US = 1_000_000  # clocks this close are of one flight: the line stays where it was
_LONGEST_LOG_MS = 86_400_000


class Anchor(NamedTuple):
    """The moment that an uptime stands for."""

    boot_ms: int
    time_us: int
    source: TimeSource

    def later_ms(self, boot_ms: int) -> int:
        """How much later than the anchor an uptime is; negative if earlier."""
        return (boot_ms - self.boot_ms + _WRAP_MS // 2) % _WRAP_MS - _WRAP_MS // 2

    def time_of(self, boot_ms: int) -> int:
        return self.time_us + self.later_ms(boot_ms) * 1000

    def holds(self, boot_ms: int, now_us: int) -> bool:
        """Whether an uptime that is heard now is of the same flight, and near enough."""
        later_us = self.later_ms(boot_ms) * 1000
        if abs(later_us) > _HOLDS_MS * 1000:
            return False
        if self.source != "device" and self.time_of(boot_ms) > now_us + _JITTER_US:
            return False  # what it was tied to had come late
        # A smaller uptime is an old message, unless the vehicle could be that young by now.
        since_us = now_us - self.time_us
        return later_us >= -_JITTER_US or boot_ms * 1000 > since_us + _JITTER_US


class Uptime(NamedTuple):
    """An uptime of a message, and what else dates it."""

    boot_ms: int
    known_us: int | None = None  # SYSTEM_TIME: the moment it was, by the vehicle
    logged_us: int | None = None  # by whoever took the message down


class Clock:
    """The clock of one vehicle, through the messages of one payload."""

    def __init__(self, remembered: object, heard: list[Uptime], now_us: int) -> None:
        self._now_us = now_us
        self._last_ms = heard[-1].boot_ms if heard else 0
        self._ahead = next((_device_anchor(one) for one in heard if _device_anchor(one)), None)
        self.anchor = _anchor(remembered)
        self.changed = False

    def set(self, uptime: Uptime) -> None:
        """Hear a SYSTEM_TIME; one that was never set says nothing."""
        told = _device_anchor(uptime)
        if told is None:
            return
        old = self.anchor
        if old is not None and old.source == "device":
            agreed = old.time_of(told.boot_ms)
            if abs(agreed - told.time_us) < _AGREE_US:
                if 0 <= old.later_ms(told.boot_ms) < _REFRESH_MS:
                    return
                told = told._replace(time_us=agreed)
        self._learn(told)

    def date(self, uptime: Uptime) -> tuple[int, TimeSource]:
        """When an uptime was, and by whose clock."""
        boot_ms = uptime.boot_ms
        if self.anchor is None or not self.anchor.holds(boot_ms, self._now_us):
            self._learn(self._found(uptime))
        assert self.anchor is not None  # noqa: S101 - just learned
        return self.anchor.time_of(boot_ms), self.anchor.source

    def _found(self, uptime: Uptime) -> Anchor:
        """A new anchor: what the payload says further on, else who logged it, else the arrival."""
        boot_ms = uptime.boot_ms
        if self._ahead is not None and 0 <= -self._ahead.later_ms(boot_ms) <= _HOLDS_MS:
            return self._ahead._replace(boot_ms=boot_ms, time_us=self._ahead.time_of(boot_ms))
        if uptime.logged_us is not None:
            return Anchor(boot_ms, uptime.logged_us, "network")
        rest_ms = -Anchor(self._last_ms, 0, "server").later_ms(boot_ms)
        span_ms = rest_ms if 0 <= rest_ms <= _LONGEST_LOG_MS else 0
        return Anchor(boot_ms, self._now_us - span_ms * 1000, "server")

    def _learn(self, anchor: Anchor) -> None:
        self.anchor, self.changed = anchor, True


def _device_anchor(uptime: Uptime) -> Anchor | None:
    known = uptime.known_us
    if known is None or not CLOCK_SET_US <= known <= LATEST_TIME_US:
        return None
    return Anchor(uptime.boot_ms, known, "device")


def _anchor(remembered: object) -> Anchor | None:
    return Anchor(*remembered) if isinstance(remembered, list) else None


def clocks(
    said: Mapping[str, Any], heard: Mapping[int, list[Uptime]], now_us: int
) -> dict[int, Clock]:
    """The clock of each system that speaks in a payload.

    Parameters
    ----------
    said : mapping
        What was learned: anchors as lists, by the number of the system.
    heard : mapping
        The uptimes of the payload in order, by the number of the system.
    """
    return {
        system: Clock(said.get(str(system)), uptimes, now_us) for system, uptimes in heard.items()
    }
