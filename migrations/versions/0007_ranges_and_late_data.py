"""Ranges of hours and days by functions, the columnstore in order, and what has been dropped."""

import sqlalchemy as sa
from alembic import op

from migrations import timescale

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make what plain PostgreSQL and TimescaleDB both answer to; each in its own way."""
    op.create_table(
        "reading_retention",
        sa.Column("single", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("kept_days", sa.Integer(), comment="none: for ever"),
        sa.Column(
            "dropped_before",
            sa.DateTime(timezone=True),
            comment="by what was kept earlier; hours before are all that is left of their readings",
        ),
        sa.PrimaryKeyConstraint("single", name="reading_retention_pkey"),
        sa.CheckConstraint("single", name="reading_retention_single_check"),
        comment="one row: how long readings are kept, as of the last dala migrate",
    )
    if timescale.in_use(op.get_bind()):
        _hypertables()
        _hours(_STORED_HOURS)
    else:
        _hours(_HOURS_OF_READINGS)


def _hypertables() -> None:
    for table, segment_by in (("readings", "datastream_id"), ("track_points", "device_id")):
        # Readings are asked for by datastream. What asks by time alone is the refresh of the
        # hours: rows come about in order of time, and then a BRIN index costs a write nothing.
        op.execute(f"DROP INDEX IF EXISTS {table}_time_idx")
        op.execute(f"CREATE INDEX {table}_time_brin_idx ON {table} USING brin (time)")
        # Newest first, as the newest are asked for.
        op.execute(
            f"ALTER TABLE {table} SET (timescaledb.compress, "
            f"timescaledb.compress_segmentby = '{segment_by}', "
            "timescaledb.compress_orderby = 'time DESC')"
        )


# A view of hours cannot look into a range of readings without aggregating all of a datastream
# first: the planner does not know that an hour's readings are those between its ends. A function
# is given the range, and is inlined where it is called.
_STORED_HOURS = """
    SELECT bucket, samples, total, low, high, last_value
      FROM readings_hourly
     WHERE datastream_id = datastream
       AND bucket >= start AND bucket < finish
"""
_HOURS_OF_READINGS = """
    SELECT date_trunc('hour', time, 'UTC'), count(*), sum(value), min(value), max(value),
           (array_agg(value ORDER BY time DESC))[1]
      FROM readings
     WHERE datastream_id = datastream AND quality < 16
       AND time >= date_trunc('hour', start + interval '1 hour'
                                      - interval '1 microsecond', 'UTC')
       AND time < date_trunc('hour', finish + interval '1 hour'
                                     - interval '1 microsecond', 'UTC')
  GROUP BY 1
"""


def _hours(body: str) -> None:
    op.execute(f"""
        CREATE FUNCTION readings_by_hour
               (datastream integer, start timestamptz, finish timestamptz)
        RETURNS TABLE (bucket timestamptz, samples bigint, total double precision,
                       low double precision, high double precision, last_value double precision)
        LANGUAGE sql STABLE PARALLEL SAFE
        AS $${body}$$""")
    op.execute(
        "COMMENT ON FUNCTION readings_by_hour IS "
        "'hours that begin in [start, finish) and have a usable reading'"
    )
