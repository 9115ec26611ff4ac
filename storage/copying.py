"""COPY in binary form from and to numpy arrays: no row of Python objects on the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa
from psycopg import sql

# 2000-01-01, PostgreSQL's epoch, in microseconds of ours.
_POSTGRES_EPOCH_US = 946_684_800_000_000
_HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TRAILER = b"\xff\xff"

Column = np.ndarray[Any, Any] | bytes | None


def times(microseconds: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Microseconds since 1970 as a timestamptz column."""
    return microseconds.astype(np.int64) - _POSTGRES_EPOCH_US


def records(columns: Sequence[Column], count: int) -> bytes:
    """Rows of a binary COPY.

    A column is an array of ``count`` numbers (int16, int32, int64 or float64, sent as it is), or
    bytes that every row shares (a text), or None for NULL in every row.
    """
    layout: list[tuple[str, str]] = [("columns", ">i2")]
    for index, column in enumerate(columns):
        layout.append((f"size{index}", ">i4"))
        if isinstance(column, bytes):
            layout.append((f"value{index}", f"V{len(column)}"))
        elif column is not None:
            layout.append((f"value{index}", column.dtype.newbyteorder(">").str))
    rows = np.empty(count, dtype=layout)
    rows["columns"] = len(columns)
    for index, column in enumerate(columns):
        if isinstance(column, bytes):
            rows[f"size{index}"] = len(column)
            rows[f"value{index}"] = np.void(column)
        elif column is None:
            rows[f"size{index}"] = -1
        else:
            rows[f"size{index}"] = column.dtype.itemsize
            rows[f"value{index}"] = column
    return rows.tobytes()


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
    layout: list[tuple[str, str]] = [("columns", ">i2")]
    for name in dtype.names or ():
        layout += [(f"size of {name}", ">i4"), (name, dtype[name].newbyteorder(">").str)]
    row = np.dtype(layout)
    body = memoryview(raw)[len(_HEADER) : -len(_TRAILER)]
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
    """COPY rows made by :func:`records` into a table."""
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
