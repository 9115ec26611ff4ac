"""Days of readings, in the time zone that the database's farms share.

A stored day is a day of one zone: ``DALA_DAY_TIMEZONE``. Days of a farm elsewhere are put together
from hours when they are asked for. Both are functions of a range, for the reason that
``readings_by_hour`` is one. Days are made of hours, never of readings: they can be made anew when
the zone is changed, even where the readings have been dropped.
"""

from __future__ import annotations

import zoneinfo

import sqlalchemy as sa

from migrations import tenancy, timescale


def ensure(connection: sa.Connection, zone: str) -> bool:
    """Make the days of a zone, unless they are there; tell whether anything was made."""
    if zone not in zoneinfo.available_timezones():
        raise ValueError(f"DALA_DAY_TIMEZONE: there is no time zone {zone!r}")
    there = connection.scalar(sa.text("SELECT to_regproc('readings_day_zone') IS NOT NULL"))
    if there and connection.scalar(sa.text("SELECT readings_day_zone()")) == zone:
        return False
    on_timescale = timescale.in_use(connection)
    kind = "MATERIALIZED VIEW" if on_timescale else "VIEW"
    # A zone's name has letters, digits and / _ + - alone: it is one of those looked up above.
    not_stored = _BY_HOURS.replace("zone)", f"'{zone}')")
    stored = _STORED if on_timescale else not_stored
    statements = [
        "DROP FUNCTION IF EXISTS readings_by_day",
        "DROP FUNCTION IF EXISTS readings_by_stored_day",
        "DROP FUNCTION IF EXISTS readings_day_zone",
        f"DROP {kind} IF EXISTS readings_daily",
        (_AGGREGATE if on_timescale else _VIEW).replace(":zone", f"'{zone}'"),
        "CREATE FUNCTION readings_day_zone() RETURNS TABLE (zone text) LANGUAGE sql STABLE "
        f"PARALLEL SAFE AS $$ SELECT '{zone}' $$",
        _function("readings_by_day", ", zone text", _BY_HOURS),
        _function("readings_by_stored_day", "", stored),
    ]
    tenancy.drop(connection)  # its views stand on these; the migration makes them again
    for statement in statements:
        connection.exec_driver_sql(statement)
    return True


_AGGREGATE = """
    CREATE MATERIALIZED VIEW readings_daily
      WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
    SELECT datastream_id, time_bucket('1 day', bucket, :zone) AS bucket,
           sum(samples) AS samples, sum(total) AS total, min(low) AS low, max(high) AS high,
           last(last_value, bucket) AS last_value
      FROM readings_hourly
  GROUP BY datastream_id, time_bucket('1 day', bucket, :zone)
      WITH NO DATA
"""
_VIEW = """
    CREATE VIEW readings_daily AS
    SELECT datastream_id, date_trunc('day', bucket, :zone) AS bucket, sum(samples) AS samples,
           sum(total) AS total, min(low) AS low, max(high) AS high,
           (array_agg(last_value ORDER BY bucket DESC))[1] AS last_value
      FROM readings_hourly
  GROUP BY datastream_id, date_trunc('day', bucket, :zone)
"""
_BY_HOURS = """
    SELECT date_trunc('day', hour.bucket, zone), sum(hour.samples)::bigint, sum(hour.total),
           min(hour.low), max(hour.high),
           (array_agg(hour.last_value ORDER BY hour.bucket DESC))[1]
      FROM readings_by_hour(datastream, start, finish) AS hour
  GROUP BY 1
"""
_STORED = """
    SELECT day.bucket, day.samples::bigint, day.total, day.low, day.high, day.last_value
      FROM readings_daily AS day
     WHERE day.datastream_id = datastream AND day.bucket >= start AND day.bucket < finish
"""


def _function(name: str, more: str, body: str) -> str:
    return f"""
        CREATE FUNCTION {name}
               (datastream integer, start timestamptz, finish timestamptz{more})
        RETURNS TABLE (bucket timestamptz, samples bigint, total double precision,
                       low double precision, high double precision, last_value double precision)
        LANGUAGE sql STABLE PARALLEL SAFE
        AS $${body}$$"""
