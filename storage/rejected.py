"""Messages that could not be stored: kept with their reason, a share for each device."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from storage import locks, tables

KEPT_PER_DEVICE = 1_000  # beyond, messages are only counted
KEPT_BYTES = 64 * 1024  # of a payload; its full size is noted beside
KEPT_NAME = 250  # characters of a device's name: it is indexed, and a topic may be endless


class RejectedMessage(NamedTuple):
    """A message, or the part of it, that could not be stored."""

    device: str | None
    topic: str
    payload: bytes
    reason: str
    detail: str
    received_at: dt.datetime


class KeptMessage(NamedTuple):
    """A row of what is kept."""

    id: int
    device: str | None
    topic: str
    payload: bytes
    payload_bytes: int  # before any cut
    reason: str
    detail: str
    times: int
    received_at: dt.datetime
    last_received_at: dt.datetime

    @property
    def is_whole(self) -> bool:
        """Whether its payload is kept to the last byte."""
        return len(self.payload) == self.payload_bytes


# Rows are locked in one order, whoever comes: two ingesters may get the same messages.
_KNOWN = sa.text("""
    WITH seen AS (
        SELECT * FROM unnest(CAST(:digests AS bytea[]), CAST(:times AS integer[]),
                             CAST(:last AS timestamptz[])) AS seen (digest, times, last_at)),
    locked AS (
        SELECT known.id, seen.times, seen.last_at
          FROM rejected_messages AS known JOIN seen USING (digest)
      ORDER BY known.digest FOR UPDATE OF known)
    UPDATE rejected_messages AS known
       SET times = known.times + locked.times,
           last_received_at = greatest(known.last_received_at, locked.last_at)
      FROM locked
     WHERE known.id = locked.id
 RETURNING known.digest
""")
_ROOM = sa.text("""
    SELECT device, count(*) AS kept FROM rejected_messages
     WHERE device = ANY(:devices) OR (device IS NULL AND :nobody)
  GROUP BY device
""")
_TALLY = sa.text("""
    INSERT INTO rejected_counts AS known (device, day, reason, messages)
    VALUES (:device, :day, :reason, :messages)
    ON CONFLICT (device, day, reason) DO UPDATE SET messages = known.messages + excluded.messages
""")


def add(connection: sa.Connection, messages: Sequence[RejectedMessage]) -> None:
    """Keep messages with their reason; the same one again only raises its count."""
    if not messages:
        return
    same: dict[bytes, list[RejectedMessage]] = defaultdict(list)
    for message in messages:
        same[_digest(message)].append(message)
    known = {
        "digests": list(same),
        "times": [len(found) for found in same.values()],
        "last": [max(one.received_at for one in found) for found in same.values()],
    }
    for digest in connection.scalars(_KNOWN, known).all():
        del same[bytes(digest)]
    if not same:
        return
    room = _room(connection, {_name(found[0]) for found in same.values()})
    kept: list[dict[str, Any]] = []
    beyond = Counter[tuple[str, dt.date, str]]()
    for digest, found in same.items():
        name = _name(found[0])
        if room[name] > 0:
            room[name] -= 1
            kept.append(_values(found[0], digest, found))
        else:
            day = found[0].received_at.astimezone(dt.UTC).date()
            beyond[name or "", day, found[0].reason] += len(found)
    if kept:
        # In the order they came, for their ids tell it. So two ingesters with the same messages in
        # another order must take turns, or each could wait for a row of the other's.
        locks.wait(connection, "dala rejected messages")
        _keep(connection, kept)
    for (name, day, reason), count in sorted(beyond.items()):
        tally = {"device": name, "day": day, "reason": reason, "messages": count}
        connection.execute(_TALLY, tally)


def _room(connection: sa.Connection, names: set[str | None]) -> dict[str | None, int]:
    parameters = {"devices": [name for name in names if name is not None], "nobody": None in names}
    taken = {row.device: row.kept for row in connection.execute(_ROOM, parameters)}
    return {name: KEPT_PER_DEVICE - taken.get(name, 0) for name in names}


def _keep(connection: sa.Connection, rows: Sequence[dict[str, Any]]) -> None:
    statement = insert(tables.rejected_messages)
    known, new = tables.rejected_messages.c, statement.excluded
    connection.execute(
        statement.on_conflict_do_update(  # another ingester was faster
            index_elements=["digest"],
            set_={
                "times": known.times + new.times,
                "last_received_at": sa.func.greatest(known.last_received_at, new.last_received_at),
            },
        ),
        rows,
    )


def _values(
    message: RejectedMessage, digest: bytes, found: Sequence[RejectedMessage]
) -> dict[str, Any]:
    return {
        "digest": digest,
        "device": _name(message),
        "topic": _clean(message.topic),
        "payload": message.payload[:KEPT_BYTES],
        "payload_bytes": len(message.payload),
        "reason": message.reason,
        "detail": _clean(message.detail),
        "times": len(found),
        "received_at": min(one.received_at for one in found),
        "last_received_at": max(one.received_at for one in found),
    }


def _digest(message: RejectedMessage) -> bytes:
    parts = (message.topic.encode(errors="replace"), message.reason.encode(), message.payload)
    return hashlib.sha256(b"\x00".join(parts)).digest()


def _name(message: RejectedMessage) -> str | None:
    return None if message.device is None else _clean(message.device[:KEPT_NAME])


def _clean(text: str | None) -> str | None:
    """PostgreSQL's text holds neither NUL nor half a surrogate pair; a bad message may."""
    if text is None:
        return None
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


