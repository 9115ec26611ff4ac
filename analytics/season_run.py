"""The season of crop zones side by side: as it was, and as it would have been with other water.

A what-if run keeps weather, soil and crop, and changes how much water came, how and when: what two
runs differ by in evapotranspiration is a change in consumption. All zones run in one call.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics import requirement
from analytics.balance import Conventions, Days, Fields, State, WaterBalance, water_balance

Array = NDArray[np.float64]

DRY_BEFORE_HARVEST_DAYS = 21  # the old irrigator waters no crop that is about to be harvested


class Water(NamedTuple):
    """What was applied on one crop zone, arrays of shape (days,)."""

    volume_m3: Array
    efficiency: Array  # share that enters the soil
    wetted_fraction: Array
    source: list[str]  # metered, entered or none
    coverage_pct: float
    offtake: Hashable = (
        None  # the meter that several zones share, where there is no meter of its own
    )


class WhatIf(NamedTuple):
    """Season's sums of a what-if run, arrays of shape (zones,); NaN where it could not be run."""

    eta: Array  # [mm]
    gross: Array  # withdrawn [mm]
    deep_percolation: Array  # [mm]
    runoff: Array  # [mm]
    applications: Array  # number of days with water


class SeasonRun:
    """The balance of crop zones side by side, and what-if runs of it.

    Parameters
    ----------
    season : Days
        Arrays broadcasting to (days, zones): each zone begins on its own first day, in row 0, and
        is padded to the longest. Irrigation in it is not used: it comes from ``water``.
    ground, start, conventions
        As of :func:`analytics.balance.water_balance`.
    areas_ha : array, shape (zones,)
    water : sequence of Water, one a zone
        Arrays as long as the zone's season, or padded.
    inside : array of bool, shape (days, zones)
        The days that belong to each zone's season.
    balance : WaterBalance
        The season as it was.
    season_days : array, shape (zones,), optional
        Days from planting to harvest, where ``inside`` has only those so far.
    """

    def __init__(
        self,
        season: Days,
        ground: Fields,
        start: State,
        conventions: Conventions,
        areas_ha: Array,
        water: Sequence[Water],
        inside: NDArray[np.bool_],
        balance: WaterBalance,
        season_days: ArrayLike | None = None,
    ) -> None:
        self._season_days = inside.sum(axis=0) if season_days is None else np.asarray(season_days)
        self.inside, self.balance = inside, balance
        self.areas_ha, self.water = np.asarray(areas_ha, float), list(water)
        self._season, self._ground, self._start = _laid_out(season, inside.shape), ground, start
        self._conventions = conventions

    # --- as it was ------------------------------------------------------------------------------

    @cached_property
    def gross_mm(self) -> Array:
        """Applied depth of each day, shape (days, zones)."""
        volumes = self._columns([one.volume_m3 for one in self.water], 0.0)
        return np.asarray(np.where(self.inside, volumes, 0.0) / (10.0 * self.areas_ha))

    def total(self, name: str) -> Array:
        """Season's sum of a column of the balance, shape (zones,). [mm]"""
        return requirement.season_sum(getattr(self.balance, name), self.inside)

    @cached_property
    def etc(self) -> Array:
        """Evapotranspiration of the crop without stress, shape (zones,). [mm]"""
        return self.total("etc")

    @cached_property
    def requirement(self) -> Array:
        """Net irrigation requirement, shape (zones,). [mm]"""
        return requirement.net_requirement(self.balance, self.inside)

    @cached_property
    def effective_rain(self) -> Array:
        """Rain that stayed in the root zone, shape (zones,). [mm]"""
        return requirement.effective_rain(self.balance, self.inside)

    @cached_property
    def storage_change(self) -> Array:
        """What the root zone gained over each zone's own season, shape (zones,). [mm]"""
        return requirement.storage_change(self.balance, self.inside)

    @cached_property
    def closure(self) -> Array:
        """Largest error of the balance in any day of each zone, shape (zones,). [mm]"""
        return np.asarray(np.abs(np.where(self.inside, self.balance.closure, 0.0)).max(axis=0))

    # --- as it would have been ------------------------------------------------------------------

    def as_applied(self, *, et0_factor: float = 1.0, efficiency_factor: float = 1.0) -> WhatIf:
        """The season run with the water that came, by the model alone: nothing probed corrects it.

        The factors scale reference evapotranspiration, and the share that enters the soil.
        """
        share = self._columns([one.efficiency for one in self.water], 1.0)
        efficiency = np.minimum(share * efficiency_factor, 1.0)
        wetted = self._columns([one.wetted_fraction for one in self.water], 1.0)
        return self._run(self.gross_mm, efficiency, wetted, et0_factor)

    def with_gross(
        self,
        gross_mm: ArrayLike,
        efficiency: ArrayLike,
        wetted: ArrayLike,
        *,
        et0_factor: float = 1.0,
    ) -> WhatIf:
        """Had each zone taken ``gross_mm`` on the days it was watered, in the same proportions.

        Parameters
        ----------
        gross_mm, efficiency, wetted : array, shape (zones,)
            Season's gross depth, the share of it that enters the soil, the wetted fraction.
        et0_factor : float
            Scales reference evapotranspiration: how far its error reaches.

        Notes
        -----
        A zone that was never watered has no days to lay water over: NaN, as where ``gross_mm`` is.
        """
        wanted = np.broadcast_to(np.asarray(gross_mm, float), self.areas_ha.shape)
        came = self.gross_mm.sum(axis=0)
        factor = np.divide(wanted, came, out=np.full_like(came, np.nan), where=came > 0)
        return self._run(self.gross_mm * factor, efficiency, wetted, et0_factor)

    def old_irrigator(
        self,
        efficiency: ArrayLike,
        wetted: ArrayLike,
        *,
        only: NDArray[np.bool_] | None = None,
        et0_factor: float = 1.0,
        dry_days: int = DRY_BEFORE_HARVEST_DAYS,
    ) -> WhatIf:
        """Had an irrigator filled the root zone whenever its readily available water was gone.

        He looks in the evening and waters next morning, to field capacity; ``efficiency`` is what
        enters the soil of what he withdraws. In the last ``dry_days`` he does not water.
        ``only`` of shape (zones,) leaves the other zones out (NaN).
        """
        chosen = np.ones(self.areas_ha.shape, bool) if only is None else only
        picked = np.flatnonzero(chosen)
        result = WhatIf(*(np.full(self.areas_ha.shape, np.nan) for _ in WhatIf._fields))
        if not picked.size:
            return result
        share, fraction = (
            np.broadcast_to(np.asarray(value, float), self.areas_ha.shape)[picked]
            for value in (efficiency, wetted)
        )
        inside = self.inside[:, picked]
        season = Days(*(column[:, picked] for column in map(np.asarray, self._season)))
        season = season._replace(et0=np.asarray(season.et0) * et0_factor)
        ground = Fields(*(_pick(value, picked) for value in self._ground))
        state = State(*(_pick(value, picked) for value in self._start))
        last_watering = self._season_days[picked] - dry_days
        sums = {name: np.zeros(picked.size) for name in WhatIf._fields}
        net = np.zeros(picked.size)
        for day in range(inside.shape[0]):
            today = Days(*(np.asarray(column)[day : day + 1] for column in season))._replace(
                irrigation_net=net[None, :], wetted_fraction=fraction[None, :]
            )
            run = water_balance(today, ground, state, self._conventions)
            state = run.end
            for name in ("eta", "deep_percolation", "runoff"):
                sums[name] += np.where(inside[day], getattr(run, name)[0], 0.0)
            sums["gross"] += net / share
            sums["applications"] += net > 0
            thirsty = (run.depletion[0] >= run.raw[0]) & (day + 1 < last_watering)
            net = np.where(thirsty, np.maximum(run.depletion[0], 0.0), 0.0)
        for name, values in sums.items():
            getattr(result, name)[picked] = values
        return result

    def _run(
        self, gross: Array, efficiency: ArrayLike, wetted: ArrayLike, et0_factor: float
    ) -> WhatIf:
        season = self._season._replace(
            et0=np.asarray(self._season.et0) * et0_factor,
            irrigation_net=gross * np.asarray(efficiency, float),
            wetted_fraction=np.broadcast_to(np.asarray(wetted, float), self.inside.shape),
        )
        run = water_balance(season, self._ground, self._start, self._conventions)
        names = ("eta", "deep_percolation", "runoff")
        eta, percolation, runoff = (
            requirement.season_sum(getattr(run, name), self.inside) for name in names
        )
        days = np.where(np.isnan(eta), np.nan, (gross > 0).sum(axis=0))
        return WhatIf(eta, gross.sum(axis=0), percolation, runoff, days)

    def _columns(self, values: Sequence[Array], padding: float) -> Array:
        """Stack zones' days side by side, padded to the longest."""
        out: Array = np.full(self.inside.shape, padding)
        for zone, column in enumerate(values):
            length = min(len(column), out.shape[0])
            out[:length, zone] = column[:length]
        return out


# A season that did not happen was not probed: the soil of the one that did says nothing of it.
_OF_THE_SOIL_AS_IT_WAS = ("measured_depletion", "measured_sd")


def _laid_out(season: Days, shape: tuple[int, int]) -> Days:
    """Every column as an array of shape (days, zones); a vector of days holds for all zones."""
    columns = []
    for name, values in season._asdict().items():
        array = np.asarray(np.nan if name in _OF_THE_SOIL_AS_IT_WAS else values, float)
        column = array.reshape(-1, 1) if array.ndim == 1 else array
        columns.append(np.broadcast_to(column, shape))
    return Days(*columns)


def _pick(values: ArrayLike, picked: NDArray[np.intp]) -> NDArray[Any]:
    """The chosen zones of an array of shape (zones,); one number holds for all."""
    array = np.asarray(values)
    return array if array.size == 1 else array[picked]
