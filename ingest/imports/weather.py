"""Daily weather: days that are over become readings of a station, the others a forecast."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from analytics.humidity import dew_point
from analytics.tables import DailyTable, read_weather
from ingest.imports.results import Asked, Imported, Refused, Row
from ingest.imports.sources import Source
from ingest.imports.storing import Values, as_id, register, store_readings
from ingest.imports.texts import all_of, short
from ingest.messages import from_us, iso, to_us
from reports.forecast_files import import_forecast

Array = NDArray[np.float64]

# Columns of the file by the quantity that they are stored as.
QUANTITIES = {
    "tmax_c": "air_temperature_max",
    "tmin_c": "air_temperature_min",
    "solar_mj_m2": "solar_radiation_sum",
    "rh_max_pct": "relative_humidity_max",
    "rh_min_pct": "relative_humidity_min",
    "wind_m_s": "wind_speed_mean",
    "rain_mm": "rain",
}
BEFORE_MIDNIGHT = dt.timedelta(minutes=1)  # a summary is stamped in its own day
DRIEST_KPA = 1e-3  # air is never drier; a vapour pressure of 0 has no dew point


def store(connection: sa.Connection, source: Source, lines: list[str], asked: Asked) -> Imported:
    """Store a weather file of a farm's station.

    The day that is not over yet, and those after it, are kept as a forecast, issued when the file
    was written: a day's highest temperature is known when it has passed.
    """
    file = short(source.name)
    table = all_of(lambda some: read_weather(some, file), lines)
    if not table.dates:
        raise Refused(f"{file}, line 1, column date: there is no day below the header")
    stamps = [_stamp(day, asked.farm.timezone) for day in table.dates]
    over = np.array([stamp <= asked.now_us for stamp in stamps])
    station = register(
        connection,
        asked,
        as_id(asked.farm.slug, "imported-weather"),
        "weather-station",
        "Imported weather",
        sensor_height_m=asked.wind_height_m,
    )
    if station.sensor_height_m not in {None, asked.wind_height_m}:
        raise Refused(
            f"{file}: wind of {station.id} is measured at {station.sensor_height_m:g} m, not "
            f"{asked.wind_height_m:g} m; name another --device"
        )
    stored = store_readings(
        connection, station.id, _series(table, np.array(stamps)[over], over), asked.now_us
    )
    forecast = _store_forecast(connection, source, lines, table, asked, over)
    notes = [f"wind is that of {asked.wind_height_m:g} m", *forecast]
    return Imported(
        source.name,
        "weather",
        "imported",
        station.id,
        stored.new,
        stored.known,
        "readings",
        table.dates[0].isoformat(),
        table.dates[-1].isoformat(),
        left_out=stored.refused,
        notes=tuple(notes),
        details=tuple(_details(table, over)),
    )


def _stamp(day: dt.date, timezone: str) -> int:
    midnight = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), ZoneInfo(timezone))
    return to_us(midnight - BEFORE_MIDNIGHT)


def _series(table: DailyTable, stamps: NDArray[np.int64], over: NDArray[np.bool_]) -> list[Values]:
    columns = {name: table.columns[column][over] for column, name in QUANTITIES.items()}
    columns["dew_point"] = dew_points(table)[over]
    return [
        Values(name, stamps[known], values[known])
        for name, values in columns.items()
        if (known := np.isfinite(values)).any()
    ]


def dew_points(table: DailyTable) -> Array:
    """The file's dew point, else that of its vapour pressure; NaN where it has neither. [°C]"""
    given, pressure = table.columns["tdew_c"], table.columns["vapour_pressure_kpa"]
    of_pressure = dew_point(np.maximum(np.where(np.isfinite(pressure), pressure, 1.0), DRIEST_KPA))
    of_pressure[~np.isfinite(pressure)] = np.nan
    return np.where(np.isfinite(given), given, of_pressure)


def _store_forecast(
    connection: sa.Connection,
    source: Source,
    lines: list[str],
    table: DailyTable,
    asked: Asked,
    over: NDArray[np.bool_],
) -> list[str]:
    if over.all():
        return []
    past = {line for line, is_over in zip(table.lines, over, strict=True) if is_over}
    # Emptied, not taken out: an error names the line that people see.
    ahead = ["" if number in past else line for number, line in enumerate(lines, start=1)]
    issued = min(source.modified, from_us(asked.now_us))
    days = all_of(
        lambda some: import_forecast(
            connection,
            asked.farm,
            some,
            short(source.name),
            issued_at=issued,
            source=short(source.name),
            wind_height_m=asked.wind_height_m,
        ),
        ahead,
    )
    return [f"{days} days that are not over are a forecast, issued {iso(to_us(issued))}"]


def _details(table: DailyTable, over: NDArray[np.bool_]) -> list[Row]:
    return [
        {
            "line": line,
            "date": day.isoformat(),
            "as": "readings" if is_over else "forecast",
            **{
                name: float(values[row])
                for name, values in table.columns.items()
                if np.isfinite(values[row])
            },
        }
        for row, (line, day, is_over) in enumerate(
            zip(table.lines, table.dates, over.tolist(), strict=True)
        )
    ]
