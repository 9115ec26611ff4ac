"""Crop zones, irrigation events, loads, adjustments, decisions as people enter and withdraw them.

A row that turns out wrong is withdrawn: it stands no longer, and stays on record with who entered
and who withdrew it. What computes with them asks the module of each subject, for those that stand.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from storage import tables
from storage.database import NotFound

Row = Mapping[str, Any]


class Entries:
    """Rows of one table, each of a field and so of a farm."""

    def __init__(self, table: sa.Table, name: str, *, of_zone: bool) -> None:
        self.table, self.name = table, name
        zone, field, farm = tables.crop_zones, tables.fields, tables.farms
        source: sa.FromClause = table
        columns: list[sa.ColumnElement[Any]] = list(table.c)
        if of_zone:
            source = source.join(zone, zone.c.id == table.c.crop_zone_id)
            source = source.join(field, field.c.id == zone.c.field_id)
            columns += [field.c.id.label("field_id"), zone.c.season.label("season")]
        else:
            source = source.join(field, field.c.id == table.c.field_id)
        source = source.join(farm, farm.c.id == field.c.farm_id)
        columns += [
            field.c.name.label("field"),
            farm.c.slug.label("farm"),
            farm.c.id.label("farm_id"),
        ]
        self._filters = {"field_id": field.c.id, "farm_id": farm.c.id}
        self._query = sa.select(*columns).select_from(source)

    def page(
        self,
        connection: sa.Connection,
        *,
        after: int = 0,
        limit: int,
        withdrawn: bool = False,
        **equal: Any,
    ) -> list[Row]:
        """Rows by id, from the one after ``after`` on; without a filter's value, of all."""
        query = self._query.where(self.table.c.id > after)
        for name, value in equal.items():
            if value is not None:
                column = self._filters[name] if name in self._filters else self.table.c[name]
                query = query.where(column == value)
        if not withdrawn:
            query = query.where(self.table.c.withdrawn_at.is_(None))
        return [
            dict(row._mapping)
            for row in connection.execute(query.order_by(self.table.c.id).limit(limit))
        ]

    def get(
        self, connection: sa.Connection, row_id: int, *, lock: bool = False, stays: bool = False
    ) -> Row:
        """A row that stands; NotFound if there is none.

        Until the transaction ends, with ``lock`` nobody else changes it, and with ``stays`` nobody
        changes or withdraws it: what is entered of it is then of a row that stands.
        """
        query = self._query.where(self.table.c.id == row_id, self.table.c.withdrawn_at.is_(None))
        if lock or stays:
            query = query.with_for_update(of=self.table, read=not lock)
        row = connection.execute(query).one_or_none()
        if row is None:
            raise NotFound(f"{self.name} {row_id}")
        return dict(row._mapping)

    def add(self, connection: sa.Connection, **values: Any) -> int:
        """Enter a row and return its id."""
        statement = self.table.insert().values(**values).returning(self.table.c.id)
        return int(connection.execute(statement).scalar_one())

    def change(self, connection: sa.Connection, row_id: int, **values: Any) -> None:
        """Change a row."""
        connection.execute(self.table.update().where(self.table.c.id == row_id).values(**values))

    def withdraw(self, connection: sa.Connection, row_id: int, *, by: str) -> None:
        """Let a row stand no longer."""
        self.change(connection, row_id, withdrawn_at=sa.func.now(), withdrawn_by=by)


crop_zones = Entries(tables.crop_zones, "crop zone", of_zone=False)
irrigation_events = Entries(tables.irrigation_events, "irrigation event", of_zone=False)
harvest_loads = Entries(tables.harvest_loads, "weighed load", of_zone=True)
adjustments = Entries(tables.non_routine_adjustments, "adjustment", of_zone=True)
decisions = Entries(tables.advice_decisions, "decision on advice", of_zone=True)


def supersede_decision(connection: sa.Connection, zone_id: int, day: dt.date, *, by: str) -> None:
    """Let what was decided on a crop zone's day before stand no longer, if anything was."""
    table = tables.advice_decisions
    connection.execute(
        table.update()
        .where(table.c.crop_zone_id == zone_id, table.c.day == day, table.c.withdrawn_at.is_(None))
        .values(withdrawn_at=sa.func.now(), withdrawn_by=by)
    )


def entries_below(connection: sa.Connection, zone_id: int) -> bool:
    """Whether loads or adjustments that stand are of a crop zone."""
    loads, others = tables.harvest_loads, tables.non_routine_adjustments
    found = sa.or_(
        *(
            sa.exists().where(one.c.crop_zone_id == zone_id, one.c.withdrawn_at.is_(None))
            for one in (loads, others)
        )
    )
    return bool(connection.scalar(sa.select(found)))
