"""COPY in binary form from and to numpy arrays: no row of Python objects on the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa
from psycopg import sql

# 2000-01-01, PostgreSQL's epoch, in microseconds of ours.
_POSTGRES_EPOCH_US = 946_684_800_000_000
_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TRAILER = b"\xff\xff"
_PIECE = 32_768  # bytes that psycopg hands on at once, without a copy of its own

Column = np.ndarray[Any, Any] | bytes | None


def times(microseconds: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Microseconds since 1970 as a timestamptz column."""
    return microseconds.astype(np.int64) - _POSTGRES_EPOCH_US


def records(columns: Sequence[Column], count: int) -> bytes:
    """Rows of a binary COPY.

    A column is an array of ``count`` numbers (int16, int32, int64 or float64, sent as it is) or of
    byte strings of one length (``V`` or ``S``), or bytes that every row shares (a text), or None
    for NULL in every row.
    """
    return b"".join(pieces(columns, count))


def pieces(columns: Sequence[Column], count: int) -> Iterator[bytes]:
    """The rows of :func:`records` a piece at a time, made while the server takes the last one.

    All pieces are made in one small buffer: memory that is touched for the first time costs more
    than all that is written into it.
    """
    layout = _layout(columns)
    buffer = np.zeros(min(count, max(1, _PIECE // layout.itemsize)), layout)
    buffer["columns"] = len(columns)
    arrays = []
    for index, column in enumerate(columns):
        if column is None:
            buffer[f"size{index}"] = -1
        elif isinstance(column, bytes):
            buffer[f"size{index}"], buffer[f"value{index}"] = len(column), np.void(column)
        else:
            buffer[f"size{index}"] = column.dtype.itemsize
            arrays.append((buffer[f"value{index}"], column))
    for start in range(0, count, max(1, len(buffer))):
        length = min(len(buffer), count - start)
        for value, column in arrays:
            value[:length] = column[start : start + length]
        yield buffer[:length].tobytes()


def _layout(columns: Sequence[Column]) -> np.dtype[Any]:
    """A row of these columns as it goes over the wire."""
    layout: list[tuple[str, str]] = [("columns", ">i2")]
    for index, column in enumerate(columns):
        layout.append((f"size{index}", ">i4"))
        if isinstance(column, bytes):
            layout.append((f"value{index}", f"V{len(column)}"))
        elif column is not None:
            layout.append((f"value{index}", column.dtype.newbyteorder(">").str))
    return np.dtype(layout)


def grouped(columns: Sequence[Column], count: int) -> list[bytes]:
    """Rows of a binary COPY where numbers may be unknown and texts differ from row to row.

    Beside what :func:`records` takes, a column may be an array of ``str``; NaN in an array of
    floats is NULL. Rows alike in what is NULL and in their texts share a layout: a part for each.
    """
    if count == 0:
        return []
    codes = np.zeros(count, np.int64)
    for column in columns:
        if not isinstance(column, np.ndarray):
            continue
        if column.dtype.kind == "f":
            codes = codes * 2 + np.isnan(column)
        elif column.dtype.kind in "UO":
            codes = codes * count + np.unique(column, return_inverse=True)[1]
        else:
            continue
        codes = np.unique(codes, return_inverse=True)[1]
    order = np.argsort(codes, kind="stable")
    starts = np.flatnonzero(np.diff(codes[order], prepend=-1))
    return [
        records([_of_rows(column, rows) for column in columns], len(rows))
        for rows in np.split(order, starts[1:])
    ]


def _of_rows(column: Column, rows: np.ndarray[Any, Any]) -> Column:
    if not isinstance(column, np.ndarray):
        return column
    first = column[rows[0]]
    if column.dtype.kind in "UO":
        return str(first).encode()
    return None if column.dtype.kind == "f" and np.isnan(first) else column[rows]


def copy_out(
    connection: sa.Connection,
    statement: str,
    parameters: Mapping[str, Any],
    dtype: np.dtype[Any],
) -> np.ndarray[Any, Any]:
    """Rows of a query as one structured array.

    The query's columns are numbers of the sizes of ``dtype``, never NULL (coalesce to NaN), and
    come in its order; parameters are written ``%(name)s``. Microseconds come as they leave: use
    :func:`since_1970` on a timestamptz.
    """
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101 - a checked-out connection has one
    copy_statement = sql.SQL("COPY ({}) TO STDOUT (FORMAT BINARY)").format(
        sql.SQL(statement)  # constants of this package, never input
    )
    with driver.cursor() as cursor, cursor.copy(copy_statement, parameters) as copy:
        raw = b"".join(copy)
    return _taken(memoryview(raw)[len(_HEADER) : -len(_TRAILER)], _wire(dtype), dtype)


def copy_out_in_parts(
    connection: sa.Connection,
    statement: str,
    parameters: Mapping[str, Any],
    dtype: np.dtype[Any],
    count: int,
) -> Iterator[np.ndarray[Any, Any]]:
    """What :func:`copy_out` gives, ``count`` rows at a time, where all would be too many."""
    copy_statement = sql.SQL("COPY ({}) TO STDOUT (FORMAT BINARY)").format(
        sql.SQL(statement)  # constants of this package, never input
    )
    row = _wire(dtype)
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101 - a checked-out connection has one
    with driver.cursor() as cursor, cursor.copy(copy_statement, parameters) as copy:
        held, skip = bytearray(), len(_HEADER)
        for piece in copy:
            held += piece
            if len(held) >= skip + count * row.itemsize + len(_TRAILER):
                yield _taken(bytes(held[skip : skip + count * row.itemsize]), row, dtype)
                del held[: skip + count * row.itemsize]
                skip = 0
    if rest := bytes(held[skip : len(held) - len(_TRAILER)]):
        yield _taken(rest, row, dtype)


def _wire(dtype: np.dtype[Any]) -> np.dtype[Any]:
    layout: list[tuple[str, str]] = [("columns", ">i2")]
    for name in dtype.names or ():
        layout += [(f"size of {name}", ">i4"), (name, dtype[name].newbyteorder(">").str)]
    return np.dtype(layout)


def _taken(
    body: bytes | memoryview, row: np.dtype[Any], dtype: np.dtype[Any]
) -> np.ndarray[Any, Any]:
    if len(body) % row.itemsize:
        raise ValueError(f"a row of this query is not {row.itemsize} bytes: is a column NULL?")
    table = np.frombuffer(body, row)
    made = np.empty(len(table), dtype)
    for name in dtype.names or ():
        if len(table) and (table[f"size of {name}"] != dtype[name].itemsize).any():
            raise ValueError(f"column {name} is NULL or not of {dtype[name].itemsize} bytes")
        made[name] = table[name]
    return made


def since_1970(postgres_us: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Microseconds since 1970 of a timestamptz column that came by :func:`copy_out`."""
    return np.asarray(postgres_us + _POSTGRES_EPOCH_US)


def copy_in(
    connection: sa.Connection, table: str, columns: Sequence[str], parts: Iterable[bytes]
) -> None:
    """COPY rows made by :func:`records` or :func:`pieces` into a table."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101 - a checked-out connection has one
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        copy.write(_HEADER)
        for part in parts:
            copy.write(part)
        copy.write(_TRAILER)
