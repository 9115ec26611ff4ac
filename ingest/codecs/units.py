"""SenML units, and the number that turns each into the unit a quantity is stored in.

The table is the IANA "SenML Units" registry (RFC 8428 section 12.1, RFC 8798 and later entries)
as far as a farm can measure in it, with the spellings of our own canonical units beside it, so
that a device may name what it sends. A factor is an exact fraction of the SI unit: converting is
one product and one quotient, and 0.03 S/m does not become 0.30000000000000004 dS/m.
"""

import math
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from storage.quantities import CATALOGUE


class Unit(NamedTuple):
    """Value in SI = value * factor + offset."""

    dimension: str
    factor: Fraction
    offset: Fraction = Fraction(0)


class Conversion(NamedTuple):
    """Stored value = value * multiply / divide + add."""

    multiply: float
    divide: float
    add: float

    def __call__(self, value: float) -> float:
        return value * self.multiply / self.divide + self.add


def _unit(dimension: str, factor: int | str, offset: int | str = 0) -> Unit:
    return Unit(dimension, Fraction(factor), Fraction(offset))


_HOUR = 3600
UNITS: dict[str, Unit] = {
    # In SenML "%" is the ratio 0..1, for historical reasons; per cent is "/100" (RFC 8798).
    "/": _unit("ratio", 1),
    "%": _unit("ratio", 1),
    "/100": _unit("ratio", "1/100"),
    "/1000": _unit("ratio", "1/1000"),
    "ppm": _unit("ratio", "1e-6"),
    "m3/m3": _unit("ratio", 1),
    "%RH": _unit("humidity", "1/100"),
    "%EL": _unit("charge", "1/100"),
    "Cel": _unit("temperature", 1, "273.15"),
    "K": _unit("temperature", 1),
    "Pa": _unit("pressure", 1),
    "hPa": _unit("pressure", 100),
    "kPa": _unit("pressure", 1000),
    "mbar": _unit("pressure", 100),
    "bar": _unit("pressure", 100_000),
    "MPa": _unit("pressure", 1_000_000),
    "m/s": _unit("speed", 1),
    "km/h": _unit("speed", "1000/3600"),
    "rad": _unit("angle", 1),
    "deg": Unit("angle", Fraction(math.pi) / 180),
    "m": _unit("length", 1),
    "cm": _unit("length", "1/100"),
    "mm": _unit("length", "1/1000"),
    "l/m2": _unit("length", "1/1000"),  # a litre on a square metre is a millimetre of rain
    "m3": _unit("volume", 1),
    "l": _unit("volume", "1/1000"),
    "L": _unit("volume", "1/1000"),
    "m3/s": _unit("flow", 1),
    "l/s": _unit("flow", "1/1000"),
    "L/s": _unit("flow", "1/1000"),
    "l/h": _unit("flow", f"1/{1000 * _HOUR}"),
    "L/h": _unit("flow", f"1/{1000 * _HOUR}"),
    "m3/h": _unit("flow", f"1/{_HOUR}"),
    "dBW": _unit("level", 1),  # of power, against a watt
    "dBm": _unit("level", 1, -30),
    "S/m": _unit("conductivity", 1),
    "dS/m": _unit("conductivity", "1/10"),
    "mS/cm": _unit("conductivity", "1/10"),
    "mS/m": _unit("conductivity", "1/1000"),
    "uS/cm": _unit("conductivity", "1/10000"),
    "W/m2": _unit("irradiance", 1),
    "J/m2": _unit("irradiation", 1),
    "MJ/m2": _unit("irradiation", 1_000_000),
    "V": _unit("voltage", 1),
    "mV": _unit("voltage", "1/1000"),
    "1/s": _unit("frequency", 1),
    "Hz": _unit("frequency", 1),
    "1/min": _unit("frequency", "1/60"),
    "rpm": _unit("frequency", "1/60"),
    "kg/s": _unit("mass flow", 1),
}

_CANONICAL: dict[str, tuple[str, frozenset[str]]] = {
    # unit of the catalogue: the same unit above, and the dimensions that can be turned into it
    "m³/m³": ("m3/m3", frozenset({"ratio"})),
    "%": ("/100", frozenset({"ratio"})),
    "0/1": ("/", frozenset({"ratio"})),
    "°C": ("Cel", frozenset({"temperature"})),
    "kPa": ("kPa", frozenset({"pressure"})),
    "m/s": ("m/s", frozenset({"speed"})),
    "°": ("deg", frozenset({"angle"})),
    "mm": ("mm", frozenset({"length"})),
    "m³": ("m3", frozenset({"volume"})),
    "m³/h": ("m3/h", frozenset({"flow"})),
    "L/h": ("l/h", frozenset({"flow"})),
    "dS/m": ("dS/m", frozenset({"conductivity"})),
    "W/m²": ("W/m2", frozenset({"irradiance"})),
    "MJ/m²": ("MJ/m2", frozenset({"irradiation"})),
    "V": ("V", frozenset({"voltage"})),
    "rpm": ("1/min", frozenset({"frequency"})),
    "kg/s": ("kg/s", frozenset({"mass flow"})),
    "dBm": ("dBm", frozenset({"level"})),
}
_ALSO = {  # per cent of one thing only
    "relative_humidity": "humidity",
    "relative_humidity_max": "humidity",
    "relative_humidity_min": "humidity",
    "battery_level": "charge",
}


@lru_cache(maxsize=1024)
def conversion(unit: str, quantity: str) -> Conversion | None:
    """How `unit` becomes the stored unit of `quantity`; None where nothing is to be done.

    Raises
    ------
    KeyError
        If the unit is not in the table.
    ValueError
        If it measures something else than the quantity does.
    """
    given = UNITS[unit]
    stored = CATALOGUE[quantity].unit
    name, dimensions = _CANONICAL[stored]
    if given.dimension not in dimensions and given.dimension != _ALSO.get(quantity):
        raise ValueError(f"{quantity} is stored in {stored}, which {unit} cannot become")
    canonical = UNITS[name]
    factor = given.factor / canonical.factor
    add = (given.offset - canonical.offset) / canonical.factor
    if factor == 1 and add == 0:
        return None
    return Conversion(float(factor.numerator), float(factor.denominator), float(add))
