"""The report of ``dala bench storage``, for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table

from bench import series
from bench.storage import READING

Report = dict[str, Any]


def as_table(report: Report) -> RenderableType:
    """The report for people."""
    machine, plain, timescale = report["machine"], report["plain"], report["timescale"]
    table = _table("Bytes of a reading")
    both = plain["table_b"] + plain["index_b"]
    table.add_row("plain PostgreSQL", *_numbers(plain["table_b"], plain["index_b"], both))
    lines: list[RenderableType] = [table]
    if timescale is None:
        lines.append(f"No TimescaleDB: {report['how_to_get']}")
    else:
        for one in (timescale["chosen"], *timescale["others"]):
            table.add_row(*_line(one))
        lines += [_by_column(timescale), _verdict(report), _of_views(report)]
    versions = f"PostgreSQL {plain['postgresql']}"
    if timescale is not None:
        versions += (
            f"; TimescaleDB {timescale['timescaledb']} on PostgreSQL {timescale['postgresql']}"
        )
    lines.append(
        f"{report['rows']:,} readings of {report['streams']} datastreams, one every "
        f"{report['interval_s']} s for {report['days']:.0f} days, of {len(series.SENSORS)} kinds "
        "of sensors with their noise and resolution, a quarter with a gateway's times; "
        f"{versions}, Python {machine['python']}, {machine['cores']} cores of {machine['cpu']}, "
        f"{machine['system']}"
    )
    return Group(*lines)


def _table(title: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE, pad_edge=False)
    table.add_column("how")
    for name in ("rows", "indexes", "together", "packed", "ratio", "rows a batch"):
        table.add_column(name, justify="right")
    return table


def _of_views(report: Report) -> Table:
    table = _table("Bytes of an hour and of a day of a datastream")
    for name in ("hours", "days"):
        one = report["timescale"][name]
        table.add_row(*_line(one | {"name": f"{one['rows']:,} {name}"}))
    return table


def _line(one: Report) -> Iterator[str]:
    yield one["name"] + (f", {one['chunk_days']:g} d" if one["name"] == "as migrated" else "")
    yield from _numbers(one["table_b"], one["index_b"], one["before_b"], one["after_b"])
    yield f"{one['ratio']:.1f}"
    yield f"{one['columns_b']['rows_a_batch']:,.0f}"


def _numbers(*values: float) -> Iterator[str]:
    return (f"{value:.1f}" for value in values)


def _by_column(timescale: Report) -> str:
    best = max((timescale["chosen"], *timescale["others"]), key=lambda one: float(one["ratio"]))
    parts = ", ".join(f"{name} {best['columns_b'][name]:.2f}" for name in READING)
    return f"Where the bytes of «{best['name']}» are: {parts}; the rest is batches and pages."


def _verdict(report: Report) -> str:
    ratio, wanted = report["timescale"]["chosen"]["ratio"], report["wanted_ratio"]
    if ratio >= wanted:
        return f"As migrated, the columnstore is {ratio:.1f} × smaller; wanted: {wanted:g} ×."
    return (
        f"As migrated, the columnstore is {ratio:.1f} × smaller, not {wanted:g} ×: "
        "see the lines above for what other packings reach."
    )
