"""A weather forecast from a CSV file: checked, brought to stored units, and kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from analytics.humidity import dew_point
from analytics.reference_et import actual_vapour_pressure, wind_at_2m
from analytics.tables import DailyTable, TableError, read_weather
from storage import forecasts
from storage.farms import Farm
from storage.forecasts import ForecastDay

Array = NDArray[np.float64]

WIND_HEIGHT_M = 10.0  # at which weather services forecast it (WMO No. 8)
DRIEST_KPA = 1e-3  # air is never drier; a vapour pressure of 0 has no dew point


def read_forecast(
    lines: Iterable[str], file: str, *, wind_height_m: float = WIND_HEIGHT_M
) -> list[ForecastDay]:
    """Days of a forecast, from the columns of a weather CSV (``analytics.tables``).

    Wind is brought to 2 m; humidity, however the file says it, becomes the dew point.

    Raises
    ------
    analytics.tables.TableError
        Naming file, line and column; also for a day without rain, which no forecast may leave out.
    """
    table = read_weather(lines, file)
    _check(table)
    columns = table.columns
    wind = wind_at_2m(columns["wind_m_s"], wind_height_m)
    return [
        ForecastDay(
            day,
            float(columns["tmax_c"][row]),
            float(columns["tmin_c"][row]),
            float(columns["rain_mm"][row]),
            _known(columns["solar_mj_m2"][row]),
            _known(dew),
            _known(columns["rh_min_pct"][row]),
            _known(wind[row]),
        )
        for row, (day, dew) in enumerate(zip(table.dates, _dew_points(table), strict=True))
    ]


def import_forecast(
    connection: sa.Connection,
    farm: Farm,
    csv_lines: Iterable[str],
    file: str,
    *,
    issued_at: dt.datetime,
    source: str,
    wind_height_m: float = WIND_HEIGHT_M,
) -> int:
    """Store a forecast for a farm and return its number of days; errors as of ``read_forecast``."""
    if issued_at.tzinfo is None:
        raise ValueError(f"{file}: the time of issue {issued_at} has no offset from UTC")
    days = read_forecast(csv_lines, file, wind_height_m=wind_height_m)
    return forecasts.put(connection, farm.id, days, issued_at=issued_at, source=source)


def _check(table: DailyTable) -> None:
    if not table.dates:
        raise TableError(table.file, 1, "date", "there is no day below the header")
    for line, rain in zip(table.lines, table.columns["rain_mm"], strict=True):
        if np.isnan(rain):
            raise TableError(table.file, line, "rain_mm", "is empty; a forecast of none says 0")


def _dew_points(table: DailyTable) -> Array:
    """From whatever the file says of humidity; NaN where it says nothing."""
    columns = table.columns
    given = {
        "vapour_pressure": columns["vapour_pressure_kpa"],
        "tdew": columns["tdew_c"],
        "rh_max": columns["rh_max_pct"],
    }
    says = ~np.isnan(list(given.values())).all(axis=0)
    pressure = actual_vapour_pressure(
        columns["tmax_c"], columns["tmin_c"], rh_min=columns["rh_min_pct"], **given
    )
    driest = np.maximum(np.where(says, pressure, 1.0), DRIEST_KPA)
    return np.where(says, dew_point(driest), np.nan)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
