"""Tables that leave in any form: columns of Arrow, a batch of rows at a time.

A table of a few rows is made of the same model that its JSON has: parts of a part become columns of
their own, joined by ``_``, and lists become a text of JSON. What may have a million rows comes as
arrays, and never is an object of Python for each row.
"""

from __future__ import annotations

import datetime as dt
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Union, get_args, get_origin

import msgspec
import pyarrow as pa
from pydantic import BaseModel

TIME = pa.timestamp("us", tz="UTC")


class Table(NamedTuple):
    """Rows in batches of one schema."""

    name: str  # of the file, without ending
    schema: pa.Schema
    batches: Iterable[pa.RecordBatch]


class Column(NamedTuple):
    """A column, and where in a row of plain values it is found."""

    name: str
    path: tuple[str | int, ...]
    type: pa.DataType


_PLAIN: Mapping[Any, pa.DataType] = {
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    str: pa.string(),
    dt.datetime: TIME,
    dt.date: pa.date32(),
}


def of_models(
    name: str,
    model: type[BaseModel],
    rows: Sequence[BaseModel],
    *,
    leave_out: frozenset[str] = frozenset(),
    beside: Mapping[str, Any] = types.MappingProxyType({}),
) -> Table:
    """A table of rows of a model, after columns that are the same ``beside`` each of them."""
    columns = [one for one in columns_of(model) if one.path[0] not in leave_out]
    plain = [row.model_dump(by_alias=True) for row in rows]
    shared = [pa.array([value] * len(plain), _PLAIN[type(value)]) for value in beside.values()]
    schema = pa.schema(
        [pa.field(name, one.type) for name, one in zip(beside, shared, strict=True)]
        + [pa.field(one.name, one.type) for one in columns]
    )
    arrays = shared + [
        pa.array([_found(row, one.path, one.type) for row in plain], one.type) for one in columns
    ]
    return Table(name, schema, [pa.record_batch(arrays, schema=schema)])


def columns_of(model: type[BaseModel]) -> list[Column]:
    """The columns that a model's rows have as a table, in its order."""
    return list(_columns(model, "", ()))


def _columns(model: type[BaseModel], prefix: str, path: tuple[str | int, ...]) -> Iterator[Column]:
    for key, field in model.model_fields.items():
        name = field.serialization_alias or field.alias or key
        kind = _without_none(field.annotation)
        here = (*path, name)
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from _columns(kind, f"{prefix}{name}_", here)
        elif get_origin(kind) is tuple and get_args(kind) == (float, float):
            yield Column(f"{prefix}{name}_low", (*here, 0), pa.float64())
            yield Column(f"{prefix}{name}_high", (*here, 1), pa.float64())
        else:
            yield Column(f"{prefix}{name}", here, _PLAIN.get(kind, pa.string()))


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) in {Union, types.UnionType}:
        kinds = [one for one in get_args(annotation) if one is not types.NoneType]
        return kinds[0] if len(kinds) == 1 else None
    return annotation


def _found(row: Any, path: tuple[str | int, ...], kind: pa.DataType) -> Any:
    for key in path:
        if row is None:
            return None
        row = row[key]
    if kind == pa.string() and row is not None and not isinstance(row, str):
        return msgspec.json.encode(row).decode()
    return row


def batches(schema: pa.Schema, parts: Iterable[Sequence[Any]]) -> Iterator[pa.RecordBatch]:
    """Batches of columns that are arrays: of times [µs since 1970], numbers; NaN is unknown."""
    for part in parts:
        arrays = [_array(column, kind) for column, kind in zip(part, schema.types, strict=True)]
        yield pa.record_batch(arrays, schema=schema)


def _array(column: Any, kind: pa.DataType) -> pa.Array:
    if pa.types.is_timestamp(kind):
        return pa.array(column, pa.int64()).cast(kind)
    # As from pandas: NaN, and what is masked, is not known.
    return pa.array(column, kind, from_pandas=True)
