"""A soil as a document says it: its constants, or a texture that they are estimated from.

The keys are those of a scenario's [soil], which a field's stored soil shares:
``theta_fc, theta_wp, ze_m, rew_mm``; in their place ``texture`` (a class name), or ``sand_pct,
clay_pct, organic_matter_pct``; and ``curve_number``; for a basin ``percolation_mm_d, theta_sat,
bund_mm``; and ``capillary_rise_mm_d`` where groundwater reaches the roots.
"""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

from analytics.pedotransfer import (
    CLASS_MIDDLES,
    SOURCE,
    USUAL_ORGANIC_MATTER_PCT,
    saxton_rawls,
    soil_from_texture,
)
from analytics.sections import ScenarioError, Section
from analytics.soils import TEXTURE_SOURCE, TEXTURES, Soil, total_evaporable_water

CONSTANTS = {  # least and greatest that make sense
    "theta_fc": (0.0, 1.0),
    "theta_wp": (0.0, 1.0),
    "ze_m": (0.01, 1.0),
    "rew_mm": (0.0, 100.0),
}
SOIL_KEYS = frozenset(
    {"texture", "sand_pct", "clay_pct", "organic_matter_pct", "curve_number", "theta_sat"}
    | {"percolation_mm_d", "bund_mm", "capillary_rise_mm_d", *CONSTANTS}
)


class _Estimate(NamedTuple):
    soil: Soil
    theta_sat: float
    source: str


def soil_from_mapping(mapping: Mapping[str, Any], name: str = "soil") -> tuple[Soil, list[str]]:
    """The soil, and notes on what of it was estimated.

    A constant that is given stands; one that is not comes from the texture, where there is one.

    Raises
    ------
    ScenarioError
        Naming the key, under the table's ``name``.
    """
    section = Section(name, mapping)
    notes: list[str] = []
    estimate = None if all(key in section for key in CONSTANTS) else _estimate(section)
    constants = _constants(section, estimate, notes)
    soil = Soil(
        **constants,
        curve_number=section.optional_number("curve_number", 1, 100),
        theta_sat=section.optional_number("theta_sat", 0, 1),
        percolation_mm_d=section.optional_number("percolation_mm_d", 0, 1000),
        bund_mm=section.optional_number("bund_mm", 0, 1000),
        capillary_rise_mm_d=section.optional_number("capillary_rise_mm_d", 0, 20),
    )
    if soil.percolation_mm_d is not None and soil.theta_sat is None:
        soil = soil._replace(theta_sat=_saturation(section, estimate, notes))
    _check(soil, section)
    return soil, notes


def _constants(section: Section, estimate: _Estimate | None, notes: list[str]) -> dict[str, float]:
    values, estimated = {}, []
    for key, (low, high) in CONSTANTS.items():
        if key in section or estimate is None:
            values[key] = section.number(key, low, high)
        else:
            values[key] = float(getattr(estimate.soil, key))
            estimated.append(key)
    if estimate is not None and estimated:
        notes.append(f"{', '.join(estimated)} {estimate.source}")
    return values


def _estimate(section: Section) -> _Estimate | None:
    """What the texture says; None where no texture is given."""
    composition = [key for key in ("sand_pct", "clay_pct") if key in section]
    if "texture" in section:
        if composition:
            raise ScenarioError(
                f"{section.name}.{composition[0]}: give either texture or sand_pct and clay_pct"
            )
        return _of_class(section)
    return _of_composition(section) if composition else None


def _of_class(section: Section) -> _Estimate:
    given = section.text("texture")
    texture = "-".join(given.casefold().replace("_", " ").replace("-", " ").split())
    if texture not in CLASS_MIDDLES:
        near = get_close_matches(texture, CLASS_MIDDLES, n=3) or list(CLASS_MIDDLES)
        raise section.error("texture", "must be a texture class as " + ", ".join(near), given)
    sand, clay = CLASS_MIDDLES[texture]
    saturation = float(saxton_rawls(sand, clay).theta_sat)
    if texture in TEXTURES:
        return _Estimate(TEXTURES[texture], saturation, f"for {texture} ({TEXTURE_SOURCE})")
    typical = f"for {texture}, which FAO-56 Table 19 lacks, as of {sand:g} % sand, {clay:g} % clay"
    return _Estimate(soil_from_texture(sand, clay), saturation, f"{typical} ({SOURCE})")


def _of_composition(section: Section) -> _Estimate:
    sand, clay = section.number("sand_pct", 0, 100), section.number("clay_pct", 0, 100)
    organic = section.number("organic_matter_pct", 0, 100, default=USUAL_ORGANIC_MATTER_PCT)
    depth = section.number("ze_m", *CONSTANTS["ze_m"], default=0.10)
    try:
        soil = soil_from_texture(sand, clay, organic_matter_pct=organic, ze_m=depth)
        saturation = float(saxton_rawls(sand, clay, organic).theta_sat)
    except ValueError as error:
        raise ScenarioError(f"{section.name}.sand_pct, clay_pct: {error}") from None
    taken = "" if "organic_matter_pct" in section else " taken as usual"
    share = f"for {sand:g} % sand, {clay:g} % clay, {organic:g} % organic matter{taken}"
    return _Estimate(soil, saturation, f"{share} ({SOURCE})")


def _saturation(section: Section, estimate: _Estimate | None, notes: list[str]) -> float:
    if (known := estimate or _estimate(section)) is None:
        raise section.missing("theta_sat", ", which percolation_mm_d needs")
    notes.append(f"theta_sat {known.source}")
    return round(known.theta_sat, 4)


def _check(soil: Soil, section: Section) -> None:
    name = section.name
    if soil.theta_fc <= soil.theta_wp:
        raise ScenarioError(f"{name}.theta_fc: must be above {name}.theta_wp")
    evaporable = total_evaporable_water(soil.theta_fc, soil.theta_wp, soil.ze_m)
    if soil.rew_mm >= evaporable:
        raise ScenarioError(
            f"{name}.rew_mm: must be below the {evaporable:.1f} mm that can evaporate "
            "from ze_m, 1000 (theta_fc - theta_wp / 2) ze_m"
        )
    if soil.theta_sat is not None and soil.theta_sat <= soil.theta_fc:
        raise ScenarioError(f"{name}.theta_sat: must be above {name}.theta_fc")
    if soil.bund_mm and soil.percolation_mm_d is None:
        raise section.missing("percolation_mm_d", ", without which no water stands behind bund_mm")
