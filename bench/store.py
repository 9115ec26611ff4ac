"""Storing readings and track points, as a share of what PostgreSQL takes at best.

The limit is COPY in binary form of rows built beforehand, all of them new, into the same table with
the same unique index. Against it stands :func:`storage.readings.store`, which builds the rows,
finds those that are stored already, keeps conflicts, tells what became of each, and numbers and
hashes what is new as a batch; and the same without the last, which says what that costs. Beside it
stands what plain SQL has for rows that may be stored: COPY of rows built beforehand into a staging
table and ``INSERT … ON CONFLICT DO NOTHING``, which tells nothing and keeps no conflict.

All work batch by batch, a transaction each, and begin with as many rows in the table. They run in
turns: what slows the machine slows all, and the ratio of a round is what counts. A ratio is of rows
offered: with half of them known, COPY still has to store as many rows as are offered to the others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import psycopg
import sqlalchemy as sa
from rich import box
from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from bench import hashing, servers, stored_rows
from bench.machine import server_of, this_machine
from bench.stored_rows import Offer, Rows, Subject
from storage import copying
from storage.database import ping

ROWS, ROUNDS = 160_000, 3
ROWS_A_BATCH = (1_000, 8_000, 20_000)  # the second: 2,000 messages of four values, as ingest has
POINTS_A_BATCH = (8_000,)
FLEETS = (8_000,)  # datastreams that all send at once: a batch has one reading of each
DUPLICATES_PCT = (0.0, 1.0, 50.0)
BY_ANOTHER_PCT = (1.0,)
SENT_AGAIN, BY_ANOTHER = "sent again", "by another"

Report = dict[str, Any]


class MiscountError(AssertionError):
    """The table does not hold what was stored: speeds of a wrong result are worth nothing."""


class Case(NamedTuple):
    """What one row of the report is about."""

    subject: Subject
    rows_a_batch: int
    duplicates_pct: float
    known: str = SENT_AGAIN


class _Round(NamedTuple):
    """Seconds of each way of storing, one after the other."""

    limit: float
    store: float
    unhashed: float  # storing in no batch
    on_conflict: float


def run(
    *,
    rows: int = ROWS,
    rounds: int = ROUNDS,
    rows_a_batch: Sequence[int] = ROWS_A_BATCH,
    points_a_batch: Sequence[int] = POINTS_A_BATCH,
    fleets: Sequence[int] = FLEETS,
    duplicates_pct: Sequence[float] = DUPLICATES_PCT,
    by_another_pct: Sequence[float] = BY_ANOTHER_PCT,
    database_url: str | None = None,
) -> Report:
    """Measure in a database of its own, which is gone afterwards.

    Parameters
    ----------
    rows : int
        Rows offered in each run; as many are in the table before.
    rounds : int
        How often each case runs; medians are reported.
    rows_a_batch, points_a_batch : sequence of int
        Readings of a thousand datastreams, and track points of forty machines, of one transaction.
    fleets : sequence of int
        So many datastreams, of which a transaction has one reading each.
    duplicates_pct, by_another_pct : sequence of float
        Shares of the offered rows that are stored already: rows of the batch before that come
        again; and rows of each batch that another worker stores just before. [%]
    database_url : str, optional
        A server, with TimescaleDB or without, on which its role may create a database; an embedded
        one by default.

    Raises
    ------
    embedded.children.ChildError
        If the embedded server cannot be started.
    MiscountError
        If the table does not hold each row once at the end of a run.
    """
    readings, points = stored_rows.of_readings(2 * rows), stored_rows.of_points(2 * rows)
    sizes = [(readings, size) for size in rows_a_batch]
    sizes += [(stored_rows.of_readings(2 * rows, streams), streams) for streams in fleets]
    sizes += [(points, size) for size in points_a_batch]
    cases = [Case(*size, share) for size in sizes for share in duplicates_pct]
    cases += [Case(*size, share, BY_ANOTHER) for size in sizes for share in by_another_pct]
    with servers.plain() if database_url is None else servers.on(database_url) as engine:
        return measure(engine, cases, rounds)


def measure(engine: sa.Engine, cases: Sequence[Case], rounds: int) -> Report:
    """Measure on a migrated database. Empties its tables: not for one that is in use."""
    with engine.begin() as connection:
        stored_rows.register(connection, max((stored_rows.STREAMS, *map(_streams, cases))))
    with _progress() as progress:
        task = progress.add_task("Storing", total=rounds * len(cases))
        figures = []
        for case in cases:
            measured = []
            for _ in range(rounds):
                measured.append(_measure_once(engine, case))
                progress.advance(task)
            figures.append(_figures(case, measured))
    with engine.connect() as connection:
        server = {"postgresql": ping(connection)}
        if version := servers.timescale_version(connection):
            server["timescaledb"] = version
    return {
        "bench": "store",
        "machine": this_machine()._asdict()
        | server
        | {"psycopg": psycopg.__version__, "numpy": np.__version__},
        "rows": len(cases[0].subject.rows) // 2,
        "rounds": rounds,
        "cases": figures,
    }


def _measure_once(engine: sa.Engine, case: Case) -> _Round:
    subject = case.subject
    all_new = stored_rows.by_another(subject.rows, case.rows_a_batch, 0.0)
    offer = _offer(case)
    new = np.zeros(0, bool)

    def store(connection: sa.Connection, batch: Rows) -> None:
        nonlocal new
        new = np.append(new, subject.store(connection, batch))

    def unhashed(connection: sa.Connection, batch: Rows) -> None:
        with hashing.left_out():
            subject.store(connection, batch)

    def copy(connection: sa.Connection, parts: list[bytes]) -> None:
        copying.copy_in(connection, subject.table, subject.columns, parts)

    def on_conflict(connection: sa.Connection, parts: list[bytes]) -> None:
        connection.execute(sa.text(_STAGE.format(subject.table)))
        copying.copy_in(connection, "bench_stage", subject.columns, parts)
        connection.execute(sa.text(_FROM_STAGE.format(subject.table)))

    packed = [subject.packed(batch) for batch in offer.batches]
    measured = _Round(
        _timed(engine, subject, all_new, copy, list(map(subject.packed, all_new.batches))),
        _timed(engine, subject, offer, store, offer.batches),
        _timed(engine, subject, offer, unhashed, offer.batches),
        _timed(engine, subject, offer, on_conflict, packed),
    )
    if (called := int((~new).sum())) != offer.known:
        raise MiscountError(f"{called} rows called duplicates, {offer.known} were")
    return measured


_STAGE = "CREATE TEMPORARY TABLE IF NOT EXISTS bench_stage (LIKE {}) ON COMMIT DELETE ROWS"
_FROM_STAGE = "INSERT INTO {} SELECT * FROM bench_stage ON CONFLICT DO NOTHING"


def _streams(case: Case) -> int:
    ids = case.subject.rows.dtype.names or ()
    return int(case.subject.rows["datastream_id"].max()) if "datastream_id" in ids else 0


def _offer(case: Case) -> Offer:
    make = stored_rows.by_another if case.known == BY_ANOTHER else stored_rows.sent_again
    return make(case.subject.rows, case.rows_a_batch, case.duplicates_pct)


def _timed(
    engine: sa.Engine,
    subject: Subject,
    offer: Offer,
    store: Callable[[sa.Connection, Any], None],
    batches: Sequence[Any],
) -> float:
    """Seconds that storing takes, into a table that holds exactly what the offer says."""
    engine.dispose()  # each begins with a connection of its own, and with no staging table
    with engine.begin() as connection:
        connection.execute(sa.text(f"TRUNCATE {subject.table}, pending_batches"))
        subject.know(connection)
        parts = subject.packed(offer.beforehand)
        copying.copy_in(connection, subject.table, subject.columns, parts)
    seconds = 0.0
    for batch, theirs in zip(batches, offer.by_others, strict=True):
        if len(theirs):
            with engine.begin() as connection:
                parts = subject.packed(theirs)
                copying.copy_in(connection, subject.table, subject.columns, parts)
        begun = time.perf_counter()
        with engine.begin() as connection:
            store(connection, batch)
        seconds += time.perf_counter() - begun
    with engine.connect() as connection:
        found = connection.scalar(sa.select(sa.func.count()).select_from(sa.table(subject.table)))
    offered = sum(map(len, offer.batches)) + sum(map(len, offer.by_others)) - offer.known
    expected = len(offer.beforehand) + offered
    if found != expected:
        raise MiscountError(f"the table holds {found} rows, {expected} were stored")
    return seconds


def _figures(case: Case, measured: Sequence[_Round]) -> Report:
    offered = len(case.subject.rows) // 2
    ratios = [one.limit / one.store for one in measured]
    evidence = [100.0 * (one.store / one.unhashed - 1.0) for one in measured]
    return {
        "what": case.subject.name,
        "rows_a_batch": case.rows_a_batch,
        "duplicates_pct": case.duplicates_pct,
        "known": case.known,
        "duplicate": _offer(case).known,
        "limit_rows_per_s": median(offered / one.limit for one in measured),
        "rows_per_s": median(offered / one.store for one in measured),
        "ratio": median(ratios),
        "ratio_lowest": min(ratios),
        "ratio_highest": max(ratios),
        "evidence_pct": median(evidence),
        "evidence_lowest_pct": min(evidence),
        "evidence_highest_pct": max(evidence),
        "on_conflict_ratio": median(one.limit / one.on_conflict for one in measured),
    }


def as_table(report: Report) -> RenderableType:
    """The report for people."""
    machine = report["machine"]
    table = Table(title="Storing", title_justify="left", box=box.SIMPLE, collapse_padding=True)
    table.add_column("what")
    for name in (
        "a batch",
        "known already",
        "COPY/s",
        "store/s",
        "ratio",
        "low … high",
        "evidence",
        "ON\nCONFLICT",
    ):
        table.add_column(name, justify="right")
    for one in report["cases"]:
        table.add_row(
            one["what"],
            f"{one['rows_a_batch']:,}",
            f"{one['duplicates_pct']:g} % {one['known']}" if one["duplicate"] else "none",
            f"{one['limit_rows_per_s'] / 1e3:,.0f} k",
            f"{one['rows_per_s'] / 1e3:,.0f} k",
            f"{one['ratio']:.2f}",
            f"{one['ratio_lowest']:.2f} … {one['ratio_highest']:.2f}",
            f"{one['evidence_pct']:+.1f} %",
            f"{one['on_conflict_ratio']:.2f}",
        )
    return Group(
        table,
        "COPY: rows built beforehand, all of them new, into the same table with its unique index. "
        "ratio: rows offered to store a second, as a share of that. evidence: the time that "
        "numbers and digests of batches add to storing without. ON CONFLICT: the same share of "
        "a staging table and INSERT … ON CONFLICT DO NOTHING. A fleet sends one reading of each "
        "datastream a batch; the other readings are of a thousand datastreams.",
        f"{report['rows']:,} rows offered to a table that holds as many, medians of "
        f"{report['rounds']} rounds; {server_of(machine)}, Python "
        f"{machine['python']}, psycopg {machine['psycopg']}, numpy {machine['numpy']}, "
        f"{machine['cores']} cores of {machine['cpu']}, {machine['system']}",
    )


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )
