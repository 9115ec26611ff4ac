"""Decoded values as makers write them: numbers, text with a unit, `{value, unit}`, on and off."""

import re
from collections.abc import Callable
from math import isfinite
from typing import Any

from ingest.codecs import units
from ingest.codecs.lorawan.models import Field
from ingest.messages import PayloadError

_NUMBER = re.compile(r"([+-]?\d{1,20}(?:\.\d{0,20})?(?:[eE][+-]?\d{1,3})?)\s*(\S{0,16})", re.ASCII)
_UNIT = {  # as makers write it: as the table of units has it
    "°C": "Cel", "℃": "Cel", "C": "Cel", "K": "K",
    "%": "/100", "%RH": "%RH", "m³⋅m⁻³": "m3/m3", "m³/m³": "m3/m3",
    "µS⋅cm⁻¹": "uS/cm", "μS⋅cm⁻¹": "uS/cm", "uS/cm": "uS/cm", "us/cm": "uS/cm",
    "µS/cm": "uS/cm", "μS/cm": "uS/cm", "mS/cm": "mS/cm", "dS/m": "dS/m",
    "V": "V", "mV": "mV", "kPa": "kPa", "hPa": "hPa", "Pa": "Pa", "mbar": "mbar",
    "m⋅s⁻¹": "m/s", "m/s": "m/s", "km/h": "km/h", "°": "deg", "W⋅m⁻²": "W/m2", "W/m²": "W/m2",
    "mm": "mm", "m³": "m3", "L": "l", "l": "l", "m³/h": "m3/h",
}  # fmt: skip
_CUSTOMARY: dict[str, tuple[str, Callable[[float], float]]] = {
    # units that SenML has not: one that it has, and how to get there
    "°F": ("Cel", lambda value: (value - 32) * 5 / 9),
    "F": ("Cel", lambda value: (value - 32) * 5 / 9),
    "mmHg": ("Pa", lambda value: value * 133.322387415),
    "inHg": ("Pa", lambda value: value * 3386.389),
    "psi": ("kPa", lambda value: value * 6.894757293168),
    "in": ("mm", lambda value: value * 25.4),
    "mph": ("m/s", lambda value: value * 0.44704),
    "kn": ("m/s", lambda value: value * 1852 / 3600),
    "gal": ("l", lambda value: value * 3.785411784),  # of the United States
}
_SWITCH = {"open": 1.0, "on": 1.0, "close": 0.0, "closed": 0.0, "off": 0.0}


class NoSensor(Exception):
    """The value is what the device sends where no sensor is."""


def convert(written: Any, field: Field) -> float:
    """The stored value of a decoded one.

    Raises
    ------
    NoSensor
        If the device says with it that it has no such sensor.
    PayloadError
        If it is no number, not finite, or in a unit that the quantity does not have.
    """
    unit = field.unit
    if isinstance(written, dict):
        unit = _named_unit(written.get("unit"), unit)
        written = written.get("value")
    if isinstance(written, str):
        written, unit = _text(written, unit)
    if written is None:
        raise PayloadError("value-not-finite", "null: what the server makes of NaN")
    if isinstance(written, bool):
        if field.quantity != "valve_open":
            raise PayloadError("not-a-number", "a switch, where a number is expected")
        written = float(written)
    if not isinstance(written, (int, float)):
        raise PayloadError("not-a-number", f"a {type(written).__name__}, not a number")
    if written in field.absent:
        raise NoSensor
    return _stored(written, unit, field)


def _stored(written: float, unit: str | None, field: Field) -> float:
    try:
        scaled = written if field.scale == 1.0 else written * field.scale
        if unit is not None and unit in _CUSTOMARY:
            unit, first = _CUSTOMARY[unit]
            scaled = first(scaled)
        change = None if unit is None else units.conversion(unit, field.quantity)
        value = float(scaled) if change is None else change(scaled)
    except ValueError as error:
        raise PayloadError("wrong-unit", str(error)) from error
    except OverflowError as error:
        raise PayloadError("value-not-finite", "a number beyond all measure") from error
    if not isfinite(value):
        raise PayloadError("value-not-finite", f"{value}")
    return value


def _text(written: str, unit: str | None) -> tuple[float, str | None]:
    switch = _SWITCH.get(written.strip().lower())
    if switch is not None:
        return switch, unit
    parts = _NUMBER.fullmatch(written.strip())
    if parts is None:
        if written.strip().lstrip("+-").lower() in ("nan", "inf", "infinity"):
            raise PayloadError("value-not-finite", f"{written[:40]!r}")
        raise PayloadError("not-a-number", f"the text {written[:40]!r}")
    return float(parts[1]), _named_unit(parts[2] or None, unit)


def _named_unit(written: object, default: str | None) -> str | None:
    if written is None:
        return default
    unit = unit_named(written) if isinstance(written, str) else None
    if unit is None:
        raise PayloadError("unknown-unit", f"unit {str(written)[:40]!r} is unknown")
    return unit


def measures(unit: str, quantity: str) -> bool:
    """Tell whether values in a unit of `unit_named` can become the quantity's."""
    try:
        units.conversion(_CUSTOMARY[unit][0] if unit in _CUSTOMARY else unit, quantity)
    except ValueError:
        return False
    return True


def unit_named(written: str) -> str | None:
    """The unit that makers and people mean with a text: `%` is per cent; None if unknown."""
    if written in _CUSTOMARY:
        return written
    return _UNIT.get(written) or (written if written in units.UNITS else None)
