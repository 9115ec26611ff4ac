"""Tasmota, `tele/{name}/SENSOR`: an object for each sensor, in units that the message names.

`Time` is the local time of the device's zone unless it was set to write an offset. Only sensors of
the air are read: a probe such as the DS18B20 may hang anywhere, so an operator says in a mapping
what it measures.
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from ingest.codecs.documents import load
from ingest.codecs.local_times import local
from ingest.codecs.lorawan.models import Field
from ingest.codecs.lorawan.values import convert
from ingest.codecs.times import rfc3339
from ingest.messages import Context, Decoded, PayloadError, Reading, Rejected, TimeSource
from storage.readings import Quality

# Sensors of the air, by the names Tasmota gives them; one of several has a suffix (`BME280-76`).
_OF_AIR = frozenset(
    {"AHT1X", "AHT2X", "AM2301", "AM2320", "BME280", "BME680", "BMP180", "BMP280", "BMP388"}
    | {"DHT11", "DHT12", "DHT22", "HDC1080", "HTU21", "SHT1X", "SHT3X", "SHT4X", "SHTC3"}
    | {"SI7020", "SI7021"}
)
_SENSOR = re.compile(r"([A-Z0-9]+)(?:[-_]([0-9A-Fa-f]{1,2}))?", re.ASCII)
_LOCAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", re.ASCII)
_QUANTITIES = {
    "Temperature": "air_temperature",
    "Humidity": "relative_humidity",
    "Pressure": "air_pressure",
}
_UNITS = {  # the member that names the unit, and what holds where it is missing
    "Temperature": ("TempUnit", "C"),
    "Pressure": ("PressureUnit", "hPa"),
}


def device_of(levels: tuple[str, ...]) -> str | None:
    """The wire identity of the name in a topic."""
    return f"tasmota:{levels[0]}" if levels[0] else None


def decode(payload: bytes, context: Context) -> Decoded:
    """Turn one message into readings.

    Raises
    ------
    PayloadError
        If it is no message of Tasmota, or its time is local and nobody says where.
    """
    device = device_of(context.levels)
    if device is None:
        raise PayloadError("bad-message", "the topic has no device name")
    return decode_of(payload, context._replace(levels=(device,)))


def decode_of(payload: bytes, context: Context) -> Decoded:
    """The same where the wire identity itself is the level, as a mapping gives it."""
    (device,) = context.levels
    document = load(payload)
    found, rejected = list(_measured(document)), list(_unsure(document))
    if not found:
        why = None if rejected else "SENSOR: no sensor of the air"
        return Decoded(device, [], [], rejected, ignored=why)
    dated = _time(document.get("Time"), context)
    readings: dict[tuple[str, int | None], Reading] = {}
    for item in found:
        try:
            reading = _reading(item, document, device, dated)
        except PayloadError as error:
            rejected.append(Rejected(error.reason, f"{item.path}: {error.detail}"))
            continue
        key = reading.quantity, reading.channel
        if key in readings:
            detail = f"{item.path}: another sensor has said {reading.quantity} already"
            rejected.append(Rejected("ambiguous-sensor", f"{detail}; write a mapping"))
            continue
        readings[key] = reading
    return Decoded(device, list(readings.values()), [], rejected)


class _Measured(NamedTuple):
    sensor: str
    channel: int | None
    name: str
    written: Any

    @property
    def path(self) -> str:
        return f"{self.sensor[:20]}.{self.name}"


def _measured(document: dict[str, Any]) -> Iterator[_Measured]:
    """What the sensors of the air have measured, by the names of the table above."""
    for sensor, said in document.items():
        parts = _SENSOR.fullmatch(sensor)
        if parts is None or parts[1] not in _OF_AIR or not isinstance(said, dict):
            continue
        channel = None if parts[2] is None else _channel(parts[2])
        for name in _QUANTITIES:
            if name in said:
                yield _Measured(sensor, channel, name, said[name])


def _unsure(document: dict[str, Any]) -> Iterator[Rejected]:
    """Sensors that measure something of which nobody knows where."""
    for sensor, said in document.items():
        parts = _SENSOR.fullmatch(sensor)
        if not isinstance(said, dict) or (parts is not None and parts[1] in _OF_AIR):
            continue
        names = ", ".join(name for name in (*_QUANTITIES, "Moisture") if name in said)
        if names:
            detail = f"{names} of {sensor[:20]!r} may be of anything; write a mapping for it"
            yield Rejected("unknown-sensor", detail)


def _channel(suffix: str) -> int:
    """A pin or an index in decimals, or an address in hex that cannot be either."""
    return int(suffix) if suffix.isdigit() else int(suffix, 16)


def _reading(
    item: _Measured, document: dict[str, Any], device: str, dated: tuple[int, TimeSource, int]
) -> Reading:
    if item.written is None:
        raise PayloadError("no-sensor", "null: the sensor does not answer")
    unit_name, default = _UNITS.get(item.name, (None, "%"))
    unit = default if unit_name is None else document.get(unit_name, default)
    quantity = _QUANTITIES[item.name]
    value = convert({"value": item.written, "unit": unit}, Field(quantity, None))
    time_us, source, quality = dated
    return Reading(device, quantity, value, time_us, source, None, item.channel, quality)


def _time(written: object, context: Context) -> tuple[int, TimeSource, int]:
    """The device's time; without any, that of the arrival."""
    if written is None:
        return context.received_at_us, "server", int(Quality.SERVER_TIME)
    text = str(written)
    try:
        if _LOCAL.fullmatch(text) is None:
            return rfc3339(text), "device", 0
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise PayloadError("bad-time", f"Time: {error}") from error
    return local(moment, context.timezone, context.received_at_us), "device", 0
