"""What soil probes of a field measured over a crop's season, depth by depth.

By the same hours, placements and calibrations as the balance takes them.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import sqlalchemy as sa

from analytics.daily.entered import streams_of
from analytics.daily.measured import Readings
from analytics.sections import ScenarioError
from analytics.soil_document import soil_from_mapping
from storage import probes, series
from storage.fields import CropZone, Field
from storage.series import Span

Resolution = Literal["hour", "day"]
Array = np.ndarray[Any, Any]


class Depth(NamedTuple):
    """What one probe measured in one depth."""

    device_id: str
    datastream_id: int
    depth_cm: float
    start_s: list[int]  # when each hour or local day begins [s since 1970]
    mean_m3_m3: list[float]


def of_zone(
    connection: sa.Connection,
    field: Field,
    zone: CropZone,
    *,
    timezone: str,
    resolution: Resolution,
    now: dt.datetime,
) -> list[Depth]:
    """Means of hours or local days from sowing to harvest, or to now, the shallowest first."""
    local = ZoneInfo(timezone)
    start = dt.datetime.combine(zone.planted, dt.time(), local)
    end = dt.datetime.combine(zone.harvested + dt.timedelta(days=1), dt.time(), local)
    end = min(end, now)
    if end <= start:
        return []
    found = [
        one
        for one in streams_of(connection, probes.at_field(connection, field.id))
        if one.stream.quantity == "soil_moisture"
        and one.stream.depth_cm is not None
        and one.field_id == field.id
    ]
    span = Span(start.astimezone(dt.UTC), end.astimezone(dt.UTC))
    hours = series.hours(connection, {one.stream.id: span for one in found})
    measured = Readings({}, hours)
    depths = []
    for one in found:
        own = measured.hourly(one)
        if own is None or len(own) == 0:
            continue
        times, means = own["time"] // 1_000_000, own["mean"]
        if resolution == "day":
            times, means = _by_day(times, means, start, end)
        depths.append(
            Depth(
                one.device.id,
                one.stream.id,
                float(one.stream.depth_cm or 0.0),
                times.tolist(),
                np.round(means, 4).tolist(),
            )
        )
    return sorted(depths, key=lambda depth: (depth.depth_cm, depth.device_id, depth.start_s[0]))


def _by_day(
    times: Array, means: Array, start: dt.datetime, end: dt.datetime
) -> tuple[Array, Array]:
    """Means over the local days that have an hour; ``start`` is a midnight of the place."""
    count = (end.date() - start.date()).days + 2
    midnights = np.array(
        [(start + dt.timedelta(days=number)).timestamp() for number in range(count)], np.int64
    )
    days = np.searchsorted(midnights, times, side="right") - 1
    present, place = np.unique(days, return_inverse=True)
    sums = np.bincount(place, weights=means)
    return midnights[present], sums / np.bincount(place)


def constants(field: Field) -> tuple[float, float] | None:
    """Water content at field capacity and at the wilting point; None where the soil is unknown."""
    try:
        soil, _ = soil_from_mapping(field.soil)
    except ScenarioError:
        return None
    return soil.theta_fc, soil.theta_wp
