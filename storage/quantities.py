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

_DAY_H, _WEEK_H, _FORTNIGHT_H = 24.0, 168.0, 336.0


class Kind(StrEnum):
    """How the values of a quantity add up over time."""

    STATE = "state"  # a value at a moment: averages make sense
    INTERVAL = "interval"  # an amount of the interval that ends at its time: sums make sense
    COUNTER = "counter"  # an ever-growing total: differences make sense
    DAILY = "daily"  # a station's summary of one local day, stamped before that day's midnight


class Change(NamedTuple):
    """How far a quantity may move between two readings: a step, and more with the time between.

    The steps of the weather are the WMO's largest change of an instantaneous value from one minute
    to the next, suspect / wrong: air temperature 3 °C / 3 °C; dew point 2 / 4 °C; relative humidity
    10 / 15 %; pressure 0.5 / 2 hPa; wind speed 10 / 20 m/s; irradiance 800 / 1,000 W/m² (Guide to
    the Global Observing System, WMO-No. 488, Appendix VI.2, after I. Zahumenský, "Guidelines on
    Quality Control Procedures for Data from Automatic Weather Stations", CBS/OPAG-IOS (ET AWS-3)
    Doc. 4(1), 2004). Ours is the wrong one, where a gust, a cloud or a front does more than the
    suspect one; the suspect one of humidity and temperature, whose sensors are slow. What an hour
    may add is ours, wide on purpose.
    """

    step: float  # in the quantity's unit
    per_hour: float


class Stuck(NamedTuple):
    """How long a quantity may stay the very same, to the last digit, before a sensor is suspect.

    The WMO asks for a change within the hour (same source); farm sensors show tenths or whole
    degrees, so a value is suspect only where a day, or what moves slowly deep in the soil, must
    have moved it.
    """

    after_h: float
    rest: tuple[float, ...] = ()  # values at which it may rest for as long as it likes; at most two


class Quantity(NamedTuple):
    """One thing that can be measured."""

    name: str
    unit: str  # canonical, as printed beside the number
    low: float  # smallest plausible value, in the unit
    high: float  # largest plausible value, in the unit
    kind: Kind = Kind.STATE
    change: Change | None = None  # None: it may jump, as what valves, clouds or pumps do
    stuck: Stuck | None = None  # None: it may rest, as counters, batteries and valves do


_QUANTITIES = (
    # Water that reaches a sensor wets it within minutes; losing a tenth in as many is a fault.
    Quantity(
        "soil_moisture", "m³/m³", 0.0, 0.7, change=Change(0.1, 0.1), stuck=Stuck(_FORTNIGHT_H)
    ),
    # WMO: 0.5 °C a minute at 5 cm; cold water on warm soil does more. Soil that freezes or thaws
    # stays at 0 °C for weeks.
    Quantity(
        "soil_temperature", "°C", -40.0, 70.0, change=Change(2.0, 5.0), stuck=Stuck(_WEEK_H, (0.0,))
    ),
    Quantity("soil_ec", "dS/m", 0.0, 50.0, change=Change(2.0, 2.0), stuck=Stuck(_FORTNIGHT_H)),
    # From dry to saturated, which is 0, in one irrigation.
    Quantity("soil_water_potential", "kPa", -10_000.0, 0.0, stuck=Stuck(_FORTNIGHT_H, (0.0,))),
    # WMO: 3 °C a minute is suspect. A cold front takes some 8 °C off within the hour.
    Quantity("air_temperature", "°C", -60.0, 60.0, change=Change(3.0, 8.0), stuck=Stuck(_DAY_H)),
    # WMO: 10 % a minute is suspect. In fog it stays at 100.
    Quantity(
        "relative_humidity",
        "%",
        0.0,
        100.0,
        change=Change(10.0, 30.0),
        stuck=Stuck(_DAY_H, (100.0,)),
    ),
    # WMO: 2 hPa a minute is wrong; thunderstorms bring some 5 hPa in an hour.
    Quantity("air_pressure", "kPa", 50.0, 110.0, change=Change(0.2, 0.5), stuck=Stuck(2 * _DAY_H)),
    # WMO: 20 m/s a minute is wrong. A calm may last.
    Quantity(
        "wind_speed", "m/s", 0.0, 75.0, change=Change(20.0, 20.0), stuck=Stuck(_DAY_H, (0.0,))
    ),
    Quantity("wind_direction", "°", 0.0, 360.0, stuck=Stuck(3 * _DAY_H)),  # it goes round: no step
    Quantity("rain", "mm", 0.0, 400.0, Kind.INTERVAL),
    Quantity("rain_total", "mm", 0.0, 1e7, Kind.COUNTER),
    # WMO: 1,000 W/m² a minute is wrong. Night is 0.
    Quantity(
        "solar_radiation",
        "W/m²",
        0.0,
        1_600.0,
        change=Change(1_000.0, 500.0),
        stuck=Stuck(_DAY_H, (0.0,)),
    ),
    Quantity("leaf_wetness", "%", 0.0, 100.0, stuck=Stuck(3 * _DAY_H, (0.0, 100.0))),
    Quantity("water_total", "m³", 0.0, 1e10, Kind.COUNTER),
    Quantity("water_flow", "m³/h", 0.0, 100_000.0, stuck=Stuck(3 * _DAY_H, (0.0,))),
    Quantity("water_pressure", "kPa", 0.0, 4_000.0, stuck=Stuck(3 * _DAY_H, (0.0,))),
    Quantity("valve_open", "0/1", 0.0, 1.0),
    Quantity("battery_voltage", "V", 0.0, 100.0),
    Quantity("battery_level", "%", 0.0, 100.0),
    Quantity("signal_strength", "dBm", -160.0, 20.0),  # of its radio, as the receiver hears it
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
