"""What the scales say of a crop zone's harvest."""

from collections.abc import Sequence
from typing import Protocol

from analytics.yields import STANDARD_MOISTURE_PCT, field_yield


class Load(Protocol):
    """A weighed load."""

    @property
    def net_kg(self) -> float: ...
    @property
    def moisture_pct(self) -> float | None: ...
    @property
    def impurity_pct(self) -> float | None: ...
    @property
    def area_ha(self) -> float | None: ...


def harvest_figures(
    loads: Sequence[Load], area_ha: float, crop: str, notes: list[str]
) -> tuple[dict[str, float | None], str | None]:
    """Mass over the scales, at the crop's standard moisture where there is one, and its source."""
    if not loads:
        return {}, None
    standard = STANDARD_MOISTURE_PCT.get(crop)
    unprobed = sum(load.moisture_pct is None for load in loads)
    if standard is None:
        notes.append(f"{crop} has no standard moisture: its mass is stated as weighed")
    elif unprobed:
        notes.append(f"{unprobed} loads have no moisture: taken as at standard")
    level = standard or 0.0
    moisture = [
        level if standard is None or load.moisture_pct is None else load.moisture_pct
        for load in loads
    ]
    harvest = field_yield(
        [load.net_kg for load in loads],
        moisture,
        sum(load.area_ha for load in loads if load.area_ha is not None) or area_ha,
        standard_moisture=level,
        impurity=[load.impurity_pct or 0.0 for load in loads],
    )
    figures: dict[str, float | None] = {
        "harvested_ha": harvest.harvested_ha,
        "bunker_mass_kg": harvest.bunker_kg,
        "mass_kg": harvest.clean_kg,
        "moisture_pct": _mean_moisture(loads),
    }
    return figures, "weighed loads"


def _mean_moisture(loads: Sequence[Load]) -> float | None:
    """Mean moisture of the probed loads by mass. [%]"""
    probed = [(load.net_kg, load.moisture_pct) for load in loads if load.moisture_pct is not None]
    mass = sum(kg for kg, _ in probed)
    return sum(kg * moisture for kg, moisture in probed) / mass if mass else None
