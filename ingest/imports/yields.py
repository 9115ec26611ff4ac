"""Yield-monitor files: points of a harvester with their mass flow, width and moisture."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from analytics.tables import TableError, cells_of_lines
from analytics.yield_tables import (
    AG_LEADER_COLUMNS,
    KG_PER_POUND,
    M_PER_INCH,
    TIME,
    Columns,
    ag_leader_columns,
    csv_columns,
    speed,
)
from ingest.codecs.local_times import local
from ingest.codecs.times import rfc3339
from ingest.imports.results import Asked, Imported, Refused
from ingest.imports.sources import Source
from ingest.imports.storing import as_id, register, store_points
from ingest.imports.texts import all_of, short
from ingest.messages import PayloadError, iso
from ingest.plausibility import EARLIEST_US

Array = NDArray[np.float64]
Table = dict[str, NDArray[Any]]

_SERIAL = len(AG_LEADER_COLUMNS)  # place of the monitor's serial number in a record
_GPS_EPOCH_S = 315_964_800  # 1980-01-06
# GPS time has no leap seconds: what it is ahead of UTC, from each of these times on (IERS).
_LEAP_FROM_S = np.array(
    [0, 1_136_073_600, 1_230_768_000, 1_341_100_800, 1_435_708_800, 1_483_228_800]
)
_LEAP_S = np.array([13, 14, 15, 16, 17, 18])


def store_ag_leader(
    connection: sa.Connection, source: Source, lines: list[str], asked: Asked
) -> Imported:
    """Store an Ag Leader advanced export; its machine is named for the monitor's serial number."""
    file = short(source.name)
    columns = all_of(lambda some: ag_leader_columns(some, file, asked.crs), lines)
    table = all_of(lambda _: _of_ag_leader(columns, file, asked), lines)
    serials = {cells[_SERIAL].strip() for _, cells in cells_of_lines(lines, file)}
    if len(serials) > 1 and asked.device is None:
        some = ", ".join(sorted(serials)[:3])
        raise Refused(f"{file}: records of {len(serials)} monitors ({some} …): name --device")
    serial = next(iter(serials))
    note = "times are UTC, seconds since " + ("1980-01-06 (GPS)" if asked.gps_epoch else "1970")
    device = as_id(asked.farm.slug, "agleader", serial), f"Ag Leader {serial}"
    return _store(connection, source, table, asked, device)._replace(
        kind="agleader", notes=(f"{note}; the first is {iso(int(table['time'][0]))}",)
    )


def store_csv(
    connection: sa.Connection, source: Source, lines: list[str], asked: Asked
) -> Imported:
    """Store a yield file with a header; it needs the column ``time``."""
    file = short(source.name)
    columns = all_of(lambda some: csv_columns(some, file, asked.crs), lines)
    table = all_of(lambda some: _of_csv(columns, file, asked, some), lines)
    device = as_id(asked.farm.slug, "yield-monitor"), "Yield monitor"
    return _store(connection, source, table, asked, device)._replace(kind="yield")


def _store(
    connection: sa.Connection,
    source: Source,
    table: Table,
    asked: Asked,
    device: tuple[str, str],
) -> Imported:
    into = register(connection, asked, device[0], "harvester", device[1])
    stored = store_points(connection, into.id, table, asked.now_us)
    return Imported(
        source.name,
        into=into.id,
        new=stored.new,
        known=stored.known,
        unit="points",
        first=None if stored.first_us is None else iso(stored.first_us),
        last=None if stored.last_us is None else iso(stored.last_us),
        left_out=stored.refused,
    )


def _of_ag_leader(columns: Columns, file: str, asked: Asked) -> Table:
    lon, lat, flow, seconds, interval, distance, swath, moisture, header, _ = (
        columns.numbers[column.name] for column in AG_LEADER_COLUMNS
    )
    utc = _utc_of_gps(seconds) if asked.gps_epoch else seconds
    impossible = ~(utc * 1e6 >= EARLIEST_US) | (utc > 1e10)
    if impossible.any():
        row = int(np.argmax(impossible))
        reason = (
            f"{seconds[row]:.10g} is no time since 2000: older monitors count seconds of a minute. "
            "A point without a time cannot be stored; `dala yield` reads the file as it is"
        )
        raise TableError(file, columns.lines[row], "GPS time s", reason)
    return {
        "time": np.round(utc * 1e6).astype(np.int64),
        "latitude_deg": lat,
        "longitude_deg": lon,
        "speed_m_s": speed(distance * M_PER_INCH, interval),
        "work_state": header.astype(np.int16),
        "width_m": swath * M_PER_INCH,
        "mass_flow_kg_s": flow * KG_PER_POUND,
        "crop_moisture_pct": moisture,
    }


def _utc_of_gps(seconds: Array) -> Array:
    """Seconds since 1970, UTC, of GPS seconds since 1980-01-06."""
    since_1970 = seconds + _GPS_EPOCH_S
    place = np.searchsorted(_LEAP_FROM_S, since_1970, side="right") - 1
    return np.asarray(since_1970 - _LEAP_S[np.maximum(place, 0)], float)


def _of_csv(columns: Columns, file: str, asked: Asked, lines: list[str]) -> Table:
    numbers = columns.numbers
    if columns.times is None:
        reason = (
            "is missing: a point without a time cannot be stored. `dala yield` reads the file as "
            "it is"
        )
        raise TableError(file, 1, TIME, reason)
    if "mass_flow_kg_s" not in numbers:
        ready = "yield_kg_ha" if "yield_kg_ha" in numbers else "yield_t_ha"
        reason = "is made already: a machine's track has mass_flow_kg_s and width_m"
        raise TableError(file, 1, ready, reason)
    if "longitude_deg" not in numbers:
        raise TableError(file, 1, "x_m", "is in no system that is named: give --crs EPSG:32642")
    # A line that was emptied for an error of its own is passed over here.
    rows = [row for row, line in enumerate(columns.lines) if lines[line - 1]]
    times = [_time(columns.times[row], file, columns.lines[row], asked) for row in rows]
    of = {name: values[rows] for name, values in numbers.items()}
    table: Table = {
        "time": np.array(times, np.int64),
        "latitude_deg": of["latitude_deg"],
        "longitude_deg": of["longitude_deg"],
        "speed_m_s": speed(of["distance_m"], of["interval_s"]),
        "width_m": of["width_m"],
        "mass_flow_kg_s": of["mass_flow_kg_s"],
        "crop_moisture_pct": of.get("moisture_pct", np.full(len(rows), math.nan)),
    }
    if "header_down" in of:
        table["work_state"] = of["header_down"].astype(np.int16)
    return table


def _time(text: str, file: str, line: int, asked: Asked) -> int:
    """A time with its offset, or one that clocks of the zone show."""
    return moment_us(text, file, line, TIME, asked)


def moment_us(text: str, file: str, line: int, column: str, asked: Asked) -> int:
    """Microseconds since 1970 of a time as people write it; without an offset, of the zone."""
    try:
        moment = dt.datetime.fromisoformat(text)
        if moment.tzinfo is None:
            return local(moment, asked.timezone, asked.now_us)
        return rfc3339(moment.isoformat())
    except PayloadError as error:
        raise TableError(file, line, column, error.detail) from None
    except (ValueError, OverflowError):
        reason = f"{text[:40]!r} is not a time as 2025-07-01T10:00:00+05:00 or 2025-07-01 10:00"
        raise TableError(file, line, column, reason) from None
