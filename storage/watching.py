"""What nobody says: silence, and what is missing between what was said."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import sqlalchemy as sa

from storage import changes, intervals, live_news, locks, lost_messages, sequence_gaps, silence


class Watched(NamedTuple):
    """How many alerts were opened, and how many cleared."""

    opened: int
    cleared: int


def watch(connection: sa.Connection, now: dt.datetime) -> Watched:
    """Open and clear the alerts of silence, of missing message numbers and of filled gaps.

    Where several processes ingest, one of them does it; the others find nothing to do.
    """
    if not locks.take(connection, "dala watch"):
        return Watched(0, 0)
    silent, heard = silence.watch(connection, now)
    missing, came = sequence_gaps.watch(connection, now)
    filled = intervals.clear_filled(connection, now=now)
    lost_messages.bound(connection)
    live_news.prune(connection, now)
    changes.prune(connection, now)
    return Watched(silent + missing, heard + came + filled)
