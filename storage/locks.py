"""Locks that go by a name, each held until the transaction ends.

They order what no row stands for yet: one process at a time that looks, or adds, or computes.
"""

from __future__ import annotations

import sqlalchemy as sa

_WAIT = sa.text("SELECT pg_advisory_xact_lock(hashtext(:name))")
_SHARE = sa.text("SELECT pg_advisory_xact_lock_shared(hashtext(:name))")
_TRY = sa.text("SELECT pg_try_advisory_xact_lock(hashtext(:name))")


def wait(connection: sa.Connection, name: str) -> None:
    """Hold a lock alone, once nobody else holds it."""
    connection.execute(_WAIT, {"name": name})


def share(connection: sa.Connection, name: str) -> None:
    """Hold a lock beside others that share it, once nobody holds it alone."""
    connection.execute(_SHARE, {"name": name})


def take(connection: sa.Connection, name: str) -> bool:
    """Hold a lock alone, if nobody else holds it, and tell whether that is so."""
    return bool(connection.scalar(_TRY, {"name": name}))
