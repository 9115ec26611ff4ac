"""What the API takes to answer, cold and warm, as readings grow; and what reading the rows takes.

Farms with a real season stand in the database: their devices' messages went through ingest and the
analysis computed the results. Then the readings are made as many as asked for, and the same
questions are asked of `dala serve`, a process of its own, over HTTP; of the same functions without
HTTP; and beside them stands a bare psycopg that fetches the rows an answer is made of, already
prepared: the limit. Requests go round over all farms, one after the other.

Cold: the database was stopped, its files dropped from the system's cache, and both it and the
server started again; each farm is asked once.
"""

from __future__ import annotations

import datetime as dt
import http.client
import itertools
import os
import secrets
import shutil
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

import migrations
from bench import questions, seeding, servers
from bench.machine import this_machine
from bench.questions import Question
from embedded import children
from embedded.children import ChildError
from embedded.home import EmbeddedSettings
from embedded.stack import open_embedded
from ingest.storing import Line
from seeds.farms import SEASON, catalogue
from storage.database import ping

FARMS, READINGS, REQUESTS, COLD_ROUNDS = 200, (100_000, 10_000_000), 300, 2
AFTER_SEASON = dt.datetime(SEASON, 12, 1, tzinfo=dt.UTC)
YEAR_AGO = AFTER_SEASON - dt.timedelta(days=365)
WARM_UP = 20
START_S = 60.0
# A reading in its table and its index, and what the write-ahead log and sorting take for a while.
BYTES_A_READING, BYTES_BESIDE = 160, 4 * 2**30
TOKEN = secrets.token_urlsafe(32)  # of a caller who may see every farm

Report = dict[str, Any]


class NoRoom(ChildError):
    """The disk does not hold as many readings."""


class WrongAnswer(AssertionError):
    """An answer was none: its speed is worth nothing."""


class _Place(NamedTuple):
    """Where the measurement's database lies and what is asked of it."""

    database_url: str | None  # on a server that goes on; embedded, and stopped between, if None
    settings: EmbeddedSettings
    folder: Path
    requests: int
    cold_rounds: int


def run(
    *,
    farms: int = FARMS,
    readings: Sequence[int] = READINGS,
    requests: int = REQUESTS,
    cold_rounds: int = COLD_ROUNDS,
    database_url: str | None = None,
) -> Report:
    """Measure in a database of its own, which is gone afterwards.

    Parameters
    ----------
    farms : int
        Farms with a season behind them.
    readings : sequence of int
        How many readings the table holds, in ascending order; measured at each.
    requests : int
        Of each question, warm.
    cold_rounds : int
        How often both servers are started anew; 0 leaves the cold out.
    database_url : str, optional
        A server, with TimescaleDB or without, on which its role may create databases; an embedded
        one by default. It is not stopped, so that nothing is cold.

    Raises
    ------
    NoRoom
        If the disk does not hold so many.
    embedded.children.ChildError
        If a server cannot be started.
    WrongAnswer
        If a request fails.
    """
    with (
        tempfile.TemporaryDirectory(prefix="dala-bench-") as folder,
        _progress() as progress,
        nullcontext() if database_url is None else servers.database_url_on(database_url) as own,
    ):
        check_room(Path(folder), max(readings))
        settings = EmbeddedSettings(home=Path(folder) / "home")
        if own is not None:
            cold_rounds = 0
        place = _Place(own, settings, Path(folder), requests, cold_rounds)
        seeded = _seed(place, farms, progress)
        sizes = [_at_size(place, count, progress) for count in readings]
    return {
        "bench": "query",
        "machine": this_machine()._asdict() | seeded.pop("server"),
        "farms": farms,
        "requests": requests,
        "cold_rounds": cold_rounds,
        "seeded": seeded,
        "sizes": sizes,
        "growth": growth(sizes),
    }


