"""What goes into the columnstore, when, and that it is still made anew there."""

import datetime as dt

import sqlalchemy as sa

from storage import aggregates
from tests.timescale.policed import apply, day_totals, hours, pack_hours, put, run_jobs


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
