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
    return ingest.run(messages=500, rounds=2, device_count=7)


def test_the_report_is_json_and_its_ratio_is_that_of_the_speeds(report: ingest.Report) -> None:
    read = json.loads(json.dumps(report))

    assert (read["messages"], read["devices"], read["values_a_message"]) == (500, 7, 4)
    assert 0 < read["ratio_lowest"] <= read["ratio"] <= read["ratio_highest"]
    assert read["line_messages_per_s"] > 0
    assert read["machine"]["postgresql"]


def test_the_table_has_both_lines_in_80_columns(report: ingest.Report) -> None:
    console = Console(width=80, record=True, file=io.StringIO())

    console.print(ingest.as_table(report))

    text = console.export_text()
    assert "bare subscriber: the limit" in text
    assert "stored and acknowledged" in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_message_that_is_missing_makes_the_measurement_fail(empty_engine: sa.Engine) -> None:
    with pytest.raises(MiscountError, match="holds 0 readings, 4 were published"):
        ingest._check_count(empty_engine, 4)
