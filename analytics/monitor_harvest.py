"""What a harvester's yield monitor counted in a day, field by field.

Grain needs seconds to the sensor: what arrives after the header went up was cut on the field worked
just before, and counts there. The step that leads back to work counts the lower flow of its ends,
none where one is unknown: a machine that sends a point every 20 s would else harvest while it
turns. Points come from one machine, in order of time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from analytics.track_geometry import Array, FieldShape, Flags, Integers
from analytics.work_results import NO_FUEL, FieldWork, plain, ratio
from analytics.yield_tables import YieldPoints
from analytics.yield_track import WORKING, points_from_track

MAX_GAP_S = 60.0  # longer without a point: nobody knows what was harvested, as in machine_work
ENOUGH_FLOW = 0.9  # of the way at work: with less, the mass is no harvest of the field
NOWHERE = -1  # the field of a point that belongs to none
NO_FLOW = "mass-flow-partial"  # known on less than 90 % of the way at work
NO_MOISTURE = "no-moisture"  # the monitor told no moisture: no mass at standard moisture
WORK_FROM_FLOW = "work-from-flow"  # the machine does not say when it works: grain that flows does


class MonitorTrack(NamedTuple):
    """Points of one harvester in order of time, arrays of shape (points,); NaN: unknown."""

    time_us: Integers
    latitude_deg: Array
    longitude_deg: Array
    speed_m_s: Array
    work_state: NDArray[np.int16]  # -1 unknown
    width_m: Array
    mass_flow_kg_s: Array
    crop_moisture_pct: Array

    def at(self, chosen: Any) -> MonitorTrack:
        """The points of a mask, a slice or an array of places."""
        return MonitorTrack(*(column[chosen] for column in self))


class MonitorHarvest(NamedTuple):
    """The harvest of one machine on one field in one day, as its monitor counted it."""

    field_id: int
    wet_mass_kg: float
    after_work_kg: float  # of it, what arrived with the header up
    moisture_pct: float  # mean by mass, where known; NaN
    moisture_known_share: float  # of the mass
    harvested_ha: float  # ground covered once or more; NaN where the width is unknown
    work_distance_km: float
    unknown_flow_km: float  # way at work without a flow
    reasons: tuple[str, ...]

    def to_figures(self) -> dict[str, Any]:
        """Plain numbers for JSON; None: unknown."""
        figures = self._asdict()
        del figures["field_id"], figures["reasons"]
        return plain(figures) | {"reasons": list(self.reasons)}


def monitor_track(rows: np.ndarray[Any, Any]) -> MonitorTrack:
    """A track of a structured array whose fields are named as stored (``time`` in µs)."""
    names = ("time", *MonitorTrack._fields[1:])
    return MonitorTrack(*(np.ascontiguousarray(rows[name]) for name in names))


def tells_no_state(track: MonitorTrack) -> bool:
    """Whether grain that flows has to stand for work."""
    return not np.isin(track.work_state, (0, 1)).any()


def at_work(track: MonitorTrack) -> Flags:
    """Which points are at work: by the work state, by the flow where that is never told."""
    if tells_no_state(track):
        return np.asarray(track.mass_flow_kg_s > 0)
    return np.asarray(track.work_state == WORKING)


def field_of_grain(track: MonitorTrack, fields: Mapping[int, FieldShape]) -> Integers:
    """The field whose grain each point counts, shape (points,); ``NOWHERE`` for none.

    A pass that leaves a field, by a few metres or to turn, still harvests it; after the pass its
    grain goes on arriving until the next pass begins.
    """
    working = at_work(track)
    place = np.full(working.shape, NOWHERE, np.int64)
    for field_id, field in fields.items():
        shapely.prepare(field.boundary)
        inside = shapely.contains_xy(field.boundary, track.longitude_deg, track.latitude_deg)
        place[working & inside & (place == NOWHERE)] = field_id
    after_gap = np.diff(track.time_us, prepend=track.time_us[:1]) > MAX_GAP_S * 1e6
    begins = working & (after_gap | ~np.concatenate([[False], working[:-1]]))
    number = np.cumsum(begins)  # of the pass; header-up points follow the pass before them
    index = np.arange(place.size)
    known = place != NOWHERE
    last = np.maximum.accumulate(np.where(known, index, -1))
    following = np.minimum.accumulate(np.where(known, index, place.size)[::-1])[::-1]
    for source in (last, following):
        near = np.clip(source, 0, max(place.size - 1, 0))
        found = (place == NOWHERE) & known[near] & (number[near] == number) & (number > 0)
        place = np.where(found, place[near], place)
    return place


def monitor_points(track: MonitorTrack, *, crs: str | None = None) -> YieldPoints:
    """Yield points of one machine on one field, where time counts only between known ends.

    A point at which a pass begins, or that follows a silence of more than a minute, covers no
    ground; its mass is the lower flow of both ends, none after a silence.
    """
    state = track.work_state
    if tells_no_state(track):
        state = at_work(track).astype(np.int16)
    points = points_from_track(
        track.time_us,
        track.latitude_deg,
        track.longitude_deg,
        track.speed_m_s,
        state,
        track.width_m,
        track.mass_flow_kg_s,
        track.crop_moisture_pct,
        crs=crs,
        max_gap_s=MAX_GAP_S,
    )
    since = np.diff(track.time_us, prepend=np.int64(0)) / 1e6
    gap = since > MAX_GAP_S  # also the first point
    before = np.concatenate([[False], points.working[:-1]])
    begins = points.working & ~before & ~gap
    earlier = np.concatenate([[np.nan], track.mass_flow_kg_s[:-1]])
    lower = np.nan_to_num(np.minimum(earlier, track.mass_flow_kg_s))
    mass = np.where(begins, lower * since, np.where(gap, 0.0, points.mass_kg))
    covers = ~(begins | gap)
    return points._replace(
        mass_kg=mass,
        area_m2=np.where(covers, points.area_m2, 0.0),
        interval_s=np.where(covers, points.interval_s, 0.0),
    )


def harvests(
    track: MonitorTrack, works: Sequence[FieldWork], fields: Mapping[int, FieldShape]
) -> list[MonitorHarvest]:
    """The harvest of a day on each field worked; none where no flow was told.

    Parameters
    ----------
    works
        The day's work field by field, which knows the ground that was covered.
    fields
        By id, those of ``works`` at least.
    """
    if not np.isfinite(track.mass_flow_kg_s).any():
        return []
    worked = {one.field_id: one for one in works if one.field_id is not None}
    of_point = field_of_grain(track, {key: fields[key] for key in worked})
    found = []
    for field_id, work in worked.items():
        chosen = of_point == field_id
        if np.isfinite(track.mass_flow_kg_s[chosen]).any():
            found.append(_harvest(field_id, track.at(chosen), work, tells_no_state(track)))
    return found


def _harvest(
    field_id: int, track: MonitorTrack, work: FieldWork, from_flow: bool
) -> MonitorHarvest:
    points = monitor_points(track)
    mass, moist = points.mass_kg, points.moisture_pct > 0  # no crop has 0 %: a dead sensor
    wet, told = float(mass.sum()), float(mass[moist].sum())
    way = np.where(points.working, np.nan_to_num(points.speed_m_s) * points.interval_s, 0.0)
    silent = float(way[np.isnan(points.flow_kg_s)].sum())
    holds = {
        WORK_FROM_FLOW: from_flow,
        NO_FLOW: silent > (1.0 - ENOUGH_FLOW) * way.sum(),
        NO_MOISTURE: not told > 0,
    }
    reasons = [reason for reason, true in holds.items() if true]
    return MonitorHarvest(
        field_id,
        wet,
        float(mass[~points.working].sum()),
        ratio(float((mass[moist] * points.moisture_pct[moist]).sum()), told),
        ratio(told, wet),
        work.worked_ha,
        float(way.sum()) / 1e3,
        silent / 1e3,
        (*reasons, *(one for one in work.reasons if one != NO_FUEL)),
    )
