"""What integrators call a measurement, and how they spell its unit.

A metric's name is free text. Read are: our own `quantity[/depth_cm][:channel]`, what an operator's
list says, and names that can mean one thing only, however they are written: `Soil/Moisture_20cm`,
`SoilMoisture 20 cm`, `soil-moisture-0.2m` are one. Never part of a name: the temperature of a
motor must not become the air's.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from ingest.codecs.lorawan.values import unit_named
from storage.quantities import CATALOGUE

_OWN = re.compile(r"([a-z_]+)(?:/(\d{1,5}(?:\.\d{1,3})?))?(?::(\d{1,4}))?", re.ASCII)
_DEPTH = re.compile(r"(?<![\d.])(\d{1,5}(?:\.\d{1,3})?)[ _]?(mm|cm|m)(?![a-z0-9])", re.ASCII)
_LONGEST = 200  # characters of a name or a unit that could mean something
_CENTIMETRES = {"mm": 0.1, "cm": 1.0, "m": 100.0}
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SEPARATORS = re.compile(r"[\W_]+")

_WORDS: Mapping[str, str] = {
    **{name.replace("_", " "): name for name in CATALOGUE},
    "soil vwc": "soil_moisture",
    "soil water content": "soil_moisture",
    "volumetric water content": "soil_moisture",
    "soil temp": "soil_temperature",
    "soil conductivity": "soil_ec",
    "soil electrical conductivity": "soil_ec",
    "soil matric potential": "soil_water_potential",
    "temperature": "air_temperature",
    "air temp": "air_temperature",
    "ambient temperature": "air_temperature",
    "outdoor temperature": "air_temperature",
    "humidity": "relative_humidity",
    "air humidity": "relative_humidity",
    "barometric pressure": "air_pressure",
    "atmospheric pressure": "air_pressure",
    "global radiation": "solar_radiation",
    "solar irradiance": "solar_radiation",
    "rainfall total": "rain_total",
    "rain counter": "rain_total",
    "water meter": "water_total",
    "water volume total": "water_total",
    "water flow rate": "water_flow",
    "battery percent": "battery_level",
    "state of charge": "battery_level",
    "engine rpm": "engine_speed",
    "fuel consumption rate": "fuel_rate",
    "grain moisture": "crop_moisture",
}

_UNITS: Mapping[str, str] = {
    # Spellings of engineers beside those that lorawan.values knows, in lower case.
    "percent": "/100",
    "% vwc": "/100",
    "%vwc": "/100",
    "% rh": "%RH",
    "m^3/m^3": "m3/m3",
    "degc": "Cel",
    "deg c": "Cel",
    "celsius": "Cel",
    "degf": "°F",
    "deg f": "°F",
    "fahrenheit": "°F",
    "kelvin": "K",
    "degrees": "deg",
    "m^3": "m3",
    "m^3/h": "m3/h",
    "m3/hr": "m3/h",
    "w/m^2": "W/m2",
    "r/min": "1/min",
    # Those that no other unit differs from in case alone, as mS/m would from MS/m.
    **{name.lower(): name for name in ("Pa", "hPa", "kPa", "mbar", "bar", "m/s", "km/h")},
    **{name.lower(): name for name in ("W/m2", "V", "rpm", "%RH", "l/h")},
}


class Target(NamedTuple):
    """Where the values of a metric go."""

    quantity: str
    depth_cm: float | None
    channel: int | None


class Options(msgspec.Struct, frozen=True):
    """What an operator says of the metrics of a route."""

    metrics: Mapping[str, str | None] = MappingProxyType({})  # our name of each; None: not kept
    units: Mapping[str, str] = MappingProxyType({})  # of metrics that do not say theirs


def target_of(name: str) -> Target | None:
    """What a metric's name means; None where that is not sure."""
    return _target_of(name) if len(name) <= _LONGEST else None


@lru_cache(maxsize=8192)
def _target_of(name: str) -> Target | None:
    return own_name(name) or _by_words(name)


def own_name(name: str) -> Target | None:
    """Read `quantity`, `quantity/depth_cm`, `quantity:channel` or `quantity/depth_cm:channel`."""
    parts = _OWN.fullmatch(name)
    if parts is None or parts[1] not in CATALOGUE:
        return None
    quantity, depth, channel = parts.groups()
    return Target(
        quantity,
        None if depth is None else float(depth),
        None if channel is None else int(channel),
    )


def _by_words(name: str) -> Target | None:
    words = _CAMEL.sub(" ", name).lower()
    depth = _DEPTH.search(words)
    if depth is not None:
        words = words[: depth.start()] + " " + words[depth.end() :]
    quantity = _WORDS.get(_SEPARATORS.sub(" ", words).strip())
    if quantity is None or (depth is not None and not quantity.startswith("soil_")):
        return None
    if depth is None:
        return Target(quantity, None, None)
    return Target(quantity, round(float(depth[1]) * _CENTIMETRES[depth[2]], 3), None)


def unit_of(written: str) -> str | None:
    """The unit that an engineer means with a text, as `lorawan.values` has it; None if unknown."""
    return _unit_of(written) if len(written) <= _LONGEST else None


@lru_cache(maxsize=1024)
def _unit_of(written: str) -> str | None:
    return unit_named(written) or _UNITS.get(written.lower())
