"""Non-routine adjustments: what changed beside the practice that is judged, entered by people.

An adjustment has an author and a reason. One that turns out wrong is withdrawn, by whom and when
stays to be seen; none is deleted.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from storage import tables
from storage.database import NotFound


class Adjustment(NamedTuple):
    """A volume added to the adjusted baseline of a crop zone."""

    id: int
    crop_zone_id: int
    volume_m3: float  # signed: negative where the old practice would have taken less
    u_volume_m3: float  # standard uncertainty
    reason: str
    author: str
    created_at: dt.datetime
    withdrawn_at: dt.datetime | None
    withdrawn_by: str | None


_TABLE = tables.non_routine_adjustments
_ADJUSTMENT = [_TABLE.c[name] for name in Adjustment._fields]


def add(
    connection: sa.Connection,
    crop_zone_id: int,
    *,
    volume_m3: float,
    u_volume_m3: float,
    reason: str,
    author: str,
) -> int:
    """Enter an adjustment and return its id."""
    statement = _TABLE.insert().values(
        crop_zone_id=crop_zone_id,
        volume_m3=volume_m3,
        u_volume_m3=u_volume_m3,
        reason=reason,
        author=author,
    )
    return int(connection.execute(statement.returning(_TABLE.c.id)).scalar_one())


def withdraw(connection: sa.Connection, adjustment_id: int, *, by: str) -> None:
    """Let an adjustment stand no longer; NotFound if there is none that stands."""
    statement = (
        _TABLE.update()
        .where(_TABLE.c.id == adjustment_id, _TABLE.c.withdrawn_at.is_(None))
        .values(withdrawn_at=sa.func.now(), withdrawn_by=by)
    )
    if connection.execute(statement).rowcount == 0:
        raise NotFound(f"adjustment {adjustment_id} that stands")


def of_zones(
    connection: sa.Connection,
    crop_zone_ids: Sequence[int],
    *,
    as_of: dt.datetime | None = None,
    withdrawn: bool = False,
) -> list[Adjustment]:
    """Adjustments of the crop zones in the order they were entered.

    Those that stood at ``as_of``, by default those that stand; with ``withdrawn`` the others too.
    """
    query = sa.select(*_ADJUSTMENT).where(_TABLE.c.crop_zone_id.in_(crop_zone_ids))
    if as_of is not None:
        query = query.where(_TABLE.c.created_at <= as_of)
    if not withdrawn:
        later = sa.false() if as_of is None else _TABLE.c.withdrawn_at > as_of
        query = query.where(sa.or_(_TABLE.c.withdrawn_at.is_(None), later))
    rows = connection.execute(query.order_by(_TABLE.c.created_at, _TABLE.c.id))
    return [Adjustment(*row) for row in rows]
