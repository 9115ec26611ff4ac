"""Whose stations speak for a field, and since when they do."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import sqlalchemy as sa

from storage import tables
from storage.database import NotFound
from storage.farms import Farm

_SINCE = sa.text("""
    SELECT min(first.time)
      FROM unnest(CAST(:ids AS integer[])) AS stream(id)
CROSS JOIN LATERAL (SELECT time FROM readings
                     WHERE datastream_id = stream.id
                  ORDER BY time LIMIT 1) AS first
""")


def since(connection: sa.Connection, datastream_ids: Sequence[int]) -> dt.datetime | None:
    """Time of the first reading of any of the datastreams; None where there is none."""
    found: dt.datetime | None = connection.scalar(_SINCE, {"ids": list(datastream_ids)})
    return found


def farm_of_field(connection: sa.Connection, field_id: int) -> Farm:
    """The farm that a field belongs to; NotFound if there is no such field."""
    query = (
        sa.select(*(tables.farms.c[name] for name in Farm._fields))
        .join(tables.fields, tables.fields.c.farm_id == tables.farms.c.id)
        .where(tables.fields.c.id == field_id)
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound(f"field {field_id}")
    return Farm(*row)
