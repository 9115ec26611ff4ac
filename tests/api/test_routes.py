"""What a client of the REST API may rely on, on a real database."""

import datetime as dt
import itertools
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import numpy as np
import pytest
import sqlalchemy as sa
import uvicorn

from analytics import daily
from api.app import make_app
from api.dependencies import current_time
from api.settings import ApiSettings
from seeds import load, machines, messages, season
from seeds.farms import catalogue
from storage import devices, farms, fields, heard, readings, results, tracks
from storage.database import make_engine
from storage.farms import Region
from storage.tables import metadata
from tests.api.asking import Api, put_key

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


@pytest.fixture(scope="module")
def seeded(engine: sa.Engine) -> Iterator[sa.Engine]:
    """Two simulated farms, three made by hand, and a few readings of a station."""
    truth = season.simulate_all(catalogue(2))
    with engine.begin() as connection:
        load.load(connection, truth, list(messages.senders(truth)))
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


def is_problem(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["status"] == status
    assert body["type"].startswith("urn:dala:problem:")
    assert body["title"]
    assert body["detail"]
    return body


# --- the summary's arithmetic ---------------------------------------------------------------------


def test_a_farm_adds_up_its_zones(client: httpx.Client) -> None:
    found = client.get("/v1/farms/hand/summary?season=2025").json()

    assert found["area_ha"] == 50.0
    water = found["water"]
    assert water["applied_m3"] == 120_000.0
    assert water["applied_mm"] == pytest.approx(240.0)  # 120 000 m³ on 50 ha, 10 m³ to the ha·mm
    assert (water["baseline_m3"], water["baseline_area_ha"]) == (142_000.0, 40.0)
    assert water["recoverable_change_m3"] == -14_000.0
    assert water["eta_mm"] == pytest.approx(400.0)  # (10·500 + 30·400 + 10·300) / 50
    # 90 t over the evapotranspiration of the fields that were weighed: 50 000 + 120 000 m³.
    assert water["water_productivity_kg_m3"] == pytest.approx(90_000 / 170_000)
    assert water["weather_coverage_pct"] == 100.0
    assert water["water_coverage_pct"] == pytest.approx(62.5)  # (10·100 + 30·50) / 40: metered
    assert water["coverage_pct"] == pytest.approx(62.5)  # the lower of both
    assert water["closure_mm"] == 2e-13
    assert [zone["field"] for zone in found["crop_zones"]] == ["field-1", "field-2", "field-3"]


def test_own_uncertainties_add_in_quadrature_and_shared_ones_linearly(client: httpx.Client) -> None:
    saving = client.get("/v1/farms/hand/summary").json()["water"]["apparent_savings_m3"]

    # u² = 3000² + 4000² + (1000 + 1000)² = 29e6; the wider of the factors 2.5 and 3.
    half = 3.0 * 29e6**0.5
    assert saving["value"] == 22_000.0
    assert saving["ci95"] == pytest.approx([22_000.0 - half, 22_000.0 + half])
    assert saving["demonstrated"] is True  # 22 000 > 2 · 5385


def test_a_saving_within_two_standard_errors_is_not_demonstrated(client: httpx.Client) -> None:
    found = client.get("/v1/farms/hand/summary").json()

    # 3000 - 1000, u = √(1500² + 2000²) = 2500.
    assert found["water"]["consumptive_savings_m3"] == {
        "value": 2_000.0,
        "ci95": [pytest.approx(-5_500.0), pytest.approx(9_500.0)],
        "demonstrated": False,
    }
    second = found["crop_zones"][1]["water"]["consumptive_savings_m3"]
    assert second["value"] == -1_000.0  # shown as negative
    assert second["demonstrated"] is False


def test_without_a_baseline_there_is_no_saving_rather_than_none_saved(client: httpx.Client) -> None:
    water = client.get("/v1/farms/rainfed/summary").json()["water"]

    assert water["applied_m3"] == 0.0
    for name in ("baseline_m3", "apparent_savings_m3", "consumptive_savings_m3"):
        assert water[name] is None


def test_a_yield_is_mass_over_area_and_its_moisture_weighs_by_mass(client: httpx.Client) -> None:
    found = client.get("/v1/farms/hand/summary").json()["yield"]

    (of_cotton,) = found.pop("by_crop")
    assert (of_cotton["crop"], of_cotton["yield_kg_ha"]) == ("cotton", 3_000.0)
    assert found == {
        "harvested_ha": 30.0,
        "mass_t": 90.0,
        "bunker_mass_t": 99.0,
        "yield_kg_ha": 3_000.0,
        "yield_centner_ha": 30.0,
        "moisture_pct": pytest.approx(17.0),  # (33·15 + 66·18) / 99
        "source": "weighed loads",
        "sown_ha": 50.0,  # 20 ha were sown and not weighed
        "monitor": None,
        "response_estimate": None,
    }


def test_devices_in_service_report_or_are_silent(client: httpx.Client) -> None:
    found = client.get("/v1/farms/hand/summary").json()

    assert found["devices"] == {"total": 3, "reporting": 1, "silent": 2}  # one is switched off


def test_a_region_is_the_sum_of_its_farms(client: httpx.Client) -> None:
    found = client.get("/v1/regions/KZ-62/summary?season=2025").json()

    assert (found["farms_registered"], found["farms_reporting"]) == (2, 2)
    assert (found["area_ha"], found["water"]["applied_m3"]) == (100.0, 120_000.0)
    assert found["water"]["eta_mm"] == pytest.approx(350.0)  # (50·400 + 50·300) / 100
    assert [line["farm"] for line in found["farms"]] == ["hand", "rainfed"]
    assert found["water"]["apparent_savings_m3"]["value"] == 22_000.0


def test_a_farm_without_a_season_says_so_with_nulls(client: httpx.Client) -> None:
    found = client.get("/v1/farms/empty/summary").json()

    assert (found["season"], found["as_of"], found["crop_zones"]) == (None, None, [])
    assert found["water"]["applied_m3"] is None
    assert found["yield"]["mass_t"] is None


def test_a_summary_can_be_asked_for_as_it_stood(seeded: sa.Engine, client: httpx.Client) -> None:
    with seeded.begin() as connection:
        zone = put_zone(connection, put_farm(connection, "history"), "field-1", 10.0)
        put_result(connection, zone, RAINFED | {"applied_m3": 1.0})
    first = client.get("/v1/farms/history/summary").json()
    with seeded.begin() as connection:
        put_result(connection, zone, RAINFED | {"applied_m3": 2.0}, digest="second")

    then = client.get("/v1/farms/history/summary", params={"as_of": first["as_of"]}).json()
    now = client.get("/v1/farms/history/summary").json()

    assert then == first
    assert (then["water"]["applied_m3"], now["water"]["applied_m3"]) == (1.0, 2.0)


# --- caching --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["farms/hand/summary", "regions/KZ-62/summary?season=2025"])
def test_who_has_the_summary_already_is_told_so(client: httpx.Client, path: str) -> None:
    first = client.get(f"/v1/{path}")
    tag = first.headers["etag"]

    assert tag.startswith('"')  # strong
    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = client.get(f"/v1/{path}", headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert client.get(f"/v1/{path}", headers={"If-None-Match": '"other"'}).status_code == 200


# --- lists ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("path", "key"), [("farms", "slug"), ("devices", "id")])
@pytest.mark.parametrize("limit", [1, 2, 3, 1_000])
def test_following_the_links_meets_everything_once(
    client: httpx.Client, path: str, key: str, limit: int
) -> None:
    with_all = [one[key] for one in client.get(f"/v1/{path}?limit=1000").json()]
    met: list[str] = []
    following: str | None = f"/v1/{path}?limit={limit}"
    while following:
        answer = client.get(following)
        met += [one[key] for one in answer.json()]
        following = answer.links.get("next", {}).get("url")

    assert met == with_all == sorted(set(with_all))
    assert len(met) >= 5


def test_a_list_keeps_to_its_region_or_farm_on_every_page(client: httpx.Client) -> None:
    page = client.get("/v1/farms?region=KZ-62&limit=1")
    rest = client.get(page.links["next"]["url"])
    of_farm = client.get("/v1/devices?farm=hand").json()

    assert [one["slug"] for one in page.json() + rest.json()] == ["hand", "rainfed"]
    assert [one["id"] for one in of_farm] == ["heard", "late", "never", "off"]
    assert [one["quantity"] for one in of_farm[0]["datastreams"]] == ["battery_level"]


# --- readings -------------------------------------------------------------------------------------


def ask(client: httpx.Client, stream: int, start: dt.datetime, days: float, resolution: str) -> Any:
    parameters = {
        "start": start.isoformat(),
        "end": (start + dt.timedelta(days=days)).isoformat(),
        "resolution": resolution,
    }
    return client.get(f"/v1/datastreams/{stream}/readings", params=parameters)


def test_raw_readings_of_a_half_open_range(client: httpx.Client, stream: int) -> None:
    found = ask(client, stream, ALMATY_JUNE_15, 1, "raw").json()

    assert (found["quantity"], found["unit"]) == ("air_temperature", "°C")
    assert [(one["time"], one["value"]) for one in found["readings"]] == [
        ("2025-06-14T19:00:00Z", 1.0),
        ("2025-06-15T18:30:00Z", 3.0),
    ]


def test_hours_hold_what_was_measured_in_them(client: httpx.Client, stream: int) -> None:
    found = ask(client, stream, ALMATY_JUNE_15, 2, "hour").json()["readings"]

    assert [(one["start"], one["samples"], one["mean"]) for one in found] == [
        ("2025-06-14T19:00:00Z", 1, 1.0),
        ("2025-06-15T18:00:00Z", 1, 3.0),
        ("2025-06-15T19:00:00Z", 1, 10.0),
    ]


def test_days_are_those_of_the_farm(client: httpx.Client, stream: int) -> None:
    found = ask(client, stream, ALMATY_JUNE_15, 2, "day").json()["readings"]

    names = ("start", "samples", "mean", "low", "high", "last_value")
    assert [tuple(one[name] for name in names) for one in found] == [
        ("2025-06-14T19:00:00Z", 2, 2.0, 1.0, 3.0, 3.0),
        ("2025-06-15T19:00:00Z", 1, 10.0, 10.0, 10.0, 10.0),
    ]


@pytest.mark.parametrize(("resolution", "days"), [("raw", 31), ("hour", 732), ("day", 7_400)])
def test_the_longest_range_is_answered_and_a_longer_one_is_refused(
    client: httpx.Client, stream: int, resolution: str, days: int
) -> None:
    assert ask(client, stream, ALMATY_JUNE_15, days, resolution).status_code == 200

    for refused in (days + 0.01, 0, -1):
        answer = ask(client, stream, ALMATY_JUNE_15, refused, resolution)
        assert "end must be after start" in is_problem(answer, 422)["detail"]


# --- bad requests ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "subject"),
    [
        ("farms/nowhere/summary", "farm 'nowhere'"),
        ("farms/nowhere/fields", "farm 'nowhere'"),
        ("devices?farm=nowhere", "farm 'nowhere'"),
        ("regions/KZ-00/summary?season=2025", "region 'KZ-00'"),
        ("fields/999999/water-balance?season=2025", "field 999999"),
        ("fields/999999/yield-map?season=2025", "field 999999"),
        ("farms/nowhere/work", "farm 'nowhere'"),
        (
            "devices/nowhere/track?start=2025-06-01T00:00:00Z&end=2025-06-02T00:00:00Z",
            "device 'nowhere'",
        ),
        (
            "datastreams/999999/readings?start=2025-06-01T00:00:00Z&end=2025-06-02T00:00:00Z",
            "datastream 999999",
        ),
    ],
)
def test_what_does_not_exist_is_named(client: httpx.Client, path: str, subject: str) -> None:
    assert is_problem(client.get(f"/v1/{path}"), 404)["detail"] == f"There is no {subject}."


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("farms/hand/summary?season=1066", "query.season"),
        ("farms/hand/summary?season=wheat", "query.season"),
        ("farms/hand/summary?as_of=2025-06-01T00:00:00", "query.as_of"),  # whose noon?
        ("farms/hand/summary?as_of=0001-01-01T00:00:00%2B14:00", "query.as_of"),
        ("farms/hand/summary?as_of=9999-12-31T23:59:59-14:00", "query.as_of"),
        ("regions/KZ-62/summary", "query.season"),
        ("farms/hand/work?start=2025-13-01&end=2025-06-01", "query.start"),
        ("farms/hand/work?start=2025-06-01&end=9999-12-31", "query.end"),
        ("farms/hand/work?livestock_units=0", "query.livestock_units"),
        ("devices/heard/track?end=2025-06-02T00:00:00Z", "query.start"),
        ("fields/1/yield-map", "query.season"),
        ("fields/1/yield-map?season=2025&cell_m=4.9", "query.cell_m"),
        ("fields/1/yield-map?season=2025&cell_m=101", "query.cell_m"),
        ("farms?limit=0", "query.limit"),
        ("farms?limit=1001", "query.limit"),
        ("datastreams/1/readings?end=2025-06-02T00:00:00Z", "query.start"),
        ("datastreams/1/readings?start=x&end=2025-06-02T00:00:00Z", "query.start"),
        (
            "datastreams/1/readings?start=2025-06-01T00:00:00Z&end=2025-06-02T00:00:00Z"
            "&resolution=week",
            "query.resolution",
        ),
    ],
)
def test_a_parameter_that_cannot_be_used_is_named(
    client: httpx.Client, path: str, where: str
) -> None:
    body = is_problem(client.get(f"/v1/{path}"), 422)

    assert where in [one["where"] for one in body["errors"]]
    assert where in body["detail"]


