"""Sparkplug's word that a host application is there, on `spBv1.0/STATE/{host}`.

Nodes may be told to wait for a primary host: they publish, and empty their memories, only while it
says that it is online. So we say it once we are subscribed, and leave a will with the broker, of
the same time, that says the opposite. Retained, with QoS 1 (Sparkplug 3.0, sections 4.2.3 and 5.3).
The specification wants a host to begin each connection without a session, and we keep ours: what
the broker queues for us of other formats must not be lost, and a host's session tells nodes
nothing.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from ingest import topics


class Note(NamedTuple):
    """A message of ours that the broker keeps for whoever asks, until the next one."""

    topic: str
    payload: bytes


class Presence:
    """Whether a host is there, as nodes hear it."""

    def __init__(self, host: str) -> None:
        self.topic = topics.state_topic(host)
        self._came_ms = 0

    def come(self, now_ms: int) -> None:
        """Begin a connection. A clock that was set back does not make us seem older."""
        self._came_ms = max(now_ms, self._came_ms + 1)

    def will(self) -> Note:
        """What the broker says for us if the connection breaks."""
        return self._note(self._came_ms, online=False)

    def online(self) -> Note:
        """That we are there."""
        return self._note(self._came_ms, online=True)

    def offline(self, now_ms: int) -> Note:
        """That we go; never older than our coming."""
        return self._note(max(now_ms, self._came_ms), online=False)

    def is_denied_by(self, topic: str, payload: bytes) -> bool:
        """Whether a message says that we are not there, such as a will of an earlier connection."""
        if topic != self.topic:
            return False
        try:
            said = json.loads(payload)
        except (ValueError, RecursionError):
            return False
        return isinstance(said, dict) and said.get("online") is False

    def _note(self, time_ms: int, *, online: bool) -> Note:
        return Note(self.topic, json.dumps({"online": online, "timestamp": time_ms}).encode())
