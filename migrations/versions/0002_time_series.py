"""Hypertables, columnstore and continuous aggregates; plain views where there is no TimescaleDB."""

from alembic import op

from migrations import timescale

revision = "0002"
down_revision = "0001"

# A device may be offline for weeks and then send all of it: chunks stay rows for as long.
COLUMNSTORE_AFTER = "30 days"

# `quality < 16` in the aggregates: readings that are kept but not used stay out of them
# (storage.readings.Quality).


def upgrade() -> None:
    """Shape readings and tracks for time."""
    if timescale.wanted(op.get_bind()):
        _hypertable("readings", segment_by="datastream_id")
        _hypertable("track_points", segment_by="device_id")
        _continuous_aggregates()
    else:
        _plain_views()


def _hypertable(table: str, *, segment_by: str) -> None:
    op.execute(f"SELECT create_hypertable('{table}', by_range('time', INTERVAL '1 day'))")
    op.execute(
        f"ALTER TABLE {table} SET (timescaledb.compress, "
        f"timescaledb.compress_segmentby = '{segment_by}', timescaledb.compress_orderby = 'time')"
    )
    op.execute(f"SELECT add_compression_policy('{table}', INTERVAL '{COLUMNSTORE_AFTER}')")


def _continuous_aggregates() -> None:
    # A refresh never reaches the open end: one reading dated in the future would blind it, and
    # never the far past: there, dropped chunks would take their aggregates along.
    op.execute("""
        CREATE MATERIALIZED VIEW readings_hourly
          WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
        SELECT datastream_id, time_bucket('1 hour', time) AS bucket, count(*) AS samples,
               sum(value) AS total, min(value) AS low, max(value) AS high,
               last(value, time) AS last_value
          FROM readings
         WHERE quality < 16
      GROUP BY datastream_id, time_bucket('1 hour', time)
          WITH NO DATA""")
    op.execute("""
        CREATE MATERIALIZED VIEW readings_daily
          WITH (timescaledb.continuous, timescaledb.materialized_only = false) AS
        SELECT datastream_id, time_bucket('1 day', bucket) AS bucket, sum(samples) AS samples,
               sum(total) AS total, min(low) AS low, max(high) AS high,
               last(last_value, bucket) AS last_value
          FROM readings_hourly
      GROUP BY datastream_id, time_bucket('1 day', bucket)
          WITH NO DATA""")
    for view, end in (("readings_hourly", "2 hours"), ("readings_daily", "2 days")):
        op.execute(
            f"SELECT add_continuous_aggregate_policy('{view}', start_offset => INTERVAL '40 days', "
            f"end_offset => INTERVAL '{end}', schedule_interval => INTERVAL '1 hour')"
        )


def _plain_views() -> None:
    op.execute("""
        CREATE VIEW readings_hourly AS
        SELECT datastream_id, date_trunc('hour', time, 'UTC') AS bucket, count(*) AS samples,
               sum(value) AS total, min(value) AS low, max(value) AS high,
               (array_agg(value ORDER BY time DESC))[1] AS last_value
          FROM readings
         WHERE quality < 16
      GROUP BY datastream_id, date_trunc('hour', time, 'UTC')""")
    op.execute("""
        CREATE VIEW readings_daily AS
        SELECT datastream_id, date_trunc('day', bucket, 'UTC') AS bucket, sum(samples) AS samples,
               sum(total) AS total, min(low) AS low, max(high) AS high,
               (array_agg(last_value ORDER BY bucket DESC))[1] AS last_value
          FROM readings_hourly
      GROUP BY datastream_id, date_trunc('day', bucket, 'UTC')""")
