"""Messages without a time or a number that the broker delivers again: told by what it calls them.

They are dated by their arrival, and nothing in them tells a repeat: two equal ones may be two. But
what was not acknowledged the broker sends again under the same packet identifier, and marks it
as sent before (MQTT 5 sections 3.3.1.1 and 4.4). So who is delivered under which identifier is
remembered in the transaction that stores it, until some time after its acknowledgement. A message
that comes again gets the arrival it was stored with, and is found stored.
"""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Iterable, Sequence

from ingest.memory import Memory
from ingest.outcomes import Message

# An acknowledgement may be lost with the connection it was written to.
ACKNOWLEDGED_KEPT = 200


class Deliveries:
    """What this client was sent, and may be sent again."""

    def __init__(self, client_id: str) -> None:
        self._key = f"deliveries/{client_id}:"
        self._acknowledged: deque[int] = deque()
        self._noted: set[int] = set()
        # Of the process before this one, and not told from what is over; None: not looked at yet.
        self._before: set[int] | None = None
        self._forgets = False

    def begin(self, *, session_kept: bool) -> None:
        """Note a new connection; in a new session identifiers mean other messages."""
        if not session_kept:
            self._forgets = True

    def as_first_arrived(self, memory: Memory, messages: Sequence[Message]) -> Sequence[Message]:
        """The messages, with the time of their first arrival where they came before."""
        if self._forgets:
            self._forgets = False
            self._acknowledged.clear()
            self._noted.clear()
            if self._key in memory:
                memory.update({self._key: {}})
        if not any(one.again for one in messages):
            if self._before:  # what is sent again comes first, over several batches perhaps
                self._before.clear()
            return messages
        known = memory.get(self._key) or {}
        return [_dated(one, known.get(str(one.mid))) if one.again else one for one in messages]

    def note(self, memory: Memory, messages: Iterable[Message]) -> None:
        """Remember messages that are being stored by the time of their arrival."""
        fresh = {str(one.mid): [_digest(one), one.received_at_us] for one in messages if one.mid}
        if not fresh:
            return
        known = memory.get(self._key) or {}
        if self._before is None:
            self._before = {int(mid) for mid in known}
        kept = {str(mid) for mid in (*self._noted, *self._acknowledged, *self._before)}
        memory.update({self._key: {m: what for m, what in known.items() if m in kept} | fresh})
        self._noted |= {int(mid) for mid in fresh}

    def acknowledged(self, mids: Sequence[int]) -> None:
        """Note what the broker was told, and will hardly send again."""
        if not self._noted:
            return
        for mid in mids:
            if mid in self._noted:
                self._noted.discard(mid)
                self._acknowledged.append(mid)
        while len(self._acknowledged) > ACKNOWLEDGED_KEPT:
            self._acknowledged.popleft()


def _dated(message: Message, known: list[int] | None) -> Message:
    if known is None or known[0] != _digest(message):
        return message
    return message._replace(received_at_us=known[1])


def _digest(message: Message) -> int:
    return zlib.crc32(message.payload, zlib.crc32(message.topic.encode(errors="replace")))
