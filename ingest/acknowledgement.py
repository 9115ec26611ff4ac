"""The order of things after a commit: receipts first, then acknowledgements, as messages came.

A device forgets what a receipt covers, a broker what is acknowledged. So the broker has taken the
receipts of a batch (it confirmed each) before the first message of that batch is acknowledged:
whoever dies in between, the batch comes again, is found stored, and is receipted again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Note(NamedTuple):
    """A message of ours to a device."""

    topic: str
    payload: bytes


@dataclass
class _Batch:
    mids: Sequence[int]
    arrived_at: float
    committed_at: float
    receipts_left: int


class Ledger:
    """Committed batches that are not acknowledged yet. Times are those of one clock. [s]"""

    def __init__(self) -> None:
        self._batches: deque[_Batch] = deque()
        self._unsent: deque[tuple[Note, _Batch]] = deque()
        self._in_flight: dict[int, _Batch] = {}

    def __len__(self) -> int:
        """Batches that are not acknowledged yet."""
        return len(self._batches)

    @property
    def receipts(self) -> int:
        """Receipts that the broker has not confirmed."""
        return len(self._unsent) + len(self._in_flight)

    @property
    def first_arrived_at(self) -> float | None:
        """When the oldest message arrived."""
        return self._batches[0].arrived_at if self._batches else None

    @property
    def first_committed_at(self) -> float | None:
        """When the oldest batch was committed."""
        return self._batches[0].committed_at if self._batches else None

    def add(
        self, mids: Sequence[int], receipts: Sequence[Note], *, arrived_at: float, now: float
    ) -> None:
        """Note a batch as committed; ``mids`` are what the broker calls its messages."""
        batch = _Batch(mids, arrived_at, now, len(receipts))
        self._batches.append(batch)
        self._unsent.extend((one, batch) for one in receipts)

    def send(self, publish: Callable[[Note], int | None], at_most: int) -> int:
        """Publish receipts until ``at_most`` are unconfirmed; say how many went out.

        ``publish`` answers what the client calls the message, or None where it could not go out.
        """
        sent = 0
        while self._unsent and len(self._in_flight) < at_most:
            note, batch = self._unsent[0]
            mid = publish(note)
            if mid is None:
                break
            self._unsent.popleft()
            self._in_flight[mid] = batch
            sent += 1
        return sent

    def confirm(self, mid: int) -> None:
        """The broker has taken a receipt."""
        batch = self._in_flight.pop(mid, None)
        if batch is not None:
            batch.receipts_left -= 1

    def ready(self) -> list[int]:
        """Messages to acknowledge now, in the order they came; each is told once."""
        mids: list[int] = []
        while self._batches and self._batches[0].receipts_left == 0:
            mids.extend(self._batches.popleft().mids)
        return mids

    def clear(self) -> None:
        """Forget all: on a new connection these numbers mean other messages."""
        self._batches.clear()
        self._unsent.clear()
        self._in_flight.clear()
