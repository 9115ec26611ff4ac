"""Depletion of a crop zone's root zone as its soil probes measured it, evening by evening."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analytics.assimilation import depletion_from_moisture
from analytics.daily.entered import Stream
from analytics.daily.measured import Readings
from analytics.hourly_et import HOUR_US
from analytics.weather import LocalDays

Array = NDArray[np.float64]

EVENING_FROM_H = 12  # of the day: an earlier last reading is of another evening


def measured_depletion(
    streams: Sequence[Stream],
    field_id: int,
    readings: Readings,
    days: LocalDays,
    root_depth_m: Array,
    theta_fc: float,
) -> Array:
    """Mean over the field's probes of what each says of the root zone, shape (days,). [mm]

    NaN for an evening without one. ``root_depth_m`` has the shape (days,).
    """
    probes: dict[object, list[Stream]] = {}  # by device, anew wherever it stood
    for one in streams:
        if not _is_probe(one, field_id):
            continue
        hours = readings.hourly(one)
        if hours is not None and len(hours):
            probes.setdefault((one.device.id, one.period), []).append(one)
    found = [
        depletion_from_moisture(
            np.stack([_evening(one, readings, days) for one in sensors], axis=1),
            [one.stream.depth_cm or 0.0 for one in sensors],
            root_depth_m,
            theta_fc,
        )
        for sensors in probes.values()
    ]
    if not found:
        return np.full(len(days.dates), np.nan)
    stacked = np.stack(found)
    count = (~np.isnan(stacked)).sum(axis=0)
    return np.asarray(
        np.where(count > 0, np.nansum(stacked, axis=0) / np.maximum(count, 1), np.nan)
    )


def _is_probe(one: Stream, field_id: int) -> bool:
    stream = one.stream
    of_soil = stream.quantity == "soil_moisture" and stream.depth_cm is not None
    return of_soil and one.field_id == field_id and not stream.channel


def _evening(sensor: Stream, readings: Readings, days: LocalDays) -> Array:
    """Mean of the last hour of each day that was heard after noon; NaN where none was."""
    hours = readings.hourly(sensor)
    times = hours["time"]
    last = np.searchsorted(times, days.edges_us[1:], side="left") - 1
    known = (last >= 0) & (times[last] >= days.edges_us[:-1] + EVENING_FROM_H * HOUR_US)
    return np.where(known, hours["mean"][last], np.nan)
