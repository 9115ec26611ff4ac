"""Readings are stored once, whatever is sent again."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import psycopg
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import once, readings, series, tracks

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


def test_no_rows_are_stored_by_a_connection_that_has_stored_none_yet(engine: sa.Engine) -> None:
    with engine.connect() as opened:
        opened.info.clear()
        found = readings.store(opened, batch())

    assert (found.new.size, found.duplicate.size, found.conflicts) == (0, 0, 0)


def test_a_new_batch_is_stored_as_it_is(connection: sa.Connection) -> None:
    outcome = readings.store(connection, batch((0, 1, 0.25), (1, 1, 0.5), (0, 2, -3.0)))

    assert outcome.new.all()
    assert stored_values(connection) == {(0, 1): 0.25, (1, 1): 0.5, (0, 2): -3.0}


def test_when_a_reading_arrived_is_kept_as_the_end_of_its_minute(
    connection: sa.Connection,
) -> None:
    full = BEGIN - BEGIN % MINUTE
    rows = batch((0, 1, 0.25), (1, 1, 0.25), (2, 1, 0.25), (2, 1, 0.75))
    rows["received_at"] = full + np.array([0, 1, MINUTE, MINUTE + 1])

    readings.store(connection, rows)

    arrived = "SELECT extract(epoch FROM received_at)::bigint * 1000000 FROM "
    stored = connection.scalars(sa.text(arrived + "readings ORDER BY time")).all()
    assert stored == [full, full + MINUTE, full + MINUTE]
    assert connection.scalar(sa.text(arrived + "reading_conflicts")) == full + 2 * MINUTE


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


# Beside each other, an hour apart and just beyond, and far off: read by range and one by one.
MINUTES = st.sampled_from([0, 1, 2, 60, 61, 62, 123, 50_000])
VALUES = st.sampled_from([0.0, -0.0, 1.0, float("nan"), float("inf"), float("-inf")])


def as_compared(value: float) -> str:
    """PostgreSQL holds NaN equal to itself, and zero to minus zero."""
    return str(value + 0.0)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    batches=st.lists(
        st.lists(st.tuples(MINUTES, st.integers(1, 3), VALUES), max_size=12), min_size=1, max_size=6
    )
)
def test_whatever_is_sent_again_each_key_is_stored_once_and_no_value_is_lost(
    connection: sa.Connection, batches: list[list[tuple[int, int, float]]]
) -> None:
    first: dict[tuple[int, int], float] = {}
    others: set[tuple[int, str, str]] = set()
    seen: set[tuple[int, int, str]] = set()
    with connection.begin_nested() as savepoint:
        for sent in batches:
            outcome = readings.store(connection, batch(*sent))
            new, conflicting = [], 0
            for minute, stream, value in sent:
                new.append((minute, stream) not in first)
                kept = first.setdefault((minute, stream), value)
                differs = as_compared(kept) != as_compared(value)
                if differs and (minute, stream, as_compared(value)) not in seen:
                    seen.add((minute, stream, as_compared(value)))
                    others.add((stream, as_compared(kept), as_compared(value)))
                    conflicting += 1

            assert outcome.new.tolist() == new
            assert outcome.duplicate.tolist() == [not one for one in new]
            assert outcome.conflicts == conflicting
        stored = {key: as_compared(value) for key, value in stored_values(connection).items()}
        assert stored == {key: as_compared(value) for key, value in first.items()}
        found = conflicts(connection)
        assert len(found) == len(seen)
        assert {(s, as_compared(kept), as_compared(value)) for s, kept, value in found} == others
        savepoint.rollback()


def test_what_is_stored_already_is_sought_where_the_last_batch_held_some(
    empty_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def counting(connection: sa.Connection, statement: str, parameters: Any) -> Any:
        asked.append(len(parameters["starts"]))
        return of_ranges(connection, statement, parameters)

    of_ranges = once.of_ranges
    monkeypatch.setattr(once, "of_ranges", counting)
    points = np.zeros(1, tracks.DTYPE)
    points["time"] = points["received_at"] = BEGIN
    empty_engine.dispose()  # a connection that remembers nothing
    steps: list[tuple[list[tuple[int, int, float]], list[int]]] = [
        ([(0, 1, 0.5), (0, 2, 0.5)], [2]),  # the first of a connection: it may all have been sent
        ([(1, 1, 0.5), (1, 2, 0.5)], []),
        # COPY finds out: as far as they are stored, and those that may be.
        ([(1, 1, 0.5), (1, 2, 0.5), (2, 3, 0.5)], [3, 2]),
        ([(1, 1, 0.5), (2, 2, 0.5), (3, 3, 0.5)], [1]),  # what is not newer than the newest
        ([(2, 2, 0.5), (3, 2, 0.5)], [1]),
        ([(4, 2, 0.5)], []),
    ]
    with empty_engine.connect() as connection:
        for number, (rows, expected) in enumerate(steps):
            asked.clear()
            readings.store(connection, batch(*rows))
            assert asked == expected, number
            # A track without repeats says nothing of readings.
            points["time"] += MINUTE
            tracks.store(connection, ["tractor-1"], points)
            connection.commit()


def test_what_another_worker_has_not_committed_is_waited_for(empty_engine: sa.Engine) -> None:
    ours, theirs = batch((0, 1, 1.0), (1, 1, 2.0)), batch((2, 1, 4.0), (1, 1, 3.0), (0, 1, 1.0))
    with ThreadPoolExecutor(1) as pool:
        with empty_engine.begin() as connection:
            readings.store(connection, ours)
            waiting = pool.submit(_store_and_commit, empty_engine, theirs)
            _until_someone_waits_for(connection)
        outcome = waiting.result()

    assert outcome.new.tolist() == [True, False, False]
    assert outcome.conflicts == 1
    with empty_engine.connect() as connection:
        assert stored_values(connection) == {(0, 1): 1.0, (1, 1): 2.0, (2, 1): 4.0}
        assert conflicts(connection) == [(1, 2.0, 3.0)]


def test_what_another_worker_took_back_is_stored_by_this_one(empty_engine: sa.Engine) -> None:
    rows = batch((0, 1, 1.0), (1, 1, 2.0))
    with ThreadPoolExecutor(1) as pool:
        with empty_engine.connect() as connection, connection.begin() as transaction:
            readings.store(connection, rows)
            waiting = pool.submit(_store_and_commit, empty_engine, rows)
            _until_someone_waits_for(connection)
            transaction.rollback()
        assert waiting.result().new.all()


def test_a_batch_goes_in_by_order_of_key_so_that_none_waits_in_a_ring(
    empty_engine: sa.Engine,
) -> None:
    with ThreadPoolExecutor(1) as pool:
        with empty_engine.begin() as connection:
            readings.store(connection, batch((0, 1, 1.0)))
            waiting = pool.submit(_store_and_commit, empty_engine, batch((0, 2, 2.0), (0, 1, 1.0)))
            _until_someone_waits_for(connection)
            readings.store(connection, batch((0, 2, 2.0)))  # a deadlock, had it stored that first
        assert waiting.result().duplicate.all()


def test_workers_with_the_same_readings_never_block_each_other_for_good(
    empty_engine: sa.Engine,
) -> None:
    keys = np.arange(600)
    rows = batch(*((key // 20, key % 20 + 1, float(key)) for key in keys))
    random = np.random.default_rng(4)
    orders = [random.permutation(keys) for _ in range(24)]
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(
            pool.map(lambda order: _store_and_commit(empty_engine, rows[order]), orders)
        )

    assert sum(int(one.new.sum()) for one in outcomes) == len(keys)
    with empty_engine.connect() as connection:
        assert stored_values(connection) == {(k // 20, k % 20 + 1): float(k) for k in keys}
        assert conflicts(connection) == []


def test_a_row_that_can_be_neither_stored_nor_seen_is_an_error(empty_engine: sa.Engine) -> None:
    above = empty_engine.execution_options(isolation_level="REPEATABLE READ")
    with above.connect() as connection, connection.begin():
        stored_values(connection)  # what comes after is not seen
        _store_and_commit(empty_engine, batch((0, 1, 1.0)))
        with pytest.raises(psycopg.errors.UniqueViolation):
            readings.store(connection, batch((0, 1, 1.0)))


def _store_and_commit(engine: sa.Engine, rows: np.ndarray[Any, Any]) -> readings.Stored:
    with engine.begin() as connection:
        return readings.store(connection, rows)


def _until_someone_waits_for(connection: sa.Connection) -> None:
    waiting = sa.text(
        "SELECT count(*) FROM pg_stat_activity WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    )
    while not connection.scalar(waiting):
        connection.execute(sa.text("SELECT pg_stat_clear_snapshot()"))


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
