"""How far each series is stored, as one connection remembers it: where repeats are to be sought.

Only a hint. A row that is newer than what is remembered may be stored all the same, by another
worker since; one that is older may be new, and late.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


class Newest:
    """The newest time that is stored of each series, by its number."""

    def __init__(self) -> None:
        self._series = np.empty(0, np.int64)  # in order
        self._times_us = np.empty(0, np.int64)

    def reached(self, series: Array, times_us: Array) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Which rows are not newer than what is remembered of their series."""
        places, known = self._places(series)
        if not known.any():
            return known
        return known & (times_us <= self._times_us[places])

    def note(self, series: Array, times_us: Array) -> None:
        """Remember rows that are stored now; they stand in order of series and time."""
        lasts = np.flatnonzero(np.append(series[1:] != series[:-1], len(series) > 0))
        series, times_us = series[lasts].astype(np.int64), times_us[lasts]
        places, known = self._places(series)
        if not known.all():
            at = np.searchsorted(self._series, series[~known])
            self._series = np.insert(self._series, at, series[~known])
            self._times_us = np.insert(self._times_us, at, times_us[~known])
            places, known = self._places(series)
        self._times_us[places] = np.maximum(self._times_us[places], times_us)

    def _places(self, series: Array) -> tuple[Array, np.ndarray[Any, np.dtype[np.bool_]]]:
        """Where series are remembered, and which of them are."""
        if len(self._series) == 0:
            return np.zeros(len(series), np.int64), np.zeros(len(series), bool)
        places = np.searchsorted(self._series, series).clip(max=len(self._series) - 1)
        return places, np.asarray(self._series[places] == series)
