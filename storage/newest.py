"""How far each series is stored, as one connection remembers it: where repeats are to be sought.

Only a hint. A row that is newer than what is remembered may be stored all the same, by another
worker or before the connection began; one that is older may be new, and late.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


class Newest:
    """The newest time that was stored of each series, by its number."""

    def __init__(self) -> None:
        self._series = np.empty(0, np.int64)  # in order
        self._times_us = np.empty(0, np.int64)

    def reached(self, series: Array, times_us: Array) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Which rows are not newer than what is remembered of their series."""
        if len(self._series) == 0:
            return np.zeros(len(series), bool)
        places = np.minimum(np.searchsorted(self._series, series), len(self._series) - 1)
        reached = (self._series[places] == series) & (times_us <= self._times_us[places])
        return np.asarray(reached, bool)

    def note(self, series: Array, times_us: Array) -> None:
        """Remember rows that are stored now; they stand in order of series and time."""
        if len(series) == 0:
            return
        lasts = np.flatnonzero(np.append(series[1:] != series[:-1], True))
        series, times_us = series[lasts].astype(np.int64), times_us[lasts]
        known = np.isin(series, self._series, assume_unique=True)
        if not known.all():
            merged = np.append(self._series, series[~known])
            order = np.argsort(merged)
            self._series = merged[order]
            self._times_us = np.append(self._times_us, times_us[~known])[order]
        places = np.searchsorted(self._series, series)
        self._times_us[places] = np.maximum(self._times_us[places], times_us)
