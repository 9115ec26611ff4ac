"""The two farms of what comes into service, as they were before each test."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from storage import tables
from tests.api.onboarding.world import KEY, World
from tests.conftest import empty


@pytest.fixture(scope="module")
def world(engine: sa.Engine) -> Iterator[World]:
    yield World(engine)
    empty(engine)


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DALA_BROKER_KEY", KEY)
    monkeypatch.setenv("DALA_PUBLIC_MQTT_URL", "mqtts://mqtt.farm.example:8884")


@pytest.fixture(autouse=True)
def _as_it_was(world: World) -> Iterator[None]:
    """Every device that a test made is gone after it."""
    yield
    known = [world.mine.device, world.theirs.device]
    with world.engine.begin() as connection:
        for name in ("device_placements", "datastream_calibrations", "device_credentials",
                     "audit_log", "unknown_devices", "kept_answers"):  # fmt: skip
            connection.execute(sa.delete(tables.metadata.tables[name]))
        connection.execute(sa.delete(tables.devices).where(tables.devices.c.id.not_in(known)))
        connection.execute(
            sa.update(tables.devices)
            .where(tables.devices.c.id == world.mine.device)
            .values(field_id=world.mine.field, disabled=False)
        )
