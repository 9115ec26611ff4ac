"""Tracks come out of the database as they went in."""

import datetime as dt
import time
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

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
    tracks.store(connection, [tractor], rows[[2, 0, 1]])

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


def test_a_day_of_ten_thousand_points_is_read_in_a_moment(
    connection: sa.Connection, tractor: str
) -> None:
    tracks.store(connection, [tractor], points(10_000, speed_m_s=2.5, width_m=6.0))

    begun = time.process_time()
    found = tracks.arrays(connection, tractor, BEGIN, BEGIN + dt.timedelta(hours=3))

    assert found.size == 10_000
    assert time.process_time() - begun < 1.0  # measured: 0.03 s
