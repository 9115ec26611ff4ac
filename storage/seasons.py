"""Of which years crops are entered."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from storage import tables


class Season(NamedTuple):
    """A year of harvest, and how much is entered of it."""

    season: int
    farms: int
    crop_zones: int


def page(
    connection: sa.Connection, *, farm_id: int | None = None, region_code: str | None = None
) -> list[Season]:
    """Seasons that have crops, the newest first; those of a region are its districts' too."""
    farms, fields, zones = tables.farms.c, tables.fields.c, tables.crop_zones.c
    query = (
        sa.select(zones.season, sa.func.count(sa.distinct(fields.farm_id)), sa.func.count())
        .join(tables.fields, fields.id == zones.field_id)
        .where(zones.withdrawn_at.is_(None), fields.withdrawn_at.is_(None))
        .group_by(zones.season)
        .order_by(zones.season.desc())
    )
    if farm_id is not None:
        query = query.where(fields.farm_id == farm_id)
    if region_code is not None:
        query = query.join(tables.farms, farms.id == fields.farm_id).where(
            farms.region_code.startswith(region_code, autoescape=True)
        )
    return [Season(*row) for row in connection.execute(query)]
