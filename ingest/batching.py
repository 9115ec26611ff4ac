"""Messages that wait for their batch, and the storing of one whatever is in it."""

from __future__ import annotations

import gc
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import psycopg
import sqlalchemy as sa
import structlog

from ingest.codecs import Registry
from ingest.messages import from_us
from ingest.outcomes import Message, Outcome
from ingest.settings import MqttSettings
from ingest.storing import Line
from storage import rejected
from storage.rejected import RejectedMessage

log = structlog.get_logger()

OBJECTS_BETWEEN_COLLECTIONS = 100_000  # a batch makes some twenty thousand, and no cycles
QUIET_SHARE = 0.1  # of a batch's age: nothing came for so long, so waiting longer gathers nothing


class Batch(NamedTuple):
    """Messages with what the broker calls them (0: it wants no acknowledgement)."""

    mids: list[int]
    messages: list[Message]
    first_arrived_at: float  # by the clock of the caller [s]


class Waiting:
    """Messages between their arrival and their batch."""

    def __init__(self, settings: MqttSettings) -> None:
        self._settings = settings
        self._mids: list[int] = []
        self._messages: list[Message] = []
        self._bytes = 0
        self._first_at = self._last_at = 0.0

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def first_arrived_at(self) -> float | None:
        """When the oldest message arrived."""
        return self._first_at if self._messages else None

    @property
    def is_full(self) -> bool:
        """Whether a batch is complete: nothing more should be read."""
        return (
            len(self._messages) >= self._settings.batch_messages
            or self._bytes >= self._settings.batch_bytes
        )

    def add(self, mid: int, message: Message, now: float) -> None:
        """Take a message in."""
        if not self._messages:
            self._first_at = now
        self._last_at = now
        self._bytes += len(message.payload)
        self._mids.append(mid)
        self._messages.append(message)

    def is_due(self, now: float) -> bool:
        """Whether the batch is full, has waited long enough, or nothing more is coming."""
        if not self._messages:
            return False
        age = self._settings.batch_age_s
        return (
            self.is_full or now - self._first_at >= age or now - self._last_at >= QUIET_SHARE * age
        )

    def take(self) -> Batch:
        """The batch; nothing waits any more."""
        batch = Batch(self._mids, self._messages, self._first_at)
        self._mids, self._messages, self._bytes = [], [], 0
        return batch

    def clear(self) -> None:
        """Drop what waits."""
        self.take()


@contextmanager
def collecting_rarely() -> Iterator[None]:
    """Look less often for objects that only hold each other, which a batch does not make.

    By default Python looks through the young ones every 700 objects and now and then through all:
    with thousands of devices to remember, a fifth of the time.
    """
    before = gc.get_threshold()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def store(line: Line, engine: sa.Engine, registry: Registry, messages: list[Message]) -> Outcome:
    """Store a batch; a message on which the line itself fails is found and set aside.

    Raises
    ------
    sqlalchemy.exc.DBAPIError, psycopg.Error
        As :meth:`ingest.storing.Line.store` does: the batch may be offered again.
    """
    try:
        return line.store(messages)
    except (sa.exc.DBAPIError, psycopg.Error):
        raise
    except Exception as error:
        # A fault of ours. It would come back with the message for ever, and end every restart.
        log.error("batch failed", messages=len(messages), error=_where(error))
        if len(messages) == 1:
            return _set_aside(engine, registry, messages[0], error)
        middle = len(messages) // 2
        first = store(line, engine, registry, messages[:middle])
        return first.with_next(store(line, engine, registry, messages[middle:]))


def _set_aside(
    engine: sa.Engine, registry: Registry, message: Message, error: Exception
) -> Outcome:
    found = registry.route(message.topic)
    device = None if found is None else found[0].device(found[1])
    record = RejectedMessage(
        device,
        message.topic,
        message.payload,
        "codec-failed",
        f"{type(error).__name__} while storing",
        from_us(message.received_at_us),
    )
    with engine.begin() as connection:
        rejected.add(connection, [record])
    return Outcome([], 0, 0, 1, [], reasons={record.reason: 1})


def _where(error: Exception) -> str:
    """What failed and in which line of ours; its words may repeat the payload."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {last.name}, line {last.lineno}"
