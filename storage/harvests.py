"""Weighed loads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from storage import tables


class HarvestLoad(NamedTuple):
    """One load over the scales, as harvested (bunker weight)."""

    crop_zone_id: int
    ticket: str
    weighed_at: dt.datetime
    net_kg: float
    moisture_pct: float | None
    impurity_pct: float | None
    area_ha: float | None
    source: str


_LOAD = [tables.harvest_loads.c[name] for name in HarvestLoad._fields]


def add(connection: sa.Connection, loads: Sequence[HarvestLoad]) -> int:
    """Add loads and return how many were new: a ticket counts once for a crop zone."""
    if not loads:
        return 0
    new = insert(tables.harvest_loads).on_conflict_do_nothing()
    rows = [load._asdict() for load in loads]
    return len(connection.execute(new.returning(tables.harvest_loads.c.id), rows).all())


def of_zones(connection: sa.Connection, crop_zone_ids: Sequence[int]) -> list[HarvestLoad]:
    """Loads of the crop zones, in the order they were weighed."""
    table = tables.harvest_loads
    query = sa.select(*_LOAD).where(
        table.c.crop_zone_id.in_(crop_zone_ids), table.c.withdrawn_at.is_(None)
    )
    rows = connection.execute(query.order_by(table.c.weighed_at, table.c.ticket))
    return [HarvestLoad(*row) for row in rows]
