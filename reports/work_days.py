"""What each machine, drone and herd of a farm did on each day: a calendar to choose a day from.

Rows are the stored results of days. Sums over days, and work laid over more of them, are in
:mod:`reports.work`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from reports.sums import Summary
from reports.work import Period
from storage import devices, farms, fields, machine_results
from storage.machine_results import MachineResult

_WORK = (
    "passes", "work_h", "idle_h", "transport_h", "work_distance_km", "work_speed_m_s", "width_m",
    "worked_ha", "overlap_ha", "gap_ha", "field_ha", "fuel_l", "fuel_l_ha", "application_l_ha",
)  # fmt: skip
_FLIGHT = ("distance_km", "max_height_m", "mean_speed_m_s", "seen_ha")
_HERD = ("latitude_deg", "longitude_deg", "spread_m", "animals")


def of_farm(connection: sa.Connection, slug: str, *, period: Period | None = None) -> Summary:
    """Days of the period, by default the calendar year of the farm's newest, in order.

    Raises
    ------
    storage.database.NotFound
        If there is no such farm.
    """
    farm = farms.get(connection, slug)
    newest = machine_results.newest_day(connection, farm.id)
    if period is None and newest is not None:
        period = Period.of_year(newest.year)
    found = (
        []
        if period is None
        else machine_results.of_farm(connection, farm.id, start=period.start, end=period.end)
    )
    machines = {one.id: one for one in devices.of_farms(connection, [farm.id])}
    names = {one.id: one.name for one in fields.of_farm(connection, farm.id)}
    return {
        "farm": farm.slug,
        "name": farm.name,
        "timezone": farm.timezone,
        "start": None if period is None else period.start.isoformat(),
        "end": None if period is None else period.end.isoformat(),
        "newest": None if newest is None else newest.isoformat(),
        "days": [
            {
                "day": day.isoformat(),
                "device_id": device,
                "machine": machines[device].name,
                "kind": machines[device].kind,
                **_day(of_day, names),
            }
            for (day, device), of_day in _by_day(found).items()
        ],
    }


def _by_day(found: Sequence[MachineResult]) -> Mapping[tuple[Any, str], list[MachineResult]]:
    days: dict[tuple[Any, str], list[MachineResult]] = defaultdict(list)
    for one in found:
        if one.kind not in {machine_results.OPERATION, machine_results.HARVEST}:
            days[one.day, one.device_id].append(one)
    return days


def _day(of_day: Sequence[MachineResult], names: Mapping[int, str]) -> Summary:
    """A device's day: the machine's as a whole, then part by part."""
    parts: Mapping[str, list[MachineResult]] = defaultdict(list)
    for one in of_day:
        parts[one.kind].append(one)
    whole = parts["day"][0].figures if parts["day"] else {}
    herd = parts["herd"][0].figures if parts["herd"] else None
    totals = ("work_h", "idle_h", "transport_h", "unknown_h", "distance_km", "worked_ha", "fuel_l")
    return {
        **{name: whole.get(name) for name in totals},
        "fuel_l_ha": whole.get("fuel_l_ha"),
        "reasons": list(whole.get("reasons", [])),
        "fields": [
            {
                "field_id": one.field_id,
                "field": names.get(one.field_id or 0),
                **{name: one.figures.get(name) for name in _WORK},
                "reasons": list(one.figures["reasons"]),
            }
            for one in parts["work"]
        ],
        "flights": [
            {
                "duration_h": one.figures["duration_min"] / 60.0,
                **{name: one.figures.get(name) for name in _FLIGHT},
                "reasons": list(one.figures["reasons"]),
            }
            for one in parts["flight"]
        ],
        "herd": None if herd is None else {name: herd[name] for name in _HERD},
        "grazed": [
            {
                "field_id": one.field_id,
                "field": names.get(one.field_id or 0),
                "animal_days": one.figures["animal_days"],
                "animal_days_ha": one.figures["animal_days_ha"],
            }
            for one in parts["grazing"]
        ],
    }
