"""What the API adds to what it stands on: FastAPI for a summary, PostgreSQL's COPY for an export.

Both sides of a ratio are asked in turn, in the same run: an empty route of a bare FastAPI beside
`dala serve`, each a process of its own under the same uvicorn; and a million readings of one
datastream as CSV over HTTP beside psycopg's COPY to CSV of the same rows. While the export runs,
the memory of the serving process is watched.
"""

from __future__ import annotations

import datetime as dt
import http.client
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from psycopg import sql
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table

import migrations
from api.security import tokens
from bench import answering, asking, memory, query, seeding, servers
from bench.machine import packages, server_of, this_machine
from embedded import children
from embedded.children import ChildError
from embedded.home import EmbeddedSettings
from embedded.stack import open_embedded
from ingest.storing import Line
from seeds.farms import catalogue
from storage import api_clients, devices, farms, readings
from storage.database import ping
from storage.devices import StreamKey

FARMS, READINGS, SECONDS, ROUNDS = 8, 1_000_000, 3.0, 5
START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)

Report = dict[str, Any]


def run(
    *, farm_count: int = FARMS, rows: int = READINGS, seconds: float = SECONDS, rounds: int = ROUNDS
) -> Report:
    """Measure on an embedded database that is gone afterwards.

    Parameters
    ----------
    farm_count : int
        Farms whose summaries are asked for in turn.
    rows : int
        Readings of the datastream that is exported.
    seconds : float
        For which each route is asked, in each round.
    rounds : int
        How often both sides are measured; the median ratio counts.
    """
    with tempfile.TemporaryDirectory(prefix="dala-bench-") as made:
        folder = Path(made)
        settings = EmbeddedSettings(home=folder / "home")
        with open_embedded(settings, verb="bench", broker=False) as embedded:
            engine = servers.engine_on(embedded.database_url)
            try:
                slugs, stream = _put(engine, farm_count, rows)
                key = _put_key(engine)
                with engine.connect() as connection:
                    server = {"postgresql": ping(connection)}
                with answering.serving(embedded.database_url, folder) as port:
                    summary = _summary(folder, port, slugs, key, seconds, rounds)
                    export = _export(engine, port, stream, rows, rounds)
            finally:
                engine.dispose()
    return {
        "bench": "api",
        "machine": this_machine()._asdict() | server | packages("fastapi", "uvicorn", "psycopg"),
        "farms": len(slugs),
        "summary": summary,
        "export": export,
    }


def _put(engine: sa.Engine, farm_count: int, rows: int) -> tuple[list[str], int]:
    """Farms with an analysed season, and a datastream with so many readings."""
    migrations.upgrade(engine)
    season = seeding.register(engine, catalogue(farm_count))
    seeding.store(Line(engine), season, None, query.AFTER_SEASON)
    seeding.analyse(engine, query.AFTER_SEASON)
    with engine.begin() as connection:
        slugs = [farm.slug for farm in farms.page(connection)]
        device = devices.page(connection, limit=1)[0].id
        key = StreamKey(device, "air_temperature", 7.0, None)
        stream = devices.open_datastreams(connection, [key])[key]
        table = np.zeros(rows, readings.DTYPE)
        table["datastream_id"] = stream
        table["time"] = int(START.timestamp() * 1e6) + np.arange(rows) * 60_000_000
        table["value"] = np.round(20 + 10 * np.sin(np.arange(rows) / 229.0), 2)
        table["received_at"] = table["time"] + 1_000_000
        seeding.copy(connection, table, None)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("VACUUM (ANALYZE) readings"))
    return slugs, stream


def _put_key(engine: sa.Engine) -> str:
    """A key of a ministry's system, which sees the farms of the country's regions."""
    key = tokens.make(tokens.KEY)
    with engine.begin() as connection:
        client = api_clients.add(
            connection, "bench", scopes=["read:farms"], regions=["KZ"], created_by="bench"
        )
        digest, lives = tokens.digest(key), dt.timedelta(days=1)
        api_clients.add_key(connection, client.id, digest, beginning=key[:12], lives=lives)
    return key


# --- requests a second ----------------------------------------------------------------------------


def _summary(
    folder: Path, port: int, slugs: list[str], key: str, seconds: float, rounds: int
) -> Report:
    """Farm summaries and the empty route, in turn."""
    paths = [f"/v1/farms/{slug}/summary" for slug in slugs]
    with _empty(folder) as empty_port:
        asked = {
            "empty": (empty_port, ["/empty"], key),
            "summary": (port, paths, key),
            "token": (port, paths, answering.TOKEN),
            "healthz": (port, ["/v1/healthz"], key),
        }
        size = asking.ask(port, paths, token=key, seconds=seconds).bytes  # computed once
        found: dict[str, list[float]] = {name: [] for name in asked}
        for _ in range(rounds):
            for name, (where, what, token) in asked.items():
                answered = asking.ask(where, what, token=token, seconds=seconds)
                found[name].append(answered.per_second)
    ratios = [a / b for a, b in zip(found["summary"], found["empty"], strict=True)]
    return {
        **{f"{name}_per_s": statistics.median(each) for name, each in found.items()},
        "bytes": size,
        "ratios": ratios,
        "ratio": statistics.median(ratios),
    }


@contextmanager
def _empty(folder: Path) -> Iterator[int]:
    port = children.free_port()
    child = children.start(
        [sys.executable, "-m", "bench.empty_route", str(port)],
        log=folder / "empty.log",
        environment=dict(os.environ),
    )
    try:
        children.wait_until_it_listens(
            child, port, name="the empty route", patience_s=answering.START_S
        )
        yield port
    finally:
        child.stop()


# --- an export ------------------------------------------------------------------------------------


