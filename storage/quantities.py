"""The catalogue of quantities: one canonical unit each, and what a believable value is.

Data is converted to these units where it enters (``ingest/codecs``), so nothing below ever asks
for a unit again. The plausible range is wide on purpose: it catches broken sensors and slipped
units, not unusual weather. A reading outside it is stored and flagged, never dropped.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple


class Kind(StrEnum):
    """How the values of a quantity add up over time."""

    STATE = "state"  # a value at a moment: averages make sense
    INTERVAL = "interval"  # an amount of the interval that ends at its time: sums make sense
    COUNTER = "counter"  # an ever-growing total: differences make sense
    DAILY = "daily"  # a station's summary of one local day, stamped before that day's midnight


class Quantity(NamedTuple):
    """One thing that can be measured."""

    name: str
    unit: str  # canonical, as printed beside the number
    low: float  # smallest plausible value, in the unit
    high: float  # largest plausible value, in the unit
    kind: Kind = Kind.STATE


_QUANTITIES = (
    Quantity("soil_moisture", "m³/m³", 0.0, 0.7),
    Quantity("soil_temperature", "°C", -40.0, 70.0),
    Quantity("soil_ec", "dS/m", 0.0, 50.0),
    Quantity("soil_water_potential", "kPa", -10_000.0, 0.0),
    Quantity("air_temperature", "°C", -60.0, 60.0),
    Quantity("relative_humidity", "%", 0.0, 100.0),
    Quantity("air_pressure", "kPa", 50.0, 110.0),
    Quantity("wind_speed", "m/s", 0.0, 75.0),
    Quantity("wind_direction", "°", 0.0, 360.0),
    Quantity("rain", "mm", 0.0, 400.0, Kind.INTERVAL),
    Quantity("rain_total", "mm", 0.0, 1e7, Kind.COUNTER),
    Quantity("solar_radiation", "W/m²", 0.0, 1_600.0),
    Quantity("leaf_wetness", "%", 0.0, 100.0),
    Quantity("water_total", "m³", 0.0, 1e10, Kind.COUNTER),
    Quantity("water_flow", "m³/h", 0.0, 100_000.0),
    Quantity("water_pressure", "kPa", 0.0, 4_000.0),
    Quantity("valve_open", "0/1", 0.0, 1.0),
    Quantity("battery_voltage", "V", 0.0, 100.0),
    Quantity("battery_level", "%", 0.0, 100.0),
    Quantity("fuel_rate", "L/h", 0.0, 500.0),
    Quantity("fuel_level", "%", 0.0, 100.0),
    Quantity("engine_speed", "rpm", 0.0, 20_000.0),
    Quantity("crop_moisture", "%", 0.0, 100.0),
    Quantity("yield_mass_flow", "kg/s", 0.0, 200.0),
    Quantity("solar_radiation_sum", "MJ/m²", 0.0, 45.0, Kind.DAILY),
    Quantity("air_temperature_max", "°C", -60.0, 60.0, Kind.DAILY),
    Quantity("air_temperature_min", "°C", -60.0, 60.0, Kind.DAILY),
    Quantity("dew_point", "°C", -70.0, 40.0, Kind.DAILY),
    Quantity("relative_humidity_max", "%", 0.0, 100.0, Kind.DAILY),
    Quantity("relative_humidity_min", "%", 0.0, 100.0, Kind.DAILY),
    Quantity("wind_speed_mean", "m/s", 0.0, 60.0, Kind.DAILY),
)

CATALOGUE: Mapping[str, Quantity] = MappingProxyType({q.name: q for q in _QUANTITIES})
