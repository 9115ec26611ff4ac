"""Heads of the tree as they were signed."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import sqlalchemy as sa

from storage import countersignatures, tables
from storage.database import NotFound

_HEAD = tables.tree_heads


class StoredHead(NamedTuple):
    """The tree as it was sealed and signed."""

    seal: int
    size: int
    root: bytes
    sealed_at: dt.datetime
    manifest: str
    protected: str
    signature: str
    kid: str
    countersignatures: int


_HEADS = sa.select(
    *(_HEAD.c[name] for name in StoredHead._fields[:-1]),
    countersignatures.count(countersignatures.HEADS, _HEAD.c.seal),
)


def newest(connection: sa.Connection) -> StoredHead | None:
    """The head of the tree as it is; None where nothing was sealed yet."""
    row = connection.execute(_HEADS.order_by(_HEAD.c.seal.desc()).limit(1)).one_or_none()
    return None if row is None else StoredHead._make(row)


def head(connection: sa.Connection, size: int) -> StoredHead:
    """The head of a size; NotFound if none was sealed then."""
    row = connection.execute(_HEADS.where(_HEAD.c.size == size)).one_or_none()
    if row is None:
        raise NotFound(f"head of {size} entries")
    return StoredHead._make(row)


def heads(connection: sa.Connection, *, after: int = 0, limit: int = 100) -> list[StoredHead]:
    """Heads by size, from the one after ``after`` entries on."""
    query = _HEADS.where(_HEAD.c.size > after).order_by(_HEAD.c.size).limit(limit)
    return [StoredHead._make(row) for row in connection.execute(query)]


def newest_heads(connection: sa.Connection, limit: int) -> list[StoredHead]:
    """The newest heads, the newest first."""
    rows = connection.execute(_HEADS.order_by(_HEAD.c.seal.desc()).limit(limit))
    return [StoredHead._make(row) for row in rows]


def add(
    connection: sa.Connection,
    *,
    seal: int,
    size: int,
    root: bytes,
    sealed_at: dt.datetime,
    manifest: str,
    protected: str,
    signature: str,
    kid: str,
) -> None:
    """Add a head as it was signed; its entries follow (:func:`storage.evidence.add_entries`)."""
    values = {
        "seal": seal,
        "size": size,
        "root": root,
        "sealed_at": sealed_at,
        "manifest": manifest,
        "protected": protected,
        "signature": signature,
        "kid": kid,
    }
    connection.execute(_HEAD.insert().inline().values(values))
