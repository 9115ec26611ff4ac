"""Milesight devices: a row of `channel | type | value`, little-endian.

Values stored by the device while it was offline come as a record of their own with the device's
time, epoch seconds, and go under `history`.
"""

import struct
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ingest.codecs.lorawan.models import Field, Model
from ingest.messages import PayloadError

_FULL = 0xFFFF  # what a broken probe reads; 0xFFFD is one out of its range
_OUTSIDE = 0xFFFD


class _Item(NamedTuple):
    """One entry of a row: the format of its value, and what it says."""

    layout: str
    read: Callable[..., dict[str, Any]]
    history: bool = False


# Channels of answers to downlinks and of the device's description.
_SETTINGS = (0xF0, 0xF8, 0xF9, 0xFE, 0xFF)
_DESCRIPTION = {0x01: 1, 0x09: 2, 0x0A: 2, 0x0B: 1, 0x0F: 1, 0x16: 8, 0xFE: 1, 0xFF: 2}


def _number(name: str, divide: float = 1) -> Callable[[int], dict[str, Any]]:
    return lambda raw: {name: raw / divide if divide != 1 else raw}


def _valve(name: str) -> Callable[[int], dict[str, Any]]:
    # 0xFF is the outcome of a delayed command, not a state.
    return lambda raw: {} if raw == 0xFF else {name: "open" if raw else "close"}


def _probe_history(timestamp: int, ec: int, temperature: int, moisture: int) -> dict[str, Any]:
    record = {"timestamp": timestamp, "ec": ec, "moisture": moisture / 100}
    # A soil just below zero reads 0xFFFF too: only a probe that has failed altogether has not.
    if {ec, moisture} & {_FULL, _OUTSIDE} == set():
        record["temperature"] = temperature / 10
    return record


def _valve_history(timestamp: int, state: int, pulse: int) -> dict[str, Any]:
    """Bits of the state: 0 open, 1 the input is a switch and counts nothing, 4 which valve."""
    valve = 2 if state >> 4 & 1 else 1
    record = {"timestamp": timestamp, f"valve_{valve}": "open" if state & 1 else "close"}
    return record if state >> 1 & 1 else {**record, f"valve_{valve}_pulse": pulse}


_WEATHER_RECORD = (
    ("temperature", 10),
    ("humidity", 2),
    ("pressure", 10),
    ("wind_direction", 10),
    ("wind_speed", 10),
    ("rainfall_total", 100),
)


def _weather_history(timestamp: int, *counts: int) -> dict[str, Any]:
    record: dict[str, Any] = {"timestamp": timestamp}
    for (name, divide), count in zip(_WEATHER_RECORD, counts, strict=True):
        record[name] = count / divide
    return record


def _rain(total: int, counter: int, *_alarm: int) -> dict[str, Any]:
    return {"rainfall_total": total / 100, "rainfall_counter": counter}


def _first(name: str, divide: float) -> Callable[..., dict[str, Any]]:
    return lambda raw, *_: {name: raw / divide}


_BATTERY = {(0x01, 0x75): _Item("B", _number("battery"))}
_EM500_SMTC = _BATTERY | {
    (0x03, 0x67): _Item("h", _number("temperature", 10)),
    (0x04, 0x68): _Item("B", _number("moisture", 2)),
    (0x04, 0xCA): _Item("H", _number("moisture", 100)),
    (0x05, 0x7F): _Item("H", _number("ec")),
    (0x83, 0xD7): _Item("hhB", _first("temperature", 10)),
    (0x20, 0xCE): _Item("IHhH", _probe_history, history=True),
}
_EM500_PP = _BATTERY | {
    (0x03, 0x7B): _Item("h", _number("pressure")),
    (0x20, 0xCE): _Item("Ih", lambda t, p: {"timestamp": t, "pressure": p}, history=True),
}
_UC511 = _BATTERY | {
    (0x03, 0x01): _Item("B", _valve("valve_1")),
    (0x05, 0x01): _Item("B", _valve("valve_2")),
    (0x04, 0xC8): _Item("I", _number("valve_1_pulse")),
    (0x06, 0xC8): _Item("I", _number("valve_2_pulse")),
    (0x07, 0x01): _Item("B", lambda _: {}),
    (0x08, 0x01): _Item("B", lambda _: {}),
    (0x09, 0x7B): _Item("H", _number("pressure")),
    (0xB9, 0x7B): _Item("B", lambda _: {}),
    # Hardware 4: an alarm of the pressure with its threshold, and the tasks of the two valves.
    (0x0B, 0xF5): _Item("BBHHHB", lambda *values: {"pressure": values[4]}),
    (0x0E, 0xAF): _Item("BBB", lambda *_: {}),
    (0x0F, 0xAF): _Item("BBB", lambda *_: {}),
    (0x20, 0xCE): _Item("IBI", _valve_history, history=True),
    (0x21, 0xCE): _Item("IH", lambda t, p: {"timestamp": t, "pressure": p}, history=True),
}
_WTS506 = _BATTERY | {
    (0x03, 0x67): _Item("h", _number("temperature", 10)),
    (0x04, 0x68): _Item("B", _number("humidity", 2)),
    (0x05, 0x84): _Item("h", _number("wind_direction", 10)),
    (0x06, 0x73): _Item("H", _number("pressure", 10)),
    (0x07, 0x92): _Item("H", _number("wind_speed", 10)),
    (0x08, 0x77): _Item("HB", _rain),  # version 1
    (0x08, 0xEC): _Item("IB", _rain),  # version 2
    (0x83, 0x67): _Item("hB", _first("temperature", 10)),
    (0x86, 0x73): _Item("HB", _first("pressure", 10)),
    (0x87, 0x92): _Item("HB", _first("wind_speed", 10)),
    (0x88, 0xEC): _Item("IBB", _rain),
    (0x20, 0xCE): _Item("IhBHhHH", _weather_history, history=True),
    (0x21, 0xCE): _Item("IhBHhHI", _weather_history, history=True),
}
_SIZES = {"B": 1, "h": 2, "H": 2, "I": 4}


