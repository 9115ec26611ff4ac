"""Policies set and their jobs run by a test, readings by their age, and what was made of them."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from migrations import policies
from migrations.policies import TimeSeriesSettings

DEFAULTS = TimeSeriesSettings(
    expected_readings_per_day=None, database_memory_mb=512, longest_offline_days=35
)


def apply(engine: sa.Engine, **settings: Any) -> list[str]:
    wanted = DEFAULTS.model_copy(update=settings)
    with engine.begin() as connection:
        return policies.apply(connection, wanted) + policies.retain(connection, wanted)


def put(
    engine: sa.Engine, ages_days: Sequence[float], *, stream: int = 1, value: float = 1.0
) -> None:
    """Store a reading of each age, at half past an hour."""
    with engine.begin() as connection:
        connection.execute(
            sa.text("""
            INSERT INTO readings (time, datastream_id, value, quality, received_at)
            SELECT date_trunc('hour', now() - age * interval '1 day') + interval '30 minutes',
                   :stream, :value, 0, now()
              FROM unnest(CAST(:ages AS double precision[])) AS age
            """),
            {"stream": stream, "value": value, "ages": [float(age) for age in ages_days]},
        )


def hours(engine: sa.Engine, stream: int = 1) -> list[tuple[int, float]]:
    """Age of each hour in days, and the sum of its readings, oldest first."""
    with engine.connect() as connection:
        rows = connection.execute(
            sa.text("""
            SELECT round(extract(epoch FROM now() - bucket) / 86400)::int, total
              FROM readings_hourly WHERE datastream_id = :stream ORDER BY bucket
            """),
            {"stream": stream},
        )
        return [tuple(row) for row in rows]


def day_totals(engine: sa.Engine, stream: int = 1) -> list[float]:
    with engine.connect() as connection:
        query = sa.text(
            "SELECT total FROM readings_daily WHERE datastream_id = :stream ORDER BY bucket"
        )
        return list(connection.scalars(query, {"stream": stream}))


def run_jobs(engine: sa.Engine, *procedures: str) -> int:
    """Run every job of these procedures, or every policy."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        jobs = connection.scalars(
            sa.text("""
            SELECT job_id FROM timescaledb_information.jobs
             WHERE proc_name LIKE 'policy%'
               AND (cardinality(CAST(:names AS text[])) = 0 OR proc_name = ANY(:names))
               AND (hypertable_name IN
                        ('readings', 'track_points', 'readings_hourly', 'readings_daily')
                    OR hypertable_name LIKE '\\_materialized%')
          ORDER BY job_id
            """),
            {"names": list(procedures)},
        ).all()
        for job in jobs:
            connection.execute(sa.text("CALL run_job(:job)"), {"job": job})
        return len(jobs)


def pack_hours(engine: sa.Engine) -> None:
    """What the policy does once hours are older than any refresh of the jobs."""
    with engine.begin() as connection:
        connection.execute(sa.text("SELECT compress_chunk(show_chunks('readings_hourly'))"))
