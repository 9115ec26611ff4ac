"""What comes late meets chunks that are in the columnstore, and is stored as anything else."""

import datetime as dt

import numpy as np
import pytest
import sqlalchemy as sa

from storage import aggregates, readings, series, tracks
from storage.readings import Quality

START = dt.datetime(2025, 3, 1, tzinfo=dt.UTC)
START_US = int(START.timestamp()) * 1_000_000
STREAMS, MINUTES = 120, 1_000  # 120,000 rows: more than one statement may unpack


@pytest.fixture
def packed(series: sa.Engine) -> sa.Engine:
    """Datastreams 1 to 120 with a reading a minute but for minutes 400 to 499, in one chunk."""
    with series.begin() as connection:
        connection.execute(
            sa.text("""
            INSERT INTO readings (time, datastream_id, value, quality, received_at)
            SELECT :start + minute * interval '1 minute', stream, minute, 0, :start
              FROM generate_series(1, :streams) AS stream,
                   generate_series(0, :minutes - 1) AS minute
             WHERE minute NOT BETWEEN 400 AND 499
            """),
            {"start": START, "streams": STREAMS, "minutes": MINUTES},
        )
        connection.execute(sa.text("SELECT compress_chunk(show_chunks('readings'))"))
    return series


def rows(streams: list[int], minutes: list[int], values: list[float]) -> np.ndarray:
    made = np.zeros(len(streams), readings.DTYPE)
    made["datastream_id"], made["value"] = streams, values
    made["time"] = START_US + np.array(minutes, np.int64) * 60_000_000
    made["received_at"] = START_US
    return made


def value_at(connection: sa.Connection, stream: int, minute: int) -> float:
    found = series_of(connection, stream, minute, minute + 1)
    assert len(found) == 1
    return found[0]


def series_of(connection: sa.Connection, stream: int, first: int, last: int) -> list[float]:
    times = [START + dt.timedelta(minutes=edge) for edge in (first, last)]
    samples = series.raw(connection, stream, start=times[0], end=times[1], limit=10_000)
    return [one.value for one in samples]


def test_late_readings_duplicates_and_conflicts_are_told_apart(packed: sa.Engine) -> None:
    late = rows(
        streams=[1, 1, 1, 2, 2, 500],
        minutes=[450, 451, 399, 399, 400, 10],
        values=[7.0, 8.0, 399.0, -1.0, 5.0, 1.0],  # of minute 399 one is known, one differs
    )
    with packed.begin() as connection:
        stored = readings.store(connection, late)
    with packed.begin() as connection:
        again = readings.store(connection, late)
        conflicts = connection.execute(
            sa.text("SELECT datastream_id, stored_value, value FROM reading_conflicts")
        ).all()

        assert stored.new.tolist() == [True, True, False, False, True, True]
        assert stored.conflicts == 1
        assert not again.new.any()
        assert [tuple(row) for row in conflicts] == [(2, 399.0, -1.0)]
        assert series_of(connection, 1, 398, 501) == [398.0, 399.0, 7.0, 8.0, 500.0]
        assert value_at(connection, 2, 399) == 399.0


def test_more_datastreams_come_late_together_than_may_be_unpacked(packed: sa.Engine) -> None:
    everyone = list(range(1, STREAMS + 1))
    late = rows(everyone * 2, [450] * STREAMS + [300] * STREAMS, [1.0] * 2 * STREAMS)

    with packed.begin() as connection:
        stored = readings.store(connection, late)

        assert stored.new.tolist() == [True] * STREAMS + [False] * STREAMS
        assert stored.conflicts == STREAMS
        assert value_at(connection, STREAMS, 450) == 1.0


def test_flags_are_added_in_the_columnstore_without_unpacking_the_chunk(
    packed: sa.Engine,
) -> None:
    everyone = np.arange(1, STREAMS + 1, dtype=np.int32)
    times = np.full(STREAMS, START_US + 300 * 60_000_000, np.int64)

    with packed.begin() as connection:
        readings.flag(connection, everyone, times, Quality.SPIKE)
        flagged = connection.execute(
            sa.text("SELECT count(*), min(value), max(value) FROM readings WHERE quality = 32")
        ).one()

    assert tuple(flagged) == (STREAMS, 300.0, 300.0)


def test_hours_of_the_columnstore_are_made_again_with_what_came_late(packed: sa.Engine) -> None:
    aggregates.refresh(packed)
    hour = START + dt.timedelta(hours=7)  # minutes 420 to 479: none yet

    with packed.begin() as connection:
        readings.store(connection, rows([1, 1], [450, 451], [7.0, 8.0]))
    aggregates.refresh(packed, hour)

    with packed.connect() as connection:
        (found,) = series.hourly(
            connection, 1, start=hour, end=hour + dt.timedelta(hours=1), limit=10
        )
        (day,) = series.daily(
            connection,
            1,
            start=START - dt.timedelta(hours=5),
            end=START + dt.timedelta(hours=19),
            timezone="Asia/Almaty",
            limit=10,
        )
    assert (found.samples, found.mean, found.last_value) == (2, 7.5, 8.0)
    # 0 to 999 without 400 to 499, and the two: 499,500 - 44,950 + 15
    assert (day.samples, day.total) == (902, 454_565.0)


def points(minutes: list[int], widths: list[float]) -> np.ndarray:
    made = np.zeros(len(minutes), tracks.DTYPE)
    made["time"] = START_US + np.array(minutes, np.int64) * 60_000_000
    made["received_at"], made["work_state"] = START_US, -1
    for name in tracks.NUMBERS:
        made[name] = np.nan
    made["latitude_deg"], made["longitude_deg"], made["width_m"] = 51.2, 71.5, widths
    return made


def test_a_track_that_comes_late_fills_its_gap_and_keeps_what_differs(series: sa.Engine) -> None:
    known = [minute for minute in range(20) if minute not in {5, 6}]
    with series.begin() as connection:
        tracks.store(connection, ["tractor-1"], points(known, [6.0] * len(known)))
        connection.execute(sa.text("SELECT compress_chunk(show_chunks('track_points'))"))
    late = points([4, 5, 6, 7], [6.0, 6.0, np.nan, 12.0])
    with series.begin() as connection:
        stored = tracks.store(connection, ["tractor-1"], late)
    with series.begin() as connection:
        again = tracks.store(connection, ["tractor-1"], late)
        (conflict,) = connection.scalars(sa.text("SELECT point FROM track_conflicts")).all()
        found = tracks.arrays(connection, "tractor-1", START, START + dt.timedelta(minutes=20))

    assert stored.tolist() == [False, True, True, False]
    assert not again.any()
    assert conflict["width_m"] == 12.0
    assert ((found["time"] - START_US) // 60_000_000).tolist() == list(range(20))
    expected = [6.0] * 6 + [np.nan] + [6.0] * 13
    np.testing.assert_array_equal(found["width_m"], expected)
