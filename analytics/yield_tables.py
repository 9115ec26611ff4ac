"""Yield-monitor records as text lines, turned into points or into an error that says where.

Reading takes lines, not files: whoever opens the file gives its name for the messages.
"""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analytics.field_plane import from_projected, on_plane
from analytics.tables import TableError, cells_of_lines, check_separator, number_of

Array = NDArray[np.float64]

M2_PER_HA = 10_000.0
KG_PER_POUND = 0.45359237
M_PER_INCH = 0.0254
KG_HA_PER_T_HA = 1000.0


class YieldPoints(NamedTuple):
    """Records of one field in order of time, arrays of shape (points,); unknown is NaN."""

    x: Array  # position on a plane, for telling neighbours [m]
    y: Array
    yield_kg_ha: Array  # of the moment, wet
    flow_kg_s: Array  # wet mass at the sensor
    coverage_m2_s: Array  # ground harvested, width times speed
    mass_kg: Array  # wet, of the record
    area_m2: Array  # of the record
    interval_s: Array
    speed_m_s: Array
    moisture_pct: Array  # of the wet mass
    working: NDArray[np.bool_]  # header down
    passes: NDArray[np.int64]  # number of the pass; -1 where passes are not known
    crs: str = ""  # of x and y, a plane of ``field_plane``; empty where the file does not say
    mass_source: str = "mass-balance"  # flow times interval; or "counter", or "none"


def point_yield(mass: ArrayLike, area: ArrayLike) -> Array:
    """Wet yield of each record, y = 10 000 m dt / (w d); NaN without area. [kg/ha]

    ``mass`` is m dt in kg, ``area`` w d in m².
    """
    m, a = np.broadcast_arrays(np.asarray(mass, float), np.asarray(area, float))
    unknown = np.full(a.shape, np.nan)
    return np.asarray(np.divide(M2_PER_HA * m, a, out=unknown, where=a > 0))


def speed(distance: ArrayLike, interval: ArrayLike) -> Array:
    """Distance (or area) per second of each record; NaN without an interval. [m/s, m²/s]"""
    d, t = np.broadcast_arrays(np.asarray(distance, float), np.asarray(interval, float))
    unknown = np.full(t.shape, np.nan)
    return np.asarray(np.divide(d, t, out=unknown, where=t > 0))


