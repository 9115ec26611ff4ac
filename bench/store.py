"""Storing readings, as a share of what PostgreSQL takes at best.

The limit is COPY in binary form of rows built beforehand, into the same table with the same unique
index. Against it stands :func:`storage.readings.store`, which builds the rows, checks them for
repeats and tells what became of each. Both work batch by batch, a transaction each, on the same
readings, in turns: what slows the machine slows both, and the ratio of a round is what counts.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import sqlalchemy as sa
from rich import box
from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

import migrations
from bench.machine import this_machine
from embedded.home import EmbeddedSettings
from embedded.stack import open_embedded
from storage import copying, readings, tables
from storage.database import make_engine, ping

ROWS, ROUNDS, ROWS_A_BATCH = 400_000, 5, 8_000  # a batch of ingest: 2,000 messages of four values
DUPLICATES_PCT = (0.0, 1.0, 50.0)
STREAMS = 1_000
FIRST_US = 1_750_000_000_000_000  # 2025-06-15T15:06:40Z
INTERVAL_US = 600 * 1_000_000

Rows = np.ndarray[Any, Any]
Report = dict[str, Any]


class MiscountError(AssertionError):
    """The table does not hold what was stored: speeds of a wrong result are worth nothing."""


class _Run(NamedTuple):
    """One timed storing of all rows."""

    seconds: float
    new: int
    duplicate: int


def run(
    *,
    rows: int = ROWS,
    rounds: int = ROUNDS,
    rows_a_batch: int = ROWS_A_BATCH,
    duplicates_pct: Sequence[float] = DUPLICATES_PCT,
) -> Report:
    """Measure on an embedded database of its own, which is gone afterwards.

    Parameters
    ----------
    rows : int
        Readings stored in each run.
    rounds : int
        How often each case runs; medians are reported.
    rows_a_batch : int
        Readings of one transaction.
    duplicates_pct : sequence of float
        Shares of the readings that are in the table beforehand, spread at random. [%]

    Raises
    ------
    embedded.children.ChildError
        If the database cannot be started.
    MiscountError
        If the table does not hold each reading once at the end of a run.
    """
    with tempfile.TemporaryDirectory(prefix="dala-bench-") as folder:
        settings = EmbeddedSettings(home=Path(folder))
        with open_embedded(settings, verb="bench", broker=False) as servers:
            engine = make_engine(servers.database_url, application="dala bench")
            try:
                migrations.upgrade(engine)
                return measure(engine, rows, rounds, rows_a_batch, duplicates_pct)
            finally:
                engine.dispose()


def measure(
    engine: sa.Engine, rows: int, rounds: int, rows_a_batch: int, duplicates_pct: Sequence[float]
) -> Report:
    """Measure on a migrated database. Empties its readings: not for one that is in use."""
    table = _readings(rows)
    batches = [table[cut : cut + rows_a_batch] for cut in range(0, rows, rows_a_batch)]
    known = {share: _known_beforehand(table, share) for share in duplicates_pct}
    limits: list[_Run] = []
    stored: dict[float, list[_Run]] = {share: [] for share in duplicates_pct}
    with _progress() as progress:
        task = progress.add_task("Storing readings", total=rounds * (1 + len(known)))
        for _ in range(rounds):
            limits.append(_run_limit(engine, batches))
            progress.advance(task)
            for share, beforehand in known.items():
                stored[share].append(_run_store(engine, batches, beforehand))
                progress.advance(task)
    with engine.connect() as connection:
        server = ping(connection)
    return {
        "bench": "store",
        "machine": this_machine()._asdict() | {"postgresql": server},
        "rows": rows,
        "rows_a_batch": rows_a_batch,
        "rounds": rounds,
        "copy_limit": _figures(rows, limits, limits),
        "store": [
            {"duplicates_pct": share} | _figures(rows, runs, limits)
            for share, runs in stored.items()
        ],
    }


def _readings(rows: int) -> Rows:
    """Readings of many devices in the order they would come: all of one time, then the next."""
    number = np.arange(rows)
    table = np.empty(rows, readings.DTYPE)
    table["datastream_id"] = number % STREAMS + 1
    table["time"] = FIRST_US + number // STREAMS * INTERVAL_US
    table["value"] = np.random.default_rng(1).normal(0.25, 0.05, rows)
    table["quality"] = 0
    table["received_at"] = table["time"] + 1_000_000
    return table


def _known_beforehand(table: Rows, share_pct: float) -> Rows:
    count = round(len(table) * share_pct / 100.0)
    chosen = np.random.default_rng(2).permutation(len(table))[:count]
    return table[np.sort(chosen)]


def _packed(batch: Rows) -> bytes:
    columns = [batch[name] for name in readings.DTYPE.names or ()]
    columns[0], columns[4] = copying.times(columns[0]), copying.times(columns[4])
    return copying.records(columns, len(batch))


def _run_limit(engine: sa.Engine, batches: Sequence[Rows]) -> _Run:
    packed = [_packed(batch) for batch in batches]
    _begin_with(engine, batches[0][:0])
    begun = time.perf_counter()
    for part in packed:
        with engine.begin() as connection:
            copying.copy_in(connection, "readings", readings.DTYPE.names or (), [part])
    seconds = time.perf_counter() - begun
    total = sum(map(len, batches))
    _check_count(engine, total)
    return _Run(seconds, total, 0)


def _run_store(engine: sa.Engine, batches: Sequence[Rows], beforehand: Rows) -> _Run:
    _begin_with(engine, beforehand)
    new = duplicate = 0
    begun = time.perf_counter()
    for batch in batches:
        with engine.begin() as connection:
            outcome = readings.store(connection, batch)
        new += int(outcome.new.sum())
        duplicate += int(outcome.duplicate.sum())
    seconds = time.perf_counter() - begun
    _check_count(engine, sum(map(len, batches)))
    if duplicate != len(beforehand):
        raise MiscountError(f"{duplicate} readings called duplicates, {len(beforehand)} were")
    return _Run(seconds, new, duplicate)


def _begin_with(engine: sa.Engine, rows: Rows) -> None:
    """Leave exactly these readings in the table."""
    with engine.begin() as connection:
        connection.execute(sa.text("TRUNCATE readings"))
        if len(rows):
            names = readings.DTYPE.names or ()
            copying.copy_in(connection, "readings", names, [_packed(rows)])


def _check_count(engine: sa.Engine, expected: int) -> None:
    with engine.connect() as connection:
        found = connection.scalar(sa.select(sa.func.count()).select_from(tables.readings))
    if found != expected:
        raise MiscountError(f"the table holds {found} readings, {expected} were stored")


def _figures(rows: int, runs: Sequence[_Run], limits: Sequence[_Run]) -> Report:
    ratios = [limit.seconds / one.seconds for one, limit in zip(runs, limits, strict=True)]
    return {
        "new": runs[0].new,
        "duplicate": runs[0].duplicate,
        "rows_per_s": median(rows / one.seconds for one in runs),
        "ratio": median(ratios),
        "ratio_lowest": min(ratios),
        "ratio_highest": max(ratios),
    }


def as_table(report: Report) -> RenderableType:
    """The report for people."""
    machine = report["machine"]
    table = Table(title="Storing readings", title_justify="left", box=box.SIMPLE, pad_edge=False)
    table.add_column("what")
    for name in ("new", "duplicate", "rows/s", "ratio", "low … high"):
        table.add_column(name, justify="right")
    for name, one in _lines(report):
        spread = f"{one['ratio_lowest']:.2f} … {one['ratio_highest']:.2f}"
        counts = (f"{one['new']:,}", f"{one['duplicate']:,}", f"{one['rows_per_s']:,.0f}")
        table.add_row(name, *counts, f"{one['ratio']:.2f}", spread)
    return Group(
        table,
        f"{report['rows']:,} rows in batches of {report['rows_a_batch']:,}, medians of "
        f"{report['rounds']} rounds; PostgreSQL {machine['postgresql']}, Python "
        f"{machine['python']}, {machine['cores']} cores of {machine['cpu']}, {machine['system']}",
    )


def _lines(report: Report) -> Iterator[tuple[str, Report]]:
    yield "COPY BINARY: the limit", report["copy_limit"]
    for one in report["store"]:
        yield f"store, {one['duplicates_pct']:g} % known", one


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )
