"""COPY in binary form from numpy arrays: no row of Python objects on the way to the socket."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
