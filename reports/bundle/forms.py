"""The forms of a bundle's files: columns with their types and units, of each table."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from storage import evidence_rows
from storage.evidence_rows import COMPUTED, ENTERED, POINTS, READINGS

MANIFEST, ENTRIES = "manifest.json", "entries.parquet"
MEASURED = ("readings.parquet", "track_points.parquet")
TIME = pa.timestamp("us", tz="UTC")
_KINDS: Sequence[tuple[type[Any], pa.DataType]] = (
    # SmallInteger before Integer, for it is one.
    (sa.SmallInteger, pa.int16()),
    (sa.BigInteger, pa.int64()),
    (sa.Integer, pa.int32()),
    (sa.Double, pa.float64()),
    (sa.Boolean, pa.bool_()),
    (sa.DateTime, TIME),
    (sa.Date, pa.date32()),
    (sa.LargeBinary, pa.binary()),
    (JSONB, pa.string()),
    (sa.Text, pa.string()),
)
_OF_NUMPY = {"int16": pa.int16(), "int32": pa.int32(), "int64": pa.int64(), "float64": pa.float64()}
# By how the name of a column ends; the longest that fits.
UNITS = {
    "_mm": "mm",
    "_mm2": "mm²",
    "_m3": "m³",
    "_m3_h": "m³/h",
    "_kg_m3": "kg/m³",
    "_kzt_m3": "KZT/m³",
    "_kzt": "KZT",
    "_ha": "ha",
    "_l_ha": "L/ha",
    "_l_h": "L/h",
    "_kg": "kg",
    "_kg_s": "kg/s",
    "_pct": "%",
    "_deg": "°",
    "_cm": "cm",
    "_m": "m",
    "_m_s": "m/s",
    "_s": "s",
    "_years": "a",
}


def table(name: str) -> str:
    """The file of a table."""
    return f"tables/{name}.parquet"


FILES = (*(table(name) for name in (*ENTERED, *COMPUTED)), *MEASURED, ENTRIES)


@functools.cache
def form(file: str) -> pa.Schema:
    """The columns of a file."""
    if file == ENTRIES:
        return _ENTRIES
    if file == MEASURED[0]:
        return pa.schema([_of_numpy(name, READINGS) for name in READINGS.names or ()])
    if file == MEASURED[1]:
        names = POINTS.names or ()
        return pa.schema(
            [
                pa.field("device_id", pa.string(), nullable=False)
                if name == "device"
                else _of_numpy(name, POINTS)
                for name in names
            ]
        )
    name = file.removeprefix("tables/").removesuffix(".parquet")
    return pa.schema(
        [
            pa.field(one.name, _kind(one.type), nullable=bool(one.nullable))
            for one in evidence_rows.columns(name)
        ]
    )


_ENTRIES = pa.schema(
    [
        pa.field("position", pa.int64(), nullable=False),  # of its leaf in the tree
        pa.field("seal", pa.int64(), nullable=False),
        pa.field("sealed_at", TIME, nullable=False),
        pa.field("farm", pa.string()),  # short name
        pa.field("first_at", TIME, nullable=False),
        pa.field("last_at", TIME, nullable=False),
        pa.field("batches", pa.large_binary(), nullable=False),  # packed: evidence.entries
    ]
)
# What stands in an array where a file has nothing; of floating-point columns it is NaN.
ABSENT = {"batch_id": 0, "work_state": -1}


def _of_numpy(name: str, dtype: np.dtype[Any]) -> pa.Field:
    if name in {"time", "received_at"}:
        return pa.field(name, TIME, nullable=False)
    kind = dtype[name]
    nullable = name in ABSENT or (dtype is POINTS and kind.kind == "f")
    return pa.field(name, _OF_NUMPY[kind.name], nullable=nullable)


def _kind(kind: sa.types.TypeEngine[Any]) -> pa.DataType:
    if isinstance(kind, ARRAY):
        return pa.list_(_kind(kind.item_type))
    return next(found for known, found in _KINDS if isinstance(kind, known))


def described(file: str) -> list[Mapping[str, Any]]:
    """The columns of a file for its manifest; a unit where a column has one."""
    return [
        {"name": one.name, "type": str(one.type), "unit": unit(file, one.name)}
        for one in form(file)
    ]


def unit(file: str, column: str) -> str | None:
    """What a number of a column counts; ``1`` where it is a share or a factor."""
    if column in _MEASURED:
        return "of the datastream's quantity"
    fitting = [end for end in UNITS if column.endswith(end)]
    if fitting:
        return UNITS[max(fitting, key=len)]
    return "1" if form(file).field(column).type == pa.float64() else None


_MEASURED = frozenset({"value", "intercept", "counter_modulus"})
