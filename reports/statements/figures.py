"""What cells tell: figures with units, of the items of one cell."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from reports.statements.cube import Item
from reports.statements.facts import Facts, Zone
from reports.statements.families import MEASURED_SHARES, WHOLE_ZONES, in_service
from reports.sums import ZoneResult, area_mean, total
from reports.water import M3_PER_HA_MM, saving
from storage.statement_facts import Investment

KG_PER_TONNE, KG_PER_CENTNER = 1_000.0, 100.0


class Figure(NamedTuple):
    """A figure of a cell; with its 95 % interval where it has one."""

    indicator: str
    unit: str
    value: float | None
    ci95: tuple[float, float] | None = None
    demonstrated: bool | None = None
    why_missing: str = ""


Figures = Callable[[Facts, Sequence[Item], str | None], list[Figure]]


def land(_facts: Facts, items: Sequence[Item], _dimension: str | None) -> list[Figure]:
    """Hectares of crop zones, and how many they are."""
    zones = [one.of for one in items]
    return [
        Figure("AREA", "ha", math.fsum(one.zone.area_ha for one in zones)),
        Figure("CROP_ZONES", "count", float(len(zones))),
    ]


def water(_facts: Facts, items: Sequence[Item], dimension: str | None) -> list[Figure]:
    """Water applied; by hectare where the cell has whole crop zones."""
    volume = math.fsum(one.of.piece.volume_m3 for one in items)
    figures = [Figure("WATER_APPLIED", "m3", volume)]
    if dimension in WHOLE_ZONES:
        zones = {one.of.zone.zone.id: one.of.zone for one in items}
        area = math.fsum(one.zone.area_ha for one in zones.values())
        figures += [
            Figure("IRRIGATED_AREA", "ha", area),
            Figure("WATER_APPLIED_DEPTH", "mm", volume / area / M3_PER_HA_MM),
        ]
    return figures


def savings(_facts: Facts, items: Sequence[Item], _dimension: str | None) -> list[Figure]:
    """Apparent, real and recoverable, each for itself; intervals add up as causes are shared."""
    known = [one.of.result for one in items]
    rows = [one.row for one in known]
    return [
        Figure("BASELINE_WATER", "m3", total(row["baseline_m3"] for row in rows)),
        Figure("BASELINE_AREA", "ha", total(one.zone.area_ha for one in known)),
        _saving("APPARENT_SAVING", known, "apparent"),
        _saving("REAL_SAVING", known, "consumptive"),
        Figure("RECOVERABLE_CHANGE", "m3", total(row["recoverable_change_m3"] for row in rows)),
    ]


def _saving(indicator: str, known: Sequence[ZoneResult], kind: str) -> Figure:
    found = saving(known, kind)
    if found is None:
        return Figure(indicator, "m3", None, why_missing="no crop zone of the cell states it")
    interval = None if found["ci95"] is None else (found["ci95"][0], found["ci95"][1])
    return Figure(indicator, "m3", found["value"], interval, found["demonstrated"])


def harvest(_facts: Facts, items: Sequence[Item], dimension: str | None) -> list[Figure]:
    """Hectares and, of one crop, masses and yield: bunker and clean weight apart."""
    rows = [one.of.row for one in items]
    area = total(row["harvested_ha"] for row in rows)
    figures = [Figure("HARVESTED_AREA", "ha", area)]
    if dimension is None:  # tonnes of different crops are no sum
        return figures
    clean = total(row["mass_kg"] for row in rows)
    bunker = total(row["bunker_mass_kg"] for row in rows)
    per_ha = clean / area if clean is not None and area else None
    return [
        *figures,
        Figure("MASS_BUNKER", "t", None if bunker is None else bunker / KG_PER_TONNE),
        Figure("MASS_CLEAN", "t", None if clean is None else clean / KG_PER_TONNE),
        Figure("YIELD", "kg/ha", per_ha),
        Figure("YIELD_CENTNER", "c/ha", None if per_ha is None else per_ha / KG_PER_CENTNER),
    ]


def measured(_facts: Facts, items: Sequence[Item], _dimension: str | None) -> list[Figure]:
    """Share of days with measured weather, water and soil: means over hectares."""
    known = [one.of.result for one in items]
    return [
        Figure(indicator, "%", area_mean(known, name), why_missing="no crop zone states it")
        for indicator, name in MEASURED_SHARES.items()
    ]


def devices(_facts: Facts, items: Sequence[Item], _dimension: str | None) -> list[Figure]:
    """Devices in service, and those that spoke in the season's calendar year."""
    found = [one.of for one in items]
    return [
        Figure("DEVICES", "count", float(sum(one.total for one in found))),
        Figure("DEVICES_REPORTING", "count", float(sum(one.reporting for one in found))),
    ]


def investments(_facts: Facts, items: Sequence[Item], _dimension: str | None) -> list[Figure]:
    """What was invested up to the season, as recorded."""
    return [
        Figure("INVESTMENT", "KZT", math.fsum(one.of.amount_kzt for one in items)),
        Figure("INVESTMENT_RECORDS", "count", float(len(items))),
    ]


def costs(facts: Facts, items: Sequence[Item], _dimension: str | None) -> list[Figure]:
    """Yearly cost of water-saving irrigation by its yearly saving, where that is demonstrated.

    Straight-line over the service life, without interest, maintenance or energy; of the farms that
    have records. The interval is that of the saving: of the cost nothing is known to err.
    """
    made = [one.of for one in items if isinstance(one.of, Investment)]
    yearly = math.fsum(
        one.amount_kzt / one.service_life_years for one in made if in_service(one, facts.season)
    )
    zones = [one.of for one in items if isinstance(one.of, Zone)]
    known = [one.result for one in zones if one.result is not None]
    found = saving(known, "apparent")
    cost = Figure("WATER_SAVING_COST_PER_YEAR", "KZT", yearly)
    if found is None or not found["demonstrated"]:
        why = "no saving of the farms with investment records is demonstrated"
        return [cost, Figure("COST_PER_M3_SAVED", "KZT/m3", None, why_missing=why)]
    low, high = found["ci95"] or (math.nan, math.nan)
    interval = (yearly / high, yearly / low) if low > 0 else None
    return [cost, Figure("COST_PER_M3_SAVED", "KZT/m3", yearly / found["value"], interval)]


OF_FAMILY: Mapping[str, Figures] = {
    "land": land,
    "water": water,
    "savings": savings,
    "harvest": harvest,
    "measured": measured,
    "devices": devices,
    "investments": investments,
    "costs": costs,
}


def spoke(facts: Facts) -> set[int]:
    """Farms of which a device spoke in the season: those that work digitally."""
    return {farm for farm, found in facts.devices.items() if found.reporting}


def moment(at: dt.datetime) -> str:
    """A time as manifests write it."""
    return at.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
