"""A bundle is opened: nothing of it is believed before it is as its manifest says.

A bundle comes from whoever wants to convince. Its files are read as they lie in it, some thousands
of rows at a time, so that none of them fills the memory.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import rfc8785

from reports.bundle import container, forms
from reports.bundle.container import BadContainer
from reports.bundle.making import FORMAT
from reports.statements import manifest
from storage.evidence_rows import POINTS, READINGS, ROWS_TOGETHER

Array = np.ndarray[Any, Any]

MOST_MANIFEST = 1 << 20  # bytes
MOST_TOGETHER = 1 << 29  # bytes of a group of rows, unpacked
MEMBERS = frozenset(
    {"format", "report", "as_of", "start", "end", "readings_complete_since", "quantities", "files"}
)
_OF_FILE = frozenset({"rows", "bytes", "sha256", "columns"})


class BadBundle(ValueError):
    """What is no bundle, or not this report's; the message says what is wrong."""


class Bundle:
    """An opened bundle, whole and of the report that it was opened for."""

    def __init__(self, told: Mapping[str, Any], files: Mapping[str, pa.Buffer]) -> None:
        self.told, self._files = told, files
        self.devices: list[str] = [row[0] for row in self.rows("devices", ["id"])]

    @property
    def complete_since(self) -> dt.datetime | None:
        """Since when all readings are there, as the service says: it dropped what came before."""
        since = self.told["readings_complete_since"]
        return None if since is None else dt.datetime.fromisoformat(since)

    def count(self, file: str) -> int:
        """How many rows a file has."""
        return int(self.told["files"][file]["rows"])

    def tables(self, file: str, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """The rows of a file, some thousands at a time."""
        opened = _parquet(file, self._files[file])
        for group in range(opened.num_row_groups):
            try:
                yield opened.read_row_group(group, columns=columns)
            except (pa.ArrowException, OSError) as error:
                raise BadBundle(f"{file} cannot be read: {error}") from error

    def rows(self, table: str, columns: Sequence[str] | None = None) -> Iterator[tuple[Any, ...]]:
        """Rows of a table of the database."""
        yield from self.rows_of(forms.table(table), columns)

    def rows_of(self, file: str, columns: Sequence[str] | None = None) -> Iterator[tuple[Any, ...]]:
        """Rows of a file, as Python has their values."""
        for part in self.tables(file, columns):
            try:
                values = [one.to_pylist() for one in part.columns]
            except (ValueError, OverflowError) as error:  # a time that no calendar has
                raise BadBundle(f"{file} has a value that is none: {error}") from error
            yield from zip(*values, strict=True)

    def readings(self) -> Iterator[Array]:
        """Readings, as structured arrays of :data:`storage.evidence_rows.READINGS`."""
        known = np.array([row[0] for row in self.rows("datastreams", ["id"])], np.int64)
        for part in self.tables(forms.MEASURED[0]):
            made = _array(part, READINGS)
            if not np.isin(made["datastream_id"], known).all():
                raise BadBundle("a reading is of a datastream that is not among its datastreams")
            yield made

    def points(self) -> Iterator[Array]:
        """Track points, as structured arrays of :data:`storage.evidence_rows.POINTS`."""
        ids = pa.array(self.devices, pa.string())
        for part in self.tables(forms.MEASURED[1]):
            places = pc.index_in(part.column("device_id").combine_chunks(), value_set=ids)
            if places.null_count:
                raise BadBundle("a track point is of a device that is not among its devices")
            yield _array(part, POINTS, {"device": places.to_numpy()})


def read(path: Path, report: Mapping[str, Any]) -> Bundle:
    """Open the bundle of a report.

    Raises
    ------
    OSError
        If it cannot be read.
    BadBundle
        If it is damaged, or of another report or revision, or no bundle at all.
    """
    try:
        files = container.read(path)
    except BadContainer as error:
        raise BadBundle(str(error)) from error
    if forms.MANIFEST not in files:
        raise BadBundle(f"there is no {forms.MANIFEST} in it")
    told = _manifest(files[forms.MANIFEST])
    _check_report(told, report)
    if list(files) != [forms.MANIFEST, *forms.FILES]:
        lacking = [name for name in forms.FILES if name not in files]
        beyond = [name for name in files if name not in {forms.MANIFEST, *forms.FILES}]
        words = f"lacks {', '.join(lacking)}" if lacking else f"has also {', '.join(beyond)}"
        raise BadBundle(f"it {words if lacking or beyond else 'has its files in another order'}")
    if not isinstance(told["files"], dict) or set(told["files"]) != set(forms.FILES):
        raise BadBundle("its manifest is of other files")
    for name in forms.FILES:
        _check_file(name, told["files"][name], files[name])
    return Bundle(told, files)


def _manifest(raw: pa.Buffer) -> Mapping[str, Any]:
    if raw.size > MOST_MANIFEST:
        raise BadBundle("its manifest is longer than any")
    content = raw.to_pybytes()
    try:
        found = json.loads(content)
        is_whole = (
            rfc8785.dumps(found) == content
            and set(found) == {"bundle", "sha256"}
            and found["sha256"] == manifest.digest(rfc8785.dumps(found["bundle"]))
        )
        told = found["bundle"]
        known = is_whole and told.get("format") == FORMAT
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise BadBundle(f"its manifest cannot be read: {error}") from error
    except rfc8785.CanonicalizationError as error:
        raise BadBundle(f"its manifest is none of JSON: {error}") from error
    if not is_whole:
        raise BadBundle("its manifest is damaged")
    if not known:
        raise BadBundle(f"its format is {told.get('format')!r}, this program reads {FORMAT!r}")
    if set(told) != MEMBERS:
        raise BadBundle("its manifest has other members than a manifest")
    _check_since(told["readings_complete_since"])
    return dict(told)


def _check_since(since: Any) -> None:
    try:
        is_time = since is None or dt.datetime.fromisoformat(since).tzinfo is not None
    except (TypeError, ValueError):
        is_time = False
    if not is_time:
        raise BadBundle("since when its readings are complete is no time")


def _check_report(told: Mapping[str, Any], report: Mapping[str, Any]) -> None:
    digest = manifest.digest(manifest.canonical(report))
    asked = {"number": report["number"], "revision": report["revision"], "sha256": digest}
    found = told["report"]
    if found == asked:
        return
    if not isinstance(found, dict) or set(found) != set(asked):
        raise BadBundle("its manifest does not say of which report it is")
    if (found["number"], found["revision"]) != (asked["number"], asked["revision"]):
        raise BadBundle(
            f"it is the bundle of report {found['number']}, revision {found['revision']}, and not "
            f"of {asked['number']}, revision {asked['revision']}"
        )
    raise BadBundle("it was made of another text of this report than the one that you have")


def _check_file(name: str, told: Mapping[str, Any], raw: pa.Buffer) -> None:
    if not isinstance(told, dict) or set(told) != _OF_FILE:
        raise BadBundle(f"its manifest does not say of {name} what it says of files")
    if told["bytes"] != raw.size or told["sha256"] != hashlib.sha256(memoryview(raw)).hexdigest():
        raise BadBundle(f"{name} is not the file that its manifest is of")
    if told["columns"] != forms.described(name):
        raise BadBundle(
            f"{name} has other columns than this version of the program knows: check with the one "
            "that made it"
        )
    opened = _parquet(name, raw)
    if not opened.schema_arrow.equals(forms.form(name)):
        raise BadBundle(f"the columns of {name} are not those that its manifest says")
    if opened.metadata.num_rows != told["rows"]:
        raise BadBundle(f"{name} has {opened.metadata.num_rows} rows and not {told['rows']}")
    for group in range(opened.num_row_groups):
        found = opened.metadata.row_group(group)
        if found.num_rows > ROWS_TOGETHER or found.total_byte_size > MOST_TOGETHER:
            raise BadBundle(f"{name} has more rows in one group than a bundle has")


def _parquet(name: str, raw: pa.Buffer) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(pa.BufferReader(raw))
    except (pa.ArrowException, OSError) as error:
        raise BadBundle(f"{name} is no Parquet file: {error}") from error


def _array(part: pa.Table, dtype: np.dtype[Any], given: Mapping[str, Array] | None = None) -> Array:
    made = np.empty(part.num_rows, dtype)
    for name in dtype.names or ():
        if given and name in given:
            made[name] = given[name]
            continue
        column = part.column(name)
        if pa.types.is_timestamp(column.type):
            column = column.cast(pa.int64())
        if column.null_count:
            column = column.fill_null(forms.ABSENT.get(name, float("nan")))
        made[name] = column.to_numpy()
    return made
