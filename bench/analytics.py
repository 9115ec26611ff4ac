"""The daily water balance: against pyfao56, and what a field costs by how many stand side by side.

pyfao56 follows a handful of fields, one after the other, and its time per field is their median.
Ours follows many fields at once, each count in a process of its own that says how long it took and
how much memory it held at most. All of it is one run on one machine; the ratio of both times per
field is what counts.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from statistics import median
from typing import Any

import numpy as np
from rich import box
from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from analytics.balance import PYFAO56, Days, Fields, State, water_balance
from bench import nightly, pyfao56_runs
from bench.machine import this_machine
from bench.memory import peak_mb

DAYS, ROUNDS, SIZES = 180, 7, (100, 1_000, 10_000, 100_000)
PYFAO56_FIELDS = 6
DISTINCT = 250  # seasons drawn at random; more fields than these are their repetitions
SEED = 20
SAME_MM = 1e-6  # both compute the same depletion, but for rounding

Report = dict[str, Any]


class DifferentError(AssertionError):
    """Both did not compute the same: speeds of different things are no comparison."""


def run(
    *,
    days: int = DAYS,
    rounds: int = ROUNDS,
    sizes: Sequence[int] = SIZES,
    pyfao56_fields: int = PYFAO56_FIELDS,
    zones: int = nightly.ZONES,
) -> Report:
    """Measure both, and a nightly analysis with its database.

    Parameters
    ----------
    days : int
        Length of the season.
    rounds : int
        How often each number of fields runs; the median and the first are reported.
    sizes : sequence of int
        Numbers of fields side by side.
    pyfao56_fields : int
        Fields that pyfao56 follows, of the same that ours does.
    zones : int
        Crop zones of the nightly analysis; 0 leaves it out.

    Raises
    ------
    DifferentError
        If the two do not agree where pyfao56 makes no water.
    subprocess.CalledProcessError
        If a process of ours fails, of too little memory for instance.
    """
    with _progress() as progress:
        task = progress.add_task("Balances, then a nightly analysis", total=len(sizes) + 2)
        theirs = against_pyfao56(days, pyfao56_fields)
        progress.advance(task)
        measured = []
        for size in sizes:
            measured.append(in_a_process(size, days, rounds))
            progress.advance(task)
        night = nightly.run(zones=zones) if zones else None
        progress.advance(task)
    for one in measured:
        one["ratio"] = _ratio(theirs["s_per_field"], one["median_s"] / one["fields"])
    versions = {"numpy": np.__version__, "pyfao56": pyfao56_runs.version()}
    return {
        "bench": "analytics",
        "machine": this_machine()._asdict() | versions,
        "days": days,
        "rounds": rounds,
        "pyfao56": theirs,
        "balance": measured,
        "nightly": night,
    }


def _ratio(theirs: float | None, ours: float) -> float | None:
    return None if theirs is None else theirs / ours


def against_pyfao56(days: int, count: int) -> Report:
    """Seconds that pyfao56 takes for a field, once it is shown to compute what ours does."""
    if pyfao56_runs.version() is None:
        return {"fields": 0, "s_per_field": None, "how_to_get": pyfao56_runs.HOW_TO_GET}
    fields = pyfao56_runs.random_fields(SEED, days, count)
    seconds, outputs = [], []
    for field in fields:
        begun = time.perf_counter()
        outputs.append(pyfao56_runs.run_pyfao56(field))
        seconds.append(time.perf_counter() - begun)
    ours = water_balance(*pyfao56_runs.for_balance(fields), PYFAO56)
    apart, compared = 0.0, 0
    for index, theirs in enumerate(outputs):
        until = pyfao56_runs.days_that_close(theirs, float(ours.start.depletion[index]))
        difference = np.abs(ours.depletion[:until, index] - theirs["Dr"][:until])
        apart, compared = max(apart, difference.max(initial=0.0)), compared + until
    if apart > SAME_MM:
        raise DifferentError(f"depletions differ by {apart} mm")
    return {
        "fields": count,
        "s_per_field": median(seconds),
        "compared_days": compared,
        "largest_difference_mm": float(apart),
    }


def in_a_process(size: int, days: int, rounds: int) -> Report:
    """Measure one number of fields in a process of its own, whose memory is this alone."""
    asked = json.dumps({"size": size, "days": days, "rounds": rounds})
    done = subprocess.run(
        [sys.executable, "-m", "bench.analytics", asked], check=True, capture_output=True, text=True
    )
    report: Report = json.loads(done.stdout)
    return report


def measure(size: int, days: int, rounds: int) -> Report:
    """Seconds of each round on fields side by side, and the memory of this process."""
    season, ground, start = side_by_side(size, days)
    seconds = []
    for _ in range(rounds):
        begun = time.perf_counter()
        result = water_balance(season, ground, start)
        seconds.append(time.perf_counter() - begun)
        if not np.abs(result.closure).max() < SAME_MM:
            raise DifferentError("the balance does not close")
        del result
    typical = median(seconds)
    return {
        "fields": size,
        "first_s": seconds[0],
        "median_s": typical,
        "ns_per_field_day": 1e9 * typical / (size * days),
        "peak_mb": peak_mb(),
    }


def side_by_side(size: int, days: int) -> tuple[Days, Fields, State]:
    """Seasons of so many fields, every input an array of its own of shape (days, fields)."""
    drawn = pyfao56_runs.random_fields(SEED, days, min(size, DISTINCT))
    season, ground, start = pyfao56_runs.for_balance(drawn)
    chosen = np.arange(size) % len(drawn)

    def wide(value: Any) -> Any:
        return np.ascontiguousarray(value[..., chosen]) if np.ndim(value) else value

    grown = Days(*(wide(value) for value in season))
    return (
        grown,
        Fields(*(wide(np.asarray(value)) for value in ground)),
        State(*(wide(value) for value in start)),
    )


def as_table(report: Report) -> RenderableType:
    """The report for people."""
    machine, theirs = report["machine"], report["pyfao56"]
    table = Table(title="Daily balance", title_justify="left", box=box.SIMPLE, pad_edge=False)
    table.add_column("fields", justify="right")
    for name in ("median s", "first s", "ns/field/day", "peak MB", "× pyfao56"):
        table.add_column(name, justify="right")
    for one in report["balance"]:
        table.add_row(*_cells(one))
    return Group(
        table,
        _words(theirs),
        *([nightly.in_words(report["nightly"])] if report["nightly"] else []),
        f"{report['days']} days, medians of {report['rounds']} rounds; numpy {machine['numpy']}, "
        f"Python {machine['python']}, {machine['cores']} cores of {machine['cpu']}, "
        f"{machine['system']}",
    )


def _cells(one: Report) -> Iterator[str]:
    yield f"{one['fields']:,}"
    yield f"{one['median_s']:.4f}"
    yield f"{one['first_s']:.4f}"
    yield f"{one['ns_per_field_day']:,.0f}"
    yield f"{one['peak_mb']:,.0f}"
    yield "-" if one["ratio"] is None else f"{one['ratio']:,.0f}"


def _words(theirs: Report) -> str:
    if theirs["s_per_field"] is None:
        return f"pyfao56 is not installed, so there is no ratio: {theirs['how_to_get']}"
    return (
        f"pyfao56 took {theirs['s_per_field']:.3f} s for a field (median of {theirs['fields']}); "
        "the ratio is that by our time per field. "
        f"Depletions agree to {theirs['largest_difference_mm']:.0e} mm."
    )


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(**json.loads(sys.argv[1]))))
