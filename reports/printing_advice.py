"""Irrigation advice for people at a terminal, in their language."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from reports.messages import Language, day, number, text_of
from reports.printing import NONE

Row = Mapping[str, Any]


def print_advice(advice: Mapping[str, Any], console: Console) -> None:
    """Print advice that has its texts (``reports.advice.in_words``): a table, reasons, weather."""
    language: Language = advice["language"]
    if not advice["crop_zones"]:
        console.print(_word("none", language))
        return
    weather = [_weather(advice, language)] if advice["weather"] else []
    console.print(Group(_zones(advice, language), *_why(advice), *weather))


def _zones(advice: Row, language: Language) -> Table:
    title = _word("title", language).format(
        farm=advice["name"], day=f"{_day(advice['day'], language)} {advice['day'][:4]}"
    )
    table = Table(box=box.SIMPLE, pad_edge=False, title=title, title_justify="left")
    table.add_column(_word("field", language))
    table.add_column(_word("decision", language), min_width=16)
    for name in ("depletion", "refill_day", "gross", "volume", "hours"):
        table.add_column(_word(name, language), justify="right", no_wrap=True)
    for zone in advice["crop_zones"]:
        event = zone["next_irrigation"] or {}
        table.add_row(
            f"{zone['field']}\n{zone['crop']}",
            zone["decision_text"],
            _of_line(zone, language),
            _refill(zone, language),
            _number(event.get("irrigation_gross_mm"), language),
            _number(event.get("irrigation_m3"), language, 0),
            _number(event.get("irrigation_hours"), language),
        )
    return table


def _of_line(zone: Row, language: Language) -> str:
    """Water that is missing, of what may be missing at the refill line."""
    if zone["depletion_mm"] is None:
        return NONE
    missing, line = (_number(zone[name], language) for name in ("depletion_mm", "refill_line_mm"))
    return f"{missing} / {line}"


def _refill(zone: Row, language: Language) -> str:
    """The day, and below it from when to when."""
    shown = _day(zone["refill_day"], language)
    edges = (zone["refill_day_earliest"], zone["refill_day_latest"])
    if edges[0] in {None, edges[1]}:
        return shown
    return f"{shown}\n({' … '.join(_day(edge, language) for edge in edges)})"


def _why(advice: Row) -> list[RenderableType]:
    """Each zone's reasons, and once what all zones assume alike."""
    blocks: list[RenderableType] = []
    zones = advice["crop_zones"]
    assumed = [[one["text"] for one in zone["assumptions"]] for zone in zones]
    assumed = [texts for texts in assumed if texts]
    shared = [text for text in (assumed or [[]])[0] if all(text in texts for texts in assumed)]
    for zone in zones:
        block = Text(f"{zone['field']}, {zone['crop']}\n", style="bold")
        for one in zone["reasons"]:
            block.append(f"  {one['text']}\n", style="not bold")
        for one in zone["assumptions"]:
            if one["text"] not in shared:
                block.append(f"  {one['text']}\n", style="not bold dim")
        blocks.append(block)
    return [*blocks, *(Text(text, style="dim") for text in shared)]


def _weather(advice: Row, language: Language) -> Table:
    table = Table(
        box=box.SIMPLE, pad_edge=False, title=_word("weather", language), title_justify="left"
    )
    for name in ("date", "et0", "rain", "source"):
        table.add_column(
            _word(name, language), justify="right" if name in {"et0", "rain"} else "left"
        )
    for one in advice["weather"]:
        table.add_row(
            _day(one["day"], language),
            _number(one["et0_mm"], language),
            _number(one["rain_mm"], language),
            _word(one["source"], language),
        )
    return table


def _word(name: str, language: Language) -> str:
    return str(text_of(f"advice.table.{name}", language))


def _day(date: str | None, language: Language) -> str:
    return NONE if date is None else day(dt.date.fromisoformat(date), language)


def _number(value: float | None, language: Language, decimals: int = 1) -> str:
    return NONE if value is None else number(value, decimals, language)
