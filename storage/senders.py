"""What senders said of their later messages, such as the names behind their numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from storage import tables


def memory(connection: sa.Connection) -> dict[str, Any]:
    """All that is remembered, by the sender's key."""
    table = tables.sender_memory
    rows = connection.execute(sa.select(table.c.sender, table.c.said))
    return {row.sender: row.said for row in rows}


def remember(connection: sa.Connection, learned: Mapping[str, Any]) -> None:
    """Keep what senders said, in place of what they said before."""
    if not learned:
        return
    rows = [{"sender": sender, "said": learned[sender]} for sender in sorted(learned)]
    statement = insert(tables.sender_memory).values(rows)
    newer = {"said": statement.excluded.said, "updated_at": sa.func.now()}
    connection.execute(statement.on_conflict_do_update(index_elements=["sender"], set_=newer))