def check_room(folder: Path, readings: int) -> None:
    """Refuse what the disk would not hold."""
    needed = readings * BYTES_A_READING + BYTES_BESIDE
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise NoRoom(
            f"{readings:,} readings need about {needed / 1e9:.0f} GB in {folder}, which has "
            f"{free / 1e9:.0f} GB free: ask for fewer, or set TMPDIR to a larger disk."
        )


def growth(sizes: Sequence[Report]) -> list[Report]:
    """How much longer each warm answer takes than at the size before."""
    return [
        {
            "from": before["readings"],
            "to": after["readings"],
            "ratio_p50": {
                name: after["warm"][name]["http"]["p50_ms"] / one["http"]["p50_ms"]
                for name, one in before["warm"].items()
            },
        }
        for before, after in itertools.pairwise(sizes)
    ]


def _seed(place: _Place, count: int, progress: Progress) -> Report:
    task = progress.add_task(f"A season of {count} farms: farms, readings, results", total=3)
    begun = time.perf_counter()
    with _database(place) as (_, engine):
        migrations.upgrade(engine)
        season = seeding.register(engine, catalogue(count))
        migrations.upgrade(engine)  # chunks are as long as the devices' intervals allow
        progress.advance(task)
        stored = seeding.store(Line(engine), season, None, AFTER_SEASON)
        progress.advance(task)
        analysing = time.perf_counter()
        done = seeding.analyse(engine, AFTER_SEASON)
        analysed = time.perf_counter() - analysing
        with engine.connect() as connection:
            server = {"postgresql": ping(connection)}
            if version := servers.timescale_version(connection):
                server["timescaledb"] = version
            streams = connection.scalar(sa.text("SELECT count(*) FROM datastreams"))
            heard = connection.scalar(sa.text("SELECT count(*) FROM devices"))
    progress.advance(task)
    return {
        "server": server,
        "crop_zones": done.zones,
        "balance_days": done.days,
        "devices": heard,
        "datastreams": streams,
        "sent": stored,
        "analysis_s": analysed,
        "seconds": time.perf_counter() - begun,
    }


def _at_size(place: _Place, count: int, progress: Progress) -> Report:
    task = progress.add_task(f"{count:,} readings", total=count)
    begun = time.perf_counter()
    with _database(place) as (_, engine):
        seeding.fill(
            engine,
            count,
            start=YEAR_AGO,
            end=AFTER_SEASON,
            advance=lambda rows: progress.advance(task, rows),
        )
        with engine.connect() as connection:
            bytes_a_reading = seeding.bytes_of_readings(connection) / count
            asked = questions.make(connection, YEAR_AGO, AFTER_SEASON)
    filled = time.perf_counter() - begun
    total = place.cold_rounds + len(asked)
    asking = progress.add_task(f"Asking, {count:,} readings", total=total)
    cold: list[Report] = []
    for number in range(place.cold_rounds):
        servers.drop_from_cache(place.settings.home)
        with _database(place) as (url, _), serving(url, place.folder) as port:
            cold.append({one.name: _ask_once(port, one, number) for one in asked if one.cold})
        progress.advance(asking)
    with _database(place) as (url, engine), serving(url, place.folder) as port:
        warm = {}
        for one in asked:
            warm[one.name] = _measure(place, engine, port, one)
            progress.advance(asking)
    return {
        "readings": count,
        "fill_s": filled,
        "bytes_a_reading": bytes_a_reading,
        "cold": {
            one.name: _spread([ms for each in cold for ms in each[one.name]])
            | {"first_ms": max(each[one.name][0] for each in cold)}
            for one in asked
            if one.cold and cold
        },
        "warm": warm,
    }


@contextmanager
def _database(place: _Place) -> Iterator[tuple[str, sa.Engine]]:
    with ExitStack() as stack:
        url = place.database_url
        if url is None:
            running = open_embedded(place.settings, verb="bench", broker=False)
            url = stack.enter_context(running).database_url
        engine = servers.engine_on(url)
        stack.callback(engine.dispose)
        yield url, engine


