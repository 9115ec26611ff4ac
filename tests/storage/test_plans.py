"""No query reads all readings: those of ingest, analysis, watching and the API, as they come.

What a new query asks of readings and tracks is guarded by its being run here; one that is not run
is named, so that this test is made to run it.
"""

import asyncio
import datetime as dt
import importlib
import json
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from sqlalchemy.sql.elements import TextClause

import storage
from analytics import daily
from analytics.watching.rules import RULES, look
from api.app import make_app
from api.dependencies import current_time
from api.settings import ApiSettings
from ingest.storing import Line, Message
from reports.statements import inspecting, sealing
from reports.statements.signing import SigningKey
from seeds import load, messages
from seeds.farms import catalogue
from seeds.messages import numbered
from seeds.season import simulate_all
from storage import (
    evidence_rows,
    farms,
    filing,
    intervals,
    live_news,
    lost_messages,
    readings,
    statement_facts,
)
from storage.database import has_timescale
from storage.intervals import Gap
from storage.lost_messages import Declared
from storage.readings import Quality
from tests import plans
from tests.conftest import empty

SEASON_START = dt.datetime(2025, 4, 1, tzinfo=dt.UTC)
NOW = dt.datetime(2025, 9, 1, 12, tzinfo=dt.UTC)
SOURCES = re.compile(rf"\b(FROM|JOIN|UPDATE|INTO)\s+{plans.BIG.pattern}", re.IGNORECASE)
OURS = re.compile(r"readings|track_points|_hyper_")
LEADING = re.compile(r"\b(datastream_id|device_id)\W* =")
# A big table is what takes more than a few of its pages to read.
BIG_ROWS = 500


@pytest.fixture(scope="module")
def plotted(engine: sa.Engine) -> Iterator[sa.Engine]:
    """A simulated farm's season, among the readings and tracks of many others."""
    truth = simulate_all(catalogue(1))
    senders = list(messages.senders(truth))
    with engine.begin() as connection:
        load.load(connection, truth, senders)
    for sender in senders:
        Line(engine).store(
            [said(sender.device_id, number, one) for number, one in enumerate(sender.messages, 1)]
        )
    with engine.begin() as connection:
        connection.execute(
            sa.text("""
            INSERT INTO readings (time, datastream_id, value, quality, received_at)
            SELECT :start + n * interval '3 hours', 100000 + stream, n, 0, :start
              FROM generate_series(0, 1199) AS n, generate_series(1, 100) AS stream
            """),
            {"start": SEASON_START},
        )
        connection.execute(
            sa.text("""
            INSERT INTO track_points
                   (time, device_id, latitude_deg, longitude_deg, quality, received_at)
            SELECT :start + n * interval '3 hours', 'stranger-' || machine, 43, 68, 0, :start
              FROM generate_series(0, 1199) AS n, generate_series(1, 30) AS machine
            """),
            {"start": SEASON_START},
        )
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM ANALYZE readings"))
        connection.execute(sa.text("VACUUM ANALYZE track_points"))
    yield engine
    empty(engine)


def said(device_id: str, number: int, one: Any) -> Message:
    payload = numbered(one, device_id, 1, number)
    return Message(f"dala/v1/{device_id}/{one.kind}", payload, int(NOW.timestamp() * 1e6))


@pytest.fixture(scope="module")
def seen(plotted: sa.Engine) -> list[plans.Planned]:
    with plans.watched() as found:
        ingest(plotted)
        analyse(plotted)
        watch(plotted)
        prove(plotted)
        asyncio.run(ask(plotted))
    return found


def ingest(engine: sa.Engine) -> None:
    """New messages, repeated ones, and one of another value; a flag, and learned intervals."""
    with engine.begin() as connection:
        streams = connection.execute(
            sa.text("SELECT id, device_id, quantity FROM datastreams ORDER BY id")
        ).all()
        device = connection.scalar(sa.text("SELECT id FROM devices WHERE id LIKE '%harvester'"))
        rows = np.zeros(40, readings.DTYPE)
        rows["datastream_id"] = streams[0].id
        rows["time"] = int(NOW.timestamp() * 1e6) + np.arange(40) * 60_000_000
        for value in (1.0, 1.0, 2.0):
            rows["value"] = value
            readings.store(connection, rows)
        readings.flag(connection, rows["datastream_id"], rows["time"], Quality.SPIKE)
        intervals.learn(connection, {streams[0].id: NOW - dt.timedelta(days=2)})
        gap = Gap(
            streams[0].id, "rain", streams[0].device_id, None, NOW, NOW + dt.timedelta(1), 600.0
        )
        intervals.note_gaps(connection, [gap], now=NOW)
        lost = Declared(streams[0].device_id, None, 900, [3], None, None)
        lost_messages.note(connection, [lost], now=NOW)
    points = [{"time": (NOW + dt.timedelta(seconds=n)).isoformat(), "lat": 43.0, "lon": 68.0}
              for n in range(30)]  # fmt: skip
    for seq, shift in ((900_001, 0.0), (900_002, 0.0), (900_003, 0.1)):
        body = [point | {"lat": 43.0 + shift} for point in points]
        Line(engine).store([said(str(device), seq, messages.Outgoing("track", body))])


