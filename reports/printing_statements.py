"""Statements, and what a file proves, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from reports.statements.columns import DIVISIONS, SUPPRESSED
from reports.statements.findings import Verdict

UNKNOWN = "_U"
_MARKS = {"proved": "✓", "refuted": "✗", "open": "?"}


def print_statement(
    title: str, observations: Sequence[Mapping[str, Any]], console: Console
) -> None:
    """Figures line by line, each with its unit."""
    table = Table(title=title)
    for name in ("area", "of", "indicator", "value", "95 % interval"):
        table.add_column(name, no_wrap=name in {"area", "indicator"}, overflow="fold")
    for one in observations:
        table.add_row(one["REF_AREA"], _of(one), one["INDICATOR"], _value(one), _interval(one))
    console.print(table)


def _of(one: Mapping[str, Any]) -> str:
    """What is divided: months, crops, technologies …"""
    divided = [_named(name, str(one[name])) for name in DIVISIONS if name in one]
    period = one["TIME_PERIOD"]
    month = [period] if "-" in period and "/" not in period else []
    return ", ".join([*(["no month"] if period == UNKNOWN else month), *divided])


def _named(dimension: str, value: str) -> str:
    if dimension in {"FIELD", "CROP", "IRRIGATION_TECHNOLOGY", "COVERAGE"}:
        return value
    known = "not known" if value == UNKNOWN else value
    return f"{dimension.replace('_', ' ').lower()}: {known}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.4g}"


def _value(one: Mapping[str, Any]) -> str:
    if one["OBS_STATUS"] == SUPPRESSED:
        return "too few farms"
    if "OBS_VALUE" not in one:
        return str(one.get("COMMENT", "not known"))
    note = " (not demonstrated)" if one.get("DEMONSTRATED") is False else ""
    return f"{_number(one['OBS_VALUE'])} {_unit(one)}{note}"


def _interval(one: Mapping[str, Any]) -> str:
    if "CI95_LOW" not in one:
        return ""
    return f"{_number(one['CI95_LOW'])} to {_number(one['CI95_HIGH'])} {_unit(one)}"


def _unit(one: Mapping[str, Any]) -> str:
    unit = str(one["UNIT_MEASURE"])
    return "" if unit == "count" else unit.replace("m3", "m³").replace("KZT", "₸")


def print_verdict(verdict: Verdict, console: Console) -> None:
    """What was looked at, what was proved by it, and what nobody proved."""
    for one in verdict.findings:
        console.print(f"{_MARKS[one.standing]} {one.words}", highlight=False, markup=False)
    if verdict.is_refuted:
        console.print("\nRejected: do not rely on this file.", highlight=False)
        return
    console.print("\nNot proved by this:", highlight=False)
    for words in verdict.not_proved:
        console.print(f"- {words}", highlight=False, markup=False)
