"""Where devices measured, and since when: HistoricalLocation of SensorThings.

A placement holds until the next one of the same device, or of the same datastream of it, so that
two never overlap. Whatever never moved has none: it is where ``devices.field_id`` says.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from storage import devices, fields, tables
from storage.database import NotFound
from storage.devices import Datastream, Device

ALWAYS = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Placement(NamedTuple):
    """A field, or the farm (none), from a moment on; of a datastream: none is as its device."""

    id: int
    device_id: str
    datastream_id: int | None
    field_id: int | None
    valid_from: dt.datetime
    created_by: str
    created_at: dt.datetime


class Period(NamedTuple):
    """A stretch of time in which a datastream measured one field, or its farm; [start, end)."""

    field_id: int | None
    start: dt.datetime | None  # none: since ever
    end: dt.datetime | None  # none: until further notice


_TABLE = tables.device_placements
_PLACEMENT = [_TABLE.c[name] for name in Placement._fields]


def place(
    connection: sa.Connection,
    device_id: str,
    field_id: int | None,
    *,
    valid_from: dt.datetime,
    by: str,
    datastream_id: int | None = None,
) -> Placement:
    """Say where a device, or one datastream of it, measures from a moment on.

    What is stored of earlier moments stays with the field that it was measured on.

    Raises
    ------
    NotFound
        If there is no such device, datastream of it, or field of its farm.
    """
    device = devices.get(connection, device_id)
    before = device.field_id
    if datastream_id is not None:
        stream = devices.get_datastream(connection, datastream_id)
        if stream.device_id != device_id:
            raise NotFound(f"datastream {datastream_id} of device {device_id!r}")
        before = stream.field_id
    _check_field(connection, device, field_id)
    mine = _of(device_id, datastream_id)
    row = {"device_id": device_id, "datastream_id": datastream_id, "created_by": by}
    first = connection.scalar(sa.select(sa.func.min(_TABLE.c.valid_from)).where(mine))
    if first is None and valid_from > ALWAYS:
        connection.execute(sa.insert(_TABLE).values(**row, field_id=before, valid_from=ALWAYS))
    connection.execute(sa.delete(_TABLE).where(mine, _TABLE.c.valid_from == valid_from))
    made = sa.insert(_TABLE).values(**row, field_id=field_id, valid_from=valid_from)
    placed = Placement(*connection.execute(made.returning(*_PLACEMENT)).one())
    _bring_up_to_date(connection, device_id, datastream_id)
    return placed


def withdraw(connection: sa.Connection, device_id: str, placement_id: int) -> Placement:
    """Take back a placement that was a mistake: the one before it holds on.

    Raises
    ------
    NotFound
        If the device has no such placement, or none before it.
    """
    of = sa.and_(_TABLE.c.device_id == device_id, _TABLE.c.id == placement_id)
    row = connection.execute(sa.select(*_PLACEMENT).where(of)).one_or_none()
    if row is None or row.valid_from <= ALWAYS:
        raise NotFound(f"placement {placement_id} of device {device_id!r} to take back")
    connection.execute(sa.delete(_TABLE).where(of))
    _bring_up_to_date(connection, device_id, row.datastream_id)
    return Placement(*row)


def of_devices(connection: sa.Connection, device_ids: Sequence[str]) -> list[Placement]:
    """Placements of the devices, by device and time."""
    query = sa.select(*_PLACEMENT).where(_TABLE.c.device_id.in_(device_ids))
    query = query.order_by(_TABLE.c.device_id, _TABLE.c.valid_from, _TABLE.c.id)
    return [Placement(*row) for row in connection.execute(query)]


def periods(stream: Datastream, device: Device, placed: Iterable[Placement]) -> list[Period]:
    """Where a datastream measured, in order; nothing where it never moved.

    ``placed`` are the placements of its device.
    """
    own = [one for one in placed if one.datastream_id in {None, stream.id}]
    if not own:
        return []
    of_device: int | None = device.field_id
    of_stream: int | None = stream.field_id
    # What has no placement of its own kind was always where it is now.
    if any(one.datastream_id is None for one in own):
        of_device = None
    if any(one.datastream_id is not None for one in own):
        of_stream = None
    found: list[Period] = []
    for one in sorted(own, key=lambda placement: placement.valid_from):
        if one.datastream_id is None:
            of_device = one.field_id
        else:
            of_stream = one.field_id
        field_id = of_device if of_stream is None else of_stream
        start = None if one.valid_from <= ALWAYS else one.valid_from
        if found and found[-1].start == start:
            found.pop()
        if found and found[-1].field_id == field_id:
            continue
        if found:
            found[-1] = found[-1]._replace(end=start)
        found.append(Period(field_id, start, None))
    return found


def _of(device_id: str, datastream_id: int | None) -> sa.ColumnElement[bool]:
    return sa.and_(
        _TABLE.c.device_id == device_id,
        _TABLE.c.datastream_id.is_not_distinct_from(datastream_id),
    )


def _check_field(connection: sa.Connection, device: Device, field_id: int | None) -> None:
    if field_id is None:
        return
    if fields.get(connection, field_id, stays=True).farm_id != device.farm_id:
        raise NotFound(f"field {field_id} of the farm of device {device.id!r}")


def _bring_up_to_date(connection: sa.Connection, device_id: str, datastream_id: int | None) -> None:
    newest = (
        sa.select(_TABLE.c.field_id)
        .where(_of(device_id, datastream_id))
        .order_by(_TABLE.c.valid_from.desc())
        .limit(1)
    )
    field_id = connection.scalar(newest)
    device, stream = tables.devices, tables.datastreams
    if datastream_id is None:
        changed = sa.update(device).where(device.c.id == device_id)
    else:
        changed = sa.update(stream).where(stream.c.id == datastream_id)
    connection.execute(changed.values(field_id=field_id))
