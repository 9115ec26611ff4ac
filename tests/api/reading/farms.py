"""What a farm of the tests is made of: zones, results, readings, a harvest; and a service of it."""

import datetime as dt
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import numpy as np
import sqlalchemy as sa
import uvicorn

from analytics import daily
from api.app import make_app
from api.dependencies import current_time
from api.settings import ApiSettings
from reports.statements import sealing
from reports.statements.signing import SigningKey
from seeds import machines, season
from storage import devices, farms, fields, filing, heard, readings, results, tables, tracks

NOW = dt.datetime(2025, 9, 1, 12, tzinfo=dt.UTC)
MONTHS = dt.timedelta(days=120)
SEASON = 2025
ALMATY_JUNE_15 = dt.datetime(2025, 6, 14, 19, tzinfo=dt.UTC)  # midnight there, UTC+5

# Two zones that saved water, of which one brought no yield in, and one that is rain-fed.
DRIP = {
    "applied_m3": 30_000.0,
    "baseline_m3": 50_000.0,
    "apparent_savings_m3": 20_000.0,
    "apparent_u_independent_m3": 3_000.0,
    "apparent_u_shared_m3": 1_000.0,
    "apparent_coverage_factor": 2.5,
    "consumptive_savings_m3": 3_000.0,
    "consumptive_u_independent_m3": 1_500.0,
    "consumptive_u_shared_m3": 0.0,
    "consumptive_coverage_factor": 2.5,
    "recoverable_change_m3": -17_000.0,
    "eta_mm": 500.0,
    "closure_mm": -2e-13,
    "harvested_ha": 10.0,
    "bunker_mass_kg": 33_000.0,
    "mass_kg": 30_000.0,
    "moisture_pct": 15.0,
    "weather_coverage_pct": 100.0,
    "water_coverage_pct": 100.0,
    "yield_source": "weighed loads",
}
SPRINKLER = {
    "applied_m3": 90_000.0,
    "baseline_m3": 92_000.0,
    "apparent_savings_m3": 2_000.0,
    "apparent_u_independent_m3": 4_000.0,
    "apparent_u_shared_m3": 1_000.0,
    "apparent_coverage_factor": 3.0,
    "consumptive_savings_m3": -1_000.0,
    "consumptive_u_independent_m3": 2_000.0,
    "consumptive_u_shared_m3": 0.0,
    "consumptive_coverage_factor": 3.0,
    "recoverable_change_m3": 3_000.0,
    "eta_mm": 400.0,
    "closure_mm": 1e-13,
    "harvested_ha": 20.0,
    "bunker_mass_kg": 66_000.0,
    "mass_kg": 60_000.0,
    "moisture_pct": 18.0,
    "weather_coverage_pct": 100.0,
    "water_coverage_pct": 50.0,
    "yield_source": "weighed loads",
}
RAINFED = {"applied_m3": 0.0, "eta_mm": 300.0, "weather_coverage_pct": 100.0}


def put_farm(connection: sa.Connection, slug: str, region: str | None = None) -> int:
    return farms.put(
        connection,
        slug,
        name=slug.title(),
        region_code=region,
        timezone="Asia/Almaty",
        latitude_deg=43.0,
        longitude_deg=76.0,
        elevation_m=700.0,
    )


def put_zone(connection: sa.Connection, farm_id: int, name: str, area_ha: float) -> int:
    field_id = fields.put(
        connection,
        farm_id=farm_id,
        name=name,
        area_ha=area_ha,
        area_source="stated",
        soil={},
        soil_source="stated",
    )
    return fields.put_zone(
        connection,
        field_id=field_id,
        season=SEASON,
        crop="cotton",
        planted=dt.date(2025, 4, 20),
        harvested=dt.date(2025, 9, 30),
        area_ha=area_ha,
        crop_parameters={},
        conventions={},
    )


def put_result(
    connection: sa.Connection, zone_id: int, values: dict[str, Any], digest: str = "first"
) -> None:
    stated = {"method": "regression", "method_version": "1", "input_digest": digest}
    results.put_season(connection, zone_id, values | stated | {"conventions": {}, "notes": []})


def put_readings(
    connection: sa.Connection, device: str, quantity: str, rows: list[tuple[dt.datetime, float]]
) -> int:
    """Readings received the moment they were measured; returns the datastream."""
    key = devices.StreamKey(device, quantity, None, None)
    stream = devices.open_datastreams(connection, [key])[key]
    table = np.zeros(len(rows), readings.DTYPE)
    table["datastream_id"] = stream
    table["time"] = table["received_at"] = [int(time.timestamp()) * 1_000_000 for time, _ in rows]
    table["value"] = [value for _, value in rows]
    readings.store(connection, table)
    heard.note(connection, {device: int(table["received_at"].max())})
    return stream


def put_harvest(connection: sa.Connection, one: season.TrueSeason) -> None:
    """The track of a field's harvester, on the last day of its season, and what it amounts to."""
    day = one.field.planted + dt.timedelta(days=one.field.days - 1)
    start = dt.datetime.combine(day, dt.time(1), dt.UTC)
    told = machines.harvester(one, int(start.timestamp()))
    rows = np.zeros(len(told), tracks.DTYPE)
    rows["time"] = [round(dt.datetime.fromisoformat(p["time"]).timestamp() * 1e6) for p in told]
    rows["work_state"] = [p["work_state"] for p in told]
    for name in tracks.NUMBERS:
        wire = {"latitude_deg": "lat", "longitude_deg": "lon"}.get(name, name)
        rows[name] = [p.get(wire, np.nan) for p in told]
    device = f"{one.farm.slug}-harvester"
    tracks.store(connection, [device], rows)
    farm = farms.get(connection, one.farm.slug)
    daily.machines.compute(connection, {farm.id: farm}, {device: start}, now=NOW + MONTHS)


@contextmanager
def serving(engine: sa.Engine, **settings: Any) -> Iterator[httpx.Client]:
    """A client of the API, which listens on a loopback port as it does in service.

    It is open to all, unless settings say otherwise.
    """
    app = make_app(engine, ApiSettings(**({"api_open": True, "api_rate_per_minute": 0} | settings)))
    app.dependency_overrides[current_time] = lambda: NOW
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off", ws="none"))
    # Only of a socket that says it is TCP does asyncio switch Nagle's delay off.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listener:
        listener.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            host, port = listener.getsockname()
            with httpx.Client(base_url=f"http://{host}:{port}", timeout=30) as opened:
                yield opened
        finally:
            server.should_exit = True
            thread.join()


def is_problem(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["status"] == status
    assert body["type"].startswith("urn:dala:problem:")
    assert body["title"]
    assert body["detail"]
    return body


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        # What is read by who writes, subscribes or administers is not for who shows nothing.
        if str(item.get("get", {}).get("x-scope")).startswith("read:"):
            yield path, item["get"]


def answers_json(operation: dict[str, Any]) -> bool:
    return "application/json" in operation["responses"]["200"].get("content", {})


def put_head(connection: sa.Connection) -> None:
    """A head of the tree of evidence, over one batch."""
    key = SigningKey.make()
    filing.put_key(connection, key.kid, key.public, role="files", owner="", created_by="test")
    values = {"farm_ids": [0], "row_counts": [1], "digests": bytes(32)}
    values |= {"first_at": [NOW], "last_at": [NOW]}
    waiting = tables.pending_batches
    connection.execute(sa.delete(waiting))
    connection.execute(sa.insert(waiting).values(id=1, kind="readings", **values))
    sealing.seal(connection, key, author="test")
