"""A farm of two thousand fields with boundaries, crops and a computed evening each."""

from __future__ import annotations

import datetime as dt

import numpy as np
import sqlalchemy as sa

from seeds.farms import rectangle
from storage import farms, tables

SLUG = "steppe"
FIELDS = 2_000
COLUMNS = 50
CROP = {
    **{"kcb_ini": 0.15, "kcb_mid": 1.1, "kcb_end": 0.5},
    **{"l_ini": 20, "l_dev": 50, "l_mid": 60, "l_end": 40},
    **{"h_ini_m": 0.1, "h_max_m": 1.2, "zr_ini_m": 0.3, "zr_max_m": 1.2, "p": 0.6},
}
SOIL = {"theta_fc": 0.30, "theta_wp": 0.15, "ze_m": 0.10, "rew_mm": 9.0, "theta_0": 0.28}


def put_steppe(connection: sa.Connection, day: dt.date, count: int = FIELDS) -> int:
    """Put the farm into the database, its balances up to the evening before the day; its id."""
    farm = farms.put(
        connection,
        SLUG,
        name="Steppe",
        timezone="Asia/Almaty",
        latitude_deg=52.0,
        longitude_deg=66.0,
        elevation_m=200.0,
    )
    random = np.random.default_rng(7)
    fields = [
        {
            "farm_id": farm,
            "name": f"field-{number + 1}",
            "area_ha": 64.0,
            "area_source": "stated",
            "soil": SOIL,
            "soil_source": "stated",
        }
        for number in range(count)
    ]
    table = tables.fields
    ids = list(connection.scalars(sa.insert(table).returning(table.c.id), fields))
    connection.execute(
        sa.insert(tables.field_boundaries),
        [
            {
                "field_id": one,
                "version": 1,
                "area_ha": 64.0,
                "geometry": {
                    "type": "Polygon",
                    "coordinates": [
                        rectangle(
                            66.0 + 0.015 * (place % COLUMNS),
                            52.0 + 0.009 * (place // COLUMNS),
                            800.0,
                            800.0,
                        )
                    ],
                },
                "geometry_source": "made",
            }
            for place, one in enumerate(ids)
        ],
    )
    zone = tables.crop_zones
    zones = list(
        connection.scalars(
            sa.insert(zone).returning(zone.c.id),
            [
                {
                    "field_id": one,
                    "season": day.year,
                    "crop": "cotton" if place % 3 else "maize",
                    "planted": day - dt.timedelta(days=80),
                    "harvested": day + dt.timedelta(days=80),
                    "area_ha": 64.0,
                    "irrigation_method": "drip",
                    "application_efficiency": 0.9,
                    "wetted_fraction": 0.4,
                    "system_flow_m3_h": 400.0,
                    "crop_parameters": CROP,
                    "conventions": {},
                }
                for place, one in enumerate(ids)
            ],
        )
    )
    connection.execute(
        sa.insert(tables.balance_days),
        [_evening(one, day - dt.timedelta(days=1), random.uniform(0, 110)) for one in zones],
    )
    return farm


def _evening(zone: int, day: dt.date, depletion: float) -> dict[str, object]:
    numbers = dict.fromkeys(tables.BALANCE_NUMBERS, 0.0) | dict.fromkeys(tables.BALANCE_OPTIONAL)
    return {
        "crop_zone_id": zone,
        "day": day,
        **numbers,
        "kcb": 1.1,
        "ks": 1.0,
        "depletion_mm": depletion,
        "taw_mm": 180.0,
        "raw_mm": 100.0,
        "weather_source": "measured",
        "water_source": "none",
        "method_version": "made",
        "input_digest": b"\0" * 32,
        "computed_at": dt.datetime.combine(day, dt.time(20), dt.UTC),
    }
