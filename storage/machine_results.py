"""What analytics made of tracks: work, harvests, flights, herds and grazing, day by day.

Superseded by newer results, never overwritten. A device's day, or its operations on a field that
began that day, are one whole: they are stored together and superseded together.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from storage import tables

OPERATION, HARVEST = "operation", "harvest"


class MachineResult(NamedTuple):
    """One result; units stand in the names of its figures."""

    device_id: str
    day: dt.date  # the farm's; of an operation, its first
    kind: str  # day, work, operation, harvest, flight, herd or grazing
    field_id: int | None
    number: int
    figures: Mapping[str, Any]


class Whole(NamedTuple):
    """What is stored and superseded together."""

    device_id: str
    day: dt.date
    field_id: int | None  # of operations; None: all else of the device's day


class FieldHarvest(NamedTuple):
    """What one harvester's monitor counted on a field in a day."""

    field_id: int
    device_id: str
    day: dt.date
    figures: Mapping[str, Any]
    computed_at: dt.datetime


class Results(NamedTuple):
    """The results of a whole, and what they rest on."""

    rows: Sequence[MachineResult]
    method_version: str
    input_digest: str


_TABLE = tables.machine_results
_COLUMNS = [_TABLE.c[name] for name in MachineResult._fields]


def put(connection: sa.Connection, found: Mapping[Whole, Results]) -> int:
    """Store results and return how many wholes are news.

    One that rests on what the standing results rest on, by the same method, stays as it is.
    """
    known_wholes = standing(connection, found)
    fresh = {}
    for whole, results in found.items():
        known = known_wholes.get(whole)
        nothing = known is None and not results.rows
        if not nothing and known != (results.method_version, results.input_digest):
            fresh[whole] = results
    for whole, results in fresh.items():
        if whole in known_wholes:
            connection.execute(
                _TABLE.update()
                .where(_of(whole), _TABLE.c.superseded_at.is_(None))
                .values(superseded_at=sa.func.now())
            )
        if results.rows:
            stamp = {
                "method_version": results.method_version,
                "input_digest": results.input_digest,
            }
            connection.execute(
                _TABLE.insert().values(computed_at=sa.func.now()),
                [row._asdict() | stamp for row in results.rows],
            )
    return len(fresh)


def standing(connection: sa.Connection, wholes: Iterable[Whole]) -> dict[Whole, tuple[str, str]]:
    """Version and digest of all that stands of these devices between these days."""
    ids, days = {one.device_id for one in wholes}, {one.day for one in wholes}
    if not ids:
        return {}
    of_field = sa.case((_TABLE.c.kind == OPERATION, _TABLE.c.field_id)).label("of_field")
    columns = (_TABLE.c.device_id, _TABLE.c.day, of_field)
    query = (
        sa.select(*columns, _TABLE.c.method_version, _TABLE.c.input_digest)
        .where(
            _TABLE.c.device_id.in_(ids),
            _TABLE.c.day.between(min(days), max(days)),
            _TABLE.c.superseded_at.is_(None),
        )
        .distinct()
    )
    return {Whole(*row[:3]): (row[3], row[4]) for row in connection.execute(query)}


def _of(whole: Whole) -> sa.ColumnElement[bool]:
    day = (_TABLE.c.device_id == whole.device_id) & (_TABLE.c.day == whole.day)
    if whole.field_id is None:
        return day & (_TABLE.c.kind != OPERATION)
    return day & (_TABLE.c.kind == OPERATION) & (_TABLE.c.field_id == whole.field_id)


def days_on_fields(
    connection: sa.Connection, device_id: str, field_ids: Sequence[int]
) -> list[tuple[int, dt.date]]:
    """Fields among those given, and the days on which the device worked on each, in order."""
    query = (
        sa.select(_TABLE.c.field_id, _TABLE.c.day)
        .where(
            _TABLE.c.device_id == device_id,
            _TABLE.c.kind == "work",
            _TABLE.c.field_id.in_(field_ids),
            _TABLE.c.superseded_at.is_(None),
        )
        .distinct()
        .order_by(_TABLE.c.field_id, _TABLE.c.day)
    )
    return [(row.field_id, row.day) for row in connection.execute(query)]


def first_days_of_operations(
    connection: sa.Connection, device_id: str, field_ids: Sequence[int]
) -> list[tuple[int, dt.date]]:
    """Field and first day of each standing operation of the device on the fields."""
    query = sa.select(_TABLE.c.field_id, _TABLE.c.day).where(
        _TABLE.c.device_id == device_id,
        _TABLE.c.kind == OPERATION,
        _TABLE.c.field_id.in_(field_ids),
        _TABLE.c.superseded_at.is_(None),
    )
    return [(row.field_id, row.day) for row in connection.execute(query.distinct())]


