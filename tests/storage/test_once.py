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


def test_nothing_is_looked_up_while_nothing_comes_again(
    empty_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[int]] = []
    look_up = readings._stored_of

    def watched(connection: sa.Connection, rows: Any, places: Any) -> Any:
        asked.append(rows["time"][places].tolist())
        return look_up(connection, rows, places)

    monkeypatch.setattr(readings, "_stored_of", watched)
    empty_engine.dispose()  # a new connection remembers nothing
    with empty_engine.connect() as connection:

        def store(*times: int) -> None:
            rows = np.zeros(len(times), readings.DTYPE)
            rows["time"], rows["datastream_id"] = times, 7
            with connection.begin():
                readings.store(connection, rows)

        store(1, 2)  # the first on a connection that remembers nothing
        assert asked == [[1, 2]]
        asked.clear()
        store(3, 4)
        assert asked == []
        store(4, 5)  # the index said that one is stored: all are asked for
        assert asked == [[4, 5]]
        store(5, 6)  # again what is not newer: that alone is asked for, and before it is copied
        assert asked == [[4, 5], [5]]
        store(7, 8)
        store(2, 9)  # none came again the last time: copied first, then asked for
        assert asked == [[4, 5], [5], [2, 9]]