def analyse(engine: sa.Engine) -> None:
    """A whole season, and the night after."""
    with engine.connect() as connection:
        known = farms.page(connection, limit=100)
    season = daily.analyze(engine, known, now=NOW - dt.timedelta(days=40))
    assert season.done.results > 0
    night = daily.analyze(engine, known, now=NOW - dt.timedelta(days=39))
    assert night.done.days > 0
    assert season.done.machine_days + night.done.machine_days > 0
    assert not {**season.failed, **night.failed}


def watch(engine: sa.Engine) -> None:
    Line(engine).watch(NOW)
    with engine.begin() as connection:
        for rule in RULES.values():
            if rule.find is not None:
                look(connection, rule, NOW)
        streams = set(connection.scalars(sa.text("SELECT id FROM datastreams LIMIT 50")))
        machines = set(connection.scalars(sa.text("SELECT DISTINCT device_id FROM datastreams")))
        changed = live_news.News({}, streams, machines, set())
        live_news.facts(connection, changed, farm_ids=[], everything=True, now=NOW)
        known = [farm.id for farm in farms.page(connection, limit=100)]
        far = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)  # they are registered now, whenever that is
        assert statement_facts.devices(connection, known, season=2025, as_of=far)


def prove(engine: sa.Engine) -> None:
    """All that is stored is sealed, looked at again, and written down for an auditor."""
    key = SigningKey.make()
    with engine.begin() as connection:
        filing.put_key(connection, key.kid, key.public, role="files", owner="x", created_by="x")
        sealing.seal(connection, key, author="x")
        known = [farm.id for farm in farms.page(connection, limit=100)]
        streams = list(connection.scalars(sa.text("SELECT id FROM datastreams LIMIT 50")))
        machines = list(connection.scalars(sa.text("SELECT id FROM devices")))
        inspecting.inspect(connection, farm_id=known[0])
        scope = evidence_rows.Scope(known, 2025, NOW, SEASON_START, NOW)
        assert sum(map(len, evidence_rows.readings(connection, streams, scope, None))) > BIG_ROWS
        assert sum(map(len, evidence_rows.points(connection, machines, scope, None))) > BIG_ROWS


async def ask(engine: sa.Engine) -> None:
    """Every GET that the document describes, readings of every resolution, and exports."""
    app = make_app(engine, ApiSettings(api_open=True, api_rate_per_minute=0))
    app.dependency_overrides[current_time] = lambda: NOW
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        for path in paths(app, engine):
            answer = await client.get(path)
            assert answer.status_code in {200, 401, 403, 404}, (path, answer.text)


def paths(app: FastAPI, engine: sa.Engine) -> Iterator[str]:
    with engine.connect() as connection:
        machine = connection.scalar(sa.text("SELECT device_id FROM machine_results"))
        stream = connection.scalar(sa.text("SELECT id FROM datastreams"))
        field = connection.scalar(sa.text("SELECT field_id FROM crop_zones"))
    names = {
        "farm": "turkistan-01",
        "code": "KZ-61",
        "device_id": machine,
        "field_id": field,
        "datastream_id": stream,
    }
    span = "start=2025-06-01T00:00:00Z&end=2025-06-20T00:00:00Z"
    years = "start=2024-12-31T19:00:00Z&end=2025-12-31T19:00:00Z"
    for path, verbs in app.openapi()["paths"].items():
        if "get" not in verbs or set(re.findall(r"{(\w+)}", path)) - set(names):
            continue
        if "text/event-stream" in verbs["get"]["responses"].get("200", {}).get("content", {}):
            continue  # it has no end
        yield f"{path.format(**names)}?season=2025&{span}&first=1&second=2"
    for more in (f"{span}&resolution=raw", f"{years}&resolution=hour", f"{years}&resolution=day",
                 f"{span}&resolution=day", years, f"{span}&resolution=raw&format=csv"):  # fmt: skip
        yield f"/v1/datastreams/{stream}/readings?{more}"
    yield f"/v1/devices/{machine}/track?{span}&format=csv"