def _export(engine: sa.Engine, port: int, stream: int, rows: int, rounds: int) -> Report:
    end = START + dt.timedelta(minutes=rows)
    asked = f"start={START:%Y-%m-%dT%H:%M:%SZ}&end={end:%Y-%m-%dT%H:%M:%SZ}"
    path = f"/v1/datastreams/{stream}/readings?{asked}&format="
    server = _server_of(port)
    _download(port, path + "csv", rows)  # whatever is loaded at first
    before, ratios = memory.now_mb(server), []
    taken: dict[str, list[float]] = {"copy": [], "csv": [], "parquet": [], "arrow": []}
    with _watched(server) as peak:
        for _ in range(rounds):
            taken["copy"].append(_timed(lambda: _copy(engine, stream, rows)))
            taken["csv"].append(_timed(lambda: _download(port, path + "csv", rows)))
            ratios.append(taken["copy"][-1] / taken["csv"][-1])
    for form in ("parquet", "arrow"):
        for _ in range(rounds):
            taken[form].append(_timed(lambda form=form: _download(port, path + form)))  # type: ignore[misc]
    return {
        "rows": rows,
        **{f"{name}_s": statistics.median(each) for name, each in taken.items()},
        "ratios": ratios,
        "ratio": statistics.median(ratios),
        "server_mb_before": before,
        "server_mb_most": peak(),
    }


def _timed(do: Callable[[], object]) -> float:
    begun = time.perf_counter()
    do()
    return time.perf_counter() - begun


def _copy(engine: sa.Engine, stream: int, rows: int) -> None:
    """The limit: the server's own CSV of the rows."""
    with engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None  # noqa: S101 - a checked-out connection has one
        statement = sql.SQL(
            "COPY (SELECT time, value, quality FROM readings WHERE datastream_id = {}"
            " ORDER BY time) TO STDOUT (FORMAT CSV, HEADER)"
        ).format(sql.Literal(stream))
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            lines = sum(1 for _ in copy)
    if lines != rows + 1:
        raise answering.WrongAnswer(f"COPY sent {lines} lines")


def _download(port: int, path: str, rows: int | None = None) -> None:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    client.request("GET", path, headers={"Authorization": f"Bearer {answering.TOKEN}"})
    answer = client.getresponse()
    lines = 0
    while piece := answer.read(1 << 20):
        lines += piece.count(b"\n")
    client.close()
    if answer.status != 200 or (rows is not None and lines != rows + 1):
        raise answering.WrongAnswer(f"{path} was answered {answer.status} with {lines} lines")


def _server_of(port: int) -> Path:
    """What the system tells of the memory of the process that listens on a port."""
    wanted = f":{port:04X} "
    for line in Path("/proc/net/tcp").read_text().splitlines():
        if wanted in line.split(" ", 5)[4] + " " or f"{wanted.strip()} 00000000:0000 0A" in line:
            inode = line.split()[9]
            for folder in Path("/proc").glob("[0-9]*/fd"):
                try:
                    links = [str(one.readlink()) for one in folder.iterdir()]
                except OSError:
                    continue
                if f"socket:[{inode}]" in links:
                    return folder.parent / "statm"
    raise ChildError(f"nobody listens on port {port}")


@contextmanager
def _watched(statm: Path) -> Iterator[Callable[[], float]]:
    """The most memory that a process held while we looked. [MB]"""
    most, done = [0.0], threading.Event()

    def look() -> None:
        while not done.wait(0.02):
            most[0] = max(most[0], memory.now_mb(statm))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield lambda: most[0]
    finally:
        done.set()
        thread.join()


# --- for people -----------------------------------------------------------------------------------


def as_table(report: Report) -> RenderableType:
    """The report for people."""
    summary, export, machine = report["summary"], report["export"], report["machine"]
    first = Table(title="Requests a second, eight connections", box=box.SIMPLE)
    for name in ("", "requests/s", "÷ empty route"):
        first.add_column(name, justify="right" if name else "left")
    first.add_row("an empty route of FastAPI", f"{summary['empty_per_s']:,.0f}", "1.00")
    health = summary["healthz_per_s"]
    first.add_row("healthz", f"{health:,.0f}", f"{health / summary['empty_per_s']:.2f}")
    first.add_row(
        f"farm summary, {summary['bytes']:,} bytes, by a key",
        f"{summary['summary_per_s']:,.0f}",
        f"{summary['ratio']:.2f}",
    )
    token = summary["token_per_s"]
    first.add_row(
        "the same, by the token of the settings",
        f"{token:,.0f}",
        f"{token / summary['empty_per_s']:.2f}",
    )
    second = Table(title=f"{export['rows']:,} readings", box=box.SIMPLE)
    for name in ("", "s", "COPY ÷ it"):
        second.add_column(name, justify="right" if name else "left")
    for name, words in (
        ("copy", "psycopg, COPY to CSV"),
        ("csv", "CSV over HTTP"),
        ("parquet", "Parquet over HTTP"),
        ("arrow", "Arrow stream over HTTP"),
    ):
        taken = export[f"{name}_s"]
        ratio = export["ratio"] if name == "csv" else export["copy_s"] / taken
        second.add_row(words, f"{taken:.2f}", f"{ratio:.2f}")
    return Group(
        first,
        second,
        f"Memory of the server: {export['server_mb_before']:.0f} MB before the exports, "
        f"{export['server_mb_most']:.0f} MB at most.",
        f"{report['farms']} farms, medians of {len(summary['ratios'])} rounds. "
        f"{server_of(machine)}, Python {machine['python']}, FastAPI {machine['fastapi']}, uvicorn "
        f"{machine['uvicorn']}, psycopg {machine['psycopg']}, {machine['cores']} cores of "
        f"{machine['cpu']}, {machine['system']}",
    )
