"""A farm whose machines, harvest, herd and devices are on record, and its region."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import sqlalchemy as sa

from bench import seeding
from ingest.storing import Line
from seeds import machines
from seeds.farms import catalogue
from seeds.season import TrueSeason, simulate_all
from storage import alerts, devices, farms, heard, readings, rejected, tables, tracks, unknown
from storage.alerts import Opening
from storage.devices import StreamKey
from storage.farms import Region
from storage.rejected import RejectedMessage
from storage.unknown import Sighting
from tests.api.asking import put_account
from tests.api.reading.farms import DRIP, put_farm, put_result, put_zone
from tests.dashboard.season import AFTER
from tests.reports.machine_farm import send

FARM = "kostanay-01"  # rain-fed wheat; its drone watches a herd
REGION = "KZ-39"
DISTRICTS = ("KZ-3910", "KZ-3920")
SOWN, HARVESTED = "2025-05-15", "2025-09-11"
PROBE = f"{FARM}-probe"
STRANGER = "lora:a84041ffff123456"


def put_worked(engine: sa.Engine) -> None:
    """The farm's season through ingest and analysis, its devices as they are now, its region."""
    farm = next(one for one in catalogue() if one.slug == FARM)
    season = seeding.register(engine, [farm])
    seeding.store(Line(engine), season, None, AFTER)
    with engine.begin() as connection:
        _patchy_harvest(connection, simulate_all([farm])[1])
    seeding.analyse(engine, AFTER)
    now = dt.datetime.now(dt.UTC)
    with engine.begin() as connection:
        farm_id = farms.get(connection, FARM).id
        _devices(connection, farm_id, now)
        put_alerts(connection, now)
        _region(connection)
    put_account(engine, "daulet", "operator", farm_ids=[farm_id], language="ru")
    put_account(engine, "boss", "administrator", language="en")
    put_account(engine, "saule", "ministry", regions=[REGION], language="ru")


def _patchy_harvest(connection: sa.Connection, one: TrueSeason) -> None:
    """The combine on the second field, whose yield rises to the east, with hills and hollows."""
    random = np.random.default_rng(5)
    start = dt.datetime(2025, 9, 8, 1, tzinfo=dt.UTC)
    told = machines.harvester(one, round(start.timestamp()))
    west, east = one.field.polygon[0][0], one.field.polygon[1][0]
    rows = np.zeros(len(told), tracks.DTYPE)
    rows["time"] = [_us(dt.datetime.fromisoformat(point["time"])) for point in told]
    rows["received_at"] = rows["time"]
    rows["work_state"] = [point["work_state"] for point in told]
    for name in tracks.NUMBERS:
        wire = {"latitude_deg": "lat", "longitude_deg": "lon"}.get(name, name)
        rows[name] = [point.get(wire, np.nan) for point in told]
    share = (rows["longitude_deg"] - west) / (east - west)
    hills = 0.3 * np.sin(9.0 * share) * np.cos(900.0 * rows["latitude_deg"])
    rows["mass_flow_kg_s"] *= 0.6 + 0.9 * share + hills + random.normal(0.0, 0.05, len(told))
    rows["mass_flow_kg_s"][::97] *= 6.0  # a sensor that stutters
    send(connection, f"{FARM}-harvester", rows)