def test_no_statement_reads_all_readings_or_all_tracks(
    seen: list[plans.Planned], plotted: sa.Engine
) -> None:
    with plotted.connect() as connection:
        found = connection.execute(
            sa.text("SELECT relname, reltuples FROM pg_class WHERE relkind = 'r'")
        )
        rows = {name: count for name, count in found}  # noqa: C416 - rows are no pairs to mypy
    big = {name for name, count in rows.items() if OURS.match(name) and count > BIG_ROWS}
    assert {"readings", "track_points"} <= big or any("chunk" in name for name in big)
    for one in seen:
        for node in one.nodes:
            if node["Node Type"] == "Seq Scan" and (relation := node["Relation Name"]) in big:
                # Of a chunk that holds little else, reading all is the best that can be done.
                wanted = node["Plan Rows"] / rows[relation]
                assert wanted > 0.2, f"all of {relation} is read:\n{one.statement}"
            if OURS.match(node.get("Index Name", "")):
                # An index that is read from end to end is no better.
                condition = node.get("Index Cond", "")
                assert LEADING.search(condition), f"{node}\n{one.statement}"


def test_hours_are_made_of_the_readings_of_their_range_alone(seen: list[plans.Planned]) -> None:
    """On plain PostgreSQL hours are made when they are asked for: by both ends of their range."""
    of_hours = [one for one in seen if "readings_by_" in one.statement]
    assert of_hours
    for one in of_hours:
        for node in one.nodes:
            if node.get("Relation Name") == "readings":
                condition = node.get("Index Cond", "") or str(node.get("Plans", ""))
                assert '"time" >=' in condition or "time >=" in condition, one.statement
                assert '"time" <' in condition or "time <" in condition, one.statement


# What looks back, or ahead, as far as there is anything; the first three once a minute.
UNBOUNDED = {
    "storage.silence._SILENT": "pauses that farms themselves call a silence",
    "storage.intervals._FILLED": "gaps that are told of in alerts",
    "storage.lost_messages._BOUND": "losses that are told of in alerts",
    "storage.lost_messages._NEWEST": "a device that says it lost messages: the last it said before",
    "storage.stations._SINCE": "since when there are readings",
    "storage.device_states._STATES": "what devices said last of themselves, however long ago",
    "storage.statement_facts._DEVICES": "a year of each farm's own time, filed once",
    "storage.sealed_rows._READINGS": "rows of batches, that may be of a season sent at once",
    "storage.sealed_rows._POINTS": "the same of tracks",
    "storage.sealed_rows._FIRST_READING": "the next there is, however far",
    "storage.sealed_rows._FIRST_POINT": "the same of tracks",
    "storage.evidence_rows._READINGS": "all of a season that a report rests on",
    "storage.evidence_rows._POINTS": "the same of tracks",
}


def test_every_query_says_from_when_on_so_that_older_chunks_are_not_planned_for(
    seen: list[plans.Planned], plotted: sa.Engine
) -> None:
    with plotted.connect() as connection:
        chunks = set(connection.scalars(CHUNKS)) if has_timescale(connection) else None
    far = {squeezed(as_sent(statement_of(name))) for name in UNBOUNDED}
    for one in seen:
        read = [node for node in one.nodes if OURS.match(node.get("Relation Name", ""))]
        if squeezed(one.statement) in far or not read:
            continue
        if chunks is None and "readings_by_" in one.statement:
            continue  # hours are made of the readings of each span
        if chunks is None:
            conditions = [node.get("Index Cond") or json.dumps(node["Plans"]) for node in read]
            assert all(FROM_WHEN.search(each) for each in conditions), one.statement
        else:
            touched = {node["Relation Name"] for node in read} & chunks
            assert len(touched) < 0.8 * len(chunks), one.statement


CHUNKS = sa.text("""
    SELECT chunk_name FROM timescaledb_information.chunks WHERE hypertable_name = 'readings'
""")
# A bound that is known before the statement runs: a time that is written out, not another's column.
FROM_WHEN = re.compile(r"""\btime\b\W*(>=?|=) \(*('|to_timestamp|date_trunc\('hour'::text, \(+')""")


def statement_of(name: str) -> object:
    module, _, constant = name.rpartition(".")
    return getattr(importlib.import_module(module), constant)


def test_every_query_of_storage_on_readings_and_tracks_was_run(seen: list[plans.Planned]) -> None:
    run = {squeezed(one.statement) for one in seen}
    missing = []
    for module in pkgutil.iter_modules(storage.__path__, "storage."):
        for name, value in vars(importlib.import_module(module.name)).items():
            text = as_sent(value)
            # A part of a statement is run with it, up to where something is put into it.
            part = squeezed(text.split("{")[0])
            if SOURCES.search(text) and not any(part in one for one in run):
                missing.append(f"{module.name}.{name}")
    assert not missing, "run these in the functions above"


_BIND = r"(?<![:\w]):(\w+)(?!:)"


def as_sent(value: object) -> str:
    """A statement as the driver is given it; of anything else, nothing."""
    if isinstance(value, str):
        return value
    return re.sub(_BIND, r"%(\1)s", value.text) if isinstance(value, TextClause) else ""


def squeezed(statement: str) -> str:
    """Of types and spaces no matter."""
    statement = re.sub(r"%\((\w+)\)s(::[\w ]+(\[\])?)?", r"\1", statement)
    return re.sub(r"\s+", " ", statement).strip()
