"""Answers to writes, kept for a day: a client that sends a write again is told what it was told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import NamedTuple

import sqlalchemy as sa

from storage import tables

KEPT = dt.timedelta(hours=24)
_TABLE = tables.kept_answers


class Kept(NamedTuple):
    """The answer to a write, and a digest of what was asked."""

    request_hash: bytes
    status: int
    headers: Mapping[str, str]
    body: bytes


_KEPT = [_TABLE.c[name] for name in Kept._fields]
_LOCK = sa.text("SELECT pg_try_advisory_xact_lock(hashtextextended(:what, 0))")


def is_first(connection: sa.Connection, credential: str, key: str) -> bool:
    """Tell whether no other transaction is at work on this key; it is ours until this one ends."""
    what = f"dala answer {credential}\n{key}"
    return bool(connection.scalar(_LOCK, {"what": what}))


def find(connection: sa.Connection, credential: str, key: str) -> Kept | None:
    """The answer that was kept under a key; the transaction stands at the entrance."""
    row = connection.execute(
        sa.select(*_KEPT).where(
            _TABLE.c.credential == credential,
            _TABLE.c.key == key,
            _TABLE.c.created_at > sa.func.now() - KEPT,
        )
    ).one_or_none()
    return None if row is None else Kept(*row)


def put(connection: sa.Connection, credential: str, key: str, kept: Kept) -> None:
    """Keep an answer, and let go of those that are older than a day."""
    connection.execute(_TABLE.delete().where(_TABLE.c.created_at <= sa.func.now() - KEPT))
    connection.execute(_TABLE.insert().values(credential=credential, key=key, **kept._asdict()))
