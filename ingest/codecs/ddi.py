"""Data dictionary of ISO 11783-11, as far as a farm is told by it: what a DDI's raw number means.

A value of task data and of EFDI time logs is a whole number; its data dictionary identifier (DDI)
says what was measured and in which steps. Each row here gives the exact factor to the unit we
keep, and where the value goes: a field of a track point, a quantity of the catalogue (used where
there is no position), or a total of the work. A row without any of them is known, and not kept.

Source: the ISO 11783-11 online data base (isobus.net), identifiers, names and resolutions.
"""

from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

WORK_STATE = 141  # 0 off, 1 on, 2 error, 3 not available
SPEED = 397  # negative backwards
CROP_MOISTURE = 99  # zero where none was measured: no crop is without water
UNKNOWN = 2**31 - 1  # the raw number of what is not available
CONDENSED_WORK_STATES = (161, *range(162, 177))  # sixteen sections each, two bits a section
PROPRIETARY = range(57_344, 65_535)  # each maker's own: the raw number is all there is
OFF, ON, ERROR, NOT_AVAILABLE = 0, 1, 2, 3

Number = TypeVar("Number", float, NDArray[np.float64])


class Entry(NamedTuple):
    """One DDI; value in `unit` = raw number * multiply / divide + add."""

    name: str  # as ISO 11783-11 has it
    unit: str
    multiply: float
    divide: float
    add: float = 0.0
    field: str | None = None  # of ingest.messages.TrackPoint
    quantity: str | None = None  # of storage.quantities
    total: str | None = None  # what a counter of the work adds up, with its unit

    def value(self, raw: Number) -> Number:
        """The raw number, or an array of them, in `unit`."""
        return raw * self.multiply / self.divide + self.add


def _entry(
    name: str, unit: str, factor: str, *, add: float = 0.0, field: str | None = None,
    quantity: str | None = None, total: str | None = None,
) -> Entry:  # fmt: skip
    exact = Fraction(factor)
    return Entry(
        name, unit, float(exact.numerator), float(exact.denominator), add, field, quantity, total
    )


ENTRIES: dict[int, Entry] = {
    # What stands at a point. mm³/m² is 1e-2 L/ha and mg/m² 1e-2 kg/ha; mm³/s is 3.6e-3 L/h.
    2: _entry("Actual Volume Per Area Application Rate", "L/ha", "1e-4",
              field="application_rate_l_ha"),
    589: _entry("Actual Volume Per Area Application Rate", "L/ha", "1",
                field="application_rate_l_ha"),  # in steps of 0.1 ml/m²
    67: _entry("Actual Working Width", "m", "1e-3", field="width_m"),
    87: _entry("Mass Per Time Yield", "kg/s", "1e-6",
               field="mass_flow_kg_s", quantity="yield_mass_flow"),
    99: _entry("Crop Moisture", "%", "1e-4", field="crop_moisture_pct", quantity="crop_moisture"),
    141: _entry("Actual Work State", "", "1", field="work_state"),
    149: _entry("Instantaneous Fuel Consumption per Time", "L/h", "36e-4",
                field="fuel_rate_l_h", quantity="fuel_rate"),
    397: _entry("Actual Speed", "m/s", "1e-3", field="speed_m_s"),
    # What the machine measures beside its work.
    192: _entry("Ambient temperature", "°C", "1e-3", add=-273.15, quantity="air_temperature"),
    207: _entry("Wind speed", "m/s", "1e-3", quantity="wind_speed"),
    208: _entry("Wind direction", "°", "1", quantity="wind_direction"),
    209: _entry("Relative Humidity", "%", "1", quantity="relative_humidity"),
    484: _entry("Actual Engine Speed", "rpm", "1e-4", quantity="engine_speed"),
    491: _entry("Fuel Percentage Level", "%", "1e-2", quantity="fuel_level"),
    # Totals of a task, and of a machine's life.
    80: _entry("Application Total Volume", "L", "1", total="applied_volume_l"),
    81: _entry("Application Total Mass", "kg", "1", total="applied_mass_kg"),
    89: _entry("Yield Total Volume", "L", "1", total="yield_volume_l"),
    90: _entry("Yield Total Mass", "kg", "1", total="yield_mass_kg"),
    116: _entry("Total Area", "m²", "1", total="area_m2"),
    117: _entry("Effective Total Distance", "m", "1e-3", total="effective_distance_m"),
    118: _entry("Ineffective Total Distance", "m", "1e-3", total="ineffective_distance_m"),
    119: _entry("Effective Total Time", "s", "1", total="effective_time_s"),
    120: _entry("Ineffective Total Time", "s", "1", total="ineffective_time_s"),
    148: _entry("Total Fuel Consumption", "L", "1e-3", total="fuel_l"),
    597: _entry("Total Distance", "m", "1e-3", total="distance_m"),
    271: _entry("Lifetime Total Area", "m²", "1", total="lifetime_area_m2"),
    272: _entry("Lifetime Effective Total Distance", "m", "1",
                total="lifetime_effective_distance_m"),
    273: _entry("Lifetime Ineffective Total Distance", "m", "1",
                total="lifetime_ineffective_distance_m"),
    274: _entry("Lifetime Effective Total Time", "s", "1", total="lifetime_effective_time_s"),
    275: _entry("Lifetime Ineffective Total Time", "s", "1", total="lifetime_ineffective_time_s"),
    276: _entry("Lifetime Fuel Consumption", "L", "0.5", total="lifetime_fuel_l"),
    492: _entry("Total Engine Hours", "h", "0.05", total="engine_h"),
    493: _entry("Lifetime Engine Hours", "h", "0.1", total="lifetime_engine_h"),
    # Known, and kept nowhere: set points, averages of what stands above, details of a machine.
    1: _entry("Setpoint Volume Per Area Application Rate", "L/ha", "1e-4"),
    6: _entry("Setpoint Mass Per Area Application Rate", "kg/ha", "1e-2"),
    7: _entry("Actual Mass Per Area Application Rate", "kg/ha", "1e-2"),
    37: _entry("Actual Volume Per Time Application Rate", "L/h", "36e-4"),
    42: _entry("Actual Mass Per Time Application Rate", "kg/s", "1e-6"),
    66: _entry("Setpoint Working Width", "m", "1e-3"),
    70: _entry("Maximum Working Width", "m", "1e-3"),
    72: _entry("Actual Volume Content", "L", "1e-3"),
    75: _entry("Actual Mass Content", "kg", "1e-3"),
    83: _entry("Volume Per Area Yield", "L/ha", "10"),
    84: _entry("Mass Per Area Yield", "kg/ha", "1e-2"),
    98: _entry("Percentage Crop Loss", "%", "1e-4"),
    100: _entry("Crop Contamination", "%", "1e-4"),
    134: _entry("Device Element Offset X", "m", "1e-3"),
    135: _entry("Device Element Offset Y", "m", "1e-3"),
    150: _entry("Instantaneous Fuel Consumption per Area", "L/ha", "1e-2"),
    177: _entry("Actual length of cut", "mm", "1e-3"),
    181: _entry("Dry Mass Per Area Yield", "kg/ha", "1e-2"),
    184: _entry("Reference Moisture For Dry Mass", "%", "1e-4"),
    229: _entry("Actual Net Weight", "kg", "1e-3"),
    261: _entry("Average Yield Mass Per Time", "kg/s", "1e-6"),
    262: _entry("Average Crop Moisture", "%", "1e-4"),
    263: _entry("Average Yield Mass Per Area", "kg/ha", "1e-2"),
    314: _entry("Actual Percentage Crop Dry Matter", "%", "1e-4"),
    394: _entry("Actual Fuel Tank Content", "L", "1e-3"),
    396: _entry("Setpoint Speed", "m/s", "1e-3"),
    406: _entry("Actual Protein Content", "%", "1e-4"),
    488: _entry("Diesel Exhaust Fluid Tank Percentage Level", "%", "1e-2"),
    502: _entry("Actual Engine Torque", "%", "1e-3"),
    655: _entry("Electrical Apparent Soil Conductivity", "mS/m", "0.1"),
}  # fmt: skip


def overall_work_state(states: Iterable[int]) -> int:
    """Work state of a machine whose elements say theirs: it works while any of them does.

    Parameters
    ----------
    states : iterable of int
        Values of DDI 141. One that is none of the four counts as not available.
    """
    said = set(states)
    return next((state for state in (ON, OFF, ERROR) if state in said), NOT_AVAILABLE)


def section_states(raw: int) -> tuple[int, ...]:
    """Work states of the sixteen sections of a condensed work state, the first one first."""
    return tuple(raw >> shift & 0b11 for shift in range(0, 32, 2))
