"""Chunks, columnstore, hours and days, retention: what the settings make, and what the jobs do."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from migrations import policies, upgrade
from migrations.policies import TimeSeriesSettings
from storage import aggregates, retention
from storage.database import make_engine
from tests.conftest import own_database

DAY = dt.timedelta(days=1)
DEFAULTS = TimeSeriesSettings(
    expected_readings_per_day=None, database_memory_mb=512, longest_offline_days=35
)


@pytest.fixture
def series_as_before(series: sa.Engine) -> Iterator[sa.Engine]:
    """TimescaleDB, whose policies are the usual ones again after the test."""
    yield series
    with series.begin() as connection:
        connection.execute(sa.text("DELETE FROM reading_retention"))
    upgrade(series, settings=DEFAULTS)


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


def chunk_interval(engine: sa.Engine, table: str) -> dt.timedelta:
    with engine.connect() as connection:
        found = connection.scalar(
            sa.text("""
            SELECT time_interval FROM timescaledb_information.dimensions
             WHERE hypertable_name = :table
            """),
            {"table": table},
        )
        assert isinstance(found, dt.timedelta)
        return found


@pytest.mark.parametrize(
    ("readings_a_day", "memory_gb", "days"),
    [
        # 110 bytes each: 1.1 GB a day, and a quarter of 8 GB is 2 GB
        (10_000_000, 8, 1.0),
        # 2.2 GB a day do not fit 2 GB for a day, but for half of one
        (20_000_000, 8, 0.5),
        # 11 MB a day: 28 days are 308 MB of 500 MB
        (100_000, 2, 28.0),
        # 22 MB a day: 28 days would be 616 MB of 500 MB, 14 days are 308 MB
        (200_000, 2, 14.0),
        # nothing fits: as short as is sensible
        (2_000_000_000, 8, 0.25),
    ],
)
def test_a_chunk_takes_at_most_a_quarter_of_the_memory(
    readings_a_day: int, memory_gb: float, days: float
) -> None:
    assert policies.chunk_days(readings_a_day * 110, memory_gb * 1e9) == days


def test_a_refresh_never_reaches_where_readings_are_dropped() -> None:
    """Whatever is set: the furthest refresh ends short of the shortest retention."""
    furthest = TimeSeriesSettings(longest_offline_days=policies.OFFLINE_AT_MOST_DAYS).refreshed
    longest_chunk = dt.timedelta(days=policies.LADDER_DAYS[-1])
    assert furthest + longest_chunk <= policies.KEPT_AT_LEAST_DAYS * DAY


def test_chunks_follow_the_expected_rate_and_are_left_alone_then(
    series_as_before: sa.Engine,
) -> None:
    wanted = {"expected_readings_per_day": 200_000, "database_memory_mb": 2_000}

    apply(series_as_before, **wanted)
    again = apply(series_as_before, **wanted)

    assert chunk_interval(series_as_before, "readings") == 14 * DAY
    assert again == []


def test_chunks_follow_the_intervals_of_datastreams_where_nothing_is_said(
    series_as_before: sa.Engine,
) -> None:
    with series_as_before.begin() as connection:
        connection.execute(
            sa.text("INSERT INTO devices (id, kind, name) VALUES ('dense', 'probe', 'dense')")
        )
        connection.execute(
            sa.text("""
            INSERT INTO datastreams (device_id, quantity, channel, expected_interval_s)
            SELECT 'dense', 'soil_moisture', n, 10 FROM generate_series(1, 100) AS n
            """)
        )

    # 100 streams of 8,640 readings a day are 95 MB; a quarter of 2 GB are 5.3 days of it.
    notes = apply(series_as_before, database_memory_mb=2_000)

    assert chunk_interval(series_as_before, "readings") == 4 * DAY
    assert any("95.0 MB a day by the intervals of datastreams" in note for note in notes)


def test_chunks_follow_what_full_chunks_measure(series_as_before: sa.Engine) -> None:
    apply(series_as_before)
    with series_as_before.begin() as connection:
        connection.execute(
            sa.text("""
            INSERT INTO readings (time, datastream_id, value, quality, received_at)
            SELECT date_trunc('day', now()) - interval '3 days' + n * interval '1 second',
                   1, n, 0, now()
              FROM generate_series(0, 59999) AS n
            """)
        )

    # 60,000 rows of 110 bytes in a day are some 6.6 MB; 64 MB leave room for two days of that.
    notes = apply(series_as_before, database_memory_mb=64)

    assert chunk_interval(series_as_before, "readings") == 2 * DAY
    assert any("MB a day by measure" in note for note in notes)


def test_old_chunks_go_into_the_columnstore_after_the_longest_offline_time(
    series_as_before: sa.Engine,
) -> None:
    apply(series_as_before, longest_offline_days=20)
    put(series_as_before, [60, 30, 10, 0.1])

    run_jobs(series_as_before, "policy_compression")

    with series_as_before.connect() as connection:
        packed = connection.execute(
            sa.text("""
            SELECT is_compressed, count(*) FROM timescaledb_information.chunks
             WHERE hypertable_name = 'readings' GROUP BY 1
            """)
        ).all()
        order = connection.execute(
            sa.text("""
            SELECT attname, segmentby_column_index, orderby_asc
              FROM timescaledb_information.compression_settings
             WHERE hypertable_name = 'readings' ORDER BY segmentby_column_index NULLS LAST
            """)
        ).all()
    assert {tuple(row) for row in packed} == {(True, 2), (False, 2)}
    assert [tuple(row) for row in order] == [("datastream_id", 1, None), ("time", None, False)]
    with series_as_before.connect() as connection:
        assert connection.scalar(sa.text("SELECT sum(value) FROM readings")) == 4.0


def test_hours_and_days_go_into_the_columnstore_after_a_year(
    series_as_before: sa.Engine,
) -> None:
    engine = series_as_before
    ages = [900, 700, 300, 30, 1]
    put(engine, ages)
    aggregates.refresh(engine)

    run_jobs(engine, "policy_compression")

    with engine.connect() as connection:
        chunks = connection.execute(
            sa.text("""
            SELECT view_name, is_compressed, range_end < now() - interval '400 days'
              FROM timescaledb_information.chunks AS chunk
              JOIN timescaledb_information.continuous_aggregates
                   ON chunk.hypertable_name = materialization_hypertable_name
            """)
        ).all()
    assert {view for view, packed, _ in chunks if packed} == {"readings_hourly", "readings_daily"}
    assert all(packed == old for _, packed, old in chunks)
    assert [age for age, _ in hours(engine)] == ages
    assert day_totals(engine) == [1.0] * len(ages)


def test_packed_hours_are_made_again_with_what_came_late(series_as_before: sa.Engine) -> None:
    engine = series_as_before
    apply(engine, expected_readings_per_day=1_000)  # so few that all hours are in one chunk
    start = dt.datetime(2025, 3, 13, tzinfo=dt.UTC)
    with engine.begin() as connection:
        connection.execute(
            sa.text("""
            INSERT INTO readings (time, datastream_id, value, quality, received_at)
            SELECT :start + hour * interval '1 hour', stream, hour, 0, :start
              FROM generate_series(1, 8) AS stream, generate_series(0, 999) AS hour
            """),
            {"start": start},
        )
    aggregates.refresh(engine)
    pack_hours(engine)

    with engine.begin() as connection:
        connection.execute(
            sa.text("""
            INSERT INTO readings (time, datastream_id, value, quality, received_at)
            VALUES (:start + interval '200 hours 10 minutes', 7, 1000, 0, now()),
                   (:start + interval '700 hours 10 minutes', 7, 2000, 0, now())
            """),
            {"start": start},
        )
    aggregates.refresh(engine, start)

    expected = {hour: float(hour) for hour in range(1_000)}
    assert dict(enumerate(total for _, total in hours(engine, stream=8))) == expected
    expected |= {200: 1_200.0, 700: 2_700.0}
    assert dict(enumerate(total for _, total in hours(engine, stream=7))) == expected


def test_the_longest_offline_time_may_grow_and_shrink(series_as_before: sa.Engine) -> None:
    apply(series_as_before)
    for days in (20, 365, 35):
        notes = apply(series_as_before, longest_offline_days=days)
        assert notes == [
            f"readings_hourly is kept up to date {days + 5} days back.",
            f"readings_daily is kept up to date {days + 5} days back.",
            f"Chunks of readings go into the columnstore {days} days after their end.",
            f"Chunks of track_points go into the columnstore {days} days after their end.",
        ]
        assert apply(series_as_before, longest_offline_days=days) == []


def test_hours_that_came_later_than_policies_look_back_are_made_when_asked_for(
    series: sa.Engine,
) -> None:
    put(series, [200, 100, 1])
    aggregates.refresh(series)
    put(series, [150.0])  # late by far more than the policies look back
    put(series, [100.0], stream=2)
    run_jobs(series, "policy_refresh_continuous_aggregate")
    before = [age for age, _ in hours(series)]

    with series.connect() as connection:
        since = connection.scalar(sa.text("SELECT now() - interval '160 days'"))
    aggregates.refresh(series, since)

    # The jobs alone leave the late one out: this is why analytics asks for the refresh.
    assert before == [200, 100, 1]
    assert [age for age, _ in hours(series)] == [200, 150, 100, 1]
    assert day_totals(series) == [1.0] * 4
    assert [age for age, _ in hours(series, stream=2)] == [100]


def test_a_reading_dated_in_the_future_hides_nothing(series: sa.Engine) -> None:
    put(series, [3.0, -300.0])
    run_jobs(series, "policy_refresh_continuous_aggregate")
    aggregates.refresh(series)

    put(series, [0.05, 2.0], value=7.0)
    run_jobs(series, "policy_refresh_continuous_aggregate")

    found = hours(series)
    assert [age for age, _ in found] == [3, 2, 0, -300]
    assert [total for _, total in found] == [1.0, 7.0, 7.0, 1.0]


def test_retention_drops_readings_and_nothing_that_was_made_of_them(
    series_as_before: sa.Engine,
) -> None:
    engine = series_as_before
    ages = [700, 500, 450, 300, 60, 10, 1]
    put(engine, ages)
    aggregates.refresh(engine)
    days_before = day_totals(engine)
    apply(engine, keep_readings_days=400)

    run_jobs(engine, "policy_retention")
    with engine.connect() as connection:
        left = connection.scalar(sa.text("SELECT count(*) FROM readings"))
        since = retention.complete_since(connection)
        distant = connection.scalar(sa.text("SELECT now() - interval '900 days'"))
    run_jobs(engine)
    aggregates.refresh(engine)
    aggregates.refresh(engine, distant)
    # A straggler of a dropped time makes a chunk there; a refresh would take it for all there was.
    put(engine, [450.0], stream=2)
    aggregates.refresh(engine)
    run_jobs(engine)
    upgrade(engine, settings=DEFAULTS.model_copy(update={"keep_readings_days": 400}))

    assert left == 4
    assert since is not None
    assert [age for age, _ in hours(engine)] == ages
    assert day_totals(engine) == days_before == [1.0] * len(ages)


def test_hours_are_made_of_all_readings_before_any_are_dropped(
    series_as_before: sa.Engine,
) -> None:
    engine = series_as_before
    ages = [700, 450, 300, 1]
    put(engine, ages)

    upgrade(engine, settings=DEFAULTS.model_copy(update={"keep_readings_days": 400}))
    run_jobs(engine, "policy_retention")

    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM readings")) == 2
    assert [age for age, _ in hours(engine)] == ages
    assert day_totals(engine) == [1.0] * len(ages)


def refresh_by_hand(engine: sa.Engine) -> None:
    """All there is, without a bound, as somebody may do who means well."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for view in ("readings_hourly", "readings_daily"):
            connection.execute(sa.text(f"CALL refresh_continuous_aggregate('{view}', NULL, NULL)"))


