"""What statements count: land, water, savings, harvests, devices, investments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from reports.statements import catalogues
from reports.statements.cube import Family, Item, Universes
from reports.statements.facts import UNKNOWN, Facts, Piece, Zone
from reports.statements.suppression import Part
from storage.statement_facts import Investment

WATER_SAVING = "water-saving-irrigation"  # as investments call it


class PieceOfZone(NamedTuple):
    """Water of a month and the crop zone that it was given to."""

    zone: Zone
    piece: Piece


# --- how items are divided ------------------------------------------------------------------------


def water_coverage(zone: Zone) -> str:
    """Whether the water of a crop zone is known, or why not."""
    if zone.row is None:
        return "not-computed"
    if zone.zone.irrigation_method is None and not zone.row["applied_m3"]:
        return "rain-fed"
    share = zone.row["water_coverage_pct"]
    if zone.row["applied_m3"] is None or (share is not None and share == 0.0):
        return "no-meter-and-nothing-entered"
    return "covered"


def savings_coverage(zone: Zone) -> str:
    """Whether a saving can be stated of a crop zone, or why not."""
    if zone.row is None:
        return "not-computed"
    if zone.row["apparent_savings_m3"] is not None:
        return "covered"
    return "rain-fed" if zone.zone.irrigation_method is None else "no-baseline"


def yield_coverage(zone: Zone) -> str:
    """How the harvest of a crop zone is known, or why not."""
    if zone.row is None:
        return "not-computed"
    if zone.row["mass_kg"] is None:
        return "no-harvest-known"
    return str(zone.row["yield_source"]).replace(" ", "-")


def _saves_water(zone: Zone) -> str:
    if zone.zone.irrigation_method is None:
        return catalogues.RAIN_FED
    return {True: "yes", False: "no", None: UNKNOWN}[
        catalogues.saves_water(zone.zone.irrigation_method)
    ]


def _option(zone: Zone) -> str:
    row = zone.row or {}
    words = (row.get("savings_option"), row.get("baseline_source"))
    return " ".join(str(word) for word in words if word) or UNKNOWN


# --- items and what cells of them tell ------------------------------------------------------------


def _zones(facts: Facts) -> Iterator[Item]:
    return (Item(one.farm.id, one.areas, one) for one in facts.zones)


def _water(facts: Facts) -> Iterator[Item]:
    for zone in facts.zones:
        for piece in zone.water:
            yield Item(zone.farm.id, zone.areas, PieceOfZone(zone, piece))


def _judged(facts: Facts) -> Iterator[Item]:
    return (
        one for one in _zones(facts) if one.of.row and one.of.row["apparent_savings_m3"] is not None
    )


def _computed(facts: Facts) -> Iterator[Item]:
    return (one for one in _zones(facts) if one.of.row is not None)


def _harvested(facts: Facts) -> Iterator[Item]:
    return (one for one in _zones(facts) if one.of.row and one.of.row["mass_kg"] is not None)


def _devices(facts: Facts) -> Iterator[Item]:
    for farm_id, found in facts.devices.items():
        yield Item(farm_id, facts.farm_areas[farm_id], found)


def _investments(facts: Facts) -> Iterator[Item]:
    for one in facts.investments:
        if one.made_on.year <= facts.season:
            yield Item(one.farm_id, facts.farm_areas[one.farm_id], one)


def in_service(investment: Investment, season: int) -> bool:
    """Whether an investment in saving water serves in a season."""
    age = season - investment.made_on.year
    return investment.purpose == WATER_SAVING and 0 <= age < investment.service_life_years


def _costs(facts: Facts) -> Iterator[Item]:
    """Investments in saving water that serve, and the savings of the farms that made them."""
    serving = [one for one in _investments(facts) if in_service(one.of, facts.season)]
    farms = {one.farm_id for one in serving}
    yield from serving
    yield from (one for one in _judged(facts) if one.farm_id in farms)


def _part(universes: Universes, universe: str, pieces: Iterable[tuple[object, int]]) -> Part:
    bits = 0
    for piece, farm in pieces:
        bits |= universes[universe].bit(piece, farm)
    return Part(universe, bits)


def _land_of(universes: Universes, zones: Iterable[Zone]) -> Part:
    return _part(universes, "land", ((one.zone.id, one.farm.id) for one in zones))


def _water_of(universes: Universes, zones: Iterable[Zone]) -> Part:
    pieces = (((one.zone.id, *piece[:4]), one.farm.id) for one in zones for piece in one.water)
    return _part(universes, "water", pieces)


def _land_parts(universes: Universes, items: Sequence[Item], _: str | None) -> list[Part]:
    return [_land_of(universes, (one.of for one in items))]


def _water_parts(universes: Universes, items: Sequence[Item], dimension: str | None) -> list[Part]:
    pieces = (((one.of.zone.zone.id, *one.of.piece[:4]), one.farm_id) for one in items)
    water = _part(universes, "water", pieces)
    if dimension not in WHOLE_ZONES:
        return [water]
    return [water, _land_of(universes, (one.of.zone for one in items))]


def _savings_parts(universes: Universes, items: Sequence[Item], _: str | None) -> list[Part]:
    """Both savings, each also of those crop zones alone that tell of recoverable flow.

    The change in recoverable flow is real less apparent saving, so it tells the apparent one of its
    crop zones: less all, what is left is that of the few where nothing was applied.
    """
    zones = [one.of for one in items]
    parts = [
        _part(
            universes,
            name,
            (
                (one.zone.id, one.farm.id)
                for one in zones
                if one.row[name] is not None and one.row[also] is not None
            ),
        )
        for name in ("apparent_savings_m3", "consumptive_savings_m3")
        for also in (name, "recoverable_change_m3")
    ]
    # Baseline less saving is what was applied.
    return [*parts, _water_of(universes, zones), _land_of(universes, zones)]


def _measured_parts(universes: Universes, items: Sequence[Item], _: str | None) -> list[Part]:
    """A share of days by hectares, of the crop zones that know it."""
    return [
        _part(
            universes,
            name,
            ((one.of.zone.id, one.farm_id) for one in items if one.of.row[name] is not None),
        )
        for name in MEASURED_SHARES.values()
    ]


def _harvest_parts(universes: Universes, items: Sequence[Item], _: str | None) -> list[Part]:
    zones = [one.of for one in items]
    mass = _part(universes, "mass", ((one.zone.id, one.farm.id) for one in zones))
    return [mass, _land_of(universes, zones)]


def _devices_parts(universes: Universes, items: Sequence[Item], _: str | None) -> list[Part]:
    return [_part(universes, "devices", ((one.farm_id, one.farm_id) for one in items))]


def _investment_parts(universes: Universes, items: Sequence[Item], _: str | None) -> list[Part]:
    made = [one for one in items if isinstance(one.of, Investment)]
    return [_part(universes, "investments", ((one.of.id, one.farm_id) for one in made))]


def _cost_parts(universes: Universes, items: Sequence[Item], _: str | None) -> list[Part]:
    zones = [one for one in items if isinstance(one.of, Zone)]
    return [
        *_investment_parts(universes, items, None),
        *_savings_parts(universes, zones, None),
    ]


# Indicators, and the shares of results that they are means of.
MEASURED_SHARES = {
    "WEATHER_MEASURED": "weather_coverage_pct",
    "WATER_MEASURED": "water_coverage_pct",
    "SOIL_MEASURED": "soil_coverage_pct",
}
# Divisions of water that leave crop zones whole: hectares add up along them.
WHOLE_ZONES = frozenset({None, "IRRIGATION_TECHNOLOGY", "FIELD"})

LAND = Family(
    "land",
    _zones,
    {
        "IRRIGATION_TECHNOLOGY": lambda zone: zone.technology,
        "WATER_SAVING": _saves_water,
        "CROP": lambda zone: zone.zone.crop,
        "WATER_COVERAGE": water_coverage,
        "SAVINGS_COVERAGE": savings_coverage,
        "YIELD_COVERAGE": yield_coverage,
        "FIELD": lambda zone: zone.label,
    },
    _land_parts,
)
WATER = Family(
    "water",
    _water,
    {
        "TIME_PERIOD": lambda one: one.piece.month,
        "IRRIGATION_TECHNOLOGY": lambda one: one.zone.technology,
        "WATER_SOURCE": lambda one: one.piece.source,
        "MEASUREMENT": lambda one: one.piece.measurement,
        "TARIFF_BAND": lambda one: one.piece.tariff_band,
        "FIELD": lambda one: one.zone.label,
    },
    _water_parts,
)
SAVINGS = Family(
    "savings",
    _judged,
    {
        "SAVINGS_OPTION": _option,
        "IRRIGATION_TECHNOLOGY": lambda zone: zone.technology,
        "FIELD": lambda zone: zone.label,
    },
    _savings_parts,
)
HARVEST = Family(
    "harvest",
    _harvested,
    {"CROP": lambda zone: zone.zone.crop, "FIELD": lambda zone: zone.label},
    _harvest_parts,
)
MEASURED = Family("measured", _computed, {}, _measured_parts)
DEVICES = Family("devices", _devices, {}, _devices_parts)
INVESTMENTS = Family(
    "investments", _investments, {"PURPOSE": lambda one: one.purpose}, _investment_parts
)
COSTS = Family("costs", _costs, {}, _cost_parts)
FAMILIES = (LAND, WATER, SAVINGS, HARVEST, MEASURED, DEVICES, INVESTMENTS, COSTS)
