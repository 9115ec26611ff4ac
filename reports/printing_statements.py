"""Statements, and what a file proves, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from reports.statements.columns import DIVISIONS, SUPPRESSED
from reports.statements.verifying import NOT_PROVED, Verdict

_MARKS = {"proved": "✓", "refuted": "✗", "open": "?"}


def print_statement(
    title: str, observations: Sequence[Mapping[str, Any]], console: Console
) -> None:
    """Figures line by line, each with its unit."""
    table = Table(
        "area", "period", "of", "indicator", "value", "95 % interval", "unit", title=title
    )
    for one in observations:
        divided = [str(one[name]) for name in DIVISIONS if name in one]
        table.add_row(
            one["REF_AREA"],
            one["TIME_PERIOD"],
            ", ".join(divided),
            one["INDICATOR"],
            _value(one),
            _interval(one),
            one["UNIT_MEASURE"],
        )
    console.print(table)


def _value(one: Mapping[str, Any]) -> str:
    if one["OBS_STATUS"] == SUPPRESSED:
        return "too few farms"
    if "OBS_VALUE" not in one:
        return str(one.get("COMMENT", "not known"))
    note = " (not demonstrated)" if one.get("DEMONSTRATED") is False else ""
    return f"{one['OBS_VALUE']:,.6g}{note}"


def _interval(one: Mapping[str, Any]) -> str:
    if "CI95_LOW" not in one:
        return ""
    return f"{one['CI95_LOW']:,.6g} to {one['CI95_HIGH']:,.6g}"


def print_verdict(verdict: Verdict, console: Console) -> None:
    """What was looked at, what was proved by it, and what nobody proved."""
    for one in verdict.findings:
        console.print(f"{_MARKS[one.standing]} {one.words}", highlight=False, markup=False)
    if verdict.is_refuted:
        console.print("\nRejected: do not rely on this file.", highlight=False)
        return
    console.print("\nNot proved by this:", highlight=False)
    for words in NOT_PROVED:
        console.print(f"- {words}", highlight=False, markup=False)
