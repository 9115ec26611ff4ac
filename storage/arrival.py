"""When a row arrived, kept as finely as anybody asks.

In the columnstore a moment to the microsecond takes more room than the value it stands beside:
each delay differs from the one before in twenty bits. A delay in tens of seconds takes next to
none, and still says what it is kept for: what had arrived when something was computed or filed.
How long readings take to arrive is measured before they are stored.
"""

from __future__ import annotations

from typing import Any

import numpy as np

STEP_US = 10_000_000

Array = np.ndarray[Any, Any]


def rounded(times_us: Array, received_us: Array) -> Array:
    """When rows had arrived [µs since 1970]: their delay is counted in whole steps, upwards.

    Of the delay, not of the moment: sensors that send regularly are then late by the same, however
    their minute lies.
    """
    return np.asarray(times_us - (times_us - received_us) // STEP_US * STEP_US)
