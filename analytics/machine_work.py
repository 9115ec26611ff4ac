"""What a machine did in a day: time and fuel by state, and its work on each field.

A step leads from one point to the next. It is work where the work state is on at both ends:
nothing counts that both ends do not vouch for, which loses half an interval, on average, at
either end of a pass, and does not depend on the direction of time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from analytics.track_geometry import (
    STANDING_M_S,
    Array,
    FieldShape,
    Flags,
    Integers,
    LocalPlane,
    Steps,
    Strips,
    TrackArrays,
    clean,
    gaps,
    of_both,
    steps,
    strips,
)
from analytics.work_results import (
    ASSUMED_WIDTH,
    NO_FUEL,
    NO_STATE,
    NO_WIDTH,
    PART_WIDTH,
    FieldWork,
    Fuel,
    MachineDay,
    Pass,
    Times,
    Work,
    ratio,
)

WORK, IDLE, TRANSPORT, UNKNOWN = range(4)
OUTSIDE = -1  # the field of a step that lies in none


class Limits(NamedTuple):
    """What is judged to be a gap, a jump, and work on a field."""

    max_gap_s: float = 60.0  # longer without a point: nobody knows what happened
    max_speed_m_s: float = 17.0  # 61 km/h: no tractor goes faster
    min_way_m: float = 10.0  # a pass with less way in a field grazed it from outside
    min_outside_m: float = 100.0  # less work outside of fields is the tails of passes


class _Steps(NamedTuple):
    """A cleaned track and what is known of each of its steps, shape (points - 1,)."""

    track: TrackArrays
    move: Steps
    state: Integers
    place: Integers  # the field's place in the order of the fields, or OUTSIDE
    number: Integers  # of the pass; -1 outside of passes
    width_m: Array
    fuel_l: Array


def machine_work(
    track: TrackArrays,
    fields: Mapping[int, FieldShape],
    *,
    assumed_width_m: float = np.nan,
    limits: Limits = Limits(),  # noqa: B008 - immutable
) -> Work | None:
    """Find what a machine did; None where fewer than two points are left to tell.

    Needs position and time. Areas need work state and width (``assumed_width_m`` stands in for
    an unknown width and is named so), litres the fuel rate; a reported speed tells standing from
    wandering better than positions do. Headings are needed for nothing but the passes' own.
    """
    cleaned = clean(track, max_speed_m_s=limits.max_speed_m_s)
    good = cleaned.track
    if good.time_us.size < 2:
        return None
    known = _known(good, fields, assumed_width_m, limits)
    move, state = known.move, known.state
    assumed = np.isnan(of_both(good.width_m)) & ~np.isnan(assumed_width_m)
    reasons: tuple[str, ...] = ()
    if not (good.work_state >= 0).any() or not np.isin(good.work_state, (0, 1)).any():
        reasons = (NO_STATE,)
    elif (assumed & (state == WORK)).any():
        reasons = (ASSUMED_WIDTH,)
    found = []
    for place, (field_id, field) in enumerate(fields.items()):
        chosen = _passes_in(known, place, limits.min_way_m)
        if chosen.any():
            found.append(_field_work(known, chosen, place, field_id, field, reasons))
    outside = (known.place == OUTSIDE) & (state == WORK)
    if move.distance_m[outside].sum() >= limits.min_outside_m:
        found.append(_field_work(known, outside, OUTSIDE, None, None, reasons))
    return Work(_day(known, cleaned.jumps, cleaned.no_fix, found, reasons), tuple(found))


def swaths_of(
    track: TrackArrays,
    fields: Mapping[int, FieldShape],
    *,
    limits: Limits = Limits(),  # noqa: B008 - immutable
) -> dict[int, Strips]:
    """What a machine covered of each field worked, as its areas are made of it: drawn, not summed.

    Fields on which no width is known are left out.
    """
    good = clean(track, max_speed_m_s=limits.max_speed_m_s).track
    if good.time_us.size < 2:
        return {}
    known = _known(good, fields, np.nan, limits)
    found = {}
    for place, (field_id, field) in enumerate(fields.items()):
        lines = _strips(known, _passes_in(known, place, limits.min_way_m), field.plane)
        if lines.line.size:
            found[field_id] = lines
    return found


def _known(
    good: TrackArrays, fields: Mapping[int, FieldShape], assumed_width_m: float, limits: Limits
) -> _Steps:
    """What is known of each step of a cleaned track."""
    move = steps(good)
    width = of_both(good.width_m)
    state = _states(good.work_state, move, limits.max_gap_s)
    return _Steps(
        good,
        move,
        state,
        _places(good, fields),
        _passes(state),
        np.where(np.isnan(width), assumed_width_m, width),
        of_both(good.fuel_rate_l_h) * move.duration_s / 3600.0,
    )


def _strips(known: _Steps, chosen: Flags, plane: LocalPlane) -> Strips:
    """The swaths of chosen steps whose width is known."""
    drawn = np.flatnonzero(chosen & (known.width_m > 0))
    places = plane.xy(known.track.longitude_deg, known.track.latitude_deg)
    return strips(*places, drawn, known.number[drawn], known.width_m[drawn])


def _states(work_state: NDArray[np.int16], move: Steps, max_gap_s: float) -> Integers:
    """The state of each step."""
    begin, end = work_state[:-1], work_state[1:]
    state = np.full(begin.shape, TRANSPORT)
    state[~np.isin(begin, (0, 1)) | ~np.isin(end, (0, 1))] = UNKNOWN
    state[move.speed_m_s < STANDING_M_S] = IDLE
    state[(begin == 1) & (end == 1)] = WORK
    state[move.duration_s > max_gap_s] = UNKNOWN
    return state


def _passes(state: Integers) -> Integers:
    """Number the stretches of work; -1 between them."""
    work = state == WORK
    begins = work & ~np.concatenate([[False], work[:-1]])
    return np.where(work, np.cumsum(begins) - 1, -1)


def _places(track: TrackArrays, fields: Mapping[int, FieldShape]) -> Integers:
    """The field in which the middle of each step lies."""
    lon = (track.longitude_deg[1:] + track.longitude_deg[:-1]) / 2
    lat = (track.latitude_deg[1:] + track.latitude_deg[:-1]) / 2
    place = np.full(lon.shape, OUTSIDE)
    for index, field in enumerate(fields.values()):
        west, south, east, north = field.boundary.bounds
        near = np.flatnonzero(
            (place == OUTSIDE) & (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
        )
        if near.size:
            shapely.prepare(field.boundary)
            place[near[shapely.contains_xy(field.boundary, lon[near], lat[near])]] = index
    return place


def _passes_in(known: _Steps, place: int, min_way_m: float) -> Flags:
    """Steps of the passes that were driven in a field, also their parts beyond its border."""
    work = known.number >= 0
    here: Flags = np.asarray(work & (known.place == place), bool)
    if not here.any():
        return here
    way = np.bincount(known.number[here], known.move.distance_m[here], known.number.max() + 1)
    return np.asarray(work & (way[known.number] >= min_way_m), bool)


def _field_work(
    known: _Steps,
    chosen: Flags,
    place: int,
    field_id: int | None,
    field: FieldShape | None,
    reasons: tuple[str, ...],
) -> FieldWork:
    here = known.place == place
    work = here & chosen
    way = known.move.distance_m
    coverage = ratio(way[work & (known.width_m > 0)].sum(), way[work].sum())
    if coverage < 0.95:
        reasons = (*reasons, NO_WIDTH)
    elif coverage < 1:
        reasons = (*reasons, PART_WIDTH)
    fuel = _fuel_used(known, here)
    if not fuel.coverage >= 0.9:
        reasons = (*reasons, NO_FUEL)
    lon, lat = known.track.longitude_deg, known.track.latitude_deg
    first = int(np.flatnonzero(chosen)[0])
    plane = LocalPlane(lon[first], lat[first]) if field is None else field.plane
    lines = _strips(known, chosen, plane)
    area = _areas(lines, field, enough=coverage >= 0.95)
    rate = of_both(known.track.application_rate_l_ha)[work] * known.width_m[work]
    spread = np.nansum(rate * way[work]) / 1e4
    working = np.flatnonzero(work)
    return FieldWork(
        field_id,
        int(known.track.time_us[working[0]]),
        int(known.track.time_us[working[-1] + 1]),
        _pass_list(known, work),
        _times_of(known, here),
        float(way[here].sum()) / 1e3,
        float(way[work].sum()) / 1e3,
        area.worked_ha,
        area.gross_ha,
        area.gross_ha - area.worked_ha,
        area.gap_ha,
        np.nan if field is None else field.area_ha,
        float(lines.width_m.max()) if lines.line.size else np.nan,
        np.nan if np.isnan(rate).all() else float(spread),
        fuel,
        plane.unproject(area.covered),
        reasons,
    )


class _Areas(NamedTuple):
    worked_ha: float
    gross_ha: float
    gap_ha: float
    covered: BaseGeometry  # in the plane


def _areas(lines: Strips, field: FieldShape | None, *, enough: bool) -> _Areas:
    """Ground the swaths cover within the field, once and altogether, and what they left out."""
    if not lines.line.size:
        return _Areas(np.nan, np.nan, np.nan, shapely.Polygon())
    swaths = lines.swath
    if field is not None:
        shapely.prepare(field.polygon)
        cut = ~shapely.covers(field.polygon, swaths)
        swaths = swaths.copy()
        swaths[cut] = shapely.intersection(swaths[cut], field.polygon)
    covered = shapely.union_all(swaths)
    if not enough:
        return _Areas(np.nan, np.nan, np.nan, covered)
    whole = shapely.area(lines.swath)
    inside = np.divide(shapely.area(swaths), whole, out=np.zeros_like(whole), where=whole > 0)
    gross = float((lines.gross_m2 * inside).sum())
    worked = min(float(covered.area), gross)  # equal but for rounding where nothing overlaps
    left_out = (
        np.nan
        if field is None
        else float(gaps(covered, float(lines.width_m.max()), field.polygon).area)
    )
    return _Areas(worked / 1e4, gross / 1e4, left_out / 1e4, covered)


def _pass_list(known: _Steps, work: Flags) -> tuple[Pass, ...]:
    """The parts of passes in a field, in order."""
    index = np.flatnonzero(work)
    begins = np.ones(index.size, bool)
    begins[1:] = (np.diff(index) > 1) | (np.diff(known.number[index]) != 0)
    part = np.cumsum(begins) - 1
    way = known.move.distance_m[index]
    total = np.bincount(part, way)
    reported = known.track.heading_deg[index]
    heading = np.radians(np.where(np.isnan(reported), known.move.course_deg[index], reported))
    east = np.bincount(part, np.nan_to_num(way * np.sin(heading)))
    north = np.bincount(part, np.nan_to_num(way * np.cos(heading)))
    area = np.bincount(part, way * known.width_m[index])
    first, last = index[begins], index[np.append(begins[1:], True)]
    time = known.track.time_us
    return tuple(
        Pass(int(time[a]), int(time[b + 1]), float(d), float(h), float(w))
        for a, b, d, h, w in zip(
            first,
            last,
            total,
            np.degrees(np.arctan2(east, north)) % 360.0,
            np.divide(area, total, out=np.full_like(area, np.nan), where=total > 0),
            strict=True,
        )
    )


def _times_of(known: _Steps, chosen: Flags) -> Times:
    hours = np.bincount(known.state[chosen], known.move.duration_s[chosen], 4) / 3600.0
    return Times(*(float(one) for one in hours))


def _fuel_used(known: _Steps, chosen: Flags) -> Fuel:
    """Fuel by state of the chosen steps, from the mean rate of both ends of each."""
    followed = chosen & (known.state != UNKNOWN)
    rated = followed & ~np.isnan(known.fuel_l)
    seconds = known.move.duration_s
    coverage = ratio(seconds[rated].sum(), seconds[followed].sum())
    if not rated.any():
        return Fuel(np.nan, np.nan, np.nan, 0.0)
    litres = np.bincount(known.state[rated], known.fuel_l[rated], 4)
    return Fuel(float(litres[WORK]), float(litres[IDLE]), float(litres[TRANSPORT]), coverage)


def _day(
    known: _Steps, jumps: int, no_fix: int, found: list[FieldWork], reasons: tuple[str, ...]
) -> MachineDay:
    everywhere = np.ones(known.state.shape, bool)
    fuel = _fuel_used(known, everywhere)
    if not fuel.coverage >= 0.9:
        reasons = (*reasons, NO_FUEL)
    worked = np.nan if NO_STATE in reasons else float(sum(one.worked_ha for one in found))
    time = known.track.time_us
    return MachineDay(
        int(time[0]),
        int(time[-1]),
        int(time.size),
        jumps,
        no_fix,
        _times_of(known, everywhere),
        float(known.move.distance_m.sum()) / 1e3,
        float(known.move.distance_m[known.state == WORK].sum()) / 1e3,
        worked,
        fuel,
        reasons,
    )