def _devices(connection: sa.Connection, farm_id: int, now: dt.datetime) -> None:
    """A probe that speaks, with gaps, and messages of it that could not be read."""
    hour = dt.timedelta(hours=1)
    devices.put(connection, PROBE, farm_id=farm_id, kind="soil-probe", name="Probe at the well")
    silent = f"{FARM}-valve"
    devices.put(connection, silent, farm_id=farm_id, kind="valve", name="Valve at the well")
    devices.put(connection, f"{FARM}-new", farm_id=farm_id, kind="flow-meter", name="New meter")
    day = [now - 5 * hour - n * hour for n in range(24 * 12) if not 100 < n < 160]
    _measured(connection, PROBE, "soil_moisture", [(time, 0.24) for time in day])
    _measured(connection, PROBE, "battery_level", [(now - 6 * hour, 41.0)])
    _measured(connection, PROBE, "signal_strength", [(now - 6 * hour, -104.0)])
    _measured(connection, silent, "battery_voltage", [(now - 70 * hour, 3.31)])
    heard.note(connection, {PROBE: _us(now - 5 * hour), silent: _us(now - 70 * hour)})
    devices.note_committed(connection, PROBE, 1, [1, 2, 3, 7, 8])
    topic = f"dala/v1/{PROBE}/senml"
    for reason, detail, payload in (
        ("unknown-unit", "'furlong' is no unit of SenML", b'[{"n":"soil_moisture","u":"furlong"}]'),
        ("time-in-future", "3 h ahead", b'[{"n":"soil_moisture","v":0.2,"t":4102444800}]'),
    ):
        one = RejectedMessage(PROBE, topic, payload, reason, detail, now - 8 * hour)
        rejected.add(connection, [one])
    unknown.note(
        connection,
        [
            Sighting(
                STRANGER,
                "application/7/device/a84041ffff123456/event/up",
                12,
                now - 30 * hour,
                now - hour,
            )
        ],
    )


def _measured(
    connection: sa.Connection, device: str, quantity: str, rows: list[tuple[dt.datetime, float]]
) -> None:
    key = StreamKey(device, quantity, None, None)
    stream = devices.open_datastreams(connection, [key])[key]
    if quantity == "soil_moisture":
        connection.execute(_HOURLY, {"stream": stream})
    table = np.zeros(len(rows), readings.DTYPE)
    table["datastream_id"] = stream
    table["time"] = table["received_at"] = [_us(time) for time, _ in rows]
    table["value"] = [value for _, value in rows]
    readings.store(connection, table)


_HOURLY = sa.text("UPDATE datastreams SET expected_interval_s = 3600 WHERE id = :stream")


def _us(moment: dt.datetime) -> int:
    return round(moment.timestamp()) * 1_000_000


def put_alerts(connection: sa.Connection, now: dt.datetime) -> None:
    """One that is open, and one that is over and was known; no others of the farm."""
    farm_id = farms.get(connection, FARM).id
    connection.execute(sa.delete(tables.alerts).where(tables.alerts.c.farm_id == farm_id))
    day = dt.timedelta(days=1)
    for device, level, begun in ((PROBE, 14.0, now - day), (f"{FARM}-valve", 9.0, now - 9 * day)):
        details: dict[str, Any] = {
            "device": device,
            "level_pct": level,
            "low_level_pct": 20.0,
            "time": begun.isoformat(),
        }
        opening = Opening("low-battery", f"device:{device}/battery", farm_id, details)
        alerts.open(connection, [opening], now=begun)
    (over,) = [one for one in alerts.page(connection, farm_id=farm_id) if "valve" in one.subject]
    alerts.acknowledge(connection, over.id, by="account:boss", now=now - 8 * day, note="ordered")
    open_one = f"device:{PROBE}/battery"
    alerts.clear_others(connection, "low-battery", [open_one], now=now - 7 * day)


# What was saved on 10 ha [m³], and its standard uncertainty: the first two are not told apart, the
# third lies below both, and the last is more water than before.
SAVED = (
    ("ayan", DISTRICTS[0], 20_000.0, 2_000.0),
    ("bereke", DISTRICTS[0], 17_000.0, 2_500.0),
    ("dostyk", DISTRICTS[1], 5_000.0, 1_000.0),
    ("zhana", DISTRICTS[1], -3_000.0, 800.0),
)


def _region(connection: sa.Connection) -> None:
    names = (("Қостанай ауданы", "Костанайский район", "Kostanay District"),
             ("Әулиекөл ауданы", "Аулиекольский район", "Auliekol District"))  # fmt: skip
    for code, (kk, ru, en) in zip(DISTRICTS, names, strict=True):
        farms.put_region(connection, Region(code, None, kk, ru, en))
    for slug, district, saved, error in SAVED:
        zone = put_zone(connection, put_farm(connection, slug, district), "field-1", 10.0)
        put_result(
            connection,
            zone,
            DRIP
            | {
                "apparent_savings_m3": 1.2 * saved,
                "consumptive_savings_m3": saved,
                "consumptive_u_independent_m3": error,
            },
        )
