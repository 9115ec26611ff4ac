"""Irrigation as people wrote it down: depths of days, as events of a field."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from analytics.tables import DailyTable
from analytics.tables import read_irrigation as read_depths
from ingest.imports.land import land_of
from ingest.imports.results import Asked, Imported, Refused, Row
from ingest.imports.sources import Source
from ingest.imports.texts import all_of, short
from ingest.messages import from_us
from storage import irrigation
from storage.fields import CropZone, Field
from storage.irrigation import IrrigationEvent

M3_PER_MM_HA = 10.0
NOMINAL_START_H, NOMINAL_HOURS = 6, 1  # of an application that has a day and no hour
MOST_A_DAY = 12


def store(connection: sa.Connection, source: Source, lines: list[str], asked: Asked) -> Imported:
    """Store applications of a field as entered events, whose source is the file's name.

    The volume is depth times what was growing on the field that day, or the whole field where
    nothing was. The hour is nominal: the file has days.

    Raises
    ------
    Refused
        If no field is named, or an application of this file stands already with other figures.
    """
    file = short(source.name)
    land = land_of(connection, asked)
    field = land.field(asked.field, file)
    table = all_of(lambda some: read_depths(some, file), lines)
    events = _events(table, field, land.zones.get(field.id, []), asked)
    if not events:
        raise Refused(f"{file}, line 1, column date: there is no application below the header")
    _check_standing(connection, [event for _, event in events], file, [line for line, _ in events])
    hours = f"hours are nominal, from {NOMINAL_START_H:02d}:00"
    new = irrigation.add_events(connection, [event for _, event in events], note=hours)
    volume = sum(event.volume_m3 for _, event in events)
    return Imported(
        source.name,
        "irrigation",
        into=field.name,
        new=new,
        known=len(events) - new,
        unit="applications",
        first=table.dates[0].isoformat(),
        last=table.dates[-1].isoformat(),
        notes=(
            f"{volume:,.0f} m³; {hours} of the day",
            "where a meter counts the field's water, its counter goes before what is entered",
        ),
        details=tuple(_of_event(line, event, asked) for line, event in events),
    )


def _events(
    table: DailyTable, field: Field, zones: Sequence[CropZone], asked: Asked
) -> list[tuple[int, IrrigationEvent]]:
    zone = ZoneInfo(asked.farm.timezone)
    of_day: Counter[dt.date] = Counter()
    today = from_us(asked.now_us).astimezone(zone).date()
    events = []
    for row, (day, line) in enumerate(zip(table.dates, table.lines, strict=True)):
        if of_day[day] == MOST_A_DAY:
            raise Refused(
                f"{table.file}, line {line}, column date: more than {MOST_A_DAY} of {day}"
            )
        depth, wetted, efficiency = (
            float(table.columns[name][row])
            for name in ("depth_mm", "wetted_fraction", "efficiency")
        )
        starts = dt.datetime.combine(day, dt.time(NOMINAL_START_H + of_day[day]), zone)
        ends = starts + dt.timedelta(hours=NOMINAL_HOURS)
        of_day[day] += 1
        if day > today:
            raise Refused(f"{table.file}, line {line}, column date: {day} is still to come")
        growing = [one.area_ha for one in zones if one.planted <= day <= one.harvested]
        volume = depth * M3_PER_MM_HA * (sum(growing) or field.area_ha)
        event = IrrigationEvent(
            field.id, starts, ends, volume, _known(wetted), _known(efficiency), table.file
        )
        events.append((line, event))
    return events


def _check_standing(
    connection: sa.Connection, events: Sequence[IrrigationEvent], file: str, lines: Sequence[int]
) -> None:
    """What stands is not overwritten; that it is another figure must not go unseen."""
    first, last = min(one.started_at for one in events), max(one.ended_at for one in events)
    before = dt.timedelta(seconds=1)
    standing = {
        one.started_at: one
        for one in irrigation.events(
            connection, [events[0].field_id], start=first - before, end=last
        )
        if one.source == events[0].source
    }
    reasons = []
    for line, event in zip(lines, events, strict=True):
        known = standing.get(event.started_at)
        if known is not None and _figures(known) != _figures(event):
            reasons.append(
                f"{file}, line {line}, column depth_mm: {event.volume_m3:,.1f} m³, and a file of "
                f"this name has {known.volume_m3:,.1f} m³ for the day already"
            )
    if reasons:
        raise Refused(*reasons)


def _figures(event: IrrigationEvent) -> tuple[float, float | None, float | None]:
    return round(event.volume_m3, 6), event.wetted_fraction, event.efficiency


def _of_event(line: int, event: IrrigationEvent, asked: Asked) -> Row:
    day = event.started_at.astimezone(ZoneInfo(asked.farm.timezone)).date()
    return {"line": line, "date": day.isoformat(), "volume_m3": round(event.volume_m3, 3)}


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
