"""The measurement of bytes is right: nothing is lost on the way into the columnstore."""

import io
import json

import pytest
from rich.console import Console

from bench import servers, storage, storage_table

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def report() -> storage.Report:
    if not servers.is_wasm_there():
        pytest.skip("needs Node.js and `npm ci` in tests/timescale (tests/prepare.sh does it)")
    return storage.run(rows=20_165, streams=5, interval_s=600, others=storage.OTHERS[1:2])


def test_the_report_is_json_and_every_part_of_a_reading_is_counted(report: storage.Report) -> None:
    read = json.loads(json.dumps(report))

    assert (read["rows"], read["days"]) == (20_165, pytest.approx(4_033 * 600 / 86_400))
    plain, chosen = read["plain"], read["timescale"]["chosen"]
    # A row of 48 bytes has a head of 24 and a pointer of 4; an entry of its index 20 of both.
    assert 76 <= plain["table_b"] < 98  # pages are made several at a time
    assert 20 <= plain["index_b"] < 60
    assert chosen["segment_by"] == "datastream_id"
    assert chosen["ratio"] == pytest.approx(chosen["before_b"] / chosen["after_b"])
    assert chosen["ratio"] > 1
    columns = chosen["columns_b"]
    assert sum(columns[name] for name in storage.READING) < chosen["after_b"]
    assert columns["time"] < 1  # it comes regularly


def test_chunks_follow_the_rates_that_are_known(report: storage.Report) -> None:
    timescale = report["timescale"]

    assert timescale["chosen"]["chunk_days"] > 7  # five datastreams do not fill memory in a week
    (other,) = timescale["others"]
    assert (other["name"], other["chunk_days"]) == ("chunks of 7 days", 7)
    assert other["chunks"] == 5  # 28 days and a little


def test_hours_and_days_are_those_of_the_readings(report: storage.Report) -> None:
    timescale = report["timescale"]

    # 4,033 readings every ten minutes, of five sensors that began at another moment each
    assert 5 * 672 <= timescale["hours"]["rows"] <= 5 * 674
    assert 5 * 28 <= timescale["days"]["rows"] <= 5 * 30
    for one in (timescale["hours"], timescale["days"]):
        assert one["table_b"] > 84  # six numbers of 8, one of 4, a head of 24 and a pointer
        assert one["ratio"] == pytest.approx(one["before_b"] / one["after_b"])
    assert timescale["hours"]["ratio"] > 1


def test_the_table_says_whether_what_was_wanted_is_reached(report: storage.Report) -> None:
    console = Console(width=100, record=True, file=io.StringIO())

    console.print(storage_table.as_table(report))

    text = console.export_text()
    assert "plain PostgreSQL" in text
    assert "chunks of 7 days" in text
    assert "Bytes of an hour" in text
    assert ("wanted: 10 ×" in text) != ("not 10 ×" in text)
    assert max(map(len, text.splitlines())) <= 100


def test_without_timescaledb_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(servers, "is_wasm_there", lambda: False)

    report = storage.run(rows=500, streams=5, interval_s=600, others=())

    assert report["timescale"] is None
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(storage_table.as_table(report))
    assert "npm ci" in console.export_text()
