"""How datastreams were calibrated, and since when. Readings stay as they came.

A calibration holds until the next one of its datastream, so that two never overlap.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from storage import devices, tables
from storage.database import NotFound


class Calibration(NamedTuple):
    """``slope × reading + intercept`` is what was measured, from a moment on. [canonical unit]

    Of a counter the slope alone counts: it multiplies what was counted.
    """

    id: int
    datastream_id: int
    valid_from: dt.datetime
    slope: float
    intercept: float
    reference: str
    created_by: str
    created_at: dt.datetime


_TABLE = tables.datastream_calibrations
_CALIBRATION = [_TABLE.c[name] for name in Calibration._fields]


def calibrate(
    connection: sa.Connection,
    datastream_id: int,
    *,
    valid_from: dt.datetime,
    slope: float,
    intercept: float,
    reference: str,
    by: str,
) -> Calibration:
    """Say how readings from a moment on are to be understood; NotFound without the datastream."""
    devices.get_datastream(connection, datastream_id)
    same = sa.and_(_TABLE.c.datastream_id == datastream_id, _TABLE.c.valid_from == valid_from)
    connection.execute(sa.delete(_TABLE).where(same))
    made = sa.insert(_TABLE).values(
        datastream_id=datastream_id,
        valid_from=valid_from,
        slope=slope,
        intercept=intercept,
        reference=reference,
        created_by=by,
    )
    return Calibration(*connection.execute(made.returning(*_CALIBRATION)).one())


def withdraw(connection: sa.Connection, datastream_id: int, calibration_id: int) -> Calibration:
    """Take back a calibration that was a mistake; NotFound if the datastream has no such one."""
    of = sa.and_(_TABLE.c.datastream_id == datastream_id, _TABLE.c.id == calibration_id)
    row = connection.execute(sa.delete(_TABLE).where(of).returning(*_CALIBRATION)).one_or_none()
    if row is None:
        raise NotFound(f"calibration {calibration_id} of datastream {datastream_id}")
    return Calibration(*row)


def of_streams(
    connection: sa.Connection, datastream_ids: Sequence[int]
) -> dict[int, list[Calibration]]:
    """Calibrations of each of the datastreams that has any, in order of time."""
    query = (
        sa.select(*_CALIBRATION)
        .where(_TABLE.c.datastream_id == sa.any_(sa.bindparam("ids", type_=sa.ARRAY(sa.Integer))))
        .order_by(_TABLE.c.datastream_id, _TABLE.c.valid_from)
    )
    found: dict[int, list[Calibration]] = {}
    for row in connection.execute(query, {"ids": list(datastream_ids)}):
        found.setdefault(row.datastream_id, []).append(Calibration(*row))
    return found
