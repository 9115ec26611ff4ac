"""The Sparkplug B payload (Eclipse Sparkplug 3.0, section 6): bytes to metrics, and back.

Integers travel unsigned: the sign comes back by the datatype, which a message may leave to the
BIRTH. Nothing here knows what a metric means.
"""

from math import isfinite
from typing import Any

import numpy as np

from ingest.codecs.protobuf_schema import Field, build, parse

INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64 = range(1, 9)
FLOAT, DOUBLE, BOOLEAN = 9, 10, 11
_BITS = {INT8: 8, INT16: 16, INT32: 32, INT64: 64, UINT8: 8, UINT16: 16, UINT32: 32, UINT64: 64}
_SIGNED = frozenset({INT8, INT16, INT32, INT64})
_VALUES = (  # the value fields of a metric; at most one is sent
    "int_value",
    "long_value",
    "float_value",
    "double_value",
    "boolean_value",
    "string_value",
    "bytes_value",
    "dataset_value",
    "template_value",
)

# Names, text and what is not read further are bytes: see protobuf_schema.
_MESSAGES = build(
    "sparkplug_b",
    "proto2",
    {
        "PropertyValue": {"string_value": Field(8, "bytes")},
        "PropertySet": {
            "keys": Field(1, "bytes", repeated=True),
            "values": Field(2, "PropertyValue", repeated=True),
        },
        "Metric": {
            "name": Field(1, "bytes"),
            "alias": Field(2, "uint64"),
            "timestamp": Field(3, "uint64"),
            "datatype": Field(4, "uint32"),
            "is_historical": Field(5, "bool"),
            "is_transient": Field(6, "bool"),
            "is_null": Field(7, "bool"),
            "properties": Field(9, "PropertySet"),
            "int_value": Field(10, "uint32"),
            "long_value": Field(11, "uint64"),
            "float_value": Field(12, "float"),
            "double_value": Field(13, "double"),
            "boolean_value": Field(14, "bool"),
            "string_value": Field(15, "bytes"),
            "bytes_value": Field(16, "bytes"),
            "dataset_value": Field(17, "bytes"),
            "template_value": Field(18, "bytes"),
        },
        "Payload": {
            "timestamp": Field(1, "uint64"),
            "metrics": Field(2, "Metric", repeated=True),
            "seq": Field(3, "uint64"),
        },
    },
)
Payload = _MESSAGES["Payload"]


class UnknownDatatypeError(ValueError):
    """A whole number that may be negative or not: only the BIRTH can tell."""


def read(payload: bytes) -> Any:
    """The Payload message of these bytes.

    Raises
    ------
    PayloadError
        If they are none.
    """
    return parse(Payload, payload)


def value_of(metric: Any, datatype: int) -> float | bool | None:
    """A metric's value as a number or a switch; None if it is text, an array or a structure.

    Parameters
    ----------
    metric : Metric
        With one of the value fields.
    datatype : int
        Of the metric, or of its BIRTH; 0 where neither says.

    Raises
    ------
    UnknownDatatypeError
        If the number could be meant to be negative and no datatype tells.
    """
    field = next((name for name in _VALUES if metric.HasField(name)), None)
    if field == "boolean_value":
        return bool(metric.boolean_value)
    if field == "double_value":
        return float(metric.double_value)
    if field == "float_value":
        return _shortest(metric.float_value)
    if field in ("int_value", "long_value"):
        return _whole(int(getattr(metric, field)), datatype, 31 if field == "int_value" else 63)
    return None


def _whole(raw: int, datatype: int, sign_bit: int) -> float | bool | None:
    if datatype == BOOLEAN:
        return raw != 0
    if datatype == 0:
        if raw >> sign_bit:
            raise UnknownDatatypeError(f"{raw} may stand for a negative number")
        return float(raw)
    if datatype not in _BITS:
        return None  # a DateTime, mostly
    bits = _BITS[datatype]
    raw &= (1 << bits) - 1  # senders fill the field's upper bits with the sign, or do not
    return float(raw - (1 << bits) if datatype in _SIGNED and raw >> (bits - 1) else raw)


def has_value(metric: Any) -> bool:
    """Whether any value was sent."""
    return any(metric.HasField(name) for name in _VALUES)


def unit_of(metric: Any) -> str | None:
    """The engineering unit among the properties of a metric (`engUnit`); None without one."""
    for key, value in zip(metric.properties.keys, metric.properties.values, strict=False):
        if key.lower() in (b"engunit", b"engunits") and value.HasField("string_value"):
            return value.string_value.decode(errors="replace").replace("\x00", "").strip() or None
    return None


def rebirth(time_ms: int) -> bytes:
    """The payload of the command that makes a node say its births again."""
    command = Payload(timestamp=time_ms)
    command.metrics.add(name=b"Node Control/Rebirth", datatype=BOOLEAN, boolean_value=True)
    return bytes(command.SerializeToString())


def _shortest(value: float) -> float:
    """The shortest decimal that is this 32-bit float: 21.3, not 21.299999237060547."""
    return float(str(np.float32(value))) if isfinite(value) else value
