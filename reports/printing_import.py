"""What an import did, for people at a terminal: a table, then what went wrong and what to know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

Row = Mapping[str, Any]

NONE = "—"
MOST_LINES = 20  # of a file's lines that a dry run shows
_STYLES = {"imported": "green", "partly": "yellow", "refused": "red", "skipped": "dim"}
_TOTALS = (
    ("effective_time_h", "h at work", 2),
    ("area_ha", "ha", 2),
    ("mass_kg", "kg", 0),
    ("applied_l", "L applied", 0),
    ("applied_kg", "kg applied", 0),
    ("fuel_l", "L fuel", 1),
)


def print_import(rows: Sequence[Row], console: Console, *, dry: bool) -> None:
    """Print what became of each source of an import, as ``ingest.imports`` has it in rows."""
    if not rows:
        console.print(Text("There is nothing at these paths."))
        return
    blocks: list[RenderableType] = [_table(rows, dry=dry)]
    for row in rows:
        blocks += _tasks(row)
        if dry:
            blocks += _lines(row)
    for title, key in (("Not imported", "errors"), ("To know", "notes")):
        said = [(row, text) for row in rows if row["state"] != "skipped" for text in row[key]]
        if said:
            blocks.append(Text(f"\n{title}", style="bold"))
            blocks += [Text(f"{_short(row)}: {text}" if key == "notes" else text, style="default")
                       for row, text in said]  # fmt: skip
    skipped = [row for row in rows if row["state"] == "skipped"]
    if skipped:
        named = ", ".join(_short(row) for row in skipped[:8]) + (", …" if len(skipped) > 8 else "")
        blocks.append(Text(f"\nPassed over, as no data: {named}", style="dim"))
    if dry:
        blocks.append(Text("\nThis was a dry run: nothing was stored.", style="bold"))
    console.print(Group(*blocks))


def _table(rows: Sequence[Row], *, dry: bool) -> Table:
    table = Table(box=box.SIMPLE, pad_edge=False, collapse_padding=True)
    table.add_column("source", overflow="fold")
    for name in ("kind", "state", "into"):
        table.add_column(name, overflow="fold", no_wrap=name == "state")
    for name in ("would be\nnew" if dry else "new", "known", "left\nout"):
        table.add_column(name, justify="right")
    table.add_column("from … to (UTC)", no_wrap=True)
    for row in rows:
        if row["state"] == "skipped":
            continue
        count = row["state"] not in {"refused", "skipped"}
        span = f"{_when(row['first'])} …\n{_when(row['last'])}" if row["first"] else NONE
        table.add_row(
            _short(row),
            row["kind"] or NONE,
            Text(row["state"], style=_STYLES[row["state"]]),
            row["into"] or NONE,
            f"{_number(row['new'])}\n{row['unit']}" if count else NONE,
            _number(row["known"]) if count else NONE,
            _number(sum(row["left_out"].values())) if count else NONE,
            span,
        )
    return table


def _tasks(row: Row) -> list[RenderableType]:
    """Tasks that have a log in the set, with what their counters gained."""
    tasks = [one for one in row["details"] if one.get("logs")]
    if not tasks:
        return []
    table = Table(
        box=box.SIMPLE, pad_edge=False, collapse_padding=True, title_justify="left",
        title=f"Tasks of {_short(row)}: last less first of their counters, (as TASKDATA.XML says)",
    )  # fmt: skip
    for name in ("task", "field", "logs"):
        table.add_column(name)
    totals = [one for one in _TOTALS if any(one[0] in task["totals"] for task in tasks)]
    for name in ("records", *(words for _, words, _ in totals)):
        table.add_column(name, justify="right")
    for task in tasks:
        cells = [_total(task, name, digits) for name, _, digits in totals]
        name = task["name"] or task["task"] or NONE
        logs = ", ".join(task["logs"])
        table.add_row(name, task["field"] or NONE, logs, _number(task["records"]), *cells)
    return [table]


def _total(task: Row, name: str, digits: int) -> str:
    value, stated = task["totals"].get(name), task["stated"].get(name)
    shown = NONE if value is None else _number(value, digits)
    return shown if stated is None else f"{shown} ({_number(stated, digits)})"


def _lines(row: Row) -> list[RenderableType]:
    lines = [one for one in row["details"] if "line" in one]
    if not lines:
        return []
    shown = [
        Text(
            f"  line {one['line']}: "
            + ", ".join(f"{name} {value}" for name, value in one.items() if name != "line")
        )
        for one in lines[:MOST_LINES]
    ]
    more = len(lines) - MOST_LINES
    tail = [Text(f"  … and {more} lines more", style="dim")] if more > 0 else []
    return [Text(f"\n{_short(row)}", style="bold"), *shown, *tail]


def _when(time: str) -> str:
    """A time to the minute; a day as it is."""
    return time[:16].replace("T", " ")


def _short(row: Row) -> str:
    return str(row["source"]).replace("\\", "/").rstrip("/").rsplit("/", maxsplit=1)[-1]


def _number(value: float, digits: int = 0) -> str:
    return f"{value:,.{digits}f}".replace(",", "\u202f")
