"""What weather to expect on days that have not come: of earlier years, or as it was lately.

A forecast is better where there is one; the climatology of the place is next, and the persistence
of its last measured days stands in where no earlier year was measured. Each day says which it is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

HALF_WINDOW_DAYS = 7  # around the calendar day
LEAST_DAYS = 8  # a mean of fewer of a window's 15 days is no climatology
PERSISTENCE_DAYS = 10

FORECAST, CLIMATOLOGY, PERSISTENCE, UNKNOWN = "forecast", "climatology", "persistence", "unknown"


class PastDays(NamedTuple):
    """Measured days in any order, arrays of shape (days,); NaN where a day was not measured."""

    dates: list[dt.date]
    et0: Array  # [mm]
    rain: Array  # [mm]
    wind_2m: Array  # [m s⁻¹]
    rh_min: Array  # lowest relative humidity [%]


class Expected(NamedTuple):
    """Weather expected on consecutive days, arrays of shape (days,); NaN where not known."""

    et0: Array  # [mm]
    et0_sd: Array  # standard deviation of one day's ET0 [mm]; NaN for a forecast
    rain: Array  # [mm]
    wind_2m: Array  # [m s⁻¹]
    rh_min: Array  # [%]
    days: NDArray[np.int64]  # measured days that each rests on; 0 for a forecast
    years: NDArray[np.int64]  # years of which these are


class Outlook(NamedTuple):
    """Expected weather without gaps, unless nothing is known, and where each day is from."""

    expected: Expected
    source: list[str]


def climatology(dates: Sequence[dt.date], past: PastDays) -> Expected:
    """Mean of the same calendar days, seven to either side, of all earlier years.

    A date of which fewer than ``LEAST_DAYS`` such days were measured stays unknown (NaN). The mean
    is that of each day's ET0: ET0 of mean weather would be another, since it is not linear. The
    standard deviation is that of single days around it, with one degree of freedom taken.
    """
    ordinals = np.array([day.toordinal() for day in past.dates], np.int64)
    known = ~np.isnan(past.et0)
    years = np.array([day.year for day in past.dates], np.int64)
    chosen = []
    for date in dates:
        near = np.zeros(len(ordinals), bool)
        for year in range(int(years.min(initial=date.year)) - 1, date.year):
            near |= np.abs(ordinals - _same_day(date, year)) <= HALF_WINDOW_DAYS
        rows = np.flatnonzero(near & known)
        chosen.append(rows if len(rows) >= LEAST_DAYS else rows[:0])
    return _expected(chosen, past, years)


def persistence(count: int, past: PastDays) -> Expected:
    """``count`` days like the last ten measured ones, without rain.

    What drives evapotranspiration changes slowly; that it rained last week says little of the
    next, so none is expected.
    """
    known = np.flatnonzero(~np.isnan(past.et0))
    order = np.argsort([past.dates[row].toordinal() for row in known], kind="stable")
    last = known[order][-PERSISTENCE_DAYS:]
    years = np.array([day.year for day in past.dates], np.int64)
    found = _expected([last] * count, past, years)
    return found._replace(rain=np.where(np.isnan(found.et0), np.nan, 0.0))


def outlook(choices: Sequence[tuple[str, Expected]]) -> Outlook:
    """Of several expectations, for each day the first that knows its ET0.

    Rain that it does not know counts as none, as in the weather of measured days.
    """
    count = len(choices[0][1].et0)
    source = [UNKNOWN] * count
    columns = {
        name: np.zeros(count, np.int64) if name in {"days", "years"} else np.full(count, np.nan)
        for name in Expected._fields
    }
    for label, one in reversed(choices):
        knows = ~np.isnan(one.et0)
        for name, values in columns.items():
            given = getattr(one, name)
            values[knows] = (np.nan_to_num(given) if name == "rain" else given)[knows]
        source = [label if knows[day] else source[day] for day in range(count)]
    return Outlook(Expected(**columns), source)  # type: ignore[arg-type]


def _same_day(date: dt.date, year: int) -> int:
    """Ordinal of the calendar day in another year; 28 February stands for the 29th."""
    if (date.month, date.day) == (2, 29):
        date = date.replace(day=28)
    return date.replace(year=year).toordinal()


def _expected(chosen: list[NDArray[np.intp]], past: PastDays, years: NDArray[np.int64]) -> Expected:
    def mean(values: Array) -> Array:
        return np.array([_mean(values[rows]) for rows in chosen], float)

    return Expected(
        et0=mean(past.et0),
        et0_sd=np.array(
            [past.et0[rows].std(ddof=1) if len(rows) > 1 else np.nan for rows in chosen], float
        ),
        rain=mean(past.rain),
        wind_2m=mean(past.wind_2m),
        rh_min=mean(past.rh_min),
        days=np.array([len(rows) for rows in chosen], np.int64),
        years=np.array([len(np.unique(years[rows])) for rows in chosen], np.int64),
    )


def _mean(values: Array) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else np.nan
