"""A farm with two devices, for tests of what is noticed of them."""

import pytest
import sqlalchemy as sa

from ingest.storing import Line
from storage import devices, farms
from tests.ingest.alerts.steppe import PROBE, TRACTOR


@pytest.fixture
def farm_id(empty_engine: sa.Engine) -> int:
    with empty_engine.begin() as connection:
        return farms.put(
            connection,
            "steppe",
            name="Steppe",
            region_code=None,
            timezone="Asia/Almaty",
            latitude_deg=43.3,
            longitude_deg=68.3,
            elevation_m=220.0,
        )


@pytest.fixture
def database(empty_engine: sa.Engine, farm_id: int) -> sa.Engine:
    with empty_engine.begin() as connection:
        devices.put(connection, PROBE, kind="soil-probe", name="Probe", farm_id=farm_id)
        devices.put(connection, TRACTOR, kind="tractor", name="Tractor", farm_id=farm_id)
    return empty_engine


@pytest.fixture
def line(database: sa.Engine) -> Line:
    return Line(database)
