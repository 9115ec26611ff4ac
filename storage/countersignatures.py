"""Signatures of others, kept beside what this service signed."""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from storage import tables

_KEY = tables.report_keys


class Over(NamedTuple):
    """What they are over."""

    table: sa.Table  # of the signatures
    column: str  # that names what was signed


REVISIONS = Over(tables.report_countersignatures, "revision_id")  # by their id
HEADS = Over(tables.head_countersignatures, "seal")


class Countersignature(NamedTuple):
    """Somebody else's signature over the very bytes that were signed."""

    protected: str
    signature: str
    kid: str
    owner: str
    received_at: dt.datetime


def of(connection: sa.Connection, over: Over, number: int) -> list[Countersignature]:
    """Signatures of others, in the order in which they came."""
    kept = over.table.c
    query = (
        sa.select(kept.protected, kept.signature, kept.kid, _KEY.c.owner, kept.received_at)
        .join(_KEY, _KEY.c.kid == kept.kid)
        .where(kept[over.column] == number)
        .order_by(kept.id)
    )
    return [Countersignature(*row) for row in connection.execute(query)]


def count(over: Over, number: sa.ColumnElement[Any]) -> sa.ScalarSelect[int]:
    """How many there are, in a query of what was signed."""
    query = sa.select(sa.func.count()).select_from(over.table)
    return query.where(over.table.c[over.column] == number).scalar_subquery()


def add(
    connection: sa.Connection,
    over: Over,
    number: int,
    *,
    protected: str,
    signature: str,
    kid: str,
    received_by: str,
) -> bool:
    """Keep a signature; false where one of the key is there already."""
    values = {
        over.column: number,
        "protected": protected,
        "signature": signature,
        "kid": kid,
        "received_by": received_by,
    }
    statement = insert(over.table).values(values).on_conflict_do_nothing()
    return connection.scalar(statement.returning(over.table.c.id)) is not None
