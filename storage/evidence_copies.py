"""Rows that figures rest on, put into a database of their own, where the figures are made again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import psycopg
import sqlalchemy as sa
from psycopg import sql

from storage import copying, tables
from storage.evidence_rows import READINGS, Array, Row, columns
from storage.tracks import NUMBERS


class NotEmpty(ValueError):
    """The database has farms of its own: nothing is put into it."""


class NotTaken(ValueError):
    """Rows that no such database can have; the message says why."""


@contextmanager
def _being_put() -> Iterator[None]:
    try:
        yield
    except (psycopg.DataError, psycopg.IntegrityError, psycopg.ProgrammingError) as error:
        raise NotTaken(str(error).splitlines()[0]) from error


def begin(connection: sa.Connection, *, complete_since: dt.datetime | None) -> None:
    """Make a migrated database ready for rows of another; NotEmpty where it has farms.

    ``complete_since``: what was measured before was dropped where the rows come from, so what was
    computed of it stands.
    """
    if connection.scalar(sa.select(sa.func.count()).select_from(tables.farms)):
        raise NotEmpty("this database has farms of its own")
    connection.execute(tables.regions.delete())
    retention = tables.reading_retention
    connection.execute(retention.delete())
    if complete_since is not None:
        kept = {"single": True, "kept_days": None, "dropped_before": complete_since}
        connection.execute(retention.insert().values(**kept))


def put(connection: sa.Connection, name: str, found: Iterable[Row]) -> None:
    """Put rows of ``columns``, with the ids that they have; NotTaken where they cannot be."""
    names = [one.name for one in columns(name)]
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(name), sql.SQL(", ").join(map(sql.Identifier, names))
    )
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101 - a checked-out connection has one
    with _being_put(), driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in found:
            copy.write_row(row)


def put_readings(connection: sa.Connection, part: Array) -> None:
    """Put readings of :data:`READINGS`, without their batches; NotTaken where they cannot be."""
    names = [name for name in READINGS.names or () if name != "batch_id"]
    sent = {name: part[name] for name in names}
    for name in ("time", "received_at"):
        sent[name] = copying.times(part[name])
    with _being_put():
        pieces = copying.pieces(list(sent.values()), len(part))
        copying.copy_in(connection, "readings", names, pieces)


def put_points(connection: sa.Connection, devices: Sequence[str], part: Array) -> None:
    """Put points of :data:`POINTS`, without their batches; NotTaken where they cannot be."""
    names = ("time", "device_id", *NUMBERS, "quality", "received_at")
    ids = np.array(list(devices), "U")
    for known in (True, False):
        rows_of = part[(part["work_state"] >= 0) == known]
        if not len(rows_of):
            continue
        sent: list[copying.Column] = [copying.times(rows_of["time"]), ids[rows_of["device"]]]
        sent += [rows_of[name] for name in NUMBERS]
        sent += [rows_of["quality"], copying.times(rows_of["received_at"])]
        told = names if not known else (*names, "work_state")
        sent += [rows_of["work_state"]] if known else []
        with _being_put():
            copying.copy_in(connection, "track_points", told, copying.grouped(sent, len(rows_of)))