@pytest.mark.parametrize("packed", [False, True], ids=["rows", "packed"])
def test_a_full_refresh_by_hand_deletes_no_hours_of_dropped_readings(
    series_as_before: sa.Engine, packed: bool
) -> None:
    engine = series_as_before
    ages = [700, 500, 450, 300, 60, 1]
    put(engine, ages)
    put(engine, [450.0, 300.0], stream=2)
    aggregates.refresh(engine)
    if packed:
        pack_hours(engine)
    apply(engine, keep_readings_days=400)
    run_jobs(engine, "policy_retention")
    put(engine, [450.0], value=7.0)  # a straggler alone would make its hour anew
    put(engine, [299.0], stream=2)

    refresh_by_hand(engine)

    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM readings")) == 3 + 1 + 1 + 1
    assert hours(engine) == [(age, 1.0) for age in ages]
    assert day_totals(engine) == [1.0] * len(ages)
    assert [age for age, _ in hours(engine, stream=2)] == [450, 300, 299]


def test_what_is_kept_for_ever_again_is_made_anew_by_any_refresh(
    series_as_before: sa.Engine,
) -> None:
    engine = series_as_before
    apply(engine, keep_readings_days=400)
    apply(engine, keep_readings_days=None)
    put(engine, [300.0])
    aggregates.refresh(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE readings SET value = 5"))

    refresh_by_hand(engine)

    assert hours(engine) == [(300, 5.0)]


def test_days_of_another_zone_are_made_of_the_hours_of_dropped_readings_too(
    series_as_before: sa.Engine,
) -> None:
    engine = series_as_before
    ages = [700, 450, 300, 1]
    put(engine, ages)
    wanted = DEFAULTS.model_copy(update={"keep_readings_days": 400})
    upgrade(engine, settings=wanted)
    run_jobs(engine, "policy_retention")

    upgrade(engine, settings=wanted.model_copy(update={"day_timezone": "America/New_York"}))

    assert day_totals(engine) == [1.0] * len(ages)
    with engine.connect() as connection:
        offset = connection.scalar(
            sa.text(
                "SELECT min((bucket AT TIME ZONE 'America/New_York')::time) FROM readings_daily"
            )
        )
    assert offset == dt.time()


def test_what_was_dropped_by_a_shorter_retention_is_remembered(
    series_as_before: sa.Engine,
) -> None:
    engine = series_as_before
    put(engine, [500.0, 450.0, 100.0])
    aggregates.refresh(engine)
    apply(engine, keep_readings_days=400)
    run_jobs(engine, "policy_retention")

    apply(engine, keep_readings_days=800)
    put(engine, [450.0], stream=2)  # its chunk would make the hours there look complete
    aggregates.refresh(engine)
    run_jobs(engine)
    apply(engine, keep_readings_days=None)
    aggregates.refresh(engine)

    assert [age for age, _ in hours(engine)] == [500, 450, 100]
    with engine.connect() as connection:
        since = retention.complete_since(connection)
        age = connection.scalar(sa.text("SELECT now()")) - since
    assert 399 * DAY < age < 401 * DAY


def test_readings_are_not_dropped_where_hours_would_go_with_them(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DALA_PLAIN_POSTGRES", "1")
    with own_database(postgres_url) as url:
        engine = make_engine(url)
        with pytest.raises(ValueError, match="needs TimescaleDB"):
            upgrade(engine, settings=DEFAULTS.model_copy(update={"keep_readings_days": 400}))
        engine.dispose()
