"""The water of a season, over the crop zones of a field, farm, region or country.

Volumes add up. So do the parts of an uncertainty that zones share, within a farm or everywhere,
while parts of one zone alone add in quadrature: many fields do not average a shared error away.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence

from analytics import indicators, uncertainty
from analytics.uncertainty import Stated
from reports.sums import Row, Summary, ZoneResult, area_mean, joined, total

LEVEL = 0.95
M3_PER_HA_MM = indicators.M3_PER_HA_PER_MM


def water(zones: Sequence[ZoneResult], area_ha: float) -> Summary:
    """Water applied, consumed and saved on the zones, which have ``area_ha`` with those unknown."""
    rows = [one.row for one in zones]
    applied = total(row["applied_m3"] for row in rows)
    ratios = indicators.of_zones((one.zone.area_ha, one.row) for one in zones)
    return {
        "applied_m3": applied,
        "applied_mm": None if applied is None or not area_ha else applied / area_ha / M3_PER_HA_MM,
        "irrigated_ha": total(one.zone.area_ha for one in zones if one.row["applied_m3"]),
        "baseline_m3": total(row["baseline_m3"] for row in rows),
        "baseline_area_ha": total(
            one.zone.area_ha for one in zones if one.row["baseline_m3"] is not None
        ),
        "adjustments_m3": total(row["adjustments_m3"] for row in rows),
        "apparent_savings_m3": saving(zones, "apparent"),
        "consumptive_savings_m3": saving(zones, "consumptive"),
        "recoverable_change_m3": total(row["recoverable_change_m3"] for row in rows),
        "savings_by_option": _by_option(zones),
        "uncertainty": {kind: _causes(zones, kind) for kind in ("apparent", "consumptive")},
        "et0_mm": area_mean(zones, "et0_mm"),
        "etc_mm": area_mean(zones, "etc_mm"),
        "eta_mm": area_mean(zones, "eta_mm"),
        "rain_mm": area_mean(zones, "rain_mm"),
        "deep_percolation_mm": area_mean(zones, "deep_percolation_mm"),
        "closure_mm": max(
            (abs(row["closure_mm"]) for row in rows if row["closure_mm"] is not None), default=None
        ),
        "indicators": ratios,
        "water_productivity_kg_m3": ratios["crop_water_productivity_kg_m3"],
        **_coverage(zones),
        "method": joined(row["method"] for row in rows),
        "method_version": joined(row["method_version"] for row in rows),
    }


def saving(zones: Sequence[ZoneResult], kind: str) -> Summary | None:
    """Sum of a saving, with its 95 % interval; None where no baseline exists."""
    known = _that_know(zones, kind)
    if not known:
        return None
    stated = _stated(known, kind)
    if stated is None:
        return _without_causes([one.row for one in known], kind)
    found = uncertainty.add_up(stated)
    interval = found.interval(LEVEL)
    return {
        "value": found.value,
        "ci95": None if interval is None else list(interval),
        "demonstrated": found.demonstrated,
    }


def _that_know(zones: Sequence[ZoneResult], kind: str) -> list[ZoneResult]:
    return [one for one in zones if one.row[f"{kind}_savings_m3"] is not None]


def _stated(known: Sequence[ZoneResult], kind: str) -> list[Stated] | None:
    """The savings with their causes; None where a result was stored without them."""
    if any(kind not in one.row["uncertainty"] for one in known):
        return None
    return [_stated_of(one, kind) for one in known]


def _stated_of(one: ZoneResult, kind: str) -> Stated:
    """A zone's causes, read once for its farm, its region, the country and every option."""
    if kind not in one.read:
        causes = one.row["uncertainty"][kind]
        one.read[kind] = uncertainty.from_json(one.row[f"{kind}_savings_m3"], causes, one.farm_id)
    return one.read[kind]


def _without_causes(rows: Sequence[Row], kind: str) -> Summary:
    """Results of earlier versions know only what is shared everywhere, and a factor.

    The widest of the zones' factors holds: with few baseline seasons the sum is no better known.
    """
    value = math.fsum(row[f"{kind}_savings_m3"] for row in rows)
    independent = [row[f"{kind}_u_independent_m3"] for row in rows]
    shared = [row[f"{kind}_u_shared_m3"] for row in rows]
    if any(part is None for part in (*independent, *shared)):
        return {"value": value, "ci95": None, "demonstrated": False}
    u = math.hypot(*independent, sum(shared))
    factor = max(row[f"{kind}_coverage_factor"] for row in rows)
    return {
        "value": value,
        "ci95": [value - factor * u, value + factor * u],
        "demonstrated": value > 2.0 * u,
    }


def _by_option(zones: Sequence[ZoneResult]) -> list[Summary]:
    """Savings apart by how they were judged: what is computed never hides among what is metered."""
    groups: dict[tuple[str, str], list[ZoneResult]] = defaultdict(list)
    for one in _that_know(zones, "apparent"):
        key = one.row["savings_option"] or "", one.row["baseline_source"] or ""
        groups[key].append(one)
    return [
        {
            "option": option or None,
            "baseline_source": source or None,
            "crop_zones": len(members),
            "area_ha": total(one.zone.area_ha for one in members),
            "apparent_savings_m3": saving(members, "apparent"),
            "consumptive_savings_m3": saving(members, "consumptive"),
        }
        for (option, source), members in sorted(groups.items())
    ]


def _causes(zones: Sequence[ZoneResult], kind: str) -> list[Summary]:
    """Standard uncertainty of the sum from each cause, the largest first."""
    stated = _stated(_that_know(zones, kind), kind)
    found = uncertainty.by_cause(stated or [])
    return [
        {"cause": cause, "shared": shared, "u_m3": None if math.isnan(size) else size}
        for (cause, shared), size in sorted(found.items(), key=lambda item: -item[1])
    ]


def _coverage(zones: Sequence[ZoneResult]) -> Summary:
    shares = {
        name: area_mean(zones, name) for name in ("weather_coverage_pct", "water_coverage_pct")
    }
    known = [share for share in shares.values() if share is not None]
    return {
        "coverage_pct": min(known, default=None),
        **shares,
        "soil_coverage_pct": area_mean(zones, "soil_coverage_pct"),
    }
