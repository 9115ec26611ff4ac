"""What machines, drones and herds of a farm did between two days.

Everything here is a sum over stored results of days and operations; nothing is computed from
points. What a machine does not tell (its width, its fuel) is None, and a reason code says why.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from reports.grazing import pastures
from reports.sums import Summary, total
from storage import devices, farms, fields, machine_results
from storage.devices import Device
from storage.farms import Farm
from storage.fields import Field
from storage.machine_results import MachineResult

Figures = Mapping[str, Any]
ENOUGH_FUEL = 0.9  # of the time with points, to state fuel per hectare; as in machine_work


class Period(NamedTuple):
    """Days of [start, end), local to the farm."""

    start: dt.date
    end: dt.date

    @classmethod
    def of_year(cls, year: int) -> Period:
        """A calendar year: the season of that harvest, with what was sown for the next."""
        return cls(dt.date(year, 1, 1), dt.date(year + 1, 1, 1))


def period_of(first: str | None, last: str | None, season: int | None) -> Period | None:
    """The period of a first and a last day as people write them, the last included; None: neither.

    Raises
    ------
    ValueError
        If one is missing, stands beside a season, is no date, or they are in the wrong order.
    """
    if first is None and last is None:
        return None
    if first is None or last is None or season is not None:
        raise ValueError("give --season, or both --from and --to")
    start, end = dt.date.fromisoformat(first), dt.date.fromisoformat(last)
    if end < start:
        raise ValueError(f"--to {last} lies before --from {first}")
    return Period(start, end + dt.timedelta(days=1))


class _Known(NamedTuple):
    """A farm's results in a period, and the names to state them with."""

    devices: dict[str, Device]
    fields: dict[int, Field]
    results: dict[str, list[MachineResult]]  # by kind, each in order of days

    def of(self, kind: str, device_id: str) -> list[MachineResult]:
        return [one for one in self.results[kind] if one.device_id == device_id]

    def field_name(self, field_id: int | None) -> str | None:
        return None if field_id is None else self.fields[field_id].name


def of_farm(
    connection: sa.Connection,
    slug: str,
    *,
    period: Period | None = None,
    season: int | None = None,
    as_of: dt.datetime | None = None,
    livestock_units: float | None = None,
) -> Summary:
    """Work of each machine and on each field, flights, herds and grazed pastures.

    Parameters
    ----------
    period : Period, optional
        Else the calendar year of ``season``, by default that of the farm's newest result.
    as_of : datetime, optional
        The results that stood then; those that stand now by default.
    livestock_units : float, optional
        Of one animal, to state grazing in livestock units as well.

    Raises
    ------
    storage.database.NotFound
        If there is no such farm.
    """
    farm = farms.get(connection, slug)
    chosen = period or _year(connection, farm, season)
    known = _load(connection, farm, chosen, as_of)
    moment = as_of
    if chosen is not None and moment is None:
        moment = machine_results.computed_at(
            connection, farm.id, start=chosen.start, end=chosen.end
        )
    machines = [_machine(known, device) for device in known.devices.values()]
    return {
        "farm": farm.slug,
        "name": farm.name,
        "start": None if chosen is None else chosen.start.isoformat(),
        "end": None if chosen is None else chosen.end.isoformat(),
        "as_of": None if moment is None else _utc(moment),
        "machines": [one for one in machines if one["days"]],
        "fields": _fields(known),
        "drones": _drones(known),
        "herds": _herds(known),
        "pastures": pastures(
            [one for one in known.fields.values() if one.land_use == "pasture"],
            {key: device.kind for key, device in known.devices.items()},
            known.results["grazing"],
            known.results["herd"],
            livestock_units=livestock_units,
        ),
    }


def _year(connection: sa.Connection, farm: Farm, season: int | None) -> Period | None:
    if season is None:
        newest = machine_results.newest_day(connection, farm.id)
        season = None if newest is None else newest.year
    return None if season is None else Period.of_year(season)


def _load(
    connection: sa.Connection, farm: Farm, period: Period | None, as_of: dt.datetime | None
) -> _Known:
    results: dict[str, list[MachineResult]] = defaultdict(list)
    if period is not None:
        for one in machine_results.of_farm(
            connection, farm.id, start=period.start, end=period.end, as_of=as_of
        ):
            results[one.kind].append(one)
    return _Known(
        {one.id: one for one in devices.of_farms(connection, [farm.id])},
        {one.id: one for one in fields.of_farm(connection, farm.id)},
        results,
    )


def _utc(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


# --- machines -------------------------------------------------------------------------------------


def _machine(known: _Known, device: Device) -> Summary:
    days = [one.figures for one in known.of("day", device.id)]
    worked = total(one["worked_ha"] for one in days)
    fuel = total(one["fuel_l"] for one in days)
    covered = _fuel_coverage(days)
    per_ha = fuel / worked if fuel is not None and worked and covered >= ENOUGH_FUEL else None
    return {
        "device_id": device.id,
        "name": device.name,
        "kind": device.kind,
        "days": len(days),
        **_hours(days),
        "distance_km": total(one["distance_km"] for one in days),
        "work_distance_km": total(one["work_distance_km"] for one in days),
        "worked_ha": worked,
        "fuel_l": fuel,
        **{
            name: total(one[name] for one in days)
            for name in ("fuel_work_l", "fuel_idle_l", "fuel_transport_l")
        },
        "fuel_coverage": covered if days else None,
        "fuel_l_ha": per_ha,
        "reasons": _reasons(days),
        "operations": [_operation(known, one) for one in known.of("operation", device.id)],
    }


_STATES = ("work", "idle", "transport", "unknown")


def _hours(days: Sequence[Figures]) -> Summary:
    """Hours by state, and their shares of the hours between first and last point of each day."""
    hours = {f"{state}_h": sum(one[f"{state}_h"] for one in days) for state in _STATES}
    whole = sum(hours.values())
    shares = {f"{state}_share": hours[f"{state}_h"] / whole if whole else None for state in _STATES}
    return {"hours": whole, **hours, **shares}


def _fuel_coverage(days: Sequence[Figures]) -> float:
    """Share of the hours with points for which the fuel rate is known."""
    hours = [one["work_h"] + one["idle_h"] + one["transport_h"] for one in days]
    whole = sum(hours)
    known = sum(h * (one["fuel_coverage"] or 0.0) for h, one in zip(hours, days, strict=True))
    return known / whole if whole else 0.0


def _operation(known: _Known, one: MachineResult) -> Summary:
    figures = one.figures
    gross = figures["gross_ha"]
    names = (
        "passes", "work_h", "idle_h", "transport_h", "work_distance_km", "width_m", "worked_ha",
        "overlap_ha", "gap_ha", "field_ha", "worked_share", "productivity_ha_h", "applied_l",
        "fuel_l", "fuel_l_ha",
    )  # fmt: skip
    return {
        "field_id": one.field_id,
        "field": known.field_name(one.field_id),
        "days": list(figures["days"]),
        **{name: figures[name] for name in names},
        "overlap_share": figures["overlap_ha"] / gross if gross else None,
        "harvest": _harvest(known, one),
        "reasons": list(figures["reasons"]),
    }


def _harvest(known: _Known, operation: MachineResult) -> Summary | None:
    """What the machine's yield monitor counted on the days of an operation."""
    days = set(operation.figures["days"])
    parts = [
        one.figures
        for one in known.of("harvest", operation.device_id)
        if one.field_id == operation.field_id and one.day.isoformat() in days
    ]
    if not parts:
        return None
    mass = sum(one["wet_mass_kg"] for one in parts)
    area = operation.figures["worked_ha"]
    moist = [one for one in parts if one["moisture_pct"] is not None]
    told = sum(one["wet_mass_kg"] * one["moisture_known_share"] for one in moist)
    wet = sum(
        one["wet_mass_kg"] * one["moisture_known_share"] * one["moisture_pct"] for one in moist
    )
    return {
        "wet_mass_t": mass / 1_000.0,
        "moisture_pct": wet / told if told else None,
        "wet_yield_kg_ha": mass / area if area else None,
        "unknown_flow_km": sum(one["unknown_flow_km"] for one in parts),
        "reasons": _reasons(parts),
    }


def _reasons(figures: Iterable[Figures]) -> list[str]:
    return list(dict.fromkeys(reason for one in figures for reason in one["reasons"]))


def _fields(known: _Known) -> list[Summary]:
    """Per field the operations on it, in the order they began."""
    of_field: dict[int, list[MachineResult]] = defaultdict(list)
    for one in known.results["operation"]:
        if one.field_id is not None:
            of_field[one.field_id].append(one)
    return [
        {
            "field_id": field.id,
            "field": field.name,
            "area_ha": field.area_ha,
            "operations": [
                {
                    "device_id": one.device_id,
                    "machine": known.devices[one.device_id].name,
                    "kind": known.devices[one.device_id].kind,
                    **_operation(known, one),
                }
                for one in of_field[field.id]
            ],
        }
        for field in known.fields.values()
        if field.id in of_field
    ]


# --- drones and herds -----------------------------------------------------------------------------


def _drones(known: _Known) -> list[Summary]:
    found = []
    for device in known.devices.values():
        flights = known.of("flight", device.id)
        if flights:
            figures = [one.figures for one in flights]
            found.append(
                {
                    "device_id": device.id,
                    "name": device.name,
                    "kind": device.kind,
                    "days": len({one.day for one in flights}),
                    "flights": len(flights),
                    "flight_h": sum(one["duration_min"] for one in figures) / 60.0,
                    "path_km": sum(one["distance_km"] for one in figures),
                    # Ground seen again on another flight counts again.
                    "seen_ha": total(one["seen_ha"] for one in figures),
                    "reasons": _reasons(figures),
                }
            )
    return found


def _herds(known: _Known) -> list[Summary]:
    """Where each herd was seen last."""
    found = []
    for device in known.devices.values():
        seen = known.of("herd", device.id)
        if seen:
            last = seen[-1]
            places = ("latitude_deg", "longitude_deg", "spread_m", "animals")
            found.append(
                {
                    "device_id": device.id,
                    "name": device.name,
                    "days_seen": len(seen),
                    "last_day": last.day.isoformat(),
                    **{name: last.figures[name] for name in places},
                    "most_animals": max(one.figures["animals"] for one in seen),
                }
            )
    return found
