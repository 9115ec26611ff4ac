"""Harvests that yield monitors counted: a yield where no load was weighed, a check where some were.

A monitor's mass is as good as its calibration, so weighed loads always go before it. Where there
are both, loads by monitor is the factor that would bring the monitor to the scales.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import sqlalchemy as sa

from analytics.monitor_harvest import ENOUGH_FLOW
from analytics.yields import STANDARD_MOISTURE_PCT, at_standard_moisture
from reports.sums import Row, Summary, ZoneResult, total
from storage import machine_results
from storage.fields import CropZone
from storage.machine_results import FieldHarvest

SOURCE = "yield monitor"
REACH = dt.timedelta(days=45)  # before and after the crop zone's harvest day
ENOUGH_AREA = 0.9  # of the ground that the loads came from: with less, mass by mass says nothing


class Monitor(NamedTuple):
    """What the monitors of all harvesters counted of a crop zone."""

    wet_mass_kg: float
    harvested_ha: float | None  # None: a width is unknown
    moisture_pct: float | None  # mean by mass, where known
    unknown_flow_share: float  # of the way at work
    computed_at: dt.datetime  # the newest part


def window(zone: CropZone) -> tuple[dt.date, dt.date]:
    """First day of a crop zone's harvest window, and the day after its last."""
    return zone.harvested - REACH, zone.harvested + REACH + dt.timedelta(days=1)


def of_zones(
    connection: sa.Connection, zones: Sequence[CropZone], *, as_of: dt.datetime | None = None
) -> dict[int, Monitor]:
    """By crop zone, what monitors counted within its harvest window: one query for all."""
    if not zones:
        return {}
    windows = [window(zone) for zone in zones]
    found = machine_results.harvests_of_fields(
        connection,
        sorted({zone.field_id for zone in zones}),
        start=min(start for start, _ in windows),
        end=max(end for _, end in windows),
        as_of=as_of,
    )
    on_field: dict[int, list[CropZone]] = defaultdict(list)
    for zone in zones:
        on_field[zone.field_id].append(zone)
    parts: dict[int, list[FieldHarvest]] = defaultdict(list)
    for one in found:
        if (owner := zone_of_day(on_field[one.field_id], one.day)) is not None:
            parts[owner.id].append(one)
    return {zone_id: _together(of_zone) for zone_id, of_zone in parts.items()}


def zone_of_day(zones: Iterable[CropZone], day: dt.date) -> CropZone | None:
    """Of a field's crop zones the one whose harvest day is nearest; None: none, or two are."""
    near = sorted((abs(zone.harvested - day), zone.id, zone) for zone in zones)
    near = [one for one in near if one[0] <= REACH]
    if not near or (len(near) > 1 and near[0][0] == near[1][0]):
        return None
    return near[0][2]


def _together(parts: Sequence[FieldHarvest]) -> Monitor:
    wet = sum(one.figures["wet_mass_kg"] for one in parts)
    areas = [one.figures["harvested_ha"] for one in parts]
    probed = [
        (one.figures["wet_mass_kg"] * one.figures["moisture_known_share"], one.figures)
        for one in parts
        if one.figures["moisture_pct"] is not None
    ]
    told = sum(mass for mass, _ in probed)
    way = sum(one.figures["work_distance_km"] for one in parts)
    silent = sum(one.figures["unknown_flow_km"] for one in parts)
    return Monitor(
        wet,
        None if None in areas else sum(areas),
        sum(mass * one["moisture_pct"] for mass, one in probed) / told if told else None,
        silent / way if way else 1.0,
        max(one.computed_at for one in parts),
    )


def with_monitor(row: Row, zone: CropZone, monitor: Monitor | None) -> Row:
    """A season's result with its monitor, which states the yield where no load was weighed."""
    if monitor is None:
        return row
    known = dict(row) | {"monitor": monitor}
    if row["mass_kg"] is not None or not monitor.wet_mass_kg > 0:
        return known
    if monitor.unknown_flow_share > 1.0 - ENOUGH_FLOW:
        percent = 100.0 * monitor.unknown_flow_share
        note = f"no yield from the yield monitor: its flow is unknown on {percent:.0f} % of the way"
        return known | {"notes": [*row["notes"], note]}
    figures, notes = _figures(zone, monitor)
    return known | figures | {"notes": [*row["notes"], *notes], "yield_source": SOURCE}


def _figures(zone: CropZone, monitor: Monitor) -> tuple[dict[str, float | None], list[str]]:
    standard, moisture = STANDARD_MOISTURE_PCT.get(zone.crop), monitor.moisture_pct
    clean, notes = monitor.wet_mass_kg, []
    if standard is None:
        notes.append(f"{zone.crop} has no standard moisture: its mass is stated as harvested")
    elif moisture is None:
        notes.append("the yield monitor tells no moisture: its mass is stated as harvested")
    else:
        clean = float(at_standard_moisture(clean, moisture, standard))
    if not monitor.harvested_ha:
        notes.append("the harvester tells no width: harvested is the area of the crop zone")
    return {
        "harvested_ha": monitor.harvested_ha or zone.area_ha,
        "bunker_mass_kg": monitor.wet_mass_kg,
        "mass_kg": clean,
        "moisture_pct": moisture,
    }, notes


def beside(zones: Sequence[ZoneResult]) -> Summary | None:
    """The monitors of crop zones together, whether or not loads state the yield."""
    known = [(one.row, one.row["monitor"]) for one in zones if one.row.get("monitor")]
    if not known:
        return None
    moist = [(m.wet_mass_kg, m.moisture_pct) for _, m in known if m.moisture_pct is not None]
    mass = sum(wet for wet, _ in moist)
    both = [(row["bunker_mass_kg"], m.wet_mass_kg) for row, m in known if _compares(row, m)]
    counted = sum(wet for _, wet in both)
    return {
        "mass_t": sum(m.wet_mass_kg for _, m in known) / 1_000.0,
        "harvested_ha": total(m.harvested_ha for _, m in known),
        "moisture_pct": sum(wet * pct for wet, pct in moist) / mass if mass else None,
        "scale_factor": sum(weighed for weighed, _ in both) / counted if counted else None,
    }


def _compares(row: Mapping[str, float | str | None], monitor: Monitor) -> bool:
    """Whether the monitor saw the ground that the loads came from."""
    if row["yield_source"] in {None, SOURCE} or monitor.harvested_ha is None:
        return False
    area = row["harvested_ha"]
    return isinstance(area, float) and monitor.harvested_ha >= ENOUGH_AREA * area
