"""The book of deeds: who did what to what, and when. Lines are added and never changed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from storage import tables


class Deed(NamedTuple):
    """A line of the book."""

    id: int
    at: dt.datetime
    actor: str
    action: str
    object: str
    farm_id: int | None
    request_id: str | None
    address: str | None
    details: Mapping[str, Any]


_DEED = [tables.audit_log.c[name] for name in Deed._fields]


def record(
    connection: sa.Connection,
    *,
    actor: str,
    action: str,
    object: str,
    farm_id: int | None = None,
    request_id: str | None = None,
    address: str | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Write a line; it stands when the transaction does."""
    # No RETURNING: who writes may not read.
    statement = sa.insert(tables.audit_log).inline()
    connection.execute(
        statement.values(
            actor=actor,
            action=action,
            object=object,
            farm_id=farm_id,
            request_id=request_id,
            address=address,
            details=dict(details or {}),
        )
    )


def page(
    connection: sa.Connection,
    *,
    actor: str | None = None,
    action: str | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[Deed]:
    """Lines, newest first, from the one before ``before`` back."""
    deed = tables.audit_log.c
    query = sa.select(*_DEED)
    for column, value in ((deed.actor, actor), (deed.action, action)):
        if value is not None:
            query = query.where(column == value)
    if before is not None:
        query = query.where(deed.id < before)
    return [Deed(*row) for row in connection.execute(query.order_by(deed.id.desc()).limit(limit))]
