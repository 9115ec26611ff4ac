"""Readings are stored once, whatever is sent again."""

import datetime as dt
from typing import Any

import numpy as np
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import readings, series

MINUTE = 60_000_000
BEGIN = 1_750_000_000_000_000  # June 2025 [µs]


def batch(*rows: tuple[int, int, float]) -> np.ndarray[Any, Any]:
    """Rows of (minute, datastream, value)."""
    table = np.zeros(len(rows), readings.DTYPE)
    table["time"] = [BEGIN + minute * MINUTE for minute, _, _ in rows]
    table["datastream_id"] = [stream for _, stream, _ in rows]
    table["value"] = [value for _, _, value in rows]
    table["received_at"] = BEGIN + 10_000 * MINUTE
    return table


def stored_values(connection: sa.Connection) -> dict[tuple[int, int], float]:
    rows = connection.execute(sa.text("SELECT time, datastream_id, value FROM readings"))
    return {
        ((int(row.time.timestamp()) * 1_000_000 - BEGIN) // MINUTE, row.datastream_id): row.value
        for row in rows
    }


def conflicts(connection: sa.Connection) -> list[tuple[int, float, float]]:
    rows = connection.execute(
        sa.text("SELECT datastream_id, stored_value, value FROM reading_conflicts ORDER BY id")
    )
    return [tuple(row) for row in rows]


def test_a_new_batch_is_stored_as_it_is(connection: sa.Connection) -> None:
    outcome = readings.store(connection, batch((0, 1, 0.25), (1, 1, 0.5), (0, 2, -3.0)))

    assert outcome.new.all()
    assert stored_values(connection) == {(0, 1): 0.25, (1, 1): 0.5, (0, 2): -3.0}


def test_the_same_batch_again_changes_nothing(connection: sa.Connection) -> None:
    rows = batch((0, 1, 0.25), (1, 1, 0.5))
    readings.store(connection, rows)

    again = readings.store(connection, rows)

    assert again.duplicate.all()
    assert stored_values(connection) == {(0, 1): 0.25, (1, 1): 0.5}
    assert conflicts(connection) == []


def test_a_different_value_for_a_stored_time_is_kept_as_a_conflict(
    connection: sa.Connection,
) -> None:
    readings.store(connection, batch((0, 1, 0.25)))

    outcome = readings.store(connection, batch((0, 1, 0.75), (1, 1, 0.5)))

    assert outcome.new.tolist() == [False, True]
    assert stored_values(connection) == {(0, 1): 0.25, (1, 1): 0.5}
    assert conflicts(connection) == [(1, 0.25, 0.75)]


def test_of_two_values_in_one_batch_the_first_stays(connection: sa.Connection) -> None:
    outcome = readings.store(connection, batch((0, 1, 0.25), (0, 1, 0.75), (0, 1, 0.25)))

    assert outcome.new.tolist() == [True, False, False]
    assert stored_values(connection) == {(0, 1): 0.25}
    assert conflicts(connection) == [(1, 0.25, 0.75)]


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    sent=st.lists(
        st.tuples(st.integers(0, 5), st.integers(1, 2), st.sampled_from([0.0, 1.0, 2.0])),
        min_size=1,
        max_size=25,
    ),
    cut=st.integers(1, 25),
)
def test_every_key_is_stored_once_with_its_first_value(
    connection: sa.Connection, sent: list[tuple[int, int, float]], cut: int
) -> None:
    with connection.begin_nested() as savepoint:
        for start in range(0, len(sent), cut):
            readings.store(connection, batch(*sent[start : start + cut]))
        first: dict[tuple[int, int], float] = {}
        for minute, stream, value in sent:
            first.setdefault((minute, stream), value)
        others = {(m, s, v) for m, s, v in sent if v != first[m, s]}

        assert stored_values(connection) == first
        assert len(conflicts(connection)) == len(others)
        savepoint.rollback()


def test_local_days_are_those_of_the_farm(connection: sa.Connection) -> None:
    # 2025-06-15 in Almaty (UTC+5) runs from 19:00 UTC of the 14th: BEGIN is 15:06:40 UTC.
    rows = batch((0, 1, 1.0), (233, 1, 3.0), (234, 1, 10.0))
    readings.store(connection, rows)
    middle = dt.datetime.fromtimestamp(BEGIN / 1e6, dt.UTC)
    start, end = middle - dt.timedelta(days=2), middle + dt.timedelta(days=2)

    days = series.daily(connection, 1, start=start, end=end, timezone="Asia/Almaty", limit=10)

    assert [(day.samples, day.mean) for day in days] == [(2, 2.0), (1, 10.0)]


def test_hours_of_a_short_span_are_those_of_a_long_one(connection: sa.Connection) -> None:
    # One reading every 20 minutes for ten days, one of them flagged: hours of 3, one of 2.
    minutes = range(0, 10 * 24 * 60, 20)
    rows = batch(*((minute, 1, float(minute % 37)) for minute in minutes))
    rows["quality"][100] = 16
    readings.store(connection, rows)
    first = dt.datetime.fromtimestamp(BEGIN / 1e6, dt.UTC)
    start = first.replace(minute=0, second=0) + dt.timedelta(days=2)
    for shift in (dt.timedelta(), dt.timedelta(minutes=30)):  # zones of half an hour, too
        begin, end = start + shift, start + shift + dt.timedelta(days=3)
        (short,) = series.hours(connection, {1: series.Span(begin, end)}).values()
        long = series.hours(connection, {1: series.Span(begin, end + dt.timedelta(days=5))})[1]
        same = long[long["time"] < end.timestamp() * 1e6]

        assert len(short) in {72, 73}
        for name in ("time", "low", "high", "total", "mean"):
            np.testing.assert_allclose(short[name], same[name], rtol=1e-12)


def test_a_flag_is_added_to_the_readings_that_are_named(connection: sa.Connection) -> None:
    rows = batch((0, 1, 1.0), (1, 1, 2.0), (0, 2, 3.0))
    rows["quality"] = readings.Quality.SERVER_TIME
    readings.store(connection, rows)

    readings.flag(connection, rows["datastream_id"][:1], rows["time"][:1], readings.Quality.SPIKE)

    found = connection.execute(sa.text("SELECT value, quality FROM readings ORDER BY value"))
    assert [tuple(row) for row in found] == [(1.0, 33), (2.0, 1), (3.0, 1)]


def test_the_newest_readings_are_the_usable_ones_and_spikes(connection: sa.Connection) -> None:
    rows = batch(*((minute, 1, float(minute)) for minute in range(6)), (2, 2, 7.0))
    rows["quality"][3] = readings.Quality.OUT_OF_RANGE
    rows["quality"][4] = readings.Quality.SPIKE
    readings.store(connection, rows)
    early = dt.datetime.fromtimestamp(BEGIN / 1e6, dt.UTC)
    late = early + dt.timedelta(minutes=3)

    found = series.newest(connection, {1: early, 2: late, 3: early}, count=3)

    assert found[1][1].tolist() == [2.0, 4.0, 5.0]
    assert found[1][0].tolist() == [BEGIN + minute * MINUTE for minute in (2, 4, 5)]
    assert len(found[2][0]) == len(found[3][0]) == 0