def _decoder(items: Mapping[tuple[int, int], _Item]) -> Callable[[bytes], dict[str, Any]]:
    """A decoder of rows made of these entries."""

    def decode(payload: bytes) -> dict[str, Any]:
        decoded: dict[str, Any] = {}
        position = 0
        while position < len(payload):
            start = position
            channel, kind = payload[start], payload[start + 1] if start + 1 < len(payload) else None
            position += 2
            if kind is None:
                raise PayloadError("bad-frame", f"byte {start}: the frame ends inside an entry")
            item = items.get((channel, kind))
            if item is None:
                if channel == 0xFF and kind in _DESCRIPTION:
                    position += _DESCRIPTION[kind]
                    continue
                if channel in _SETTINGS:
                    break  # an answer to a downlink: no measurements, and nothing behind it
                detail = f"byte {start}: channel {channel:02x} type {kind:02x} is not of this model"
                raise PayloadError("bad-frame", detail)
            try:
                values = struct.unpack_from("<" + item.layout, payload, position)
            except struct.error as error:
                detail = f"byte {start}: the frame ends inside the value of channel {channel:02x}"
                raise PayloadError("bad-frame", detail) from error
            position += sum(_SIZES[letter] for letter in item.layout)
            if item.history:
                decoded.setdefault("history", []).append(item.read(*values))
            else:
                decoded.update(item.read(*values))
        return decoded

    return decode


_probe_row = _decoder(_EM500_SMTC)


def _probe(payload: bytes) -> dict[str, Any]:
    """A row of a soil probe; one that has failed altogether has no temperature either."""
    decoded = _probe_row(payload)
    failed = decoded.get("ec") in _EC.absent and decoded.get("moisture") in _MOISTURE.absent
    if failed and decoded.get("temperature") in _FROST_OR_FAILURE:
        del decoded["temperature"]
    return decoded


_FROST_OR_FAILURE = ((_FULL - 0x10000) / 10, (_OUTSIDE - 0x10000) / 10)
_LEVEL = {"battery": Field("battery_level", "/100")}
_MOISTURE = Field("soil_moisture", "/100", absent=frozenset({_FULL / 100, _OUTSIDE / 100}))
_EC = Field("soil_ec", "uS/cm", absent=frozenset({float(_FULL), float(_OUTSIDE)}))
_PRESSURE = {"pressure": Field("water_pressure", "kPa")}
_PROBE = {
    "temperature": Field("soil_temperature", "Cel"),
    "moisture": _MOISTURE,
    "ec": _EC,
    "electricity": _EC,  # the name of later decoders
    "conductivity": _EC,
}
# Names that could be nothing else, whatever the model is.
FIELDS = {
    "valve_1": Field("valve_open", "/", channel=1),
    "valve_2": Field("valve_open", "/", channel=2),
    "rainfall_total": Field("rain_total", "mm"),
}
_WEATHER = {
    "temperature": Field("air_temperature", "Cel"),
    "humidity": Field("relative_humidity", "/100"),
    "pressure": Field("air_pressure", "hPa"),
    "wind_speed": Field("wind_speed", "m/s"),
    "wind_direction": Field("wind_direction", "deg"),
    "rainfall_total": Field("rain_total", "mm"),
}

MODELS = (
    Model("milesight-em500-smtc", _LEVEL | _PROBE, _probe),
    Model("milesight-em500-pp", _LEVEL | _PRESSURE, _decoder(_EM500_PP)),
    Model(
        "milesight-uc511",
        _LEVEL | _PRESSURE | FIELDS,
        _decoder(_UC511),
        pulses={"valve_1_pulse": (1, 2**32), "valve_2_pulse": (2, 2**32)},
    ),
    # Hundredths of a millimetre in 16 bits; version 2 counts in 32.
    Model(
        "milesight-wts506",
        _LEVEL | _WEATHER,
        _decoder(_WTS506),
        modulus={"rain_total": 2**16 / 100},
    ),
    Model(
        "milesight-wts506-v2",
        _LEVEL | _WEATHER,
        _decoder(_WTS506),
        modulus={"rain_total": 2**32 / 100},
    ),
)
