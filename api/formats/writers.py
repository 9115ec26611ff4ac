"""The same table as CSV, XLSX, Parquet or an Arrow stream, a piece at a time."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xlsxwriter
from pyarrow import csv, parquet

from api.formats.tables import Table
from reports.cells import AS_TEXT, RUNS
from reports.cells import write as write_cell

PIECE = 64 * 1024
_BOM = b"\xef\xbb\xbf"


def to_csv(table: Table, *, bom: bool = False) -> Iterator[bytes]:
    """CSV in UTF-8; times are RFC 3339 in UTC, what is not known is empty."""
    yield (_BOM if bom else b"") + ",".join(table.schema.names).encode() + b"\n"
    # Arrow quotes every text where it quotes any: a table without text goes without.
    has_text = any(pa.types.is_string(kind) for kind in table.schema.types)
    options = csv.WriteOptions(include_header=False, quoting_style="needed" if has_text else "none")
    for batch in table.batches:
        piece = io.BytesIO()
        written = [_for_csv(column) for column in batch.columns]
        csv.write_csv(pa.record_batch(written, table.schema.names), piece, options)
        yield piece.getvalue()


def _for_csv(column: pa.Array) -> pa.Array:
    if pa.types.is_timestamp(column.type):
        return rfc3339(column)
    if pa.types.is_string(column.type):
        return pc.replace_substring_regex(column, pattern=RUNS, replacement=AS_TEXT)
    return column


def rfc3339(times: pa.Array) -> pa.Array:
    """Times as text: with microseconds where one of them has any."""
    whole = not pc.any(pc.not_equal(pc.microsecond(times), 0)).as_py()
    whole = whole and not pc.any(pc.not_equal(pc.millisecond(times), 0)).as_py()
    naive = times.cast(pa.int64()).cast(pa.timestamp("us"))
    text = naive.cast(pa.timestamp("s")).cast(pa.string()) if whole else naive.cast(pa.string())
    if text.null_count:
        spaced = pc.binary_join_element_wise(text, "Z", "")
        return pc.replace_substring(spaced, pattern=" ", replacement="T")
    width = 19 if whole else 26
    offsets = np.frombuffer(text.buffers()[1], np.int32)
    begin, end = int(offsets[text.offset]), int(offsets[text.offset + len(text)])
    if end - begin != width * len(text):
        raise ValueError("a time outside the years 1000 to 9999")
    made = np.empty((len(text), width + 1), np.uint8)
    made[:, :width] = np.frombuffer(text.buffers()[2], np.uint8)[begin:end].reshape(-1, width)
    made[:, 10], made[:, width] = ord("T"), ord("Z")
    kind = pa.binary(width + 1)
    fixed = pa.Array.from_buffers(kind, len(text), [None, pa.py_buffer(made)])
    return fixed.cast(pa.binary()).cast(pa.string())


def to_xlsx(table: Table) -> Iterator[bytes]:
    """A workbook of one sheet, written row by row to a file that is gone afterwards."""
    with tempfile.TemporaryFile() as file:
        with xlsxwriter.Workbook(file, {"constant_memory": True}) as book:
            sheet = book.add_worksheet()
            sheet.freeze_panes(1, 0)
            bold = book.add_format({"bold": True})
            styles = [_style(book, kind) for kind in table.schema.types]
            for place, name in enumerate(table.schema.names):
                sheet.set_column(place, place, max(10, min(len(name) + 2, 40)))
                sheet.write_string(0, place, name, bold)
            line = 1
            for batch in table.batches:
                for row in zip(*(_for_xlsx(column) for column in batch.columns), strict=True):
                    for place, value in enumerate(row):
                        write_cell(sheet, line, place, value, styles[place])
                    line += 1
        file.seek(0)
        while piece := file.read(PIECE):
            yield piece


def _style(book: Any, kind: pa.DataType) -> Any:
    if pa.types.is_timestamp(kind):
        return book.add_format({"num_format": 'yyyy-mm-dd"T"hh:mm:ss"Z"'})
    return book.add_format({"num_format": "yyyy-mm-dd"}) if pa.types.is_date(kind) else None


def _for_xlsx(column: pa.Array) -> list[Any]:
    if pa.types.is_timestamp(column.type):  # a cell has no time zone
        column = column.cast(pa.int64()).cast(pa.timestamp("us"))
    values: list[Any] = column.to_pylist()
    return values


class _Taken(io.RawIOBase):
    """Takes what a library writes until it is asked for."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._at = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        self._at += len(piece)
        return len(piece)

    def take(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def to_parquet(table: Table) -> Iterator[bytes]:
    """Parquet, a row group for each batch."""
    sink = _Taken()
    with parquet.ParquetWriter(sink, table.schema, compression="zstd") as writer:
        for batch in table.batches:
            writer.write_batch(batch)
            yield sink.take()
    yield sink.take()


def to_arrow(table: Table) -> Iterator[bytes]:
    """Arrow's IPC stream."""
    sink = _Taken()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        for batch in table.batches:
            writer.write_batch(batch)
            yield sink.take()
    yield sink.take()
