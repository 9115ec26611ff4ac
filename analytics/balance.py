"""The daily soil water balance with a dual crop coefficient, for many fields at once.

Evaporation is taken from a shallow surface layer, transpiration from the root zone that contains
it. Days follow each other, fields stand side by side: arrays have the shape (days, fields).
Equation numbers are those of FAO-56 [1]_. No step makes or loses water (``WaterBalance.closure``).

References
----------
.. [1] R. G. Allen et al., "Crop evapotranspiration", FAO Irrigation and Drainage Paper 56, Rome,
   1998, chapters 7 and 8.
.. [2] ASCE Manual of Practice 70, 2nd edition, 2016, Eqs. 14-12 to 14-20 (runoff).
"""

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from analytics.balance_day import one_day
from analytics.balance_demand import Today, available_water, demand
from analytics.balance_inputs import (
    PYFAO56,
    ROUNDING_MM,
    Conventions,
    Days,
    Drainage,
    EventTiming,
    Fields,
    Ground,
    NewRootZone,
    Reference,
    Season,
    State,
    ground_of,
    initial_state,
    season_of,
)
from analytics.balance_results import SeasonTotals, WaterBalance, season_totals

__all__ = [
    "PYFAO56",
    "Conventions",
    "Days",
    "Drainage",
    "EventTiming",
    "Fields",
    "NewRootZone",
    "Reference",
    "SeasonTotals",
    "State",
    "WaterBalance",
    "initial_state",
    "season_totals",
    "water_balance",
]

Array = NDArray[np.float64]
Columns = TypeVar("Columns", State, Ground, Season)

BLOCK = 8192  # fields computed together: a day of them stays in the processor's cache
SPAN = 16384  # fields times days whose demand is prepared at once, for the same reason

LARGE_PIECE = 4 << 20  # bytes from which numpy asks for large pages

_GIVEN = ("et0", "kcb", "rain", "irrigation_net", "capillary_rise")
_STATES = ("start", "end")
_EVENINGS = ("wetted_fraction", "depletion_variance")  # of the state, kept of every day
# What stands for a result that no field has, as long as none has it.
_ABSENT = {
    "runoff": 0.0,
    "overflow": 0.0,
    "standing_water": 0.0,
    "correction": 0.0,
    "innovation": np.nan,
    "gain": 0.0,
    "depletion_sd": np.nan,
}


def water_balance(
    days: Days, fields: Fields, state: State, conventions: Conventions | None = None
) -> WaterBalance:
    """Follow the water of every field day by day.

    Parameters
    ----------
    days : Days
        Weather, irrigation, crop and measured soil moisture of each day.
    fields : Fields
        Soil and crop constants.
    state : State
        The evening before the first day: of ``initial_state``, or the ``end`` of an earlier call,
        so that a season may be computed in pieces.
    conventions : Conventions, optional
        FAO-56's own where not given.

    Raises
    ------
    ValueError
        If shapes do not fit, a depth is negative, a wetted fraction on a day of irrigation is not
        within (0, 1], a measured depletion has no standard deviation, or a field's constants allow
        no balance.

    Notes
    -----
    A new layer that roots reach is at field capacity, so growing roots change no depletion; or,
    by convention, it brings its share of the depletion of the subsoil, one store between the roots
    and their greatest depth that percolation fills first.
    Where less water is left above the wilting point than evaporation and transpiration ask for,
    both are cut by the same share (and Ke and Ks with them): FAO-56 and pyfao56 cut the depletion
    at TAW instead (Eq. 86), which makes water from nothing.
    Water above field capacity drains within the day (Eq. 88), unless the field limits its
    percolation: then the rest fills the pores up to saturation, stands on the field as high as its
    banks (``bund_mm``), and runs off beyond; the depletion is negative. While the root zone is
    saturated, the whole surface is wet and evaporates as the energy of the day allows. Banks also
    hold all rain back from running off by a curve number.
    ``p_of_saturation`` counts p from saturation, as FAO-56 means it for rice (Table 22, footnote):
    stress begins where p of the water between saturation and the wilting point is gone.
    A measured depletion corrects that of its evening (``analytics.assimilation``); the water this
    adds is ``correction``, and the surface layer is left as it was.
    A missing input (NaN) makes its field NaN from that day on: filling gaps is a choice, and the
    caller makes it.
    """
    chosen = conventions or Conventions()
    season, shape = season_of(days, fields, state)
    ground = ground_of(fields, chosen)
    begin = State(*(np.broadcast_to(value, shape[1]) for value in state))
    if ground.available_water_max is not None:
        rooted = _rooted(season, ground, begin, ground.available_water_max)
        begin = begin._replace(rooted_water=rooted)
    out: dict[str, Array] = {}
    evenings = []
    for block in _blocks(shape[1]):
        part, held, evening = _part(season, block), _part(ground, block), _part(begin, block)
        width = block.stop - block.start
        for index, today in _prepared(part, held, chosen, shape[0], width):
            computed, evening = one_day(today, held, evening, chosen)
            computed |= {name: getattr(evening, name) for name in _EVENINGS}
            out = out or _empty(computed, shape)
            for name, values in computed.items():
                out[name][index, block] = values
        evenings.append([np.broadcast_to(value, width) for value in evening])
    end = State(*(np.concatenate(values) for values in zip(*evenings, strict=True)))
    return _result(season, shape, out, begin, end)


