"""Units as they stand in the names of columns: ``soil_moisture_m3_m3``, ``air_temperature_c``."""

from __future__ import annotations

from storage.quantities import CATALOGUE

SUFFIXES = {
    "m³/m³": "m3_m3",
    "°C": "c",
    "dS/m": "ds_m",
    "kPa": "kpa",
    "%": "pct",
    "m/s": "m_s",
    "°": "deg",
    "mm": "mm",
    "W/m²": "w_m2",
    "MJ/m²": "mj_m2",
    "m³": "m3",
    "m³/h": "m3_h",
    "0/1": "",
    "V": "v",
    "dBm": "dbm",
    "L/h": "l_h",
    "rpm": "rpm",
    "kg/s": "kg_s",
}


def with_unit(quantity: str, part: str = "") -> str:
    """The column of a quantity, or of a part of it such as its mean, with its unit."""
    words = (quantity, part, SUFFIXES[CATALOGUE[quantity].unit])
    return "_".join(word for word in words if word)
