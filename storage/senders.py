"""What senders said of their later messages, such as the names behind their numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from storage import tables


def memory(connection: sa.Connection) -> dict[str, Any]:
    """All that is remembered, by the sender's key; what was learned last comes last."""
    table = tables.sender_memory
    query = sa.select(table.c.sender, table.c.said).order_by(table.c.updated_at, table.c.sender)
    return {row.sender: row.said for row in connection.execute(query)}


def remember(connection: sa.Connection, learned: Mapping[str, Any]) -> None:
    """Keep what senders said, in place of what they said before."""
    if not learned:
        return
    rows = [{"sender": sender, "said": learned[sender]} for sender in sorted(learned)]
    statement = insert(tables.sender_memory).values(rows)
    newer = {"said": statement.excluded.said, "updated_at": sa.func.now()}
    connection.execute(statement.on_conflict_do_update(index_elements=["sender"], set_=newer))


_FORGET = sa.text("""
    WITH held AS (
        SELECT sender FROM sender_memory WHERE sender = ANY(:senders) ORDER BY sender FOR UPDATE)
    DELETE FROM sender_memory USING held WHERE sender_memory.sender = held.sender
""")


def forget(connection: sa.Connection, senders: Sequence[str]) -> None:
    """Keep nothing of these senders."""
    if senders:
        connection.execute(_FORGET, {"senders": list(senders)})


# A key is the wire identity, with what is remembered in front of it (`lorawan/lora:…`); that of a
# Sparkplug node stands for the devices behind it, too.
_STRANGERS = sa.text("""
    WITH registered (identity) AS (
        SELECT id FROM devices
         UNION
        SELECT wire_id FROM devices WHERE wire_id IS NOT NULL
         UNION
        SELECT split_part(wire_id, '/', 1) || '/' || split_part(wire_id, '/', 2)
          FROM devices WHERE wire_id LIKE '%/%/%')
    SELECT sender FROM unnest(CAST(:senders AS text[])) AS one (sender)
     WHERE NOT EXISTS (SELECT FROM registered
                        WHERE identity = regexp_replace(sender, '^[a-z]+/', ''))
""")


def strangers(connection: sa.Connection, senders: Sequence[str]) -> set[str]:
    """Those of the senders' keys that belong to no registered device."""
    return set(connection.scalars(_STRANGERS, {"senders": list(senders)}))
