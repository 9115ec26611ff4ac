"""Cells of spreadsheets: what a value becomes, whatever it begins with."""

from __future__ import annotations

from typing import Any

MOST_SIGNS = 32_767  # that a cell holds
# A spreadsheet that opens a CSV would run a cell that begins so; an apostrophe makes it text.
RUNS = r"^([=+\-@\t\r])"
AS_TEXT = r"'\1"


def write(sheet: Any, line: int, place: int, value: Any, style: Any = None) -> None:
    """Put a value into a cell; None leaves it empty. Text is text, also where it begins with =."""
    if value is None:
        return
    if isinstance(value, str):
        sheet.write_string(line, place, value[:MOST_SIGNS], style)
    elif isinstance(value, bool):
        sheet.write_boolean(line, place, value, style)
    elif isinstance(value, (int, float)):
        sheet.write_number(line, place, value, style)
    else:
        sheet.write_datetime(line, place, value, style)
