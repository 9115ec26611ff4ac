"""What senders are asked when we come to a broker: some at a time, and nobody too often."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from itertools import count

from ingest.messages import Request

A_SECOND = 50.0  # thousands of nodes that are all born at once would come as one flood
BURST = 20
AGAIN_S = 60.0  # a connection may come and go


class Asking:
    """Requests that wait. Times are those of one clock. [s]"""

    def __init__(self) -> None:
        self._waiting: list[tuple[float, int, Request]] = []
        self._asked_at: dict[str, float] = {}
        self._number = count()  # of equals, the first comes first
        self._room, self._counted_at = float(BURST), 0.0

    def add(self, requests: Iterable[Request], now: float) -> None:
        """Ask these, in place of what waits."""
        self._asked_at = {to: at for to, at in self._asked_at.items() if now - at < AGAIN_S}
        self._waiting = [
            (max(now, self._asked_at.get(one.topic, -AGAIN_S) + AGAIN_S), next(self._number), one)
            for one in requests
        ]
        heapq.heapify(self._waiting)

    def take(self, now: float) -> list[Request]:
        """What to publish now."""
        self._room = min(BURST, self._room + (now - self._counted_at) * A_SECOND)
        self._counted_at = now
        taken = []
        while self._waiting and self._waiting[0][0] <= now and self._room >= 1:
            _, _, request = heapq.heappop(self._waiting)
            self._asked_at[request.topic] = now
            self._room -= 1
            taken.append(request)
        return taken
