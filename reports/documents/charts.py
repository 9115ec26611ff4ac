"""Bars with intervals as fractions of the width of a picture, which the page then draws."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from reports.documents.tables import Row, Table
from reports.documents.words import Words
from reports.messages import number
from reports.statements.columns import SUPPRESSED, Observation

MOST_BARS = 25
TICKS = 5
COLOURS = ("#2f6f9f", "#5d9a4f")
FAINT = ("#aecbdf", "#bfdab9")


class Bars(NamedTuple):
    """What a chart shows of a table."""

    caption: str  # key of its words
    indicators: Sequence[str]
    division: Sequence[str] = ()
    below: bool = False


def steps(low: float, high: float, count: int = TICKS) -> list[float]:
    """Round values from ``low`` or below it to ``high`` or above it, about ``count`` of them."""
    if not high > low:
        high = low + 1.0
    rough = (high - low) / count
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1.0, 2.0, 2.5, 5.0, 10.0) if m * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(k * step, 10) + 0.0 for k in range(first, last + 1)]


def chart(table: Table, bars: Bars, words: Words) -> dict[str, Any] | None:
    """Horizontal bars of a table, with intervals; None where there is nothing to compare."""
    rows = [row for row in table.rows if any(one in row.cells for one in bars.indicators)]
    known = [row for row in rows if any(_value(row, one) is not None for one in bars.indicators)]
    if len(rows) < 2 or not known:
        return None
    caption = words.say(f"chart.{bars.caption}")
    if "TIME_PERIOD" not in table.division:
        rows = sorted(rows, key=lambda row: -_size(row, bars.indicators))
    if len(rows) > MOST_BARS:
        more = words.say("chart.largest", count=MOST_BARS, all=len(rows))
        rows, caption = rows[:MOST_BARS], f"{caption} ({more})"
    ends = [end for row in rows for one in bars.indicators for end in _ends(row.cells.get(one))]
    ticks = steps(min(0.0, *ends), max(0.0, *ends)) if ends else [0.0, 1.0]
    unit = next(one.unit for one in table.columns if one.indicator in bars.indicators)

    def at(value: float) -> float:
        return round((value - ticks[0]) / (ticks[-1] - ticks[0]), 5)

    decimals = max(0, *(len(f"{one:.10f}".rstrip("0").partition(".")[2]) for one in ticks))
    lines = [
        {
            "label": " · ".join(name for name in row.names if name),
            "bars": [
                _bar(row.cells.get(one), COLOURS[place], FAINT[place], at, words)
                for place, one in enumerate(bars.indicators)
            ],
        }
        for row in rows
    ]
    return {
        "type": "chart",
        "caption": caption,
        "zero": at(0.0),
        "ticks": [{"at": at(one), "label": _plain(one, decimals, words)} for one in ticks],
        "rows": lines,
        "legend": _legend(bars, rows, words),
        "unit": words.unit(unit),
    }


def _legend(bars: Bars, rows: Sequence[Row], words: Words) -> list[dict[str, str]]:
    found = [
        {"colour": COLOURS[place], "label": words.say(f"indicator.{one}")}
        for place, one in enumerate(bars.indicators)
        if len(bars.indicators) > 1
    ]
    cells = [row.cells[one] for row in rows for one in bars.indicators if one in row.cells]
    if any("CI95_LOW" in one for one in cells):
        found.append({"colour": "interval", "label": words.say("chart.interval")})
    if any(one.get("DEMONSTRATED") is False for one in cells):
        found.append({"colour": FAINT[0], "label": words.say("chart.faint")})
    return found


def _bar(one: Observation | None, colour: str, faint: str, at: Any, words: Words) -> dict[str, Any]:
    if one is None:
        return {"from": 0, "to": 0, "text": "", "colour": colour, "interval": []}
    if "OBS_VALUE" not in one:
        is_empty = one["OBS_STATUS"] == SUPPRESSED
        text = words.say("chart.left_empty") if is_empty else words.say("sheet.missing")
        return {"from": 0, "to": 0, "text": text, "colour": colour, "interval": []}
    value = one["OBS_VALUE"]
    low, high = sorted((at(0.0), at(value)))
    interval = [at(one["CI95_LOW"]), at(one["CI95_HIGH"])] if "CI95_LOW" in one else []
    return {
        "from": low,
        "to": high,
        "text": words.number(value, one["UNIT_MEASURE"]),
        "colour": faint if one.get("DEMONSTRATED") is False else colour,
        "interval": interval,
    }


def _plain(value: float, decimals: int, words: Words) -> str:
    return number(value, decimals, words.language)


def _value(row: Row, indicator: str) -> float | None:
    found: float | None = row.cells.get(indicator, {}).get("OBS_VALUE")
    return found


def _size(row: Row, indicators: Sequence[str]) -> float:
    return next((v for one in indicators if (v := _value(row, one)) is not None), -math.inf)


def _ends(one: Mapping[str, Any] | None) -> list[float]:
    if one is None:
        return []
    return [one[name] for name in ("OBS_VALUE", "CI95_LOW", "CI95_HIGH") if name in one]
