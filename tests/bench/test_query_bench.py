"""The measurement of answers asks what it says, of what it says. Speed is not judged here."""

import datetime as dt
import io
import json
import shutil
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from bench import kept, query, query_table, seeding, series

pytestmark = pytest.mark.slow

START, END = dt.datetime(2025, 1, 1, tzinfo=dt.UTC), dt.datetime(2025, 1, 11, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the measurement keeps its database."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="module")
def report(folder: Path) -> query.Report:
    return query.run(farms=1, readings=(2_000, 4_000), requests=3, cold_rounds=1, keep=folder)


def test_the_report_is_json_and_names_what_was_asked(report: query.Report) -> None:
    read = json.loads(json.dumps(report))

    assert [size["readings"] for size in read["sizes"]] == [2_000, 4_000]
    assert (read["seeded"]["crop_zones"], read["seeded"]["datastreams"]) == (3, 23)
    assert {"postgresql", "psycopg", "fastapi"} <= set(read["machine"])
    for size in read["sizes"]:
        assert set(size["warm"]) == {
            "farm summary",
            "region summary",
            "readings, raw, a month",
            "readings, hours of a year",
            "readings, days of a year",
            "water balance",
        }
        for one in size["warm"].values():
            assert one["http"]["requests"] == 3
            assert 0 < one["http"]["p50_ms"] <= one["http"]["p99_ms"] <= one["http"]["max_ms"]
            assert one["ratio"] == pytest.approx(one["bare"]["p50_ms"] / one["http"]["p50_ms"])
        assert set(size["cold"]) == {"farm summary", "region summary"}
        assert 90 < size["bytes_a_reading"] < 300


def test_more_readings_are_more_rows_of_readings_and_as_many_of_a_summary(
    report: query.Report,
) -> None:
    few, many = (size["warm"] for size in report["sizes"])

    assert few["farm summary"]["rows"] == many["farm summary"]["rows"] == 3 + 9  # zones, devices
    assert few["readings, hours of a year"]["rows"] == 2_000 // 23 + 1
    assert many["readings, hours of a year"]["rows"] == 4_000 // 23 + 1
    assert few["water balance"]["rows"] > 100


def test_no_answer_is_sent_to_who_has_it(report: query.Report) -> None:
    warm = report["sizes"][0]["warm"]

    assert {one["not_modified"]["requests"] for one in warm.values()} == {3}
    assert warm["farm summary"]["computed"]["requests"] == 1  # there is one farm


def test_the_tables_have_every_question_and_fit_110_columns(report: query.Report) -> None:
    console = Console(width=110, record=True, file=io.StringIO())

    console.print(query_table.as_table(report))

    text = console.export_text()
    assert text.count("farm summary") == 4 + 2 + 1  # warm, cold, growth
    assert "2,000 → 4,000" in text
    assert max(map(len, text.splitlines())) <= 110


def test_a_kept_database_is_asked_again_as_it_was_filled(
    report: query.Report, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def anew(*_: object, **__: object) -> None:
        raise AssertionError("this stands in the folder")

    for name in ("register", "store", "fill"):
        monkeypatch.setattr(seeding, name, anew)
    again = query.run(farms=1, readings=(4_000,), requests=3, cold_rounds=0, keep=folder)

    assert again["seeded"] == report["seeded"]
    (before, size) = report["sizes"][1], again["sizes"][0]
    assert size["bytes_a_reading"] == before["bytes_a_reading"]
    for name, one in size["warm"].items():
        assert one["rows"] == before["warm"][name]["rows"]
    with pytest.raises(kept.OtherFarms, match="keeps the database of 1 farms: ask for --farms 1"):
        query.run(farms=2, readings=(4_000,), keep=folder)
    with pytest.raises(AssertionError, match="stands in the folder"):
        query.run(farms=1, readings=(5_000,), keep=folder)
    left = kept.find(folder, 1)
    assert left is not None
    assert left.readings is None  # it ended while it was being filled


def test_readings_that_the_disk_does_not_hold_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**10, 0, 10**10))

    query.check_room(tmp_path, 30_000_000)
    with pytest.raises(query.NoRoom, match=r"100,000,000 readings need about 20 GB .* has 10 GB"):
        query.check_room(tmp_path, 100_000_000)


def test_made_series_are_as_many_as_asked_each_key_once_in_order_of_time() -> None:
    streams = [(7, "soil_moisture"), (9, "water_total"), (12, "air_temperature")]

    parts = list(series.made(streams, 1_000, start=START, end=END, rows_a_part=100))

    rows = np.concatenate(parts)
    assert len(rows) == 1_000
    assert max(map(len, parts)) <= 100
    assert len(np.unique(rows[["datastream_id", "time"]])) == 1_000
    assert (np.diff(rows["time"]) >= 0).all()
    assert rows["time"][0] == START.timestamp() * 1e6
    assert rows["time"][-1] < END.timestamp() * 1e6
    assert (rows["received_at"] > rows["time"]).all()


def test_made_series_move_like_sensors_within_their_steps() -> None:
    streams = [(1, "soil_moisture"), (2, "water_total")]

    rows = np.concatenate(
        list(series.made(streams, 5_760, start=START, end=END, rows_a_part=1_000))
    )

    moisture = rows["value"][rows["datastream_id"] == 1]
    assert (moisture == np.round(moisture, 3)).all()  # a thousandth, as its sensor tells
    assert 5 < len(np.unique(moisture)) < 500
    counter = rows["value"][rows["datastream_id"] == 2]
    assert (np.diff(counter) >= 0).all()
    assert counter[-1] > counter[0]
