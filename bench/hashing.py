"""What the numbering and hashing of batches costs: storing without it, and the time it takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np
import sqlalchemy as sa

from storage import batches, farms
from storage.batches import Batch, Series
from storage.farms import Region

FARMS = 40


def put_farms(connection: sa.Connection, count: int = FARMS) -> list[int]:
    """Ids of farms for what is measured: what has no farm is not hashed as it usually is."""
    farms.put_region(connection, Region("KZ-61", "61", "bench", "bench", "bench"))
    place = {"latitude_deg": 43.0, "longitude_deg": 68.0, "elevation_m": 200.0}
    return [
        farms.put(
            connection,
            f"bench-{number}",
            name=f"Bench {number}",
            region_code="KZ-61",
            timezone="Asia/Almaty",
            **place,
        )
        for number in range(count)
    ]


@contextmanager
def left_out() -> Iterator[None]:
    """Store rows in no batch, and hash nothing."""
    nothing = Series(*(np.zeros(0, np.int64) for _ in Series._fields))

    def of_readings(_connection: sa.Connection, ids: Any) -> Batch:
        return Batch("readings", nothing, ids, np.zeros(len(ids), np.int64), ())

    def of_points(_connection: sa.Connection, _devices: Sequence[str], places: Any) -> Batch:
        return Batch("track_points", nothing, places, np.zeros(len(places), np.int64), ())

    with (
        patch.object(batches, "of_readings", of_readings),
        patch.object(batches, "of_points", of_points),
    ):
        yield


class Clock:
    """Seconds that numbering and hashing took."""

    seconds = 0.0

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*given: Any) -> Any:
            begun = time.perf_counter()
            try:
                return function(*given)
            finally:
                self.seconds += time.perf_counter() - begun

        return timed


@contextmanager
def timed() -> Iterator[Clock]:
    """Take the time of all that storing does for batches, but for the column that it fills."""
    clock = Clock()
    with ExitStack() as patches:
        for name in ("of_readings", "of_points", "add"):
            function = clock.around(getattr(batches, name))
            patches.enter_context(patch.object(batches, name, function))
        yield clock
