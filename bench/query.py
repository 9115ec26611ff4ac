"""What the API takes to answer, cold and warm, as readings grow; and what reading the rows takes.

Farms with a real season stand in the database: their devices' messages went through ingest and the
analysis computed the results. Then the readings are made as many as asked for, and the same
questions are asked of `dala serve`, a process of its own, over HTTP; of the same functions without
HTTP; and beside them stands a bare psycopg that fetches the rows an answer is made of, already
prepared: the limit. Requests go round over all farms, one after the other.

Cold: the database was stopped, its files dropped from the system's cache, and both it and the
server started again; each farm is asked once.

Kept: filling takes minutes, asking seconds. A folder that keeps the database lets it be filled when
nobody minds, and asked when nobody else is at work.
"""

from __future__ import annotations

import datetime as dt
import itertools
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

import migrations
from bench import answering, kept, questions, seeding, servers
from bench.kept import Kept
from bench.machine import packages, this_machine
from embedded.children import ChildError
from embedded.home import EmbeddedSettings
from embedded.stack import open_embedded
from ingest.storing import Line
from seeds.farms import SEASON, catalogue
from storage.database import ping

FARMS, READINGS, REQUESTS, COLD_ROUNDS = 200, (100_000, 10_000_000), 300, 2
AFTER_SEASON = dt.datetime(SEASON, 12, 1, tzinfo=dt.UTC)
YEAR_AGO = AFTER_SEASON - dt.timedelta(days=365)
# A reading in its table and its index, and what the write-ahead log and sorting take for a while.
BYTES_A_READING, BYTES_BESIDE = 160, 4 * 2**30

Report = dict[str, Any]


class NoRoom(ChildError):
    """The disk does not hold as many readings."""


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
    keep: Path | None = None,
) -> Report:
    """Measure in a database of its own, which is gone afterwards unless it is to be kept.

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
    keep : Path, optional
        A folder for the embedded database, which stays there: as filled last, for the next run.

    Raises
    ------
    NoRoom
        If the disk does not hold so many.
    bench.kept.OtherFarms
        If the folder keeps another number of farms.
    embedded.children.ChildError
        If a server cannot be started.
    WrongAnswer
        If a request fails.
    """
    if keep is not None and database_url is not None:
        raise ValueError("what is kept is the embedded database: leave out the server's")
    with (
        _folder(keep) as folder,
        _progress() as progress,
        nullcontext() if database_url is None else servers.database_url_on(database_url) as own,
    ):
        settings = EmbeddedSettings(home=folder / "home")
        if own is not None:
            cold_rounds = 0
        place = _Place(own, settings, folder, requests, cold_rounds)
        known = kept.find(folder, farms)
        if known is None or list(readings) != [known.readings]:
            check_room(folder, max(readings))
        if known is None:
            known = Kept(farms, _seed(place, farms, progress), None)
            kept.note(folder, known)
        server = _brought_up_to_date(place)
        sizes = []
        for count in readings:
            sizes.append(_at_size(place, known, count, progress))
            known = known._replace(readings=count)
    return {
        "bench": "query",
        "machine": this_machine()._asdict() | server | packages("psycopg", "fastapi"),
        "farms": farms,
        "requests": requests,
        "cold_rounds": cold_rounds,
        "seeded": known.seeded,
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
            f"{free / 1e9:.0f} GB free: ask for fewer, or set TMPDIR (or --keep) to a larger disk."
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
            streams = connection.scalar(sa.text("SELECT count(*) FROM datastreams"))
            heard = connection.scalar(sa.text("SELECT count(*) FROM devices"))
    progress.advance(task)
    return {
        "crop_zones": done.zones,
        "balance_days": done.days,
        "devices": heard,
        "datastreams": streams,
        "sent": stored,
        "analysis_s": analysed,
        "seconds": time.perf_counter() - begun,
    }


def _brought_up_to_date(place: _Place) -> Report:
    """Versions of the server, whose tables are those of this version of ours."""
    with _database(place) as (_, engine):
        migrations.upgrade(engine)
        with engine.connect() as connection:
            server = {"postgresql": ping(connection)}
            if version := servers.timescale_version(connection):
                server["timescaledb"] = version
    return server


def _at_size(place: _Place, known: Kept, count: int, progress: Progress) -> Report:
    begun = time.perf_counter()
    with _database(place) as (_, engine):
        if known.readings != count:
            _fill(place, known, engine, count, progress)
        with engine.connect() as connection:
            bytes_a_reading = seeding.bytes_of_readings(connection) / count
            asked = questions.make(connection, YEAR_AGO, AFTER_SEASON)
    filled = time.perf_counter() - begun
    total = place.cold_rounds + len(asked)
    asking = progress.add_task(f"Asking, {count:,} readings", total=total)
    cold: list[Report] = []
    for number in range(place.cold_rounds):
        servers.drop_from_cache(place.settings.home)
        with _database(place) as (url, _), answering.serving(url, place.folder) as port:
            cold.append({one.name: answering.once(port, one, number) for one in asked if one.cold})
        progress.advance(asking)
    with _database(place) as (url, engine), answering.serving(url, place.folder) as port:
        warm = {}
        for one in asked:
            warm[one.name] = answering.warm(engine, port, one, place.requests)
            progress.advance(asking)
    return {
        "readings": count,
        "fill_s": filled,
        "bytes_a_reading": bytes_a_reading,
        "cold": {
            one.name: answering.spread([ms for each in cold for ms in each[one.name]])
            | {"first_ms": max(each[one.name][0] for each in cold)}
            for one in asked
            if one.cold and cold
        },
        "warm": warm,
    }


def _fill(place: _Place, known: Kept, engine: sa.Engine, count: int, progress: Progress) -> None:
    task = progress.add_task(f"{count:,} readings", total=count)
    kept.note(place.folder, known._replace(readings=None))
    seeding.fill(
        engine,
        count,
        start=YEAR_AGO,
        end=AFTER_SEASON,
        advance=lambda rows: progress.advance(task, rows),
    )
    kept.note(place.folder, known._replace(readings=count))


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """The folder that keeps the database, or one that is gone afterwards."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.absolute()
        return
    with tempfile.TemporaryDirectory(prefix="dala-bench-") as made:
        yield Path(made)


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


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )
