"""Irrigation advice: when the soil of each crop zone is down to its refill line, and a plan.

The refill line is the depletion at which to irrigate, the readily available water (RAW) times a
share of it [1]_. A zone is watered on the day after the evening on which its depletion reached the
line, back to field capacity. The plan follows the daily water balance into days whose weather is
expected, so that each event changes the days after it. Arrays have the shape (days, fields).

References
----------
.. [1] R. G. Allen et al., "Crop evapotranspiration", FAO Irrigation and Drainage Paper 56, Rome,
   1998, chapter 8, "Forecasting or allocating irrigations": water is to come before or when the
   readily available water is depleted.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.balance import Conventions, Days, Fields, State, WaterBalance, water_balance

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Numbers = NDArray[np.intp]

M3_PER_HA_MM = 10.0
WAIT_DAYS = 2  # that a zone may wait at its line for rain that was forecast
NEVER = -1  # within the days given
UNSTRESSED = 1.0 - 1e-9  # Ks above it is 1 but for rounding


class Rules(NamedTuple):
    """Choices of the irrigator."""

    line_share: float = 1.0  # refill line as a share of RAW (management allowed depletion)
    rain_room_share: float = 0.0  # of the rain forecast for two days that is left room for
    hours_per_day: float = 24.0  # that a system may run


class System(NamedTuple):
    """How each field is watered, arrays of shape (fields,)."""

    area_ha: Array
    efficiency: Array  # share of the water that enters the soil
    wetted_fraction: Array  # of the surface
    flow_m3_h: Array  # NaN where nobody knows it


class Plan(NamedTuple):
    """What to give on each day and what becomes of it, arrays of shape (days, fields)."""

    net_mm: Array  # into the soil
    gross_mm: Array  # out of the system
    volume_m3: Array
    hours: Array  # NaN where the flow is unknown
    waiting: Flags  # at its line, and rain that was forecast will do
    capped: Flags  # the system cannot bring more in a day
    depletion: Array  # in the evening [mm]
    refill_line: Array  # in the evening [mm]
    ks: Array  # water stress coefficient
    eta: Array  # [mm]
    deep_percolation: Array  # [mm]
    closure: Array  # of each day's balance [mm]: rounding
    end: State


class RefillRange(NamedTuple):
    """Days on whose evening the line is reached, shape (fields,); ``NEVER`` where not in time."""

    earliest: Numbers
    latest: Numbers


def without_irrigation(
    days: Days, fields: Fields, state: State, conventions: Conventions | None = None
) -> WaterBalance:
    """The balance of the days if nobody waters."""
    return water_balance(days._replace(irrigation_net=0.0), fields, state, conventions)


def refill_line(balance: WaterBalance, rules: Rules | None = None) -> Array:
    """Depletion at which to irrigate, each evening, shape (days, fields). [mm]"""
    return np.asarray((rules or Rules()).line_share * balance.raw)


def first_reached(depletion: Array, line: Array) -> Numbers:
    """Index of the first day on whose evening the line is reached, shape (fields,), or NEVER."""
    reached = depletion >= line
    return np.where(reached.any(axis=0), reached.argmax(axis=0), NEVER)


def refill_range(
    days: Days,
    fields: Fields,
    state: State,
    *,
    et0_sd: ArrayLike,
    rain_is_sure: ArrayLike,
    depletion_sd: ArrayLike,
    conventions: Conventions | None = None,
    rules: Rules | None = None,
) -> RefillRange:
    """When the line is reached at the earliest and at the latest without irrigation.

    Parameters
    ----------
    et0_sd : array broadcasting to (days, fields)
        Standard deviation of a day's ET0; NaN counts as none. [mm]
    rain_is_sure : array of bool broadcasting to (days, fields)
        Where false, the rain is a mean over years and does not come at the earliest.
    depletion_sd : array, shape (fields,)
        Standard deviation of the depletion in ``state``; NaN counts as none. [mm]

    Notes
    -----
    One standard deviation to either side, of all days together, as if their errors were one: for a
    spell of hot or cool days they nearly are. It is a range of what is usual, not a 95 % interval.
    The expected course is always within: where p follows the day's ETc, rain wets the surface and
    can lower the line by more than the depletion, so that the drier run is not the earlier one.
    """
    spread = _laid_out(np.nan_to_num(np.asarray(et0_sd, float)))
    error = np.nan_to_num(np.asarray(depletion_sd, float))
    et0, rain = _laid_out(days.et0), _laid_out(days.rain)
    sure = np.where(_laid_out(rain_is_sure) > 0, rain, 0.0)
    reached = []
    for sign, falling in ((1.0, sure), (0.0, rain), (-1.0, rain)):
        moved = days._replace(et0=np.maximum(et0 + sign * spread, 0.0), rain=falling)
        begin = state._replace(depletion=np.maximum(state.depletion + sign * error, 0.0))
        run = without_irrigation(moved, fields, begin, conventions)
        index = first_reached(run.depletion, refill_line(run, rules))
        reached.append(np.where(index == NEVER, len(run.depletion), index))
    edges = (np.min(reached, axis=0), np.max(reached, axis=0))
    return RefillRange(*(np.where(edge == len(run.depletion), NEVER, edge) for edge in edges))


def irrigation_plan(
    days: Days,
    fields: Fields,
    state: State,
    line_before: ArrayLike,
    system: System,
    *,
    may_irrigate: ArrayLike = True,
    rain_is_forecast: ArrayLike = False,
    conventions: Conventions | None = None,
    rules: Rules | None = None,
) -> Plan:
    """Water each field whenever its refill line is reached, day by day.

    Parameters
    ----------
    days : Days
        Weather and crop of the days; the irrigation in it is not used.
    fields : Fields
    state : State
        The evening before the first day.
    line_before : array, shape (fields,)
        Refill line of that evening. [mm]
    system : System
    may_irrigate : array of bool broadcasting to (days, fields)
        False for a rain-fed crop, or after its harvest.
    rain_is_forecast : array of bool broadcasting to (days, fields)
        Days whose rain is worth waiting for; the mean of a climate is not.
    conventions, rules : optional

    Notes
    -----
    The net depth is the depletion of the evening before, less the room left for rain; gross is net
    over the efficiency, at most what the system brings in a day. What a capped day leaves undone
    is decided anew the next evening, so a plan made tomorrow goes on where today's stands.
    A field waits where rain of forecast days brings it above its line within two days.
    """
    rule = rules or Rules()
    shape = np.broadcast_shapes(
        np.shape(line_before), *(np.shape(_laid_out(v)) for v in days), np.shape(state.depletion)
    )
    may = np.broadcast_to(_laid_out(may_irrigate) > 0, shape)
    trusted = np.broadcast_to(_laid_out(rain_is_forecast) > 0, shape)
    forecast_rain = np.where(trusted, np.broadcast_to(_laid_out(days.rain), shape), 0.0)
    line = np.broadcast_to(np.asarray(line_before, float), shape[1:])
    evening, rows = state, []
    for index in range(shape[0]):
        ahead = slice(index, index + WAIT_DAYS)
        expected = forecast_rain[ahead]
        reached = may[index] & (evening.depletion >= line)
        waits = np.zeros_like(reached)
        if (reached & (expected > 0).any(axis=0)).any():
            wet = some_days(days, ahead)._replace(rain=expected)
            run = without_irrigation(wet, fields, evening, conventions)
            waits = reached & (run.depletion < refill_line(run, rule)).any(axis=0)
        room = rule.rain_room_share * expected.sum(axis=0)
        net, capped = _depth(evening.depletion - room, reached & ~waits, system, rule)
        today = some_days(days, slice(index, index + 1))._replace(
            irrigation_net=net[None], wetted_fraction=system.wetted_fraction[None]
        )
        run = water_balance(today, fields, evening, conventions)
        line, evening = refill_line(run, rule)[0], run.end
        rows.append(_PlanDay(net, waits, capped, line, run))
    return _plan(rows, system, evening)


class _PlanDay(NamedTuple):
    net: Array
    waits: Flags
    capped: Flags
    line: Array
    run: WaterBalance


def _depth(wanted: Array, begins: Flags, system: System, rule: Rules) -> tuple[Array, Flags]:
    """Net depth of the day, and where the system cannot bring what is wanted. [mm]"""
    most = system.flow_m3_h * rule.hours_per_day / (M3_PER_HA_MM * system.area_ha)
    most = np.where(np.isnan(most), np.inf, most) * system.efficiency
    needed = np.where(begins, np.maximum(wanted, 0.0), 0.0)
    return np.minimum(needed, most), needed > most


def _plan(rows: list[_PlanDay], system: System, end: State) -> Plan:
    net = np.stack([row.net for row in rows])
    gross = net / system.efficiency
    volume = gross * M3_PER_HA_MM * system.area_ha
    names = ("depletion", "ks", "eta", "deep_percolation", "closure")
    daily = {name: np.concatenate([getattr(row.run, name) for row in rows]) for name in names}
    return Plan(
        net_mm=net,
        gross_mm=gross,
        volume_m3=volume,
        hours=volume / system.flow_m3_h,
        waiting=np.stack([row.waits for row in rows]),
        capped=np.stack([row.capped for row in rows]),
        refill_line=np.stack([row.line for row in rows]),
        end=end,
        **daily,
    )


def _laid_out(values: ArrayLike) -> Array:
    """Days down, fields across; (days,) is one field's days, a single number holds for all."""
    array = np.asarray(values, float)
    return array.reshape(-1, 1) if array.ndim == 1 else np.atleast_2d(array)


def some_days(days: Days, chosen: slice) -> Days:
    """Some of the days; what all days share stays as it is."""
    columns = (_laid_out(value) for value in days)
    return Days(*(value if len(value) == 1 else value[chosen] for value in columns))
