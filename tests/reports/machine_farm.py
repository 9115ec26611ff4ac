"""A farm on the steppe whose machines, drones and herds a test drives itself."""

import datetime as dt
from typing import Any

import numpy as np
import sqlalchemy as sa

from analytics import daily
from storage import devices, farms, fields, news, tracks
from storage.farms import Farm
from tests.analytics.ground import place, rectangle

ZONE = dt.timezone(dt.timedelta(hours=5))  # Asia/Almaty
SOIL = {"theta_fc": 0.30, "theta_wp": 0.12, "ze_m": 0.10, "rew_mm": 9.0, "theta_0": 0.27}
CROP = {
    "name": "spring-wheat", "kcb_ini": 0.15, "kcb_mid": 1.1, "kcb_end": 0.3, "l_ini": 20,
    "l_dev": 30, "l_mid": 40, "l_end": 30, "h_ini_m": 0.05, "h_max_m": 1.0, "zr_ini_m": 0.3,
    "zr_max_m": 1.2, "p": 0.55,
}  # fmt: skip
HARVESTED = dt.date(2025, 9, 10)
Rows = np.ndarray[Any, Any]


def put_farm(connection: sa.Connection, slug: str = "steppe", region: str | None = None) -> Farm:
    farms.put(
        connection, slug, name=slug.title(), region_code=region, timezone="Asia/Almaty",
        latitude_deg=51.1, longitude_deg=71.4, elevation_m=350.0,
    )  # fmt: skip
    return farms.get(connection, slug)


def put_field(
    connection: sa.Connection,
    farm: Farm,
    name: str,
    *,
    east: tuple[float, float] = (0.0, 100.0),
    north: tuple[float, float] = (0.0, 200.0),
    land_use: str = "arable",
) -> int:
    """A rectangle between distances from the farm's corner [m]."""
    area = (east[1] - east[0]) * (north[1] - north[0]) / 1e4
    field_id = fields.put(
        connection, farm_id=farm.id, name=name, area_ha=area, area_source="stated", soil=SOIL,
        soil_source="stated", land_use=land_use,
    )  # fmt: skip
    fields.add_boundary(
        connection, field_id, rectangle(east, north), geometry_source="test", area_ha=area
    )
    return field_id


def put_zone(connection: sa.Connection, field_id: int, **values: Any) -> int:
    known = {
        "season": 2025, "crop": "spring-wheat", "planted": dt.date(2025, 5, 15),
        "harvested": HARVESTED, "area_ha": 2.0, "crop_parameters": CROP, "conventions": {},
    } | values  # fmt: skip
    return fields.put_zone(connection, field_id=field_id, **known)


def put_device(connection: sa.Connection, farm: Farm, name: str, kind: str) -> str:
    device_id = f"{farm.slug}-{name}"
    devices.put(connection, device_id, farm_id=farm.id, kind=kind, name=name.title())
    return device_id


def at(day: dt.date, hour: float) -> dt.datetime:
    """A local time of the farm."""
    return dt.datetime.combine(day, dt.time(), ZONE) + dt.timedelta(hours=hour)


def points(start: dt.datetime, seconds: Any, east: Any, north: Any, **values: Any) -> Rows:
    """Points so many seconds after the start; what is not given is unknown."""
    after = np.asarray(seconds, float)
    rows = np.zeros(after.size, tracks.DTYPE)
    rows["time"] = round(start.timestamp() * 1e6) + np.round(after * 1e6).astype(np.int64)
    rows["received_at"] = rows["time"]
    rows["work_state"] = values.pop("work_state", -1)
    for name in tracks.NUMBERS:
        rows[name] = values.pop(name, np.nan)
    assert not values
    rows["longitude_deg"], rows["latitude_deg"] = place(np.broadcast_to(east, after.shape), north)
    return rows


def passes(
    start: dt.datetime,
    numbers: range,
    *,
    length_m: float = 200.0,
    width_m: float = 10.0,
    speed_m_s: float = 2.0,
    every_s: float = 10.0,
    **values: Any,
) -> Rows:
    """Passes to and fro, side by side from the west; 30 s with the implement up between them."""
    parts = []
    lasts = length_m / speed_m_s
    along = np.arange(0.0, lasts + 1e-6, every_s)
    for count, number in enumerate(numbers):
        begins = start + dt.timedelta(seconds=count * (lasts + 30.0))
        way = speed_m_s * along
        north = way if number % 2 == 0 else length_m - way
        middle = (number + 0.5) * width_m
        parts.append(
            points(
                begins, along, middle, north, work_state=1, width_m=width_m, speed_m_s=speed_m_s,
                **values,
            )
        )  # fmt: skip
        up = {name: value for name, value in values.items() if name == "fuel_rate_l_h"}
        turn = {"work_state": 0, "speed_m_s": 0.0, **up}
        parts.append(points(begins, [lasts + 5.0], middle, north[-1], **turn))
    return np.concatenate(parts)


def circle(start: dt.datetime, east: float, north: float, animals: float) -> Rows:
    """A herding drone's round of 100 m around a herd, ten minutes long, from ground to ground."""
    bearing = np.radians(np.arange(0, 360, 6))
    height = np.full(bearing.size, 60.0)
    height[[0, -1]] = 0.0
    return points(
        start, 10.0 * np.arange(bearing.size), east + 100 * np.sin(bearing),
        north + 100 * np.cos(bearing), elevation_m=350.0 + height, speed_m_s=1.05, width_m=90.0,
        animals_seen=animals,
    )  # fmt: skip


def send(connection: sa.Connection, device_id: str, rows: Rows) -> None:
    """Store points as ingest does, with the news of them."""
    new = tracks.store(connection, [device_id], rows)
    news.note_points(connection, [device_id], rows["device"][new], rows["time"][new])


def analyse(engine: sa.Engine, farm: Farm, now: dt.datetime) -> daily.Done:
    return daily.compute(engine, [farm], now=now)