def _blocks(width: int) -> Iterator[slice]:
    """Neighbouring fields to compute together; how they are cut changes no result."""
    for first in range(0, width, BLOCK):
        yield slice(first, min(first + BLOCK, width))


def _empty(names: Iterable[str], shape: tuple[int, ...]) -> dict[str, Array]:
    """Arrays to be filled.

    The system hands over large pieces in large pages: small arrays share one piece.
    """
    known = list(names)
    if 8 * shape[0] * shape[1] < LARGE_PIECE:
        return dict(zip(known, np.empty((len(known), *shape)), strict=True))
    return {name: np.empty(shape) for name in known}


def _prepared(
    season: Season, ground: Ground, chosen: Conventions, days: int, width: int
) -> Iterator[tuple[int, Today]]:
    """Each day with its demand."""
    span = max(1, SPAN // width)
    for first in range(0, days, span):
        rows: list[Any] = [
            None if column is None else column[first : first + span] for column in season
        ]
        prepared = demand(Season(*rows), ground, chosen)
        for row in range(len(prepared.et0)):
            yield first + row, prepared.row(row)


def _part(whole: Columns, block: slice) -> Columns:
    """Those fields of every member; what all fields share stays as it is."""
    cut: list[Any] = [
        value if value is None or value.shape[-1] == 1 else value[..., block] for value in whole
    ]
    return type(whole)(*cut)


def _rooted(season: Season, ground: Ground, begin: State, deepest: Array) -> Array:
    """Available water of what is rooted before the first day: that of the day, unless known."""
    taw = available_water(season, ground)
    if np.any(taw > deepest + ROUNDING_MM):
        raise ValueError("root_depth holds more than available_water_max")
    first = taw[0] if len(taw) else np.nan
    return np.where(np.isnan(begin.rooted_water), first, begin.rooted_water)


def _result(
    season: Season, shape: tuple[int, ...], out: dict[str, Array], begin: State, end: State
) -> WaterBalance:
    absent = _ABSENT | {"subsoil_depletion": begin.subsoil_depletion}
    arrays = {
        name: np.broadcast_to(getattr(season, name), shape)
        if name in _GIVEN
        else out.get(name, np.broadcast_to(absent.get(name, np.nan), shape))
        for name in WaterBalance._fields[: -len(_STATES)]
    }
    return WaterBalance(**arrays, start=begin, end=end)
