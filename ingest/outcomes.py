"""What came in, and what became of it: for the devices, and for those who count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from ingest.messages import Parked, Request


class Message(NamedTuple):
    """A message as it arrived."""

    topic: str
    payload: bytes
    received_at_us: int
    mid: int = 0  # what the broker calls it; 0: it wants no acknowledgement
    again: bool = False  # whether the broker says that it sent it before


class Receipt(NamedTuple):
    """What a device may forget: every message of ``boot`` up to ``seq`` is committed."""

    device: str
    boot: int
    seq: int
    stored: int
    duplicate: int
    rejected: dict[str, int]

    def with_next(self, later: Receipt) -> Receipt:
        """This receipt and a later one of the same boot, as one."""
        return self._replace(
            seq=max(self.seq, later.seq),
            stored=self.stored + later.stored,
            duplicate=self.duplicate + later.duplicate,
            rejected=dict(Counter(self.rejected) + Counter(later.rejected)),
        )


class Outcome(NamedTuple):
    """What became of a batch."""

    receipts: list[Receipt]
    stored: int
    duplicate: int
    rejected: int
    requests: list[Request]  # to publish once the batch is committed
    decoded: int = 0  # messages of which something could be read
    reasons: Mapping[str, int] = MappingProxyType({})  # how often each refused something
    conflicts: int = 0  # other values for stored times
    lags_us: tuple[np.ndarray[Any, Any], ...] = ()  # from reading to arrival, of what was stored
    heals: tuple[Parked, ...] = ()  # what of earlier is worth reading again

    def with_next(self, other: Outcome) -> Outcome:
        """This batch and the one after it, as one."""
        return Outcome(
            self.receipts + other.receipts,
            self.stored + other.stored,
            self.duplicate + other.duplicate,
            self.rejected + other.rejected,
            self.requests + other.requests,
            self.decoded + other.decoded,
            Counter(self.reasons) + Counter(other.reasons),
            self.conflicts + other.conflicts,
            self.lags_us + other.lags_us,
            self.heals + other.heals,
        )
