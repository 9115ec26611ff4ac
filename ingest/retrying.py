"""Messages that were refused, read again: a codec was mended, or a device became known.

They go through the line as when they arrived, with the time of their arrival. What succeeds leaves
the list, what does not stays with today's reason. Doing it twice, or half, does no harm: readings
are stored once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from ingest.codecs import BUILT_IN, Registry
from ingest.memory import Memory
from ingest.messages import Decoded, to_us
from ingest.outcomes import Message
from ingest.storing import Line
from storage import devices, rejected
from storage.rejected import KeptMessage, RejectedMessage

AT_ONCE = 200


class Retried(NamedTuple):
    """What came of it."""

    tried: int
    mended: int  # messages that are stored now, and gone from the list
    stored: int  # readings and points that were new
    duplicate: int  # those that were stored before, as the good part of a message is
    cut: int  # messages whose payload was too long to keep: nothing to read again


class _Again(Registry):
    """Reads as another registry does, but learns nothing: what senders said since is newer.

    Codecs are told, for what is known may be too new for the message.
    """

    def __init__(self, registry: Registry) -> None:
        self.__dict__.update(registry.__dict__)

    def decode(self, *arguments: Any, **named: Any) -> Decoded:
        found = super().decode(*arguments, **{**named, "again": True})
        return found._replace(learned={}, requests=(), heals=())


def retry(
    engine: sa.Engine,
    *,
    device: str | None = None,
    reason: str | None = None,
    registry: Registry = BUILT_IN,
    on_progress: Callable[[int], None] = lambda _messages: None,
) -> Retried:
    """Read kept messages again, all or those of a device or a reason.

    Parameters
    ----------
    device : str, optional
        As the list has it: an id, or the wire identity of a device that was unknown.
    on_progress : callable
        Told after each step how many messages it dealt with.

    Raises
    ------
    sqlalchemy.exc.DBAPIError, psycopg.Error
        If the database is away or failed; what was dealt with by then stays so.
    """
    total = Retried(0, 0, 0, 0, 0)
    last = 0
    with engine.connect() as connection:
        _, until = rejected.count(connection, device=device, reason=reason)
    run = Run(engine, registry)
    while True:
        with engine.connect() as connection:
            page = rejected.page(
                connection, after=last, until=until, device=device, reason=reason, limit=AT_ONCE
            )
            whole = [one for one in page if one.is_whole]
            ready = run.of_known_devices(connection, whole)
        if not page:
            return total
        last = page[-1].id
        done = run.store(ready)._replace(tried=len(whole), cut=len(page) - len(whole))
        total = Retried(*map(sum, zip(total, done, strict=True)))
        on_progress(len(page))


class Run:
    """A line of its own, which keeps nothing that it refuses but remembers it."""

    def __init__(self, engine: sa.Engine, registry: Registry, memory: Memory | None = None) -> None:
        self._engine = engine
        self._refused: dict[tuple[str, bytes], RejectedMessage] = {}
        self._registry = _Again(registry)
        self._line = Line(engine, self._registry, self._note, memory)

    def _note(self, _connection: sa.Connection, refused: Sequence[RejectedMessage]) -> None:
        self._refused |= {(one.topic, one.payload): one for one in refused}

    def of_known_devices(
        self, connection: sa.Connection, page: Sequence[KeptMessage]
    ) -> list[KeptMessage]:
        """Leave out those of unknown devices: the line would count them as heard again."""
        names = {}
        for one in page:
            arrived = to_us(one.received_at)
            names[one.id] = self._registry.decode(
                one.topic, one.payload, received_at_us=arrived
            ).device
        wanted = {name for name in names.values() if name is not None and "\x00" not in name}
        known = {None, *devices.by_identity(connection, wanted)}
        return [one for one in page if names[one.id] in known]

    def store(self, page: Sequence[KeptMessage]) -> Retried:
        if not page:
            return Retried(0, 0, 0, 0, 0)
        self._refused.clear()
        messages = [Message(one.topic, one.payload, to_us(one.received_at)) for one in page]
        outcome = self._line.store(messages)
        mended = []
        with self._engine.begin() as connection:
            for one in page:
                again = self._refused.get((one.topic, one.payload))
                if again is None:
                    mended.append(one.id)
                else:
                    rejected.judge_anew(connection, one, again)
            rejected.remove(connection, mended)
        return Retried(len(page), len(mended), outcome.stored, outcome.duplicate, 0)
