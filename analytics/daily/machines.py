"""Tracks of machines, drones and herds: the days that new points reach, and their operations."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import sqlalchemy as sa

from analytics.daily.plans import days_of
from analytics.machine_days import COLLARS, DRONES, METHOD_VERSION, DayResult, work_of_day
from analytics.machine_operations import MAX_GAP_DAYS, operations
from analytics.track_geometry import FieldShape, field_shapes, track_arrays
from analytics.weather import LocalDays
from analytics.work_results import FieldWork
from storage import devices, fields, machine_results, tracks
from storage.devices import Device
from storage.farms import Farm
from storage.machine_results import OPERATION, MachineResult, Results, Whole

DAYS_TOGETHER = 14  # whose points are in memory at once
HELD = dt.timedelta(days=1)  # before a day: where animals were tells where they are in the morning


class Ground(NamedTuple):
    """The fields and pastures of a farm, and a digest of them."""

    fields: dict[int, FieldShape]
    pastures: dict[int, FieldShape]
    digest: bytes


class _Day(NamedTuple):
    date: dt.date
    results: list[DayResult]
    digest: str


def compute(
    connection: sa.Connection,
    farms: Mapping[int, Farm],
    late: Mapping[str, dt.datetime],
    *,
    now: dt.datetime,
) -> int:
    """Compute the days that new points reach, and store them; return how many are news."""
    known = {one.id: one for one in devices.of_farms(connection, list(farms))}
    grounds: dict[int, Ground] = {}
    changed = 0
    for device_id, since in sorted(late.items()):
        device = known[device_id]
        farm = farms[device.farm_id or 0]
        if farm.id not in grounds:
            grounds[farm.id] = _ground(connection, farm)
        ground = grounds[farm.id]
        zone = ZoneInfo(farm.timezone)
        first, last = since.astimezone(zone).date(), now.astimezone(zone).date()
        found: dict[Whole, Results] = {}
        worked: list[tuple[dt.date, FieldWork]] = []
        for day in _days(connection, device, farm, ground, _range(first, last)):
            found[Whole(device.id, day.date, None)] = _whole(device.id, day)
            worked += _field_works(day)
        found |= _operations(connection, device, farm, ground, worked)
        changed += machine_results.put(connection, found)
    return changed


def _range(first: dt.date, last: dt.date) -> list[dt.date]:
    return [first + dt.timedelta(days=number) for number in range((last - first).days + 1)]


def _ground(connection: sa.Connection, farm: Farm) -> Ground:
    known = fields.of_farm(connection, farm.id)
    shapes = fields.boundaries(connection, [field.id for field in known])
    uses = {field.id: field.land_use for field in known}
    text = json.dumps([[one, uses[one], shapes[one]] for one in sorted(shapes)], sort_keys=True)
    made = field_shapes(shapes)
    return Ground(
        {one: shape for one, shape in made.items() if uses[one] != "pasture"},
        {one: shape for one, shape in made.items() if uses[one] == "pasture"},
        hashlib.sha256(text.encode()).digest(),
    )


def _days(
    connection: sa.Connection,
    device: Device,
    farm: Farm,
    ground: Ground,
    dates: Sequence[dt.date],
) -> Iterator[_Day]:
    """The device's days that have points, or had some that are gone."""
    held = HELD if device.kind in DRONES | COLLARS else dt.timedelta()
    for start in range(0, len(dates), DAYS_TOGETHER):
        part = dates[start : start + DAYS_TOGETHER]
        days = days_of(part[0], part[-1], farm.timezone)
        wanted = set(part)
        rows = tracks.arrays(
            connection, device.id, _moment(days.edges_us[0]) - held, _moment(days.edges_us[-1])
        )
        for index, date in enumerate(days.dates):
            if date in wanted:
                yield _day(rows, days, index, device, ground, held)


def _day(
    rows: np.ndarray[Any, Any],
    days: LocalDays,
    index: int,
    device: Device,
    ground: Ground,
    held: dt.timedelta,
) -> _Day:
    begin, end = int(days.edges_us[index]), int(days.edges_us[index + 1])
    held_us = int(held.total_seconds() * 1e6)
    own = rows[(rows["time"] >= begin - held_us) & (rows["time"] < end)]
    seen = own[[name for name in rows.dtype.names or () if name != "received_at"]]
    digest = hashlib.sha256(ground.digest + device.kind.encode() + seen.tobytes()).hexdigest()
    if len(own) == 0:
        return _Day(days.dates[index], [], digest)
    results = work_of_day(
        track_arrays(own),
        ground.fields,
        kind=device.kind,
        day_us=(begin, end),
        pastures=ground.pastures,
    )
    return _Day(days.dates[index], results, digest)


def _whole(device_id: str, day: _Day) -> Results:
    rows = [
        MachineResult(device_id, day.date, one.kind, one.field_id, one.number, one.figures)
        for one in day.results
    ]
    return Results(rows, METHOD_VERSION, day.digest)


def _field_works(day: _Day) -> list[tuple[dt.date, FieldWork]]:
    return [(day.date, one.result) for one in day.results if isinstance(one.result, FieldWork)]


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
        for day in _days(connection, device, farm, ground, [date])
        for pair in _field_works(day)
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


def _moment(microseconds: Any) -> dt.datetime:
    return dt.datetime.fromtimestamp(int(microseconds) / 1e6, dt.UTC)
