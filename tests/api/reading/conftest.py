"""Farms on a real database, and a client of the API that listens as it does in service."""

import datetime as dt
from collections.abc import Iterator

import httpx
import pytest
import sqlalchemy as sa

from seeds import load, messages, season
from seeds.farms import catalogue
from storage import devices, farms
from storage.farms import Region
from storage.tables import metadata
from tests.api.reading.farms import (
    ALMATY_JUNE_15,
    DRIP,
    NOW,
    RAINFED,
    SPRINKLER,
    put_farm,
    put_harvest,
    put_head,
    put_readings,
    put_result,
    put_zone,
    serving,
)


@pytest.fixture(scope="module")
def seeded(engine: sa.Engine) -> Iterator[sa.Engine]:
    """Two simulated farms, three made by hand, and a few readings of a station."""
    truth = season.simulate_all(catalogue(2))
    with engine.begin() as connection:
        load.load(connection, truth, list(messages.senders(truth)))
        put_head(connection)
        farms.put_region(connection, Region("KZ-62", "62", "Ұлытау", "Улытау", "Ulytau"))
        put_farm(connection, "empty")
        hand, dry = (put_farm(connection, slug, "KZ-62") for slug in ("hand", "rainfed"))
        zones = [put_zone(connection, hand, f"field-{n}", area) for n, area in ((1, 10), (2, 30))]
        zones += [put_zone(connection, hand, "field-3", 10), put_zone(connection, dry, "all", 50)]
        for zone, values in zip(zones, (DRIP, SPRINKLER, RAINFED, RAINFED), strict=True):
            put_result(connection, zone, values)
        put_harvest(connection, truth[0])
        for device, last in (("heard", NOW - dt.timedelta(hours=23)), ("late", ALMATY_JUNE_15)):
            devices.put(connection, device, farm_id=hand, kind="soil-probe", name=device)
            put_readings(connection, device, "battery_level", [(last, 80.0)])
        devices.put(connection, "never", farm_id=hand, kind="soil-probe", name="never")
        devices.put(connection, "off", farm_id=hand, kind="soil-probe", name="off", disabled=True)
    yield engine
    names = ", ".join(table.name for table in metadata.sorted_tables)
    with engine.begin() as connection:
        connection.execute(sa.text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))


@pytest.fixture(scope="module")
def client(seeded: sa.Engine) -> Iterator[httpx.Client]:
    with serving(seeded) as opened:
        yield opened


@pytest.fixture(scope="module")
def stream(seeded: sa.Engine) -> int:
    """Air temperature: 1 and 3 °C on the 15th of June in Almaty, 10 °C on the 16th."""
    hours = ((0, 1.0), (23.5, 3.0), (24, 10.0))
    rows = [(ALMATY_JUNE_15 + dt.timedelta(hours=hour), value) for hour, value in hours]
    with seeded.begin() as connection:
        return put_readings(connection, "turkistan-01-station", "air_temperature", rows)
