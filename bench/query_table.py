"""The report of ``dala bench query``, for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table

from bench.machine import server_of

Report = dict[str, Any]


def as_table(report: Report) -> RenderableType:
    """The tables of each size, and how answers grow with readings."""
    machine, seeded = report["machine"], report["seeded"]
    return Group(
        *(table for size in report["sizes"] for table in _of_size(size)),
        *_growth(report),
        f"{report['farms']:,} farms with {seeded['crop_zones']:,} crop zones, "
        f"{seeded['devices']:,} devices and {seeded['datastreams']:,} datastreams; their results "
        f"were computed from {seeded['sent']:,} readings and points that came through ingest "
        f"({seeded['seconds']:,.0f} s, of which analysis {seeded['analysis_s']:,.0f} s). Readings "
        f"are made series of every datastream over a year. {report['requests']} requests of each "
        "kind, one after the other, over all farms; what is computed is asked once of each.",
        "HTTP: dala serve, a process of its own. 304: the caller has the answer already. Direct: "
        "without HTTP, computed each time. Bare: psycopg fetching the rows it is made of.",
        f"{server_of(machine)}, Python {machine['python']}, psycopg {machine['psycopg']}, FastAPI "
        f"{machine['fastapi']}, {machine['cores']} cores of {machine['cpu']}, {machine['system']}",
    )


def _of_size(size: Report) -> Iterator[Table]:
    title = f"{size['readings']:,} readings, {size['bytes_a_reading']:.0f} bytes each"
    table = _table(f"Warm answers, {title}", "ms", "HTTP p50", "p95", "p99", "max", "304 p50")
    for name in ("direct p50", "bare p50", "bare ÷ HTTP"):
        table.add_column(name, justify="right")
    for name, one in size["warm"].items():
        if one["computed"] is not None:
            table.add_row(f"{name}, computed", *_spread(one["computed"]), "", "", "", "")
        table.add_row(
            name,
            *_spread(one["http"]),
            _ms(one["not_modified"]["p50_ms"]),
            _ms(one["direct"]["p50_ms"]),
            _ms(one["bare"]["p50_ms"]),
            f"{one['ratio']:.2f}",
        )
    yield table
    if size["cold"]:
        table = _table(f"Cold answers, {title}", "ms", "p50", "p95", "p99", "max", "the first")
        for name, one in size["cold"].items():
            table.add_row(name, *_spread(one), _ms(one["first_ms"]))
        yield table


def _growth(report: Report) -> Iterator[RenderableType]:
    if not report["growth"]:
        return
    steps = [f"{step['from']:,} → {step['to']:,}" for step in report["growth"]]
    table = _table("How many times longer, p50 over HTTP", "readings", *steps)
    for name in report["growth"][0]["ratio_p50"]:
        table.add_row(name, *(f"{step['ratio_p50'][name]:.2f}" for step in report["growth"]))
    yield table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE, pad_edge=False)
    table.add_column(columns[0])
    for name in columns[1:]:
        table.add_column(name, justify="right")
    return table


def _spread(one: Report) -> Iterator[str]:
    for name in ("p50_ms", "p95_ms", "p99_ms", "max_ms"):
        yield _ms(one[name])


def _ms(value: float) -> str:
    return f"{value:,.1f}" if value >= 1.0 else f"{value:.2f}"
