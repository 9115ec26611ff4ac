"""What changed of a farm, or of who may see it: told by the transaction that changes it.

Triggers write a row with each change (migration 0015), so that nobody has to look through all that
an answer was made of to know that it is still right. Transactions commit in another order than
they begin: a counter would miss one that began before it was read and committed after. So who
relies on what they saw keeps the *snapshot* they saw it in, and asks whether there is a change of
their subjects that this snapshot did not show.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import sqlalchemy as sa

# Rows are forgotten after KEPT, from the beginning of their transaction: none takes as long. What
# was seen is relied on for RELIED_ON at most, so that even what no trigger tells, such as tables
# that were put back from a copy, is seen within minutes.
KEPT = dt.timedelta(days=1)
RELIED_ON = dt.timedelta(minutes=10)
# A snapshot is worth something to the server that took it alone: another, or the same from a copy
# of before, numbers other transactions alike.
SNAPSHOT = (
    "pg_current_snapshot()::text || '@' || extract(epoch FROM pg_postmaster_start_time())::text"
)


PLACES = "places"  # regions and farms: what they are called, and which farm is where


def farm_subject(farm_id: int) -> str:
    """The farm's figures, places and devices, and whether they speak."""
    return f"farm:{farm_id}"


class Relied(NamedTuple):
    """What somebody relies on."""

    credential: str | None  # its SHA-256, in hex, where it may end
    subjects: Sequence[str]
    snapshot: str  # SNAPSHOT of before any of it was looked at


class Standing(NamedTuple):
    """What still stands."""

    snapshot: str  # in which it was looked
    stands: Sequence[bool]


_STANDING = "SELECT snapshot, stands FROM entrance.standing(%s::jsonb, %s)"


def standing(connection: sa.Connection, asked: Sequence[Relied], *, idle: dt.timedelta) -> Standing:
    """Of each, whether its credential is good and none of its subjects has changed.

    A credential of which it is to be noted that it was used counts as none: the long way notes it.

    Parameters
    ----------
    idle : timedelta
        A session that is not used for as long has ended.
    """
    told = msgspec.json.encode(asked).decode()
    return Standing(*connection.exec_driver_sql(_STANDING, (told, idle)).one())


_PRUNE = sa.text("DELETE FROM changes WHERE at < :before")


def prune(connection: sa.Connection, now: dt.datetime) -> None:
    """Forget what nobody asks about any more."""
    connection.execute(_PRUNE, {"before": now - KEPT})
