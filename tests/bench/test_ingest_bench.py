"""The measurement of ingest is right: both sides get all messages. Speeds are not judged here."""

import io
import json
import os
import shutil

import pytest
import sqlalchemy as sa
from rich.console import Console

from bench import ingest
from bench.ingest import MiscountError

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def report() -> ingest.Report:
    if shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin") is None:
        pytest.skip("needs mosquitto, of the distribution's package of that name")
    return ingest.run(messages=500, rounds=2, device_count=7, waiting=300, latency_s=0.5)


def test_the_report_is_json_and_its_ratio_is_that_of_the_speeds(report: ingest.Report) -> None:
    read = json.loads(json.dumps(report))

    assert (read["messages"], read["devices"], read["values_a_message"]) == (500, 7, 4)
    assert 0 < read["ratio_lowest"] <= read["ratio"] <= read["ratio_highest"]
    assert read["line_messages_per_s"] > 0
    assert 0 < read["hashing_pct"] < 100
    assert {"postgresql", "mosquitto", "paho-mqtt"} <= set(read["machine"])


def test_every_message_that_is_watched_became_visible_some_time_after_it_left(
    report: ingest.Report,
) -> None:
    found = report["latency"]

    # 1,000 messages of 7 devices in turn, of which the first is watched.
    assert found["watched"] == 143
    assert 0 < found["p50_s"] <= found["p99_s"] <= found["max_s"]


def test_a_backlog_is_drained_by_a_process_whose_memory_is_told(report: ingest.Report) -> None:
    found = report["backlog"]

    assert (found["messages"], found["devices"]) == (300, 7)
    assert found["messages_per_s"] > 0
    assert 10 < found["peak_memory_mb"] < 1_000


def test_the_table_has_both_lines_in_80_columns(report: ingest.Report) -> None:
    console = Console(width=80, record=True, file=io.StringIO())

    console.print(ingest.as_table(report))

    text = console.export_text()
    assert "bare subscriber: the limit" in text
    assert "stored and acknowledged" in text
    words = " ".join(text.split())
    assert "at 2,000 messages/s for 0.5 s: median" in words
    assert "% of the time went into numbers and digests of batches." in words
    assert "A backlog of 300 messages: drained at" in words
    assert max(map(len, text.splitlines())) <= 80


def test_a_message_that_is_missing_makes_the_measurement_fail(empty_engine: sa.Engine) -> None:
    with pytest.raises(MiscountError, match="holds 0 readings, 4 were published"):
        ingest._check_count(empty_engine, 4)
