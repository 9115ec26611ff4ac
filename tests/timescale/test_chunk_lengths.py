"""How long a chunk is: by the memory, and by the readings that come or are expected."""

import datetime as dt

import pytest
import sqlalchemy as sa

from migrations import policies
from tests.timescale.policed import apply

DAY = dt.timedelta(days=1)


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
        # 118 bytes each: 1.18 GB a day, and a quarter of 8 GB is 2 GB
        (10_000_000, 8, 1.0),
        # 2.36 GB a day do not fit 2 GB for a day, but for half of one
        (20_000_000, 8, 0.5),
        # 11.8 MB a day: 28 days are 330 MB of 500 MB
        (100_000, 2, 28.0),
        # 23.6 MB a day: 28 days would be 661 MB of 500 MB, 14 days are 330 MB
        (200_000, 2, 14.0),
        # nothing fits: as short as is sensible
        (2_000_000_000, 8, 0.25),
    ],
)
def test_a_chunk_takes_at_most_a_quarter_of_the_memory(
    readings_a_day: int, memory_gb: float, days: float
) -> None:
    assert policies.chunk_days(readings_a_day * 118, memory_gb * 1e9) == days


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

    # 100 streams of 8,640 readings a day are 102 MB; a quarter of 2 GB are 4.9 days of it.
    notes = apply(series_as_before, database_memory_mb=2_000)

    assert chunk_interval(series_as_before, "readings") == 4 * DAY
    assert any("102.0 MB a day by the intervals of datastreams" in note for note in notes)


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

    # 60,000 rows of 110 bytes in a day, being in no batch, are some 6.6 MB; 64 MB leave room for
    # two days of that.
    notes = apply(series_as_before, database_memory_mb=64)

    assert chunk_interval(series_as_before, "readings") == 2 * DAY
    assert any("MB a day by measure" in note for note in notes)
