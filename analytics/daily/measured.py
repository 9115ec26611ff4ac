"""What a datastream measured while it stood at one place, as it was calibrated then."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.daily.entered import Stream
from analytics.irrigation import Differences, counter_differences

Array = NDArray[np.float64]
Moments = NDArray[np.int64]


class Readings(NamedTuple):
    """What was measured, by datastream: as it came, whoever measured with it and where."""

    series: Mapping[int, tuple[Moments, Array]]  # times [µs since 1970] and values
    hours: Mapping[int, Any]  # structured arrays of storage.series.hours

    def values(self, stream: Stream) -> tuple[Moments, Array] | None:
        """Times [µs since 1970] and calibrated values of its period; None where not loaded."""
        found = self.series.get(stream.stream.id)
        if found is None:
            return None
        times, values = _within(stream, *found)
        if stream.calibrations:
            slope, intercept = _coefficients(stream, times)
            values = slope * values + intercept
        return times, values

    def hourly(self, stream: Stream) -> Any:
        """Its period's hours that have a reading, calibrated; None where not loaded.

        An hour is calibrated as it began.
        """
        found = self.hours.get(stream.stream.id)
        if found is None:
            return None
        _, hours = _within(stream, found["time"], found)
        if stream.calibrations and len(hours):
            hours = hours.copy()
            slope, intercept = _coefficients(stream, hours["time"])
            for name in ("mean", "low", "high"):
                hours[name] = slope * hours[name] + intercept
        return hours

    def counted(self, stream: Stream) -> Differences | None:
        """What a counter counted between its readings of its period; None where not loaded.

        What it cannot show is left out. What it counted while it was moved, or calibrated, is
        shared out to before and after by time.
        """
        found = self.series.get(stream.stream.id)
        if found is None:
            return None
        times, values = found
        modulus = stream.stream.counter_modulus
        possible = (values >= 0) & (values < (np.inf if modulus is None else modulus))
        whole = counter_differences(times[possible] / 1e6, values[possible], modulus=modulus)
        return _own_part(stream, whole)


def _own_part(stream: Stream, whole: Differences) -> Differences:
    if stream.period is None and not stream.calibrations:
        return whole
    edges = [] if stream.period is None else [stream.period.start, stream.period.end]
    moments = [edge.timestamp() for edge in edges if edge is not None]
    moments += [one.valid_from.timestamp() for one in stream.calibrations]
    parts = split(whole, moments)
    middle = (0.5e6 * (parts.start + parts.end)).astype(np.int64)
    if stream.calibrations:
        slope, _ = _coefficients(stream, middle)
        parts = parts._replace(volume=slope * parts.volume)
    inside = _is_within(stream, middle)
    return Differences(
        parts.start[inside],
        parts.end[inside],
        parts.volume[inside],
        parts.reset[inside],
        parts.wrapped[inside],
    )


def split(differences: Differences, moments: Sequence[float]) -> Differences:
    """Cut intervals in two at these moments [s], and their volumes in proportion to time."""
    for moment in sorted(set(moments)):
        start, end, volume, reset, wrapped = differences
        across = (start < moment) & (moment < end)
        if not across.any():
            continue
        share = (moment - start[across]) / (end[across] - start[across])
        first = volume.copy()
        first[across] *= share
        differences = Differences(
            np.concatenate([start, np.full(across.sum(), moment)]),
            np.concatenate([np.where(across, moment, end), end[across]]),
            np.concatenate([first, volume[across] * (1.0 - share)]),
            np.concatenate([reset, reset[across]]),
            np.concatenate([wrapped, wrapped[across]]),
        )
    return differences


def _within(stream: Stream, times: Moments, values: Any) -> tuple[Moments, Any]:
    if stream.period is None:
        return times, values
    inside = _is_within(stream, times)
    return times[inside], values[inside]


def _is_within(stream: Stream, times: Moments) -> NDArray[np.bool_]:
    inside = np.ones(len(times), bool)
    if stream.period is not None and stream.period.start is not None:
        inside &= times >= _microseconds(stream.period.start)
    if stream.period is not None and stream.period.end is not None:
        inside &= times < _microseconds(stream.period.end)
    return inside


def _coefficients(stream: Stream, times: Moments) -> tuple[Array, Array]:
    """Slope and intercept that were valid at each of the times; 1 and 0 before any was."""
    since = np.array([_microseconds(one.valid_from) for one in stream.calibrations], np.int64)
    place = np.searchsorted(since, times, side="right")
    slopes = np.array([1.0, *(one.slope for one in stream.calibrations)])
    intercepts = np.array([0.0, *(one.intercept for one in stream.calibrations)])
    return slopes[place], intercepts[place]


def _microseconds(moment: dt.datetime) -> int:
    return round(moment.timestamp() * 1e6)
