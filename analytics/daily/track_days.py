"""A device's stored points day by day, and what each day amounts to."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa
import structlog

from analytics.daily.plans import days_of
from analytics.grazing import herd_presence, herd_rounds, known_share
from analytics.machine_days import COLLARS, DRONES, DayResult, work_of_day
from analytics.machine_work import machine_work
from analytics.monitor_harvest import at_work, harvests, monitor_track, tells_no_state
from analytics.track_geometry import FieldShape, TrackArrays, track_arrays, usable_shapes
from analytics.weather import LocalDays
from analytics.work_results import FieldWork
from storage import fields, tracks
from storage.devices import Device
from storage.farms import Farm
from storage.machine_results import HARVEST

log = structlog.get_logger()

ANIMALS = DRONES | COLLARS
HERD = "herd"
DAYS_TOGETHER = 14  # whose points are in memory at once
HELD = dt.timedelta(days=1)  # before a day: where animals were tells where they are in the morning


class Ground(NamedTuple):
    """The fields and pastures of a farm, and a digest of them."""

    fields: dict[int, FieldShape]
    pastures: dict[int, FieldShape]
    digest: bytes


class TrackDay(NamedTuple):
    """A day's points, not computed yet."""

    date: dt.date
    rows: np.ndarray[Any, Any]  # with those before the day that tell where animals are
    edges_us: tuple[int, int]
    digest: str


def ground_of(connection: sa.Connection, farm: Farm) -> Ground:
    known = fields.of_farm(connection, farm.id)
    shapes = fields.boundaries(connection, [field.id for field in known])
    uses = {field.id: field.land_use for field in known}
    text = json.dumps([[one, uses[one], shapes[one]] for one in sorted(shapes)], sort_keys=True)
    made, wrong = usable_shapes(shapes)
    for one, reason in wrong.items():
        log.warning("boundary left out of machine work", farm=farm.slug, field=one, reason=reason)
    return Ground(
        {one: shape for one, shape in made.items() if uses[one] != "pasture"},
        {one: shape for one, shape in made.items() if uses[one] == "pasture"},
        hashlib.sha256(text.encode()).digest(),
    )


def track_days(
    connection: sa.Connection,
    device: Device,
    farm: Farm,
    ground: Ground,
    dates: Sequence[dt.date],
) -> Iterator[TrackDay]:
    """The points of some days, in order; days close together are read together."""
    held = HELD if device.kind in ANIMALS else dt.timedelta()
    for part in _stretches(dates):
        days = days_of(part[0], part[-1], farm.timezone)
        wanted = set(part)
        rows = tracks.arrays(
            connection, device.id, _moment(days.edges_us[0]) - held, _moment(days.edges_us[-1])
        )
        for index, date in enumerate(days.dates):
            if date in wanted:
                yield _day(rows, days, index, device, ground, held)


def _stretches(dates: Sequence[dt.date]) -> Iterator[list[dt.date]]:
    """Consecutive dates, so many at most."""
    part: list[dt.date] = []
    for date in dates:
        if part and (len(part) == DAYS_TOGETHER or date - part[-1] > HELD):
            yield part
            part = []
        part.append(date)
    if part:
        yield part


def _day(
    rows: np.ndarray[Any, Any],
    days: LocalDays,
    index: int,
    device: Device,
    ground: Ground,
    held: dt.timedelta,
) -> TrackDay:
    begin, end = int(days.edges_us[index]), int(days.edges_us[index + 1])
    held_us = int(held.total_seconds() * 1e6)
    own = rows[(rows["time"] >= begin - held_us) & (rows["time"] < end)]
    seen = own[[name for name in rows.dtype.names or () if name != "received_at"]]
    digest = hashlib.sha256(ground.digest + device.kind.encode() + seen.tobytes()).hexdigest()
    return TrackDay(days.dates[index], own, (begin, end), digest)


def results_of(day: TrackDay, device: Device, ground: Ground) -> list[DayResult]:
    if len(day.rows) == 0:
        return []
    track = track_arrays(day.rows)
    found = work_of_day(
        track, ground.fields, kind=device.kind, day_us=day.edges_us, pastures=ground.pastures
    )
    if device.kind in DRONES:
        return _with_known_share(found, track, day, ground)
    if device.kind in COLLARS:
        return found
    return found + _harvests(day, track, found, ground)


def _with_known_share(
    found: list[DayResult], track: TrackArrays, day: TrackDay, ground: Ground
) -> list[DayResult]:
    """A herd beside every pasture is known to graze none of them: its day says for how long."""
    if not any(one.kind == HERD for one in found):
        return found
    rounds = herd_rounds(track.at(track.time_us < day.edges_us[1]))
    (known,) = known_share(herd_presence(rounds, ground.pastures), np.array(day.edges_us))
    share = {"known_share": round(float(known), 4)}
    return [one._replace(figures=one.figures | share) if one.kind == HERD else one for one in found]


def _harvests(
    day: TrackDay, track: TrackArrays, found: Sequence[DayResult], ground: Ground
) -> list[DayResult]:
    """What a yield monitor counted, where the machine has one."""
    if not np.isfinite(day.rows["mass_flow_kg_s"]).any():
        return []
    counted = monitor_track(day.rows)
    works = [one.result for one in found if isinstance(one.result, FieldWork)]
    if tells_no_state(counted):
        told = track._replace(work_state=at_work(counted).astype(np.int16))
        work = machine_work(told, ground.fields)
        works = [] if work is None else list(work.fields)
    return [
        DayResult(HARVEST, number, one.field_id, one.to_figures(), one)
        for number, one in enumerate(harvests(counted, works, ground.fields))
    ]


def field_works(date: dt.date, results: Sequence[DayResult]) -> list[tuple[dt.date, FieldWork]]:
    return [(date, one.result) for one in results if isinstance(one.result, FieldWork)]


def _moment(microseconds: Any) -> dt.datetime:
    return dt.datetime.fromtimestamp(int(microseconds) / 1e6, dt.UTC)
