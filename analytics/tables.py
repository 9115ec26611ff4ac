"""Daily weather and irrigation as CSV lines, turned into arrays or into an error that says where.

Reading takes lines, not files: whoever opens the file gives its name for the messages.
"""

import csv
import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class TableError(ValueError):
    """A line that cannot be used, by file, line and column."""

    def __init__(self, file: str, line: int, column: str, reason: str) -> None:
        super().__init__(f"{file}, line {line}, column {column}: {reason}")
        self.line = line


class _Bounds(NamedTuple):
    low: float
    high: float
    hint: str = ""


# What a day can bring; outside it, the unit is wrong or the sensor is.
WEATHER_COLUMNS: dict[str, _Bounds] = {
    "tmax_c": _Bounds(-70, 60, "°F less 32, times 5/9 is °C"),
    "tmin_c": _Bounds(-70, 60, "°F less 32, times 5/9 is °C"),
    "solar_mj_m2": _Bounds(0, 45, "a mean in W/m² times 0.0864 is MJ/m²"),
    "vapour_pressure_kpa": _Bounds(0, 8, "hPa divided by 10 is kPa"),
    "tdew_c": _Bounds(-80, 40),
    "rh_max_pct": _Bounds(0, 100),
    "rh_min_pct": _Bounds(0, 100),
    "wind_m_s": _Bounds(0, 60, "km/h divided by 3.6 is m/s"),
    "rain_mm": _Bounds(0, 1000),
}
IRRIGATION_COLUMNS: dict[str, _Bounds] = {
    "depth_mm": _Bounds(0, 1000, "1 mm is 10 m³/ha"),
    "wetted_fraction": _Bounds(0.01, 1, "a fraction, not a percentage"),
    "efficiency": _Bounds(0.01, 1, "a fraction, not a percentage"),
}


class DailyTable(NamedTuple):
    """Rows of a table in order of date; unknown values are NaN."""

    file: str
    dates: list[date]
    lines: list[int]
    columns: dict[str, Array]  # each of shape (rows,)

    def season(self, start: date, end: date) -> dict[str, Array]:
        """Columns of every day from start to end; raise TableError at the first day missing."""
        rows = {day: row for row, day in enumerate(self.dates)}
        wanted = [start + timedelta(days=day) for day in range((end - start).days + 1)]
        missing = [day for day in wanted if day not in rows]
        if missing:
            after = [
                line for day, line in zip(self.dates, self.lines, strict=True) if day > missing[0]
            ]
            raise TableError(
                self.file,
                after[0] if after else max(self.lines, default=1),
                "date",
                f"days of the season are missing: {len(missing)}, the first is {missing[0]}",
            )
        picked = [rows[day] for day in wanted]
        return {name: values[picked] for name, values in self.columns.items()}


def read_weather(lines: Iterable[str], file: str) -> DailyTable:
    """Read ``date`` and ``WEATHER_COLUMNS``, empty where unknown.

    Raises
    ------
    TableError
        For a column that is missing or unknown, a value that is no number or out of range, a date
        that comes twice, or a day without its highest and lowest temperature.
    """
    table = _read(lines, file, WEATHER_COLUMNS)
    seen: dict[date, int] = {}
    for row, (day, line) in enumerate(zip(table.dates, table.lines, strict=True)):
        if day in seen:
            raise TableError(file, line, "date", f"{day} stands in line {seen[day]} already")
        seen[day] = line
        hottest, coldest = table.columns["tmax_c"][row], table.columns["tmin_c"][row]
        if math.isnan(hottest) or math.isnan(coldest):
            column = "tmax_c" if math.isnan(hottest) else "tmin_c"
            raise TableError(file, line, column, "is empty; no day can do without")
        if hottest < coldest:
            raise TableError(file, line, "tmax_c", f"{hottest:g} is below tmin_c {coldest:g}")
    return table


def read_irrigation(lines: Iterable[str], file: str) -> DailyTable:
    """Read ``date`` and ``IRRIGATION_COLUMNS``; a day may have several applications.

    Depths are gross. An empty fraction or efficiency is NaN; an empty depth is an error.
    """
    table = _read(lines, file, IRRIGATION_COLUMNS)
    for line, depth in zip(table.lines, table.columns["depth_mm"], strict=True):
        if math.isnan(depth):
            raise TableError(file, line, "depth_mm", "is empty")
    return table


def _read(lines: Iterable[str], file: str, known: dict[str, _Bounds]) -> DailyTable:
    records = cells_of_lines(lines, file)
    _, names = next(records, (1, []))
    header = [name.strip().removeprefix("\ufeff") for name in names]
    check_separator(header, file)
    _check_header(header, file, known)
    rows = []
    for line, cells in records:
        if len(cells) != len(header):
            column = header[min(len(cells), len(header) - 1)]
            reason = f"{len(cells)} cells, the header has {len(header)}"
            raise TableError(file, line, column, reason)
        row = dict(zip(header, (cell.strip() for cell in cells), strict=True))
        values = {name: _number(row[name], file, line, name, known[name]) for name in known}
        rows.append((_day(row["date"], file, line), line, values))
    rows.sort(key=lambda row: row[:2])
    return DailyTable(
        file,
        [day for day, _, _ in rows],
        [line for _, line, _ in rows],
        {name: np.array([values[name] for _, _, values in rows], float) for name in known},
    )


def cells_of_lines(lines: Iterable[str], file: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells of each line that is not empty."""
    reader = csv.reader(lines)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise TableError(file, reader.line_num, "(any)", str(error)) from None


def check_separator(first: Sequence[str], file: str) -> None:
    """Raise TableError where a file's first line has no commas but what others separate with."""
    for separator, name in ((";", "semicolons"), ("\t", "tabs")):
        if first and separator in first[0]:
            reason = f"cells stand between {name}: save it with commas, and numbers with a point"
            raise TableError(file, 1, "(all)", reason)


def _check_header(header: list[str], file: str, known: dict[str, _Bounds]) -> None:
    expected = ["date", *known]
    for name in header:
        if name not in expected:
            raise TableError(file, 1, name or "(no name)", f"is not one of {', '.join(expected)}")
        if header.count(name) > 1:
            raise TableError(file, 1, name, "stands twice in the header")
    for name in expected:
        if name not in header:
            raise TableError(file, 1, name, "is missing; leave its cells empty where unknown")


def _number(text: str, file: str, line: int, column: str, bounds: _Bounds) -> float:
    if not text:
        return math.nan
    value = number_of(text)
    if not math.isfinite(value):
        raise TableError(file, line, column, f"{text!r} is not a number; leave unknown cells empty")
    if not bounds.low <= value <= bounds.high:
        reason = f"{value:g} is not within {bounds.low:g} and {bounds.high:g}"
        raise TableError(file, line, column, f"{reason} ({bounds.hint})" if bounds.hint else reason)
    return value


def number_of(text: str) -> float:
    """The number that a cell holds; NaN where it holds none."""
    try:
        return float(text) if "_" not in text else math.nan  # Python reads 1_0 as ten
    except ValueError:
        return math.nan


def _day(text: str, file: str, line: int) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise TableError(file, line, "date", f"{text!r} is not a date as 2013-04-23") from None
