"""Boundaries of fields, version by version: a new one keeps the old."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on

from storage import tables

_TABLE = tables.field_boundaries


class Boundary(NamedTuple):
    """A version of a boundary."""

    field_id: int
    version: int
    area_ha: float
    geometry_source: str
    created_at: dt.datetime
    created_by: str
    geometry: Mapping[str, Any]


_BOUNDARY = [_TABLE.c[name] for name in Boundary._fields]


def add(
    connection: sa.Connection, field_id: int, geometry: Mapping[str, Any], **values: Any
) -> int:
    """Add the next version of a boundary unless the newest is the same; return its version.

    The machine work of its farm is computed anew by the next analysis.
    """
    newest = connection.execute(
        sa.select(_TABLE.c.version, _TABLE.c.geometry)
        .where(_TABLE.c.field_id == field_id)
        .order_by(_TABLE.c.version.desc())
        .limit(1)
    ).one_or_none()
    if newest is not None and newest.geometry == geometry:
        return int(newest.version)
    version = 1 if newest is None else newest.version + 1
    connection.execute(
        _TABLE.insert().values(field_id=field_id, version=version, geometry=geometry, **values)
    )
    return version


def newest(
    connection: sa.Connection, field_ids: Sequence[int], *, by: dt.datetime | None = None
) -> dict[int, Mapping[str, Any]]:
    """Newest boundary of each field that has one, as GeoJSON geometry; ``by``: as it was then."""
    query = (
        sa.select(_TABLE.c.field_id, _TABLE.c.geometry)
        .where(_TABLE.c.field_id.in_(field_ids))
        .order_by(_TABLE.c.field_id, _TABLE.c.version.desc())
        .ext(distinct_on(_TABLE.c.field_id))
    )
    if by is not None:
        query = query.where(_TABLE.c.created_at <= by)
    return {row.field_id: row.geometry for row in connection.execute(query)}


def versions(connection: sa.Connection, field_id: int) -> list[Boundary]:
    """Every version of a field's boundary, the newest first."""
    query = sa.select(*_BOUNDARY).where(_TABLE.c.field_id == field_id)
    return [Boundary(*row) for row in connection.execute(query.order_by(_TABLE.c.version.desc()))]


# --- for the analysis of machine work -------------------------------------------------------------


def changed(connection: sa.Connection, farm_ids: Sequence[int]) -> dict[int, list[tuple[int, int]]]:
    """Versions that no analysis has taken into account, (field, version), by their farm."""
    query = (
        sa.select(tables.fields.c.farm_id, _TABLE.c.field_id, _TABLE.c.version)
        .join(tables.fields, tables.fields.c.id == _TABLE.c.field_id)
        .where(tables.fields.c.farm_id.in_(farm_ids), _TABLE.c.worked_at.is_(None))
        .order_by(_TABLE.c.field_id, _TABLE.c.version)
    )
    found: dict[int, list[tuple[int, int]]] = {}
    for farm_id, field_id, version in connection.execute(query):
        found.setdefault(farm_id, []).append((field_id, version))
    return found


def worked(connection: sa.Connection, seen: Sequence[tuple[int, int]]) -> None:
    """Note that an analysis has taken these versions into account."""
    if seen:
        key = sa.tuple_(_TABLE.c.field_id, _TABLE.c.version)
        connection.execute(_TABLE.update().where(key.in_(seen)).values(worked_at=sa.func.now()))


def touch(connection: sa.Connection, field_id: int) -> None:
    """Let the next analysis compute machine work anew, as after another boundary."""
    connection.execute(_TABLE.update().where(_TABLE.c.field_id == field_id).values(worked_at=None))
