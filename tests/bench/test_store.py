"""The measurement itself is right: it stores what was asked. Speeds are not judged here."""

import json

import pytest
import sqlalchemy as sa
from rich.console import Console

from bench import store


@pytest.fixture(scope="module")
def report() -> store.Report:
    return store.run(rows=2_500, rounds=2, rows_a_batch=1_000, duplicates_pct=(0, 50))


def test_the_report_is_json_and_names_the_machine(report: store.Report):
    read = json.loads(json.dumps(report))

    assert set(read) == {
        "bench",
        "machine",
        "rows",
        "rows_a_batch",
        "rounds",
        "copy_limit",
        "store",
    }
    assert set(read["machine"]) == {"cpu", "cores", "system", "python", "postgresql"}
    assert read["machine"]["cpu"]
    assert read["machine"]["cores"] >= 1


def test_every_case_stores_the_rows_that_were_asked_for(report: store.Report):
    counts = [(one["duplicates_pct"], one["new"], one["duplicate"]) for one in report["store"]]

    assert (report["copy_limit"]["new"], report["copy_limit"]["duplicate"]) == (2_500, 0)
    assert counts == [(0, 2_500, 0), (50, 1_250, 1_250)]


def test_ratios_are_to_the_limit_of_the_same_run(report: store.Report):
    limit = report["copy_limit"]

    assert limit["ratio"] == limit["ratio_lowest"] == limit["ratio_highest"] == 1.0
    for one in report["store"]:
        assert 0 < one["ratio_lowest"] <= one["ratio"] <= one["ratio_highest"]


def test_the_table_has_a_line_for_each_case_in_80_columns(report: store.Report):
    console = Console(width=80)
    with console.capture() as captured:
        console.print(store.as_table(report))

    for text in ("COPY BINARY: the limit", "store, 0 % known", "store, 50 % known"):
        assert text in captured.get()


def test_a_reading_that_went_missing_stops_the_measurement(
    empty_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch
):
    keep = store.readings.store
    monkeypatch.setattr(store.readings, "store", lambda link, rows: keep(link, rows[1:]))

    with pytest.raises(store.MiscountError, match="holds 9 readings, 10 were stored"):
        store.measure(empty_engine, 10, 1, 10, (0.0,))
