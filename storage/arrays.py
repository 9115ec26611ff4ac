"""numpy arrays as parameters and results of a statement, in PostgreSQL's binary form."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
import sqlalchemy as sa
from psycopg.abc import DumperKey
from psycopg.adapt import Buffer, Dumper, PyFormat
from psycopg.pq import Format

from storage import copying

# OIDs of a type and of arrays of it, from pg_type: the same on every server.
_TYPES = {
    "int16": (21, 1005),
    "int32": (23, 1007),
    "int64": (20, 1016),
    "float64": (701, 1022),
    "datetime64[us]": (1184, 1185),  # timestamptz
}
_DTYPES = {
    array_oid: np.dtype("int64" if name.startswith("datetime") else name)
    for name, (_, array_oid) in _TYPES.items()
}
_TIMES_OID = 1185
_HEAD = struct.Struct(">iiiii")  # dimensions, has NULLs, type, length, index of the first

Array = np.ndarray[Any, Any]


def times(microseconds: Array) -> Array:
    """Microseconds since 1970 as a parameter of type timestamptz[]."""
    return microseconds.astype(np.int64).view("datetime64[us]")


def fetch(connection: sa.Connection, statement: str, parameters: Mapping[str, Any]) -> list[Array]:
    """Run a query that answers with one row of arrays; no value becomes a Python object.

    ``statement`` is a constant of this package with parameters written ``%(name)s``, which may be
    arrays of numbers and of :func:`times`. Its columns are what ``array_agg`` makes of int2, int4,
    int8, float8 or timestamptz without NULL (coalesce to NaN); an answer of NULL is an empty array,
    and timestamptz comes as microseconds since 1970.
    """
    driver = connection.connection.driver_connection
    assert driver is not None  # noqa: S101 - a checked-out connection has one
    with driver.cursor(binary=True) as cursor:
        cursor.adapters.register_dumper(np.ndarray, _ArrayDumper)
        cursor.execute(statement, parameters)
        answer = cursor.pgresult
        return [
            _array(answer.get_value(0, column), answer.ftype(column))
            for column in range(answer.nfields)
        ]


def _array(raw: bytes | None, array_oid: int) -> Array:
    dtype = _DTYPES[array_oid]
    if raw is None or len(raw) < _HEAD.size:  # NULL, or '{}'
        return np.empty(0, dtype)
    _, has_null, _, count, _ = _HEAD.unpack_from(raw)
    if has_null:
        raise ValueError("an array that came from the database holds NULL")
    element = [("size", ">i4"), ("value", dtype.newbyteorder(">"))]
    values = np.frombuffer(raw, element, count, _HEAD.size)["value"].astype(dtype)
    return copying.since_1970(values) if array_oid == _TIMES_OID else values


class _ArrayDumper(Dumper):
    """One dumper for each type of element."""

    format = Format.BINARY

    def get_key(self, obj: Any, _format: PyFormat) -> DumperKey:
        return self.cls, obj.dtype.type

    def upgrade(self, obj: Any, _format: PyFormat) -> _ArrayDumper:
        made = type(self)(self.cls)
        made._element_oid, made.oid = _TYPES[obj.dtype.name]
        return made

    _element_oid = 0

    def dump(self, obj: Any) -> Buffer:
        values = copying.times(obj.view(np.int64)) if obj.dtype.kind == "M" else obj
        head = _HEAD.pack(1, 0, self._element_oid, len(values), 1)
        element = [("size", ">i4"), ("value", values.dtype.newbyteorder(">"))]
        elements = np.empty(len(values), element)
        elements["size"], elements["value"] = values.dtype.itemsize, values
        return head + elements.tobytes()
