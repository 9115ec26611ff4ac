"""Made series that look like a sensor's: slow weather, a daily wave, noise, and the sensor's steps.

Constants would flatter a compression, and so would numbers with fewer digits than sensors send:
every quantity has the noise and the resolution that data sheets of such sensors state.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from storage import readings

DAY_US = 86_400 * 1_000_000
SLOW_DAYS = (3.7, 11.0, 47.0)  # periods of weather and season
IRRIGATED_EVERY_DAYS = 7.0
LATENCY_S = 2.0  # from measuring to arriving, median
SEED = 5

Array = NDArray[np.float64]


class Sensor(NamedTuple):
    """How a quantity moves, in its canonical unit."""

    middle: float
    slow: float  # amplitude of weather and season
    daily: float  # amplitude over a day
    noise: float  # one standard deviation
    step: float  # resolution: what is sent is a whole number of these
    low: float
    high: float


SENSORS = {
    "soil_moisture": Sensor(0.25, 0.05, 0.002, 0.001, 0.001, 0.0, 0.6),
    "soil_temperature": Sensor(18.0, 6.0, 2.0, 0.05, 0.1, -30.0, 60.0),
    "soil_ec": Sensor(0.8, 0.2, 0.02, 0.005, 0.01, 0.0, 20.0),
    "soil_water_potential": Sensor(-40.0, 25.0, 2.0, 0.5, 1.0, -1_500.0, 0.0),
    "air_temperature": Sensor(20.0, 7.0, 8.0, 0.15, 0.1, -40.0, 55.0),
    "relative_humidity": Sensor(50.0, 15.0, 20.0, 1.0, 0.1, 0.0, 100.0),
    "air_pressure": Sensor(95.0, 1.0, 0.05, 0.01, 0.01, 60.0, 110.0),
    "wind_speed": Sensor(2.5, 1.5, 1.0, 0.8, 0.1, 0.0, 60.0),
    "solar_radiation": Sensor(150.0, 60.0, 500.0, 30.0, 1.0, 0.0, 1_400.0),
    "rain": Sensor(-2.0, 1.5, 0.0, 0.6, 0.2, 0.0, 50.0),
    "water_total": Sensor(40.0, 0.0, 0.0, 0.0, 0.1, 0.0, np.inf),  # m³/h while it flows
    "battery_voltage": Sensor(3.6, 0.1, 0.02, 0.004, 0.01, 0.0, 4.3),
}
OTHER = Sensor(20.0, 7.0, 8.0, 0.15, 0.1, -1e6, 1e6)  # daily summaries and the like
COUNTERS = frozenset({"water_total", "rain_total"})


def made(
    streams: Sequence[tuple[int, str]],
    count: int,
    *,
    start: dt.datetime,
    end: dt.datetime,
    rows_a_part: int,
) -> Iterator[np.ndarray[Any, Any]]:
    """Rows of ``readings.DTYPE`` in order of time, ``count`` of them, in parts.

    Parameters
    ----------
    streams : sequence of (int, str)
        Id and quantity of each datastream; each has as many readings, or one more.
    start, end : datetime
        The readings lie evenly in [start, end), to the second.
    """
    each, more = divmod(count, len(streams))
    steps = each + (1 if more else 0)
    first, last = (round(moment.timestamp()) for moment in (start, end))
    ids = np.array([id_ for id_, _ in streams], np.int32)
    sensors = _Sensors([quantity for _, quantity in streams])
    a_part = max(1, rows_a_part // len(streams))
    for begun in range(0, steps, a_part):
        numbers = np.arange(begun, min(begun + a_part, steps))
        times_us = (first + (last - first) * numbers // steps) * 1_000_000
        part = _rows(ids, sensors, times_us, np.random.default_rng([SEED, begun]))
        done = begun * len(streams)
        yield part[: count - done]  # the last readings are of the first datastreams


class _Sensors:
    """The sensors of all datastreams, each with weather and a valve of its own."""

    def __init__(self, quantities: Sequence[str]) -> None:
        random = np.random.default_rng(SEED)
        count = len(quantities)
        found = [SENSORS.get(quantity, OTHER) for quantity in quantities]
        self.columns = Sensor(*np.array(found, float).T)
        self.counts = np.array([quantity in COUNTERS for quantity in quantities])
        self.phases = random.uniform(0, 2 * np.pi, (len(SLOW_DAYS) + 1, count))
        self.shift = random.uniform(-0.3, 0.3, count)  # no two fields are alike
        self.watered = random.uniform(0, IRRIGATED_EVERY_DAYS, count)

    def values(self, days: Array, random: np.random.Generator) -> Array:
        """Of days since 1970, shape (times,): what sensors send, shape (times, datastreams)."""
        one, days = self.columns, days[:, None]
        turns = [2 * np.pi * days / period for period in SLOW_DAYS]
        slow = sum(
            np.sin(turn + phase) / len(turns)
            for turn, phase in zip(turns, self.phases, strict=False)
        )
        wave = np.sin(2 * np.pi * days + 0.1 * self.phases[-1])
        value = one.middle * (1 + 0.1 * self.shift) + one.slow * slow + one.daily * wave
        value = value + one.noise * random.standard_normal(value.shape)
        value = np.where(self.counts, self._counted(days), value)
        whole = np.rint(np.clip(value, one.low, one.high) / one.step)
        # As a decimal: 213 steps of 0.001 are 0.213, not 0.21300000000000002.
        per = np.rint(1.0 / one.step)
        sent: Array = np.where(one.step < 1.0, whole / per, whole * one.step)
        return sent

    def _counted(self, days: Array) -> Array:
        """A water meter: a quarter of a day's flow in every irrigation interval."""
        turns = (days + self.watered) / IRRIGATED_EVERY_DAYS
        open_for = np.minimum((turns % 1.0) * IRRIGATED_EVERY_DAYS, 0.25)
        hours = 24.0 * (np.floor(turns) * 0.25 + open_for)
        flowed: Array = self.columns.middle * (hours % 100_000.0)
        return flowed


def _rows(
    ids: NDArray[np.int32],
    sensors: _Sensors,
    times_us: NDArray[np.int64],
    random: np.random.Generator,
) -> np.ndarray[Any, Any]:
    rows = np.empty((len(times_us), len(ids)), readings.DTYPE)
    rows["time"], rows["datastream_id"] = times_us[:, None], ids
    rows["value"] = sensors.values(times_us / DAY_US, random)
    rows["quality"] = 0
    late = np.rint(LATENCY_S * 1e6 * random.lognormal(0.0, 0.5, rows.shape))
    rows["received_at"] = rows["time"] + late.astype(np.int64)
    return rows.reshape(-1)
