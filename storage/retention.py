"""How far back readings go: further back, their hours, days and results are all there is."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

_COMPLETE_SINCE = sa.text("""
    SELECT max(greatest(dropped_before, now() - kept_days * interval '1 day'))
      FROM reading_retention
""")


def complete_since(connection: sa.Connection) -> dt.datetime | None:
    """Since when all readings are there; None where none are ever dropped.

    What was computed of earlier ones stands: made again, it would be made of less.
    """
    found: dt.datetime | None = connection.scalar(_COMPLETE_SINCE)
    return found
