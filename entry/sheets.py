"""Tables of people's spreadsheets, as rows of values that a model takes, with what is wrong.

What a column holds, the model says; how it is written, the file (:mod:`analytics.spreadsheet`).
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import math
import typing
from collections.abc import Iterator
from difflib import get_close_matches
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel

from analytics import spreadsheet
from analytics.spreadsheet import NotText, Numbers
from analytics.tables import TableError
from analytics.text_files import check_is_text
from entry import EntryRefused

MOST_LINES = 5_000
MOST_ENDS = 20 * MOST_LINES  # of lines, empty ones and those within a cell too
LONGEST_HEADER = 1 << 16  # bytes
Row = dict[str, Any]


def header_of(content: bytes) -> frozenset[str]:
    """Names of a table's columns; none where it is no table.

    They are of ASCII: whatever is wrong further down, or with its letters, reading it says.
    """
    first = content[:LONGEST_HEADER]
    text = first.decode("utf-16" if first[:2] in spreadsheet.UTF_16 else "utf-8-sig", "replace")
    lines = text.splitlines(keepends=True)
    try:
        _, cells = next(iter(spreadsheet.cells(lines, spreadsheet.separator_of(lines))), (1, []))
    except csv.Error:
        return frozenset()
    return frozenset(_names(cells))


def _names(header: list[str]) -> list[str]:
    names = [name.strip().lower().replace(" ", "_") for name in header]
    while names and not names[-1]:
        names.pop()  # columns that were emptied in the sheet
    return names


def _table(content: bytes) -> tuple[str, list[str], list[tuple[int, list[str]]]]:
    """What separates its cells, its header, and its lines with their numbers."""
    try:
        if content[:2] not in spreadsheet.UTF_16:
            check_is_text(content, "the file")
        text = spreadsheet.decode(content)
        # Of the lines that are counted; ten megabytes of a letter each are millions.
        if text.count("\n") + text.count("\r") > MOST_ENDS:
            raise _too_many()
        lines = text.splitlines(keepends=True)
        separator = spreadsheet.separator_of(lines)
        found = list(islice(spreadsheet.cells(lines, separator), MOST_LINES + 2))
    except (NotText, TableError, csv.Error) as error:
        raise EntryRefused(f"The file is no CSV that is read here: {error}.") from error
    if not found:
        raise EntryRefused("the file is empty.")
    return separator, _names(found[0][1]), found[1:]


def _too_many() -> EntryRefused:
    return EntryRefused(f"more than {MOST_LINES} lines; send them in parts.")


def rows_of(
    content: bytes, model: type[BaseModel], columns: frozenset[str], zone: ZoneInfo
) -> Iterator[tuple[int, Row, list[str]]]:
    """Number, values and errors of each line.

    Raises
    ------
    EntryRefused
        If it is no table, or has other columns than these.
    """
    separator, header, lines = _table(content)
    _check_header(header, columns)
    if len(lines) > MOST_LINES:
        raise _too_many()
    meanings = {name: _meaning(model, name) for name in header}
    written = (
        cells[at]
        for _, cells in lines
        for at, name in enumerate(header)
        if meanings[name] is float and at < len(cells)
    )
    numbers = Numbers.of(separator, written)
    for line, cells in lines:
        row, errors = dict[str, Any](), list[str]()
        if any(cell.strip() for cell in cells[len(header) :]) or len(cells) < len(header):
            errors.append(f"{len(cells)} cells, the header has {len(header)}")
        for name, cell in zip(header, (one.strip() for one in cells), strict=False):
            if not cell:
                continue
            try:
                row[name] = _value(cell, meanings[name], numbers, zone)
            except ValueError as error:
                errors.append(f"{name}: {error}")
        yield line, row, errors


def _check_header(header: list[str], known: frozenset[str]) -> None:
    for name in header:
        if name not in known or header.count(name) > 1:
            reason = "stands twice" if name in known else "is unknown"
            near = get_close_matches(name, known, 1)
            meant = f" (is it {near[0]}?)" if near and name not in known else ""
            columns = ", ".join(sorted(known))
            raise EntryRefused(f"column {name[:60]!r} {reason}{meant}; there are {columns}.")


def _meaning(model: type[BaseModel], name: str) -> type | None:
    """What a column holds: float, date, datetime or dict; None: text, or what the model reads."""
    field = model.model_fields.get(name)
    if field is None:
        return None
    parts = [field.annotation]
    for part in parts:
        origin = typing.get_origin(part)
        if origin is dict or part is dict:
            return dict
        if part is AwareDatetime:
            return dt.datetime
        if part in {float, dt.date}:
            return typing.cast("type", part)
        if origin is not None:
            parts += typing.get_args(part)[: 1 if origin is typing.Annotated else None]
    return None


def _value(cell: str, meaning: type | None, numbers: Numbers, zone: ZoneInfo) -> Any:
    """What a cell says; ValueError with what to write in its place."""
    if meaning is float:
        number = numbers.read(cell)
        if math.isnan(number):
            raise ValueError(f"{cell[:60]!r} is no number: write 12.5, nothing where unknown")
        return number
    if meaning is dt.date:
        day = spreadsheet.day_of(cell)
        if day is None:
            raise ValueError(f"{cell[:60]!r} is no day: write 2025-06-12 or 12.06.2025")
        return day
    if meaning is dt.datetime:
        return _moment(cell, zone)
    if meaning is dict:
        try:
            return json.loads(cell)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"no JSON: {error}") from None
    return cell


def _moment(cell: str, zone: ZoneInfo) -> dt.datetime:
    said = spreadsheet.moment_of(cell)
    if said is None:
        raise ValueError(
            f"{cell[:60]!r} is no time: write 2025-06-12 06:00 or 12.06.2025 06:00 as the farm's "
            "clocks say, or 2025-06-12T06:00:00+05:00"
        )
    return spreadsheet.by_clock(said, zone)