def runs(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Number stretches of equal value, as a pass number may come again."""
    changes = np.concatenate([np.zeros(1, bool), numbers[1:] != numbers[:-1]])[: numbers.size]
    return np.asarray(np.cumsum(changes), dtype=np.int64)


def work_runs(points: YieldPoints) -> NDArray[np.int64]:
    """Number stretches of one pass with the header down (or up) throughout."""
    return runs(2 * points.passes + points.working)


class _Column(NamedTuple):
    name: str
    low: float = 0.0
    high: float = math.inf
    hint: str = ""


MAX_PASS = 1e9
_DEGREES = "degrees of WGS 84 are wanted; is the file projected?"
_SYSTEM = f"{_DEGREES} Then name its system, as --crs EPSG:32642"
_METRES = f"{_DEGREES} Then call the columns x_m and y_m and name the system, as --crs EPSG:32642"
_LONGITUDE = _Column("longitude", -180, 180, _SYSTEM)
_LATITUDE = _Column("latitude", -90, 90, _SYSTEM)
_EASTING, _NORTHING = _Column("longitude", -math.inf), _Column("latitude", -math.inf)

# Ag Leader advanced export: no header. After these stand serial number, field, load, grain and
# more, which differ between versions and are not needed.
AG_LEADER_COLUMNS = (
    _LONGITUDE,
    _LATITUDE,
    _Column("grain flow lb/s"),
    _Column("GPS time s"),
    _Column("logging interval s", 0, 3600),
    _Column("distance in"),
    _Column("swath in"),
    _Column("moisture %", 0, 99.99),
    _Column("header status", 0, 1, "1 is down, 0 is up"),
    _Column("pass", 0, MAX_PASS),
)
AG_LEADER_CELLS = 14  # the shortest line: up to the grain


class Columns(NamedTuple):
    """Records of a file as it has them, by column; arrays of shape (records,)."""

    numbers: dict[str, Array]  # positions in degrees, unless they are in an unknown system
    lines: list[int]
    times: list[str] | None = None  # as written, where the file has any


def ag_leader_columns(lines: Iterable[str], file: str, crs: str | None = None) -> Columns:
    """Records of Ag Leader's advanced text export by the names of ``AG_LEADER_COLUMNS``.

    With ``crs`` its first two columns are metres of that system instead of degrees.

    Raises
    ------
    TableError
        For a line that is too short or a value that is no number or out of range.
    """
    columns = AG_LEADER_COLUMNS if crs is None else (_EASTING, _NORTHING, *AG_LEADER_COLUMNS[2:])
    rows, numbers = [], []
    for line, cells in cells_of_lines(lines, file):
        if len(cells) < AG_LEADER_CELLS:
            check_separator(cells, file)
            column = AG_LEADER_COLUMNS[min(len(cells), len(AG_LEADER_COLUMNS) - 1)].name
            reason = f"{len(cells)} cells, a record has at least {AG_LEADER_CELLS}"
            raise TableError(file, line, column, reason)
        numbers.append(line)
        rows.append(
            [
                _number(cell, file, line, column)
                for cell, column in zip(cells, columns, strict=False)
            ]
        )
    if not rows:
        raise TableError(file, 1, AG_LEADER_COLUMNS[0].name, "the file has no records")
    lon, lat, *others = np.array(rows).T
    if crs is not None:
        lon, lat = _degrees(lon, lat, crs, file, numbers, "longitude")
    names = [column.name for column in AG_LEADER_COLUMNS]
    return Columns(dict(zip(names, (lon, lat, *others), strict=True)), numbers)


def read_ag_leader(lines: Iterable[str], file: str, crs: str | None = None) -> YieldPoints:
    """Read Ag Leader's advanced text export, pounds and inches as it has them.

    Parameters and errors are those of ``ag_leader_columns``.
    """
    columns = ag_leader_columns(lines, file, crs).numbers
    lon, lat, flow, _, interval, distance, swath, moisture, header, number = (
        columns[column.name] for column in AG_LEADER_COLUMNS
    )
    x, y, plane = on_plane(lon, lat)
    mass, metres = flow * KG_PER_POUND * interval, distance * M_PER_INCH
    area = metres * swath * M_PER_INCH
    return YieldPoints(
        x=x,
        y=y,
        yield_kg_ha=point_yield(mass, area),
        flow_kg_s=flow * KG_PER_POUND,
        coverage_m2_s=speed(area, interval),
        mass_kg=mass,
        area_m2=area,
        interval_s=interval,
        speed_m_s=speed(metres, interval),
        moisture_pct=moisture,
        working=header == 1,
        passes=number.astype(np.int64),
        crs=plane,
    )


# Columns a plain CSV file may have, by their exact names; see read_yield_csv.
CSV_COLUMNS = {
    column.name: column
    for column in (
        _Column("longitude_deg", -180, 180, _METRES),
        _Column("latitude_deg", -90, 90, _METRES),
        _Column("x_m", -math.inf),
        _Column("y_m", -math.inf),
        _Column("yield_kg_ha", -math.inf),
        _Column("yield_t_ha", -math.inf, 5000, "kg/ha divided by 1000 is t/ha"),
        _Column("mass_flow_kg_s", 0, 1000),
        _Column("interval_s", 0, 3600),
        _Column("distance_m", 0, 10_000),
        _Column("width_m", 0, 100, "metres are wanted"),
        _Column("moisture_pct", 0, 99.99, "per cent of the wet mass"),
        _Column("header_down", 0, 1, "1 is down, 0 is up"),
        _Column("pass", 0, MAX_PASS),
    )
}
TIME = "time"
_MASS = ("mass_flow_kg_s", "interval_s", "distance_m", "width_m")
_NEVER_EMPTY = {*_MASS, "longitude_deg", "latitude_deg", "x_m", "y_m", "header_down", "pass"}
# Tables of the R package paar: projected metres and t/ha under bare names.
_BARE = {"X": "x_m", "Y": "y_m", "Yield": "yield_t_ha"}


def read_yield_csv(lines: Iterable[str], file: str, crs: str | None = None) -> YieldPoints:
    """Read points from a CSV file with a header; columns and errors are those of ``csv_columns``.

    By default a pass begins where the header goes down.
    """
    columns = csv_columns(lines, file, crs)
    return _points(columns.numbers, len(columns.lines))


def csv_columns(lines: Iterable[str], file: str, crs: str | None = None) -> Columns:
    """Records of a CSV file with a header.

    Position: ``longitude_deg, latitude_deg`` (WGS 84) or ``x_m, y_m`` (projected: in the system
    ``crs``, else on an unknown plane, of which no map can be drawn). Yield: either
    ``mass_flow_kg_s, interval_s, distance_m, width_m``, from which yield, mass and area follow,
    or ready-made ``yield_kg_ha`` or ``yield_t_ha``, which has no mass and no area. Optional:
    ``moisture_pct``, ``header_down`` (1 or 0), ``pass`` (a number), ``time`` (text, which is
    given as it stands). A header of ``X,Y,Yield`` means ``x_m,y_m,yield_t_ha``. Just the yield and
    the moisture may be empty where unknown.

    Raises
    ------
    TableError
        For a column that is missing or unknown, or a value that is no number or out of range.
    """
    records = cells_of_lines(lines, file)
    _, names = next(records, (1, []))
    header = [name.strip().removeprefix("\ufeff") for name in names]
    check_separator(header, file)
    if set(header) <= set(_BARE):
        header = [_BARE[name] for name in header]
    _check_header(header, file)
    if crs is not None and "longitude_deg" in header:
        raise TableError(file, 1, "longitude_deg", f"stands in degrees, so not in {crs}")
    rows, numbers, times = [], [], []
    for line, cells in records:
        if len(cells) != len(header):
            column = header[min(len(cells), len(header) - 1)]
            reason = f"{len(cells)} cells, the header has {len(header)}"
            raise TableError(file, line, column, reason)
        numbers.append(line)
        said = dict(zip(header, cells, strict=True))
        times.append(said.pop(TIME, "").strip())
        rows.append(
            [
                _number(cell, file, line, CSV_COLUMNS[name], name not in _NEVER_EMPTY)
                for name, cell in said.items()
            ]
        )
    if not rows:
        raise TableError(file, 2, header[0], "the file has no records")
    numeric = [name for name in header if name != TIME]
    columns = dict(zip(numeric, np.array(rows).T, strict=True))
    if crs is not None:
        columns["longitude_deg"], columns["latitude_deg"] = _degrees(
            columns.pop("x_m"), columns.pop("y_m"), crs, file, numbers, "x_m"
        )
    return Columns(columns, numbers, times if TIME in header else None)


def _degrees(
    x: Array, y: Array, crs: str, file: str, lines: Sequence[int], column: str
) -> tuple[Array, Array]:
    if (np.abs(x) <= 180).all() and (np.abs(y) <= 90).all():
        reason = f"{x[0]:.10g}, {y[0]:.10g} stands in degrees, so not in {crs}"
        raise TableError(file, lines[0], column, reason)
    lon, lat = from_projected(x, y, crs)
    outside = ~(np.isfinite(lon) & np.isfinite(lat))
    if outside.any():
        row = int(np.argmax(outside))
        reason = f"{x[row]:.10g}, {y[row]:.10g} is outside of {crs}; is it the file's system?"
        raise TableError(file, lines[row], column, reason)
    return lon, lat


def _points(columns: dict[str, Array], count: int) -> YieldPoints:
    unknown = np.full(count, np.nan)
    plane = ""
    if "x_m" in columns:
        x, y = columns["x_m"], columns["y_m"]
    else:
        x, y, plane = on_plane(columns["longitude_deg"], columns["latitude_deg"])
    flow = mass = area = interval = pace = unknown
    if "mass_flow_kg_s" in columns:
        flow, interval, distance, width = (columns[name] for name in _MASS)
        mass, area, pace = flow * interval, width * distance, speed(distance, interval)
        ready = point_yield(mass, area)
    elif "yield_t_ha" in columns:
        ready = columns["yield_t_ha"] * KG_HA_PER_T_HA
    else:
        ready = columns["yield_kg_ha"]
    return YieldPoints(
        x=x,
        y=y,
        yield_kg_ha=ready,
        flow_kg_s=flow,
        coverage_m2_s=speed(area, interval),
        mass_kg=mass,
        area_m2=area,
        interval_s=interval,
        speed_m_s=pace,
        moisture_pct=columns.get("moisture_pct", unknown),
        working=columns.get("header_down", np.ones(count)) == 1,
        passes=_numbered(columns, count),
        crs=plane,
        mass_source="mass-balance" if "mass_flow_kg_s" in columns else "none",
    )


def _numbered(columns: dict[str, Array], count: int) -> NDArray[np.int64]:
    if "pass" in columns:
        return columns["pass"].astype(np.int64)
    if "header_down" in columns:
        lowered = np.diff(columns["header_down"], prepend=0.0) > 0
        return np.asarray(np.cumsum(lowered), dtype=np.int64)
    return np.full(count, -1, dtype=np.int64)


def _check_header(header: Sequence[str], file: str) -> None:
    for name in header:
        if name not in {*CSV_COLUMNS, TIME}:
            reason = f"is not one of {', '.join((*CSV_COLUMNS, TIME))}"
            raise TableError(file, 1, name or "(no name)", reason)
        if header.count(name) > 1:
            raise TableError(file, 1, name, "stands twice in the header")
    places = [("longitude_deg", "latitude_deg"), ("x_m", "y_m")]
    yields: list[tuple[str, ...]] = [_MASS, ("yield_kg_ha",), ("yield_t_ha",)]
    for choices in (places, yields):
        begun = [choice for choice in choices if set(choice) & set(header)]
        if len(begun) != 1:
            named = " or ".join(", ".join(choice) for choice in choices)
            fault = "is missing" if not begun else "stands beside another of its kind"
            raise TableError(file, 1, (begun or choices)[-1][0], f"{fault}: give {named}")
        for name in begun[0]:
            if name not in header:
                raise TableError(file, 1, name, f"is missing beside {', '.join(begun[0])}")


def _number(text: str, file: str, line: int, column: _Column, may_be_empty: bool = False) -> float:
    if may_be_empty and not text.strip():
        return math.nan
    value = number_of(text)
    if not math.isfinite(value):
        raise TableError(file, line, column.name, f"{text.strip()!r} is not a number")
    if not column.low <= value <= column.high:
        reason = f"{value:g} is not within {column.low:g} and {column.high:g}"
        hinted = f"{reason} ({column.hint})" if column.hint else reason
        raise TableError(file, line, column.name, hinted)
    return value


def looks_like_ag_leader(first_line: str) -> bool:
    """Whether a file's first line is an Ag Leader record: long, and no header but numbers."""
    cells = first_line.split(",")
    try:
        for cell in cells[: len(AG_LEADER_COLUMNS)]:
            float(cell)
    except ValueError:
        return False
    return len(cells) >= AG_LEADER_CELLS
