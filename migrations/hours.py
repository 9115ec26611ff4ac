"""Hours and days that are stored: packed when they are old, and never made again of nothing.

Packed
    An hour is a row of six numbers with two indexes: of a sensor that speaks every ten minutes,
    four times what its readings take in the columnstore. What comes late has the hours of all
    datastreams around it unpacked, so they stay rows while that is to be expected.
Guarded
    A refresh makes hours again of the readings there are. Where readings were dropped that deletes
    the hours, and where late ones brought a part of them back it makes hours of that part. No
    refresh of ours goes there; that one by hand does no harm either is seen to by triggers, which
    let nothing change an hour whose readings may be gone.
"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa

VIEWS = ("readings_hourly", "readings_daily")

_BEHIND = sa.text("""
    SELECT format('%I.%I', materialization_hypertable_schema, materialization_hypertable_name),
           compression_enabled
      FROM timescaledb_information.continuous_aggregates
     WHERE view_name = :view AND view_schema = current_schema()
""")
_PACKED = """
    ALTER MATERIALIZED VIEW {view}
      SET (timescaledb.compress, timescaledb.compress_segmentby = 'datastream_id',
           timescaledb.compress_orderby = 'bucket DESC')
"""


def pack(connection: sa.Connection) -> None:
    """Let what is stored of the views go into the columnstore: by datastream, newest first."""
    for view in VIEWS:
        _, packed = connection.execute(_BEHIND, {"view": view}).one()
        if not packed:
            connection.exec_driver_sql(_PACKED.format(view=view))


_GUARDED = sa.text("""
    SELECT max(obj_description(oid, 'pg_trigger')) FROM pg_trigger
     WHERE tgrelid = CAST(:table AS regclass) AND tgname LIKE 'hour_is_not_%'
""")
_NOTHING = """
    CREATE OR REPLACE FUNCTION leave_hour_alone() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RETURN NULL; END $$
"""
_TRIGGERS = {"hour_is_not_deleted": ("DELETE", "OLD"), "hour_is_not_made": ("INSERT", "NEW")}


def guard(
    connection: sa.Connection, *, kept_days: int | None, dropped_before: dt.datetime | None
) -> None:
    """Let no refresh change hours whose readings may have been dropped.

    Parameters
    ----------
    kept_days : int, optional
        How long readings are kept; for ever, if None.
    dropped_before : datetime, optional
        What earlier settings may have dropped.
    """
    limits = []
    if dropped_before is not None:
        limits.append(f"'{dropped_before.isoformat()}'::timestamptz")
    if kept_days is not None:
        limits.append(f"now() - interval '{kept_days} days'")
    wanted = f"greatest({', '.join(limits)})" if limits else None
    table, _ = connection.execute(_BEHIND, {"view": VIEWS[0]}).one()
    if connection.scalar(_GUARDED, {"table": table}) == wanted:
        return
    connection.exec_driver_sql(_NOTHING)
    for name, (event, row) in _TRIGGERS.items():
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name} ON {table}")
        if wanted is not None:
            connection.exec_driver_sql(
                f"CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW "
                f"WHEN ({row}.bucket < {wanted}) EXECUTE FUNCTION leave_hour_alone()"
            )
            said = wanted.replace("'", "''")
            connection.exec_driver_sql(f"COMMENT ON TRIGGER {name} ON {table} IS '{said}'")