NUMBERS = ("-1", "0", "1.5", str(2**31), str(2**63), "9" * 5_000, "1e400", "NaN")
HOSTILE = (
    "%00",
    "a%00b",
    "%FF%FE",
    "%ED%A0%80",
    "..%2F..%2Fetc%2Fpasswd",
    "%2e%2e",
    "' OR 1=1 --",
    "1;DROP TABLE farms",
    "%25s",
    "{0}",
    "ы" * 300,
)
NUMBERED = (
    "fields/{}/water-balance?season=2025",
    "fields/{}/yield-map?season=2025",
    "datastreams/{}/readings?start=2025-06-01T00:00:00Z&end=2025-06-02T00:00:00Z",
)
PATHS = (
    "farms/{}/summary",
    "farms/{}/fields",
    "farms/{}/work",
    "regions/{}/summary?season=2025",
    "devices/{}/track?start=2025-06-01T00:00:00Z&end=2025-06-02T00:00:00Z",
    *NUMBERED,
)


@pytest.mark.parametrize("path", PATHS)
def test_a_hostile_id_is_the_callers_fault(client: httpx.Client, path: str) -> None:
    for value in NUMBERS + HOSTILE:
        answer = client.get(f"/v1/{path.format(value)}")
        assert answer.status_code in {404, 422}, value
        is_problem(answer, answer.status_code)
    assert client.get("/v1/farms/hand/summary").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "farms?cursor={}",
        "farms?region={}",
        "farms?limit={}",
        "devices?cursor={}",
        "devices?farm={}",
        "farms/hand/summary?season={}",
        "farms/hand/summary?as_of={}",
        "farms/hand/work?start={}&end=2025-06-02",
        "farms/hand/work?as_of={}",
        "farms/hand/work?livestock_units={}",
        "devices/heard/track?start={}&end=2025-06-02T00:00:00Z",
        "devices/heard/track?start=2025-06-01T00:00:00Z&end=2025-06-02T00:00:00Z&format={}",
        "fields/1/yield-map?season=2025&cell_m={}",
        "datastreams/1/readings?start={}&end=2025-06-02T00:00:00Z",
    ],
)
def test_a_hostile_parameter_is_never_our_fault(client: httpx.Client, path: str) -> None:
    for value in NUMBERS + HOSTILE:
        answer = client.get(f"/v1/{path.format(value)}")
        assert answer.status_code < 500, value
        if answer.status_code != 200:
            is_problem(answer, answer.status_code)


