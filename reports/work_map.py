"""Where a machine worked or a drone flew, drawn again from its points: what a map shows of days."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import shapely
import sqlalchemy as sa
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from analytics.coverage import coverage
from analytics.daily.track_days import ground_of
from analytics.flights import flights
from analytics.machine_days import COLLARS, DRONES
from analytics.machine_work import swaths_of
from analytics.track_geometry import FieldShape, Strips, TrackArrays, track_arrays
from analytics.weather import local_days
from reports.sums import Summary
from storage import devices, exports, farms, tracks
from storage.devices import Device

MOST_POINTS = 100_000
DECIMALS = 7  # of a degree, a centimetre: finer, places only make the answer larger


class TooManyPoints(ValueError):
    """So many points would take too long to draw."""


def of_device(
    connection: sa.Connection,
    device_id: str,
    *,
    start: dt.date,
    end: dt.date,
    field_id: int | None = None,
) -> Summary:
    """GeoJSON of the farm's days of [start, end): ground covered once, more than once, left out.

    A drone's are its flights and the ground that each saw. A collar's days are no work.

    Parameters
    ----------
    field_id
        Of this field alone.

    Raises
    ------
    storage.database.NotFound
        If there is no such device.
    TooManyPoints
        If there are more than ``MOST_POINTS``.
    """
    device = devices.get(connection, device_id)
    features: list[Summary] = []
    if device.kind in DRONES:
        for date, track in _days(connection, device, start, end):
            features += _flights(date, track)
    elif device.kind not in COLLARS and device.farm_id is not None:
        ground = ground_of(connection, farms.of_id(connection, device.farm_id)).fields
        wanted = {one: shape for one, shape in ground.items() if field_id in {None, one}}
        features = _work(_days(connection, device, start, end), wanted)
    return {
        "type": "FeatureCollection",
        "device_id": device.id,
        "kind": device.kind,
        "start": start.isoformat(),
        "end": end.isoformat(),
        "features": features,
    }


def _work(
    days: Iterable[tuple[dt.date, TrackArrays]], fields: Mapping[int, FieldShape]
) -> list[Summary]:
    parts: dict[int, list[Strips]] = defaultdict(list)
    for _, track in days:
        for one, lines in swaths_of(track, fields).items():
            parts[one].append(lines)
    features = []
    for one, drawn in parts.items():
        found = coverage(drawn, fields[one])
        for kind, place, area in (
            ("once", found.once, found.once_ha),
            ("more", found.more, found.more_ha),
            ("gap", found.gaps, found.gaps_ha),
        ):
            if area > 0:
                features.append(_feature(place, kind=kind, field_id=one, area_ha=round(area, 4)))
    return features


def _flights(date: dt.date, track: TrackArrays) -> Iterator[Summary]:
    for number, one in enumerate(flights(track)):
        said: dict[str, Any] = {"day": date.isoformat(), "flight": number}
        if one.seen_ha > 0:
            yield _feature(one.footprint, kind="seen", area_ha=round(one.seen_ha, 4), **said)
        yield _feature(one.path, kind="flight", **said)


def _feature(place: BaseGeometry, **properties: Any) -> Summary:
    blank = {"field_id": None, "area_ha": None, "day": None, "flight": None}
    return {
        "type": "Feature",
        "geometry": shapely.geometry.mapping(shapely.transform(place, _rounded)),
        "properties": blank | properties,
    }


def _rounded(places: NDArray[np.float64]) -> NDArray[np.float64]:
    return places.round(DECIMALS)


def _days(
    connection: sa.Connection, device: Device, start: dt.date, end: dt.date
) -> Iterator[tuple[dt.date, TrackArrays]]:
    """The points of each of the farm's days that has any."""
    zone = devices.timezone_of(connection, device.id)
    days = local_days(start, end - dt.timedelta(days=1), zone)
    edges = [dt.datetime.fromtimestamp(int(us) / 1e6, dt.UTC) for us in days.edges_us]
    span = {"start": edges[0], "end": edges[-1]}
    if exports.has_more_points(connection, device.id, MOST_POINTS, **span):
        raise TooManyPoints(f"more than {MOST_POINTS} points")
    for date, begin, until in zip(days.dates, edges[:-1], edges[1:], strict=True):
        rows = tracks.arrays(connection, device.id, begin, until)
        if len(rows):
            yield date, track_arrays(rows)