class ReasonCount(NamedTuple):
    """How often something was refused."""

    device: str | None
    reason: str
    messages: int
    detail: str
    last_received_at: dt.datetime


_SUMMARY = sa.text("""
    SELECT device, reason, sum(times)::bigint,
           (array_agg(detail ORDER BY last_received_at DESC))[1], max(last_received_at)
      FROM rejected_messages
  GROUP BY device, reason
  ORDER BY max(last_received_at) DESC
     LIMIT :limit
""")


def summary(connection: sa.Connection, *, limit: int = 100) -> list[ReasonCount]:
    """Reasons by device, the latest first, with the newest detail of each."""
    return [ReasonCount(*row) for row in connection.execute(_SUMMARY, {"limit": limit})]


class BeyondCount(NamedTuple):
    """Messages of a device beyond its room: counted, their payload is gone."""

    device: str | None
    reason: str
    messages: int
    first_day: dt.date  # of UTC
    last_day: dt.date


_BEYOND = sa.text("""
    SELECT nullif(device, ''), reason, sum(messages)::bigint, min(day), max(day)
      FROM rejected_counts
     WHERE (CAST(:device AS text) IS NULL OR device = :device)
       AND (CAST(:reason AS text) IS NULL OR reason = :reason)
  GROUP BY device, reason
  ORDER BY max(day) DESC, sum(messages) DESC
     LIMIT :limit
""")


def beyond(
    connection: sa.Connection,
    *,
    device: str | None = None,
    reason: str | None = None,
    limit: int = 100,
) -> list[BeyondCount]:
    """What was only counted, by device and reason, the latest first."""
    parameters = {"device": device, "reason": reason, "limit": limit}
    return [BeyondCount(*row) for row in connection.execute(_BEYOND, parameters)]


_KEPT = [tables.rejected_messages.c[name] for name in KeptMessage._fields]


def newest(
    connection: sa.Connection,
    *,
    device: str | None = None,
    reason: str | None = None,
    limit: int = 20,
) -> list[KeptMessage]:
    """Kept messages, the last to come first."""
    table = tables.rejected_messages.c
    query = _chosen(sa.select(*_KEPT), device, reason)
    query = query.order_by(table.last_received_at.desc(), table.id.desc()).limit(limit)
    return [KeptMessage(*row) for row in connection.execute(query)]


def page(
    connection: sa.Connection,
    *,
    after: int = 0,
    until: int | None = None,
    device: str | None = None,
    reason: str | None = None,
    limit: int = 200,
) -> list[KeptMessage]:
    """Kept messages in the order they came, from the one after ``after`` to ``until``, by id."""
    table = tables.rejected_messages.c
    query = _chosen(sa.select(*_KEPT), device, reason).where(table.id > after)
    if until is not None:
        query = query.where(table.id <= until)
    query = query.order_by(table.id).limit(limit)
    return [KeptMessage(*row) for row in connection.execute(query)]


def count(
    connection: sa.Connection, *, device: str | None = None, reason: str | None = None
) -> tuple[int, int]:
    """How many messages are kept, and the highest id among them (0 if there is none)."""
    table = tables.rejected_messages.c
    query = sa.select(sa.func.count(), sa.func.coalesce(sa.func.max(table.id), 0))
    found, last = connection.execute(_chosen(query, device, reason)).one()
    return int(found), int(last)


def _chosen(query: sa.Select[Any], device: str | None, reason: str | None) -> sa.Select[Any]:
    table = tables.rejected_messages.c
    if device is not None:
        query = query.where(table.device == _clean(device[:KEPT_NAME]))
    return query if reason is None else query.where(table.reason == reason)


_WITH_ANY = sa.text("""
    SELECT number FROM unnest(CAST(:devices AS text[]), CAST(:reasons AS text[]))
         WITH ORDINALITY AS one (device, reason, number)
     WHERE EXISTS (SELECT FROM rejected_messages AS kept
                    WHERE kept.device = one.device AND kept.reason = one.reason)
""")


def with_any(connection: sa.Connection, pairs: Sequence[tuple[str, str]]) -> set[int]:
    """Places of those pairs of a device and a reason of which messages are kept."""
    parameters = {
        "devices": [_clean(device[:KEPT_NAME]) for device, _ in pairs],
        "reasons": [reason for _, reason in pairs],
    }
    return {number - 1 for number in connection.scalars(_WITH_ANY, parameters)}


def remove(connection: sa.Connection, ids: Sequence[int]) -> None:
    """Drop kept messages: what they say is stored now."""
    table = tables.rejected_messages
    connection.execute(table.delete().where(table.c.id.in_(ids)))


def judge_anew(connection: sa.Connection, kept: KeptMessage, message: RejectedMessage) -> None:
    """Give a kept message the reason that it is refused for today; it was not received again."""
    digest = _digest(message)
    row = _values(message, digest, [message])
    row |= {name: getattr(kept, name) for name in ("times", "received_at", "last_received_at")}
    table = tables.rejected_messages
    update = table.update().where(table.c.id == kept.id)
    twin = sa.select(table.c.id).where(table.c.digest == digest, table.c.id != kept.id)
    if connection.scalar(twin) is None:
        connection.execute(update.values(row))
        return
    remove(connection, [kept.id])
    _keep(connection, [row])
