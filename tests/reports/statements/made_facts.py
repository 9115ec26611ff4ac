"""Facts of a made-up country, without a database: small numbers of farms, all ways to be alike."""

import datetime as dt
import random
from collections.abc import Mapping, Sequence
from typing import Any

from reports.statements import areas as area_tree
from reports.statements.facts import Facts, Piece, Zone
from reports.sums import ZoneResult
from storage.farms import Farm, Region
from storage.fields import CropZone, Field
from storage.statement_facts import Devices, Investment

SEASON = 2026
REGIONS = [
    Region(code, code[3:], code, code, code)
    for code in ("KZ-43", "KZ-61", "KZ-6110", "KZ-6120", "KZ-6130", "KZ-79")
]
AREAS = area_tree.tree(REGIONS)


def farm(number: int, region: str | None) -> Farm:
    return Farm(
        number, f"farm-{number}", f"Farm {number}", region, "Asia/Almaty", 43.0, 68.0, 200.0
    )


def zone(
    number: int,
    of: Farm,
    *,
    crop: str = "cotton",
    method: str | None = "drip",
    row: dict[str, Any] | None = None,
    water: tuple[Piece, ...] = (),
) -> Zone:
    field = Field(number, of.id, f"field-{number}", 10.0, "stated", None, {}, "stated", "arable")
    of_zone = CropZone(
        number, field.id, SEASON, crop, dt.date(SEASON, 4, 20), dt.date(SEASON, 9, 30), 10.0,
        method, None, None, None, {}, {},
    )  # fmt: skip
    result = None if row is None else ZoneResult(of.id, of_zone, row)
    return Zone(of, area_tree.of_farm(AREAS, of), field, field.name, of_zone, result, water)


def row(**values: Any) -> dict[str, Any]:
    """A result that knows nothing but what is given."""
    nothing = dict.fromkeys(
        (
            "applied_m3", "baseline_m3", "apparent_savings_m3", "consumptive_savings_m3",
            "recoverable_change_m3", "mass_kg", "bunker_mass_kg", "harvested_ha",
            "water_coverage_pct", "weather_coverage_pct", "soil_coverage_pct",
            "yield_source", "savings_option", "baseline_source",
        )
    )  # fmt: skip
    return {**nothing, "uncertainty": {}, "notes": [], **values}


def country(seed: int, farms: int) -> Facts:
    """A country of few farms, of which every property is drawn."""
    draw = random.Random(seed)
    members = [farm(n, draw.choice([*(one.code for one in REGIONS), None])) for n in range(farms)]
    zones, number = [], 0
    for of in members:
        for _ in range(draw.choice([1, 1, 2, 3])):
            number += 1
            zones.append(_zone(draw, number, of))
    devices = {of.id: Devices(of.id, 3, draw.choice([0, 2])) for of in members}
    invested = [
        Investment(
            of.id,
            of.id,
            dt.date(2024, 5, 1),
            draw.choice(["water-saving-irrigation", "other"]),
            1e6,
            None,
            10.0,
        )
        for of in members
        if draw.random() < 0.4
    ]
    return _facts(members, zones, devices, invested)


def of_rows(rows: Sequence[Mapping[str, Any]]) -> Facts:
    """A region where each farm has one crop zone, and a result that says what is given."""
    members = [farm(number, "KZ-61") for number in range(len(rows))]
    zones = [zone(of.id, of, row=row(**one)) for of, one in zip(members, rows, strict=True)]
    return _facts(members, zones, {}, [])


def _facts(
    members: Sequence[Farm],
    zones: Sequence[Zone],
    devices: Mapping[int, Devices],
    invested: Sequence[Investment],
) -> Facts:
    return Facts(
        season=SEASON, as_of=dt.datetime(2026, 11, 1, tzinfo=dt.UTC), period=None, areas=AREAS,
        farms=members, farm_areas={of.id: area_tree.of_farm(AREAS, of) for of in members},
        zones=zones, devices=devices, investments=invested, supplies={}, harvests=[],
    )  # fmt: skip


def _zone(draw: random.Random, number: int, of: Farm) -> Zone:
    method = draw.choice(["drip", "drip", "sprinkler", "furrow", None])
    crop = draw.choice(["cotton", "cotton", "maize", "wheat"])
    if draw.random() < 0.1:
        return zone(number, of, crop=crop, method=method)
    known: dict[str, Any] = {"water_coverage_pct": 100.0}
    water: tuple[Piece, ...] = ()
    if method is not None:
        water = tuple(
            Piece(month, "metered", draw.choice(["canal", "river"]), "_U", draw.uniform(1, 9))
            for month in ("2026-05", "2026-06", "2026-07")
            if draw.random() < 0.8
        )
        known["applied_m3"] = sum(piece.volume_m3 for piece in water)
        if draw.random() < 0.6:
            known |= {
                "apparent_savings_m3": draw.uniform(-5, 9),
                "baseline_m3": 20.0,
                "savings_option": draw.choice("BD"),
                "baseline_source": "metered seasons",
            }
            if draw.random() < 0.8:
                known |= {"consumptive_savings_m3": 1.0, "recoverable_change_m3": 1.0}
    if draw.random() < 0.6:
        known |= {
            "mass_kg": 1.0,
            "bunker_mass_kg": 1.1,
            "harvested_ha": 9.0,
            "yield_source": draw.choice(["weighed loads", "yield monitor"]),
        }
    return zone(number, of, crop=crop, method=method, row=row(**known), water=water)
