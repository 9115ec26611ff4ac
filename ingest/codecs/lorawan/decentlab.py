"""Decentlab sensors: `02 | device id | flags | words…`, all 16 bit, big-endian.

Bit k of the flags says whether the words of sensor k follow. A device that has lost its probe
sends the battery alone. (Protocol version 2; the formulas are those of the product pages.)
"""

from collections.abc import Callable
from struct import unpack
from typing import Any, NamedTuple

from ingest.codecs.lorawan.models import Field, Model
from ingest.messages import PayloadError

VERSION = 2
_HEAD = 5  # bytes before the words
_ZERO = 32768  # of signed words


class _Value(NamedTuple):
    name: str
    unit: str
    convert: Callable[[tuple[int, ...]], float]


class _Sensor(NamedTuple):
    words: int
    values: tuple[_Value, ...]


_BATTERY = _Sensor(1, (_Value("battery_voltage", "V", lambda x: x[0] / 1000),))

_ATM41 = _Sensor(
    17,
    (
        _Value("solar_radiation", "W⋅m⁻²", lambda x: x[0] - _ZERO),
        _Value("precipitation", "mm", lambda x: (x[1] - _ZERO) / 1000),
        _Value("wind_speed", "m⋅s⁻¹", lambda x: (x[4] - _ZERO) / 100),
        _Value("wind_direction", "°", lambda x: (x[5] - _ZERO) / 10),
        _Value("maximum_wind_speed", "m⋅s⁻¹", lambda x: (x[6] - _ZERO) / 100),
        _Value("air_temperature", "°C", lambda x: (x[7] - _ZERO) / 10),
        _Value("vapor_pressure", "kPa", lambda x: (x[8] - _ZERO) / 100),
        _Value("atmospheric_pressure", "kPa", lambda x: (x[9] - _ZERO) / 100),
        _Value("relative_humidity", "%", lambda x: (x[10] - _ZERO) / 10),
    ),
)
_TBRG = _Sensor(  # a bucket tips every 0.1 mm
    4,
    (
        _Value("precipitation", "mm", lambda x: x[0] / 10),
        _Value("precipitation_interval", "s", lambda x: x[1]),
        _Value("cumulative_precipitation", "mm", lambda x: (x[2] + x[3] * 65536) / 10),
    ),
)
_TRS12 = _Sensor(
    3,
    (
        _Value("volumetric_water_content", "m³⋅m⁻³", lambda x: x[0] / 10 * 0.0003879 - 0.6956),
        _Value("soil_temperature", "°C", lambda x: (x[1] - _ZERO) / 10),
        _Value("electrical_conductivity", "µS⋅cm⁻¹", lambda x: x[2]),
    ),
)


def _profile_level(level: int) -> tuple[_Value, _Value]:
    return (
        _Value(
            f"soil_moisture_at_depth_{level}",
            "%",  # the maker names no unit: volumetric per cent, -5 to 126 as encoded
            lambda x: (x[2 * level] - 2500) / 500,
        ),
        _Value(
            f"soil_temperature_at_depth_{level}",
            "°C",
            lambda x: (x[2 * level + 1] - _ZERO) / 100,
        ),
    )


_LEVELS = 8
_SMTP = _Sensor(16, tuple(value for level in range(_LEVELS) for value in _profile_level(level)))


def _decoder(*sensors: _Sensor) -> Callable[[bytes], dict[str, Any]]:
    """A decoder of frames that carry these sensors, in the order of their flags."""

    def decode(payload: bytes) -> dict[str, Any]:
        if len(payload) < _HEAD or len(payload) % 2 == 0:
            raise PayloadError("bad-frame", f"{len(payload)} bytes are no Decentlab frame")
        if payload[0] != VERSION:
            raise PayloadError("bad-frame", f"Decentlab protocol {payload[0]}, not {VERSION}")
        _, flags, *words = unpack(f">{len(payload) // 2}H", payload[1:])
        decoded: dict[str, Any] = {}
        position = 0
        for bit, sensor in enumerate(sensors):
            if not flags >> bit & 1:
                continue
            own = tuple(words[position : position + sensor.words])
            position += sensor.words
            if len(own) < sensor.words:
                detail = f"byte {len(payload)}: the frame ends before what its flags announce"
                raise PayloadError("bad-frame", detail)
            for value in sensor.values:
                decoded[value.name] = {"value": value.convert(own), "unit": value.unit}
        if position < len(words) or flags >> len(sensors):
            # So is a frame of another model, whose words would be taken for what they are not.
            at = _HEAD + 2 * position
            detail = f"byte {at}: more than flags {flags:04x} announce of this model"
            raise PayloadError("bad-frame", detail)
        return decoded

    return decode


# What the names mean whatever the model is: none of them could be anything else.
FIELDS = {
    "solar_radiation": Field("solar_radiation", "W/m2"),
    "precipitation": Field("rain", "mm"),
    "cumulative_precipitation": Field("rain_total", "mm"),
    "wind_speed": Field("wind_speed", "m/s"),
    "wind_direction": Field("wind_direction", "deg"),
    "air_temperature": Field("air_temperature", "Cel"),
    "atmospheric_pressure": Field("air_pressure", "kPa"),
    "relative_humidity": Field("relative_humidity", "/100"),
    "volumetric_water_content": Field("soil_moisture", "m3/m3"),
    "soil_temperature": Field("soil_temperature", "Cel"),
    "electrical_conductivity": Field("soil_ec", "uS/cm"),
    "battery_voltage": Field("battery_voltage", "V"),
}
# A profile probe has a sensor every 10 cm, the first 5 cm below its head; the levels a shorter
# probe lacks are sent as zero words.
for _level in range(_LEVELS):
    _depth = 5.0 + 10.0 * _level
    FIELDS[f"soil_moisture_at_depth_{_level}"] = Field(
        "soil_moisture", "/100", depth_cm=_depth, absent=frozenset({-5.0})
    )
    FIELDS[f"soil_temperature_at_depth_{_level}"] = Field(
        "soil_temperature", "Cel", depth_cm=_depth, absent=frozenset({-327.68})
    )

MODELS = (
    Model("decentlab-dl-atm41", FIELDS, _decoder(_ATM41, _BATTERY)),
    Model(
        "decentlab-dl-tbrg",
        FIELDS,
        _decoder(_TBRG, _BATTERY),
        modulus={"rain_total": 2**32 / 10},
    ),
    Model("decentlab-dl-trs12", FIELDS, _decoder(_TRS12, _BATTERY)),
    Model("decentlab-dl-smtp", FIELDS, _decoder(_SMTP, _BATTERY)),
)
