"""Dragino LSE01, soil moisture and EC: eleven bytes, big-endian, on port 2.

Battery (14 bit, mV), DS18B20 (0.1 °C), soil water (0.01 %), soil temperature (0.01 °C),
conductivity (µS/cm), flags. The maker's decoder takes 0xFFFF off a negative soil temperature
where 0x10000 is meant, so it reads 0.01 °C too high; with the bytes at hand we go by those. It
gives text, with the unit in older versions (`"30.11 °C"`).
"""

from struct import Struct
from typing import Any

from ingest.codecs.lorawan.models import Field, Model
from ingest.messages import PayloadError

_LAYOUT = Struct(">HhHhHB")


def _lse01(payload: bytes) -> dict[str, Any]:
    if len(payload) != _LAYOUT.size:
        raise PayloadError("bad-frame", f"an LSE01 frame has 11 bytes, not {len(payload)}")
    battery, probe, water, temperature, conductivity, _ = _LAYOUT.unpack(payload)
    return {
        "Bat": (battery & 0x3FFF) / 1000,
        "TempC_DS18B20": probe / 10,
        "water_SOIL": water / 100,
        "temp_SOIL": temperature / 100,
        "conduct_SOIL": conductivity,
    }


FIELDS = {
    "Bat": Field("battery_voltage", "V"),
    "BatV": Field("battery_voltage", "V"),
    "water_SOIL": Field("soil_moisture", "/100"),
    "temp_SOIL": Field("soil_temperature", "Cel"),
    "conduct_SOIL": Field("soil_ec", "uS/cm"),
    # The maker's own normalizer files the loose probe under air; unplugged it reads 0x7FFF.
    "TempC_DS18B20": Field("air_temperature", "Cel", absent=frozenset({3276.7, 327.67})),
}

MODELS = (
    Model(
        "dragino-lse01",
        FIELDS,
        _lse01,
        port=2,
        signature=frozenset({"water_SOIL", "temp_SOIL", "conduct_SOIL"}),
        bytes_first=True,
    ),
)
