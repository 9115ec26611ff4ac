"""Tracks come out of the database as they went in."""

import datetime as dt
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import devices, tracks

BEGIN_US = 1_750_000_000_123_456  # 2025-06-15 15:06:40.123456 UTC
BEGIN = dt.datetime(2025, 6, 15, 15, 6, 40, 123456, dt.UTC)
SECOND = 1_000_000


@pytest.fixture
def tractor(connection: sa.Connection) -> str:
    devices.put(connection, "tractor-1", kind="tractor", name="Tractor")
    return "tractor-1"


def points(count: int, **values: Any) -> np.ndarray[Any, Any]:
    """Points a second apart; numbers that are not given are unknown."""
    rows = np.zeros(count, tracks.DTYPE)
    rows["time"] = BEGIN_US + SECOND * np.arange(count)
    rows["received_at"] = rows["time"] + 5 * SECOND
    rows["work_state"] = -1
    for name in tracks.NUMBERS:
        rows[name] = values.get(name, np.nan)
    rows["latitude_deg"], rows["longitude_deg"] = 51.25 + 1e-5 * np.arange(count), 71.5
    return rows


def test_a_track_comes_back_in_order_with_its_unknowns(
    connection: sa.Connection, tractor: str
) -> None:
    rows = points(3, width_m=[6.0, np.nan, 0.0], animals_seen=[np.nan, 240.0, 0.0])
    rows["work_state"] = [1, -1, 0]
    rows["received_at"] = 60 * SECOND * (BEGIN_US // (60 * SECOND) + np.array([1, 2, 2]))
    sent = rows.copy()
    sent["received_at"] -= [0, 1, 59_999_999]  # kept as the end of its minute
    tracks.store(connection, [tractor], sent[[2, 0, 1]])

    found = tracks.arrays(connection, tractor, BEGIN, BEGIN + dt.timedelta(seconds=3))

    for name in found.dtype.names:
        np.testing.assert_array_equal(found[name], rows[name], err_msg=name)


def test_a_range_is_half_open_and_of_one_device(connection: sa.Connection, tractor: str) -> None:
    devices.put(connection, "tractor-2", kind="tractor", name="Tractor")
    tracks.store(connection, [tractor], points(5))
    tracks.store(connection, ["tractor-2"], points(5))

    second = dt.timedelta(seconds=1)
    found = tracks.arrays(connection, tractor, BEGIN + second, BEGIN + 3 * second)

    assert ((found["time"] - BEGIN_US) // SECOND).tolist() == [1, 2]
    assert tracks.arrays(connection, "tractor-3", BEGIN, BEGIN + second).size == 0


CHOICES = st.lists(
    st.tuples(
        st.integers(0, 2),  # the device
        st.sampled_from([0, 1, 2, 3_601, 3_602, 90_000]),  # seconds
        st.sampled_from([np.nan, 0.0, 6.0]),  # its width
        st.sampled_from([-1, 0, 1]),  # its work state
    ),
    max_size=10,
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(batches=st.lists(CHOICES, min_size=1, max_size=5))
def test_whatever_is_sent_again_each_point_is_stored_once_and_no_other_is_lost(
    connection: sa.Connection, batches: list[list[tuple[int, int, float, int]]]
) -> None:
    names = ["tractor-1", "drone-22", "harvester-1"]
    first: dict[tuple[str, int], tuple[str, int]] = {}
    others: set[tuple[str, int, str, int]] = set()
    with connection.begin_nested() as savepoint:
        for sent in batches:
            rows = points(len(sent))
            listed = names[::-1] if len(sent) % 2 else names  # a place is its list's
            rows["device"] = [listed.index(names[device]) for device, _, _, _ in sent]
            rows["time"] = [BEGIN_US + SECOND * second for _, second, _, _ in sent]
            rows["latitude_deg"] = 51.25
            rows["width_m"] = [width for _, _, width, _ in sent]
            rows["work_state"] = [state for _, _, _, state in sent]
            new = tracks.store(connection, listed, rows)

            expected = []
            for device, second, width, state in sent:
                key = names[device], second
                expected.append(key not in first)
                if first.setdefault(key, (str(width), state)) != (str(width), state):
                    others.add((*key, str(width), state))
            assert new.tolist() == expected
        stored = {
            (row.device_id, round(row.time.timestamp() - BEGIN_US / 1e6)): (
                str(np.nan if row.width_m is None else row.width_m),
                -1 if row.work_state is None else row.work_state,
            )
            for row in connection.execute(
                sa.text("SELECT device_id, time, width_m, work_state FROM track_points")
            )
        }
        assert stored == first
        conflicts = connection.execute(
            sa.text("SELECT device_id, time, point FROM track_conflicts")
        )
        found = [
            (
                row.device_id,
                round(row.time.timestamp() - BEGIN_US / 1e6),
                "nan" if row.point["width_m"] is None else str(float(row.point["width_m"])),
                -1 if row.point["work_state"] is None else row.point["work_state"],
            )
            for row in conflicts
        ]
        assert len(found) == len(others)
        assert set(found) == others
        savepoint.rollback()


def test_a_day_of_ten_thousand_points_is_read_whole(
    connection: sa.Connection, tractor: str
) -> None:
    tracks.store(connection, [tractor], points(10_000, speed_m_s=2.5, width_m=6.0))

    found = tracks.arrays(connection, tractor, BEGIN, BEGIN + dt.timedelta(hours=3))

    assert found.size == 10_000