@contextmanager
def serving(database_url: str, folder: Path) -> Iterator[int]:
    """`dala serve` on a free port, once it answers."""
    port = children.free_port()
    child = children.start(
        [sys.executable, "-m", "dala", "serve", "--port", str(port)],
        log=folder / "serve.log",
        environment=os.environ
        | {
            "DALA_DATABASE_URL": database_url,
            "DALA_API_TOKEN": TOKEN,
            "DALA_API_RATE_PER_MINUTE": "0",
        },
    )
    try:
        children.wait_until_it_listens(child, port, name="the API", patience_s=START_S)
        yield port
    finally:
        child.stop()


def _measure(place: _Place, engine: sa.Engine, port: int, one: Question) -> Report:
    """One question's warm times, over HTTP, by the functions, and bare."""
    with _asking(port) as ask:
        # Of a summary, the first answer about a subject is computed, and then kept.
        first = _timed(lambda n: ask(one.path(n), {}), one.many if one.cold else WARM_UP)
        spread = _spread(_timed(lambda n: ask(one.path(n), {}), place.requests))
        tags = {one.path(n): ask(one.path(n), {})[1] for n in range(min(one.many, place.requests))}
        known = {path: tag for path, tag in tags.items() if tag}
        again = None
        if known:
            again = _spread(
                _timed(
                    lambda n: ask(one.path(n), {"If-None-Match": known[one.path(n)]}, status=304),
                    place.requests,
                )
            )
        size = len(ask(one.path(0), {})[0])
    with engine.connect() as connection:
        for number in range(WARM_UP):
            one.direct(connection, number)
        direct = _spread(_timed(lambda n: one.direct(connection, n), place.requests))
        bare, rows = _measure_bare(connection, one, place.requests)
    return {
        "http": spread,
        "computed": _spread(first) if one.cold else None,
        "not_modified": again,
        "direct": direct,
        "bare": bare,
        "rows": rows,
        "bytes": size,
        "ratio": bare["p50_ms"] / spread["p50_ms"],
    }


def _measure_bare(connection: sa.Connection, one: Question, requests: int) -> tuple[Report, int]:
    """The limit: the driver alone fetches the rows of an answer; and how many those are."""
    driver = connection.connection.driver_connection
    with driver.cursor() as cursor:  # type: ignore[union-attr]

        def fetch(number: int) -> int:
            rows = 0
            for statement, parameters in one.bare(number):
                rows += len(cursor.execute(statement, parameters, prepare=True).fetchall())
            return rows

        for number in range(WARM_UP):
            fetch(number)
        return _spread(_timed(fetch, requests)), fetch(0)


def _ask_once(port: int, one: Question, number: int) -> list[float]:
    """Each subject once, beginning at another one each time."""
    with _asking(port) as ask:
        return _timed(lambda n: ask(one.path(n + number * 7), {}), one.many)


Ask = Callable[..., tuple[bytes, str | None]]


@contextmanager
def _asking(port: int) -> Iterator[Ask]:
    """One connection that is kept, as a dashboard's or a ministry's system's is."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=300)

    def ask(path: str, headers: dict[str, str], status: int = 200) -> tuple[bytes, str | None]:
        client.request("GET", path, headers={"Authorization": f"Bearer {TOKEN}"} | headers)
        answer = client.getresponse()
        body = answer.read()
        if answer.status != status:
            raise WrongAnswer(f"{path} was answered {answer.status}: {body[:300].decode()}")
        return body, answer.headers.get("ETag")

    try:
        client.connect()
        client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield ask
    finally:
        client.close()


def _timed(do: Callable[[int], object], count: int) -> list[float]:
    taken = []
    for number in range(count):
        begun = time.perf_counter()
        do(number)
        taken.append(1_000.0 * (time.perf_counter() - begun))
    return taken


def _spread(taken_ms: Sequence[float]) -> Report:
    p50, p95, p99 = (float(value) for value in np.percentile(taken_ms, [50, 95, 99]))
    return {
        "requests": len(taken_ms),
        "p50_ms": p50,
        "p95_ms": p95,
        "p99_ms": p99,
        "max_ms": max(taken_ms),
    }


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )
