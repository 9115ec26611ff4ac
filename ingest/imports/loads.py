"""Weighed loads as people wrote them down, each of the crop it came from."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from analytics.tables import TableError, cells_of_lines, check_separator, number_of
from ingest.imports.land import Land, land_of
from ingest.imports.results import Asked, Imported, Refused
from ingest.imports.sources import Source
from ingest.imports.texts import LOAD_COLUMNS, all_of, short
from ingest.imports.yields import moment_us
from ingest.messages import from_us, iso, to_us
from storage import harvests
from storage.fields import CropZone
from storage.harvests import HarvestLoad

_NUMBERS = {  # of loads: lowest, highest, and what goes wrong
    "net_kg": (1.0, 200_000.0, "kilograms are wanted"),
    "moisture_pct": (0.0, 99.0, "per cent of the wet mass"),
    "impurity_pct": (0.0, 99.0, "per cent of the mass"),
    "area_ha": (0.0, 100_000.0, "hectares are wanted"),
}
_NEEDED = {"ticket", "weighed_at", "net_kg"}


def store(connection: sa.Connection, source: Source, lines: list[str], asked: Asked) -> Imported:
    """Store weighed loads of crop zones; a ticket counts once.

    Raises
    ------
    Refused
        With every line that cannot be read, or says of which field or crop it is in no way.
    """
    file = short(source.name)
    land = land_of(connection, asked)
    loads = all_of(lambda some: _loads(some, file, land, asked), lines)
    if not loads:
        raise Refused(f"{file}, line 1, column ticket: there is no load below the header")
    _check_tickets(connection, loads, file)
    new = harvests.add(connection, [load for _, load in loads])
    times = [load.weighed_at for _, load in loads]
    names = {zone.id: name for name, zone in _zones_by_name(land)}
    mass = sum(load.net_kg for _, load in loads)
    return Imported(
        source.name,
        "loads",
        into=", ".join(dict.fromkeys(names[load.crop_zone_id] for _, load in loads)),
        new=new,
        known=len(loads) - new,
        unit="loads",
        first=iso(to_us(min(times))),
        last=iso(to_us(max(times))),
        notes=(f"{mass:,.0f} kg as weighed",),
        details=tuple(
            {
                "line": line,
                "ticket": load.ticket,
                "field": names[load.crop_zone_id],
                "net_kg": load.net_kg,
            }
            for line, load in loads
        ),
    )


def _zones_by_name(land: Land) -> list[tuple[str, CropZone]]:
    return [
        (name, zone) for name, one in land.fields.items() for zone in land.zones.get(one.id, [])
    ]


def _loads(lines: list[str], file: str, land: Land, asked: Asked) -> list[tuple[int, HarvestLoad]]:
    records = cells_of_lines(lines, file)
    _, names = next(records, (1, []))
    header = [name.strip().removeprefix("\ufeff") for name in names]
    check_separator(header, file)
    for name in header:
        if name not in LOAD_COLUMNS or header.count(name) > 1:
            reason = "stands twice" if name in LOAD_COLUMNS else "is unknown"
            raise TableError(file, 1, name or "(no name)", f"{reason}: {', '.join(LOAD_COLUMNS)}")
    for name in LOAD_COLUMNS:
        if name not in header and name in _NEEDED:
            raise TableError(file, 1, name, "is missing")
    loads, tickets = [], dict[tuple[int, str], int]()
    for line, cells in records:
        if len(cells) != len(header):
            column = header[min(len(cells), len(header) - 1)]
            reason = f"{len(cells)} cells, the header has {len(header)}"
            raise TableError(file, line, column, reason)
        row = dict(zip(header, (cell.strip() for cell in cells), strict=True))
        load = _load(row, file, line, land, asked)
        if (seen := tickets.setdefault((load.crop_zone_id, load.ticket), line)) != line:
            raise TableError(file, line, "ticket", f"{load.ticket} stands in line {seen} already")
        loads.append((line, load))
    return loads


def _load(row: Mapping[str, str], file: str, line: int, land: Land, asked: Asked) -> HarvestLoad:
    if not row["ticket"]:
        raise TableError(file, line, "ticket", "is empty")
    at_us = moment_us(row["weighed_at"], file, line, "weighed_at", asked)
    if at_us > asked.now_us:
        raise TableError(file, line, "weighed_at", f"{iso(at_us)} is still to come")
    numbers = {name: _number(row.get(name, ""), file, line, name) for name in _NUMBERS}
    net = numbers["net_kg"]
    if net is None:
        raise TableError(file, line, "net_kg", "is empty")
    weighed = from_us(at_us)
    day = weighed.astimezone(ZoneInfo(asked.farm.timezone)).date()
    return HarvestLoad(
        _zone(row.get("field", "") or asked.field, day, land, file, line).id,
        row["ticket"],
        weighed,
        net,
        numbers["moisture_pct"],
        numbers["impurity_pct"],
        numbers["area_ha"] or None,
        file,
    )


def _number(text: str, file: str, line: int, column: str) -> float | None:
    if not text:
        return None
    low, high, hint = _NUMBERS[column]
    value = number_of(text)
    if not math.isfinite(value):
        raise TableError(file, line, column, f"{text!r} is not a number")
    if not low <= value <= high:
        reason = f"{value:g} is not within {low:g} and {high:g} ({hint})"
        raise TableError(file, line, column, reason)
    return value


def _zone(name: str | None, day: dt.date, land: Land, file: str, line: int) -> CropZone:
    """The crop that a load of that day is of: the last one planted before it."""
    if not name:
        raise TableError(file, line, "field", "is empty; name a field here, or all with --field")
    field = land.fields.get(name)
    if field is None:
        known = ", ".join(sorted(land.fields)[:8]) or "none"
        raise TableError(file, line, "field", f"there is no field {name!r} ({known})")
    planted = [one for one in land.zones.get(field.id, []) if one.planted <= day]
    newest = [one for one in planted if one.season in {day.year, day.year + 1}]
    if not newest:
        raise TableError(file, line, "weighed_at", f"no crop grew on {name} before {day}")
    latest = max(one.planted for one in newest)
    chosen = [one for one in newest if one.planted == latest]
    if len(chosen) > 1:
        crops = ", ".join(one.crop for one in chosen)
        raise TableError(file, line, "field", f"{name} had several crops then ({crops})")
    return chosen[0]


def _check_tickets(
    connection: sa.Connection, loads: Sequence[tuple[int, HarvestLoad]], file: str
) -> None:
    """A ticket that is known with another mass is another load, or a slip: people decide."""
    ids = sorted({load.crop_zone_id for _, load in loads})
    known = {(one.crop_zone_id, one.ticket): one for one in harvests.of_zones(connection, ids)}
    reasons = [
        f"{file}, line {line}, column ticket: {load.ticket} is known with "
        f"{known[load.crop_zone_id, load.ticket].net_kg:,.0f} kg, not {load.net_kg:,.0f} kg"
        for line, load in loads
        if (load.crop_zone_id, load.ticket) in known
        and not math.isclose(known[load.crop_zone_id, load.ticket].net_kg, load.net_kg)
    ]
    if reasons:
        raise Refused(*reasons)
