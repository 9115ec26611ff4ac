"""What senders said of their later messages, within bounds: anybody may say much.

A sender that says more than its share is forgotten whole, for half of what it said would explain
the other half wrongly. When there are too many, those unheard for longest make room, but none of a
registered device: how many of those there are is up to an operator.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from storage import senders

MOST_SENDERS = 10_000
MOST_BYTES_EACH = 1024 * 1024  # as JSON: a node with some thousand metrics
MOST_BYTES = 32 * 1024 * 1024  # which Python holds in three times as many
_ROOM_MADE = 0.9  # of the limits: so that not every new sender makes one go


class Dropped(NamedTuple):
    """What was not kept since it was last asked."""

    said_too_much: tuple[str, ...] = ()  # senders
    made_room: int = 0  # senders that were unheard for longest


class Memory(OrderedDict[str, Any]):
    """By the sender's key; the ones not heard for longest come first."""

    def __init__(self, known: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self._sizes: dict[str, int] = {}
        self._bytes = 0
        self._unsaved: set[str] = set()
        self._said_too_much: dict[str, None] = {}
        self._made_room = 0
        self._most_senders, self._most_bytes = MOST_SENDERS, MOST_BYTES
        if known:
            self.update(known)
            self._unsaved.clear()

    @classmethod
    def read(cls, connection: sa.Connection) -> Memory:
        """All that is remembered."""
        return cls(senders.memory(connection))

    def get(self, key: str, default: Any = None) -> Any:
        """What a sender said; asking is hearing of it."""
        if key not in self:
            return default
        self.move_to_end(key)
        return self[key]

    def update(self, learned: Mapping[str, Any]) -> None:  # type: ignore[override]
        """Remember what senders said, in place of what they said before."""
        for key, said in learned.items():
            size = len(json.dumps(said))
            self._unsaved.add(key)
            if size > MOST_BYTES_EACH:
                self._said_too_much[key] = None
                self._forget(key)
                continue
            self[key] = said
            self.move_to_end(key)
            self._bytes += size - self._sizes.get(key, 0)
            self._sizes[key] = size

    def save(self, connection: sa.Connection) -> None:
        """Write down what is new since the last :meth:`saved`, and make room if there is none."""
        if not self._unsaved:
            return
        if len(self) > self._most_senders or self._bytes > self._most_bytes:
            self._make_room(connection)
        senders.remember(connection, {key: self[key] for key in self._unsaved if key in self})
        senders.forget(connection, [key for key in self._unsaved if key not in self])

    def saved(self) -> None:
        """Note that what was written down is committed."""
        self._unsaved.clear()

    def take_dropped(self) -> Dropped:
        """What was not kept since the last call."""
        dropped = Dropped(tuple(self._said_too_much), self._made_room)
        self._said_too_much, self._made_room = {}, 0
        return dropped

    def _make_room(self, connection: sa.Connection) -> None:
        strangers = senders.strangers(connection, list(self))
        enough = self._most_senders * _ROOM_MADE, self._most_bytes * _ROOM_MADE
        for key in self._unheard_first(strangers):
            if len(self) <= enough[0] and self._bytes <= enough[1]:
                break
            self._unsaved.add(key)
            self._made_room += 1
            self._forget(key)
        # What registered devices fill beyond the limits is theirs.
        self._most_senders = max(MOST_SENDERS, round(len(self) / _ROOM_MADE))
        self._most_bytes = max(MOST_BYTES, round(self._bytes / _ROOM_MADE))

    def _unheard_first(self, strangers: set[str]) -> Iterable[str]:
        # What a codec notes of ourselves, under its bare prefix, is no sender's.
        return [key for key in self if key in strangers and not key.endswith(":")]

    def _forget(self, key: str) -> None:
        self.pop(key, None)
        self._bytes -= self._sizes.pop(key, 0)
