"""Fields with their boundaries, and crop zones: one crop on one field in one season."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from storage import boundaries as boundaries_of
from storage import tables
from storage.boundaries import add as add_boundary
from storage.boundaries import newest as boundaries
from storage.boundaries import versions
from storage.database import NotFound

__all__ = [
    "CropZone",
    "Field",
    "add",
    "add_boundary",
    "boundaries",
    "change",
    "get",
    "newest_season",
    "of_farm",
    "put",
    "put_zone",
    "versions",
    "withdraw",
    "zones",
    "zones_of_farms",
]


class Field(NamedTuple):
    """A field; its soil has the keys of a scenario's [soil]."""

    id: int
    farm_id: int
    name: str
    area_ha: float
    area_source: str
    official_field_id: str | None
    soil: Mapping[str, Any]
    soil_source: str
    land_use: str  # arable or pasture


class CropZone(NamedTuple):
    """One crop on one field in one season: what every water and yield figure belongs to."""

    id: int
    field_id: int
    season: int
    crop: str
    planted: dt.date
    harvested: dt.date
    area_ha: float
    irrigation_method: str | None
    application_efficiency: float | None
    wetted_fraction: float | None
    system_flow_m3_h: float | None
    crop_parameters: Mapping[str, Any]
    conventions: Mapping[str, Any]


_FIELD = [tables.fields.c[name] for name in Field._fields]
_ZONE = [tables.crop_zones.c[name] for name in CropZone._fields]
_FIELD_STANDS = tables.fields.c.withdrawn_at.is_(None)
_ZONE_STANDS = tables.crop_zones.c.withdrawn_at.is_(None)


def put(connection: sa.Connection, *, farm_id: int, name: str, **values: Any) -> int:
    """Add the field, or bring it up to date, and return its id."""
    statement = insert(tables.fields).values(farm_id=farm_id, name=name, **values)
    changed = statement.on_conflict_do_update(
        index_elements=["farm_id", "name"],
        index_where=tables.fields.c.withdrawn_at.is_(None),
        set_=values,
    )
    return int(connection.execute(changed.returning(tables.fields.c.id)).scalar_one())


def add(connection: sa.Connection, *, farm_id: int, name: str, **values: Any) -> int:
    """Add a field that is not there yet and return its id."""
    statement = tables.fields.insert().values(farm_id=farm_id, name=name, **values)
    return int(connection.execute(statement.returning(tables.fields.c.id)).scalar_one())


def change(connection: sa.Connection, field_id: int, **values: Any) -> None:
    """Change a field."""
    connection.execute(
        tables.fields.update().where(tables.fields.c.id == field_id).values(**values)
    )


def withdraw(connection: sa.Connection, field_id: int, *, by: str) -> None:
    """Let a field stand no longer; machine work is computed anew without it."""
    change(connection, field_id, withdrawn_at=sa.func.now(), withdrawn_by=by)
    boundaries_of.touch(connection, field_id)


def of_farm(
    connection: sa.Connection, farm_id: int, *, after: str = "", limit: int | None = None
) -> list[Field]:
    """Fields of a farm, by name: at most so many after one."""
    name = tables.fields.c.name
    query = sa.select(*_FIELD).where(tables.fields.c.farm_id == farm_id, _FIELD_STANDS)
    rows = connection.execute(query.where(name > after).order_by(name).limit(limit))
    return [Field(*row) for row in rows]


def get(
    connection: sa.Connection, field_id: int, *, lock: bool = False, stays: bool = False
) -> Field:
    """The field of an id; NotFound if there is none.

    Until the transaction ends, with ``lock`` nobody else changes it, and with ``stays`` nobody
    changes or withdraws it: what is entered on it is then on a field that stands.
    """
    query = sa.select(*_FIELD).where(tables.fields.c.id == field_id, _FIELD_STANDS)
    if lock or stays:
        query = query.with_for_update(read=not lock)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound(f"field {field_id}")
    return Field(*row)


def put_zone(
    connection: sa.Connection, *, field_id: int, season: int, crop: str, **values: Any
) -> int:
    """Add the crop zone, or bring it up to date, and return its id."""
    statement = insert(tables.crop_zones).values(
        field_id=field_id, season=season, crop=crop, **values
    )
    changed = statement.on_conflict_do_update(
        index_elements=["field_id", "season", "crop"],
        index_where=tables.crop_zones.c.withdrawn_at.is_(None),
        set_=values,
    )
    return int(connection.execute(changed.returning(tables.crop_zones.c.id)).scalar_one())


def zones(
    connection: sa.Connection, *, farm_id: int, season: int | None = None
) -> list[tuple[Field, CropZone]]:
    """Crop zones of a farm, of one season or of all, each with its field."""
    return zones_of_farms(connection, [farm_id], season=season)


def zones_of_farms(
    connection: sa.Connection, farm_ids: Sequence[int], *, season: int | None = None
) -> list[tuple[Field, CropZone]]:
    """Crop zones of the farms, farm by farm, of one season or of all, each with its field."""
    query = (
        sa.select(*_FIELD, *_ZONE)
        .join(tables.crop_zones, tables.crop_zones.c.field_id == tables.fields.c.id)
        .where(tables.fields.c.farm_id.in_(farm_ids), _FIELD_STANDS, _ZONE_STANDS)
        .order_by(
            tables.fields.c.farm_id,
            tables.fields.c.name,
            tables.crop_zones.c.season,
            tables.crop_zones.c.id,
        )
    )
    if season is not None:
        query = query.where(tables.crop_zones.c.season == season)
    split = len(_FIELD)
    rows = connection.execute(query).all()
    return [(Field(*row[:split]), CropZone(*row[split:])) for row in rows]


def newest_season(connection: sa.Connection, farm_id: int) -> int | None:
    """The latest season in which the farm has a crop zone."""
    query = (
        sa.select(sa.func.max(tables.crop_zones.c.season))
        .join(tables.fields, tables.fields.c.id == tables.crop_zones.c.field_id)
        .where(tables.fields.c.farm_id == farm_id, _FIELD_STANDS, _ZONE_STANDS)
    )
    newest = connection.scalar(query)
    return None if newest is None else int(newest)
