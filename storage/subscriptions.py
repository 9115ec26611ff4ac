"""Who wants to hear of a farm's alerts."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from storage import tables
from storage.database import NotFound


class Subscription(NamedTuple):
    """Where alerts of a farm are sent; never with its secret."""

    id: int
    farm_id: int
    channel: str  # webhook or email
    address: str
    kinds: Sequence[str]  # none: every kind
    min_severity: str
    language: str
    created_by: str
    created_at: dt.datetime
    ended_at: dt.datetime | None
    ended_by: str | None


_SUBSCRIPTION = [tables.alert_subscriptions.c[name] for name in Subscription._fields]


def of_farm(connection: sa.Connection, farm_id: int) -> list[Subscription]:
    """Those of a farm that stand, the oldest first."""
    table = tables.alert_subscriptions
    query = sa.select(*_SUBSCRIPTION).where(table.c.farm_id == farm_id, table.c.ended_at.is_(None))
    return [Subscription(*row) for row in connection.execute(query.order_by(table.c.id))]


def add(
    connection: sa.Connection,
    farm_id: int,
    *,
    channel: str,
    address: str,
    kinds: Sequence[str],
    min_severity: str,
    language: str,
    secret: str | None,
    by: str,
) -> Subscription:
    """Send a farm's alerts somewhere, from those opened now on."""
    statement = tables.alert_subscriptions.insert().values(
        farm_id=farm_id,
        channel=channel,
        address=address,
        kinds=list(kinds),
        min_severity=min_severity,
        language=language,
        secret=secret,
        created_by=by,
    )
    return Subscription(*connection.execute(statement.returning(*_SUBSCRIPTION)).one())


def end(connection: sa.Connection, farm_id: int, number: int, *, by: str) -> None:
    """Send nothing there any more; NotFound if the farm has no such subscription that stands."""
    table = tables.alert_subscriptions
    statement = (
        table.update()
        .where(table.c.id == number, table.c.farm_id == farm_id, table.c.ended_at.is_(None))
        .values(ended_at=sa.func.now(), ended_by=by)
    )
    if connection.execute(statement).rowcount == 0:
        raise NotFound(f"alert subscription {number}")