@pytest.mark.parametrize("path", NUMBERED)
def test_an_id_larger_than_the_databases_does_not_reach_it(
    seeded: sa.Engine, client: httpx.Client, path: str
) -> None:
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "set_config" not in statement:  # every transaction says for whom it is
            asked.append(statement)

    sa.event.listen(seeded, "before_cursor_execute", note)
    try:
        answers = [client.get(f"/v1/{path.format(value)}") for value in (2**63, -1, 0)]
    finally:
        sa.event.remove(seeded, "before_cursor_execute", note)

    assert [answer.status_code for answer in answers] == [422] * 3
    assert asked == []


def test_other_methods_and_paths_are_problems_too(client: httpx.Client) -> None:
    is_problem(client.get("/v1/nothing-here"), 404)
    is_problem(client.delete("/v1/farms"), 405)


# --- who may ask, and whether we can answer -------------------------------------------------------


def test_with_a_token_set_only_its_holder_is_answered(seeded: sa.Engine) -> None:
    often = {"sign_in_rate_per_minute": 1_000_000}
    with serving(seeded, api_token="open-sesame", api_open=False, **often) as client:
        check_guard(client)


def check_guard(client: httpx.Client) -> None:
    document = client.get("/v1/openapi.json").json()
    guarded = [
        path
        for path, operation in operations(document)
        if "{" not in path and answers_json(operation)  # a stream does not end
    ]
    assert guarded

    for path, sent in itertools.product(
        guarded, ("", "Bearer wrong", "Bearer", "Basic open-sesame", "Bearer open-sesame")
    ):
        answer = client.get(path, headers={"Authorization": sent} if sent else {})
        if sent == "Bearer open-sesame":
            assert answer.status_code == 200
        else:
            is_problem(answer, 401)
            assert answer.headers["www-authenticate"] == "Bearer"
    assert client.get("/v1/farms", headers={"Authorization": "bearer open-sesame"}).is_success
    assert client.get("/v1/healthz").json() == {"status": "ok"}
    assert client.get("/v1/readyz").status_code == 200


