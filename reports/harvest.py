"""The yield of a season, over the crop zones of a field, farm, region or country.

Mass over harvested area, never a mean of means; bunker and clean weight apart. The mass was
weighed, or where nothing was weighed a yield monitor counted it. What the water balance lets expect
is an estimate and is called so.
"""

from __future__ import annotations

from collections.abc import Sequence

from reports.monitor import beside
from reports.sums import Summary, ZoneResult, area_mean, joined, total
from storage.fields import CropZone

RESPONSE = "FAO-33 response of yield to water (Ky): an estimate, never a measurement"
KG_PER_TONNE, KG_PER_CENTNER = 1_000.0, 100.0


def harvest(zones: Sequence[ZoneResult], sown: Sequence[CropZone]) -> Summary:
    """Mass, area and yield of the zones whose harvest is known, and of each crop.

    ``sown`` has every crop zone, also those without a result.
    """
    weighed = [one for one in zones if one.row["mass_kg"] is not None]
    crops = sorted({one.zone.crop for one in weighed})
    wet = [
        (one.row["bunker_mass_kg"], one.row["moisture_pct"])
        for one in weighed
        if one.row["moisture_pct"] is not None
    ]
    total_wet = sum(mass for mass, _ in wet)
    return {
        **_masses(weighed),
        "sown_ha": total(zone.area_ha for zone in sown),
        "bunker_mass_t": _tonnes(total(one.row["bunker_mass_kg"] for one in weighed)),
        "moisture_pct": sum(m * w for m, w in wet) / total_wet if total_wet else None,
        "source": joined(one.row["yield_source"] for one in weighed),
        "monitor": beside(zones),
        "response_estimate": _response(zones),
        # A mean over different crops says little: each has its own line.
        "by_crop": [
            {
                "crop": crop,
                "sown_ha": total(zone.area_ha for zone in sown if zone.crop == crop),
                **_masses([one for one in weighed if one.zone.crop == crop]),
            }
            for crop in crops
        ],
    }


def _masses(weighed: Sequence[ZoneResult]) -> Summary:
    mass = total(one.row["mass_kg"] for one in weighed)
    area = total(one.row["harvested_ha"] for one in weighed)
    per_ha = mass / area if mass is not None and area else None
    return {
        "harvested_ha": area,
        "mass_t": _tonnes(mass),
        "yield_kg_ha": per_ha,
        "yield_centner_ha": None if per_ha is None else per_ha / KG_PER_CENTNER,
    }


def _response(zones: Sequence[ZoneResult]) -> Summary | None:
    """Yield by the yield without water stress, by area, of the zones whose crop has a Ky."""
    relative = area_mean(zones, "relative_yield_estimate")
    return None if relative is None else {"relative_yield": relative, "method": RESPONSE}


def _tonnes(mass_kg: float | None) -> float | None:
    return None if mass_kg is None else mass_kg / KG_PER_TONNE
