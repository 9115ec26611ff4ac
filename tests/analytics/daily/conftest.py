"""A small farm whose readings a test writes itself, day by day."""

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import pytest
import sqlalchemy as sa

from analytics import daily
from analytics.weather import local_days
from storage import devices, farms, fields, news, readings, results, tables
from storage.devices import StreamKey
from storage.farms import Farm

ZONE = "Asia/Almaty"
PLANTED = dt.date(2025, 5, 1)
SOIL = {"theta_fc": 0.30, "theta_wp": 0.12, "ze_m": 0.10, "rew_mm": 9.0, "theta_0": 0.27}
CROP = {
    "name": "cotton", "kcb_ini": 0.15, "kcb_mid": 1.15, "kcb_end": 0.5, "l_ini": 10, "l_dev": 20,
    "l_mid": 20, "l_end": 10, "h_ini_m": 0.05, "h_max_m": 1.2, "zr_ini_m": 0.3, "zr_max_m": 1.2,
    "p": 0.6,
}  # fmt: skip
SUMMARIES = (
    "air_temperature_max", "air_temperature_min", "dew_point", "relative_humidity_max",
    "relative_humidity_min", "solar_radiation_sum", "wind_speed_mean", "rain",
)  # fmt: skip
Reading = tuple[dt.datetime, str, float | None, float]  # time, quantity, depth, value


class World(NamedTuple):
    """A farm of the test database with one field and one crop zone."""

    engine: sa.Engine
    farm: Farm
    field_id: int
    zone_id: int

    def says(self, device: str, rows: Iterable[Reading]) -> None:
        """Store readings of a device as ingest does, with the news of them."""
        rows = list(rows)
        device_id = f"{self.farm.slug}-{device}"
        with self.engine.begin() as connection:
            keys = [StreamKey(device_id, quantity, depth, None) for _, quantity, depth, _ in rows]
            ids = devices.open_datastreams(connection, sorted(set(keys), key=repr))
            table = np.zeros(len(rows), readings.DTYPE)
            table["datastream_id"] = [ids[key] for key in keys]
            table["time"] = [round(time.timestamp() * 1e6) for time, _, _, _ in rows]
            table["value"] = [value for *_, value in rows]
            new = readings.store(connection, table).new
            news.note_readings(connection, table["datastream_id"][new], table["time"][new])

    def change(self, **values: Any) -> None:
        """Enter the crop zone's values anew."""
        zone = tables.crop_zones
        with self.engine.begin() as connection:
            connection.execute(zone.update().where(zone.c.id == self.zone_id).values(values))

    def soil(self, soil: dict[str, Any]) -> None:
        """Enter the field's soil anew."""
        field = tables.fields
        with self.engine.begin() as connection:
            connection.execute(field.update().where(field.c.id == self.field_id).values(soil=soil))

    def analyse(self, now: dt.datetime | dt.date) -> daily.Done:
        """Analyse the farm; a date is its midnight at the farm."""
        if not isinstance(now, dt.datetime):
            now = midnight(now)
        return daily.compute(self.engine, [self.farm], now=now)

    def rows(self) -> list[dict[str, Any]]:
        """The standing days of the zone, with when they were computed."""
        query = sa.text("""
            SELECT * FROM balance_days WHERE crop_zone_id = :zone AND superseded_at IS NULL
            ORDER BY day""")
        with self.engine.connect() as connection:
            found = connection.execute(query, {"zone": self.zone_id}).mappings()
            return [dict(row) for row in found]

    def result(self) -> dict[str, Any]:
        """The zone's standing result."""
        with self.engine.connect() as connection:
            return dict(results.seasons(connection, [self.zone_id])[self.zone_id])


def midnight(day: dt.date) -> dt.datetime:
    """When a day begins at the farm."""
    edge = local_days(day, day, ZONE).edges_us[0]
    return dt.datetime.fromtimestamp(int(edge) / 1e6, dt.UTC)


def at(day: dt.date, hour: float) -> dt.datetime:
    """A local time of the farm."""
    return midnight(day) + dt.timedelta(hours=hour)


def day_of(number: int) -> dt.date:
    """Days since planting."""
    return PLANTED + dt.timedelta(days=number)


def station(numbers: Iterable[int], *, leave_out: Iterable[str] = ()) -> list[Reading]:
    """A station's daily summaries, different every day and the same every time."""
    rows: list[Reading] = []
    for number in numbers:
        random = np.random.default_rng(number)
        high = 24.0 + random.uniform(0, 10)
        values = {
            "air_temperature_max": high,
            "air_temperature_min": high - random.uniform(9, 15),
            "dew_point": high - random.uniform(18, 22),
            "relative_humidity_max": random.uniform(60, 90),
            "relative_humidity_min": random.uniform(15, 35),
            "solar_radiation_sum": random.uniform(15, 27),
            "wind_speed_mean": random.uniform(1, 4),
            "rain": 8.0 if number % 11 == 4 else 0.0,
        }
        for quantity in SUMMARIES:
            if quantity not in leave_out:
                time = at(day_of(number), 23.9)
                rows.append((time, quantity, None, round(float(values[quantity]), 2)))
    return rows


def meter(numbers: Iterable[int], *, begins: float = 1000.0) -> list[Reading]:
    """A counter read at midday and shortly before midnight: 300 m³ every fifth day."""
    rows: list[Reading] = []
    for number in numbers:
        total = begins + 300.0 * (number // 5)
        rows.append((at(day_of(number), 12), "water_total", None, total))
        if number % 5 == 4:
            total += 300.0
        rows.append((at(day_of(number), 23.8), "water_total", None, total))
    return rows


def probe(numbers: Iterable[int]) -> list[Reading]:
    """Soil moisture in the evening at three depths."""
    rows: list[Reading] = []
    for number in numbers:
        random = np.random.default_rng([number, 7])
        for depth in (20.0, 50.0, 90.0):
            value = 0.24 + 0.02 * np.sin(number / 6) + random.normal(0, 0.003)
            rows.append((at(day_of(number), 20), "soil_moisture", depth, round(float(value), 4)))
    return rows


@pytest.fixture
def found_farm(empty_engine: sa.Engine) -> Callable[..., World]:
    """Make a farm with a field of 10 ha, a crop zone, a station, a meter and a probe."""

    def make(slug: str, **zone: Any) -> World:
        with empty_engine.begin() as connection:
            farm_id = farms.put(
                connection, slug, name=slug, timezone=ZONE, latitude_deg=43.3,
                longitude_deg=68.2, elevation_m=210.0,
            )  # fmt: skip
            field_id = fields.put(
                connection, farm_id=farm_id, name="field-1", area_ha=10.0, area_source="test",
                soil=SOIL, soil_source="test",
            )  # fmt: skip
            values = {
                "planted": PLANTED,
                "harvested": day_of(59),
                "area_ha": 10.0,
                "irrigation_method": "drip",
                "application_efficiency": 0.9,
                "wetted_fraction": 0.4,
                "crop_parameters": CROP,
                "conventions": {},
            }
            zone_id = fields.put_zone(
                connection, field_id=field_id, season=2025, crop="cotton", **(values | zone)
            )
            for name, kind, of in (
                ("station", "weather-station", None),
                ("meter", "flow-meter", field_id),
                ("probe", "soil-probe", field_id),
            ):
                devices.put(
                    connection, f"{slug}-{name}", farm_id=farm_id, field_id=of, kind=kind, name=name
                )
            return World(empty_engine, farms.get(connection, slug), field_id, zone_id)

    return make
