"""Hours and days that are stored: brought up to date where readings came late.

TimescaleDB makes hours by itself as far back as late data usually reach, once an hour, and answers
for newer ones from the readings. Who computes with what has just arrived late asks for a refresh
first. On plain PostgreSQL hours are made when they are asked for, and there is nothing to do.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from typing import NamedTuple

import sqlalchemy as sa

from storage.database import has_timescale

# A year at a time: a transaction that rolls back loses no more. Only hours whose readings changed
# since the last refresh are made again, so a year in which none did costs next to nothing.
_STEP = dt.timedelta(days=366)
_TRIES = 20
_PAUSE_S = 0.5

# Hours before the floor are all that is left of their readings: a refresh there would make them
# again, of nothing. A day's margin keeps the days of every time zone whole. Days are made of hours,
# which stay: they are made again as far back as hours go.
_HOURS = """
    WITH chunks AS (
        SELECT min(range_start) AS oldest FROM timescaledb_information.chunks
         WHERE hypertable_name = 'readings' AND hypertable_schema = current_schema()),
    dropped AS (
        SELECT max(greatest(dropped_before, now() - kept_days * interval '1 day')) AS before
          FROM reading_retention)
    SELECT greatest(oldest, date_trunc('day', before) + interval '2 days')
      FROM chunks, dropped
     WHERE oldest IS NOT NULL
"""
_DAYS = """
    SELECT min(range_start)
      FROM timescaledb_information.chunks AS chunk
      JOIN timescaledb_information.continuous_aggregates
           ON chunk.hypertable_schema = materialization_hypertable_schema
          AND chunk.hypertable_name = materialization_hypertable_name
     WHERE view_name = 'readings_hourly' AND view_schema = current_schema()
"""
_BOUNDS = """
    SELECT CAST(greatest(date_trunc('day', CAST(:since AS timestamptz)) - interval '1 day', floor)
                AS timestamptz) AS start,
           date_trunc('hour', now()) - interval '1 hour' AS finish
      FROM ({floor}) AS floor (floor)
     WHERE floor IS NOT NULL
"""
_REFRESH = sa.text("""
    CALL refresh_continuous_aggregate(CAST(:view AS regclass), CAST(:start AS timestamptz),
                                      CAST(:finish AS timestamptz))
""")


class _View(NamedTuple):
    """A view of stored hours or days, and what a refresh of it may reach."""

    name: str
    bounds: sa.TextClause
    shortest: dt.timedelta


_VIEWS = (  # days are made of hours: hours first
    _View("readings_hourly", sa.text(_BOUNDS.format(floor=_HOURS)), dt.timedelta(hours=2)),
    _View("readings_daily", sa.text(_BOUNDS.format(floor=_DAYS)), dt.timedelta(days=3)),
)


def refresh(engine: sa.Engine, since: dt.datetime | None = None) -> None:
    """Make hours and days again whose readings changed, from a time on or all of them.

    Never of the current hour, nor of where readings have been dropped by their retention. In
    transactions of its own: call it with none open.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not has_timescale(connection):
            return
        connection.execute(sa.text("SET statement_timeout = 0"))
        try:
            for view in _VIEWS:
                bounds = connection.execute(view.bounds, {"since": since}).one_or_none()
                if bounds is None:
                    continue
                for start, finish in _steps(bounds.start, bounds.finish, view.shortest):
                    _refresh_one(connection, view.name, start, finish)
        finally:
            connection.execute(sa.text("RESET statement_timeout"))


def _steps(
    start: dt.datetime, finish: dt.datetime, shortest: dt.timedelta
) -> Iterator[tuple[dt.datetime, dt.datetime]]:
    # They overlap, so that a bucket that lies across the edge is whole in one of them.
    while finish - start >= shortest:
        yield start, min(start + _STEP, finish)
        if start + _STEP >= finish:
            return
        start += _STEP - dt.timedelta(days=2)


def _refresh_one(
    connection: sa.Connection, view: str, start: dt.datetime, finish: dt.datetime
) -> None:
    """Refresh a stretch, after the database's own refresh if that is at work there."""
    parameters = {"view": view, "start": start, "finish": finish}
    for attempt in range(_TRIES):
        try:
            connection.execute(_REFRESH, parameters)
            return
        except sa.exc.OperationalError as error:
            # 55P03, lock not available, is how a refresh tells of another one.
            if getattr(error.orig, "sqlstate", None) != "55P03" or attempt == _TRIES - 1:
                raise
        time.sleep(_PAUSE_S)