def test_a_stranger_is_turned_away_before_the_database_is_asked() -> None:
    away = make_engine("postgresql://nobody@127.0.0.1:1/none")

    with serving(away, api_open=False) as client:
        is_problem(client.get("/v1/farms/hand/summary"), 401)


def test_without_a_database_the_service_lives_and_says_that_it_is_not_ready() -> None:
    away = make_engine("postgresql://nobody:secret@127.0.0.1:1/none")

    with serving(away) as client:
        assert client.get("/v1/healthz").status_code == 200
        for path in ("readyz", "farms", "farms/hand/summary"):
            answer = client.get(f"/v1/{path}")
            is_problem(answer, 503)
            assert answer.headers["retry-after"] == "5"
            assert "secret" not in answer.text


def test_a_database_without_tables_is_not_ready(engine: sa.Engine) -> None:
    url = engine.url.set(database="dala_empty_test")
    outside = engine.execution_options(isolation_level="AUTOCOMMIT")
    with outside.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {url.database}"))
    empty = make_engine(url.render_as_string(hide_password=False))
    try:
        with serving(empty) as client:
            assert "dala migrate" in is_problem(client.get("/v1/readyz"), 503)["detail"]
    finally:
        empty.dispose()
        with outside.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {url.database}"))


# --- OpenAPI --------------------------------------------------------------------------------------