def outdated(
    connection: sa.Connection, device_ids: Sequence[str], *, method_version: str
) -> dict[str, dt.date]:
    """First day of each device with results that another version of the method computed."""
    query = (
        sa.select(_TABLE.c.device_id, sa.func.min(_TABLE.c.day))
        .where(
            _TABLE.c.device_id.in_(device_ids),
            _TABLE.c.superseded_at.is_(None),
            _TABLE.c.method_version != method_version,
        )
        .group_by(_TABLE.c.device_id)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def of_farm(
    connection: sa.Connection,
    farm_id: int,
    *,
    start: dt.date,
    end: dt.date,
    kinds: Sequence[str] | None = None,
    as_of: dt.datetime | None = None,
) -> list[MachineResult]:
    """Results of a farm's devices on the days of [start, end), by day, device and kind."""
    query = (
        sa.select(*_COLUMNS)
        .join(tables.devices, tables.devices.c.id == _TABLE.c.device_id)
        .where(_on_farm(farm_id, start, end), _stands(as_of))
        .order_by(_TABLE.c.day, _TABLE.c.device_id, _TABLE.c.kind, _TABLE.c.number)
    )
    if kinds is not None:
        query = query.where(_TABLE.c.kind.in_(kinds))
    return [MachineResult(*row) for row in connection.execute(query)]


def computed_at(
    connection: sa.Connection,
    farm_id: int,
    *,
    start: dt.date,
    end: dt.date,
    as_of: dt.datetime | None = None,
) -> dt.datetime | None:
    """When the newest of the results that ``of_farm`` gives was computed."""
    query = (
        sa.select(sa.func.max(_TABLE.c.computed_at))
        .join(tables.devices, tables.devices.c.id == _TABLE.c.device_id)
        .where(_on_farm(farm_id, start, end), _stands(as_of))
    )
    newest: dt.datetime | None = connection.scalar(query)
    return newest


def newest_day(connection: sa.Connection, farm_id: int) -> dt.date | None:
    """The last day of which the farm has a result."""
    query = (
        sa.select(sa.func.max(_TABLE.c.day))
        .join(tables.devices, tables.devices.c.id == _TABLE.c.device_id)
        .where(tables.devices.c.farm_id == farm_id, _TABLE.c.superseded_at.is_(None))
    )
    newest: dt.date | None = connection.scalar(query)
    return newest


def harvests_of_fields(
    connection: sa.Connection,
    field_ids: Sequence[int],
    *,
    start: dt.date,
    end: dt.date,
    as_of: dt.datetime | None = None,
) -> list[FieldHarvest]:
    """What monitors counted on the fields on the days of [start, end), by field, day and device."""
    if not field_ids:
        return []
    columns = [_TABLE.c[name] for name in FieldHarvest._fields]
    query = (
        sa.select(*columns)
        .where(
            _TABLE.c.field_id == sa.func.any(sa.cast(list(field_ids), sa.ARRAY(sa.BigInteger))),
            _TABLE.c.day >= start,
            _TABLE.c.day < end,
            _TABLE.c.kind == HARVEST,
            _stands(as_of),
        )
        .order_by(_TABLE.c.field_id, _TABLE.c.day, _TABLE.c.device_id)
    )
    return [FieldHarvest(*row) for row in connection.execute(query)]


def fields_harvested(
    connection: sa.Connection, device_id: str, days: Sequence[dt.date]
) -> list[int]:
    """Every field that the device harvested on one of the days."""
    query = (
        sa.select(_TABLE.c.field_id)
        .where(
            _TABLE.c.device_id == device_id,
            _TABLE.c.day.in_(days),
            _TABLE.c.kind == HARVEST,
            _stands(None),
        )
        .distinct()
        .order_by(_TABLE.c.field_id)
    )
    return list(connection.scalars(query))


def _on_farm(farm_id: int, start: dt.date, end: dt.date) -> sa.ColumnElement[bool]:
    days = (_TABLE.c.day >= start) & (_TABLE.c.day < end)
    return days & (tables.devices.c.farm_id == farm_id)


def _stands(as_of: dt.datetime | None) -> sa.ColumnElement[bool]:
    current: sa.ColumnElement[bool] = _TABLE.c.superseded_at.is_(None)
    if as_of is None:
        return current
    return (_TABLE.c.computed_at <= as_of) & (current | (_TABLE.c.superseded_at > as_of))
