"""Tracks of machines, drones and herds: the days that new points reach, and their operations."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from analytics.daily.track_days import (
    ANIMALS,
    HELD,
    Ground,
    TrackDay,
    field_works,
    ground_of,
    results_of,
    track_days,
)
from analytics.machine_days import METHOD_VERSION, DayResult
from analytics.machine_operations import MAX_GAP_DAYS, operations
from analytics.work_results import FieldWork
from storage import boundaries, devices, machine_results, tracks
from storage.devices import Device
from storage.farms import Farm
from storage.machine_results import OPERATION, MachineResult, Results, Whole

EVER = dt.datetime(1990, 1, 1, tzinfo=dt.UTC)
FUTURE = dt.timedelta(days=1)  # a clock may be some minutes ahead of ours, into its next day


def compute(
    connection: sa.Connection,
    farms: Mapping[int, Farm],
    late: Mapping[str, dt.datetime],
    *,
    now: dt.datetime,
) -> int:
    """Compute the days that new points reach, and store them; return how many are news.

    Also those that another version of the method computed, and all days of a farm one of whose
    boundaries is another since. A day whose points are those its
    results rest on is read and left as it is, and so are its operations.
    """
    known = {one.id: one for one in devices.of_farms(connection, list(farms))}
    grounds: dict[int, Ground] = {}
    changed = 0
    moved = boundaries.changed(connection, list(farms))
    all_days = {one.id: EVER for one in known.values() if one.farm_id in moved}
    for device_id, since in sorted(_since(connection, known, farms, {**late, **all_days}).items()):
        device = known[device_id]
        farm = farms[device.farm_id or 0]
        dates = _dates(connection, device, farm, since, now)
        if not dates:
            continue
        if farm.id not in grounds:
            grounds[farm.id] = ground_of(connection, farm)
        changed += _compute_device(connection, device, farm, grounds[farm.id], dates)
    boundaries.worked(connection, [one for versions in moved.values() for one in versions])
    return changed


def _since(
    connection: sa.Connection,
    known: Mapping[str, Device],
    farms: Mapping[int, Farm],
    late: Mapping[str, dt.datetime],
) -> dict[str, dt.datetime]:
    """From when on each device is looked at: its earliest new point, or its oldest old method."""
    since = dict(late)
    old = machine_results.outdated(connection, list(known), method_version=METHOD_VERSION)
    for device_id, day in old.items():
        zone = ZoneInfo(farms[known[device_id].farm_id or 0].timezone)
        begins = dt.datetime.combine(day, dt.time(), zone)
        since[device_id] = min(begins, since.get(device_id, begins))
    return since


def _dates(
    connection: sa.Connection, device: Device, farm: Farm, since: dt.datetime, now: dt.datetime
) -> list[dt.date]:
    """Days since then on which the device has points, or animals are where they were seen."""
    zone = ZoneInfo(farm.timezone)
    begins = dt.datetime.combine(since.astimezone(zone).date(), dt.time(), zone)
    found = set(
        tracks.days_with_points(
            connection, device.id, start=begins, end=now + FUTURE, timezone=farm.timezone
        )
    )
    if device.kind in ANIMALS:
        today = now.astimezone(zone).date()
        found |= {day + HELD for day in found if day + HELD <= today}
    return sorted(found)


def _compute_device(
    connection: sa.Connection,
    device: Device,
    farm: Farm,
    ground: Ground,
    dates: Sequence[dt.date],
) -> int:
    wholes = [Whole(device.id, date, None) for date in dates]
    standing = machine_results.standing(connection, [wholes[0], wholes[-1]])
    found: dict[Whole, Results] = {}
    worked: list[tuple[dt.date, FieldWork]] = []
    for day in track_days(connection, device, farm, ground, dates):
        whole = Whole(device.id, day.date, None)
        if standing.get(whole) == (METHOD_VERSION, day.digest):
            continue
        results = results_of(day, device, ground)
        found[whole] = _whole(device.id, day, results)
        worked += field_works(day.date, results)
    found |= _operations(connection, device, farm, ground, worked)
    return machine_results.put(connection, found)


def _whole(device_id: str, day: TrackDay, results: Sequence[DayResult]) -> Results:
    rows = [
        MachineResult(device_id, day.date, one.kind, one.field_id, one.number, one.figures)
        for one in results
    ]
    return Results(rows, METHOD_VERSION, day.digest)


def _operations(
    connection: sa.Connection,
    device: Device,
    farm: Farm,
    ground: Ground,
    worked: Sequence[tuple[dt.date, FieldWork]],
) -> dict[Whole, Results]:
    """Operations that the worked days belong to, with the earlier and later days of each."""
    touched = {work.field_id for _, work in worked if work.field_id in ground.fields}
    on_fields = sorted(one for one in touched if one is not None)
    if not on_fields:
        return {}
    have = {(work.field_id, date) for date, work in worked}
    known = machine_results.days_on_fields(connection, device.id, on_fields)
    missing = sorted(
        {
            date
            for field_id in on_fields
            for date in _linked(
                [d for f, d in have if f == field_id], [d for f, d in known if f == field_id]
            )
            if (field_id, date) not in have
        }
    )
    more = [
        pair
        for date in missing
        for day in track_days(connection, device, farm, ground, [date])
        for pair in field_works(date, results_of(day, device, ground))
        if pair[1].field_id in touched
    ]
    pairs = [(date, work) for date, work in (*worked, *more) if work.field_id in touched]
    found: dict[Whole, Results] = {
        Whole(device.id, first, field_id): Results([], METHOD_VERSION, "")
        for field_id, first in machine_results.first_days_of_operations(
            connection, device.id, on_fields
        )
        if first in {date for date, work in pairs if work.field_id == field_id}
    }
    grouped: dict[Whole, list[dict[str, Any]]] = {}
    for one in operations(pairs, ground.fields):
        grouped.setdefault(Whole(device.id, one.days[0], one.field_id), []).append(one.to_figures())
    for whole, figures in grouped.items():
        rows = [
            MachineResult(device.id, whole.day, OPERATION, whole.field_id, number, one)
            for number, one in enumerate(figures)
        ]
        text = json.dumps(figures, sort_keys=True).encode()
        digest = hashlib.sha256(ground.digest + text).hexdigest()
        found[whole] = Results(rows, METHOD_VERSION, digest)
    return found


def _linked(have: Iterable[dt.date], known: Iterable[dt.date]) -> set[dt.date]:
    """Known days that belong with those at hand: each within reach of the next."""
    reach = dt.timedelta(days=MAX_GAP_DAYS)
    days = sorted({*have, *known})
    groups: list[list[dt.date]] = []
    for day in days:
        if groups and day - groups[-1][-1] <= reach:
            groups[-1].append(day)
        else:
            groups.append([day])
    own = set(have)
    return {day for group in groups if own & set(group) for day in group}
