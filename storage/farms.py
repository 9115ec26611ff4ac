"""Regions and farms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from storage import tables
from storage.database import NotFound


class Region(NamedTuple):
    """A region of ISO 3166-2; its two digits are the first two of the KATO code.

    A district is one, too: its code begins with that of its region, as ``KZ-6110`` with ``KZ-61``.
    """

    code: str
    kato_prefix: str | None
    name_kk: str
    name_ru: str
    name_en: str


class Farm(NamedTuple):
    """A farm: whose local day a day is, and where its weather is measured."""

    id: int
    slug: str
    name: str
    region_code: str | None
    timezone: str
    latitude_deg: float
    longitude_deg: float
    elevation_m: float


_FARM = [tables.farms.c[name] for name in Farm._fields]


def put_region(connection: sa.Connection, region: Region) -> None:
    """Add the region, or bring its names up to date."""
    row = region._asdict()
    statement = insert(tables.regions).values(row)
    connection.execute(statement.on_conflict_do_update(index_elements=["code"], set_=row))


def regions(connection: sa.Connection) -> list[Region]:
    """All regions, by code."""
    columns = [tables.regions.c[name] for name in Region._fields]
    query = sa.select(*columns).order_by(tables.regions.c.code)
    return [Region(*row) for row in connection.execute(query)]


def get_region(connection: sa.Connection, code: str) -> Region:
    """The region of an ISO 3166-2 code; NotFound if there is none."""
    columns = [tables.regions.c[name] for name in Region._fields]
    row = connection.execute(sa.select(*columns).where(tables.regions.c.code == code)).one_or_none()
    if row is None:
        raise NotFound(f"region {code!r}")
    return Region(*row)


def put(connection: sa.Connection, slug: str, **values: Any) -> int:
    """Add the farm, or bring it up to date, and return its id."""
    statement = insert(tables.farms).values(slug=slug, **values)
    changed = statement.on_conflict_do_update(index_elements=["slug"], set_=values)
    return int(connection.execute(changed.returning(tables.farms.c.id)).scalar_one())


def add(connection: sa.Connection, slug: str, **values: Any) -> int:
    """Add a farm that is not there yet and return its id."""
    statement = tables.farms.insert().values(slug=slug, **values)
    return int(connection.execute(statement.returning(tables.farms.c.id)).scalar_one())


def change(connection: sa.Connection, farm_id: int, **values: Any) -> None:
    """Change a farm."""
    connection.execute(tables.farms.update().where(tables.farms.c.id == farm_id).values(**values))


def get(connection: sa.Connection, slug: str, *, lock: bool = False) -> Farm:
    """The farm of a slug; NotFound if there is none. ``lock``: until the transaction ends."""
    query = sa.select(*_FARM).where(tables.farms.c.slug == slug)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFound(f"farm {slug!r}")
    return Farm(*row)


def of_id(connection: sa.Connection, farm_id: int) -> Farm:
    """The farm of an id; NotFound if there is none."""
    row = connection.execute(sa.select(*_FARM).where(tables.farms.c.id == farm_id)).one_or_none()
    if row is None:
        raise NotFound(f"farm {farm_id}")
    return Farm(*row)


def page(
    connection: sa.Connection, *, region_code: str | None = None, after: str = "", limit: int = 100
) -> list[Farm]:
    """Farms by slug, from the one after ``after`` on; those of a region are its districts' too."""
    query = sa.select(*_FARM).where(tables.farms.c.slug > after)
    if region_code is not None:
        query = query.where(tables.farms.c.region_code.startswith(region_code, autoescape=True))
    query = query.order_by(tables.farms.c.slug).limit(limit)
    return [Farm(*row) for row in connection.execute(query)]


def slugs_like(connection: sa.Connection, text: str, *, limit: int = 3) -> Sequence[str]:
    """Slugs that hold ``text``, else the first ones: for a message that helps."""
    query = sa.select(tables.farms.c.slug).order_by(tables.farms.c.slug).limit(limit)
    like = query.where(tables.farms.c.slug.contains(text, autoescape=True))
    return connection.scalars(like).all() or connection.scalars(query).all()


def ids(connection: sa.Connection, slugs: Sequence[str]) -> list[int]:
    """Ids of farms by their slugs; NotFound for one that there is not."""
    query = sa.select(tables.farms.c.slug, tables.farms.c.id)
    rows = connection.execute(query.where(tables.farms.c.slug.in_(slugs)))
    of = {row.slug: row.id for row in rows}
    for slug in slugs:
        if slug not in of:
            raise NotFound(f"farm {slug!r}")
    return sorted(set(of.values()))


def slugs(connection: sa.Connection, numbers: Sequence[int]) -> dict[int, str]:
    """Slugs of farms by their ids."""
    query = sa.select(tables.farms.c.id, tables.farms.c.slug)
    rows = connection.execute(query.where(tables.farms.c.id.in_(numbers)))
    return {row.id: row.slug for row in rows}
