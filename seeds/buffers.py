"""What a device keeps until the service has it: the numbers of messages, and where they wait.

A device on a farm keeps its messages in a file (:mod:`seeds.ring_buffer`); a simulated one, which
nobody switches off, in memory.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Number(NamedTuple):
    """What a message is called: the start it belongs to, and its place in it from 1 up."""

    boot: int
    seq: int


class Held(NamedTuple):
    """A message that waits; ``tag`` is its keeper's, 0 to 255."""

    tag: int
    payload: bytes


class Buffer(Protocol):
    """Where messages wait."""

    def append(self, number: Number, tag: int, payload: bytes, *, ordinal: int = 0) -> None:
        """Keep a message; it is sure to survive once :meth:`sync` has returned."""

    def read(self, number: Number) -> Held | None:
        """The message of a number; None if it is not there (any more)."""

    def forget(self, boot: int, seq: int) -> int:
        """Let go of every message of a boot up to ``seq``; return how many those were."""

    def held(self) -> list[Number]:
        """What waits, the oldest first."""

    def receipted(self, boot: int) -> int:
        """Up to which number of a boot that has messages a receipt is known to have come."""

    def begin(self, boot: int) -> None:
        """Note that a new boot has begun, durably."""

    def sync(self) -> None:
        """Return when everything is where a loss of power cannot take it."""


class MemoryBuffer:
    """Messages in memory, for a device that is never switched off."""

    def __init__(self) -> None:
        self._messages: dict[Number, Held] = {}

    def append(self, number: Number, tag: int, payload: bytes, *, ordinal: int = 0) -> None:  # noqa: ARG002
        self._messages[number] = Held(tag, payload)

    def read(self, number: Number) -> Held | None:
        return self._messages.get(number)

    def forget(self, boot: int, seq: int) -> int:
        gone = [one for one in self._messages if one.boot == boot and one.seq <= seq]
        for one in gone:
            del self._messages[one]
        return len(gone)

    def held(self) -> list[Number]:
        return sorted(self._messages)

    def receipted(self, boot: int) -> int:  # noqa: ARG002
        return 0  # a device that was never switched off has nothing of an earlier start

    def begin(self, boot: int) -> None:
        """Nothing to note: it ends with the process."""

    def sync(self) -> None:
        """Nothing to wait for."""
