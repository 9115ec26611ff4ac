"""When a row arrived, kept as finely as anybody asks.

In the columnstore a moment to the microsecond takes more room than the value it stands beside:
each delay differs from the one before in twenty bits. A moment in whole minutes takes next to none,
and still says what it is kept for: what had arrived when something was computed or filed. How long
readings take to arrive is measured before they are stored.
"""

from __future__ import annotations

from typing import Any

import numpy as np

MINUTE_US = 60_000_000


def rounded(received_us: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The end of the minute in which rows arrived [µs since 1970]: by then they had."""
    return np.asarray(-(-received_us // MINUTE_US) * MINUTE_US)