@pytest.fixture
def document(client: httpx.Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/v1/openapi.json").json()
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        if "get" in item and item["get"].get("x-scope") not in {None, "admin:access"}:
            yield path, item["get"]


def test_every_documented_route_answers_a_good_request(
    client: httpx.Client, seeded: sa.Engine, stream: int, document: dict[str, Any]
) -> None:
    with seeded.connect() as connection:
        farm_id = farms.get(connection, "turkistan-01").id
        field, zone = (one.id for one in fields.zones(connection, farm_id=farm_id)[0])
    good = {
        "crop_zone_id": zone,
        "farm": "turkistan-01",
        "code": "KZ-61",
        "field_id": field,
        "datastream_id": stream,
        "device_id": "turkistan-01-harvester",
    }
    query = {
        "season": SEASON,
        "start": "2025-06-01T00:00:00+05:00",
        "end": "2025-06-20T00:00:00+05:00",
    }
    for path, operation in operations(document):
        if not set(re.findall(r"{(\w+)}", path)) <= set(good) or not answers_json(operation):
            continue  # of what these farms have none
        needed = {one["name"] for one in operation.get("parameters", []) if one["in"] == "query"}
        asked = {name: value for name, value in query.items() if name in needed}
        answer = client.get(path.format(**good), params=asked)
        assert answer.status_code == 200, (path, answer.text)
        assert answer.json() is not None


def answers_json(operation: dict[str, Any]) -> bool:
    return "application/json" in operation["responses"]["200"].get("content", {})


def test_the_document_is_openapi_31_with_examples_of_answers_and_parameters(
    document: dict[str, Any],
) -> None:
    assert document["openapi"].startswith("3.1.")
    schemas = document["components"]["schemas"]
    for path, operation in operations(document):
        assert operation["description"], path
        for parameter in operation.get("parameters", []):
            if parameter["required"]:
                assert "examples" in parameter or "examples" in parameter["schema"], (
                    path,
                    parameter["name"],
                )
        if answers_json(operation):
            answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
            assert has_example(answer, schemas), path


def has_example(schema: Any, schemas: dict[str, Any]) -> bool:
    if isinstance(schema, list):
        return any(has_example(one, schemas) for one in schema)
    if not isinstance(schema, dict):
        return False
    if "$ref" in schema:
        return has_example(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    return "examples" in schema or any(has_example(one, schemas) for one in schema.values())


def test_problems_are_documented_as_what_they_are_sent_as(document: dict[str, Any]) -> None:
    for path, operation in operations(document):
        for code in ("404", "422", "503"):
            content = operation["responses"][code]["content"]
            assert list(content) == ["application/problem+json"], path
            reference = content["application/problem+json"]["schema"]["$ref"]
            assert reference == "#/components/schemas/Problem"
    assert set(document["components"]["schemas"]["Problem"]["properties"]) == {
        "type",
        "title",
        "status",
        "detail",
        "request_id",
    }


def test_a_region_says_whether_its_sums_are_of_farms_of_ones_own(seeded: sa.Engine) -> None:
    with seeded.connect() as connection:
        hand = connection.scalar(sa.text("SELECT id FROM farms WHERE slug = 'hand'"))
    api = Api(seeded)
    reaches = {
        "country": {"everything": True},
        "its-region": {"regions": ["KZ-62"]},
        "all-regions": {"regions": ["KZ"]},
        "another": {"regions": ["KZ-61"], "farm_ids": [hand]},
        "one-farm": {"farm_ids": [hand]},
    }
    found = {}
    for name, reach in reaches.items():
        key = put_key(seeded, f"covers-{name}", **reach)
        answer = api.ask("GET", "/v1/regions/KZ-62/summary?season=2025", key=key)
        body = answer.json()
        found[name] = body["covers"], body["farms_registered"], len(body["farms"])

    assert found == {
        "country": ("region", 2, 2),
        "its-region": ("region", 2, 2),
        "all-regions": ("region", 2, 2),
        "another": ("own-farms", 1, 1),
        "one-farm": ("own-farms", 1, 1),
    }
