"""A farm whose advice can be worked out by hand."""

import datetime as dt
from typing import Any

import numpy as np
import sqlalchemy as sa

from storage import devices, farms, fields, readings, tables
from storage.devices import StreamKey
from storage.farms import Farm

TODAY = dt.date(2025, 7, 1)
NOW = dt.datetime(2025, 7, 1, 9, tzinfo=dt.UTC)  # two in the afternoon in Almaty
DAY = dt.timedelta(days=1)
SOIL = {"theta_fc": 0.30, "theta_wp": 0.15, "ze_m": 0.10, "rew_mm": 9.0, "theta_0": 0.30}
# TAW 150 mm and RAW 75 mm all season; without evaporation the crop takes ET0.
CROP = {
    **{"kcb_ini": 1.0, "kcb_mid": 1.0, "kcb_end": 1.0},
    **{"l_ini": 20, "l_dev": 30, "l_mid": 60, "l_end": 20},
    **{"h_ini_m": 1.0, "h_max_m": 1.0, "zr_ini_m": 1.0, "zr_max_m": 1.0, "p": 0.5},
    **{"adjust_p": False, "adjust_kcb": False},
}


def put_farm(connection: sa.Connection, slug: str = "by-hand") -> Farm:
    farms.put(
        connection,
        slug,
        name="By Hand",
        timezone="Asia/Almaty",
        latitude_deg=43.0,
        longitude_deg=68.0,
        elevation_m=200.0,
    )
    return farms.get(connection, slug)


def put_zone(connection: sa.Connection, farm: Farm, name: str = "field-1", **values: Any) -> int:
    """A crop zone of 10 ha from 1 May to 7 September; ``soil`` changes values of its soil."""
    soil = SOIL | values.pop("soil", {})
    field = fields.put(
        connection,
        farm_id=farm.id,
        name=name,
        area_ha=10.0,
        area_source="stated",
        soil=soil,
        soil_source="stated",
    )
    whole: dict[str, Any] = {
        "crop": "cotton",
        "season": 2025,
        "planted": dt.date(2025, 5, 1),
        "harvested": dt.date(2025, 9, 7),
        "area_ha": 10.0,
        "irrigation_method": "sprinkler",
        "application_efficiency": 0.75,
        "wetted_fraction": 1.0,
        "system_flow_m3_h": 500.0,
        "crop_parameters": CROP,
        "conventions": {},
    }
    return fields.put_zone(connection, field_id=field, **(whole | values))


def put_evening(
    connection: sa.Connection, zone: int, day: dt.date, depletion: float, **values: Any
) -> None:
    """A stored day of the balance, its surface dry (TEW is 22.5 mm) unless said otherwise."""
    numbers = dict.fromkeys(tables.BALANCE_NUMBERS, 0.0) | {
        "kcb": 1.0,
        "depletion_mm": depletion,
        "taw_mm": 150.0,
        "raw_mm": 75.0,
        "surface_depletion_mm": 22.5,
        "wetted_fraction": 1.0,
        "measured_depletion_mm": None,
        "depletion_variance_mm2": None,
    }
    connection.execute(
        tables.balance_days.insert().values(
            crop_zone_id=zone,
            day=day,
            weather_source="measured",
            water_source="none",
            method_version="2",
            input_digest=b"0" * 32,
            computed_at=NOW,
            **(numbers | values),
        )
    )


def put_station(
    connection: sa.Connection, farm: Farm, days: dict[dt.date, tuple[float, float, float]]
) -> None:
    """A station's daily summaries: highest and lowest temperature [°C] and rain [mm] by day."""
    name = f"{farm.slug}-station"
    devices.put(connection, name, farm_id=farm.id, kind="weather-station", name="Station")
    quantities = ("air_temperature_max", "air_temperature_min", "rain")
    keys = [StreamKey(name, quantity, None, None) for quantity in quantities]
    streams = devices.open_datastreams(connection, keys)
    rows = []
    for day, values in days.items():
        moment = dt.datetime.combine(day, dt.time(18, 55), dt.UTC)  # 23:55 in Almaty
        us = int(moment.timestamp() * 1e6)
        rows += [(us, streams[key], value, 0, us) for key, value in zip(keys, values, strict=True)]
    readings.store(connection, np.array(rows, readings.DTYPE))
