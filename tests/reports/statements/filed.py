"""A small country in the database, with results that add up by hand, and a key to file with."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from analytics.uncertainty import Part, Stated, as_json
from reports.statements import filing
from reports.statements.filing import Filing
from reports.statements.signing import SigningKey
from reports.statements.statement import Asked
from storage import farms, fields, results, tables
from storage import filing as stored
from storage.farms import Region

SEASON = 2025
KEY = SigningKey.make()  # one for all tests: what it signs is told apart by what it says


def put_country(connection: sa.Connection, *, farms_each: int = 4) -> dict[str, int]:
    """KZ-61 and KZ-43 with farms of one crop zone of cotton under drip; zones by farm's slug."""
    zones = {}
    for code in ("KZ-61", "KZ-43"):
        farms.put_region(connection, Region(code, code[3:], code, code, code))
        for number in range(farms_each):
            slug = f"{code.lower()}-{number}"
            zones[slug] = put_zone(connection, put_farm(connection, slug, code))
    for place, (slug, zone) in enumerate(zones.items()):
        put_result(connection, zone, saved(10_000.0 + place, 2_000.0), digest=slug)
        put_days(connection, zone, {"2025-06-30": 60.0, "2025-07-01": 40.0})
    return zones


def put_farm(connection: sa.Connection, slug: str, region: str | None) -> int:
    return farms.put(
        connection, slug, name=slug, region_code=region, timezone="Asia/Almaty",
        latitude_deg=43.0, longitude_deg=68.0, elevation_m=200.0,
    )  # fmt: skip


def put_zone(
    connection: sa.Connection,
    farm_id: int,
    *,
    field: str = "field-1",
    crop: str = "cotton",
    method: str | None = "drip",
) -> int:
    field_id = fields.put(
        connection, farm_id=farm_id, name=field, area_ha=10.0, area_source="stated", soil={},
        soil_source="stated",
    )  # fmt: skip
    return fields.put_zone(
        connection, field_id=field_id, season=SEASON, crop=crop, planted=dt.date(SEASON, 4, 20),
        harvested=dt.date(SEASON, 9, 30), area_ha=10.0, irrigation_method=method,
        crop_parameters={}, conventions={},
    )  # fmt: skip


def saved(applied_m3: float, saving_m3: float) -> dict[str, Any]:
    """Own error 300 m³ with 4 degrees of freedom, the farm's station 200, everybody's meter 100."""
    parts = (
        Part("baseline", 300.0, "own", 4.0),
        Part("station_et0", 200.0, "farm"),
        Part("meter_calibration", 100.0, "all"),
    )
    stated = as_json(Stated(saving_m3, parts))
    return {
        "applied_m3": applied_m3,
        "baseline_m3": applied_m3 + saving_m3,
        "apparent_savings_m3": saving_m3,
        "consumptive_savings_m3": saving_m3 / 4.0,
        "recoverable_change_m3": 0.75 * saving_m3,
        "uncertainty": {"apparent": stated, "consumptive": stated},
        "savings_option": "B",
        "baseline_source": "metered seasons",
        "water_coverage_pct": 100.0,
        "bunker_mass_kg": 33_000.0,
        "mass_kg": 30_000.0,
        "harvested_ha": 10.0,
        "yield_source": "weighed loads",
    }


def put_result(
    connection: sa.Connection, zone: int, values: Mapping[str, Any], *, digest: str
) -> None:
    stated = {"method": "balance", "method_version": "1", "input_digest": digest}
    results.put_season(connection, zone, dict(values) | stated | {"conventions": {}, "notes": []})


def first_zone(connection: sa.Connection) -> int:
    """The crop zone that was put first; numbers go on where an earlier test ended."""
    return int(connection.execute(sa.select(sa.func.min(tables.crop_zones.c.id))).scalar_one())


def put_days(connection: sa.Connection, zone: int, depths_mm: Mapping[str, float]) -> None:
    """Days of the balance that tell of nothing but irrigation."""
    optional = tables.BALANCE_OPTIONAL
    nothing = {name: 0.0 for name in tables.BALANCE_NUMBERS if name not in optional}
    connection.execute(
        tables.balance_days.insert().values(computed_at=sa.func.now()),
        [
            nothing
            | {
                "crop_zone_id": zone,
                "day": dt.date.fromisoformat(day),
                "irrigation_gross_mm": depth,
                "weather_source": "measured",
                "water_source": "metered",
                "method_version": "1",
                "input_digest": b"0" * 32,
            }
            for day, depth in depths_mm.items()
        ],
    )


def put_key(connection: sa.Connection, key: SigningKey = KEY, role: str = "files") -> None:
    stored.put_key(
        connection, key.kid, key.public, role=role, owner=f"owner of {role}", created_by="test"
    )


def file(connection: sa.Connection, kind: str = "water", **asked: Any) -> Filing:
    """File a statement of KZ-61, or of what is asked for."""
    more = {name: asked.pop(name) for name in ("as_of", "reason") if name in asked}
    if "farm" not in asked:
        asked.setdefault("area", "KZ-61")
    return filing.file(connection, Asked(kind, SEASON, **asked), KEY, author="account:anna", **more)
