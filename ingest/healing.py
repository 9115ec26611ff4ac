"""What was refused for want of something that its sender has said since, read again by itself.

Step by step: the line goes on between two steps, and what was learned last decides.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from ingest.codecs import BUILT_IN, Registry
from ingest.messages import Parked
from ingest.retrying import AT_ONCE, Retried, Run
from ingest.storing import Line
from storage import rejected

AGAIN_S = 60.0  # a sender may explain itself without end
TIMES_KEPT = 10_000  # of when each was healed last


class Healing:
    """What waits to be read again."""

    def __init__(self, engine: sa.Engine, line: Line, registry: Registry = BUILT_IN) -> None:
        self._engine, self._line, self._registry = engine, line, registry
        self._waiting: dict[Parked, int] = {}  # and the last message that was read again
        self._healed_at: dict[Parked, float] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, explained: Iterable[Parked]) -> None:
        """Have what was kept read again, from its first message on."""
        self._waiting |= dict.fromkeys(explained, 0)

    def step(self, now: float) -> Retried | None:
        """Read a page of it again, in the order it came; None: there is nothing to do now.

        Raises
        ------
        sqlalchemy.exc.DBAPIError, psycopg.Error
            If the database is away or failed: the next step does it again.
        """
        due = [one for one in self._waiting if self._is_due(one, now)]
        if not due:
            return None
        with self._engine.connect() as connection:
            kept = rejected.with_any(connection, due)
            for place, one in enumerate(due):
                if place not in kept:
                    del self._waiting[one]
            if not kept:
                return None
            one = due[min(kept)]
            page = rejected.page(
                connection,
                after=self._waiting[one],
                device=one.device,
                reason=one.reason,
                limit=AT_ONCE,
            )
            run = Run(self._engine, self._registry, self._line.memory)
            ready = run.of_known_devices(connection, [kept for kept in page if kept.is_whole])
        done = run.store(ready)
        if len(page) == AT_ONCE:
            self._waiting[one] = page[-1].id
        else:
            del self._waiting[one]
            self._note_healed(one, now)
        return done

    def _is_due(self, one: Parked, now: float) -> bool:
        healed_at = self._healed_at.get(one)
        return self._waiting[one] > 0 or healed_at is None or now - healed_at >= AGAIN_S

    def _note_healed(self, one: Parked, now: float) -> None:
        if len(self._healed_at) >= TIMES_KEPT:
            self._healed_at.clear()
        self._healed_at[one] = now
