"""Two farms in two regions, for tests of who sees what."""

import datetime as dt
from typing import NamedTuple

import sqlalchemy as sa

from reports.statements import filing as statements
from reports.statements.signing import SigningKey
from reports.statements.statement import Asked
from storage import alerts, devices, farms, fields, filing, tables
from storage.alerts import Opening
from storage.devices import StreamKey
from storage.farms import Region

KEY = SigningKey.make()
START = dt.datetime(2025, 6, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


class Land(NamedTuple):
    """A farm with a field, a crop zone, a device, a datastream, in a region of its own."""

    farm: int
    field: int
    zone: int
    stream: int
    slug: str
    device: str
    region: str
    alert: int  # one that is open, of the device's silence
    report: str  # of its water, filed


def put_land(connection: sa.Connection, slug: str, region: str) -> Land:
    farms.put_region(connection, Region(region, region[-2:], region, region, region))
    place = {"latitude_deg": 43.0, "longitude_deg": 76.0, "elevation_m": 700.0}
    farm = farms.put(
        connection, slug, name=slug, region_code=region, timezone="Asia/Almaty", **place
    )
    soil = {"area_ha": 10.0, "area_source": "stated", "soil": {}, "soil_source": "stated"}
    field = fields.put(connection, farm_id=farm, name="field-1", **soil)
    zone = fields.put_zone(
        connection,
        field_id=field,
        season=2025,
        crop="cotton",
        planted=dt.date(2025, 4, 20),
        harvested=dt.date(2025, 9, 30),
        area_ha=10.0,
        crop_parameters={},
        conventions={},
    )
    device = f"{slug}-probe"
    devices.put(connection, device, farm_id=farm, kind="soil-probe", name=device, field_id=field)
    key = StreamKey(device, "soil_moisture", None, None)
    stream = devices.open_datastreams(connection, [key])[key]
    # Not by COPY, which the TimescaleDB of the tests has not.
    connection.execute(
        sa.insert(tables.readings),
        [
            {
                "time": START + hour * DAY / 24,
                "datastream_id": stream,
                "value": float(farm),
                "quality": 0,
                "received_at": START + hour * DAY / 24,
            }
            for hour in range(48)
        ],
    )
    _wait_to_be_sealed(connection, farm)
    said = {"device": device, "newest_reading": START.isoformat(), "expected_interval_s": 600}
    alerts.open(connection, [Opening("silent", f"device:{device}", farm, said)], now=START)
    (alert,) = alerts.page(connection, farm_id=farm)
    report = _filed(connection, slug)
    return Land(farm, field, zone, stream, slug, device, region, alert.id, report)


def _wait_to_be_sealed(connection: sa.Connection, farm: int) -> None:
    """A batch of the farm, so that its report rests on a head of the tree."""
    number = connection.scalar(sa.text("SELECT nextval('batch_ids')"))
    values = {"farm_ids": [farm], "row_counts": [48], "digests": bytes(range(32))}
    values |= {"first_at": [START], "last_at": [START + 2 * DAY]}
    statement = sa.insert(tables.pending_batches).values(id=number, kind="readings", **values)
    connection.execute(statement)


def _filed(connection: sa.Connection, slug: str) -> str:
    filing.put_key(connection, KEY.kid, KEY.public, role="files", owner="tests", created_by="test")
    asked = Asked("water", 2025, farm=slug)
    return statements.file(connection, asked, KEY, author="test").report.number
