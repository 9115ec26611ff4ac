"""The season of crop zones side by side: as it was, and as it would have been with other water.

The balance is computed once as it was. A what-if run keeps weather, soil, crop and the days of
watering, and changes how much water came and how: what the two differ by in evapotranspiration is
a change in consumption.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from analytics.balance import Conventions, Days, Fields, State, WaterBalance, water_balance
from analytics.requirement import net_requirement

Array = NDArray[np.float64]


class Water(NamedTuple):
    """What was applied on one crop zone, arrays of shape (days,)."""

    volume_m3: Array
    efficiency: Array  # share that enters the soil
    wetted_fraction: Array
    source: list[str]  # metered, entered or none
    coverage_pct: float


class SeasonRun:
    """The balance of crop zones side by side, shape (days, zones), and what-if runs of it."""

    def __init__(
        self,
        season: Days,
        ground: Fields,
        start: State,
        conventions: Conventions,
        areas_ha: Array,
        water: Sequence[Water],
    ) -> None:
        self._season, self._ground, self._start = season, ground, start
        self._conventions, self._areas, self._water = conventions, areas_ha, water

    @cached_property
    def gross_mm(self) -> Array:
        """Applied depth of each day."""
        volumes = np.stack([one.volume_m3 for one in self._water], axis=1)
        return np.asarray(volumes / (10.0 * self._areas))

    @cached_property
    def as_it_was(self) -> WaterBalance:
        """The season with the water that was applied."""
        efficiency = np.stack([one.efficiency for one in self._water], axis=1)
        wetted = np.stack([one.wetted_fraction for one in self._water], axis=1)
        return self._run(self.gross_mm * efficiency, wetted)

    def eta_with(self, index: int, gross_mm: float, efficiency: float, wetted: float) -> float:
        """Season's ETa of one zone had it taken ``gross_mm`` on the same days. [mm]"""
        factor = np.zeros(len(self._areas))
        factor[index] = gross_mm / self.gross_mm[:, index].sum()
        fraction = np.full(self.gross_mm.shape, wetted)
        run = self._run(self.gross_mm * factor * efficiency, fraction)
        return float(run.eta[:, index].sum())

    def of_field(self, index: int) -> ZoneRun:
        """One zone of it."""
        return ZoneRun(self, index)

    def _run(self, irrigation_net: Array, wetted_fraction: Array) -> WaterBalance:
        season = self._season._replace(
            irrigation_net=irrigation_net, wetted_fraction=wetted_fraction
        )
        return water_balance(season, self._ground, self._start, self._conventions)


class ZoneRun:
    """One column of an :class:`SeasonRun`."""

    def __init__(self, run: SeasonRun, index: int) -> None:
        self.run, self.index = run, index

    def eta_with(self, gross_mm: float, efficiency: float, wetted: float) -> float:
        """Season's ETa had the zone taken ``gross_mm`` on the same days. [mm]"""
        return self.run.eta_with(self.index, gross_mm, efficiency, wetted)

    def total(self, name: str) -> float:
        """Season's sum of a column of the balance. [mm]"""
        return float(getattr(self.run.as_it_was, name)[:, self.index].sum())

    @property
    def requirement(self) -> float:
        """Net irrigation requirement. [mm]"""
        return float(net_requirement(self.run.as_it_was)[self.index])

    @property
    def closure(self) -> float:
        """Largest error of the balance in any day. [mm]"""
        return float(np.abs(self.run.as_it_was.closure[:, self.index]).max())
