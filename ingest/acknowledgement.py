"""The order of things after a commit: receipts first, then acknowledgements, as messages came.

A device forgets what a receipt covers, a broker what is acknowledged. So the broker has taken the
receipts of a batch (it confirmed each) before the first message of that batch is acknowledged:
whoever dies in between, the batch comes again, is found stored, and is receipted again.

A broker may have queued a whole backlog on the connection before it confirms anything (Mosquitto
2.0.11 does, whatever receive maximum it was told). Until then receipts wait, one for each boot of a
device, which stands for all that would have gone out in its place.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ingest.outcomes import Receipt

AT_ONCE = 10_000  # messages, give or take a batch


@dataclass
class _Batch:
    mids: array[int]
    arrived_at: float
    committed_at: float
    receipts_left: int


class Ledger:
    """Committed batches that are not acknowledged yet. Times are those of one clock. [s]"""

    def __init__(self) -> None:
        self._batches: deque[_Batch] = deque()
        self._unsent: OrderedDict[tuple[str, int], tuple[Receipt, list[_Batch]]] = OrderedDict()
        self._in_flight: dict[int, list[_Batch]] = {}

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
        self, mids: Sequence[int], receipts: Sequence[Receipt], *, arrived_at: float, now: float
    ) -> None:
        """Note a batch as committed; ``mids`` are what the broker calls its messages."""
        batch = _Batch(array("H", mids), arrived_at, now, len(receipts))
        self._batches.append(batch)
        for receipt in receipts:
            key = receipt.device, receipt.boot
            if (waiting := self._unsent.get(key)) is None:
                self._unsent[key] = receipt, [batch]
            else:
                earlier, batches = waiting
                batches.append(batch)
                self._unsent[key] = earlier.with_next(receipt), batches

    def send(self, publish: Callable[[Receipt], int | None], at_most: int) -> int:
        """Publish receipts until ``at_most`` are unconfirmed; say how many went out.

        ``publish`` answers what the client calls the message, or None where it could not go out.
        """
        sent = 0
        while self._unsent and len(self._in_flight) < at_most:
            receipt, batches = next(iter(self._unsent.values()))
            mid = publish(receipt)
            if mid is None:
                break
            self._unsent.popitem(last=False)
            self._in_flight[mid] = batches
            sent += 1
        return sent

    def confirm(self, mid: int) -> None:
        """The broker has taken a receipt."""
        for batch in self._in_flight.pop(mid, ()):
            batch.receipts_left -= 1

    def ready(self) -> list[int]:
        """Messages to acknowledge now, in the order they came; each is told once.

        After a backlog all of it may be ready at once: it is told in parts, a call for each.
        """
        mids: list[int] = []
        while len(mids) < AT_ONCE and self._batches and self._batches[0].receipts_left == 0:
            mids.extend(self._batches.popleft().mids)
        return mids

    def clear(self) -> None:
        """Forget all: on a new connection these numbers mean other messages."""
        self._batches.clear()
        self._unsent.clear()
        self._in_flight.clear()
