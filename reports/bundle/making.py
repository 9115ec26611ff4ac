"""A bundle is made: every row that a report rests on, as it stood, and a manifest of them."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from evidence import entries
from reports.bundle import container, forms, scope
from reports.statements import heads, manifest
from reports.statements.figures import moment
from storage import devices, evidence, evidence_rows, retention
from storage.evidence import StoredEntry
from storage.evidence_rows import COMPUTED, ENTERED, ROWS_TOGETHER, Batches, Scope
from storage.quantities import CATALOGUE

FORMAT = "dala-evidence/1"
PACKED_TOGETHER = 1 << 24  # bytes of records of batches
OnFile = Callable[[str], object]


class Made(NamedTuple):
    """A bundle that was made."""

    rows: Mapping[str, int]  # by file
    size: int  # bytes


def make(
    connection: sa.Connection,
    report: Mapping[str, Any],
    send: Callable[[bytes], object],
    folder: Path,
    *,
    on_file: OnFile = lambda _name: None,
) -> Made:
    """Make the bundle of a report.

    Parameters
    ----------
    connection
        In a transaction that sees one state (REPEATABLE READ).
    report : mapping
        The member ``report`` of its file.
    send : callable
        Takes the bundle's bytes, piece by piece.
    folder : Path
        Empty, for files until they are sent.
    on_file : callable, optional
        Hears of every file before it is written.
    """
    asked = scope.of_report(connection, report)
    told = _told(connection, report, asked)
    writing = _Writing(folder, on_file)
    for name in (*ENTERED, *COMPUTED):
        writing.rows(forms.table(name), evidence_rows.rows(connection, name, asked))
    batches = writing.entries(_entries(connection, report))
    _measured(connection, writing, asked, batches)
    told["files"] = writing.files
    digest = manifest.digest(manifest.canonical(told))
    path = folder / "manifest"
    path.write_bytes(manifest.canonical({"bundle": told, "sha256": digest}))
    paths = {forms.MANIFEST: path} | {name: writing.path(name) for name in forms.FILES}
    size = 0

    def count(piece: bytes) -> None:
        nonlocal size
        size += len(piece)
        send(piece)

    container.write(count, paths)
    return Made({name: one["rows"] for name, one in writing.files.items()}, size)


def _told(connection: sa.Connection, report: Mapping[str, Any], asked: Scope) -> dict[str, Any]:
    """What a manifest says beside the files."""
    complete_since = retention.complete_since(connection)
    return {
        "format": FORMAT,
        "report": {
            "number": report["number"],
            "revision": report["revision"],
            "sha256": manifest.digest(manifest.canonical(report)),
        },
        "as_of": moment(asked.as_of),
        "start": moment(asked.start),
        "end": moment(asked.end),
        "readings_complete_since": None if complete_since is None else moment(complete_since),
        "quantities": {name: one.unit for name, one in CATALOGUE.items()},
    }


def _entries(connection: sa.Connection, report: Mapping[str, Any]) -> Iterator[StoredEntry] | None:
    """Entries that a report names; None where it names none, for it has no evidence."""
    found = heads.of_manifest(report)
    if found is None:
        return None
    places = [place for one in found.entries for place in range(one.first, one.end)]
    return evidence.entries_at(connection, places)


def _measured(
    connection: sa.Connection, writing: _Writing, asked: Scope, batches: Batches | None
) -> None:
    ids = [one.id for one in devices.of_farms(connection, asked.farm_ids)]
    streams = [one.id for one in devices.datastreams(connection, ids)]
    readings, points = forms.MEASURED
    writing.batches(readings, evidence_rows.readings(connection, streams, asked, batches), _table)
    names = pa.array(ids, pa.string())

    def as_points(form: pa.Schema, part: np.ndarray[Any, Any]) -> pa.Table:
        return _table(form, part, {"device_id": names.take(pa.array(part["device"]))})

    writing.batches(points, evidence_rows.points(connection, ids, asked, batches), as_points)


def _table(
    form: pa.Schema,
    part: np.ndarray[Any, Any],
    given: Mapping[str, pa.Array] | None = None,
) -> pa.Table:
    columns = []
    for one in form:
        if given and one.name in given:
            columns.append(given[one.name])
            continue
        values = part[one.name]
        unknown = None
        if one.nullable:
            unknown = (
                np.isnan(values) if values.dtype.kind == "f" else values == forms.ABSENT[one.name]
            )
        columns.append(pa.array(np.ascontiguousarray(values), one.type, mask=unknown))
    return pa.table(columns, form)


_RECORD = np.dtype([("id", ">i8"), ("rest", f"V{entries.RECORD_BYTES - 8}")])  # of a batch


class _Writing:
    """Files as they are written, and what the manifest says of them."""

    def __init__(self, folder: Path, on_file: OnFile) -> None:
        self._folder, self._on_file = folder, on_file
        self.files: dict[str, dict[str, Any]] = {}

    def path(self, name: str) -> Path:
        """Where a file is until it is sent."""
        return self._folder / name.replace("/", "-")

    def rows(self, name: str, parts: Iterable[Sequence[tuple[Any, ...]]]) -> None:
        """Write rows of a table of the database."""
        form = forms.form(name)
        self._write(
            name,
            (
                pa.table(
                    [pa.array(one, kind) for one, kind in zip(columns, form.types, strict=True)],
                    form,
                )
                for columns in (list(zip(*part, strict=True)) for part in parts if part)
            ),
        )

    def batches(
        self,
        name: str,
        parts: Iterable[np.ndarray[Any, Any]],
        as_table: Callable[[pa.Schema, np.ndarray[Any, Any]], pa.Table],
    ) -> None:
        """Write rows that come as structured arrays."""
        form = forms.form(name)
        self._write(name, (as_table(form, part) for part in parts))

    def entries(self, found: Iterator[StoredEntry] | None) -> Batches | None:
        """Write entries of the tree, and say which batches they are of."""
        ids = [np.empty(0, np.int64)]
        times: list[dt.datetime] = []

        def told() -> Iterator[pa.Table]:
            form, rows, size = forms.form(forms.ENTRIES), [], 0
            for one in found or ():
                ids.append(np.frombuffer(one.batches, _RECORD)["id"].astype(np.int64))
                times.extend((one.first_at, one.last_at))
                rows.append(one._asdict())
                size += len(one.batches)
                # A farm has an entry a day, and one after a backlog may have millions of records.
                if len(rows) == ROWS_TOGETHER or size > PACKED_TOGETHER:
                    yield pa.Table.from_pylist(rows, form)
                    rows, size = [], 0
            if rows:
                yield pa.Table.from_pylist(rows, form)

        self._write(forms.ENTRIES, told())
        if found is None:
            return None
        between = (min(times), max(times)) if times else None
        return Batches(np.unique(np.concatenate(ids)), between)

    def _write(self, name: str, parts: Iterable[pa.Table]) -> None:
        self._on_file(name)
        path, form = self.path(name), forms.form(name)
        count = 0
        with pq.ParquetWriter(path, form, compression="zstd") as writer:
            for part in parts:
                writer.write_table(part, row_group_size=ROWS_TOGETHER)
                count += part.num_rows
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        self.files[name] = {
            "rows": count,
            "bytes": path.stat().st_size,
            "sha256": digest,
            "columns": forms.described(name),
        }
