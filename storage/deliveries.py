"""Messages about alerts: one to each subscriber of each opening and clearing, until it arrives.

A message is claimed before it is sent: whoever sends it is stopped by nobody, and if that process
dies the claim runs out and the message goes again, under the same number.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from storage import tables
from storage.alerts import KINDS, Alert, Severity

GIVEN_UP_AFTER = dt.timedelta(days=3)
LONGEST_WAIT = dt.timedelta(hours=6)
OLD_NEWS = dt.timedelta(days=7)  # nobody is told for the first time of what is this old
_SEVERITIES = list(Severity)  # in order

# What was opened goes to who wanted to hear of it by then; what was cleared, to who was told, once
# it cannot come back as the same alert.
_DUE = sa.text("""
    WITH kind AS (
        SELECT * FROM jsonb_to_recordset(:kinds) AS kind (name text, severity int, returns_s float))
    INSERT INTO alert_deliveries
           (farm_id, alert_id, subscription_id, event, created_at, next_attempt_at)
    SELECT alert.farm_id, alert.id, wish.id, 'opened', :now, :now
      FROM alerts AS alert
      JOIN kind ON kind.name = alert.kind
      JOIN alert_subscriptions AS wish ON wish.farm_id = alert.farm_id
     WHERE alert.opened_at > :now - :old AND wish.ended_at IS NULL
       AND wish.created_at <= alert.opened_at
       AND (wish.kinds = '{}' OR alert.kind = ANY(wish.kinds))
       AND kind.severity >= array_position(CAST(:severities AS text[]), wish.min_severity)
 UNION ALL
    SELECT told.farm_id, told.alert_id, told.subscription_id, 'cleared', :now, :now
      FROM alert_deliveries AS told
      JOIN alerts AS alert ON alert.id = told.alert_id
      JOIN kind ON kind.name = alert.kind
      JOIN alert_subscriptions AS wish ON wish.id = told.subscription_id
     WHERE told.event = 'opened' AND told.status = 'sent' AND wish.ended_at IS NULL
       AND alert.cleared_at > :now - :old - kind.returns_s * interval '1 second'
       AND alert.cleared_at <= :now - kind.returns_s * interval '1 second'
    ON CONFLICT (alert_id, subscription_id, event) DO NOTHING
""").bindparams(sa.bindparam("kinds", type_=JSONB))

_NOT_WANTED = sa.text("""
    UPDATE alert_deliveries AS message
       SET status = 'given-up', last_error = 'the subscription was ended'
      FROM alert_subscriptions AS wish
     WHERE wish.id = message.subscription_id AND wish.ended_at IS NOT NULL
       AND message.status = 'pending'
""")


def note_due(connection: sa.Connection, now: dt.datetime) -> int:
    """Note whom to tell of what was opened or cleared; return how many messages are new."""
    kinds = [
        {
            "name": name,
            "severity": _SEVERITIES.index(kind.severity) + 1,
            "returns_s": kind.returns_within.total_seconds(),
        }
        for name, kind in KINDS.items()
    ]
    parameters = {"kinds": kinds, "now": now, "old": OLD_NEWS}
    parameters["severities"] = [str(one) for one in _SEVERITIES]
    connection.execute(_NOT_WANTED)
    return connection.execute(_DUE, parameters).rowcount


class Message(NamedTuple):
    """A message that is to be sent now."""

    alert: Alert
    id: int
    event: str  # opened or cleared
    attempts: int  # with this one
    created_at: dt.datetime
    channel: str
    address: str
    language: str
    secret: str | None
    farm: str
    farm_name: str
    timezone: str


_CLAIM = sa.text("""
    WITH due AS (
        SELECT id FROM alert_deliveries
         WHERE status = 'pending' AND next_attempt_at <= :now
      ORDER BY next_attempt_at LIMIT :limit
           FOR UPDATE SKIP LOCKED)
    UPDATE alert_deliveries AS message
       SET attempts = message.attempts + 1,
           next_attempt_at = :now + least(
               interval '1 minute' * power(2, least(message.attempts, 20)), :longest)
      FROM due
     WHERE message.id = due.id
    RETURNING message.id
""")
_MESSAGE = [
    *(tables.alert_deliveries.c[name] for name in ("id", "event", "attempts", "created_at")),
    *(tables.alert_subscriptions.c[name] for name in ("channel", "address", "language", "secret")),
    *(tables.farms.c[name] for name in ("slug", "name", "timezone")),
]


def claim(connection: sa.Connection, now: dt.datetime, *, limit: int = 50) -> list[Message]:
    """Take messages that are due; each comes due again later, unless it is told to be settled."""
    parameters = {"now": now, "limit": limit, "longest": LONGEST_WAIT}
    ids = connection.scalars(_CLAIM, parameters).all()
    deliveries, wishes = tables.alert_deliveries, tables.alert_subscriptions
    query = (
        sa.select(*_MESSAGE, *(tables.alerts.c[name] for name in Alert._fields))
        .join(wishes, wishes.c.id == deliveries.c.subscription_id)
        .join(tables.alerts, tables.alerts.c.id == deliveries.c.alert_id)
        .join(tables.farms, tables.farms.c.id == deliveries.c.farm_id)
        .where(deliveries.c.id.in_(ids))
        .order_by(deliveries.c.id)
    )
    width = len(_MESSAGE)
    rows = map(list, connection.execute(query).all())
    return [Message(Alert(*row[width:]), *row[:width]) for row in rows]


def note_sent(connection: sa.Connection, number: int, now: dt.datetime) -> None:
    """Note that a message arrived."""
    _settle(connection, number, status="sent", sent_at=now, last_error=None)


def note_failed(
    connection: sa.Connection, message: Message, error: str, now: dt.datetime, *, for_good: bool
) -> bool:
    """Note why a message did not arrive; return whether it is given up."""
    over = for_good or now - message.created_at >= GIVEN_UP_AFTER
    values: dict[str, Any] = {"last_error": error[:500]}
    if over:
        values["status"] = "given-up"
    _settle(connection, message.id, **values)
    return over


def _settle(connection: sa.Connection, number: int, **values: Any) -> None:
    table = tables.alert_deliveries
    connection.execute(
        table.update().where(table.c.id == number, table.c.status == "pending").values(**values)
    )


class Delivery(NamedTuple):
    """What became of a message."""

    id: int
    alert_id: int
    subscription_id: int
    event: str
    status: str
    attempts: int
    next_attempt_at: dt.datetime
    last_error: str | None
    created_at: dt.datetime
    sent_at: dt.datetime | None


_DELIVERY = [tables.alert_deliveries.c[name] for name in Delivery._fields]


def of_farm(
    connection: sa.Connection,
    farm_id: int,
    *,
    status: str | None = None,
    before: int | None = None,
    limit: int = 100,
) -> list[Delivery]:
    """Messages about a farm's alerts, the newest first, from the one before ``before`` on."""
    table = tables.alert_deliveries
    query = sa.select(*_DELIVERY).where(table.c.farm_id == farm_id)
    if status is not None:
        query = query.where(table.c.status == status)
    if before is not None:
        query = query.where(table.c.id < before)
    return [
        Delivery(*row) for row in connection.execute(query.order_by(table.c.id.desc()).limit(limit))
    ]
