"""Which rows are looked up, and together with which."""

from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from storage import once, readings
from storage.newest import Newest

HOUR = 3_600_000_000
KEYS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), max_size=20)


def columns(keys: list[tuple[int, int]]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    table = np.array(keys, np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def test_a_gap_of_more_than_an_hour_is_not_read_across() -> None:
    times = np.array([0, HOUR, 2 * HOUR + 1, 0, 5 * HOUR])
    found = once.ranges(np.array([1, 1, 1, 2, 2]), times)

    assert list(zip(found.starts, found.lasts, strict=True)) == [(0, 1), (2, 2), (3, 3), (4, 4)]


def test_a_gap_far_wider_than_most_is_not_read_across() -> None:
    # Every second, but for one that is four seconds off and one that is five.
    times = np.array([0, 4, 5, 6, 11, 12, 0, 1]) * 1_000_000
    found = once.ranges(np.array([1, 1, 1, 1, 1, 1, 2, 2]), times)

    assert list(zip(found.starts, found.lasts, strict=True)) == [(0, 3), (4, 5), (6, 7)]


@pytest.mark.parametrize("count", [0, 1])
def test_few_rows_are_few_ranges(count: int) -> None:
    found = once.ranges(np.full(count, 3), np.full(count, HOUR))
    assert found.starts.tolist() == found.lasts.tolist() == [0] * count


@given(keys=KEYS)
def test_order_is_that_of_series_and_time_and_of_arrival_among_equals(
    keys: list[tuple[int, int]],
) -> None:
    order, first = once.in_order(*columns(keys))

    assert order.tolist() == sorted(range(len(keys)), key=lambda place: (keys[place], place))
    assert [keys[place] for place in order[first]] == sorted(set(keys))


@given(asked=KEYS.map(set), found=KEYS.map(set))
def test_matched_are_the_keys_of_both(
    asked: set[tuple[int, int]], found: set[tuple[int, int]]
) -> None:
    one, other = sorted(asked), list(found)
    places, of_found = once.matched(columns(one), columns(other))

    assert {one[place] for place in places} == asked & found
    assert [one[place] for place in places] == [other[place] for place in of_found]


@given(batches=st.lists(KEYS, max_size=5), rows=KEYS)
def test_reached_is_what_is_not_newer_than_anything_noted(
    batches: list[list[tuple[int, int]]], rows: list[tuple[int, int]]
) -> None:
    newest = Newest()
    noted: dict[int, int] = {}
    for keys in batches:
        newest.note(*columns(sorted(keys)))
        for series, time in keys:
            noted[series] = max(time, noted.get(series, time))

    expected = [time <= noted.get(series, -1) for series, time in rows]
    assert newest.reached(*columns(rows)).tolist() == expected


class Watched:
    """Stores readings of datastream 7 and says which times were asked for, and whether it was
    asked how far it is stored (None).
    """

    def __init__(self, engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[list[int] | None] = []
        self._engine = engine
        newest_of, look_up = readings._newest_of, readings._stored_of

        def watched_newest(*given: Any) -> Any:
            self.asked.append(None)
            return newest_of(*given)

        def watched(connection: sa.Connection, rows: Any, places: Any) -> Any:
            self.asked.append(rows["time"][places].tolist())
            return look_up(connection, rows, places)

        monkeypatch.setattr(readings, "_newest_of", watched_newest)
        monkeypatch.setattr(readings, "_stored_of", watched)
        engine.dispose()  # a new connection remembers nothing

    def store(self, connection: sa.Connection, *times: int) -> list[list[int] | None]:
        rows = np.zeros(len(times), readings.DTYPE)
        rows["time"], rows["datastream_id"] = times, 7
        self.asked.clear()
        with connection.begin():
            readings.store(connection, rows)
        return self.asked


def test_nothing_is_looked_up_while_nothing_comes_again(
    empty_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched(empty_engine, monkeypatch)
    with empty_engine.connect() as connection:
        # The first on a connection that remembers nothing.
        assert watched.store(connection, 1, 2) == [None]
        assert watched.store(connection, 3, 4) == []
        # The index said that one is stored. What is newer than the newest cannot be.
        assert watched.store(connection, 4, 5) == [None, [4]]
        # Again what is not newer: that alone is asked for, and before it is copied.
        assert watched.store(connection, 5, 6) == [[5]]
        assert watched.store(connection, 7, 8) == []
        # None came again the last time: copied first, then asked for.
        assert watched.store(connection, 2, 9) == [None, [2]]


def test_what_another_worker_stored_is_learned_once(
    empty_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched(empty_engine, monkeypatch)
    with empty_engine.connect() as other, empty_engine.connect() as connection:
        watched.store(other, 2, 4, 6)

        assert watched.store(connection, 1, 2) == [None, [1, 2]]
        assert watched.store(connection, 3, 4) == [None, [3, 4]]  # 2 was a surprise, so again
        assert watched.store(connection, 5, 6, 7) == [[5, 6]]  # as far as is known by now
        assert watched.store(connection, 8, 9) == []
        watched.store(other, 10, 12)
        assert watched.store(connection, 10, 11) == [None, [10, 11]]
        assert connection.scalar(sa.text("SELECT count(*) FROM readings")) == 12
