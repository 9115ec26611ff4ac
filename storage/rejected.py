"""Messages that could not be stored: kept with their reason, a share for each device."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from storage import tables

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


_KNOWN = sa.text("""
    UPDATE rejected_messages
       SET times = times + 1, last_received_at = greatest(last_received_at, :received_at)
     WHERE digest = :digest
""")
_COUNT = sa.text("""
    SELECT count(*) FROM rejected_messages WHERE device IS NOT DISTINCT FROM :device
""")
_TALLY = sa.text("""
    INSERT INTO rejected_counts AS known (device, day, reason, messages)
    VALUES (:device, :day, :reason, 1)
    ON CONFLICT (device, day, reason) DO UPDATE SET messages = known.messages + 1
""")


def add(connection: sa.Connection, messages: Sequence[RejectedMessage]) -> None:
    """Keep messages with their reason; the same one again only raises its count."""
    room: dict[str | None, int] = {}
    for message in messages:
        device = _name(message)
        digest = _digest(message)
        known = {"digest": digest, "received_at": message.received_at}
        if connection.execute(_KNOWN, known).rowcount:
            continue
        if device not in room:
            kept = connection.execute(_COUNT, {"device": device}).scalar_one()
            room[device] = KEPT_PER_DEVICE - kept
        if room[device] > 0:
            room[device] -= 1
            _keep(connection, message, digest)
        else:
            day = message.received_at.astimezone(dt.UTC).date()
            tally = {"device": device or "", "day": day, "reason": message.reason}
            connection.execute(_TALLY, tally)


def _keep(connection: sa.Connection, message: RejectedMessage, digest: bytes) -> None:
    connection.execute(
        tables.rejected_messages.insert().values(
            digest=digest,
            device=_name(message),
            topic=_clean(message.topic),
            payload=message.payload[:KEPT_BYTES],
            payload_bytes=len(message.payload),
            reason=message.reason,
            detail=_clean(message.detail),
            received_at=message.received_at,
            last_received_at=message.received_at,
        )
    )


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
