"""ChirpStack 4 events in protobuf, as the documents that its JSON marshaler makes of them.

Field numbers: api/proto/integration, gw and common of the ChirpStack repository. Declared as
proto2, so that what was not sent is told from zero; on the wire the two are the same.
"""

from collections.abc import Mapping
from typing import Any

from ingest.codecs.protobuf_schema import Field, build, parse
from ingest.messages import LATEST_TIME_US, PayloadError, iso

_EVENT = {
    "deduplication_id": Field(1, "bytes"),
    "time": Field(2, "Timestamp"),
    "device_info": Field(3, "DeviceInfo"),
}
_SCHEMA: Mapping[str, Mapping[str, Field]] = {
    "Timestamp": {"seconds": Field(1, "int64"), "nanos": Field(2, "int32")},
    "Entry": {"key": Field(1, "bytes"), "value": Field(2, "bytes")},  # of a map of texts
    "DeviceInfo": {
        "device_profile_name": Field(6, "bytes"),
        "dev_eui": Field(8, "bytes"),
        "tags": Field(9, "Entry", repeated=True),
    },
    "Struct": {"fields": Field(1, "Member", repeated=True)},
    "Member": {"key": Field(1, "bytes"), "value": Field(2, "Value")},
    "ListValue": {"values": Field(1, "Value", repeated=True)},
    "Value": {
        "null_value": Field(1, "int32"),
        "number_value": Field(2, "double"),
        "string_value": Field(3, "bytes"),
        "bool_value": Field(4, "bool"),
        "struct_value": Field(5, "Struct"),
        "list_value": Field(6, "ListValue"),
    },
    "Gateway": {
        "gw_time": Field(3, "Timestamp"),
        "rssi": Field(6, "int32"),
        "ns_time": Field(17, "Timestamp"),
    },
    "Location": {
        "latitude": Field(1, "double"),
        "longitude": Field(2, "double"),
        "altitude": Field(3, "double"),
    },
    "up": {
        **_EVENT,
        "dev_addr": Field(4, "bytes"),
        "f_cnt": Field(7, "uint32"),
        "f_port": Field(8, "uint32"),
        "data": Field(10, "bytes"),
        "object": Field(11, "Struct"),
        "rx_info": Field(12, "Gateway", repeated=True),
    },
    "status": {
        **_EVENT,
        "margin": Field(5, "int32"),
        "external_power_source": Field(6, "bool"),
        "battery_level_unavailable": Field(7, "bool"),
        "battery_level": Field(8, "float"),
    },
    "location": {**_EVENT, "location": Field(4, "Location")},
    "log": {"time": Field(1, "Timestamp"), "device_info": Field(2, "DeviceInfo")},
    "other": _EVENT,  # join, ack, txack, integration: of the device, and nothing measured
    # Version 3, whose first fields are a number and names.
    "Version3": {"application_id": Field(1, "uint64"), "dev_eui": Field(4, "bytes")},
}
_MESSAGES = build("chirpstack", "proto2", _SCHEMA)
_OWN_SHAPE = frozenset({"up", "status", "location", "log"})


def load(payload: bytes, event: str) -> dict[str, Any]:
    """The document of an event, with the names of its JSON form; `data` stays bytes.

    Raises
    ------
    PayloadError
        If the payload is no event of this kind, or one of ChirpStack 3.
    """
    kind = _MESSAGES[event if event in _OWN_SHAPE else "other"]
    try:
        message = parse(kind, payload)
    except PayloadError:
        _refuse_version_3(payload)
        raise PayloadError(
            "not-protobuf", "neither JSON nor the protobuf of a ChirpStack 4 event"
        ) from None
    if not message.device_info.dev_eui:
        _refuse_version_3(payload)
    return _document(message)


def _refuse_version_3(payload: bytes) -> None:
    try:
        older = parse(_MESSAGES["Version3"], payload)
    except PayloadError:
        return
    if older.HasField("application_id") and len(older.dev_eui) == 8:
        raise PayloadError(
            "legacy-chirpstack-v3",
            "an event of ChirpStack 3, which is read differently: update the server to version 4",
        )


def _document(message: Any) -> dict[str, Any]:
    known: dict[str, Any] = {
        "time": _time(message.time),
        "deviceInfo": {
            "devEui": _text(message.device_info.dev_eui),
            "deviceProfileName": _text(message.device_info.device_profile_name),
            "tags": {_text(one.key): _text(one.value) for one in message.device_info.tags},
        },
    }
    for field, value in message.ListFields():
        if field.name in _READ:
            name, read = _READ[field.name]
            known[name] = read(value)
    return known


def _time(written: Any) -> str | None:
    """As RFC 3339, which the events' times are read as; None for none, or one out of bounds."""
    time_us = written.seconds * 1_000_000 + written.nanos // 1000
    return iso(time_us) if 0 < time_us <= LATEST_TIME_US else None


def _text(raw: bytes) -> str:
    return raw.decode(errors="replace")


def _struct(struct: Any) -> dict[str, Any]:
    return {_text(member.key): _value(member.value) for member in struct.fields}


def _value(value: Any) -> Any:
    if value.HasField("struct_value"):
        return _struct(value.struct_value)
    if value.HasField("list_value"):
        return [_value(one) for one in value.list_value.values]
    if value.HasField("string_value"):
        return _text(value.string_value)
    if value.HasField("bool_value"):
        return value.bool_value
    return value.number_value if value.HasField("number_value") else None


def _single(value: float) -> float:
    """The decimal that a number of single precision was made from: 88.3, not 88.30000305."""
    return float(f"{value:.7g}")


def _gateway(heard: Any) -> dict[str, Any]:
    """When and how well a gateway heard it; what is not there was not said to be zero."""
    return {
        "gwTime": _time(heard.gw_time),
        "nsTime": _time(heard.ns_time),
        "rssi": heard.rssi if heard.HasField("rssi") else None,
    }


_READ: Mapping[str, tuple[str, Any]] = {
    "deduplication_id": ("deduplicationId", _text),
    "dev_addr": ("devAddr", _text),
    "f_cnt": ("fCnt", int),
    "f_port": ("fPort", int),
    "data": ("data", bytes),
    "object": ("object", _struct),
    "rx_info": ("rxInfo", lambda all_: [_gateway(one) for one in all_]),
    "external_power_source": ("externalPowerSource", bool),
    "battery_level_unavailable": ("batteryLevelUnavailable", bool),
    "battery_level": ("batteryLevel", _single),
    "location": (
        "location",
        lambda place: {
            name: getattr(place, name) for name in ("latitude", "longitude", "altitude")
        },
    ),
}
