"""A farm with a bit of everything that figures rest on, its season computed, and reports filed."""

import datetime as dt
import json
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

import migrations
from reports.bundle import making
from reports.statements import filing, verifying
from reports.statements.statement import Asked
from storage import adjustments, calibrations, devices, farms, fields, harvests, irrigation, tables
from storage.database import make_engine
from storage.farms import Region
from storage.harvests import HarvestLoad
from storage.irrigation import BaselineSeason, IrrigationEvent
from tests.analytics.daily.conftest import (
    CROP,
    PLANTED,
    SOIL,
    ZONE,
    World,
    at,
    day_of,
    meter,
    probe,
    station,
)
from tests.conftest import own_database, stop_jobs
from tests.reports import machine_farm
from tests.reports.statements.filed import KEY, put_key

SLUG, DAYS = "oasis", 60
HARVESTED = day_of(DAYS - 1)


@contextmanager
def database(server_url: str) -> Iterator[sa.Engine]:
    """A migrated database of its own, beside the others of the tests."""
    with own_database(server_url) as url:
        engine = make_engine(url)
        try:
            migrations.upgrade(engine)
            stop_jobs(engine)
            yield engine
        finally:
            engine.dispose()


def found(engine: sa.Engine) -> World:
    """Found the farm: a metered field, and one with entered water that a combine harvests."""
    with engine.begin() as connection:
        put_key(connection)
        farms.put_region(connection, Region("KZ-61", "61", "Түркістан", "Туркестан", "Turkistan"))
        farm_id = farms.put(
            connection, SLUG, name="Oasis", region_code="KZ-61", timezone=ZONE,
            latitude_deg=51.1, longitude_deg=71.4, elevation_m=210.0,
        )  # fmt: skip
        farm = farms.get(connection, SLUG)
        field_id = fields.put(
            connection, farm_id=farm_id, name="metered", area_ha=10.0, area_source="test",
            soil=SOIL, soil_source="test",
        )  # fmt: skip
        zone_id = _zone(connection, field_id, "cotton", 10.0)
        wheat = machine_farm.put_field(connection, farm, "wheat")
        other = _zone(connection, wheat, "spring-wheat", 2.0)
        _enter(connection, field_id, zone_id, wheat, other, farm_id)
        for name, kind, of in (
            ("station", "weather-station", None),
            ("meter", "flow-meter", field_id),
            ("probe", "soil-probe", field_id),
            ("combine", "harvester", None),
        ):
            devices.put(
                connection, f"{SLUG}-{name}", farm_id=farm_id, field_id=of, kind=kind, name=name
            )
    return World(engine, farm, field_id, zone_id)


def _zone(connection: sa.Connection, field_id: int, crop: str, area_ha: float) -> int:
    return fields.put_zone(
        connection, field_id=field_id, season=2025, crop=crop, planted=PLANTED,
        harvested=HARVESTED, area_ha=area_ha, irrigation_method="drip",
        application_efficiency=0.9, wetted_fraction=0.4, crop_parameters=CROP, conventions={},
    )  # fmt: skip


def _enter(
    connection: sa.Connection, field_id: int, zone_id: int, wheat: int, other: int, farm_id: int
) -> None:
    event = IrrigationEvent(wheat, at(day_of(20), 8), at(day_of(20), 14), 640.0, None, None, "log")
    irrigation.add_events(
        connection,
        [
            event,
            event._replace(
                started_at=at(day_of(35), 8), ended_at=at(day_of(35), 15), volume_m3=720.0
            ),
        ],
    )
    for season, depth in ((2021, 610.0), (2022, 640.0), (2023, 600.0)):
        irrigation.put_baseline(
            connection,
            BaselineSeason(field_id, season, "cotton", 300.0, depth, 0.6, 0.8, "district"),
        )
    adjustments.add(
        connection, zone_id, volume_m3=-50.0, u_volume_m3=10.0, reason="a burst pipe", author="A."
    )
    load = HarvestLoad(zone_id, "1", at(HARVESTED, 10), 28_000.0, None, 2.0, 10.0, "scales")
    harvests.add(connection, [load])
    connection.execute(
        tables.water_supplies.insert().values(
            field_id=field_id, valid_from=PLANTED, source="canal", tariff_kzt_m3=1.5,
            reference="contract 7",
        )
    )  # fmt: skip
    connection.execute(
        tables.investments.insert().values(
            farm_id=farm_id, made_on=dt.date(2024, 3, 1), purpose="water-saving-irrigation",
            amount_kzt=9e6, service_life_years=10.0, reference="act 12",
        )
    )  # fmt: skip


def grow(world: World) -> None:
    """Let devices speak all season, and the combine harvest."""
    world.says("station", station(range(DAYS)))
    world.says("meter", meter(range(DAYS)))
    world.says("probe", probe(range(DAYS)))
    with world.engine.begin() as connection:
        passes = machine_farm.passes(at(HARVESTED, 9), range(10), mass_flow_kg_s=3.0)
        machine_farm.send(connection, f"{SLUG}-combine", passes)
        stream = devices.named(connection, f"{SLUG}-meter", "water_total")
        calibrations.calibrate(
            connection, stream.id, valid_from=at(day_of(30), 0), slope=1.02, intercept=0.0,
            reference="certificate 5", by="test",
        )  # fmt: skip


def file(connection: sa.Connection, kind: str, **more: Any) -> bytes:
    """File a report of the farm."""
    return file_asked(connection, Asked(kind, 2025, farm=SLUG), **more)


def file_asked(connection: sa.Connection, asked: Asked, **more: Any) -> bytes:
    """File what is asked for."""
    made = filing.file(connection, asked, KEY, author="test", **more)
    return filing.envelope(connection, made.revision)


def bundle(connection: sa.Connection, file: bytes, folder: Path) -> Path:
    """Make the bundle of a report's file, of what the transaction sees."""
    path = folder / f"{uuid.uuid4()}.zip"
    with tempfile.TemporaryDirectory() as parts, path.open("wb") as out:
        making.make(connection, report_of(file), out.write, Path(parts))
    return path


def report_of(file: bytes) -> dict[str, Any]:
    """The report in a file."""
    return dict(json.loads(file)["report"])


def keys(engine: sa.Engine) -> dict[str, verifying.Pinned]:
    """The keys that an auditor would have been given."""
    with engine.connect() as connection:
        return verifying.pinned_keys(json.dumps(filing.jwks(connection)).encode())
