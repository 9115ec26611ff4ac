"""What is believable: what is from the future is refused; :mod:`.streams` judges values."""

from __future__ import annotations

from typing import Any

import numpy as np

from ingest.messages import Decoded, Rejected, iso
from storage.quantities import CATALOGUE
from storage.readings import Quality

FUTURE_LIMIT_US = 5 * 60 * 1_000_000  # clocks drift; beyond this a clock is wrong
EARLIEST_US = 946_684_800_000_000  # 2000-01-01: before, a clock was never set

Array = np.ndarray[Any, Any]


def sift(decoded: Decoded, received_at_us: int) -> Decoded:
    """The message without what has an impossible time; why is added to its reasons."""
    readings, points, rejected = [], [], list(decoded.rejected)
    for reading in decoded.readings:
        if problem := time_problem(reading.time, received_at_us):
            rejected.append(problem)
        else:
            readings.append(reading)
    for point in decoded.points:
        if problem := time_problem(point.time, received_at_us):
            rejected.append(problem)
        else:
            points.append(point)
    return decoded._replace(readings=readings, points=points, rejected=rejected)


def time_problem(time_us: int, received_at_us: int) -> Rejected | None:
    """Why a time cannot be true; None if it can."""
    if time_us > received_at_us + FUTURE_LIMIT_US:
        return Rejected(
            "time-in-future",
            f"{iso(time_us)} is more than 5 minutes after it arrived at {iso(received_at_us)}; "
            "set the device's clock",
        )
    if time_us < EARLIEST_US:
        return Rejected(
            "time-before-2000", f"{iso(time_us)}: the clock of the device was never set"
        )
    return None


def impossible(times_us: Array, received_at_us: Array) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which of many times cannot be true; :func:`time_problem` says why."""
    return (times_us > received_at_us + FUTURE_LIMIT_US) | (times_us < EARLIEST_US)


def beyond(values: Array, low: Array, high: Array) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which values lie outside what their quantity can be; so does what is no number."""
    return ~((values >= low) & (values <= high))


def with_range_flags(decoded: Decoded) -> Decoded:
    """The message as it would be stored, for who tries a payload and has no datastreams."""
    quantities = [CATALOGUE[reading.quantity] for reading in decoded.readings]
    outside = beyond(
        np.array([reading.value for reading in decoded.readings]),
        np.array([quantity.low for quantity in quantities]),
        np.array([quantity.high for quantity in quantities]),
    )
    return decoded._replace(
        readings=[
            reading._replace(quality=reading.quality | Quality.OUT_OF_RANGE) if flagged else reading
            for reading, flagged in zip(decoded.readings, outside, strict=True)
        ]
    )
