"""From messages to stored rows: a batch is committed, and a message that spoils one is found."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import psycopg
import sqlalchemy as sa
import structlog

from ingest import reader
from ingest.batch import Batch
from ingest.codecs import BUILT_IN, Registry
from ingest.codecs.senml_columns import Names
from ingest.deliveries import Deliveries
from ingest.kept import Keep, Kept
from ingest.memory import Memory
from ingest.messages import Decoded, Rejected, Request
from ingest.outcomes import Message, Outcome, Receipt
from ingest.plausibility.streams import Streams
from ingest.refusals import record
from storage import devices, rejected, watching
from storage.devices import Device, StreamKey
from storage.watching import Watched

__all__ = ["Line", "Message", "Outcome", "Receipt", "Watched", "is_away"]

log = structlog.get_logger()

# SQLSTATE classes: the row is at fault (54: too long for an index or a page), or the server is
# not to be had right now.
DATA_AT_FAULT = ("22", "23", "54")
SERVER_AWAY = ("08", "53", "57P")
# Two transactions stood in each other's way (deadlock, serialization) and one had to give in: it
# would most likely succeed if begun again.
COLLIDED = "40"
AT_ONCE = 3  # times that it is, before the caller hears of it


class Line:
    """Keeps what devices and datastreams are called in the database."""

    def __init__(
        self,
        engine: sa.Engine,
        registry: Registry = BUILT_IN,
        keep: Keep = rejected.add,
        memory: Memory | None = None,
        deliveries: Deliveries | None = None,
    ) -> None:
        self._engine = engine
        self._registry = registry
        self._keep = keep
        self._devices: dict[str, Device] = {}
        self._streams: dict[StreamKey, int] = {}
        self._names: dict[str, Names] = {}
        self._heard: dict[str, int] = {}
        self._series = Streams()
        self.deliveries = deliveries
        self._memory = memory  # None: still to be read from the database

    def store(self, messages: Sequence[Message]) -> Outcome:
        """Store a batch and commit; a message the database refuses is found and set aside.

        Raises
        ------
        sqlalchemy.exc.DBAPIError, psycopg.Error
            If the database is away or failed for a reason that is not in the data: nothing was
            stored, and the batch may be offered again.
        """
        for left in reversed(range(AT_ONCE)):
            try:
                return self._stored(messages)
            except (sa.exc.DBAPIError, psycopg.Error) as error:
                state = _state(error)
                if state.startswith(DATA_AT_FAULT):
                    return self._bisect(messages, error)
                if left == 0 or not state.startswith(COLLIDED):
                    raise
                log.warning("collided with another transaction", sqlstate=state)
        raise AssertionError("the last try returns or raises")

    def _stored(self, messages: Sequence[Message]) -> Outcome:
        with self._engine.begin() as connection:
            memory = self._remembered(connection)
            if self.deliveries is not None:
                messages = self.deliveries.as_first_arrived(memory, messages)
            kept = self._kept(memory)
            batch = Batch(connection, messages, reader.read(connection, messages, kept), kept)
            outcome = batch.store()
        batch.committed()
        self._committed(memory)
        return outcome

    def greet(self, now_us: int, *, session_kept: bool) -> tuple[Request, ...]:
        """What to ask senders, now that we come to a broker; noted, so that it outlives us.

        Raises
        ------
        sqlalchemy.exc.DBAPIError, psycopg.Error
            If the database is away or failed: to be done again, before anything is stored.
        """
        with self._engine.begin() as connection:
            memory = self._remembered(connection)
            greeting = self._registry.greet(memory, now_us, session_kept=session_kept)
            memory.update(greeting.learned)
            memory.save(connection)
        self._committed(memory)
        return greeting.requests

    def _remembered(self, connection: sa.Connection) -> Memory:
        if self._memory is None:
            self._memory = Memory.read(connection)
        return self._memory

    def _committed(self, memory: Memory) -> None:
        memory.saved()
        too_much, made_room = memory.take_dropped()
        if too_much:
            log.warning("forgot senders that said too much", senders=too_much[:5])
        if made_room:
            log.warning("forgot senders that were unheard for longest", senders=made_room)

    @property
    def memory(self) -> Memory | None:
        """What senders said; None: not read from the database yet."""
        return self._memory

    def watch(self, now: dt.datetime) -> Watched:
        """Look for devices that fell silent and for what never came; to be called once a minute.

        Raises
        ------
        sqlalchemy.exc.DBAPIError, psycopg.Error
            If the database is away or failed; nothing is lost, the next call finds the same.
        """
        with self._engine.begin() as connection:
            self._series.learn_intervals(connection)
        with self._engine.begin() as connection:
            return watching.watch(connection, now)

    def _kept(self, memory: Memory) -> Kept:
        return Kept(
            self._registry, self._devices, self._streams, self._names, self._heard, memory,
            self._series, self._keep, self.deliveries,
        )  # fmt: skip

    def forget(self) -> None:
        """Look devices up anew: they may have been moved, disabled or claimed."""
        self._devices.clear()

    def _bisect(self, messages: Sequence[Message], error: Exception) -> Outcome:
        if len(messages) == 1:
            return self._set_aside(messages[0], error)
        middle = len(messages) // 2
        return self.store(messages[:middle]).with_next(self.store(messages[middle:]))

    def _set_aside(self, message: Message, error: Exception) -> Outcome:
        problem = Rejected("refused-by-database", f"SQLSTATE {_state(error)}: {_words(error)}")
        log.warning("message refused by the database", topic=message.topic, state=_state(error))
        decoded = self._registry.decode(
            message.topic,
            message.payload,
            received_at_us=message.received_at_us,
            memory={} if self._memory is None else self._memory,
        )
        with self._engine.begin() as connection:
            self._keep(connection, [record(message, decoded.device, [problem])])
            receipts = self._receipt_of_refused(connection, decoded, problem)
        return Outcome(receipts, 0, 0, 1, [], reasons={problem.reason: 1})

    def _receipt_of_refused(
        self, connection: sa.Connection, decoded: Decoded, problem: Rejected
    ) -> list[Receipt]:
        """It is kept with its reason, so its device may forget it; else it came for ever."""
        device = self._devices.get(decoded.device or "")
        if device is None or decoded.boot is None or decoded.seq is None:
            return []
        try:
            with connection.begin_nested():
                seq = devices.note_committed(connection, device.id, decoded.boot, [decoded.seq])
        except sa.exc.DataError:  # the number itself is what was refused
            return []
        return [Receipt(device.id, decoded.boot, seq, 0, 0, {problem.reason: 1})]


def _state(error: Exception) -> str:
    original = getattr(error, "orig", error)
    if state := getattr(original, "sqlstate", None):
        return str(state)
    # Without a word of the server: the driver would not send the value, or there is no connection.
    return "22000" if isinstance(original, psycopg.DataError) else "08000"


def _words(error: Exception) -> str:
    return str(getattr(error, "orig", error)).splitlines()[0]


def is_away(error: Exception) -> bool:
    """Tell whether the database is out of reach, so that trying again is all there is to do."""
    return _state(error).startswith(SERVER_AWAY)
